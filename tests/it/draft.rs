//! Who leaves a round before it is published, and what makes the results that are there stale, over gRPC and on both databases.

use std::time::Duration;

use wim_match::api::proto::v1;
use wim_match::api::proto::v1::StaleCause::{Dates, Enrolments, Policy, Profiles, Rules};
use wim_match::client::{Client, request_id};

use crate::call::privacy::{at, consents, matching, record};
use crate::refusal::{refused, wrong_fields};
use crate::world::{Manager, World, matches, mentee, mentor, on_both_databases, soon};

on_both_databases! {
    a_withdrawal_takes_her_out_of_every_draft_and_is_final,
    a_withdrawal_stops_the_run_that_waits,
    an_import_that_says_a_withdrawal_takes_her_out_too,
    identity_answers_leave_with_their_consent,
    a_withdrawal_is_checked_and_nothing_happens,
    a_restricted_person_is_kept_and_not_matched,
    each_change_makes_a_result_stale_for_those_whom_it_concerns,
}

fn withdraw(name: &str) -> v1::WithdrawConsentRequest {
    v1::WithdrawConsentRequest { name: name.to_owned(), ..Default::default() }
}

async fn live(client: &Client, profile: &str, purpose: v1::ConsentPurpose) -> v1::Consent {
    let all = consents(client, profile).await;
    let live = all.into_iter().find(|one| one.purpose() == purpose && one.state() == v1::ConsentState::Live);
    live.expect("a live consent")
}

async fn stale(client: &Client, run: &str) -> Vec<v1::StaleCause> {
    let request = v1::GetRunRequest { name: run.to_owned() };
    let read = client.runs.clone().get_run(request).await.expect("reads").into_inner().run.expect("a run");
    let request = v1::ListRunsRequest {
        parent: run.split("/runs/").next().expect("a round").to_owned(),
        ..Default::default()
    };
    let listed = client.runs.clone().list_runs(request).await.expect("lists").into_inner().runs;
    let listed = listed.into_iter().find(|one| one.name == run).expect("is listed");
    assert_eq!(read.stale_causes, listed.stale_causes, "the list says the same");
    read.stale_causes().collect()
}

/// A round with a mentor and two mentees of wim-peru, all enrolled.
async fn peru_in(world: &World, rounds: &[&str]) -> Manager {
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 2), mentee("b"), mentee("c")]).await;
    for round in rounds {
        let round = world.open_round(round).await.name;
        assert_eq!(peru.enrol_all(&round).await.enrolled, 3);
    }
    peru
}

async fn a_withdrawal_takes_her_out_of_every_draft_and_is_final(world: World) {
    let mut peru = peru_in(&world, &["r", "s"]).await;
    world.clock().advance(Duration::from_hours(1));
    let run = soon(world.run_to_the_end("rounds/r")).await;
    assert_eq!(matches(&mut world.coordinator(), &run.name, 100).await.len(), 2);
    assert_eq!(stale(&world.coordinator(), &run.name).await, []);

    let given = live(&peru.client, &peru.member("b"), v1::ConsentPurpose::Matching).await;
    let enrolled = peru.enrolments("rounds/r").await;
    assert_eq!(enrolled[1].consent, given.name, "the enrolment names the consent on which it rests");
    let request = v1::ListEnrolmentsRequest { parent: "rounds/r".to_owned(), ..Default::default() };
    let seen = world.coordinator().rounds.list_enrolments(request).await.expect("lists").into_inner();
    assert!(seen.enrolments.iter().all(|one| one.consent.is_empty()), "a coordinator reads no consents");

    let (secretariat, _) = world.caller(&["secretariat"]).await;
    let id = request_id();
    let request = v1::WithdrawConsentRequest { request_id: id, ..withdraw(&given.name) };
    let done =
        secretariat.privacy.clone().withdraw_consent(request.clone()).await.expect("withdraws").into_inner();
    assert_eq!(done.withdrawn_enrolments, 2);
    let gone = done.consent.clone().expect("a consent");
    assert_eq!(
        (gone.state(), gone.withdraw_time),
        (v1::ConsentState::Withdrawn, Some(at("2027-01-10T13:00:00Z")))
    );
    let again = secretariat.privacy.clone().withdraw_consent(request).await.expect("again").into_inner();
    assert_eq!(done, again, "the first answer");
    let twice = secretariat.privacy.clone().withdraw_consent(withdraw(&given.name)).await;
    assert_eq!(refused(twice), "CONSENT_STATE");

    for round in ["rounds/r", "rounds/s"] {
        let states: Vec<_> = peru.enrolments(round).await.iter().map(v1::Enrolment::state).collect();
        assert_eq!(states[1], v1::EnrolmentState::Withdrawn);
        assert_eq!(states[0], v1::EnrolmentState::Live);
        let request = v1::GetRoundRequest { name: round.to_owned() };
        let round = world.coordinator().rounds.get_round(request).await.expect("reads").into_inner().round;
        let counts = round.and_then(|round| round.enrolment).expect("counts");
        assert_eq!((counts.profiles, counts.mentors, counts.mentees), (2, 1, 1));
    }
    let expected = [Enrolments, Profiles];
    for client in [&world.coordinator(), &peru.client] {
        assert_eq!(stale(client, &run.name).await, expected);
    }
    let next = soon(world.run_to_the_end("rounds/r")).await;
    let pairs = matches(&mut world.coordinator(), &next.name, 100).await;
    assert_eq!(pairs.len(), 1);
    assert_eq!(pairs[0].mentee, peru.member("c"));
    assert_eq!(stale(&world.coordinator(), &next.name).await, []);

    // Final until a newer consent: neither the same file nor a clock that jumps back revives it.
    peru.import(vec![mentor("a", 2), mentee("b"), mentee("c")]).await;
    world.clock().set("2027-01-10T12:30:00Z".parse().expect("a moment"));
    let refusals = peru.enrol("rounds/r", &["b"]).await.refused;
    assert_eq!(refusals[0].reason(), v1::RefusedEnrolmentReason::NoLiveConsent);
    world.clock().set("2027-01-10T13:00:00Z".parse().expect("a moment"));
    let old = record(peru.member("b"), matching("2027-01-10T13:00:00Z"));
    assert_eq!(wrong_fields(peru.client.privacy.record_consent(old).await), ["consent.give_time"]);
    world.clock().advance(Duration::from_hours(1));
    let newer = record(peru.member("b"), matching("2027-01-10T14:00:00Z"));
    peru.client.privacy.record_consent(newer).await.expect("is recorded");
    assert_eq!(peru.enrol("rounds/r", &["b"]).await.enrolled, 1);
    let enrolled = peru.enrolments("rounds/r").await;
    let given = live(&peru.client, &peru.member("b"), v1::ConsentPurpose::Matching).await;
    assert_eq!(enrolled[2].consent, given.name);
    world.stop().await;
}

async fn a_withdrawal_stops_the_run_that_waits(world: World) {
    let world = world.restart_without_worker().await;
    let peru = peru_in(&world, &["r", "s"]).await;
    let (run, other) = (world.start_run("rounds/r").await, world.start_run("rounds/s").await);
    let given = live(&peru.client, &peru.member("b"), v1::ConsentPurpose::Matching).await;
    peru.client.privacy.clone().withdraw_consent(withdraw(&given.name)).await.expect("withdraws");
    for run in [run, other] {
        let request = v1::GetRunRequest { name: run.name };
        let run = world.coordinator().runs.get_run(request).await.expect("reads").into_inner().run;
        assert_eq!(run.expect("a run").state(), v1::RunState::Cancelled);
    }
    world.stop().await;
}

async fn an_import_that_says_a_withdrawal_takes_her_out_too(world: World) {
    let mut peru = peru_in(&world, &["r"]).await;
    let mut gone = mentee("b");
    gone.consents[0].withdraw_time = Some("2027-01-05T00:00:00Z".parse().expect("a moment"));
    let mut other_role = mentee("c");
    other_role.mentor_offer = mentor("c", 1).mentor_offer;
    peru.import(vec![gone, other_role]).await;
    let states: Vec<_> = peru.enrolments("rounds/r").await.iter().map(v1::Enrolment::state).collect();
    assert_eq!(states, [v1::EnrolmentState::Live, v1::EnrolmentState::Withdrawn, v1::EnrolmentState::Live]);
    let request = v1::GetRoundRequest { name: "rounds/r".to_owned() };
    let round = world.coordinator().rounds.get_round(request).await.expect("reads").into_inner().round;
    let counts = round.and_then(|round| round.enrolment).expect("counts");
    assert_eq!((counts.profiles, counts.mentors, counts.mentees), (2, 2, 1));
    world.stop().await;
}

async fn identity_answers_leave_with_their_consent(world: World) {
    let mut peru = world.manager("wim-peru").await;
    let mut draft = mentee("b");
    draft.consents.push(wim_match::domain::profile::ConsentDraft { purpose: 2, ..draft.consents[0].clone() });
    let shares = vec!["parent".to_owned()];
    draft.identity = Some(wim_match::domain::profile::IdentityDraft { shares, wishes: Vec::new() });
    peru.import(vec![draft]).await;
    let round = world.open_round("r").await.name;
    peru.enrol_all(&round).await;
    let given = live(&peru.client, &peru.member("b"), v1::ConsentPurpose::Identity).await;
    let done =
        peru.client.privacy.withdraw_consent(withdraw(&given.name)).await.expect("withdraws").into_inner();
    assert_eq!(done.withdrawn_enrolments, 0, "she takes part without these answers");
    let request = v1::GetProfileRequest { name: peru.member("b") };
    let profile = peru.client.profiles.get_profile(request).await.expect("reads").into_inner().profile;
    assert_eq!(profile.expect("a profile").identity, None);
    world.stop().await;
}

async fn a_withdrawal_is_checked_and_nothing_happens(world: World) {
    let peru = peru_in(&world, &["r"]).await;
    let mut client = peru.client.privacy.clone();
    let given = live(&peru.client, &peru.member("b"), v1::ConsentPurpose::Matching).await;
    let check =
        |request: v1::WithdrawConsentRequest| v1::WithdrawConsentRequest { validate_only: true, ..request };
    let told = client.withdraw_consent(check(withdraw(&given.name))).await.expect("checks").into_inner();
    assert_eq!(live(&peru.client, &peru.member("b"), v1::ConsentPurpose::Matching).await, given);
    let wrong = v1::WithdrawConsentRequest {
        withdraw_time: Some(at("2028-01-01T00:00:00Z")),
        request_id: "42".to_owned(),
        ..withdraw("organisations/wim-peru/profiles/b")
    };
    let fields = client.withdraw_consent(check(wrong.clone())).await.expect("checks").into_inner().violations;
    let fields: Vec<String> = fields.into_iter().map(|violation| violation.field).collect();
    assert_eq!(fields, ["name", "withdraw_time", "request_id"]);
    assert_eq!(wrong_fields(client.withdraw_consent(wrong).await), fields);
    let early = v1::WithdrawConsentRequest {
        withdraw_time: Some(at("2020-01-01T00:00:00Z")),
        ..withdraw(&given.name)
    };
    assert_eq!(wrong_fields(client.withdraw_consent(early).await), ["withdraw_time"]);
    let nobody = given.name.replace("/b/", "/nobody/");
    for missing in [nobody, format!("{}/consents/matching-000000000000", peru.member("b"))] {
        assert_eq!(refused(client.withdraw_consent(check(withdraw(&missing))).await), "NOT_FOUND");
        assert_eq!(refused(client.withdraw_consent(withdraw(&missing)).await), "NOT_FOUND");
    }
    let done = client.withdraw_consent(withdraw(&given.name)).await.expect("withdraws").into_inner();
    assert_eq!(told, done, "the check answers what the call answers");
    world.stop().await;
}

async fn a_restricted_person_is_kept_and_not_matched(world: World) {
    let mut peru = peru_in(&world, &["r"]).await;
    let run = soon(world.run_to_the_end("rounds/r")).await;
    let restrict = v1::RestrictProfileRequest {
        name: peru.member("b"),
        reason: v1::RestrictionReason::AccuracyContested.into(),
        ..Default::default()
    };
    let mut client = peru.client.privacy.clone();
    let unknown = v1::RestrictProfileRequest { reason: 9, ..restrict.clone() };
    assert_eq!(wrong_fields(client.restrict_profile(unknown).await), ["reason"]);
    let check = v1::RestrictProfileRequest { validate_only: true, ..restrict.clone() };
    let told = client.restrict_profile(check).await.expect("checks").into_inner();
    let done = client.restrict_profile(restrict.clone()).await.expect("restricts").into_inner();
    assert_eq!(told, done, "the check answers what the call answers");
    assert_eq!(done.withdrawn_enrolments, 1);
    let (secretariat, _) = world.caller(&["secretariat"]).await;
    let other = v1::RestrictProfileRequest { reason: v1::RestrictionReason::LegalClaim.into(), ..restrict };
    let again = secretariat.privacy.clone().restrict_profile(other).await.expect("stays").into_inner();
    assert_eq!((again.restriction.clone(), again.withdrawn_enrolments), (done.restriction, 0));

    // She is shown to her organisation, an import changes nothing about it, and nobody enrols her.
    assert_eq!(stale(&world.coordinator(), &run.name).await, [Enrolments]);
    let mut changed = mentee("b");
    "Mina Sur".clone_into(&mut changed.employer);
    peru.import(vec![changed]).await;
    let request = v1::ListProfilesRequest { parent: peru.name(), ..Default::default() };
    let listed = peru.client.profiles.list_profiles(request).await.expect("lists").into_inner().profiles;
    let restricted: Vec<bool> = listed.iter().map(|profile| profile.restriction.is_some()).collect();
    assert_eq!(restricted, [false, true, false]);
    assert_eq!(listed[1].restriction, again.restriction);
    let refusals = peru.enrol_all("rounds/r").await.refused;
    assert_eq!(refusals[0].reason(), v1::RefusedEnrolmentReason::Restricted);

    let lift = v1::LiftRestrictionRequest { name: peru.member("b"), ..Default::default() };
    let check = v1::LiftRestrictionRequest { validate_only: true, ..lift.clone() };
    let told = client.lift_restriction(check).await.expect("checks").into_inner();
    let done = client.lift_restriction(lift.clone()).await.expect("lifts").into_inner();
    assert_eq!(told, done);
    assert!(done.restriction.as_ref().expect("a restriction").lifted.is_some());
    let again = client.lift_restriction(lift).await.expect("stays").into_inner();
    assert_eq!(again, done);
    assert_eq!(peru.enrol("rounds/r", &["b"]).await.enrolled, 1);

    // What was lifted stays on record: in the list of her organisation, and in what she gets of her own data.
    for id in ["b", "c"] {
        let reason = v1::RestrictionReason::LegalClaim.into();
        let restrict = v1::RestrictProfileRequest { name: peru.member(id), reason, ..Default::default() };
        client.restrict_profile(restrict).await.expect("restricts");
    }
    let mut listed = Vec::new();
    let mut request = v1::ListRestrictionsRequest { parent: peru.name(), page_size: 1, ..Default::default() };
    loop {
        let page = client.list_restrictions(request.clone()).await.expect("lists").into_inner();
        listed.extend(page.restrictions);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let told: Vec<_> = listed.iter().map(|one| (one.profile.clone(), one.lifted.is_some())).collect();
    assert_eq!(told, [(peru.member("b"), true), (peru.member("b"), false), (peru.member("c"), false)]);
    assert_eq!(Some(&listed[0]), done.restriction.as_ref());
    let request = v1::ExportPersonalDataRequest { name: peru.member("b"), ..Default::default() };
    let data = client.export_personal_data(request).await.expect("exports").into_inner().data;
    assert_eq!(data.expect("data").restrictions, listed[..2]);
    world.stop().await;
}

async fn each_change_makes_a_result_stale_for_those_whom_it_concerns(world: World) {
    let mut peru = peru_in(&world, &["r"]).await;
    let mut kenya = world.manager("wim-kenya").await;
    kenya.import(vec![mentor("a", 2), mentee("b")]).await;
    kenya.enrol_all("rounds/r").await;
    let run = soon(world.run_to_the_end("rounds/r")).await.name;
    let told = async |peru: &Manager, kenya: &Manager| {
        let (all, own) = (stale(&world.coordinator(), &run).await, stale(&peru.client, &run).await);
        (all, own, stale(&kenya.client, &run).await)
    };
    assert_eq!(told(&peru, &kenya).await, (vec![], vec![], vec![]));

    // The same file, and a person who does not take part, change nothing.
    peru.import(vec![mentor("a", 2), mentee("later")]).await;
    assert_eq!(told(&peru, &kenya).await, (vec![], vec![], vec![]));
    // A private answer of one of hers may change who is matched.
    let mut avoiding = mentee("b");
    avoiding.avoided = vec!["organisations/wim-kenya/profiles/a".to_owned()];
    peru.import(vec![avoiding]).await;
    assert_eq!(told(&peru, &kenya).await, (vec![Profiles], vec![Profiles], vec![]));
    let rules = v1::OrganisationRules { same_organisation_only: true, ..Default::default() };
    let request =
        v1::UpdateOrganisationRulesRequest { name: kenya.name(), rules: Some(rules), ..Default::default() };
    kenya.client.organisations.update_organisation_rules(request).await.expect("updates");
    assert_eq!(told(&peru, &kenya).await, (vec![Profiles, Rules], vec![Profiles], vec![Rules]));
    kenya.enrol("rounds/r", &["a"]).await;
    assert_eq!(told(&peru, &kenya).await.0, [Profiles, Rules], "she was enrolled already");
    peru.enrol("rounds/r", &["later"]).await;
    let expected = (vec![Enrolments, Profiles, Rules], vec![Enrolments, Profiles], vec![Rules]);
    assert_eq!(told(&peru, &kenya).await, expected);
    let request = v1::CreatePolicyRequest {
        parent: "rounds/r".to_owned(),
        policy: Some(v1::Policy::default()),
        ..Default::default()
    };
    world.coordinator().rounds.create_policy(request).await.expect("has a new policy");
    let round =
        v1::Round { name: "rounds/r".to_owned(), end_date: "2027-08-31".to_owned(), ..v1::Round::default() };
    let request = v1::UpdateRoundRequest {
        round: Some(round),
        update_mask: Some(prost_types::FieldMask { paths: vec!["end_date".to_owned()] }),
        ..Default::default()
    };
    world.coordinator().rounds.update_round(request).await.expect("has a new end");
    let expected = (
        vec![Enrolments, Profiles, Policy, Rules, Dates],
        vec![Enrolments, Profiles, Policy, Dates],
        vec![Policy, Rules, Dates],
    );
    assert_eq!(told(&peru, &kenya).await, expected);
    world.stop().await;
}
