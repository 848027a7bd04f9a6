//! Following events over gRPC: order, resumption, what each caller sees, and the bounds of a cursor.

use std::time::Duration;

use tonic::Streaming;
use wim_match::api::proto::v1;
use wim_match::client::Client;
use wim_match::store::Scope;

use crate::refusal::{reason, refused, wrong_fields};
use crate::world::{World, mentee, mentor, soon};

/// What a caller is told of an event: its name and its kind, with its cursor.
type Told = (String, v1::EventKind, String);

async fn open(client: &Client, cursor: &str, from_oldest: bool) -> Streaming<v1::StreamEventsResponse> {
    let request = v1::StreamEventsRequest { cursor: cursor.to_owned(), from_oldest };
    client.events.clone().stream_events(request).await.expect("opens").into_inner()
}

/// The next event of a stream. Messages without an event are passed over.
async fn event(stream: &mut Streaming<v1::StreamEventsResponse>) -> (v1::Event, String) {
    soon(async {
        loop {
            let message = stream.message().await.expect("goes on").expect("has no end");
            assert!(!message.cursor.is_empty());
            if let Some(event) = message.event {
                return (event, message.cursor);
            }
        }
    })
    .await
}

/// The events up to the first one of this kind.
async fn until(stream: &mut Streaming<v1::StreamEventsResponse>, kind: v1::EventKind) -> Vec<Told> {
    let mut told = Vec::new();
    loop {
        let (event, cursor) = event(stream).await;
        let seen = event.kind();
        told.push((event.name, seen, cursor));
        if seen == kind {
            return told;
        }
    }
}

fn names(told: &[Told]) -> Vec<(&str, v1::EventKind)> {
    told.iter().map(|(name, kind, _)| (name.as_str(), *kind)).collect()
}

/// Two organisations enrol in a round, which is run.
async fn programme(world: &World) -> [crate::world::Manager; 2] {
    let mut peru = world.manager("wim-peru").await;
    let mut kenya = world.manager("wim-kenya").await;
    world.open_round("spring").await;
    for manager in [&mut peru, &mut kenya] {
        manager.import(vec![mentor("mentor", 2), mentee("mentee")]).await;
        manager.enrol_all("rounds/spring").await;
    }
    let run = soon(world.run_to_the_end("rounds/spring")).await;
    assert_eq!(run.state(), v1::RunState::Succeeded);
    [peru, kenya]
}

async fn each_caller_follows_what_she_may_read(world: World) {
    use v1::EventKind::{Created, EnrolmentsChanged, ProfilesChanged, RunStarted, RunSucceeded};
    let mut live = open(&world.coordinator(), "", false).await;
    let first = soon(live.message()).await.expect("goes on").expect("comes at once");
    assert!(first.event.is_none() && !first.cursor.is_empty());
    let [peru, kenya] = programme(&world).await;
    let all = until(&mut live, RunSucceeded).await;
    let of = |organisation: &str| {
        let organisation = format!("organisations/{organisation}");
        [(organisation.clone(), ProfilesChanged), ("rounds/spring".to_owned(), EnrolmentsChanged)]
    };
    let created = |name: &str| (name.to_owned(), Created);
    let mut expected =
        vec![created("organisations/wim-peru"), created("organisations/wim-kenya"), created("rounds/spring")];
    expected.extend(of("wim-peru").into_iter().chain(of("wim-kenya")));
    expected.push(("rounds/spring/runs/1".to_owned(), RunStarted));
    expected.push(("rounds/spring/runs/1".to_owned(), RunSucceeded));
    let told: Vec<(String, v1::EventKind)> =
        all.iter().map(|(name, kind, _)| (name.clone(), *kind)).collect();
    assert_eq!(told, expected);

    // From each cursor on, the rest comes again; so it does from the oldest on.
    for (at, (_, _, cursor)) in all.iter().enumerate().take(all.len() - 1) {
        let rest = until(&mut open(&world.coordinator(), cursor, false).await, RunSucceeded).await;
        assert_eq!(names(&rest), names(&all[at + 1..]), "after event {at}");
    }
    let again = until(&mut open(&world.coordinator(), "", true).await, RunSucceeded).await;
    assert_eq!(names(&again), names(&all));

    // A manager sees her own organisation and the rounds.
    let own = until(&mut open(&kenya.client, "", true).await, RunSucceeded).await;
    let foreign = |name: &str| name == "organisations/wim-peru";
    let seen: Vec<_> = names(&own);
    assert!(seen.iter().all(|(name, _)| !foreign(name)), "{seen:?}");
    assert_eq!(seen.len(), all.len() - 3, "all but the other's registration, import and enrolment");
    drop(peru);

    // An etag is that of the resource at the moment of the event.
    let mut stream = open(&world.coordinator(), "", true).await;
    let (registered, _) = event(&mut stream).await;
    let request = v1::GetOrganisationRequest { name: registered.name };
    let now = world.coordinator().organisations.get_organisation(request).await.expect("exists").into_inner();
    assert_eq!(registered.etag, now.organisation.expect("an organisation").etag);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_caller_follows_what_she_may_read_on_sqlite() {
    Box::pin(each_caller_follows_what_she_may_read(World::sqlite().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_caller_follows_what_she_may_read_on_postgresql() {
    // Without PostgreSQL, `postgres` has said so aloud.
    if let Some(world) = World::postgresql().await {
        Box::pin(each_caller_follows_what_she_may_read(world)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_belongs_to_its_caller_and_shows_nothing() {
    let world = World::sqlite().await;
    let kenya = world.manager("wim-kenya").await;
    let cursor = async |client: &Client| {
        soon(open(client, "", true).await.message()).await.expect("goes on").expect("a message").cursor
    };
    let (one, two) = (cursor(&world.coordinator()).await, cursor(&world.coordinator()).await);
    assert_ne!(one, two, "two cursors of one place are different");
    assert_eq!(one.len(), two.len());
    let ask = async |client: &Client, cursor: &str| {
        let request = v1::StreamEventsRequest { cursor: cursor.to_owned(), from_oldest: false };
        client.events.clone().stream_events(request).await.map(drop)
    };
    ask(&world.coordinator(), &one).await.expect("is hers");
    assert_eq!(wrong_fields(ask(&kenya.client, &one).await), ["cursor"]);
    let mut changed = one.clone();
    changed.replace_range(20..21, if &one[20..21] == "0" { "1" } else { "0" });
    for wrong in [&changed, "x", "00", &one[..one.len() - 2]] {
        assert_eq!(wrong_fields(ask(&world.coordinator(), wrong).await), ["cursor"], "{wrong}");
    }
    // The cursor outlives the process.
    let (hers, token) = (cursor(&kenya.client).await, kenya.token);
    let world = world.restart().await;
    ask(&world.client(Some(&token)), &hers).await.expect("is still hers");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_that_is_older_than_what_is_kept_is_refused() {
    let world = World::sqlite().await;
    let mut stream = open(&world.coordinator(), "", true).await;
    let old = soon(stream.message()).await.expect("goes on").expect("a message").cursor;
    world.manager("wim-kenya").await;
    let (_, newer) = event(&mut stream).await;
    let store = world.server().service().store();
    let now = jiff::Timestamp::from_second(4_000_000_000).expect("a moment");
    store.seal_journal(&Scope::System).await.expect("seals");
    assert!(store.purge_journal(&Scope::System, now, now).await.expect("purges") > 0);
    // An open stream that has read them goes on; one that begins at what was deleted does not.
    world.manager("wim-peru").await;
    assert_eq!(event(&mut stream).await.0.name, "organisations/wim-peru");
    let ask = async |cursor: &str| {
        let request = v1::StreamEventsRequest { cursor: cursor.to_owned(), from_oldest: false };
        world.coordinator().events.clone().stream_events(request).await.map(drop)
    };
    assert_eq!(refused(ask(&old).await), "EVENTS_EXPIRED");
    drop(newer);
    let oldest = event(&mut open(&world.coordinator(), "", true).await).await;
    assert_eq!(oldest.0.name, "organisations/wim-peru", "from the oldest that is kept");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_of_many_writers_comes_once() {
    let world = World::sqlite().await;
    let mut stream = open(&world.coordinator(), "", false).await;
    let register = |number: usize| {
        let mut client = world.secretariat();
        async move {
            for part in 0..10 {
                let organisation = v1::Organisation {
                    display_name: "O".to_owned(),
                    country: "PE".to_owned(),
                    ..v1::Organisation::default()
                };
                let request = v1::CreateOrganisationRequest {
                    organisation_id: format!("wim-{number}-{part}"),
                    organisation: Some(organisation),
                    request_id: String::new(),
                    validate_only: false,
                };
                client.organisations.create_organisation(request).await.expect("creates");
            }
        }
    };
    let writing = tokio_util::task::TaskTracker::new();
    (0..8).for_each(|number| drop(writing.spawn(register(number))));
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..80 {
        let (event, _) = event(&mut stream).await;
        *seen.entry(event.name).or_insert(0) += 1;
    }
    assert!(seen.len() == 80 && seen.values().all(|times| *times == 1), "{seen:?}");
    // Afterwards there is silence, and no event twice.
    let more = tokio::time::timeout(Duration::from_secs(1), stream.message()).await;
    assert!(more.is_err(), "{more:?}");
    writing.close();
    writing.wait().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_service_and_says_so() {
    let world = World::sqlite().await;
    let mut stream = open(&world.coordinator(), "", false).await;
    soon(stream.message()).await.expect("goes on");
    let ended = async {
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("a stream of events has no end of its own"),
                Err(status) => return reason(&status),
            }
        }
    };
    let (told, ()) = soon(async { tokio::join!(ended, world.stop()) }).await;
    assert_eq!(told, "SHUTTING_DOWN");
}
