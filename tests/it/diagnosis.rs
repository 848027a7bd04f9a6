//! The diagnosis of a round before it is run: what it names, that nothing is stored, that no private answer shows, and that a
//! dry run gives the numbers of the run.

use wim_match::api::proto::v1;
use wim_match::domain::profile::ProfileDraft;

use crate::refusal::{refused, wrong_fields};
use crate::world::{Manager, World, mentee, mentor, on_both_databases, soon};

on_both_databases! {
    a_diagnosis_names_who_lacks_whom_and_stores_nothing,
    a_private_answer_changes_no_byte_of_a_diagnosis,
    a_dry_run_has_the_numbers_of_the_run_and_another_policy_has_its_own,
    a_misspelt_id_in_a_private_list_is_for_her_own_manager_alone,
}

/// Somebody who speaks one language natively.
fn speaking(mut draft: ProfileDraft, tag: &str) -> ProfileDraft {
    draft.languages.truncate(1);
    for (language, _) in &mut draft.languages {
        tag.clone_into(language);
    }
    draft
}

/// Three mentees of one language for one place, one mentee of another language for none, and a place that is left.
async fn round(world: &World) -> (Manager, String) {
    let mut manager = world.manager("wim-peru").await;
    let mut people = vec![speaking(mentor("gives-one", 1), "es"), speaking(mentor("gives-two", 2), "fr")];
    people.extend(["a", "b", "c"].map(|id| speaking(mentee(id), "es")));
    people.push(speaking(mentee("alone"), "ru"));
    people.push(speaking(mentee("lucky"), "fr"));
    manager.import(people).await;
    let round = world.open_round("r").await.name;
    manager.enrol_all(&round).await;
    (manager, round)
}

async fn diagnose(world: &World, request: v1::DiagnoseRoundRequest) -> v1::DiagnoseRoundResponse {
    let diagnosed = soon(world.coordinator().rounds.diagnose_round(request)).await;
    diagnosed.expect("is diagnosed").into_inner()
}

fn of(name: &str) -> v1::DiagnoseRoundRequest {
    v1::DiagnoseRoundRequest { name: name.to_owned(), ..v1::DiagnoseRoundRequest::default() }
}

async fn a_diagnosis_names_who_lacks_whom_and_stores_nothing(world: World) {
    let (manager, round) = round(&world).await;
    let before = world.dump().await;
    let answer = diagnose(&world, of(&round)).await;
    assert_eq!(world.dump().await, before, "nothing is stored");
    assert_eq!(answer.dry_run, None);
    let found = answer.diagnosis.expect("a diagnosis");
    let numbers =
        (found.mentees, found.mentors_wanted, found.mentors, found.places, found.most_matched_mentees);
    assert_eq!(numbers, (5, 5, 2, 3, 2));

    let names = |ids: &[&str]| ids.iter().map(|id| manager.member(id)).collect::<Vec<_>>();
    let [group] = &found.shortages[..] else { panic!("one group: {found:?}") };
    assert_eq!((&group.mentees, &group.mentors), (&names(&["a", "b", "c"]), &names(&["gives-one"])));
    assert_eq!((group.places, found.shortages_count), (1, 1));

    let without: Vec<(&str, v1::UnmatchedReason)> =
        found.unmatched.iter().map(|one| (one.profile.as_str(), one.reason())).collect();
    let alone = manager.member("alone");
    assert!(without.contains(&(alone.as_str(), v1::UnmatchedReason::NoCandidate)), "{without:?}");
    let outcompeted = without.iter().filter(|(_, reason)| *reason == v1::UnmatchedReason::Outcompeted);
    assert_eq!(outcompeted.count(), 2, "{without:?}");

    let scarce: Vec<(v1::SupplyKind, &str, &str, i64, i64)> = (found.scarce.iter())
        .filter(|one| one.kind() == v1::SupplyKind::Language)
        .map(|one| (one.kind(), one.code.as_str(), one.label.as_str(), one.mentees, one.places))
        .collect();
    let language = v1::SupplyKind::Language;
    assert_eq!(scarce, [(language, "es", "Spanish", 3, 1), (language, "ru", "Russian", 1, 0)]);

    let advised: Vec<&Vec<String>> = found.recruits.iter().map(|one| &one.mentees).collect();
    assert!(advised.contains(&&names(&["alone"])), "{:?}", found.recruits);
    assert!(found.recruits.iter().any(|one| one.mentor.as_ref().expect("a text").text.contains("Russian")));

    let own = found.balances.iter().find(|one| one.code == manager.name()).expect("the organisation");
    assert_eq!((own.mentees, own.mentors_wanted, own.mentors, own.places), (5, 5, 2, 3));
    assert!(found.missing_answers.iter().all(|one| !one.field.is_empty() && one.mentees + one.mentors > 0));

    let member = world.caller(&["committee-member"]).await.0;
    assert_eq!(refused(member.rounds.clone().diagnose_round(of(&round)).await), "PERMISSION_DENIED");
    assert_eq!(refused(world.coordinator().rounds.diagnose_round(of("rounds/none")).await), "NOT_FOUND");
    let bad = v1::DiagnoseRoundRequest {
        policy: Some(v1::Policy { objective: 9, ..v1::Policy::default() }),
        ..of(&round)
    };
    let wrong = wrong_fields(world.coordinator().rounds.diagnose_round(bad).await);
    assert_eq!(wrong, ["policy.objective"]);
    world.stop().await;
}

async fn a_private_answer_changes_no_byte_of_a_diagnosis(world: World) {
    let (mut manager, round) = round(&world).await;
    let before = diagnose(&world, of(&round)).await;
    let mut avoiding = speaking(mentee("lucky"), "fr");
    avoiding.avoided = vec![manager.member("gives-two")];
    let stored = manager.import(vec![avoiding]).await;
    assert_eq!(stored.updated, 1);
    assert_eq!(diagnose(&world, of(&round)).await, before);
    world.stop().await;
}

async fn a_dry_run_has_the_numbers_of_the_run_and_another_policy_has_its_own(world: World) {
    let (_, round) = round(&world).await;
    let timeless = |summary: Option<v1::RunSummary>| {
        let mut summary = summary.expect("numbers");
        summary.whole_round.as_mut().expect("for coordinators").stage_times.clear();
        summary
    };
    let dry = diagnose(&world, v1::DiagnoseRoundRequest { dry_run: true, ..of(&round) }).await;
    let run = soon(world.run_to_the_end(&round)).await;
    assert_eq!(timeless(dry.dry_run), timeless(run.summary));
    let strict = v1::Policy {
        hard_rules: Some(v1::HardRules { min_score: 10_000, ..v1::HardRules::default() }),
        ..v1::Policy::default()
    };
    let tried =
        diagnose(&world, v1::DiagnoseRoundRequest { dry_run: true, policy: Some(strict), ..of(&round) })
            .await;
    assert_eq!(tried.dry_run.expect("numbers").matches, 0);
    assert_eq!(tried.diagnosis.expect("a diagnosis").most_matched_mentees, 0);
    world.stop().await;
}

async fn a_misspelt_id_in_a_private_list_is_for_her_own_manager_alone(world: World) {
    let (mut peru, round) = round(&world).await;
    let mut kenya = world.manager("wim-kenya").await;
    let foreign = vec![kenya.member("nobody"), peru.member("lucky")];
    peru.import(vec![ProfileDraft { avoided: foreign, ..speaking(mentee("a"), "es") }]).await;
    kenya.import(vec![mentee("quiet")]).await;
    kenya.enrol_all(&round).await;
    let told = async |manager: &Manager| {
        let answer = manager.client.rounds.clone().diagnose_round(of(&round)).await.expect("is diagnosed");
        let answer = answer.into_inner();
        assert_eq!((answer.diagnosis, answer.dry_run), (None, None), "a manager reads nothing else");
        answer.warnings
    };
    assert_eq!(told(&peru).await, [], "an id of another organisation is its own affair");
    let before = diagnose(&world, of(&round)).await;
    peru.import(vec![ProfileDraft {
        avoided: vec![peru.member("lukcy")],
        previous_partners: vec![peru.member("lucky"), peru.member("noone")],
        ..speaking(mentee("a"), "es")
    }])
    .await;
    let warnings = told(&peru).await;
    let seen: Vec<_> = warnings.iter().map(|one| (one.field.as_str(), one.value.as_str())).collect();
    assert_eq!(seen, [("avoided", "lukcy"), ("previous_partners", "noone")]);
    assert!(warnings.iter().all(|one| one.profile == peru.member("a") && !one.description.is_empty()));
    assert_eq!(told(&kenya).await, []);
    let after = diagnose(&world, of(&round)).await;
    assert_eq!((&after, after.warnings.len()), (&before, 0), "a coordinator reads none of them");
    for (request, field) in [
        (v1::DiagnoseRoundRequest { dry_run: true, ..of(&round) }, "dry_run"),
        (v1::DiagnoseRoundRequest { policy: Some(v1::Policy::default()), ..of(&round) }, "policy"),
    ] {
        assert_eq!(wrong_fields(peru.client.rounds.clone().diagnose_round(request).await), [field]);
    }
    world.stop().await;
}
