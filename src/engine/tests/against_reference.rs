//! Every pair against the reference; and the same bytes for any order of people, number of threads and cache size.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::reference::Reference;
use super::synthetic::Shape;
use crate::domain::language::LanguageLevel;
use crate::domain::leaf::{LeafSalt, Part, Seals};
use crate::domain::name::ProfileRef;
use crate::domain::policy::{
    Criterion, CriterionWeight, HardRule, HardRules, Objective, Policy, PreviousPartners,
};
use crate::domain::profile::{Consent, ConsentPurpose, Profile};
use crate::domain::run::{Match, Proof, Side, Standing};
use crate::domain::snapshot::{Participant, Snapshot};
use crate::engine::assign::tests::case::Case;
use crate::engine::cpu::Cpu;
use crate::engine::encode::{AnswersUsed, Round};
use crate::engine::headcount;
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::{FORBIDDEN, PairScores};
use crate::engine::pinned_problem::Wishes;
use crate::engine::score::{Plane, Scores};
use crate::engine::shown::shown;
use crate::engine::{Options, Outcome, ResultParts, digests as digests_of, explain_pair, solve, verify};

/// A salt of each participant.
pub(super) fn seals(snapshot: &Snapshot) -> Seals {
    let salts = (0..snapshot.participants.len() as u128).map(|at| LeafSalt::new(at.to_be_bytes())).collect();
    Seals { salts, destroyed: Vec::new() }
}

fn contents(snapshot: &Snapshot) -> Vec<[u8; 32]> {
    let json = |person: &Participant| serde_json::to_vec(&person.content).expect("serialises");
    snapshot.participants.iter().map(|person| Sha256::digest(json(person)).into()).collect()
}

/// The snapshot without one person, and its seals with her leaves in the place of her salt.
fn without(snapshot: &Snapshot, seals: &Seals, outcome: &Outcome, who: usize) -> (Snapshot, Seals) {
    let (person, salt) = (&snapshot.participants[who], seals.salts[who]);
    let mut destroyed = vec![
        (Part::Input, snapshot.leaf(person, &contents(snapshot)[who], salt)),
        (Part::OpenInput, snapshot.open_leaf(person, salt)),
        (Part::Certificate, seals.of_everybody(&outcome.certificate.to_bytes())),
    ];
    let salts = seals.by_person(snapshot.participants.iter().map(|person| &person.profile));
    let (name, mut text) = (&person.profile, Vec::new());
    for pair in outcome.matches.iter().filter(|pair| pair.mentee == *name || pair.mentor == *name) {
        destroyed.extend(salts.of_match(pair, &mut text).map(|leaf| (Part::Match, leaf)));
    }
    for (part, list) in
        [(Part::Unmatched, &outcome.unmatched), (Part::OwnUnmatched, &outcome.unmatched_for_managers)]
    {
        for entry in list.iter().filter(|entry| entry.profile == *name) {
            destroyed.extend(salts.of_unmatched(part, entry, &mut text).map(|leaf| (part, leaf)));
        }
    }
    let own = outcome.summaries.values().map(|summary| (Part::OwnBelowMinimum, summary));
    for (part, summary) in own.chain([(Part::BelowMinimum, &outcome.summary)]) {
        for entry in summary.below_minimum.iter().filter(|entry| entry.mentor == *name) {
            destroyed.extend(salts.of_below_minimum(part, entry, &mut text).map(|leaf| (part, leaf)));
        }
    }
    let mut rest = (snapshot.clone(), Seals { destroyed, ..seals.clone() });
    rest.0.participants.remove(who);
    rest.1.salts.remove(who);
    rest
}

/// Scores and broken rules of all pairs by the reference, by position in the engine's order.
fn expected(snapshot: &Snapshot, round: &Round<'_>) -> Vec<Vec<(u16, BTreeSet<HardRule>)>> {
    let reference = Reference::new(snapshot);
    let find = |profile: &ProfileRef| {
        snapshot.participants.iter().find(|person| person.profile == *profile).expect("a participant")
    };
    let people: Vec<(&Participant, _)> = round
        .people
        .iter()
        .map(|person| find(person.profile))
        .map(|person| (person, reference.free(&person.content)))
        .collect();
    let judge = |mentee: u32, mentor: u32| {
        let (mentee, mentor) = (&people[mentee as usize], &people[mentor as usize]);
        reference.judge((mentee.0, &mentee.1), (mentor.0, &mentor.1))
    };
    let full = |mentee: u32, mentor: u32| {
        let (score, mut broken) = judge(mentee, mentor);
        let can_reverse = people[mentee as usize].0.content.mentor_offer.is_some()
            && people[mentor as usize].0.content.mentee_request.is_some();
        // Only STABLE fixes the direction of a pair before the solver runs.
        let is_fixed = snapshot.policy.objective == Objective::Stable;
        if broken.is_empty() && can_reverse && is_fixed && !snapshot.policy.rules.allow_mutual_mentoring {
            let (other_score, other_broken) = judge(mentor, mentee);
            let stage = |at: u32| people[at as usize].0.content.career_stage;
            let order =
                stage(mentor).zip(stage(mentee)).map_or(std::cmp::Ordering::Equal, |(a, b)| a.cmp(&b));
            let stays = order.then(score.cmp(&other_score)).then(mentee.cmp(&mentor)).is_gt();
            if other_broken.is_empty() && !stays {
                broken.insert(HardRule::Mutual);
            }
        }
        (score, broken)
    };
    let row = |mentee: &u32| round.mentors.iter().map(|mentor| full(*mentee, *mentor)).collect();
    round.mentees.iter().map(row).collect()
}

fn policies() -> impl Strategy<Value = Policy> {
    let weights = proptest::collection::vec((0..40_u16, 0..=10_000_u16), Criterion::ALL.len());
    let rules = (
        any::<[bool; 5]>(),
        0..7_usize,
        prop_oneof![Just(0_u16), Just(30), 1..200_u16],
        -2..=1_i8,
        1..=6_i8,
        0..3_usize,
        prop_oneof![Just(0_u16), 2_000..6_000_u16],
    );
    let objective = prop_oneof![2 => Just(Objective::BestTotal), 1 => Just(Objective::Fairest), 1 => Just(Objective::Stable)];
    (weights, rules, proptest::option::of(1..200_u16), objective).prop_map(
        |(weights, rules, waitlist_after_days, objective)| {
            let (allow, level, minutes, min_stage_gap, max_stage_gap, previous, min_score) = rules;
            let criteria = Criterion::ALL.into_iter().zip(weights);
            Policy {
                criteria: criteria
                    .map(|(criterion, (weight, neutral))| CriterionWeight {
                        criterion,
                        weight: weight.saturating_sub(8) + u16::from(criterion == Criterion::Goals),
                        neutral,
                    })
                    .collect(),
                rules: HardRules {
                    allow_same_employer: allow[0],
                    allow_same_competitor_group: allow[1],
                    allow_same_reporting_line: allow[2],
                    min_language_level: LanguageLevel::ALL[level],
                    min_weekly_overlap_minutes: minutes,
                    min_stage_gap,
                    max_stage_gap,
                    previous_partners: [
                        PreviousPartners::Forbid,
                        PreviousPartners::Discourage,
                        PreviousPartners::Prefer,
                    ][previous],
                    min_score,
                    allow_mutual_mentoring: allow[3],
                    require_cross_border_consent: allow[4],
                },
                waitlist_after_days,
                objective,
                ..Policy::default()
            }
        },
    )
}

/// The snapshot without private answers.
fn open_answers(snapshot: &Snapshot) -> Snapshot {
    let mut open = snapshot.clone();
    // A missing consent to matches across borders is private.
    open.policy.rules.require_cross_border_consent = false;
    for person in &mut open.participants {
        let consents = std::mem::take(&mut person.content.consents);
        person.content = Profile { consents, ..person.content.open_answers() };
    }
    open
}

fn rounds() -> impl Strategy<Value = Snapshot> {
    let shape = (0..12_usize, 0..9_usize, 0..9_usize, 0..40_usize, 0..30_usize, any::<u64>());
    (shape, policies()).prop_map(|((mentees, mentors, both, missing, unusual, seed), policy)| {
        let mut snapshot = Shape { mentees, mentors, both, missing, unusual, seed }.make();
        snapshot.policy = policy;
        let people = snapshot.participants.iter_mut().zip(0..);
        for (person, _) in people.filter(|(_, at)| at % 5 != 0) {
            let consents = &mut person.content.consents;
            consents.extend(
                consents
                    .first()
                    .cloned()
                    .map(|first| Consent { purpose: ConsentPurpose::CrossBorder, ..first }),
            );
        }
        snapshot
    })
}

/// Checks every pair alone, and all pairs in one dense pass, with every instruction level of this machine.
fn check_all_pairs(snapshot: &Snapshot) {
    let round = Round::encode(snapshot, &Unobserved).unwrap();
    let expected = expected(snapshot, &round);
    let (rows, columns) = (round.mentees.len(), round.mentors.len());
    for cpu in Cpu::levels() {
        let scores = Scores::new(&round, &Unobserved).unwrap().on(cpu);
        let mut tile = vec![0; rows * columns];
        PairScores::tile(&scores, 0..rows, 0..columns, &mut tile);
        let plane = |plane: Plane| {
            let mut tile = vec![0; rows * columns];
            scores.fill(0..rows, 0..columns, plane, &mut tile);
            tile
        };
        let (narrow, rules) = (plane(Plane::Scores), plane(Plane::Rules));
        for (mentee, expected) in expected.iter().enumerate() {
            for (mentor, (score, broken)) in expected.iter().enumerate() {
                let names =
                    format!("{} with {}, {cpu}", round.mentee(mentee).profile, round.mentor(mentor).profile);
                let verdict = scores.verdict(mentee, mentor);
                assert_eq!(verdict.broken().iter().collect::<BTreeSet<_>>(), *broken, "{names}");
                assert_eq!(verdict.score(), *score, "{names}");
                let at = mentee * columns + mentor;
                let in_tile = if broken.is_empty() { i32::from(*score) } else { FORBIDDEN };
                assert_eq!(tile[at], in_tile, "{names}");
                assert_eq!(narrow[at] >= 0, broken.is_empty(), "{names}");
                assert_eq!(rules[at], Plane::Rules.of(verdict), "{names}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_pair_is_judged_as_the_reference_judges_it(snapshot in rounds()) {
        check_all_pairs(&snapshot);
    }

    #[test]
    fn every_explanation_sums_to_the_score_and_names_every_broken_rule(snapshot in rounds()) {
        let round = Round::encode(&snapshot, &Unobserved).unwrap();
        let expected = expected(&snapshot, &round);
        for (mentee, row) in expected.iter().enumerate().take(4) {
            for (mentor, (score, broken)) in row.iter().enumerate() {
                let (mentee, mentor) = (round.mentee(mentee).profile, round.mentor(mentor).profile);
                let found = explain_pair(&snapshot, None, AnswersUsed::All, mentee, mentor).expect("both take part");
                prop_assert!(found.pair.score <= *score, "private points are withheld");
                // The two people alone are explained as within the whole round.
                let two = Snapshot {
                    participants: snapshot
                        .participants
                        .iter()
                        .filter(|person| [mentee, mentor].contains(&&person.profile))
                        .cloned()
                        .collect(),
                    organisations: snapshot
                        .organisations
                        .iter()
                        .filter(|(id, _)| [&mentee.organisation, &mentor.organisation].contains(&id))
                        .cloned()
                        .collect(),
                    ..snapshot.clone()
                };
                let first_days = round.calendar.first_days();
                let alone = explain_pair(&two, Some(first_days), AnswersUsed::All, mentee, mentor);
                prop_assert_eq!(alone.as_ref(), Some(&found));
                let rules: Vec<HardRule> = found.broken_rules.iter().map(|(rule, _)| *rule).collect();
                prop_assert_eq!(rules, broken.iter().copied().collect::<Vec<_>>());
                let points: u16 = found.pair.contributions.iter().map(|line| line.points).sum();
                prop_assert_eq!(points, found.pair.score);
                let most: u16 = found.pair.contributions.iter().map(|line| line.max_points).sum();
                prop_assert_eq!(most, 10_000);
                for line in &found.pair.contributions {
                    prop_assert!(line.criterion.is_none_or(|criterion| !criterion.is_private()));
                    let names: Vec<&str> = line.reason.parameters.iter().map(|(name, _)| name).collect();
                    let mut declared = line.reason.code.parameters().to_vec();
                    declared.sort_unstable();
                    prop_assert_eq!(names, declared);
                }
            }
        }
    }

    #[test]
    fn order_of_people_threads_and_cache_size_change_no_byte(snapshot in rounds(), turn in 0..20_usize) {
        let whole = solve(&snapshot, &Options { threads: Some(1), ..Options::default() }, &Unobserved).expect("not stopped");
        prop_assert!(whole.summary.proof.standing() != Standing::Unproved);
        let digests = whole.digests(&snapshot, &seals(&snapshot));
        let mut turned = snapshot.clone();
        turned.participants.reverse();
        if !turned.participants.is_empty() {
            let by = turn % turned.participants.len();
            turned.participants.rotate_left(by);
        }
        turned.organisations.reverse();
        for (threads, most_kept) in [(1, 0), (2, 0), (2, usize::MAX), (4, 100)] {
            let again = solve(&turned, &Options { threads: Some(threads), most_kept }, &Unobserved).expect("not stopped");
            prop_assert_eq!(&again.matches, &whole.matches);
            prop_assert_eq!(&again.unmatched, &whole.unmatched);
            // The input is another order of the same people, so that only the results are compared.
            prop_assert_eq!(&again.digests(&snapshot, &seals(&snapshot)), &digests);
        }
    }

    #[test]
    fn the_open_round_is_the_round_that_is_encoded_from_open_answers(snapshot in rounds()) {
        let round = Round::encode(&snapshot, &Unobserved).expect("not stopped");
        let open = round.open(&Unobserved).expect("not stopped");
        let encoded = Round::encode_where(&snapshot, AnswersUsed::Open, None, |_| true, &Unobserved);
        let encoded = encoded.expect("not stopped");
        prop_assert_eq!(format!("{:?}", &open.people), format!("{:?}", &encoded.people));
        prop_assert_eq!(format!("{:?}", &open.tied), format!("{:?}", &encoded.tied));
        prop_assert_eq!((&open.mentees, &open.mentors), (&encoded.mentees, &encoded.mentors));
        prop_assert_eq!(&open.left_out, &encoded.left_out);
    }

    #[test]
    fn a_person_is_erased_and_every_digest_stays_and_still_covers_the_others(snapshot in rounds(), who in 0..20_usize) {
        let outcome = solve(&snapshot, &Options::default(), &Unobserved).expect("not stopped");
        let seals = seals(&snapshot);
        let digests = outcome.digests(&snapshot, &seals);
        let input = snapshot.digest(&contents(&snapshot), &seals);
        if snapshot.participants.is_empty() {
            return Ok(());
        }
        let who = who % snapshot.participants.len();
        let (rest, rest_seals) = without(&snapshot, &seals, &outcome, who);
        prop_assert_eq!(rest.digest(&contents(&rest), &rest_seals), input.clone());
        let of_rest = |outcome: &Outcome| {
            let parts = ResultParts {
                matches: &outcome.matches,
                unmatched: &outcome.unmatched,
                unmatched_for_managers: &outcome.unmatched_for_managers,
                summary: &outcome.summary,
                summaries: &outcome.summaries,
                certificate: None,
            };
            digests_of(&parts, &rest, &rest_seals)
        };
        // What the result still says of her has no leaf.
        let name = &snapshot.participants[who].profile;
        let mut bent = outcome.clone();
        bent.unmatched.iter_mut().filter(|entry| entry.profile == *name).for_each(|entry| entry.details.clear());
        bent.matches.retain(|pair| pair.mentee != *name && pair.mentor != *name);
        prop_assert_eq!(&of_rest(&bent), &digests);
        // What it says of the others has one.
        if let Some(pair) = bent.matches.first_mut() {
            pair.score ^= 1;
            let found = of_rest(&bent);
            prop_assert!(found.open_result != digests.open_result && found.whole_result != digests.whole_result);
            prop_assert_eq!(&found.open_input, &digests.open_input);
        }
        if let Some(other) = (0..snapshot.participants.len()).find(|at| *at != who) {
            let mut changed = rest.clone();
            let at = other - usize::from(other > who);
            changed.participants[at].content.career_stage = changed.participants[at].content.career_stage.map_or(Some(1), |_| None);
            prop_assert_ne!(changed.digest(&contents(&changed), &rest_seals), input);
        }
    }

    #[test]
    fn nobody_is_lost_and_no_rule_is_broken(snapshot in rounds()) {
        let outcome = solve(&snapshot, &Options::default(), &Unobserved).expect("not stopped");
        let round = Round::encode(&snapshot, &Unobserved).unwrap();
        let expected = expected(&snapshot, &round);
        let position = |profile: &ProfileRef| {
            round.people.iter().find(|person| person.profile == profile).expect("a participant")
        };
        for pair in &outcome.matches {
            let mentee = position(&pair.mentee).mentee.expect("a mentee") as usize;
            let mentor = position(&pair.mentor).mentor.expect("a mentor") as usize;
            let (score, broken) = &expected[mentee][mentor];
            prop_assert!(broken.is_empty() && pair.score <= *score, "{pair:?}");
        }
        // What is shown is counted by open answers.
        let open = open_answers(&snapshot);
        let expected = self::expected(&open, &round);
        let summary = &outcome.summary;
        let whole = summary.whole_round.as_ref().expect("numbers for coordinators");
        prop_assert!(summary.proof.standing() != Standing::Unproved, "{:?}", summary.proof);
        let mutual = |pair: &Match| outcome.matches.iter().any(|other| other.mentee == pair.mentor && other.mentor == pair.mentee);
        prop_assert!(snapshot.policy.rules.allow_mutual_mentoring || !outcome.matches.iter().any(mutual));
        let of_side = |mentee: bool| {
            outcome.unmatched.iter().filter(|entry| entry.side == Some(if mentee { Side::Mentee } else { Side::Mentor })).count() as u64
        };
        prop_assert_eq!(summary.mentees, summary.matched_mentees + of_side(true));
        prop_assert_eq!(summary.mentors, summary.matched_mentors + of_side(false));
        let all = expected.iter().flatten();
        prop_assert_eq!(whole.candidates, all.clone().filter(|(_, broken)| broken.is_empty()).count() as u64);
        for rule in HardRule::ALL {
            let excluded = all.clone().filter(|(_, broken)| broken.contains(&rule)).count() as u64;
            prop_assert_eq!(whole.exclusions.get(&rule).copied().unwrap_or(0), excluded);
        }
        for entry in &outcome.unmatched {
            let Some(person) = round.people.iter().find(|person| *person.profile == entry.profile) else { continue };
            let Some(side) = entry.side else { continue };
            let counterparts: Vec<_> = match side {
                Side::Mentee => {
                    expected[person.mentee.expect("a mentee") as usize].iter().collect()
                }
                Side::Mentor => {
                    expected.iter().map(|row| &row[person.mentor.expect("a mentor") as usize]).collect()
                }
            };
            let others = counterparts.iter().filter(|(_, broken)| !broken.contains(&HardRule::SamePerson));
            prop_assert_eq!(entry.counterparts.exact().expect("exact") as usize, others.clone().count());
            let candidates = others.clone().filter(|(_, broken)| broken.is_empty());
            prop_assert_eq!(entry.candidates.exact().expect("exact") as usize, candidates.count());
            let private = [HardRule::Private, HardRule::PreviousPartner];
            prop_assert!(private.iter().all(|rule| !entry.exclusions.contains_key(rule)));
            for rule in HardRule::ALL {
                let excluded = others.clone().filter(|(_, broken)| broken.contains(&rule)).count();
                prop_assert_eq!(entry.exclusions.get(&rule).map_or(0, |n| n.exact().expect("exact")) as usize, excluded);
            }
        }
    }
}

/// Few people, most of them in both roles, where two people may not mentor each other. Half of the policies exclude few pairs.
fn pools_of_peers() -> impl Strategy<Value = Snapshot> {
    let shape = (0..2_usize, 0..2_usize, 2..6_usize, 0..40_usize, 0..30_usize, any::<u64>());
    let objective = prop_oneof![Just(Objective::BestTotal), Just(Objective::Fairest)];
    (shape, policies(), objective, any::<bool>()).prop_map(|(shape, policy, objective, is_open)| {
        let (mentees, mentors, both, missing, unusual, seed) = shape;
        let mut snapshot = Shape { mentees, mentors, both, missing, unusual, seed }.make();
        snapshot.policy = Policy { objective, ..policy };
        let rules = &mut snapshot.policy.rules;
        if is_open {
            *rules = HardRules { min_weekly_overlap_minutes: 0, min_stage_gap: -6, ..HardRules::default() };
        }
        rules.allow_mutual_mentoring = false;
        snapshot
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_manager_of_an_organisation_reads_no_bound_about_everyone(snapshot in pools_of_peers()) {
        let round = Round::encode(&snapshot, &Unobserved).expect("not stopped");
        let told = shown(&round, (&[], &Wishes::default()), Vec::new(), Proof::new(false, Some(1)), &Unobserved).expect("not stopped");
        prop_assert_eq!(told.summary.proof.standing(), Standing::Bounded { people: Some(1) });
        let bounded = Standing::Bounded { people: None };
        let own = told.summaries.values().all(|summary| summary.proof.standing() == bounded);
        prop_assert!(own && !told.summaries.is_empty());
    }

    #[test]
    fn no_result_of_a_pool_of_peers_is_better(snapshot in pools_of_peers()) {
        let outcome = solve(&snapshot, &Options::default(), &Unobserved).expect("not stopped");
        let round = Round::encode(&snapshot, &Unobserved).unwrap();
        let cell = |(score, broken): &(u16, BTreeSet<HardRule>)| if broken.is_empty() { i32::from(*score) } else { FORBIDDEN };
        let scores = expected(&snapshot, &round).iter().flatten().map(cell).collect();
        let case = Case { mentees: round.demands(), mentors: round.seats(), scores, coverage_first: true };
        let person = |pair: &(u32, u32)| (round.mentee(pair.0 as usize).profile, round.mentor(pair.1 as usize).profile);
        let value = |pairs: &[(u32, u32)]| {
            let people: BTreeSet<_> = pairs.iter().map(person).collect();
            let mutual = people.iter().any(|(mentee, mentor)| people.contains(&(*mentor, *mentee)));
            let mut value = case.value(pairs);
            if snapshot.policy.objective == Objective::Fairest {
                let worst = pairs.iter().map(|&(i, j)| i64::from(case.score(i as usize, j as usize))).min();
                value.insert(value.len() - 1, worst.unwrap_or(i64::MIN));
            }
            (!mutual).then_some(value)
        };
        let position = |profile: &ProfileRef| {
            round.people.iter().find(|person| person.profile == profile).expect("a participant")
        };
        let at = |pair: &Match| (position(&pair.mentee).mentee.expect("a mentee"), position(&pair.mentor).mentor.expect("a mentor"));
        let pairs: Vec<(u32, u32)> = outcome.matches.iter().map(at).collect();
        // So few people have few directions to choose: the limit of solves is not reached.
        prop_assert!(outcome.summary.proof.proved);
        prop_assert_eq!(value(&pairs), case.best_of_all(value));
        let stored = outcome.certificate;
        let read = serde_json::from_slice(&serde_json::to_vec(&stored).expect("is written")).expect("is read");
        let matches: Vec<_> = outcome.matches.iter().map(|pair| (pair.mentee.clone(), pair.mentor.clone())).collect();
        let verified = verify(&snapshot, &matches, &read, &Options::default(), &Unobserved).expect("not stopped");
        prop_assert_eq!(verified.standing(), Standing::Optimal);
        let Some((_, fewer)) = matches.split_first() else { return Ok(()) };
        let other = verify(&snapshot, fewer, &read, &Options::default(), &Unobserved).expect("not stopped");
        prop_assert_eq!(other.standing(), Standing::Unproved, "the stored values are of other pairs");
    }
}

proptest! {
    #[test]
    fn every_enrolment_ends_in_a_match_or_in_one_reason(mut snapshot in rounds(), roles in any::<[u64; 3]>(), at in any::<usize>()) {
        for (person, participant) in snapshot.participants.iter_mut().enumerate() {
            let has = |mask: u64| mask >> (person % 64) & 1 == 1;
            participant.content.mentee_request.take_if(|_| has(roles[0] & roles[1]));
            participant.content.mentor_offer.take_if(|_| has(roles[1] & roles[2]));
        }
        let outcome = solve(&snapshot, &Options::default(), &Unobserved).expect("not stopped");
        prop_assert!(outcome.summary.proof.proved);
        let matched = |person: &Participant, side: Side| outcome.matches.iter().any(|pair| {
            let profile = if side == Side::Mentee { &pair.mentee } else { &pair.mentor };
            *profile == person.profile
        });
        let reasons = |person: &Participant, side: Option<Side>| {
            outcome.unmatched.iter().filter(|entry| entry.profile == person.profile && entry.side == side).count()
        };
        for person in &snapshot.participants {
            let content = &person.content;
            let sides = [(content.open_request().is_some(), Side::Mentee), (content.open_offer().is_some(), Side::Mentor)];
            for (takes_part, side) in sides {
                let ends = usize::from(matched(person, side)) + reasons(person, Some(side));
                prop_assert_eq!(ends, usize::from(takes_part));
            }
            prop_assert_eq!(reasons(person, None), usize::from(sides.iter().all(|(takes_part, _)| !takes_part)));
        }
        let adds_up = |matches: &[_], unmatched: &[_]| headcount::adds_up(&snapshot, matches, unmatched, &Unobserved);
        prop_assert_eq!(adds_up(&outcome.matches, &outcome.unmatched), Ok(true));
        if let Some(lost) = at.checked_rem(outcome.unmatched.len()) {
            let mut fewer = outcome.unmatched.clone();
            let twice = fewer.remove(lost);
            prop_assert_eq!(adds_up(&outcome.matches, &fewer), Ok(false), "an entry is missing");
            fewer.extend([twice.clone(), twice]);
            prop_assert_eq!(adds_up(&outcome.matches, &fewer), Ok(false), "an entry is there twice");
        }
        if !outcome.matches.is_empty() {
            let lost = at % outcome.matches.len();
            let mut fewer = outcome.matches.clone();
            let pair = fewer.remove(lost);
            let is_lost = fewer.iter().all(|other| other.mentee != pair.mentee)
                || fewer.iter().all(|other| other.mentor != pair.mentor);
            prop_assert!(!is_lost || adds_up(&fewer, &outcome.unmatched) == Ok(false), "a match is missing");
        }
    }
}

#[test]
fn all_lookup_methods_agree_in_a_large_round() {
    let mut snapshot = Shape { mentees: 3, mentors: 5_997, both: 3, missing: 3, unusual: 8, seed: 7 }.make();
    snapshot.policy.rules.min_score = 3_000;
    let mentors = Round::encode(&snapshot, &Unobserved).unwrap().mentors.len();
    check_that_methods_agree(&snapshot, &[0..mentors, 1..80, 4_000..4_100, mentors - 10..mentors, 77..77]);
}

#[test]
fn more_than_256_organisations_keep_their_own_rules() {
    let mut snapshot =
        Shape { mentees: 60, mentors: 39_940, both: 0, missing: 3, unusual: 12, seed: 8 }.make();
    snapshot.policy.rules.allow_same_employer = true;
    let round = Round::encode(&snapshot, &Unobserved).unwrap();
    let named: HashSet<u32> = round
        .people
        .iter()
        .filter(|person| person.mentor.is_some())
        .filter_map(|person| person.organisation)
        .collect();
    assert!(named.len() > 256, "{} organisations", named.len());
    let of_mentees = round.mentees.iter().filter_map(|at| round.people[*at as usize].organisation);
    let is_closed = |id: &u32| round.organisations.is_closed(Some(*id));
    let (closed, open): (Vec<u32>, Vec<u32>) = of_mentees.partition(is_closed);
    assert!(!closed.is_empty() && !open.is_empty(), "{closed:?} {open:?}");
    check_that_methods_agree(&snapshot, &[0..round.mentors.len(), 20_000..20_100]);
}

/// Asserts that the dense pass agrees with the verdicts of single pairs, over ranges of mentors and on every plane.
fn check_that_methods_agree(snapshot: &Snapshot, ranges: &[Range<usize>]) {
    let round = Round::encode(snapshot, &Unobserved).unwrap();
    for cpu in Cpu::levels() {
        let scores = Scores::new(&round, &Unobserved).unwrap().on(cpu);
        let ways = scores.ways_of_looking_up();
        assert!(ways.into_iter().all(|tables| tables > 0), "some way is not tried: {ways:?}");
        for mentee in 0..round.mentees.len() {
            for columns in ranges {
                for plane in [Plane::Scores, Plane::Rules] {
                    let mut row = vec![0; columns.len()];
                    scores.fill(mentee..mentee + 1, columns.clone(), plane, &mut row);
                    let single = columns.clone().map(|mentor| plane.of(scores.verdict(mentee, mentor)));
                    for (at, (row, single)) in row.into_iter().zip(single).enumerate() {
                        let agree = row == single || plane == Plane::Scores && row < 0 && single < 0;
                        assert!(
                            agree,
                            "dense {row} and single {single} on row {mentee}, {at} of {columns:?}, {cpu}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_hundred_mentors_are_judged_as_the_reference_judges_them() {
    for seed in 1..4 {
        check_all_pairs(&Shape { mentees: 6, mentors: 90, both: 10, missing: 10, unusual: 10, seed }.make());
    }
}
