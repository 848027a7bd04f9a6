//! Invitations: a hash of the secret, and the roles that its first bearer gets.

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::journal::Note;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::grant::Invitation;
use crate::error::{Error, Result};

/// Invitations that one transaction deletes: other writers wait for so many.
const INVITATIONS_AT_A_TIME: u32 = 100;

macro_rules! invitation {
    () => {
        "SELECT id, grants, expire_micros, create_micros, redeem_micros, principal_id, actor, cancel_micros FROM invitation"
    };
}

statements! {
    change CREATE = ("invitation.create",
        "INSERT INTO invitation (id, secret_hash, grants, expire_micros, actor, create_micros) VALUES ($1, $2, $3, $4, $5, $6)");
    query GET = hidden("invitation.get", concat!(invitation!(), " WHERE secret_hash = $1"));
    query NAMED = hidden("invitation.named", concat!(invitation!(), " WHERE id = $1"));
    query LIST = hidden("invitation.list", concat!(invitation!(), " WHERE id > $1 ORDER BY id LIMIT $2"));
    query LIST_OF_ACTOR = hidden("invitation.list_of_actor",
        concat!(invitation!(), " WHERE actor = $3 AND id > $1 ORDER BY id LIMIT $2"));
    change REDEEM = ("invitation.redeem",
        "UPDATE invitation SET redeem_micros = $2, principal_id = $3 WHERE id = $1 AND redeem_micros IS NULL \
         AND cancel_micros IS NULL");
    change CANCEL = ("invitation.cancel",
        "UPDATE invitation SET cancel_micros = $2 WHERE id = $1 AND redeem_micros IS NULL AND cancel_micros IS NULL");
    query COUNT_OLD = hidden("invitation.count_old",
        "SELECT COUNT(*) AS old FROM invitation WHERE expire_micros < $1");
    upkeep PURGE = ("invitation.purge",
        "DELETE FROM invitation WHERE id IN (SELECT i.id FROM invitation i WHERE i.expire_micros < $1 \
         ORDER BY i.expire_micros LIMIT $2)");
}

impl Store {
    /// The invitation with this hash.
    pub async fn invitation(&self, scope: &Scope, secret_hash: &str) -> Result<Option<Invitation>> {
        let mut session = self.reader(scope).await?;
        let row = session.row(GET, values![secret_hash]).await?;
        session.end().await?;
        row.as_ref().map(read).transpose()
    }

    /// The invitation with this id.
    pub async fn invitation_named(&self, scope: &Scope, id: &str) -> Result<Invitation> {
        let mut session = self.reader(scope).await?;
        let row = session.row(NAMED, values![id]).await?;
        session.end().await?;
        row.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(name(id)))
    }

    /// Invitations after id `after`, by id, at most `limit`; with `creator`, those that it has created.
    pub async fn list_invitations(
        &self,
        scope: &Scope,
        creator: Option<&str>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Invitation>> {
        let mut session = self.reader(scope).await?;
        let rows = match creator {
            Some(creator) => session.rows(LIST_OF_ACTOR, values![after, limit, creator]).await?,
            None => session.rows(LIST, values![after, limit]).await?,
        };
        session.end().await?;
        rows.iter().map(read).collect()
    }

    /// Deletes the invitations that expired before `limit`, and returns their number.
    pub async fn purge_invitations(&self, scope: &Scope, limit: Timestamp) -> Result<u64> {
        scope.require_system()?;
        let mut purged = 0;
        loop {
            let mut session = self.housekeeping(scope).await?;
            let deleted = session.execute(PURGE, values![limit, INVITATIONS_AT_A_TIME]).await?;
            session.commit().await?;
            purged += deleted;
            if deleted < u64::from(INVITATIONS_AT_A_TIME) {
                return Ok(purged);
            }
        }
    }

    /// Number of the invitations that expired before `limit`.
    pub async fn count_old_invitations(&self, scope: &Scope, limit: Timestamp) -> Result<u64> {
        scope.require_system()?;
        let mut session = self.reader(scope).await?;
        let old = session.one(COUNT_OLD, values![limit]).await?.narrow("invitation", &"", "old")?;
        session.end().await?;
        Ok(old)
    }
}

impl WriteSession {
    /// Stores an invitation.
    pub async fn create_invitation(&mut self, invitation: &Invitation, secret_hash: &str) -> Result<Note> {
        let Invitation { id, grants, create_time, expire_time, creator, .. } = invitation;
        let grants_in_json = dialect::json(grants)?;
        let values =
            values![id.as_str(), secret_hash, grants_in_json, *expire_time, creator.as_str(), *create_time];
        self.change_exactly(1, Owner::Alliance, CREATE, values).await?;
        let roles: Vec<&str> = grants.iter().map(|grant| grant.role.as_str()).collect();
        let detail = json!({ "roles": roles });
        Ok(Note::new(Owner::Alliance, "invitation.create", name(id), &detail))
    }

    /// Marks an invitation as redeemed by a principal; `None` if somebody has redeemed or cancelled it before.
    pub async fn redeem_invitation(&mut self, id: &str, principal: &str) -> Result<Option<Note>> {
        let now = self.now();
        if self.change(Owner::Alliance, REDEEM, values![id, now, principal]).await? == 0 {
            return Ok(None);
        }
        let detail = json!({ "principal": format!("principals/{principal}") });
        Ok(Some(Note::new(Owner::Alliance, "invitation.redeem", name(id), &detail)))
    }

    /// Cancels an invitation for ever. One that was redeemed or cancelled before stays as it is; then there is no note.
    pub async fn cancel_invitation(&mut self, id: &str) -> Result<(Invitation, Option<Note>)> {
        let now = self.now();
        let cancelled = self.change(Owner::Alliance, CANCEL, values![id, now]).await?;
        let row = self.reads().row(NAMED, values![id]).await?;
        let found = row.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(name(id)))?;
        let note = || Note::new(Owner::Alliance, "invitation.cancel", name(id), &json!({}));
        Ok((found, (cancelled > 0).then(note)))
    }
}

fn name(id: &str) -> String {
    format!("invitations/{id}")
}

fn read(row: &Row) -> Result<Invitation> {
    let id = row.text("id")?;
    Ok(Invitation {
        grants: row.json("invitation", &id, "grants")?,
        create_time: row.time("create_micros")?,
        expire_time: row.time("expire_micros")?,
        creator: row.text("actor")?,
        redeemed: row.opt_time("redeem_micros")?.zip(row.opt_text("principal_id")?),
        cancel_time: row.opt_time("cancel_micros")?,
        id,
    })
}
