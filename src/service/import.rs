//! Import of profiles: rows are checked and staged as they arrive. From the end on, all staged rows are present profiles.
//!
//! - The check of a message runs off the async threads, while the rows of the message before are staged.
//! - With `validate_only` no row reaches the database: the rows are compared with what is stored, and forgotten.
//! - A row that says what is stored already is not staged.
//! - The import holds the ids of its people in memory, so it has at most `MOST_ROWS` rows.

mod check;
mod people;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::check::DraftRow;
pub(super) use self::check::keep_record;
use self::check::{Change, CheckedRow, MergedRow};
pub use self::people::RowWarning;
use self::people::{Ending, People, similar_id};
use super::erasure::ErasedPeople;
use super::organisation::parse_organisation;
use super::{Action, Permit, Service, parse_request_id, recalled, remembered};
use crate::domain::caller::Caller;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::message;
use crate::store::{Begun, ImportCounts, ImportKey, StagedRow};

/// Rows of one import, at most.
const MOST_ROWS: i64 = 250_000;
/// Rejected rows of one import that are listed, and warnings; further ones are counted.
const MOST_LISTED: i64 = 1_000;
/// Rows that are staged at once; fewer rows wait for the next message.
const STAGED_AT_ONCE: usize = 2_000;
/// Ids of stored people that are read at once.
const IDS_AT_ONCE: u32 = 10_000;
/// Comparisons of an import with what other imports of the organisation store at the same time, at most.
const MOST_COMPARISONS: usize = 10;

/// Settings of an import.
#[derive(Debug, Clone, Default)]
pub struct ImportSpec {
    /// Resource name of the organisation.
    pub parent: String,
    /// Store the good rows although others are rejected.
    pub accept_good_rows: bool,
    /// Check all rows and store nothing.
    pub validate_only: bool,
    /// Store people again who were erased and have come back.
    pub accept_returned: bool,
    /// The caller's `request_id`.
    pub request_id: String,
    /// Withdraw the enrolments of the people whom the import does not name, if there are so many of them.
    pub prune: Option<i64>,
}

/// A row that cannot be stored.
#[derive(Debug, Clone)]
pub struct RejectedRow {
    /// The caller's number of the row.
    pub row: i64,
    /// All violations of the row.
    pub violations: Violations,
}

/// What there is to tell of some rows.
#[derive(Debug, Default)]
pub struct Findings {
    /// Rejected rows, in order.
    pub rejected: Vec<RejectedRow>,
    /// Warnings, in the order of the rows.
    pub warnings: Vec<RowWarning>,
}

/// Result of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Rejected rows that were counted only.
    pub rejected_unlisted: i64,
    /// Warnings.
    pub warnings: i64,
    /// Warnings that were counted only.
    pub warnings_unlisted: i64,
    /// Rows whose people have consents or withdrawals on record that the row does not say. They were kept.
    pub consents_kept: i64,
    /// Stored profiles of the organisation that are not in the import.
    pub absent: i64,
    /// Names of the first of them.
    pub absent_profiles: Vec<String>,
    /// Enrolments of absent people that were withdrawn, or would be.
    pub pruned: i64,
    /// Whether the good rows were stored.
    pub stored: bool,
}

/// A begun import.
#[derive(Debug)]
pub struct Import {
    service: Service,
    permit: Permit,
    spec: ImportSpec,
    organisation: OrganisationId,
    /// `None` if nothing is to be stored.
    key: Option<ImportKey>,
    /// Digests of the good and of the rejected rows, each in file order, and independent of the cut into messages.
    payload: [Sha256; 2],
    people: People,
    erased: ErasedPeople,
    /// Rows to be staged.
    ready: Vec<StagedRow>,
    summary: ImportSummary,
}

impl Service {
    /// Begins an import.
    pub async fn begin_import(&self, caller: &Caller, spec: ImportSpec) -> Result<Import> {
        let permit = Action::ImportProfiles.permit(caller)?;
        let organisation = parse_organisation("header.parent", &spec.parent)?;
        if !spec.request_id.is_empty() {
            // A wrong request_id is reported before the first row.
            parse_request_id(&spec.request_id)?;
        }
        let scope = &permit.scope;
        let key = if spec.validate_only {
            self.store.organisation(scope, &organisation).await?;
            None
        } else {
            let (id, now) = (self.clock.new_id().to_string(), self.clock.now());
            Some(self.store.begin_import(scope, &organisation, &id, now).await?)
        };
        let erased = self.erased_people(scope, &organisation, spec.accept_returned).await?;
        let mut payload = [Sha256::new(), Sha256::new()];
        let ImportSpec { accept_good_rows, validate_only, prune, accept_returned, .. } = &spec;
        payload[0].update(format!(
            "{organisation} {accept_good_rows} {validate_only} {prune:?} {accept_returned}\n"
        ));
        Ok(Import {
            service: self.clone(),
            permit: permit.clone(),
            spec,
            organisation,
            key,
            payload,
            people: People::default(),
            erased,
            ready: Vec::new(),
            summary: ImportSummary::default(),
        })
    }

    /// Runs work that takes long off the async threads, on as many threads at a time as there are permits.
    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let failed = |error| Error::Internal("the check of an import failed".into(), Some(error));
        let permit = self.import_turns.clone().acquire_owned().await.map_err(|error| failed(error.into()))?;
        let work = move || {
            let _held = permit;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(error.into()))?
    }
}

impl Import {
    /// Rows received so far.
    pub fn received(&self) -> i64 {
        self.summary.received
    }

    /// Checks rows, stages those of earlier calls, and returns what there is to tell of the rows.
    pub async fn rows(&mut self, rows: Vec<DraftRow>) -> Result<Findings> {
        self.summary.received += i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if self.summary.received > MOST_ROWS {
            let wrong = format!("are more than {MOST_ROWS} in one import; split the file");
            return Err(Error::invalid_field("rows", &self.summary.received.to_string(), wrong));
        }
        let staged =
            if self.ready.len() >= STAGED_AT_ONCE { std::mem::take(&mut self.ready) } else { Vec::new() };
        let (store, key, now) = (self.service.store.clone(), self.key.clone(), self.service.clock.now());
        let staging = async {
            match &key {
                Some(key) if !staged.is_empty() => store.stage_rows(key, staged, now).await,
                _ => Ok(()),
            }
        };
        let (found, staged) = tokio::join!(self.check(rows, now), staging);
        staged?;
        found
    }

    async fn check(&mut self, rows: Vec<DraftRow>, now: Timestamp) -> Result<Findings> {
        let organisation = self.organisation.clone();
        let checked = self.service.off_thread(move || check::check(&organisation, rows, now)).await?;
        let mut found = Findings::default();
        let mut good = Vec::with_capacity(checked.len());
        for CheckedRow { row, id, outcome } in checked {
            let violations = match outcome {
                Ok(checked) => match self.people.add(checked.staged.id(), row) {
                    Ok(()) => {
                        let id = checked.staged.id();
                        self.payload[0].update(format!("{row} {id} {}\n", checked.staged.digest()));
                        let own = checked.warnings.iter().cloned();
                        found.warnings.extend(own.map(|warning| RowWarning { row, warning }));
                        if let Some(other) = self.people.similar(id) {
                            found.warnings.push(similar_id(row, id, &other));
                        }
                        self.people.mention(&self.organisation, row, &checked.profile);
                        good.push((row, checked));
                        continue;
                    }
                    Err(first) => named_twice(checked.staged.id(), first),
                },
                Err(violations) => {
                    if let Some(id) = id {
                        self.people.add_rejected(id);
                    }
                    violations
                }
            };
            found.rejected.push(RejectedRow { row, violations });
        }
        for rejection in &found.rejected {
            self.payload[1].update(format!("{} rejected\n", rejection.row));
            for violation in rejection.violations.listed() {
                self.payload[1].update(format!("{} {}\n", violation.field, violation.value));
            }
        }
        if !good.is_empty() {
            let scope = &self.permit.scope;
            let ids: Vec<(OwnId, String)> = good
                .iter()
                .map(|(_, row)| (row.staged.id().clone(), row.staged.digest().to_owned()))
                .collect();
            let present = self.service.store.present(scope, &self.organisation, &ids).await?;
            let merged = if present.is_empty() {
                check::merge(good, &HashMap::new())?
            } else {
                self.service.off_thread(move || check::merge(good, &present)).await?
            };
            self.take(merged, &mut found);
        }
        found.rejected.sort_by_key(|rejection| rejection.row);
        self.summary.rejected += i64::try_from(found.rejected.len()).unwrap_or(i64::MAX);
        if self.is_refused() {
            // Nothing of it will be stored.
            self.ready.clear();
        }
        self.cut(&mut found);
        Ok(found)
    }

    fn take(&mut self, merged: Vec<MergedRow>, found: &mut Findings) {
        let stores = self.key.is_some();
        for MergedRow { row, id, change, keeps_consents } in merged {
            self.summary.consents_kept += i64::from(keeps_consents);
            match change {
                Ok(Change::Nothing) => self.summary.unchanged += 1,
                Ok(Change::Create(staged)) => match self.erased.admit("name", &self.organisation, &id) {
                    Ok(()) => {
                        self.summary.created += 1;
                        self.ready.extend(stores.then_some(staged));
                    }
                    Err(violations) => {
                        self.people.add_rejected(id);
                        found.rejected.push(RejectedRow { row, violations });
                    }
                },
                Ok(Change::Update(staged)) => {
                    self.summary.updated += 1;
                    self.ready.extend(stores.then_some(staged));
                }
                Err(violations) => {
                    self.people.add_rejected(id);
                    found.rejected.push(RejectedRow { row, violations });
                }
            }
        }
    }

    /// Whether a rejected row means that nothing is stored.
    fn is_refused(&self) -> bool {
        self.summary.rejected > 0 && !self.spec.accept_good_rows
    }

    /// Counts what is beyond the numbers that an import lists, and leaves it out.
    fn cut(&mut self, found: &mut Findings) {
        let listed = self.summary.rejected - i64::try_from(found.rejected.len()).unwrap_or(i64::MAX);
        let room = usize::try_from(MOST_LISTED - listed).unwrap_or_default();
        if found.rejected.len() > room {
            self.summary.rejected_unlisted += i64::try_from(found.rejected.len() - room).unwrap_or(i64::MAX);
            found.rejected.truncate(room);
        }
        let room = usize::try_from(MOST_LISTED - self.summary.warnings).unwrap_or_default();
        self.summary.warnings += i64::try_from(found.warnings.len()).unwrap_or(i64::MAX);
        if found.warnings.len() > room {
            self.summary.warnings_unlisted += i64::try_from(found.warnings.len() - room).unwrap_or(i64::MAX);
            found.warnings.truncate(room);
        }
    }

    /// Compares the people of the import with those of the organisation, after the last row. `rows` is the caller's number
    /// of rows.
    pub async fn end(&mut self, rows: i64) -> Result<Findings> {
        let received = self.summary.received;
        if rows != received {
            let wrong = format!(
                "is not the number of received rows, {received}; nothing was stored, so send the import again"
            );
            return Err(Error::invalid_field("end.rows", &rows.to_string(), wrong));
        }
        let ending = self.people.ending();
        let ending = self.with_stored(ending).await?;
        let name = |id: &OwnId| ProfileRef { organisation: self.organisation.clone(), id: id.clone() }.name();
        self.check_absent(ending.absent)?;
        self.summary.absent = ending.absent;
        self.summary.absent_profiles = ending.first_absent.iter().map(name).collect();
        if self.spec.validate_only {
            let is_named = |id: &OwnId| self.people.has(id);
            let store = &self.service.store;
            let pruned = store.count_prunable(&self.permit.scope, &self.organisation, &is_named).await?;
            self.summary.pruned = i64::try_from(pruned).unwrap_or(i64::MAX);
        }
        let mut found = Findings { rejected: Vec::new(), warnings: ending.warnings() };
        self.cut(&mut found);
        Ok(found)
    }

    /// Takes all stored people of the organisation into account.
    async fn with_stored(&self, mut ending: Ending) -> Result<Ending> {
        let (store, scope) = (&self.service.store, &self.permit.scope);
        let mut after: Option<OwnId> = None;
        loop {
            let ids = store.list_profile_ids(scope, &self.organisation, after.as_ref(), IDS_AT_ONCE).await?;
            for id in &ids {
                ending.stored(&self.people, id);
            }
            match ids.into_iter().last() {
                Some(last) => after = Some(last),
                None => return Ok(ending),
            }
        }
    }

    /// `Ok` if nobody is to be withdrawn, or if as many people are absent as the caller has seen.
    fn check_absent(&self, absent: i64) -> Result<()> {
        match self.spec.prune {
            Some(expected) if expected != absent => {
                let wrong = message!(
                    "is not the number of stored profiles that the import does not name, {absent}; nothing was stored, so look at them again with validate_only",
                    absent = absent
                );
                Err(Error::invalid_field("header.prune", &expected.to_string(), wrong))
            }
            _ => Ok(()),
        }
    }

    /// Finishes the import: all rows count from one moment on, or none is stored.
    pub async fn finish(self) -> Result<ImportSummary> {
        let metrics = self.service.metrics().clone();
        let summary = self.settle().await?;
        metrics.import_ended(if summary.stored { "applied" } else { "discarded" });
        let outcomes = [
            ("created", summary.created),
            ("updated", summary.updated),
            ("unchanged", summary.unchanged),
            ("rejected", summary.rejected),
        ];
        for (outcome, rows) in outcomes {
            metrics.rows_imported(outcome, u64::try_from(rows).unwrap_or_default());
        }
        Ok(summary)
    }

    async fn settle(mut self) -> Result<ImportSummary> {
        let Some(key) = self.key.clone().filter(|_| !self.is_refused()) else {
            if self.is_refused() {
                (self.summary.created, self.summary.updated, self.summary.unchanged) = (0, 0, 0);
            }
            let summary = self.summary.clone();
            self.discard().await?;
            return Ok(summary);
        };
        let now = self.service.clock.now();
        let last = std::mem::take(&mut self.ready);
        let stored = match self.service.store.stage_rows(&key, last, now).await {
            Ok(()) => self.store(&key).await,
            Err(error) => Err(error),
        };
        match stored {
            Ok((summary, true)) => Ok(summary),
            Ok((first, false)) => self.discard().await.map(|()| first),
            Err(error) => {
                // The first error is returned; housekeeping purges rows that stay behind.
                let _ = self.discard().await;
                Err(error)
            }
        }
    }

    /// Makes the staged rows present profiles. Returns `false` with the first summary if an equal request did so before.
    async fn store(&self, key: &ImportKey) -> Result<(ImportSummary, bool)> {
        let payload = self.payload.clone().map(|part| hex::encode(part.finalize()));
        for _ in 0..MOST_COMPARISONS {
            let ready = self.service.store.ready_import(key, self.service.clock.now()).await?;
            if self.spec.prune.is_some() {
                // Nobody comes between this look and the end, which finds out whether another import has finished.
                self.check_absent(self.with_stored(Ending::default()).await?.absent)?;
            }
            let receipt = self.service.receipt(&self.permit, &self.spec.request_id, &payload)?;
            match self.service.store.begin(receipt).await? {
                Begun::Repeated(first) => return Ok((recalled(&first)?, false)),
                Begun::Fresh(mut session) => {
                    let ready = ready.with_unstaged(self.summary.unchanged);
                    let Some((counts, left)) = session.finish_import(key, ready).await? else { continue };
                    if session.tombstones(&self.organisation).await? != self.erased.len() {
                        let cause = "a person of the organisation was erased during the import";
                        return Err(Error::StoreUnavailable(cause.into()));
                    }
                    session.return_erased(&self.organisation, self.erased.returned()).await?;
                    let ImportCounts { created, updated, unchanged } = counts;
                    let (mut pruned, mut notes) = (0, Vec::new());
                    if self.spec.prune.is_some() {
                        let is_named = |id: &OwnId| self.people.has(id);
                        (pruned, notes) = session.prune(&self.organisation, &is_named).await?;
                    }
                    let summary = ImportSummary {
                        created,
                        updated,
                        unchanged,
                        pruned: i64::try_from(pruned).unwrap_or(i64::MAX),
                        stored: true,
                        ..self.summary.clone()
                    };
                    let left = left.with(notes);
                    self.service.commit_left(session, left, &remembered(&summary)?).await?;
                    return Ok((summary, true));
                }
            }
        }
        Err(Error::StoreUnavailable("other imports of the organisation finish at the same time".into()))
    }

    /// Deletes the staged rows; nothing of the import is stored.
    pub async fn discard(self) -> Result<()> {
        self.staged().discard().await
    }

    /// What is staged, for whoever must delete it if the import is dropped.
    pub fn staged(&self) -> StagedImport {
        StagedImport { service: self.service.clone(), key: self.key.clone() }
    }
}

/// What is staged of an import.
#[derive(Debug)]
pub struct StagedImport {
    service: Service,
    key: Option<ImportKey>,
}

impl StagedImport {
    /// Deletes the staged rows; nothing happens after the end of the import.
    pub async fn discard(self) -> Result<()> {
        match &self.key {
            Some(key) => self.service.store.discard_import(key).await,
            None => Ok(()),
        }
    }
}

fn named_twice(id: &OwnId, first_row: i64) -> Violations {
    let mut violations = Violations::default();
    let wrong = format!("is also the name of row {first_row}");
    violations.push("name", id, wrong, "keep one row per person");
    violations
}
