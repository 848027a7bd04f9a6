//! Import of profiles: rows are checked and staged as they arrive. The end makes profiles of all staged rows.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::organisation::parse_organisation;
use super::{Action, Service, parse_request_id, recalled, remembered};
use crate::domain::caller::Caller;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::domain::profile::{Profile, ProfileDraft};
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, ImportKey, Scope, StagedRow};

/// Form of the name of a row's profile.
const NAME_HINT: &str =
    "write profiles/{id} with an id of 1 to 64 characters of A-Z, a-z, 0-9, `.`, `_`, `-`";

/// Settings of an import.
#[derive(Debug, Clone, Default)]
pub struct ImportSpec {
    /// Resource name of the organisation.
    pub parent: String,
    /// Store the good rows although others are rejected.
    pub accept_good_rows: bool,
    /// Check all rows and store nothing.
    pub validate_only: bool,
    /// The caller's `request_id`.
    pub request_id: String,
}

/// A row from outside, not parsed yet.
#[derive(Debug, Clone)]
pub struct DraftRow {
    /// The caller's number of the row.
    pub row: i64,
    /// The profile.
    pub draft: Option<ProfileDraft>,
    /// The caller could not read the whole row.
    pub unreadable: bool,
}

/// A row that cannot be stored.
#[derive(Debug, Clone)]
pub struct RejectedRow {
    /// The caller's number of the row.
    pub row: i64,
    /// All violations of the row.
    pub violations: Violations,
}

/// Result of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSummary {
    /// Rows received.
    pub received: i64,
    /// New profiles.
    pub created: i64,
    /// Changed profiles.
    pub updated: i64,
    /// Profiles without a change.
    pub unchanged: i64,
    /// Rejected rows.
    pub rejected: i64,
    /// Whether the good rows were stored.
    pub stored: bool,
}

/// A begun import.
#[derive(Debug)]
pub struct Import {
    service: Service,
    caller: Caller,
    spec: ImportSpec,
    organisation: OrganisationId,
    key: ImportKey,
    /// Digests of the good and of the rejected rows, each in file order, and independent of the cut into messages.
    payload: [Sha256; 2],
    received: i64,
    rejected: i64,
}

impl Service {
    /// Begins an import.
    pub async fn begin_import(&self, caller: &Caller, spec: ImportSpec) -> Result<Import> {
        Action::ImportProfiles.permit(caller)?;
        let organisation = parse_organisation("header.parent", &spec.parent)?;
        if !spec.request_id.is_empty() {
            // A wrong request_id is reported before the first row.
            parse_request_id(&spec.request_id)?;
        }
        let (id, now) = (self.clock.new_id().to_string(), self.clock.now());
        let key = self.store.begin_import(&Scope::from(caller), &organisation, &id, now).await?;
        let mut payload = [Sha256::new(), Sha256::new()];
        payload[0].update(format!("{organisation} {} {}\n", spec.accept_good_rows, spec.validate_only));
        Ok(Import {
            service: self.clone(),
            caller: caller.clone(),
            spec,
            organisation,
            key,
            payload,
            received: 0,
            rejected: 0,
        })
    }
}

impl Import {
    /// Rows received so far.
    pub fn received(&self) -> i64 {
        self.received
    }

    /// Checks and stages rows, and returns the rejected rows.
    pub async fn rows(&mut self, rows: Vec<DraftRow>) -> Result<Vec<RejectedRow>> {
        let now = self.service.clock.now();
        let mut rejected = Vec::new();
        let mut staged = Vec::with_capacity(rows.len());
        for DraftRow { row, draft, unreadable } in rows {
            self.received += 1;
            let parsed = draft.map(|draft| parse_row(&self.organisation, &draft, now));
            match parsed {
                Some(Ok((id, profile))) if !unreadable => {
                    let named = format!("{row} {id} ");
                    let ready = StagedRow::new(row, id, &profile)?;
                    self.payload[0].update(format!("{named}{}\n", ready.digest()));
                    staged.push(ready);
                }
                Some(Err(violations)) => rejected.push(RejectedRow { row, violations }),
                Some(Ok(_)) | None => rejected.push(RejectedRow { row, violations: unread(unreadable) }),
            }
        }
        for duplicate in self.service.store.stage_rows(&self.key, staged, now).await? {
            let mut violations = Violations::default();
            violations.push(
                "name",
                &duplicate.id,
                format!("is also the name of row {}", duplicate.first_row),
                "keep one row per person",
            );
            rejected.push(RejectedRow { row: duplicate.row, violations });
        }
        rejected.sort_by_key(|rejection| rejection.row);
        for rejection in &rejected {
            self.rejected += 1;
            self.payload[1].update(format!("{} rejected\n", rejection.row));
            for violation in rejection.violations.listed() {
                self.payload[1].update(format!("{} {}\n", violation.field, violation.value));
            }
        }
        Ok(rejected)
    }

    /// Ends the import: stores all rows in one transaction, or none. `rows` is the caller's number of rows.
    pub async fn finish(self, rows: i64) -> Result<ImportSummary> {
        if rows != self.received {
            let received = self.received;
            self.discard().await?;
            let wrong = format!(
                "is not the number of received rows, {received}; nothing was stored, so send the import again"
            );
            return Err(Error::invalid_field("end.rows", &rows.to_string(), wrong));
        }
        let unstored = ImportSummary {
            received: self.received,
            created: 0,
            updated: 0,
            unchanged: 0,
            rejected: self.rejected,
            stored: false,
        };
        if self.spec.validate_only || (self.rejected > 0 && !self.spec.accept_good_rows) {
            self.discard().await?;
            return Ok(unstored);
        }
        match self.store(unstored).await {
            Ok((summary, true)) => Ok(summary),
            Ok((first, false)) => self.discard().await.map(|()| first),
            Err(error) => {
                // The first error is returned; housekeeping purges rows that stay behind.
                let _ = self.discard().await;
                Err(error)
            }
        }
    }

    /// Makes profiles of the staged rows. Returns `false` with the first summary if an equal request did so before.
    async fn store(&self, unstored: ImportSummary) -> Result<(ImportSummary, bool)> {
        let payload = self.payload.clone().map(|part| hex::encode(part.finalize()));
        let receipt =
            self.service.receipt(&self.caller, Action::ImportProfiles, &self.spec.request_id, &payload)?;
        match self.service.store.begin(receipt).await? {
            Begun::Repeated(first) => Ok((recalled(&first)?, false)),
            Begun::Fresh(mut session) => {
                let (counts, note) = session.finish_import(&self.key).await?;
                let summary = ImportSummary {
                    created: counts.created,
                    updated: counts.updated,
                    unchanged: counts.unchanged,
                    stored: true,
                    ..unstored
                };
                session.commit(note, &remembered(&summary)?).await?;
                Ok((summary, true))
            }
        }
    }

    /// Deletes the staged rows; nothing of the import is stored.
    pub async fn discard(self) -> Result<()> {
        self.service.store.discard_import(&self.key).await
    }
}

/// Violations of a row without a profile. A caller who could not read the row has reported its violations already.
fn unread(by_caller: bool) -> Violations {
    let mut violations = Violations::default();
    if !by_caller {
        violations.push("profile", "", "is missing", "send a profile in every row");
    }
    violations
}

/// A row's own id and profile, or all violations.
fn parse_row(
    organisation: &OrganisationId,
    draft: &ProfileDraft,
    now: jiff::Timestamp,
) -> Result<(OwnId, Profile), Violations> {
    let mut violations = Violations::default();
    let id = match parse_name(organisation, &draft.name) {
        Ok(id) => Some(id),
        Err(wrong) => {
            violations.push("name", &draft.name, wrong, NAME_HINT);
            None
        }
    };
    // A stand-in replaces a wrong name, so that the parse finds the other violations too.
    let Some(me) = id.clone().or_else(|| "-".parse().ok()) else { return Err(violations) };
    let me = ProfileRef { organisation: organisation.clone(), id: me };
    match (id, Profile::parse(&me, draft, now)) {
        (Some(id), Ok(profile)) => Ok((id, profile)),
        (_, Ok(_)) => Err(violations),
        (_, Err(part)) => {
            violations.extend(part);
            Err(violations)
        }
    }
}

/// The own id in `organisations/{organisation}/profiles/{profile}` or `profiles/{profile}`.
fn parse_name(organisation: &OrganisationId, name: &str) -> Result<OwnId, &'static str> {
    if name.is_empty() {
        return Err("is missing");
    }
    if let Some(id) = name.strip_prefix("profiles/") {
        return id.parse().map_err(|_| "is not the name of a profile");
    }
    match ProfileRef::from_name(name) {
        Ok(profile) if profile.organisation == *organisation => Ok(profile.id),
        Ok(_) => Err("belongs to another organisation than the import does"),
        Err(_) => Err("is not the name of a profile"),
    }
}
