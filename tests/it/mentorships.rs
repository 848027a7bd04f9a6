//! A published match lives: each side answers, the two meet, check-ins are recorded, it ends; and what each reader learns of it.

use std::time::Duration;

use tonic::Status;
use wim_match::api::proto::v1;
use wim_match::api::proto::v1::MentorshipState::{Accepted, Active, Completed, Declined, Paused, Proposed};
use wim_match::client::{Client, request_id};
use wim_match::clock::Clock as _;

use crate::refusal::{reason, refused, wrong_fields};
use crate::review::{Cast, approve, cast, publish, submission_of, submit, two_people};
use crate::world::{World, on_both_databases};

on_both_databases! {
    a_mentorship_goes_from_the_proposal_to_its_end,
    a_decline_calls_for_a_repair_without_the_pair,
    a_side_keeps_what_it_says_from_the_other,
}

/// The round of the cast with its run published.
pub(crate) async fn published(world: World) -> (Cast, [Client; 2]) {
    let cast = cast(world, v1::Policy::default()).await;
    let people = two_people(&cast.world).await;
    let submission = submit(&people[0], submission_of(&cast.run)).await.expect("submits");
    approve(&people[1], &submission).await.expect("approves");
    publish(&people[0], &submission.name).await.expect("publishes");
    (cast, people)
}

pub(crate) async fn mentorships(client: &Client, round: &str) -> Vec<v1::Mentorship> {
    let request = v1::ListMentorshipsRequest { parent: round.to_owned(), ..Default::default() };
    client.mentorships.clone().list_mentorships(request).await.expect("lists").into_inner().mentorships
}

pub(crate) async fn respond(
    client: &Client,
    of: &v1::Mentorship,
    side: v1::Side,
    decline: v1::DeclineReason,
) -> Result<v1::Mentorship, Status> {
    let request = v1::RespondToMentorshipRequest {
        name: of.name.clone(),
        side: side.into(),
        decline_reason: decline.into(),
        request_id: request_id(),
        ..Default::default()
    };
    let done = client.mentorships.clone().respond_to_mentorship(request).await?.into_inner();
    Ok(done.mentorship.expect("a mentorship"))
}

pub(crate) const ACCEPTS: v1::DeclineReason = v1::DeclineReason::Unspecified;

async fn a_mentorship_goes_from_the_proposal_to_its_end(world: World) {
    let (cast, _) = Box::pin(published(world)).await;
    let all = mentorships(&cast.kenya.client, &cast.round).await;
    assert_eq!(all.len(), 2, "each pair of the run has one");
    assert_eq!(mentorships(&cast.world.coordinator(), &cast.round).await, all);
    let first = &all[0];
    assert_eq!((first.state(), first.introduction()), (Proposed, v1::Introduction::None));
    // What is checked is not written, and a wrong etag is refused.
    let check = v1::RespondToMentorshipRequest {
        name: first.name.clone(),
        side: v1::Side::Mentor.into(),
        etag: first.etag.clone(),
        validate_only: true,
        ..Default::default()
    };
    let before = cast.world.dump().await;
    let mut peru = cast.peru.client.mentorships.clone();
    peru.respond_to_mentorship(check.clone()).await.expect("is good");
    assert_eq!(cast.world.dump().await, before);
    let stale =
        v1::RespondToMentorshipRequest { etag: "\"9\"".to_owned(), validate_only: false, ..check.clone() };
    assert_eq!(refused(peru.respond_to_mentorship(stale).await), "ETAG_MISMATCH");
    // A manager does not answer for the other side.
    assert_eq!(wrong_fields(respond(&cast.peru.client, first, v1::Side::Mentee, ACCEPTS).await), ["side"]);
    let one = respond(&cast.peru.client, first, v1::Side::Mentor, ACCEPTS).await.expect("accepts");
    assert_eq!(one.state(), Proposed);
    let both = respond(&cast.kenya.client, first, v1::Side::Mentee, ACCEPTS).await.expect("accepts");
    assert_eq!((both.state(), both.introduction()), (Accepted, v1::Introduction::BothOrganisations));
    cast.world.clock().advance(Duration::from_hours(24));
    let day = cast.world.clock().now().strftime("%Y-%m-%d").to_string();
    let request = v1::RecordFirstMeetingRequest { name: first.name.clone(), date: day, ..Default::default() };
    let met = peru.record_first_meeting(request).await.expect("have met").into_inner().mentorship;
    assert_eq!(met.expect("a mentorship").state(), Active);
    let pause = v1::PauseMentorshipRequest { name: first.name.clone(), ..Default::default() };
    let paused = peru.pause_mentorship(pause).await.expect("pauses").into_inner().mentorship;
    assert_eq!(paused.expect("a mentorship").state(), Paused);
    let resume = v1::ResumeMentorshipRequest { name: first.name.clone(), ..Default::default() };
    let resumed = peru.resume_mentorship(resume).await.expect("resumes").into_inner().mentorship;
    assert_eq!(resumed.expect("a mentorship").state(), Active);
    let close = v1::CloseMentorshipRequest {
        name: first.name.clone(),
        side: v1::MentorshipEndSide::Both.into(),
        ..Default::default()
    };
    let closed = peru.close_mentorship(close.clone()).await.expect("closes").into_inner().mentorship;
    assert_eq!(closed.expect("a mentorship").state(), Completed);
    let early = v1::CloseMentorshipRequest { reason: v1::MentorshipEndReason::NoShow.into(), ..close };
    let late = peru.close_mentorship(early).await.expect_err("has ended");
    assert_eq!(reason(&late), "MENTORSHIP_STATE");
    // A publication with an acceptance is not taken back.
    let list = v1::ListSubmissionsRequest { parent: cast.round.clone(), ..Default::default() };
    let mut reviews = cast.world.coordinator().reviews;
    let listed = reviews.list_submissions(list).await.expect("lists").into_inner().submissions;
    let back = v1::UnpublishRunRequest {
        name: listed[0].name.clone(),
        reason: "Not yet.".to_owned(),
        ..Default::default()
    };
    assert_eq!(refused(reviews.unpublish_run(back).await), "PUBLICATION_BLOCKED");
    cast.world.stop().await;
}

async fn a_decline_calls_for_a_repair_without_the_pair(world: World) {
    let (cast, people) = Box::pin(published(world)).await;
    let all = mentorships(&cast.kenya.client, &cast.round).await;
    let declined = respond(&cast.kenya.client, &all[0], v1::Side::Mentee, v1::DeclineReason::NoTime).await;
    assert_eq!(declined.expect("declines").state(), Declined);
    let request = v1::GetRoundRequest { name: cast.round.clone() };
    let round = people[0].rounds.clone().get_round(request).await.expect("reads").into_inner().round;
    let round = round.expect("a round");
    assert!(round.calls_for_repair);
    // The days from which the due dates follow do not change any more.
    let request = v1::UpdateRoundRequest {
        round: Some(v1::Round { end_date: "2027-12-31".to_owned(), ..round }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["end_date".to_owned()] }),
        ..Default::default()
    };
    assert_eq!(refused(people[0].rounds.clone().update_round(request).await), "ROUND_STATE");
    cast.world.stop().await;
}

async fn a_side_keeps_what_it_says_from_the_other(world: World) {
    let (cast, _) = Box::pin(published(world)).await;
    let all = mentorships(&cast.kenya.client, &cast.round).await;
    let seen = respond(&cast.kenya.client, &all[0], v1::Side::Mentee, v1::DeclineReason::NotAFit).await;
    let answer = seen.expect("declines").mentee_answer.expect("her own");
    assert_eq!(answer.reason(), v1::DeclineReason::NotAFit);
    let get = v1::GetMentorshipRequest { name: all[0].name.clone() };
    let of = async |client: &Client| {
        let found = client.mentorships.clone().get_mentorship(get.clone()).await.expect("reads");
        found.into_inner().mentorship.expect("a mentorship")
    };
    let other = of(&cast.peru.client).await;
    assert_eq!((other.state(), other.mentee_answer), (Declined, None));
    let whole = of(&cast.world.coordinator()).await;
    assert_eq!(whole.mentee_answer.expect("for coordinators").reason(), v1::DeclineReason::NotAFit);
    // For a third organisation the mentorship does not exist.
    let chad = cast.world.manager("wim-chad").await;
    assert_eq!(refused(chad.client.mentorships.clone().get_mentorship(get.clone()).await), "NOT_FOUND");
    // A check-in of a proposal that was declined, without a consent, before the round: all at once.
    let check_in = v1::CheckIn {
        side: v1::Side::Mentee.into(),
        point: v1::CheckInPoint::Middle.into(),
        date: "2020-01-01".to_owned(),
        answers: Some(v1::CheckInAnswers { satisfaction: Some(5), ..Default::default() }),
        ..Default::default()
    };
    let request = v1::RecordCheckInRequest {
        parent: all[0].name.clone(),
        check_in: Some(check_in.clone()),
        ..Default::default()
    };
    let mut kenya = cast.kenya.client.mentorships.clone();
    assert_eq!(
        wrong_fields(kenya.record_check_in(request.clone()).await),
        ["check_in.date", "check_in.point", "check_in.side"]
    );
    let wrong = v1::CheckIn {
        answers: Some(v1::CheckInAnswers { satisfaction: Some(6), ..Default::default() }),
        ..check_in
    };
    let wrong = v1::RecordCheckInRequest { check_in: Some(wrong), ..request };
    assert_eq!(wrong_fields(kenya.record_check_in(wrong).await), ["check_in.answers.satisfaction"]);
    cast.world.stop().await;
}
