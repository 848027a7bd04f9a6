//! API tokens.

use wim_match::domain::caller::Role;
use wim_match::error::Error;
use wim_match::store::NewToken;

use super::fixture::{Fixture, at};
use super::on_both_databases;

on_both_databases! {
    a_token_is_found_by_its_hash,
    a_revoked_token_opens_nothing,
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

async fn a_token_is_found_by_its_hash(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    assert_eq!(f.store.count_tokens().await.expect("counts"), 0);
    let mut session = f.write().await;
    let kept = session.create_token(&token("t-1", Role::Coordinator)).await.expect("is kept");
    session.create_token(&token("t-2", Role::OrganisationManager(peru.clone()))).await.expect("is kept");
    let taken = session.create_token(&token("t-1", Role::Coordinator)).await;
    assert!(matches!(taken, Err(Error::AlreadyExists(_))));
    session.commit(b"").await.expect("commits");
    assert_eq!((kept.create_time, kept.revoke_time), (at(0), None));
    let caller = f.store.authenticate("hash-of-t-2").await.expect("asks").expect("is known");
    assert_eq!((caller.token_id.as_str(), caller.role), ("t-2", Role::OrganisationManager(peru)));
    let caller = f.store.authenticate("hash-of-t-1").await.expect("asks").expect("is known");
    assert_eq!(caller.role, Role::Coordinator);
    assert_eq!(f.store.authenticate("hash-of-t-3").await.expect("asks"), None);
    assert_eq!(f.store.count_tokens().await.expect("counts"), 2);
}

async fn a_revoked_token_opens_nothing(f: Fixture) {
    let mut session = f.write().await;
    session.create_token(&token("t-1", Role::Coordinator)).await.expect("is kept");
    session.commit(b"").await.expect("commits");
    for _ in 0..2 {
        let mut session = f.write().await;
        let revoked = session.revoke_token("t-1").await.expect("is revoked, also again");
        assert_eq!(revoked.revoke_time, Some(at(0)));
        session.commit(b"").await.expect("commits");
    }
    assert_eq!(f.store.authenticate("hash-of-t-1").await.expect("asks"), None);
    assert_eq!(f.store.count_tokens().await.expect("counts"), 0);
    let mut session = f.write().await;
    assert!(matches!(session.revoke_token("t-9").await, Err(Error::NotFound(_))));
    drop(session);
    let lines = f.store.list_journal(0, 10).await.expect("lists");
    assert_eq!(lines.iter().filter(|line| line.action == "api_token.revoke").count(), 1);
}

async fn a_token_of_an_absent_organisation_is_refused(f: Fixture) {
    let mut session = f.write().await;
    let role = Role::OrganisationManager("wim-chad".parse().expect("an id"));
    assert!(matches!(session.create_token(&token("t-1", role)).await, Err(Error::NotFound(_))));
}

async fn tokens_are_listed_without_their_hashes(f: Fixture) {
    let mut session = f.write().await;
    for id in ["t-1", "t-2", "t-3"] {
        session.create_token(&token(id, Role::Coordinator)).await.expect("is kept");
    }
    session.commit(b"").await.expect("commits");
    let page = f.store.list_tokens("t-1", 2).await.expect("lists");
    assert_eq!(page.iter().map(|token| token.id.as_str()).collect::<Vec<_>>(), ["t-2", "t-3"]);
    assert!(!format!("{page:?}").contains("hash"));
}
