//! Every stored column has a rule: what a person gets of it, what her erasure does with it, and how long it is kept.

use std::collections::BTreeMap;

use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::postgres::{Postgres, postgres};
use crate::world::World;

const RULES: &str = include_str!("../../docs/personal-data.md");

/// The columns of the table of rules, each with its three cells.
fn rules() -> BTreeMap<String, Vec<String>> {
    let mut rules = BTreeMap::new();
    for line in RULES.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [columns, given @ ..] = &cells[..] else { panic!("{line}") };
        assert!(given.len() == 3 && given.iter().all(|cell| !cell.is_empty()), "{line}");
        for column in columns.split('`').filter(|part| !part.trim().is_empty()) {
            let cells = given.iter().map(|cell| (*cell).to_owned()).collect();
            assert_eq!(rules.insert(column.to_owned(), cells), None, "{column} has two rules");
        }
    }
    rules
}

fn compare(mut columns: Vec<String>) {
    columns.sort();
    let known: Vec<String> = rules().into_keys().collect();
    let without: Vec<_> = columns.iter().filter(|column| !known.contains(column)).collect();
    assert!(without.is_empty(), "no rule in docs/personal-data.md: {without:?}");
    let gone: Vec<_> = known.iter().filter(|column| !columns.contains(column)).collect();
    assert!(gone.is_empty(), "rules without a column: {gone:?}");
}

#[tokio::test]
async fn every_column_of_sqlite_has_a_rule() {
    let world = World::sqlite().await;
    let file = world.folder().join("wim.sqlite3");
    let mut connection =
        SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.expect("connects");
    let text = "SELECT m.name || '.' || c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'";
    let columns: Vec<String> =
        sqlx::query_scalar(text).fetch_all(&mut connection).await.expect("lists columns");
    connection.close().await.expect("closes");
    assert!(columns.len() > 100);
    compare(columns);
    world.stop().await;
}

#[tokio::test]
async fn every_column_of_postgresql_has_a_rule() {
    let url = tokio::task::spawn_blocking(|| postgres().map(Postgres::migrated)).await.expect("a database");
    let Some(url) = url else { return };
    let mut connection = PgConnection::connect(&url).await.expect("connects");
    let text = "SELECT CAST(c.table_name || '.' || c.column_name AS TEXT) FROM information_schema.columns c \
        WHERE c.table_schema = current_schema()";
    let columns: Vec<String> =
        sqlx::query_scalar(text).fetch_all(&mut connection).await.expect("lists columns");
    connection.close().await.expect("closes");
    compare(columns);
}
