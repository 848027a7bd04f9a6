//! Sizes of stable assignments with ties, against all assignments of small problems.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::engine::assign::tests::case::{Case, case, score};
use crate::engine::certify::stability;
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::{FORBIDDEN, PairScores};
use crate::engine::problem::{Demand, Seats};

/// The same case with other scores for the mentors.
fn turned(case: &Case, factor: i32, levels: i32) -> Case {
    let turn = |(at, score): (i32, &i32)| match *score {
        FORBIDDEN => FORBIDDEN,
        score => (factor * score + at * at) % levels,
    };
    Case { scores: (0..).zip(&case.scores).map(turn).collect(), ..case.clone() }
}

fn is_stable(hers: &Case, theirs: &Case, pairs: &[(u32, u32)]) -> bool {
    let seen = stability(&hers.problem(), hers, Some(theirs), pairs, &Unobserved).unwrap();
    seen.blocking_pairs == 0
}

/// The largest size of all weakly stable assignments.
fn largest(hers: &Case, theirs: &Case) -> Size {
    let mut largest = Size::default();
    hers.each(|pairs| {
        let mut pairs = pairs.to_vec();
        pairs.sort_unstable();
        if Size::of(&pairs) > largest && is_stable(hers, theirs, &pairs) {
            largest = Size::of(&pairs);
        }
    });
    largest
}

fn lists_of(hers: &Case, theirs: &Case) -> PreferredPairs {
    let preferences = PreferenceLists { mentees: hers, mentors: Some(theirs) };
    PreferredPairs::new(&hers.problem(), preferences, usize::MAX, &Unobserved).unwrap().unwrap()
}

/// Whether a pair blocks the assignment if ties are broken as in the solver.
fn strictly_blocks(case: &Case, pairs: &[(u32, u32)]) -> bool {
    let tie_break = |i: usize, j: usize| case.problem().scores.tie_break(i, j);
    let hers = |i: usize, j: usize| (case.score(i, j), u32::MAX - tie_break(i, j));
    let theirs = |i: usize, j: usize| (case.score(i, j), u32::MAX - tie_break(i, j));
    let of = |pair: &(u32, u32)| (pair.0 as usize, pair.1 as usize);
    (0..case.mentees.len()).any(|i| {
        (0..case.mentors.len()).any(|j| {
            let mine: Vec<usize> =
                pairs.iter().map(of).filter(|pair| pair.0 == i).map(|pair| pair.1).collect();
            let held: Vec<usize> =
                pairs.iter().map(of).filter(|pair| pair.1 == j).map(|pair| pair.0).collect();
            case.score(i, j) != FORBIDDEN
                && !mine.contains(&j)
                && (mine.len() < usize::from(case.mentees[i].wanted)
                    || mine.iter().any(|&other| hers(i, j) > hers(i, other)))
                && (held.len() < case.mentors[j].max as usize
                    || held.iter().any(|&other| theirs(i, j) > theirs(other, j)))
        })
    })
}

const NOTHING: Effort = Effort { candidates: usize::MAX, nodes: 0 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_weakly_stable_assignment_is_larger(hers in case(0..6, 0..5, 0..4_i32), factor in 0..4_i32, levels in 1..4_i32) {
        let theirs = turned(&hers, factor, levels);
        let (problem, expected) = (hers.problem(), largest(&hers, &theirs));
        let (list, theirs_listed) = (hers.sparse_scores(), theirs.sparse_scores());
        for (mentees, mentors) in
            [(&hers as &dyn PairScores, &theirs as &dyn PairScores), (&list, &theirs_listed)]
        {
            let preferences = PreferenceLists { mentees, mentors: Some(mentors) };
            let found = stable(&problem, preferences, &Unobserved).unwrap();
            prop_assert!(is_stable(&hers, &theirs, &found.pairs), "{:?}", found);
            prop_assert_eq!(Size::of(&found.pairs), expected);
            prop_assert_eq!(found.size, StableSize { at_most: expected, guarantee: SizeGuarantee::Largest });
        }
    }

    #[test]
    fn no_assignment_that_is_stable_in_one_strict_order_is_better_for_any_mentee(case in case(0..6, 0..5, prop_oneof![0..4_i32, score()])) {
        let preferences = PreferenceLists { mentees: &case, mentors: None };
        let stable = acceptance::accept(&case.problem(), preferences, &Unobserved).unwrap();
        prop_assert!(!strictly_blocks(&case, &stable.pairs));
        let places = |pairs: &[(u32, u32)], mentee: u32| {
            let tie_break = |j: u32| u32::MAX - case.problem().scores.tie_break(mentee as usize, j as usize);
            let mut hers: Vec<(i32, u32)> = pairs
                .iter()
                .filter(|pair| pair.0 == mentee)
                .map(|pair| (case.score(mentee as usize, pair.1 as usize), tie_break(pair.1)))
                .collect();
            hers.sort_unstable_by(|a, b| b.cmp(a));
            hers
        };
        case.each(|pairs| {
            if !strictly_blocks(&case, pairs) {
                for mentee in 0..u32::try_from(case.mentees.len()).unwrap() {
                    assert!(places(&stable.pairs, mentee) >= places(pairs, mentee), "{pairs:?}");
                }
            }
        });
    }

    #[test]
    fn without_search_the_size_is_bounded_from_both_sides(hers in case(0..6, 0..5, 0..4_i32), factor in 0..4_i32, levels in 1..4_i32) {
        let theirs = turned(&hers, factor, levels);
        let (problem, expected) = (hers.problem(), largest(&hers, &theirs));
        let preferences = PreferenceLists { mentees: &hers, mentors: Some(&theirs) };
        let before = acceptance::accept(&problem, preferences, &Unobserved).unwrap();
        for effort in [NOTHING, Effort { candidates: 0, nodes: 0 }] {
            let found = stable_within(&problem, preferences, &effort, &Unobserved).unwrap();
            let size = Size::of(&found.pairs);
            prop_assert!(is_stable(&hers, &theirs, &found.pairs));
            prop_assert!(Size::of(&before.pairs) <= size && size <= expected);
            prop_assert!(expected.mentees <= found.size.at_most.mentees && expected <= found.size.at_most);
            let pairs = |factor: u64| factor * size.pairs;
            match found.size.guarantee {
                SizeGuarantee::Largest => prop_assert_eq!(size, expected),
                SizeGuarantee::TwoThirds => prop_assert!(pairs(3) >= 2 * expected.pairs, "{:?}", found),
                SizeGuarantee::Half => prop_assert!(pairs(2) >= expected.pairs, "{:?}", found),
            }
        }
    }

    #[test]
    fn the_reduction_keeps_every_weakly_stable_assignment(hers in case(0..6, 0..5, 0..5_i32), factor in 0..4_i32, levels in 1..5_i32) {
        let theirs = turned(&hers, factor, levels);
        let mut lists = lists_of(&hers, &theirs);
        lists.reduce(&Unobserved).unwrap();
        hers.each(|pairs| {
            if is_stable(&hers, &theirs, pairs) {
                for (mentee, mentor) in pairs {
                    assert!(lists.of_mentee(*mentee).any(|(_, pair)| pair.mentor == *mentor), "{pairs:?}");
                }
            }
        });
    }

    #[test]
    fn without_ties_the_reduction_alone_gives_the_size(order in vec(any::<u32>(), 64), mentees in 1..9_usize, mentors in 1..8_usize, seats in vec(0..4_u32, 8)) {
        // Scores of two permutations: no two are equal.
        let ranked = |from: usize| {
            let mut places: Vec<usize> = (0..mentees * mentors).collect();
            places.sort_by_key(|at| (order[(at * 7 + from) % 64], *at));
            let mut scores = vec![0; mentees * mentors];
            (0..).zip(places).for_each(|(rank, at)| scores[at] = rank);
            scores
        };
        let people = (
            (0..mentees).map(|at| Demand { wanted: u8::try_from(at % 3).unwrap(), ..Demand::default() }).collect(),
            seats[..mentors].iter().map(|max| Seats { min: 0, max: *max }).collect(),
        );
        let hers = Case { mentees: people.0, mentors: people.1, scores: ranked(0), coverage_first: true };
        let theirs = Case { scores: ranked(13), ..hers.clone() };
        let preferences = PreferenceLists { mentees: &hers, mentors: Some(&theirs) };
        let strict = acceptance::accept(&hers.problem(), preferences, &Unobserved).unwrap();
        let mut lists = lists_of(&hers, &theirs);
        lists.reduce(&Unobserved).unwrap();
        prop_assert_eq!(Size::of(&lists.largest(&Unobserved).unwrap()), Size::of(&strict.pairs));
        prop_assert_eq!(stable(&hers.problem(), preferences, &Unobserved).unwrap().pairs, strict.pairs);
    }

    #[test]
    fn names_and_order_do_not_change_the_size(hers in case(0..12, 0..10, 0..3_i32), turn in 1..12_usize) {
        let rotated = {
            let (mut mentees, mut scores) = (hers.mentees.clone(), hers.scores.clone());
            if !mentees.is_empty() {
                let turn = turn % mentees.len();
                mentees.rotate_left(turn);
                scores.rotate_left(turn * hers.mentors.len());
            }
            Case { mentees, scores, ..hers.clone() }
        };
        let size = |case: &Case| {
            let preferences = PreferenceLists { mentees: case, mentors: None };
            let found = stable(&case.problem(), preferences, &Unobserved).unwrap();
            assert!(is_stable(case, case, &found.pairs));
            (Size::of(&found.pairs), found.size)
        };
        prop_assert_eq!(size(&hers), size(&rotated));
    }
}

/// Two thirds are reached on a family of any size, and the search does not run.
#[test]
fn a_large_problem_with_few_scores_states_what_it_knows() {
    let (mentees, mentors) = (300, 300);
    let score = |at: usize| match (at * 7_919 + at / 300 * 31) % 23 {
        level @ 0..3 => i32::try_from(level).unwrap(),
        _ => FORBIDDEN,
    };
    let hers = Case {
        mentees: vec![Demand { wanted: 1, ..Demand::default() }; mentees],
        mentors: vec![Seats { min: 0, max: 1 }; mentors],
        scores: (0..mentees * mentors).map(score).collect(),
        coverage_first: true,
    };
    let preferences = PreferenceLists { mentees: &hers, mentors: None };
    let before = acceptance::accept(&hers.problem(), preferences, &Unobserved).unwrap();
    let found = stable(&hers.problem(), preferences, &Unobserved).unwrap();
    assert!(is_stable(&hers, &hers, &found.pairs));
    assert!(Size::of(&found.pairs) >= Size::of(&before.pairs));
    assert!(3 * Size::of(&found.pairs).pairs >= 2 * found.size.at_most.pairs, "{:?}", found.size);
}
