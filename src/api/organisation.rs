//! OrganisationService.

use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::consultation;
use super::convert::organisation::{draft, membership_draft, message, patch, rules_draft};
use super::convert::outcome;
use super::page;
use super::proto::v1;
use super::proto::v1::organisation_service_server::OrganisationService;
use crate::domain::caller::Caller;
use crate::domain::organisation::Organisation;
use crate::service::{Change, PageRequest, Service};

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
        let v1::CreateOrganisationRequest { organisation_id, organisation, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let draft = draft(organisation.unwrap_or_default());
        let done = self.service.create_organisation(&caller, &organisation_id, draft, how).await;
        let (created, violations) = outcome(validate_only, done)?;
        let organisation = created.as_ref().map(|created| shown(&caller, created));
        Ok(Response::new(v1::CreateOrganisationResponse { organisation, violations }))
    }

    async fn get_organisation(
        &self,
        request: Request<v1::GetOrganisationRequest>,
    ) -> Result<Response<v1::GetOrganisationResponse>, Status> {
        let caller = caller_of(&request)?;
        let found = self.service.get_organisation(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetOrganisationResponse { organisation: Some(shown(&caller, &found)) }))
    }

    async fn list_organisations(
        &self,
        request: Request<v1::ListOrganisationsRequest>,
    ) -> Result<Response<v1::ListOrganisationsResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_organisations(&caller, &page).await?;
        let (organisations, next_page_token) = page::messages(&page, |one| shown(&caller, one));
        Ok(Response::new(v1::ListOrganisationsResponse { organisations, next_page_token }))
    }
    async fn update_organisation(
        &self,
        request: Request<v1::UpdateOrganisationRequest>,
    ) -> Result<Response<v1::UpdateOrganisationResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::UpdateOrganisationRequest { organisation, update_mask, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let given = organisation.unwrap_or_default();
        let patch = patch(&given, &update_mask.unwrap_or_default().paths);
        let done = self.service.update_organisation(&caller, &given.name, &given.etag, patch, how).await;
        let (changed, violations) = outcome(validate_only, done)?;
        let organisation = changed.as_ref().map(|changed| shown(&caller, changed));
        Ok(Response::new(v1::UpdateOrganisationResponse { organisation, violations }))
    }

    async fn update_organisation_rules(
        &self,
        request: Request<v1::UpdateOrganisationRulesRequest>,
    ) -> Result<Response<v1::UpdateOrganisationRulesResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::UpdateOrganisationRulesRequest { name, rules, etag, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let rules = rules_draft(rules.unwrap_or_default());
        let done = self.service.update_organisation_rules(&caller, &name, &etag, &rules, how).await;
        let (changed, violations) = outcome(validate_only, done)?;
        let organisation = changed.as_ref().map(|changed| shown(&caller, changed));
        Ok(Response::new(v1::UpdateOrganisationRulesResponse { organisation, violations }))
    }

    async fn set_membership(
        &self,
        request: Request<v1::SetMembershipRequest>,
    ) -> Result<Response<v1::SetMembershipResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let draft = membership_draft(&request);
        let how = Change { request_id: &request.request_id, validate_only: request.validate_only };
        let done = self.service.set_membership(&caller, &request.name, &request.etag, &draft, how).await;
        let (changed, violations) = outcome(request.validate_only, done)?;
        let organisation = changed.as_ref().map(|changed| shown(&caller, changed));
        Ok(Response::new(v1::SetMembershipResponse { organisation, violations }))
    }

    async fn create_consultation(
        &self,
        request: Request<v1::CreateConsultationRequest>,
    ) -> Result<Response<v1::CreateConsultationResponse>, Status> {
        consultation::create(&self.service, request).await
    }

    async fn get_consultation(
        &self,
        request: Request<v1::GetConsultationRequest>,
    ) -> Result<Response<v1::GetConsultationResponse>, Status> {
        consultation::get(&self.service, request).await
    }

    async fn list_consultations(
        &self,
        request: Request<v1::ListConsultationsRequest>,
    ) -> Result<Response<v1::ListConsultationsResponse>, Status> {
        consultation::list(&self.service, request).await
    }

    async fn update_consultation(
        &self,
        request: Request<v1::UpdateConsultationRequest>,
    ) -> Result<Response<v1::UpdateConsultationResponse>, Status> {
        consultation::update(&self.service, request).await
    }

    async fn cancel_consultation(
        &self,
        request: Request<v1::CancelConsultationRequest>,
    ) -> Result<Response<v1::CancelConsultationResponse>, Status> {
        consultation::cancel(&self.service, request).await
    }

    async fn answer_consultation(
        &self,
        request: Request<v1::AnswerConsultationRequest>,
    ) -> Result<Response<v1::AnswerConsultationResponse>, Status> {
        consultation::answer(&self.service, request).await
    }

    async fn get_consultation_result(
        &self,
        request: Request<v1::GetConsultationResultRequest>,
    ) -> Result<Response<v1::GetConsultationResultResponse>, Status> {
        consultation::get_result(&self.service, request).await
    }
}

/// The organisation as the caller may see it.
fn shown(caller: &Caller, organisation: &Organisation) -> v1::Organisation {
    message(organisation, Service::shows_rules(caller, &organisation.id))
}
