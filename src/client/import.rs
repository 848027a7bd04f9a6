//! A CSV file of one organisation, streamed to the service.
//!
//! A thread reads the file and sends its rows in messages; the caller's task receives the answers. A bounded channel
//! between the two keeps memory constant for any size of file.

use std::collections::HashMap;
use std::io::Read;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::connection::{Client, request_id};
use super::error::Error;
use crate::api::convert;
use crate::api::proto::v1;
use crate::api::proto::v1::import_profiles_request::Content as Ask;
use crate::api::proto::v1::import_profiles_response::Content as Answer;
use crate::domain::message::Message;
use crate::domain::name::OrganisationId;
use crate::domain::profile::ProfileDraft;
use crate::domain::vocabulary::Lang;
use crate::domain::warning::Warning;
use crate::profile_csv::{BadRow, CellProblem, CellWarning, ProfileReader, Row, RowError, column_of};
use crate::table::Note;
use crate::wording;

/// Rows per message: as many as the service takes, because it stages each message in one transaction.
const ROWS_PER_MESSAGE: usize = 1_000;
/// Size from which a message is full, well below the limit of the service.
const BYTES_PER_MESSAGE: usize = 1 << 20;
/// Messages that are read and not yet sent, at most.
const MESSAGES_AHEAD: usize = 4;

/// One mistake in one row.
#[derive(Debug)]
pub struct Problem {
    /// Line of the file on which the row begins.
    pub line: u64,
    /// The cell and what is wrong with it.
    pub cell: CellProblem,
}

/// Something about a good cell at which the sender should look.
#[derive(Debug)]
pub struct Notice {
    /// Line of the file on which the row begins.
    pub line: u64,
    /// The column.
    pub column: &'static str,
    /// The value, cut.
    pub value: String,
    /// What the warning is about.
    pub code: String,
    /// The warning as a text whose subject is the value.
    pub what: String,
}

/// What an import tells of a file while it runs.
#[derive(Debug)]
pub enum Finding {
    /// A mistake.
    Problem(Problem),
    /// A warning.
    Notice(Notice),
    /// What the sender should know of how the whole file was read.
    Note(Note),
}

/// An import to be sent.
#[derive(Debug)]
pub struct Import {
    /// The organisation whose members the file describes.
    pub organisation: OrganisationId,
    /// Store the good rows even if others are rejected.
    pub accept_good_rows: bool,
    /// Check every row and store nothing.
    pub validate_only: bool,
    /// Withdraw the enrolments of the people whom the file does not name, if there are so many of them.
    pub prune: Option<i64>,
    /// Store people again who were erased and have come back.
    pub accept_returned: bool,
}

impl Import {
    /// Sends a CSV file, passes every mistake and every warning to `on_finding` as soon as it is found, and returns the
    /// summary of the service. An error of `on_finding` ends the import.
    pub async fn send<E: From<Error>>(
        &self,
        client: &Client,
        input: impl Read + Send + 'static,
        mut on_finding: impl FnMut(&Finding) -> Result<(), E>,
    ) -> Result<v1::ImportSummary, E> {
        let reader = ProfileReader::new(input, &self.organisation).map_err(Error::from)?;
        let (messages, sent) = mpsc::channel(MESSAGES_AHEAD);
        let (found, mut findings) = mpsc::unbounded_channel();
        let header = self.header();
        let lang = client.lang;
        let reading = tokio::task::spawn_blocking(move || send_rows(header, reader, &messages, &found, lang));
        let answers = client.clone().profiles.import_profiles(ReceiverStream::new(sent)).await;
        let mut answers = answers.map_err(Error::from)?.into_inner();
        let mut summary = None;
        let mut reported = Reported::default();
        let broken = loop {
            let answer = answers.message().await;
            // The findings of the reader come first, because they stand earlier in the file.
            while let Ok(finding) = findings.try_recv() {
                if let Finding::Problem(problem) = &finding {
                    reported.note(problem);
                }
                on_finding(&finding)?;
            }
            let answer = match answer {
                Ok(answer) => answer,
                Err(status) => break Some(status),
            };
            match answer.map(|answer| answer.content) {
                Some(Some(Answer::RejectedRow(row))) => {
                    let known = reported.of(row.row);
                    for problem in
                        problems_of(row, column_of).into_iter().filter(|p| !known.contains(&p.cell.column))
                    {
                        on_finding(&Finding::Problem(problem))?;
                    }
                }
                Some(Some(Answer::Warning(warning))) => on_finding(&Finding::Notice(notice(warning)))?,
                Some(Some(Answer::Summary(end))) => summary = Some(end),
                Some(Some(Answer::Progress(_)) | None) => {}
                None => break None,
            }
        };
        // An error of the file comes before an error of the call, because the first causes the second.
        reading.await.map_err(|_| Error::Reader)?.map_err(Error::Row)?;
        match (broken, summary) {
            (Some(status), _) => Err(Error::from(status).into()),
            (None, Some(summary)) => Ok(summary),
            (None, None) => Err(Error::NoSummary.into()),
        }
    }

    fn header(&self) -> v1::ImportProfilesRequest {
        v1::ImportProfilesRequest {
            content: Some(Ask::Header(v1::ImportHeader {
                parent: self.organisation.name(),
                accept_good_rows: self.accept_good_rows,
                validate_only: self.validate_only,
                request_id: request_id(),
                prune: self.prune,
                accept_returned: self.accept_returned,
            })),
        }
    }
}

/// Columns in which the reader has found mistakes, by line. A cell that cannot be read is missing from the row that the
/// service gets, so what the service reports on such a column is not another mistake.
#[derive(Debug, Default)]
pub(super) struct Reported(HashMap<u64, Vec<&'static str>>);

impl Reported {
    pub(super) fn note(&mut self, problem: &Problem) {
        self.0.entry(problem.line).or_default().push(problem.cell.column);
    }

    /// The columns of a row. The service reports each row once, so its columns are removed.
    pub(super) fn of(&mut self, row: i64) -> Vec<&'static str> {
        u64::try_from(row).ok().and_then(|line| self.0.remove(&line)).unwrap_or_default()
    }
}

/// Sends the header and all rows of a file. Returns early, without an error, when the service has closed the call: the
/// stream of answers has the reason.
fn send_rows<R: Read>(
    header: v1::ImportProfilesRequest,
    mut reader: ProfileReader<R>,
    messages: &mpsc::Sender<v1::ImportProfilesRequest>,
    found: &mpsc::UnboundedSender<Finding>,
    lang: Lang,
) -> Result<(), RowError> {
    if messages.blocking_send(header).is_err() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(ROWS_PER_MESSAGE);
    let (mut sent, mut bytes) = (0, 0);
    for row in &mut reader {
        sent += 1;
        rows.push(match row {
            Ok(Row { line, draft, warnings }) => {
                for warning in warnings {
                    let _ = found.send(Finding::Notice(notice_of_cell(line, warning, lang)));
                }
                import_row(line, Some(draft), false)
            }
            Err(RowError::Bad(BadRow { line, problems, partial })) => {
                for cell in problems {
                    // The receiver is dropped only when the import is over.
                    let _ = found.send(Finding::Problem(Problem { line, cell }));
                }
                import_row(line, partial.map(|draft| *draft), true)
            }
            Err(error) => return Err(error),
        });
        bytes += rows.last().map_or(0, prost::Message::encoded_len);
        if rows.len() == ROWS_PER_MESSAGE || bytes >= BYTES_PER_MESSAGE {
            bytes = 0;
            if messages.blocking_send(rows_message(&mut rows)).is_err() {
                return Ok(());
            }
        }
    }
    if let Some(note) = reader.note() {
        let _ = found.send(Finding::Note(note));
    }
    if !rows.is_empty() {
        let _ = messages.blocking_send(rows_message(&mut rows));
    }
    let end = v1::ImportProfilesRequest { content: Some(Ask::End(v1::ImportEnd { rows: sent })) };
    let _ = messages.blocking_send(end);
    Ok(())
}

fn import_row(line: u64, draft: Option<ProfileDraft>, unreadable: bool) -> v1::ImportRow {
    let profile = draft.map(convert::profile::message_of_draft);
    v1::ImportRow { row: i64::try_from(line).unwrap_or(i64::MAX), profile, unreadable }
}

fn rows_message(rows: &mut Vec<v1::ImportRow>) -> v1::ImportProfilesRequest {
    let rows = std::mem::replace(rows, Vec::with_capacity(ROWS_PER_MESSAGE));
    v1::ImportProfilesRequest { content: Some(Ask::Rows(v1::ImportRows { rows })) }
}

/// A warning of the reader, which the service does not see: the row that it gets has no trace of the cell.
fn notice_of_cell(line: u64, CellWarning { column, value, code }: CellWarning, lang: Lang) -> Notice {
    let what = wording::warning(&Warning::new(column, &value, code), lang);
    Notice { line, column, value, code: code.as_str().to_owned(), what }
}

fn notice(warning: v1::RowWarning) -> Notice {
    let code = warning.code().as_str_name().trim_start_matches("WARNING_CODE_").to_owned();
    Notice {
        line: u64::try_from(warning.row).unwrap_or_default(),
        column: column_of(&warning.field),
        value: warning.value,
        code,
        what: warning.description,
    }
}

/// The problems of a rejected row, each in the column of its field.
pub(super) fn problems_of(row: v1::RejectedRow, column_of: fn(&str) -> &'static str) -> Vec<Problem> {
    let line = u64::try_from(row.row).unwrap_or_default();
    let problem = |violation: v1::FieldViolation| Problem {
        line,
        cell: CellProblem {
            column: column_of(&violation.field),
            value: violation.value,
            what: Message::verbatim(violation.description),
            hint: Message::verbatim(violation.hint),
        },
    };
    row.violations.into_iter().map(problem).collect()
}
