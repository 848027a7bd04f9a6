//! Changes of a round: none is lost, none is made twice, and none changes a result that exists.

use prost_types::FieldMask;
use tokio::task::JoinSet;
use tonic::Code;
use wim_match::api::proto::v1;
use wim_match::client::request_id;

use crate::refusal::{reason, refused, wrong_fields};
use crate::world::{World, mentee, mentor, on_both_databases, soon};

on_both_databases! {
    writers_who_read_before_they_write_lose_nothing,
    the_rules_of_an_organisation_are_its_own,
    enrolments_and_runs_do_not_move_the_etag,
    a_change_sent_again_gives_the_first_answer,
    a_run_keeps_the_policy_and_the_dates_of_its_start,
    a_round_that_has_ended_takes_nothing,
}

fn rename(round: &v1::Round, display_name: String) -> v1::UpdateRoundRequest {
    v1::UpdateRoundRequest {
        round: Some(v1::Round { display_name, ..round.clone() }),
        update_mask: Some(FieldMask { paths: vec!["display_name".to_owned()] }),
        ..v1::UpdateRoundRequest::default()
    }
}

async fn read(world: &World, name: &str) -> v1::Round {
    let request = v1::GetRoundRequest { name: name.to_owned() };
    world.coordinator().rounds.get_round(request).await.expect("exists").into_inner().round.expect("a round")
}

/// Each writer adds letters to the name of the round, one at a time, and reads again whenever another was faster.
async fn writers_who_read_before_they_write_lose_nothing(world: World) {
    let name = world.open_round("r").await.name;
    let mut writers = JoinSet::new();
    for writer in 0..6 {
        let (mut client, name) = (world.coordinator().rounds, name.clone());
        let letter = char::from(b'a' + writer);
        writers.spawn(async move {
            let mut lost = 0_u32;
            for _ in 0..8 {
                loop {
                    let request = v1::GetRoundRequest { name: name.clone() };
                    let round = client.get_round(request).await.expect("reads").into_inner().round;
                    let round = round.expect("a round");
                    let next = format!("{}{letter}", round.display_name);
                    match client.update_round(rename(&round, next)).await {
                        Ok(_) => break,
                        Err(status) => {
                            assert_eq!(
                                (status.code(), reason(&status)),
                                (Code::Aborted, "ETAG_MISMATCH".to_owned())
                            );
                            lost += 1;
                        }
                    }
                }
            }
            lost
        });
    }
    let races: u32 = writers.join_all().await.into_iter().sum();
    let round = read(&world, &name).await;
    for letter in 'a'..='f' {
        let written = round.display_name.matches(letter).count();
        let before = "First round".matches(letter).count();
        assert_eq!(written, before + 8, "{letter} in {} after {races} races", round.display_name);
    }
    assert_eq!(round.etag, "\"49\"", "one version for each change");
    world.stop().await;
}

async fn the_rules_of_an_organisation_are_its_own(world: World) {
    let peru = world.manager("wim-peru").await;
    let rules = v1::OrganisationRules {
        same_organisation_only: false,
        excluded_organisations: vec!["organisations/wim-kenya".to_owned()],
        most_places_given: Some(3),
        most_places_taken: Some(0),
    };
    let changed = peru.client.set_rules(&peru.organisation, rules.clone()).await.expect("her own rules");
    assert_eq!(changed.rules.as_ref(), Some(&rules));
    let read = async |client: wim_match::client::Client| {
        let request = v1::GetOrganisationRequest { name: peru.name() };
        let mut organisations = client.organisations;
        organisations.get_organisation(request).await.expect("reads").into_inner().organisation.expect("one")
    };
    assert_eq!(read(peru.client.clone()).await, changed);
    let shown = read(world.coordinator()).await;
    assert_eq!(shown.rules, None, "nobody else reads them");
    let all = world.coordinator().all_organisations().await.expect("lists");
    assert!(all.iter().all(|one| one.rules.is_none()));

    let given = v1::Organisation { name: String::new(), rules: Some(rules.clone()), ..shown.clone() };
    let create = v1::CreateOrganisationRequest {
        organisation_id: "wim-chile".to_owned(),
        organisation: Some(given),
        ..v1::CreateOrganisationRequest::default()
    };
    let told = world.secretariat().organisations.create_organisation(create).await;
    assert_eq!(wrong_fields(told), ["organisation.rules"]);
    let stale = v1::UpdateOrganisationRulesRequest {
        name: peru.name(),
        etag: "\"1\"".to_owned(),
        request_id: request_id(),
        ..v1::UpdateOrganisationRulesRequest::default()
    };
    let mut client = peru.client.organisations.clone();
    assert_eq!(refused(client.update_organisation_rules(stale.clone()).await), "ETAG_MISMATCH");
    let fresh = v1::UpdateOrganisationRulesRequest { etag: changed.etag.clone(), ..stale };
    let first =
        client.update_organisation_rules(fresh.clone()).await.expect("takes the rules away").into_inner();
    assert_eq!(first.organisation.clone().and_then(|one| one.rules), Some(v1::OrganisationRules::default()));
    assert_eq!(client.update_organisation_rules(fresh).await.expect("again").into_inner(), first);
    world.stop().await;
}

async fn enrolments_and_runs_do_not_move_the_etag(world: World) {
    let round = world.open_round("r").await;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 1), mentee("b")]).await;
    peru.enrol_all(&round.name).await;
    soon(world.run_to_the_end(&round.name)).await;
    let later = read(&world, &round.name).await;
    assert_eq!((later.state(), &later.etag), (v1::RoundState::Review, &round.etag));
    assert_eq!(later.update_time, round.update_time);
    let renamed = world.coordinator().rounds.update_round(rename(&round, "Renamed".to_owned())).await;
    let renamed = renamed.expect("nobody else has changed it").into_inner().round.expect("a round");
    assert_ne!(renamed.etag, round.etag);
    world.stop().await;
}

async fn a_change_sent_again_gives_the_first_answer(world: World) {
    let round = world.open_round("r").await;
    let mut client = world.coordinator().rounds;
    let request = v1::UpdateRoundRequest { request_id: request_id(), ..rename(&round, "First".to_owned()) };
    let first = client.update_round(request.clone()).await.expect("updates").into_inner();
    let now = first.round.clone().expect("a round");
    client.update_round(rename(&now, "Second".to_owned())).await.expect("updates");
    assert_eq!(client.update_round(request.clone()).await.expect("again").into_inner(), first);
    let other =
        v1::UpdateRoundRequest { request_id: request.request_id, ..rename(&round, "Other".to_owned()) };
    assert_eq!(refused(client.update_round(other).await), "REQUEST_ID_REUSED");

    let policy = v1::CreatePolicyRequest {
        parent: round.name.clone(),
        policy: Some(v1::Policy::default()),
        request_id: request_id(),
        ..v1::CreatePolicyRequest::default()
    };
    let first = client.create_policy(policy.clone()).await.expect("makes").into_inner();
    assert_eq!(client.create_policy(policy).await.expect("again").into_inner(), first);
    let cancel = v1::CancelRoundRequest {
        name: round.name.clone(),
        request_id: request_id(),
        ..v1::CancelRoundRequest::default()
    };
    let first = client.cancel_round(cancel.clone()).await.expect("cancels").into_inner();
    assert_eq!(client.cancel_round(cancel).await.expect("again").into_inner(), first);
    world.stop().await;
}

async fn a_run_keeps_the_policy_and_the_dates_of_its_start(world: World) {
    let round = world.open_round("r").await;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 1), mentee("b")]).await;
    peru.enrol_all(&round.name).await;
    let first = soon(world.run_to_the_end(&round.name)).await;
    let mut client = world.coordinator().rounds;
    let policy = v1::CreatePolicyRequest {
        parent: round.name.clone(),
        policy: Some(v1::Policy { objective: v1::Objective::Fairest.into(), ..v1::Policy::default() }),
        etag: round.etag.clone(),
        ..v1::CreatePolicyRequest::default()
    };
    let made =
        client.create_policy(policy.clone()).await.expect("makes").into_inner().policy.expect("a policy");
    assert_eq!((made.version, made.name.as_str()), (2, "rounds/r/policies/2"));
    assert_eq!(refused(client.create_policy(policy).await), "ETAG_MISMATCH");
    let now = read(&world, &round.name).await;
    let moved = v1::UpdateRoundRequest {
        round: Some(v1::Round { end_date: "2027-05-31".to_owned(), ..now }),
        update_mask: Some(FieldMask { paths: vec!["end_date".to_owned()] }),
        ..v1::UpdateRoundRequest::default()
    };
    client.update_round(moved).await.expect("updates");
    let second = soon(world.run_to_the_end(&round.name)).await;
    assert_eq!((first.policy_version, second.policy_version), (1, 2));
    for run in [&first, &second] {
        let request = v1::VerifyRunRequest { name: run.name.clone() };
        let verified = world.coordinator().runs.verify_run(request).await.expect("verifies").into_inner();
        assert!(verified.proved && verified.input_unchanged && verified.result_unchanged, "{}", run.name);
    }
    assert_ne!(first.input_digest, second.input_digest);

    // Whoever sees the round reads its policies.
    let mut client = peru.client.rounds.clone();
    let request = v1::ListPoliciesRequest { parent: round.name.clone(), page_size: 1, ..Default::default() };
    let page = client.list_policies(request.clone()).await.expect("lists").into_inner();
    assert_eq!(page.policies, [made]);
    let next = v1::ListPoliciesRequest { page_token: page.next_page_token, ..request };
    let page = client.list_policies(next).await.expect("lists").into_inner();
    assert_eq!((page.policies[0].version, page.next_page_token.as_str()), (1, ""));
    let request = v1::GetPolicyRequest { name: "rounds/r/policies/1".to_owned() };
    let one = client.get_policy(request).await.expect("reads").into_inner().policy;
    assert_eq!(one.as_ref(), Some(&page.policies[0]));
    for absent in ["rounds/r/policies/3", "rounds/none/policies/1"] {
        let request = v1::GetPolicyRequest { name: absent.to_owned() };
        assert_eq!(refused(client.get_policy(request).await), "NOT_FOUND");
    }
    world.stop().await;
}

async fn a_round_that_has_ended_takes_nothing(world: World) {
    let world = world.restart_without_worker().await;
    let round = world.open_round("r").await;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 1)]).await;
    peru.enrol_all(&round.name).await;
    let run = world.start_run(&round.name).await.name;
    let mut client = world.coordinator().rounds;
    let cancel = v1::CancelRoundRequest { name: round.name.clone(), ..v1::CancelRoundRequest::default() };
    assert_eq!(refused(client.cancel_round(cancel.clone()).await), "RUN_ACTIVE");
    world.cancel(&run).await;
    let ended =
        client.cancel_round(cancel.clone()).await.expect("cancels").into_inner().round.expect("a round");
    assert_eq!(ended.state(), v1::RoundState::Cancelled);
    let again = client.cancel_round(cancel).await.expect("it is cancelled already").into_inner().round;
    assert_eq!(again.as_ref(), Some(&ended));

    let start = v1::StartRunRequest { round: round.name.clone(), ..v1::StartRunRequest::default() };
    assert_eq!(refused(world.coordinator().runs.start_run(start).await), "ROUND_STATE");
    assert_eq!(refused(client.update_round(rename(&ended, "Late".to_owned())).await), "ROUND_STATE");
    let policy = v1::CreatePolicyRequest {
        parent: round.name.clone(),
        policy: Some(v1::Policy::default()),
        ..v1::CreatePolicyRequest::default()
    };
    assert_eq!(refused(client.create_policy(policy).await), "ROUND_STATE");
    let close = v1::CloseRoundRequest { name: round.name.clone(), ..v1::CloseRoundRequest::default() };
    assert_eq!(refused(client.close_round(close).await), "ROUND_STATE");
    let all = v1::EnrolProfilesRequest {
        round: round.name.clone(),
        organisation: peru.name(),
        all_profiles: true,
        ..v1::EnrolProfilesRequest::default()
    };
    assert_eq!(refused(peru.client.rounds.enrol_profiles(all).await), "ROUND_STATE");
    world.stop().await;
}
