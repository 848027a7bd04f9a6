//! The schema, the statements over it, and opening a store at all.

use std::path::Path;

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
    let names: Vec<&str> = prepared.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, declared_statements(), "every declared statement is registered");
}

async fn a_migrated_database_is_left_alone(f: Fixture) {
    assert_eq!(f.store.migrate().await.expect("migrates"), 0);
    assert_eq!(f.store.pending_migrations().await.expect("answers"), [""; 0]);
    f.store.ping(&Scope::System).await.expect("answers");
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
    assert_eq!(here.expect("migrates") + there.expect("migrates"), 1, "it was applied by one of the two");
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

/// Names of the statements that the files of the store declare, read off their texts: `("noun.verb", …)` in a line of
/// `statements!`, `"noun.verb",` after the `;` of a split query, and `name: "noun.verb"` of a bulk insert.
fn declared_statements() -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")];
    let (mut files, mut names) = (Vec::new(), Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of src/store") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("statement.rs") {
                files.push(path);
            }
        }
    }
    for path in files {
        let text = std::fs::read_to_string(path).expect("a file in UTF-8");
        let Some((_, declared)) = text.split_once("\nstatements! {") else { continue };
        let (declared, _) = declared.split_once("\n}").expect("the end of the statements");
        for line in declared.lines().map(str::trim) {
            let after = match line.split_once("(\"") {
                Some((before, after)) if before.contains(" = ") && !before.contains('"') => Some(after),
                _ => line
                    .strip_prefix("name: \"")
                    .or_else(|| line.strip_prefix('"').filter(|_| line.ends_with("\","))),
            };
            let name = after.and_then(|after| Some(after.split_once('"')?.0));
            // A piece of a statement in several lines begins with a blank or a comma.
            names.extend(name.filter(|name| name.starts_with(char::is_alphabetic)).map(str::to_owned));
        }
    }
    names.sort();
    assert!(names.len() > 60, "only {} statements were read", names.len());
    names
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
    let error = store.ping(&Scope::System).await.expect_err("nobody is there");
    assert!(matches!(error, Error::StoreUnavailable(_)), "{error:?}");
}
