use proptest::prelude::*;

use super::*;
use crate::engine::assign::tests::case::{Case, case, score};
use crate::engine::groups::{Forest, Group};
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::FORBIDDEN;
use crate::engine::problem::{Demand, Seats};
use crate::engine::quota::tests::{keeps, quoted};

/// What the best assignment that keeps all constraints is worth, by trying everything.
fn brute_force<V: Ord>(
    case: &Case,
    constraints: &Constraints,
    value: impl Fn(&[(u32, u32)]) -> V,
) -> Option<V> {
    let Constraints { decisions, quotas } = constraints;
    let mut best = None;
    case.each(|pairs| {
        let decided = decisions.pins.iter().all(|pin| pairs.contains(pin))
            && !decisions.vetoes.iter().any(|veto| pairs.contains(veto));
        if decided && keeps(quotas, pairs) {
            best = best.take().max(Some(value(pairs)));
        }
    });
    best
}

/// Solves for the greatest total as a matrix and as a list, and checks whatever comes out.
fn best_value(case: &Case, constraints: &Constraints) -> Option<Vec<i64>> {
    let list = case.sparse_scores();
    let values = [case.problem(), Problem { scores: &list, ..case.problem() }].map(|problem| {
        let constrained = Constrained::new(problem, constraints, Objective::BestTotal, &Unobserved).unwrap();
        match constrained.solve(None, &Unobserved) {
            Ok(Proved { solution, check, .. }) => {
                assert!(check.proved, "{check:?} {solution:?}");
                Some(case.value(&solution.pairs))
            }
            Err(Unsolved::Impossible(Impossible { shortage, .. })) => {
                assert!(shortage.proved(), "{shortage:?}");
                None
            }
            Err(unsolved) => panic!("{unsolved:?}"),
        }
    });
    assert_eq!(values[0], values[1]);
    values[0].clone()
}

fn decisions(people: u32, most: usize) -> impl Strategy<Value = Decisions> {
    let pairs = |most| proptest::collection::vec((0..people, 0..people), 0..=most);
    (pairs(most), pairs(3)).prop_map(|(pins, vetoes)| Decisions { pins, vetoes })
}

/// Those of the decisions that can be kept, one after the other.
fn kept_of(case: &Case, decisions: Decisions) -> Decisions {
    let problem = case.problem();
    let mut kept = Decisions::default();
    for veto in decisions.vetoes {
        let more = Decisions { vetoes: [kept.vetoes.as_slice(), &[veto]].concat(), ..kept.clone() };
        kept = if more.conflicts(&problem, &Unobserved).unwrap().is_empty() { more } else { kept };
    }
    for pin in decisions.pins {
        let more = Decisions { pins: [kept.pins.as_slice(), &[pin]].concat(), ..kept.clone() };
        kept = if more.conflicts(&problem, &Unobserved).unwrap().is_empty() { more } else { kept };
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn nothing_that_keeps_all_constraints_beats_the_assignment(
        (case, quotas) in quoted(case(0..6, 0..5, score()), 5),
        decisions in decisions(5, 3),
    ) {
        let constraints = Constraints { decisions: kept_of(&case, decisions), quotas };
        let best = brute_force(&case, &constraints, |pairs| case.value(pairs));
        let solvable = constraints.conflicts(&case.problem(), &Unobserved).unwrap().is_empty();
        prop_assert_eq!(if solvable { best_value(&case, &constraints) } else { None }, best);
    }

    #[test]
    fn the_pairs_that_are_free_are_the_fairest_beside_the_pins(
        case in case(0..6, 0..5, score()),
        decisions in decisions(5, 2),
    ) {
        let case = Case { coverage_first: true, ..case };
        let constraints = Constraints { decisions: kept_of(&case, decisions), quotas: Quotas::default() };
        let pins = &constraints.decisions.pins;
        let worth = |pairs: &[(u32, u32)]| {
            let mut value = case.value(pairs);
            let free = pairs.iter().filter(|pair| !pins.contains(pair));
            let worst = free.map(|&(i, j)| i64::from(case.score(i as usize, j as usize))).min();
            value.insert(value.len() - 1, worst.unwrap_or(i64::MAX));
            value
        };
        let constrained = Constrained::new(case.problem(), &constraints, Objective::Fairest, &Unobserved).unwrap();
        let Proved { solution, check, objective_value, .. } = constrained.solve(None, &Unobserved).unwrap();
        prop_assert!(check.proved, "{check:?} {solution:?}");
        prop_assert_eq!(Some(worth(&solution.pairs)), brute_force(&case, &constraints, worth));
        prop_assert_eq!(solution.frontier.last().map(|step| step.total), Some(objective_value.score));
    }

    #[test]
    fn no_candidate_blocks_a_stable_assignment_but_for_the_vetoed(
        case in case(0..8, 0..8, score()),
        decisions in decisions(8, 0),
    ) {
        let constraints = Constraints { decisions: kept_of(&case, decisions), quotas: Quotas::default() };
        let constrained = Constrained::new(case.problem(), &constraints, Objective::Stable, &Unobserved).unwrap();
        let Proved { solution, check, .. } = constrained.solve(None, &Unobserved).unwrap();
        prop_assert!(check.proved, "{check:?} {solution:?}");
        prop_assert!(!constraints.decisions.vetoes.iter().any(|veto| solution.pairs.contains(veto)));
    }
}

/// Four mentees, two of them in a group that has a floor, and two mentors with two seats each, one of them in a group with
/// a ceiling.
fn four() -> (Case, Constraints) {
    let case = Case {
        coverage_first: true,
        mentees: vec![Demand { tier: 0, wanted: 1, pinned: 0 }; 4],
        mentors: vec![Seats { min: 0, max: 2 }; 2],
        scores: vec![9, 8, 9, 7, 9, 6, 1, 2],
    };
    let group = |floor, ceiling| Group { parent: None, floor, ceiling };
    let quotas = Quotas {
        mentees: Forest::new(vec![group(2, 4)], vec![None, None, Some(0), Some(0)]).unwrap(),
        mentors: Forest::new(vec![group(0, 1)], vec![Some(0), None]).unwrap(),
    };
    let decisions = Decisions { pins: vec![(0, 1)], vetoes: vec![(2, 0)] };
    (case, Constraints { decisions, quotas })
}

#[test]
fn every_broken_constraint_is_named_and_no_bent_price_is_believed() {
    let (case, constraints) = four();
    let constrained =
        Constrained::new(case.problem(), &constraints, Objective::BestTotal, &Unobserved).unwrap();
    let found = constrained.solve(None, &Unobserved).unwrap();
    assert!(found.check.proved, "{found:?}");
    assert_eq!(found.solution.pairs, [(0, 1), (2, 1), (3, 0)]);
    let evidence = &found.solution.evidence;
    let broken = |pairs: &[(u32, u32)]| {
        let check = constrained.check(pairs, evidence, &Unobserved).unwrap();
        assert!(!check.proved, "{pairs:?}");
        check.feasible
    };
    assert_eq!(broken(&[(2, 1), (3, 0)]), Err(Infeasible::PinMissing { mentee: 0, mentor: 1 }));
    assert_eq!(broken(&[(0, 1), (2, 0), (3, 1)]), Err(Infeasible::Vetoed { mentee: 2, mentor: 0 }));
    assert_eq!(
        broken(&[(0, 1), (0, 1), (2, 1), (3, 0)]),
        Err(Infeasible::UsedTwice { mentee: 0, mentor: 1 })
    );
    let out = |side, has, floor, ceiling| Err(Infeasible::OutOfQuota { side, group: 0, has, floor, ceiling });
    assert_eq!(broken(&[(0, 1), (1, 0), (2, 1)]), out(GroupSide::Mentees, 1, 2, 4));
    assert_eq!(broken(&[(0, 1), (1, 0), (2, 1), (3, 0)]), out(GroupSide::Mentors, 2, 0, 1));

    let Evidence::BestTotal(certificate) = evidence else { panic!("{evidence:?}") };
    for by in [-1, 1] {
        // Lower, the price of a group all of whose places its floor asks for says the same.
        for bend in i32::from(by < 0)..4 {
            let mut bent = certificate.clone();
            let price = match bend {
                0 => &mut bent.mentee_group_prices[0],
                1 => &mut bent.mentor_group_prices[0],
                2 => &mut bent.mentee_prices[2],
                _ => &mut bent.mentor_prices[1],
            };
            *price += by * 1_000_000_000;
            let check =
                constrained.check(&found.solution.pairs, &Evidence::BestTotal(bent), &Unobserved).unwrap();
            assert!(!check.proved, "{bend} by {by}");
        }
    }
    let stable = constrained.check(&found.solution.pairs, &Evidence::Stable, &Unobserved).unwrap();
    assert!(!stable.proved, "another objective's proof");
}

#[test]
fn what_does_not_go_together_is_refused_before_anything_is_solved() {
    let (case, constraints) = four();
    let refused = |constraints: &Constraints, objective| match Constrained::new(
        case.problem(),
        constraints,
        objective,
        &Unobserved,
    ) {
        Err(ConstraintError::Conflicts(conflicts)) => conflicts,
        Err(error) => panic!("{error}"),
        Ok(_) => Vec::new(),
    };
    assert_eq!(
        refused(&constraints, Objective::Stable),
        [Conflict::Pins(Objective::Stable), Conflict::Quotas(Objective::Stable)]
    );
    assert_eq!(refused(&constraints, Objective::Fairest), [Conflict::Quotas(Objective::Fairest)]);
    let twice = Decisions { pins: vec![(0, 0), (0, 0)], vetoes: Vec::new() };
    let twice = Constraints { decisions: twice, ..constraints };
    assert_eq!(refused(&twice, Objective::BestTotal), [], "the same decision twice is one decision");
    let full = Decisions { pins: vec![(0, 0), (1, 0)], vetoes: Vec::new() };
    let full = Constraints { decisions: full, ..twice };
    let side = GroupSide::Mentors;
    assert_eq!(
        refused(&full, Objective::BestTotal),
        [Conflict::PinsAboveCeiling { side, group: 0, pins: 2, ceiling: 1 }]
    );
}

#[test]
fn floors_that_cannot_be_met_come_back_with_who_is_concerned() {
    let (mut case, constraints) = four();
    (case.scores[5], case.scores[6], case.scores[7]) = (FORBIDDEN, FORBIDDEN, FORBIDDEN);
    let constrained =
        Constrained::new(case.problem(), &constraints, Objective::BestTotal, &Unobserved).unwrap();
    let unsolved = constrained.solve(None, &Unobserved);
    let Err(Unsolved::Impossible(Impossible { cut, shortage })) = unsolved else { panic!("{unsolved:?}") };
    assert_eq!((shortage.asked, shortage.possible), (2, 0));
    assert_eq!((cut.mentee_groups, cut.mentees), (vec![0], vec![2, 3]));
}

#[test]
fn nobody_says_that_floors_can_be_met_where_tiers_are_beyond_a_proof() {
    let mut case = four().0;
    case.mentees = (0..=u8::MAX).map(|tier| Demand { tier, wanted: 1, pinned: 0 }).collect();
    case.scores = vec![1; 2 * case.mentees.len()];
    let group = Group { parent: None, floor: 1, ceiling: 2 };
    let mentees = Forest::new(vec![group], vec![Some(0); case.mentees.len()]).unwrap();
    let quotas = Quotas { mentees, ..Quotas::default() };
    let constraints = Constraints { quotas, ..Constraints::default() };
    let constrained =
        Constrained::new(case.problem(), &constraints, Objective::BestTotal, &Unobserved).unwrap();
    assert_eq!(constrained.solve(None, &Unobserved).err(), Some(Unsolved::TooManyTiers));
    assert_eq!(constrained.diagnose(0, &Unobserved), Err(DiagnosisError::TooManyTiers));
}
