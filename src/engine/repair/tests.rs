use proptest::prelude::*;

use super::*;
use crate::engine::assign::assign;
use crate::engine::assign::tests::case::{Case, case, score};
use crate::engine::certify::certify;
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::{Edge, FORBIDDEN, PairScores, SparseScores};
use crate::engine::problem::{Demand, Seats};

/// The greatest value of an assignment that keeps so many of some pairs, by trying everything.
fn brute_force(case: &Case, weights: &Certificate, still: &[(u32, u32)], least: usize) -> i128 {
    let mut best = i128::MIN;
    case.each(|pairs| {
        if kept(still, pairs) >= least {
            best = best.max(weighted_value(&case.problem(), weights, pairs));
        }
    });
    best
}

/// Publishes the best assignment of one case and repairs it for another, with every budget.
fn check(before: &Case, now: &Case) {
    let listed = now.sparse_scores();
    let published = assign(&before.problem(), &Unobserved).unwrap();
    let start = Start::of(&published);
    for problem in [now.problem(), Problem { scores: &listed, ..now.problem() }] {
        let still = possible_pairs(&problem, &published.pairs);
        let mut most = 0;
        now.each(|pairs| most = most.max(kept(&still, pairs)));
        for budget in (0..=most + 1).map(Some).chain([None]) {
            let repaired = repair(&problem, &published.pairs, &start, budget, &Unobserved).unwrap();
            let least = most - budget.unwrap_or(most).min(most);
            assert_eq!((repaired.possible, repaired.kept), (most, kept(&still, &repaired.pairs)));
            assert!(repaired.kept >= least, "{repaired:?}");
            let best = brute_force(now, &repaired.certificate, &still, least);
            assert_eq!((repaired.value, repaired.bound), (best, best), "{budget:?} {repaired:?}");
            let verdict = certify(
                &problem,
                &repaired.pairs,
                &assign(&problem, &Unobserved).unwrap().certificate,
                &Unobserved,
            );
            assert_eq!(verdict.unwrap().feasible, Ok(()));
            let holds = |repaired: &Repaired| {
                super::check(&problem, &published.pairs, budget, repaired, &Unobserved).unwrap()
            };
            assert!(repaired.proof == Proof::Branches || holds(&repaired) == Some(true), "{repaired:?}");
            let (Some(true), Some(&pair)) = (holds(&repaired), repaired.pairs.first()) else { continue };
            let twice = [repaired.pairs.as_slice(), &[pair]].concat();
            assert_eq!(holds(&Repaired { pairs: twice, ..repaired.clone() }), Some(false));
        }
    }
}

fn two_of(
    size: impl Fn(bool) -> std::ops::Range<usize>,
    cells: impl Strategy<Value = i32> + Clone + 'static,
) -> impl Strategy<Value = (Case, Case)> {
    let pair = (case(size(true), size(false), cells.clone()), case(size(true), size(false), cells));
    (pair, any::<u64>(), any::<u64>()).prop_map(|((before, other), one, two)| {
        let mut now = before.clone();
        let hit = |at: usize| (one & two) >> (at % 64) & 1 != 0;
        let cells = now.scores.iter_mut().zip(&other.scores).enumerate();
        cells.filter(|(at, _)| hit(*at)).for_each(|(_, (score, other))| *score = *other);
        let mentees = now.mentees.iter_mut().zip(&other.mentees).enumerate();
        mentees.filter(|(at, _)| hit(at + 20)).for_each(|(_, (demand, other))| demand.wanted = other.wanted);
        let mentors = now.mentors.iter_mut().zip(&other.mentors).enumerate();
        mentors.filter(|(at, _)| hit(at + 40)).for_each(|(_, (seats, other))| *seats = *other);
        (before, now)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_within_the_budget_is_better_when_everything_is_tried(
        (before, now) in two_of(|mentee| if mentee { 0..6 } else { 0..5 }, score()),
    ) {
        check(&before, &now);
    }

    #[test]
    fn nothing_within_the_budget_is_better_when_scores_tie(
        (before, now) in two_of(|mentee| if mentee { 4..8 } else { 2..4 }, 0..4_i32),
    ) {
        check(&before, &now);
    }
}

#[test]
fn sparse_scores_with_a_bonus_stay_sorted() {
    let arc = |to, score| Edge { to, score };
    let list =
        SparseScores::new(vec![0, 3, 4], vec![arc(0, 9), arc(1, 5), arc(2, 1), arc(1, 2)], &Unobserved)
            .unwrap();
    let with_bonus = BonusScores::new(&list, &[(0, 1), (0, 2)], 6, &Unobserved).unwrap();
    let sparse = with_bonus.sparse().unwrap();
    assert_eq!(sparse.row(0), [arc(1, 11), arc(0, 9), arc(2, 7)]);
    assert_eq!(sparse.row(1), [arc(1, 2)]);
}

#[test]
fn a_budget_of_nothing_keeps_all_that_is_still_possible() {
    let mentees = vec![Demand { tier: 0, wanted: 1, pinned: 0 }; 2];
    let mentors = vec![Seats { min: 0, max: 1 }; 2];
    let mut case = Case { coverage_first: true, mentees, mentors, scores: vec![9, 1, 1, 9] };
    let published = [(0, 0), (1, 1)];
    case.scores = vec![1, 9, 9, 1];
    let repaired = |case: &Case, budget| {
        repair(&case.problem(), &published, &Start::default(), budget, &Unobserved).unwrap()
    };
    assert_eq!(repaired(&case, Some(0)).pairs, published);
    assert_eq!(repaired(&case, Some(1)).pairs, published, "one pair alone cannot change");
    assert_eq!(repaired(&case, Some(2)).pairs, [(0, 1), (1, 0)]);
    assert_eq!(repaired(&case, None).kept, 0);
    case.scores[0] = FORBIDDEN;
    let now = repaired(&case, Some(0));
    assert_eq!((now.pairs.as_slice(), now.possible, now.kept), ([(1, 1)].as_slice(), 1, 1));
}
