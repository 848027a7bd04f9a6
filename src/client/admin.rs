//! Principals with their roles and credentials, invitations, and the audit.

use jiff::Timestamp;

use super::connection::{Client, request_id};
use super::error::Error;
use super::page::{PAGE_SIZE, pages};
use crate::api::convert::timestamp;
use crate::api::proto::v1;
use crate::domain::grant::{GrantDraft, Role};

impl Client {
    /// Who the caller is, with the roles of her calls.
    pub async fn who_am_i(&self) -> Result<v1::WhoAmIResponse, Error> {
        Ok(self.admin.clone().who_am_i(v1::WhoAmIRequest {}).await?.into_inner())
    }

    /// Creates a principal without roles.
    pub async fn create_principal(&self, principal: v1::Principal) -> Result<v1::Principal, Error> {
        let request = v1::CreatePrincipalRequest {
            principal: Some(principal),
            request_id: request_id(),
            validate_only: false,
        };
        let created = self.admin.clone().create_principal(request).await?.into_inner();
        Ok(created.principal.unwrap_or_default())
    }

    /// All principals, the oldest first; with a handle, the principal that has it.
    pub async fn all_principals(&self, handle: &str) -> Result<Vec<v1::Principal>, Error> {
        pages(|page_token| {
            let (mut admin, handle) = (self.admin.clone(), handle.to_owned());
            async move {
                let request = v1::ListPrincipalsRequest { handle, page_size: PAGE_SIZE, page_token };
                let page = admin.list_principals(request).await?.into_inner();
                Ok((page.principals, page.next_page_token))
            }
        })
        .await
    }

    /// Grants a role to a principal.
    pub async fn create_grant(&self, principal: &str, grant: &GrantDraft) -> Result<v1::Grant, Error> {
        let request = v1::CreateGrantRequest {
            parent: principal.to_owned(),
            grant: Some(message_of_grant(grant)),
            request_id: request_id(),
            validate_only: false,
        };
        Ok(self.admin.clone().create_grant(request).await?.into_inner().grant.unwrap_or_default())
    }

    /// All roles of a principal, ended ones too.
    pub async fn all_grants(&self, principal: &str) -> Result<Vec<v1::Grant>, Error> {
        pages(|page_token| {
            let (mut admin, parent) = (self.admin.clone(), principal.to_owned());
            async move {
                let request = v1::ListGrantsRequest { parent, page_size: PAGE_SIZE, page_token };
                let page = admin.list_grants(request).await?.into_inner();
                Ok((page.grants, page.next_page_token))
            }
        })
        .await
    }

    /// Ends a role at once and for ever.
    pub async fn end_grant(&self, name: &str) -> Result<v1::Grant, Error> {
        let request =
            v1::EndGrantRequest { name: name.to_owned(), request_id: request_id(), validate_only: false };
        Ok(self.admin.clone().end_grant(request).await?.into_inner().grant.unwrap_or_default())
    }

    /// Creates a credential of a principal. The answer has the token, if it is one, which the service cannot show again.
    pub async fn create_credential(
        &self,
        principal: &str,
        credential: v1::Credential,
        expires: Option<Timestamp>,
    ) -> Result<v1::CreateCredentialResponse, Error> {
        let credential = v1::Credential { expire_time: expires.map(timestamp), ..credential };
        let request = v1::CreateCredentialRequest {
            parent: principal.to_owned(),
            credential: Some(credential),
            request_id: request_id(),
            validate_only: false,
        };
        Ok(self.admin.clone().create_credential(request).await?.into_inner())
    }

    /// All credentials of a principal, revoked ones too.
    pub async fn all_credentials(&self, principal: &str) -> Result<Vec<v1::Credential>, Error> {
        pages(|page_token| {
            let (mut admin, parent) = (self.admin.clone(), principal.to_owned());
            async move {
                let request = v1::ListCredentialsRequest { parent, page_size: PAGE_SIZE, page_token };
                let page = admin.list_credentials(request).await?.into_inner();
                Ok((page.credentials, page.next_page_token))
            }
        })
        .await
    }

    /// Revokes a credential at once and for ever.
    pub async fn revoke_credential(&self, name: &str) -> Result<v1::Credential, Error> {
        let request = v1::RevokeCredentialRequest {
            name: name.to_owned(),
            request_id: request_id(),
            validate_only: false,
        };
        let revoked = self.admin.clone().revoke_credential(request).await?.into_inner();
        Ok(revoked.credential.unwrap_or_default())
    }

    /// The invitations that the caller sees, the oldest first.
    pub async fn all_invitations(&self) -> Result<Vec<v1::Invitation>, Error> {
        pages(|page_token| {
            let mut admin = self.admin.clone();
            async move {
                let request = v1::ListInvitationsRequest { page_size: PAGE_SIZE, page_token };
                let page = admin.list_invitations(request).await?.into_inner();
                Ok((page.invitations, page.next_page_token))
            }
        })
        .await
    }

    /// Cancels an invitation at once and for ever.
    pub async fn cancel_invitation(&self, name: &str) -> Result<v1::Invitation, Error> {
        let request = v1::CancelInvitationRequest {
            name: name.to_owned(),
            request_id: request_id(),
            validate_only: false,
        };
        let cancelled = self.admin.clone().cancel_invitation(request).await?.into_inner();
        Ok(cancelled.invitation.unwrap_or_default())
    }

    /// The entries of the audit that fit and that the caller may read, by time.
    pub async fn audit(
        &self,
        (since, until): (Option<Timestamp>, Option<Timestamp>),
        actor: &str,
        resource: &str,
    ) -> Result<Vec<v1::AuditEntry>, Error> {
        let filter = v1::ListAuditEntriesRequest {
            from_time: since.map(timestamp),
            until_time: until.map(timestamp),
            actor: actor.to_owned(),
            resource: resource.to_owned(),
            page_size: PAGE_SIZE,
            page_token: String::new(),
        };
        pages(|page_token| {
            let (mut admin, filter) = (self.admin.clone(), filter.clone());
            async move {
                let request = v1::ListAuditEntriesRequest { page_token, ..filter };
                let page = admin.list_audit_entries(request).await?.into_inner();
                Ok((page.entries, page.next_page_token))
            }
        })
        .await
    }

    /// Verifies the audit, against a head that was kept outside if there is one.
    pub async fn verify_audit(&self, anchor: &str) -> Result<v1::VerifyAuditResponse, Error> {
        let request = v1::VerifyAuditRequest { anchor: anchor.to_owned() };
        Ok(self.admin.clone().verify_audit(request).await?.into_inner())
    }

    /// Invites somebody to a role. The answer has the secret, which the service cannot show again.
    pub async fn invite(&self, grant: &GrantDraft) -> Result<v1::CreateInvitationResponse, Error> {
        let grants = vec![message_of_grant(grant)];
        let request = v1::CreateInvitationRequest {
            invitation: Some(v1::Invitation { grants, ..v1::Invitation::default() }),
            request_id: request_id(),
            validate_only: false,
        };
        Ok(self.admin.clone().create_invitation(request).await?.into_inner())
    }

    /// Redeems an invitation under a handle, with the languages and the time zone of its new principal. The answer has her
    /// first token, which the service cannot show again.
    pub async fn redeem(
        &self,
        secret: &str,
        (handle, languages, time_zone): (&str, Vec<String>, &str),
        label: &str,
    ) -> Result<v1::RedeemInvitationResponse, Error> {
        let principal = v1::Principal {
            handle: handle.to_owned(),
            languages,
            time_zone: time_zone.to_owned(),
            ..v1::Principal::default()
        };
        let request = v1::RedeemInvitationRequest {
            secret: secret.to_owned(),
            principal: Some(principal),
            label: label.to_owned(),
            request_id: request_id(),
            validate_only: false,
        };
        Ok(self.admin.clone().redeem_invitation(request).await?.into_inner())
    }
}

/// A grant as a client sends it. A role that the contract does not have becomes the unspecified one, which the service
/// refuses.
fn message_of_grant(draft: &GrantDraft) -> v1::Grant {
    // The number of a role is one more than its place among the names.
    let place = Role::NAMES.iter().position(|name| *name == draft.role);
    v1::Grant {
        role: place.and_then(|place| i32::try_from(place + 1).ok()).unwrap_or_default(),
        organisation: draft.organisation.clone(),
        from_time: draft.from.map(timestamp),
        until_time: draft.until.map(timestamp),
        ..v1::Grant::default()
    }
}
