//! Principals, their grants and their credentials.

use wim_match::domain::credential::{Credential, CredentialKind, Shown};
use wim_match::domain::grant::{Grant, Role};
use wim_match::domain::principal::{PrincipalContent, PrincipalKind};
use wim_match::error::Error;
use wim_match::store::{NewCredential, Notes, Scope};

use super::fixture::{Fixture, at, only};
use super::on_both_databases;

on_both_databases! {
    a_credential_is_found_by_its_kind_and_identity,
    a_revoked_credential_opens_nothing,
    tokens_are_found_by_id_and_by_first_characters,
    a_grant_of_an_absent_organisation_is_refused,
    the_database_refuses_a_grant_that_ends_before_it_begins,
    credentials_are_listed_without_their_hashes,
}

fn principal(id: &str) -> PrincipalContent {
    PrincipalContent {
        kind: PrincipalKind::Service,
        handle: format!("handle-{id}").parse().expect("a handle"),
        languages: Vec::new(),
        time_zone: String::new(),
    }
}

fn grant(id: &str, role: Role) -> Grant {
    Grant { id: id.to_owned(), role, from: at(0), until: None, end_time: None }
}

fn token(id: &str, principal: &str) -> NewCredential {
    NewCredential {
        credential: Credential {
            id: id.to_owned(),
            principal: principal.to_owned(),
            shown: Shown::Token { prefix: format!("wim_{id}") },
            label: "a laptop".to_owned(),
            create_time: at(0),
            expire_time: None,
            revoke_time: None,
            use_time: None,
        },
        identity: format!("hash-of-{id}"),
    }
}

/// One principal with a role for each token.
async fn create(f: &Fixture, tokens: &[(&str, Role)]) {
    let mut session = f.write().await;
    let mut notes = Vec::new();
    for (id, role) in tokens {
        let owner = format!("p-{id}");
        notes.push(session.create_principal(&owner, &principal(&owner)).await.expect("is stored").1);
        let grant = grant(&format!("g-{id}"), role.clone());
        notes.push(session.create_grant(&owner, &grant).await.expect("is stored"));
        notes.push(session.create_credential(&token(id, &owner)).await.expect("is stored"));
    }
    session.commit(Notes::of(notes).expect("notes"), b"").await.expect("commits");
}

async fn a_credential_is_found_by_its_kind_and_identity(f: Fixture) {
    let (peru, chile) = (f.organisation("wim-peru").await, f.organisation("wim-chile").await);
    assert_eq!(f.store.count_credentials(&Scope::System).await.expect("counts"), 0);
    create(&f, &[("t-1", Role::Coordinator), ("t-2", Role::OrganisationManager(peru.clone()))]).await;
    let mut session = f.write().await;
    let second = grant("g-3", Role::OrganisationManager(chile.clone()));
    let note = session.create_grant("p-t-2", &second).await.expect("is stored");
    let mut same = token("t-1", "p-t-2");
    "t-9".clone_into(&mut same.credential.id);
    assert!(matches!(session.create_credential(&same).await, Err(Error::AlreadyExists(_))));
    let taken = session.create_principal("p-9", &principal("p-t-1")).await;
    assert!(matches!(taken, Err(Error::AlreadyExists(_))), "a handle belongs to one principal");
    session.commit(note, b"").await.expect("commits");
    let known = async |kind, identity| f.store.authenticate(&Scope::System, kind, identity).await;
    let caller = known(CredentialKind::Token, "hash-of-t-2").await.expect("asks").expect("is known");
    let managed = |id: &str, own| grant(id, Role::OrganisationManager(own));
    assert_eq!((caller.principal.as_str(), caller.expire_time), ("p-t-2", None));
    assert_eq!(caller.grants, [managed("g-3", chile), managed("g-t-2", peru)]);
    let caller = known(CredentialKind::Token, "hash-of-t-1").await.expect("asks").expect("is known");
    assert_eq!(caller.grants, [grant("g-t-1", Role::Coordinator)]);
    assert_eq!(known(CredentialKind::Token, "hash-of-t-3").await.expect("asks"), None);
    assert_eq!(known(CredentialKind::Jwt, "hash-of-t-1").await.expect("asks"), None);
    assert_eq!(f.store.count_credentials(&Scope::System).await.expect("counts"), 2);
}

async fn a_revoked_credential_opens_nothing(f: Fixture) {
    create(&f, &[("t-1", Role::Coordinator)]).await;
    let mut session = f.write().await;
    assert_eq!(session.count_credentials_of_role(Role::COORDINATOR).await.expect("counts"), 1);
    assert_eq!(session.count_credentials_of_role(Role::SECRETARIAT).await.expect("counts"), 0);
    let mut found = session.find_credentials("t-1").await.expect("reads");
    let note = session.revoke_credential(&mut found[0].credential).await.expect("revokes").expect("a note");
    assert_eq!((found[0].credential.revoke_time, found[0].is_live()), (Some(at(0)), false));
    assert_eq!(session.count_credentials_of_role(Role::COORDINATOR).await.expect("counts"), 0);
    session.commit(note, b"").await.expect("commits");
    let known = f.store.authenticate(&Scope::System, CredentialKind::Token, "hash-of-t-1").await;
    assert_eq!(known.expect("asks"), None);
    assert_eq!(f.store.count_credentials(&Scope::System).await.expect("counts"), 1, "revoked ones count");
    let mut session = f.write_at(at(9), Scope::Alliance).await;
    assert_eq!(
        session.revoke_credential(&mut found[0].credential).await.expect("asks"),
        None,
        "once is enough"
    );
    assert_eq!(session.find_credentials("t-1").await.expect("reads"), found, "the first revocation stays");
    assert_eq!(session.find_whole_token("hash-of-t-1").await.expect("reads"), found);
    assert_eq!(session.find_whole_token("hash-of-t-9").await.expect("reads"), []);
    drop(session);
    let lines = f.journal(&Scope::Alliance).await;
    assert_eq!(lines.iter().filter(|line| line.action == "credential.revoke").count(), 1);
}

async fn tokens_are_found_by_id_and_by_first_characters(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let managers = ("t-21", Role::OrganisationManager(peru.clone()));
    create(&f, &[("t-1", Role::Coordinator), managers, ("t-22", Role::Coordinator)]).await;
    let found = async |scope: Scope, selector: &str| {
        let mut session = f.write_at(at(0), scope).await;
        let found = session.find_credentials(selector).await.expect("reads");
        found.into_iter().map(|token| token.credential.id).collect::<Vec<_>>()
    };
    assert_eq!(found(Scope::System, "t-1").await, ["t-1"]);
    assert_eq!(found(Scope::System, "wim_t-2").await, ["t-21", "t-22"]);
    assert_eq!(found(Scope::System, "wim_t-22").await, ["t-22"]);
    for none in ["t-2", "wim_t-222", "im_t", "%", "wim\\_t-2", "_"] {
        assert_eq!(found(Scope::System, none).await, [""; 0], "{none}");
    }
    assert_eq!(found(only(&peru), "wim_t-2").await, [""; 0], "no organisation reads credentials");
    assert_eq!(f.store.list_credentials(&only(&peru), "", 10).await.expect("lists"), []);
    let known = f.store.authenticate(&only(&peru), CredentialKind::Token, "hash-of-t-21").await;
    assert_eq!(known.expect("asks"), None);
}

async fn a_grant_of_an_absent_organisation_is_refused(f: Fixture) {
    create(&f, &[("t-1", Role::Coordinator)]).await;
    let mut session = f.write().await;
    let role = Role::OrganisationManager("wim-chad".parse().expect("an id"));
    assert!(matches!(session.create_grant("p-t-1", &grant("g-1", role)).await, Err(Error::NotFound(_))));
}

async fn the_database_refuses_a_grant_that_ends_before_it_begins(f: Fixture) {
    create(&f, &[("t-1", Role::Coordinator)]).await;
    for (until, is_good) in [(at(4), false), (at(5), false), (at(6), true)] {
        let mut session = f.write().await;
        let grant = Grant { from: at(5), until: Some(until), ..grant("g-backwards", Role::CommitteeMember) };
        assert_eq!(session.create_grant("p-t-1", &grant).await.is_ok(), is_good, "{until}");
    }
}

async fn credentials_are_listed_without_their_hashes(f: Fixture) {
    create(&f, &["t-1", "t-2", "t-3"].map(|id| (id, Role::Coordinator))).await;
    let mut session = f.write().await;
    let note = session.create_grant("p-t-2", &grant("g-0", Role::Secretariat)).await.expect("is stored");
    session.commit(note, b"").await.expect("commits");
    let page = f.store.list_credentials(&Scope::System, "t-1", 2).await.expect("lists");
    assert_eq!(page.iter().map(|token| token.credential.id.as_str()).collect::<Vec<_>>(), ["t-2", "t-3"]);
    let roles: Vec<_> = page[0].grants.iter().map(|grant| grant.role.as_str()).collect();
    assert_eq!(roles, ["secretariat", "coordinator"]);
    assert_eq!((page[1].handle.as_str(), page[1].credential.principal.as_str()), ("handle-p-t-3", "p-t-3"));
    assert!(!format!("{page:?}").contains("hash"));
}
