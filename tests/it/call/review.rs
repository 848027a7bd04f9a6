//! The calls of ReviewService. What would decide on the pair that other calls are about, or move the round, is called with an
//! etag, a digest or a name that there is not: whoever may do it is told so.

use tonic::Status;
use wim_match::api::proto::v1;
use wim_match::client::{Client, request_id};

use super::{STALE_ETAG, Target};

/// The id of a principal that there is not.
const NOBODY: &str = "01938e0a-7c5a-7a34-9d0e-5f2b7c1d9e3a";

/// The name of the first submission of the round, which there is not.
fn submission(t: &Target) -> String {
    format!("{}/submissions/7", t.round)
}

/// The name of the review of a pair of which nothing was said.
fn pair(t: &Target) -> String {
    format!("{}/pairs/{}", t.round, "0".repeat(32))
}

/// The name of the target's match.
fn matched(t: &Target) -> String {
    if t.pair.is_empty() { format!("{}/matches/{}", t.run, "0".repeat(32)) } else { t.pair.clone() }
}

/// Calls a method with a good request about `target`.
pub(super) async fn call(method: &str, client: Client, t: Target) -> Result<(), Status> {
    let mut reviews = client.reviews.clone();
    let (reason, text) = ("Both asked for it.".to_owned(), "Looked at.".to_owned());
    let (request_id, validate_only, etag) = (request_id(), false, STALE_ETAG.to_owned());
    let Target { round, mentee, mentor, organisation, .. } = t.clone();
    match method {
        "ReviewService/WhatIfDecisions" => {
            let kind = v1::DecisionKind::Veto.into();
            let add = vec![v1::ProposedDecision { kind, mentee, mentor }];
            let request = v1::WhatIfDecisionsRequest { name: t.run, add, release: Vec::new() };
            reviews.what_if_decisions(request).await.map(drop)
        }
        "ReviewService/ListAlternates" => {
            let side = v1::Side::Mentee.into();
            let request = v1::ListAlternatesRequest { name: t.run, person: mentee, side, limit: 3 };
            reviews.list_alternates(request).await.map(drop)
        }
        "ReviewService/PinPair" => {
            let request =
                v1::PinPairRequest { round, mentee, mentor, reason, etag, request_id, validate_only };
            reviews.pin_pair(request).await.map(drop)
        }
        "ReviewService/VetoPair" => {
            let request =
                v1::VetoPairRequest { round, mentee, mentor, reason, etag, request_id, validate_only };
            reviews.veto_pair(request).await.map(drop)
        }
        "ReviewService/ReleaseDecision" => {
            let request = v1::ReleaseDecisionRequest {
                name: format!("{round}/decisions/7"),
                reason,
                request_id,
                validate_only,
            };
            reviews.release_decision(request).await.map(drop)
        }
        "ReviewService/ListDecisions" => {
            let request = v1::ListDecisionsRequest { parent: round, ..Default::default() };
            reviews.list_decisions(request).await.map(drop)
        }
        "ReviewService/ListReviewedMatches" => {
            let request = v1::ListReviewedMatchesRequest { parent: t.run, ..Default::default() };
            reviews.list_reviewed_matches(request).await.map(drop)
        }
        "ReviewService/MarkReviewed" => {
            let request =
                v1::MarkReviewedRequest { round, mentee, mentor, text, etag, request_id, validate_only };
            reviews.mark_reviewed(request).await.map(drop)
        }
        "ReviewService/CreateComment" => {
            let request = v1::CreateCommentRequest { round, mentee, mentor, text, request_id, validate_only };
            reviews.create_comment(request).await.map(drop)
        }
        "ReviewService/AskExpert" => {
            let (expert, question) = (format!("principals/{NOBODY}"), text);
            let request =
                v1::AskExpertRequest { round, mentee, mentor, expert, question, request_id, validate_only };
            reviews.ask_expert(request).await.map(drop)
        }
        "ReviewService/WithdrawAsk" => {
            let name = format!("{}/asks/{NOBODY}", pair(&t));
            let request = v1::WithdrawAskRequest { name, request_id, validate_only };
            reviews.withdraw_ask(request).await.map(drop)
        }
        "ReviewService/ListAsks" => {
            let request = v1::ListAsksRequest { parent: round, ..Default::default() };
            reviews.list_asks(request).await.map(drop)
        }
        "ReviewService/ListComments" => {
            let request = v1::ListCommentsRequest { parent: pair(&t), ..Default::default() };
            reviews.list_comments(request).await.map(drop)
        }
        "ReviewService/ContestMatch" => {
            let request = v1::ContestMatchRequest {
                name: matched(&t),
                organisation,
                reason,
                request_id,
                validate_only,
            };
            reviews.contest_match(request).await.map(drop)
        }
        "ReviewService/ObjectToMatch" => {
            let request = v1::ObjectToMatchRequest {
                name: matched(&t),
                organisation,
                reason,
                request_id,
                validate_only,
            };
            reviews.object_to_match(request).await.map(drop)
        }
        _ => call_submissions(method, client, t).await,
    }
}

/// The same for the methods about submissions.
async fn call_submissions(method: &str, client: Client, t: Target) -> Result<(), Status> {
    let Client { mut reviews, .. } = client;
    let (reason, comment) = ("Both asked for it.".to_owned(), String::new());
    let (request_id, validate_only) = (request_id(), false);
    match method {
        "ReviewService/SubmitRun" => {
            let request = v1::SubmitRunRequest {
                name: t.run,
                result_digest: String::new(),
                comment,
                request_id,
                validate_only,
            };
            reviews.submit_run(request).await.map(drop)
        }
        "ReviewService/ApproveRun" => {
            let request = v1::ApproveRunRequest {
                name: submission(&t),
                result_digest: String::new(),
                comment,
                request_id,
                validate_only,
            };
            reviews.approve_run(request).await.map(drop)
        }
        "ReviewService/RejectRun" => {
            let request = v1::RejectRunRequest { name: submission(&t), reason, request_id, validate_only };
            reviews.reject_run(request).await.map(drop)
        }
        "ReviewService/PublishRun" => {
            let request = v1::PublishRunRequest { name: submission(&t), request_id, validate_only };
            reviews.publish_run(request).await.map(drop)
        }
        "ReviewService/UnpublishRun" => {
            let request = v1::UnpublishRunRequest { name: submission(&t), reason, request_id, validate_only };
            reviews.unpublish_run(request).await.map(drop)
        }
        "ReviewService/GetSubmission" => {
            let request = v1::GetSubmissionRequest { name: submission(&t) };
            reviews.get_submission(request).await.map(drop)
        }
        "ReviewService/ListSubmissions" => {
            let request = v1::ListSubmissionsRequest { parent: t.round, ..Default::default() };
            reviews.list_submissions(request).await.map(drop)
        }
        unknown => panic!("{unknown} has no call in `call::review`"),
    }
}
