//! Organisations, and the rules that each decides for its own members.

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::journal::Note;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::membership::{AcceptedRules, Membership, MembershipState};
use crate::domain::name::OrganisationId;
use crate::domain::organisation::{
    Organisation, OrganisationContent, OrganisationPatch, OrganisationRules, PlaceLimits,
};
use crate::domain::version::is_meant;
use crate::domain::violation::Violations;
use crate::domain::vocabulary::Country;
use crate::error::{Error, Result};

/// Columns of an organisation.
macro_rules! organisation_columns {
    () => {
        "id, display_name, country, rules, membership, accepted_rules, accept_micros, idle_days, most_given, most_taken, version, \
         create_micros, update_micros"
    };
}

statements! {
    change CREATE = ("organisation.create",
        "INSERT INTO organisation (id, display_name, country, rules, membership, idle_days, most_given, most_taken, version, \
         create_micros, update_micros) VALUES ($1, $2, $3, $4, $6, $7, $8, $9, 1, $5, $5) ON CONFLICT (id) DO NOTHING");
    change UPDATE = ("organisation.update",
        "UPDATE organisation SET display_name = $3, country = $4, rules = $5, idle_days = $7, most_given = $8, most_taken = $9, version = version + 1, update_micros = $6 \
         WHERE id = $1 AND version = $2");
    query GET = filtered("organisation.get",
        concat!("SELECT ", organisation_columns!(), " FROM organisation WHERE id = $1 AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || id || ',%')"));
    query LIST = split("organisation.list",
        concat!("SELECT ", organisation_columns!(), " FROM organisation WHERE id > $1 ORDER BY id LIMIT $2");
        "organisation.list_of_organisation",
        concat!("SELECT ", organisation_columns!(), " FROM organisation WHERE id > $1 AND id = $3 ORDER BY id LIMIT $2"));
    // Writers of one organisation's profiles take turns.
    query LOCK = filtered("organisation.lock", locking: "SELECT id FROM organisation WHERE id = $1 AND \
        (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || id || ',%')");
}

impl Store {
    /// One organisation.
    pub async fn organisation(&self, scope: &Scope, id: &OrganisationId) -> Result<Organisation> {
        let mut session = self.reader(scope).await?;
        let found = session.row(GET, values![id]).await?;
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
        let mut session = self.reader(scope).await?;
        let rows = session.rows(LIST, values![after, limit]).await?;
        session.end().await?;
        // The organisations of a scope are in the order of their ids already.
        rows.iter().take(limit as usize).map(read).collect()
    }
}

impl Store {
    /// The organisation that [`WriteSession::create_organisation`] would return at `now`, or its error. Nothing is
    /// written.
    pub async fn check_organisation(
        &self,
        scope: &Scope,
        id: &OrganisationId,
        content: &OrganisationContent,
        now: Timestamp,
    ) -> Result<Organisation> {
        let mut session = self.reader(scope).await?;
        let found = session.row(GET, values![id]).await?;
        session.end().await?;
        match found {
            Some(_) => Err(Error::AlreadyExists(id.name())),
            None => Ok(first_version(id, content, now)),
        }
    }
}

/// The organisation after a change at `now`, or why it cannot be changed.
fn updated(
    before: Organisation,
    patch: &OrganisationPatch,
    etag: &str,
    now: Timestamp,
) -> Result<Organisation> {
    if !is_meant(etag, before.version) {
        return Err(Error::EtagMismatch(before.id.name()));
    }
    let content = before.content.patched(&before.id, patch).map_err(|part| {
        let mut violations = Violations::of_request();
        violations.extend(part.within("organisation"));
        Error::InvalidFields(violations)
    })?;
    if content == before.content {
        return Ok(before);
    }
    Ok(Organisation { content, version: before.version + 1, update_time: now, ..before })
}

impl Store {
    /// The organisation that [`WriteSession::update_organisation`] would return at `now`, or its error. Nothing is written.
    pub async fn check_organisation_update(
        &self,
        scope: &Scope,
        id: &OrganisationId,
        patch: &OrganisationPatch,
        etag: &str,
        now: Timestamp,
    ) -> Result<Organisation> {
        updated(self.organisation(scope, id).await?, patch, etag, now)
    }
}

impl WriteSession {
    /// Registers an organisation. Fails with `AlreadyExists` if the id is taken.
    pub async fn create_organisation(
        &mut self,
        id: &OrganisationId,
        content: &OrganisationContent,
    ) -> Result<(Organisation, Note)> {
        self.share_memberships().await?;
        let now = self.now();
        let values = values![
            id,
            content.display_name.as_str(),
            content.country.code(),
            dialect::json(&content.rules.without_limits())?,
            now,
            Membership::NEW.state.as_str(),
            content.idle_profile_days,
            content.rules.limits.most_given.map(i64::from),
            content.rules.limits.most_taken.map(i64::from),
        ];
        if self.change(Owner::Organisation(id), CREATE, values).await? == 0 {
            return Err(Error::AlreadyExists(id.name()));
        }
        self.invite_member(id).await?;
        let note =
            Note::new(Owner::Organisation(id), "organisation.create", id.name(), &json!({})).of_version(1);
        Ok((first_version(id, content, now), note))
    }

    /// Changes fields of an organisation or its rules. A change that changes nothing has no note.
    ///
    /// Fails with `NotFound`, `EtagMismatch` or `InvalidFields`.
    pub async fn update_organisation(
        &mut self,
        id: &OrganisationId,
        patch: &OrganisationPatch,
        etag: &str,
    ) -> Result<(Organisation, Option<Note>)> {
        self.lock_organisation(id).await?;
        let now = self.now();
        let before = of(self.reads(), id).await?;
        let version = before.version;
        let after = updated(before, patch, etag, now)?;
        if after.version == version {
            return Ok((after, None));
        }
        let values = values![
            id,
            version,
            after.content.display_name.as_str(),
            after.content.country.code(),
            dialect::json(&after.content.rules.without_limits())?,
            now,
            after.content.idle_profile_days,
            after.content.rules.limits.most_given.map(i64::from),
            after.content.rules.limits.most_taken.map(i64::from),
        ];
        let owner = Owner::Organisation(id);
        self.change_exactly(1, owner, UPDATE, values).await?;
        let action = if patch.rules.is_some() { "organisation.update_rules" } else { "organisation.update" };
        let note = Note::new(owner, action, id.name(), &json!({})).of_version(after.version);
        Ok((after, Some(note)))
    }

    /// Makes other writers of the organisation's profiles wait. Fails with `NotFound` if it does not exist.
    pub(super) async fn lock_organisation(&mut self, id: &OrganisationId) -> Result<()> {
        let found = self.reads().row(LOCK, values![id]).await?;
        found.map(drop).ok_or_else(|| Error::NotFound(id.name()))
    }
}

fn first_version(id: &OrganisationId, content: &OrganisationContent, now: Timestamp) -> Organisation {
    Organisation {
        id: id.clone(),
        content: content.clone(),
        membership: Membership::NEW,
        version: 1,
        create_time: now,
        update_time: now,
    }
}

/// The organisation, if it exists in the session's scope.
pub(super) async fn of(session: &mut ReadSession, id: &OrganisationId) -> Result<Organisation> {
    let found = session.row(GET, values![id]).await?;
    found.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(id.name()))
}

/// `Ok` if the organisation exists in the session's scope.
pub(super) async fn require(session: &mut ReadSession, id: &OrganisationId) -> Result<()> {
    let found = session.row(GET, values![id]).await?;
    found.map(drop).ok_or_else(|| Error::NotFound(id.name()))
}

/// The limits of an organisation's own in a row.
pub(super) fn limits(row: &Row) -> Result<PlaceLimits> {
    let of = |column: &str| Ok::<_, Error>(row.opt_int(column)?.and_then(|most| u32::try_from(most).ok()));
    Ok(PlaceLimits { most_given: of("most_given")?, most_taken: of("most_taken")? })
}

fn read(row: &Row) -> Result<Organisation> {
    let id: OrganisationId = row.id("organisation", "id")?;
    Ok(Organisation {
        content: OrganisationContent {
            display_name: row.text("display_name")?,
            country: row.parse("organisation", &id, "country", Country::from_code)?,
            rules: OrganisationRules { limits: limits(row)?, ..row.json("organisation", &id, "rules")? },
            idle_profile_days: row.narrow("organisation", &id, "idle_days")?,
        },
        membership: Membership {
            state: row.parse("organisation", &id, "membership", MembershipState::from_name)?,
            accepted: match (row.opt_text("accepted_rules")?, row.opt_time("accept_micros")?) {
                (Some(version), Some(time)) => Some(AcceptedRules { version, time }),
                _ => None,
            },
        },
        version: row.int("version")?,
        create_time: row.time("create_micros")?,
        update_time: row.time("update_micros")?,
        id,
    })
}
