//! How long it takes to solve a problem again after an edit, from the result before, beside solving it from nothing. See
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

/// Runs of each, in turn, of which the shortest counts.
const RUNS: usize = 3;
/// One mentee of so many is edited.
const EDITED: u64 = 100;
/// With this seed, the problem before the edit is that of the peers' bench.
const SEED: u64 = 5;
/// Candidates of each mentee: the best of those that are drawn.
const KEPT: usize = 20;
const DRAWN: u64 = 1024;

fn main() {
    let asked = std::env::args().find_map(|argument| argument.parse().ok());
    let mentees: usize = asked.unwrap_or(1_000_000);
    let market = Market::new(mentees, mentees * 2 / 5);
    let rows = market.rows(SEED * 4 + 1, SEED + 77, |_| true);
    let edits = market.rows(SEED * 4 + 3, SEED + 78, is_edited);
    let edited = rows.iter().zip(&edits).map(|(row, edit)| if edit.is_empty() { row } else { edit });
    let (before, now) = (listed(rows.iter()), listed(edited));
    let (before, now) = (market.problem(&before), market.problem(&now));
    let start = Start::of(&assign(&before, &Unobserved).expect("nobody stops it"));
    println!(
        "{mentees} mentees, {} mentors, {} candidates; {} mentees have other candidates than before",
        market.mentors.len(),
        now.scores.sparse().map_or(0, SparseScores::len),
        edits.iter().filter(|edit| !edit.is_empty()).count(),
    );
    let mut best: [Option<Run>; 2] = [None, None];
    for _ in 0..RUNS {
        let runs = [
            Run::of(&now, || assign(&now, &Unobserved).expect("nobody stops it")),
            Run::of(&now, || assign_from(&now, &start, &Unobserved).expect("nobody stops it")),
        ];
        assert_eq!(runs[0].value, runs[1].value, "both are best, so both are worth the same");
        for (best, run) in best.iter_mut().zip(runs) {
            *best = best.take().into_iter().chain([run]).min_by_key(|run| run.solve + run.prove);
        }
    }
    println!("                 solve ms  prove ms");
    for (from, run) in ["from nothing   ", "from the result"].into_iter().zip(best.iter().flatten()) {
        println!("{from}  {run}");
    }
}

/// Whether a mentee is another person after the edit, who has met other mentors.
fn is_edited(mentee: usize) -> bool {
    below(random(SEED + 55, mentee as u64, 0), EDITED) == 0
}

/// Mentors with one to five seats, and mentees with one place each who have met some of them.
struct Market {
    mentees: Vec<Demand>,
    mentors: Vec<Seats>,
    giving: Vec<Person>,
}

impl Market {
    fn new(mentees: usize, mentors: usize) -> Self {
        let seats = |at: usize| 1 + u32::try_from(below(random(SEED + 9, at as u64, 3), 5)).unwrap_or(0);
        Self {
            mentees: vec![Demand { tier: 0, wanted: 1, pinned: 0 }; mentees],
            mentors: (0..mentors).map(|at| Seats { min: 0, max: seats(at) }).collect(),
            giving: people(mentors, SEED * 4 + 2, true),
        }
    }

    fn problem<'a>(&'a self, scores: &'a SparseScores) -> Problem<'a> {
        Problem { mentees: &self.mentees, mentors: &self.mentors, scores, coverage_first: false }
    }

    /// The candidates of those mentees who are asked for; nothing for the others.
    fn rows(&self, who: u64, met: u64, is_asked: impl Fn(usize) -> bool + Sync) -> Vec<Vec<Edge>> {
        let wanting = people(self.mentees.len(), who, false);
        let rows = wanting.par_iter().enumerate();
        let row =
            |(mentee, person)| if is_asked(mentee) { self.best(person, mentee, met) } else { Vec::new() };
        rows.map(row).collect()
    }

    /// The best of those mentors whom the stream of `seed` draws for a mentee; equals by a hash of the pair.
    fn best(&self, person: &Person, mentee: usize, seed: u64) -> Vec<Edge> {
        let drawn = (0..DRAWN).map(|draw| below(random(seed, mentee as u64, draw), self.giving.len() as u64));
        let mut found: Vec<(i32, u64, u32)> = drawn
            .filter_map(|mentor| {
                let to = u32::try_from(mentor).ok()?;
                let score = profile_score(person, &self.giving[to as usize]).filter(|score| *score > 0)?;
                let pair = (mentee as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(mentor);
                Some((score, people::mix(pair) >> 24, to))
            })
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup();
        found.iter().take(KEPT).map(|&(score, _, to)| Edge { to, score }).collect()
    }
}

/// The list of rows.
fn listed<'a>(rows: impl Iterator<Item = &'a Vec<Edge>>) -> SparseScores {
    let (mut starts, mut arcs) = (vec![0], Vec::new());
    for row in rows {
        arcs.extend_from_slice(row);
        starts.push(arcs.len());
    }
    SparseScores::new(starts, arcs, &Unobserved).expect("every candidate is listed once")
}

/// A measured solve.
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
        let verdict = certify(problem, &pairs, &certificate, &Unobserved).expect("nobody stops it");
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
