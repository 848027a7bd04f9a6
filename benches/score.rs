//! Measures pairs per second of the dense pass, by instruction level: all hard rules and all criteria of the default policy.
//! The pass stores the best 32 mentors of each mentee, not all scores. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::cast_precision_loss, reason = "the figures are printed with few digits")]

extern crate wim_match;

#[path = "support/synthetic.rs"]
mod synthetic;

use std::hint::black_box;
use std::time::Duration;

use synthetic::Shape;
use wim_match::clock::Stopwatch;
use wim_match::engine::assign::row_prefixes;
use wim_match::engine::cpu::Cpu;
use wim_match::engine::encode::Round;
use wim_match::engine::observer::Unobserved;
use wim_match::engine::problem::{Demand, Problem, Seats};
use wim_match::engine::score::Scores;

/// Mentors stored per mentee, as in the solver.
const KEPT: usize = 32;
/// Runs of each kind. The shortest run counts.
const RUNS: usize = 5;

fn main() {
    let sizes: Vec<(usize, usize)> = std::env::args().filter_map(|argument| size(&argument)).collect();
    let sizes = if sizes.is_empty() { [1_000, 5_000, 10_000].map(|both| (both, both)).into() } else { sizes };
    println!("mentees x mentors  encode ms  lay out ms  level     score + best {KEPT} ms  Gpair/s");
    for (mentees, mentors) in sizes {
        let snapshot = Shape::usual(mentees, mentors).make();
        let (encode, round) = shortest(|| Round::encode(&snapshot, &Unobserved).expect("not stopped"));
        let (lay_out, _) = shortest(|| Scores::new(&round, &Unobserved).expect("not stopped"));
        let mentees = vec![Demand { wanted: 1, ..Demand::default() }; round.mentees.len()];
        let mentors = vec![Seats { min: 0, max: 1 }; round.mentors.len()];
        for cpu in Cpu::levels() {
            let scores = Scores::new(&round, &Unobserved).expect("not stopped").on(cpu);
            let problem =
                Problem { mentees: &mentees, mentors: &mentors, scores: &scores, coverage_first: true };
            let (time, _) = shortest(|| row_prefixes(&problem, KEPT, &Unobserved).expect("not stopped"));
            let pairs = mentees.len() as f64 * mentors.len() as f64;
            println!(
                "{:>7} x {:<7}  {:>9.1}  {:>10.1}  {:<8}  {:>18.1}  {:>7.2}",
                mentees.len(),
                mentors.len(),
                millis(encode),
                millis(lay_out),
                cpu.to_string(),
                millis(time),
                pairs / time.as_secs_f64() / 1e9,
            );
        }
    }
}

/// Parses a size: `10000` people on each side, or `5000x20000`.
fn size(argument: &str) -> Option<(usize, usize)> {
    let (mentees, mentors) = argument.split_once('x').unwrap_or((argument, argument));
    Some((mentees.parse().ok()?, mentors.parse().ok()?))
}

fn shortest<T>(work: impl Fn() -> T) -> (Duration, T) {
    let run = || {
        let watch = Stopwatch::start();
        let result = black_box(work());
        (watch.elapsed(), result)
    };
    let (mut least, mut result) = run();
    for _ in 1..RUNS {
        let (time, next) = run();
        least = least.min(time);
        result = next;
    }
    (least, result)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
