use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::engine::assign::tests::case::{Case, case, score};
use crate::engine::assign::tests::{instance, scarce, tuning};
use crate::engine::assign::tuning::{BatchLimits, Tuning};
use crate::engine::assign::{assign, assign_from, assign_tuned};
use crate::engine::certify::certify;
use crate::engine::decisions::{Decisions, ReducedProblem};
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::{FORBIDDEN, SparseScores};

/// Solves from a start, with dense scores and with a list, and checks both proofs.
fn check(case: &Case, start: &Start, tuning: &Tuning) -> Vec<i64> {
    let listed = case.sparse_scores();
    let (dense, sparse) = (case.problem(), Problem { scores: &listed, ..case.problem() });
    let values = [dense, sparse].map(|problem| {
        let solved = assign_tuned(&problem, Some(start), None, tuning, &Unobserved).unwrap();
        let verdict = certify(&problem, &solved.pairs, &solved.certificate, &Unobserved).unwrap();
        assert!(verdict.proved(), "{verdict:?} {solved:?}");
        case.value(&solved.pairs)
    });
    assert_eq!(values[0], values[1]);
    values[0].clone()
}

fn any_start() -> impl Strategy<Value = Start> {
    let price = prop_oneof![
        3 => Just(None),
        3 => (-5..5_i128).prop_map(Some),
        3 => (-200..200_i128).prop_map(Some),
        3 => (-100_000..100_000_i128).prop_map(Some),
        1 => prop_oneof![Just(i128::MIN), Just(i128::MAX)].prop_map(Some),
    ];
    let minimum = prop_oneof![Just(0), Just(1), 0..100_000_i128, Just(i128::MAX), Just(i128::MIN)];
    (vec((0..8_u32, 0..6_u32), 0..12), vec(price, 0..6), minimum)
        .prop_map(|(pairs, mentor_prices, minimum)| Start { pairs, mentor_prices, minimum })
}

/// The case with some scores, demands and seats of a second case.
fn edited(case: &Case, other: &Case, changes: u64) -> Case {
    let mut edited = case.clone();
    let hit = |at: usize| changes >> (at % 64) & 1 != 0;
    let cells = edited.scores.iter_mut().zip(&other.scores).enumerate();
    cells.filter(|(at, _)| hit(*at)).for_each(|(_, (score, other))| *score = *other);
    let mentees = edited.mentees.iter_mut().zip(&other.mentees).enumerate();
    mentees.filter(|(at, _)| hit(at + 20)).for_each(|(_, (demand, other))| *demand = *other);
    let mentors = edited.mentors.iter_mut().zip(&other.mentors).enumerate();
    mentors.filter(|(at, _)| hit(at + 40)).for_each(|(_, (seats, other))| *seats = *other);
    edited
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_start_leads_to_a_best_assignment(
        case in case(0..7, 0..5, score()),
        tied in case(5..8, 1..4, 0..3_i32),
        start in any_start(),
        tuning in tuning(),
    ) {
        prop_assert_eq!(check(&case, &start, &tuning), case.brute_force());
        prop_assert_eq!(check(&tied, &start, &tuning), tied.brute_force());
    }

    #[test]
    fn an_edited_problem_is_solved_from_the_earlier_result(
        case in case(1..25, 1..20, score()),
        other in case(1..25, 1..20, score()),
        (one, two) in (any::<u64>(), any::<u64>()),
        tuning in tuning(),
    ) {
        let edited = edited(&case, &other, one & two);
        let before = assign(&case.problem(), &Unobserved).unwrap();
        let now = assign(&edited.problem(), &Unobserved).unwrap();
        prop_assert_eq!(check(&edited, &Start::of(&before), &tuning), edited.value(&now.pairs));
    }

    #[test]
    fn people_may_come_and_go(case in case(2..12, 2..9, score()), gone in any::<u32>(), tuning in tuning()) {
        let stays = |at: &usize| gone >> (at % 32) & 1 == 0;
        let before = assign(&case.problem(), &Unobserved).unwrap();
        // A new person takes the first position; the others follow in reverse order.
        let mentees: Vec<usize> = (0..case.mentees.len()).rev().filter(stays).collect();
        let mentors: Vec<usize> = (0..case.mentors.len()).rev().filter(|at| stays(&(at + 16))).collect();
        let places = |stayed: &[usize], count: usize| -> Vec<Option<u32>> {
            let new = |at| stayed.iter().position(|&old| old == at).map(|new| u32::try_from(new + 1).unwrap());
            (0..count).map(new).collect()
        };
        let old = |stayed: &[usize], at: usize| if at == 0 { 0 } else { stayed[at - 1] };
        let (rows, columns) = (0..=mentees.len(), 0..=mentors.len());
        let now = Case {
            coverage_first: case.coverage_first,
            mentees: rows.clone().map(|at| case.mentees[old(&mentees, at)]).collect(),
            mentors: columns.clone().map(|at| case.mentors[old(&mentors, at)]).collect(),
            scores: rows
                .flat_map(|i| columns.clone().map(move |j| (i, j)))
                .map(|(i, j)| case.score(old(&mentees, i), old(&mentors, j)))
                .collect(),
        };
        let (rows, columns) = (places(&mentees, case.mentees.len()), places(&mentors, case.mentors.len()));
        let start = Start::of(&before).moved(&rows, &columns, now.mentors.len());
        let came_from = |i, j| {
            before.pairs.iter().any(|&(a, b)| rows[a as usize] == Some(i) && columns[b as usize] == Some(j))
        };
        prop_assert!(start.pairs.iter().all(|&(i, j)| came_from(i, j)));
        let best = assign(&now.problem(), &Unobserved).unwrap();
        prop_assert_eq!(check(&now, &start, &tuning), now.value(&best.pairs));
    }
}

#[test]
fn an_optimal_start_needs_no_search() {
    for instance in [instance::Instance::profile(200, 150, 3, 1), instance::Instance::uniform(120, 1)] {
        let before = assign(&instance.problem(), &Unobserved).unwrap();
        let again = assign_from(&instance.problem(), &Start::of(&before), &Unobserved).unwrap();
        assert_eq!(again.pairs, before.pairs);
        assert_eq!(
            (again.counters.searches, again.counters.reverse_searches, again.counters.phases),
            (0, 0, 0)
        );
    }
}

#[test]
fn a_decision_costs_a_few_searches() {
    let instance = instance::Instance::profile(400, 380, 1, 3);
    let before = assign(&instance.problem(), &Unobserved).unwrap();
    let (mentee, mentor) = before.pairs[7];
    let row = |at: &u32| instance.problem().scores.score(mentee as usize, *at as usize).is_some();
    let other = (0..380).filter(row).find(|&at| at != mentor).unwrap();
    let decisions = [
        Decisions { pins: vec![(mentee, other)], vetoes: vec![] },
        Decisions { pins: vec![], vetoes: vec![(mentee, mentor)] },
    ];
    for decisions in decisions {
        let decided = ReducedProblem::new(&instance.problem(), &decisions, &Unobserved).unwrap();
        let problem = decided.problem();
        let again = assign_from(&problem, &Start::of(&before), &Unobserved).unwrap();
        let verdict = certify(&problem, &again.pairs, &again.certificate, &Unobserved).unwrap();
        assert!(verdict.proved());
        let counters = again.counters;
        assert!(counters.searches + counters.reverse_searches <= 12, "{counters:?}");
        assert!(counters.scans <= before.counters.scans / 4, "{counters:?} {:?}", before.counters);
    }
}

/// The list in which every `every`-th mentee has the candidates of the next mentee.
fn with_edited_rows(list: &SparseScores, mentees: usize, every: usize) -> SparseScores {
    let (mut starts, mut arcs) = (vec![0], Vec::new());
    for mentee in 0..mentees {
        let from = if mentee.is_multiple_of(every) { (mentee + 1) % mentees } else { mentee };
        arcs.extend_from_slice(list.row(from));
        starts.push(arcs.len());
    }
    SparseScores::new(starts, arcs, &Unobserved).unwrap()
}

#[test]
fn searches_are_proportional_to_the_edits_of_a_list_on_any_number_of_threads() {
    for (coverage_first, people) in [(true, 0), (false, 0), (true, usize::MAX), (false, usize::MAX)] {
        let tuning = Tuning::default();
        let tuning = Tuning { batches: BatchLimits { min_people: people, ..tuning.batches }, ..tuning };
        let (mentees, mentors, list) = scarce(9000, 2999);
        let edited = with_edited_rows(&list, mentees.len(), 100);
        let problem = |scores| Problem { mentees: &mentees, mentors: &mentors, scores, coverage_first };
        let before = assign(&problem(&list), &Unobserved).unwrap();
        let cold = assign(&problem(&edited), &Unobserved).unwrap();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let (problem, start) = (problem(&edited), Start::of(&before));
            pool.install(|| assign_tuned(&problem, Some(&start), None, &tuning, &Unobserved)).unwrap()
        };
        let again = [1, 2, 4, 16].map(on);
        assert!(again.windows(2).all(|pair| pair[0] == pair[1]));
        let Assignment { pairs, certificate, counters } = &again[0];
        let verdict = certify(&problem(&edited), pairs, certificate, &Unobserved).unwrap();
        assert!(verdict.proved(), "{verdict:?}");
        let primal = certify(&problem(&edited), &cold.pairs, &cold.certificate, &Unobserved).unwrap().primal;
        assert_eq!(verdict.primal, primal);
        assert!(counters.searches + counters.reverse_searches <= 400 && counters.phases == 0, "{counters:?}");
    }
}

#[test]
fn a_start_far_from_a_solution_is_not_used() {
    let case = Case {
        coverage_first: true,
        mentees: vec![crate::engine::problem::Demand { tier: 0, wanted: 1, pinned: 0 }; 3],
        mentors: vec![crate::engine::problem::Seats { min: 0, max: u32::MAX }; 2],
        scores: vec![1, FORBIDDEN, 2, 3, 4, 4],
    };
    let start = Start { pairs: vec![], mentor_prices: vec![Some(9); 2], minimum: 1 };
    assert_eq!(check(&case, &start, &Tuning::default()), case.brute_force());
}
