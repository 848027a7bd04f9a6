//! AdminService.

use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::convert::principal::{
    credential_draft, credential_message, draft, grant_draft, grant_message, invitation_message, message,
    time,
};
use super::convert::{audit, outcome};
use super::page;
use super::proto::v1;
use super::proto::v1::admin_service_server::AdminService;
use crate::domain::credential::CredentialKind;
use crate::domain::grant::GrantDraft;
use crate::service::{Change, PageRequest, Redeemed, Service};

/// Serves principals, their roles and their credentials.
#[derive(Debug, Clone)]
pub struct AdminApi {
    /// The use cases.
    pub service: Service,
}

#[tonic::async_trait]
impl AdminService for AdminApi {
    async fn who_am_i(
        &self,
        request: Request<v1::WhoAmIRequest>,
    ) -> Result<Response<v1::WhoAmIResponse>, Status> {
        let caller = caller_of(&request)?;
        let principal = self.service.who_am_i(&caller).await?;
        let roles = caller.roles.iter().map(ToString::to_string).collect();
        Ok(Response::new(v1::WhoAmIResponse { principal: Some(message(&principal)), roles }))
    }

    async fn create_principal(
        &self,
        request: Request<v1::CreatePrincipalRequest>,
    ) -> Result<Response<v1::CreatePrincipalResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CreatePrincipalRequest { principal, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let draft = draft(principal.unwrap_or_default());
        let done = self.service.create_principal(&caller, &draft, how).await;
        let (created, violations) = outcome(validate_only, done)?;
        let principal = created.as_ref().map(message);
        Ok(Response::new(v1::CreatePrincipalResponse { principal, violations }))
    }

    async fn get_principal(
        &self,
        request: Request<v1::GetPrincipalRequest>,
    ) -> Result<Response<v1::GetPrincipalResponse>, Status> {
        let caller = caller_of(&request)?;
        let found = self.service.get_principal(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetPrincipalResponse { principal: Some(message(&found)) }))
    }

    async fn list_principals(
        &self,
        request: Request<v1::ListPrincipalsRequest>,
    ) -> Result<Response<v1::ListPrincipalsResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_principals(&caller, &request.handle, &page).await?;
        let (principals, next_page_token) = page::messages(&page, message);
        Ok(Response::new(v1::ListPrincipalsResponse { principals, next_page_token }))
    }

    async fn update_principal(
        &self,
        request: Request<v1::UpdatePrincipalRequest>,
    ) -> Result<Response<v1::UpdatePrincipalResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::UpdatePrincipalRequest { principal, update_mask, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let principal = principal.unwrap_or_default();
        let (name, etag) = (principal.name.clone(), principal.etag.clone());
        let mask = update_mask.as_ref().map(|mask| mask.paths.as_slice());
        let done = self.service.update_principal(&caller, (&name, &etag), draft(principal), mask, how).await;
        let (changed, violations) = outcome(validate_only, done)?;
        let principal = changed.as_ref().map(message);
        Ok(Response::new(v1::UpdatePrincipalResponse { principal, violations }))
    }

    async fn create_grant(
        &self,
        request: Request<v1::CreateGrantRequest>,
    ) -> Result<Response<v1::CreateGrantResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CreateGrantRequest { parent, grant, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = match grant_draft(&grant.unwrap_or_default(), "grant") {
            Ok(draft) => self.service.create_grant(&caller, &parent, &draft, how).await,
            Err(error) => Err(error),
        };
        let (created, violations) = outcome(validate_only, done)?;
        let now = self.service.clock().now();
        let principal = parent.trim_start_matches("principals/");
        let grant = created.map(|grant| grant_message(principal, &grant, now));
        Ok(Response::new(v1::CreateGrantResponse { grant, violations }))
    }

    async fn list_grants(
        &self,
        request: Request<v1::ListGrantsRequest>,
    ) -> Result<Response<v1::ListGrantsResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let (principal, page) = self.service.list_grants(&caller, &request.parent, &page).await?;
        let now = self.service.clock().now();
        let (grants, next_page_token) =
            page::messages(&page, |grant| grant_message(principal.id(), grant, now));
        Ok(Response::new(v1::ListGrantsResponse { grants, next_page_token }))
    }

    async fn end_grant(
        &self,
        request: Request<v1::EndGrantRequest>,
    ) -> Result<Response<v1::EndGrantResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::EndGrantRequest { name, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = self.service.end_grant(&caller, &name, how).await;
        let (ended, violations) = outcome(validate_only, done)?;
        let now = self.service.clock().now();
        let grant = ended.map(|(principal, grant)| grant_message(principal.id(), &grant, now));
        Ok(Response::new(v1::EndGrantResponse { grant, violations }))
    }

    async fn create_credential(
        &self,
        request: Request<v1::CreateCredentialRequest>,
    ) -> Result<Response<v1::CreateCredentialResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CreateCredentialRequest { parent, credential, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = match credential_draft(credential.unwrap_or_default()) {
            Ok(draft) => self.service.create_credential(&caller, &parent, &draft, how).await,
            Err(error) => Err(error),
        };
        let (issued, violations) = outcome(validate_only, done)?;
        let Some(issued) = issued else {
            return Ok(Response::new(v1::CreateCredentialResponse { violations, ..Default::default() }));
        };
        let is_token = issued.credential.shown.kind() == CredentialKind::Token;
        Ok(Response::new(v1::CreateCredentialResponse {
            credential: Some(credential_message(&issued.credential)),
            token_shown_before: is_token && issued.token.is_none() && !validate_only,
            token: issued.token.unwrap_or_default(),
            violations,
        }))
    }

    async fn list_credentials(
        &self,
        request: Request<v1::ListCredentialsRequest>,
    ) -> Result<Response<v1::ListCredentialsResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_credentials_of(&caller, &request.parent, &page).await?;
        let (credentials, next_page_token) = page::messages(&page, credential_message);
        Ok(Response::new(v1::ListCredentialsResponse { credentials, next_page_token }))
    }

    async fn revoke_credential(
        &self,
        request: Request<v1::RevokeCredentialRequest>,
    ) -> Result<Response<v1::RevokeCredentialResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::RevokeCredentialRequest { name, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = self.service.revoke_credential(&caller, &name, how).await;
        let (revoked, violations) = outcome(validate_only, done)?;
        let credential = revoked.as_ref().map(credential_message);
        Ok(Response::new(v1::RevokeCredentialResponse { credential, violations }))
    }

    async fn create_invitation(
        &self,
        request: Request<v1::CreateInvitationRequest>,
    ) -> Result<Response<v1::CreateInvitationResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CreateInvitationRequest { invitation, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let grants = invitation.unwrap_or_default().grants;
        let drafts: Result<Vec<GrantDraft>, _> =
            grants.iter().map(|grant| grant_draft(grant, "invitation.grants")).collect();
        let done = match drafts {
            Ok(drafts) => self.service.create_invitation(&caller, &drafts, how).await,
            Err(error) => Err(error),
        };
        let (invited, violations) = outcome(validate_only, done)?;
        let Some(invited) = invited else {
            return Ok(Response::new(v1::CreateInvitationResponse { violations, ..Default::default() }));
        };
        Ok(Response::new(v1::CreateInvitationResponse {
            invitation: Some(invitation_message(&invited.invitation)),
            secret_shown_before: invited.secret.is_none() && !validate_only,
            secret: invited.secret.unwrap_or_default(),
            violations,
        }))
    }

    async fn list_invitations(
        &self,
        request: Request<v1::ListInvitationsRequest>,
    ) -> Result<Response<v1::ListInvitationsResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_invitations(&caller, &page).await?;
        let (invitations, next_page_token) = page::messages(&page, invitation_message);
        Ok(Response::new(v1::ListInvitationsResponse { invitations, next_page_token }))
    }

    async fn cancel_invitation(
        &self,
        request: Request<v1::CancelInvitationRequest>,
    ) -> Result<Response<v1::CancelInvitationResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CancelInvitationRequest { name, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = self.service.cancel_invitation(&caller, &name, how).await;
        let (cancelled, violations) = outcome(validate_only, done)?;
        let invitation = cancelled.as_ref().map(invitation_message);
        Ok(Response::new(v1::CancelInvitationResponse { invitation, violations }))
    }

    async fn redeem_invitation(
        &self,
        request: Request<v1::RedeemInvitationRequest>,
    ) -> Result<Response<v1::RedeemInvitationResponse>, Status> {
        let v1::RedeemInvitationRequest { secret, principal, label, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let draft = draft(principal.unwrap_or_default());
        let done = self.service.redeem_invitation(&secret, draft, &label, how).await;
        let (redeemed, violations) = outcome(validate_only, done)?;
        let Some(Redeemed { principal, grants, token }) = redeemed else {
            return Ok(Response::new(v1::RedeemInvitationResponse { violations, ..Default::default() }));
        };
        let now = self.service.clock().now();
        Ok(Response::new(v1::RedeemInvitationResponse {
            principal: Some(message(&principal)),
            grants: grants.iter().map(|grant| grant_message(&principal.id, grant, now)).collect(),
            token_shown_before: token.is_none() && !validate_only,
            token: token.unwrap_or_default(),
            violations,
        }))
    }

    async fn list_audit_entries(
        &self,
        request: Request<v1::ListAuditEntriesRequest>,
    ) -> Result<Response<v1::ListAuditEntriesResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let times = (
            time(request.from_time.as_ref(), "from_time")?,
            time(request.until_time.as_ref(), "until_time")?,
        );
        let about = (request.actor.as_str(), request.resource.as_str());
        let page = self.service.list_audit_entries(&caller, times, about, &page).await?;
        let (entries, next_page_token) = page::messages(&page, audit::message);
        Ok(Response::new(v1::ListAuditEntriesResponse { entries, next_page_token }))
    }

    async fn verify_audit(
        &self,
        request: Request<v1::VerifyAuditRequest>,
    ) -> Result<Response<v1::VerifyAuditResponse>, Status> {
        let caller = caller_of(&request)?;
        let found = self.service.verify_audit_for(&caller, &request.into_inner().anchor).await?;
        Ok(Response::new(audit::verified(&found)))
    }
}
