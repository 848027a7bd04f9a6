//! API tokens: a visible prefix and 256 random bits. Only a hash is stored.

use sha2::{Digest as _, Sha256};

use super::Service;
use crate::domain::caller::{Caller, Role};
use crate::error::{Error, Result};
use crate::store::{Begun, NewToken, Receipt, Scope};

/// Prefix of every token, by which secret scanners find tokens.
const PREFIX: &str = "wimm_";
/// Actor in the journal for commands at the machine itself, without a token.
const OPERATOR: &str = "operator";
/// Characters of a token that are shown to distinguish tokens.
const VISIBLE: usize = PREFIX.len() + 6;

impl Service {
    /// The caller behind a token.
    pub async fn authenticate(&self, token: &str) -> Result<Caller> {
        if !token.starts_with(PREFIX) || token.len() != PREFIX.len() + 64 {
            return Err(Error::Unauthenticated);
        }
        self.store.authenticate(&hash(token)).await?.ok_or(Error::Unauthenticated)
    }

    /// Creates a token. The token is returned once and cannot be read again.
    pub async fn issue_token(&self, role: &Role, label: &str) -> Result<String> {
        let mut secret = [0; 32];
        self.clock.fill(&mut secret);
        let token = format!("{PREFIX}{}", hex::encode(secret));
        let receipt = Receipt {
            actor: OPERATOR.to_owned(),
            scope: Scope::Alliance,
            now: self.clock.now(),
            request: None,
        };
        if let Begun::Fresh(mut session) = self.store.begin(receipt).await? {
            let new = NewToken {
                id: self.clock.new_id().to_string(),
                secret_hash: hash(&token),
                prefix: token[..VISIBLE].to_owned(),
                role: role.clone(),
                label: label.to_owned(),
            };
            session.create_token(&new).await?;
            session.commit(&[]).await?;
        }
        Ok(token)
    }

    /// The first token, role coordinator, if there is none yet.
    pub async fn issue_first_token(&self) -> Result<Option<String>> {
        if self.store.count_tokens().await? > 0 {
            return Ok(None);
        }
        self.issue_token(&Role::Coordinator, "the first token").await.map(Some)
    }
}

/// SHA-256 of a token, in hexadecimal. A token has 256 random bits, so it needs no slow hash.
fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}
