//! PrivacyService.

use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::convert::consent::{draft, message};
use super::convert::{erasure, outcome};
use super::page;
use super::proto::v1;
use super::proto::v1::privacy_service_server::PrivacyService;
use crate::domain::name::ProfileRef;
use crate::domain::profile::RecordedConsent;
use crate::error::Error;
use crate::service::{Change, PageRequest, Service};

/// Serves the rights of people.
#[derive(Debug, Clone)]
pub struct PrivacyApi {
    /// The use cases.
    pub service: Service,
}

#[tonic::async_trait]
impl PrivacyService for PrivacyApi {
    async fn record_consent(
        &self,
        request: Request<v1::RecordConsentRequest>,
    ) -> Result<Response<v1::RecordConsentResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::RecordConsentRequest { parent, consent, replaces_live, etag, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let draft = draft(consent.unwrap_or_default());
        let done = self.service.record_consent(&caller, &parent, draft, (replaces_live, &etag), how);
        let (recorded, violations) = outcome(validate_only, Box::pin(done).await)?;
        let consent = recorded.map(|recorded| shown(&parent, &recorded)).transpose()?;
        Ok(Response::new(v1::RecordConsentResponse { consent, violations }))
    }

    async fn list_consents(
        &self,
        request: Request<v1::ListConsentsRequest>,
    ) -> Result<Response<v1::ListConsentsResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_consents(&caller, &request.parent, &page).await?;
        let profile = profile(&request.parent)?;
        let (consents, next_page_token) = page::messages(&page, |one| message(&profile, one));
        Ok(Response::new(v1::ListConsentsResponse { consents, next_page_token }))
    }

    async fn erase_profile(
        &self,
        request: Request<v1::EraseProfileRequest>,
    ) -> Result<Response<v1::EraseProfileResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::EraseProfileRequest { name, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = Box::pin(self.service.erase_profile(&caller, &name, how)).await;
        let (answer, violations) = outcome(validate_only, done)?;
        let erasure = answer.as_ref().map(erasure::message);
        Ok(Response::new(v1::EraseProfileResponse { erasure, violations }))
    }

    async fn get_erasure(
        &self,
        request: Request<v1::GetErasureRequest>,
    ) -> Result<Response<v1::GetErasureResponse>, Status> {
        let caller = caller_of(&request)?;
        let found = self.service.get_erasure(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetErasureResponse { erasure: Some(erasure::message_of(&found)) }))
    }
}

/// The name of the profile of a request that was answered.
fn profile(parent: &str) -> Result<ProfileRef, Error> {
    ProfileRef::from_name(parent).map_err(|_| Error::internal("a request without a profile was answered"))
}

fn shown(parent: &str, recorded: &RecordedConsent) -> Result<v1::Consent, Error> {
    Ok(message(&profile(parent)?, recorded))
}
