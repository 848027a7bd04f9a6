//! How often and how much at a time: rates, calls in flight, and the age of a connection.

use std::time::Duration;

use tokio::task::JoinSet;
use tonic::codegen::Bytes;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use wim_match::api::Cause;
use wim_match::api::proto::v1;
use wim_match::client::Client;
use wim_match::config::Config;
use wim_match::domain::grant::Role;
use wim_match::domain::vocabulary::Lang;

use crate::refusal::{reason, refused};
use crate::wire::{Line, grpc, post, status_of};
use crate::world::{World, soon};

const LIST_ROUNDS: &str = "/wim.mentorship.v1.RoundService/ListRounds";

/// One read in two seconds and one write in four, two reads and one write at once.
fn slow(config: &mut Config) {
    config.reads_per_second = 1;
    config.writes_per_second = 1;
    config.burst_seconds = 2;
    config.rate_of_organisation = 1;
    config.rate_of_all = 100;
}

fn list() -> v1::ListRoundsRequest {
    v1::ListRoundsRequest::default()
}

/// Whose bucket is empty, for which calls, and the time to wait.
fn limit_of(status: &Status) -> (String, String, Duration) {
    assert_eq!((status.code(), reason(status).as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    let info = status.get_details_error_info().expect("an ErrorInfo");
    let quota = status.get_details_quota_failure().expect("a QuotaFailure");
    let [violation] = &quota.violations[..] else { panic!("{quota:?}") };
    assert_eq!(violation.subject, info.metadata["subject"]);
    assert!(!violation.description.is_empty());
    let wait = status.get_details_retry_info().expect("a RetryInfo").retry_delay.expect("a delay");
    let pushback =
        status.metadata().get("grpc-retry-pushback-ms").expect("a trailer").to_str().expect("text");
    assert_eq!(pushback, wait.as_millis().to_string(), "what clients of gRPC obey");
    (violation.subject.clone(), info.metadata["class"].clone(), wait)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_calls_too_often_is_told_when_to_call_again_and_then_is_served() {
    let world = World::sqlite_with(slow).await;
    let mut rounds = world.coordinator().rounds;
    for _ in 0..2 {
        soon(rounds.list_rounds(list())).await.expect("the burst is served");
    }
    let refused = soon(rounds.list_rounds(list())).await.expect_err("the third read");
    let (subject, class, wait) = limit_of(&refused);
    assert_eq!((subject.as_str(), class.as_str()), ("caller", "read"));
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
    tokio::time::sleep(wait).await;
    soon(rounds.list_rounds(list())).await.expect("the time in the answer is enough");
    assert_eq!(world.server().counts().refused_for(Cause::RateOfCaller), 1);
    let mut health = tonic_health::pb::health_client::HealthClient::new(world.channel().clone());
    for _ in 0..20 {
        soon(health.check(tonic_health::pb::HealthCheckRequest::default()))
            .await
            .expect("health has no limit");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_with_the_published_policy_waits_as_long_as_it_is_told_and_is_served() {
    let world = World::sqlite_with(|config| {
        slow(config);
        (config.reads_per_second, config.burst_seconds) = (2, 1);
    })
    .await;
    let client = Client::retrying(world.channel(), Some(world.coordinator_token()), Lang::default());
    let mut rounds = client.expect("a client").rounds;
    for _ in 0..5 {
        soon(rounds.list_rounds(list())).await.expect("waits, and is served");
    }
    let refused = world.server().counts().refused_for(Cause::RateOfCaller);
    assert!((3..=6).contains(&refused), "{refused} refusals for three calls beyond the burst");
    // What has no prospect is not repeated.
    let absent = v1::GetRoundRequest { name: "rounds/absent".to_owned() };
    assert_eq!(reason(&soon(rounds.get_round(absent)).await.expect_err("is absent")), "NOT_FOUND");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_callers_of_an_organisation_share_its_calls_and_another_organisation_has_its_own() {
    let world = World::sqlite_with(|config| {
        slow(config);
        config.writes_per_second = 0;
    })
    .await;
    let (peru, ghana) = (world.manager("wim-peru").await, world.manager("wim-ghana").await);
    let role = Role::OrganisationManager(peru.organisation.clone());
    let again = world.server().service().issue_token(&role, "another").await.expect("a token");
    let mut colleague = world.client(Some(&again));
    let mut first = peru.client.clone();
    for _ in 0..2 {
        soon(first.rounds.list_rounds(list())).await.expect("the burst is served");
    }
    let refused = soon(colleague.rounds.list_rounds(list())).await.expect_err("her colleague has used it up");
    assert_eq!(limit_of(&refused).0, "organisation");
    soon(ghana.client.clone().rounds.list_rounds(list())).await.expect("another organisation is served");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_is_refused_for_its_rate_has_changed_nothing() {
    let world = World::sqlite_with(slow).await;
    let organisation = |id: &str| v1::CreateOrganisationRequest {
        organisation_id: id.to_owned(),
        organisation: Some(v1::Organisation {
            display_name: id.to_owned(),
            country: "PE".to_owned(),
            ..v1::Organisation::default()
        }),
        request_id: uuid::Uuid::from_u128(u128::from(id.len() as u64) + 1).to_string(),
        validate_only: false,
    };
    let mut organisations = world.secretariat().organisations;
    for id in ["a", "bc"] {
        soon(organisations.create_organisation(organisation(id))).await.expect("the burst is served");
    }
    let before = world.dump().await;
    let refused = soon(organisations.create_organisation(organisation("def"))).await.expect_err("the third");
    let (subject, class, wait) = limit_of(&refused);
    assert_eq!((subject.as_str(), class.as_str()), ("caller", "write"));
    assert_eq!(world.dump().await, before);
    tokio::time::sleep(wait).await;
    soon(organisations.create_organisation(organisation("def"))).await.expect("the same call again");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_calls_is_refused_early_and_another_caller_is_served() {
    let world = World::sqlite_with(|config| {
        config.max_calls_in_flight = 4;
        (config.silence_seconds, config.message_seconds) = (3_600, 3_600);
    })
    .await;
    let ghana = world.manager("wim-ghana").await;
    let bearer = format!("Bearer {}", world.coordinator_token());
    // The calls that made the world have ended.
    soon(async {
        while world.server().counts().calls > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let mut line = Line::open(&world).await;
    let (mut answers, mut questions) = (JoinSet::new(), Vec::new());
    for call in 0..3 {
        let request = grpc(&world, LIST_ROUNDS, &[("authorization", &bearer)]).body(()).expect("a request");
        let (answer, question) = soon(line.call_when_ready(request)).await.expect("is sent");
        answers.spawn(async move { (call, status_of(answer).await) });
        questions.push(question);
    }
    // Of three calls whose messages have not come, the caller may hold two.
    let (refused, status) = soon(answers.join_next()).await.expect("an answer").expect("ends");
    assert_eq!(reason(&status), "OVERLOADED");
    assert!(world.server().counts().refused_for(Cause::CallsInFlight) > 0);
    soon(ghana.client.clone().rounds.list_rounds(list())).await.expect("another caller is served");
    for (call, mut question) in questions.into_iter().enumerate() {
        if call != refused {
            question.send_data(Bytes::from_static(&[0; 5]), true).expect("sends");
        }
    }
    while let Some(answer) = soon(answers.join_next()).await {
        assert_eq!(answer.expect("ends").1.code(), Code::Ok);
    }
    // Ended calls make room, as soon as the service has let go of them.
    soon(async {
        while post(&world, LIST_ROUNDS, &[("authorization", &bearer)], Some(vec![0; 5])).await.code()
            != Code::Ok
        {}
    })
    .await;
    drop(line);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_connection_ends_after_its_calls_and_at_the_latest_after_their_time() {
    let world = World::sqlite_with(|config| {
        config.connection_age_seconds = 1;
        config.connection_grace_seconds = 2;
        (config.silence_seconds, config.message_seconds) = (3_600, 3_600);
    })
    .await;
    let bearer = format!("Bearer {}", world.coordinator_token());
    let call = || grpc(&world, LIST_ROUNDS, &[("authorization", &bearer)]).body(()).expect("a request");
    // A call that is open at the age of its connection is served.
    let mut line = Line::open(&world).await;
    let (answer, mut asked) = soon(line.call_when_ready(call())).await.expect("is taken");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    asked.send_data(Bytes::from_static(&[0; 5]), true).expect("sends");
    assert_eq!(status_of(answer).await.code(), Code::Ok);
    soon(line.ended()).await.expect("the connection ends in order");
    // A call that never ends is cut after its time.
    let mut line = Line::open(&world).await;
    let _open = soon(line.call_when_ready(call())).await.expect("is taken");
    drop(soon(line.ended()).await);
    // The client opens another connection by itself.
    soon(world.coordinator().rounds.list_rounds(list())).await.expect("a caller is served");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_large_is_not_to_be_sent_again() {
    let world = World::sqlite_with(|config| config.max_message_bytes = 64 << 10).await;
    let bearer = format!("Bearer {}", world.coordinator_token());
    let large = post(&world, LIST_ROUNDS, &[("authorization", &bearer)], Some(vec![0, 0, 1, 0, 1])).await;
    assert_eq!(reason(&large), "MESSAGE_TOO_LARGE");
    assert_eq!(large.metadata().get("grpc-retry-pushback-ms").expect("a trailer"), "-1");
    let unknown = world.client(Some("wimm_x")).rounds.list_rounds(list()).await;
    assert_eq!(refused(unknown), "UNAUTHENTICATED");
    world.stop().await;
}
