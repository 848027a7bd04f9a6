//! Profiles in their present versions. Imports write them, see `import`.

use std::collections::BTreeSet;

use serde_json::json;

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::journal::Note;
use super::organisation;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::domain::profile::StoredProfile;
use crate::domain::record::Record;
use crate::domain::restriction::{Restriction, RestrictionReason};
use crate::error::{Error, Result};

/// The condition that the import of a version has finished. The subqueries of these statements walk over one index, newest
/// version first, whatever the statistics of the database are. Staged rows that lie on the way are passed over one by one.
macro_rules! finished {
    ($import:literal) => {
        concat!("(SELECT f.finish_micros FROM profile_import f WHERE f.id = ", $import, ") IS NOT NULL")
    };
}

/// The import of a person's present version, the greatest one whose import has finished.
macro_rules! present_import {
    ($organisation:literal, $own_id:literal) => {
        concat!(
            "(SELECT n.import_id FROM profile_version n WHERE n.organisation_id = ",
            $organisation,
            " AND n.own_id = ",
            $own_id,
            " AND ",
            $crate::store::profile::finished!("n.import_id"),
            " ORDER BY n.version DESC LIMIT 1)"
        )
    };
}

pub(super) use {finished, present_import};

/// Reads the present versions of an organisation; the caller's condition follows. Staged rows on the way are passed over
/// before their present version is looked for: there may be 250,000 of them. The profile was created
/// by the import of its first version.
macro_rules! profiles {
    () => {
        concat!(
            "SELECT v.organisation_id, v.own_id, v.version, v.digest, v.document, (SELECT (SELECT i.finish_micros \
             FROM profile_import i WHERE i.id = o.import_id) FROM profile_version o WHERE o.organisation_id = $1 \
             AND o.own_id = v.own_id AND ",
            finished!("o.import_id"),
            " ORDER BY o.version LIMIT 1) AS create_micros, \
             (SELECT i.finish_micros FROM profile_import i WHERE i.id = v.import_id) AS update_micros, \
             p.reason, p.restrict_actor, p.restrict_micros FROM profile_version v \
             LEFT JOIN profile_restriction p ON p.organisation_id = v.organisation_id AND p.own_id = v.own_id \
             AND p.lift_micros IS NULL WHERE v.organisation_id = $1 AND ",
            finished!("v.import_id"),
            " AND v.import_id = ",
            present_import!("$1", "v.own_id")
        )
    };
}

statements! {
    query GET = filtered("profile.get",
        concat!(profiles!(), " AND v.own_id = $2 AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || v.organisation_id || ',%')"));
    query GET_VERSION = filtered("profile.get_version",
        concat!("SELECT v.organisation_id, v.own_id, v.version, v.digest, v.document, (SELECT (SELECT i.finish_micros \
         FROM profile_import i WHERE i.id = o.import_id) FROM profile_version o WHERE o.organisation_id = $1 \
         AND o.own_id = $2 AND ", finished!("o.import_id"), " ORDER BY o.version LIMIT 1) AS create_micros, \
         (SELECT i.finish_micros FROM profile_import i WHERE i.id = v.import_id) AS update_micros, \
         p.reason, p.restrict_actor, p.restrict_micros FROM profile_version v \
         LEFT JOIN profile_restriction p ON p.organisation_id = v.organisation_id AND p.own_id = v.own_id \
         AND p.lift_micros IS NULL WHERE v.organisation_id = $1 AND v.own_id = $2 AND v.version = $3 AND ",
         finished!("v.import_id"), " AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || v.organisation_id || ',%')"));
    query LIST = filtered("profile.list",
        concat!(profiles!(), " AND v.own_id > $2 AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || v.organisation_id || ',%') \
            ORDER BY v.own_id LIMIT $3"));
    query LIST_IDS = filtered("profile.list_ids",
        concat!("SELECT DISTINCT v.own_id FROM profile_version v WHERE v.organisation_id = $1 AND v.own_id > $2 AND ",
            finished!("v.import_id"), " AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || v.organisation_id || ',%') \
            ORDER BY v.own_id LIMIT $3"));
    // A list of any length is one value. The databases spell its reading differently.
    query NAMED = filtered("profile.named",
        sqlite: concat!(profiles!(), " AND v.own_id IN (SELECT value FROM json_each($2)) \
            AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || v.organisation_id || ',%') ORDER BY v.own_id"),
        postgres: concat!(profiles!(), " AND v.own_id IN \
            (SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS JSON))) \
            AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || v.organisation_id || ',%') ORDER BY v.own_id"));
    query EXISTING = filtered("profile.existing",
        sqlite: concat!("SELECT DISTINCT v.own_id FROM profile_version v WHERE v.organisation_id = $1 \
            AND v.own_id IN (SELECT value FROM json_each($2)) AND ", finished!("v.import_id"), " \
            AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || v.organisation_id || ',%')"),
        postgres: concat!("SELECT DISTINCT v.own_id FROM profile_version v WHERE v.organisation_id = $1 \
            AND v.own_id IN (SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS JSON))) AND ",
            finished!("v.import_id"), " AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || v.organisation_id || ',%')"));
}

impl Store {
    /// One profile.
    pub async fn profile(&self, scope: &Scope, name: &ProfileRef) -> Result<StoredProfile> {
        let mut session = self.reader(scope).await?;
        let found = of(&mut session, name).await;
        session.end().await?;
        found
    }

    /// A profile as it was in one of its versions.
    ///
    /// Fails with `NotFound`.
    pub async fn profile_version(
        &self,
        scope: &Scope,
        name: &ProfileRef,
        version: i64,
    ) -> Result<StoredProfile> {
        let mut session = self.reader(scope).await?;
        let found = session.row(GET_VERSION, values![&name.organisation, &name.id, version]).await?;
        session.end().await?;
        found.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(name.name()))
    }

    /// The named profiles of an organisation that exist, by id.
    ///
    /// Fails with `NotFound` if the organisation does not exist in the scope.
    pub async fn profiles_named(
        &self,
        scope: &Scope,
        organisation: &OrganisationId,
        ids: &[OwnId],
    ) -> Result<Vec<StoredProfile>> {
        let mut session = self.snapshot_reader(scope).await?;
        organisation::require(&mut session, organisation).await?;
        let found = named(&mut session, organisation, ids).await;
        session.end().await?;
        found
    }

    /// Profiles of an organisation after id `after`, by id, at most `limit`, until their documents exceed `bytes`: for lists and
    /// exports. Also returns whether profiles follow that the limit would allow.
    ///
    /// Fails with `NotFound` if the organisation does not exist in the scope.
    pub async fn list_profiles(
        &self,
        scope: &Scope,
        organisation: &OrganisationId,
        after: Option<&OwnId>,
        limit: u32,
        bytes: usize,
    ) -> Result<(Vec<StoredProfile>, bool)> {
        let mut session = self.snapshot_reader(scope).await?;
        let mut page: Vec<StoredProfile> = Vec::new();
        let (mut after, mut used) = (after.cloned(), 0);
        // Documents vary in size a thousandfold. A few rows at a time bound what is read in vain.
        for rows_at_a_time in std::iter::once(FIRST_ROWS).chain(std::iter::repeat(MORE_ROWS)) {
            let left = limit.saturating_sub(u32::try_from(page.len()).unwrap_or(u32::MAX));
            let asked = left.min(rows_at_a_time);
            let from = after.as_ref().map_or("", OwnId::as_str);
            let rows = session.rows(LIST, values![organisation, from, asked]).await?;
            for row in &rows {
                used += row.text("document")?.len();
                if used > bytes && !page.is_empty() {
                    session.end().await?;
                    return Ok((page, true));
                }
                page.push(read(row)?);
            }
            if rows.len() < asked as usize || asked == left {
                break;
            }
            after = page.last().map(|last| last.name.id.clone());
        }
        if page.is_empty() {
            organisation::require(&mut session, organisation).await?;
        }
        session.end().await?;
        Ok((page, false))
    }
}

impl Store {
    /// Ids of an organisation's people after id `after`, in order, at most `limit`.
    pub async fn list_profile_ids(
        &self,
        scope: &Scope,
        organisation: &OrganisationId,
        after: Option<&OwnId>,
        limit: u32,
    ) -> Result<Vec<OwnId>> {
        let mut session = self.reader(scope).await?;
        let after = after.map_or("", OwnId::as_str);
        let rows = session.rows(LIST_IDS, values![organisation, after, limit]).await?;
        session.end().await?;
        rows.iter().map(|row| row.id("profile_version", "own_id")).collect()
    }
}

impl WriteSession {
    /// Notes that the profiles of an organisation are exported. The note is committed before the first profile leaves.
    ///
    /// Fails with `NotFound` if the organisation does not exist in the scope.
    pub async fn note_export(&mut self, organisation: &OrganisationId) -> Result<Note> {
        organisation::require(self.reads(), organisation).await?;
        Ok(Note::new(Owner::Organisation(organisation), "profile.export", organisation.name(), &json!({})))
    }
}

/// Profiles that are read first, and then at a time, until a page is full.
const FIRST_ROWS: u32 = 128;
const MORE_ROWS: u32 = 64;

/// Profiles after id `after` in the session's scope.
pub(super) async fn page(
    session: &mut ReadSession,
    organisation: &OrganisationId,
    after: Option<&OwnId>,
    limit: u32,
) -> Result<Vec<StoredProfile>> {
    let after = after.map_or("", OwnId::as_str);
    session.rows(LIST, values![organisation, after, limit]).await?.iter().map(read).collect()
}

/// The named profiles in the session's scope.
pub(super) async fn named(
    session: &mut ReadSession,
    organisation: &OrganisationId,
    ids: &[OwnId],
) -> Result<Vec<StoredProfile>> {
    session.rows(NAMED, values![organisation, dialect::json(&ids)?]).await?.iter().map(read).collect()
}

/// One profile in the session's scope.
pub(super) async fn of(session: &mut ReadSession, name: &ProfileRef) -> Result<StoredProfile> {
    let found = session.row(GET, values![&name.organisation, &name.id]).await?;
    found.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(name.name()))
}

/// Those of `ids` that are people of the organisation in the session's scope.
pub(super) async fn existing(
    session: &mut ReadSession,
    organisation: &OrganisationId,
    ids: &BTreeSet<OwnId>,
) -> Result<BTreeSet<OwnId>> {
    let rows = session.rows(EXISTING, values![organisation, dialect::json(ids)?]).await?;
    rows.iter().map(|row| row.id("profile_version", "own_id")).collect()
}

fn read(row: &Row) -> Result<StoredProfile> {
    let name = ProfileRef {
        organisation: row.id("profile_version", "organisation_id")?,
        id: row.id("profile_version", "own_id")?,
    };
    let restriction = match row.opt_text("restrict_actor")? {
        None => None,
        Some(recorder) => Some(Restriction {
            reason: row.parse("profile_restriction", &name, "reason", RestrictionReason::from_name)?,
            restricted: Record { recorder, time: row.time("restrict_micros")? },
            lifted: None,
        }),
    };
    Ok(StoredProfile {
        restriction,
        version: row.int("version")?,
        digest: row.text("digest")?,
        content: row.json("profile_version", &name, "document")?,
        create_time: row.time("create_micros")?,
        update_time: row.time("update_micros")?,
        name,
    })
}
