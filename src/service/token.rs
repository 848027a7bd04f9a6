//! API tokens: 256 random bits behind a visible prefix. Only a hash is stored. Apart from authentication, these use cases
//! belong to the operator at the machine itself, who has no token.

use sha2::{Digest as _, Sha256};

use super::Service;
use crate::domain::caller::{Caller, Role};
use crate::domain::violation::excerpt;
use crate::error::{Error, Result};
use crate::store::{Begun, NewToken, Receipt, Scope, Token, WriteSession};

/// The beginning of every token, by which secret scanners find it.
const PREFIX: &str = "wimm_";
/// The journal's actor for commands at the machine itself.
const OPERATOR: &str = "operator";
/// Characters of a token that are shown to distinguish tokens.
const VISIBLE: usize = PREFIX.len() + 6;
/// Characters of a whole token.
const WHOLE: usize = PREFIX.len() + 64;
/// Tokens read at a time.
const LIST_PAGE: u32 = 1_000;

/// Outcome of a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// The token was revoked.
    Revoked {
        /// The token.
        token: Token,
        /// Number of live tokens of coordinators that are left.
        coordinators_left: i64,
    },
    /// The token was revoked before; nothing was changed.
    AlreadyRevoked(Token),
    /// Several live tokens fit; nothing was changed.
    Ambiguous(Vec<Token>),
}

impl Service {
    /// The caller behind a token.
    pub async fn authenticate(&self, token: &str) -> Result<Caller> {
        if !token.starts_with(PREFIX) || token.len() != WHOLE {
            return Err(Error::Unauthenticated);
        }
        self.store.authenticate(&Scope::System, &hash(token)).await?.ok_or(Error::Unauthenticated)
    }

    /// Creates a token. The token is returned this once and cannot be read again.
    pub async fn issue_token(&self, role: &Role, label: &str) -> Result<String> {
        let mut secret = [0; 32];
        self.clock.fill(&mut secret);
        let token = format!("{PREFIX}{}", hex::encode(secret));
        let new = NewToken {
            id: self.clock.new_id().to_string(),
            secret_hash: hash(&token),
            prefix: token[..VISIBLE].to_owned(),
            role: role.clone(),
            label: label.to_owned(),
        };
        let mut session = self.begin_as_operator().await?;
        let (_, note) = session.create_token(&new).await?;
        session.commit(note, &[]).await?;
        Ok(token)
    }

    /// Whether a token was ever created.
    pub async fn has_token(&self) -> Result<bool> {
        Ok(self.store.count_tokens(&Scope::System).await? > 0)
    }

    /// Whether a coordinator has a live token.
    pub async fn has_coordinator(&self) -> Result<bool> {
        Ok(self.store.count_coordinators(&Scope::System).await? > 0)
    }

    /// Creates the first token, role coordinator, if no token was ever created. After all tokens were revoked, only the
    /// operator creates a new one.
    pub async fn issue_first_token(&self) -> Result<Option<String>> {
        if self.has_token().await? {
            return Ok(None);
        }
        self.issue_token(&Role::Coordinator, "the first token").await.map(Some)
    }

    /// All tokens, the oldest first, revoked tokens too.
    pub async fn list_tokens(&self) -> Result<Vec<Token>> {
        let mut tokens: Vec<Token> = Vec::new();
        loop {
            let after = tokens.last().map_or("", |last| last.id.as_str()).to_owned();
            let page = self.store.list_tokens(&Scope::System, &after, LIST_PAGE).await?;
            if page.is_empty() {
                return Ok(tokens);
            }
            tokens.extend(page);
        }
    }

    /// Revokes the token whose id is `selector`, the one live token whose visible prefix begins with it, or the token that
    /// `selector` is as a whole. At least one character after `wimm_` is required.
    ///
    /// Fails with `NotFound` if no token fits. A whole token reaches neither a statement nor a message.
    pub async fn revoke_token(&self, selector: &str) -> Result<Revocation> {
        if PREFIX.starts_with(selector) {
            return Err(Error::invalid_field("token", selector, "fits every token; give more characters"));
        }
        // Also of a copied header, such as `Bearer wimm_...`.
        let token = selector.find(PREFIX).map(|start| selector[start..].trim_end());
        let selector = token.unwrap_or(selector.trim());
        let shown = if token.is_some() { selector.get(..VISIBLE).unwrap_or(selector) } else { selector };
        let mut session = self.begin_as_operator().await?;
        let fitting = match token {
            Some(whole) if whole.len() == WHOLE => session.find_whole_token(&hash(whole)).await?,
            Some(part) if part.len() > VISIBLE => {
                let wrong = "is neither the visible part of a token nor a whole token";
                return Err(Error::invalid_field("token", shown, wrong));
            }
            _ => session.find_tokens(selector).await?,
        };
        let (mut live, mut revoked): (Vec<Token>, Vec<Token>) = fitting.into_iter().partition(Token::is_live);
        match (live.pop(), revoked.pop()) {
            (Some(mut token), _) if live.is_empty() => {
                let Some(note) = session.revoke_token(&mut token).await? else {
                    return Ok(Revocation::AlreadyRevoked(token));
                };
                let coordinators_left = session.count_coordinator_tokens().await?;
                session.commit(note, &[]).await?;
                Ok(Revocation::Revoked { token, coordinators_left })
            }
            (Some(last), _) => {
                live.push(last);
                Ok(Revocation::Ambiguous(live))
            }
            (None, Some(token)) => Ok(Revocation::AlreadyRevoked(token)),
            (None, None) => Err(Error::NotFound(format!("token {}", excerpt(shown)))),
        }
    }

    async fn begin_as_operator(&self) -> Result<WriteSession> {
        let receipt = Receipt {
            actor: OPERATOR.to_owned(),
            scope: Scope::System,
            now: self.clock.now(),
            request: None,
        };
        match self.store.begin(receipt).await? {
            Begun::Fresh(session) => Ok(session),
            Begun::Repeated(_) => Err(Error::internal("a receipt without a request_id has no first answer")),
        }
    }
}

/// SHA-256 of a token, in hexadecimal. A token has 256 random bits, so it needs no slow hash.
fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}
