//! Authentication, and the use cases of tokens that belong to the operator at the machine itself, who has no credential.

use super::Service;
use crate::domain::caller::Caller;
use crate::domain::credential::{Presented, TOKEN_PREFIX, VISIBLE, WHOLE, hash_of_token};
use crate::domain::grant::{Role, Term};
use crate::domain::principal::{PrincipalContent, PrincipalKind};
use crate::domain::violation::excerpt;
use crate::error::{Error, Result};
use crate::store::{Begun, Notes, OwnedCredential, Receipt, Scope, WriteSession};

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
        token: OwnedCredential,
        /// Number of live credentials of coordinators that are left.
        coordinators_left: i64,
    },
    /// The token was revoked before; nothing was changed.
    AlreadyRevoked(OwnedCredential),
    /// Several live tokens fit; nothing was changed.
    Ambiguous(Vec<OwnedCredential>),
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
        self.call_sums.note_use(&known.credential, now);
        Ok(Caller { principal: known.principal, roles })
    }

    /// Creates a token of a new service principal with a role. The token is returned this once and cannot be read again.
    pub async fn issue_token(&self, role: &Role, label: &str) -> Result<String> {
        self.issue(std::slice::from_ref(role), label).await
    }

    async fn issue(&self, roles: &[Role], label: &str) -> Result<String> {
        let new_id = || self.clock.new_id().to_string();
        let id = new_id();
        let handle = format!("service-{}", id.rsplit('-').next().unwrap_or(&id));
        let handle = handle.parse().map_err(|_| Error::internal("an id makes no handle"))?;
        let (languages, time_zone) = (Vec::new(), String::new());
        let content = PrincipalContent { kind: PrincipalKind::Service, handle, languages, time_zone };
        let mut session = self.begin_as_operator().await?;
        let (credential, token) = self.new_credential(&id, None, label, None)?;
        let (_, note) = session.create_principal(&id, &content).await?;
        let mut notes = vec![note];
        for role in roles {
            let grant = Term { role: role.clone(), from: session.now(), until: None }.with_id(new_id());
            notes.push(session.create_grant(&id, &grant).await?);
        }
        notes.push(session.create_credential(&credential).await?);
        let notes = Notes::of(notes).ok_or_else(|| Error::internal("a token has no notes"))?;
        session.commit(notes, &[]).await?;
        token.ok_or_else(|| Error::internal("a token was not made"))
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

    /// Creates the first token, if no credential was ever created. Its roles are secretariat, which makes everybody else a
    /// caller, and coordinator, so that a first round can be run at once. After all tokens were revoked, only the operator
    /// creates a new one.
    pub async fn issue_first_token(&self) -> Result<Option<String>> {
        if self.has_credential().await? {
            return Ok(None);
        }
        self.issue(&[Role::Secretariat, Role::Coordinator], "the first token").await.map(Some)
    }

    /// All credentials, the oldest first, revoked ones too.
    pub async fn list_credentials(&self) -> Result<Vec<OwnedCredential>> {
        let mut credentials: Vec<OwnedCredential> = Vec::new();
        loop {
            let after = credentials.last().map_or("", |last| last.credential.id.as_str()).to_owned();
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
        let (mut live, mut revoked): (Vec<_>, Vec<_>) =
            fitting.into_iter().partition(OwnedCredential::is_live);
        match (live.pop(), revoked.pop()) {
            (Some(mut token), _) if live.is_empty() => {
                let Some(note) = session.revoke_credential(&mut token.credential).await? else {
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
