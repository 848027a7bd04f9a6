//! The content of a database as one digest per table, to compare two databases: a backup with its origin, a restored
//! database with its backup.
//!
//! The digest of a table is SHA-256 over its name, the names of its columns, the number of its rows and the sum of the
//! digests of its rows. A sum does not depend on the order of the rows, so no table is sorted. Columns are in the order of
//! their names. The rows by which readiness tries whether writing works are no content.
//!
//! All tables are read at one and the same moment, as they are in the database, whatever its schema is.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::backend::Store;
use super::dialect::values;
use super::scope::Scope;
use super::statement::statements;
use crate::error::Result;

statements! {
    query COLUMNS = hidden("content.columns",
        sqlite: "SELECT m.name AS table_name, c.name AS column_name FROM sqlite_schema m \
            JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' \
            AND m.name <> 'write_probe'",
        postgres: "SELECT CAST(c.table_name AS TEXT) AS table_name, CAST(c.column_name AS TEXT) AS column_name \
            FROM information_schema.columns c JOIN information_schema.tables t ON t.table_schema = c.table_schema \
            AND t.table_name = c.table_name WHERE c.table_schema = current_schema() \
            AND t.table_type = 'BASE TABLE' AND c.table_name <> 'write_probe'");
}

/// The content of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableContent {
    /// Number of its rows.
    pub rows: u64,
    /// The digest of its rows, in hexadecimal.
    pub digest: String,
}

impl Store {
    /// The content of all tables, by their names.
    pub async fn content(&self, scope: &Scope) -> Result<BTreeMap<String, TableContent>> {
        scope.require_system()?;
        let mut session = self.snapshot_reader(scope).await?;
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in session.rows(COLUMNS, values![]).await? {
            tables.entry(row.text("table_name")?).or_default().push(row.text("column_name")?);
        }
        let mut content = BTreeMap::new();
        for (table, mut columns) in tables {
            columns.sort_unstable();
            let names: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
            let text = format!("SELECT {} FROM {}", names.join(", "), quoted(&table));
            let mut sum = Sum::default();
            session
                .each_row("content.rows", text, |row| {
                    let mut digest = Sha256::new();
                    for at in 0..columns.len() {
                        row.digest_into(at, &mut digest)?;
                    }
                    sum.add(digest.finalize().into());
                    Ok(())
                })
                .await?;
            content.insert(table.clone(), sum.finish(&table, &columns));
        }
        session.end().await?;
        Ok(content)
    }
}

/// A name of the schema inside a statement.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The sum of the digests of rows, modulo 2^64 in each of its four parts.
#[derive(Debug, Default)]
struct Sum {
    rows: u64,
    parts: [u64; 4],
}

impl Sum {
    fn add(&mut self, digest: [u8; 32]) {
        self.rows += 1;
        for (part, bytes) in self.parts.iter_mut().zip(digest.as_chunks::<8>().0) {
            *part = part.wrapping_add(u64::from_le_bytes(*bytes));
        }
    }

    fn finish(&self, table: &str, columns: &[String]) -> TableContent {
        let mut digest = Sha256::new();
        for name in std::iter::once(table).chain(columns.iter().map(String::as_str)) {
            digest.update(name.as_bytes());
            digest.update([0]);
        }
        digest.update(self.rows.to_le_bytes());
        for part in self.parts {
            digest.update(part.to_le_bytes());
        }
        TableContent { rows: self.rows, digest: hex::encode(digest.finalize()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_rows_does_not_matter_and_their_number_does() {
        let of = |digests: &[u8]| {
            let mut sum = Sum::default();
            for byte in digests {
                sum.add([*byte; 32]);
            }
            sum.finish("round", &["id".to_owned()])
        };
        assert_eq!(of(&[1, 2, 255]), of(&[255, 1, 2]));
        assert_ne!(of(&[1, 2]), of(&[3]));
        assert_ne!(of(&[1, 1]), of(&[2]), "equal sums of other rows");
        assert_eq!(of(&[1, 2]).rows, 2);
    }
}
