//! Principals and their grants. They belong to the alliance: no organisation reads them.

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::journal::Note;
use super::organisation;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::{Query, statements};
use crate::domain::grant::{Grant, Role};
use crate::domain::name::OrganisationId;
use crate::domain::principal::{Principal, PrincipalContent, PrincipalKind};
use crate::error::{Error, Result};

/// Columns of a grant `g`, for [`read_grant`].
macro_rules! grant_columns {
    () => {
        "g.id AS grant_id, g.role, g.organisation_id, g.from_micros, g.until_micros, g.end_micros"
    };
}

/// Columns of a principal.
macro_rules! principal_columns {
    () => {
        "id, kind, handle, languages, time_zone, version, create_micros, update_micros"
    };
}

pub(super) use grant_columns;

statements! {
    change CREATE = ("principal.create",
        "INSERT INTO principal (id, kind, handle, languages, time_zone, version, create_micros, update_micros) \
         VALUES ($1, $2, $3, $4, $5, 1, $6, $6) ON CONFLICT DO NOTHING");
    query GET = hidden("principal.get", concat!("SELECT ", principal_columns!(), " FROM principal WHERE id = $1"));
    query OF_HANDLE = hidden("principal.of_handle",
        concat!("SELECT ", principal_columns!(), " FROM principal WHERE handle = $1"));
    query LIST = hidden("principal.list",
        concat!("SELECT ", principal_columns!(), " FROM principal WHERE id > $1 ORDER BY id LIMIT $2"));
    change UPDATE = ("principal.update",
        "UPDATE principal SET handle = $2, languages = $3, time_zone = $4, version = version + 1, update_micros = $5 \
         WHERE id = $1 AND version = $6");
    change GRANT = ("role_grant.create",
        "INSERT INTO role_grant (id, principal_id, role, organisation_id, from_micros, until_micros, create_micros) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)");
    query GRANT_GET = hidden("role_grant.get",
        concat!("SELECT ", grant_columns!(), " FROM role_grant g WHERE g.principal_id = $1 AND g.id = $2"));
    query GRANTS = hidden("role_grant.list",
        concat!("SELECT ", grant_columns!(), " FROM role_grant g WHERE g.principal_id = $1 AND g.id > $2 \
            ORDER BY g.id LIMIT $3"));
    change END = ("role_grant.end",
        "UPDATE role_grant SET end_micros = $3 WHERE principal_id = $1 AND id = $2 AND end_micros IS NULL");
}

impl Store {
    /// One principal.
    pub async fn principal(&self, scope: &Scope, id: &str) -> Result<Principal> {
        let mut session = self.reader(scope).await?;
        let found = of(&mut session, id).await;
        session.end().await?;
        found
    }

    /// The principal with a handle.
    pub async fn principal_of_handle(&self, scope: &Scope, handle: &str) -> Result<Option<Principal>> {
        let mut session = self.reader(scope).await?;
        let found = one(&mut session, OF_HANDLE, handle).await;
        session.end().await?;
        found
    }

    /// Principals after id `after`, by id, at most `limit`.
    pub async fn list_principals(&self, scope: &Scope, after: &str, limit: u32) -> Result<Vec<Principal>> {
        let mut session = self.reader(scope).await?;
        let rows = session.rows(LIST, values![after, limit]).await?;
        session.end().await?;
        rows.iter().map(read).collect()
    }

    /// One grant of a principal.
    pub async fn grant(&self, scope: &Scope, principal: &str, id: &str) -> Result<Grant> {
        let mut session = self.reader(scope).await?;
        let found = grant_of(&mut session, principal, id).await;
        session.end().await?;
        found
    }

    /// Grants of a principal after id `after`, by id, at most `limit`, ended ones too. Fails with `NotFound` if there is
    /// no such principal.
    pub async fn list_grants(
        &self,
        scope: &Scope,
        principal: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Grant>> {
        let mut session = self.snapshot_reader(scope).await?;
        let found = of(&mut session, principal).await;
        let rows = session.rows(GRANTS, values![principal, after, limit]).await?;
        session.end().await?;
        found?;
        rows.iter().filter_map(|row| read_grant(row).transpose()).collect()
    }

    /// Whether an organisation exists in the scope, and otherwise `NotFound`.
    pub async fn check_grant(&self, scope: &Scope, principal: Option<&str>, role: &Role) -> Result<()> {
        let mut session = self.snapshot_reader(scope).await?;
        let checked = async {
            if let Some(principal) = principal {
                of(&mut session, principal).await?;
            }
            match role.organisation() {
                Some(organisation) => organisation::require(&mut session, organisation).await,
                None => Ok(()),
            }
        }
        .await;
        session.end().await?;
        checked
    }
}

impl WriteSession {
    /// Stores a principal. Fails with `AlreadyExists` if the handle is taken.
    pub async fn create_principal(
        &mut self,
        id: &str,
        content: &PrincipalContent,
    ) -> Result<(Principal, Note)> {
        let now = self.now();
        let PrincipalContent { kind, handle, languages, time_zone } = content;
        let values =
            values![id, kind.as_str(), handle.as_str(), dialect::json(languages)?, time_zone.as_str(), now,];
        if self.change(Owner::Alliance, CREATE, values).await? == 0 {
            return Err(taken(content));
        }
        let detail = json!({ "kind": kind.as_str() });
        let created = first_version(id, content, now);
        let note = Note::new(Owner::Alliance, "principal.create", name_of(id), &detail);
        let note = note.of_version(created.version);
        Ok((created, note))
    }

    /// Changes a principal from the version that was read to the next one. Fails with `EtagMismatch` if the stored version
    /// is another one, and with `AlreadyExists` if the handle is taken.
    pub async fn update_principal(
        &mut self,
        id: &str,
        version: i64,
        content: &PrincipalContent,
    ) -> Result<(Principal, Note)> {
        let now = self.now();
        let stored = of(self.reads(), id).await?;
        if stored.version != version {
            return Err(Error::EtagMismatch(name_of(id)));
        }
        if let Some(other) = one(self.reads(), OF_HANDLE, content.handle.as_str()).await?
            && other.id != id
        {
            return Err(taken(content));
        }
        let values = values![
            id,
            content.handle.as_str(),
            dialect::json(&content.languages)?,
            content.time_zone.as_str(),
            now,
            version,
        ];
        if self.change(Owner::Alliance, UPDATE, values).await? == 0 {
            return Err(Error::EtagMismatch(name_of(id)));
        }
        let changed =
            Principal { content: content.clone(), version: version + 1, update_time: now, ..stored };
        let note = Note::new(Owner::Alliance, "principal.update", name_of(id), &json!({}));
        let note = note.of_version(changed.version);
        Ok((changed, note))
    }

    /// Stores a grant of a principal. Fails with `NotFound` if the principal or the organisation does not exist.
    pub async fn create_grant(&mut self, principal: &str, grant: &Grant) -> Result<Note> {
        let Grant { id, role, from, until, .. } = grant;
        of(self.reads(), principal).await?;
        if let Some(organisation) = role.organisation() {
            organisation::require(self.reads(), organisation).await?;
        }
        let owner = Owner::from(role.organisation());
        let values = values![
            id.as_str(),
            principal,
            role.as_str(),
            role.organisation().map(OrganisationId::as_str),
            *from,
            until.map(Timestamp::as_microsecond),
            self.now(),
        ];
        self.change_exactly(1, owner, GRANT, values).await?;
        let detail = json!({
            "role": role.as_str(),
            "from": from.to_string(),
            "until": until.map(|until| until.to_string()),
        });
        Ok(Note::new(owner, "role_grant.create", grant_name(principal, id), &detail))
    }

    /// Ends a grant at once and for ever. A grant that somebody has ended already stays as it is; then there is no note.
    pub async fn end_grant(&mut self, principal: &str, id: &str) -> Result<(Grant, Option<Note>)> {
        let now = self.now();
        let grant = grant_of(self.reads(), principal, id).await?;
        let owner = Owner::from(grant.role.organisation());
        if self.change(owner, END, values![principal, id, now]).await? == 0 {
            return Ok((grant, None));
        }
        let detail = json!({ "role": grant.role.as_str() });
        let note = Note::new(owner, "role_grant.end", grant_name(principal, id), &detail);
        Ok((Grant { end_time: Some(now), ..grant }, Some(note)))
    }
}

/// The first version of a principal.
pub fn first_version(id: &str, content: &PrincipalContent, now: Timestamp) -> Principal {
    Principal { id: id.to_owned(), content: content.clone(), version: 1, create_time: now, update_time: now }
}

fn taken(content: &PrincipalContent) -> Error {
    Error::AlreadyExists(format!("the handle {}", content.handle))
}

fn name_of(id: &str) -> String {
    format!("principals/{id}")
}

fn grant_name(principal: &str, id: &str) -> String {
    format!("principals/{principal}/grants/{id}")
}

/// The principal with this id. Fails with `NotFound` if there is none.
pub(super) async fn of(session: &mut ReadSession, id: &str) -> Result<Principal> {
    one(session, GET, id).await?.ok_or_else(|| Error::NotFound(name_of(id)))
}

async fn one(session: &mut ReadSession, query: Query, key: &str) -> Result<Option<Principal>> {
    session.row(query, values![key]).await?.as_ref().map(read).transpose()
}

async fn grant_of(session: &mut ReadSession, principal: &str, id: &str) -> Result<Grant> {
    let row = session.row(GRANT_GET, values![principal, id]).await?;
    let grant = row.as_ref().map(read_grant).transpose()?.flatten();
    grant.ok_or_else(|| Error::NotFound(grant_name(principal, id)))
}

fn read(row: &Row) -> Result<Principal> {
    let id = row.text("id")?;
    Ok(Principal {
        content: PrincipalContent {
            kind: row.parse("principal", &id, "kind", PrincipalKind::from_name)?,
            handle: row.id("principal", "handle")?,
            languages: row.json("principal", &id, "languages")?,
            time_zone: row.text("time_zone")?,
        },
        version: row.int("version")?,
        create_time: row.time("create_micros")?,
        update_time: row.time("update_micros")?,
        id,
    })
}

/// The grant in a row with the columns of `grant_columns!`; `None` if the row has no grant.
pub(super) fn read_grant(row: &Row) -> Result<Option<Grant>> {
    let Some(id) = row.opt_text("grant_id")? else { return Ok(None) };
    let organisation = match row.opt_text("organisation_id")? {
        None => None,
        Some(_) => Some(row.id::<OrganisationId>("role_grant", "organisation_id")?),
    };
    Ok(Some(Grant {
        role: row.parse("role_grant", &id, "role", |name| Role::new(name, organisation).ok())?,
        from: row.time("from_micros")?,
        until: row.opt_time("until_micros")?,
        end_time: row.opt_time("end_micros")?,
        id,
    }))
}
