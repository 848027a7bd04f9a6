//! Mutations sent again: under the same `request_id` they answer what they answered first and change nothing more; with
//! another payload or method they are refused.

use wim_match::api::proto::v1;
use wim_match::client::{Client, request_id};

use crate::refusal::{refused, wrong_fields};
use crate::world::{
    World, end_message, header_message, member, mentee, mentor, on_both_databases, round_message, row_of,
    rows_message, send, soon,
};

on_both_databases! {
    registering_an_organisation_again_gives_the_first_answer,
    opening_a_round_again_gives_the_first_answer,
    enrolling_again_gives_the_first_answer,
    withdrawing_again_gives_the_first_answer,
    starting_a_run_again_gives_the_same_run,
    cancelling_again_gives_the_same_end,
    importing_again_gives_the_first_summary,
    a_request_id_belongs_to_its_caller_and_to_its_method,
}

fn organisation(id: &str, name: &str, request_id: &str) -> v1::CreateOrganisationRequest {
    let display_name = name.to_owned();
    let content = v1::Organisation { display_name, country: "PE".to_owned(), ..v1::Organisation::default() };
    v1::CreateOrganisationRequest {
        organisation_id: id.to_owned(),
        organisation: Some(content),
        request_id: request_id.to_owned(),
        validate_only: false,
    }
}

async fn registering_an_organisation_again_gives_the_first_answer(world: World) {
    let (mut client, id) = (world.secretariat().organisations, request_id());
    let request = organisation("wim-peru", "WIM Perú", &id);
    let first = client.create_organisation(request.clone()).await.expect("is registered").into_inner();
    let again = client.create_organisation(request.clone()).await.expect("again").into_inner();
    assert_eq!(first, again);
    // Not the organisation as it is now.
    let role = "organisation-manager@wim-peru";
    let renamed = v1::Organisation {
        name: "organisations/wim-peru".to_owned(),
        display_name: "Renamed".to_owned(),
        ..v1::Organisation::default()
    };
    let change = v1::UpdateOrganisationRequest {
        organisation: Some(renamed),
        update_mask: Some(prost_types::FieldMask { paths: vec!["display_name".to_owned()] }),
        ..v1::UpdateOrganisationRequest::default()
    };
    let manager = world.caller(&[role]).await.0;
    manager.organisations.clone().update_organisation(change).await.expect("is renamed");
    let again = client.create_organisation(request.clone()).await.expect("again").into_inner();
    assert_eq!(first, again);
    let shouted = v1::CreateOrganisationRequest { request_id: id.to_uppercase(), ..request };
    assert_eq!(
        client.create_organisation(shouted).await.expect("one UUID, two spellings").into_inner(),
        first
    );
    for other in [organisation("wim-peru", "Another", &id), organisation("wim-kenya", "WIM Perú", &id)] {
        assert_eq!(refused(client.create_organisation(other).await), "REQUEST_ID_REUSED");
    }
    let new = organisation("wim-peru", "WIM Perú", &request_id());
    assert_eq!(refused(client.create_organisation(new).await), "ALREADY_EXISTS");
    let bad = organisation("wim-chile", "WIM Chile", "42");
    assert_eq!(wrong_fields(client.create_organisation(bad).await), ["request_id"]);
    world.stop().await;
}

async fn opening_a_round_again_gives_the_first_answer(world: World) {
    let (mut client, id) = (world.coordinator().rounds, request_id());
    let request = |end_date: &str| v1::CreateRoundRequest {
        round_id: "r".to_owned(),
        round: Some(v1::Round { end_date: end_date.to_owned(), ..round_message() }),
        request_id: id.clone(),
        validate_only: false,
    };
    let first = client.create_round(request("2027-07-31")).await.expect("is opened").into_inner();
    let again = client.create_round(request("2027-07-31")).await.expect("again").into_inner();
    assert_eq!(first, again);
    assert_eq!(refused(client.create_round(request("2027-08-31")).await), "REQUEST_ID_REUSED");
    // Not the round as it is now.
    let cancel = v1::CancelRoundRequest { name: "rounds/r".to_owned(), ..v1::CancelRoundRequest::default() };
    client.cancel_round(cancel).await.expect("is cancelled");
    let again = client.create_round(request("2027-07-31")).await.expect("again").into_inner();
    assert_eq!(first, again);
    world.stop().await;
}

async fn enrolling_again_gives_the_first_answer(world: World) {
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 1), mentee("b"), member("c")]).await;
    let id = request_id();
    let request = |ids: &[&str]| v1::EnrolProfilesRequest {
        round: round.clone(),
        organisation: peru.name(),
        profiles: ids.iter().map(|id| peru.member(id)).collect(),
        request_id: id.clone(),
        ..v1::EnrolProfilesRequest::default()
    };
    let mut client = peru.client.rounds.clone();
    let first = client.enrol_profiles(request(&["a", "b", "c"])).await.expect("enrols").into_inner();
    assert_eq!((first.enrolled, first.already_enrolled, first.refused.len()), (2, 0, 1));
    let again = client.enrol_profiles(request(&["a", "b", "c"])).await.expect("again").into_inner();
    assert_eq!(first, again, "not as already enrolled");
    assert_eq!(refused(client.enrol_profiles(request(&["a"])).await), "REQUEST_ID_REUSED");
    world.stop().await;
}

async fn withdrawing_again_gives_the_first_answer(world: World) {
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 1), mentee("b")]).await;
    peru.enrol_all(&round).await;
    let names: Vec<String> = peru.enrolments(&round).await.into_iter().map(|one| one.name).collect();
    let id = request_id();
    let request = |names: &[String]| v1::WithdrawEnrolmentsRequest {
        parent: round.clone(),
        organisation: peru.name(),
        enrolments: names.to_vec(),
        request_id: id.clone(),
        ..v1::WithdrawEnrolmentsRequest::default()
    };
    let mut client = peru.client.rounds.clone();
    let first = client.withdraw_enrolments(request(&names)).await.expect("withdraws").into_inner();
    assert_eq!((first.withdrawn, first.already_withdrawn), (2, 0));
    let again = client.withdraw_enrolments(request(&names)).await.expect("again").into_inner();
    assert_eq!(first, again, "not as already withdrawn");
    assert_eq!(refused(client.withdraw_enrolments(request(&names[..1])).await), "REQUEST_ID_REUSED");
    world.stop().await;
}

async fn starting_a_run_again_gives_the_same_run(world: World) {
    let world = world.restart_without_worker().await;
    let round = world.open_round("r").await.name;
    world.open_round("other").await;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 1)]).await;
    peru.enrol_all(&round).await;
    let (mut client, id) = (world.coordinator().runs, request_id());
    let request = |round: &str| v1::StartRunRequest {
        round: round.to_owned(),
        request_id: id.clone(),
        validate_only: false,
        ..v1::StartRunRequest::default()
    };
    let first = client.start_run(request(&round)).await.expect("starts").into_inner();
    let again = client.start_run(request(&round)).await.expect("again, though one is active").into_inner();
    assert_eq!(first, again);
    assert_eq!(refused(client.start_run(request("rounds/other")).await), "REQUEST_ID_REUSED");
    // Not the run as it is now.
    world.cancel(&first.run.clone().expect("a run").name).await;
    let again = client.start_run(request(&round)).await.expect("again").into_inner();
    assert_eq!(first, again);
    world.stop().await;
}

async fn cancelling_again_gives_the_same_end(world: World) {
    let world = world.restart_without_worker().await;
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 1)]).await;
    peru.enrol_all(&round).await;
    let run = world.start_run(&round).await;
    let (mut client, id) = (world.coordinator().runs, request_id());
    let request = |name: &str| v1::CancelRunRequest {
        name: name.to_owned(),
        request_id: id.clone(),
        validate_only: false,
    };
    let first = soon(client.cancel_run(request(&run.name))).await.expect("is cancelled").into_inner();
    let again = soon(client.cancel_run(request(&run.name))).await.expect("again").into_inner();
    assert_eq!(first, again);
    assert_eq!(refused(client.cancel_run(request("rounds/r/runs/2")).await), "REQUEST_ID_REUSED");
    world.stop().await;
}

async fn importing_again_gives_the_first_summary(world: World) {
    let mut peru = world.manager("wim-peru").await;
    let id = request_id();
    let messages = |name: String, people: &[&str]| {
        let header = v1::ImportHeader { parent: name, request_id: id.clone(), ..v1::ImportHeader::default() };
        let rows = people.iter().zip(2..).map(|(person, row)| row_of(row, mentee(person))).collect();
        let number = i64::try_from(people.len()).expect("few");
        vec![header_message(header), rows_message(rows), end_message(number)]
    };
    let first = messages(peru.name(), &["a", "b"]);
    let told = send(&mut peru.client, first.clone()).await.expect("imports").summary.expect("a summary");
    assert_eq!((told.created, told.unchanged, told.stored), (2, 0, true));
    let again = send(&mut peru.client, first).await.expect("again").summary.expect("a summary");
    assert_eq!(again, told, "not as unchanged");
    let other = messages(peru.name(), &["a", "c"]);
    assert_eq!(refused(send(&mut peru.client, other).await), "REQUEST_ID_REUSED");
    assert_eq!(
        names(&mut peru.client, &peru.organisation.name()).await,
        ["a", "b"].map(|id| peru.member(id))
    );

    let header =
        v1::ImportHeader { parent: peru.name(), request_id: "42".to_owned(), ..v1::ImportHeader::default() };
    let bad = vec![header_message(header), rows_message(vec![row_of(2, mentee("d"))]), end_message(1)];
    assert_eq!(wrong_fields(send(&mut peru.client, bad).await), ["request_id"]);
    world.stop().await;
}

async fn names(client: &mut Client, parent: &str) -> Vec<String> {
    let request = v1::ListProfilesRequest { parent: parent.to_owned(), ..v1::ListProfilesRequest::default() };
    let listed = client.profiles.list_profiles(request).await.expect("lists").into_inner();
    listed.profiles.into_iter().map(|profile| profile.name).collect()
}

async fn a_request_id_belongs_to_its_caller_and_to_its_method(world: World) {
    let id = request_id();
    let (mut coordinator, _) = Box::pin(world.caller(&["secretariat", "coordinator"])).await;
    coordinator
        .organisations
        .create_organisation(organisation("wim-peru", "WIM Perú", &id))
        .await
        .expect("first");
    let round = v1::CreateRoundRequest {
        round_id: "r".to_owned(),
        round: Some(round_message()),
        request_id: id.clone(),
        validate_only: false,
    };
    assert_eq!(refused(coordinator.rounds.create_round(round.clone()).await), "REQUEST_ID_REUSED");
    let role = wim_match::domain::grant::Role::Coordinator;
    let token = world.server().service().issue_token(&role, "another").await.expect("a token");
    world.client(Some(&token)).rounds.create_round(round).await.expect("another caller's ids are her own");
    world.stop().await;
}
