//! Imports and exports of check-ins, for programmes that ask by a survey tool.
//!
//! - An import keeps its rows in memory, so it has at most `MOST_ROWS` of them. They are judged together at its end: each row with
//!   all that is wrong with it.
//! - All good rows are recorded at one moment, with one entry of the audit, or none is.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::import::RejectedRow;
use super::organisation::parse_organisation;
use super::round::parse_round;
use super::{Action, Permit, Service, commit_change, parse_request_id, recalled, remembered, taken};
use crate::domain::caller::Caller;
use crate::domain::mentorship::import::{CheckInRow, JudgedRow};
use crate::domain::name::{MentorshipRef, OrganisationId, RoundId};
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, ExportedCheckIn, Scope, Store};

/// Rows of one import, at most: other writers wait while they are judged and recorded.
const MOST_ROWS: usize = 20_000;
/// Rejected rows of one import that are listed; further ones are counted.
const MOST_LISTED: usize = 1_000;
/// Check-ins of one part of an export.
const EXPORT_PART: u32 = 500;

/// Settings of an import.
#[derive(Debug, Clone, Default)]
pub struct CheckInImportSpec {
    /// Resource name of the organisation.
    pub parent: String,
    /// Record the good rows although others are rejected.
    pub accept_good_rows: bool,
    /// Judge all rows and record nothing.
    pub validate_only: bool,
    /// The caller's `request_id`.
    pub request_id: String,
}

/// Result of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInSummary {
    /// Rows received.
    pub received: i64,
    /// Check-ins recorded.
    pub recorded: i64,
    /// Rows that are recorded already.
    pub unchanged: i64,
    /// Rejected rows.
    pub rejected: i64,
    /// Rejected rows that were counted only.
    pub rejected_unlisted: i64,
    /// Whether the good rows were recorded.
    pub stored: bool,
}

/// A begun import.
#[derive(Debug)]
pub struct CheckInImport {
    service: Service,
    permit: Permit,
    spec: CheckInImportSpec,
    organisation: OrganisationId,
    rows: Vec<CheckInRow>,
    /// Digest of all rows, independent of their cut into messages.
    payload: Sha256,
}

impl Service {
    /// Begins an import of check-ins.
    pub async fn begin_check_in_import(
        &self,
        caller: &Caller,
        spec: CheckInImportSpec,
    ) -> Result<CheckInImport> {
        let permit = Action::ImportCheckIns.permit(caller)?;
        let mut violations = Violations::of_request();
        let organisation = taken(parse_organisation("header.parent", &spec.parent), &mut violations)?;
        if !spec.request_id.is_empty() {
            // A wrong request_id is reported before the first row.
            taken(parse_request_id(&spec.request_id), &mut violations)?;
        }
        let Some(organisation) = organisation.filter(|_| violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        self.store.organisation(&permit.scope, &organisation).await?;
        let mut payload = Sha256::new();
        let CheckInImportSpec { accept_good_rows, validate_only, .. } = spec;
        payload.update(format!("{organisation} {accept_good_rows} {validate_only}\n"));
        Ok(CheckInImport { service: self.clone(), permit, spec, organisation, rows: Vec::new(), payload })
    }

    /// Exports the check-ins of an organisation's members, of all rounds or of one, in parts. The entry of the audit is durable
    /// before the first part is read.
    pub async fn export_check_ins(
        &self,
        caller: &Caller,
        (parent, round): (&str, &str),
    ) -> Result<CheckInExport> {
        let permit = Action::ExportCheckIns.permit(caller)?;
        let mut violations = Violations::of_request();
        let organisation = taken(parse_organisation("parent", parent), &mut violations)?;
        let round = match round {
            "" => None,
            name => taken(parse_round("round", name), &mut violations)?,
        };
        let Some(organisation) = organisation.filter(|_| violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if let Some(round) = &round {
            self.store.round(&permit.scope, round).await?;
        }
        // Without a `request_id` there is no first answer.
        if let Begun::Fresh(mut session) = self.store.begin(self.receipt(&permit, "", &())?).await? {
            let note = session.note_export_of_check_ins(&organisation).await?;
            session.commit(note, &[]).await?;
        }
        let (store, scope) = (self.store.clone(), permit.scope);
        Ok(CheckInExport { store, scope, organisation, round, after: None })
    }
}

impl CheckInImport {
    /// Rows received so far.
    pub fn received(&self) -> i64 {
        i64::try_from(self.rows.len()).unwrap_or(i64::MAX)
    }

    /// Takes some rows.
    pub fn add(&mut self, rows: Vec<CheckInRow>) -> Result<()> {
        let received = self.rows.len() + rows.len();
        if received > MOST_ROWS {
            let wrong = format!("are more than {MOST_ROWS} in one import; split the file");
            return Err(Error::invalid_field("rows", &received.to_string(), wrong));
        }
        for CheckInRow { row, mentorship, person, draft, is_unreadable, .. } in &rows {
            let name = mentorship.as_ref().map(MentorshipRef::name);
            let said = serde_json::to_vec(&(row, name, person, draft, is_unreadable))
                .map_err(|error| Error::Internal("a row does not serialise".into(), Some(error.into())))?;
            self.payload.update(said);
            self.payload.update(b"\n");
        }
        self.rows.extend(rows);
        Ok(())
    }

    /// Ends the import: all good rows count from one moment on, or none is recorded. `rows` is the caller's number of rows.
    /// Returns the rejected rows that are listed.
    pub async fn end(self, rows: i64) -> Result<(Vec<RejectedRow>, CheckInSummary)> {
        let received = self.received();
        if rows != received {
            let wrong = format!(
                "is not the number of received rows, {received}; nothing was stored, so send the import again"
            );
            return Err(Error::invalid_field("end.rows", &rows.to_string(), wrong));
        }
        let (store, scope) = (&self.service.store, &self.permit.scope);
        if self.spec.validate_only {
            let now = self.service.clock.now();
            let judged = store.judge_check_ins(scope, &self.organisation, &self.rows, now).await?;
            return Ok(self.told(&judged, false));
        }
        let payload = hex::encode(self.payload.clone().finalize());
        let receipt = self.service.receipt(&self.permit, &self.spec.request_id, &payload)?;
        match store.begin(receipt).await? {
            Begun::Repeated(first) => Ok((Vec::new(), recalled(&first)?)),
            Begun::Fresh(mut session) => {
                let accepts = self.spec.accept_good_rows;
                let done = Box::pin(session.import_check_ins(&self.organisation, &self.rows, accepts));
                let (judged, note) = done.await?;
                let is_refused = !accepts && judged.iter().any(|row| matches!(row, JudgedRow::Rejected(_)));
                let (rejected, summary) = self.told(&judged, !is_refused);
                if !is_refused {
                    commit_change(session, note, &remembered(&summary)?).await?;
                    let recorded = u64::try_from(summary.recorded).unwrap_or_default();
                    self.service.metrics().check_ins_recorded("import", recorded);
                }
                Ok((rejected, summary))
            }
        }
    }

    /// The rejected rows that are listed, and the numbers. Of an import that is refused nothing is recorded.
    fn told(&self, judged: &[JudgedRow], stored: bool) -> (Vec<RejectedRow>, CheckInSummary) {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let mut summary =
            CheckInSummary { received: number(self.rows.len()), stored, ..CheckInSummary::default() };
        let mut rejected = Vec::new();
        for (row, judged) in self.rows.iter().zip(judged) {
            match judged {
                JudgedRow::Good(..) => summary.recorded += 1,
                JudgedRow::Unchanged => summary.unchanged += 1,
                JudgedRow::Rejected(violations) => {
                    summary.rejected += 1;
                    if rejected.len() < MOST_LISTED {
                        rejected.push(RejectedRow { row: row.row, violations: violations.clone() });
                    } else {
                        summary.rejected_unlisted += 1;
                    }
                }
            }
        }
        if summary.rejected > 0 && !self.spec.accept_good_rows {
            (summary.recorded, summary.unchanged) = (0, 0);
        }
        (rejected, summary)
    }
}

/// A begun export.
#[derive(Debug)]
pub struct CheckInExport {
    store: Store,
    scope: Scope,
    organisation: OrganisationId,
    round: Option<RoundId>,
    after: Option<ExportedCheckIn>,
}

impl CheckInExport {
    /// The next check-ins, by mentorship; empty at the end.
    pub async fn next_part(&mut self) -> Result<Vec<ExportedCheckIn>> {
        let Self { store, scope, organisation, round, after } = self;
        let part = store
            .exported_check_ins(scope, organisation, round.as_ref(), after.as_ref(), EXPORT_PART)
            .await?;
        if let Some(last) = part.last() {
            self.after = Some(last.clone());
        }
        Ok(part)
    }
}
