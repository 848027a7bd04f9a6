//! Two replicas of the service over one PostgreSQL: what one of them has acknowledged holds at the other, and a request that
//! reaches both has one effect.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinSet;
use tonic::Code;
use wim_match::api::proto::v1;
use wim_match::client::request_id;
use wim_match::clock::Stopwatch;
use wim_match::service::Revocation;

use crate::refusal::reason;
use crate::world::{World, is_final, mentee, mentor, round_message, soon};

/// The first replica, whose worker rests, and the second one. `None` where there is no PostgreSQL.
async fn pair() -> Option<(World, World)> {
    let first = World::postgresql().await?.restart_without_worker().await;
    let second = first.replica().await;
    Some((first, second))
}

async fn stop(first: World, second: World) {
    second.stop().await;
    first.stop().await;
}

/// Entries of the journal about an action.
async fn entries(world: &World, action: &str) -> usize {
    let action = format!("\"action\": \"{action}\"");
    world.dump().await.iter().filter(|row| row.starts_with("journal{") && row.contains(&action)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_one_replica_revokes_opens_nothing_at_the_other() {
    let Some((first, second)) = pair().await else { return };
    let mut manager = first.manager("wim-peru").await;
    manager.import(vec![mentor("mentor", 1), mentee("mentee")]).await;
    let mut there = second.client(Some(&manager.token));
    let mut events =
        there.events.stream_events(v1::StreamEventsRequest::default()).await.expect("follows").into_inner();
    let get = || v1::GetOrganisationRequest { name: "organisations/wim-peru".to_owned() };
    there.organisations.get_organisation(get()).await.expect("is known at both");

    let revoked = first.server().service().revoke_token(&manager.token).await.expect("revokes");
    assert!(matches!(revoked, Revocation::Revoked { .. }));
    let since = Stopwatch::start();
    // A replica keeps a credential for a moment after it has read it.
    let refusal = loop {
        match soon(there.organisations.get_organisation(get())).await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(status) => break reason(&status),
        }
    };
    assert_eq!(refusal, "UNAUTHENTICATED");
    let ended = loop {
        match soon(events.message()).await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended well"),
            Err(status) => break status,
        }
    };
    assert!(since.elapsed() < Duration::from_secs(1), "after {:?}", since.elapsed());
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
    stop(first, second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_reaches_both_replicas_has_one_effect() {
    let Some((first, second)) = pair().await else { return };
    let id = request_id();
    let request = v1::CreateRoundRequest {
        round_id: "r".to_owned(),
        round: Some(round_message()),
        request_id: id,
        validate_only: false,
    };
    let mut calls = JoinSet::new();
    for at in 0..16 {
        let token = first.coordinator_token();
        let mut client = [&first, &second][at % 2].client(Some(token)).rounds;
        let request = request.clone();
        calls
            .spawn(async move { client.create_round(request).await.map(|answer| answer.into_inner().round) });
    }
    let mut answers = Vec::new();
    while let Some(done) = calls.join_next().await {
        answers.push(done.expect("is whole").expect("opens, or answers as before").expect("a round"));
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "one answer: {answers:?}");
    assert_eq!(entries(&first, "round.create").await, 1, "one effect");
    stop(first, second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_one_replica_queues_are_executed_once_by_whichever_works() {
    let Some((first, second)) = pair().await else { return };
    let rounds = ["a", "b", "c", "d"];
    let mut manager = first.manager("wim-peru").await;
    manager.import(vec![mentor("mentor", 1), mentee("mentee")]).await;
    let mut names = Vec::new();
    for round in rounds {
        let name = first.open_round(round).await.name;
        manager.enrol_all(&name).await;
        names.push(name);
    }
    let mut started = BTreeSet::new();
    for name in &names {
        let request = v1::StartRunRequest { round: name.clone(), ..v1::StartRunRequest::default() };
        let (mut here, mut there) = (first.coordinator().runs, second.coordinator().runs);
        let (one, other) = tokio::join!(here.start_run(request.clone()), there.start_run(request));
        let answers = [one, other].map(|answer| answer.map(|answer| answer.into_inner().run.expect("a run")));
        for answer in answers {
            match answer {
                Ok(run) => drop(started.insert(run.name)),
                Err(status) => assert_eq!(reason(&status), "RUN_ACTIVE"),
            }
        }
    }
    for name in &started {
        let updates = first.watch(name).await;
        let run = updates.last().expect("an end");
        assert!(is_final(run) && run.state() == v1::RunState::Succeeded, "{run:?}");
        assert_eq!(run.attempt, 1, "{name}");
    }
    assert!(started.len() >= rounds.len(), "{started:?}");
    assert_eq!(entries(&first, "run.succeed").await, started.len(), "each run has one end");
    stop(first, second).await;
}
