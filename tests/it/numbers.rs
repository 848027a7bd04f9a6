//! The numbers that the contract promises: one effect for each request however often it is sent, no change lost between writers
//! with etags, and lists that are walked whole while their rows change.
//!
//! The everyday tests are small. The tests of the promised sizes take minutes: `cargo test --test it numbers -- --ignored`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use prost_types::FieldMask;
use tokio::task::JoinSet;
use wim_match::api::convert::profile::message_of_draft;
use wim_match::api::proto::v1;
use wim_match::client::{Client, request_id};

use crate::refusal::reason;
use crate::world::{World, import_of, mentee, on_both_databases, send};

on_both_databases! {
    every_request_has_one_effect,
    no_change_between_writers_is_lost,
    a_list_is_walked_whole_under_changes,
}

async fn every_request_has_one_effect(world: World) {
    requests(&world, 200, 16).await;
    world.stop().await;
}

async fn no_change_between_writers_is_lost(world: World) {
    writers(&world, 8, 10).await;
    world.stop().await;
}

async fn a_list_is_walked_whole_under_changes(world: World) {
    walk(&world, 1_500).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "10,000 requests, each sent three times"]
async fn ten_thousand_requests_have_one_effect_each() {
    let world = World::sqlite().await;
    requests(&world, 10_000, 16).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "12,800 changes of one row"]
async fn sixty_four_writers_lose_none_of_two_hundred_changes_each() {
    let world = World::sqlite().await;
    writers(&world, 64, 200).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "200,000 rows"]
async fn two_hundred_thousand_rows_are_walked_whole_under_changes() {
    let world = World::sqlite().await;
    walk(&world, 200_000).await;
    world.stop().await;
}

/// Sends each of `number` requests three times, `at_once` at a time, in an order in which repetitions meet.
async fn requests(world: &World, number: usize, at_once: usize) {
    let peru = world.manager("wim-peru").await;
    let all: Arc<Vec<v1::CreateProfileRequest>> = Arc::new(
        (0..number)
            .map(|at| v1::CreateProfileRequest {
                parent: peru.name(),
                profile_id: format!("p{at}"),
                profile: Some(message_of_draft(mentee("new"))),
                request_id: request_id(),
                validate_only: false,
            })
            .collect(),
    );
    let mut senders = JoinSet::new();
    for sender in 0..at_once {
        let (client, all) = (peru.client.clone(), Arc::clone(&all));
        senders.spawn(async move {
            let mut answers = Vec::new();
            // Each request has three senders of the sixteen, which come to it at about the same time.
            for (at, request) in all.iter().enumerate() {
                if (sender + at_once - at % at_once) % at_once < 3 {
                    let answer = client.profiles.clone().create_profile(request.clone()).await;
                    answers.push((at, answer.expect("is the first answer").into_inner()));
                }
            }
            answers
        });
    }
    let mut answers: BTreeMap<usize, Vec<v1::CreateProfileResponse>> = BTreeMap::new();
    for (at, answer) in senders.join_all().await.into_iter().flatten() {
        answers.entry(at).or_default().push(answer);
    }
    assert_eq!(answers.len(), number);
    for (at, same) in &answers {
        assert_eq!(same.len(), 3);
        assert!(same.iter().all(|answer| *answer == same[0]), "request {at} has several answers");
        assert_eq!(same[0].profile.as_ref().map(|profile| profile.version), Some(1));
    }
    let secretariat = world.caller(&["secretariat"]).await.0;
    let (mut entries, mut page_token) = (0, String::new());
    loop {
        let request = v1::ListAuditEntriesRequest { page_size: 1_000, page_token, ..Default::default() };
        let page = secretariat.admin.clone().list_audit_entries(request).await.expect("lists").into_inner();
        entries += page.entries.iter().filter(|entry| entry.action == "profile.create").count();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(entries, number, "one entry of the audit for each request");
    assert_eq!(walked(&peru.client, &peru.name()).await.len(), number);
}

/// Each writer adds one to a number in the name of an organisation, `changes` times. A writer whose etag is old reads again.
async fn writers(world: &World, number: usize, changes: usize) {
    let peru = world.manager("wim-peru").await;
    let name = peru.name();
    let first = v1::Organisation { name: name.clone(), display_name: "0".to_owned(), ..Default::default() };
    update(&peru.client, first).await.expect("begins");
    let mut writers = JoinSet::new();
    for _ in 0..number {
        let (client, name) = (peru.client.clone(), name.clone());
        writers.spawn(async move {
            for _ in 0..changes {
                loop {
                    let mut read = organisation(&client, &name).await;
                    let count: usize = read.display_name.parse().expect("a number");
                    read.display_name = (count + 1).to_string();
                    match update(&client, read).await {
                        Ok(()) => break,
                        Err(status) => assert_eq!(reason(&status), "ETAG_MISMATCH"),
                    }
                }
            }
        });
    }
    writers.join_all().await;
    assert_eq!(organisation(&peru.client, &name).await.display_name, (number * changes).to_string());
}

async fn organisation(client: &Client, name: &str) -> v1::Organisation {
    let request = v1::GetOrganisationRequest { name: name.to_owned() };
    let answer = client.organisations.clone().get_organisation(request).await.expect("reads");
    answer.into_inner().organisation.expect("an organisation")
}

async fn update(client: &Client, organisation: v1::Organisation) -> Result<(), tonic::Status> {
    let request = v1::UpdateOrganisationRequest {
        organisation: Some(organisation),
        update_mask: Some(FieldMask { paths: vec!["display_name".to_owned()] }),
        ..v1::UpdateOrganisationRequest::default()
    };
    client.organisations.clone().update_organisation(request).await.map(drop)
}

/// The names of an organisation's profiles, page by page.
async fn walked(client: &Client, parent: &str) -> Vec<String> {
    let (mut names, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListProfilesRequest { parent: parent.to_owned(), page_size: 500, page_token };
        let page = client.profiles.clone().list_profiles(request).await.expect("lists").into_inner();
        names.extend(page.profiles.into_iter().map(|profile| profile.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return names;
        }
    }
}

/// Walks `rows` profiles, while others are created between them and changed.
async fn walk(world: &World, rows: usize) {
    let mut peru = world.manager("wim-peru").await;
    let people: Vec<_> = (0..rows).map(|at| mentee(&format!("p{at:06}"))).collect();
    let names: BTreeSet<String> = (0..rows).map(|at| peru.member(&format!("p{at:06}"))).collect();
    for part in people.chunks(50_000) {
        let messages = import_of(&peru.organisation, part.to_vec());
        let imported = send(&mut peru.client, messages).await.expect("is imported");
        assert_eq!(imported.summary.map(|summary| summary.rejected), Some(0));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let mut changes = JoinSet::new();
    for writer in 0..4_usize {
        let (client, stop, parent) = (peru.client.clone(), Arc::clone(&stop), peru.name());
        changes.spawn(async move {
            let mut made = 0;
            while !stop.load(Ordering::Relaxed) {
                // Places all over the list, before and behind the walk.
                let at = (made * 7_919 + writer * 104_729) % rows;
                let create = v1::CreateProfileRequest {
                    parent: parent.clone(),
                    profile_id: format!("p{at:06}-{writer}-{made}"),
                    profile: Some(message_of_draft(mentee("new"))),
                    ..v1::CreateProfileRequest::default()
                };
                client.profiles.clone().create_profile(create).await.expect("is created");
                let country = ["CL", "KE", "GH"][made % 3].to_owned();
                let name = format!("{parent}/profiles/p{at:06}");
                let change = v1::UpdateProfileRequest {
                    profile: Some(v1::Profile { name, country, ..v1::Profile::default() }),
                    update_mask: Some(FieldMask { paths: vec!["country".to_owned()] }),
                    ..v1::UpdateProfileRequest::default()
                };
                client.profiles.clone().update_profile(change).await.expect("is changed");
                made += 1;
            }
            made
        });
    }
    let seen = walked(&peru.client, &peru.name()).await;
    stop.store(true, Ordering::Relaxed);
    let made: usize = changes.join_all().await.into_iter().sum();
    let once: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(once.len(), seen.len(), "none twice");
    assert!(names.iter().all(|name| once.contains(name)), "none missed");
    assert!(made > 0, "nothing has changed meanwhile");
}
