//! Erasure of a person, over gRPC and on both databases: what is destroyed, what remains, and that the rest still verifies.

use std::time::Duration;

use wim_match::api::proto::v1;
use wim_match::client::{Client, request_id};
use wim_match::domain::caller::Caller;
use wim_match::domain::erasure::{ErasedPerson, ErasureCounts};
use wim_match::domain::grant::Role;
use wim_match::domain::profile::ProfileDraft;
use wim_match::service::{Change, ErasureAnswer};

use crate::refusal::refused;
use crate::world::{
    Manager, World, end_message, header_message, matches, mentee, mentor, on_both_databases, row_of,
    rows_message, send, soon, unmatched,
};

on_both_databases! {
    an_erased_person_is_nowhere_and_the_rest_still_verifies,
    both_people_of_a_pair_are_erased_one_after_the_other,
    a_run_that_waits_for_an_erased_person_fails,
    an_erased_person_is_not_imported_again_unless_she_has_come_back,
    an_erasure_that_is_interrupted_anywhere_goes_on,
    a_person_reads_everything_that_is_stored_of_her_and_nothing_private_of_others,
    a_request_for_an_erasure_is_checked_repeated_and_refused_like_a_missing_profile,
    whoever_is_in_a_list_of_erasures_is_erased_again_and_nobody_else,
}

/// An own id and answers that no other text contains.
const ANA: &str = "canary-ana-5e1f";
const EMPLOYER: &str = "Canary Copper 8d2b";

fn ana() -> ProfileDraft {
    ProfileDraft { employer: EMPLOYER.to_owned(), ..mentee(ANA) }
}

async fn erase(client: &Client, name: &str) -> v1::Erasure {
    let request = v1::EraseProfileRequest { name: name.to_owned(), ..Default::default() };
    let answer = client.privacy.clone().erase_profile(request).await.expect("is erased").into_inner();
    answer.erasure.expect("an erasure")
}

async fn verify(world: &World, run: &str) -> v1::VerifyRunResponse {
    let request = v1::VerifyRunRequest { name: run.to_owned() };
    world.coordinator().runs.verify_run(request).await.expect("verifies").into_inner()
}

/// Peru has Ana, whom Kenya's mentor avoids, and two pairs beside; one mentee of Kenya has no mentor.
async fn alliance(world: &World) -> (Manager, Manager, String) {
    let round = world.open_round("spring").await.name;
    let (mut peru, mut kenya) = (world.manager("wim-peru").await, world.manager("wim-kenya").await);
    let xan = ProfileDraft { preferred: vec![peru.member(ANA)], ..mentor("xan", 1) };
    peru.import(vec![ana(), mentee("bea"), xan]).await;
    let kip = ProfileDraft {
        avoided: vec![peru.member(ANA), peru.member("bea")],
        previous_partners: vec![peru.member(ANA)],
        ..mentor("kip", 1)
    };
    kenya.import(vec![kip, mentee("mia"), mentee("nia")]).await;
    peru.enrol_all(&round).await;
    kenya.enrol_all(&round).await;
    (peru, kenya, round)
}

async fn an_erased_person_is_nowhere_and_the_rest_still_verifies(world: World) {
    let (mut peru, mut kenya, round) = alliance(&world).await;
    let run = soon(world.run_to_the_end(&round)).await;
    let again = soon(world.run_to_the_end(&round)).await;
    assert_eq!(run.state(), v1::RunState::Succeeded);
    let mut coordinator = world.coordinator();
    let before = matches(&mut coordinator, &run.name, 100).await;
    let open = unmatched(&mut coordinator, &run.name, 100).await;
    let name = peru.member(ANA);
    assert!(before.iter().any(|pair| pair.mentee == name) || open.iter().any(|one| one.profile == name));
    let proof = verify(&world, &run.name).await;
    assert!(proof.proved && proof.input_unchanged && proof.result_unchanged && !proof.input_erased);

    let erased = erase(&peru.client, &name).await;
    assert!(erased.done && erased.end_time.is_some(), "{erased:?}");
    let counts = erased.counts.expect("counts");
    assert_eq!((counts.versions, counts.enrolments, counts.runs, counts.lists), (1, 1, 2, 2), "{counts:?}");
    assert_eq!(counts.matches + counts.unmatched, 2, "{counts:?}");

    let request = v1::GetProfileRequest { name: name.clone() };
    assert_eq!(refused(peru.client.profiles.get_profile(request).await), "NOT_FOUND");
    for run in [&run, &again] {
        let checked = verify(&world, &run.name).await;
        assert!(checked.input_erased && !checked.proved, "the proof needs everybody's answers");
        assert!(checked.input_unchanged && checked.result_unchanged, "{checked:?}");
        assert_eq!((&checked.input_digest, &checked.result_digest), (&run.input_digest, &run.result_digest));
    }
    // Matches of others are as they were; hers has a surrogate and no score.
    let after = matches(&mut coordinator, &run.name, 100).await;
    assert_eq!(after.len(), before.len());
    for (old, new) in before.iter().zip(&after) {
        if old.mentee == name {
            assert_eq!((new.mentee.as_str(), &new.mentor), (erased.surrogate.as_str(), &old.mentor));
            assert!(new.contributions.is_empty() && new.score == 0 && new.erased && new.name != old.name);
            let request = v1::ExplainPairRequest {
                run: run.name.clone(),
                mentee: new.mentee.clone(),
                mentor: new.mentor.clone(),
                ..Default::default()
            };
            assert_eq!(refused(coordinator.runs.explain_pair(request).await), "INPUT_ERASED");
        } else {
            assert_eq!(old, new);
        }
    }
    let enrolments = peru.enrolments(&round).await;
    let hers: Vec<_> = enrolments.iter().filter(|one| one.profile == erased.surrogate).collect();
    assert!(hers.len() == 1 && hers[0].withdraw_time.is_some(), "{enrolments:?}");
    assert!(enrolments.iter().all(|one| one.profile != name));
    // Her name is in nobody's list, and the list says the rest.
    let request = v1::GetProfileRequest { name: kenya.member("kip") };
    let kip = kenya.client.profiles.get_profile(request).await.expect("reads").into_inner();
    let kip = kip.profile.expect("a profile");
    assert_eq!((kip.avoided, kip.previous_partners.len()), (vec![peru.member("bea")], 0));

    // The next run is over those who are left.
    let next = soon(world.run_to_the_end(&round)).await;
    assert_eq!(next.state(), v1::RunState::Succeeded);
    let proof = verify(&world, &next.name).await;
    assert!(proof.proved && proof.input_unchanged && proof.result_unchanged && !proof.input_erased);

    world.dump().await.iter().for_each(|row| {
        assert!(!row.contains(ANA) && !row.contains(EMPLOYER), "{row}");
    });
    // PostgreSQL keeps what was deleted until the operator has the tables written anew.
    world.server().service().rewrite_tables().await.expect("are written anew");
    for canary in [ANA, EMPLOYER] {
        world.holds_nowhere(canary);
        world.holds_nowhere_on_the_server(canary).await;
    }
    world.stop().await;
}

async fn both_people_of_a_pair_are_erased_one_after_the_other(world: World) {
    let (peru, kenya, round) = alliance(&world).await;
    let run = soon(world.run_to_the_end(&round)).await;
    let mut coordinator = world.coordinator();
    let pairs = matches(&mut coordinator, &run.name, 100).await;
    let pair = pairs.first().expect("a match");
    let (secretariat, _) = world.caller(&["secretariat"]).await;
    for person in [&pair.mentee, &pair.mentor] {
        assert!(erase(&secretariat, person).await.done);
        let checked = verify(&world, &run.name).await;
        assert!(checked.input_erased && checked.input_unchanged && checked.result_unchanged, "{checked:?}");
    }
    let left = matches(&mut coordinator, &run.name, 100).await;
    assert_eq!(left.len(), pairs.len());
    // What is left is still covered: a changed score of another match is found.
    if let Some(other) = left.iter().find(|one| !one.erased) {
        assert!(pairs.contains(other));
        world.change("UPDATE run_match SET score = score - 1 WHERE contributions <> '[]'").await;
        let bent = verify(&world, &run.name).await;
        assert!(bent.input_unchanged && !bent.result_unchanged, "{bent:?}");
    }
    drop((peru, kenya));
    world.stop().await;
}

async fn a_run_that_waits_for_an_erased_person_fails(world: World) {
    let (peru, _, round) = alliance(&world).await;
    let world = world.restart_without_worker().await;
    let queued = world.start_run(&round).await;
    let manager = world.client(Some(&peru.token));
    erase(&manager, &peru.member(ANA)).await;
    let request = v1::GetRunRequest { name: queued.name.clone() };
    let failed = world.coordinator().runs.get_run(request).await.expect("reads").into_inner();
    let failed = failed.run.expect("a run");
    assert_eq!(failed.state(), v1::RunState::Failed);
    assert_eq!(failed.failure.expect("a failure").reason, "INPUT_ERASED");
    let world = world.restart().await;
    let next = soon(world.run_to_the_end(&round)).await;
    assert_eq!(next.state(), v1::RunState::Succeeded);
    world.stop().await;
}

async fn an_erased_person_is_not_imported_again_unless_she_has_come_back(world: World) {
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![ana(), mentee("bea")]).await;
    erase(&peru.client, &peru.member(ANA)).await;
    for (accept_returned, created) in [(false, 0), (true, 1)] {
        let header = v1::ImportHeader { parent: peru.name(), accept_returned, ..v1::ImportHeader::default() };
        let rows = vec![row_of(2, mentee("bea")), row_of(3, ana())];
        let messages = vec![header_message(header), rows_message(rows), end_message(2)];
        let imported = send(&mut peru.client, messages).await.expect("imports");
        let summary = imported.summary.expect("a summary");
        assert_eq!((summary.created, summary.stored), (created, accept_returned));
        let rejected: Vec<_> = imported.rejected.iter().map(|row| row.row).collect();
        assert_eq!(rejected, if accept_returned { vec![] } else { vec![3] });
    }
    // She has come back, and may be changed and erased like everybody.
    peru.import(vec![ProfileDraft { employer: "Another".to_owned(), ..ana() }]).await;
    let erased = erase(&peru.client, &peru.member(ANA)).await;
    assert_eq!(erased.counts.expect("counts").versions, 2);
    world.stop().await;
}

async fn a_request_for_an_erasure_is_checked_repeated_and_refused_like_a_missing_profile(world: World) {
    let (mut peru, kenya, round) = alliance(&world).await;
    soon(world.run_to_the_end(&round)).await;
    let (name, before) = (peru.member(ANA), world.dump().await);
    let asked = |validate_only| v1::EraseProfileRequest {
        name: name.clone(),
        validate_only,
        request_id: String::new(),
    };
    let checked = peru.client.privacy.erase_profile(asked(true)).await.expect("is checked").into_inner();
    let checked = checked.erasure.expect("counts");
    let counts = checked.counts.expect("counts");
    assert_eq!((checked.name.as_str(), counts.versions, counts.enrolments, counts.runs), ("", 1, 1, 1));
    assert_eq!(world.dump().await, before, "nothing was written");
    // Another organisation's person does not exist.
    let foreign = kenya.client.privacy.clone().erase_profile(asked(false)).await.expect_err("is refused");
    let request = v1::EraseProfileRequest { name: kenya.member("nobody"), ..asked(false) };
    let missing = kenya.client.privacy.clone().erase_profile(request).await.expect_err("is refused");
    let told = |status: &tonic::Status, name: &str| status.message().replace(name, "…");
    assert_eq!(foreign.code(), missing.code());
    assert_eq!(told(&foreign, &name), told(&missing, &kenya.member("nobody")));
    assert_eq!(world.dump().await, before, "nothing was written");
    let request = v1::EraseProfileRequest { request_id: request_id(), ..asked(false) };
    let first = peru.client.privacy.erase_profile(request.clone()).await.expect("is erased").into_inner();
    let again = peru.client.privacy.erase_profile(request).await.expect("the same").into_inner();
    assert_eq!(first, again);
    let erasure = first.erasure.expect("an erasure");
    let request = v1::GetErasureRequest { name: erasure.name.clone() };
    let read = peru.client.privacy.get_erasure(request.clone()).await.expect("reads").into_inner();
    assert_eq!(read.erasure.expect("an erasure"), erasure);
    assert_eq!(refused(kenya.client.privacy.clone().get_erasure(request).await), "NOT_FOUND");
    world.stop().await;
}

async fn a_person_reads_everything_that_is_stored_of_her_and_nothing_private_of_others(world: World) {
    let (mut peru, kenya, round) = alliance(&world).await;
    soon(world.run_to_the_end(&round)).await;
    peru.import(vec![ProfileDraft { employer: "Another".to_owned(), ..ana() }]).await;
    soon(world.run_to_the_end(&round)).await;
    let name = peru.member(ANA);
    let request = v1::ExportPersonalDataRequest { name: name.clone(), ..Default::default() };
    let (secretariat, _) = world.caller(&["secretariat"]).await;
    let (service, _) = world.caller(&["service@wim-peru"]).await;
    let mut told = Vec::new();
    for client in [&peru.client, &secretariat, &service] {
        let answer = client.privacy.clone().export_personal_data(request.clone()).await.expect("reads");
        told.push(answer.into_inner().data.expect("data"));
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]));
    let data = told.pop().expect("data");
    let employers: Vec<_> = data
        .versions
        .iter()
        .filter_map(|one| one.profile.as_ref())
        .map(|one| one.employer.as_str())
        .collect();
    assert_eq!((data.name.as_str(), employers), (name.as_str(), vec![EMPLOYER, "Another"]));
    assert!(
        data.versions.iter().all(|one| one.recorder.starts_with("principals/") && one.record_time.is_some())
    );
    assert_eq!(data.enrolments.len(), 1);
    let (pairs, reasons) = (&data.matches, &data.unmatched);
    assert_eq!(pairs.len() + reasons.len(), 2, "each run says one thing of her: {data:?}");
    assert!(pairs.iter().all(|pair| pair.mentee == name && !pair.contributions.is_empty()));
    assert!(reasons.iter().all(|one| one.unmatched.as_ref().is_some_and(|entry| entry.profile == name)));
    // Whoever avoids or prefers her does not stand in it.
    let text = format!("{data:?}");
    assert!(!text.contains("kip"), "{text}");
    assert_eq!(refused(kenya.client.privacy.clone().export_personal_data(request).await), "NOT_FOUND");
    // The audit says that it was read, and not of whom.
    let entries = world.dump().await;
    let entries: Vec<_> = entries.iter().filter(|row| row.contains("profile.export_personal")).collect();
    assert!(entries.len() == 3 && entries.iter().all(|row| !row.contains(ANA)), "{entries:?}");
    world.stop().await;
}

async fn whoever_is_in_a_list_of_erasures_is_erased_again_and_nobody_else(world: World) {
    let (mut peru, mut kenya, round) = alliance(&world).await;
    let service = world.server().service();
    assert_eq!(service.erased_people_of_all().await.expect("lists"), []);
    erase(&peru.client, &peru.member(ANA)).await;
    erase(&kenya.client, &kenya.member("mia")).await;
    let listed = service.erased_people_of_all().await.expect("lists");
    assert_eq!(listed.len(), 2);
    let told = serde_json::to_string(&listed).expect("JSON");
    assert!(!told.contains(ANA) && !told.contains("mia"), "{told}");
    let repeat = async |listed: &[ErasedPerson]| {
        Box::pin(service.repeat_erasures(listed))
            .await
            .expect("repeats")
            .map(|done| (done.listed, done.erased))
    };
    assert_eq!(repeat(&listed).await, Some((2, 0)), "in the database as it was there is nobody");

    // An older backup: both are there, and nothing says that they were erased.
    world.change("DELETE FROM erasure").await;
    peru.import(vec![ana()]).await;
    kenya.import(vec![mentee("mia"), mentee("nia-2")]).await;
    peru.enrol(&round, &[ANA]).await;
    soon(world.run_to_the_end(&round)).await;
    let other = ErasedPerson { organisation: "wim-later".parse().expect("an id"), ..listed[0].clone() };
    let with_others: Vec<ErasedPerson> = listed.iter().cloned().chain([other]).collect();
    assert_eq!(repeat(&with_others).await, Some((3, 2)), "an organisation of later is not there");
    world.dump().await.iter().for_each(|row| assert!(!row.contains(ANA) && !row.contains(EMPLOYER), "{row}"));
    let again = service.erased_people_of_all().await.expect("lists");
    let key = |one: &ErasedPerson| (one.organisation.to_string(), one.tombstone.clone());
    assert_eq!(again.iter().map(key).collect::<Vec<_>>(), listed.iter().map(key).collect::<Vec<_>>());
    assert_eq!(repeat(&listed).await, Some((2, 0)));
    let left = matches(&mut world.coordinator(), "rounds/spring/runs/1", 0).await;
    assert!(left.iter().any(|pair| pair.mentee.contains("bea") || pair.mentor.contains("xan")), "{left:?}");

    // A list that another key has made says nothing of these people.
    let foreign = ErasedPerson { key: "0".repeat(16), ..listed[0].clone() };
    assert_eq!(repeat(&[foreign]).await, None);
    world.stop().await;
}

async fn an_erasure_that_is_interrupted_anywhere_goes_on(world: World) {
    let (peru, _, round) = alliance(&world).await;
    let runs = [soon(world.run_to_the_end(&round)).await, soon(world.run_to_the_end(&round)).await];
    let (name, service) = (peru.member(ANA), world.server().service());
    let caller = Caller { principal: "data-protection".to_owned(), roles: vec![Role::Secretariat] };
    // The call is given up after longer and longer times, until it begins to answer that there is nobody.
    let (mut interrupted, mut ended) = (0, None);
    for micros in (50..).step_by(170) {
        let erasing = Box::pin(service.erase_profile(&caller, &name, Change::default()));
        match tokio::time::timeout(Duration::from_micros(micros), erasing).await {
            Err(_) => interrupted += 1,
            Ok(Ok(ErasureAnswer::Begun(erasure))) => ended = Some(erasure),
            Ok(Err(error)) => {
                assert_eq!(error.reason().code(), "NOT_FOUND");
                break;
            }
            Ok(Ok(other)) => panic!("{other:?}"),
        }
    }
    assert!(interrupted > 2, "{interrupted}");
    while service.continue_erasures().await.expect("goes on") > 0 {}
    let counts = match ended {
        Some(erasure) => service.get_erasure(&caller, &erasure.name.name()).await.expect("reads").counts,
        None => ErasureCounts { versions: 1, enrolments: 1, runs: 2, lists: 2, ..ErasureCounts::default() },
    };
    assert_eq!((counts.versions, counts.enrolments, counts.runs, counts.lists), (1, 1, 2, 2), "{counts:?}");
    world.dump().await.iter().for_each(|row| assert!(!row.contains(ANA) && !row.contains(EMPLOYER), "{row}"));
    for run in &runs {
        let checked = verify(&world, &run.name).await;
        assert!(checked.input_erased && checked.input_unchanged && checked.result_unchanged, "{checked:?}");
    }
    world.stop().await;
}
