//! What an auditor asks for: the notice, the record of processing activities, whom a breach affects, and the agreement of a
//! round, over gRPC and on both databases.

use std::time::Duration;

use wim_match::api::proto::v1;
use wim_match::client::Client;

use crate::call::privacy::at;
use crate::refusal::wrong_fields;
use crate::world::{World, mentee, mentor, on_both_databases};

on_both_databases! {
    a_notice_explains_a_policy_in_four_languages,
    a_breach_of_a_time_affects_those_whose_data_was_stored_then,
    the_record_of_processing_names_controller_people_and_rounds,
}

async fn name_agreement(world: &World, round: &str, agreement: &str) -> Result<v1::Round, tonic::Status> {
    let round = v1::Round { name: round.to_owned(), agreement: agreement.to_owned(), ..Default::default() };
    let request = v1::UpdateRoundRequest {
        round: Some(round),
        update_mask: Some(prost_types::FieldMask { paths: vec!["agreement".to_owned()] }),
        ..Default::default()
    };
    let changed = world.coordinator().rounds.update_round(request).await?.into_inner();
    Ok(changed.round.expect("a round"))
}

async fn a_notice_explains_a_policy_in_four_languages(world: World) {
    let round = world.open_round("r").await.name;
    let (secretariat, _) = world.caller(&["secretariat"]).await;
    assert_eq!(
        name_agreement(&world, &round, " 2027/4 of 3 May 2026 ").await.expect("changes").agreement,
        "2027/4 of 3 May 2026"
    );
    let long = name_agreement(&world, &round, &"x".repeat(201)).await;
    assert_eq!(wrong_fields(long), ["round.agreement"]);
    let told = async |client: &Client, language_code: &str| {
        let request = v1::GetParticipantNoticeRequest {
            policy: format!("{round}/policies/1"),
            language_code: language_code.to_owned(),
        };
        client.privacy.clone().get_participant_notice(request).await.expect("answers").into_inner()
    };
    let mut texts = Vec::new();
    for (language, word) in [
        ("en", "withdraw your consent"),
        ("fr", "consentement"),
        ("es", "consentimiento"),
        ("pt", "consentimento"),
    ] {
        let notice = told(&world.coordinator(), language).await;
        assert_eq!(notice, told(&secretariat, language).await);
        assert_eq!(notice.language_code, language);
        assert!(notice.text.contains(word) && notice.text.contains("2027/4"), "{}", notice.text);
        texts.push(notice.text);
    }
    texts.dedup();
    assert_eq!(texts.len(), 4);
    world.stop().await;
}

async fn a_breach_of_a_time_affects_those_whose_data_was_stored_then(world: World) {
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 1), mentee("b")]).await;
    world.clock().advance(Duration::from_hours(1));
    let mut changed = mentee("b");
    "Mina Sur".clone_into(&mut changed.employer);
    peru.import(vec![changed, mentee("c")]).await;
    let listed = async |from: Option<&str>, until: Option<&str>, page_size: i32| {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = v1::ListAffectedPeopleRequest {
                parent: peru.name(),
                from_time: from.map(at),
                until_time: until.map(at),
                page_size,
                page_token,
            };
            let page =
                peru.client.privacy.clone().list_affected_people(request).await.expect("lists").into_inner();
            all.extend(page.profiles);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    };
    let people = |ids: &[&str]| ids.iter().map(|id| peru.member(id)).collect::<Vec<_>>();
    for size in [1, 100] {
        assert_eq!(listed(None, None, size).await, people(&["a", "b", "c"]));
        assert_eq!(listed(None, Some("2027-01-10T12:30:00Z"), size).await, people(&["a", "b"]));
        assert_eq!(listed(Some("2027-01-10T12:30:00Z"), None, size).await, people(&["b", "c"]));
    }
    assert_eq!(
        listed(None, Some("2027-01-10T12:00:00Z"), 100).await,
        people(&[]),
        "the end is not part of the time"
    );
    let request = v1::ListAffectedPeopleRequest {
        parent: peru.name(),
        from_time: Some(at("2027-01-10T12:00:00Z")),
        until_time: Some(at("2027-01-10T12:00:00Z")),
        ..Default::default()
    };
    assert_eq!(wrong_fields(peru.client.privacy.list_affected_people(request).await), ["until_time"]);
    world.stop().await;
}

async fn the_record_of_processing_names_controller_people_and_rounds(world: World) {
    let mut peru = world.manager("wim-peru").await;
    let mut without = mentee("c");
    without.consents.clear();
    peru.import(vec![mentor("a", 1), mentee("b"), without]).await;
    let round = world.open_round("r").await.name;
    name_agreement(&world, &round, "2027/4").await.expect("changes");
    peru.enrol_all(&round).await;
    let restrict = v1::RestrictProfileRequest {
        name: peru.member("b"),
        reason: v1::RestrictionReason::Objection.into(),
        ..Default::default()
    };
    peru.client.privacy.restrict_profile(restrict).await.expect("restricts");
    for language in ["en", "fr", "es", "pt"] {
        let request =
            v1::GetProcessingRecordRequest { parent: peru.name(), language_code: language.to_owned() };
        let told = peru.client.privacy.get_processing_record(request).await.expect("answers").into_inner();
        assert_eq!((told.people, told.consenting, told.restricted), (3, 2, 1));
        assert_eq!(told.controller, peru.name());
        assert!(told.text.contains("2027/4") && told.text.contains("rounds/r"), "{}", told.text);
    }
    world.stop().await;
}
