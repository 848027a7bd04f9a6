//! OrganisationService.

use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::convert::organisation::{draft, message};
use super::page;
use super::proto::v1;
use super::proto::v1::organisation_service_server::OrganisationService;
use crate::service::{PageRequest, Service};

/// Serves organisations.
#[derive(Debug, Clone)]
pub struct OrganisationApi {
    /// The use cases.
    pub service: Service,
}

#[tonic::async_trait]
impl OrganisationService for OrganisationApi {
    async fn create_organisation(
        &self,
        request: Request<v1::CreateOrganisationRequest>,
    ) -> Result<Response<v1::CreateOrganisationResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let draft = draft(request.organisation.unwrap_or_default());
        let created = self
            .service
            .create_organisation(&caller, &request.organisation_id, draft, &request.request_id)
            .await?;
        Ok(Response::new(v1::CreateOrganisationResponse { organisation: Some(message(&created)) }))
    }

    async fn get_organisation(
        &self,
        request: Request<v1::GetOrganisationRequest>,
    ) -> Result<Response<v1::GetOrganisationResponse>, Status> {
        let caller = caller_of(&request)?;
        let found = self.service.get_organisation(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetOrganisationResponse { organisation: Some(message(&found)) }))
    }

    async fn list_organisations(
        &self,
        request: Request<v1::ListOrganisationsRequest>,
    ) -> Result<Response<v1::ListOrganisationsResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_organisations(&caller, &page).await?;
        let (organisations, next_page_token) = page::messages(&page, message);
        Ok(Response::new(v1::ListOrganisationsResponse { organisations, next_page_token }))
    }
}
