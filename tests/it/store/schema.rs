//! The schema, the statements over it, and opening a store at all.

use wim_match::error::Error;
use wim_match::store::{Scope, Store};

use super::fixture::Fixture;
use super::on_both_databases;

on_both_databases! {
    every_statement_is_prepared,
    a_migrated_database_is_left_alone,
    an_older_database_is_opened_again_with_all_it_holds,
}

async fn every_statement_is_prepared(f: Fixture) {
    let prepared = f.store.prepare_statements().await.expect("all statements fit");
    assert!(prepared > 60, "only {prepared} statements are registered");
}

async fn a_migrated_database_is_left_alone(f: Fixture) {
    assert_eq!(f.store.migrate().await.expect("migrates"), 0);
    assert_eq!(f.store.pending_migrations().await.expect("answers"), [""; 0]);
    f.store.ping().await.expect("answers");
}

async fn an_older_database_is_opened_again_with_all_it_holds(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let written = f.store.organisation(&Scope::Alliance, &peru).await.expect("exists");
    f.store.close().await;
    let again = Store::open(&f.url).await.expect("opens");
    assert_eq!(again.organisation(&Scope::Alliance, &peru).await.expect("exists"), written);
    again.close().await;
}

/// From nothing, and by several replicas at once.
async fn migrations_apply_once_from_nothing(f: Fixture) {
    assert_eq!(f.store.pending_migrations().await.expect("answers"), ["0001_house"]);
    let replica = Store::open(&f.url).await.expect("opens");
    let (here, there) = tokio::join!(f.store.migrate(), replica.migrate());
    assert_eq!(here.expect("migrates") + there.expect("migrates"), 1, "one of the two applied it");
    assert_eq!(f.store.pending_migrations().await.expect("answers"), [""; 0]);
    f.store.prepare_statements().await.expect("all statements fit");
    replica.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_apply_once_from_nothing_on_sqlite() {
    migrations_apply_once_from_nothing(Fixture::empty_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_apply_once_from_nothing_on_postgresql() {
    if let Some(fixture) = Fixture::empty_postgresql().await {
        migrations_apply_once_from_nothing(fixture).await;
    }
}

/// Walks of a whole table and sorts that stand: small by nature, all wanted, or of one page.
const REVIEWED: [(&str, &str); 5] = [
    ("migration.exists", "SCAN sqlite_schema"),
    ("api_token.count", "SCAN api_token"),
    ("profile.named", "SCAN json_each"),
    ("run_match.list_of_organisation", "SCAN ment"),
    ("run_match.list_of_organisation", "USE TEMP B-TREE FOR ORDER BY"),
];

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let f = Fixture::sqlite().await;
    let plans = f.store.plans().await.expect("plans");
    assert!(plans.len() > 60, "only {} statements are registered", plans.len());
    let mut walks = Vec::new();
    for plan in &plans {
        for line in &plan.lines {
            let whole = line.starts_with("SCAN") && !line.contains(" USING ") && line != "SCAN CONSTANT ROW";
            let inserted = line == "SCAN 2 CONSTANT ROWS" || line.contains("-ROW VALUES CLAUSE");
            let sorted = line.contains("TEMP B-TREE") && plan.statement.contains("list");
            let reviewed =
                REVIEWED.iter().any(|(name, text)| plan.statement == *name && line.starts_with(text));
            if (whole || sorted) && !inserted && !reviewed {
                walks.push(format!("{}: {line}", plan.statement));
            }
        }
    }
    assert_eq!(walks, [""; 0]);
}

#[tokio::test]
async fn the_plans_of_the_lists_are_as_reviewed() {
    let f = Fixture::sqlite().await;
    let lists =
        f.store.plans().await.expect("plans").into_iter().filter(|plan| plan.statement.contains("list"));
    let text: Vec<String> =
        lists.map(|plan| format!("{}\n    {}", plan.statement, plan.lines.join("\n    "))).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[tokio::test]
async fn a_url_is_refused_without_being_repeated() {
    for url in ["", "sqlite::memory:", ":memory:", "postgres://user:secret@host:port-that-is-none/db"] {
        let error = Store::open(url).await.expect_err(url);
        assert!(matches!(error, Error::InvalidFields(_)), "{url}: {error:?}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_unavailable() {
    let options = wim_match::store::StoreOptions {
        acquire_timeout: std::time::Duration::from_millis(300),
        ..Default::default()
    };
    let store =
        Store::open_with("postgres:///none?host=/nowhere", &options).await.expect("opens without connecting");
    let error = store.ping().await.expect_err("nobody is there");
    assert!(matches!(error, Error::StoreUnavailable(_)), "{error:?}");
}
