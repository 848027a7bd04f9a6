//! FAIREST and STABLE against exhaustive search, and the certifier against falsified proofs.

use proptest::prelude::*;

use super::stories::{mentee, mentor, round, run, whole, with};
use crate::domain::language::LanguageLevel;
use crate::domain::policy::Objective;
use crate::domain::profile::{Language, Profile};
use crate::domain::vocabulary::Terms;
use crate::engine::assign::tests::case::{Case, case, score};
use crate::engine::certificate::Certificate;
use crate::engine::certify::{Stability, stability};
use crate::engine::objective::{check, solve};
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::{FORBIDDEN, PairScores};
use crate::engine::problem::Problem;
use crate::engine::solution::{Evidence, Solution};
use crate::engine::stable::{PreferenceLists, stable};

/// Solves a case with dense and with sparse scores. Asserts that both assignments have the same value, and checks both
/// proofs.
fn solved(case: &Case, objective: Objective) -> Solution {
    let problem = case.problem();
    let solution = solve(&problem, objective, None, &Unobserved).unwrap();
    let checked = check(&problem, &solution.pairs, &solution.evidence, None, &Unobserved).unwrap();
    assert!(checked.proved, "{checked:?} {solution:?}");

    let matrix = case.matrix();
    let narrow = Problem { scores: &matrix, ..problem };
    assert_eq!(solve(&narrow, objective, None, &Unobserved).unwrap(), solution);
    assert_eq!(check(&narrow, &solution.pairs, &solution.evidence, None, &Unobserved).unwrap(), checked);

    let list = case.sparse_scores();
    let problem = Problem { scores: &list, ..problem };
    let from_list = solve(&problem, objective, None, &Unobserved).unwrap();
    let checked = check(&problem, &from_list.pairs, &from_list.evidence, None, &Unobserved).unwrap();
    assert!(checked.proved, "{checked:?} {from_list:?}");
    let (one, other) = (from_list.objective_value(&problem), solution.objective_value(&problem));
    if matches!(objective, Objective::BestTotal) {
        // Two best assignments may differ in everything else. Their proofs show that both are best.
        assert_eq!(one.score, other.score);
    } else {
        assert_eq!(one, other);
    }
    assert_eq!(from_list.price_of_fairness(), solution.price_of_fairness());
    solution
}

/// Number of blocking pairs by a check of each pair. `hers` has the scores of the mentees, `theirs` those of the mentors.
fn blocking(hers: &Case, theirs: &Case, pairs: &[(u32, u32)]) -> u64 {
    let worst = |scores: Vec<i32>, most: usize| {
        if scores.len() < most { FORBIDDEN } else { scores.into_iter().min().unwrap_or(i32::MAX) }
    };
    let of = |pair: &(u32, u32)| (pair.0 as usize, pair.1 as usize);
    let mut blocking = 0;
    for i in 0..hers.mentees.len() {
        for j in 0..hers.mentors.len() {
            let mine = pairs.iter().map(of).filter(|pair| pair.0 == i);
            let mine = mine.map(|pair| hers.score(i, pair.1)).collect();
            let held = pairs.iter().map(of).filter(|pair| pair.1 == j);
            let held = held.map(|pair| theirs.score(pair.0, j)).collect();
            let is_candidate = hers.score(i, j) != FORBIDDEN;
            let gains = hers.score(i, j) > worst(mine, usize::from(hers.mentees[i].wanted))
                && theirs.score(i, j) > worst(held, hers.mentors[j].max as usize);
            blocking += u64::from(is_candidate && gains && !pairs.iter().any(|pair| of(pair) == (i, j)));
        }
    }
    blocking
}

/// Value of an assignment for FAIREST: people, then the worst pair, then the total.
fn fairness(case: &Case, pairs: &[(u32, u32)]) -> Vec<i64> {
    let case = Case { coverage_first: true, ..case.clone() };
    let mut value = case.value(pairs);
    let worst = pairs.iter().map(|&(i, j)| i64::from(case.score(i as usize, j as usize))).min();
    value.insert(value.len() - 1, worst.unwrap_or(i64::MIN));
    value
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_assignment_is_fairer(case in case(0..6, 0..5, score())) {
        let fairest = solved(&case, Objective::Fairest);
        prop_assert_eq!(fairness(&case, &fairest.pairs), case.best_of_all(|pairs| fairness(&case, pairs)));
        let frontier: Vec<(i32, i64)> = fairest.frontier.iter().map(|point| (point.worst, point.total)).collect();
        for two in frontier.windows(2) {
            prop_assert!(two[0].0 < two[1].0 && two[0].1 > two[1].1, "{:?}", frontier);
        }
    }

    #[test]
    fn larger_cases_are_proved_fairest(case in case(0..25, 0..20, score())) {
        solved(&case, Objective::Fairest);
    }

    #[test]
    fn blocking_pairs_are_counted_for_any_assignment(case in case(1..8, 1..7, 0..5_i32), keep in any::<u64>()) {
        let best = solved(&case, Objective::BestTotal);
        let mut bit = 0;
        let pairs: Vec<(u32, u32)> =
            best.pairs.into_iter().filter(|_| { bit += 1; keep >> bit & 1 == 1 }).collect();
        for scores in [case.problem().scores, &case.sparse_scores(), &case.matrix()] {
            let counted = stability(&case.problem(), scores, None, &pairs, &Unobserved).unwrap();
            prop_assert_eq!(counted.blocking_pairs, blocking(&case, &case, &pairs));
        }
    }

    #[test]
    fn each_side_has_its_own_scores(
        few in case(1..8, 1..7, 0..5_i32),
        many in case(1..8, 60..150, 0..5_i32),
        keep in any::<u64>(),
    ) {
        for hers in [few, many] {
            let turned = hers.scores.iter().zip(1..).map(|(&score, at)| match score {
                FORBIDDEN => FORBIDDEN,
                score => (7 * score + at) % 5,
            });
            let theirs = Case { scores: turned.collect(), ..hers.clone() };
            let candidates = hers.scores.iter().filter(|score| **score != FORBIDDEN).count() as u64;
            let (list, list_of_theirs) = (hers.sparse_scores(), theirs.sparse_scores());
            let (matrix, matrix_of_theirs) = (hers.matrix(), theirs.matrix());
            let sources: [(&dyn PairScores, &dyn PairScores); 4] =
                [(&hers, &theirs), (&matrix, &matrix_of_theirs), (&matrix, &theirs), (&list, &list_of_theirs)];
            for (mentees, mentors) in sources {
                let preferences = PreferenceLists { mentees, mentors: Some(mentors) };
                let mut pairs = stable(&hers.problem(), preferences, &Unobserved).unwrap().pairs;
                let count = |pairs: &[(u32, u32)]| {
                    stability(&hers.problem(), mentees, Some(mentors), pairs, &Unobserved).unwrap()
                };
                prop_assert_eq!(count(&pairs), Stability { candidates, blocking_pairs: 0 });
                let mut bit = 0;
                pairs.retain(|_| { bit += 1; keep >> (bit % 64) & 1 == 1 });
                prop_assert_eq!(count(&pairs).blocking_pairs, blocking(&hers, &theirs, &pairs));
            }
        }
    }

    #[test]
    fn a_falsified_proof_never_proves_a_wrong_statement(case in case(1..7, 1..6, 0..50_i32), field in any::<usize>(), by in 1..1_000_i128) {
        for objective in Objective::ALL {
            let Solution { pairs, evidence, .. } = solved(&case, objective);
            for falsified in falsify(&evidence, field, by) {
                let checked = check(&case.problem(), &pairs, &falsified, None, &Unobserved).unwrap();
                prop_assert!(!checked.proved || is_right(&case, &falsified, &pairs), "{:?} {:?}", falsified, checked);
            }
            for left_out in 0..pairs.len() {
                let mut fewer = pairs.clone();
                fewer.remove(left_out);
                let checked = check(&case.problem(), &fewer, &evidence, None, &Unobserved).unwrap();
                prop_assert!(!checked.proved || is_right(&case, &evidence, &fewer), "{:?}", checked);
            }
        }
    }
}

/// The evidence with one number changed, in each of its certificates and in the floor.
fn falsify(evidence: &Evidence, field: usize, by: i128) -> Vec<Evidence> {
    match evidence {
        // These cases have no directions to choose; `directions::tests` bends such evidence.
        Evidence::Stable
        | Evidence::Branches(_)
        | Evidence::FairBranches(_)
        | Evidence::Bounded(_)
        | Evidence::Limited(_) => Vec::new(),
        Evidence::BestTotal(certificate) => {
            vec![Evidence::BestTotal(with_one_change(certificate, field, by))]
        }
        Evidence::Fairest(fairness) => {
            let mut falsified = vec![fairness.clone(); 5];
            falsified[0].total = with_one_change(&fairness.total, field, by);
            falsified[1].coverage = with_one_change(&fairness.coverage, field, by);
            falsified[2].above = with_one_change(&fairness.above, field, by);
            falsified[3].floor = fairness.floor.saturating_add(i32::try_from(by).unwrap());
            falsified[4].floor = fairness.floor.saturating_sub(i32::try_from(by).unwrap());
            falsified.into_iter().map(Evidence::Fairest).collect()
        }
    }
}

/// The certificate with one number changed.
fn with_one_change(certificate: &Certificate, field: usize, by: i128) -> Certificate {
    let mut changed = certificate.clone();
    let tiers = changed.tiers.iter_mut().map(|tier| &mut tier.weight);
    let others = [&mut changed.minimum, &mut changed.second];
    let prices = changed.mentee_prices.iter_mut().chain(&mut changed.mentor_prices);
    let mut fields: Vec<&mut i128> = tiers.chain(others).chain(prices).collect();
    let at = field % fields.len();
    *fields[at] += if field.is_multiple_of(2) { by } else { -by };
    changed
}

/// Whether the evidence is right. A changed number may leave a valid proof, because prices and weights are not unique, but
/// it must never prove a wrong statement.
fn is_right(case: &Case, evidence: &Evidence, pairs: &[(u32, u32)]) -> bool {
    match evidence {
        Evidence::BestTotal(_) => case.value(pairs) == case.brute_force(),
        Evidence::Fairest(fairness) => {
            let worst = pairs.iter().map(|&(i, j)| case.score(i as usize, j as usize)).min();
            let met = worst.is_none_or(|worst| worst >= fairness.floor);
            met && self::fairness(case, pairs) == case.best_of_all(|pairs| self::fairness(case, pairs))
        }
        Evidence::Stable => blocking(case, case, pairs) == 0,
        Evidence::Branches(_) | Evidence::FairBranches(_) | Evidence::Bounded(_) | Evidence::Limited(_) => {
            false
        }
    }
}

/// A stable round leaves a mentee without a mentor whom another objective would match.
#[test]
fn a_stable_round_says_how_many_mentees_could_be_matched_at_most() {
    let speaks = |tag: &str| Language { tag: tag.to_owned(), level: LanguageLevel::Native };
    let geologist = |profile: &mut Profile| profile.functions = Terms::from_bits(1);
    let french = |profile: &mut Profile| profile.languages = vec![speaks("fr")];
    let bilingual = |profile: &mut Profile| {
        geologist(profile);
        profile.languages.push(speaks("fr"));
    };
    let people = || {
        vec![
            with(mentee("a"), geologist),
            with(mentee("b"), french),
            with(mentor("x"), bilingual),
            mentor("y"),
        ]
    };
    let of = |objective, people| {
        let mut snapshot = round(people);
        snapshot.policy.objective = objective;
        let outcome = run(&snapshot);
        (outcome.summary.matched_mentees, whole(&outcome).most_matched_mentees, outcome)
    };
    let (matched, most, outcome) = of(Objective::Stable, people());
    assert_eq!((matched, most), (1, Some(2)), "{:?}", outcome.matches);
    assert!(outcome.summaries.values().all(|own| own.whole_round.is_none()));
    // A private answer does not move the bound.
    let mut private = people();
    private[0].content.avoided = vec![private[3].profile.clone()];
    assert_eq!(of(Objective::Stable, private).1, Some(2));
    for objective in [Objective::BestTotal, Objective::Fairest] {
        assert_eq!(of(objective, people()).1, None);
    }
}
