//! RoundService: rounds and the enrolments in them.

use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::convert::round::{draft, message, patch};
use super::convert::run::summary_message;
use super::convert::{diagnosis, enrolment, lang, outcome, policy, waiting, weight_advice};
use super::page;
use super::proto::v1;
use super::proto::v1::round_service_server::RoundService;
use super::reader;
use crate::service::{Change, DiagnosedRound, Diagnosing, PageRequest, Picked, RefusedEnrolment, Service};

/// Serves rounds.
#[derive(Debug, Clone)]
pub struct RoundApi {
    /// The use cases.
    pub service: Service,
}

#[tonic::async_trait]
impl RoundService for RoundApi {
    async fn create_round(
        &self,
        request: Request<v1::CreateRoundRequest>,
    ) -> Result<Response<v1::CreateRoundResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CreateRoundRequest { round_id, round, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let draft = draft(round.unwrap_or_default());
        let done = self.service.create_round(&caller, &round_id, draft, how).await;
        let (round, violations) = outcome(validate_only, done)?;
        Ok(Response::new(v1::CreateRoundResponse { round: round.as_ref().map(message), violations }))
    }

    async fn get_round(
        &self,
        request: Request<v1::GetRoundRequest>,
    ) -> Result<Response<v1::GetRoundResponse>, Status> {
        let caller = caller_of(&request)?;
        let round = self.service.get_round(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetRoundResponse { round: Some(message(&round)) }))
    }

    async fn list_rounds(
        &self,
        request: Request<v1::ListRoundsRequest>,
    ) -> Result<Response<v1::ListRoundsResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_rounds(&caller, &page).await?;
        let (rounds, next_page_token) = page::messages(&page, message);
        Ok(Response::new(v1::ListRoundsResponse { rounds, next_page_token }))
    }

    async fn update_round(
        &self,
        request: Request<v1::UpdateRoundRequest>,
    ) -> Result<Response<v1::UpdateRoundResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::UpdateRoundRequest { round, update_mask, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let round = round.unwrap_or_default();
        let patch = patch(&round, &update_mask.unwrap_or_default().paths);
        let done = self.service.update_round(&caller, &round.name, &round.etag, patch, how).await;
        let (round, violations) = outcome(validate_only, done)?;
        Ok(Response::new(v1::UpdateRoundResponse { round: round.as_ref().map(message), violations }))
    }

    async fn close_round(
        &self,
        request: Request<v1::CloseRoundRequest>,
    ) -> Result<Response<v1::CloseRoundResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CloseRoundRequest { name, etag, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = self.service.close_round(&caller, &name, &etag, how).await;
        let (round, violations) = outcome(validate_only, done)?;
        Ok(Response::new(v1::CloseRoundResponse { round: round.as_ref().map(message), violations }))
    }

    async fn cancel_round(
        &self,
        request: Request<v1::CancelRoundRequest>,
    ) -> Result<Response<v1::CancelRoundResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CancelRoundRequest { name, etag, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = self.service.cancel_round(&caller, &name, &etag, how).await;
        let (round, violations) = outcome(validate_only, done)?;
        Ok(Response::new(v1::CancelRoundResponse { round: round.as_ref().map(message), violations }))
    }

    async fn create_policy(
        &self,
        request: Request<v1::CreatePolicyRequest>,
    ) -> Result<Response<v1::CreatePolicyResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CreatePolicyRequest { parent, policy, etag, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let draft = policy::draft(policy.unwrap_or_default());
        let done = self.service.create_policy(&caller, &parent, &etag, &draft, how).await;
        let (made, violations) = outcome(validate_only, done)?;
        Ok(Response::new(v1::CreatePolicyResponse {
            policy: made.as_ref().map(policy::resource),
            violations,
        }))
    }

    async fn get_policy(
        &self,
        request: Request<v1::GetPolicyRequest>,
    ) -> Result<Response<v1::GetPolicyResponse>, Status> {
        let caller = caller_of(&request)?;
        let found = self.service.get_policy(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetPolicyResponse { policy: Some(policy::resource(&found)) }))
    }

    async fn list_policies(
        &self,
        request: Request<v1::ListPoliciesRequest>,
    ) -> Result<Response<v1::ListPoliciesResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_policies(&caller, &request.parent, &page).await?;
        let (policies, next_page_token) = page::messages(&page, policy::resource);
        Ok(Response::new(v1::ListPoliciesResponse { policies, next_page_token }))
    }

    async fn enrol_profiles(
        &self,
        request: Request<v1::EnrolProfilesRequest>,
    ) -> Result<Response<v1::EnrolProfilesResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let v1::EnrolProfilesRequest {
            round,
            organisation,
            profiles,
            request_id,
            validate_only,
            all_profiles,
            all_waiting,
        } = request;
        let profiles = Picked { names: profiles, all: all_profiles, waiting: all_waiting };
        let how = Change { request_id: &request_id, validate_only };
        let done = self.service.enrol_profiles(&caller, &round, &organisation, profiles, how).await;
        let (done, violations) = outcome(validate_only, done)?;
        let done = done.unwrap_or_default();
        let refused = done.refused.into_iter().map(|(profile, reason)| v1::RefusedEnrolment {
            profile,
            reason: match reason {
                RefusedEnrolment::NoLiveConsent => v1::RefusedEnrolmentReason::NoLiveConsent,
                RefusedEnrolment::NoRole => v1::RefusedEnrolmentReason::NoRole,
                RefusedEnrolment::NotFound => v1::RefusedEnrolmentReason::NotFound,
                RefusedEnrolment::Restricted => v1::RefusedEnrolmentReason::Restricted,
            }
            .into(),
        });
        let lang = reader::current();
        let warnings = done.warnings.into_iter().map(|(profile, one)| enrolment::warning(profile, one, lang));
        Ok(Response::new(v1::EnrolProfilesResponse {
            enrolled: done.enrolled,
            already_enrolled: done.already_enrolled,
            refused: refused.collect(),
            refused_count: done.refused_count,
            violations,
            warnings: warnings.collect(),
            warnings_count: done.warnings_count,
        }))
    }
    async fn list_enrolments(
        &self,
        request: Request<v1::ListEnrolmentsRequest>,
    ) -> Result<Response<v1::ListEnrolmentsResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let filter = enrolment::filter(&request.filter.unwrap_or_default())?;
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_enrolments(&caller, &request.parent, &filter, &page).await?;
        let (enrolments, next_page_token) = page::messages(&page, |(one, _)| {
            enrolment::message(one, Service::shows_consents(&caller, &one.profile.organisation))
        });
        Ok(Response::new(v1::ListEnrolmentsResponse { enrolments, next_page_token }))
    }

    async fn withdraw_enrolments(
        &self,
        request: Request<v1::WithdrawEnrolmentsRequest>,
    ) -> Result<Response<v1::WithdrawEnrolmentsResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let how = Change { request_id: &request.request_id, validate_only: request.validate_only };
        let picked = Picked { names: request.enrolments, all: request.all_enrolments, waiting: false };
        let done = self
            .service
            .withdraw_enrolments(&caller, &request.parent, &request.organisation, picked, how)
            .await;
        let (done, violations) = outcome(request.validate_only, done)?;
        Ok(Response::new(v1::WithdrawEnrolmentsResponse {
            withdrawn: done.map_or(0, |done| done.withdrawn),
            already_withdrawn: done.map_or(0, |done| done.already_withdrawn),
            violations,
        }))
    }

    async fn list_waiting_mentees(
        &self,
        request: Request<v1::ListWaitingMenteesRequest>,
    ) -> Result<Response<v1::ListWaitingMenteesResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListWaitingMenteesRequest { parent, page_size, page_token, round } = request.into_inner();
        let page = PageRequest { size: page_size, token: page_token };
        let page = self.service.list_waiting(&caller, &parent, &round, &page).await?;
        let (waiting_mentees, next_page_token) =
            page::messages(&page, |(mentee, priority)| waiting::message(mentee, priority.as_ref()));
        Ok(Response::new(v1::ListWaitingMenteesResponse { waiting_mentees, next_page_token }))
    }

    async fn leave_waiting_list(
        &self,
        request: Request<v1::LeaveWaitingListRequest>,
    ) -> Result<Response<v1::LeaveWaitingListResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::LeaveWaitingListRequest { name, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = self.service.leave_waiting_list(&caller, &name, how).await;
        let (left, violations) = outcome(validate_only, done)?;
        let waiting_mentee = left.as_ref().map(|mentee| waiting::message(mentee, None));
        Ok(Response::new(v1::LeaveWaitingListResponse { waiting_mentee, violations }))
    }

    async fn diagnose_round(
        &self,
        request: Request<v1::DiagnoseRoundRequest>,
    ) -> Result<Response<v1::DiagnoseRoundResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::DiagnoseRoundRequest { name, policy, dry_run, language_code } = request.into_inner();
        let lang = lang(&language_code)?;
        let policy = policy.map(policy::draft);
        let diagnosing = self.service.diagnose_round(&caller, &name, policy.as_ref(), dry_run).await?;
        let work = match diagnosing {
            Diagnosing::Round(work) => work,
            Diagnosing::Members(found) => {
                let warnings = found.into_iter().map(|(profile, one)| enrolment::warning(profile, one, lang));
                let warnings = warnings.collect();
                return Ok(Response::new(v1::DiagnoseRoundResponse { warnings, ..Default::default() }));
            }
        };
        let DiagnosedRound { diagnosis, dry_run } = work.finish().await?;
        Ok(Response::new(v1::DiagnoseRoundResponse {
            diagnosis: Some(diagnosis::message(&diagnosis, lang)),
            dry_run: dry_run.as_ref().map(summary_message),
            warnings: Vec::new(),
        }))
    }

    async fn suggest_weights(
        &self,
        request: Request<v1::SuggestWeightsRequest>,
    ) -> Result<Response<v1::SuggestWeightsResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::SuggestWeightsRequest { name, replays } = request.into_inner();
        let advised = self.service.suggest_weights(&caller, &name, replays).await?;
        Ok(Response::new(weight_advice::response(&advised)))
    }
}
