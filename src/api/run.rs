//! RunService: the runs of a round and their results.

use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::convert::comparison::{compared_message, difference_message};
use super::convert::outcome::{match_message, match_view, reason_message, unmatched_message};
use super::convert::run::message;
use super::convert::{count, lang, outcome};
use super::page;
use super::proto::v1;
use super::proto::v1::run_service_server::RunService;
use super::streams::{Answers, Streams};
use crate::engine::ENGINE_VERSION;
use crate::error::Error;
use crate::service::{Change, PageRequest, ReplayedRun, RunToFollow, Service};

/// Serves runs and their results.
#[derive(Debug, Clone)]
pub struct RunApi {
    /// The use cases.
    pub service: Service,
    /// The streams of the server.
    pub streams: Streams,
}

#[tonic::async_trait]
impl RunService for RunApi {
    type WatchRunStream = Answers<v1::WatchRunResponse>;

    async fn start_run(
        &self,
        request: Request<v1::StartRunRequest>,
    ) -> Result<Response<v1::StartRunResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::StartRunRequest {
            round,
            request_id,
            validate_only,
            follows,
            follow_none,
            repair,
            most_changes,
        } = request.into_inner();
        let follows = RunToFollow { name: &follows, none: follow_none, repair, most_changes };
        let how = Change { request_id: &request_id, validate_only };
        let (run, violations) =
            outcome(validate_only, self.service.start_run(&caller, &round, follows, how).await)?;
        Ok(Response::new(v1::StartRunResponse { run: run.as_ref().map(message), violations }))
    }

    async fn get_run(
        &self,
        request: Request<v1::GetRunRequest>,
    ) -> Result<Response<v1::GetRunResponse>, Status> {
        let caller = caller_of(&request)?;
        let run = self.service.get_run(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetRunResponse { run: Some(message(&run)) }))
    }

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Result<Response<v1::ListRunsResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_runs(&caller, &request.parent, &page).await?;
        let (runs, next_page_token) = page::messages(&page, message);
        Ok(Response::new(v1::ListRunsResponse { runs, next_page_token }))
    }

    async fn watch_run(
        &self,
        request: Request<v1::WatchRunRequest>,
    ) -> Result<Response<Self::WatchRunStream>, Status> {
        let caller = caller_of(&request)?;
        let mut watch = self.service.watch_run(&caller, &request.into_inner().name).await?;
        Ok(self.streams.answer(1, async move |answers| {
            loop {
                // The caller may leave while the run does not change.
                let update = tokio::select! {
                    update = watch.next() => update?,
                    () = answers.closed() => return Err(Error::Cancelled.into()),
                };
                let Some(run) = update else { return Ok(()) };
                answers.send(v1::WatchRunResponse { run: Some(message(&run)) }).await?;
            }
        }))
    }

    async fn cancel_run(
        &self,
        request: Request<v1::CancelRunRequest>,
    ) -> Result<Response<v1::CancelRunResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CancelRunRequest { name, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let (run, violations) = outcome(validate_only, self.service.cancel_run(&caller, &name, how).await)?;
        Ok(Response::new(v1::CancelRunResponse { run: run.as_ref().map(message), violations }))
    }

    async fn verify_run(
        &self,
        request: Request<v1::VerifyRunRequest>,
    ) -> Result<Response<v1::VerifyRunResponse>, Status> {
        let caller = caller_of(&request)?;
        let work = self.service.verify_run(&caller, &request.into_inner().name).await?;
        let verified = work.finish().await?;
        let input_erased = verified.proof.is_none();
        let proof = verified.proof.unwrap_or_default();
        Ok(Response::new(v1::VerifyRunResponse {
            proved: proof.proved,
            bounded: proof.bounded,
            gap: proof.gap.map(count),
            input_erased,
            input_unchanged: verified.input_unchanged,
            result_unchanged: verified.result_unchanged,
            input_digest: verified.input_digest,
            result_digest: verified.result_digest,
        }))
    }

    async fn replay_run(
        &self,
        request: Request<v1::ReplayRunRequest>,
    ) -> Result<Response<v1::ReplayRunResponse>, Status> {
        let caller = caller_of(&request)?;
        let work = self.service.replay_run(&caller, &request.into_inner().name).await?;
        let ReplayedRun { same, input_unchanged, saved_digest, digest } = work.finish().await?;
        Ok(Response::new(v1::ReplayRunResponse {
            same,
            saved_result_digest: saved_digest,
            result_digest: digest,
            input_unchanged,
            engine_version: ENGINE_VERSION.to_owned(),
        }))
    }

    async fn compare_runs(
        &self,
        request: Request<v1::CompareRunsRequest>,
    ) -> Result<Response<v1::CompareRunsResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CompareRunsRequest { parent, runs, page_size, page_token } = request.into_inner();
        let page = PageRequest { size: page_size, token: page_token };
        let compared = Box::pin(self.service.compare_runs(&caller, &parent, &runs, &page)).await?;
        let (differences, next_page_token) = page::messages(&compared.1, difference_message);
        let runs = compared.0.iter().map(compared_message).collect();
        Ok(Response::new(v1::CompareRunsResponse { runs, differences, next_page_token }))
    }

    async fn list_matches(
        &self,
        request: Request<v1::ListMatchesRequest>,
    ) -> Result<Response<v1::ListMatchesResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let lang = lang(&request.language_code)?;
        let view = match_view(request.view)?;
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let (run, page) = self.service.list_matches(&caller, &request.parent, view, &page).await?;
        let (matches, next_page_token) =
            page::messages(&page, |stored| match_message(&run, Some(&stored.id), &stored.pair, lang));
        Ok(Response::new(v1::ListMatchesResponse { matches, next_page_token }))
    }

    async fn get_match(
        &self,
        request: Request<v1::GetMatchRequest>,
    ) -> Result<Response<v1::GetMatchResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let lang = lang(&request.language_code)?;
        let (run, found) = self.service.get_match(&caller, &request.name).await?;
        let message = match_message(&run, Some(&found.id), &found.pair, lang);
        Ok(Response::new(v1::GetMatchResponse { r#match: Some(message) }))
    }

    async fn list_unmatched(
        &self,
        request: Request<v1::ListUnmatchedRequest>,
    ) -> Result<Response<v1::ListUnmatchedResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let lang = lang(&request.language_code)?;
        let page = PageRequest { size: request.page_size, token: request.page_token };
        let page = self.service.list_unmatched(&caller, &request.parent, &page).await?;
        let (unmatched, next_page_token) = page::messages(&page, |stored| unmatched_message(stored, lang));
        Ok(Response::new(v1::ListUnmatchedResponse { unmatched, next_page_token }))
    }

    async fn explain_pair(
        &self,
        request: Request<v1::ExplainPairRequest>,
    ) -> Result<Response<v1::ExplainPairResponse>, Status> {
        let caller = caller_of(&request)?;
        let request = request.into_inner();
        let lang = lang(&request.language_code)?;
        let explained =
            self.service.explain_pair(&caller, &request.run, &request.mentee, &request.mentor).await?;
        Ok(Response::new(v1::ExplainPairResponse {
            candidate: explained.explanation.broken_rules.is_empty(),
            broken_rules: explained
                .explanation
                .broken_rules
                .iter()
                .map(|(rule, reason)| v1::BrokenRule {
                    rule: *rule as i32,
                    reason: Some(reason_message(reason, lang)),
                })
                .collect(),
            matched: explained.matched_as.is_some(),
            pair: Some(match_message(
                &explained.run,
                explained.matched_as.as_deref(),
                &explained.explanation.pair,
                lang,
            )),
            verdict: Some(reason_message(&explained.verdict, lang)),
        }))
    }
}
