//! The problem of `solve`, `verify`, `repair`, `what-if` and `diagnose`: its files, its objective, its results and proofs as
//! files, and the errors of all of them.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::json;

use super::failure::Failure;
use crate::client::output::tell;
use crate::client::{private, progress};
use crate::domain::message::Message;
use crate::domain::policy::Objective;
use crate::domain::run::Stage;
use crate::domain::violation::{Violation, Violations};
use crate::domain::vocabulary::Lang;
use crate::engine::assign::Start;
use crate::engine::constrained::Constrained;
use crate::engine::observer::{Observer, Stopped, Unobserved};
use crate::engine::pool;
use crate::engine::solution::Evidence;
use crate::instance::{self, Instance, InstanceError};
use crate::table::Note;
use crate::{message, wording};

/// Most people listed in one sentence.
const LISTED: usize = 20;

/// The files of a problem, and its objective.
#[derive(Debug, Args)]
pub(super) struct Source {
    /// The problem in the binary format .mm, which src/instance/mm.rs describes.
    #[arg(long, value_name = "FILE", required_unless_present = "mentees", conflicts_with_all = ["mentees", "mentors", "scores"])]
    instance: Option<PathBuf>,
    /// The mentees as CSV with the column mentee; optional are tier (0 is served first), wanted (number of mentors, 0 to 2) and group.
    #[arg(long, value_name = "FILE", requires_all = ["mentors", "scores"])]
    mentees: Option<PathBuf>,
    /// The mentors as CSV with the column mentor; optional are max (places), min (places to fill) and group.
    #[arg(long, value_name = "FILE", requires = "mentees")]
    mentors: Option<PathBuf>,
    /// The candidates as CSV with the columns mentee, mentor and score.
    #[arg(long, value_name = "FILE", requires = "mentees")]
    scores: Option<PathBuf>,
    /// Pins and vetoes as CSV with the columns mentee, mentor and decision (pin or veto); requires --mentees.
    #[arg(long, value_name = "FILE", requires = "mentees")]
    decisions: Option<PathBuf>,
    /// Groups as CSV with the columns group and side (mentees or mentors); optional are parent (the enclosing group), min and max (pairs); requires --mentees.
    #[arg(long, value_name = "FILE", requires = "mentees")]
    groups: Option<PathBuf>,
    /// Objective of the assignment [default: best-total; total for a .mm file whose header has bit 0 of its flags at 0].
    #[arg(long, value_enum)]
    objective: Option<Aim>,
    /// Number of threads [default: one per core]; the result does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// An objective as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Aim {
    /// As many mentees as possible by tier, then minimum places, then second mentors, then the greatest total score.
    BestTotal,
    /// As many mentees as best-total, then the greatest score of the worst pair, then the greatest total score.
    Fairest,
    /// No blocking pair: no two people prefer each other to their partners.
    Stable,
    /// As many minimum places as possible, then the greatest total score; an unmatched mentee counts 0.
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

    /// The spelling of the option.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::BestTotal => "best-total",
            Self::Fairest => "fairest",
            Self::Stable => "stable",
            Self::Total => "total",
        }
    }

    /// The chosen aim, or the default of the instance. The flag of the instance is set to match.
    fn of(chosen: Option<Self>, instance: &mut Instance) -> Self {
        let aim = chosen.unwrap_or(if instance.coverage_first { Self::BestTotal } else { Self::Total });
        instance.coverage_first = aim != Self::Total;
        aim
    }
}

impl Source {
    /// Reads the problem and its objective.
    pub(super) fn read(&self, lang: Lang) -> Result<(Instance, Aim), Failure> {
        let mut notes = Vec::new();
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
                instance::csv::read(
                    instance::csv::Files {
                        mentees: open(mentees)?,
                        mentors: open(mentors)?,
                        scores: open(scores)?,
                        decisions: open_if(&self.decisions)?,
                        groups: open_if(&self.groups)?,
                    },
                    &mut notes,
                )
            }
            _ => Err(Violation::new("arguments", message!("name the files of the problem")).into()),
        };
        tell_notes(&notes, lang);
        let mut instance = read.map_err(|wrong| {
            let count = wrong.count();
            let what = match &self.instance {
                Some(file) => message!(
                    "the problem file {file} has {count|1 error|{count} errors}",
                    file = file.display().to_string(),
                    count = count
                ),
                None => message!("the problem files have {count|1 error|{count} errors}", count = count),
            };
            refuse(what, &wrong)
        })?;
        let aim = Aim::of(self.objective, &mut instance);
        Ok((instance, aim))
    }

    /// Executes `work` on the requested threads, and returns its result with the number of threads.
    pub(super) fn work<T: Send, E: Send>(
        &self,
        lang: Lang,
        work: impl FnOnce(&dyn Observer) -> Result<T, E> + Send,
    ) -> Result<(T, usize), E> {
        let bar = Bar::new(lang);
        let (done, threads) =
            pool::on_threads(self.threads.map(usize::from), || (work(&bar), pool::threads()));
        bar.shown.finish_and_clear();
        Ok((done?, threads))
    }
}

/// The problem with its decisions and groups. An objective that excludes one of them is refused.
pub(super) fn constrained(instance: &Instance, aim: Aim) -> Result<Constrained<'_>, Failure> {
    instance.constrained(aim.objective(), &Unobserved).map_err(|error| match error {
        InstanceError::Refused(wrong) => {
            let what = message!("the problem cannot be solved for {objective}", objective = aim.name());
            refuse(what, &wrong)
        }
        InstanceError::Stopped(stopped) => self::stopped(stopped),
    })
}

/// The failure of an operation that was stopped. The progress bar never stops one.
pub(super) fn stopped(_: Stopped) -> Failure {
    Failure::other(message!("the engine was stopped"))
}

/// The same for a command whose method has prices for people only, not for groups.
pub(super) fn constrained_alone<'a>(
    command: &str,
    instance: &'a Instance,
    aim: Aim,
) -> Result<Constrained<'a>, Failure> {
    let constrained = constrained(instance, aim)?;
    if constrained.starts_warm() {
        return Ok(constrained);
    }
    let what = message!(
        "{command} requires the objective best-total or total, and a problem without groups",
        command = command
    );
    let hint = message!(
        "use --objective best-total or total, and remove --groups and the columns `group` of the files"
    );
    Err(Failure::input(what, hint))
}

/// A result with its proof.
#[derive(Debug, Args)]
pub(super) struct Solved {
    /// The pairs, as `solve --pairs` writes them.
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// The proof of the pairs, as `solve --certificate` writes it.
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
}

impl Solved {
    /// Reads the pairs and their proof.
    pub(super) fn read(
        &self,
        instance: &Instance,
        aim: Aim,
        lang: Lang,
    ) -> Result<(Vec<(u32, u32)>, Evidence), Failure> {
        Ok((read_pairs(instance, &self.pairs, lang)?, read_proof(instance, aim, &self.certificate)?))
    }
}

/// Pairs of a problem, as `solve --pairs` writes them.
fn read_pairs(instance: &Instance, file: &Path, lang: Lang) -> Result<Vec<(u32, u32)>, Failure> {
    let mut notes = Vec::new();
    let read = instance::csv::read_pairs(instance, open(file)?, &mut notes);
    tell_notes(&notes, lang);
    read.map_err(|wrong| {
        let count = wrong.count();
        refuse(message!("the file of the pairs has {count|1 error|{count} errors}", count = count), &wrong)
    })
}

/// The proof of a result of a problem, as `solve --certificate` writes it.
fn read_proof(instance: &Instance, aim: Aim, file: &Path) -> Result<Evidence, Failure> {
    let evidence =
        instance::proof::import(instance, &text_of(file)?).map_err(|wrong| unusable(file, &wrong))?;
    if evidence.objective() == aim.objective() {
        return Ok(evidence);
    }
    let hint = match evidence.objective() {
        Objective::BestTotal => message!("add `--objective best-total` or `--objective total`"),
        Objective::Fairest => message!("add `--objective {objective}`", objective = Aim::Fairest.name()),
        Objective::Stable => message!("add `--objective {objective}`", objective = Aim::Stable.name()),
    };
    let what = message!(
        "{file} is a proof for another objective than {objective}",
        file = file.display().to_string(),
        objective = aim.name()
    );
    Err(Failure::input(what, hint))
}

/// An earlier result to start from. Its people need not be those of the problem.
pub(super) fn read_start(
    instance: &Instance,
    pairs: &Path,
    certificate: &Path,
    lang: Lang,
) -> Result<Start, Failure> {
    let (pairs, _) = read_known_pairs(instance, pairs, lang)?;
    let text = text_of(certificate)?;
    instance::proof::start(instance, pairs, &text).map_err(|wrong| unusable(certificate, &wrong))
}

/// The pairs of an earlier result whose people are both in the problem, and the number of its other pairs.
pub(super) fn read_known_pairs(
    instance: &Instance,
    file: &Path,
    lang: Lang,
) -> Result<(Vec<(u32, u32)>, u64), Failure> {
    let mut notes = Vec::new();
    let read = instance::csv::read_known_pairs(instance, open(file)?, &mut notes);
    tell_notes(&notes, lang);
    read.map_err(|wrong| {
        let count = wrong.count();
        let what =
            message!("the file of the earlier pairs has {count|1 error|{count} errors}", count = count);
        refuse(what, &wrong)
    })
}

/// Prints what the reader of each file should know.
fn tell_notes(notes: &instance::csv::Notes, lang: Lang) {
    for (file, note) in notes {
        tell(&note_of(file, note), lang);
    }
}

/// What the reader of a file should know, in words.
pub(super) fn note_of(file: &str, note: &Note) -> Message {
    match note {
        Note::Windows1252 { line } => message!(
            "{file}: the file is not in UTF-8; from line {line} on it was read as Windows-1252, so check the letters with accents",
            file = file,
            line = line.to_string()
        ),
        Note::Sheet { name } => message!(
            "{file}: several sheets of the workbook have content; the sheet “{sheet}” was read",
            file = file,
            sheet = name
        ),
    }
}

/// The text of a file.
pub(super) fn text_of(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| unreadable(file, &error))
}

/// A file that is written under a temporary name and renamed when it is complete. Dropped earlier, it is removed.
pub(super) struct Output<'a> {
    file: &'a Path,
    part: PathBuf,
    pub(super) sink: BufWriter<File>,
}

impl<'a> Output<'a> {
    /// Creates the file, so that a destination that cannot be written is reported before the problem is solved.
    pub(super) fn begin(file: Option<&'a PathBuf>) -> Result<Option<Self>, Failure> {
        let Some(file) = file else { return Ok(None) };
        let mut part = file.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let sink = private::create(&part).map_err(|error| unwritable(file, &error))?;
        Ok(Some(Self { file, part, sink: BufWriter::new(sink) }))
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let written = self.sink.flush().and_then(|()| fs::rename(&self.part, self.file));
        written.map_err(|error| unwritable(self.file, &error))
    }
}

impl Drop for Output<'_> {
    fn drop(&mut self) {
        // After `finish` there is no such file. If it cannot be removed, it stays under the name `.part`.
        let _ = fs::remove_file(&self.part);
    }
}

pub(super) fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    let shown = file.display().to_string();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    if let Some(folder) = folder {
        return Failure::input(
            message!("{file} cannot be written, because its folder does not exist", file = shown),
            message!(
                "create the folder {folder}, or choose another file",
                folder = folder.display().to_string()
            ),
        );
    }
    Failure::input(
        message!("{file} cannot be written: {cause}", file = shown, cause = error.to_string()),
        message!("check the folder and its permissions, or choose another file"),
    )
}

/// A file of rows.
pub(super) fn open(file: &Path) -> Result<instance::csv::File<BufReader<File>>, Failure> {
    let bytes = File::open(file).map_err(|error| unreadable(file, &error))?;
    Ok(instance::csv::File { name: file.display().to_string(), bytes: BufReader::new(bytes) })
}

pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    let shown = file.display().to_string();
    if error.kind() == std::io::ErrorKind::NotFound {
        return Failure::input(
            message!("there is no file {file}", file = shown),
            message!("check the name of the file and the folder from which you call the command"),
        );
    }
    Failure::input(
        message!("{file} cannot be read: {cause}", file = shown, cause = error.to_string()),
        message!("check the name and the permissions of the file"),
    )
}

/// A file that does not have a proof of the problem.
fn unusable(file: &Path, wrong: &Violation) -> Failure {
    let shown = file.display().to_string();
    Failure::input(message!("{file} {wrong}", file = shown, wrong = wrong.description.clone()), "")
}

/// An error with all violations, one per line.
fn refuse(what: Message, wrong: &Violations) -> Failure {
    let more = (wrong.more() > 0).then(|| message!("and {more} more", more = wrong.more()));
    let details = wrong.listed().iter().map(Violation::message).chain(more);
    Failure::input(message!("{what}:", what = what), "").with_details(details.collect())
}

/// The names of people, sorted.
pub(super) fn named(people: &[u32], name: impl Fn(usize) -> String) -> Vec<String> {
    let mut names: Vec<String> = people.iter().map(|at| name(*at as usize)).collect();
    names.sort_unstable();
    names
}

/// The first names, and the number of the others.
pub(super) fn some(names: &[String]) -> Message {
    let listed = names.get(..LISTED).unwrap_or(names).join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => Message::verbatim(listed),
        more => message!("{names} and {more} more", names = listed, more = more),
    }
}

/// A number as JSON: as text if it needs more than 64 bits, which many programs cannot read.
pub(super) fn number(value: i128) -> serde_json::Value {
    i64::try_from(value).map_or_else(|_| json!(value.to_string()), |value| json!(value))
}

/// Progress of the engine as a bar, if standard error is a terminal.
struct Bar {
    shown: ProgressBar,
    stage: Mutex<Option<Stage>>,
    lang: Lang,
}

impl Bar {
    fn new(lang: Lang) -> Self {
        let bar = progress::bar(0, "{msg:<28} {bar:30} {pos}/{len}");
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { shown: bar, stage: Mutex::new(None), lang }
    }
}

impl Observer for Bar {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        if self.shown.is_hidden() {
            return;
        }
        if let Ok(mut known) = self.stage.lock()
            && *known != Some(stage)
        {
            *known = Some(stage);
            self.shown.set_message(wording::stage_label(stage, self.lang));
        }
        self.shown.set_length(total);
        self.shown.set_position(done);
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}
