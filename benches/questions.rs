//! Measures re-runs that follow a run, questions about a solved round, and repairs. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::expect_used, reason = "a bench may stop at the first thing that goes wrong")]

extern crate wim_match;

#[path = "support/synthetic.rs"]
mod synthetic;

use std::sync::Arc;

use synthetic::Shape;
use wim_match::clock::Stopwatch;
use wim_match::domain::review::DecisionKind;
use wim_match::domain::run::{Match, Side, Stage};
use wim_match::domain::snapshot::{FollowedRun, FrozenDecision, Snapshot};
use wim_match::engine::observer::Unobserved;
use wim_match::engine::solved_round::SolvedRound;
use wim_match::engine::{Options, Outcome, repair_round, solve};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of each kind, alternating. The shortest run counts.
const RUNS: usize = 3;
/// Questions of each kind.
const QUESTIONS: usize = 31;
/// One of this number of mentors drops out.
const DROPPED: usize = 100;

fn main() {
    let asked: Vec<String> = std::env::args().filter(|argument| argument.contains('x')).collect();
    let asked = asked.iter().filter_map(|size| size.split_once('x'));
    let asked = asked.filter_map(|(mentees, mentors)| Some((mentees.parse().ok()?, mentors.parse().ok()?)));
    let mut sizes: Vec<(usize, usize)> = asked.collect();
    if sizes.is_empty() {
        sizes = vec![(500, 500), (5_000, 5_000)];
    }
    for (mentees, mentors) in sizes {
        measure(mentees, mentors);
    }
}

fn measure(mentees: usize, mentors: usize) {
    let first = Shape::usual(mentees, mentors).make();
    let solved =
        |snapshot: &Snapshot| solve(snapshot, &Options::default(), &Unobserved).expect("has a result");
    let before = solved(&first);
    let mut plain = first.clone();
    let gone: Vec<_> = before.matches.iter().step_by(DROPPED).map(|pair| pair.mentor.clone()).collect();
    plain.participants.retain(|person| !gone.contains(&person.profile));
    let pairs = before.matches.iter().map(|pair| (pair.mentee.clone(), pair.mentor.clone()));
    let followed = |repaired| FollowedRun {
        number: 1,
        result_digest: String::new(),
        repaired,
        pairs: pairs.clone().collect(),
    };
    let mut following = Snapshot { follows: Some(followed(false)), ..plain.clone() };
    following.sort();
    let mut repaired = Snapshot { follows: Some(followed(true)), ..plain.clone() };
    repaired.sort();
    let mut best = [i64::MAX; 3];
    let mut assigning = i64::MAX;
    let mut kept = [0; 2];
    for _ in 0..RUNS {
        best[0] = best[0].min(timed(|| solved(&plain)).0);
        let (micros, outcome) = timed(|| solved(&following));
        (best[1], kept[0]) = (best[1].min(micros), number_kept(&outcome));
        let (micros, outcome) =
            timed(|| repair_round(&repaired, None, &Options::default(), &Unobserved).expect("has a result"));
        (best[2], kept[1]) = (best[2].min(micros), number_kept(&outcome));
        assigning = assigning.min(micros_of(&outcome, Stage::Assign));
    }
    println!("{mentees} x {mentors}, {} of the mentors with a match have left", gone.len());
    println!("  run that follows none   {:>9} ms", tenths(best[0]));
    println!("  run that follows        {:>9} ms, {} pairs kept", tenths(best[1]), kept[0]);
    println!(
        "  repair                  {:>9} ms, {} pairs kept; the assignment alone {} ms",
        tenths(best[2]),
        kept[1],
        tenths(assigning)
    );
    let prepare = || {
        let (snapshot, options) = (Arc::new(first.clone()), Options::default());
        let (matches, certificate) = (&before.matches, &before.certificate);
        let round = SolvedRound::new(snapshot, matches, certificate, &options, &Unobserved);
        round.expect("not stopped").expect("the matches of the round")
    };
    let (micros, round) = timed(prepare);
    println!("  preparation             {:>9} ms, {} MiB", tenths(micros), round.bytes() >> 20);
    let chosen: Vec<&Match> =
        before.matches.iter().step_by((before.matches.len() / QUESTIONS).max(1)).take(QUESTIONS).collect();
    let what_if = |at: usize, kind: DecisionKind| {
        let (mentee, other) = (chosen[at], chosen[(at + 1) % chosen.len()]);
        let mentor = if kind == DecisionKind::Veto { &mentee.mentor } else { &other.mentor };
        let decision = FrozenDecision {
            mentee: mentee.mentee.clone(),
            mentor: mentor.clone(),
            kind,
            name: String::new(),
        };
        timed(|| round.what_if(&[decision], &[], &Unobserved).expect("not stopped")).0
    };
    report("what-if of a veto", (0..chosen.len()).map(|at| what_if(at, DecisionKind::Veto)).collect());
    report("what-if of a pin", (0..chosen.len()).map(|at| what_if(at, DecisionKind::Pin)).collect());
    for (words, side) in [("alternates of a mentee", Side::Mentee), ("alternates of a mentor", Side::Mentor)]
    {
        let ask = |pair: &&Match| {
            let person = if side == Side::Mentee { &pair.mentee } else { &pair.mentor };
            timed(|| round.alternates(person, side, 5, &Unobserved).expect("not stopped")).0
        };
        report(words, chosen.iter().map(ask).collect());
    }
}

/// Microseconds of a stage.
fn micros_of(outcome: &Outcome, stage: Stage) -> i64 {
    let stages = outcome.summary.whole_round.iter().flat_map(|whole| &whole.stage_micros);
    stages.filter(|(of, _)| *of == stage).map(|(_, micros)| micros).sum()
}

/// Pairs of the followed run that an outcome keeps.
fn number_kept(outcome: &Outcome) -> u64 {
    outcome.summary.followed.map_or(0, |followed| followed.kept)
}

fn report(words: &str, mut micros: Vec<i64>) {
    micros.sort_unstable();
    let median = micros[micros.len() / 2];
    let longest = micros.last().copied().unwrap_or_default();
    println!("  {words:<22}  {:>9} ms at the median, {} ms at most", tenths(median), tenths(longest));
}

fn timed<T>(work: impl FnOnce() -> T) -> (i64, T) {
    let watch = Stopwatch::start();
    let result = work();
    (watch.micros(), result)
}

/// Microseconds as milliseconds with one decimal.
fn tenths(micros: i64) -> String {
    format!("{}.{}", micros / 1_000, micros % 1_000 / 100)
}
