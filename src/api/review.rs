//! ReviewService.

use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::convert::review::{
    alternate, ask, asked, comment, decision, effect, filter, review, reviewed_match, side_of, submission,
};
use super::convert::{lang, outcome};
use super::page;
use super::proto::v1;
use super::proto::v1::review_service_server::ReviewService;
use crate::domain::review::DecisionKind;
use crate::domain::vocabulary::Lang;
use crate::service::{Change, PageRequest, PairDraft, Service};

/// Serves reviews of runs, decisions on pairs, and the way to publication.
#[derive(Debug, Clone)]
pub struct ReviewApi {
    /// The use cases.
    pub service: Service,
}

#[tonic::async_trait]
impl ReviewService for ReviewApi {
    async fn what_if_decisions(
        &self,
        request: Request<v1::WhatIfDecisionsRequest>,
    ) -> Result<Response<v1::WhatIfDecisionsResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::WhatIfDecisionsRequest { name, add, release } = request.into_inner();
        let add: Vec<_> = add.into_iter().map(asked).collect();
        let work = Box::pin(self.service.what_if_decisions(&caller, &name, (&add, &release))).await?;
        let effect = Some(effect(&work.finish().await?));
        Ok(Response::new(v1::WhatIfDecisionsResponse { effect }))
    }

    async fn list_alternates(
        &self,
        request: Request<v1::ListAlternatesRequest>,
    ) -> Result<Response<v1::ListAlternatesResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListAlternatesRequest { name, person, side, limit } = request.into_inner();
        let side = side_of(side)?;
        let work = Box::pin(self.service.list_alternates(&caller, &name, (&person, side, limit))).await?;
        let alternates = work.finish().await?.iter().map(alternate).collect();
        Ok(Response::new(v1::ListAlternatesResponse { alternates }))
    }

    async fn pin_pair(
        &self,
        request: Request<v1::PinPairRequest>,
    ) -> Result<Response<v1::PinPairResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::PinPairRequest { round, mentee, mentor, reason, etag, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let pair = PairDraft { round, mentee, mentor };
        let done = self.service.decide_on_pair(&caller, DecisionKind::Pin, &pair, (&reason, &etag), how);
        let (done, violations) = outcome(validate_only, Box::pin(done).await)?;
        let decision = done.map(|(round, made)| decision(&round, &made));
        Ok(Response::new(v1::PinPairResponse { decision, violations }))
    }

    async fn veto_pair(
        &self,
        request: Request<v1::VetoPairRequest>,
    ) -> Result<Response<v1::VetoPairResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::VetoPairRequest { round, mentee, mentor, reason, etag, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let pair = PairDraft { round, mentee, mentor };
        let done = self.service.decide_on_pair(&caller, DecisionKind::Veto, &pair, (&reason, &etag), how);
        let (done, violations) = outcome(validate_only, Box::pin(done).await)?;
        let decision = done.map(|(round, made)| decision(&round, &made));
        Ok(Response::new(v1::VetoPairResponse { decision, violations }))
    }

    async fn release_decision(
        &self,
        request: Request<v1::ReleaseDecisionRequest>,
    ) -> Result<Response<v1::ReleaseDecisionResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ReleaseDecisionRequest { name, reason, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = Box::pin(self.service.release_decision(&caller, &name, &reason, how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let decision = done.map(|(round, released)| decision(&round, &released));
        Ok(Response::new(v1::ReleaseDecisionResponse { decision, violations }))
    }

    async fn list_decisions(
        &self,
        request: Request<v1::ListDecisionsRequest>,
    ) -> Result<Response<v1::ListDecisionsResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListDecisionsRequest { parent, page_size, page_token, show_released } = request.into_inner();
        let page = PageRequest { size: page_size, token: page_token };
        let (round, page) = self.service.list_decisions(&caller, &parent, show_released, &page).await?;
        let (decisions, next_page_token) = page::messages(&page, |found| decision(&round, found));
        Ok(Response::new(v1::ListDecisionsResponse { decisions, next_page_token }))
    }

    async fn list_reviewed_matches(
        &self,
        request: Request<v1::ListReviewedMatchesRequest>,
    ) -> Result<Response<v1::ListReviewedMatchesResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListReviewedMatchesRequest { parent, page_size, page_token, filter: wanted } =
            request.into_inner();
        let page = PageRequest { size: page_size, token: page_token };
        let wanted = filter(wanted.unwrap_or_default())?;
        let (round, page) = self.service.list_reviewed_matches(&caller, &parent, &wanted, &page).await?;
        let shown = |found: &_| reviewed_match(&parent, &round, found);
        let (matches, next_page_token) = page::messages(&page, shown);
        Ok(Response::new(v1::ListReviewedMatchesResponse { matches, next_page_token }))
    }

    async fn mark_reviewed(
        &self,
        request: Request<v1::MarkReviewedRequest>,
    ) -> Result<Response<v1::MarkReviewedResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::MarkReviewedRequest { round, mentee, mentor, text, etag, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let pair = PairDraft { round, mentee, mentor };
        let done = Box::pin(self.service.mark_reviewed(&caller, &pair, (&text, &etag), how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let review = done.map(|(round, marked)| review(&round, &marked));
        Ok(Response::new(v1::MarkReviewedResponse { review, violations }))
    }

    async fn create_comment(
        &self,
        request: Request<v1::CreateCommentRequest>,
    ) -> Result<Response<v1::CreateCommentResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::CreateCommentRequest { round, mentee, mentor, text, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let pair = PairDraft { round, mentee, mentor };
        let done = Box::pin(self.service.create_comment(&caller, &pair, &text, how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let comment = done.map(|(round, said)| comment(&round, &said));
        Ok(Response::new(v1::CreateCommentResponse { comment, violations }))
    }

    async fn ask_expert(
        &self,
        request: Request<v1::AskExpertRequest>,
    ) -> Result<Response<v1::AskExpertResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::AskExpertRequest { round, mentee, mentor, expert, question, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let pair = PairDraft { round, mentee, mentor };
        let done = Box::pin(self.service.ask_expert(&caller, &pair, (&expert, &question), how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let ask = done.map(|made| ask(&made, None, Lang::default()));
        Ok(Response::new(v1::AskExpertResponse { ask, violations }))
    }

    async fn withdraw_ask(
        &self,
        request: Request<v1::WithdrawAskRequest>,
    ) -> Result<Response<v1::WithdrawAskResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::WithdrawAskRequest { name, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = self.service.withdraw_ask(&caller, &name, how).await;
        let (done, violations) = outcome(validate_only, done)?;
        let ask = done.map(|made| ask(&made, None, Lang::default()));
        Ok(Response::new(v1::WithdrawAskResponse { ask, violations }))
    }

    async fn list_asks(
        &self,
        request: Request<v1::ListAsksRequest>,
    ) -> Result<Response<v1::ListAsksResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListAsksRequest { parent, page_size, page_token, language_code } = request.into_inner();
        let lang = lang(&language_code)?;
        let page = PageRequest { size: page_size, token: page_token };
        let page = Box::pin(self.service.list_asks(&caller, &parent, &page)).await?;
        let (asks, next_page_token) =
            page::messages(&page, |one| ask(&one.ask, one.explained.as_ref(), lang));
        Ok(Response::new(v1::ListAsksResponse { asks, next_page_token }))
    }

    async fn list_comments(
        &self,
        request: Request<v1::ListCommentsRequest>,
    ) -> Result<Response<v1::ListCommentsResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListCommentsRequest { parent, page_size, page_token } = request.into_inner();
        let page = PageRequest { size: page_size, token: page_token };
        let (round, page) = self.service.list_comments(&caller, &parent, &page).await?;
        let (comments, next_page_token) = page::messages(&page, |said| comment(&round, said));
        Ok(Response::new(v1::ListCommentsResponse { comments, next_page_token }))
    }

    async fn contest_match(
        &self,
        request: Request<v1::ContestMatchRequest>,
    ) -> Result<Response<v1::ContestMatchResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ContestMatchRequest { name, organisation, reason, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done =
            Box::pin(self.service.contest_or_object(&caller, false, (&name, &organisation), &reason, how))
                .await;
        let (done, violations) = outcome(validate_only, done)?;
        let comment = done.map(|(round, said)| comment(&round, &said));
        Ok(Response::new(v1::ContestMatchResponse { comment, violations }))
    }

    async fn object_to_match(
        &self,
        request: Request<v1::ObjectToMatchRequest>,
    ) -> Result<Response<v1::ObjectToMatchResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ObjectToMatchRequest { name, organisation, reason, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done =
            Box::pin(self.service.contest_or_object(&caller, true, (&name, &organisation), &reason, how))
                .await;
        let (done, violations) = outcome(validate_only, done)?;
        let comment = done.map(|(round, said)| comment(&round, &said));
        Ok(Response::new(v1::ObjectToMatchResponse { comment, violations }))
    }

    async fn submit_run(
        &self,
        request: Request<v1::SubmitRunRequest>,
    ) -> Result<Response<v1::SubmitRunResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::SubmitRunRequest { name, result_digest, comment, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = Box::pin(self.service.submit_run(&caller, (&name, &result_digest), &comment, how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let submission = done.as_ref().map(submission);
        Ok(Response::new(v1::SubmitRunResponse { submission, violations }))
    }

    async fn approve_run(
        &self,
        request: Request<v1::ApproveRunRequest>,
    ) -> Result<Response<v1::ApproveRunResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ApproveRunRequest { name, result_digest, comment, request_id, validate_only } =
            request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = Box::pin(self.service.approve_run(&caller, (&name, &result_digest), &comment, how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let submission = done.as_ref().map(submission);
        Ok(Response::new(v1::ApproveRunResponse { submission, violations }))
    }

    async fn reject_run(
        &self,
        request: Request<v1::RejectRunRequest>,
    ) -> Result<Response<v1::RejectRunResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::RejectRunRequest { name, reason, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = Box::pin(self.service.reject_run(&caller, &name, &reason, how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let submission = done.as_ref().map(submission);
        Ok(Response::new(v1::RejectRunResponse { submission, violations }))
    }

    async fn publish_run(
        &self,
        request: Request<v1::PublishRunRequest>,
    ) -> Result<Response<v1::PublishRunResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::PublishRunRequest { name, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = Box::pin(self.service.publish_run(&caller, &name, how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let submission = done.as_ref().map(submission);
        Ok(Response::new(v1::PublishRunResponse { submission, violations }))
    }

    async fn unpublish_run(
        &self,
        request: Request<v1::UnpublishRunRequest>,
    ) -> Result<Response<v1::UnpublishRunResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::UnpublishRunRequest { name, reason, request_id, validate_only } = request.into_inner();
        let how = Change { request_id: &request_id, validate_only };
        let done = Box::pin(self.service.unpublish_run(&caller, &name, &reason, how)).await;
        let (done, violations) = outcome(validate_only, done)?;
        let submission = done.as_ref().map(submission);
        Ok(Response::new(v1::UnpublishRunResponse { submission, violations }))
    }

    async fn get_submission(
        &self,
        request: Request<v1::GetSubmissionRequest>,
    ) -> Result<Response<v1::GetSubmissionResponse>, Status> {
        let caller = caller_of(&request)?;
        let found = self.service.get_submission(&caller, &request.into_inner().name).await?;
        Ok(Response::new(v1::GetSubmissionResponse { submission: Some(submission(&found)) }))
    }

    async fn list_submissions(
        &self,
        request: Request<v1::ListSubmissionsRequest>,
    ) -> Result<Response<v1::ListSubmissionsResponse>, Status> {
        let caller = caller_of(&request)?;
        let v1::ListSubmissionsRequest { parent, page_size, page_token } = request.into_inner();
        let page = PageRequest { size: page_size, token: page_token };
        let page = self.service.list_submissions(&caller, &parent, &page).await?;
        let (submissions, next_page_token) = page::messages(&page, submission);
        Ok(Response::new(v1::ListSubmissionsResponse { submissions, next_page_token }))
    }
}
