//! The audit: entries are sealed into one chain, the database keeps them, and every edit is found.

use std::time::Duration;

use wim_match::domain::audit::{AuditFault, Head};
use wim_match::error::Error;
use wim_match::store::{JournalFilter, Scope};

use super::fixture::{Fixture, at, at_once, only, organisation};
use super::on_both_databases;

on_both_databases! {
    entries_are_sealed_into_one_chain,
    an_entry_that_is_committed_late_gets_a_later_position,
    many_writers_and_sealers_leave_no_gap,
    the_database_refuses_to_change_or_delete_entries,
    an_edit_of_the_owner_of_the_database_is_found,
    a_purge_leaves_a_signed_beginning,
    entries_are_listed_by_time_actor_and_resource,
    the_audit_is_for_the_service_itself,
}

async fn seal(f: &Fixture) -> u64 {
    f.store.seal_journal(&Scope::System).await.expect("seals")
}

async fn head(f: &Fixture) -> Head {
    f.store.journal_head(&Scope::System).await.expect("has a head")
}

async fn fault(f: &Fixture, anchor: Option<Head>) -> Option<AuditFault> {
    f.store.verify_journal(&Scope::System, anchor).await.expect("verifies").fault
}

async fn entries_are_sealed_into_one_chain(f: Fixture) {
    assert_eq!((seal(&f).await, head(&f).await), (0, Head::START));
    for id in ["wim-peru", "wim-kenya", "wim-chad"] {
        f.organisation(id).await;
    }
    assert!(f.journal(&Scope::System).await.iter().all(|entry| entry.seal.is_none()));
    assert_eq!(fault(&f, None).await, None, "entries may wait for their seal");
    assert_eq!(seal(&f).await, 3);
    let entries = f.journal(&Scope::System).await;
    let positions: Vec<_> = entries.iter().filter_map(|entry| Some(entry.seal?.position)).collect();
    assert_eq!(positions, [1, 2, 3]);
    let mut chain = Head::START;
    for entry in &entries {
        chain = chain.after(entry);
        assert_eq!(entry.seal, Some(chain));
    }
    assert_eq!((head(&f).await, seal(&f).await), (chain, 0));
    let verified = f.store.verify_journal(&Scope::System, Some(chain)).await.expect("verifies");
    assert_eq!((verified.entries, verified.head, verified.fault), (3, chain, None));
    // The chain goes on where it ended.
    f.round("spring-2027").await;
    assert_eq!((seal(&f).await, fault(&f, Some(chain)).await), (1, None));
}

async fn an_entry_that_is_committed_late_gets_a_later_position(f: Fixture) {
    let register = async |id: &str| {
        let (mut session, id) = (f.write().await, id.parse().expect("an id"));
        let (_, note) = session.create_organisation(&id, &organisation(&id)).await.expect("is created");
        (session, note)
    };
    // SQLite has one writer: there, the first session ends before the second one begins.
    let late = if f.url.starts_with("postgres") { Some(register("wim-late").await) } else { None };
    let (session, note) = register("wim-early").await;
    session.commit(note, b"").await.expect("commits");
    assert_eq!(seal(&f).await, 1, "no writer in progress is waited for");
    let (session, note) = match late {
        Some(late) => late,
        None => register("wim-late").await,
    };
    session.commit(note, b"").await.expect("commits");
    assert_eq!(seal(&f).await, 1);
    let mut entries = f.journal(&Scope::System).await;
    entries.sort_by_key(|entry| entry.seal.map(|seal| seal.position));
    let told: Vec<_> = entries.iter().map(|entry| entry.resource.as_str()).collect();
    assert_eq!(told, ["organisations/wim-early", "organisations/wim-late"]);
    assert_eq!(fault(&f, None).await, None);
}

async fn many_writers_and_sealers_leave_no_gap(f: Fixture) {
    let write = |number: usize| {
        let store = f.store.clone();
        async move {
            for part in 0..10 {
                let id = format!("wim-{number}-{part}").parse().expect("an id");
                let mut session = super::fixture::fresh(
                    store.begin(super::fixture::request("tok", &format!("r-{id}"), "p")).await,
                );
                let created = session.create_organisation(&id, &organisation(&id)).await;
                session.commit(created.expect("is created").1, b"").await.expect("commits");
                if part % 3 == 0 {
                    store.seal_journal(&Scope::System).await.expect("seals");
                }
            }
        }
    };
    at_once((0..8).map(write)).await;
    seal(&f).await;
    let verified = f.store.verify_journal(&Scope::System, None).await.expect("verifies");
    assert_eq!((verified.entries, verified.head.position, verified.fault), (80, 80, None));
}

async fn the_database_refuses_to_change_or_delete_entries(f: Fixture) {
    for id in ["wim-peru", "wim-kenya"] {
        f.organisation(id).await;
    }
    seal(&f).await;
    f.organisation("wim-chad").await;
    let head = head(&f).await;
    let mut raw = f.raw().await;
    for edit in [
        "UPDATE journal SET detail = '{}x' WHERE position = 1",
        "UPDATE journal SET position = 7 WHERE position = 1",
        "UPDATE journal SET actor = 'x' WHERE position IS NULL",
        "UPDATE journal SET create_micros = 1, position = 3, hash = 'x' WHERE position IS NULL",
        "DELETE FROM journal WHERE position = 1",
        "DELETE FROM journal WHERE position IS NULL",
        "INSERT INTO journal (create_micros, actor, action, resource, detail, position, hash) \
         VALUES (1, 'x', 'x.y', 'x', '{}', 9, 'x')",
        "UPDATE journal_head SET position = 1",
        "UPDATE journal_head SET cut_position = 1",
        "DELETE FROM journal_head",
    ] {
        assert!(raw.try_execute(edit).await.is_err(), "{edit}");
    }
    if f.url.starts_with("postgres") {
        assert!(raw.try_execute("TRUNCATE journal").await.is_err());
    }
    assert_eq!((seal(&f).await, fault(&f, Some(head)).await), (1, None));
}

/// Takes away what keeps the entries, as only the owner of the database can.
async fn unguarded(f: &Fixture) -> super::fixture::Raw {
    let mut raw = f.raw().await;
    let triggers = if f.url.starts_with("postgres") {
        "ALTER TABLE journal DISABLE TRIGGER USER; ALTER TABLE journal_head DISABLE TRIGGER USER"
    } else {
        "DROP TRIGGER journal_insert; DROP TRIGGER journal_update; DROP TRIGGER journal_delete; \
         DROP TRIGGER journal_head_update; DROP TRIGGER journal_head_cut; DROP TRIGGER journal_head_delete"
    };
    raw.execute(triggers).await;
    raw
}

async fn an_edit_of_the_owner_of_the_database_is_found(f: Fixture) {
    for number in 1..=6 {
        f.organisation(&format!("wim-{number}")).await;
    }
    seal(&f).await;
    let anchor = head(&f).await;
    let mut raw = unguarded(&f).await;
    raw.execute("CREATE TABLE kept AS SELECT * FROM journal").await;
    let restore = "DELETE FROM journal; INSERT INTO journal OVERRIDING SYSTEM VALUE SELECT * FROM kept";
    let restore = if f.url.starts_with("postgres") {
        restore.to_owned()
    } else {
        restore.replace("OVERRIDING SYSTEM VALUE ", "")
    };
    for (edit, found) in [
        ("UPDATE journal SET detail = '{} ' WHERE position = 4", AuditFault::Altered(4)),
        ("UPDATE journal SET actor = 'nobody' WHERE position = 1", AuditFault::Altered(1)),
        ("UPDATE journal SET create_micros = create_micros + 1 WHERE position = 6", AuditFault::Altered(6)),
        ("UPDATE journal SET organisation_id = NULL WHERE position = 3", AuditFault::Altered(3)),
        ("UPDATE journal SET version = NULL WHERE position = 3", AuditFault::Altered(3)),
        ("UPDATE journal SET hash = 'no hash' WHERE position = 5", AuditFault::Altered(5)),
        ("DELETE FROM journal WHERE position = 2", AuditFault::Missing(2)),
        ("DELETE FROM journal WHERE position = 6", AuditFault::Head(5)),
        ("DELETE FROM journal", AuditFault::Head(0)),
        (
            "UPDATE journal SET position = -1 WHERE position = 2; UPDATE journal SET position = 2 WHERE position = 3; \
             UPDATE journal SET position = 3 WHERE position = -1",
            AuditFault::Altered(2),
        ),
        (
            "DELETE FROM journal WHERE position <= 2; UPDATE journal_head SET cut_position = 2, \
             cut_hash = (SELECT hash FROM kept WHERE position = 2)",
            AuditFault::Cut(2),
        ),
    ] {
        raw.execute(edit).await;
        assert_eq!(fault(&f, None).await, Some(found), "{edit}");
        raw.execute(&restore).await;
        raw.execute(
            "UPDATE journal_head SET cut_position = 0, cut_hash = \
            '0000000000000000000000000000000000000000000000000000000000000000'",
        )
        .await;
        assert_eq!(fault(&f, Some(anchor)).await, None, "as it was");
    }
    // A tail that is cut off with its head: what was kept outside finds it.
    raw.execute(
        "DELETE FROM journal WHERE position > 4; UPDATE journal_head SET position = 4, \
         hash = (SELECT hash FROM kept WHERE position = 4)",
    )
    .await;
    assert_eq!(fault(&f, None).await, None);
    assert_eq!(fault(&f, Some(anchor)).await, Some(AuditFault::Anchor(5)));
    raw.execute("DELETE FROM journal_head").await;
    assert_eq!(fault(&f, None).await, Some(AuditFault::Head(4)));
}

async fn a_purge_leaves_a_signed_beginning(f: Fixture) {
    for (id, second) in [("wim-a", 1), ("wim-b", 2), ("wim-c", 9), ("wim-d", 3)] {
        let (mut session, id) = (f.write_at(at(second), Scope::Alliance).await, id.parse().expect("an id"));
        let created = session.create_organisation(&id, &organisation(&id)).await;
        session.commit(created.expect("is created").1, b"").await.expect("commits");
    }
    let purge =
        async |limit: i64| f.store.purge_journal(&Scope::System, at(20), at(limit)).await.expect("purges");
    assert_eq!(purge(5).await, 0, "an entry is sealed before it is deleted");
    seal(&f).await;
    let old = head(&f).await;
    assert_eq!(f.store.count_old_entries(&Scope::System, at(5)).await.expect("counts"), 2);
    assert_eq!(purge(5).await, 2, "the third entry keeps the fourth");
    let entries = f.journal(&Scope::System).await;
    let told: Vec<_> =
        entries.iter().map(|entry| entry.resource.split('-').next().unwrap_or_default()).collect();
    assert_eq!(told, ["organisations/wim", "organisations/wim", "journal/2"]);
    assert_eq!(entries[2].detail, r#"{"entries":2}"#);
    assert_eq!(fault(&f, Some(old)).await, None, "the chain before is proved by its hash");
    assert_eq!((seal(&f).await, fault(&f, Some(old)).await, purge(5).await), (1, None, 0));
    // A second purge deletes the signature of the first, and signs anew.
    assert_eq!(purge(21).await, 3);
    assert_eq!((seal(&f).await, fault(&f, None).await), (1, None));
    assert_eq!(f.journal(&Scope::System).await.len(), 1);
}

async fn entries_are_listed_by_time_actor_and_resource(f: Fixture) {
    for (id, second) in [("wim-a", 3), ("wim-b", 1), ("wim-c", 2), ("wim-d", 2)] {
        let (mut session, id) = (f.write_at(at(second), Scope::Alliance).await, id.parse().expect("an id"));
        let created = session.create_organisation(&id, &organisation(&id)).await;
        session.commit(created.expect("is created").1, b"").await.expect("commits");
    }
    let list = async |filter: JournalFilter| {
        let (mut all, mut after) = (String::new(), None);
        loop {
            let page = f.store.list_journal(&Scope::Alliance, &filter, after, 2).await.expect("lists");
            let Some(last) = page.last() else { return all };
            after = Some((last.time, last.sequence));
            all.extend(page.iter().filter_map(|entry| entry.resource.chars().last()));
        }
    };
    assert_eq!(list(JournalFilter::default()).await, "bcda");
    let filter = |from: Option<i64>, until: Option<i64>| JournalFilter {
        from: from.map(at),
        until: until.map(at),
        ..JournalFilter::default()
    };
    assert_eq!(list(filter(Some(2), None)).await, "cda");
    assert_eq!(list(filter(Some(2), Some(3))).await, "cd");
    assert_eq!(list(filter(None, Some(2))).await, "b");
    let of = |actor: Option<&str>, resource: Option<&str>| JournalFilter {
        actor: actor.map(str::to_owned),
        resource: resource.map(str::to_owned),
        ..JournalFilter::default()
    };
    assert_eq!(list(of(Some("tok-coordinator"), None)).await, "bcda");
    assert_eq!(list(of(Some("tok"), None)).await, "");
    assert_eq!(list(of(None, Some("organisations/wim-c"))).await, "c");
    assert_eq!(list(of(Some("tok-coordinator"), Some("organisations/wim-c"))).await, "c");
    assert_eq!(list(of(Some("tok"), Some("organisations/wim-c"))).await, "");
    // In the scope of an organisation, with each filter, the entries that concern it.
    let scope = only(&"wim-d".parse().expect("an id"));
    for filter in
        [JournalFilter::default(), of(Some("tok-coordinator"), None), of(None, Some("organisations/wim-d"))]
    {
        let seen = f.store.list_journal(&scope, &filter, None, 9).await.expect("lists");
        assert_eq!(
            seen.iter().map(|entry| entry.resource.as_str()).collect::<Vec<_>>(),
            ["organisations/wim-d"]
        );
    }
    let foreign = f.store.list_journal(&scope, &of(None, Some("organisations/wim-a")), None, 9).await;
    assert_eq!(foreign.expect("lists"), []);
}

async fn the_audit_is_for_the_service_itself(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    for scope in [Scope::Alliance, only(&peru)] {
        assert!(matches!(f.store.seal_journal(&scope).await, Err(Error::Internal(..))));
        assert!(matches!(f.store.verify_journal(&scope, None).await, Err(Error::Internal(..))));
        assert!(matches!(f.store.journal_head(&scope).await, Err(Error::Internal(..))));
        assert!(matches!(f.store.purge_journal(&scope, at(9), at(9)).await, Err(Error::Internal(..))));
    }
    let woken = f.store.journal_written(&Scope::System);
    tokio::time::timeout(Duration::from_secs(5), woken).await.expect("a commit has woken").expect("waits");
}
