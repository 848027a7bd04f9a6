//! Cancellation: an operation that the observer stopped returns no result; any other operation returns its whole result.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use proptest::prelude::*;

use super::against_reference::seals;
use super::synthetic::Shape;
use crate::clock::Stopwatch;
use crate::domain::policy::Objective;
use crate::domain::run::Stage;
use crate::engine::assign::tests::case::{Case, case, score};
use crate::engine::assign::tests::instance::Instance;
use crate::engine::assign::{Start, assign, assign_from, row_prefixes};
use crate::engine::certify::{certify_within, check_cut};
use crate::engine::constrained::{Constrained, ConstraintError, Constraints};
use crate::engine::decisions::Decisions;
use crate::engine::diagnose::{recruitment, shortages};
use crate::engine::exchange::{ExchangeLimits, MatchBounds};
use crate::engine::groups::{Forest, Group, Quotas};
use crate::engine::limited;
use crate::engine::objective::{blocking_pairs, check, solve};
use crate::engine::observer::{Observer, Stopped, Unobserved};
use crate::engine::pair_scores::{SparseError, SparseScores};
use crate::engine::problem::Problem;
use crate::engine::quota::{Answer, assign_within};
use crate::engine::repair::repair;
use crate::engine::what_if::{WhatIf, WhatIfError};
use crate::engine::{self, NoOutcome, Options};

/// Observer that stops an operation after a number of polls, or after a time.
struct Stopper {
    left: AtomicU64,
    after: Option<(Stopwatch, i64)>,
    has_stopped: AtomicBool,
}

impl Stopper {
    fn after_polls(polls: u64) -> Self {
        Self { left: AtomicU64::new(polls), after: None, has_stopped: AtomicBool::new(false) }
    }

    fn after_micros(micros: i64) -> Self {
        Self { after: Some((Stopwatch::start(), micros)), ..Self::after_polls(u64::MAX) }
    }
}

impl Observer for Stopper {
    fn progress(&self, _: Stage, _: u64, _: u64) {}

    fn is_cancelled(&self) -> bool {
        let fewer = |left: u64| left.checked_sub(1);
        let none_left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_err();
        let late = self.after.as_ref().is_some_and(|(watch, micros)| watch.micros() >= *micros);
        let stops = none_left || late;
        self.has_stopped.fetch_or(stops, Ordering::Relaxed);
        stops
    }
}

type Job<'a> = Box<dyn Fn(&dyn Observer) -> Result<String, Stopped> + 'a>;

fn text_of(answer: impl std::fmt::Debug) -> String {
    format!("{answer:?}")
}

/// Asserts that the job returns no result if it was stopped, and `whole` otherwise.
fn run(job: &Job<'_>, whole: &str, stopper: &Stopper) {
    let answer = job(stopper);
    let has_stopped = stopper.has_stopped.load(Ordering::Relaxed);
    match answer {
        Err(Stopped) => assert!(has_stopped, "{whole}"),
        Ok(answer) => assert!(!has_stopped && answer == whole, "{has_stopped} {answer} {whole}"),
    }
}

/// All operations on a problem.
fn jobs<'a>(problem: Problem<'a>, quotas: &'a Quotas) -> Vec<Job<'a>> {
    let best = assign(&problem, &Unobserved).unwrap();
    let mut jobs: Vec<Job<'a>> = Vec::new();
    for objective in Objective::ALL {
        jobs.push(Box::new(move |observer| {
            let solution = solve(&problem, objective, None, observer)?;
            let checked = check(&problem, &solution.pairs, &solution.evidence, None, observer)?;
            let blocking = blocking_pairs(&problem, &solution.pairs, None, observer)?;
            Ok(text_of((solution, checked, blocking)))
        }));
    }
    jobs.push(Box::new(move |observer| row_prefixes(&problem, 3, observer).map(text_of)));
    jobs.push(Box::new(move |observer| {
        let answer = assign_within(&problem, quotas, observer)?;
        let proof = match &answer {
            Answer::Best(best) => {
                text_of(certify_within(&problem, quotas, &best.pairs, &best.certificate, observer)?)
            }
            Answer::Impossible(cut) => text_of(check_cut(&problem, quotas, cut, observer)?),
            Answer::TooManyTiers => String::new(),
        };
        Ok(text_of((answer, proof)))
    }));
    jobs.push(Box::new(move |observer| {
        let of = |people: usize| (0..people).map(|at| u32::try_from(at % 2).unwrap()).collect();
        let exchange = ExchangeLimits {
            of_mentees: of(problem.mentees.len()),
            of_mentors: of(problem.mentors.len()),
            given: vec![Some(1), Some(2)],
            taken: vec![None, Some(1)],
        };
        let bounds = MatchBounds { exchange, ..MatchBounds::default() };
        limited::solve(&problem, &bounds, Objective::BestTotal, None, observer).map(text_of)
    }));
    let certificate = best.certificate.clone();
    let asked = best.pairs.clone();
    jobs.push(Box::new(move |observer| {
        let what_if = match WhatIf::new(&problem, &asked, &certificate, observer) {
            Err(WhatIfError::Stopped(stopped)) => return Err(stopped),
            what_if => what_if.unwrap(),
        };
        let of_mentee = what_if.alternates_of_mentee(0, 3, observer)?;
        let of_mentor = what_if.alternates_of_mentor(0, 3, observer)?;
        Ok(text_of((of_mentee, of_mentor, what_if.force(1, 0, observer)?)))
    }));
    for budget in [None, Some(0), Some(1)] {
        // The published pairs differ from the best pairs, so that the repair has work.
        let published: Vec<(u32, u32)> =
            best.pairs.iter().map(|&(mentee, mentor)| (mentee, mentor ^ 1)).collect();
        jobs.push(Box::new(move |observer| {
            repair(&problem, &published, &Start::default(), budget, observer).map(text_of)
        }));
    }
    jobs.push(Box::new(move |observer| {
        let (pins, vetoes) = (vec![(0, 0)], vec![(1, 0), (0, 1)]);
        let decisions = Decisions { pins, vetoes };
        let constraints = Constraints { decisions, quotas: quotas.clone() };
        match Constrained::new(problem, &constraints, Objective::BestTotal, observer) {
            Err(ConstraintError::Stopped(stopped)) => Err(stopped),
            constrained => {
                let parts = |constrained: Constrained<'_>| {
                    (constrained.rest().mentees.to_vec(), constrained.quotas().clone())
                };
                Ok(text_of(constrained.map(parts)))
            }
        }
    }));
    jobs.push(Box::new(move |observer| shortages(&problem, observer).map(text_of)));
    let start = Start::of(&best);
    jobs.push(Box::new(move |observer| assign_from(&problem, &start, observer).map(text_of)));
    jobs.push(Box::new(move |observer| recruitment(&problem, &best, 2, observer).map(text_of)));
    jobs
}

fn groups(people: usize) -> Forest {
    let group = |floor, ceiling| Group { parent: None, floor, ceiling };
    let innermost = (0..people).map(|at| u32::try_from(at % 3).ok().filter(|of| *of < 2));
    Forest::new(vec![group(0, 2), group(1, 9)], innermost.collect()).unwrap()
}

fn stop_everywhere(case: &Case, polls: u64) {
    let quotas = Quotas { mentees: groups(case.mentees.len()), mentors: groups(case.mentors.len()) };
    let (listed, matrix) = (case.sparse_scores(), case.matrix());
    let whole = case.problem();
    for problem in [Problem { scores: &matrix, ..whole }, Problem { scores: &listed, ..whole }] {
        for job in jobs(problem, &quotas) {
            let whole = job(&Unobserved).unwrap();
            run(&job, &whole, &Stopper::after_polls(polls));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn an_operation_stopped_at_any_poll_returns_no_result(
        case in case(0..9, 0..8, prop_oneof![0..40_i32, score()]),
        polls in prop_oneof![0..30_u64, 0..2_000_u64],
    ) {
        stop_everywhere(&case, polls);
    }

    #[test]
    fn a_round_stopped_at_any_poll_has_no_outcome(polls in 0..400_u64, objective in 0..3_usize) {
        let mut snapshot = Shape { both: 4, ..Shape::usual(30, 20) }.make();
        snapshot.policy.objective = Objective::ALL[objective];
        let solved = |observer: &dyn Observer| {
            engine::solve(&snapshot, &Options::default(), observer)
                .map(|outcome| outcome.digests(&snapshot, &seals(&snapshot)).whole_result)
                .map_err(|unsolved| {
                    assert_eq!(unsolved, NoOutcome::Stopped);
                    Stopped
                })
        };
        let whole = solved(&Unobserved).unwrap();
        let job: Job<'_> = Box::new(solved);
        run(&job, &whole, &Stopper::after_polls(polls));
    }
}

#[test]
fn an_operation_stopped_at_any_time_returns_no_result() {
    let instance = Instance::profile(900, 400, 3, 3);
    let problem = instance.problem();
    let quotas = Quotas { mentees: groups(900), mentors: groups(400) };
    for job in jobs(problem, &quotas) {
        let watch = Stopwatch::start();
        let whole = job(&Unobserved).unwrap();
        let took = watch.micros();
        for part in [0, 1, 3, 8, 20, 45, 70, 95] {
            run(&job, &whole, &Stopper::after_micros(took * part / 100));
        }
    }
}

#[test]
fn stopped_sparse_scores_are_not_returned() {
    let instance = Instance::profile(60, 50, 3, 3);
    let problem = instance.problem();
    let (mut starts, mut arcs) = (vec![0], Vec::new());
    for row in row_prefixes(&problem, 50, &Unobserved).unwrap() {
        arcs.extend(row);
        starts.push(arcs.len());
    }
    assert!(SparseScores::new(starts.clone(), arcs.clone(), &Unobserved).is_ok());
    for polls in 0..5 {
        assert_eq!(
            SparseScores::new(starts.clone(), arcs.clone(), &Stopper::after_polls(polls)),
            Err(SparseError::Stopped(Stopped))
        );
    }
}
