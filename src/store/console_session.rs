//! Sessions of the console: a hash of the secret, and who acts in which role. A session that has ended is deleted.

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::{Row, values};
use super::journal::Note;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::console_session::{ConsoleSession, SignIn};
use crate::domain::vocabulary::Lang;
use crate::error::{Error, Result};

/// Sessions that one transaction deletes: other writers wait for so many.
const SESSIONS_AT_A_TIME: u32 = 100;

macro_rules! session {
    () => {
        "SELECT id, principal_id, grant_id, sign_in, lang, proof_micros, use_micros, create_micros FROM console_session"
    };
}

statements! {
    change CREATE = ("console_session.create",
        "INSERT INTO console_session (id, secret_hash, principal_id, grant_id, sign_in, lang, proof_micros, use_micros, create_micros) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7)");
    query GET = hidden("console_session.get", concat!(session!(), " WHERE secret_hash = $1"));
    query LIST = hidden("console_session.list", concat!(session!(), " WHERE principal_id = $1 ORDER BY id LIMIT $2"));
    upkeep USE = ("console_session.use", "UPDATE console_session SET use_micros = $2 WHERE id = $1 AND use_micros < $2");
    upkeep SPEAK = ("console_session.speak", "UPDATE console_session SET lang = $2 WHERE id = $1");
    change ACT = ("console_session.act", "UPDATE console_session SET grant_id = $2 WHERE id = $1");
    change END = ("console_session.end", "DELETE FROM console_session WHERE principal_id = $1 AND id = $2");
    change END_ALL = ("console_session.end_all", "DELETE FROM console_session WHERE principal_id = $1");
    query COUNT_OLD = hidden("console_session.count_old",
        "SELECT COUNT(*) AS old FROM console_session WHERE create_micros < $1");
    upkeep PURGE = ("console_session.purge",
        "DELETE FROM console_session WHERE id IN (SELECT s.id FROM console_session s WHERE s.create_micros < $1 \
         ORDER BY s.create_micros LIMIT $2)");
}

impl Store {
    /// The session with this hash.
    pub async fn console_session(&self, scope: &Scope, secret_hash: &str) -> Result<Option<ConsoleSession>> {
        let mut session = self.reader(scope).await?;
        let row = session.row(GET, values![secret_hash]).await?;
        session.end().await?;
        row.as_ref().map(read).transpose()
    }

    /// The sessions of a principal, the oldest first, at most `limit`.
    pub async fn console_sessions(
        &self,
        scope: &Scope,
        principal: &str,
        limit: u32,
    ) -> Result<Vec<ConsoleSession>> {
        let mut session = self.reader(scope).await?;
        let rows = session.rows(LIST, values![principal, limit]).await?;
        session.end().await?;
        rows.iter().map(read).collect()
    }

    /// Notes that a session was used at `now`.
    pub async fn use_console_session(&self, scope: &Scope, id: &str, now: Timestamp) -> Result<()> {
        let mut session = self.housekeeping(scope).await?;
        session.execute(USE, values![id, now]).await?;
        session.commit().await
    }

    /// Sets the language of a session.
    pub async fn speak_in_console_session(&self, scope: &Scope, id: &str, lang: Lang) -> Result<()> {
        let mut session = self.housekeeping(scope).await?;
        session.execute(SPEAK, values![id, lang.tag()]).await?;
        session.commit().await
    }

    /// Deletes the sessions that began before `limit`, and returns their number.
    pub async fn purge_console_sessions(&self, scope: &Scope, limit: Timestamp) -> Result<u64> {
        scope.require_system()?;
        let mut purged = 0;
        loop {
            let mut session = self.housekeeping(scope).await?;
            let deleted = session.execute(PURGE, values![limit, SESSIONS_AT_A_TIME]).await?;
            session.commit().await?;
            purged += deleted;
            if deleted < u64::from(SESSIONS_AT_A_TIME) {
                return Ok(purged);
            }
        }
    }

    /// Number of the sessions that began before `limit`.
    pub async fn count_old_console_sessions(&self, scope: &Scope, limit: Timestamp) -> Result<u64> {
        scope.require_system()?;
        let mut session = self.reader(scope).await?;
        let old = session.one(COUNT_OLD, values![limit]).await?.narrow("console_session", &"", "old")?;
        session.end().await?;
        Ok(old)
    }
}

impl WriteSession {
    /// Stores a session.
    pub async fn create_console_session(
        &mut self,
        stored: &ConsoleSession,
        secret_hash: &str,
    ) -> Result<Note> {
        let ConsoleSession { id, principal, grant, sign_in, lang, create_time, .. } = stored;
        let values = values![
            id.as_str(),
            secret_hash,
            principal.as_str(),
            grant.as_str(),
            sign_in.as_str(),
            lang.tag(),
            *create_time,
        ];
        self.change_exactly(1, Owner::Alliance, CREATE, values).await?;
        let detail = json!({ "sign_in": sign_in.as_str() });
        Ok(Note::new(Owner::Alliance, "console_session.create", name(principal, id), &detail))
    }

    /// Lets a session act in another grant.
    pub async fn act_in_console_session(&mut self, stored: &ConsoleSession, grant: &str) -> Result<Note> {
        let values = values![stored.id.as_str(), grant];
        self.change_exactly(1, Owner::Alliance, ACT, values).await?;
        let resource = name(&stored.principal, &stored.id);
        Ok(Note::new(Owner::Alliance, "console_session.act", resource, &json!({ "grant": grant })))
    }

    /// Ends a session of a principal; `None` if there is none of this id.
    pub async fn end_console_session(&mut self, principal: &str, id: &str) -> Result<Option<Note>> {
        if self.change(Owner::Alliance, END, values![principal, id]).await? == 0 {
            return Ok(None);
        }
        Ok(Some(Note::new(Owner::Alliance, "console_session.end", name(principal, id), &json!({}))))
    }

    /// Ends all sessions of a principal; `None` if there are none.
    pub async fn end_console_sessions(&mut self, principal: &str) -> Result<Option<Note>> {
        let ended = self.change(Owner::Alliance, END_ALL, values![principal]).await?;
        let resource = format!("principals/{principal}");
        let note =
            || Note::new(Owner::Alliance, "console_session.end_all", resource, &json!({ "sessions": ended }));
        Ok((ended > 0).then(note))
    }
}

fn name(principal: &str, id: &str) -> String {
    format!("principals/{principal}/sessions/{id}")
}

fn read(row: &Row) -> Result<ConsoleSession> {
    let id = row.text("id")?;
    let (sign_in, lang) = (row.text("sign_in")?, row.text("lang")?);
    let broken = |column: &str| Error::internal(format!("console_session {id} has a wrong {column}"));
    Ok(ConsoleSession {
        principal: row.text("principal_id")?,
        grant: row.text("grant_id")?,
        sign_in: SignIn::from_name(&sign_in).ok_or_else(|| broken("sign_in"))?,
        lang: Lang::from_tag(&lang).ok_or_else(|| broken("lang"))?,
        proof_time: row.time("proof_micros")?,
        use_time: row.time("use_micros")?,
        create_time: row.time("create_micros")?,
        id,
    })
}
