//! The whole engine, from profiles to a proved result with its reasons, stage by stage. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

extern crate wim_match;

#[path = "support/synthetic.rs"]
mod synthetic;

use synthetic::Shape;
use wim_match::clock::Stopwatch;
use wim_match::domain::run::Stage;
use wim_match::engine::problem::Unobserved;
use wim_match::engine::{Options, solve};

/// Runs of each, of which the shortest counts.
const RUNS: usize = 3;

fn main() {
    let asked: Vec<String> = std::env::args().filter(|argument| argument.contains('x')).collect();
    let asked = asked.iter().filter_map(|size| size.split_once('x'));
    let asked = asked.filter_map(|(mentees, mentors)| Some((mentees.parse().ok()?, mentors.parse().ok()?)));
    let mut sizes: Vec<(usize, usize)> = asked.collect();
    if sizes.is_empty() {
        sizes = vec![(1_000, 1_000), (5_000, 5_000)];
    }
    println!(
        "mentees x mentors  whole ms  of it: encode score assign certify explain  pricing rounds  peak MiB"
    );
    for (mentees, mentors) in sizes {
        let snapshot = Shape::usual(mentees, mentors).make();
        let run = || {
            let watch = Stopwatch::start();
            let outcome = solve(&snapshot, &Options::default(), &Unobserved).expect("not stopped");
            (watch.micros(), outcome)
        };
        let (micros, outcome) = (0..RUNS).map(|_| run()).min_by_key(|(micros, _)| *micros).expect("a run");
        assert!(outcome.summary.proof.proved, "the result is not proved");
        let stages = [Stage::Encode, Stage::Score, Stage::Assign, Stage::Certify, Stage::Explain];
        let stages = stages.map(|stage| {
            let stages = &outcome.summary.stage_micros;
            tenths(stages.iter().find(|(at, _)| *at == stage).map_or(0, |(_, micros)| *micros))
        });
        println!(
            "{:>7} x {:<7}  {:>8}  {:>42}  {:>14}  {:>8}",
            outcome.summary.mentees,
            outcome.summary.mentors,
            tenths(micros),
            stages.join(" "),
            outcome.counters.pricing_rounds,
            peak_mebibytes().unwrap_or_default(),
        );
    }
}

/// Milliseconds with one decimal.
fn tenths(micros: i64) -> String {
    format!("{}.{}", micros / 1_000, micros % 1_000 / 100)
}

/// Most memory of this process that was ever resident, where the system tells.
fn peak_mebibytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? / 1_024)
}
