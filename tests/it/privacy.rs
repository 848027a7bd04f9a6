//! The rights of people: consents are recorded, listed and withdrawn, over gRPC and on both databases.

use wim_match::api::proto::v1;
use wim_match::client::{Client, request_id};

use crate::call::privacy::{consents, matching, old_consent, record};
use crate::refusal::{refused, wrong_fields};
use crate::world::{Manager, World, member, mentee, mentor, on_both_databases};

on_both_databases! {
    a_consent_is_recorded_once_with_who_recorded_it,
    a_second_live_consent_replaces_the_first_only_if_the_caller_says_so,
    a_consent_is_checked_and_not_recorded,
    consents_are_walked_page_by_page,
}

async fn profile(peru: &Manager, id: &str) -> v1::Profile {
    let request = v1::GetProfileRequest { name: peru.member(id) };
    let answer = peru.client.profiles.clone().get_profile(request).await.expect("reads");
    answer.into_inner().profile.expect("a profile")
}

async fn principal(client: &Client) -> String {
    let answer = client.admin.clone().who_am_i(v1::WhoAmIRequest {}).await.expect("is known");
    answer.into_inner().principal.expect("a principal").name
}

async fn a_consent_is_recorded_once_with_who_recorded_it(world: World) {
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentee("b"), member("c")]).await;
    let (service, _) = world.caller(&["service@wim-peru"]).await;
    let id = request_id();
    let request =
        v1::RecordConsentRequest { request_id: id.clone(), ..record(peru.member("b"), old_consent()) };
    let first =
        service.privacy.clone().record_consent(request.clone()).await.expect("is recorded").into_inner();
    let again = service.privacy.clone().record_consent(request.clone()).await.expect("again").into_inner();
    assert_eq!(first, again);
    let given = first.consent.expect("a consent");
    assert!(given.name.starts_with(&format!("{}/consents/statistics-", peru.member("b"))), "{}", given.name);
    assert_eq!(given.state(), v1::ConsentState::Live);
    assert_eq!(given.given.as_ref().expect("a record").recorder, principal(&service).await);
    let version = profile(&peru, "b").await.version;
    assert_eq!(version, 2);

    // What is on record already stays as it is, whoever says it again.
    let same = peru.client.privacy.clone().record_consent(record(peru.member("b"), old_consent())).await;
    assert_eq!(same.expect("is on record").into_inner().consent.expect("a consent"), given);
    assert_eq!(profile(&peru, "b").await.version, version);
    let other = v1::RecordConsentRequest { request_id: id, ..record(peru.member("c"), old_consent()) };
    assert_eq!(refused(service.privacy.clone().record_consent(other).await), "REQUEST_ID_REUSED");

    // The import of the consent to matching is on record too, with its own manager.
    let (secretariat, _) = world.caller(&["secretariat"]).await;
    for client in [&peru.client, &service, &secretariat] {
        let listed = consents(client, &peru.member("b")).await;
        assert_eq!(listed.len(), 2);
        assert_eq!(listed[0].purpose(), v1::ConsentPurpose::Matching);
        assert_eq!(listed[0].given.as_ref().expect("a record").recorder, principal(&peru.client).await);
        assert_eq!(listed[1], given);
    }
    let stale = v1::RecordConsentRequest {
        etag: "\"1\"".to_owned(),
        ..record(peru.member("b"), matching("2027-01-02T00:00:00Z"))
    };
    assert_eq!(refused(peru.client.privacy.clone().record_consent(stale).await), "ETAG_MISMATCH");

    // An import of the same rows keeps what was recorded.
    let summary = peru.import(vec![mentee("b"), member("c")]).await;
    assert_eq!((summary.consents_kept, summary.updated), (1, 0));
    assert_eq!(consents(&peru.client, &peru.member("b")).await.len(), 2);
    world.stop().await;
}

async fn a_second_live_consent_replaces_the_first_only_if_the_caller_says_so(world: World) {
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentee("b")]).await;
    let mut client = peru.client.privacy.clone();
    let second = record(peru.member("b"), matching("2027-01-02T00:00:00Z"));
    assert_eq!(wrong_fields(client.record_consent(second.clone()).await), ["consent.purpose"]);
    let future = record(peru.member("b"), matching("2027-02-02T00:00:00Z"));
    assert_eq!(wrong_fields(client.record_consent(future).await), ["consent.give_time"]);
    let older = v1::RecordConsentRequest {
        replaces_live: true,
        ..record(peru.member("b"), matching("2026-01-02T00:00:00Z"))
    };
    assert_eq!(wrong_fields(client.record_consent(older).await), ["consent.give_time"]);
    assert_eq!(profile(&peru, "b").await.version, 1, "nothing was stored");
    let newer = v1::RecordConsentRequest { replaces_live: true, ..second };
    client.record_consent(newer).await.expect("is recorded");
    let states: Vec<_> =
        consents(&peru.client, &peru.member("b")).await.iter().map(v1::Consent::state).collect();
    assert_eq!(states, [v1::ConsentState::Replaced, v1::ConsentState::Live]);

    // A row that says two live consents of one moment is refused, and nothing of it is stored.
    let mut draft = mentor("a", 1);
    let twin = wim_match::domain::profile::ConsentDraft {
        text_version: "another".to_owned(),
        ..draft.consents[0].clone()
    };
    draft.consents.push(twin);
    let rows = crate::world::import_of(&peru.organisation, vec![draft]);
    let refused = crate::world::send(&mut peru.client, rows).await.expect("answers").rejected;
    assert_eq!(refused[0].violations[0].field, "consents");
    world.stop().await;
}

async fn a_consent_is_checked_and_not_recorded(world: World) {
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentee("b")]).await;
    let mut client = peru.client.privacy.clone();
    let check =
        |request: v1::RecordConsentRequest| v1::RecordConsentRequest { validate_only: true, ..request };
    let good = record(peru.member("b"), old_consent());
    let told = client.record_consent(check(good.clone())).await.expect("checks").into_inner();
    assert_eq!(told.violations, []);
    assert_eq!(consents(&peru.client, &peru.member("b")).await.len(), 1, "nothing was recorded");
    let done = client.record_consent(good.clone()).await.expect("records").into_inner();
    assert_eq!(told.consent, done.consent, "the check answers what the call answers");
    let again = client.record_consent(check(good)).await.expect("checks").into_inner();
    assert_eq!(again.consent, done.consent);

    let wrong = v1::Consent { text_version: "no".to_owned(), give_time: None, ..old_consent() };
    let wrong =
        v1::RecordConsentRequest { request_id: "42".to_owned(), ..record("profiles/b".to_owned(), wrong) };
    let told = client.record_consent(check(wrong.clone())).await.expect("checks").into_inner().violations;
    let told: Vec<String> = told.into_iter().map(|violation| violation.field).collect();
    assert_eq!(told, ["parent", "consent.text_version", "consent.give_time", "request_id"]);
    assert_eq!(wrong_fields(client.record_consent(wrong).await), told);
    for missing in [peru.member("nobody"), "organisations/wim-kenya/profiles/b".to_owned()] {
        let checked = refused(client.record_consent(check(record(missing.clone(), old_consent()))).await);
        assert_eq!(checked, "NOT_FOUND");
        assert_eq!(refused(client.record_consent(record(missing, old_consent())).await), "NOT_FOUND");
    }
    world.stop().await;
}

async fn consents_are_walked_page_by_page(world: World) {
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentee("b")]).await;
    for day in 1..6 {
        let newer = v1::RecordConsentRequest {
            replaces_live: true,
            ..record(peru.member("b"), matching(&format!("2027-01-0{day}T00:00:00Z")))
        };
        peru.client.privacy.record_consent(newer).await.expect("is recorded");
    }
    let all = consents(&peru.client, &peru.member("b")).await;
    assert_eq!(all.len(), 6);
    let (mut seen, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListConsentsRequest { parent: peru.member("b"), page_size: 4, page_token };
        let page = peru.client.privacy.list_consents(request).await.expect("lists").into_inner();
        seen.extend(page.consents);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, all);
    world.stop().await;
}
