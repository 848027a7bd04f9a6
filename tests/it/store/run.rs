//! Runs: started over a frozen snapshot, claimed under a lease, written with a fence.

use std::collections::BTreeSet;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use wim_match::domain::name::{RoundId, RunRef};
use wim_match::domain::profile::Profile;
use wim_match::domain::round::RoundState;
use wim_match::domain::run::{Follow, MatchView, Progress, Run, RunState, Stage, StageWork};
use wim_match::domain::snapshot::Participant;
use wim_match::error::{Error, Reason};
use wim_match::store::{LoadedSnapshot, Scope};

use super::fixture::{
    Fixture, LEASE, Raw, at, at_once, fresh, mentee, mentor, only, outcome, request, round_id,
};
use super::on_both_databases;

on_both_databases! {
    a_run_is_frozen_and_queued,
    a_large_round_is_loaded_in_its_one_order,
    an_equal_round_has_an_equal_digest,
    whoever_comes_or_changes_later_takes_no_part,
    the_worker_of_a_run_seals_its_snapshot,
    a_round_has_one_active_run,
    of_runs_started_at_once_one_is_active,
    an_empty_round_is_not_run,
    a_run_is_claimed_by_one_worker,
    workers_that_claim_at_once_share_no_run,
    a_run_whose_worker_died_is_claimed_again,
    a_renewed_lease_holds,
    a_lease_holds_whatever_the_clocks_of_the_workers_show,
    looking_for_work_writes_nothing,
    progress_is_seen_while_the_run_is_under_way,
    a_stale_fence_changes_nothing,
    a_released_run_is_claimed_at_once,
    a_queued_run_is_cancelled_at_once,
    a_running_run_is_cancelled_by_its_worker,
    a_run_whose_worker_died_is_cancelled_at_once,
    a_run_that_has_ended_stays_as_it_ended,
    a_failed_run_says_why_and_opens_the_round_again,
    runs_are_listed_the_newest_first,
    a_run_that_does_not_exist_is_not_found,
    a_snapshot_does_not_exist_for_an_organisation,
}

async fn round_state(f: &Fixture, run: &RunRef) -> RoundState {
    f.store.round(&Scope::Alliance, &run.round).await.expect("exists").state
}

/// The digest of the whole snapshot, which only the service itself reads.
async fn input_digest(f: &Fixture, run: &Run) -> String {
    f.store.run(&Scope::System, &run.name).await.expect("exists").input_digest
}

async fn a_run_is_frozen_and_queued(f: Fixture) {
    let (peru, kenya, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(10)).await;
    assert_eq!((run.name.number, run.state, run.attempt), (1, RunState::Queued, 0));
    assert_eq!((run.create_time, run.start_time, run.end_time), (at(10), None, None));
    assert_eq!((run.policy_version, run.progress, &run.summary), (1, None, &None));
    assert_eq!(
        round_state(&f, &run.name).await,
        RoundState::Enrolling,
        "a run under way is a state of the run"
    );
    let LoadedSnapshot { snapshot, seals, digest, .. } =
        f.store.load_snapshot(&Scope::System, &run.name).await.expect("loads");
    let content = |person: &Participant| serde_json::to_vec(&person.content).expect("serialises");
    let contents: Vec<[u8; 32]> =
        snapshot.participants.iter().map(|person| Sha256::digest(content(person)).into()).collect();
    assert_eq!((snapshot.digest(&contents, &seals), input_digest(&f, &run).await), (digest, String::new()));
    assert_eq!(snapshot.freeze_time, at(10));
    let organisations: Vec<_> = snapshot.organisations.iter().map(|(id, _)| id).collect();
    assert_eq!(organisations, [&kenya, &peru]);
    assert!(snapshot.organisations.iter().all(|(_, rules)| rules.same_organisation_only));
    let people: Vec<_> = snapshot.participants.iter().map(|p| (p.profile.short(), p.version)).collect();
    let expected = ["wim-kenya/mentee", "wim-kenya/mentor", "wim-peru/mentee", "wim-peru/mentor"];
    assert_eq!(people, expected.map(|name| (name.to_owned(), 1)));
    assert_eq!(f.store.run(&Scope::Alliance, &run.name).await.expect("exists"), run);
}

/// More people than one task parses: small organisations are parsed together, and large ones alone.
async fn a_large_round_is_loaded_in_its_one_order(f: Fixture) {
    let round = f.round("spring-2027").await.id;
    let mut expected = Vec::new();
    for (id, people) in
        [("wim-a", 3), ("wim-b", 620), ("wim-c", 261), ("wim-d", 1), ("wim-e", 270), ("wim-f", 510)]
    {
        let organisation = f.organisation(id).await;
        let names: Vec<String> = (0..people).map(|at| format!("p{:03}", (at * 7) % people)).collect();
        let members: Vec<(&str, Profile)> = names.iter().map(|name| (name.as_str(), mentee())).collect();
        f.import(&organisation, &format!("import-{id}"), &members).await;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let enrolled = f.enrol(&round, &organisation, &names).await;
        let distinct: BTreeSet<&str> = names.into_iter().collect();
        assert_eq!(enrolled, distinct.len() as u64);
        expected.extend(distinct.into_iter().map(|name| format!("{id}/{name}")));
    }
    let run = f.start_run(&round, at(10)).await.name;
    let LoadedSnapshot { snapshot, seals, digest, .. } =
        f.store.load_snapshot(&Scope::System, &run).await.expect("loads");
    let people: Vec<String> = snapshot.participants.iter().map(|person| person.profile.short()).collect();
    assert_eq!(people, expected);
    let content = |person: &Participant| serde_json::to_vec(&person.content).expect("serialises");
    let contents: Vec<[u8; 32]> =
        snapshot.participants.iter().map(|person| Sha256::digest(content(person)).into()).collect();
    assert_eq!(snapshot.digest(&contents, &seals), digest);
}

/// The digest of a run's snapshot, after the run has failed.
async fn digest_of(f: &Fixture, round: &RoundId, seconds: i64) -> String {
    let run = f.start_run(round, at(seconds)).await.name;
    let claim = f.claim("w", at(seconds + 1)).await;
    f.store.fail_run(&claim, || at(seconds + 2), Reason::Internal, "").await.expect("fails");
    f.store.load_snapshot(&Scope::System, &run).await.expect("loads").digest
}

async fn an_equal_round_has_an_equal_digest(f: Fixture) {
    let (peru, _, round) = f.enrolled_round().await;
    let first = digest_of(&f, &round, 10).await;
    assert_eq!((first.len(), &first), (64, &digest_of(&f, &round, 20).await));
    f.import(&peru, "i-2", &[("mentor", mentor(5))]).await;
    let changed = digest_of(&f, &round, 30).await;
    assert_ne!(changed, first);
    f.import(&peru, "i-3", &[("late", mentee())]).await;
    f.enrol(&round, &peru, &["late"]).await;
    let larger = digest_of(&f, &round, 40).await;
    assert!(larger != first && larger != changed);
}

async fn whoever_comes_or_changes_later_takes_no_part(f: Fixture) {
    let (peru, _, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(10)).await.name;
    let frozen = f.store.load_snapshot(&Scope::System, &run).await.expect("loads");
    let claim = f.claim("w", at(11)).await;
    f.import(&peru, "i-2", &[("mentor", mentor(5)), ("late", mentee())]).await;
    f.import(&peru, "i-3", &[("mentor", mentor(6))]).await;
    assert_eq!(f.store.load_snapshot(&Scope::System, &run).await.expect("loads"), frozen, "imports");
    f.store.fail_run(&claim, || at(12), Reason::Internal, "").await.expect("fails");
    assert_eq!(f.enrol(&round, &peru, &["late"]).await, 1);
    assert_eq!(f.store.load_snapshot(&Scope::System, &run).await.expect("loads"), frozen, "enrolments");
    let next = f.start_run(&round, at(20)).await.name;
    let next = f.store.load_snapshot(&Scope::System, &next).await.expect("loads").snapshot;
    let people: Vec<_> = next.participants.iter().map(|p| (p.profile.id.as_str(), p.version)).collect();
    assert_eq!(people, [("mentee", 1), ("mentor", 1), ("late", 1), ("mentee", 1), ("mentor", 3)]);
}

async fn the_worker_of_a_run_seals_its_snapshot(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    f.start_run(&round, at(10)).await;
    let zombie = f.claim("w-1", at(11)).await;
    f.expire_leases().await;
    let heir = f.claim("w-2", at(12)).await;
    assert!(matches!(f.store.seal_run(&zombie, "late").await, Err(Error::RunState { .. })));
    f.store.seal_run(&heir, "digest").await.expect("seals");
    assert_eq!(input_digest(&f, &heir.run).await, "digest");
}

async fn a_round_has_one_active_run(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    f.start_run(&round, at(10)).await;
    let mut session = f.write().await;
    let error = session.start_run(&round, Follow::Newest, None).await.expect_err("one is queued");
    assert!(matches!(error, Error::RunActive(name) if name == "rounds/spring-2027/runs/1"));
    drop(session);
    f.claim("w", at(11)).await;
    let mut session = f.write().await;
    assert!(matches!(session.start_run(&round, Follow::Newest, None).await, Err(Error::RunActive(_))));
}

async fn of_runs_started_at_once_one_is_active(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    let start = |call: u8| {
        let (store, round) = (f.store.clone(), round.clone());
        async move {
            let mut session = fresh(store.begin(request(&format!("tok-{call}"), "r-1", "p")).await);
            let (run, note) = session.start_run(&round, Follow::Newest, None).await?;
            session.commit(note, b"").await.expect("commits");
            Ok(run)
        }
    };
    let (started, refused): (Vec<_>, Vec<_>) =
        at_once((0..6).map(start)).await.into_iter().partition(Result::is_ok);
    assert_eq!(started.len(), 1);
    assert!(refused.iter().all(|error| matches!(error, Err(Error::RunActive(_)))), "{refused:?}");
}

async fn an_empty_round_is_not_run(f: Fixture) {
    let round = f.round("spring-2027").await.id;
    let mut session = f.write().await;
    assert!(
        matches!(session.start_run(&round, Follow::Newest, None).await, Err(Error::RoundEmpty(name)) if name == "rounds/spring-2027")
    );
    drop(session);
    assert_eq!(f.store.list_runs(&Scope::Alliance, &round, None, 10).await.expect("lists"), []);
    let mut session = f.write().await;
    assert!(matches!(
        session.start_run(&round_id("none"), Follow::Newest, None).await,
        Err(Error::NotFound(_))
    ));
}

async fn a_run_is_claimed_by_one_worker(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    assert_eq!(f.store.claim_run(&Scope::System, "w", at(9), LEASE).await.expect("asks"), None);
    let run = f.start_run(&round, at(10)).await;
    let claim = f.claim("w-1", at(11)).await;
    assert_eq!((&claim.run.name, claim.run.state, claim.run.attempt), (&run.name, RunState::Running, 1));
    assert_eq!((claim.run.start_time, claim.fence), (Some(at(11)), 1));
    assert_eq!(f.store.claim_run(&Scope::System, "w-2", at(12), LEASE).await.expect("asks"), None);
}

async fn workers_that_claim_at_once_share_no_run(f: Fixture) {
    let (peru, _, first) = f.enrolled_round().await;
    let second = f.round("summer-2027").await.id;
    f.enrol(&second, &peru, &["mentor"]).await;
    f.start_run(&first, at(10)).await;
    f.start_run(&second, at(11)).await;
    let claim = |owner: &'static str| f.store.claim_run(&Scope::System, owner, at(12), LEASE);
    let (a, b, c) = tokio::join!(claim("w-1"), claim("w-2"), claim("w-3"));
    let claims = [a.expect("asks"), b.expect("asks"), c.expect("asks")];
    let mut rounds: Vec<_> = claims.into_iter().flatten().map(|claim| claim.run.name.round).collect();
    rounds.sort();
    assert_eq!(rounds, [first, second]);
}

async fn a_run_whose_worker_died_is_claimed_again(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    f.start_run(&round, at(10)).await;
    f.claim("w-1", at(11)).await;
    f.expire_leases().await;
    let again = f.claim("w-2", at(22)).await;
    assert_eq!((again.run.attempt, again.fence, again.run.start_time), (2, 2, Some(at(11))));
}

async fn a_renewed_lease_holds(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    f.start_run(&round, at(10)).await;
    let claim = f.claim("w-1", at(11)).await;
    f.expire_leases().await;
    let heard = f.store.heartbeat(&claim, LEASE, None).await.expect("renews");
    assert!(!heard.cancel_requested);
    assert_eq!(f.store.claim_run(&Scope::System, "w-2", at(29), LEASE).await.expect("asks"), None);
    f.store.heartbeat(&claim, Duration::ZERO, None).await.expect("renews");
    assert!(f.store.claim_run(&Scope::System, "w-2", at(31), LEASE).await.expect("asks").is_some());
}

/// Machines whose clocks differ by 45 seconds or by 45 years agree on every lease.
async fn a_lease_holds_whatever_the_clocks_of_the_workers_show(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(10)).await.name;
    let claim = f.claim("w-1", at(11)).await;
    let years = 45 * 366 * 86_400;
    for seconds in [-years, -34, 11, 26, 56, years] {
        let stolen = f.store.claim_run(&Scope::System, "w-2", at(seconds), LEASE).await.expect("asks");
        assert_eq!(stolen, None, "by a worker whose clock shows {seconds} s");
        f.store.heartbeat(&claim, LEASE, None).await.expect("the lease still holds");
    }
    assert_eq!(cancel(&f, &run, years).await, RunState::Running, "a caller's clock ends no lease either");
}

async fn looking_for_work_writes_nothing(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    f.start_run(&round, at(10)).await;
    f.claim("w-1", at(11)).await;
    // While this transaction holds, no other connection can write.
    let mut writer = f.raw().await;
    match writer {
        Raw::Sqlite(_) => writer.execute("BEGIN IMMEDIATE").await,
        Raw::Postgres(_) => writer.execute("BEGIN; LOCK TABLE run IN EXCLUSIVE MODE").await,
    }
    assert_eq!(f.store.claim_run(&Scope::System, "w-2", at(12), LEASE).await.expect("only reads"), None);
}

async fn progress_is_seen_while_the_run_is_under_way(f: Fixture) {
    let (peru, kenya, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(10)).await.name;
    let claim = f.claim("w-1", at(11)).await;
    let seen = async || f.store.run(&Scope::Alliance, &run).await.expect("exists").progress;
    assert_eq!(seen().await, None);
    let at_work = |total| {
        let work = StageWork { done: 5, total, eta_millis: Some(1_500) };
        Progress { stage: Stage::Score, work: Some(work) }
    };
    f.store.heartbeat(&claim, LEASE, Some(at_work(u64::MAX))).await.expect("renews");
    let kept = at_work(i64::MAX.unsigned_abs());
    assert_eq!(seen().await, Some(kept));
    let own = f.store.run(&only(&peru), &run).await.expect("exists").progress;
    assert_eq!(own, Some(Progress { stage: Stage::Score, work: None }), "a manager sees the stage only");
    f.store.heartbeat(&claim, LEASE, None).await.expect("renews");
    assert_eq!(seen().await, Some(kept), "a bare renewal leaves it");
    f.store.complete_run(&claim, || at(14), &outcome(&peru, &kenya)).await.expect("completes");
    assert_eq!(seen().await, None);
}

async fn a_stale_fence_changes_nothing(f: Fixture) {
    let (peru, kenya, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(10)).await.name;
    let zombie = f.claim("w-1", at(11)).await;
    f.expire_leases().await;
    let heir = f.claim("w-2", at(30)).await;
    let before = f.store.run(&Scope::Alliance, &run).await.expect("exists");
    let journal = f.journal(&Scope::Alliance).await.len();
    let refused = |outcome: Result<(), Error>| {
        let error = outcome.expect_err("is stale");
        assert!(matches!(error, Error::RunState { state: "running for another worker", .. }), "{error:?}");
    };
    refused(f.store.heartbeat(&zombie, Duration::from_secs(999), None).await.map(drop));
    refused(f.store.complete_run(&zombie, || at(31), &outcome(&peru, &kenya)).await);
    refused(f.store.fail_run(&zombie, || at(31), Reason::Internal, "late").await);
    refused(f.store.cancel_claimed_run(&zombie, || at(31)).await);
    refused(f.store.release_run(&zombie).await);
    assert_eq!(f.store.run(&Scope::Alliance, &run).await.expect("exists"), before);
    assert_eq!(
        f.store.list_matches(&Scope::Alliance, &run, MatchView::Full, None, 10).await.expect("lists"),
        []
    );
    assert_eq!(f.journal(&Scope::Alliance).await.len(), journal);
    f.store.complete_run(&heir, || at(32), &outcome(&peru, &kenya)).await.expect("completes");
    let late = f.store.complete_run(&heir, || at(33), &outcome(&peru, &kenya)).await.expect_err("is over");
    assert!(matches!(late, Error::RunState { state: "succeeded", .. }), "{late:?}");
}

async fn a_released_run_is_claimed_at_once(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    f.start_run(&round, at(10)).await;
    let claim = f.claim("w-1", at(11)).await;
    f.store.release_run(&claim).await.expect("releases");
    let again = f.claim("w-2", at(12)).await;
    assert_eq!(again.run.attempt, 1, "a graceful stop costs no attempt");
    assert!(again.fence > claim.fence);
}

async fn cancel(f: &Fixture, run: &RunRef, seconds: i64) -> RunState {
    let mut session = f.write_at(at(seconds), Scope::Alliance).await;
    let (run, note) = session.cancel_run(run).await.expect("cancels");
    match note {
        Some(note) => session.commit(note, b"").await.expect("commits"),
        None => session.commit_unchanged(b"").await.expect("commits"),
    }
    run.state
}

async fn a_queued_run_is_cancelled_at_once(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(10)).await.name;
    assert_eq!(cancel(&f, &run, 11).await, RunState::Cancelled);
    let stored = f.store.run(&Scope::Alliance, &run).await.expect("exists");
    assert_eq!((stored.state, stored.end_time), (RunState::Cancelled, Some(at(11))));
    assert_eq!(round_state(&f, &run).await, RoundState::Enrolling);
    assert_eq!(f.store.claim_run(&Scope::System, "w", at(12), LEASE).await.expect("asks"), None);
}

async fn a_running_run_is_cancelled_by_its_worker(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(10)).await.name;
    let claim = f.claim("w", at(11)).await;
    assert!(!f.store.heartbeat(&claim, LEASE, None).await.expect("renews").cancel_requested);
    assert_eq!(cancel(&f, &run, 12).await, RunState::Running);
    assert_eq!(cancel(&f, &run, 13).await, RunState::Running, "asking again is no error");
    assert!(f.store.heartbeat(&claim, LEASE, None).await.expect("renews").cancel_requested);
    f.store.cancel_claimed_run(&claim, || at(15)).await.expect("cancels");
    assert_eq!(f.store.run(&Scope::Alliance, &run).await.expect("exists").state, RunState::Cancelled);
    assert_eq!(round_state(&f, &run).await, RoundState::Enrolling);
    let lines = f.journal(&Scope::Alliance).await;
    assert_eq!(lines.iter().filter(|line| line.action == "run.cancel").count(), 1);
    assert_eq!(lines.last().expect("a line").actor, "worker:w");
}

async fn a_run_whose_worker_died_is_cancelled_at_once(f: Fixture) {
    let (peru, kenya, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(10)).await.name;
    let zombie = f.claim("w", at(11)).await;
    f.expire_leases().await;
    assert_eq!(cancel(&f, &run, 40).await, RunState::Cancelled);
    let late = f.store.complete_run(&zombie, || at(41), &outcome(&peru, &kenya)).await;
    assert!(matches!(late, Err(Error::RunState { state: "cancelled", .. })));
}

async fn a_run_that_has_ended_stays_as_it_ended(f: Fixture) {
    let (_, _, run) = f.succeeded_run().await;
    assert_eq!(cancel(&f, &run.name, 50).await, RunState::Succeeded);
    assert_eq!(f.store.run(&Scope::Alliance, &run.name).await.expect("exists"), run);
    assert_eq!(round_state(&f, &run.name).await, RoundState::Review);
}

async fn a_failed_run_says_why_and_opens_the_round_again(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(10)).await.name;
    let claim = f.claim("w", at(11)).await;
    f.store
        .fail_run(&claim, || at(12), Reason::RunInterrupted, "interrupted too often")
        .await
        .expect("fails");
    let stored = f.store.run(&Scope::Alliance, &run).await.expect("exists");
    let failure = (Reason::RunInterrupted, "interrupted too often".to_owned());
    assert_eq!(
        (stored.state, stored.failure, stored.end_time),
        (RunState::Failed, Some(failure), Some(at(12)))
    );
    assert_eq!(round_state(&f, &run).await, RoundState::Enrolling);
    assert_eq!(f.start_run(&round, at(20)).await.name.number, 2);
}

async fn runs_are_listed_the_newest_first(f: Fixture) {
    let (peru, kenya, run) = f.succeeded_run().await;
    let round = run.name.round;
    for seconds in [20, 30] {
        f.start_run(&round, at(seconds)).await;
        let claim = f.claim("w", at(seconds + 1)).await;
        f.store.fail_run(&claim, || at(seconds + 2), Reason::Internal, "").await.expect("fails");
        assert_eq!(round_state(&f, &claim.run.name).await, RoundState::Review, "an earlier run succeeded");
    }
    let numbers = async |before, limit| {
        let page = f.store.list_runs(&only(&peru), &round, before, limit).await.expect("lists");
        page.iter().map(|run| run.name.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(None, 2).await, [3, 2]);
    assert_eq!(numbers(Some(2), 2).await, [1]);
    assert_eq!(numbers(Some(1), 2).await, [0; 0]);
    assert!(matches!(
        f.store.list_runs(&only(&kenya), &round_id("none"), None, 2).await,
        Err(Error::NotFound(_))
    ));
}

async fn a_run_that_does_not_exist_is_not_found(f: Fixture) {
    let name = RunRef { round: f.round("spring-2027").await.id, number: 7 };
    assert!(matches!(f.store.run(&Scope::Alliance, &name).await, Err(Error::NotFound(_))));
    assert!(matches!(f.store.load_snapshot(&Scope::System, &name).await, Err(Error::NotFound(_))));
    assert!(matches!(
        f.store.list_matches(&Scope::Alliance, &name, MatchView::Full, None, 9).await,
        Err(Error::NotFound(_))
    ));
    assert!(matches!(
        f.store.list_unmatched(&Scope::Alliance, &name, None, 9).await,
        Err(Error::NotFound(_))
    ));
    let mut session = f.write().await;
    assert!(matches!(session.cancel_run(&name).await, Err(Error::NotFound(wanted)) if wanted == name.name()));
    let elsewhere = RunRef { round: round_id("none"), number: 1 };
    assert!(
        matches!(session.cancel_run(&elsewhere).await, Err(Error::NotFound(wanted)) if wanted == elsewhere.name())
    );
}

async fn a_snapshot_does_not_exist_for_an_organisation(f: Fixture) {
    let (peru, _, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(10)).await.name;
    assert!(matches!(f.store.load_snapshot(&only(&peru), &run).await, Err(Error::NotFound(_))));
    assert!(f.store.load_snapshot(&Scope::Alliance, &run).await.is_ok());
}
