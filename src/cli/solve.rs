//! `wim-match solve` and `wim-match verify`: the engine for problems and scores that somebody brings, without any service.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::output::{align_right, data, table};
use super::{Failure, Global};
use crate::clock::Stopwatch;
use crate::domain::policy::Objective;
use crate::domain::run::Stage;
use crate::engine::objective::{self, Check, Evidence, Solution};
use crate::engine::pool;
use crate::engine::problem::{Observer, Problem, Stopped, Unobserved};
use crate::engine::totals::Totals;
use crate::instance::{self, Instance, Names, Violation, Violations};

/// Where the problem is.
#[derive(Debug, Args)]
struct Source {
    /// The problem in the binary format of the assignment benches (.mm).
    #[arg(long, value_name = "FILE", required_unless_present = "mentees", conflicts_with_all = ["mentees", "mentors", "scores"])]
    instance: Option<PathBuf>,
    /// The mentees as CSV: mentee, and if wanted tier (0 first) and wanted (mentors, 0 to 2).
    #[arg(long, value_name = "FILE", requires_all = ["mentors", "scores"])]
    mentees: Option<PathBuf>,
    /// The mentors as CSV: mentor, and if wanted max (seats) and min.
    #[arg(long, value_name = "FILE", requires = "mentees")]
    mentors: Option<PathBuf>,
    /// The candidates as CSV: mentee, mentor, score.
    #[arg(long, value_name = "FILE", requires = "mentees")]
    scores: Option<PathBuf>,
    /// Threads to work on [default: one per core]. The result does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct SolveOptions {
    #[command(flatten)]
    source: Source,
    /// What to be best at [default: total for .mm files that do not ask for coverage, else best-total].
    #[arg(long, value_enum)]
    objective: Option<Aim>,
    /// Write the pairs as CSV.
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
    /// Write the proof as JSON; docs/certificate.md says how to check it yourself.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct VerifyOptions {
    #[command(flatten)]
    source: Source,
    /// What the pairs are said to be best at [default: as `solve` takes it].
    #[arg(long, value_enum)]
    objective: Option<Aim>,
    /// The pairs, as `solve --pairs` writes them.
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// The proof, as `solve --certificate` writes it.
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
}

/// An objective as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Aim {
    /// As many people as possible, by tier; then minimum places, second mentors, and the total score.
    BestTotal,
    /// As many people as possible, then the best possible worst pair, then the total score.
    Fairest,
    /// No two people who would both rather be with each other.
    Stable,
    /// The greatest total score, after minimum places; to be unmatched is worth 0.
    Total,
}

impl Aim {
    fn objective(self) -> Objective {
        match self {
            Self::BestTotal | Self::Total => Objective::BestTotal,
            Self::Fairest => Objective::Fairest,
            Self::Stable => Objective::Stable,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            other => other.objective().as_str(),
        }
    }

    /// The aim chosen, or else the one that the instance asks for; and the instance told so.
    fn of(chosen: Option<Self>, instance: &mut Instance) -> Self {
        let aim = chosen.unwrap_or(if instance.coverage_first { Self::BestTotal } else { Self::Total });
        instance.coverage_first = aim != Self::Total;
        aim
    }
}

pub(super) async fn solve(options: SolveOptions, global: &Global) -> Result<(), Failure> {
    let json = global.json;
    tokio::task::spawn_blocking(move || solve_now(&options, json)).await.map_err(anyhow::Error::from)?
}

pub(super) async fn verify(options: VerifyOptions, global: &Global) -> Result<(), Failure> {
    let json = global.json;
    tokio::task::spawn_blocking(move || verify_now(&options, json)).await.map_err(anyhow::Error::from)?
}

fn solve_now(options: &SolveOptions, json: bool) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let mut instance = options.source.read()?;
    let aim = Aim::of(options.objective, &mut instance);
    let read = watch.elapsed();
    if options.pairs.is_some() && options.pairs == options.certificate {
        return Err(Failure::input("--pairs and --certificate are one file", "name two files"));
    }
    let pairs = Output::begin(options.pairs.as_ref())?;
    let certificate = Output::begin(options.certificate.as_ref())?;
    let problem = instance.problem();
    let bar = Bar::new();
    let (answer, threads) = pool::on_threads(options.source.threads.map(usize::from), || {
        (Answer::of(&problem, aim, &bar), pool::threads())
    });
    bar.0.finish_and_clear();
    // The bar never stops the engine.
    let answer = answer.map_err(|stopped| anyhow::anyhow!(stopped))?;
    let Solution { pairs: found, evidence, .. } = &answer.solution;
    if let Some(told) = unproved(&answer.check, evidence, &instance.names) {
        [pairs, certificate].into_iter().flatten().for_each(Output::discard);
        return Err(anyhow::anyhow!("{told}; this is a defect of the solver, and nothing was written").into());
    }
    if let Some(mut output) = pairs {
        instance::csv::write_pairs(&instance, found, &mut output.sink).map_err(anyhow::Error::from)?;
        output.finish()?;
    }
    if let Some(mut output) = certificate {
        instance::proof::export(&instance, evidence, &mut output.sink).map_err(anyhow::Error::from)?;
        output.finish()?;
    }
    let report = Report { instance: &instance, aim, answer: &answer, read, threads };
    if json { report.json() } else { report.print() }
}

fn verify_now(options: &VerifyOptions, json: bool) -> Result<(), Failure> {
    let mut instance = options.source.read()?;
    let aim = Aim::of(options.objective, &mut instance);
    let pairs = instance::csv::read_pairs(&instance, open(&options.pairs)?)
        .map_err(|wrong| refuse("the pairs", &wrong))?;
    let text =
        fs::read_to_string(&options.certificate).map_err(|error| unreadable(&options.certificate, &error))?;
    let evidence =
        instance::proof::import(&instance, &text).map_err(|wrong| refuse("the proof", &wrong.into()))?;
    if evidence.objective() != aim.objective() {
        let what = format!("proves {}, not {}", evidence.objective().as_str(), aim.name());
        return Err(refuse("the proof", &Violation { place: "certificate".to_owned(), what }.into()));
    }
    let problem = instance.problem();
    let check = pool::on_threads(options.source.threads.map(usize::from), || {
        objective::check(&problem, &pairs, &evidence, None, &Unobserved)
    });
    let check = check.map_err(|stopped| anyhow::anyhow!(stopped))?;
    let told = unproved(&check, &evidence, &instance.names);
    let broken = check.feasible.as_ref().err().map(|broken| instance.names.told(broken));
    if json {
        let score = check.feasible.is_ok().then(|| Totals::of(&problem, &pairs).score);
        let answer = json!({
            "proved": check.proved, "broken_rule": broken, "objective": score, "gap": check.gap.to_string(),
            "pairs": pairs.len(), "candidates": check.candidates, "blocking_pairs": check.blocking_pairs,
        });
        data(&answer.to_string())?;
    } else if check.proved {
        data(&format!(
            "proved: no assignment is better at {} over all {} candidates",
            aim.name(),
            check.candidates
        ))?;
    }
    match told {
        None => Ok(()),
        Some(told) => Err(Failure::input(
            told,
            "the pairs and the proof must be those of one solve of this very problem",
        )),
    }
}

/// What is told of a result that is not proved; nothing if it is.
fn unproved(check: &Check, evidence: &Evidence, names: &Names) -> Option<String> {
    match (&check.feasible, evidence) {
        _ if check.proved => None,
        (Err(broken), _) => Some(format!(
            "the pairs break a rule, or the proof has not the right form: {}",
            names.told(broken)
        )),
        (Ok(()), Evidence::Stable) => Some(format!(
            "not stable: {} candidates would both rather be with each other",
            check.blocking_pairs
        )),
        (Ok(()), _) if check.gap != 0 => {
            Some(format!("not proved: an assignment might be better by {}", check.gap))
        }
        (Ok(()), _) => {
            Some("not proved: more people might be served, or the worst pair might be better".to_owned())
        }
    }
}

/// A file that is written beside its place, and put there whole.
struct Output<'a> {
    file: &'a Path,
    part: PathBuf,
    sink: BufWriter<File>,
}

impl<'a> Output<'a> {
    /// Begins to write, so that a place that cannot be written is found before any work is done.
    fn begin(file: Option<&'a PathBuf>) -> Result<Option<Self>, Failure> {
        let Some(file) = file else { return Ok(None) };
        let mut part = file.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let sink = File::create(&part).map_err(|error| unwritable(file, &error))?;
        Ok(Some(Self { file, part, sink: BufWriter::new(sink) }))
    }

    fn finish(mut self) -> Result<(), Failure> {
        let written = self.sink.flush().and_then(|()| fs::rename(&self.part, self.file));
        written.map_err(|error| unwritable(self.file, &error))
    }

    fn discard(self) {
        // What is left behind is named `.part` and does no harm.
        let _ = fs::remove_file(&self.part);
    }
}

fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::input(format!("{} cannot be written: {error}", file.display()), "choose another file")
}

impl Source {
    fn read(&self) -> Result<Instance, Failure> {
        let read = match (&self.instance, &self.mentees, &self.mentors, &self.scores) {
            (Some(file), ..) => {
                let source = File::open(file).map_err(|error| unreadable(file, &error))?;
                let length = source.metadata().map_err(|error| unreadable(file, &error))?.len();
                instance::mm::read(source, length)
            }
            (None, Some(mentees), Some(mentors), Some(scores)) => {
                instance::csv::read(open(mentees)?, open(mentors)?, open(scores)?)
            }
            _ => Err(Violation { place: "arguments".to_owned(), what: "name the problem".to_owned() }.into()),
        };
        read.map_err(|wrong| refuse("the problem", &wrong))
    }
}

fn open(file: &Path) -> Result<instance::csv::File<BufReader<File>>, Failure> {
    let bytes = File::open(file).map_err(|error| unreadable(file, &error))?;
    Ok(instance::csv::File { name: file.display().to_string(), bytes: BufReader::new(bytes) })
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::input(format!("{}: {error}", file.display()), "check the name of the file")
}

fn refuse(what: &str, wrong: &Violations) -> Failure {
    let mut message = format!("{what} cannot be read:");
    for violation in &wrong.listed {
        message += &["\n  ", &violation.to_string()].concat();
    }
    if wrong.more > 0 {
        message += &["\n  and ", &wrong.more.to_string(), " more"].concat();
    }
    Failure::input(message, "")
}

/// A solution, checked and measured.
struct Answer {
    solution: Solution,
    totals: Totals,
    check: Check,
    blocking_pairs: u64,
    solve: Duration,
    prove: Duration,
}

impl Answer {
    fn of(problem: &Problem<'_>, aim: Aim, observer: &dyn Observer) -> Result<Self, Stopped> {
        let watch = Stopwatch::start();
        let solution = objective::solve(problem, aim.objective(), None, observer)?;
        let solve = watch.elapsed();
        let watch = Stopwatch::start();
        let check = objective::check(problem, &solution.pairs, &solution.evidence, None, observer)?;
        let prove = watch.elapsed();
        let blocking_pairs = match solution.evidence {
            Evidence::Stable => check.blocking_pairs,
            _ => objective::blocking_pairs(problem, &solution.pairs, None, observer)?,
        };
        Ok(Self { totals: solution.totals(problem), solution, check, blocking_pairs, solve, prove })
    }
}

/// What is told of an answer.
struct Report<'a> {
    instance: &'a Instance,
    aim: Aim,
    answer: &'a Answer,
    read: Duration,
    threads: usize,
}

impl Report<'_> {
    fn json(&self) -> Result<(), Failure> {
        let Answer { solution, totals, check, blocking_pairs, solve, prove } = self.answer;
        let mut told = json!({
            "objective": totals.score,
            "aim": self.aim.name(),
            "matched": totals.pairs,
            "proved": check.proved,
            "gap": number(check.gap),
            "threads": self.threads,
            "seconds": {
                "read": self.read.as_secs_f64(),
                "solve": solve.as_secs_f64(),
                "prove": prove.as_secs_f64(),
            },
            "counters": solution.counters,
            "mentees": self.instance.mentees.len(),
            "mentors": self.instance.mentors.len(),
            "candidates": check.candidates,
            "worst": totals.worst,
            "people": totals.people,
            "blocking_pairs": blocking_pairs,
        });
        if let (Some(price), Some(fields)) = (solution.price_of_fairness(), told.as_object_mut()) {
            fields.insert("price_of_fairness".to_owned(), json!(price));
            fields.insert("frontier".to_owned(), json!(solution.frontier));
        }
        Ok(data(&told.to_string())?)
    }

    fn print(&self) -> Result<(), Failure> {
        let Answer { solution, totals, check, blocking_pairs, solve, prove } = self.answer;
        let mut lines = vec![
            ("aim", self.aim.name().to_owned()),
            ("problem", {
                let (mentees, mentors) = (self.instance.mentees.len(), self.instance.mentors.len());
                format!("{mentees} mentees, {mentors} mentors, {} candidates", check.candidates)
            }),
            ("total score", totals.score.to_string()),
            ("pairs", totals.pairs.to_string()),
        ];
        for (tier, served) in &totals.people.tiers {
            let all = self.instance.mentees.iter().filter(|demand| demand.tier == *tier).count();
            lines.push(("mentees with a mentor", format!("{served} of {all} in tier {tier}")));
        }
        lines.push(("second mentors", totals.people.second_mentors.to_string()));
        lines.push(("minimum places filled", totals.people.minimum_places.to_string()));
        lines.push(("worst pair", totals.worst.map_or_else(|| "none".to_owned(), |worst| worst.to_string())));
        lines.push(("blocking pairs", blocking_pairs.to_string()));
        if let Some(price) = solution.price_of_fairness() {
            lines.push(("price of fairness", format!("{price} points of the total")));
        }
        lines.push((
            "proof",
            match (&solution.evidence, check.proved) {
                (_, false) => format!("NOT proved, gap {}", check.gap),
                (Evidence::Stable, true) => "no candidates block it".to_owned(),
                (_, true) => format!("proved over all {} candidates, gap 0", check.candidates),
            },
        ));
        let [read, solve, prove] =
            [self.read, *solve, *prove].map(|time| format!("{:.3} s", time.as_secs_f64()));
        lines.push((
            "time",
            format!("read {read}, solve {solve}, prove {prove}, on {} threads", self.threads),
        ));
        let counters = &solution.counters;
        lines.push((
            "work",
            format!(
                "{} bids, {} searches, {} phases, {} scans, {} pairs looked at, {} pricing rounds",
                counters.bids,
                counters.searches + counters.reverse_searches,
                counters.phases,
                counters.scans,
                counters.arcs,
                counters.pricing_rounds
            ),
        ));
        let mut rows = table(&[]);
        for (what, value) in lines {
            rows.add_row([what.to_owned(), value]);
        }
        data(&rows.to_string())?;
        if solution.frontier.len() > 1 {
            let mut steps = table(&["worst pair", "total score", "given up"]);
            let best = solution.frontier.first().map_or(0, |first| first.total);
            for step in &solution.frontier {
                steps.add_row([
                    step.worst.to_string(),
                    step.total.to_string(),
                    (best - step.total).to_string(),
                ]);
            }
            align_right(&mut steps, &[0, 1, 2]);
            data(&format!("\nWhat fairness costs, step by step:\n{steps}"))?;
        }
        Ok(())
    }
}

/// A number of any width as JSON: programs that read 64 bits only get the others as text.
fn number(value: i128) -> serde_json::Value {
    i64::try_from(value).map_or_else(|_| json!(value.to_string()), |value| json!(value))
}

/// Shows what the engine is doing, if somebody is looking.
struct Bar(ProgressBar, Mutex<Option<Stage>>);

impl Bar {
    fn new() -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{msg:10} {bar:30} {pos}/{len}") {
            bar.set_style(style);
        }
        Self(bar, Mutex::new(None))
    }
}

impl Observer for Bar {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        if self.0.is_hidden() {
            return;
        }
        if let Ok(mut shown) = self.1.lock()
            && *shown != Some(stage)
        {
            *shown = Some(stage);
            self.0.set_message(stage.as_str());
        }
        self.0.set_length(total);
        self.0.set_position(done);
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}
