//! Principals and their grants. They belong to the alliance: no organisation reads them.

use serde_json::json;

use super::dialect::{Row, values};
use super::journal::Note;
use super::organisation;
use super::scope::Owner;
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::caller::PrincipalKind;
use crate::domain::grant::{Grant, Role};
use crate::domain::name::OrganisationId;
use crate::error::{Error, Result};

statements! {
    change CREATE = ("principal.create",
        "INSERT INTO principal (id, kind, handle, languages, time_zone, version, create_micros, update_micros) \
         VALUES ($1, $2, $3, '[]', '', 1, $4, $4) ON CONFLICT DO NOTHING");
    change GRANT = ("role_grant.create",
        "INSERT INTO role_grant (id, principal_id, role, organisation_id, from_micros, until_micros, create_micros) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING");
}

/// A principal to be stored.
#[derive(Debug, Clone)]
pub struct NewPrincipal {
    /// Its id, a UUID.
    pub id: String,
    /// Whether it is a person or a program.
    pub kind: PrincipalKind,
    /// The handle, which no other principal has.
    pub handle: String,
}

impl WriteSession {
    /// Stores a principal. Fails with `AlreadyExists` if the handle is taken.
    pub async fn create_principal(&mut self, principal: &NewPrincipal) -> Result<Note> {
        let NewPrincipal { id, kind, handle } = principal;
        let values = values![id.as_str(), kind.as_str(), handle.as_str(), self.now()];
        if self.change(Owner::Alliance, CREATE, values).await? == 0 {
            return Err(Error::AlreadyExists(format!("principal {handle}")));
        }
        let detail = json!({ "kind": kind.as_str() });
        Ok(Note::new(Owner::Alliance, "principal.create", format!("principals/{id}"), &detail))
    }

    /// Stores a grant of a principal. Fails with `NotFound` if its organisation does not exist.
    pub async fn create_grant(&mut self, principal: &str, grant: &Grant) -> Result<Note> {
        let Grant { id, role, from, until, .. } = grant;
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
            until.map(jiff::Timestamp::as_microsecond),
            self.now(),
        ];
        self.change_exactly(1, owner, GRANT, values).await?;
        let detail = json!({
            "role": role.as_str(),
            "from": from.to_string(),
            "until": until.map(|until| until.to_string()),
        });
        Ok(Note::new(owner, "role_grant.create", format!("principals/{principal}/grants/{id}"), &detail))
    }
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

/// Columns of a grant `g`, for [`read_grant`].
macro_rules! grant_columns {
    () => {
        "g.id AS grant_id, g.role, g.organisation_id, g.from_micros, g.until_micros, g.end_micros"
    };
}

pub(super) use grant_columns;
