//! Credentials: authentication, and API tokens of 256 random bits behind a visible prefix, of which only a hash is stored.
//! Apart from authentication, these use cases belong to the operator at the machine itself, who has no credential.

use super::Service;
use crate::domain::caller::{Caller, PrincipalKind};
use crate::domain::credential::{CredentialKind, Presented, TOKEN_PREFIX, VISIBLE, WHOLE, hash_of_token};
use crate::domain::grant::{Grant, Role};
use crate::domain::violation::excerpt;
use crate::error::{Error, Result};
use crate::store::{Begun, Credential, NewCredential, NewPrincipal, Notes, Receipt, Scope, WriteSession};

/// The journal's actor for commands at the machine itself.
const OPERATOR: &str = "operator";
/// Credentials read at a time.
const LIST_PAGE: u32 = 1_000;

/// Outcome of a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// The token was revoked.
    Revoked {
        /// The token.
        token: Credential,
        /// Number of live credentials of coordinators that are left.
        coordinators_left: i64,
    },
    /// The token was revoked before; nothing was changed.
    AlreadyRevoked(Credential),
    /// Several live tokens fit; nothing was changed.
    Ambiguous(Vec<Credential>),
}

impl Service {
    /// The caller behind a credential, with the roles that she holds now. A principal without a role is a caller too.
    pub async fn authenticate(&self, presented: &Presented) -> Result<Caller> {
        let Some(identity) = presented.identity() else { return Err(Error::Unauthenticated) };
        let known = self.store.authenticate(&Scope::System, presented.kind(), &identity).await?;
        let known = known.ok_or(Error::Unauthenticated)?;
        let now = self.clock.now();
        let latest = self.latest.with(now);
        if known.expire_time.is_some_and(|expire_time| expire_time <= latest) {
            return Err(Error::Unauthenticated);
        }
        let mut roles: Vec<Role> = Vec::with_capacity(known.grants.len());
        for grant in known.grants {
            if grant.is_live(now, latest) && !roles.contains(&grant.role) {
                roles.push(grant.role);
            }
        }
        Ok(Caller { principal: known.principal, roles })
    }

    /// Creates a token of a new service principal with a role. The token is returned this once and cannot be read again.
    pub async fn issue_token(&self, role: &Role, label: &str) -> Result<String> {
        let mut secret = [0; 32];
        self.clock.fill(&mut secret);
        let token = format!("{TOKEN_PREFIX}{}", hex::encode(secret));
        let new_id = || self.clock.new_id().to_string();
        let id = new_id();
        let principal = NewPrincipal {
            handle: format!("service-{}", id.rsplit('-').next().unwrap_or(&id)),
            kind: PrincipalKind::Service,
            id,
        };
        let mut session = self.begin_as_operator().await?;
        let grant =
            Grant { id: new_id(), role: role.clone(), from: session.now(), until: None, end_time: None };
        let credential = NewCredential {
            id: new_id(),
            principal: principal.id.clone(),
            kind: CredentialKind::Token,
            identity: hash_of_token(&token),
            prefix: token[..VISIBLE].to_owned(),
            label: label.to_owned(),
            expire_time: None,
        };
        let notes = [
            session.create_principal(&principal).await?,
            session.create_grant(&principal.id, &grant).await?,
            session.create_credential(&credential).await?,
        ];
        let notes = Notes::of(notes).ok_or_else(|| Error::internal("a token has no notes"))?;
        session.commit(notes, &[]).await?;
        Ok(token)
    }

    /// Whether a credential was ever created.
    pub async fn has_credential(&self) -> Result<bool> {
        Ok(self.store.count_credentials(&Scope::System).await? > 0)
    }

    /// Whether a coordinator has a live credential.
    pub async fn has_coordinator(&self) -> Result<bool> {
        let now = self.clock.now();
        Ok(self.store.count_credentials_of_role(&Scope::System, Role::COORDINATOR, now).await? > 0)
    }

    /// Creates the first token, role coordinator, if no credential was ever created. After all tokens were revoked, only
    /// the operator creates a new one.
    pub async fn issue_first_token(&self) -> Result<Option<String>> {
        if self.has_credential().await? {
            return Ok(None);
        }
        self.issue_token(&Role::Coordinator, "the first token").await.map(Some)
    }

    /// All credentials, the oldest first, revoked ones too.
    pub async fn list_credentials(&self) -> Result<Vec<Credential>> {
        let mut credentials: Vec<Credential> = Vec::new();
        loop {
            let after = credentials.last().map_or("", |last| last.id.as_str()).to_owned();
            let page = self.store.list_credentials(&Scope::System, &after, LIST_PAGE).await?;
            if page.is_empty() {
                return Ok(credentials);
            }
            credentials.extend(page);
        }
    }

    /// Revokes the credential whose id is `selector`, the one live token whose visible prefix begins with it, or the token
    /// that `selector` is as a whole. At least one character after `wimm_` is required.
    ///
    /// Fails with `NotFound` if no credential fits. A whole token reaches neither a statement nor a message.
    pub async fn revoke_token(&self, selector: &str) -> Result<Revocation> {
        if TOKEN_PREFIX.starts_with(selector) {
            return Err(Error::invalid_field("token", selector, "fits every token; give more characters"));
        }
        // Also of a copied header, such as `Bearer wimm_...`.
        let token = selector.find(TOKEN_PREFIX).map(|start| selector[start..].trim_end());
        let selector = token.unwrap_or(selector.trim());
        let shown = if token.is_some() { selector.get(..VISIBLE).unwrap_or(selector) } else { selector };
        let mut session = self.begin_as_operator().await?;
        let fitting = match token {
            Some(whole) if whole.len() == WHOLE => session.find_whole_token(&hash_of_token(whole)).await?,
            Some(part) if part.len() > VISIBLE => {
                let wrong = "is neither the visible part of a token nor a whole token";
                return Err(Error::invalid_field("token", shown, wrong));
            }
            _ => session.find_credentials(selector).await?,
        };
        let (mut live, mut revoked): (Vec<_>, Vec<_>) = fitting.into_iter().partition(Credential::is_live);
        match (live.pop(), revoked.pop()) {
            (Some(mut token), _) if live.is_empty() => {
                let Some(note) = session.revoke_credential(&mut token).await? else {
                    return Ok(Revocation::AlreadyRevoked(token));
                };
                let coordinators_left = session.count_credentials_of_role(Role::COORDINATOR).await?;
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
