//! Imports: rows are staged as they arrive, each batch in a short transaction of its own. A staged row is a version of a
//! profile that counts from the end of its import, so the end is one change of one row, whatever the size of the import.
//! No read returns staged rows, and a stream that breaks leaves only staged rows, which are purged.
//!
//! A staged row rests on the present version of the profile, with whose consents it was merged. Before the end, rows whose
//! profile has another version by now are merged again in short transactions; the end checks, under the lock of the
//! organisation, that no further import has finished. So of two imports at the same time neither loses what the other says
//! of consents, and a person has one version of each number.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::backend::Store;
use super::dialect::{self, Row, Value, values};
use super::draft::Left;
use super::enrolment::{self, RoleMove};
use super::journal::Note;
use super::profile::present_import;
use super::scope::{Owner, Scope};
use super::session::{Housekeeping, WriteSession};
use super::statement::statements;
use super::{fault, organisation};
use crate::domain::name::{OrganisationId, OwnId};
use crate::domain::profile::{Consent, ConsentPurpose, Profile, StoredProfile, consents};
use crate::error::{Error, Result};

/// The present versions of named people; the condition for the names and for the scope follows.
macro_rules! present_versions {
    ($columns:literal) => {
        concat!(
            "SELECT v.own_id, v.version, v.digest, v.is_mentor, v.is_mentee",
            $columns,
            " FROM profile_version v WHERE v.organisation_id = $1 AND v.import_id = ",
            present_import!("$1", "v.own_id")
        )
    };
}

/// Names from a list, which is one value whatever its length. The databases spell its reading differently.
macro_rules! named {
    (sqlite) => {
        " AND v.own_id IN (SELECT value FROM json_each($2)) \
         AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || v.organisation_id || ',%')"
    };
    (postgres) => {
        " AND v.own_id IN (SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS JSON))) \
         AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || v.organisation_id || ',%')"
    };
}

statements! {
    upkeep BEGIN = ("profile_import.begin",
        "INSERT INTO profile_import \
         (id, organisation_id, staged, unchanged, role_changes, create_micros, touch_micros) \
         VALUES ($1, $2, 0, 0, 0, $3, $3)");
    upkeep COUNT = ("profile_import.count",
        "UPDATE profile_import SET staged = staged + $3, role_changes = role_changes + $4, touch_micros = $5 \
         WHERE id = $1 AND organisation_id = $2 AND finish_micros IS NULL RETURNING staged");
    query FINISHED = filtered("profile_import.finished",
        "SELECT COALESCE(MAX(number), 0) AS finished FROM profile_import WHERE organisation_id = $1 \
         AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || organisation_id || ',%')");
    query VERSIONS = filtered("profile_import.versions",
        sqlite: concat!(present_versions!(""), named!(sqlite)),
        postgres: concat!(present_versions!(""), named!(postgres)));
    query DOCUMENTS = filtered("profile_import.documents",
        sqlite: concat!(present_versions!(", v.document"), named!(sqlite)),
        postgres: concat!(present_versions!(", v.document"), named!(postgres)));
    query OUTDATED = filtered("profile_import.outdated",
        concat!("SELECT d.ordinal, d.document AS staged, v.own_id, v.version, v.digest, v.is_mentor, v.is_mentee, v.document \
         FROM profile_version d JOIN profile_version v ON v.organisation_id = $2 AND v.own_id = d.own_id \
         AND v.version <> d.version - 1 AND v.import_id = ",
         present_import!("$2", "v.own_id"),
         " WHERE d.import_id = $1 AND d.ordinal > $3 AND (CAST($5 AS TEXT) IS NULL OR $5 LIKE '%,' || CAST($2 AS TEXT) || ',%') \
         ORDER BY d.ordinal LIMIT $4"));
    upkeep REWRITE = ("profile_import.rewrite",
        "UPDATE profile_version SET version = $3, document = $4, digest = $5, has_consent = $6 WHERE import_id = $1 AND ordinal = $2 \
         AND EXISTS (SELECT 1 FROM profile_import i WHERE i.id = $1 AND i.finish_micros IS NULL)");
    upkeep TAKE_AWAY = ("profile_import.take_away",
        "DELETE FROM profile_version WHERE import_id = $1 AND ordinal = $2 AND EXISTS \
         (SELECT 1 FROM profile_import i WHERE i.id = $1 AND i.finish_micros IS NULL)");
    upkeep COUNT_MERGED = ("profile_import.count_merged",
        "UPDATE profile_import SET unchanged = unchanged + $3, role_changes = role_changes + $4 \
         WHERE id = $1 AND organisation_id = $2 AND finish_micros IS NULL");
    query COMPARE = filtered("profile_import.compare",
        "SELECT i.staged, i.unchanged, i.role_changes, \
         (SELECT COUNT(*) FROM profile_version d WHERE d.import_id = i.id) AS kept, \
         (SELECT COUNT(*) FROM profile_version d WHERE d.import_id = i.id AND d.version > 1) AS updated \
         FROM profile_import i WHERE i.id = $1 AND i.organisation_id = $2 \
         AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || i.organisation_id || ',%')");
    // The lock of the organisation makes the numbers grow in the order of the commits.
    change FINISH = ("profile_import.finish",
        "UPDATE profile_import SET finish_micros = $3, actor = $6, number = (SELECT COALESCE(MAX(i.number), 0) + 1 \
         FROM profile_import i WHERE i.organisation_id = $2) \
         WHERE id = $1 AND organisation_id = $2 AND finish_micros IS NULL AND staged = $4 AND unchanged = $5");
    // Few rows at a time, so that other writers do not wait for the end of a large import that is not wanted.
    upkeep SHRED = ("profile_import.shred",
        "DELETE FROM profile_version WHERE import_id = $1 AND ordinal IN \
         (SELECT ordinal FROM profile_version WHERE import_id = $1 ORDER BY ordinal LIMIT $2) AND EXISTS \
         (SELECT 1 FROM profile_import i WHERE i.id = $1 AND i.organisation_id = $3 AND i.finish_micros IS NULL)");
    // Locks the import before its rows.
    upkeep HOLD = ("profile_import.hold",
        "UPDATE profile_import SET touch_micros = $3 \
         WHERE id = $1 AND organisation_id = $2 AND finish_micros IS NULL");
    // Locks the import too. From then on it has fewer rows than were staged, so it cannot end.
    upkeep GIVE_UP = ("profile_import.give_up",
        "UPDATE profile_import SET staged = staged + 1 \
         WHERE id = $1 AND organisation_id = $2 AND finish_micros IS NULL");
    upkeep DISCARD = ("profile_import.discard",
        "DELETE FROM profile_import WHERE id = $1 AND organisation_id = $2 AND finish_micros IS NULL");
    query STALE = hidden("profile_import.stale",
        "SELECT id, organisation_id FROM profile_import WHERE touch_micros < $1 AND finish_micros IS NULL \
         ORDER BY touch_micros, id LIMIT $2");
    query COUNT_STALE = hidden("profile_import.count_stale",
        "SELECT COUNT(*) AS stale FROM profile_import WHERE touch_micros < $1 AND finish_micros IS NULL");
    upkeep STAGE = bulk(
        name: "profile_import.stage",
        head: "INSERT INTO profile_version \
               (organisation_id, own_id, version, import_id, ordinal, is_mentor, is_mentee, has_consent, digest, document) VALUES",
        columns: 10,
        tail: "",
    );
}

/// Rows that one transaction merges again or deletes, at most: other writers wait for so many.
const STEP_ROWS: u32 = 1_000;
/// Stale imports that one reading finds.
const IMPORTS_AT_A_TIME: u32 = 100;
/// Rows that one transaction stages, at most.
const STAGED_ROWS: usize = 2_000;

/// An import under way, begun in a scope that covers its organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportKey {
    organisation: OrganisationId,
    id: String,
    /// Number of the organisation's newest finished import at the beginning.
    base: i64,
}

/// A checked row of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedRow {
    id: OwnId,
    /// The version that the row becomes: the one after the version with whose consents it was merged.
    version: i64,
    document: String,
    digest: String,
    roles: Roles,
    /// Whether a consent to matching is in force.
    has_consent: bool,
    /// Whether the person has other roles than in the version before.
    changes_roles: bool,
}

impl StagedRow {
    /// A row that says `content` of the organisation's member `id`. The consents of `content` were merged with those of
    /// `present`, if there is a profile.
    pub fn new(id: OwnId, present: Option<&Present>, content: &Profile) -> Result<Self> {
        let document = dialect::json(content)?;
        let roles = Roles::of(content);
        Ok(Self {
            id,
            version: present.map_or(1, |known| known.version + 1),
            digest: hex::encode(Sha256::digest(&document)),
            document,
            roles,
            has_consent: consents::in_force(&content.consents, ConsentPurpose::Matching).is_some(),
            changes_roles: present.is_some_and(|known| known.roles != roles),
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

    /// The version that the row becomes.
    pub(super) fn version(&self) -> i64 {
        self.version
    }

    /// Whether the person has other roles than in the version before.
    pub(super) fn changes_roles(&self) -> bool {
        self.changes_roles
    }

    /// The row as the version of an import of its own.
    pub(super) fn into_values(self, organisation: &OrganisationId, import: &str) -> Vec<Value> {
        let Self { id, version, document, digest, roles, has_consent, .. } = self;
        values![organisation, &id, version, import, roles.mentor, roles.mentee, has_consent, digest, document]
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
    roles: Roles,
}

impl Present {
    /// What is stored of a person whose profile was read whole.
    pub(super) fn of(profile: &StoredProfile) -> Self {
        Self {
            version: profile.version,
            digest: profile.digest.clone(),
            consents: profile.content.consents.clone(),
            roles: Roles::of(&profile.content),
        }
    }
}

/// The roles that a profile offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Roles {
    mentor: bool,
    mentee: bool,
}

impl Roles {
    fn of(content: &Profile) -> Self {
        Self { mentor: content.open_offer().is_some(), mentee: content.open_request().is_some() }
    }

    fn read(row: &Row) -> Result<Self> {
        Ok(Self { mentor: row.flag("is_mentor")?, mentee: row.flag("is_mentee")? })
    }
}

/// The part of a document that an import merges.
#[derive(Debug, Deserialize)]
struct Record {
    #[serde(default)]
    consents: Vec<Consent>,
}

/// A staged import that was compared with the present profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyImport {
    /// Number of the organisation's newest finished import before the comparison.
    base: i64,
    counts: ImportCounts,
    /// Rows that were staged.
    staged: i64,
    /// What the import changes in the numbers of enrolments; nothing to check if nobody has other roles than before.
    moves: Option<Vec<RoleMove>>,
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
            present.insert(row.id("profile_version", "own_id")?, known(&row, Vec::new())?);
        }
        let differs =
            |(id, digest): &&(OwnId, String)| present.get(id).is_some_and(|known| known.digest != *digest);
        let changed: Vec<&OwnId> = rows.iter().filter(differs).map(|(id, _)| id).collect();
        if !changed.is_empty() {
            for row in session.rows(DOCUMENTS, values![organisation, dialect::json(&changed)?]).await? {
                let record: Record = row.json("profile_version", &"of a profile", "document")?;
                present.insert(row.id("profile_version", "own_id")?, known(&row, record.consents)?);
            }
        }
        session.end().await?;
        Ok(present)
    }

    /// Stages rows of different people, in short transactions, which become shorter while other writers wait.
    ///
    /// Fails with `NotFound` if the import was finished, discarded or purged.
    pub async fn stage_rows(&self, import: &ImportKey, rows: Vec<StagedRow>, now: Timestamp) -> Result<()> {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let (mut session, mut staged) = (self.housekeeping(&import.scope()).await?, 0);
            while rows.peek().is_some() && staged < STAGED_ROWS && !(staged > 0 && session.is_awaited()) {
                let piece: Vec<StagedRow> = rows.by_ref().take(session.rows_in_a_piece()).collect();
                staged += piece.len();
                import.stage(&mut session, piece, now).await?;
            }
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
        let compared = session.row(COMPARE, values![import.id.as_str(), &import.organisation]).await?;
        let compared = compared.ok_or_else(|| Error::NotFound(format!("import {}", import.id)))?;
        let (staged, kept) = (compared.int("staged")?, compared.int("kept")?);
        let (updated, unchanged) = (compared.int("updated")?, compared.int("unchanged")?);
        if staged != kept + unchanged {
            return Err(Error::NotFound(format!("import {}", import.id)));
        }
        let moves = match compared.int("role_changes")? {
            0 => None,
            _ => Some(enrolment::role_moves(&mut session, &import.organisation, &import.id).await?),
        };
        session.end().await?;
        let counts = ImportCounts { created: kept - updated, updated, unchanged };
        Ok(ReadyImport { base, counts, staged, moves, unstaged: 0 })
    }

    /// Merges the rows whose profile has another version than the one that they rest on, and takes away those that then say
    /// what is stored.
    async fn merge_again(&self, import: &ImportKey, now: Timestamp) -> Result<()> {
        let mut after = -1;
        loop {
            // Looked for outside of the transaction, which writes to these rows alone. Should another import finish in between,
            // the end finds that out.
            let mut reads = self.reader(&import.scope()).await?;
            let step = values![import.id.as_str(), &import.organisation, after, STEP_ROWS];
            let rows = reads.rows(OUTDATED, step).await?;
            reads.end().await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.int("ordinal")?;
            let mut session = self.housekeeping(&import.scope()).await?;
            if session.execute(HOLD, values![import.id.as_str(), &import.organisation, now]).await? == 0 {
                return Err(Error::NotFound(format!("import {}", import.id)));
            }
            let (mut unchanged, mut role_changes) = (0_u32, 0_u32);
            for row in &rows {
                let merged = import.merge_row(&mut session, row).await?;
                unchanged += u32::from(merged.is_unchanged);
                role_changes += u32::from(merged.changes_roles);
            }
            let counts = values![import.id.as_str(), &import.organisation, unchanged, role_changes];
            let counted = session.execute(COUNT_MERGED, counts).await?;
            fault::expect_rows(COUNT_MERGED.0.name, counted, 1)?;
            session.commit().await?;
        }
    }

    /// Deletes an import and its rows in short transactions; nothing happens if there is none. Nothing that the rows said
    /// remains in a SQLite database, and nothing in its log unless another connection reads from the log meanwhile.
    pub async fn discard_import(&self, import: &ImportKey) -> Result<()> {
        let (mut staged, scope) = (false, import.scope());
        let keys = || values![import.id.as_str(), &import.organisation];
        loop {
            let mut session = self.housekeeping(&scope).await?;
            if session.execute(GIVE_UP, keys()).await? == 0 {
                session.end().await?;
                break;
            }
            let step = values![import.id.as_str(), STEP_ROWS, &import.organisation];
            let deleted = session.execute(SHRED, step).await?;
            staged |= deleted > 0;
            let is_last = deleted < u64::from(STEP_ROWS);
            if is_last {
                session.execute(DISCARD, keys()).await?;
            }
            session.commit().await?;
            if is_last {
                break;
            }
        }
        if staged {
            self.empty_log().await?;
        }
        Ok(())
    }

    /// Deletes imports that no row has reached since `limit`, and returns their number.
    pub async fn purge_stale_imports(&self, scope: &Scope, limit: Timestamp) -> Result<u64> {
        scope.require_system()?;
        let mut purged = 0;
        loop {
            let mut session = self.reader(scope).await?;
            let stale = session.rows(STALE, values![limit, IMPORTS_AT_A_TIME]).await?;
            session.end().await?;
            for row in &stale {
                let import = ImportKey {
                    organisation: row.id("profile_import", "organisation_id")?,
                    id: row.text("id")?,
                    base: 0,
                };
                self.discard_import(&import).await?;
            }
            purged += stale.len() as u64;
            if stale.len() < IMPORTS_AT_A_TIME as usize {
                return Ok(purged);
            }
        }
    }

    /// Number of imports that no row has reached since `limit`.
    pub async fn count_stale_imports(&self, scope: &Scope, limit: Timestamp) -> Result<u64> {
        scope.require_system()?;
        let mut session = self.reader(scope).await?;
        let stale = session.one(COUNT_STALE, values![limit]).await?.narrow("profile_import", &"", "stale")?;
        session.end().await?;
        Ok(stale)
    }
}

/// What became of a row that was merged again.
struct MergedAgain {
    is_unchanged: bool,
    changes_roles: bool,
}

impl ImportKey {
    fn scope(&self) -> Scope {
        Scope::Organisations([self.organisation.clone()].into())
    }

    async fn stage(&self, session: &mut Housekeeping, rows: Vec<StagedRow>, now: Timestamp) -> Result<()> {
        let number = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let role_changes: u32 = rows.iter().map(|row| u32::from(row.changes_roles)).sum();
        let counts = values![self.id.as_str(), &self.organisation, number, role_changes, now];
        // Counting first numbers the rows, and makes a second stream of the same import wait.
        let counted = session.row(COUNT, counts).await?;
        let counted = counted.ok_or_else(|| Error::NotFound(format!("import {}", self.id)))?;
        let first = counted.int("staged")? - number;
        let bound = rows.into_iter().zip(first..).map(|(row, ordinal)| {
            let StagedRow { id, version, document, digest, roles, has_consent, .. } = row;
            values![
                &self.organisation,
                &id,
                version,
                self.id.as_str(),
                ordinal,
                roles.mentor,
                roles.mentee,
                has_consent,
                digest,
                document
            ]
        });
        session.insert(STAGE, Box::new(bound)).await.map(drop)
    }

    /// Merges a row of the statement `OUTDATED` with the version of the profile that it brings.
    async fn merge_row(&self, session: &mut Housekeeping, row: &Row) -> Result<MergedAgain> {
        let mut content: Profile = row.json("profile_version", &"of a staged row", "staged")?;
        let present: Record = row.json("profile_version", &"of a profile", "document")?;
        let present = known(row, present.consents)?;
        content.consents = consents::merged(&present.consents, &content.consents);
        if consents::contradiction(&content.consents).is_some() {
            return Err(Error::StoreUnavailable(
                "another import of the organisation has stored another consent of the same moment".into(),
            ));
        }
        if content.identity_is_withdrawn() {
            return Err(Error::StoreUnavailable(
                "a consent was withdrawn by another import of the organisation at the same time".into(),
            ));
        }
        if content.consents.len() > consents::MAX_CONSENTS {
            return Err(Error::StoreUnavailable(
                "another import of the organisation has added consents at the same time, and there would be too many"
                    .into(),
            ));
        }
        let merged = StagedRow::new(row.id("profile_version", "own_id")?, Some(&present), &content)?;
        let ordinal = row.int("ordinal")?;
        let (is_unchanged, changes_roles) = (merged.digest == present.digest, merged.changes_roles);
        let (statement, values) = if is_unchanged {
            (TAKE_AWAY, values![self.id.as_str(), ordinal])
        } else {
            let StagedRow { version, document, digest, has_consent, .. } = merged;
            (REWRITE, values![self.id.as_str(), ordinal, version, document, digest, has_consent])
        };
        let done = session.execute(statement, values).await?;
        fault::expect_rows(statement.0.name, done, 1)?;
        Ok(MergedAgain { is_unchanged, changes_roles })
    }
}

fn known(row: &Row, consents: Vec<Consent>) -> Result<Present> {
    Ok(Present {
        version: row.int("version")?,
        digest: row.text("digest")?,
        consents,
        roles: Roles::read(row)?,
    })
}

impl WriteSession {
    /// Ends an import: its rows are the present versions from now on, whatever their number. People whose consent to matching is
    /// not in force any more are taken out of every draft. Returns `None` if another import
    /// of the organisation has finished since the comparison, which has to be made again.
    ///
    /// Fails with `NotFound` if the import was finished, discarded or purged.
    pub async fn finish_import(
        &mut self,
        import: &ImportKey,
        ready: ReadyImport,
    ) -> Result<Option<(ImportCounts, Left)>> {
        let ImportKey { organisation, id, .. } = import;
        let (now, owner, counts) = (self.now(), Owner::Organisation(organisation), ready.counts);
        self.lock_organisation(organisation).await?;
        if self.reads().one(FINISHED, values![organisation]).await?.int("finished")? != ready.base {
            return Ok(None);
        }
        let actor = self.actor().to_owned();
        let finish = values![id.as_str(), organisation, now, ready.staged, counts.unchanged, actor];
        if self.change(owner, FINISH, finish).await? == 0 {
            return Err(Error::NotFound(format!("import {id}")));
        }
        if let Some(moves) = ready.moves {
            self.move_enrolment_counts(organisation, id, moves).await?;
        }
        let counts = ImportCounts { unchanged: counts.unchanged + ready.unstaged, ..counts };
        let detail = json!({
            "import": id,
            "created": counts.created,
            "updated": counts.updated,
            "unchanged": counts.unchanged,
        });
        // The numbers of the enrolments are right by now.
        let mut left = self.withdraw_without_consent(organisation, id).await?;
        left.notes.insert(0, Note::new(owner, "profile.import", organisation.name(), &detail));
        Ok(Some((counts, left)))
    }
}
