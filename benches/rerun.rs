//! Measures the time to solve a problem again after an edit: warm from the earlier result, and cold. See
//! `benches/README.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::expect_used, reason = "a bench may stop at the first thing that goes wrong")]

use std::fmt;
use std::time::Duration;

use rayon::prelude::*;
use wim_match::clock::Stopwatch;
use wim_match::engine::assign::{Assignment, Start, assign, assign_from};
use wim_match::engine::certify::certify;
use wim_match::engine::observer::Unobserved;
use wim_match::engine::pair_scores::{Edge, SparseScores};
use wim_match::engine::problem::{Demand, Problem, Seats};

#[path = "assign/people.rs"]
mod people;

use people::{Person, below, people, profile_score, random};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of each kind, alternating. The shortest run counts.
const RUNS: usize = 3;
/// One of this number of mentees is edited.
const EDITED: u64 = 100;
/// With this seed, the problem before the edit is the one of the bench of peers.
const SEED: u64 = 5;
/// Candidates of each mentee: the best of the mentors drawn.
const KEPT: usize = 20;
/// Mentors drawn for each mentee.
const DRAWN: u64 = 1024;

fn main() {
    let asked = std::env::args().find_map(|argument| argument.parse().ok());
    let mentees: usize = asked.unwrap_or(1_000_000);
    let generated = Generated::new(mentees, mentees * 2 / 5);
    let rows = generated.rows(SEED * 4 + 1, SEED + 77, |_| true);
    let edits = generated.rows(SEED * 4 + 3, SEED + 78, is_edited);
    let edited = rows.iter().zip(&edits).map(|(row, edit)| if edit.is_empty() { row } else { edit });
    let (before, now) = (sparse_scores(rows.iter()), sparse_scores(edited));
    let (before, now) = (generated.problem(&before), generated.problem(&now));
    let start = Start::of(&assign(&before, &Unobserved).expect("not stopped"));
    println!(
        "{mentees} mentees, {} mentors, {} candidates; {} mentees have other candidates than before",
        generated.mentors.len(),
        now.scores.sparse().map_or(0, SparseScores::len),
        edits.iter().filter(|edit| !edit.is_empty()).count(),
    );
    let mut best: [Option<Run>; 2] = [None, None];
    for _ in 0..RUNS {
        let runs = [
            Run::of(&now, || assign(&now, &Unobserved).expect("not stopped")),
            Run::of(&now, || assign_from(&now, &start, &Unobserved).expect("not stopped")),
        ];
        assert_eq!(runs[0].value, runs[1].value, "two best assignments have the same value");
        for (best, run) in best.iter_mut().zip(runs) {
            *best = best.take().into_iter().chain([run]).min_by_key(|run| run.solve + run.prove);
        }
    }
    println!("                 solve ms  prove ms");
    for (from, run) in ["from nothing   ", "from the result"].into_iter().zip(best.iter().flatten()) {
        println!("{from}  {run}");
    }
}

/// Whether the edit replaces a mentee by another person with other candidates.
fn is_edited(mentee: usize) -> bool {
    below(random(SEED + 55, mentee as u64, 0), EDITED) == 0
}

/// A generated problem: mentors with one to five seats, and mentees who want one mentor each.
struct Generated {
    mentees: Vec<Demand>,
    mentors: Vec<Seats>,
    offering: Vec<Person>,
}

impl Generated {
    fn new(mentees: usize, mentors: usize) -> Self {
        let seats = |at: usize| 1 + u32::try_from(below(random(SEED + 9, at as u64, 3), 5)).unwrap_or(0);
        Self {
            mentees: vec![Demand { tier: 0, wanted: 1, pinned: 0 }; mentees],
            mentors: (0..mentors).map(|at| Seats { min: 0, max: seats(at) }).collect(),
            offering: people(mentors, SEED * 4 + 2, true),
        }
    }

    fn problem<'a>(&'a self, scores: &'a SparseScores) -> Problem<'a> {
        Problem { mentees: &self.mentees, mentors: &self.mentors, scores, coverage_first: false }
    }

    /// The candidates of the mentees that `is_wanted` accepts; no candidates for the others.
    fn rows(&self, who: u64, met: u64, is_wanted: impl Fn(usize) -> bool + Sync) -> Vec<Vec<Edge>> {
        let requesting = people(self.mentees.len(), who, false);
        let rows = requesting.par_iter().enumerate();
        let row =
            |(mentee, person)| if is_wanted(mentee) { self.best(person, mentee, met) } else { Vec::new() };
        rows.map(row).collect()
    }

    /// The best of the mentors that the stream of `seed` draws for a mentee. A hash of the pair breaks ties.
    fn best(&self, person: &Person, mentee: usize, seed: u64) -> Vec<Edge> {
        let drawn =
            (0..DRAWN).map(|draw| below(random(seed, mentee as u64, draw), self.offering.len() as u64));
        let mut found: Vec<(i32, u64, u32)> = drawn
            .filter_map(|mentor| {
                let to = u32::try_from(mentor).ok()?;
                let score = profile_score(person, &self.offering[to as usize]).filter(|score| *score > 0)?;
                let pair = (mentee as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(mentor);
                Some((score, people::mix(pair) >> 24, to))
            })
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup();
        found.iter().take(KEPT).map(|&(score, _, to)| Edge { to, score }).collect()
    }
}

/// Sparse scores of rows of candidates.
fn sparse_scores<'a>(rows: impl Iterator<Item = &'a Vec<Edge>>) -> SparseScores {
    let (mut starts, mut edges) = (vec![0], Vec::new());
    for row in rows {
        edges.extend_from_slice(row);
        starts.push(edges.len());
    }
    SparseScores::new(starts, edges, &Unobserved).expect("each candidate has one entry")
}

/// Times and result of one measured run.
struct Run {
    solve: Duration,
    prove: Duration,
    value: i128,
    counters: String,
}

impl Run {
    fn of(problem: &Problem<'_>, solve: impl FnOnce() -> Assignment) -> Self {
        let watch = Stopwatch::start();
        let Assignment { pairs, certificate, counters } = solve();
        let solve = watch.elapsed();
        let watch = Stopwatch::start();
        let verdict = certify(problem, &pairs, &certificate, &Unobserved).expect("not stopped");
        let prove = watch.elapsed();
        assert!(verdict.proved(), "{verdict:?}");
        Self { solve, prove, value: verdict.primal, counters: format!("{counters:?}") }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        write!(f, "{:>8.1}  {:>8.1}  {}", millis(self.solve), millis(self.prove), self.counters)
    }
}
