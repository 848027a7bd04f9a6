//! Invitations: a hash of the secret, and the roles that its first bearer gets.

use serde_json::json;

use super::backend::Store;
use super::dialect::{self, values};
use super::journal::Note;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::grant::Invitation;
use crate::error::Result;

statements! {
    change CREATE = ("invitation.create",
        "INSERT INTO invitation (id, secret_hash, grants, expire_micros, create_micros) VALUES ($1, $2, $3, $4, $5)");
    query GET = hidden("invitation.get",
        "SELECT id, grants, expire_micros, create_micros, redeem_micros FROM invitation WHERE secret_hash = $1");
    change REDEEM = ("invitation.redeem",
        "UPDATE invitation SET redeem_micros = $2, principal_id = $3 WHERE id = $1 AND redeem_micros IS NULL");
}

impl Store {
    /// The invitation with this hash, and whether it was redeemed.
    pub async fn invitation(&self, scope: &Scope, secret_hash: &str) -> Result<Option<(Invitation, bool)>> {
        let mut session = self.reader(scope).await?;
        let row = session.row(GET, values![secret_hash]).await?;
        session.end().await?;
        let Some(row) = row else { return Ok(None) };
        let id = row.text("id")?;
        let invitation = Invitation {
            grants: row.json("invitation", &id, "grants")?,
            create_time: row.time("create_micros")?,
            expire_time: row.time("expire_micros")?,
            id,
        };
        Ok(Some((invitation, row.opt_int("redeem_micros")?.is_some())))
    }
}

impl WriteSession {
    /// Stores an invitation.
    pub async fn create_invitation(&mut self, invitation: &Invitation, secret_hash: &str) -> Result<Note> {
        let Invitation { id, grants, create_time, expire_time } = invitation;
        let values = values![id.as_str(), secret_hash, dialect::json(grants)?, *expire_time, *create_time];
        self.change_exactly(1, Owner::Alliance, CREATE, values).await?;
        let roles: Vec<&str> = grants.iter().map(|grant| grant.role.as_str()).collect();
        let detail = json!({ "roles": roles });
        Ok(Note::new(Owner::Alliance, "invitation.create", format!("invitations/{id}"), &detail))
    }

    /// Marks an invitation as redeemed by a principal; `None` if somebody has redeemed it before.
    pub async fn redeem_invitation(&mut self, id: &str, principal: &str) -> Result<Option<Note>> {
        let now = self.now();
        if self.change(Owner::Alliance, REDEEM, values![id, now, principal]).await? == 0 {
            return Ok(None);
        }
        let detail = json!({ "principal": format!("principals/{principal}") });
        Ok(Some(Note::new(Owner::Alliance, "invitation.redeem", format!("invitations/{id}"), &detail)))
    }
}
