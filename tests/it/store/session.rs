//! Write sessions: all or nothing, the journal, and answers remembered by `request_id`.

use wim_match::domain::run::Follow;
use wim_match::error::Error;
use wim_match::store::{Begun, Notes, Receipt, RequestKey, Scope};

use super::fixture::{
    Fixture, at, at_once, fresh, mentee, only, organisation, outcome, request, round_content, round_id, rows,
    salt, with_ids,
};
use super::on_both_databases;

on_both_databases! {
    an_organisation_is_created_read_and_listed,
    an_organisation_is_created_once,
    a_foreign_organisation_does_not_exist,
    organisations_are_listed_in_pages_by_the_bytes_of_their_ids,
    a_session_that_is_not_committed_leaves_no_trace,
    a_repeated_request_gets_the_first_answer,
    two_equal_requests_at_once_have_one_effect,
    a_request_id_serves_one_request_of_one_token,
    a_request_that_failed_may_be_sent_again,
    old_answers_are_forgotten,
    a_change_writes_its_line_of_the_journal,
    a_change_is_not_committed_without_its_note,
    an_organisation_reads_its_own_lines_of_the_journal,
    a_session_of_one_organisation_changes_nothing_of_the_alliance,
    long_writes_may_move_between_threads,
}

async fn an_organisation_is_created_read_and_listed(f: Fixture) {
    let id = "wim-peru".parse().expect("an id");
    let mut session = f.write().await;
    let (created, note) = session.create_organisation(&id, &organisation(&id)).await.expect("is created");
    session.commit(note, b"").await.expect("commits");
    assert_eq!((created.version, created.create_time), (1, at(0)));
    assert_eq!(created.content, organisation(&id));
    assert_eq!(f.store.organisation(&Scope::Alliance, &id).await.expect("exists"), created);
    assert_eq!(f.store.list_organisations(&Scope::Alliance, None, 10).await.expect("lists"), [created]);
}

async fn an_organisation_is_created_once(f: Fixture) {
    let id = f.organisation("wim-peru").await;
    let mut session = f.write().await;
    let error = session.create_organisation(&id, &organisation(&id)).await.expect_err("exists");
    assert!(matches!(error, Error::AlreadyExists(name) if name == "organisations/wim-peru"));
}

async fn a_foreign_organisation_does_not_exist(f: Fixture) {
    let (peru, kenya) = (f.organisation("wim-peru").await, f.organisation("wim-kenya").await);
    let scope = only(&peru);
    let foreign = f.store.organisation(&scope, &kenya).await.expect_err("is foreign").to_string();
    let absent =
        f.store.organisation(&scope, &"wim-chad".parse().expect("an id")).await.expect_err("is absent");
    assert_eq!(foreign.replace("wim-kenya", "wim-chad"), absent.to_string());
    let listed = f.store.list_organisations(&scope, None, 10).await.expect("lists");
    assert_eq!(listed.iter().map(|o| &o.id).collect::<Vec<_>>(), [&peru]);
    assert_eq!(f.store.list_organisations(&scope, Some(&peru), 10).await.expect("lists"), []);
    let mut session = f.write_at(at(0), scope).await;
    let error = session.create_organisation(&kenya, &organisation(&kenya)).await.expect_err("is foreign");
    assert!(matches!(error, Error::NotFound(_)));
}

async fn organisations_are_listed_in_pages_by_the_bytes_of_their_ids(f: Fixture) {
    // A language's order ignores hyphens at first and puts `wim-b` after `wima`.
    for id in ["wimb", "wim-b", "wim-a", "wima", "wim0"] {
        f.organisation(id).await;
    }
    let mut seen: Vec<String> = Vec::new();
    loop {
        let after = seen.last().map(|id| id.parse().expect("an id"));
        let page = f.store.list_organisations(&Scope::Alliance, after.as_ref(), 2).await.expect("lists");
        seen.extend(page.iter().map(|o| o.id.to_string()));
        if page.len() < 2 {
            break;
        }
    }
    assert_eq!(seen, ["wim-a", "wim-b", "wim0", "wima", "wimb"]);
}

async fn a_session_that_is_not_committed_leaves_no_trace(f: Fixture) {
    let id = "wim-peru".parse().expect("an id");
    let mut session = fresh(f.store.begin(request("tok", "r-1", "p")).await);
    let _ = session.create_organisation(&id, &organisation(&id)).await.expect("is created");
    drop(session);
    assert!(matches!(f.store.organisation(&Scope::Alliance, &id).await, Err(Error::NotFound(_))));
    assert_eq!(f.journal(&Scope::Alliance).await, []);
    assert!(
        matches!(f.store.begin(request("tok", "r-1", "p")).await, Ok(Begun::Fresh(_))),
        "no answer is left"
    );
}

async fn a_repeated_request_gets_the_first_answer(f: Fixture) {
    let session = fresh(f.store.begin(request("tok", "r-1", "p")).await);
    session.commit_unchanged(b"\x00first").await.expect("commits");
    let Begun::Repeated(answer) = f.store.begin(request("tok", "r-1", "p")).await.expect("begins") else {
        panic!("is taken for new");
    };
    assert_eq!(answer, b"\x00first");
}

async fn two_equal_requests_at_once_have_one_effect(f: Fixture) {
    let call = |call: u8| {
        let store = f.store.clone();
        async move {
            match store.begin(request("tok", "r-1", "p")).await.expect("begins") {
                Begun::Repeated(answer) => (answer, false),
                Begun::Fresh(mut session) => {
                    let id = format!("wim-{call}").parse().expect("an id");
                    let created = session.create_organisation(&id, &organisation(&id)).await;
                    session.commit(created.expect("is created").1, &[call]).await.expect("commits");
                    (vec![call], true)
                }
            }
        }
    };
    let answers = at_once((0..8).map(call)).await;
    assert_eq!(answers.iter().filter(|(_, did)| *did).count(), 1);
    assert!(answers.iter().all(|(answer, _)| *answer == answers[0].0));
    assert_eq!(f.store.list_organisations(&Scope::Alliance, None, 10).await.expect("lists").len(), 1);
}

async fn a_request_id_serves_one_request_of_one_token(f: Fixture) {
    fresh(f.store.begin(request("tok", "r-1", "p")).await).commit_unchanged(b"first").await.expect("commits");
    let other_payload = f.store.begin(request("tok", "r-1", "other")).await;
    assert!(matches!(other_payload, Err(Error::RequestIdReused)));
    let key = RequestKey { id: "r-1".to_owned(), method: "StartRun", payload_digest: "p".to_owned() };
    let other_method = Receipt { request: Some(key), ..request("tok", "r-1", "p") };
    assert!(matches!(f.store.begin(other_method).await, Err(Error::RequestIdReused)));
    // Another token's ids are its own.
    fresh(f.store.begin(request("tok-2", "r-1", "other")).await)
        .commit_unchanged(b"second")
        .await
        .expect("commits");
}

async fn a_request_that_failed_may_be_sent_again(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let mut session = fresh(f.store.begin(request("tok", "r-1", "p")).await);
    session.create_organisation(&peru, &organisation(&peru)).await.expect_err("exists");
    drop(session);
    fresh(f.store.begin(request("tok", "r-1", "p")).await).commit_unchanged(b"").await.expect("commits");
}

async fn old_answers_are_forgotten(f: Fixture) {
    fresh(f.store.begin(request("tok", "r-1", "p")).await).commit_unchanged(b"first").await.expect("commits");
    assert_eq!(f.store.purge_answers(&Scope::System, at(0)).await.expect("purges"), 0);
    assert_eq!(f.store.purge_answers(&Scope::System, at(1)).await.expect("purges"), 1);
    fresh(f.store.begin(request("tok", "r-1", "other")).await).commit_unchanged(b"").await.expect("commits");
}

async fn a_change_writes_its_line_of_the_journal(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let round = f.round("spring-2027").await;
    let lines = f.journal(&Scope::Alliance).await;
    let told: Vec<_> = lines.iter().map(|line| (line.action.as_str(), line.resource.as_str())).collect();
    assert_eq!(
        told,
        [("organisation.create", "organisations/wim-peru"), ("round.create", "rounds/spring-2027")]
    );
    assert_eq!(lines[0].organisation.as_deref(), Some(peru.as_str()));
    assert_eq!((lines[0].actor.as_str(), lines[0].time), ("tok-coordinator", at(0)));
    assert_eq!(lines[1].detail, r#"{"policy":1}"#);
    assert_eq!(round.id.name(), lines[1].resource);
}

async fn a_change_is_not_committed_without_its_note(f: Fixture) {
    let id = "wim-peru".parse().expect("an id");
    let mut session = f.write().await;
    let _ = session.create_organisation(&id, &organisation(&id)).await.expect("is created");
    let error = session.commit_unchanged(b"").await.expect_err("has changed a row");
    assert!(matches!(error, Error::Internal(..)), "{error:?}");
    assert!(matches!(f.store.organisation(&Scope::Alliance, &id).await, Err(Error::NotFound(_))));
    assert_eq!(Notes::of([]), None);
}

async fn an_organisation_reads_its_own_lines_of_the_journal(f: Fixture) {
    let (peru, _) = (f.organisation("wim-peru").await, f.organisation("wim-kenya").await);
    f.round("spring-2027").await;
    assert_eq!(f.journal(&Scope::System).await.len(), 3);
    let lines = f.journal(&only(&peru)).await;
    assert_eq!(
        lines.iter().map(|line| line.resource.as_str()).collect::<Vec<_>>(),
        ["organisations/wim-peru"]
    );
}

async fn a_session_of_one_organisation_changes_nothing_of_the_alliance(f: Fixture) {
    let (peru, _, round) = f.enrolled_round().await;
    let mut session = f.write_at(at(2), only(&peru)).await;
    assert!(matches!(
        session.create_round(&round_id("own"), &round_content(), &salt()).await,
        Err(Error::Internal(..))
    ));
    assert!(matches!(session.start_run(&round, Follow::Newest, None).await, Err(Error::Internal(..))));
    drop(session);
    for scope in [Scope::Alliance, only(&peru)] {
        assert!(matches!(f.store.purge_answers(&scope, at(9)).await, Err(Error::Internal(..))));
        assert!(matches!(f.store.purge_stale_imports(&scope, at(9)).await, Err(Error::Internal(..))));
        let claimed = f.store.claim_run(&scope, "w", at(9), std::time::Duration::from_secs(1)).await;
        assert!(matches!(claimed, Err(Error::Internal(..))));
    }
}

/// gRPC handlers and workers run on any thread: a future that is not `Send` does not compile here.
async fn long_writes_may_move_between_threads(f: Fixture) {
    fn movable<T: Send>(future: T) -> T {
        future
    }
    let (peru, kenya, round) = f.enrolled_round().await;
    let key = f.store.begin_import(&only(&peru), &peru, "i-9", at(0)).await.expect("begins");
    movable(f.store.stage_rows(&key, rows(&[("new", mentee())]), at(0))).await.expect("stages");
    let ready = movable(f.store.ready_import(&key, at(0))).await.expect("is ready");
    let waiting = f.store.waiting_list(&Scope::Alliance, &peru).await.expect("reads");
    let mut session = f.write().await;
    let (_, imported) = movable(session.finish_import(&key, ready)).await.expect("finishes").expect("alone");
    let people = with_ids(&["new"]);
    let (_, enrolled) = movable(session.enrol(&round, &peru, &people, &waiting)).await.expect("enrols");
    let (_, started) = movable(session.start_run(&round, Follow::Newest, None)).await.expect("starts");
    let notes = imported.notes.into_iter().chain([started]).chain(enrolled);
    let notes = Notes::of(notes).expect("three notes");
    movable(session.commit(notes, b"")).await.expect("commits");
    let lines = f.journal(&Scope::Alliance).await;
    let last: Vec<_> = lines[lines.len() - 3..].iter().map(|line| line.action.as_str()).collect();
    assert_eq!(last, ["profile.import", "run.start", "round.enrol"], "one line per note, in their order");
    let claim = f.claim("w", at(2)).await;
    let result = outcome(&peru, &kenya);
    movable(f.store.complete_run(&claim, || at(3), &result)).await.expect("completes");
    movable(f.store.load_snapshot(&Scope::System, &claim.run.name)).await.expect("loads");
}
