//! Use cases of the credentials of a principal. Only the Secretariat creates one: a stolen token must not make its own
//! successor. Every principal lists and revokes her own.

use super::page::Cursor;
use super::principal::{parse_part, parse_principal, taken_from, taken_name};
use super::{
    Action, Change, Page, PageRequest, Service, check_request_id, commit_change, recalled, remembered,
};
use crate::domain::caller::Caller;
use crate::domain::credential::{
    Credential, CredentialDraft, Presented, Shown, TOKEN_PREFIX, VISIBLE, hash_of_token,
};
use crate::domain::name::PrincipalRef;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, NewCredential};

/// A created credential.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The credential.
    pub credential: Credential,
    /// The token, if the credential is one and was not shown before.
    pub token: Option<String>,
}

impl Service {
    /// Creates a credential of a principal, or checks whether it can be created. A repeated request returns no token.
    pub async fn create_credential(
        &self,
        caller: &Caller,
        parent: &str,
        draft: &CredentialDraft,
        how: Change<'_>,
    ) -> Result<Issued> {
        let permit = Action::CreateCredential.permit(caller)?;
        let mut violations = Violations::of_request();
        let principal = taken_name(parse_principal("parent", parent), &mut violations)?;
        let parsed = taken_from(draft.parse(self.clock.now()), "credential", &mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some(principal), Some((presented, label)), true) = (principal, parsed, violations.is_empty())
        else {
            return Err(Error::InvalidFields(violations));
        };
        let (new, token) = self.new_credential(principal.id(), presented.as_ref(), &label, draft.expire)?;
        if how.validate_only {
            self.store.check_credential(&permit.scope, &new).await?;
            let shown = match new.credential.shown {
                Shown::Token { .. } => Shown::Token { prefix: String::new() },
                shown => shown,
            };
            return Ok(Issued {
                credential: Credential { id: String::new(), shown, ..new.credential },
                token: None,
            });
        }
        let identity = presented.as_ref().and_then(Presented::identity);
        let payload = (principal.id(), identity, &label, draft.expire);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => Ok(Issued { credential: recalled(&first)?, token: None }),
            Begun::Fresh(mut session) => {
                let note = session.create_credential(&new).await?;
                session.commit(note, &remembered(&new.credential)?).await?;
                Ok(Issued { credential: new.credential, token })
            }
        }
    }

    /// A credential to be stored: the one that was shown, or a new token, which is returned besides.
    pub(super) fn new_credential(
        &self,
        principal: &str,
        presented: Option<&Presented>,
        label: &str,
        expire_time: Option<jiff::Timestamp>,
    ) -> Result<(NewCredential, Option<String>)> {
        let new = self.new_secret(TOKEN_PREFIX);
        let (shown, identity, token) = match presented {
            None | Some(Presented::Token(_)) => {
                (Shown::Token { prefix: new[..VISIBLE].to_owned() }, hash_of_token(&new), Some(new))
            }
            Some(given @ Presented::Jwt { issuer, subject }) => {
                let identity = given.identity().ok_or_else(|| Error::internal("a JWT has no identity"))?;
                (Shown::Jwt { issuer: issuer.clone(), subject: subject.clone() }, identity, None)
            }
            Some(Presented::Certificate { fingerprint }) => {
                (Shown::Certificate { fingerprint: fingerprint.clone() }, fingerprint.clone(), None)
            }
        };
        let credential = Credential {
            id: self.clock.new_id().to_string(),
            principal: principal.to_owned(),
            shown,
            label: label.to_owned(),
            create_time: self.clock.now(),
            expire_time,
            revoke_time: None,
            use_time: None,
        };
        Ok((NewCredential { credential, identity }, token))
    }

    /// 256 random bits behind a prefix, by which secret scanners find them.
    pub(super) fn new_secret(&self, prefix: &str) -> String {
        let mut secret = [0; 32];
        self.clock.fill(&mut secret);
        format!("{prefix}{}", hex::encode(secret))
    }

    /// A page of the credentials of a principal, the oldest first, revoked ones too.
    pub async fn list_credentials_of(
        &self,
        caller: &Caller,
        parent: &str,
        request: &PageRequest,
    ) -> Result<Page<Credential>> {
        let permit = Action::ListCredentials.permit(caller)?;
        let principal = parse_principal("parent", parent)?;
        permit.reach(&principal)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/credentials"), request)?;
        let after = cursor.after.as_deref().unwrap_or_default();
        let found =
            self.store.list_credentials_of(&permit.scope, principal.id(), after, cursor.limit()).await?;
        Ok(cursor.page(found, |credential| credential.id.clone()))
    }

    /// Revokes a credential at once and for ever, or checks whether it can be revoked.
    pub async fn revoke_credential(
        &self,
        caller: &Caller,
        name: &str,
        how: Change<'_>,
    ) -> Result<Credential> {
        let permit = Action::RevokeCredential.permit(caller)?;
        let mut violations = Violations::of_request();
        let part = taken_name(parse_part("name", "credentials", name), &mut violations)?;
        check_request_id(how.request_id, &mut violations);
        let (Some(part), true) = (part, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        permit.reach(&part.principal)?;
        let principal: &PrincipalRef = &part.principal;
        if how.validate_only {
            let found = self.store.credential(&permit.scope, principal.id(), &part.id).await?;
            let revoke_time = found.revoke_time.or(Some(self.clock.now()));
            return Ok(Credential { revoke_time, ..found });
        }
        let payload = (principal.id(), &part.id);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let mut credential = session.credential(principal.id(), &part.id).await?;
                let note = session.revoke_credential(&mut credential).await?;
                commit_change(session, note, &remembered(&credential)?).await?;
                Ok(credential)
            }
        }
    }
}
