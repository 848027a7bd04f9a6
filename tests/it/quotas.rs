//! Quotas of a policy, limits of organisations of their own, and the budget of a repair, told through gRPC on both databases.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use wim_match::api::proto::v1;
use wim_match::client::Client;
use wim_match::domain::vocabulary::Lang;

use crate::refusal::refused;
use crate::world::{Manager, World, matches, mentee, mentor, on_both_databases, soon};

on_both_databases! {
    a_run_keeps_quotas_and_the_limits_of_the_exchange,
    quotas_that_cannot_be_met_are_named_before_and_after_the_run,
    a_limit_of_an_organisations_own_holds_and_shows_nobody_else_anything,
    a_repair_beyond_its_budget_says_how_many_changes_it_needs,
    least_places_of_a_mentor_are_a_wish_or_a_rule,
    of_two_pins_of_the_last_place_one_is_stored,
}

const PERU: &str = "organisations/wim-peru";
const KENYA: &str = "organisations/wim-kenya";

/// A round in which wim-peru brings four mentors, and wim-kenya four mentees and some mentors.
async fn cast(world: &World, policy: v1::Policy, own: usize) -> (String, Manager, Manager) {
    let round = world.open_round_with("r", policy).await.name;
    let (mut peru, mut kenya) = (world.manager("wim-peru").await, world.manager("wim-kenya").await);
    peru.import((0..4).map(|at| mentor(&format!("o{at}"), 1)).collect()).await;
    let people =
        (0..4).map(|at| mentee(&format!("e{at}"))).chain((0..own).map(|at| mentor(&format!("k{at}"), 1)));
    kenya.import(people.collect()).await;
    peru.enrol_all(&round).await;
    kenya.enrol_all(&round).await;
    (round, peru, kenya)
}

fn quota(organisation: &str, least: i32, most: Option<i32>) -> v1::Quota {
    v1::Quota { organisation: organisation.to_owned(), least, most, ..v1::Quota::default() }
}

fn limit(organisation: &str, most_given: Option<i32>, most_taken: Option<i32>) -> v1::ExchangeLimit {
    v1::ExchangeLimit { organisation: organisation.to_owned(), most_given, most_taken }
}

/// The pairs of a run, and how many of them are across organisations.
async fn pairs(world: &World, run: &v1::Run) -> (BTreeSet<(String, String)>, usize) {
    let all = matches(&mut world.coordinator(), &run.name, 0).await;
    let across =
        all.iter().filter(|pair| pair.mentee.starts_with(KENYA) && pair.mentor.starts_with(PERU)).count();
    (all.into_iter().map(|pair| (pair.mentee, pair.mentor)).collect(), across)
}

async fn is_proved(world: &World, run: &v1::Run) -> bool {
    let verify = v1::VerifyRunRequest { name: run.name.clone() };
    let verified = world.coordinator().runs.verify_run(verify).await.expect("verifies").into_inner();
    verified.proved && verified.input_unchanged && verified.result_unchanged
}

async fn a_run_keeps_quotas_and_the_limits_of_the_exchange(world: World) {
    let policy = v1::Policy {
        quotas: vec![quota(KENYA, 2, Some(3))],
        exchange_limits: vec![limit(PERU, Some(2), None)],
        ..v1::Policy::default()
    };
    let (round, ..) = cast(&world, policy.clone(), 1).await;
    let get = v1::GetRoundRequest { name: round.clone() };
    let stored = world.coordinator().rounds.get_round(get).await.expect("reads").into_inner().round;
    let stored = stored.and_then(|round| round.policy).expect("a policy");
    assert_eq!((stored.exchange_limits, stored.quotas.len()), (policy.exchange_limits, 1));
    let run = soon(world.run_to_the_end(&round)).await;
    assert_eq!(run.state(), v1::RunState::Succeeded, "{run:?}");
    // Two from wim-peru, and the mentor of wim-kenya for a member of her own.
    let (all, across) = pairs(&world, &run).await;
    assert_eq!((all.len(), across), (3, 2));
    assert!(is_proved(&world, &run).await);

    // What follows, with one place less to give, is solved anew.
    let policy = v1::Policy {
        exchange_limits: vec![limit(PERU, Some(1), None), limit("", None, Some(1))],
        ..v1::Policy::default()
    };
    let create =
        v1::CreatePolicyRequest { parent: round.clone(), policy: Some(policy), ..Default::default() };
    world.coordinator().rounds.create_policy(create).await.expect("makes");
    let next = soon(world.run_to_the_end(&round)).await;
    let (kept, across) = pairs(&world, &next).await;
    assert_eq!((next.state(), kept.len(), across), (v1::RunState::Succeeded, 2, 1), "{next:?}");
    assert!(is_proved(&world, &next).await);
    assert_eq!(kept.intersection(&all).count(), 2, "nobody moves needlessly");

    // One pin takes the place that wim-peru gives; a second one is refused at once.
    let pin = |at: usize| v1::PinPairRequest {
        round: round.clone(),
        mentee: format!("{KENYA}/profiles/e{at}"),
        mentor: format!("{PERU}/profiles/o{at}"),
        reason: "they know each other's mine".to_owned(),
        ..v1::PinPairRequest::default()
    };
    world.coordinator().reviews.pin_pair(pin(0)).await.expect("pins");
    assert_eq!(refused(world.coordinator().reviews.pin_pair(pin(1)).await), "DECISION_REFUSED");
    let pinned = soon(world.run_to_the_end(&round)).await;
    let (all, _) = pairs(&world, &pinned).await;
    assert!(all.contains(&(pin(0).mentee, pin(0).mentor)) && all.len() == 2, "{all:?}");
    assert!(is_proved(&world, &pinned).await);

    let stable = v1::Policy {
        objective: v1::Objective::Stable.into(),
        quotas: vec![quota(KENYA, 3, Some(2))],
        ..v1::Policy::default()
    };
    let create = v1::CreatePolicyRequest { parent: round, policy: Some(stable), ..Default::default() };
    assert_eq!(refused(world.coordinator().rounds.create_policy(create).await), "INVALID_FIELDS");
    world.stop().await;
}

async fn quotas_that_cannot_be_met_are_named_before_and_after_the_run(world: World) {
    let policy = v1::Policy {
        quotas: vec![
            quota(KENYA, 5, None),
            v1::Quota {
                region: "014".to_owned(),
                side: v1::QuotaSide::Mentors.into(),
                ..quota("", 0, Some(1))
            },
        ],
        ..v1::Policy::default()
    };
    let (round, _, kenya) = cast(&world, policy, 1).await;
    let run = soon(world.run_to_the_end(&round)).await;
    let failure = run.failure.clone().expect("fails");
    assert_eq!((run.state(), failure.reason.as_str()), (v1::RunState::Failed, "QUOTAS_UNMET"));
    let mut told = Vec::new();
    for lang in Lang::ALL {
        let get = v1::GetRunRequest { name: run.name.clone() };
        let reader = Client::for_reader(world.channel(), Some(world.coordinator_token()), lang);
        let mut runs = reader.expect("a client").runs;
        let read = runs.get_run(get).await.expect("reads").into_inner().run.expect("a run");
        told.push(read.failure.expect("fails").message);
    }
    assert_snapshot!("floors_that_a_round_cannot_meet", told.join("\n\n"));
    let get = v1::GetRunRequest { name: run.name.clone() };
    let own = kenya.client.runs.clone().get_run(get).await.expect("reads").into_inner().run.expect("a run");
    let own = own.failure.expect("fails").message;
    assert!(!own.contains('5') && !told.contains(&own), "{own}");
    let diagnose = v1::DiagnoseRoundRequest { name: round, ..Default::default() };
    let found = world.coordinator().rounds.diagnose_round(diagnose).await.expect("diagnoses").into_inner();
    let found = found.diagnosis.expect("a diagnosis");
    let codes: Vec<&str> = found.quotas_unmet.iter().map(|reason| reason.code.as_str()).collect();
    assert_eq!(codes.first(), Some(&"FLOORS_UNMET"), "{codes:?}");
    world.stop().await;
}

async fn a_limit_of_an_organisations_own_holds_and_shows_nobody_else_anything(world: World) {
    let (round, peru, kenya) = cast(&world, v1::Policy::default(), 0).await;
    let before = soon(world.run_to_the_end(&round)).await;
    assert_eq!(pairs(&world, &before).await.1, 4, "the best result takes every place of wim-peru");
    let rules = |most| v1::OrganisationRules { most_places_given: most, ..v1::OrganisationRules::default() };
    let read = async |client: Client| {
        let get = v1::GetRunRequest { name: before.name.clone() };
        client.runs.clone().get_run(get).await.expect("reads").into_inner().run.expect("a run")
    };
    let unread = [read(world.coordinator()).await, read(kenya.client.clone()).await];
    let wrong = peru.client.set_rules(&peru.organisation, rules(Some(-1))).await;
    assert!(wrong.is_err(), "a limit is not negative");
    let set = peru.client.set_rules(&peru.organisation, rules(Some(2))).await.expect("sets");
    assert_eq!(set.rules.expect("her own").most_places_given, Some(2));
    // No cause, digest or rule shows the others that a limit was set.
    assert_eq!([read(world.coordinator()).await, read(kenya.client.clone()).await], unread);
    for client in [world.coordinator(), kenya.client.clone()] {
        let get = v1::GetOrganisationRequest { name: peru.name() };
        let shown = client.organisations.clone().get_organisation(get).await;
        assert!(
            shown.is_err() || shown.expect("reads").into_inner().organisation.expect("one").rules.is_none()
        );
    }
    let start = v1::StartRunRequest { round: round.clone(), follow_none: true, ..Default::default() };
    let started = world.coordinator().runs.start_run(start).await.expect("starts").into_inner().run;
    let run = soon(world.watch(&started.expect("a run").name)).await.pop().expect("an ended run");
    let (all, across) = pairs(&world, &run).await;
    assert_eq!((run.state(), all.len(), across), (v1::RunState::Succeeded, 2, 2), "{run:?}");
    assert_eq!(
        run.input_digest, before.input_digest,
        "the digest that is shown covers no limit of anybody's own"
    );
    assert!(is_proved(&world, &run).await);
    world.stop().await;
}

async fn a_repair_beyond_its_budget_says_how_many_changes_it_needs(world: World) {
    let (round, ..) = cast(&world, v1::Policy::default(), 0).await;
    let first = soon(world.run_to_the_end(&round)).await;
    assert_eq!(pairs(&world, &first).await.0.len(), 4);
    let start = |repair, most_changes| v1::StartRunRequest {
        round: round.clone(),
        follows: first.name.clone(),
        repair,
        most_changes,
        ..v1::StartRunRequest::default()
    };
    for wrong in [start(false, Some(0)), start(true, Some(-1))] {
        assert_eq!(refused(world.coordinator().runs.start_run(wrong).await), "INVALID_FIELDS");
    }
    // One of four pairs can stay.
    let end = async |request| {
        let started = world.coordinator().runs.start_run(request).await.expect("starts").into_inner().run;
        soon(world.watch(&started.expect("a run").name)).await.pop().expect("an ended run")
    };
    let policy = v1::Policy { exchange_limits: vec![limit("", Some(1), None)], ..v1::Policy::default() };
    let create =
        v1::CreatePolicyRequest { parent: round.clone(), policy: Some(policy), ..Default::default() };
    world.coordinator().rounds.create_policy(create).await.expect("makes");
    let refused = end(start(true, Some(0))).await;
    let failure = refused.failure.clone().expect("fails");
    assert_eq!((refused.most_changes, failure.reason.as_str()), (Some(0), "REPAIR_BUDGET"), "{refused:?}");
    assert!(failure.message.contains("3 changes"), "{}", failure.message);
    let repaired = end(start(true, Some(3))).await;
    assert_eq!(repaired.state(), v1::RunState::Succeeded, "{repaired:?}");
    let followed = repaired.summary.as_ref().and_then(|summary| summary.followed).expect("follows");
    assert_eq!(followed.changed, 3);
    assert!(is_proved(&world, &repaired).await);
    world.stop().await;
}

/// Two mentors who ask for two mentees at least, and three mentees.
async fn least_places_of_a_mentor_are_a_wish_or_a_rule(world: World) {
    let round = world.open_round("r").await.name;
    let (mut peru, mut kenya) = (world.manager("wim-peru").await, world.manager("wim-kenya").await);
    let of_two = |id: &str| {
        let mut draft = mentor(id, 2);
        draft.mentor_offer.iter_mut().for_each(|offer| offer.min_mentees = Some(2));
        draft
    };
    peru.import(vec![of_two("x"), of_two("y")]).await;
    kenya.import((0..3).map(|at| mentee(&format!("e{at}"))).collect()).await;
    peru.enrol_all(&round).await;
    kenya.enrol_all(&round).await;
    let wish = soon(world.run_to_the_end(&round)).await;
    assert_eq!(pairs(&world, &wish).await.0.len(), 3, "as a wish it takes nobody's match");

    let ruled = v1::Policy { require_least_places: true, ..v1::Policy::default() };
    let stable = v1::Policy { objective: v1::Objective::Stable.into(), ..ruled.clone() };
    let create = |policy| v1::CreatePolicyRequest {
        parent: round.clone(),
        policy: Some(policy),
        ..v1::CreatePolicyRequest::default()
    };
    assert_eq!(refused(world.coordinator().rounds.create_policy(create(stable)).await), "INVALID_FIELDS");
    let made = world.coordinator().rounds.create_policy(create(ruled)).await.expect("makes").into_inner();
    assert!(made.policy.expect("a policy").require_least_places);
    let run = soon(world.run_to_the_end(&round)).await;
    assert_eq!(run.state(), v1::RunState::Succeeded, "{run:?}");
    let (all, _) = pairs(&world, &run).await;
    let mentors: BTreeSet<&String> = all.iter().map(|(_, mentor)| mentor).collect();
    assert_eq!((all.len(), mentors.len()), (2, 1), "{all:?}");
    assert!(is_proved(&world, &run).await);

    // The closed mentor, and the mentee whom she could have taken, read why.
    let list = v1::ListUnmatchedRequest { parent: run.name.clone(), ..v1::ListUnmatchedRequest::default() };
    let codes = async |client: Client| -> BTreeSet<String> {
        let page = client.runs.clone().list_unmatched(list.clone()).await.expect("lists").into_inner();
        page.unmatched.into_iter().flat_map(|one| one.details).map(|reason| reason.code).collect()
    };
    let told = codes(world.coordinator()).await;
    assert!(told.contains("LEAST_PLACES_MISSED") && told.contains("BELOW_LEAST_PLACES"), "{told:?}");
    assert!(codes(peru.client.clone()).await.contains("BELOW_LEAST_PLACES"));
    assert!(!codes(kenya.client.clone()).await.contains("LEAST_PLACES_MISSED"));

    // A pin opens the other mentor; pins of both cannot be filled, and every language names them.
    let closed = ["x", "y"].map(|id| format!("{PERU}/profiles/{id}"));
    let open = mentors.first().map(|mentor| (*mentor).clone()).expect("one is open");
    let other = closed.iter().find(|one| **one != open).expect("one is closed");
    let pin = |mentee: usize, mentor: &str| v1::PinPairRequest {
        round: round.clone(),
        mentee: format!("{KENYA}/profiles/e{mentee}"),
        mentor: mentor.to_owned(),
        reason: "they know each other's mine".to_owned(),
        ..v1::PinPairRequest::default()
    };
    world.coordinator().reviews.pin_pair(pin(0, other)).await.expect("pins");
    let pinned = soon(world.run_to_the_end(&round)).await;
    let (all, _) = pairs(&world, &pinned).await;
    assert!(all.len() == 2 && all.iter().all(|(_, mentor)| mentor == other), "{all:?}");
    assert!(is_proved(&world, &pinned).await);
    world.coordinator().reviews.pin_pair(pin(1, &open)).await.expect("pins");
    let failed = soon(world.run_to_the_end(&round)).await;
    assert_eq!(
        failed.failure.as_ref().map(|one| one.reason.as_str()),
        Some("DECISIONS_CONFLICT"),
        "{failed:?}"
    );
    let mut told = Vec::new();
    for lang in Lang::ALL {
        let reader = Client::for_reader(world.channel(), Some(world.coordinator_token()), lang);
        let get = v1::GetRunRequest { name: failed.name.clone() };
        let read = reader.expect("a client").runs.get_run(get).await.expect("reads").into_inner();
        told.push(read.run.and_then(|run| run.failure).expect("fails").message);
    }
    assert_snapshot!("decisions_that_cannot_be_kept_in_four_languages", told.join("\n\n"));
    let get = v1::GetRunRequest { name: failed.name };
    let own = kenya.client.runs.clone().get_run(get).await.expect("reads").into_inner().run.expect("a run");
    assert!(!own.failure.expect("fails").message.contains("decisions/"), "decisions are for coordinators");
    world.stop().await;
}

/// On SQLite several writers share one transaction, so that the second pin must read what is written there.
async fn of_two_pins_of_the_last_place_one_is_stored(world: World) {
    let policy = v1::Policy { exchange_limits: vec![limit(PERU, Some(1), None)], ..v1::Policy::default() };
    let (round, ..) = cast(&world, policy, 0).await;
    let coordinator = world.coordinator();
    let pin = async |at: usize| {
        let request = v1::PinPairRequest {
            round: round.clone(),
            mentee: format!("{KENYA}/profiles/e{at}"),
            mentor: format!("{PERU}/profiles/o{at}"),
            reason: "they know each other's mine".to_owned(),
            ..v1::PinPairRequest::default()
        };
        coordinator.reviews.clone().pin_pair(request).await
    };
    for _ in 0..5 {
        let all = soon(async { tokio::join!(pin(0), pin(1), pin(2)) }).await;
        let (mut stored, mut wrong) = (Vec::new(), Vec::new());
        for one in [all.0, all.1, all.2] {
            match one {
                Ok(pinned) => stored.push(pinned.into_inner().decision.expect("a decision").name),
                refused => wrong.push(crate::refusal::refused(refused)),
            }
        }
        assert_eq!((stored.len(), wrong), (1, vec!["DECISION_REFUSED".to_owned(); 2]));
        let release = v1::ReleaseDecisionRequest {
            name: stored.pop().expect("one"),
            reason: "once more".to_owned(),
            ..v1::ReleaseDecisionRequest::default()
        };
        coordinator.reviews.clone().release_decision(release).await.expect("releases");
    }
    world.stop().await;
}
