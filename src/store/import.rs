//! Imports: documents are staged as they arrive, each batch in a short transaction of its own. One transaction at the end
//! makes profiles of them, and copies no document. No read returns staged rows, and a stream that breaks leaves only
//! staged rows, which are purged.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::backend::Store;
use super::dialect::{self, BULK_ROWS, values};
use super::journal::Note;
use super::scope::{Owner, Scope};
use super::session::{Housekeeping, WriteSession};
use super::statement::statements;
use super::{fault, organisation};
use crate::domain::name::{OrganisationId, OwnId};
use crate::domain::profile::Profile;
use crate::error::{Error, Result};

statements! {
    upkeep BEGIN = ("profile_import.begin",
        "INSERT INTO profile_import (id, organisation_id, staged, create_micros, touch_micros) \
         VALUES ($1, $2, 0, $3, $3)");
    upkeep COUNT = ("profile_import.count",
        "UPDATE profile_import SET staged = staged + $3, touch_micros = $4 \
         WHERE id = $1 AND organisation_id = $2 AND finish_micros IS NULL RETURNING staged");
    query STAGED = filtered("profile_import.staged",
        "SELECT d.ordinal, d.row_number FROM profile_document d JOIN profile_import i ON i.id = d.import_id \
         WHERE d.import_id = $1 AND d.own_id = $2 AND (CAST($3 AS TEXT) IS NULL OR i.organisation_id = $3)");
    // The lock of the organisation makes the numbers grow in the order of the commits.
    change FINISH = ("profile_import.finish",
        "UPDATE profile_import SET finish_micros = $3, number = (SELECT COALESCE(MAX(i.number), 0) + 1 \
         FROM profile_import i WHERE i.organisation_id = $2) \
         WHERE id = $1 AND organisation_id = $2 AND finish_micros IS NULL");
    query COMPARE = filtered("profile_import.compare",
        "SELECT COUNT(*) AS staged, COUNT(p.own_id) AS known, \
         CAST(COALESCE(SUM(CASE WHEN p.digest = d.digest THEN 1 ELSE 0 END), 0) AS BIGINT) AS unchanged, \
         CAST(COALESCE(SUM(CASE WHEN p.is_mentor <> d.is_mentor OR p.is_mentee <> d.is_mentee THEN 1 ELSE 0 END), 0) \
         AS BIGINT) AS other_roles \
         FROM profile_document d LEFT JOIN profile p ON p.organisation_id = $2 AND p.own_id = d.own_id \
         WHERE d.import_id = $1 AND (CAST($3 AS TEXT) IS NULL OR CAST($2 AS TEXT) = $3)");
    change UPSERT = ("profile_import.upsert",
        "INSERT INTO profile (organisation_id, own_id, version, import_id, digest, is_mentor, is_mentee, create_micros, \
         update_micros) SELECT $2, own_id, 1, import_id, digest, is_mentor, is_mentee, CAST($3 AS BIGINT), \
         CAST($3 AS BIGINT) FROM profile_document WHERE import_id = $1 \
         ON CONFLICT (organisation_id, own_id) DO UPDATE SET version = profile.version + 1, \
         import_id = excluded.import_id, digest = excluded.digest, is_mentor = excluded.is_mentor, \
         is_mentee = excluded.is_mentee, update_micros = excluded.update_micros \
         WHERE profile.digest <> excluded.digest");
    change KEEP_VERSIONS = ("profile_import.keep_versions",
        "INSERT INTO profile_version (organisation_id, own_id, version, import_id, import_number, create_micros) \
         SELECT p.organisation_id, p.own_id, p.version, p.import_id, i.number, CAST($3 AS BIGINT) \
         FROM profile_document d JOIN profile_import i ON i.id = d.import_id \
         JOIN profile p ON p.organisation_id = $2 AND p.own_id = d.own_id \
         WHERE d.import_id = $1 AND p.import_id = $1");
    change DROP_UNCHANGED = ("profile_import.drop_unchanged",
        "DELETE FROM profile_document WHERE import_id = $1 AND NOT EXISTS (SELECT 1 FROM profile p \
         WHERE p.organisation_id = $2 AND p.own_id = profile_document.own_id AND p.import_id = $1)");
    upkeep DISCARD = ("profile_import.discard",
        "DELETE FROM profile_import WHERE id = $1 AND organisation_id = $2 AND finish_micros IS NULL");
    upkeep STALE = ("profile_import.purge",
        "DELETE FROM profile_import WHERE touch_micros < $1 AND finish_micros IS NULL");
    // A row of a person who is staged already changes nothing.
    upkeep STAGE = bulk(
        name: "profile_import.stage",
        head: "INSERT INTO profile_document \
               (import_id, own_id, ordinal, row_number, digest, is_mentor, is_mentee, document) VALUES",
        columns: 8,
        tail: " ON CONFLICT (import_id, own_id) DO NOTHING",
    );
}

/// An import under way, begun in a scope that covers its organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportKey {
    organisation: OrganisationId,
    id: String,
}

/// A checked row of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedRow {
    row: i64,
    id: OwnId,
    document: String,
    digest: String,
    is_mentor: bool,
    is_mentee: bool,
}

impl StagedRow {
    /// Row `row` of the caller's file, with the profile of the organisation's member `id`.
    pub fn new(row: i64, id: OwnId, content: &Profile) -> Result<Self> {
        let document = dialect::json(content)?;
        Ok(Self {
            row,
            id,
            digest: hex::encode(Sha256::digest(&document)),
            document,
            is_mentor: content.open_offer().is_some(),
            is_mentee: content.open_request().is_some(),
        })
    }

    /// Digest of the profile, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// A row that names the same person as an earlier row of the import. The row was not staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The row.
    pub row: i64,
    /// The person.
    pub id: OwnId,
    /// The earlier row.
    pub first_row: i64,
}

/// What an import has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Profiles that were new.
    pub created: i64,
    /// Profiles that changed.
    pub updated: i64,
    /// Profiles that were already the same.
    pub unchanged: i64,
}

impl Store {
    /// Begins an import into an organisation. `id` is unique for ever.
    pub async fn begin_import(
        &self,
        scope: &Scope,
        organisation: &OrganisationId,
        id: &str,
        now: Timestamp,
    ) -> Result<ImportKey> {
        let mut session = self.housekeeping(scope).await?;
        organisation::require(session.reads(), organisation).await?;
        let begun = session.execute(BEGIN, values![id, organisation, now]).await?;
        fault::expect_rows(BEGIN.0.name, begun, 1)?;
        session.commit().await?;
        Ok(ImportKey { organisation: organisation.clone(), id: id.to_owned() })
    }

    /// Stages rows in one short transaction, and returns those that name the same person as an earlier row.
    ///
    /// Fails with `NotFound` if the import was finished, discarded or purged.
    pub async fn stage_rows(
        &self,
        import: &ImportKey,
        rows: Vec<StagedRow>,
        now: Timestamp,
    ) -> Result<Vec<Duplicate>> {
        let number = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if number == 0 {
            return Ok(Vec::new());
        }
        let mut session = self.housekeeping(&import.scope()).await?;
        // Counting first numbers the rows, and makes a second stream of the same import wait.
        let counted = session
            .row(COUNT, values![import.id.as_str(), &import.organisation, number, now])
            .await?
            .ok_or_else(|| Error::NotFound(format!("import {}", import.id)))?;
        let mut ordinal = counted.int("staged")? - number;
        let mut duplicates = Vec::new();
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let chunk: Vec<StagedRow> = rows.by_ref().take(BULK_ROWS).collect();
            let first = ordinal;
            ordinal += i64::try_from(chunk.len()).unwrap_or_default();
            stage_chunk(&mut session, import, first, chunk, &mut duplicates).await?;
        }
        session.commit().await?;
        Ok(duplicates)
    }

    /// Deletes an import and its rows; nothing happens if there is none.
    pub async fn discard_import(&self, import: &ImportKey) -> Result<()> {
        let mut session = self.housekeeping(&import.scope()).await?;
        session.execute(DISCARD, values![import.id.as_str(), &import.organisation]).await?;
        session.commit().await
    }

    /// Deletes imports that no row has reached since `limit`, and returns their number.
    pub async fn purge_stale_imports(&self, scope: &Scope, limit: Timestamp) -> Result<u64> {
        scope.require_system()?;
        let mut session = self.housekeeping(scope).await?;
        let purged = session.execute(STALE, values![limit]).await?;
        session.commit().await?;
        Ok(purged)
    }
}

impl ImportKey {
    fn scope(&self) -> Scope {
        Scope::Organisation(self.organisation.clone())
    }
}

/// Stages up to `BULK_ROWS` rows, numbered from `first`.
async fn stage_chunk(
    session: &mut Housekeeping,
    import: &ImportKey,
    first: i64,
    chunk: Vec<StagedRow>,
    duplicates: &mut Vec<Duplicate>,
) -> Result<()> {
    let names: Vec<(i64, OwnId)> = chunk.iter().map(|row| (row.row, row.id.clone())).collect();
    let bound = chunk.into_iter().zip(first..).map(|(row, ordinal)| {
        let StagedRow { row, id, document, digest, is_mentor, is_mentee } = row;
        values![import.id.as_str(), &id, ordinal, row, digest, is_mentor, is_mentee, document]
    });
    let staged = session.insert(STAGE, Box::new(bound)).await?;
    if staged == names.len() as u64 {
        return Ok(());
    }
    // Some people were staged before, by an earlier batch or earlier in this one: their stored number differs.
    let mut stored: HashMap<OwnId, (i64, i64)> = HashMap::new();
    for ((row, id), ordinal) in names.into_iter().zip(first..) {
        let (at, first_row) = if let Some(known) = stored.get(&id) {
            *known
        } else {
            let found = session.reads().one(STAGED, values![import.id.as_str(), &id]).await?;
            let known = (found.int("ordinal")?, found.int("row_number")?);
            stored.insert(id.clone(), known);
            known
        };
        if at != ordinal {
            duplicates.push(Duplicate { row, id, first_row });
        }
    }
    Ok(())
}

impl WriteSession {
    /// Makes profiles of the staged rows: a new version of each new or changed profile, nothing for the others.
    ///
    /// Fails with `NotFound` if the import was finished, discarded or purged.
    pub async fn finish_import(&mut self, import: &ImportKey) -> Result<(ImportCounts, Note)> {
        let ImportKey { organisation, id } = import;
        let (now, owner) = (self.now(), Owner::Organisation(organisation));
        self.lock_organisation(organisation).await?;
        let keys = || values![id.as_str(), organisation];
        let dated = || values![id.as_str(), organisation, now];
        if self.change(owner, FINISH, dated()).await? == 0 {
            return Err(Error::NotFound(format!("import {id}")));
        }
        let compared = self.reads().one(COMPARE, keys()).await?;
        let (staged, known) = (compared.int("staged")?, compared.int("known")?);
        let unchanged = compared.int("unchanged")?;
        let counts = ImportCounts { created: staged - known, updated: known - unchanged, unchanged };
        let changed = (counts.created + counts.updated).unsigned_abs();
        if compared.int("other_roles")? > 0 {
            // Before the profiles change: the counters move by the difference between staged and present roles.
            self.move_enrolment_counts(organisation, id).await?;
        }
        for statement in [UPSERT, KEEP_VERSIONS] {
            self.change_exactly(changed, owner, statement, dated()).await?;
        }
        if unchanged > 0 {
            self.change_exactly(unchanged.unsigned_abs(), owner, DROP_UNCHANGED, keys()).await?;
        }
        let detail = json!({
            "import": id,
            "created": counts.created,
            "updated": counts.updated,
            "unchanged": counts.unchanged,
        });
        Ok((counts, Note::new(owner, "profile.import", organisation.name(), &detail)))
    }
}
