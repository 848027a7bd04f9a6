//! The audit over gRPC: who reads which entries, its verification, the entry of an export, and the sums of calls.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tonic::Status;
use wim_match::api::proto::v1;
use wim_match::client::Client;
use wim_match::clock::Clock as _;

use crate::call::{Target, call, methods};
use crate::refusal::{reason, refused, wrong_fields};
use crate::world::{Manager, World, matches, mentee, mentor, soon};

/// All entries that a caller reads under a filter, over pages of this size.
async fn entries(
    client: &Client,
    filter: &v1::ListAuditEntriesRequest,
    page_size: i32,
) -> Result<Vec<v1::AuditEntry>, Status> {
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListAuditEntriesRequest { page_size, page_token, ..filter.clone() };
        let page = client.admin.clone().list_audit_entries(request).await?.into_inner();
        found.extend(page.entries);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(found);
        }
    }
}

fn all() -> v1::ListAuditEntriesRequest {
    v1::ListAuditEntriesRequest::default()
}

fn told(entries: &[v1::AuditEntry]) -> Vec<(&str, &str)> {
    entries.iter().map(|entry| (entry.action.as_str(), entry.resource.as_str())).collect()
}

async fn verify(client: &Client, anchor: &str) -> v1::VerifyAuditResponse {
    let request = v1::VerifyAuditRequest { anchor: anchor.to_owned() };
    client.admin.clone().verify_audit(request).await.expect("verifies").into_inner()
}

async fn two_organisations(world: &World) -> [Manager; 2] {
    let mut peru = world.manager("wim-peru").await;
    let mut kenya = world.manager("wim-kenya").await;
    world.open_round("spring").await;
    for manager in [&mut peru, &mut kenya] {
        manager.import(vec![mentor("mentor", 2), mentee("mentee")]).await;
        manager.enrol_all("rounds/spring").await;
    }
    [peru, kenya]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secretariat_reads_all_entries_and_a_manager_those_of_her_organisation() {
    for world in [Some(World::sqlite().await), World::postgresql().await].into_iter().flatten() {
        let [peru, kenya] = two_organisations(&world).await;
        let secretariat = world.caller(&["secretariat"]).await.0;
        world.server().service().seal_audit().await.expect("seals");
        let whole = entries(&secretariat, &all(), 0).await.expect("lists");
        assert_eq!(entries(&secretariat, &all(), 1).await.expect("lists"), whole);
        let positions: Vec<i64> = whole.iter().map(|entry| entry.position).collect();
        assert_eq!(positions, (1..=i64::try_from(whole.len()).expect("few")).collect::<Vec<_>>());

        let own = entries(&peru.client, &all(), 1).await.expect("lists");
        let expected: Vec<v1::AuditEntry> = whole
            .iter()
            .filter(|entry| entry.organisation == peru.name())
            .map(|entry| v1::AuditEntry { position: 0, hash: String::new(), ..entry.clone() })
            .collect();
        assert_eq!(own, expected);
        let round = ("round.enrol", "rounds/spring");
        let name = peru.name();
        assert!(told(&own).contains(&("profile.import", &name)) && told(&own).contains(&round));

        // Filters.
        let who = world.who_is(&peru.client).await.name;
        let by_peru = v1::ListAuditEntriesRequest { actor: who.clone(), ..all() };
        let hers = entries(&secretariat, &by_peru, 0).await.expect("lists");
        assert_eq!(hers, whole.iter().filter(|e| e.actor == who).cloned().collect::<Vec<_>>());
        assert!(!hers.is_empty());
        assert!(entries(&kenya.client, &by_peru, 0).await.expect("lists").is_empty(), "foreign entries");
        let on_peru = v1::ListAuditEntriesRequest { resource: peru.name(), ..all() };
        assert!(entries(&kenya.client, &on_peru, 0).await.expect("lists").is_empty(), "a foreign resource");
        let about = entries(&secretariat, &on_peru, 0).await.expect("lists");
        assert!(about.len() >= 2 && about.iter().all(|entry| entry.resource == peru.name()));
        let later = v1::ListAuditEntriesRequest { from_time: whole.last().and_then(|e| e.time), ..all() };
        let later = entries(&secretariat, &later, 2).await.expect("lists");
        assert!(whole.ends_with(&later) && !later.is_empty());
        let wrong = v1::ListAuditEntriesRequest {
            actor: "x\0".to_owned(),
            from_time: whole[0].time,
            until_time: whole[0].time,
            ..all()
        };
        let wrong = entries(&secretariat, &wrong, 0).await;
        assert_eq!(wrong_fields(wrong), ["actor", "until_time"]);

        // A token is bound to its caller and to its filter, and two tokens of one place are different.
        let first = v1::ListAuditEntriesRequest { page_size: 1, ..all() };
        let mut admin = peru.client.admin.clone();
        let one = admin.list_audit_entries(first.clone()).await.expect("lists").into_inner();
        let two = admin.list_audit_entries(first.clone()).await.expect("lists").into_inner();
        assert!(one.next_page_token != two.next_page_token && one.entries == two.entries);
        let next = v1::ListAuditEntriesRequest { page_token: one.next_page_token, ..first.clone() };
        for other in [&kenya.client, &secretariat] {
            let answer = other.admin.clone().list_audit_entries(next.clone()).await;
            assert_eq!(refused(answer), "INVALID_PAGE_TOKEN");
        }
        let another = v1::ListAuditEntriesRequest { resource: peru.name(), ..next };
        assert_eq!(refused(admin.list_audit_entries(another).await), "INVALID_PAGE_TOKEN");
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verification_names_the_first_bad_entry() {
    let world = World::sqlite().await;
    two_organisations(&world).await;
    let secretariat = world.caller(&["secretariat"]).await.0;
    world.server().service().seal_audit().await.expect("seals");
    let good = verify(&secretariat, "").await;
    assert!(good.entries > 4 && good.fault() == v1::AuditFault::Unspecified && good.description.is_empty());
    assert_eq!(verify(&secretariat, &good.head).await, good);
    let anchor = v1::VerifyAuditRequest { anchor: "7-x".to_owned() };
    let wrong = secretariat.admin.clone().verify_audit(anchor).await;
    assert_eq!(wrong_fields(wrong), ["anchor"]);

    world.execute("DROP TRIGGER journal_update").await;
    world.execute("UPDATE journal SET detail = '{\"created\":3}' WHERE position = 3").await;
    let bad = verify(&secretariat, "").await;
    assert_eq!((bad.entries, bad.fault(), bad.fault_position), (2, v1::AuditFault::Altered, 3));
    assert!(bad.description.contains("entry 3"), "{}", bad.description);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_has_its_entry_before_its_first_part() {
    let world = World::sqlite().await;
    let [peru, kenya] = two_organisations(&world).await;
    let request = v1::ExportProfilesRequest { parent: peru.name() };
    let foreign = kenya.client.profiles.clone().export_profiles(request.clone()).await;
    assert_eq!(refused(foreign), "NOT_FOUND");
    let filter = v1::ListAuditEntriesRequest { resource: peru.name(), ..all() };
    let exports = async || {
        let listed = entries(&peru.client, &filter, 0).await.expect("lists");
        listed.into_iter().filter(|entry| entry.action == "profile.export").collect::<Vec<_>>()
    };
    assert!(exports().await.is_empty(), "a refused export is none");
    // Nothing of the stream is read.
    let stream = peru.client.profiles.clone().export_profiles(request).await.expect("opens");
    let exports = exports().await;
    let who = world.who_is(&peru.client).await.name;
    assert_eq!(exports.iter().map(|entry| entry.actor.clone()).collect::<Vec<_>>(), [who]);
    drop(stream);
    world.stop().await;
}

/// The sums of calls that the audit has: by caller and method the reads and the refusals.
async fn sums(client: &Client) -> BTreeMap<(String, String), serde_json::Value> {
    let listed = entries(client, &all(), 0).await.expect("lists");
    let sums = listed.into_iter().filter(|entry| entry.action == "call.sum");
    sums.map(|entry| ((entry.actor, entry.resource), serde_json::from_str(&entry.detail).expect("JSON")))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_of_people_and_refusals_are_summed_by_caller_method_and_minute() {
    let world = World::sqlite().await;
    let [peru, kenya] = two_organisations(&world).await;
    let run = soon(world.run_to_the_end("rounds/spring")).await.name;
    let secretariat = world.caller(&["secretariat"]).await.0;
    let service = world.server().service().clone();
    service.write_call_sums(true).await.expect("writes");
    let before = world.dump().await;
    world.clock().advance(Duration::from_mins(1));

    for _ in 0..3 {
        let request = v1::GetProfileRequest { name: peru.member("mentor") };
        peru.client.profiles.clone().get_profile(request.clone()).await.expect("reads");
        assert_eq!(refused(kenya.client.profiles.clone().get_profile(request.clone()).await), "NOT_FOUND");
        let denied = world.coordinator().profiles.get_profile(request.clone()).await;
        assert_eq!(refused(denied), "PERMISSION_DENIED");
        let stranger = world.client(Some("wimm_nobody")).profiles.get_profile(request).await;
        assert_eq!(refused(stranger), "UNAUTHENTICATED");
    }
    matches(&mut world.coordinator(), &run, 0).await;
    peru.client.rounds.clone().list_rounds(v1::ListRoundsRequest::default()).await.expect("lists");
    assert_eq!(world.dump().await, before, "no call is a write to the disk");
    service.write_call_sums(false).await.expect("writes");
    assert_eq!(world.dump().await, before, "the minute has not ended");

    let minute = world.clock().now().round(jiff::Unit::Minute).expect("a minute").to_string();
    world.clock().advance(Duration::from_mins(1));
    service.write_call_sums(false).await.expect("writes");
    service.write_call_sums(false).await.expect("writes");
    let name = |client: Client| {
        let world = &world;
        async move { world.who_is(&client).await.name }
    };
    let (by_peru, by_kenya) = (name(peru.client.clone()).await, name(kenya.client.clone()).await);
    let by_coordinator = name(world.coordinator()).await;
    let seen = sums(&secretariat).await;
    let sum = |who: &str, method: &str| {
        let found = seen.get(&(who.to_owned(), format!("methods/{method}")));
        found.map(|detail| (detail["minute"].clone(), detail["reads"].clone(), detail["refused"].to_string()))
    };
    let expected =
        |reads: u64, refused: &str| Some((minute.clone().into(), reads.into(), refused.to_owned()));
    let get = "ProfileService/GetProfile";
    assert_eq!(sum(&by_peru, get), expected(3, "{}"));
    assert_eq!(sum(&by_kenya, get), expected(0, r#"{"NOT_FOUND":3}"#));
    assert_eq!(sum(&by_coordinator, get), expected(0, r#"{"PERMISSION_DENIED":3}"#));
    assert_eq!(sum("stranger", get), expected(0, r#"{"UNAUTHENTICATED":3}"#));
    assert_eq!(sum(&by_coordinator, "RunService/ListMatches"), expected(1, "{}"));
    assert_eq!(sum(&by_peru, "RoundService/ListRounds"), None, "no personal data");

    // A manager reads the sums of those who act for her organisation alone.
    let own = sums(&peru.client).await;
    assert!(own.keys().all(|(who, _)| *who == by_peru) && !own.is_empty(), "{own:?}");

    // The end of the service writes what is left.
    let request = v1::GetProfileRequest { name: peru.member("mentee") };
    peru.client.profiles.clone().get_profile(request).await.expect("reads");
    let (token, name) = (peru.token.clone(), peru.name());
    drop((peru, kenya, secretariat));
    let world = world.restart().await;
    let listed = entries(&world.client(Some(&token)), &all(), 0).await.expect("lists");
    let last = listed.iter().rfind(|entry| entry.resource == format!("methods/{get}")).expect("a sum");
    assert_eq!((last.organisation.as_str(), last.detail.contains(r#""reads":1"#)), (name.as_str(), true));
    world.stop().await;
}

/// What the contract and the table of permissions say of a method is what the journal shows: a read writes nothing, and each
/// other method writes an entry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_method_leaves_what_the_table_says_in_the_audit() {
    let world = World::sqlite().await;
    let [peru, _kenya] = two_organisations(&world).await;
    world.open_round("other").await;
    let run = soon(world.run_to_the_end("rounds/spring")).await.name;
    let secretariat = world.caller(&["secretariat"]).await.0;
    let target = Target {
        organisation: peru.name(),
        round: "rounds/spring".to_owned(),
        round_to_run: "rounds/other".to_owned(),
        run,
        profile: peru.member("mentor"),
        mentee: peru.member("mentee"),
        mentor: peru.member("mentor"),
        ..Target::default()
    };
    let target = target.with_principal_of(&peru.client, &secretariat).await;
    let target = target.with_consultation_of(&secretariat).await;
    let clients = [world.coordinator(), peru.client.clone(), secretariat.clone()];
    let (mut silent, mut noted) = (Vec::new(), Vec::new());
    for method in methods() {
        let before = entries(&secretariat, &all(), 0).await.expect("lists").len();
        let mut answered = false;
        for client in &clients {
            let answer = soon(call(&method, client, &target)).await;
            answered |= answer.as_ref().map_err(reason).is_ok();
        }
        let after = entries(&secretariat, &all(), 0).await.expect("lists");
        // The worker ends a run in its own time.
        let of_callers = after[before..].iter().filter(|entry| !entry.actor.starts_with("worker:")).count();
        if of_callers > 0 {
            noted.push(method);
        } else if answered {
            silent.push(method);
        }
    }
    let reads = [
        "Get", "BatchGet", "List", "Watch", "Verify", "Replay", "Compare", "Explain", "Stream", "Solve",
        "WhatIf", "Repair", "Diagnose", "Suggest", "WhoAmI",
    ];
    let is_read = |method: &&String| {
        let name = method.rsplit('/').next().unwrap_or_default();
        reads.iter().any(|read| name.starts_with(read))
    };
    assert_eq!(noted.iter().find(is_read), None, "a read has written an entry");
    // The redemption, the erasure and the withdrawal are only checked, and the others find nothing to change.
    let unnoted: Vec<&String> = silent.iter().filter(|method| !is_read(method)).collect();
    let unnoted: BTreeSet<&str> = unnoted.into_iter().map(String::as_str).collect();
    let unchanged = [
        "MentorshipService/ImportCheckIns",
        "ProfileService/UpdateProfile",
        "RoundService/UpdateRound",
        "RunService/CancelRun",
    ];
    let checked =
        ["AdminService/RedeemInvitation", "PrivacyService/WithdrawConsent", "PrivacyService/EraseProfile"];
    assert_eq!(unnoted, checked.into_iter().chain(unchanged).collect());
    world.stop().await;
}
