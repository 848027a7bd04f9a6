//! Measures the time between a request to stop and the return of the engine. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::unwrap_used, reason = "a bench may stop at the first thing that goes wrong")]

extern crate wim_match;

use std::sync::atomic::{AtomicU64, Ordering};

use wim_match::clock::Stopwatch;
use wim_match::domain::policy::Objective;
use wim_match::domain::run::Stage;
use wim_match::engine::assign::{Start, assign};
use wim_match::engine::decisions::{Decisions, ReducedProblem};
use wim_match::engine::groups::{Forest, Group, Quotas};
use wim_match::engine::observer::{Observer, Stopped, Unobserved};
use wim_match::engine::pair_scores::{self, Edge, SparseError, SparseScores};
use wim_match::engine::problem::{self, Demand, Problem, Seats};
use wim_match::engine::quota::assign_within;
use wim_match::engine::what_if::{WhatIf, WhatIfError};
use wim_match::engine::{Options, diagnose, objective, repair, solve};

#[path = "assign/instance.rs"]
#[expect(dead_code, reason = "the assign bench uses the rest")]
mod instance;
#[path = "support/synthetic.rs"]
mod synthetic;

use instance::{below, random};
use synthetic::Shape;

/// Maximum time of a job, in microseconds.
const LONGEST: u64 = 20_000_000;
/// Number of random times at which each job is stopped. One more stop is at the begin of the longest time between two polls.
const STOPS: u64 = 6;
/// Candidates of each mentee.
const CANDIDATES: u64 = 20;
/// Mentors of one organisation.
const MEMBERS: u32 = 100;

type Job<'a> = (&'static str, Box<dyn Fn(&dyn Observer) -> Result<(), Stopped> + 'a>);

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let size = asked.iter().find_map(|argument| argument.split_once('x'));
    let size = size.and_then(|(mentees, mentors)| Some((mentees.parse().ok()?, mentors.parse().ok()?)));
    let (mentees, mentors): (usize, usize) = size.unwrap_or((1_000_000, 400_000));
    let named: Vec<&String> = asked.iter().filter(|argument| !argument.contains('x')).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|part| name.contains(part.as_str()));

    println!(
        "{mentees} x {mentors}                   whole ms  longest ms to stop  between two polls  at ms"
    );
    if wanted("profiles") {
        let snapshot = Shape::usual(mentees, mentors).make();
        let job = |observer: &dyn Observer| {
            solve(&snapshot, &Options::default(), observer).map(drop).map_err(|_| Stopped)
        };
        measure(&("profiles", Box::new(job)));
    }
    let generated = Generated::new(mentees, mentors);
    let scores = SparseScores::new(generated.starts.clone(), generated.edges.clone(), &Unobserved).unwrap();
    let problem = generated.problem(&scores);
    for job in jobs(&generated, &problem).into_iter().filter(|(name, _)| wanted(name)) {
        measure(&job);
    }
}

/// A generated problem. The candidates of a mentee are not sorted by score.
struct Generated {
    mentees: Vec<Demand>,
    mentors: Vec<Seats>,
    starts: Vec<usize>,
    edges: Vec<Edge>,
}

impl Generated {
    fn new(mentees: usize, mentors: usize) -> Self {
        let mut edges = Vec::new();
        let mut starts = vec![0];
        for mentee in 0..mentees as u64 {
            // Each candidate is drawn from a range of its own, so that no mentor is drawn twice.
            let stretch = mentors as u64 / CANDIDATES;
            edges.extend((0..CANDIDATES.min(mentors as u64)).map(|at| {
                let to = at * stretch + below(random(1, mentee, at), stretch.max(1));
                let score = i32::try_from(25 * below(random(2, mentee, to), 400)).unwrap();
                Edge { to: u32::try_from(to).unwrap(), score }
            }));
            starts.push(edges.len());
        }
        let tier = |at: u64| u8::try_from(below(random(3, at, 0), 2)).unwrap();
        let seats = |at: u64| u32::try_from(1 + below(random(4, at, 0), 5)).unwrap();
        Self {
            mentees: (0..mentees as u64)
                .map(|at| Demand { tier: tier(at), wanted: 1 + u8::from(at % 8 == 0), pinned: 0 })
                .collect(),
            mentors: (0..mentors as u64)
                .map(|at| Seats { min: u32::from(at % 8 == 0), max: seats(at) })
                .collect(),
            starts,
            edges,
        }
    }

    fn problem<'a>(&'a self, scores: &'a SparseScores) -> Problem<'a> {
        Problem { mentees: &self.mentees, mentors: &self.mentors, scores, coverage_first: true }
    }
}

/// All operations of the engine on a problem.
fn jobs<'a>(generated: &'a Generated, problem: &'a Problem<'a>) -> Vec<Job<'a>> {
    let best = assign(problem, &Unobserved).unwrap();
    let aim = move |objective| {
        move |observer: &dyn Observer| {
            let solution = objective::solve(problem, objective, None, observer)?;
            objective::check(problem, &solution.pairs, &solution.evidence, None, observer)?;
            objective::blocking_pairs(problem, &solution.pairs, None, observer).map(drop)
        }
    };
    let organisations = problem.mentors.len().div_ceil(MEMBERS as usize);
    let group = |_| Group { parent: None, floor: 10, ceiling: 2 * MEMBERS };
    let of = |at| Some(u32::try_from(at / MEMBERS as usize).unwrap());
    let groups =
        Forest::new((0..organisations).map(group).collect(), (0..problem.mentors.len()).map(of).collect());
    let quotas = Quotas { mentors: groups.unwrap(), ..Quotas::default() };
    let impossible = Forest::new(
        vec![Group { parent: None, floor: u32::MAX, ceiling: u32::MAX }],
        vec![Some(0); problem.mentors.len()],
    );
    let impossible = Quotas { mentors: impossible.unwrap(), ..Quotas::default() };
    // One mentee in a hundred drops out after publication.
    let left = generated
        .mentees
        .iter()
        .zip(0_u64..)
        .map(|(demand, at)| Demand { wanted: if at % 100 == 0 { 0 } else { demand.wanted }, ..*demand });
    let left: Vec<Demand> = left.collect();
    let (pairs, start) = (best.pairs.clone(), Start::of(&best));
    let budget = move |budget| {
        let (left, pairs, start) = (left.clone(), pairs.clone(), start.clone());
        move |observer: &dyn Observer| {
            let now = Problem { mentees: &left, ..*problem };
            repair::repair(&now, &pairs, &start, budget, observer).map(drop)
        }
    };
    let certificate = best.certificate.clone();
    let asked = best.pairs.clone();
    let what_if = move |observer: &dyn Observer| {
        let what_if = match WhatIf::new(problem, &asked, &certificate, observer) {
            Err(WhatIfError::Stopped(stopped)) => return Err(stopped),
            what_if => what_if.unwrap(),
        };
        what_if.alternates_of_mentee(1, 5, observer)?;
        what_if.alternates_of_mentor(1, 5, observer).map(drop)
    };
    let recruit = best.clone();
    let decisions = Decisions { pins: best.pairs.iter().copied().step_by(2).collect(), vetoes: Vec::new() };
    vec![
        (
            "list",
            Box::new(|observer| {
                match SparseScores::new(generated.starts.clone(), generated.edges.clone(), observer) {
                    Err(SparseError::Stopped(stopped)) => Err(stopped),
                    scores => {
                        scores.unwrap();
                        Ok(())
                    }
                }
            }),
        ),
        ("best-total", Box::new(aim(Objective::BestTotal))),
        ("stable", Box::new(aim(Objective::Stable))),
        ("fairest", Box::new(aim(Objective::Fairest))),
        (
            "decisions",
            Box::new(move |observer| {
                let reduced = ReducedProblem::if_possible(problem, &decisions, observer)?;
                assign(&reduced.unwrap().problem(), observer).map(drop)
            }),
        ),
        ("quotas", Box::new(move |observer| assign_within(problem, &quotas, observer).map(drop))),
        (
            "no way to keep quotas",
            Box::new(move |observer| assign_within(problem, &impossible, observer).map(drop)),
        ),
        ("what-if", Box::new(what_if)),
        ("repair freely", Box::new(budget(None))),
        ("repair nothing", Box::new(budget(Some(0)))),
        ("repair a little", Box::new(budget(Some(100)))),
        ("shortages", Box::new(|observer| diagnose::shortages(problem, observer).map(drop))),
        (
            "recruitment",
            Box::new(move |observer| diagnose::recruitment(problem, &recruit, 1, observer).map(drop)),
        ),
    ]
}

/// Observer that stops an operation at a time, and records the longest time between two polls.
struct Watch {
    started: Stopwatch,
    stop: u64,
    last: AtomicU64,
    /// Longest time between two polls, in microseconds.
    longest: AtomicU64,
    /// Begin of the longest time between two polls.
    from: AtomicU64,
}

impl Watch {
    fn until(stop: u64) -> Self {
        let [last, longest, from] = [0; 3].map(AtomicU64::new);
        Self { started: Stopwatch::start(), stop, last, longest, from }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.micros()).unwrap()
    }
}

impl Observer for Watch {
    fn progress(&self, _: Stage, _: u64, _: u64) {}

    fn is_cancelled(&self) -> bool {
        let now = self.now();
        let last = self.last.fetch_max(now, Ordering::Relaxed);
        if self.longest.fetch_max(now.saturating_sub(last), Ordering::Relaxed) < now.saturating_sub(last) {
            self.from.store(last, Ordering::Relaxed);
        }
        now >= self.stop
    }
}

/// Runs a job, stops it at several times, and prints the longest time from a stop to the return.
fn measure((name, job): &Job<'_>) {
    let whole = Watch::until(LONGEST);
    let _ = job(&whole);
    let ended = whole.now().min(LONGEST);
    let _ = whole.is_cancelled();
    let (gap, from) = (whole.longest.load(Ordering::Relaxed), whole.from.load(Ordering::Relaxed));
    let mut longest = 0;
    for stop in (0..STOPS).map(|at| below(random(5, at, ended), ended.max(1))).chain([from]) {
        let watch = Watch::until(stop);
        if job(&watch).is_err() {
            longest = longest.max(watch.now() - stop);
        }
    }
    let [ended, longest, gap, from] = [ended, longest, gap, from].map(|micros| micros / 1000);
    println!("{name:<30}  {ended:>8}  {longest:>18}  {gap:>17}  {from:>5}");
}
