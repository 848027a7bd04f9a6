//! RoundService: rounds and the enrolments in them.

use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::convert::outcome;
use super::convert::round::{draft, message};
use super::page;
use super::proto::v1;
use super::proto::v1::round_service_server::RoundService;
use super::reader;
use crate::service::{Change, PageRequest, RefusedEnrolment, Service};
use crate::wording;

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

    async fn enrol_profiles(
        &self,
        request: Request<v1::EnrolProfilesRequest>,
    ) -> Result<Response<v1::EnrolProfilesResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::EnrolProfilesRequest { round, organisation, profiles, request_id, validate_only } =
            request.into_inner();
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
            }
            .into(),
        });
        let lang = reader::current();
        let warnings = done.warnings.into_iter().map(|(profile, warning)| v1::ProfileWarning {
            profile,
            code: warning.code.as_str().to_owned(),
            description: wording::warning(&warning, lang),
            field: warning.field,
            value: warning.value,
        });
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
}
