//! What callers can learn of private answers of people of other organisations: nothing, except through the matches.
//!
//! Random small worlds, each built twice through the real gRPC: once as it is, and once with one private answer, or one limit
//! of an organisation's own, changed. If no match changes that a caller may see, nor what is proved of all of them, every byte of
//! every answer that she can get is the same.

mod answers;
mod people;

use proptest::test_runner::{Config, TestRunner};
use wim_match::api::proto::v1;

use self::answers::Answers;
use self::people::{Answer, Case, Limits, Who, cases};
use crate::world::{Manager, World, is_final, soon};

/// Ids of the organisations. The first one is the curious manager's.
const ORGANISATIONS: [&str; 3] = ["wim-peru", "wim-kenya", "wim-chile"];
/// Random worlds of the property on every day.
const DAILY: u32 = 10;
/// Random worlds that are asked for.
const ASKED: u32 = 1_000;

/// Everything that the manager of the first organisation, and a coordinator, can read of a world.
struct Seen {
    manager: Answers,
    coordinator: Answers,
}

/// Builds a world, runs its round, and reads it.
async fn look(case: &Case) -> Seen {
    let people = &case.people;
    let world = World::sqlite().await;
    let round = world.open_round_with("r", case.policy()).await.name;
    let mut managers: Vec<Manager> = Vec::new();
    for id in ORGANISATIONS {
        managers.push(world.manager(id).await);
    }
    for (at, manager) in managers.iter_mut().enumerate() {
        let members = people.iter().enumerate().filter(|(_, who)| who.home == at);
        manager.import(members.map(|(at, _)| people::draft(case, at)).collect()).await;
        set_limits(manager, case.limits[at]).await;
        manager.enrol_all(&round).await;
    }
    let run = soon(world.run_to_the_end(&round)).await;
    assert!(is_final(&run) && run.state() == v1::RunState::Succeeded, "{run:?}");
    let names: Vec<String> = (0..people.len()).map(|at| people::name(people, at)).collect();
    let manager = Answers::of(&mut managers[0].client, ORGANISATIONS[0], &run.name, &names).await;
    let coordinator = Answers::of(&mut world.coordinator(), ORGANISATIONS[0], &run.name, &names).await;
    world.stop().await;
    Seen { manager, coordinator }
}

/// Sets limits by as many changes in every world: that an organisation has changed something is no secret, its etag says so.
async fn set_limits(manager: &Manager, limits: Limits) {
    for [most_places_given, most_places_taken] in [[Some(1_000); 2], limits] {
        let rules = v1::OrganisationRules {
            most_places_given,
            most_places_taken,
            ..v1::OrganisationRules::default()
        };
        manager.client.set_rules(&manager.organisation, rules).await.expect("sets limits");
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime")
}

#[test]
fn a_private_answer_changes_no_byte_that_another_organisation_or_a_coordinator_reads() {
    random_worlds(DAILY);
}

#[ignore = "takes minutes; run it with `cargo test --test it leaks -- --ignored`"]
#[test]
fn a_private_answer_changes_no_byte_in_a_thousand_worlds() {
    random_worlds(ASKED);
}

fn random_worlds(worlds: u32) {
    let runtime = runtime();
    let mut runner = TestRunner::new(Config { max_shrink_iters: 40, ..Config::with_cases(worlds) });
    let (mut managers, mut coordinators) = (0, 0);
    let counts = std::sync::Mutex::new((&mut managers, &mut coordinators));
    let result = runner.run(&cases(), |case| {
        let (before, after) = runtime.block_on(async { (look(&case).await, look(&case.changed()).await) });
        // A manager reads her own members' private answers, so that a change of those is read in their profiles.
        let is_own = case.people[case.change.who].home == 0;
        if before.manager.result() == after.manager.result() {
            before.manager.assert_same(&after.manager, is_own)?;
            *counts.lock().expect("not poisoned").0 += 1;
        }
        if before.coordinator.result() == after.coordinator.result() {
            before.coordinator.assert_same(&after.coordinator, false)?;
            *counts.lock().expect("not poisoned").1 += 1;
        }
        Ok(())
    });
    if let Err(failed) = result {
        panic!("{failed}");
    }
    let enough = managers > worlds / 4 && coordinators > worlds / 8;
    assert!(enough, "{managers} and {coordinators} compared");
}

/// A mentee of Peru and a mentor of Kenya, who fit.
fn one_pair() -> Case {
    let mentee = Who { home: 0, role: 0, ..Who::plain() };
    let mentor = Who { home: 1, role: 1, ..Who::plain() };
    Case::of(vec![mentee, mentor])
}

#[test]
fn in_a_world_of_one_pair_no_private_answer_shows() {
    let runtime = runtime();
    let looks = |change: Option<(usize, Answer, usize)>| {
        let mut case = one_pair();
        if let Some((who, answer, other)) = change {
            case.change = people::Change { who, answer, other };
            case = case.changed();
        }
        runtime.block_on(look(&case))
    };
    let plain = looks(None);
    assert_eq!(plain.manager.matches.len(), 1);
    let mut excluded: Vec<Seen> = Vec::new();
    for answer in Answer::ALL {
        // The mentor is the foreign person; the mentee's private answers are the manager's own.
        for who in [0, 1] {
            let seen = looks(Some((who, answer, 1 - who)));
            let same = |one: &Seen, other: &Seen| {
                one.manager.assert_same(&other.manager, who == 0).expect("the manager reads the same");
                one.coordinator
                    .assert_same(&other.coordinator, false)
                    .expect("the coordinator reads the same");
            };
            if seen.manager.matches.is_empty() {
                for other in &excluded {
                    other.manager.assert_same(&seen.manager, true).expect("the manager reads the same");
                    other.coordinator.assert_same(&seen.coordinator, false).expect("the coordinator too");
                }
                excluded.push(seen);
            } else {
                same(&plain, &seen);
            }
        }
    }
    assert_eq!(
        excluded.len(),
        8,
        "avoid lists, reporting lines, previous partners and no consent across borders, of either side"
    );
    for seen in &excluded {
        assert_eq!(seen.coordinator.reasons, ["OUTCOMPETED", "PLACES_LEFT_OVER"]);
        assert_eq!(seen.coordinator.candidates, Some(1), "a candidate by open answers");
        assert_eq!(seen.coordinator.verdicts, ["VERDICT_NOT_CHOSEN"]);
    }
}

/// A limit that is not reached shows nowhere; one that takes the only match shows by the match alone, and reads as if the mentee
/// had been outcompeted.
#[test]
fn in_a_world_of_one_pair_no_limit_of_an_organisation_shows() {
    let runtime = runtime();
    let with = |limits: [Limits; 3]| {
        let mut case = one_pair();
        case.limits = limits;
        runtime.block_on(look(&case))
    };
    let none = [None; 2];
    let plain = with([none; 3]);
    let loose = [[none, [Some(1), Some(0)], none], [none, none, [Some(0), Some(0)]]];
    for limits in loose {
        let seen = with(limits);
        plain.manager.assert_same(&seen.manager, false).expect("the manager reads the same");
        plain.coordinator.assert_same(&seen.coordinator, false).expect("the coordinator reads the same");
    }
    let tight = with([none, [Some(0), None], none]);
    assert_eq!(tight.coordinator.matches.len(), 0);
    assert_eq!(tight.coordinator.reasons, ["OUTCOMPETED", "PLACES_LEFT_OVER"]);
    // The same as if the mentor avoided the mentee.
    let mut case = one_pair();
    case.change = people::Change { who: 1, answer: Answer::Avoided, other: 0 };
    let avoids = runtime.block_on(look(&case.changed()));
    tight.manager.assert_same(&avoids.manager, false).expect("the manager reads the same");
    tight.coordinator.assert_same(&avoids.coordinator, false).expect("the coordinator reads the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proof_of_a_run_is_checked_inside_the_service() {
    let world = World::sqlite().await;
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![crate::world::mentor("b", 1), crate::world::mentee("a")]).await;
    peru.enrol_all(&round).await;
    let run = soon(world.run_to_the_end(&round)).await;
    let request = v1::VerifyRunRequest { name: run.name.clone() };
    let verified = world.coordinator().runs.verify_run(request).await.expect("verifies").into_inner();
    assert!(verified.proved && verified.input_unchanged && verified.result_unchanged, "{verified:?}");
    assert_eq!(
        (&verified.input_digest, &verified.result_digest),
        (&run.input_digest, &run.result_digest),
        "the digests are those of the run"
    );
    let request =
        v1::StartRunRequest { round: round.clone(), follow_none: true, ..v1::StartRunRequest::default() };
    let next = world.coordinator().runs.start_run(request).await.expect("starts").into_inner().run;
    let next = soon(world.watch(&next.expect("a run").name)).await.pop().expect("an ended run");
    assert_eq!(next.result_digest, run.result_digest, "equal results of a round have equal digests");
    world.execute("UPDATE run_match SET score = score - 1").await;
    let request = v1::VerifyRunRequest { name: run.name };
    let bent = world.coordinator().runs.verify_run(request).await.expect("verifies").into_inner();
    assert!(bent.proved && bent.input_unchanged && !bent.result_unchanged, "{bent:?}");
    world.stop().await;
}
