//! Credentials: API tokens, JWT and client certificates of principals. Of a token, only the hash is stored. Its visible
//! prefix tells tokens apart, and lets scanners find leaked tokens.

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::{Row, values};
use super::journal::Note;
use super::known_credentials::Known;
use super::principal::{self, grant_columns, read_grant};
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::credential::{Credential, CredentialKind, Shown};
use crate::domain::grant::Grant;
use crate::error::{Error, Result};

/// Columns of a credential with its principal and one of the grants that nobody has ended, from the credentials that a
/// condition chooses.
macro_rules! credentials {
    ($chosen:expr) => {
        concat!(
            "SELECT c.id, c.principal_id, p.handle, c.kind, c.identity, c.prefix, c.label, c.expire_micros, c.revoke_micros, \
             c.use_micros, c.create_micros, ",
            grant_columns!(),
            " FROM ",
            $chosen,
            " JOIN principal p ON p.id = c.principal_id \
             LEFT JOIN role_grant g ON g.principal_id = c.principal_id AND g.end_micros IS NULL"
        )
    };
}

/// Uses that one transaction writes: other writers wait for so many.
const USES_AT_A_TIME: usize = 100;

statements! {
    change CREATE = ("credential.create",
        "INSERT INTO credential (id, principal_id, kind, identity, prefix, label, expire_micros, create_micros) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING");
    query AUTHENTICATE = hidden("credential.authenticate",
        concat!("SELECT c.id AS credential_id, c.principal_id, c.expire_micros, ", grant_columns!(), " FROM credential c \
            LEFT JOIN role_grant g ON g.principal_id = c.principal_id AND g.end_micros IS NULL \
            WHERE c.kind = $1 AND c.identity = $2 AND c.revoke_micros IS NULL ORDER BY g.id"));
    query LIST = hidden("credential.list",
        concat!(credentials!("(SELECT * FROM credential WHERE id > $1 ORDER BY id LIMIT $2) AS c"), " ORDER BY c.id, g.id"));
    query OF_PRINCIPAL = hidden("credential.list_of_principal",
        "SELECT id, principal_id, kind, identity, prefix, label, expire_micros, revoke_micros, use_micros, create_micros \
         FROM credential WHERE principal_id = $1 AND id > $2 ORDER BY id LIMIT $3");
    query GET = hidden("credential.get",
        "SELECT id, principal_id, kind, identity, prefix, label, expire_micros, revoke_micros, use_micros, create_micros \
         FROM credential WHERE principal_id = $1 AND id = $2");
    query TAKEN = hidden("credential.taken",
        "SELECT id FROM credential WHERE kind = $1 AND identity = $2");
    // Ids and prefixes are ASCII, so a length in characters fits both databases.
    query FIND = hidden("credential.find",
        concat!(credentials!("credential c"), " WHERE c.id = $1 \
            OR (c.kind = 'token' AND substr(c.prefix, 1, length(CAST($1 AS TEXT))) = $1) ORDER BY c.id, g.id"));
    query FIND_WHOLE = hidden("credential.find_whole",
        concat!(credentials!("credential c"), " WHERE c.kind = 'token' AND c.identity = $1 ORDER BY c.id, g.id"));
    query COUNT = hidden("credential.count", "SELECT COUNT(*) AS credentials FROM credential");
    query COUNT_OF_ROLE = hidden("credential.count_of_role",
        "SELECT COUNT(*) AS live FROM credential c WHERE c.revoke_micros IS NULL \
         AND (c.expire_micros IS NULL OR c.expire_micros > $2) AND EXISTS (SELECT 1 FROM role_grant g \
         WHERE g.principal_id = c.principal_id AND g.role = $1 AND g.end_micros IS NULL AND g.from_micros <= $2 \
         AND (g.until_micros IS NULL OR g.until_micros > $2))");
    upkeep USE = ("credential.use",
        "UPDATE credential SET use_micros = $2 WHERE id = $1 AND (use_micros IS NULL OR use_micros < $2)");
    change REVOKE = ("credential.revoke",
        "UPDATE credential SET revoke_micros = $2 WHERE id = $1 AND revoke_micros IS NULL");
}

/// A credential to be stored.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// The credential.
    pub credential: Credential,
    /// What it is found by.
    pub identity: String,
}

/// A stored credential with its principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedCredential {
    /// The credential.
    pub credential: Credential,
    /// Handle of its principal.
    pub handle: String,
    /// The grants of its principal that nobody has ended.
    pub grants: Vec<Grant>,
}

impl OwnedCredential {
    /// Whether nobody has revoked the credential.
    pub fn is_live(&self) -> bool {
        self.credential.revoke_time.is_none()
    }
}

impl Store {
    /// Who the credential belongs to; `None` if there is no such credential or it was revoked. Another process may have revoked
    /// it a moment ago.
    pub async fn authenticate(
        &self,
        scope: &Scope,
        kind: CredentialKind,
        identity: &str,
    ) -> Result<Option<Known>> {
        if scope.require_system().is_err() {
            return Ok(None);
        }
        let credentials = self.known_credentials();
        let before = match credentials.find(kind, identity) {
            Ok(known) => return Ok(Some(known)),
            Err(before) => before,
        };
        let read = self.read_credential(scope, kind, identity).await?;
        if let Some(known) = &read {
            credentials.keep(kind, identity, known, before);
        }
        Ok(read)
    }

    async fn read_credential(
        &self,
        scope: &Scope,
        kind: CredentialKind,
        identity: &str,
    ) -> Result<Option<Known>> {
        let mut session = self.reader(scope).await?;
        let rows = session.rows(AUTHENTICATE, values![kind.as_str(), identity]).await?;
        session.end().await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let mut grants = Vec::with_capacity(rows.len());
        for row in &rows {
            grants.extend(read_grant(row)?);
        }
        Ok(Some(Known {
            credential: first.text("credential_id")?,
            principal: first.text("principal_id")?,
            expire_time: first.opt_time("expire_micros")?,
            grants,
        }))
    }

    /// Writes when credentials were last used. After a failure, `uses` has those that were not written.
    pub async fn write_uses(&self, scope: &Scope, uses: &mut Vec<(String, Timestamp)>) -> Result<()> {
        scope.require_system()?;
        while !uses.is_empty() {
            let rest = uses.len().saturating_sub(USES_AT_A_TIME);
            let mut session = self.housekeeping(scope).await?;
            for (id, at) in &uses[rest..] {
                session.execute(USE, values![id.as_str(), *at]).await?;
            }
            session.commit().await?;
            uses.truncate(rest);
        }
        Ok(())
    }

    /// Number of credentials that were ever created.
    pub async fn count_credentials(&self, scope: &Scope) -> Result<i64> {
        let mut session = self.reader(scope).await?;
        let row = session.one(COUNT, values![]).await?;
        session.end().await?;
        row.int("credentials")
    }

    /// Number of credentials whose principal holds a role at `now`.
    pub async fn count_credentials_of_role(&self, scope: &Scope, role: &str, now: Timestamp) -> Result<i64> {
        let mut session = self.reader(scope).await?;
        let row = session.one(COUNT_OF_ROLE, values![role, now]).await?;
        session.end().await?;
        row.int("live")
    }

    /// Credentials after id `after`, by id, at most `limit`, revoked ones too.
    pub async fn list_credentials(
        &self,
        scope: &Scope,
        after: &str,
        limit: u32,
    ) -> Result<Vec<OwnedCredential>> {
        let mut session = self.reader(scope).await?;
        let rows = session.rows(LIST, values![after, limit]).await?;
        session.end().await?;
        read_owned(&rows)
    }

    /// Credentials of a principal after id `after`, by id, at most `limit`, revoked ones too. Fails with `NotFound` if
    /// there is no such principal.
    pub async fn list_credentials_of(
        &self,
        scope: &Scope,
        principal: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Credential>> {
        let mut session = self.snapshot_reader(scope).await?;
        let owner = principal::of(&mut session, principal).await;
        let rows = session.rows(OF_PRINCIPAL, values![principal, after, limit]).await?;
        session.end().await?;
        owner?;
        rows.iter().map(read).collect()
    }

    /// One credential of a principal.
    pub async fn credential(&self, scope: &Scope, principal: &str, id: &str) -> Result<Credential> {
        let mut session = self.reader(scope).await?;
        let found = of(&mut session, principal, id).await;
        session.end().await?;
        found
    }

    /// `Ok` if [`WriteSession::create_credential`] would store the credential. Nothing is written.
    pub async fn check_credential(&self, scope: &Scope, new: &NewCredential) -> Result<()> {
        let NewCredential { credential, identity } = new;
        let mut session = self.snapshot_reader(scope).await?;
        let owner = principal::of(&mut session, &credential.principal).await;
        let kind = credential.shown.kind();
        let taken = session.row(TAKEN, values![kind.as_str(), identity.as_str()]).await?;
        session.end().await?;
        owner?;
        if taken.is_some() { Err(already(&credential.shown)) } else { Ok(()) }
    }
}

impl WriteSession {
    /// Stores a credential. Fails with `NotFound` if there is no such principal, and with `AlreadyExists` if a principal has
    /// the credential already.
    pub async fn create_credential(&mut self, new: &NewCredential) -> Result<Note> {
        let NewCredential { credential, identity } = new;
        let Credential { id, principal, shown, label, expire_time, create_time, .. } = credential;
        principal::of(self.reads(), principal).await?;
        let kind = shown.kind();
        let prefix = if let Shown::Token { prefix } = shown { prefix.as_str() } else { "" };
        let values = values![
            id.as_str(),
            principal.as_str(),
            kind.as_str(),
            identity.as_str(),
            prefix,
            label.as_str(),
            expire_time.map(Timestamp::as_microsecond),
            *create_time,
        ];
        if self.change(Owner::Alliance, CREATE, values).await? == 0 {
            return Err(already(shown));
        }
        let detail = json!({ "kind": kind.as_str() });
        Ok(Note::new(Owner::Alliance, "credential.create", name(principal, id), &detail))
    }

    /// One credential of a principal.
    pub async fn credential(&mut self, principal: &str, id: &str) -> Result<Credential> {
        of(self.reads(), principal, id).await
    }

    /// Credentials whose id is `selector`, and tokens whose visible prefix begins with it, by id, revoked ones too.
    pub async fn find_credentials(&mut self, selector: &str) -> Result<Vec<OwnedCredential>> {
        read_owned(&self.reads().rows(FIND, values![selector]).await?)
    }

    /// The token with this hash, if it was ever created.
    pub async fn find_whole_token(&mut self, hash: &str) -> Result<Vec<OwnedCredential>> {
        read_owned(&self.reads().rows(FIND_WHOLE, values![hash]).await?)
    }

    /// Revokes a credential at once and for ever. A credential that is revoked already stays as it is; then there is no
    /// note.
    pub async fn revoke_credential(&mut self, credential: &mut Credential) -> Result<Option<Note>> {
        let now = self.now();
        if self.change(Owner::Alliance, REVOKE, values![credential.id.as_str(), now]).await? == 0 {
            return Ok(None);
        }
        credential.revoke_time = Some(now);
        let name = name(&credential.principal, &credential.id);
        Ok(Some(Note::new(Owner::Alliance, "credential.revoke", name, &json!({}))))
    }

    /// Number of credentials whose principal holds a role now.
    pub async fn count_credentials_of_role(&mut self, role: &str) -> Result<i64> {
        let now = self.now();
        self.reads().one(COUNT_OF_ROLE, values![role, now]).await?.int("live")
    }
}

/// Resource name of a credential.
fn name(principal: &str, id: &str) -> String {
    format!("principals/{principal}/credentials/{id}")
}

fn already(shown: &Shown) -> Error {
    Error::AlreadyExists(format!("this credential ({})", shown.kind().as_str()))
}

async fn of(session: &mut ReadSession, principal: &str, id: &str) -> Result<Credential> {
    let row = session.row(GET, values![principal, id]).await?;
    row.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(name(principal, id)))
}

/// The credentials in rows with one grant each, in the order of the rows.
fn read_owned(rows: &[Row]) -> Result<Vec<OwnedCredential>> {
    let mut found: Vec<OwnedCredential> = Vec::new();
    for row in rows {
        let id = row.text("id")?;
        if found.last().is_none_or(|last| last.credential.id != id) {
            let (credential, handle) = (read(row)?, row.text("handle")?);
            found.push(OwnedCredential { credential, handle, grants: Vec::new() });
        }
        if let (Some(grant), Some(last)) = (read_grant(row)?, found.last_mut()) {
            last.grants.push(grant);
        }
    }
    Ok(found)
}

fn read(row: &Row) -> Result<Credential> {
    let id = row.text("id")?;
    let shown = match row.parse("credential", &id, "kind", CredentialKind::from_name)? {
        CredentialKind::Token => Shown::Token { prefix: row.text("prefix")? },
        CredentialKind::Jwt => {
            let [issuer, subject]: [String; 2] = row.json("credential", &id, "identity")?;
            Shown::Jwt { issuer, subject }
        }
        CredentialKind::Certificate => Shown::Certificate { fingerprint: row.text("identity")? },
    };
    Ok(Credential {
        principal: row.text("principal_id")?,
        shown,
        label: row.text("label")?,
        create_time: row.time("create_micros")?,
        expire_time: row.opt_time("expire_micros")?,
        revoke_time: row.opt_time("revoke_micros")?,
        use_time: row.opt_time("use_micros")?,
        id,
    })
}
