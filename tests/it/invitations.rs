//! Who is invited to a round, and for whom it exists.

use prost_types::FieldMask;
use tonic::Status;
use tonic_types::StatusExt as _;
use wim_match::api::proto::v1;
use wim_match::client::Client;

use crate::call::{Target, call, methods};
use crate::refusal::{refused, wrong_fields};
use crate::world::{Manager, World, matches, mentee, mentor, on_both_databases, round_message, soon};

on_both_databases! {
    a_round_exists_for_the_organisations_that_are_invited_and_for_no_other,
    an_invitation_stays_as_long_as_its_organisation_has_enrolments,
    every_member_is_invited_whenever_she_joins,
    members_alone_are_invited,
}

/// A change of the invitations of a round.
async fn invite(
    coordinator: &Client,
    round: &str,
    organisations: &[&Manager],
    all_members: bool,
) -> Result<v1::Round, Status> {
    let paths = ["organisations", "all_members"].map(str::to_owned).to_vec();
    let organisations = organisations.iter().map(|manager| manager.name()).collect();
    let request = v1::UpdateRoundRequest {
        round: Some(v1::Round { name: round.to_owned(), organisations, all_members, ..v1::Round::default() }),
        update_mask: Some(FieldMask { paths }),
        ..v1::UpdateRoundRequest::default()
    };
    let changed = coordinator.rounds.clone().update_round(request).await?.into_inner();
    Ok(changed.round.expect("a round"))
}

async fn round_of(client: &Client, round: &str) -> Result<v1::Round, Status> {
    let request = v1::GetRoundRequest { name: round.to_owned() };
    Ok(client.rounds.clone().get_round(request).await?.into_inner().round.expect("a round"))
}

async fn listed(client: &Client) -> Vec<String> {
    let rounds = client.rounds.clone().list_rounds(v1::ListRoundsRequest::default()).await;
    rounds.expect("lists").into_inner().rounds.into_iter().map(|round| round.name).collect()
}

/// The names in the events so far.
async fn events(client: &Client) -> Vec<String> {
    let request = v1::StreamEventsRequest { from_oldest: true, ..v1::StreamEventsRequest::default() };
    let mut stream = client.events.clone().stream_events(request).await.expect("streams").into_inner();
    let mut names = Vec::new();
    while let Ok(Ok(Some(told))) =
        tokio::time::timeout(std::time::Duration::from_secs(2), stream.message()).await
    {
        names.extend(told.event.map(|event| event.name));
    }
    names
}

/// The whole answer, without the names that the caller has given.
fn told(answer: Result<(), Status>, target: &Target) -> String {
    let told = match answer {
        Ok(()) => "OK".to_owned(),
        Err(status) => {
            format!("{:?} {} {:?}", status.code(), status.message(), status.get_error_details_vec())
        }
    };
    told.replace(&target.run, "…/runs/1").replace(&target.round, "…")
}

async fn a_round_exists_for_the_organisations_that_are_invited_and_for_no_other(world: World) {
    let (mut peru, mut ghana) = (world.manager("wim-peru").await, world.manager("wim-ghana").await);
    for manager in [&mut peru, &mut ghana] {
        manager.import(vec![mentor("mentor", 2), mentee("mentee")]).await;
    }
    let kenya = world.manager("wim-kenya").await;
    let round = world.open_round_for("secret", &[&peru, &kenya]).await;
    assert_eq!(round.organisations, [kenya.name(), peru.name()]);
    peru.enrol_all(&round.name).await;
    let run = soon(world.run_to_the_end(&round.name)).await;

    let own = Target {
        organisation: ghana.name(),
        profile: ghana.member("mentor"),
        mentee: ghana.member("mentee"),
        mentor: ghana.member("mentor"),
        ..Target::default()
    };
    let exists =
        Target { round: round.name.clone(), round_to_run: round.name.clone(), run: run.name, ..own.clone() };
    let absent = Target {
        round: "rounds/nowhere".to_owned(),
        round_to_run: "rounds/nowhere".to_owned(),
        run: "rounds/nowhere/runs/1".to_owned(),
        ..own
    };
    let mut compared = 0;
    for method in methods() {
        if method.starts_with("RoundService/") || method.starts_with("RunService/") {
            let foreign = told(soon(call(&method, &ghana.client, &exists)).await, &exists);
            let missing = told(soon(call(&method, &ghana.client, &absent)).await, &absent);
            assert_eq!(foreign, missing, "{method}");
            compared += usize::from(foreign.contains("NotFound"));
        }
    }
    assert!(compared > 12, "only {compared} methods about a round that a manager may call");
    assert_eq!(listed(&ghana.client).await, [""; 0]);
    assert_eq!(listed(&peru.client).await, [round.name.as_str()]);
    let is_of_round = |name: &String| name.starts_with(&round.name);
    assert_eq!(events(&ghana.client).await.iter().find(|name| is_of_round(name)), None);
    assert!(events(&peru.client).await.iter().any(is_of_round));

    // A manager reads of the list what she knows: her own organisation.
    assert_eq!(round_of(&peru.client, &round.name).await.expect("exists").organisations, [peru.name()]);
    let two = ["organisation-manager@wim-peru", "organisation-manager@wim-ghana"];
    let of_two = world.caller(&two).await.0;
    assert_eq!(round_of(&of_two, &round.name).await.expect("exists").organisations, [peru.name()]);
    let request = v1::EnrolProfilesRequest {
        round: round.name.clone(),
        organisation: ghana.name(),
        all_profiles: true,
        ..v1::EnrolProfilesRequest::default()
    };
    assert_eq!(wrong_fields(of_two.rounds.clone().enrol_profiles(request).await), ["organisation"]);
    world.stop().await;
}

async fn an_invitation_stays_as_long_as_its_organisation_has_enrolments(world: World) {
    let (mut peru, mut ghana) = (world.manager("wim-peru").await, world.manager("wim-ghana").await);
    for manager in [&mut peru, &mut ghana] {
        manager.import(vec![mentor("mentor", 2), mentee("mentee")]).await;
    }
    let coordinator = world.coordinator();
    let round = world.open_round_for("r", &[&peru]).await;
    peru.enrol_all(&round.name).await;
    assert_eq!(refused(round_of(&ghana.client, &round.name).await), "NOT_FOUND");
    let both = invite(&coordinator, &round.name, &[&peru, &ghana], false).await.expect("invites");
    assert_eq!(both.organisations, [ghana.name(), peru.name()]);
    assert_ne!(both.etag, round.etag, "the list is a part of the round");
    assert_eq!(ghana.enrol_all(&round.name).await.enrolled, 2);
    let run = soon(world.run_to_the_end(&round.name)).await;
    assert!(!matches(&mut ghana.client, &run.name, 10).await.is_empty());

    let kept = invite(&coordinator, &round.name, &[&peru], false).await;
    assert_eq!(wrong_fields(kept), ["round.organisations"]);
    let request = v1::WithdrawEnrolmentsRequest {
        parent: round.name.clone(),
        organisation: ghana.name(),
        all_enrolments: true,
        ..v1::WithdrawEnrolmentsRequest::default()
    };
    ghana.client.rounds.withdraw_enrolments(request).await.expect("withdraws");
    let one = invite(&coordinator, &round.name, &[&peru], false).await.expect("takes away");
    assert_eq!(one.organisations, [peru.name()]);
    assert_eq!(refused(round_of(&ghana.client, &round.name).await), "NOT_FOUND");
    let parent = run.name.clone();
    let request = v1::ListMatchesRequest { parent, ..v1::ListMatchesRequest::default() };
    assert_eq!(refused(ghana.client.runs.list_matches(request).await), "NOT_FOUND");
    world.stop().await;
}

async fn every_member_is_invited_whenever_she_joins(world: World) {
    let peru = world.manager("wim-peru").await;
    let coordinator = world.coordinator();
    let round = world.open_round("r").await;
    assert!(round.all_members && round.organisations.is_empty());
    let ghana = world.manager("wim-ghana").await;
    for manager in [&peru, &ghana] {
        round_of(&manager.client, &round.name).await.expect("is invited");
    }
    // The list replaces the invitation of all, and the other way round.
    let alone = invite(&coordinator, &round.name, &[&peru], false).await.expect("changes");
    assert_eq!((alone.all_members, alone.organisations), (false, vec![peru.name()]));
    assert_eq!(refused(round_of(&ghana.client, &round.name).await), "NOT_FOUND");
    let kenya = world.manager("wim-kenya").await;
    assert_eq!(refused(round_of(&kenya.client, &round.name).await), "NOT_FOUND");
    let all = invite(&coordinator, &round.name, &[], true).await.expect("changes");
    assert!(all.all_members && all.organisations.is_empty());
    round_of(&kenya.client, &round.name).await.expect("is invited");
    // A round that is closed to changes takes no new organisation.
    let request = v1::CancelRoundRequest { name: round.name.clone(), ..v1::CancelRoundRequest::default() };
    coordinator.rounds.clone().cancel_round(request).await.expect("is cancelled");
    let chile = world.manager("wim-chile").await;
    assert_eq!(refused(round_of(&chile.client, &round.name).await), "NOT_FOUND");
    world.stop().await;
}

async fn members_alone_are_invited(world: World) {
    let peru = world.manager("wim-peru").await;
    let coordinator = world.coordinator();
    let create = async |round: v1::Round, validate_only| {
        let request = v1::CreateRoundRequest {
            round_id: "r".to_owned(),
            round: Some(round),
            validate_only,
            ..v1::CreateRoundRequest::default()
        };
        coordinator.rounds.clone().create_round(request).await
    };
    let named = |names: &[&str]| v1::Round {
        organisations: names.iter().map(|name| (*name).to_owned()).collect(),
        all_members: false,
        ..round_message()
    };
    let unknown = create(named(&["organisations/wim-peru", "organisations/wim-nowhere"]), false).await;
    assert_eq!(wrong_fields(unknown), ["round.organisations"]);
    let malformed = create(named(&["wim-peru", "organisations/wim-peru"]), false).await;
    assert_eq!(wrong_fields(malformed), ["round.organisations[0]"]);
    let both = create(v1::Round { all_members: true, ..named(&["organisations/wim-peru"]) }, false).await;
    assert_eq!(wrong_fields(both), ["round.all_members"]);
    let checked = create(named(&["organisations/wim-peru"]), true).await.expect("is good").into_inner();
    assert_eq!(checked.round.expect("a round").organisations, [peru.name()]);
    assert_eq!(listed(&coordinator).await, [""; 0], "nothing was written");
    world.stop().await;
}
