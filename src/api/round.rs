//! RoundService. What belongs to a run is in `run`.

use std::pin::Pin;

use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use super::convert::round::{draft, message};
use super::proto::v1;
use super::proto::v1::round_service_server::RoundService;
use super::{Streams, caller_of, run};
use crate::service::{PageRequest, RefusedEnrolment, Service};

/// Serves rounds and their runs.
#[derive(Debug, Clone)]
pub struct RoundApi {
    /// The use cases.
    pub service: Service,
    /// Where streams run, so that shutdown can end and await them.
    pub streams: Streams,
}

#[tonic::async_trait]
impl RoundService for RoundApi {
    type WatchRunStream = Pin<Box<dyn Stream<Item = Result<v1::WatchRunResponse, Status>> + Send>>;

    async fn create_round(
        &self,
        request: Request<v1::CreateRoundRequest>,
    ) -> Result<Response<v1::CreateRoundResponse>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        let request = request.into_inner();
        let draft = draft(request.round.unwrap_or_default());
        let round = self.service.create_round(&caller, &request.round_id, draft, &request.request_id).await?;
        Ok(Response::new(v1::CreateRoundResponse { round: Some(message(&round)) }))
    }

    async fn get_round(
        &self,
        request: Request<v1::GetRoundRequest>,
    ) -> Result<Response<v1::GetRoundResponse>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        let round = self.service.get_round(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetRoundResponse { round: Some(message(&round)) }))
    }

    async fn list_rounds(
        &self,
        request: Request<v1::ListRoundsRequest>,
    ) -> Result<Response<v1::ListRoundsResponse>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_rounds(&caller, &page).await?;
        Ok(Response::new(v1::ListRoundsResponse {
            rounds: page.items.iter().map(message).collect(),
            next_page_token: page.next_token,
        }))
    }

    async fn enrol_profiles(
        &self,
        request: Request<v1::EnrolProfilesRequest>,
    ) -> Result<Response<v1::EnrolProfilesResponse>, Status> {
        let caller = caller_of(&self.service, request.metadata()).await?;
        let v1::EnrolProfilesRequest { round, organisation, profiles, request_id } = request.into_inner();
        let done = self.service.enrol_profiles(&caller, &round, &organisation, profiles, &request_id).await?;
        let refused = done.refused.into_iter().map(|(profile, reason)| v1::RefusedEnrolment {
            profile,
            reason: match reason {
                RefusedEnrolment::NoLiveConsent => v1::RefusedEnrolmentReason::NoLiveConsent,
                RefusedEnrolment::NoRole => v1::RefusedEnrolmentReason::NoRole,
                RefusedEnrolment::NotFound => v1::RefusedEnrolmentReason::NotFound,
            }
            .into(),
        });
        Ok(Response::new(v1::EnrolProfilesResponse {
            enrolled: done.enrolled,
            already_enrolled: done.already_enrolled,
            refused: refused.collect(),
        }))
    }

    async fn start_run(
        &self,
        request: Request<v1::StartRunRequest>,
    ) -> Result<Response<v1::StartRunResponse>, Status> {
        run::start(self, request).await
    }

    async fn get_run(
        &self,
        request: Request<v1::GetRunRequest>,
    ) -> Result<Response<v1::GetRunResponse>, Status> {
        run::get(self, request).await
    }

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Result<Response<v1::ListRunsResponse>, Status> {
        run::list(self, request).await
    }

    async fn watch_run(
        &self,
        request: Request<v1::WatchRunRequest>,
    ) -> Result<Response<Self::WatchRunStream>, Status> {
        run::watch(self, request).await
    }

    async fn cancel_run(
        &self,
        request: Request<v1::CancelRunRequest>,
    ) -> Result<Response<v1::CancelRunResponse>, Status> {
        run::cancel(self, request).await
    }

    async fn list_matches(
        &self,
        request: Request<v1::ListMatchesRequest>,
    ) -> Result<Response<v1::ListMatchesResponse>, Status> {
        run::list_matches(self, request).await
    }

    async fn list_unmatched(
        &self,
        request: Request<v1::ListUnmatchedRequest>,
    ) -> Result<Response<v1::ListUnmatchedResponse>, Status> {
        run::list_unmatched(self, request).await
    }

    async fn explain_pair(
        &self,
        request: Request<v1::ExplainPairRequest>,
    ) -> Result<Response<v1::ExplainPairResponse>, Status> {
        run::explain_pair(self, request).await
    }
}
