//! `wim-match import`: a CSV file of one organisation, streamed to the service.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Failure, Global};
use crate::api::convert;
use crate::api::proto::v1;
use crate::api::proto::v1::import_profiles_request::Content as Ask;
use crate::api::proto::v1::import_profiles_response::Content as Answer;
use crate::client::connection::{Client, request_id};
use crate::client::output::{data, json, say};
use crate::domain::name::OrganisationId;
use crate::domain::vocabulary::{self, Lang};
use crate::profile_csv::{self, BadRow, CellProblem, ProfileReader, RowError, column_of};

/// Rows per message.
const ROWS_PER_MESSAGE: usize = 250;
/// Size from which a message is full, well below the service's limit.
const BYTES_PER_MESSAGE: usize = 1 << 20;
/// Messages on their way at once: bounds the memory, whatever the size of the file.
const MESSAGES_AHEAD: usize = 4;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[group(id = "job", required = true)]
pub(super) struct Options {
    /// CSV file to bring in.
    #[arg(group = "job", requires = "organisation")]
    file: Option<PathBuf>,
    /// Write a template to fill in, with examples, to standard output.
    #[arg(long, group = "job")]
    template: bool,
    /// Explain every column.
    #[arg(long, group = "job")]
    columns: bool,
    /// List the codes of every vocabulary, with labels in the language of --lang.
    #[arg(long, group = "job")]
    vocabulary: bool,
    /// Id of the organisation whose members the file describes.
    #[arg(long, value_name = "ID")]
    organisation: Option<OrganisationId>,
    /// Store the good rows even if others are bad.
    #[arg(long)]
    accept_good_rows: bool,
    /// Check everything, store nothing.
    #[arg(long)]
    validate_only: bool,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    if options.template {
        profile_csv::write_template(std::io::stdout())?;
    } else if options.columns {
        data(profile_csv::describe_columns().trim_end())?;
    } else if options.vocabulary {
        print_vocabularies(global)?;
    } else if let (Some(file), Some(organisation)) = (options.file, options.organisation) {
        let path = file.display().to_string();
        let input = File::open(&file)
            .map_err(|error| Failure::input(format!("{path} cannot be read: {error}"), ""))?;
        let bar = progress_bar(input.metadata()?.len());
        let import = Import {
            organisation,
            accept_good_rows: options.accept_good_rows,
            validate_only: options.validate_only,
        };
        let client = global.client().await?;
        let sent = import.send(&client, bar.wrap_read(input), |problem| {
            bar.suspend(|| {
                if global.json {
                    return json_problem(problem);
                }
                print_problem(&path, problem);
                Ok(())
            })
        });
        let summary = sent.await?;
        bar.finish_and_clear();
        if global.json {
            json(&summary)?;
        }
        return conclude(&summary, options.validate_only);
    }
    Ok(())
}

/// Says how the import ended, and fails if rows were rejected.
fn conclude(summary: &v1::ImportSummary, validate_only: bool) -> Result<(), Failure> {
    let v1::ImportSummary { received, created, updated, unchanged, rejected, stored } = summary;
    if *stored {
        say(&format!(
            "{received} rows: {created} created, {updated} updated, {unchanged} unchanged, {rejected} rejected"
        ));
    } else if validate_only {
        say(&format!("{received} rows checked, {rejected} of them bad; nothing was stored, as asked"));
    }
    match (*rejected, *stored || validate_only) {
        (0, _) => Ok(()),
        (rejected, true) => Err(Failure::input(
            format!("{rejected} of {received} rows were rejected"),
            "mend them and import again",
        )),
        (rejected, false) => Err(Failure::input(
            format!("{rejected} of {received} rows are bad; nothing was stored"),
            "mend the rows and import again, or store the good ones with --accept-good-rows",
        )),
    }
}

/// One thing that is wrong with one row.
#[derive(Debug)]
pub struct Problem {
    /// Line of the file on which the row begins.
    pub line: u64,
    /// The cell and what is wrong with it.
    pub cell: CellProblem,
}

/// An import to be sent.
#[derive(Debug)]
pub struct Import {
    /// The organisation whose members the file describes.
    pub organisation: OrganisationId,
    /// Store the good rows even if others are bad.
    pub accept_good_rows: bool,
    /// Check everything, store nothing.
    pub validate_only: bool,
}

impl Import {
    /// Sends a CSV file and hands every problem to `on_problem` as it is found. Memory does not grow with the file.
    pub async fn send(
        &self,
        client: &Client,
        input: impl Read + Send + 'static,
        mut on_problem: impl FnMut(&Problem) -> anyhow::Result<()>,
    ) -> anyhow::Result<v1::ImportSummary> {
        let reader = ProfileReader::new(input, &self.organisation)
            .map_err(|error| tonic::Status::invalid_argument(error.to_string()))?;
        let (messages, sent) = mpsc::channel(MESSAGES_AHEAD);
        let (found, mut problems) = mpsc::unbounded_channel();
        messages.send(self.header()).await?;
        let reading = tokio::task::spawn_blocking(move || read_rows(reader, &messages, &found));
        let mut answers =
            client.clone().profiles.import_profiles(ReceiverStream::new(sent)).await?.into_inner();
        let mut summary = None;
        let mut told = Told::default();
        let broken = loop {
            // What the reader has found is told first: it stands earlier in the file.
            let answer = answers.message().await;
            while let Ok(problem) = problems.try_recv() {
                told.note(&problem);
                on_problem(&problem)?;
            }
            let answer = match answer {
                Ok(answer) => answer,
                Err(status) => break Some(status),
            };
            match answer.map(|answer| answer.content) {
                Some(Some(Answer::RejectedRow(row))) => {
                    let known = told.of(row.row);
                    for problem in problems_of(row).into_iter().filter(|p| !known.contains(&p.cell.column)) {
                        on_problem(&problem)?;
                    }
                }
                Some(Some(Answer::Summary(end))) => summary = Some(end),
                Some(Some(Answer::Progress(_)) | None) => {}
                None => break None,
            }
        };
        // If the file could not be read to its end, that is the news, and not what the service says of it.
        reading.await??;
        if let Some(status) = broken {
            return Err(status.into());
        }
        summary.ok_or_else(|| {
            anyhow::anyhow!("the service ended the import without a summary; nothing is known to be stored")
        })
    }

    fn header(&self) -> v1::ImportProfilesRequest {
        v1::ImportProfilesRequest {
            content: Some(Ask::Header(v1::ImportHeader {
                parent: self.organisation.name(),
                accept_good_rows: self.accept_good_rows,
                validate_only: self.validate_only,
                request_id: request_id(),
            })),
        }
    }
}

/// Columns of rows under way that the reader has complained about: what it could not read is missing from what the
/// service is sent, and the service's complaint of that would be no news.
#[derive(Debug, Default)]
struct Told(HashMap<u64, Vec<&'static str>>);

impl Told {
    fn note(&mut self, problem: &Problem) {
        self.0.entry(problem.line).or_default().push(problem.cell.column);
    }

    /// The columns of a row, which is then done with.
    fn of(&mut self, row: i64) -> Vec<&'static str> {
        u64::try_from(row).ok().and_then(|line| self.0.remove(&line)).unwrap_or_default()
    }
}

/// Reads all rows and sends them in parts. Ends early, without an error of its own, when the service has hung up: the
/// answer stream says why.
fn read_rows<R: Read>(
    reader: ProfileReader<R>,
    messages: &mpsc::Sender<v1::ImportProfilesRequest>,
    found: &mpsc::UnboundedSender<Problem>,
) -> anyhow::Result<()> {
    let mut rows = Vec::with_capacity(ROWS_PER_MESSAGE);
    let (mut sent, mut bytes) = (0, 0);
    for row in reader {
        sent += 1;
        rows.push(match row {
            Ok(row) => import_row(row.line, Some(row.draft), false),
            Err(RowError::Bad(BadRow { line, problems, partial })) => {
                for cell in problems {
                    // The other side is gone only when the import is over.
                    let _ = found.send(Problem { line, cell });
                }
                import_row(line, partial.map(|draft| *draft), true)
            }
            Err(error) => return Err(error.into()),
        });
        bytes += rows.last().map_or(0, prost::Message::encoded_len);
        let full = rows.len() == ROWS_PER_MESSAGE || bytes >= BYTES_PER_MESSAGE;
        if full {
            bytes = 0;
        }
        if full && messages.blocking_send(part(&mut rows)).is_err() {
            return Ok(());
        }
    }
    if !rows.is_empty() {
        let _ = messages.blocking_send(part(&mut rows));
    }
    let end = v1::ImportProfilesRequest { content: Some(Ask::End(v1::ImportEnd { rows: sent })) };
    let _ = messages.blocking_send(end);
    Ok(())
}

fn import_row(
    line: u64,
    draft: Option<crate::domain::profile::ProfileDraft>,
    unreadable: bool,
) -> v1::ImportRow {
    let profile = draft.map(convert::profile::message_of_draft);
    v1::ImportRow { row: i64::try_from(line).unwrap_or(i64::MAX), profile, unreadable }
}

fn part(rows: &mut Vec<v1::ImportRow>) -> v1::ImportProfilesRequest {
    let rows = std::mem::replace(rows, Vec::with_capacity(ROWS_PER_MESSAGE));
    v1::ImportProfilesRequest { content: Some(Ask::Rows(v1::ImportRows { rows })) }
}

fn problems_of(row: v1::RejectedRow) -> Vec<Problem> {
    let line = u64::try_from(row.row).unwrap_or_default();
    let problem = |violation: v1::FieldViolation| Problem {
        line,
        cell: CellProblem {
            column: column_of(&violation.field),
            value: violation.value,
            what: violation.description,
            hint: violation.hint,
        },
    };
    row.violations.into_iter().map(problem).collect()
}

fn print_problem(file: &str, problem: &Problem) {
    let Problem { line, cell } = problem;
    let hint = if cell.hint.is_empty() { String::new() } else { format!("; {}", cell.hint) };
    let column = if cell.column.is_empty() { "whole row" } else { cell.column };
    say(&format!("{file}:{line}: {column}: `{}` {}{hint}", cell.value, cell.what));
}

fn json_problem(problem: &Problem) -> anyhow::Result<()> {
    let Problem { line, cell } = problem;
    let told = serde_json::json!({
        "line": line, "column": cell.column, "value": cell.value, "what": cell.what, "hint": cell.hint,
    });
    Ok(data(&told.to_string())?)
}

fn progress_bar(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    let style =
        ProgressStyle::with_template("{spinner} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} eta {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn print_vocabularies(global: &Global) -> std::io::Result<()> {
    for vocabulary in vocabulary::all() {
        if !global.json {
            data(&format!("{}:", vocabulary.name()))?;
        }
        for term in vocabulary.terms() {
            if global.json {
                let labels: Vec<&str> = Lang::ALL.iter().map(|lang| term.label(*lang)).collect();
                let told = serde_json::json!({
                    "vocabulary": vocabulary.name(), "code": term.code,
                    "en": labels[0], "fr": labels[1], "es": labels[2], "pt": labels[3],
                });
                data(&told.to_string())?;
            } else {
                data(&format!("  {:<34} {}", term.code, term.label(global.lang)))?;
            }
        }
    }
    Ok(())
}
