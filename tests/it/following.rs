//! Runs that follow another run, told through gRPC on both databases.

use std::collections::BTreeSet;

use wim_match::api::proto::v1;

use crate::refusal::refused;
use crate::world::{Manager, World, matches, mentee, mentor, on_both_databases, soon};

on_both_databases! {
    a_run_keeps_the_pairs_of_the_newest_result_or_of_none,
    a_repair_keeps_what_it_can,
    only_a_result_of_the_same_round_can_be_followed,
}

/// Equal mentees and equal mentors: every assignment of all of them is best.
async fn equals(world: &World, id: &str) -> (String, Manager) {
    let round = world.open_round(id).await.name;
    let mut peru = world.manager("wim-peru").await;
    let people = (0..6).flat_map(|at| [mentor(&format!("o{at}"), 1), mentee(&format!("e{at}"))]);
    peru.import(people.collect()).await;
    peru.enrol_all(&round).await;
    (round, peru)
}

fn start(round: &str) -> v1::StartRunRequest {
    v1::StartRunRequest { round: round.to_owned(), ..v1::StartRunRequest::default() }
}

async fn run(world: &World, request: v1::StartRunRequest) -> v1::Run {
    let started = world.coordinator().runs.start_run(request).await.expect("starts").into_inner().run;
    soon(world.watch(&started.expect("a run").name)).await.pop().expect("an ended run")
}

async fn pairs(world: &World, run: &v1::Run) -> BTreeSet<(String, String)> {
    let all = matches(&mut world.coordinator(), &run.name, 0).await;
    all.into_iter().map(|pair| (pair.mentee, pair.mentor)).collect()
}

async fn a_run_keeps_the_pairs_of_the_newest_result_or_of_none(world: World) {
    let (round, mut peru) = equals(&world, "equals").await;
    let first = run(&world, start(&round)).await;
    assert_eq!((first.state(), first.follows.as_str()), (v1::RunState::Succeeded, ""));
    assert_eq!(first.summary.expect("a summary").followed, None);
    let before = pairs(&world, &v1::Run { name: first.name.clone(), ..v1::Run::default() }).await;
    assert_eq!(before.len(), 6);

    // One mentee leaves: her mentor is free, and nobody else moves.
    let leaves = &before.iter().next().expect("a pair").0;
    let enrolments = peru.enrolments(&round).await.into_iter().filter(|one| one.profile == *leaves);
    let request = v1::WithdrawEnrolmentsRequest {
        parent: round.clone(),
        organisation: peru.name(),
        enrolments: enrolments.map(|one| one.name).collect(),
        ..v1::WithdrawEnrolmentsRequest::default()
    };
    let withdrawn = peru.client.rounds.withdraw_enrolments(request).await.expect("withdraws").into_inner();
    assert_eq!(withdrawn.withdrawn, 1);
    let second = run(&world, start(&round)).await;
    assert_eq!((second.state(), &second.follows), (v1::RunState::Succeeded, &first.name));
    let after = pairs(&world, &second).await;
    assert!(after.is_subset(&before) && after.len() == 5, "{after:?}");
    let followed = second.summary.as_ref().expect("a summary").followed.expect("follows");
    assert_eq!((followed.kept, followed.changed, followed.ended), (5, 0, Some(1)));
    let verify = v1::VerifyRunRequest { name: second.name.clone() };
    let verified = world.coordinator().runs.verify_run(verify).await.expect("verifies").into_inner();
    assert!(verified.proved && verified.input_unchanged && verified.result_unchanged);
    let get = v1::GetRunRequest { name: second.name.clone() };
    let own = peru.client.runs.get_run(get).await.expect("reads").into_inner().run.expect("a run");
    let own = own.summary.expect("her numbers").followed.expect("follows");
    assert_eq!((own.kept, own.changed, own.ended), (5, 1, None), "what a manager may not see is absent");

    let none = run(&world, v1::StartRunRequest { follow_none: true, ..start(&round) }).await;
    assert_eq!((none.state(), none.follows.as_str()), (v1::RunState::Succeeded, ""));
    assert_ne!(none.input_digest, second.input_digest, "the digest covers the followed run");
    let named = run(&world, v1::StartRunRequest { follows: first.name.clone(), ..start(&round) }).await;
    assert_eq!(named.follows, first.name);
    assert_eq!((&named.input_digest, &named.result_digest), (&second.input_digest, &second.result_digest));
    world.stop().await;
}

/// With one mentor less, a repair moves nobody else.
async fn a_repair_keeps_what_it_can(world: World) {
    let (round, mut peru) = equals(&world, "repaired").await;
    let first = run(&world, start(&round)).await;
    let before = pairs(&world, &first).await;
    let leaves = &before.iter().next().expect("a pair").1;
    let enrolments = peru.enrolments(&round).await.into_iter().filter(|one| one.profile == *leaves);
    let request = v1::WithdrawEnrolmentsRequest {
        parent: round.clone(),
        organisation: peru.name(),
        enrolments: enrolments.map(|one| one.name).collect(),
        ..v1::WithdrawEnrolmentsRequest::default()
    };
    peru.client.rounds.withdraw_enrolments(request).await.expect("withdraws");
    let request = v1::StartRunRequest { follows: first.name.clone(), repair: true, ..start(&round) };
    let repair = run(&world, request).await;
    assert!(repair.repairs && repair.state() == v1::RunState::Succeeded, "{repair:?}");
    assert_eq!(repair.follows, first.name);
    let followed = repair.summary.as_ref().expect("a summary").followed.expect("follows");
    assert_eq!((followed.kept, followed.changed, followed.ended), (5, 0, Some(1)));
    let verify = v1::VerifyRunRequest { name: repair.name.clone() };
    let verified = world.coordinator().runs.verify_run(verify).await.expect("verifies").into_inner();
    assert!(verified.proved && verified.input_unchanged && verified.result_unchanged);
    world.stop().await;
}

async fn only_a_result_of_the_same_round_can_be_followed(world: World) {
    let world = world.restart_without_worker().await;
    let (round, _) = equals(&world, "queued").await;
    let queued = world.start_run(&round).await;
    let start_with = |follows: &str, follow_none| v1::StartRunRequest {
        follows: follows.to_owned(),
        follow_none,
        ..start(&round)
    };
    let mut client = world.coordinator();
    world.cancel(&queued.name).await;
    for (request, reason) in [
        (start_with(&queued.name, false), "RUN_STATE"),
        (start_with(&format!("{round}/runs/9"), false), "NOT_FOUND"),
        (start_with("rounds/other/runs/1", false), "INVALID_FIELDS"),
        (start_with("runs/1", false), "INVALID_FIELDS"),
        (start_with(&queued.name, true), "INVALID_FIELDS"),
        (v1::StartRunRequest { repair: true, ..start(&round) }, "INVALID_FIELDS"),
    ] {
        let check = v1::StartRunRequest { validate_only: true, ..request.clone() };
        if reason == "INVALID_FIELDS" {
            let told = client.runs.start_run(check).await.expect("all in the body").into_inner();
            assert_eq!(told.violations.len(), 1, "{told:?}");
            assert_eq!(told.violations[0].field, "follows");
        } else {
            assert_eq!(refused(client.runs.start_run(check).await), reason);
        }
        assert_eq!(refused(client.runs.start_run(request).await), reason);
    }
    world.stop().await;
}
