//! Rounds from their opening to the publication of a run.

use std::time::Duration;

use jiff::{SignedDuration, ToSpan as _};
use wim_match::api::proto::v1;
use wim_match::client::request_id;
use wim_match::clock::{Clock as _, SystemClock};

use super::access::organisation;
use super::people::import;
use super::{Caller, Cast, mask};
use crate::world::{mentee, mentor, round_message};

/// A round of two organisations, whose members are enrolled.
async fn open(cast: &Cast<'_>, id: String, objection_days: i32) -> String {
    open_for(cast, id, objection_days, &[&cast.mentors, &cast.mentees]).await
}

async fn open_for(
    cast: &Cast<'_>,
    id: String,
    objection_days: i32,
    invited: &[&(Caller<'_>, String)],
) -> String {
    let today = SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = |days: i64| today.checked_add(days.days()).expect("a day").to_string();
    let round = v1::Round {
        start_date: day(-60),
        end_date: day(120),
        all_members: false,
        organisations: invited.iter().map(|(_, name)| name.clone()).collect(),
        policy: Some(v1::Policy { objection_days, ..v1::Policy::default() }),
        ..round_message()
    };
    let request = v1::CreateRoundRequest {
        round_id: id,
        round: Some(round),
        request_id: request_id(),
        validate_only: false,
    };
    let created: v1::CreateRoundResponse =
        cast.coordinators[0].change("RoundService/CreateRound", &request).await;
    let round = created.round.expect("a round").name;
    for (manager, organisation) in invited {
        enrol(manager, organisation, &round).await;
    }
    round
}

async fn enrol(manager: &Caller<'_>, organisation: &str, round: &str) {
    let request = v1::EnrolProfilesRequest {
        round: round.to_owned(),
        organisation: organisation.to_owned(),
        all_profiles: true,
        request_id: request_id(),
        ..v1::EnrolProfilesRequest::default()
    };
    let _: v1::EnrolProfilesResponse = manager.change("RoundService/EnrolProfiles", &request).await;
}

/// A round with three mentees and two places, its policies and enrolments.
pub(super) async fn round(cast: &Cast<'_>) -> String {
    let rosa = &cast.coordinators[0];
    let round = open(cast, format!("round-{}", cast.number), 0).await;
    let request = v1::UpdateRoundRequest {
        round: Some(v1::Round {
            name: round.clone(),
            display_name: "Renamed".to_owned(),
            ..v1::Round::default()
        }),
        update_mask: Some(mask("display_name")),
        request_id: request_id(),
        ..v1::UpdateRoundRequest::default()
    };
    let _: v1::UpdateRoundResponse = rosa.change("RoundService/UpdateRound", &request).await;
    let request = v1::CreatePolicyRequest {
        parent: round.clone(),
        policy: Some(v1::Policy::default()),
        request_id: request_id(),
        ..v1::CreatePolicyRequest::default()
    };
    let _: v1::CreatePolicyResponse = rosa.change("RoundService/CreatePolicy", &request).await;
    let (manager, organisation) = &cast.mentees;
    let request = v1::WithdrawEnrolmentsRequest {
        parent: round.clone(),
        organisation: organisation.clone(),
        all_enrolments: true,
        request_id: request_id(),
        ..v1::WithdrawEnrolmentsRequest::default()
    };
    let _: v1::WithdrawEnrolmentsResponse = manager.change("RoundService/WithdrawEnrolments", &request).await;
    enrol(manager, organisation, &round).await;
    round
}

async fn start(rosa: &Caller<'_>, round: &str) -> v1::Run {
    let request = v1::StartRunRequest {
        round: round.to_owned(),
        request_id: request_id(),
        ..v1::StartRunRequest::default()
    };
    let started: v1::StartRunResponse = rosa.change("RunService/StartRun", &request).await;
    started.run.expect("a run")
}

/// Waits for the end of a run, whoever ends it.
async fn ended(rosa: &Caller<'_>, name: &str) -> v1::Run {
    let most = SystemClock.now() + SignedDuration::from_secs(120);
    loop {
        let request = v1::GetRunRequest { name: name.to_owned() };
        let read: v1::GetRunResponse = rosa.read("RunService/GetRun", &request).await;
        let run = read.run.expect("a run");
        if crate::world::is_final(&run) {
            return run;
        }
        assert!(SystemClock.now() < most, "{name} does not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn matches(caller: &Caller<'_>, run: &str) -> Vec<v1::Match> {
    let request = v1::ListMatchesRequest { parent: run.to_owned(), ..v1::ListMatchesRequest::default() };
    let listed: v1::ListMatchesResponse = caller.read("RunService/ListMatches", &request).await;
    listed.matches
}

/// Runs, decisions, comments and questions. Answers a run that has succeeded and is not stale.
pub(super) async fn review(cast: &Cast<'_>, round: &str) -> v1::Run {
    let rosa = &cast.coordinators[0];
    let cancelled = start(rosa, round).await;
    let request =
        v1::CancelRunRequest { name: cancelled.name.clone(), request_id: request_id(), validate_only: false };
    // A run that has ended already is told as it is.
    let _: v1::CancelRunResponse = rosa.change("RunService/CancelRun", &request).await;
    ended(rosa, &cancelled.name).await;
    let first = ended(rosa, &start(rosa, round).await.name).await;
    assert_eq!(first.state(), v1::RunState::Succeeded, "{first:?}");
    let pair = matches(rosa, &first.name).await.remove(0);
    let (mentee, mentor, round) = (pair.mentee.clone(), pair.mentor.clone(), round.to_owned());
    let reason = "Both asked for it.".to_owned();
    let request = v1::PinPairRequest {
        round: round.clone(),
        mentee: mentee.clone(),
        mentor: mentor.clone(),
        reason: reason.clone(),
        request_id: request_id(),
        ..v1::PinPairRequest::default()
    };
    let pinned: v1::PinPairResponse = rosa.change("ReviewService/PinPair", &request).await;
    let request = v1::ReleaseDecisionRequest {
        name: pinned.decision.expect("a decision").name,
        reason: reason.clone(),
        request_id: request_id(),
        validate_only: false,
    };
    let _: v1::ReleaseDecisionResponse = rosa.change("ReviewService/ReleaseDecision", &request).await;
    let request = v1::VetoPairRequest {
        round: round.clone(),
        mentee: mentee.clone(),
        mentor: mentor.clone(),
        reason: reason.clone(),
        request_id: request_id(),
        ..v1::VetoPairRequest::default()
    };
    let _: v1::VetoPairResponse = rosa.change("ReviewService/VetoPair", &request).await;
    let request = v1::CreateCommentRequest {
        round: round.clone(),
        mentee: mentee.clone(),
        mentor: mentor.clone(),
        text: "Looked at.".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let _: v1::CreateCommentResponse = rosa.change("ReviewService/CreateComment", &request).await;
    let request = v1::AskExpertRequest {
        round: round.clone(),
        mentee,
        mentor,
        expert: cast.expert.clone(),
        question: "Do they fit?".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let asked: v1::AskExpertResponse = rosa.change("ReviewService/AskExpert", &request).await;
    let request = v1::WithdrawAskRequest {
        name: asked.ask.expect("an ask").name,
        request_id: request_id(),
        validate_only: false,
    };
    let _: v1::WithdrawAskResponse = rosa.change("ReviewService/WithdrawAsk", &request).await;
    let second = ended(rosa, &start(rosa, &round).await.name).await;
    assert_eq!(second.state(), v1::RunState::Succeeded, "{second:?}");
    let contested = matches(rosa, &second.name).await.remove(0);
    let request = v1::ContestMatchRequest {
        name: contested.name,
        organisation: cast.mentees.1.clone(),
        reason,
        request_id: request_id(),
        validate_only: false,
    };
    let _: v1::ContestMatchResponse = cast.mentees.0.change("ReviewService/ContestMatch", &request).await;
    let request = v1::ListReviewedMatchesRequest {
        parent: second.name.clone(),
        ..v1::ListReviewedMatchesRequest::default()
    };
    let listed: v1::ListReviewedMatchesResponse =
        rosa.read("ReviewService/ListReviewedMatches", &request).await;
    let reviewed = listed.matches.into_iter().filter_map(|one| one.review);
    let etag = reviewed.filter(|one| one.mentee == contested.mentee).map(|one| one.etag).next();
    let request = v1::MarkReviewedRequest {
        round,
        etag: etag.expect("the pair is reviewed"),
        mentee: contested.mentee,
        mentor: contested.mentor,
        text: "It stays.".to_owned(),
        request_id: request_id(),
        ..v1::MarkReviewedRequest::default()
    };
    let _: v1::MarkReviewedResponse = rosa.change("ReviewService/MarkReviewed", &request).await;
    second
}

async fn submitted(rosa: &Caller<'_>, run: &v1::Run) -> v1::Submission {
    let request = v1::SubmitRunRequest {
        name: run.name.clone(),
        result_digest: run.result_digest.clone(),
        request_id: request_id(),
        ..v1::SubmitRunRequest::default()
    };
    let done: v1::SubmitRunResponse = rosa.change("ReviewService/SubmitRun", &request).await;
    done.submission.expect("a submission")
}

async fn approved(amara: &Caller<'_>, submission: &v1::Submission, digest: &str) {
    let request = v1::ApproveRunRequest {
        name: submission.name.clone(),
        result_digest: digest.to_owned(),
        request_id: request_id(),
        ..v1::ApproveRunRequest::default()
    };
    let _: v1::ApproveRunResponse = amara.change("ReviewService/ApproveRun", &request).await;
}

async fn rejected(amara: &Caller<'_>, submission: &v1::Submission) {
    let request = v1::RejectRunRequest {
        name: submission.name.clone(),
        reason: "Look again.".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let _: v1::RejectRunResponse = amara.change("ReviewService/RejectRun", &request).await;
}

/// Another round, to whose result an organisation objects, and which is cancelled.
pub(super) async fn objection(cast: &Cast<'_>) {
    let [rosa, amara] = &cast.coordinators;
    let round = open(cast, format!("objected-{}", cast.number), 10).await;
    let run = ended(rosa, &start(rosa, &round).await.name).await;
    let submission = submitted(rosa, &run).await;
    approved(amara, &submission, &run.result_digest).await;
    let request = v1::ObjectToMatchRequest {
        name: matches(rosa, &run.name).await.remove(0).name,
        organisation: cast.mentees.1.clone(),
        reason: "They know each other.".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let _: v1::ObjectToMatchResponse = cast.mentees.0.change("ReviewService/ObjectToMatch", &request).await;
    rejected(amara, &submission).await;
    let request =
        v1::CancelRoundRequest { name: round, request_id: request_id(), ..v1::CancelRoundRequest::default() };
    let _: v1::CancelRoundResponse = rosa.change("RoundService/CancelRound", &request).await;
}

/// A round of enough people of enough organisations for a report.
pub(super) async fn report(cast: &Cast<'_>) {
    let mut invited = Vec::new();
    for at in 0..3 {
        let found = organisation(&cast.secretariat, &format!("reported-{}-{at}", cast.number)).await;
        let mut members: Vec<_> = (0..5).map(|member| mentee(&format!("m-{member}"))).collect();
        members.push(mentor("t-0", 5));
        import(&found.0, &found.1, members).await;
        invited.push(found);
    }
    let all: Vec<&(Caller<'_>, String)> = invited.iter().collect();
    let round = open_for(cast, format!("reported-{}", cast.number), 0, &all).await;
    let [rosa, amara] = &cast.coordinators;
    let run = ended(rosa, &start(rosa, &round).await.name).await;
    let submission = submitted(rosa, &run).await;
    approved(amara, &submission, &run.result_digest).await;
    let name = submission.name;
    let request = v1::PublishRunRequest { name, request_id: request_id(), validate_only: false };
    let _: v1::PublishRunResponse = rosa.change("ReviewService/PublishRun", &request).await;
    let kind = v1::ReportKind::Round.into();
    let request = v1::CreateReportRequest {
        report: Some(v1::Report { kind, round, ..v1::Report::default() }),
        request_id: request_id(),
        validate_only: false,
    };
    let _: v1::CreateReportResponse = rosa.change("ReportService/CreateReport", &request).await;
}

/// A run is submitted, approved, published, taken back, and published again.
pub(super) async fn publication(cast: &Cast<'_>, run: &v1::Run) {
    let [rosa, amara] = &cast.coordinators;
    let first = submitted(rosa, run).await;
    rejected(amara, &first).await;
    let mut submission = submitted(rosa, run).await;
    for is_last in [false, true] {
        approved(amara, &submission, &run.result_digest).await;
        let name = submission.name.clone();
        let request =
            v1::PublishRunRequest { name: name.clone(), request_id: request_id(), validate_only: false };
        let _: v1::PublishRunResponse = rosa.change("ReviewService/PublishRun", &request).await;
        if !is_last {
            let request = v1::UnpublishRunRequest {
                name,
                reason: "Too early.".to_owned(),
                request_id: request_id(),
                validate_only: false,
            };
            let _: v1::UnpublishRunResponse = rosa.change("ReviewService/UnpublishRun", &request).await;
            submission = submitted(rosa, run).await;
        }
    }
}
