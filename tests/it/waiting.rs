//! The waiting list: who stayed without a match in a published round, and what a next round makes of it.

use std::time::Duration;

use wim_match::api::proto::v1;
use wim_match::client::{Client, request_id};

use crate::refusal::{refused, wrong_fields};
use crate::review::{approve, publish, submission_of, submit, two_people};
use crate::world::{Manager, World, matches, mentee, mentor, on_both_databases, soon};

on_both_databases! {
    who_stays_without_a_match_waits_and_comes_first_in_the_next_round,
    a_repair_that_takes_a_match_puts_its_mentee_first,
    who_leaves_the_list_waits_no_more,
    an_end_without_a_fault_comes_first_and_a_no_show_last,
}

/// A mentor with one place, and two mentees of another organisation, in a round that is published.
struct Cast {
    world: World,
    people: [Client; 2],
    peru: Manager,
    kenya: Manager,
}

async fn cast(world: World, mentors: &[&str]) -> (Cast, v1::Run) {
    let people = two_people(&world).await;
    let mut peru = world.manager("wim-peru").await;
    let mut kenya = world.manager("wim-kenya").await;
    peru.import(mentors.iter().map(|id| mentor(id, 1)).collect()).await;
    kenya.import(vec![mentee("c"), mentee("d")]).await;
    let round = world.open_round("first").await.name;
    peru.enrol_all(&round).await;
    kenya.enrol_all(&round).await;
    let mut cast = Cast { world, people, peru, kenya };
    let run = cast.published(&round).await;
    (cast, run)
}

impl Cast {
    /// A new run of a round, which is published.
    async fn published(&mut self, round: &str) -> v1::Run {
        let run = soon(self.world.run_to_the_end(round)).await;
        self.publish(&run).await;
        run
    }

    async fn publish(&self, run: &v1::Run) {
        let [first, second] = &self.people;
        let submission = submit(first, submission_of(run)).await.expect("submits");
        approve(second, &submission).await.expect("approves");
        publish(first, &submission.name).await.expect("publishes");
    }

    async fn carry_over(&self, round: &str, validate_only: bool) -> v1::EnrolProfilesResponse {
        let request = v1::EnrolProfilesRequest {
            round: round.to_owned(),
            organisation: self.kenya.name(),
            all_waiting: true,
            validate_only,
            ..v1::EnrolProfilesRequest::default()
        };
        self.kenya.client.rounds.clone().enrol_profiles(request).await.expect("enrols").into_inner()
    }

    /// The id of the mentee of Kenya who has a match in a run, and of the one who has none.
    async fn winner_and_loser(&self, run: &v1::Run) -> (&'static str, &'static str) {
        let pairs = matches(&mut self.kenya.client.clone(), &run.name, 0).await;
        assert_eq!(pairs.len(), 1, "there is one place");
        if pairs[0].mentee == self.kenya.member("c") { ("c", "d") } else { ("d", "c") }
    }
}

async fn waiting(client: &Client, parent: &str, round: &str) -> Vec<v1::WaitingMentee> {
    client.all_waiting(parent, round).await.expect("lists")
}

async fn who_stays_without_a_match_waits_and_comes_first_in_the_next_round(world: World) {
    let (mut cast, run) = Box::pin(cast(world, &["a"])).await;
    let (_, loser) = cast.winner_and_loser(&run).await;
    let all = waiting(&cast.kenya.client, &cast.kenya.name(), "").await;
    let [hers] = &all[..] else { panic!("one waits: {all:?}") };
    assert_eq!(hers.profile, cast.kenya.member(loser));
    assert_eq!(hers.name, hers.profile.replace("/profiles/", "/waitingMentees/"));
    assert_eq!((hers.cause(), hers.rounds, &hers.run), (v1::WaitingCause::NoMatch, 1, &run.name));
    assert_eq!((hers.reason(), hers.priority), (v1::UnmatchedReason::Outcompeted, None));
    // Her organisation and the working group alone see her.
    assert_eq!(waiting(&cast.peru.client, "organisations/-", "").await, []);
    assert_eq!(waiting(&cast.world.coordinator(), "organisations/-", "").await, all);
    let request = v1::ListWaitingMenteesRequest { parent: cast.kenya.name(), ..Default::default() };
    assert_eq!(refused(cast.peru.client.rounds.clone().list_waiting_mentees(request).await), "NOT_FOUND");

    // In the next round she and eight new mentees seek one place.
    cast.world.clock().advance(Duration::from_hours(24));
    let policy = v1::Policy { waitlist_after_days: Some(1), ..v1::Policy::default() };
    let next = cast.world.open_round_with("next", policy).await.name;
    cast.peru.enrol_all(&next).await;
    let priority =
        waiting(&cast.kenya.client, &cast.kenya.name(), &next).await[0].priority.expect("of a round");
    assert!(priority.first_tier && priority.waited_days > 1, "{priority:?}");
    assert_eq!(i64::from(priority.score), i64::from(priority.waited_days) * 10_000 / 365);
    let before = cast.world.dump().await;
    let checked = cast.carry_over(&next, true).await;
    assert_eq!(cast.world.dump().await, before, "a check writes nothing");
    assert_eq!((checked.enrolled, checked.refused_count), (1, 0));
    assert_eq!(cast.carry_over(&next, false).await, checked);
    assert_eq!(cast.carry_over(&next, false).await.already_enrolled, 1);
    let enrolled = cast.kenya.enrolments(&next).await;
    let [enrolment] = &enrolled[..] else { panic!("one is carried over: {enrolled:?}") };
    assert_eq!((&enrolment.profile, enrolment.waiting_cause()), (&hers.profile, v1::WaitingCause::NoMatch));
    let since = hers.since.expect("a moment").seconds;
    let day = jiff::Timestamp::from_second(since).expect("a moment").strftime("%Y-%m-%d").to_string();
    assert_eq!(enrolment.waiting_since, day);
    let better = (0..8).map(|at| mentee(&format!("new-{at}"))).collect();
    cast.kenya.import(better).await;
    let new: Vec<String> = (0..8).map(|at| format!("new-{at}")).collect();
    cast.kenya.enrol(&next, &new.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let run = cast.published(&next).await;
    let pairs = matches(&mut cast.kenya.client.clone(), &run.name, 0).await;
    assert_eq!(pairs.iter().map(|pair| &pair.mentee).collect::<Vec<_>>(), [&hers.profile]);
    let replay = v1::ReplayRunRequest { name: run.name.clone() };
    let replayed = cast.world.coordinator().runs.replay_run(replay).await.expect("is the same").into_inner();
    assert_eq!(replayed.result_digest, run.result_digest, "the enrolment has frozen her waiting");
    let now = waiting(&cast.kenya.client, &cast.kenya.name(), "").await;
    assert_eq!(now.len(), 8, "who is matched waits no more, and the new ones wait: {now:?}");
    assert!(now.iter().all(|one| one.profile != hers.profile));
    // A publication that is taken back has made nobody wait.
    let list = v1::ListSubmissionsRequest { parent: next.clone(), ..Default::default() };
    let [first, _] = &cast.people;
    let listed = first.reviews.clone().list_submissions(list).await.expect("lists").into_inner().submissions;
    let back = v1::UnpublishRunRequest {
        name: listed[0].name.clone(),
        reason: "Not yet.".to_owned(),
        ..v1::UnpublishRunRequest::default()
    };
    first.reviews.clone().unpublish_run(back).await.expect("takes it back");
    assert_eq!(waiting(&cast.kenya.client, &cast.kenya.name(), "").await, all);
    cast.world.stop().await;
}

async fn a_repair_that_takes_a_match_puts_its_mentee_first(world: World) {
    let (mut cast, run) = Box::pin(cast(world, &["a", "b"])).await;
    assert_eq!(waiting(&cast.kenya.client, &cast.kenya.name(), "").await, []);
    let leaver = cast.peru.member("b");
    let own = cast.peru.enrolments("rounds/first").await;
    let withdraw = v1::WithdrawEnrolmentsRequest {
        parent: "rounds/first".to_owned(),
        organisation: cast.peru.name(),
        enrolments: own.iter().filter(|one| one.profile == leaver).map(|one| one.name.clone()).collect(),
        ..v1::WithdrawEnrolmentsRequest::default()
    };
    cast.peru.client.rounds.withdraw_enrolments(withdraw).await.expect("withdraws");
    cast.kenya.import(vec![mentee("e")]).await;
    cast.kenya.enrol("rounds/first", &["e"]).await;
    let request = v1::StartRunRequest {
        round: "rounds/first".to_owned(),
        follows: run.name.clone(),
        repair: true,
        ..v1::StartRunRequest::default()
    };
    let started = cast.world.coordinator().runs.start_run(request).await.expect("starts").into_inner();
    let repaired = soon(cast.world.watch(&started.run.expect("a run").name)).await.pop().expect("has ended");
    cast.publish(&repaired).await;
    let (_, lost) = cast.winner_and_loser(&repaired).await;
    let policy = v1::Policy { waitlist_after_days: Some(3_000), ..v1::Policy::default() };
    let next = cast.world.open_round_with("next", policy).await.name;
    let all = waiting(&cast.kenya.client, &cast.kenya.name(), &next).await;
    let told: Vec<_> = all
        .iter()
        .map(|one| (one.profile.as_str(), one.cause(), one.priority.expect("of a round").first_tier))
        .collect();
    let (lost, joined) = (cast.kenya.member(lost), cast.kenya.member("e"));
    let causes = [v1::WaitingCause::LostMatch, v1::WaitingCause::NoMatch];
    assert_eq!(told, [(lost.as_str(), causes[0], true), (joined.as_str(), causes[1], false)]);
    // One mentee a page, in the same order.
    let request = |page_token| v1::ListWaitingMenteesRequest {
        parent: "organisations/-".to_owned(),
        page_size: 1,
        page_token,
        round: String::new(),
    };
    let client = &mut cast.kenya.client.rounds.clone();
    let first = client.list_waiting_mentees(request(String::new())).await.expect("a page").into_inner();
    let second =
        client.list_waiting_mentees(request(first.next_page_token)).await.expect("a page").into_inner();
    assert_eq!((&first.waiting_mentees[0].profile, &second.waiting_mentees[0].profile), (&lost, &joined));
    assert_eq!(second.next_page_token, "");
    // The run counts her in its first tier.
    cast.peru.enrol(&next, &["a"]).await;
    cast.carry_over(&next, false).await;
    let run = soon(cast.world.run_to_the_end(&next)).await;
    let pairs = matches(&mut cast.kenya.client.clone(), &run.name, 0).await;
    assert_eq!(pairs.iter().map(|pair| &pair.mentee).collect::<Vec<_>>(), [&lost]);
    cast.world.stop().await;
}

async fn who_leaves_the_list_waits_no_more(world: World) {
    let (cast, _) = Box::pin(cast(world, &["a"])).await;
    let hers = waiting(&cast.kenya.client, &cast.kenya.name(), "").await.pop().expect("one waits");
    let leave = v1::LeaveWaitingListRequest {
        name: hers.name.clone(),
        request_id: request_id(),
        validate_only: false,
    };
    let foreign = refused(cast.peru.client.rounds.clone().leave_waiting_list(leave.clone()).await);
    assert_eq!(foreign, "NOT_FOUND");
    let mut client = cast.kenya.client.rounds.clone();
    let wrong = v1::LeaveWaitingListRequest { name: hers.profile.clone(), ..leave.clone() };
    assert_eq!(wrong_fields(client.leave_waiting_list(wrong).await), ["name"]);
    let check = v1::LeaveWaitingListRequest { validate_only: true, ..leave.clone() };
    let before = cast.world.dump().await;
    let checked = client.leave_waiting_list(check).await.expect("is good").into_inner();
    assert_eq!(cast.world.dump().await, before, "a check writes nothing");
    let left = client.leave_waiting_list(leave.clone()).await.expect("leaves").into_inner();
    assert_eq!((&left, left.waiting_mentee.as_ref()), (&checked, Some(&hers)));
    let again = client.leave_waiting_list(leave.clone()).await.expect("again").into_inner();
    assert_eq!(again, left);
    let anew = v1::LeaveWaitingListRequest { request_id: request_id(), ..leave };
    assert_eq!(refused(client.leave_waiting_list(anew).await), "NOT_FOUND");
    assert_eq!(waiting(&cast.world.coordinator(), "organisations/-", "").await, []);
    // Her access has it, and the next round nothing.
    let request = v1::ExportPersonalDataRequest { name: hers.profile.clone(), ..Default::default() };
    let mut privacy = cast.kenya.client.privacy.clone();
    let access = privacy.export_personal_data(request).await.expect("exports").into_inner().data;
    assert!(access.expect("all of her").waiting_leave_time.is_some());
    let next = cast.world.open_round("next").await.name;
    let nobody = cast.carry_over(&next, false).await;
    assert_eq!((nobody.enrolled, nobody.refused_count), (0, 0));
    cast.world.stop().await;
}

async fn an_end_without_a_fault_comes_first_and_a_no_show_last(world: World) {
    let (mut cast, run) = Box::pin(cast(world, &["a", "b"])).await;
    // Two pairs and one mentee without a match.
    cast.kenya.import(vec![mentee("e")]).await;
    cast.kenya.enrol("rounds/first", &["e"]).await;
    let pairs = matches(&mut cast.kenya.client.clone(), &run.name, 0).await;
    for pair in &pairs {
        let name = pair.name.replacen("/runs/1/matches/", "/mentorships/", 1);
        for (client, side) in [(&cast.peru.client, v1::Side::Mentor), (&cast.kenya.client, v1::Side::Mentee)]
        {
            let side = side.into();
            let request = v1::RespondToMentorshipRequest { name: name.clone(), side, ..Default::default() };
            client.mentorships.clone().respond_to_mentorship(request).await.expect("accepts");
        }
    }
    let end = async |of: &v1::Match, reason: v1::MentorshipEndReason| {
        let request = v1::CloseMentorshipRequest {
            name: of.name.replacen("/runs/1/matches/", "/mentorships/", 1),
            side: v1::MentorshipEndSide::Mentor.into(),
            reason: reason.into(),
            ..Default::default()
        };
        cast.peru.client.mentorships.clone().close_mentorship(request).await.expect("ends");
    };
    cast.world.clock().advance(Duration::from_hours(24));
    // The mentor of the one ends it because she did not show up; that of the other has another role.
    end(&pairs[0], v1::MentorshipEndReason::NoShow).await;
    cast.world.clock().advance(Duration::from_hours(24));
    end(&pairs[1], v1::MentorshipEndReason::ChangedRole).await;
    let policy = v1::Policy { waitlist_after_days: Some(1), ..v1::Policy::default() };
    let next = cast.world.open_round_with("next", policy).await.name;
    let all = waiting(&cast.kenya.client, &cast.kenya.name(), &next).await;
    let told: Vec<_> = all
        .iter()
        .map(|one| (one.profile.as_str(), one.cause(), one.priority.expect("of a round").first_tier))
        .collect();
    let expected = [
        (pairs[1].mentee.as_str(), v1::WaitingCause::EarlyEnd, true),
        (pairs[0].mentee.as_str(), v1::WaitingCause::NoShow, false),
    ];
    assert_eq!(told, expected, "though the one has waited longer than the policy asks for");
    assert_eq!((all[0].reason(), &all[0].run), (v1::UnmatchedReason::Unspecified, &run.name));
    // One mentee a page, in the same order; the working group reads the same.
    assert_eq!(waiting(&cast.world.coordinator(), "organisations/-", &next).await, all);
    let request = |page_token| v1::ListWaitingMenteesRequest {
        parent: cast.kenya.name(),
        page_size: 1,
        page_token,
        round: next.clone(),
    };
    let client = &mut cast.kenya.client.rounds.clone();
    let first = client.list_waiting_mentees(request(String::new())).await.expect("a page").into_inner();
    let second =
        client.list_waiting_mentees(request(first.next_page_token)).await.expect("a page").into_inner();
    assert_eq!([first.waiting_mentees, second.waiting_mentees].concat(), all);
    // One place in the next round: whose mentorship ended without a fault of hers gets it, and the enrolments keep the causes.
    cast.peru.enrol(&next, &["a"]).await;
    assert_eq!(cast.carry_over(&next, false).await.enrolled, 2);
    let mut causes: Vec<_> =
        cast.kenya.enrolments(&next).await.iter().map(v1::Enrolment::waiting_cause).collect();
    causes.sort_unstable();
    assert_eq!(causes, [v1::WaitingCause::EarlyEnd, v1::WaitingCause::NoShow]);
    let run = cast.published(&next).await;
    let pairs_of_next = matches(&mut cast.kenya.client.clone(), &run.name, 0).await;
    assert_eq!(pairs_of_next.iter().map(|pair| &pair.mentee).collect::<Vec<_>>(), [&pairs[1].mentee]);
    // Who did not show up was passed over once: from now on she waits like everybody.
    let left = waiting(&cast.kenya.client, &cast.kenya.name(), "").await;
    let [hers] = &left[..] else { panic!("one waits: {left:?}") };
    assert_eq!((hers.profile.as_str(), hers.cause()), (pairs[0].mentee.as_str(), v1::WaitingCause::NoMatch));
    cast.world.stop().await;
}
