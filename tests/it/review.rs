//! The working group reviews a run, decides on pairs, and publishes: who may do what, in which order, and what stands in the way.

use tonic::Status;
use tonic_types::StatusExt as _;
use wim_match::api::proto::v1;
use wim_match::api::proto::v1::CommentKind::{Comment, Contest, Mark};
use wim_match::api::proto::v1::SubmissionState::{Approved, Published, Rejected, Submitted, Unpublished};
use wim_match::client::{Client, request_id};

use crate::refusal::{reason, refused, wrong_fields};
use crate::world::{Manager, World, matches, mentee, mentor, on_both_databases, soon};

on_both_databases! {
    a_decision_is_made_once_and_released_once,
    decisions_hold_in_every_run_until_they_are_released,
    an_erased_person_leaves_no_word_behind,
    a_question_says_what_a_decision_then_does,
    what_stands_in_the_way_of_a_pin_is_told_together,
    reviewers_and_organisations_speak_of_pairs,
    a_run_is_published_by_two_people_and_once,
    what_has_changed_stops_a_submission,
    an_objection_holds_the_publication_until_it_is_answered,
    two_replicas_publish_once,
    a_published_round_is_repaired_with_few_changes,
}

/// Two organisations in a round that was run: two mentors of Peru with a place each, two mentees of Kenya.
pub(crate) struct Cast {
    pub(crate) world: World,
    pub(crate) peru: Manager,
    pub(crate) kenya: Manager,
    pub(crate) round: String,
    pub(crate) run: v1::Run,
}

pub(crate) async fn cast(world: World, policy: v1::Policy) -> Cast {
    Box::pin(cast_in(world, policy)).await
}

async fn cast_in(world: World, policy: v1::Policy) -> Cast {
    let round = world.open_round_with("r", policy).await.name;
    let mut peru = world.manager("wim-peru").await;
    let mut kenya = world.manager("wim-kenya").await;
    peru.import(vec![mentor("a", 1), mentor("b", 1)]).await;
    kenya.import(vec![mentee("c"), mentee("d")]).await;
    peru.enrol_all(&round).await;
    kenya.enrol_all(&round).await;
    let run = soon(world.run_to_the_end(&round)).await;
    assert_eq!(run.state(), v1::RunState::Succeeded);
    Cast { world, peru, kenya, round, run }
}

impl Cast {
    pub(crate) fn pin(&self, mentee: &str, mentor: &str) -> v1::PinPairRequest {
        v1::PinPairRequest {
            round: self.round.clone(),
            mentee: self.kenya.member(mentee),
            mentor: self.peru.member(mentor),
            reason: "They know each other.".to_owned(),
            request_id: request_id(),
            ..v1::PinPairRequest::default()
        }
    }

    pub(crate) fn veto(&self, mentee: &str, mentor: &str) -> v1::VetoPairRequest {
        let v1::PinPairRequest { round, mentee, mentor, reason, request_id, .. } = self.pin(mentee, mentor);
        v1::VetoPairRequest { round, mentee, mentor, reason, request_id, ..v1::VetoPairRequest::default() }
    }

    pub(crate) async fn release(&self, decision: &v1::Decision) -> Result<v1::Decision, Status> {
        let request = v1::ReleaseDecisionRequest {
            name: decision.name.clone(),
            reason: "No longer.".to_owned(),
            request_id: request_id(),
            validate_only: false,
        };
        let released = self.world.coordinator().reviews.release_decision(request).await?.into_inner();
        Ok(released.decision.expect("a decision"))
    }

    pub(crate) async fn decisions(&self, show_released: bool) -> Vec<v1::Decision> {
        let parent = self.round.clone();
        let request = v1::ListDecisionsRequest { parent, show_released, ..Default::default() };
        let page = self.world.coordinator().reviews.list_decisions(request).await.expect("lists");
        page.into_inner().decisions
    }

    pub(crate) async fn reviewed(&self, filter: v1::ReviewFilter) -> Vec<v1::ReviewedMatch> {
        let (parent, filter) = (self.run.name.clone(), Some(filter));
        let request = v1::ListReviewedMatchesRequest { parent, filter, ..Default::default() };
        let page = self.world.coordinator().reviews.list_reviewed_matches(request).await.expect("lists");
        page.into_inner().matches
    }

    async fn state(&self) -> v1::RoundState {
        let request = v1::GetRoundRequest { name: self.round.clone() };
        let round = self.world.coordinator().rounds.get_round(request).await.expect("reads");
        round.into_inner().round.expect("a round").state()
    }

    /// The match of a mentee, as Kenya reads it.
    pub(crate) async fn match_of(&self, mentee: &str) -> v1::Match {
        let mentee = self.kenya.member(mentee);
        let all = matches(&mut self.kenya.client.clone(), &self.run.name, 0).await;
        all.into_iter().find(|pair| pair.mentee == mentee).expect("is matched")
    }
}

pub(crate) fn submission_of(run: &v1::Run) -> v1::SubmitRunRequest {
    v1::SubmitRunRequest {
        name: run.name.clone(),
        result_digest: run.result_digest.clone(),
        comment: "Please look at the second pair.".to_owned(),
        request_id: request_id(),
        validate_only: false,
    }
}

pub(crate) async fn submit(client: &Client, request: v1::SubmitRunRequest) -> Result<v1::Submission, Status> {
    let done = client.reviews.clone().submit_run(request).await?.into_inner();
    Ok(done.submission.expect("a submission"))
}

pub(crate) async fn approve(client: &Client, submission: &v1::Submission) -> Result<v1::Submission, Status> {
    let v1::Submission { name, result_digest, .. } = submission.clone();
    let request =
        v1::ApproveRunRequest { name, result_digest, request_id: request_id(), ..Default::default() };
    let done = client.reviews.clone().approve_run(request).await?.into_inner();
    Ok(done.submission.expect("a submission"))
}

pub(crate) async fn publish(client: &Client, name: &str) -> Result<v1::Submission, Status> {
    let request =
        v1::PublishRunRequest { name: name.to_owned(), request_id: request_id(), validate_only: false };
    let done = client.reviews.clone().publish_run(request).await?.into_inner();
    Ok(done.submission.expect("a submission"))
}

async fn reject(client: &Client, name: &str) -> Result<v1::Submission, Status> {
    let (name, reason, request_id) = (name.to_owned(), "Look again.".to_owned(), request_id());
    let request = v1::RejectRunRequest { name, reason, request_id, validate_only: false };
    let done = client.reviews.clone().reject_run(request).await?.into_inner();
    Ok(done.submission.expect("a submission"))
}

/// Two people of the working group.
pub(crate) async fn two_people(world: &World) -> [Client; 2] {
    let role = v1::Role::Coordinator;
    [world.person("rosa", role).await, world.person("amara", role).await]
}

/// A value of the metadata of a refusal.
fn told(status: &Status, key: &str) -> String {
    let details = status.get_error_details();
    details.error_info().and_then(|info| info.metadata.get(key).cloned()).unwrap_or_default()
}

async fn a_decision_is_made_once_and_released_once(world: World) {
    let cast = cast(world, v1::Policy::default()).await;
    let mut client = cast.world.coordinator().reviews;
    let pin = cast.pin("c", "b");
    let check = v1::PinPairRequest { validate_only: true, ..pin.clone() };
    let before = cast.world.dump().await;
    let checked = client.pin_pair(check).await.expect("is good").into_inner().decision.expect("a decision");
    assert_eq!(cast.world.dump().await, before, "a check writes nothing");
    let made = client.pin_pair(pin.clone()).await.expect("pins").into_inner().decision.expect("a decision");
    assert_eq!(made, checked);
    assert_eq!((made.kind(), made.name.as_str()), (v1::DecisionKind::Pin, "rounds/r/decisions/1"));
    let again = client.pin_pair(pin.clone()).await.expect("again").into_inner().decision;
    assert_eq!(again.as_ref(), Some(&made));
    // A new request for the same pair finds the pin that is there.
    let other = v1::PinPairRequest { reason: "Another reason.".to_owned(), ..cast.pin("c", "b") };
    assert_eq!(
        client.pin_pair(other.clone()).await.expect("stays").into_inner().decision,
        Some(made.clone())
    );
    let reused = v1::PinPairRequest { request_id: pin.request_id.clone(), ..other };
    assert_eq!(refused(client.pin_pair(reused).await), "REQUEST_ID_REUSED");
    let veto = client.veto_pair(cast.veto("c", "b")).await.expect_err("is pinned");
    assert_eq!((reason(&veto).as_str(), told(&veto, "obstacles").as_str()), ("DECISION_REFUSED", "PINNED"));
    // The pair has moved on: an etag of before is stale.
    let stale = v1::VetoPairRequest { etag: "\"0\"".to_owned(), ..cast.veto("c", "b") };
    assert_eq!(refused(client.veto_pair(stale).await), "ETAG_MISMATCH");
    let run = cast.world.coordinator().runs.get_run(v1::GetRunRequest { name: cast.run.name.clone() }).await;
    let run = run.expect("reads").into_inner().run.expect("a run");
    assert_eq!(run.stale_causes, [i32::from(v1::StaleCause::Decisions)]);
    let own = cast.kenya.client.clone().runs.get_run(v1::GetRunRequest { name: run.name }).await;
    assert!(
        own.expect("reads").into_inner().run.expect("a run").stale_causes.is_empty(),
        "a manager learns nothing"
    );

    let released = cast.release(&made).await.expect("releases");
    assert_eq!(released.release.as_ref().map(|release| release.reason.as_str()), Some("No longer."));
    assert_eq!(reason(&cast.release(&made).await.expect_err("is released")), "DECISION_RELEASED");
    assert_eq!(cast.decisions(false).await, []);
    assert_eq!(cast.decisions(true).await, [released]);
    let veto = client.veto_pair(cast.veto("c", "b")).await.expect("vetoes").into_inner().decision;
    assert_eq!(veto.expect("a decision").name, "rounds/r/decisions/3", "the release was the second change");
    cast.world.stop().await;
}

async fn decisions_hold_in_every_run_until_they_are_released(world: World) {
    let cast = cast(world, v1::Policy::default()).await;
    let mut client = cast.world.coordinator().reviews;
    let pair_of = async |mentee: &str, run: &v1::Run| {
        let all = matches(&mut cast.world.coordinator(), &run.name, 0).await;
        let mentee = cast.kenya.member(mentee);
        all.into_iter().find(|pair| pair.mentee == mentee).map(|pair| (pair.mentor, pair.pinned))
    };
    let (before, _) = pair_of("c", &cast.run).await.expect("is matched");
    let other = ["a", "b"].into_iter().find(|id| cast.peru.member(id) != before).expect("another mentor");
    let pinned =
        client.pin_pair(cast.pin("c", other)).await.expect("pins").into_inner().decision.expect("one");
    let run = soon(cast.world.run_to_the_end(&cast.round)).await;
    assert_eq!(pair_of("c", &run).await, Some((cast.peru.member(other), true)));
    let verify = v1::VerifyRunRequest { name: run.name.clone() };
    let verified = cast.world.coordinator().runs.verify_run(verify).await.expect("verifies").into_inner();
    assert!(verified.proved && verified.input_unchanged && verified.result_unchanged, "{verified:?}");
    cast.release(&pinned).await.expect("releases");
    // Both mentors are vetoed for her: nobody is left.
    for mentor in ["a", "b"] {
        client.veto_pair(cast.veto("c", mentor)).await.expect("vetoes");
    }
    let run = soon(cast.world.run_to_the_end(&cast.round)).await;
    assert_eq!(pair_of("c", &run).await, None);
    assert!(pair_of("d", &run).await.is_some());
    // Somebody who has left takes her pins out of force with her.
    for decision in cast.decisions(false).await {
        cast.release(&decision).await.expect("releases");
    }
    client.pin_pair(cast.pin("d", "a")).await.expect("pins");
    let mut kenya = cast.kenya;
    let own = kenya.enrolments(&cast.round).await;
    let leaver = own.iter().find(|one| one.profile == kenya.member("d")).expect("is enrolled");
    let withdraw = v1::WithdrawEnrolmentsRequest {
        parent: cast.round.clone(),
        organisation: kenya.name(),
        enrolments: vec![leaver.name.clone()],
        ..v1::WithdrawEnrolmentsRequest::default()
    };
    kenya.client.rounds.withdraw_enrolments(withdraw).await.expect("withdraws");
    let run = soon(cast.world.run_to_the_end(&cast.round)).await;
    assert_eq!(run.state(), v1::RunState::Succeeded);
    cast.world.stop().await;
}

async fn a_question_says_what_a_decision_then_does(world: World) {
    let cast = cast(world, v1::Policy::default()).await;
    let mut client = cast.world.coordinator().reviews;
    let pair = cast.match_of("c").await;
    let other = ["a", "b"].map(|id| cast.peru.member(id)).into_iter().find(|id| *id != pair.mentor);
    let other = other.expect("another mentor");
    let ask = |add: Vec<v1::ProposedDecision>| v1::WhatIfDecisionsRequest {
        name: cast.run.name.clone(),
        add,
        release: Vec::new(),
    };
    let pin = |mentor: &str| v1::ProposedDecision {
        kind: v1::DecisionKind::Pin.into(),
        mentee: pair.mentee.clone(),
        mentor: mentor.to_owned(),
    };
    let before = cast.world.dump().await;
    let effect = client.what_if_decisions(ask(vec![pin(&other)])).await.expect("answers").into_inner().effect;
    let effect = effect.expect("an effect");
    let request = v1::ListAlternatesRequest {
        name: cast.run.name.clone(),
        person: pair.mentee.clone(),
        side: v1::Side::Mentee.into(),
        limit: 0,
    };
    let alternates = client.list_alternates(request.clone()).await.expect("lists").into_inner().alternates;
    assert_eq!(cast.world.dump().await, before, "a question writes nothing");
    assert_eq!(effect.moves.len(), 2, "the two mentees exchange their mentors: {effect:?}");
    let [alternate] = &alternates[..] else { panic!("one other mentor: {alternates:?}") };
    assert_eq!((&alternate.mentor, alternate.lost_mentees), (&other, 0));
    let [was, then] = [effect.before.expect("numbers"), effect.after.expect("numbers")];
    assert_eq!(alternate.lost_score, (was.total_score - then.total_score).max(0));
    assert_eq!(alternate.moves, effect.moves);
    // Two pins of one mentee, and a pin of a vetoed pair, are told together.
    let veto = v1::ProposedDecision { kind: v1::DecisionKind::Veto.into(), ..pin(&other) };
    let conflict = client.what_if_decisions(ask(vec![pin(&other), pin(&pair.mentor), veto])).await;
    let conflict = conflict.expect_err("contradicts itself");
    assert_eq!(reason(&conflict), "DECISIONS_CONFLICT");
    assert!(conflict.message().matches("release").count() >= 2, "{}", conflict.message());
    let wrong = v1::ProposedDecision { kind: 0, mentee: "x".to_owned(), mentor: other.clone() };
    assert_eq!(
        wrong_fields(client.what_if_decisions(ask(vec![wrong])).await),
        ["add[0].mentee", "add[0].kind"]
    );
    let absent = v1::ListAlternatesRequest { person: cast.kenya.member("nobody"), ..request.clone() };
    assert_eq!(refused(client.list_alternates(absent).await), "NOT_FOUND");

    let id = other.rsplit('/').next().expect("an id");
    client.pin_pair(cast.pin("c", id)).await.expect("pins");
    let run = soon(cast.world.run_to_the_end(&cast.round)).await;
    let summary = run.summary.expect("a summary");
    assert_eq!(summary.total_score, then.total_score);
    assert_eq!((summary.matches, summary.matched_mentees), (then.matches, then.matched_mentees));
    // Somebody is erased: the run answers no question any more, also from memory.
    let erase =
        v1::EraseProfileRequest { name: pair.mentee.clone(), request_id: request_id(), ..Default::default() };
    cast.kenya.client.privacy.clone().erase_profile(erase).await.expect("erases");
    assert_eq!(refused(client.list_alternates(request).await), "INPUT_ERASED");
    cast.world.stop().await;
}

async fn an_erased_person_leaves_no_word_behind(world: World) {
    let cast = cast(world, v1::Policy::default()).await;
    let mut client = cast.world.coordinator().reviews;
    let secret = "Nobody may keep this sentence.";
    let pin =
        v1::PinPairRequest { reason: format!("{secret} 1"), request_id: String::new(), ..cast.pin("c", "a") };
    client.pin_pair(pin).await.expect("pins");
    let run = soon(cast.world.run_to_the_end(&cast.round)).await;
    let comment = v1::CreateCommentRequest {
        round: cast.round.clone(),
        mentee: cast.kenya.member("c"),
        mentor: cast.peru.member("a"),
        text: format!("{secret} 2"),
        ..v1::CreateCommentRequest::default()
    };
    client.create_comment(comment).await.expect("says");
    let name = cast.kenya.member("c");
    let mut privacy = cast.kenya.client.privacy.clone();
    let request = v1::ExportPersonalDataRequest { name: name.clone(), ..Default::default() };
    let data = privacy.export_personal_data(request).await.expect("exports").into_inner().data;
    let data = data.expect("data");
    assert_eq!((data.decisions.len(), data.comments.len()), (1, 1));
    assert!(data.decisions[0].reason.starts_with(secret) && data.comments[0].text.starts_with(secret));
    let request = v1::EraseProfileRequest { name, request_id: request_id(), ..Default::default() };
    privacy.erase_profile(request).await.expect("erases");
    assert!(!cast.world.dump().await.iter().any(|row| row.contains(secret)), "words are left");
    cast.world.holds_nowhere(secret);
    let verify = v1::VerifyRunRequest { name: run.name };
    let verified = cast.world.coordinator().runs.verify_run(verify).await.expect("verifies").into_inner();
    assert!(verified.input_erased && verified.input_unchanged && verified.result_unchanged, "{verified:?}");
    cast.world.stop().await;
}

async fn what_stands_in_the_way_of_a_pin_is_told_together(world: World) {
    let cast = cast(world, v1::Policy::default()).await;
    let mut client = cast.world.coordinator().reviews;
    let obstacles = async |request: v1::PinPairRequest| {
        let status = cast.world.coordinator().reviews.pin_pair(request).await.expect_err("is refused");
        assert_eq!(reason(&status), "DECISION_REFUSED", "{status:?}");
        told(&status, "obstacles")
    };
    let swapped = v1::PinPairRequest {
        mentee: cast.peru.member("a"),
        mentor: cast.kenya.member("c"),
        ..cast.pin("c", "a")
    };
    assert_eq!(obstacles(swapped).await, "NO_MENTEE,NO_MENTOR");
    let stranger = v1::PinPairRequest { mentee: cast.kenya.member("nobody"), ..cast.pin("c", "a") };
    assert_eq!(obstacles(stranger).await, "NO_MENTEE");
    client.pin_pair(cast.pin("c", "a")).await.expect("pins");
    // One place and one wanted mentor each.
    assert_eq!(obstacles(cast.pin("d", "a")).await, "MENTOR_PLACES");
    assert_eq!(obstacles(cast.pin("c", "b")).await, "MENTEE_PLACES");
    client.veto_pair(cast.veto("d", "b")).await.expect("vetoes");
    assert_eq!(obstacles(cast.pin("d", "b")).await, "VETOED");
    let herself =
        v1::PinPairRequest { mentor: cast.kenya.member("c"), reason: String::new(), ..cast.pin("c", "a") };
    assert_eq!(wrong_fields(client.pin_pair(herself).await), ["mentor", "reason"]);
    // A private answer forbids the pair: it is refused without a rule.
    let mut peru = cast.peru;
    let avoids =
        wim_match::domain::profile::ProfileDraft { avoided: vec![cast.kenya.member("d")], ..mentor("a", 1) };
    peru.import(vec![avoids]).await;
    let [pin] = &cast.world.coordinator().all_decisions("rounds/r", false).await.expect("lists")[..1] else {
        panic!()
    };
    let release = v1::ReleaseDecisionRequest {
        name: pin.name.clone(),
        reason: "No longer.".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    client.release_decision(release).await.expect("releases");
    let hidden = v1::PinPairRequest {
        round: "rounds/r".to_owned(),
        mentee: cast.kenya.member("d"),
        mentor: peru.member("a"),
        reason: "They asked.".to_owned(),
        ..v1::PinPairRequest::default()
    };
    let status = client.pin_pair(hidden).await.expect_err("is not possible");
    assert_eq!(told(&status, "obstacles"), "NOT_POSSIBLE");
    cast.world.stop().await;
}

async fn reviewers_and_organisations_speak_of_pairs(world: World) {
    let cast = cast(world, v1::Policy::default()).await;
    let mut client = cast.world.coordinator().reviews;
    let pair = cast.match_of("c").await;
    let (round, mentee, mentor) = (cast.round.clone(), pair.mentee.clone(), pair.mentor.clone());
    let comment = v1::CreateCommentRequest {
        round: round.clone(),
        mentee: mentee.clone(),
        mentor: mentor.clone(),
        text: "Is this not far away?".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let said = client.create_comment(comment.clone()).await.expect("says").into_inner().comment;
    assert_eq!(client.create_comment(comment).await.expect("again").into_inner().comment, said);
    let contest = |organisation: String| v1::ContestMatchRequest {
        name: pair.name.clone(),
        organisation,
        reason: "She knows her already.".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let mut kenya = cast.kenya.client.reviews.clone();
    assert_eq!(refused(kenya.contest_match(contest(cast.peru.name())).await), "NOT_FOUND");
    let contested = kenya.contest_match(contest(cast.kenya.name())).await.expect("contests").into_inner();
    assert_eq!(contested.comment.expect("a comment").organisation, cast.kenya.name());

    let attention =
        |cause: v1::Attention| v1::ReviewFilter { attention: vec![cause.into()], ..Default::default() };
    let found = cast.reviewed(attention(v1::Attention::Contested)).await;
    assert_eq!(found.len(), 1);
    let review = found[0].review.clone().expect("a review");
    assert_eq!((review.open_contests, review.comments, review.mark.is_none()), (1, 1, true));
    assert_eq!(cast.reviewed(v1::ReviewFilter { reviewed: Some(true), ..Default::default() }).await, []);
    let mark = |etag: &str| v1::MarkReviewedRequest {
        round: round.clone(),
        mentee: mentee.clone(),
        mentor: mentor.clone(),
        text: "She does not: another person of that name.".to_owned(),
        etag: etag.to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    // Another reviewer has read the pair before the contest.
    assert_eq!(refused(client.mark_reviewed(mark("\"1\"")).await), "ETAG_MISMATCH");
    let marked = client.mark_reviewed(mark(&review.etag)).await.expect("marks").into_inner().review;
    let marked = marked.expect("a review");
    assert_eq!((marked.open_contests, marked.mark.is_some()), (0, true));
    assert_eq!(cast.reviewed(v1::ReviewFilter { reviewed: Some(true), ..Default::default() }).await.len(), 1);

    let comments = async |client: &Client| {
        let request = v1::ListCommentsRequest { parent: review.name.clone(), ..Default::default() };
        client.reviews.clone().list_comments(request).await.map(|page| page.into_inner().comments)
    };
    let kinds = |all: Vec<v1::Comment>| all.iter().map(v1::Comment::kind).collect::<Vec<_>>();
    assert_eq!(kinds(comments(&cast.world.coordinator()).await.expect("lists")), [Comment, Contest, Mark]);
    // An organisation reads its own words alone; of whom nobody is hers, the pair does not exist.
    assert_eq!(kinds(comments(&cast.kenya.client).await.expect("lists")), [Contest]);
    assert_eq!(kinds(comments(&cast.peru.client).await.expect("lists")), []);
    let ghana = cast.world.manager("wim-ghana").await;
    assert_eq!(reason(&comments(&ghana.client).await.expect_err("is foreign")), "NOT_FOUND");
    cast.world.stop().await;
}

async fn a_run_is_published_by_two_people_and_once(world: World) {
    let cast = cast(world, v1::Policy { approvals: 2, ..v1::Policy::default() }).await;
    let first = cast.world.person("rosa", v1::Role::Coordinator).await;
    let second = cast.world.person("amara", v1::Role::Coordinator).await;
    let third = cast.world.person("lena", v1::Role::Coordinator).await;
    let wrong = v1::SubmitRunRequest { result_digest: "0".repeat(64), ..submission_of(&cast.run) };
    assert_eq!(wrong_fields(first.reviews.clone().submit_run(wrong).await), ["result_digest"]);
    let submission = submit(&first, submission_of(&cast.run)).await.expect("submits");
    assert_eq!((submission.state(), submission.required_approvals), (Submitted, 2));
    assert_eq!(cast.state().await, v1::RoundState::Submitted);
    assert_eq!(
        reason(&submit(&second, submission_of(&cast.run)).await.expect_err("one at a time")),
        "ROUND_STATE"
    );
    assert_eq!(reason(&publish(&second, &submission.name).await.expect_err("not yet")), "SUBMISSION_STATE");

    // A round with a submission is not cancelled under it.
    let cancel = v1::CancelRoundRequest { name: cast.round.clone(), ..v1::CancelRoundRequest::default() };
    assert_eq!(refused(second.rounds.clone().cancel_round(cancel).await), "ROUND_STATE");
    let herself = approve(&first, &submission).await.expect_err("not she herself");
    assert_eq!((reason(&herself).as_str(), told(&herself, "rule").as_str()), ("SECOND_PERSON", "SUBMITTER"));
    let program = approve(&cast.world.coordinator(), &submission).await.expect_err("not a program");
    assert_eq!(told(&program, "rule"), "SERVICE");
    let one = approve(&second, &submission).await.expect("approves");
    assert_eq!((one.state(), one.approvals.len()), (Submitted, 1));
    let again = approve(&second, &submission).await.expect("counts once");
    assert_eq!(again, one);
    let two = approve(&third, &submission).await.expect("approves");
    assert_eq!((two.state(), two.approvals.len(), two.objection_end_time.is_some()), (Approved, 2, true));
    assert_eq!(cast.state().await, v1::RoundState::Approved);

    let published = publish(&first, &submission.name).await.expect("publishes");
    assert_eq!(published.state(), Published);
    assert_eq!(cast.state().await, v1::RoundState::Published);
    assert_eq!(publish(&second, &submission.name).await.expect("once"), published);
    // A manager reads the publication without the digest.
    let request = v1::GetSubmissionRequest { name: submission.name.clone() };
    let own = cast.kenya.client.reviews.clone().get_submission(request).await.expect("reads").into_inner();
    let own = own.submission.expect("a submission");
    assert_eq!((own.state(), own.result_digest.as_str(), own.comment.as_str()), (Published, "", ""));
    assert_eq!(
        reason(&reject(&second, &submission.name).await.expect_err("is published")),
        "SUBMISSION_STATE"
    );

    let request = v1::UnpublishRunRequest {
        name: submission.name.clone(),
        reason: "A name was wrong.".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let back =
        second.reviews.clone().unpublish_run(request).await.expect("takes back").into_inner().submission;
    assert_eq!(back.expect("a submission").state(), Unpublished);
    assert_eq!(cast.state().await, v1::RoundState::Review);
    let next = submit(&second, submission_of(&cast.run)).await.expect("submits again");
    assert_eq!(next.name, "rounds/r/submissions/2");
    cast.world.stop().await;
}

async fn what_has_changed_stops_a_submission(world: World) {
    let mut cast = cast(world, v1::Policy::default()).await;
    let [first, second] = two_people(&cast.world).await;
    let submission = submit(&first, submission_of(&cast.run)).await.expect("submits");
    cast.kenya
        .import(vec![wim_match::domain::profile::ProfileDraft { employer: "New".to_owned(), ..mentee("c") }])
        .await;
    let stale = approve(&second, &submission).await.expect_err("is stale");
    assert_eq!((reason(&stale).as_str(), told(&stale, "causes").as_str()), ("RUN_STALE", "PROFILES"));
    let ended = reject(&second, &submission.name).await.expect("rejects");
    assert_eq!(ended.state(), Rejected);
    assert_eq!(cast.state().await, v1::RoundState::Review);
    assert_eq!(reason(&submit(&first, submission_of(&cast.run)).await.expect_err("is stale")), "RUN_STALE");
    let next = soon(cast.world.run_to_the_end(&cast.round)).await;
    let submission = submit(&first, submission_of(&next)).await.expect("submits");
    let approved = approve(&second, &submission).await.expect("approves");
    assert_eq!(approved.state(), Approved);
    // Somebody leaves after the approval.
    let names: Vec<String> =
        cast.kenya.enrolments(&cast.round).await.into_iter().map(|one| one.name).collect();
    let withdraw = v1::WithdrawConsentRequest {
        name: consent_of(&cast, "c").await,
        request_id: request_id(),
        ..v1::WithdrawConsentRequest::default()
    };
    cast.kenya.client.privacy.clone().withdraw_consent(withdraw).await.expect("withdraws");
    assert_eq!(names.len(), 2);
    let stale = publish(&first, &submission.name).await.expect_err("is stale");
    assert_eq!(told(&stale, "causes"), "ENROLMENTS,PROFILES");
    assert_eq!(cast.state().await, v1::RoundState::Approved, "nothing is half done");
    cast.world.stop().await;
}

async fn consent_of(cast: &Cast, member: &str) -> String {
    let all = cast.kenya.client.all_consents(&cast.kenya.member(member)).await.expect("lists");
    all.into_iter().find(|one| one.purpose() == v1::ConsentPurpose::Matching).expect("a consent").name
}

async fn an_objection_holds_the_publication_until_it_is_answered(world: World) {
    let cast = cast(world, v1::Policy { objection_days: 3, ..v1::Policy::default() }).await;
    let [first, second] = two_people(&cast.world).await;
    let pair = cast.match_of("c").await;
    let objection = v1::ObjectToMatchRequest {
        name: pair.name.clone(),
        organisation: cast.kenya.name(),
        reason: "They worked together.".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let mut kenya = cast.kenya.client.reviews.clone();
    assert_eq!(refused(kenya.object_to_match(objection.clone()).await), "ROUND_STATE");
    let submission = submit(&first, submission_of(&cast.run)).await.expect("submits");
    approve(&second, &submission).await.expect("approves");
    kenya.object_to_match(objection).await.expect("objects");
    let held = publish(&first, &submission.name).await.expect_err("is held");
    assert_eq!(reason(&held), "PUBLICATION_BLOCKED");
    assert_eq!(told(&held, "obstacles"), "OBJECTION_TIME,OPEN_OBJECTIONS");
    let mark = v1::MarkReviewedRequest {
        round: cast.round.clone(),
        mentee: pair.mentee.clone(),
        mentor: pair.mentor.clone(),
        text: "Kenya agrees now.".to_owned(),
        request_id: request_id(),
        ..v1::MarkReviewedRequest::default()
    };
    // Who answers an objection has read it.
    assert_eq!(refused(second.reviews.clone().mark_reviewed(mark.clone()).await), "ETAG_MISMATCH");
    let all = cast.reviewed(v1::ReviewFilter::default()).await;
    let review = all.into_iter().filter_map(|one| one.review).find(|review| review.mentee == pair.mentee);
    let mark = v1::MarkReviewedRequest { etag: review.expect("a review").etag, ..mark };
    second.reviews.clone().mark_reviewed(mark).await.expect("marks");
    let held = publish(&first, &submission.name).await.expect_err("is held");
    assert_eq!(told(&held, "obstacles"), "OBJECTION_TIME");
    cast.world.clock().advance(std::time::Duration::from_hours(3 * 24));
    assert_eq!(publish(&first, &submission.name).await.expect("publishes").state(), Published);
    cast.world.stop().await;
}

async fn two_replicas_publish_once(world: World) {
    let cast = cast(world, v1::Policy::default()).await;
    let [first, second] = two_people(&cast.world).await;
    let submission = submit(&first, submission_of(&cast.run)).await.expect("submits");
    approve(&second, &submission).await.expect("approves");
    let (one, other) = tokio::join!(publish(&first, &submission.name), publish(&second, &submission.name));
    let [one, other] = [one.expect("publishes"), other.expect("finds it published")];
    assert_eq!(one, other);
    let secretariat = cast.world.secretariat();
    let request = v1::ListAuditEntriesRequest { page_size: 1_000, ..Default::default() };
    let entries = secretariat.admin.clone().list_audit_entries(request).await.expect("lists").into_inner();
    let published = entries.entries.iter().filter(|entry| entry.action == "run.publish").count();
    assert_eq!(published, 1);
    cast.world.stop().await;
}

async fn a_published_round_is_repaired_with_few_changes(world: World) {
    let mut cast = cast(world, v1::Policy::default()).await;
    let [first, second] = two_people(&cast.world).await;
    let publication = submit(&first, submission_of(&cast.run)).await.expect("submits");
    approve(&second, &publication).await.expect("approves");
    publish(&first, &publication.name).await.expect("publishes");
    let start = |follows: &v1::Run, repair: bool| v1::StartRunRequest {
        round: cast.round.clone(),
        follows: follows.name.clone(),
        repair,
        ..v1::StartRunRequest::default()
    };
    let plain = start(&cast.run, false);
    let repair = start(&cast.run, true);
    assert_eq!(refused(first.runs.clone().start_run(plain).await), "ROUND_STATE");
    // One mentee leaves, and another one joins late.
    let leaver = cast.kenya.member("d");
    let own = cast.kenya.enrolments(&cast.round).await;
    let withdraw = v1::WithdrawEnrolmentsRequest {
        parent: cast.round.clone(),
        organisation: cast.kenya.name(),
        enrolments: own.iter().filter(|one| one.profile == leaver).map(|one| one.name.clone()).collect(),
        ..v1::WithdrawEnrolmentsRequest::default()
    };
    cast.kenya.client.rounds.withdraw_enrolments(withdraw).await.expect("withdraws");
    cast.kenya.import(vec![mentee("e")]).await;
    cast.kenya.enrol(&cast.round, &["e"]).await;
    let read = v1::GetRunRequest { name: cast.run.name.clone() };
    let run = first.runs.clone().get_run(read).await.expect("reads").into_inner().run.expect("a run");
    assert_eq!(
        run.stale_causes,
        [i32::from(v1::StaleCause::Enrolments)],
        "the published run calls for a repair"
    );

    let started =
        first.runs.clone().start_run(repair).await.expect("starts").into_inner().run.expect("a run");
    let repaired = soon(cast.world.watch(&started.name)).await.pop().expect("an ended run");
    assert_eq!((repaired.state(), repaired.repairs), (v1::RunState::Succeeded, true));
    let kept = cast.match_of("c").await;
    let now = matches(&mut cast.world.coordinator(), &repaired.name, 0).await;
    assert_eq!(now.len(), 2);
    assert!(
        now.iter().any(|pair| pair.mentee == kept.mentee && pair.mentor == kept.mentor),
        "her pair stays"
    );
    assert!(now.iter().any(|pair| pair.mentee == cast.kenya.member("e")), "who has joined is matched");

    // A repair that is rejected leaves the publication as it is.
    let submission = submit(&first, submission_of(&repaired)).await.expect("submits");
    assert_eq!(cast.state().await, v1::RoundState::Submitted);
    let back = v1::UnpublishRunRequest {
        name: publication.name.clone(),
        reason: "Not now.".to_owned(),
        ..v1::UnpublishRunRequest::default()
    };
    assert_eq!(refused(second.reviews.clone().unpublish_run(back).await), "ROUND_STATE");
    assert_eq!(reject(&second, &submission.name).await.expect("rejects").state(), Rejected);
    assert_eq!(cast.state().await, v1::RoundState::Published);
    let submission = submit(&first, submission_of(&repaired)).await.expect("submits");
    approve(&second, &submission).await.expect("approves");
    assert_eq!(publish(&first, &submission.name).await.expect("publishes").state(), Published);
    assert_eq!(cast.state().await, v1::RoundState::Published);
    let request = v1::GetSubmissionRequest { name: publication.name };
    let before = first.reviews.clone().get_submission(request).await.expect("reads").into_inner().submission;
    assert_eq!(before.expect("a submission").state(), v1::SubmissionState::Superseded);
    cast.world.stop().await;
}
