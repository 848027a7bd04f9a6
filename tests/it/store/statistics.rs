//! PostgreSQL with statistics that are wrong: pages are cut before they are joined, so that reading all pages of a large
//! organisation takes time in proportion to its people.

use std::time::Duration;

use wim_match::store::{Scope, Store};

use super::fixture::{Fixture, Raw, at, own_id};

/// More than two pages of a snapshot.
const PEOPLE: u16 = 11_000;

/// An organisation that grows from two people to thousands after PostgreSQL has taken its statistics. The people
/// are copies of one.
const GROW: &str = "
    ALTER TABLE profile_version SET (autovacuum_enabled = false);
    ALTER TABLE enrolment SET (autovacuum_enabled = false);
    ANALYZE;
    INSERT INTO profile_import (id, organisation_id, staged, unchanged, role_changes, create_micros, touch_micros,
        finish_micros, actor, number) VALUES ('grow', 'wim-peru', 11000, 0, 0, 1, 1, 1, 'test', 2);
    INSERT INTO profile_version (organisation_id, own_id, version, import_id, ordinal, is_mentor, is_mentee,
        has_consent, digest, document) SELECT 'wim-peru', 'p' || lpad(n::text, 6, '0'), 1, 'grow', n, 0, 1, 1, 'd', (SELECT document
        FROM profile_version WHERE own_id = 'mentee' LIMIT 1) FROM generate_series(1, 11000) AS n;
    INSERT INTO enrolment (round_id, organisation_id, own_id, id, actor, consent, salt, enrol_number, create_micros)
        SELECT 'spring-2027', 'wim-peru', own_id, own_id, 'test', 'c', '00000000000000000000000000000000', 1, 1 FROM profile_version WHERE import_id = 'grow';
    UPDATE enrolment_count SET profiles = profiles + 11000, mentees = mentees + 11000
        WHERE organisation_id = 'wim-peru';";

/// Versions of profiles that all sessions have read, once the store's connections have ended and reported them.
async fn versions_read(raw: &mut Raw, store: Store) -> i64 {
    const CONNECTED: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name LIKE 'wim-match%'";
    store.close().await;
    while raw.number(CONNECTED).await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    raw.number(
        "SELECT CAST(COALESCE(idx_tup_fetch, 0) + seq_tup_read AS BIGINT) FROM pg_stat_user_tables \
         WHERE relname = 'profile_version'",
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_reads_its_own_rows_whatever_the_statistics_are() {
    // SQLite plans by the schema alone.
    let Some(f) = Fixture::postgresql().await else { return };
    let (peru, _, round) = f.enrolled_round().await;
    let mut raw = f.raw().await;
    raw.execute(GROW).await;
    // What this connection itself has read is reported first, and forgotten then.
    raw.execute("SELECT pg_stat_force_next_flush()").await;
    raw.execute("SELECT pg_stat_reset()").await;

    let run = f.start_run(&round, at(10)).await.name;
    let loaded = f.store.load_snapshot(&Scope::System, &run).await.expect("loads");
    assert_eq!(loaded.snapshot.participants.len(), usize::from(PEOPLE) + 4);
    let read = versions_read(&mut raw, f.store).await;
    let people = i64::from(PEOPLE);
    // Each person is looked up twice: for her version, and for its document.
    assert!((people * 2..people * 5 / 2).contains(&read), "{read} rows read for {PEOPLE} people");

    raw.execute("SELECT pg_stat_reset()").await;
    let store = Store::open(&f.url).await.expect("opens");
    let page = store
        .list_profiles(&Scope::Alliance, &peru, Some(&own_id("p003000")), 10, usize::MAX)
        .await
        .expect("lists");
    assert_eq!(page.0.len(), 10);
    let read = versions_read(&mut raw, store).await;
    assert!((10..100).contains(&read), "{read} rows read for a page of 10");
}
