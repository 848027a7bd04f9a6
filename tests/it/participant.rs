//! "Where am I?": what the manager of a person's organisation reads of her in one call, from her enrolment to the end.

use std::time::Duration;

use wim_match::api::proto::v1;
use wim_match::api::proto::v1::ParticipationStage::{
    AwaitsRepair, Enrolled, InApproval, Matched, Unmatched, Withdrawn,
};
use wim_match::client::Client;

use crate::refusal::{refused, wrong_fields};
use crate::review::{approve, publish, submission_of, submit, two_people};
use crate::world::{Manager, World, matches, mentee, mentor, on_both_databases, soon};

on_both_databases! {
    a_person_is_told_where_she_is_from_her_enrolment_to_her_mentorship,
    a_person_without_a_match_is_told_why_and_since_when_she_waits,
}

async fn status_of(client: &Client, profile: String) -> v1::ParticipantStatus {
    let request = v1::GetParticipantStatusRequest { profile };
    let found = client.mentorships.clone().get_participant_status(request).await.expect("reads");
    found.into_inner().status.expect("a status")
}

/// The one round of a person.
async fn only_round(of: &Manager, id: &str) -> v1::Participation {
    let mut rounds = status_of(&of.client, of.member(id)).await.rounds;
    assert_eq!(rounds.len(), 1);
    rounds.remove(0)
}

async fn respond(client: &Client, name: &str, side: v1::Side) {
    let request =
        v1::RespondToMentorshipRequest { name: name.to_owned(), side: side.into(), ..Default::default() };
    client.mentorships.clone().respond_to_mentorship(request).await.expect("accepts");
}

async fn a_person_is_told_where_she_is_from_her_enrolment_to_her_mentorship(world: World) {
    let people = two_people(&world).await;
    let mut peru = world.manager("wim-peru").await;
    let mut kenya = world.manager("wim-kenya").await;
    peru.import(vec![mentor("a", 1)]).await;
    kenya.import(vec![mentee("c"), mentee("late")]).await;
    let nowhere = status_of(&kenya.client, kenya.member("c")).await;
    assert_eq!((nowhere.rounds.len(), nowhere.due.len(), nowhere.waiting), (0, 0, None));
    let round = world.open_round("r").await.name;
    peru.enrol_all(&round).await;
    kenya.enrol(&round, &["c"]).await;
    let first = only_round(&kenya, "c").await;
    assert_eq!((first.stage(), first.round_state()), (Enrolled, v1::RoundState::Enrolling));
    assert_eq!((first.start_date.as_str(), first.end_date.as_str()), ("2027-02-01", "2027-07-31"));
    let mut own = kenya.enrolments(&round).await;
    assert_eq!(first.enrolment, own.pop(), "with the consent on which it rests");
    // Nothing of a run is hers before it is submitted.
    let run = soon(world.run_to_the_end(&round)).await;
    let reviewed = only_round(&kenya, "c").await;
    assert_eq!((reviewed.stage(), reviewed.proposed_matches.len()), (Enrolled, 0));
    let submission = submit(&people[0], submission_of(&run)).await.expect("submits");
    let pair = &matches(&mut kenya.client.clone(), &run.name, 0).await[0];
    for (of, id) in [(&kenya, "c"), (&peru, "a")] {
        let proposed = only_round(of, id).await;
        assert_eq!(
            (proposed.stage(), &proposed.proposed_matches[..]),
            (InApproval, &[pair.name.clone()][..])
        );
        assert_eq!(proposed.mentorships, []);
    }
    approve(&people[1], &submission).await.expect("approves");
    publish(&people[0], &submission.name).await.expect("publishes");
    // Who comes after the publication waits for a repair.
    kenya.enrol(&round, &["late"]).await;
    assert_eq!(only_round(&kenya, "late").await.stage(), AwaitsRepair);
    let matched = status_of(&kenya.client, kenya.member("c")).await;
    assert_eq!((matched.rounds[0].stage(), matched.rounds[0].proposed_matches.len()), (Matched, 0));
    let [mentorship] = &matched.rounds[0].mentorships[..] else { panic!("one: {matched:?}") };
    assert_eq!(matched.due.iter().map(v1::Due::kind).collect::<Vec<_>>(), [v1::DueKind::Answer]);
    assert_eq!(matched.due[0].profile, kenya.member("c"));
    assert_eq!(matched.lacking_consents, [] as [i32; 0]);
    // Each side reads its own answer alone, and is asked for what is due of it alone.
    respond(&peru.client, &mentorship.name, v1::Side::Mentor).await;
    let hers = status_of(&kenya.client, kenya.member("c")).await;
    assert_eq!(hers.rounds[0].mentorships[0].mentor_answer, None);
    assert_eq!(status_of(&peru.client, peru.member("a")).await.due, []);
    respond(&kenya.client, &mentorship.name, v1::Side::Mentee).await;
    world.clock().advance(Duration::from_hours(24));
    let request = v1::RecordFirstMeetingRequest {
        name: mentorship.name.clone(),
        date: "2027-01-11".to_owned(),
        ..Default::default()
    };
    kenya.client.mentorships.clone().record_first_meeting(request).await.expect("have met");
    let met = status_of(&peru.client, peru.member("a")).await;
    let days: Vec<_> = met.due.iter().map(|due| (due.point(), due.date.as_str())).collect();
    let points = [
        (v1::CheckInPoint::Week6, "2027-03-15"),
        (v1::CheckInPoint::Middle, "2027-05-02"),
        (v1::CheckInPoint::End, "2027-07-31"),
    ];
    assert_eq!(days, points);
    assert_eq!(met.lacking_consents, [v1::ConsentPurpose::FollowUp as i32], "her check-ins rest on it");
    // For everybody else she does not exist.
    let request = v1::GetParticipantStatusRequest { profile: kenya.member("c") };
    let foreign = peru.client.mentorships.clone().get_participant_status(request.clone()).await;
    assert_eq!(refused(foreign), "NOT_FOUND");
    let absent = v1::GetParticipantStatusRequest { profile: kenya.member("nobody") };
    assert_eq!(refused(kenya.client.mentorships.clone().get_participant_status(absent).await), "NOT_FOUND");
    let coordinator = world.coordinator().mentorships.get_participant_status(request).await;
    assert_eq!(refused(coordinator), "PERMISSION_DENIED");
    let nameless = v1::GetParticipantStatusRequest::default();
    let wrong = kenya.client.mentorships.clone().get_participant_status(nameless).await;
    assert_eq!(wrong_fields(wrong), ["profile"]);
    world.stop().await;
}

async fn a_person_without_a_match_is_told_why_and_since_when_she_waits(world: World) {
    let people = two_people(&world).await;
    let mut peru = world.manager("wim-peru").await;
    let mut kenya = world.manager("wim-kenya").await;
    peru.import(vec![mentor("a", 1)]).await;
    kenya.import(vec![mentee("c"), mentee("d"), mentee("left")]).await;
    let round = world.open_round("r").await.name;
    peru.enrol_all(&round).await;
    kenya.enrol_all(&round).await;
    let left = kenya.enrolments(&round).await.into_iter().find(|one| one.profile == kenya.member("left"));
    let request = v1::WithdrawEnrolmentsRequest {
        parent: round.clone(),
        organisation: kenya.name(),
        enrolments: vec![left.expect("is enrolled").name],
        ..Default::default()
    };
    kenya.client.rounds.withdraw_enrolments(request).await.expect("withdraws");
    assert_eq!(only_round(&kenya, "left").await.stage(), Withdrawn);
    let run = soon(world.run_to_the_end(&round)).await;
    let submission = submit(&people[0], submission_of(&run)).await.expect("submits");
    approve(&people[1], &submission).await.expect("approves");
    publish(&people[0], &submission.name).await.expect("publishes");
    let pairs = matches(&mut kenya.client.clone(), &run.name, 0).await;
    let loser = if pairs[0].mentee == kenya.member("c") { "d" } else { "c" };
    let status = status_of(&kenya.client, kenya.member(loser)).await;
    let [hers] = &status.rounds[..] else { panic!("one round: {status:?}") };
    assert_eq!((hers.stage(), hers.unmatched_reason()), (Unmatched, v1::UnmatchedReason::Outcompeted));
    let waiting = status.waiting.expect("she waits");
    assert_eq!((waiting.cause(), waiting.profile), (v1::WaitingCause::NoMatch, kenya.member(loser)));
    // A member whose data is restricted.
    let restrict = v1::RestrictProfileRequest {
        name: kenya.member(loser),
        reason: v1::RestrictionReason::Objection.into(),
        ..Default::default()
    };
    kenya.client.privacy.clone().restrict_profile(restrict).await.expect("restricts");
    assert!(status_of(&kenya.client, kenya.member(loser)).await.restricted);
    world.stop().await;
}
