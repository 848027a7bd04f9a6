//! API tokens. Only the hash of a token is stored. Its visible prefix tells tokens apart, and lets scanners find leaked
//! tokens.

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::{Row, values};
use super::journal::Note;
use super::organisation;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::caller::{Caller, Role};
use crate::domain::name::OrganisationId;
use crate::error::{Error, Result};

/// Columns of a token.
macro_rules! token_columns {
    () => {
        "id, prefix, role, organisation_id, label, create_micros, revoke_micros"
    };
}

statements! {
    change CREATE = ("api_token.create",
        "INSERT INTO api_token (id, secret_hash, prefix, role, organisation_id, label, create_micros) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING");
    query AUTHENTICATE = hidden("api_token.authenticate",
        concat!("SELECT ", token_columns!(), " FROM api_token WHERE secret_hash = $1 AND revoke_micros IS NULL"));
    query LIST = split("api_token.list",
        concat!("SELECT ", token_columns!(), " FROM api_token WHERE id > $1 ORDER BY id LIMIT $2");
        "api_token.list_of_organisation",
        concat!("SELECT ", token_columns!(), " FROM api_token WHERE id > $1 AND organisation_id = $3 \
            ORDER BY id LIMIT $2"));
    // Ids and prefixes are ASCII, so a length in characters fits both databases.
    query FIND = filtered("api_token.find",
        concat!("SELECT ", token_columns!(), " FROM api_token WHERE (id = $1 \
            OR substr(prefix, 1, length(CAST($1 AS TEXT))) = $1) \
            AND (CAST($2 AS TEXT) IS NULL OR organisation_id = $2) ORDER BY id"));
    query FIND_WHOLE = filtered("api_token.find_whole",
        concat!("SELECT ", token_columns!(), " FROM api_token WHERE secret_hash = $1 \
            AND (CAST($2 AS TEXT) IS NULL OR organisation_id = $2)"));
    query COUNT = hidden("api_token.count", "SELECT COUNT(*) AS tokens FROM api_token");
    query COUNT_COORDINATORS = hidden("api_token.count_coordinators",
        "SELECT COUNT(*) AS live FROM api_token WHERE role = 'coordinator' AND revoke_micros IS NULL");
    change REVOKE = ("api_token.revoke",
        "UPDATE api_token SET revoke_micros = $2 WHERE id = $1 AND revoke_micros IS NULL");
}

/// A token to be stored.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Its id, which the journal names.
    pub id: String,
    /// SHA-256 of the token, in hexadecimal.
    pub secret_hash: String,
    /// Its first characters.
    pub prefix: String,
    /// The role of its bearer.
    pub role: Role,
    /// What the token is for, in the operator's words.
    pub label: String,
}

/// A stored token, without its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Its first characters.
    pub prefix: String,
    /// The role of its bearer.
    pub role: Role,
    /// What the token is for.
    pub label: String,
    /// The moment of its creation.
    pub create_time: Timestamp,
    /// The moment of its revocation; `None` while the token is live.
    pub revoke_time: Option<Timestamp>,
}

impl Token {
    /// Whether the token authenticates its bearer.
    pub fn is_live(&self) -> bool {
        self.revoke_time.is_none()
    }
}

impl Store {
    /// The bearer of the token with this hash; `None` if there is no such token or it was revoked.
    pub async fn authenticate(&self, scope: &Scope, secret_hash: &str) -> Result<Option<Caller>> {
        let mut session = self.reader(scope).await?;
        let found = session.row(AUTHENTICATE, values![secret_hash]).await?;
        session.end().await?;
        let token = found.as_ref().map(read).transpose()?;
        Ok(token.map(|Token { id, role, .. }| Caller { token_id: id, role }))
    }

    /// Number of tokens that were ever created.
    pub async fn count_tokens(&self, scope: &Scope) -> Result<i64> {
        let mut session = self.reader(scope).await?;
        let row = session.one(COUNT, values![]).await?;
        session.end().await?;
        row.int("tokens")
    }

    /// Number of live tokens of coordinators.
    pub async fn count_coordinators(&self, scope: &Scope) -> Result<i64> {
        let mut session = self.reader(scope).await?;
        let row = session.one(COUNT_COORDINATORS, values![]).await?;
        session.end().await?;
        row.int("live")
    }

    /// Tokens after id `after`, by id, at most `limit`, revoked tokens too.
    pub async fn list_tokens(&self, scope: &Scope, after: &str, limit: u32) -> Result<Vec<Token>> {
        let mut session = self.reader(scope).await?;
        let rows = session.rows(LIST, values![after, limit]).await?;
        session.end().await?;
        rows.iter().map(read).collect()
    }
}

impl WriteSession {
    /// Stores a token. Fails with `NotFound` if its organisation does not exist.
    pub async fn create_token(&mut self, token: &NewToken) -> Result<(Token, Note)> {
        let NewToken { id, secret_hash, prefix, role, label } = token;
        if let Some(organisation) = organisation_of(role) {
            organisation::require(self.reads(), organisation).await?;
        }
        let (now, owner) = (self.now(), Owner::from(organisation_of(role)));
        let values = values![
            id.as_str(),
            secret_hash.as_str(),
            prefix.as_str(),
            role.as_str(),
            owner.organisation().map(OrganisationId::as_str),
            label.as_str(),
            now,
        ];
        if self.change(owner, CREATE, values).await? == 0 {
            return Err(Error::AlreadyExists(format!("token {id}")));
        }
        let detail = json!({ "role": role.as_str() });
        let created = Token {
            id: id.clone(),
            prefix: prefix.clone(),
            role: role.clone(),
            label: label.clone(),
            create_time: now,
            revoke_time: None,
        };
        Ok((created, Note::new(owner, "api_token.create", id.clone(), &detail)))
    }

    /// Tokens whose id is `selector` or whose visible prefix begins with it, by id, revoked tokens too.
    pub async fn find_tokens(&mut self, selector: &str) -> Result<Vec<Token>> {
        self.reads().rows(FIND, values![selector]).await?.iter().map(read).collect()
    }

    /// The token with this hash, if it was ever created.
    pub async fn find_whole_token(&mut self, secret_hash: &str) -> Result<Vec<Token>> {
        self.reads().rows(FIND_WHOLE, values![secret_hash]).await?.iter().map(read).collect()
    }

    /// Revokes a token of [`Self::find_tokens`] at once and for ever. A token that is revoked already stays as it is;
    /// then there is no note.
    pub async fn revoke_token(&mut self, token: &mut Token) -> Result<Option<Note>> {
        let now = self.now();
        let owner = Owner::from(organisation_of(&token.role));
        if self.change(owner, REVOKE, values![token.id.as_str(), now]).await? == 0 {
            return Ok(None);
        }
        token.revoke_time = Some(now);
        Ok(Some(Note::new(owner, "api_token.revoke", token.id.clone(), &json!({}))))
    }

    /// Number of live tokens of coordinators.
    pub async fn count_coordinator_tokens(&mut self) -> Result<i64> {
        self.reads().one(COUNT_COORDINATORS, values![]).await?.int("live")
    }
}

/// The organisation that a bearer of this role acts for.
fn organisation_of(role: &Role) -> Option<&OrganisationId> {
    match role {
        Role::Coordinator => None,
        Role::OrganisationManager(organisation) => Some(organisation),
    }
}

fn read(row: &Row) -> Result<Token> {
    let id = row.text("id")?;
    let role = match row.opt_text("organisation_id")? {
        None => {
            row.parse("api_token", &id, "role", |name| (name == "coordinator").then_some(Role::Coordinator))?
        }
        Some(_) => Role::OrganisationManager(row.id("api_token", "organisation_id")?),
    };
    Ok(Token {
        prefix: row.text("prefix")?,
        role,
        label: row.text("label")?,
        create_time: row.time("create_micros")?,
        revoke_time: row.opt_time("revoke_micros")?,
        id,
    })
}
