//! Callers: what becomes of open streams and of the next calls when a credential is revoked, on every replica.

use std::time::{Duration, Instant};

use tonic::{Code, Streaming};
use wim_match::api::proto::v1;
use wim_match::service::Revocation;

use crate::refusal::{reason, refused};
use crate::world::{Manager, World, mentee, mentor, on_both_databases};

on_both_databases! {
    a_revoked_token_ends_its_streams_within_a_second_and_opens_nothing,
}

/// A queued run that nobody executes, and a manager who watches it.
async fn watched(world: &World) -> (Manager, Streaming<v1::WatchRunResponse>) {
    let mut manager = world.manager("wim-peru").await;
    manager.import(vec![mentor("mentor", 1), mentee("mentee")]).await;
    world.open_round("r").await;
    manager.enrol_all("rounds/r").await;
    let run = world.start_run("rounds/r").await;
    let request = v1::WatchRunRequest { name: run.name };
    let mut watch = manager.client.runs.watch_run(request).await.expect("watches").into_inner();
    watch.message().await.expect("goes on").expect("the run as it is");
    (manager, watch)
}

async fn a_revoked_token_ends_its_streams_within_a_second_and_opens_nothing(world: World) {
    let world = world.restart_without_worker().await;
    let (mut manager, mut watch) = watched(&world).await;
    let still = tokio::time::timeout(Duration::from_millis(1_500), watch.message()).await;
    assert!(still.is_err(), "the stream of a good token goes on");
    let revoked = world.server().service().revoke_token(&manager.token).await.expect("revokes");
    assert!(matches!(revoked, Revocation::Revoked { .. }));
    let since = Instant::now();
    let ended = watch.message().await.expect_err("ends");
    assert!(since.elapsed() < Duration::from_secs(1), "after {:?}", since.elapsed());
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
    let next = manager.client.rounds.get_round(v1::GetRoundRequest { name: "rounds/r".to_owned() }).await;
    assert_eq!(refused(next), "UNAUTHENTICATED");
    world.cancel("rounds/r/runs/1").await;
    world.stop().await;
}
