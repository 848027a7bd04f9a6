//! The streams of check-ins of MentorshipService: imports and exports.

use tonic::Status;

use super::convert::mentorship::{check_in, check_in_row};
use super::convert::violations;
use super::incoming::Incoming;
use super::proto::v1;
use super::proto::v1::import_check_ins_request::Content as Ask;
use super::proto::v1::import_check_ins_response::Content as Answer;
use super::reader;
use super::streams::Answering;
use crate::error::Error;
use crate::service::{CheckInExport, CheckInImport, CheckInImportSpec, CheckInSummary, ExportedCheckIn};

/// Answers of an import that may wait for a slow reader.
pub(super) const ANSWERS_AHEAD: usize = 16;
/// Parts of an export that may wait for a slow reader.
pub(super) const PARTS_AHEAD: usize = 1;
/// Rows that one message may carry.
const MAX_ROWS_PER_MESSAGE: usize = 1_000;
/// Bytes of the violations of one row, at most.
const MAX_ROW_BYTES: usize = 1 << 20;

/// The settings of an import, its first message.
pub(super) async fn header(
    asked: &mut Incoming<v1::ImportCheckInsRequest>,
) -> Result<CheckInImportSpec, Status> {
    let Some(Ask::Header(header)) = next(asked).await? else {
        return Err(Error::invalid_field("header", "", "must be the first message of the stream").into());
    };
    let v1::ImportCheckInsHeader { parent, accept_good_rows, validate_only, request_id } = header;
    Ok(CheckInImportSpec { parent, accept_good_rows, validate_only, request_id })
}

/// Receives the rows of an import and sends its answers.
pub(super) async fn receive(
    mut import: CheckInImport,
    mut asked: Incoming<v1::ImportCheckInsRequest>,
    answers: &Answering<v1::ImportCheckInsResponse>,
) -> Result<(), Status> {
    let rows = loop {
        match next(&mut asked).await? {
            Some(Ask::Rows(part)) => {
                let count = part.rows.len();
                if count > MAX_ROWS_PER_MESSAGE {
                    let wrong =
                        format!("are too many; send at most {MAX_ROWS_PER_MESSAGE} rows in one message");
                    return Err(Error::invalid_field("rows.rows", &count.to_string(), wrong).into());
                }
                import.add(part.rows.into_iter().map(check_in_row).collect())?;
                let progress = v1::ImportProgress { received: import.received() };
                answers.send(response(Answer::Progress(progress))).await?;
            }
            Some(Ask::End(end)) => break end.rows,
            Some(Ask::Header(_)) => {
                let wrong = "is repeated; send it once, as the first message";
                return Err(Error::invalid_field("header", "", wrong).into());
            }
            None => {
                let wrong = "is missing, and nothing was stored; send it as the last message";
                return Err(Error::invalid_field("end", "", wrong).into());
            }
        }
    };
    let lang = reader::current();
    let (rejected, summary) = Box::pin(import.end(rows)).await?;
    for row in rejected {
        let violations = violations(&row.violations, lang, MAX_ROW_BYTES);
        let rejected = v1::RejectedRow { row: row.row, violations };
        answers.send(response(Answer::RejectedRow(rejected))).await?;
    }
    let CheckInSummary { received, recorded, unchanged, rejected, rejected_unlisted, stored } = summary;
    let summary =
        v1::ImportCheckInsSummary { received, recorded, unchanged, rejected, rejected_unlisted, stored };
    answers.send(response(Answer::Summary(summary))).await?;
    Ok(())
}

/// Sends the parts of an export.
pub(super) async fn send_all(
    mut export: CheckInExport,
    answers: &Answering<v1::ExportCheckInsResponse>,
) -> Result<(), Status> {
    loop {
        let part = export.next_part().await?;
        if part.is_empty() {
            return Ok(());
        }
        let check_ins = part.iter().map(exported).collect();
        answers.send(v1::ExportCheckInsResponse { check_ins }).await?;
    }
}

fn exported(one: &ExportedCheckIn) -> v1::ExportedCheckIn {
    v1::ExportedCheckIn {
        mentorship: one.mentorship.name(),
        profile: one.person.name(),
        check_in: Some(check_in(&one.check_in)),
    }
}

async fn next(asked: &mut Incoming<v1::ImportCheckInsRequest>) -> Result<Option<Ask>, Status> {
    asked.next(|message| message.content, "a header, rows or the end").await
}

fn response(content: Answer) -> v1::ImportCheckInsResponse {
    v1::ImportCheckInsResponse { content: Some(content) }
}
