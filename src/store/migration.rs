//! Migrations: compiled in, applied in one transaction under a lock, so that several replicas may start at once. sqlx's
//! own migrator locks nothing on SQLite, and on PostgreSQL needs a session of its own, which a pooler does not give.

use sha2::{Digest as _, Sha256};

use super::dialect::{Session, statements, values};
use super::{Backend, Store};
use crate::error::{Error, Result};

/// One step of the schema, in both dialects.
struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        }
    };
}

/// All of them, in order. An applied migration is never edited: its digest is checked.
const MIGRATIONS: &[Migration] = &[migration!(1, "0001_house")];

statements! {
    CREATE = ("migration.create", "CREATE TABLE IF NOT EXISTS schema_migration (\
        version BIGINT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL)");
    // One fixed number, so that all replicas wait for one another; the lock ends with the transaction.
    LOCK = ("migration.lock",
        sqlite: "SELECT 1 AS locked",
        postgres: "SELECT 1 AS locked FROM (SELECT pg_advisory_xact_lock(7305803642)) AS lock");
    EXISTS = ("migration.exists",
        sqlite: "SELECT COUNT(*) AS tables FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migration'",
        postgres: "SELECT COUNT(*) AS tables FROM pg_tables \
            WHERE schemaname = current_schema() AND tablename = 'schema_migration'");
    LIST = ("migration.list", "SELECT version, digest FROM schema_migration ORDER BY version");
    RECORD = ("migration.record", "INSERT INTO schema_migration (version, name, digest) VALUES ($1, $2, $3)");
}

impl Migration {
    fn text(&self, store: &Store) -> &'static str {
        match store.0 {
            Backend::Sqlite { .. } => self.sqlite,
            Backend::Postgres(_) => self.postgres,
        }
    }

    fn digest(&self, store: &Store) -> String {
        hex::encode(Sha256::digest(self.text(store)))
    }
}

/// Applies what is pending.
pub(super) async fn migrate(store: &Store) -> Result<usize> {
    let mut session = store.writer().await?;
    session.one(LOCK, values![]).await?;
    session.execute(CREATE, values![]).await?;
    let pending = unapplied(store, &mut session).await?;
    for migration in &pending {
        session.script(migration.name, migration.text(store)).await?;
        let values = values![migration.version, migration.name, migration.digest(store)];
        session.execute(RECORD, values).await?;
    }
    session.commit().await?;
    Ok(pending.len())
}

/// Names of what is pending.
pub(super) async fn pending(store: &Store) -> Result<Vec<String>> {
    let mut session = store.snapshot_reader().await?;
    let pending = if session.one(EXISTS, values![]).await?.int("tables")? == 0 {
        MIGRATIONS.iter().collect()
    } else {
        unapplied(store, &mut session).await?
    };
    session.end().await?;
    Ok(pending.iter().map(|migration| migration.name.to_owned()).collect())
}

async fn unapplied(store: &Store, session: &mut Session) -> Result<Vec<&'static Migration>> {
    let mut applied = std::collections::BTreeMap::new();
    for row in session.rows(LIST, values![]).await? {
        applied.insert(row.int("version")?, row.text("digest")?);
    }
    let mut pending = Vec::new();
    for migration in MIGRATIONS {
        match applied.remove(&migration.version) {
            None => pending.push(migration),
            Some(digest) if digest == migration.digest(store) => {}
            Some(_) => {
                return Err(Error::internal(format!(
                    "migration {} was changed after it was applied",
                    migration.name
                )));
            }
        }
    }
    // A newer release may have expanded the schema; this one works with it, because migrations expand before they
    // contract.
    Ok(pending)
}
