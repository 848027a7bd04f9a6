use proptest::prelude::*;

use super::*;
use crate::engine::assign::assign;
use crate::engine::assign::tests::case::{Case, case, score};
use crate::engine::certify::certify;
use crate::engine::decisions::{Decisions, ReducedProblem};
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::FORBIDDEN;
use crate::engine::problem::{Demand, Seats};

/// A cost level by level, in the order of [`Case::value`].
fn levels(case: &Case, cost: &Cost) -> Vec<i64> {
    let mut tiers: Vec<u8> = case.mentees.iter().map(|demand| demand.tier).collect();
    tiers.sort_unstable();
    tiers.dedup();
    let lost = |tier| cost.tiers.iter().find(|entry| entry.0 == tier).map_or(0, |entry| entry.1);
    if case.coverage_first {
        tiers.into_iter().map(lost).chain([cost.minimum, cost.second, cost.score]).collect()
    } else {
        assert!(cost.tiers.is_empty() && cost.second == 0);
        vec![cost.minimum, cost.score]
    }
}

fn less(one: &[i64], other: &[i64]) -> Vec<i64> {
    one.iter().zip(other).map(|(a, b)| a - b).collect()
}

/// Asks for every pair one by one and for everybody at once, and compares with a new solve under a pin.
fn check(case: &Case, problem: &Problem<'_>) {
    let best = assign(problem, &Unobserved).unwrap();
    let what_if = WhatIf::new(problem, &best.pairs, &best.certificate, &Unobserved).unwrap();
    let mut all = Vec::new();
    for (mentee, i) in (0..case.mentees.len()).zip(0_u32..) {
        for (mentor, j) in (0..case.mentors.len()).zip(0_u32..) {
            let alternate = what_if.force(i, j, &Unobserved).unwrap();
            let decided =
                ReducedProblem::new(problem, &Decisions { pins: vec![(i, j)], vetoes: vec![] }, &Unobserved);
            assert_eq!(alternate.is_some(), decided.is_ok(), "({mentee}, {mentor})");
            let (Some(alternate), Ok(decided)) = (alternate, decided) else { continue };
            let forced = assign(&decided.problem(), &Unobserved).unwrap();
            let now = case.value(&best.pairs);
            assert_eq!(
                levels(case, &alternate.cost),
                less(&now, &case.value(&decided.with_pins(&forced.pairs))),
                "({mentee}, {mentor}) {alternate:?} {best:?}"
            );
            let mut pairs = best.pairs.clone();
            pairs.retain(|pair| !alternate.removed.contains(pair));
            pairs.extend(&alternate.added);
            let verdict = certify(problem, &pairs, &best.certificate, &Unobserved).unwrap();
            assert_eq!(verdict.feasible, Ok(()));
            assert_eq!(verdict.primal + alternate.cost.weighted, verdict.dual);
            if best.pairs.contains(&(i, j)) {
                assert_eq!(alternate.cost, Cost::default());
            } else {
                all.push(alternate);
            }
        }
    }
    let costs = |found: &[Alternate]| found.iter().map(|one| one.cost.weighted).collect::<Vec<i128>>();
    let of = |chosen: &dyn Fn(&Alternate) -> bool| {
        let mut chosen: Vec<Alternate> = all.iter().filter(|&one| chosen(one)).cloned().collect();
        chosen.sort_by_key(|one| one.cost.weighted);
        chosen
    };
    let found_are =
        |found: &dyn Fn(usize) -> Vec<Alternate>, expected: &[Alternate]| {
            for most in [0, 1, 2, usize::MAX] {
                let found = found(most);
                assert_eq!(costs(&found), costs(&expected[..expected.len().min(most)]));
                for one in found {
                    assert!(
                        expected.iter().any(|two| (two.mentee, two.mentor) == (one.mentee, one.mentor)
                            && two.cost == one.cost)
                    );
                }
            }
        };
    // With the lists of nearest arcs, of which a test keeps few, the answers are the same.
    let near = what_if.near_arcs(&Unobserved).unwrap();
    let listing = WhatIf::new(problem, &best.pairs, &best.certificate, &Unobserved).unwrap();
    let listing = listing.with_near_arcs(&near);
    for i in 0..u32::try_from(case.mentees.len()).unwrap() {
        let found = |most| {
            let found = what_if.alternates_of_mentee(i, most, &Unobserved).unwrap();
            assert_eq!(listing.alternates_of_mentee(i, most, &Unobserved).unwrap(), found);
            found
        };
        found_are(&found, &of(&|one| one.mentee == i));
    }
    for j in 0..u32::try_from(case.mentors.len()).unwrap() {
        let found = |most| {
            let found = what_if.alternates_of_mentor(j, most, &Unobserved).unwrap();
            assert_eq!(listing.alternates_of_mentor(j, most, &Unobserved).unwrap(), found);
            found
        };
        found_are(&found, &of(&|one| one.mentor == j));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(700))]

    #[test]
    fn the_cost_of_a_pair_is_what_a_new_solve_with_its_pin_loses(
        small in case(0..6, 0..5, score()),
        tied in case(4..9, 1..5, 0..3_i32),
    ) {
        for case in [small, tied] {
            check(&case, &case.problem());
            let listed = case.sparse_scores();
            check(&case, &Problem { scores: &listed, ..case.problem() });
        }
    }

    #[test]
    fn a_problem_with_pins_can_be_asked_as_well(case in case(2..7, 2..5, score()), pin in (0..2_u32, 0..2_u32)) {
        let decisions = |pin| Decisions { pins: vec![pin], vetoes: vec![] };
        let problem = case.problem();
        let Ok(decided) = ReducedProblem::new(&problem, &decisions(pin), &Unobserved) else { return Ok(()) };
        let rest = decided.problem();
        let best = assign(&rest, &Unobserved).unwrap();
        let worth = |pairs: &[(u32, u32)]| certify(&rest, pairs, &best.certificate, &Unobserved).unwrap().primal;
        let what_if = WhatIf::new(&rest, &best.pairs, &best.certificate, &Unobserved).unwrap();
        for (i, j) in (0..rest.mentees.len()).zip(0..).flat_map(|(_, i)| (0..2).map(move |j| (i, j))) {
            let forced = ReducedProblem::new(&rest, &decisions((i, j)), &Unobserved);
            let alternate = what_if.force(i, j, &Unobserved).unwrap();
            prop_assert_eq!(alternate.is_some(), forced.is_ok());
            let (Some(alternate), Ok(forced)) = (alternate, forced) else { continue };
            let again = assign(&forced.problem(), &Unobserved).unwrap();
            let lost = worth(&best.pairs) - worth(&forced.with_pins(&again.pairs));
            prop_assert_eq!(alternate.cost.weighted, lost);
        }
    }
}

/// Two mentees want the one seat of mentor 0; mentor 1 has one seat too.
fn rivals() -> Case {
    Case {
        coverage_first: true,
        mentees: vec![Demand { tier: 0, wanted: 1, pinned: 0 }, Demand { tier: 1, wanted: 1, pinned: 0 }],
        mentors: vec![Seats { min: 0, max: 1 }, Seats { min: 0, max: 1 }],
        scores: vec![9, 4, 8, FORBIDDEN],
    }
}

#[test]
fn a_cost_is_told_apart_into_people_and_points() {
    let case = rivals();
    let best = assign(&case.problem(), &Unobserved).unwrap();
    assert_eq!(best.pairs, [(0, 1), (1, 0)]);
    let what_if = WhatIf::new(&case.problem(), &best.pairs, &best.certificate, &Unobserved).unwrap();
    let forced = what_if.force(0, 0, &Unobserved).unwrap().unwrap();
    assert_eq!((forced.added, forced.removed), (vec![(0, 0)], vec![(0, 1), (1, 0)]));
    assert_eq!((forced.cost.tiers, forced.cost.score), (vec![(1, 1)], 4 + 8 - 9));
    assert_eq!(what_if.force(1, 1, &Unobserved), Ok(None));
    assert_eq!(what_if.force(2, 0, &Unobserved), Ok(None));
}

#[test]
fn what_is_not_proved_is_not_asked() {
    let case = rivals();
    let best = assign(&case.problem(), &Unobserved).unwrap();
    let refused =
        |pairs: &[(u32, u32)]| WhatIf::new(&case.problem(), pairs, &best.certificate, &Unobserved).is_err();
    assert!(refused(&[(0, 1)]) && refused(&[(0, 2)]) && refused(&[(1, 1)]) && refused(&[(0, 0), (0, 1)]));
    let mut other = best.certificate.clone();
    other.mentor_prices.pop();
    assert!(WhatIf::new(&case.problem(), &best.pairs, &other, &Unobserved).is_err());
}
