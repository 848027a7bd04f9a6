//! The half of RoundService that is about runs and what comes out of them.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::caller_of;
use super::convert::lang;
use super::convert::outcome::{match_message, reason_message, unmatched_message};
use super::convert::run::message;
use super::proto::v1;
use super::proto::v1::round_service_server::RoundService;
use super::round::RoundApi;
use crate::error::Error;
use crate::service::PageRequest;

pub(super) async fn start(
    api: &RoundApi,
    request: Request<v1::StartRunRequest>,
) -> Result<Response<v1::StartRunResponse>, Status> {
    let caller = caller_of(&api.service, request.metadata()).await?;
    let request = request.into_inner();
    let run = api.service.start_run(&caller, &request.round, &request.request_id).await?;
    Ok(Response::new(v1::StartRunResponse { run: Some(message(&run)) }))
}

pub(super) async fn get(
    api: &RoundApi,
    request: Request<v1::GetRunRequest>,
) -> Result<Response<v1::GetRunResponse>, Status> {
    let caller = caller_of(&api.service, request.metadata()).await?;
    let run = api.service.get_run(&caller, &request.into_inner().name).await?;
    Ok(Response::new(v1::GetRunResponse { run: Some(message(&run)) }))
}

pub(super) async fn list(
    api: &RoundApi,
    request: Request<v1::ListRunsRequest>,
) -> Result<Response<v1::ListRunsResponse>, Status> {
    let caller = caller_of(&api.service, request.metadata()).await?;
    let request = request.into_inner();
    let page = PageRequest { size: request.page_size, token: request.page_token };
    let page = api.service.list_runs(&caller, &request.parent, &page).await?;
    Ok(Response::new(v1::ListRunsResponse {
        runs: page.items.iter().map(message).collect(),
        next_page_token: page.next_token,
    }))
}

pub(super) async fn watch(
    api: &RoundApi,
    request: Request<v1::WatchRunRequest>,
) -> Result<Response<<RoundApi as RoundService>::WatchRunStream>, Status> {
    let caller = caller_of(&api.service, request.metadata()).await?;
    let mut watch = api.service.watch_run(&caller, &request.into_inner().name).await?;
    let (answers, answered) = mpsc::channel(1);
    let failing = answers.clone();
    let work = async move {
        loop {
            // The reader may leave while nothing happens to the run.
            let update = tokio::select! {
                update = watch.next() => update?,
                () = answers.closed() => return Err(Error::Cancelled.into()),
            };
            let Some(run) = update else { return Ok(()) };
            let answer = v1::WatchRunResponse { run: Some(message(&run)) };
            answers.send(Ok(answer)).await.map_err(|_| Error::Cancelled)?;
        }
    };
    api.streams.spawn(work, async move |status| drop(failing.send(Err(status)).await));
    Ok(Response::new(Box::pin(ReceiverStream::new(answered))))
}

pub(super) async fn cancel(
    api: &RoundApi,
    request: Request<v1::CancelRunRequest>,
) -> Result<Response<v1::CancelRunResponse>, Status> {
    let caller = caller_of(&api.service, request.metadata()).await?;
    let request = request.into_inner();
    let run = api.service.cancel_run(&caller, &request.name, &request.request_id).await?;
    Ok(Response::new(v1::CancelRunResponse { run: Some(message(&run)) }))
}

pub(super) async fn list_matches(
    api: &RoundApi,
    request: Request<v1::ListMatchesRequest>,
) -> Result<Response<v1::ListMatchesResponse>, Status> {
    let caller = caller_of(&api.service, request.metadata()).await?;
    let request = request.into_inner();
    let lang = lang(&request.language_code)?;
    let page = PageRequest { size: request.page_size, token: request.page_token };
    let (run, page) = api.service.list_matches(&caller, &request.parent, &page).await?;
    Ok(Response::new(v1::ListMatchesResponse {
        matches: page
            .items
            .iter()
            .map(|stored| match_message(&run, Some(stored.ordinal), &stored.pair, lang))
            .collect(),
        next_page_token: page.next_token,
    }))
}

pub(super) async fn list_unmatched(
    api: &RoundApi,
    request: Request<v1::ListUnmatchedRequest>,
) -> Result<Response<v1::ListUnmatchedResponse>, Status> {
    let caller = caller_of(&api.service, request.metadata()).await?;
    let request = request.into_inner();
    let lang = lang(&request.language_code)?;
    let page = PageRequest { size: request.page_size, token: request.page_token };
    let (_, page) = api.service.list_unmatched(&caller, &request.parent, &page).await?;
    Ok(Response::new(v1::ListUnmatchedResponse {
        unmatched: page.items.iter().map(|stored| unmatched_message(&stored.unmatched, lang)).collect(),
        next_page_token: page.next_token,
    }))
}

pub(super) async fn explain_pair(
    api: &RoundApi,
    request: Request<v1::ExplainPairRequest>,
) -> Result<Response<v1::ExplainPairResponse>, Status> {
    let caller = caller_of(&api.service, request.metadata()).await?;
    let request = request.into_inner();
    let lang = lang(&request.language_code)?;
    let told = api.service.explain_pair(&caller, &request.run, &request.mentee, &request.mentor).await?;
    Ok(Response::new(v1::ExplainPairResponse {
        candidate: told.explanation.broken_rules.is_empty(),
        broken_rules: told
            .explanation
            .broken_rules
            .iter()
            .map(|(rule, reason)| v1::BrokenRule {
                rule: *rule as i32,
                reason: Some(reason_message(reason, lang)),
            })
            .collect(),
        matched: told.matched_as.is_some(),
        pair: Some(match_message(&told.run, told.matched_as, &told.explanation.pair, lang)),
        verdict: Some(reason_message(&told.verdict, lang)),
    }))
}
