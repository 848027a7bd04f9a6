//! Organisations, and the rules they decide for their own members.

use serde_json::json;

use super::dialect::{self, Row, Session, statements, values};
use super::{Scope, Store, WriteSession};
use crate::domain::name::OrganisationId;
use crate::domain::organisation::{Organisation, OrganisationContent};
use crate::domain::vocabulary::Country;
use crate::error::{Error, Result};

statements! {
    CREATE = ("organisation.create",
        "INSERT INTO organisation (id, display_name, country, rules, version, create_micros, update_micros) \
         VALUES ($1, $2, $3, $4, 1, $5, $5) ON CONFLICT (id) DO NOTHING");
    GET = ("organisation.get",
        "SELECT id, display_name, country, rules, version, create_micros, update_micros \
         FROM organisation WHERE id = $1 AND (CAST($2 AS TEXT) IS NULL OR id = $2)");
    LIST = ("organisation.list",
        "SELECT id, display_name, country, rules, version, create_micros, update_micros \
         FROM organisation WHERE id > $1 ORDER BY id LIMIT $2");
    /// Writers of one organisation's profiles take turns.
    LOCK = ("organisation.lock", locking: "SELECT id FROM organisation WHERE id = $1");
}

impl Store {
    /// One organisation.
    pub async fn organisation(&self, scope: &Scope, id: &OrganisationId) -> Result<Organisation> {
        let mut session = self.reader().await?;
        let found = session.row(GET, values![id, scope.id()]).await?;
        session.end().await?;
        found.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(id.name()))
    }

    /// Organisations after id `after`, by id, at most `limit`.
    pub async fn list_organisations(
        &self,
        scope: &Scope,
        after: Option<&OrganisationId>,
        limit: u32,
    ) -> Result<Vec<Organisation>> {
        let after = after.map_or("", OrganisationId::as_str);
        let mut session = self.reader().await?;
        let rows = match scope.organisation() {
            None => session.rows(LIST, values![after, limit]).await?,
            Some(own) if own.as_str() > after && limit > 0 => {
                session.rows(GET, values![own, own.as_str()]).await?
            }
            Some(_) => Vec::new(),
        };
        session.end().await?;
        rows.iter().map(read).collect()
    }
}

impl WriteSession {
    /// Registers an organisation. Fails with `AlreadyExists` if there is one of this id.
    pub async fn create_organisation(
        &mut self,
        id: &OrganisationId,
        content: &OrganisationContent,
    ) -> Result<Organisation> {
        self.covered(id)?;
        let now = self.now();
        let values = values![
            id,
            content.display_name.as_str(),
            content.country.code(),
            dialect::json(&content.rules)?,
            now,
        ];
        if self.connection().execute(CREATE, values).await? == 0 {
            return Err(Error::AlreadyExists(id.name()));
        }
        self.note(Some(id), "organisation.create", &id.name(), &json!({})).await?;
        Ok(Organisation {
            id: id.clone(),
            content: content.clone(),
            version: 1,
            create_time: now,
            update_time: now,
        })
    }

    /// Makes other writers of the organisation's profiles wait. Fails with `NotFound` if it does not exist.
    pub(super) async fn lock_organisation(&mut self, id: &OrganisationId) -> Result<()> {
        self.covered(id)?;
        let found = self.connection().row(LOCK, values![id]).await?;
        found.map(drop).ok_or_else(|| Error::NotFound(id.name()))
    }
}

/// `Ok` if the organisation exists for the caller.
pub(super) async fn require(session: &mut Session, scope: &Scope, id: &OrganisationId) -> Result<()> {
    let found = session.row(GET, values![id, scope.id()]).await?;
    found.map(drop).ok_or_else(|| Error::NotFound(id.name()))
}

fn read(row: &Row) -> Result<Organisation> {
    let id: OrganisationId = row.id("organisation", "id")?;
    Ok(Organisation {
        content: OrganisationContent {
            display_name: row.text("display_name")?,
            country: row.parse("organisation", &id, "country", Country::from_code)?,
            rules: row.json("organisation", &id, "rules")?,
        },
        version: row.int("version")?,
        create_time: row.time("create_micros")?,
        update_time: row.time("update_micros")?,
        id,
    })
}
