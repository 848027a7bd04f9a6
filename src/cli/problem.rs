//! The problem that `solve`, `verify`, `repair`, `what-if` and `diagnose` are about: where it is, what it is to be best at,
//! and how it, its result and what is wrong with either go in and out.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::Failure;
use crate::domain::policy::Objective;
use crate::domain::run::Stage;
use crate::engine::assign::Start;
use crate::engine::constrained::Constrained;
use crate::engine::objective::Evidence;
use crate::engine::observer::{Observer, Stopped, Unobserved};
use crate::engine::pool;
use crate::instance::{self, Instance, InstanceError, Violation, Violations};

/// People who are listed at most where a sentence is about them.
const LISTED: usize = 20;

/// Where the problem is, and what it is to be best at.
#[derive(Debug, Args)]
pub(super) struct Source {
    /// The problem in the binary format of the assignment benches (.mm).
    #[arg(long, value_name = "FILE", required_unless_present = "mentees", conflicts_with_all = ["mentees", "mentors", "scores"])]
    instance: Option<PathBuf>,
    /// The mentees as CSV: mentee, and if wanted tier (0 first), wanted (mentors, 0 to 2) and group.
    #[arg(long, value_name = "FILE", requires_all = ["mentors", "scores"])]
    mentees: Option<PathBuf>,
    /// The mentors as CSV: mentor, and if wanted max (places), min and group.
    #[arg(long, value_name = "FILE", requires = "mentees")]
    mentors: Option<PathBuf>,
    /// The candidates as CSV: mentee, mentor, score.
    #[arg(long, value_name = "FILE", requires = "mentees")]
    scores: Option<PathBuf>,
    /// Pins and vetoes as CSV, with --mentees only: mentee, mentor, decision (pin or veto).
    #[arg(long, value_name = "FILE", requires = "mentees")]
    decisions: Option<PathBuf>,
    /// Groups as CSV, with --mentees only: group, side (mentees or mentors), and if wanted parent (the group around it), min and max (pairs).
    #[arg(long, value_name = "FILE", requires = "mentees")]
    groups: Option<PathBuf>,
    /// What pairs are to be best at [default: total for .mm files that do not ask for coverage, else best-total].
    #[arg(long, value_enum)]
    objective: Option<Aim>,
    /// Threads to work on [default: one per core]. The result does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// An objective as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Aim {
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
    pub(super) fn objective(self) -> Objective {
        match self {
            Self::BestTotal | Self::Total => Objective::BestTotal,
            Self::Fairest => Objective::Fairest,
            Self::Stable => Objective::Stable,
        }
    }

    pub(super) fn name(self) -> &'static str {
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

impl Source {
    /// The problem, and what it is to be best at.
    pub(super) fn read(&self) -> Result<(Instance, Aim), Failure> {
        if self.threads.is_none() {
            pool::wake();
        }
        let read = match (&self.instance, &self.mentees, &self.mentors, &self.scores) {
            (Some(file), ..) => {
                let source = File::open(file).map_err(|error| unreadable(file, &error))?;
                let length = source.metadata().map_err(|error| unreadable(file, &error))?.len();
                instance::mm::read(source, length)
            }
            (None, Some(mentees), Some(mentors), Some(scores)) => {
                let open_if = |file: &Option<PathBuf>| file.as_deref().map(open).transpose();
                instance::csv::read(instance::csv::Files {
                    mentees: open(mentees)?,
                    mentors: open(mentors)?,
                    scores: open(scores)?,
                    decisions: open_if(&self.decisions)?,
                    groups: open_if(&self.groups)?,
                })
            }
            _ => Err(Violation { place: "arguments".to_owned(), what: "name the problem".to_owned() }.into()),
        };
        let mut instance = read.map_err(|wrong| refuse("the problem cannot be read", &wrong))?;
        let aim = Aim::of(self.objective, &mut instance);
        Ok((instance, aim))
    }

    /// Works on the threads that were asked for, and returns how many those are.
    pub(super) fn work<T: Send, E: Send>(
        &self,
        work: impl FnOnce(&dyn Observer) -> Result<T, E> + Send,
    ) -> Result<(T, usize), E> {
        let bar = Bar::new();
        let (done, threads) =
            pool::on_threads(self.threads.map(usize::from), || (work(&bar), pool::threads()));
        bar.0.finish_and_clear();
        Ok((done?, threads))
    }
}

/// The problem with what people have decided about it, if that goes with the aim.
pub(super) fn constrained(instance: &Instance, aim: Aim) -> Result<Constrained<'_>, Failure> {
    instance.constrained(aim.objective(), &Unobserved).map_err(|error| match error {
        InstanceError::Refused(wrong) => {
            refuse(&format!("the problem cannot be solved for {}", aim.name()), &wrong)
        }
        InstanceError::Stopped(stopped) => self::stopped(stopped),
    })
}

/// The failure of an operation that was stopped. The progress bar never stops one.
pub(super) fn stopped(stopped: Stopped) -> Failure {
    anyhow::anyhow!(stopped).into()
}

/// The same for a command that knows prices of people and none of groups.
pub(super) fn constrained_alone<'a>(
    command: &str,
    instance: &'a Instance,
    aim: Aim,
) -> Result<Constrained<'a>, Failure> {
    let constrained = constrained(instance, aim)?;
    if constrained.starts_warm() {
        return Ok(constrained);
    }
    let what = format!("{command} goes with best-total and total, and with no groups");
    Err(Failure::input(what, "leave out --groups and the column `group`, or choose another --objective"))
}

/// A result with its proof.
#[derive(Debug, Args)]
pub(super) struct Solved {
    /// The pairs, as `solve --pairs` writes them.
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// Their proof, as `solve --certificate` writes it.
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
}

impl Solved {
    /// The pairs and what proves them.
    pub(super) fn read(&self, instance: &Instance, aim: Aim) -> Result<(Vec<(u32, u32)>, Evidence), Failure> {
        Ok((read_pairs(instance, &self.pairs)?, read_proof(instance, aim, &self.certificate)?))
    }
}

/// Pairs of a problem, as `solve --pairs` writes them.
fn read_pairs(instance: &Instance, file: &Path) -> Result<Vec<(u32, u32)>, Failure> {
    instance::csv::read_pairs(instance, open(file)?)
        .map_err(|wrong| refuse("the pairs cannot be read", &wrong))
}

/// The proof of a result of a problem, as `solve --certificate` writes it.
fn read_proof(instance: &Instance, aim: Aim, file: &Path) -> Result<Evidence, Failure> {
    let refuse = |wrong: Violation| refuse("the proof cannot be read", &wrong.into());
    let evidence = instance::proof::import(instance, &text_of(file)?).map_err(refuse)?;
    if evidence.objective() != aim.objective() {
        let what = format!("proves {}, not {}", evidence.objective().as_str(), aim.name());
        return Err(refuse(Violation { place: "certificate".to_owned(), what }));
    }
    Ok(evidence)
}

/// An earlier result to start from, of the same or of other people.
pub(super) fn read_start(instance: &Instance, pairs: &Path, certificate: &Path) -> Result<Start, Failure> {
    let (pairs, _) = read_known_pairs(instance, pairs)?;
    let text = text_of(certificate)?;
    instance::proof::start(instance, pairs, &text)
        .map_err(|wrong| refuse("the earlier proof cannot be read", &wrong.into()))
}

/// The pairs of an earlier result whose people are all still there, and how many others it has.
pub(super) fn read_known_pairs(instance: &Instance, file: &Path) -> Result<(Vec<(u32, u32)>, u64), Failure> {
    instance::csv::read_known_pairs(instance, open(file)?)
        .map_err(|wrong| refuse("the earlier pairs cannot be read", &wrong))
}

/// The text of a file.
pub(super) fn text_of(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| unreadable(file, &error))
}

/// A file that is written beside its place, and put there whole; or not at all, if it is dropped before.
pub(super) struct Output<'a> {
    file: &'a Path,
    part: PathBuf,
    pub(super) sink: BufWriter<File>,
}

impl<'a> Output<'a> {
    /// Begins to write, so that a place that cannot be written is found before any work is done.
    pub(super) fn begin(file: Option<&'a PathBuf>) -> Result<Option<Self>, Failure> {
        let Some(file) = file else { return Ok(None) };
        let mut part = file.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let sink = File::create(&part).map_err(|error| unwritable(file, &error))?;
        Ok(Some(Self { file, part, sink: BufWriter::new(sink) }))
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let written = self.sink.flush().and_then(|()| fs::rename(&self.part, self.file));
        written.map_err(|error| unwritable(self.file, &error))
    }
}

impl Drop for Output<'_> {
    fn drop(&mut self) {
        // Nothing is there once it is finished; what is left behind otherwise is named `.part` and does no harm.
        let _ = fs::remove_file(&self.part);
    }
}

fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::input(format!("{} cannot be written: {error}", file.display()), "choose another file")
}

/// A file of rows.
pub(super) fn open(file: &Path) -> Result<instance::csv::File<BufReader<File>>, Failure> {
    let bytes = File::open(file).map_err(|error| unreadable(file, &error))?;
    Ok(instance::csv::File { name: file.display().to_string(), bytes: BufReader::new(bytes) })
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::input(format!("{}: {error}", file.display()), "check the name of the file")
}

/// Everything wrong with what was brought.
pub(super) fn refuse(what: &str, wrong: &Violations) -> Failure {
    let mut message = format!("{what}:");
    for violation in &wrong.listed {
        message += &["\n  ", &violation.to_string()].concat();
    }
    if wrong.more > 0 {
        message += &["\n  and ", &wrong.more.to_string(), " more"].concat();
    }
    Failure::input(message, "")
}

/// The names of people, sorted.
pub(super) fn named(people: &[u32], name: impl Fn(usize) -> String) -> Vec<String> {
    let mut names: Vec<String> = people.iter().map(|at| name(*at as usize)).collect();
    names.sort_unstable();
    names
}

/// Some of these names, and how many more there are.
pub(super) fn some(names: &[String]) -> String {
    let listed = names.get(..LISTED).unwrap_or(names).join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// A number of any width as JSON: programs that read 64 bits only get the others as text.
pub(super) fn number(value: i128) -> serde_json::Value {
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
