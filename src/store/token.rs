//! API tokens. Only the hash of a token is kept; its visible prefix lets people tell their tokens apart, and scanners
//! find leaked ones.

use jiff::Timestamp;
use serde_json::json;

use super::dialect::{Row, statements, values};
use super::{Store, WriteSession};
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
    CREATE = ("api_token.create",
        "INSERT INTO api_token (id, secret_hash, prefix, role, organisation_id, label, create_micros) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING");
    ORGANISATION = ("api_token.organisation", "SELECT id FROM organisation WHERE id = $1");
    AUTHENTICATE = ("api_token.authenticate",
        concat!("SELECT ", token_columns!(), " FROM api_token WHERE secret_hash = $1 AND revoke_micros IS NULL"));
    LIST = ("api_token.list",
        concat!("SELECT ", token_columns!(), " FROM api_token WHERE id > $1 ORDER BY id LIMIT $2"));
    COUNT = ("api_token.count", "SELECT COUNT(*) AS live FROM api_token WHERE revoke_micros IS NULL");
    REVOKE = ("api_token.revoke", "UPDATE api_token SET revoke_micros = $2 WHERE id = $1 AND revoke_micros IS NULL");
    GET = ("api_token.get", concat!("SELECT ", token_columns!(), " FROM api_token WHERE id = $1"));
}

/// A token to be kept.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Its id: what the journal names.
    pub id: String,
    /// SHA-256 of the token, in hexadecimal.
    pub secret_hash: String,
    /// Its first characters.
    pub prefix: String,
    /// What its bearer may act as.
    pub role: Role,
    /// What it is for, in its owner's words.
    pub label: String,
}

/// A token as it is kept, without its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Its first characters.
    pub prefix: String,
    /// What its bearer may act as.
    pub role: Role,
    /// What it is for.
    pub label: String,
    /// When it was issued.
    pub create_time: Timestamp,
    /// When it was revoked.
    pub revoke_time: Option<Timestamp>,
}

impl Store {
    /// Who bears the token of this hash; `None` if there is none or it was revoked.
    pub async fn authenticate(&self, secret_hash: &str) -> Result<Option<Caller>> {
        let mut session = self.reader().await?;
        let found = session.row(AUTHENTICATE, values![secret_hash]).await?;
        session.end().await?;
        let token = found.as_ref().map(read).transpose()?;
        Ok(token.map(|Token { id, role, .. }| Caller { token_id: id, role }))
    }

    /// Number of tokens that are not revoked.
    pub async fn count_tokens(&self) -> Result<i64> {
        let mut session = self.reader().await?;
        let row = session.one(COUNT, values![]).await?;
        session.end().await?;
        row.int("live")
    }

    /// Tokens after id `after`, by id, at most `limit`, revoked ones too.
    pub async fn list_tokens(&self, after: &str, limit: u32) -> Result<Vec<Token>> {
        let mut session = self.reader().await?;
        let rows = session.rows(LIST, values![after, limit]).await?;
        session.end().await?;
        rows.iter().map(read).collect()
    }
}

impl WriteSession {
    /// Keeps a token. Fails with `NotFound` if its organisation does not exist.
    pub async fn create_token(&mut self, token: &NewToken) -> Result<Token> {
        let NewToken { id, secret_hash, prefix, role, label } = token;
        let organisation = match role {
            Role::Coordinator => None,
            Role::OrganisationManager(organisation) => Some(organisation),
        };
        if let Some(organisation) = organisation
            && self.connection().row(ORGANISATION, values![organisation]).await?.is_none()
        {
            return Err(Error::NotFound(organisation.name()));
        }
        let now = self.now();
        let values = values![
            id.as_str(),
            secret_hash.as_str(),
            prefix.as_str(),
            role.as_str(),
            organisation.map(OrganisationId::as_str),
            label.as_str(),
            now,
        ];
        if self.connection().execute(CREATE, values).await? == 0 {
            return Err(Error::AlreadyExists(format!("token {id}")));
        }
        self.note(organisation, "api_token.create", id, &json!({ "role": role.as_str() })).await?;
        Ok(Token {
            id: id.clone(),
            prefix: prefix.clone(),
            role: role.clone(),
            label: label.clone(),
            create_time: now,
            revoke_time: None,
        })
    }

    /// Revokes a token, at once and for ever. A token that is revoked stays so.
    pub async fn revoke_token(&mut self, id: &str) -> Result<Token> {
        let now = self.now();
        let revoked = self.connection().execute(REVOKE, values![id, now]).await?;
        let found = self.connection().row(GET, values![id]).await?;
        let token =
            found.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(format!("token {id}")))?;
        if revoked > 0 {
            let organisation = match &token.role {
                Role::Coordinator => None,
                Role::OrganisationManager(organisation) => Some(organisation),
            };
            self.note(organisation, "api_token.revoke", id, &json!({})).await?;
        }
        Ok(token)
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
