//! Measures the whole engine stage by stage, from profiles to a proved result with its reasons. See `benches/README.md`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its table and its progress")]

extern crate wim_match;

#[path = "support/synthetic.rs"]
mod synthetic;

use std::sync::Mutex;

use synthetic::Shape;
use wim_match::clock::Stopwatch;
use wim_match::domain::run::Stage;
use wim_match::engine::observer::Observer;
use wim_match::engine::{Options, solve};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of each size. The shortest run counts. A round of more than [`MANY`] pairs runs once.
const RUNS: usize = 3;
/// Number of pairs above which a round runs once and prints its progress.
const MANY: usize = 4_000_000_000;

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
            let progress = PrintedProgress {
                watch: Stopwatch::start(),
                last: Mutex::default(),
                is_long: mentees * mentors > MANY,
            };
            let outcome = solve(&snapshot, &Options::default(), &progress).expect("not stopped");
            (watch.micros(), outcome)
        };
        let (micros, outcome) = (0..if mentees * mentors > MANY { 1 } else { RUNS })
            .map(|_| run())
            .min_by_key(|(micros, _)| *micros)
            .expect("a run");
        assert!(outcome.summary.proof.proved, "the result is not proved");
        let stages = [Stage::Encode, Stage::Score, Stage::Assign, Stage::Certify, Stage::Explain];
        let stages = stages.map(|stage| {
            let stages =
                &outcome.summary.whole_round.as_ref().expect("numbers for coordinators").stage_micros;
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

/// Prints the progress of a long run to standard error, once for every tenth of a stage.
struct PrintedProgress {
    watch: Stopwatch,
    last: Mutex<Option<(Stage, u64)>>,
    is_long: bool,
}

impl Observer for PrintedProgress {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        let tenths = (done * 10).checked_div(total).unwrap_or_default();
        if !self.is_long
            || self.last.lock().expect("not poisoned").replace((stage, tenths)) == Some((stage, tenths))
        {
            return;
        }
        eprintln!("{:>6} s  {}  {}0 %", self.watch.elapsed().as_secs(), stage.as_str(), tenths);
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Microseconds as milliseconds with one decimal.
fn tenths(micros: i64) -> String {
    format!("{}.{}", micros / 1_000, micros % 1_000 / 100)
}

/// Maximum resident memory of this process, if the system reports it.
fn peak_mebibytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? / 1_024)
}
