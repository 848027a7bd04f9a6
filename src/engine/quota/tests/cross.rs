//! Bounds across organisations, against everything there is.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::cross::{CrossError, CrossLimits, CrossSolution, assign_across};
use super::{keeps, quoted};
use crate::engine::assign::tests::case::{Case, case, score};
use crate::engine::groups::Quotas;
use crate::engine::observer::Unobserved;
use crate::engine::problem::Seats;

fn crossed(most: usize) -> impl Strategy<Value = (Case, Quotas, CrossLimits)> {
    quoted(case(0..6, 0..5, score()), 5).prop_flat_map(move |(case, quotas)| {
        let organisation = || prop_oneof![1 => Just(None), 3 => (0..2_u32).prop_map(Some)];
        let sides = (vec(organisation(), case.mentees.len()), vec(organisation(), case.mentors.len()));
        let bounds = vec(proptest::option::weighted(0.8, 0..=u32::try_from(most).unwrap()), 2);
        (Just(case), Just(quotas), (sides, bounds)).prop_map(
            |(case, quotas, ((of_mentees, of_mentors), most))| {
                (case, quotas, CrossLimits { of_mentees, of_mentors, most })
            },
        )
    })
}

fn allows(limits: &CrossLimits, pairs: &[(u32, u32)]) -> bool {
    (0_u32..).zip(&limits.most).all(|(organisation, most)| {
        let given = |(mentee, mentor): &&(u32, u32)| {
            limits.of_mentors[*mentor as usize] == Some(organisation)
                && limits.of_mentees[*mentee as usize] != Some(organisation)
        };
        most.is_none_or(|most| pairs.iter().filter(given).count() <= most as usize)
    })
}

fn solve(case: &Case, quotas: &Quotas, limits: &CrossLimits, most: u64) -> CrossSolution {
    assign_across(&case.problem(), quotas, limits, most, &Unobserved).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn nothing_within_all_bounds_beats_it((mut case, quotas, limits) in crossed(3), minima in any::<bool>()) {
        if !minima {
            case.mentors.iter_mut().for_each(|seats| seats.min = 0);
        }
        let found = solve(&case, &quotas, &limits, 100_000);
        let keeps_all = |pairs: &[(u32, u32)]| keeps(&quotas, pairs) && allows(&limits, pairs);
        let best = case.best_of_all(|pairs| keeps_all(pairs).then(|| case.value(pairs)));
        if let Some((pairs, value)) = &found.best {
            prop_assert!(keeps_all(pairs));
            prop_assert_eq!(value.clone(), case.value(pairs));
        }
        prop_assert!(found.bound >= best, "{:?} {:?}", found, best);
        if found.closed {
            prop_assert_eq!(found.best.map(|(_, value)| value), best);
        } else {
            prop_assert!(minima, "without minimum places it is exact");
        }
    }

    #[test]
    fn a_search_that_is_cut_short_reports_a_valid_bound((case, quotas, limits) in crossed(2), most in 1..4_u64) {
        let found = solve(&case, &quotas, &limits, most);
        let keeps_all = |pairs: &[(u32, u32)]| keeps(&quotas, pairs) && allows(&limits, pairs);
        let best = case.best_of_all(|pairs| keeps_all(pairs).then(|| case.value(pairs)));
        prop_assert!(found.bound >= best);
        if found.closed {
            prop_assert_eq!(found.best.map(|(_, value)| value), best);
        }
    }
}

#[test]
fn people_without_an_entry_or_with_an_unknown_organisation_are_refused() {
    let case = Case {
        coverage_first: true,
        mentees: vec![],
        mentors: vec![Seats { min: 0, max: 1 }; 2],
        scores: vec![],
    };
    for of_mentors in [vec![Some(0), Some(1)], vec![None]] {
        let limits = CrossLimits { of_mentees: vec![], of_mentors, most: vec![Some(1)] };
        let refused = assign_across(&case.problem(), &Quotas::default(), &limits, 9, &Unobserved);
        assert_eq!(refused, Err(CrossError::Unknown));
    }
}
