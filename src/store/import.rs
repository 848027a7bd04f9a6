//! Imports: documents are staged as they arrive, each batch in a short transaction of its own. One transaction at the end
//! makes profiles of them, and copies no document. No read returns staged rows, and a stream that breaks leaves only
//! staged rows, which are purged.
//!
//! A staged row rests on a version of the profile, with whose consents it was merged. Before the end, rows whose profile has
//! another version by now are merged again in short transactions; the end checks, under the lock of the organisation, that
//! no further import has finished. So of two imports at the same time neither loses what the other says of consents.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::backend::Store;
use super::dialect::{self, values};
use super::journal::Note;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use super::{fault, organisation};
use crate::domain::name::{OrganisationId, OwnId};
use crate::domain::profile::{Consent, Profile, consents};
use crate::error::{Error, Result};

statements! {
    upkeep BEGIN = ("profile_import.begin",
        "INSERT INTO profile_import (id, organisation_id, staged, create_micros, touch_micros) \
         VALUES ($1, $2, 0, $3, $3)");
    upkeep COUNT = ("profile_import.count",
        "UPDATE profile_import SET staged = staged + $3, touch_micros = $4 \
         WHERE id = $1 AND organisation_id = $2 AND finish_micros IS NULL RETURNING staged");
    query FINISHED = filtered("profile_import.finished",
        "SELECT COUNT(*) AS finished FROM profile_import WHERE organisation_id = $1 AND finish_micros IS NOT NULL \
         AND (CAST($2 AS TEXT) IS NULL OR organisation_id = $2)");
    // A list of any length is one value. The databases spell its reading differently.
    query VERSIONS = filtered("profile_import.versions",
        sqlite: "SELECT own_id, version, digest FROM profile WHERE organisation_id = $1 \
            AND own_id IN (SELECT value FROM json_each($2)) \
            AND (CAST($3 AS TEXT) IS NULL OR organisation_id = $3)",
        postgres: "SELECT own_id, version, digest FROM profile WHERE organisation_id = $1 AND own_id IN \
            (SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS JSON))) \
            AND (CAST($3 AS TEXT) IS NULL OR organisation_id = $3)");
    query DOCUMENTS = filtered("profile_import.documents",
        sqlite: "SELECT p.own_id, p.version, p.digest, d.document FROM profile p JOIN profile_document d \
            ON d.import_id = p.import_id AND d.own_id = p.own_id WHERE p.organisation_id = $1 \
            AND p.own_id IN (SELECT value FROM json_each($2)) \
            AND (CAST($3 AS TEXT) IS NULL OR p.organisation_id = $3)",
        postgres: "SELECT p.own_id, p.version, p.digest, d.document FROM profile p JOIN profile_document d \
            ON d.import_id = p.import_id AND d.own_id = p.own_id WHERE p.organisation_id = $1 AND p.own_id IN \
            (SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS JSON))) \
            AND (CAST($3 AS TEXT) IS NULL OR p.organisation_id = $3)");
    query OUTDATED = filtered("profile_import.outdated",
        "SELECT d.own_id, d.document, p.version, present.document AS present FROM profile_document d \
         JOIN profile p ON p.organisation_id = $2 AND p.own_id = d.own_id AND p.version <> d.base_version \
         JOIN profile_document present ON present.import_id = p.import_id AND present.own_id = p.own_id \
         WHERE d.import_id = $1 AND d.own_id > $3 AND (CAST($5 AS TEXT) IS NULL OR CAST($2 AS TEXT) = $5) \
         ORDER BY d.own_id LIMIT $4");
    upkeep REWRITE = ("profile_import.rewrite",
        "UPDATE profile_document SET document = $3, digest = $4, base_version = $5 \
         WHERE import_id = $1 AND own_id = $2");
    // The lock of the organisation makes the numbers grow in the order of the commits.
    change FINISH = ("profile_import.finish",
        "UPDATE profile_import SET finish_micros = $3, number = (SELECT COALESCE(MAX(i.number), 0) + 1 \
         FROM profile_import i WHERE i.organisation_id = $2) \
         WHERE id = $1 AND organisation_id = $2 AND finish_micros IS NULL");
    query COMPARE = filtered("profile_import.compare",
        "SELECT COUNT(*) AS staged, (SELECT MAX(i.staged) FROM profile_import i WHERE i.id = $1) AS expected, \
         COUNT(p.own_id) AS known, \
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
    // Few rows at a time, so that other writers do not wait for the end of a large import that is not wanted.
    upkeep SHRED = ("profile_import.shred",
        "DELETE FROM profile_document WHERE import_id = $1 AND own_id IN \
         (SELECT own_id FROM profile_document WHERE import_id = $1 ORDER BY own_id LIMIT $2) AND EXISTS \
         (SELECT 1 FROM profile_import i WHERE i.id = $1 AND i.organisation_id = $3 AND i.finish_micros IS NULL)");
    upkeep DISCARD = ("profile_import.discard",
        "DELETE FROM profile_import WHERE id = $1 AND organisation_id = $2 AND finish_micros IS NULL");
    query STALE = hidden("profile_import.stale",
        "SELECT id, organisation_id FROM profile_import WHERE touch_micros < $1 AND finish_micros IS NULL \
         ORDER BY touch_micros, id LIMIT 100");
    upkeep STAGE = bulk(
        name: "profile_import.stage",
        head: "INSERT INTO profile_document \
               (import_id, own_id, ordinal, row_number, base_version, digest, is_mentor, is_mentee, document) VALUES",
        columns: 9,
        tail: "",
    );
}

/// Rows that one transaction stages, merges again or deletes, at most: other writers wait for so many.
const STEP_ROWS: u32 = 1_000;

/// An import under way, begun in a scope that covers its organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportKey {
    organisation: OrganisationId,
    id: String,
    /// Number of the organisation's finished imports at the beginning.
    base: i64,
}

/// A checked row of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedRow {
    row: i64,
    id: OwnId,
    /// Version of the profile with whose consents the row was merged; 0 if there is no profile.
    base_version: i64,
    document: String,
    digest: String,
    is_mentor: bool,
    is_mentee: bool,
}

impl StagedRow {
    /// Row `row` of the caller's file, with the profile of the organisation's member `id`. `base_version` is the version of
    /// the present profile, with whose consents those of `content` were merged; 0 if there is none.
    pub fn new(row: i64, id: OwnId, base_version: i64, content: &Profile) -> Result<Self> {
        let document = dialect::json(content)?;
        Ok(Self {
            row,
            id,
            base_version,
            digest: hex::encode(Sha256::digest(&document)),
            document,
            is_mentor: content.open_offer().is_some(),
            is_mentee: content.open_request().is_some(),
        })
    }

    /// The person.
    pub fn id(&self) -> &OwnId {
        &self.id
    }

    /// Digest of the profile, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// What is stored of a person when her row arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Version of the profile.
    pub version: i64,
    /// Digest of the profile, in hexadecimal.
    pub digest: String,
    /// Her consents; not read if the row has the same digest.
    pub consents: Vec<Consent>,
}

/// The part of a document that an import merges.
#[derive(Debug, Deserialize)]
struct Record {
    #[serde(default)]
    consents: Vec<Consent>,
}

/// A staged import that was compared with the present profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadyImport {
    /// Number of the organisation's finished imports before the comparison.
    base: i64,
    counts: ImportCounts,
    /// Whether somebody has other roles than before.
    changes_roles: bool,
    /// Rows that were not staged, because they say what is stored.
    unstaged: i64,
}

impl ReadyImport {
    /// The same import, with `rows` more that were not staged, because they say what is stored.
    #[must_use]
    pub fn with_unstaged(self, rows: i64) -> Self {
        Self { unstaged: rows, ..self }
    }
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
        let base = session.reads().one(FINISHED, values![organisation]).await?.int("finished")?;
        session.commit().await?;
        Ok(ImportKey { organisation: organisation.clone(), id: id.to_owned(), base })
    }

    /// What is stored of the people of some rows, given by their ids and the digests of their rows.
    pub async fn present(
        &self,
        scope: &Scope,
        organisation: &OrganisationId,
        rows: &[(OwnId, String)],
    ) -> Result<HashMap<OwnId, Present>> {
        let mut session = self.snapshot_reader(scope).await?;
        let ids: Vec<&OwnId> = rows.iter().map(|(id, _)| id).collect();
        let mut present = HashMap::new();
        for row in session.rows(VERSIONS, values![organisation, dialect::json(&ids)?]).await? {
            let known =
                Present { version: row.int("version")?, digest: row.text("digest")?, consents: Vec::new() };
            present.insert(row.id("profile", "own_id")?, known);
        }
        let differs =
            |(id, digest): &&(OwnId, String)| present.get(id).is_some_and(|known| known.digest != *digest);
        let changed: Vec<&OwnId> = rows.iter().filter(differs).map(|(id, _)| id).collect();
        if !changed.is_empty() {
            for row in session.rows(DOCUMENTS, values![organisation, dialect::json(&changed)?]).await? {
                let id: OwnId = row.id("profile", "own_id")?;
                let record: Record = row.json("profile_document", &"of a profile", "document")?;
                let known = Present {
                    version: row.int("version")?,
                    digest: row.text("digest")?,
                    consents: record.consents,
                };
                present.insert(id, known);
            }
        }
        session.end().await?;
        Ok(present)
    }

    /// Stages rows of different people, in short transactions.
    ///
    /// Fails with `NotFound` if the import was finished, discarded or purged.
    pub async fn stage_rows(&self, import: &ImportKey, rows: Vec<StagedRow>, now: Timestamp) -> Result<()> {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let step: Vec<StagedRow> = rows.by_ref().take(STEP_ROWS as usize).collect();
            let number = i64::try_from(step.len()).unwrap_or(i64::MAX);
            let mut session = self.housekeeping(&import.scope()).await?;
            // Counting first numbers the rows, and makes a second stream of the same import wait.
            let counted = session
                .row(COUNT, values![import.id.as_str(), &import.organisation, number, now])
                .await?
                .ok_or_else(|| Error::NotFound(format!("import {}", import.id)))?;
            let first = counted.int("staged")? - number;
            let bound = step.into_iter().zip(first..).map(|(row, ordinal)| {
                let StagedRow { row, id, base_version, document, digest, is_mentor, is_mentee } = row;
                values![
                    import.id.as_str(),
                    &id,
                    ordinal,
                    row,
                    base_version,
                    digest,
                    is_mentor,
                    is_mentee,
                    document
                ]
            });
            session.insert(STAGE, Box::new(bound)).await?;
            session.commit().await?;
        }
        Ok(())
    }

    /// Compares a staged import with the present profiles. Rows whose profile has changed since they were staged are merged
    /// with the consents of the new version first.
    ///
    /// Fails with `NotFound` if rows are gone, because the import was discarded or purged.
    pub async fn ready_import(&self, import: &ImportKey, now: Timestamp) -> Result<ReadyImport> {
        let mut session = self.reader(&import.scope()).await?;
        let base = session.one(FINISHED, values![&import.organisation]).await?.int("finished")?;
        session.end().await?;
        if base != import.base {
            self.merge_again(import, now).await?;
        }
        let mut session = self.reader(&import.scope()).await?;
        let compared = session.one(COMPARE, values![import.id.as_str(), &import.organisation]).await?;
        session.end().await?;
        let (staged, known) = (compared.int("staged")?, compared.int("known")?);
        if compared.opt_int("expected")? != Some(staged) {
            return Err(Error::NotFound(format!("import {}", import.id)));
        }
        let unchanged = compared.int("unchanged")?;
        let counts = ImportCounts { created: staged - known, updated: known - unchanged, unchanged };
        let changes_roles = compared.int("other_roles")? > 0;
        Ok(ReadyImport { base, counts, changes_roles, unstaged: 0 })
    }

    /// Merges the rows whose profile has another version than the one that they rest on.
    async fn merge_again(&self, import: &ImportKey, now: Timestamp) -> Result<()> {
        let mut after = String::new();
        loop {
            let mut session = self.housekeeping(&import.scope()).await?;
            let step = values![import.id.as_str(), &import.organisation, after.as_str(), STEP_ROWS];
            let rows = session.reads().rows(OUTDATED, step).await?;
            let Some(last) = rows.last() else { return session.end().await };
            after = last.text("own_id")?;
            for row in &rows {
                let id = row.text("own_id")?;
                let mut content: Profile = row.json("profile_document", &"of a staged row", "document")?;
                let present: Record = row.json("profile_document", &"of a profile", "present")?;
                content.consents = consents::merged(&present.consents, &content.consents);
                if content.identity_is_withdrawn(now) {
                    return Err(Error::StoreUnavailable(
                        "a consent was withdrawn by another import of the organisation at the same time"
                            .into(),
                    ));
                }
                let document = dialect::json(&content)?;
                let digest = hex::encode(Sha256::digest(&document));
                let written = values![import.id.as_str(), id, document, digest, row.int("version")?];
                let done = session.execute(REWRITE, written).await?;
                fault::expect_rows(REWRITE.0.name, done, 1)?;
            }
            session.commit().await?;
        }
    }

    /// Deletes an import and its rows in short transactions; nothing happens if there is none. Nothing that the rows said
    /// remains in a SQLite database or its files.
    pub async fn discard_import(&self, import: &ImportKey) -> Result<()> {
        let (mut staged, scope) = (false, import.scope());
        loop {
            let mut session = self.housekeeping(&scope).await?;
            let step = values![import.id.as_str(), STEP_ROWS, &import.organisation];
            let deleted = session.execute(SHRED, step).await?;
            if deleted == 0 {
                session.execute(DISCARD, values![import.id.as_str(), &import.organisation]).await?;
            }
            session.commit().await?;
            if deleted == 0 {
                break;
            }
            staged = true;
        }
        if staged {
            self.empty_log().await?;
        }
        Ok(())
    }

    /// Deletes imports that no row has reached since `limit`, up to 100, and returns their number.
    pub async fn purge_stale_imports(&self, scope: &Scope, limit: Timestamp) -> Result<u64> {
        scope.require_system()?;
        let mut session = self.reader(scope).await?;
        let stale = session.rows(STALE, values![limit]).await?;
        session.end().await?;
        for row in &stale {
            let import = ImportKey {
                organisation: row.id("profile_import", "organisation_id")?,
                id: row.text("id")?,
                base: 0,
            };
            self.discard_import(&import).await?;
        }
        Ok(stale.len() as u64)
    }
}

impl ImportKey {
    fn scope(&self) -> Scope {
        Scope::Organisation(self.organisation.clone())
    }
}

impl WriteSession {
    /// Makes profiles of the staged rows: a new version of each new or changed profile, nothing for the others. Returns
    /// `None` if another import of the organisation has finished since the comparison, which has to be made again.
    ///
    /// Fails with `NotFound` if the import was finished, discarded or purged.
    pub async fn finish_import(
        &mut self,
        import: &ImportKey,
        ready: ReadyImport,
    ) -> Result<Option<(ImportCounts, Note)>> {
        let ImportKey { organisation, id, .. } = import;
        let (now, owner, counts) = (self.now(), Owner::Organisation(organisation), ready.counts);
        self.lock_organisation(organisation).await?;
        if self.reads().one(FINISHED, values![organisation]).await?.int("finished")? != ready.base {
            return Ok(None);
        }
        let dated = || values![id.as_str(), organisation, now];
        if self.change(owner, FINISH, dated()).await? == 0 {
            return Err(Error::NotFound(format!("import {id}")));
        }
        let changed = (counts.created + counts.updated).unsigned_abs();
        if ready.changes_roles {
            // Before the profiles change: the counters move by the difference between staged and present roles.
            self.move_enrolment_counts(organisation, id).await?;
        }
        for statement in [UPSERT, KEEP_VERSIONS] {
            self.change_exactly(changed, owner, statement, dated()).await?;
        }
        if counts.unchanged > 0 {
            let unchanged = counts.unchanged.unsigned_abs();
            let keys = values![id.as_str(), organisation];
            self.change_exactly(unchanged, owner, DROP_UNCHANGED, keys).await?;
        }
        let counts = ImportCounts { unchanged: counts.unchanged + ready.unstaged, ..counts };
        let detail = json!({
            "import": id,
            "created": counts.created,
            "updated": counts.updated,
            "unchanged": counts.unchanged,
        });
        Ok(Some((counts, Note::new(owner, "profile.import", organisation.name(), &detail))))
    }
}
