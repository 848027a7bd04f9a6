//! Questions about a solved round, against runs that solve the changed round anew.

use std::cmp::Reverse;
use std::sync::Arc;

use proptest::prelude::*;

use super::following::pairs_of;
use super::synthetic::Shape;
use crate::domain::policy::Objective;
use crate::domain::review::DecisionKind;
use crate::domain::run::Side;
use crate::domain::snapshot::{FollowedRun, FrozenDecision, Snapshot};
use crate::engine::observer::Unobserved;
use crate::engine::solved_round::{Move, RoundAlternate, SolvedRound, WhatIfAnswer};
use crate::engine::{NoOutcome, Options, Outcome, solve};

/// A small round in which shown points are all points: no private criterion weighs anything.
fn open_round(shape: Shape, objective: Objective, stability: u16) -> Snapshot {
    let mut snapshot = Shape { unusual: 0, missing: 30, ..shape }.make();
    for weight in &mut snapshot.policy.criteria {
        if weight.criterion.is_private() {
            weight.weight = 0;
        }
    }
    snapshot.policy.objective = objective;
    snapshot.policy.stability = stability;
    snapshot
}

fn shape() -> impl Strategy<Value = Shape> {
    (2..9_usize, 2..7_usize, prop_oneof![3 => Just(0_usize), 1 => 1..4_usize], 0..1_000_u64)
        .prop_map(|(mentees, mentors, both, seed)| Shape { both, seed, ..Shape::usual(mentees, mentors) })
}

fn solved(snapshot: &Snapshot) -> Outcome {
    solve(snapshot, &Options::default(), &Unobserved).expect("can be solved")
}

fn questions(snapshot: &Snapshot, outcome: &Outcome) -> SolvedRound {
    let (snapshot, options) = (Arc::new(snapshot.clone()), Options::default());
    let round = SolvedRound::new(snapshot, &outcome.matches, &outcome.certificate, &options, &Unobserved);
    round.expect("not stopped").expect("the matches of the snapshot")
}

/// What a run with these decisions gives that follows the outcome.
fn again(
    snapshot: &Snapshot,
    outcome: &Outcome,
    decisions: Vec<FrozenDecision>,
) -> Result<Outcome, NoOutcome> {
    let follows =
        FollowedRun { number: 1, result_digest: String::new(), repaired: false, pairs: pairs_of(outcome) };
    let snapshot = Snapshot { decisions, follows: Some(follows), ..snapshot.clone() };
    solve(&snapshot, &Options::default(), &Unobserved)
}

fn decide(snapshot: &Snapshot, pairs: &[(usize, usize, bool)]) -> Vec<FrozenDecision> {
    let people = &snapshot.participants;
    let one = |(at, &(mentee, mentor, pinned)): (usize, &(usize, usize, bool))| FrozenDecision {
        mentee: people[mentee % people.len()].profile.clone(),
        mentor: people[mentor % people.len()].profile.clone(),
        kind: if pinned { DecisionKind::Pin } else { DecisionKind::Veto },
        name: format!("rounds/r/decisions/{at}"),
    };
    let mut decisions: Vec<FrozenDecision> = pairs.iter().enumerate().map(one).collect();
    decisions.sort();
    decisions
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn a_question_is_answered_as_a_run_would(
        shape in shape(),
        objective in 0..3_usize,
        stability in prop_oneof![2 => Just(0_u16), 1 => 1..500_u16],
        first in proptest::collection::vec((0..20_usize, 0..20_usize, any::<bool>()), 0..4),
        then in proptest::collection::vec((0..20_usize, 0..20_usize, any::<bool>()), 0..4),
        release in any::<usize>(),
    ) {
        let objective = Objective::ALL[objective];
        let mut snapshot = open_round(shape, objective, stability);
        snapshot.decisions = decide(&snapshot, &first);
        if solve(&snapshot, &Options::default(), &Unobserved).is_err() {
            snapshot.decisions.clear();
        }
        let outcome = solved(&snapshot);
        let round = questions(&snapshot, &outcome);
        prop_assert!(round.bytes() > 0);
        let add = decide(&snapshot, &then);
        let released = snapshot.decisions.get(release % (snapshot.decisions.len() + 1));
        let released: Vec<_> = released.map(|one| (one.mentee.clone(), one.mentor.clone())).into_iter().collect();
        let answer = round.what_if(&add, &released, &Unobserved).expect("not stopped");
        let kept = snapshot.decisions.iter().filter(|one| !released.iter().any(|(a, b)| one.pair() == (a, b)));
        let mut decisions: Vec<FrozenDecision> = kept.chain(&add).cloned().collect();
        decisions.sort();
        match (answer, again(&snapshot, &outcome, decisions)) {
            (WhatIfAnswer::Conflicts(told), Err(NoOutcome::Decisions(found))) => prop_assert_eq!(told, found),
            (WhatIfAnswer::Effect(effect), Ok(run)) => {
                prop_assert_eq!(effect.before.total_score, outcome.summary.total_score);
                prop_assert_eq!(effect.before.matched_mentees, outcome.summary.matched_mentees);
                prop_assert_eq!(effect.before.scores, outcome.summary.scores);
                prop_assert_eq!(effect.after.matched_mentees, run.summary.matched_mentees);
                prop_assert_eq!(effect.after.matches, run.summary.matches);
                // Two best results may differ in who moves, not in the sum of score and kept pairs.
                let kept = |moves: &[Move]| {
                    let lost = |one: &Move| one.before.iter().filter(|mentor| !one.after.contains(mentor)).count();
                    outcome.matches.len() - moves.iter().map(lost).sum::<usize>()
                };
                let followed = run.summary.followed.expect("follows").kept;
                let told = kept(&effect.moves) as u64;
                if effect.is_exact && run.summary.proof.proved && objective != Objective::Stable {
                    let sum = |total: u64, kept: u64| total + u64::from(stability) * kept;
                    prop_assert_eq!(sum(effect.after.total_score, told), sum(run.summary.total_score, followed));
                    prop_assert_eq!(told, followed);
                }
            }
            (answer, run) => prop_assert!(false, "{answer:?} {run:?}"),
        }
    }

    #[test]
    fn alternates_cost_what_a_run_with_the_pin_costs(shape in shape(), who in any::<usize>(), fair in any::<bool>()) {
        let objective = if fair { Objective::Fairest } else { Objective::BestTotal };
        let snapshot = open_round(shape, objective, 0);
        let outcome = solved(&snapshot);
        let round = questions(&snapshot, &outcome);
        let person = &snapshot.participants[who % snapshot.participants.len()].profile;
        for side in [Side::Mentee, Side::Mentor] {
            let Some(told) = round.alternates(person, side, 3, &Unobserved).expect("not stopped") else { continue };
            // The costs of all pairs of the person that a pin can force.
            let mut all = Vec::new();
            for other in &snapshot.participants {
                let (mentee, mentor) = if side == Side::Mentee { (person, &other.profile) } else { (&other.profile, person) };
                let pin = FrozenDecision {
                    mentee: mentee.clone(),
                    mentor: mentor.clone(),
                    kind: DecisionKind::Pin,
                    name: String::new(),
                };
                let is_match = pairs_of(&outcome).contains(&(mentee.clone(), mentor.clone()));
                if is_match {
                    continue;
                }
                // A pin of people who do not take part in these roles has no effect.
                let run = again(&snapshot, &outcome, vec![pin]).ok();
                if let Some(run) = run.filter(|run| run.matches.iter().any(|pair| pair.pinned)) {
                    let points = outcome.summary.total_score.saturating_sub(run.summary.total_score);
                    let people = outcome.summary.matched_mentees.saturating_sub(run.summary.matched_mentees);
                    let moved = run.summary.followed.expect("follows").kept;
                    all.push(((mentee.clone(), mentor.clone()), (people, points), moved, run.summary.proof.proved));
                }
            }
            prop_assert_eq!(told.len(), all.len().min(3));
            for one in &told {
                let pair = (one.mentee.clone(), one.mentor.clone());
                let (_, cost, _, proved) = all.iter().find(|(other, ..)| *other == pair).expect("can be pinned");
                if *proved {
                    prop_assert_eq!((one.people, one.points), *cost, "{:?}", one);
                }
                prop_assert!(one.moves.iter().any(|one| one.mentee == pair.0 && one.after.contains(&pair.1)));
            }
            let order = |one: &RoundAlternate| {
                (one.people, one.points, Reverse(one.score), one.mentee.clone(), one.mentor.clone())
            };
            prop_assert!(told.is_sorted_by_key(order));
        }
    }
}

#[test]
fn a_round_of_other_people_has_no_answers() {
    let snapshot = open_round(Shape::usual(6, 4), Objective::BestTotal, 0);
    let outcome = solved(&snapshot);
    let mut other = snapshot.clone();
    other.participants.retain(|person| person.profile != outcome.matches[0].mentee);
    let found = SolvedRound::new(
        Arc::new(other),
        &outcome.matches,
        &outcome.certificate,
        &Options::default(),
        &Unobserved,
    );
    assert!(found.expect("not stopped").is_none());
}

/// A plain certificate is kept warm: the answers of such a round need no new solve.
#[test]
fn the_optimum_of_a_usual_round_is_kept() {
    for stability in [0, 300] {
        let mut snapshot = Shape::usual(60, 40).make();
        snapshot.policy.stability = stability;
        let outcome = solved(&snapshot);
        let round = questions(&snapshot, &outcome);
        let pairs = 60 * 40;
        assert!(round.bytes() > 100 * 2_000 + 2 * pairs, "the scores are kept");
        let mentee = &outcome.matches[7].mentee;
        let told = round.alternates(mentee, Side::Mentee, 5, &Unobserved).expect("not stopped");
        assert!(!told.expect("she takes part").is_empty());
    }
}
