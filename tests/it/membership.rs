//! Memberships of organisations, and what their end means.

use tonic::Status;
use wim_match::api::proto::v1;
use wim_match::api::proto::v1::MembershipState::{Applicant, Left, Member, Suspended};
use wim_match::client::Client;

use crate::refusal::{refused, wrong_fields};
use crate::world::{Manager, World, matches, mentee, mentor, on_both_databases, round_message, soon};

on_both_databases! {
    whoever_leaves_is_withdrawn_from_every_round_that_is_not_published,
    a_member_has_accepted_rules_and_is_invited_again,
    members_alone_are_invited_and_enrol,
    a_run_over_people_who_leave_is_cancelled,
}

async fn set(
    world: &World,
    organisation: &str,
    state: v1::MembershipState,
    rules_version: &str,
) -> Result<v1::Organisation, Status> {
    let request = v1::SetMembershipRequest {
        name: organisation.to_owned(),
        state: state.into(),
        rules_version: rules_version.to_owned(),
        ..v1::SetMembershipRequest::default()
    };
    let set = world.secretariat().organisations.set_membership(request).await?.into_inner();
    Ok(set.organisation.expect("an organisation"))
}

async fn round_of(client: &Client, round: &str) -> Result<v1::Round, Status> {
    let request = v1::GetRoundRequest { name: round.to_owned() };
    Ok(client.rounds.clone().get_round(request).await?.into_inner().round.expect("a round"))
}

async fn enrolled(client: &Client, round: &str) -> i64 {
    let round = round_of(client, round).await.expect("exists");
    round.enrolment.expect("counts").profiles
}

/// Two organisations with a mentor and a mentee each.
async fn two(world: &World) -> [Manager; 2] {
    let mut both = [world.manager("wim-peru").await, world.manager("wim-ghana").await];
    for manager in &mut both {
        manager.import(vec![mentor("mentor", 2), mentee("mentee")]).await;
    }
    both
}

async fn whoever_leaves_is_withdrawn_from_every_round_that_is_not_published(world: World) {
    let [mut peru, mut ghana] = two(&world).await;
    let coordinator = world.coordinator();
    let listed = world.open_round_for("listed", &[&peru, &ghana]).await;
    let open = world.open_round("open").await;
    let ended = world.open_round("ended").await;
    for round in [&listed, &open, &ended] {
        peru.enrol_all(&round.name).await;
        ghana.enrol_all(&round.name).await;
    }
    let run = soon(world.run_to_the_end(&ended.name)).await;
    let request = v1::CloseRoundRequest { name: ended.name.clone(), ..v1::CloseRoundRequest::default() };
    coordinator.rounds.clone().close_round(request).await.expect("closes");
    let request = v1::GetOrganisationRequest { name: ghana.name() };
    let before = coordinator.organisations.clone().get_organisation(request).await;
    let before = before.expect("exists").into_inner().organisation.expect("one");
    assert_eq!(before.membership.as_ref().map(v1::Membership::state), Some(Member));

    let left = set(&world, &ghana.name(), Left, "").await.expect("leaves");
    assert_eq!(left.membership.as_ref().map(v1::Membership::state), Some(Left));
    assert_ne!(left.etag, before.etag);
    for round in [&listed, &open] {
        assert_eq!(enrolled(&coordinator, &round.name).await, 2, "{} keeps the others", round.name);
        assert_eq!(refused(round_of(&ghana.client, &round.name).await), "NOT_FOUND");
    }
    let changed = round_of(&coordinator, &listed.name).await.expect("exists");
    assert_eq!(changed.organisations, [peru.name()]);
    assert_ne!(changed.etag, listed.etag);
    assert_eq!(round_of(&coordinator, &open.name).await.expect("exists").etag, open.etag);
    // What has ended stays as it was, and so does what the organisation has stored.
    assert_eq!(enrolled(&coordinator, &ended.name).await, 4);
    assert!(!matches(&mut ghana.client, &run.name, 10).await.is_empty());
    let request = v1::ListProfilesRequest { parent: ghana.name(), ..v1::ListProfilesRequest::default() };
    let kept = ghana.client.profiles.list_profiles(request).await.expect("lists").into_inner().profiles;
    assert_eq!(kept.len(), 2);
    let next = soon(world.run_to_the_end(&listed.name)).await;
    assert!(
        matches(&mut world.coordinator(), &next.name, 10)
            .await
            .iter()
            .all(|pair| { pair.mentee.starts_with(&peru.name()) && pair.mentor.starts_with(&peru.name()) })
    );
    assert_eq!(set(&world, &ghana.name(), Left, "").await.expect("again").etag, left.etag, "nothing changes");
    world.stop().await;
}

async fn a_member_has_accepted_rules_and_is_invited_again(world: World) {
    let [_, mut ghana] = two(&world).await;
    let round = world.open_round("r").await;
    let suspended = set(&world, &ghana.name(), Suspended, "").await.expect("is suspended");
    assert_eq!(refused(round_of(&ghana.client, &round.name).await), "NOT_FOUND");
    assert_eq!(wrong_fields(set(&world, &ghana.name(), Member, "").await), ["rules_version"]);
    let stale = v1::SetMembershipRequest {
        name: ghana.name(),
        state: Member.into(),
        rules_version: "2026-1".to_owned(),
        etag: "\"1\"".to_owned(),
        ..v1::SetMembershipRequest::default()
    };
    let stale = world.secretariat().organisations.set_membership(stale).await;
    assert_eq!(refused(stale), "ETAG_MISMATCH");
    let member = set(&world, &ghana.name(), Member, "2026-1").await.expect("is a member again");
    let membership = member.membership.expect("a membership");
    assert_eq!((membership.state(), membership.rules_version.as_str()), (Member, "2026-1"));
    assert!(membership.accept_time.is_some());
    assert_ne!(member.etag, suspended.etag);
    assert_eq!(ghana.enrol_all(&round.name).await.enrolled, 2);
    let left = set(&world, &ghana.name(), Left, "").await.expect("leaves");
    assert_eq!(left.membership.expect("a membership").rules_version, "2026-1", "the acceptance stays");
    world.stop().await;
}

async fn members_alone_are_invited_and_enrol(world: World) {
    let [peru, ghana] = two(&world).await;
    set(&world, &ghana.name(), Applicant, "").await.expect("is an applicant");
    let create = |organisations: Vec<String>| v1::CreateRoundRequest {
        round_id: "listed".to_owned(),
        round: Some(v1::Round { organisations, all_members: false, ..round_message() }),
        ..v1::CreateRoundRequest::default()
    };
    let mut rounds = world.coordinator().rounds;
    let refused_round = rounds.create_round(create(vec![ghana.name(), peru.name()])).await;
    assert_eq!(wrong_fields(refused_round), ["round.organisations"]);
    let open = world.open_round("open").await;
    let request = v1::EnrolProfilesRequest {
        round: open.name.clone(),
        organisation: ghana.name(),
        all_profiles: true,
        ..v1::EnrolProfilesRequest::default()
    };
    assert_eq!(refused(ghana.client.rounds.clone().enrol_profiles(request).await), "NOT_FOUND");
    for client in [&world.coordinator(), &ghana.client] {
        let request = v1::SetMembershipRequest { name: ghana.name(), ..v1::SetMembershipRequest::default() };
        assert_eq!(refused(client.organisations.clone().set_membership(request).await), "PERMISSION_DENIED");
    }
    world.stop().await;
}

async fn a_run_over_people_who_leave_is_cancelled(world: World) {
    // Without a worker, the run stays queued.
    let world = world.restart_without_worker().await;
    let [mut peru, mut ghana] = two(&world).await;
    let round = world.open_round("r").await.name;
    peru.enrol_all(&round).await;
    ghana.enrol_all(&round).await;
    let run = world.start_run(&round).await;
    set(&world, &ghana.name(), Left, "").await.expect("leaves");
    let request = v1::GetRunRequest { name: run.name };
    let run = world.coordinator().runs.get_run(request).await.expect("exists").into_inner().run;
    assert_eq!(run.expect("a run").state(), v1::RunState::Cancelled);
    world.stop().await;
}
