//! API tokens.

use wim_match::domain::caller::Role;
use wim_match::error::Error;
use wim_match::store::{NewToken, Notes, Scope};

use super::fixture::{Fixture, at, only};
use super::on_both_databases;

on_both_databases! {
    a_token_is_found_by_its_hash,
    a_revoked_token_opens_nothing,
    tokens_are_found_by_id_and_by_first_characters,
    a_token_of_an_absent_organisation_is_refused,
    tokens_are_listed_without_their_hashes,
}

fn token(id: &str, role: Role) -> NewToken {
    NewToken {
        id: id.to_owned(),
        secret_hash: format!("hash-of-{id}"),
        prefix: format!("wim_{id}"),
        role,
        label: "a laptop".to_owned(),
    }
}

async fn create(f: &Fixture, tokens: &[NewToken]) {
    let mut session = f.write().await;
    let mut notes = Vec::new();
    for token in tokens {
        notes.push(session.create_token(token).await.expect("is stored").1);
    }
    session.commit(Notes::of(notes).expect("notes"), b"").await.expect("commits");
}

async fn a_token_is_found_by_its_hash(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    assert_eq!(f.store.count_tokens(&Scope::System).await.expect("counts"), 0);
    let mut session = f.write().await;
    let (kept, note) = session.create_token(&token("t-1", Role::Coordinator)).await.expect("is stored");
    let managers = token("t-2", Role::OrganisationManager(peru.clone()));
    let (_, second) = session.create_token(&managers).await.expect("is stored");
    let taken = session.create_token(&token("t-1", Role::Coordinator)).await;
    assert!(matches!(taken, Err(Error::AlreadyExists(_))));
    session.commit(Notes::of([note, second]).expect("two notes"), b"").await.expect("commits");
    assert_eq!((kept.create_time, kept.revoke_time), (at(0), None));
    let caller = f.store.authenticate(&Scope::System, "hash-of-t-2").await.expect("asks").expect("is known");
    assert_eq!((caller.token_id.as_str(), caller.role), ("t-2", Role::OrganisationManager(peru)));
    let caller = f.store.authenticate(&Scope::System, "hash-of-t-1").await.expect("asks").expect("is known");
    assert_eq!(caller.role, Role::Coordinator);
    assert_eq!(f.store.authenticate(&Scope::System, "hash-of-t-3").await.expect("asks"), None);
    assert_eq!(f.store.count_tokens(&Scope::System).await.expect("counts"), 2);
}

async fn a_revoked_token_opens_nothing(f: Fixture) {
    create(&f, &[token("t-1", Role::Coordinator)]).await;
    let mut session = f.write().await;
    assert_eq!(session.count_coordinator_tokens().await.expect("counts"), 1);
    let mut found = session.find_tokens("t-1").await.expect("reads");
    let note = session.revoke_token(&mut found[0]).await.expect("revokes").expect("a note");
    assert_eq!((found[0].revoke_time, found[0].is_live()), (Some(at(0)), false));
    assert_eq!(session.count_coordinator_tokens().await.expect("counts"), 0);
    session.commit(note, b"").await.expect("commits");
    assert_eq!(f.store.authenticate(&Scope::System, "hash-of-t-1").await.expect("asks"), None);
    assert_eq!(f.store.count_tokens(&Scope::System).await.expect("counts"), 1, "revoked tokens count");
    let mut session = f.write_at(at(9), Scope::Alliance).await;
    assert_eq!(session.revoke_token(&mut found[0]).await.expect("asks"), None, "once is enough");
    assert_eq!(session.find_tokens("t-1").await.expect("reads"), found, "the first revocation stays");
    assert_eq!(session.find_whole_token("hash-of-t-1").await.expect("reads"), found);
    assert_eq!(session.find_whole_token("hash-of-t-9").await.expect("reads"), []);
    drop(session);
    let lines = f.journal(&Scope::Alliance).await;
    assert_eq!(lines.iter().filter(|line| line.action == "api_token.revoke").count(), 1);
}

async fn tokens_are_found_by_id_and_by_first_characters(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let managers = token("t-21", Role::OrganisationManager(peru.clone()));
    create(&f, &[token("t-1", Role::Coordinator), managers, token("t-22", Role::Coordinator)]).await;
    let found = async |scope: Scope, selector: &str| {
        let mut session = f.write_at(at(0), scope).await;
        let found = session.find_tokens(selector).await.expect("reads");
        found.into_iter().map(|token| token.id).collect::<Vec<_>>()
    };
    assert_eq!(found(Scope::System, "t-1").await, ["t-1"]);
    assert_eq!(found(Scope::System, "wim_t-2").await, ["t-21", "t-22"]);
    assert_eq!(found(Scope::System, "wim_t-22").await, ["t-22"]);
    for none in ["t-2", "wim_t-222", "im_t", "%", "wim\\_t-2", "_"] {
        assert_eq!(found(Scope::System, none).await, [""; 0], "{none}");
    }
    assert_eq!(found(only(&peru), "wim_t-2").await, ["t-21"], "the others do not exist for an organisation");
    let listed = f.store.list_tokens(&only(&peru), "", 10).await.expect("lists");
    assert_eq!(listed.iter().map(|token| token.id.as_str()).collect::<Vec<_>>(), ["t-21"]);
}

async fn a_token_of_an_absent_organisation_is_refused(f: Fixture) {
    let mut session = f.write().await;
    let role = Role::OrganisationManager("wim-chad".parse().expect("an id"));
    assert!(matches!(session.create_token(&token("t-1", role)).await, Err(Error::NotFound(_))));
}

async fn tokens_are_listed_without_their_hashes(f: Fixture) {
    create(&f, &["t-1", "t-2", "t-3"].map(|id| token(id, Role::Coordinator))).await;
    let page = f.store.list_tokens(&Scope::System, "t-1", 2).await.expect("lists");
    assert_eq!(page.iter().map(|token| token.id.as_str()).collect::<Vec<_>>(), ["t-2", "t-3"]);
    assert!(!format!("{page:?}").contains("hash"));
}
