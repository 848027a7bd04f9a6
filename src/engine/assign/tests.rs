use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::tuning::BatchLimits;
use super::*;
use crate::domain::run::Stage;
use crate::engine::certify::{CertificateVerdict, certify};
use crate::engine::objective::blocking_pairs;
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::{self, Edge, FORBIDDEN, SparseScores};
use crate::engine::problem::{self, Demand, Seats};

pub(in crate::engine) mod case;
mod hungarian;
#[path = "../../../benches/assign/instance.rs"]
pub(in crate::engine) mod instance;
mod large;

use self::case::{Case, case, score};

/// Solves and certifies, with tuning parameters drawn for every case, so that all parts of the solver have work.
fn check(case: &Case, tuning: &Tuning) -> Assignment {
    let problem = case.problem();
    let solved = assign_tuned(&problem, None, None, tuning, &Unobserved).unwrap();
    let verdict = certify(&problem, &solved.pairs, &solved.certificate, &Unobserved).unwrap();
    assert!(verdict.proved(), "{verdict:?} {solved:?}");
    assert_eq!(verdict.candidates, case.scores.iter().filter(|&&score| score != FORBIDDEN).count() as u64);
    check_listed(case, tuning, &solved);
    check_matrix(case, tuning, &solved);
    solved
}

/// The same problem as a matrix, in 16 bits where all scores fit: the same result and the same verdict.
fn check_matrix(case: &Case, tuning: &Tuning, solved: &Assignment) {
    let matrix = case.matrix();
    let (whole, narrow) = (case.problem(), Problem { scores: &matrix, ..case.problem() });
    assert_eq!(&assign_tuned(&narrow, None, None, tuning, &Unobserved).unwrap(), solved);
    let verdict = |problem| certify(problem, &solved.pairs, &solved.certificate, &Unobserved).unwrap();
    assert_eq!(verdict(&narrow), verdict(&whole));
    // An assignment that is not optimal, and a certificate that proves nothing.
    let pairs = &solved.pairs[..solved.pairs.len() / 2];
    let mut bent = solved.certificate.clone();
    bent.mentor_prices.iter_mut().step_by(2).for_each(|price| *price -= 5);
    bent.mentee_prices.iter_mut().step_by(3).for_each(|price| *price -= 40_000);
    let verdict = |problem| certify(problem, pairs, &bent, &Unobserved).unwrap();
    assert_eq!(verdict(&narrow), verdict(&whole));
    let blocking = |problem| blocking_pairs(problem, pairs, None, &Unobserved).unwrap();
    assert_eq!(blocking(&narrow), blocking(&whole));
}

/// The same problem as a list: the same value, and a certificate that holds for list and matrix alike.
fn check_listed(case: &Case, tuning: &Tuning, solved: &Assignment) {
    let list = case.sparse_scores();
    let (whole, listed) = (case.problem(), Problem { scores: &list, ..case.problem() });
    let from_list = assign_tuned(&listed, None, None, tuning, &Unobserved).unwrap();
    assert_eq!(case.value(&from_list.pairs), case.value(&solved.pairs));
    assert_eq!(from_list.counters.pricing_rounds, 0);
    for Assignment { pairs, certificate, .. } in [&from_list, solved] {
        let verdict = certify(&listed, pairs, certificate, &Unobserved).unwrap();
        assert!(verdict.proved(), "{verdict:?} {from_list:?}");
        assert_eq!(verdict, certify(&whole, pairs, certificate, &Unobserved).unwrap());
    }
}

pub(super) fn tuning() -> impl Strategy<Value = Tuning> {
    let narrow = (1..3_usize, 1..3_usize, 0..6_usize, 0..3_usize, (any::<bool>(), 2..5_usize, 0..60_usize));
    let narrow = narrow.prop_map(
        |(breadth, max_violations, bidders_per_served, few, (batched, min_searches, max_edges))| Tuning {
            breadth,
            max_violations,
            patience: auction::Patience { bidders_per_served, passes: 1 + few % 4 },
            few_waiting: few,
            batches: BatchLimits {
                min_people: if batched { 0 } else { usize::MAX },
                min_searches,
                max_searches: 8,
                max_edges,
            },
        },
    );
    prop_oneof![3 => narrow, 1 => Just(Tuning::default())]
}

/// Checks the proof of a result.
fn assert_proved(problem: &Problem<'_>, solved: &Assignment) -> CertificateVerdict {
    let verdict = certify(problem, &solved.pairs, &solved.certificate, &Unobserved).unwrap();
    assert!(verdict.proved(), "{verdict:?} {:?}", solved.counters);
    verdict
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_assignment_exceeds_the_result_in_small_cases(case in case(0..6, 0..5, score()), tuning in tuning()) {
        let solved = check(&case, &tuning);
        prop_assert_eq!(case.value(&solved.pairs), case.brute_force());
    }

    #[test]
    fn no_assignment_exceeds_the_result_if_seats_are_scarce(case in case(6..9, 1..3, 0..3_i32), tuning in tuning()) {
        let solved = check(&case, &tuning);
        prop_assert_eq!(case.value(&solved.pairs), case.brute_force());
    }

    #[test]
    fn larger_cases_are_proved_best(case in case(0..25, 0..20, score()), tuning in tuning()) {
        check(&case, &tuning);
    }

    #[test]
    fn cases_as_wide_as_vectors_are_proved_best(
        case in case(10..40, 60..140, 0..4_i32),
        extreme in case(3..10, 60..140, score()),
        tuning in tuning(),
    ) {
        check(&case, &tuning);
        check(&extreme, &tuning);
    }

    #[test]
    fn the_hungarian_algorithm_finds_the_same_value(case in hungarian::case(), tuning in tuning()) {
        let solved = check(&case, &tuning);
        prop_assert_eq!(case.value(&solved.pairs), case.value(&hungarian::solve(&case)));
    }

    #[test]
    fn the_order_of_people_does_not_change_the_value(case in case(0..12, 0..12, score()), seed in any::<u64>()) {
        let shuffled = |count: usize, stream| {
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by_key(|&at| instance::random(seed, stream, at as u64));
            order
        };
        let (rows, columns) = (shuffled(case.mentees.len(), 1), shuffled(case.mentors.len(), 2));
        let other = Case {
            coverage_first: case.coverage_first,
            mentees: rows.iter().map(|&i| case.mentees[i]).collect(),
            mentors: columns.iter().map(|&j| case.mentors[j]).collect(),
            scores: rows.iter().flat_map(|&i| columns.iter().map(move |&j| (i, j))).map(|(i, j)| case.score(i, j)).collect(),
        };
        let (one, two) = (check(&case, &Tuning::default()), check(&other, &Tuning::default()));
        prop_assert_eq!(case.value(&one.pairs), other.value(&two.pairs));
    }

    #[test]
    fn wide_integers_give_the_same_answer(case in case(0..12, 0..12, score()), tuning in tuning()) {
        let problem = case.problem();
        let narrow = assign_tuned(&problem, None, None, &tuning, &Unobserved).unwrap();
        let ConstructedCore { core, lowest, highest } = construct(&problem, tuning.breadth, &Unobserved).unwrap();
        let weights = LexicographicWeights::of(&problem, lowest, highest);
        let wide = solver::solve::<i128>(&problem, &tuning, weights, core, &Unobserved).unwrap();
        prop_assert_eq!(narrow, wide);
    }
}

/// Observer that stops the engine at the poll after `times` polls.
pub(in crate::engine) struct Patience {
    left: AtomicU64,
    pub(in crate::engine) asked: AtomicU64,
}

impl Patience {
    pub(in crate::engine) fn of(times: u64) -> Self {
        Self { left: AtomicU64::new(times), asked: AtomicU64::new(0) }
    }
}

impl Observer for Patience {
    fn progress(&self, _: Stage, done: u64, total: u64) {
        assert!(done <= total);
    }

    fn is_cancelled(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }
}

#[test]
fn the_engine_stops_at_every_poll() {
    let instance = instance::Instance::profile(300, 280, 1, 3);
    let problem = instance.problem();
    let patient = Patience::of(u64::MAX);
    let solved = assign(&problem, &patient).unwrap();
    let asked = patient.asked.into_inner();
    assert!(asked > solved.counters.arcs >> 16, "{asked}");
    for times in 0..asked {
        assert_eq!(assign(&problem, &Patience::of(times)), Err(Stopped), "after {times} of {asked}");
    }
    let impatient = certify(&problem, &solved.pairs, &solved.certificate, &Patience::of(3));
    assert_eq!(impatient, Err(Stopped));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let mut instance = instance::Instance::profile(400, 260, 3, 5);
    for (at, demand) in instance.mentees.iter_mut().enumerate() {
        *demand = Demand { tier: u8::from(at % 3 == 0), wanted: 1 + u8::from(at % 4 == 0), pinned: 0 };
    }
    let answers: Vec<Assignment> = [1, 2, 4, 16]
        .into_iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| assign(&instance.problem(), &Unobserved)).unwrap()
        })
        .collect();
    assert_proved(&instance.problem(), &answers[0]);
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

/// A list of a few candidates for each mentee, with fewer seats than places wanted.
pub(super) fn scarce(mentees: usize, mentors: u32) -> (Vec<Demand>, Vec<Seats>, SparseScores) {
    let random = |mentee: usize, stream| instance::random(9, mentee as u64, stream);
    let narrow = |number: u64, below: u32| u32::try_from(number % u64::from(below)).unwrap();
    let (mut starts, mut arcs) = (vec![0], Vec::new());
    for mentee in 0..mentees {
        let score =
            |mentor| Edge { to: mentor, score: narrow(random(mentee, u64::from(mentor)), 40).cast_signed() };
        let first = narrow(random(mentee, 1 << 40), mentors);
        arcs.extend((0..12).map(|step| score((first + step * step) % mentors)));
        starts.push(arcs.len());
    }
    let demand = |at: usize| Demand {
        tier: u8::from(at.is_multiple_of(3)),
        wanted: 1 + u8::from(at.is_multiple_of(5)),
        pinned: 0,
    };
    let seats = |at: u32| Seats { min: u32::from(at.is_multiple_of(4)), max: at % 4 };
    (
        (0..mentees).map(demand).collect(),
        (0..mentors).map(seats).collect(),
        SparseScores::new(starts, arcs, &Unobserved).unwrap(),
    )
}

#[test]
fn the_number_of_threads_changes_nothing_where_mentors_bid_for_mentees() {
    let single = Tuning::default();
    let batched = Tuning { batches: BatchLimits { min_people: 0, ..single.batches }, ..single };
    for (coverage_first, tuning) in [(true, single), (true, batched), (false, single), (false, batched)] {
        let (mentees, mentors, list) = scarce(3000, 997);
        let problem = Problem { mentees: &mentees, mentors: &mentors, scores: &list, coverage_first };
        let answers: Vec<Assignment> = [1, 2, 4, 16]
            .into_iter()
            .map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| assign_tuned(&problem, None, None, &tuning, &Unobserved)).unwrap()
            })
            .collect();
        assert_proved(&problem, &answers[0]);
        assert!(answers[0].counters.reverse_searches > 0);
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn the_engine_stops_at_every_poll_on_a_list() {
    let (mentees, mentors, list) = scarce(900, 399);
    let problem = Problem { mentees: &mentees, mentors: &mentors, scores: &list, coverage_first: false };
    let tuning = Tuning::default();
    let batched = Tuning { batches: BatchLimits { min_people: 0, ..tuning.batches }, ..tuning };
    let patient = Patience::of(u64::MAX);
    let solved = assign_tuned(&problem, None, None, &batched, &patient).unwrap();
    for times in 0..patient.asked.into_inner() {
        let stopped = assign_tuned(&problem, None, None, &batched, &Patience::of(times));
        assert_eq!(stopped, Err(Stopped), "after {times}");
    }
    let impatient = certify(&problem, &solved.pairs, &solved.certificate, &Patience::of(0));
    assert_eq!(impatient, Err(Stopped));
}

#[test]
fn a_price_war_over_the_last_seats_is_settled_at_once() {
    let instance = instance::Instance::new(601, 200, |_| 3, |_, _| 5);
    let solved = assign(&instance.problem(), &Unobserved).unwrap();
    assert_proved(&instance.problem(), &solved);
    assert_eq!(solved.pairs.len(), 600);
    assert!(solved.counters.arcs < 400_000, "{:?}", solved.counters);
}

#[test]
fn one_mentor_may_have_all_the_seats() {
    let instance = instance::Instance::new(
        500,
        3,
        |mentor| if mentor == 1 { 400 } else { 0 },
        |mentee, _| i32::try_from(mentee).unwrap(),
    );
    let solved = assign(&instance.problem(), &Unobserved).unwrap();
    assert_proved(&instance.problem(), &solved);
    assert!(solved.pairs.iter().map(|pair| pair.0).eq(100..500));
}

#[test]
fn a_mentee_with_one_candidate_gets_it_even_if_its_score_is_the_lowest() {
    // Mentor 299 has the lowest scores, and the last mentee has no other candidate.
    let instance = instance::Instance::new(
        300,
        300,
        |_| 1,
        |mentee, mentor| match (mentee, mentor) {
            (299, 299) => 1,
            (299, _) => FORBIDDEN,
            _ => i32::try_from(10_000 - mentor).unwrap(),
        },
    );
    let solved = assign(&instance.problem(), &Unobserved).unwrap();
    assert_proved(&instance.problem(), &solved);
    assert_eq!(solved.pairs.len(), 300);
    assert!(solved.pairs.contains(&(299, 299)));
}

#[test]
fn a_second_mentor_is_another_mentor() {
    let case = Case {
        coverage_first: true,
        mentees: vec![Demand { tier: 0, wanted: 2, pinned: 0 }],
        mentors: vec![Seats { min: 2, max: 2 }, Seats { min: 0, max: 1 }],
        scores: vec![100, -100],
    };
    assert_eq!(check(&case, &Tuning::default()).pairs, [(0, 0), (0, 1)]);
}

#[test]
fn the_work_on_a_known_instance_does_not_grow() {
    let instance = instance::Instance::profile(500, 500, 1, 1);
    let solved = assign(&instance.problem(), &Unobserved).unwrap();
    assert_proved(&instance.problem(), &solved);
    let SolverStatistics { bids, scans, arcs, pricing_rounds, .. } = solved.counters;
    assert!(
        bids <= 5_000 && scans <= 16_000 && arcs <= 450_000 && pricing_rounds <= 5,
        "{:?}",
        solved.counters
    );
}

#[test]
fn every_kind_of_instance_is_proved() {
    use instance::Instance;
    let kinds = [Instance::uniform(250, 1), Instance::int100(250, 1), Instance::geom(250, 1)];
    for instance in
        kinds.into_iter().chain([Instance::profile(300, 120, 5, 2), Instance::profile(250, 60, 3, 2)])
    {
        let solved = assign(&instance.problem(), &Unobserved).unwrap();
        assert_proved(&instance.problem(), &solved);
    }
}
