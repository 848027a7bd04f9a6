//! Profiles in their present versions. Imports write them, see `import`.

use std::collections::BTreeSet;

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::organisation;
use super::read::ReadSession;
use super::scope::Scope;
use super::statement::statements;
use crate::domain::name::{OrganisationId, OwnId, ProfileRef};
use crate::domain::profile::StoredProfile;
use crate::error::{Error, Result};

/// Reads present versions; the caller's condition follows.
macro_rules! profiles {
    () => {
        "SELECT p.organisation_id, p.own_id, p.version, p.digest, d.document, p.create_micros, p.update_micros \
         FROM profile p JOIN profile_document d ON d.import_id = p.import_id AND d.own_id = p.own_id "
    };
}

statements! {
    query GET = filtered("profile.get",
        concat!(profiles!(), "WHERE p.organisation_id = $1 AND p.own_id = $2 \
            AND (CAST($3 AS TEXT) IS NULL OR p.organisation_id = $3)"));
    // The page is cut before its documents are looked up, one by one: with wrong statistics PostgreSQL would otherwise join
    // and sort all documents of the organisation for every page.
    query LIST = filtered("profile.list",
        "SELECT p.organisation_id, p.own_id, p.version, p.digest, (SELECT d.document FROM profile_document d \
         WHERE d.import_id = p.import_id AND d.own_id = p.own_id) AS document, p.create_micros, p.update_micros \
         FROM (SELECT organisation_id, own_id, version, digest, import_id, create_micros, update_micros FROM profile \
         WHERE organisation_id = $1 AND own_id > $2 AND (CAST($4 AS TEXT) IS NULL OR organisation_id = $4) \
         ORDER BY own_id LIMIT $3) AS p ORDER BY p.own_id");
    query LIST_IDS = filtered("profile.list_ids",
        "SELECT own_id FROM profile WHERE organisation_id = $1 AND own_id > $2 \
         AND (CAST($4 AS TEXT) IS NULL OR organisation_id = $4) ORDER BY own_id LIMIT $3");
    // A list of any length is one value. The databases spell its reading differently.
    query NAMED = filtered("profile.named",
        sqlite: concat!(profiles!(), "WHERE p.organisation_id = $1 \
            AND p.own_id IN (SELECT value FROM json_each($2)) \
            AND (CAST($3 AS TEXT) IS NULL OR p.organisation_id = $3) ORDER BY p.own_id"),
        postgres: concat!(profiles!(), "WHERE p.organisation_id = $1 AND p.own_id IN \
            (SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS JSON))) \
            AND (CAST($3 AS TEXT) IS NULL OR p.organisation_id = $3) ORDER BY p.own_id"));
    query EXISTING = filtered("profile.existing",
        sqlite: "SELECT own_id FROM profile WHERE organisation_id = $1 AND own_id IN (SELECT value FROM json_each($2)) \
            AND (CAST($3 AS TEXT) IS NULL OR organisation_id = $3)",
        postgres: "SELECT own_id FROM profile WHERE organisation_id = $1 \
            AND own_id IN (SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS JSON))) \
            AND (CAST($3 AS TEXT) IS NULL OR organisation_id = $3)");
}

impl Store {
    /// One profile.
    pub async fn profile(&self, scope: &Scope, name: &ProfileRef) -> Result<StoredProfile> {
        let mut session = self.reader(scope).await?;
        let found = session.row(GET, values![&name.organisation, &name.id]).await?;
        session.end().await?;
        found.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(name.name()))
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
        rows.iter().map(|row| row.id("profile", "own_id")).collect()
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

/// Those of `ids` that are people of the organisation in the session's scope.
pub(super) async fn existing(
    session: &mut ReadSession,
    organisation: &OrganisationId,
    ids: &BTreeSet<OwnId>,
) -> Result<BTreeSet<OwnId>> {
    let rows = session.rows(EXISTING, values![organisation, dialect::json(ids)?]).await?;
    rows.iter().map(|row| row.id("profile", "own_id")).collect()
}

fn read(row: &Row) -> Result<StoredProfile> {
    let name =
        ProfileRef { organisation: row.id("profile", "organisation_id")?, id: row.id("profile", "own_id")? };
    Ok(StoredProfile {
        version: row.int("version")?,
        digest: row.text("digest")?,
        content: row.json("profile_document", &name, "document")?,
        create_time: row.time("create_micros")?,
        update_time: row.time("update_micros")?,
        name,
    })
}
