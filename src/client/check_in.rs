//! Check-ins of one organisation: a file that is streamed to the service, and a file of what is recorded.

use std::io::{self, Read, Write};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::connection::{Client, request_id};
use super::error::Error;
use super::export::Form;
use super::import::{Finding, Problem, Reported, problems_of};
use super::json::to_json;
use crate::api::convert::mentorship::{check_in_draft, check_in_message};
use crate::api::proto::v1;
use crate::api::proto::v1::import_check_ins_request::Content as Ask;
use crate::api::proto::v1::import_check_ins_response::Content as Answer;
use crate::check_in_csv::{CheckInReader, CheckInWriter, Line, ReadCheckIn, column_of};
use crate::domain::mentorship::check_in::CheckInDraft;
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::profile_csv::RowError;

/// Rows per message.
const ROWS_PER_MESSAGE: usize = 1_000;
/// Messages that are read and not yet sent, at most.
const MESSAGES_AHEAD: usize = 4;

/// An import of check-ins to be sent.
#[derive(Debug)]
pub struct CheckInImport {
    /// The organisation whose members have answered.
    pub organisation: OrganisationId,
    /// Record the good rows even if others are rejected.
    pub accept_good_rows: bool,
    /// Judge every row and record nothing.
    pub validate_only: bool,
}

impl CheckInImport {
    /// Sends a file, passes every mistake to `on_finding`, and returns the summary of the service. An error of `on_finding` ends
    /// the import.
    pub async fn send<E: From<Error>>(
        &self,
        client: &Client,
        input: impl Read + Send + 'static,
        mut on_finding: impl FnMut(&Finding) -> Result<(), E>,
    ) -> Result<v1::ImportCheckInsSummary, E> {
        let reader = CheckInReader::new(input, &self.organisation).map_err(Error::from)?;
        let (messages, sent) = mpsc::channel(MESSAGES_AHEAD);
        let (found, mut findings) = mpsc::unbounded_channel();
        let header = self.header();
        let reading = tokio::task::spawn_blocking(move || send_rows(header, reader, &messages, &found));
        let answers = client.clone().mentorships.import_check_ins(ReceiverStream::new(sent)).await;
        let mut answers = answers.map_err(Error::from)?.into_inner();
        let (mut summary, mut reported) = (None, Reported::default());
        let broken = loop {
            let answer = answers.message().await;
            // The findings of the reader come first, because they stand earlier in the file.
            while let Ok(finding) = findings.try_recv() {
                if let Finding::Problem(problem) = &finding {
                    reported.note(problem);
                }
                on_finding(&finding)?;
            }
            match answer {
                Err(status) => break Some(status),
                Ok(None) => break None,
                Ok(Some(answer)) => match answer.content {
                    Some(Answer::RejectedRow(row)) => {
                        let known = reported.of(row.row);
                        let new = |problem: &Problem| !known.contains(&problem.cell.column);
                        for problem in problems_of(row, column_of).into_iter().filter(new) {
                            on_finding(&Finding::Problem(problem))?;
                        }
                    }
                    Some(Answer::Summary(end)) => summary = Some(end),
                    Some(Answer::Progress(_)) | None => {}
                },
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

    fn header(&self) -> v1::ImportCheckInsRequest {
        let header = v1::ImportCheckInsHeader {
            parent: self.organisation.name(),
            accept_good_rows: self.accept_good_rows,
            validate_only: self.validate_only,
            request_id: request_id(),
        };
        v1::ImportCheckInsRequest { content: Some(Ask::Header(header)) }
    }
}

/// Sends the header and all rows of a file. Returns early, without an error, when the service has closed the call: the
/// stream of answers has the reason.
fn send_rows<R: Read>(
    header: v1::ImportCheckInsRequest,
    mut reader: CheckInReader<R>,
    messages: &mpsc::Sender<v1::ImportCheckInsRequest>,
    found: &mpsc::UnboundedSender<Finding>,
) -> Result<(), RowError> {
    if messages.blocking_send(header).is_err() {
        return Ok(());
    }
    let (mut rows, mut sent) = (Vec::with_capacity(ROWS_PER_MESSAGE), 0);
    for row in &mut reader {
        let ReadCheckIn { line, mentorship, profile, draft, problems } = row?;
        sent += 1;
        rows.push(v1::ImportCheckInsRow {
            row: i64::try_from(line).unwrap_or(i64::MAX),
            mentorship,
            profile,
            check_in: Some(check_in_message(&draft)),
            unreadable: !problems.is_empty(),
        });
        for cell in problems {
            // The receiver is dropped only when the import is over.
            let _ = found.send(Finding::Problem(Problem { line, cell }));
        }
        if rows.len() == ROWS_PER_MESSAGE && messages.blocking_send(rows_message(&mut rows)).is_err() {
            return Ok(());
        }
    }
    if let Some(note) = reader.note() {
        let _ = found.send(Finding::Note(note));
    }
    if !rows.is_empty() {
        let _ = messages.blocking_send(rows_message(&mut rows));
    }
    let end = v1::ImportCheckInsRequest { content: Some(Ask::End(v1::ImportEnd { rows: sent })) };
    let _ = messages.blocking_send(end);
    Ok(())
}

fn rows_message(rows: &mut Vec<v1::ImportCheckInsRow>) -> v1::ImportCheckInsRequest {
    let rows = std::mem::replace(rows, Vec::with_capacity(ROWS_PER_MESSAGE));
    v1::ImportCheckInsRequest { content: Some(Ask::Rows(v1::ImportCheckInsRows { rows })) }
}

/// Writes the check-ins of an organisation's members to `sink`, of all rounds or of one, ordered by mentorship, and returns their
/// number. Memory does not grow with it.
pub async fn export_check_ins(
    client: &Client,
    request: v1::ExportCheckInsRequest,
    form: Form,
    mut sink: impl Write,
) -> Result<u64, Error> {
    let mut parts = client.mentorships.clone().export_check_ins(request).await?.into_inner();
    let mut written = 0;
    match form {
        Form::Json => {
            while let Some(part) = parts.message().await? {
                for one in part.check_ins {
                    writeln!(sink, "{}", to_json(&one)?)?;
                    written += 1;
                }
            }
        }
        Form::Csv => {
            let mut writer = CheckInWriter::new(&mut sink)?;
            while let Some(part) = parts.message().await? {
                for one in part.check_ins {
                    let (own_id, draft) =
                        (own_id(&one.profile), check_in_draft(one.check_in.unwrap_or_default()));
                    let line = Line { mentorship: &one.mentorship, own_id: &own_id, draft: &draft };
                    writer.write(line)?;
                    written += 1;
                }
            }
            writer.finish()?;
        }
    }
    sink.flush()?;
    Ok(written)
}

/// Writes a file to fill in with a row for each check-in that is due, and returns the number of rows.
pub fn write_due(due: &[v1::Due], sink: impl Write) -> io::Result<u64> {
    let mut writer = CheckInWriter::new(sink)?;
    let mut written = 0;
    for one in due.iter().filter(|one| one.kind() == v1::DueKind::CheckIn) {
        let asked = v1::CheckIn { side: one.side, point: one.point, ..v1::CheckIn::default() };
        let draft = CheckInDraft { measurement: None, ..check_in_draft(asked) };
        writer.write(Line { mentorship: &one.mentorship, own_id: &own_id(&one.profile), draft: &draft })?;
        written += 1;
    }
    writer.finish()?.flush()?;
    Ok(written)
}

fn own_id(profile: &str) -> String {
    ProfileRef::from_name(profile).map(|person| person.id.to_string()).unwrap_or_default()
}
