//! Decisions and following in rounds: against exhaustive search, and with small rounds.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::stories::{both, mentee, mentor, name, round, run, unmatched, whole, with};
use super::synthetic::Shape;
use crate::domain::decision_conflict::{ConflictCause, DecisionConflict, ToldConflicts};
use crate::domain::name::ProfileRef;
use crate::domain::policy::{HardRule, Objective};
use crate::domain::review::DecisionKind;
use crate::domain::run::{FollowedPairs, Side};
use crate::domain::snapshot::{FollowedRun, FrozenDecision, Snapshot};
use crate::domain::suppression::PeopleCount::Exact;
use crate::engine::assign::tests::case::{Case, case};
use crate::engine::decisions::Decisions;
use crate::engine::following::KeptWorth;
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::FORBIDDEN;
use crate::engine::pinned_problem::{PinnedProblem, Wishes};
use crate::engine::{NoOutcome, Options, Outcome, repair_round, solve, verify};

/// Those of some pairs that can be pinned together.
fn pinnable(case: &Case, pairs: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut pins: Vec<(u32, u32)> = Vec::new();
    for pair in pairs {
        let more = Decisions { pins: [pins.as_slice(), &[*pair]].concat(), vetoes: Vec::new() };
        if more.conflicts(&case.problem(), &Unobserved).unwrap().is_empty() {
            pins = more.pins;
        }
    }
    pins.sort_unstable();
    pins.dedup();
    pins
}

fn pairs(people: u32, most: usize) -> impl Strategy<Value = Vec<(u32, u32)>> {
    proptest::collection::vec((0..people, 0..people), 0..=most)
}

/// The value of an assignment with what kept pairs add: to the total, and after it.
fn followed_value(case: &Case, wishes: &Wishes, fair: bool, pairs: &[(u32, u32)]) -> Option<Vec<i64>> {
    if !wishes.pins.iter().all(|pin| pairs.contains(pin)) {
        return None;
    }
    let kept = pairs.iter().filter(|pair| wishes.followed.contains(pair)).count();
    let kept = i64::try_from(kept).unwrap();
    let mut value = case.value(pairs);
    let points = match wishes.worth {
        KeptWorth::Points(points) => i64::from(points),
        KeptWorth::BeforeScores => 1 << 40,
    };
    let total = value.pop().unwrap() + points * kept;
    if fair {
        let free = pairs.iter().filter(|pair| !wishes.pins.contains(pair));
        let worst = free.map(|&(i, j)| i64::from(case.score(i as usize, j as usize))).min();
        value.push(worst.unwrap_or(i64::MAX));
    }
    value.extend([total, kept]);
    Some(value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1200))]

    #[test]
    fn no_assignment_with_all_pins_keeps_more_among_the_best(
        case in case(0..6, 0..5, 0..4_i32),
        (pins, followed) in (pairs(5, 2), pairs(5, 6)),
        worth in prop_oneof![
            3 => Just(KeptWorth::Points(0)),
            1 => (1..4_u16).prop_map(KeptWorth::Points),
            1 => Just(KeptWorth::Points(10_000)),
            1 => Just(KeptWorth::BeforeScores),
        ],
        fair in any::<bool>(),
    ) {
        let case = Case { coverage_first: case.coverage_first || fair, ..case };
        let exists = |pair: &(u32, u32)| {
            (pair.0 as usize) < case.mentees.len() && (pair.1 as usize) < case.mentors.len()
        };
        let followed: BTreeSet<(u32, u32)> = followed.into_iter().filter(exists).collect();
        let wishes = Wishes { pins: pinnable(&case, &pins), followed: followed.into_iter().collect(), worth, ..Wishes::default() };
        let objective = if fair { Objective::Fairest } else { Objective::BestTotal };
        let pinned = PinnedProblem::new(&case.problem(), &wishes, &Unobserved).unwrap();
        let found = pinned.solve(objective, None, &Unobserved).unwrap();
        let checked = pinned.check(&found.pairs, &found.evidence, None, &Unobserved).unwrap();
        prop_assert!(checked.proved, "{checked:?} {found:?}");
        let candidates = case.scores.iter().filter(|score| **score != FORBIDDEN).count() as u64;
        prop_assert_eq!(checked.candidates, candidates);
        let best = case.best_of_all(|pairs| followed_value(&case, &wishes, fair, pairs));
        prop_assert_eq!(followed_value(&case, &wishes, fair, &found.pairs), best.clone());
        // An assignment without one of its pairs is not proved.
        for left_out in 0..found.pairs.len() {
            let mut fewer = found.pairs.clone();
            fewer.remove(left_out);
            let checked = pinned.check(&fewer, &found.evidence, None, &Unobserved).unwrap();
            prop_assert!(!checked.proved || followed_value(&case, &wishes, fair, &fewer) == best);
        }
    }
}

fn decision(kind: DecisionKind, mentee: &str, mentor: &str) -> FrozenDecision {
    let number = format!("{mentee}{mentor}").bytes().fold(0_u32, |sum, byte| sum * 7 + u32::from(byte));
    let (mentee, mentor) = (name(mentee), name(mentor));
    FrozenDecision { mentee, mentor, kind, name: format!("rounds/r/decisions/{number}") }
}

pub(super) fn pairs_of(outcome: &Outcome) -> Vec<(ProfileRef, ProfileRef)> {
    let mut pairs: Vec<(ProfileRef, ProfileRef)> =
        outcome.matches.iter().map(|pair| (pair.mentee.clone(), pair.mentor.clone())).collect();
    pairs.sort();
    pairs
}

/// The snapshot of a run that follows another one with this outcome.
fn following(snapshot: &Snapshot, outcome: &Outcome) -> Snapshot {
    let follows =
        FollowedRun { number: 1, result_digest: "d".to_owned(), repaired: false, pairs: pairs_of(outcome) };
    Snapshot { follows: Some(follows), ..snapshot.clone() }
}

/// Equal people: every assignment that matches all is best, so that only following decides who stays.
#[test]
fn one_withdrawal_moves_only_who_must_move() {
    for objective in [Objective::BestTotal, Objective::Fairest] {
        let people = (0..8).flat_map(|at| [mentee(&format!("e{at}")), mentor(&format!("o{at}"))]);
        let mut first = round(people.collect());
        first.policy.objective = objective;
        let before = run(&first);
        assert_eq!(before.matches.len(), 8);
        for gone in ["e3", "o5"] {
            let mut then = following(&first, &before);
            then.participants.retain(|person| person.profile != name(gone));
            let after = run(&then);
            assert_eq!(after.matches.len(), 7);
            let kept = pairs_of(&after).iter().filter(|pair| pairs_of(&before).contains(pair)).count();
            assert_eq!(kept, 7, "{objective:?} without {gone}: nobody else moves");
            let counted = FollowedPairs { kept: 7, changed: 0, ended: Some(1) };
            assert_eq!(after.summary.followed, Some(counted));
            let own = &after.summaries[&name("e0").organisation];
            assert_eq!(own.followed, Some(FollowedPairs { kept: 7, changed: 1, ended: None }));
            assert_eq!(whole(&after).price_of_stability, None);
        }
    }
}

/// A round of many people with different answers: following keeps at least as many pairs as the plain best result, at no
/// loss, and stability keeps more at a price that is shown.
#[test]
fn stability_keeps_more_pairs_at_a_price_that_is_shown() {
    for objective in [Objective::BestTotal, Objective::Fairest] {
        let mut first = Shape { both: 5, ..Shape::usual(60, 40) }.make();
        first.policy.objective = objective;
        let before = run(&first);
        let mut without = first.clone();
        without.participants.retain(|person| person.profile != before.matches[3].mentor);
        let plain = run(&without);
        let mut then = following(&without, &before);
        let free = run(&then);
        let kept = |outcome: &Outcome| outcome.summary.followed.map_or(0, |followed| followed.kept);
        let by_chance = pairs_of(&plain).iter().filter(|pair| pairs_of(&before).contains(pair)).count();
        assert!(kept(&free) >= by_chance as u64);
        assert_eq!(free.summary.matched_mentees, plain.summary.matched_mentees);
        let mut last = kept(&free);
        for stability in [100, 10_000] {
            then.policy.stability = stability;
            let stable = run(&then);
            assert!(kept(&stable) >= last, "{objective:?}: more stability keeps no less");
            assert_eq!(stable.summary.matched_mentees, plain.summary.matched_mentees, "people first");
            assert!(whole(&stable).price_of_stability.is_some());
            last = kept(&stable);
        }
        let by_chance = by_chance as u64;
        // FAIREST keeps its worst pair above all, so that little may be left to keep.
        assert!(last > by_chance || last == by_chance && objective == Objective::Fairest, "{objective:?}");
    }
}

#[test]
fn a_pin_holds_and_is_shown_and_a_veto_is_a_rule() {
    for objective in [Objective::BestTotal, Objective::Fairest] {
        let mut snapshot = round(vec![mentee("a"), mentee("b"), mentor("x"), mentor("y")]);
        snapshot.policy.objective = objective;
        for (one, other) in [("x", "y"), ("y", "x")] {
            snapshot.decisions = vec![decision(DecisionKind::Pin, "a", one)];
            let outcome = run(&snapshot);
            assert_eq!(pairs_of(&outcome), [(name("a"), name(one)), (name("b"), name(other))]);
            let pinned = outcome.matches.iter().filter(|pair| pair.pinned).map(|pair| &pair.mentee);
            assert_eq!(pinned.collect::<Vec<_>>(), [&name("a")]);
            let matches: Vec<_> =
                outcome.matches.iter().map(|pair| (pair.mentee.clone(), pair.mentor.clone())).collect();
            let proof = verify(&snapshot, &matches, &outcome.certificate, &Options::default(), &Unobserved);
            assert!(proof.expect("not stopped").proved);
            // Without the decision the same certificate proves nothing of this result, or it is best anyway.
            let vetoed =
                Snapshot { decisions: vec![decision(DecisionKind::Veto, "a", one)], ..snapshot.clone() };
            let proof = verify(&vetoed, &matches, &outcome.certificate, &Options::default(), &Unobserved);
            assert!(!proof.expect("not stopped").proved);
        }
    }
    for objective in Objective::ALL {
        let mut snapshot = round(vec![mentee("a"), mentor("x")]);
        snapshot.policy.objective = objective;
        snapshot.decisions = vec![decision(DecisionKind::Veto, "a", "x")];
        let outcome = run(&snapshot);
        assert!(outcome.matches.is_empty());
        assert_eq!(unmatched(&outcome, "a", Side::Mentee).exclusions[&HardRule::Veto], Exact(1));
        // A decision on a person who does not take part in that role has no effect.
        snapshot.decisions = vec![
            decision(DecisionKind::Veto, "x", "a"),
            decision(DecisionKind::Veto, "a", "nobody"),
            decision(DecisionKind::Pin, "nobody", "x"),
            decision(DecisionKind::Pin, "x", "a"),
        ];
        assert_eq!(run(&snapshot).matches.len(), 1);
    }
}

fn conflicts(snapshot: &Snapshot) -> Vec<DecisionConflict> {
    match solve(snapshot, &Options::default(), &Unobserved) {
        Err(NoOutcome::Decisions(conflicts)) => conflicts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn decisions_that_cannot_be_kept_are_all_listed_with_open_rules_only() {
    let (pin, veto) = (DecisionKind::Pin, DecisionKind::Veto);
    let employed = |profile: &mut crate::domain::profile::Profile| profile.employer = Some("acme".to_owned());
    let mut snapshot = round(vec![
        with(mentee("a"), employed),
        mentee("b"),
        with(mentee("c"), |profile| profile.avoided = vec![name("z")]),
        with(mentor("x"), employed),
        mentor("y"),
        mentor("z"),
        both("p"),
        both("q"),
    ]);
    snapshot.decisions = vec![
        decision(pin, "a", "x"),
        decision(pin, "b", "y"),
        decision(veto, "b", "y"),
        decision(pin, "c", "z"),
        decision(pin, "p", "q"),
        decision(pin, "q", "p"),
    ];
    let found = conflicts(&snapshot);
    let causes: Vec<&ConflictCause> = found.iter().map(|conflict| &conflict.cause).collect();
    assert_eq!(
        causes,
        [
            &ConflictCause::PinnedAndVetoed,
            &ConflictCause::NotPossible { rules: Vec::new() },
            &ConflictCause::NotPossible { rules: vec![HardRule::Employer] },
            &ConflictCause::BothDirections,
        ]
    );
    assert_eq!(found[0].decisions.len(), 2);
    assert_eq!(found[1].decisions, [decision(pin, "c", "z")], "without a word why");
    let told = ToldConflicts::of(&found).messages();
    let words = told.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    for conflict in &found {
        assert!(conflict.decisions.iter().all(|one| words.contains(&one.name)), "{words}");
    }
    assert!(!words.contains("profiles/"), "{words}");

    snapshot.decisions = vec![decision(pin, "a", "y"), decision(pin, "b", "y"), decision(pin, "b", "x")];
    let causes: Vec<ConflictCause> =
        conflicts(&snapshot).into_iter().map(|conflict| conflict.cause).collect();
    assert_eq!(
        causes,
        [ConflictCause::TooManyMentors { wanted: 1 }, ConflictCause::TooManyMentees { places: 1 }]
    );

    snapshot.policy.objective = Objective::Stable;
    snapshot.decisions = vec![decision(pin, "b", "z")];
    assert_eq!(conflicts(&snapshot)[0].cause, ConflictCause::Objective);
}

/// Of two people who may not mentor each other, a pin decides the direction.
#[test]
fn a_pin_decides_the_direction_of_two_people() {
    let mut snapshot = round(vec![both("p"), both("q"), both("r")]);
    for (mentee, mentor) in [("p", "q"), ("q", "p")] {
        snapshot.decisions = vec![decision(DecisionKind::Pin, mentee, mentor)];
        let pairs = pairs_of(&run(&snapshot));
        assert!(pairs.contains(&(name(mentee), name(mentor))));
        assert!(!pairs.contains(&(name(mentor), name(mentee))));
        assert_eq!(pairs.len(), 3, "a circle of three");
    }
}

/// Both digests of the input cover decisions and the followed run.
#[test]
fn digests_cover_decisions_and_the_followed_run() {
    use super::against_reference::seals;
    let snapshot = round(vec![mentee("a"), mentee("b"), mentor("x"), mentor("y")]);
    let outcome = run(&snapshot);
    let of = |snapshot: &Snapshot| {
        let contents = vec![[0; 32]; snapshot.participants.len()];
        (snapshot.digest(&contents, &seals(snapshot)), outcome.digests(snapshot, &seals(snapshot)).open_input)
    };
    let followed = following(&snapshot, &outcome);
    let mut other = followed.clone();
    other.follows.as_mut().expect("a run").result_digest = "e".to_owned();
    let pinned = Snapshot { decisions: vec![decision(DecisionKind::Pin, "a", "x")], ..snapshot.clone() };
    let vetoed = Snapshot { decisions: vec![decision(DecisionKind::Veto, "a", "x")], ..snapshot.clone() };
    let all: Vec<_> = [&snapshot, &followed, &other, &pinned, &vetoed].map(of).into();
    let inputs: BTreeSet<&String> = all.iter().map(|(whole, _)| whole).collect();
    let opens: BTreeSet<&String> = all.iter().map(|(_, open)| open).collect();
    assert_eq!((inputs.len(), opens.len()), (5, 5));
    // The name of a decision is no part of it, and a decision without effect is none.
    let mut renamed = pinned.clone();
    renamed.decisions[0].name.push('0');
    renamed.decisions.push(decision(DecisionKind::Pin, "a", "nobody"));
    assert_eq!(of(&renamed), of(&pinned));
}

/// The fewest changes come before any score; a budget below them is refused with their number.
#[test]
fn a_repair_changes_the_fewest_pairs() {
    for objective in Objective::ALL {
        let mut first = Shape { both: 4, ..Shape::usual(50, 30) }.make();
        first.policy.objective = objective;
        let before = solve(&first, &Options::default(), &Unobserved).expect("not stopped");
        let mut now = following(&first, &before);
        now.follows.as_mut().expect("a run").repaired = true;
        let repaired = |now: &Snapshot, budget| repair_round(now, budget, &Options::default(), &Unobserved);
        // Nobody left: nothing changes that could be kept, unless the policy did not put people first.
        let same = repaired(&now, None).expect("needs no budget");
        if objective == Objective::BestTotal {
            assert_eq!(pairs_of(&same), pairs_of(&before));
            assert!(repaired(&now, Some(0)).is_ok());
        }
        let gone = before.matches[2].mentor.clone();
        now.participants.retain(|person| person.profile != gone);
        let outcome = repaired(&now, None).expect("needs no budget");
        assert!(outcome.summary.proof.proved);
        let pairs = pairs_of(&outcome);
        let proof = verify(&now, &pairs, &outcome.certificate, &Options::default(), &Unobserved);
        assert!(proof.expect("not stopped").proved);
        let changed = outcome.summary.followed.expect("follows").changed;
        // A run that follows with points changes no fewer pairs, and serves no more people.
        let mut plain = now.clone();
        plain.follows.as_mut().expect("a run").repaired = false;
        plain.policy.objective = Objective::BestTotal;
        let plain = run(&plain);
        assert_eq!(plain.summary.matched_mentees, outcome.summary.matched_mentees);
        assert!(changed <= plain.summary.followed.expect("follows").changed);
        assert!(repaired(&now, Some(changed)).is_ok());
        if let Some(less) = changed.checked_sub(1) {
            assert_eq!(repaired(&now, Some(less)).err(), Some(NoOutcome::Budget(changed)));
        }
    }
}
