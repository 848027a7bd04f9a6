//! Migrations: compiled in, applied in one transaction under a lock, so that several replicas may start at once. The
//! migrator of sqlx is not used: it takes no lock on SQLite, and on PostgreSQL it needs a database session of its own,
//! which a pooler does not provide.

use sha2::{Digest as _, Sha256};

use super::backend::{Backend, Store};
use super::dialect::{Connection, Row, Value, values};
use super::fault;
use super::scope::Scope;
use super::statement::{Statement, statements};
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

/// All migrations, in order. An applied migration is never edited: its digest is checked.
const MIGRATIONS: &[Migration] = &[migration!(1, "0001_house")];

statements! {
    schema CREATE = ("migration.create", "CREATE TABLE IF NOT EXISTS schema_migration (\
        version BIGINT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL)");
    // One fixed number, so that replicas wait for one another. The lock ends with the transaction.
    schema LOCK = ("migration.lock",
        sqlite: "SELECT 1 AS locked",
        postgres: "SELECT 1 AS locked FROM (SELECT pg_advisory_xact_lock(7305803642)) AS lock");
    schema EXISTS = ("migration.exists",
        sqlite: "SELECT COUNT(*) AS tables FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migration'",
        postgres: "SELECT COUNT(*) AS tables FROM pg_tables \
            WHERE schemaname = current_schema() AND tablename = 'schema_migration'");
    schema LIST = ("migration.list", "SELECT version, name, digest FROM schema_migration ORDER BY version");
    schema RECORD = ("migration.record", "INSERT INTO schema_migration (version, name, digest) VALUES ($1, $2, $3)");
}

/// A schema that this version cannot use.
#[derive(Debug, thiserror::Error)]
pub(super) enum SchemaFault {
    /// A later version has changed what this version needs.
    #[error("the schema is newer: {0}")]
    Newer(String),
    /// The text of an applied migration is not the one of this version.
    #[error("the text of the migration {0} is another one")]
    Changed(String),
}

/// Number of the newest migration of this version.
pub fn newest_schema() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

impl Migration {
    fn text(&self, store: &Store) -> &'static str {
        match store.backend {
            Backend::Sqlite { .. } | Backend::SqliteToRead { .. } => self.sqlite,
            Backend::Postgres { .. } => self.postgres,
        }
    }

    fn digest(&self, store: &Store) -> String {
        hex::encode(Sha256::digest(self.text(store)))
    }
}

impl Store {
    /// Brings the schema up to date and returns the number of migrations that were applied. Safe to call from several
    /// replicas at once: one migrates, the others wait. A schema that has every migration of this version is only read, so that
    /// a role that owns nothing may call it, also after a newer version has migrated.
    pub async fn migrate(&self) -> Result<usize> {
        self.reach().await?;
        let applied =
            if self.pending_migrations().await?.is_empty() { 0 } else { self.apply_pending().await? };
        let unknown = self.unknown_migrations().await?;
        if !unknown.is_empty() {
            // A newer release may have expanded the schema: this release works with it. A contracted schema lacks something.
            let unknown = unknown.join(", ");
            if let Err(error) = self.prepare_statements().await {
                tracing::error!(
                    error = crate::error::chain(&error),
                    unknown,
                    "the schema is newer than this version"
                );
                let fault = SchemaFault::Newer(unknown);
                return Err(Error::Internal("the schema does not fit".into(), Some(Box::new(fault))));
            }
            tracing::warn!(unknown, "the schema is newer than this version, whose statements fit it");
        }
        Ok(applied)
    }

    /// Applies the migrations that are not applied once the lock is held.
    async fn apply_pending(&self) -> Result<usize> {
        let mut connection = self.connect_to_write(&Scope::System, None).await?;
        one(&mut connection, LOCK).await?;
        connection.execute(CREATE, values![]).await?;
        let (pending, _) = compared(self, &mut connection).await?;
        for migration in &pending {
            connection.script(migration.name, migration.text(self)).await?;
            let values = values![migration.version, migration.name, migration.digest(self)];
            let recorded = connection.execute(RECORD, values).await?;
            fault::expect_rows(RECORD.name, recorded, 1)?;
        }
        connection.commit().await?;
        Ok(pending.len())
    }

    /// Number and name of the newest migration that is applied, which this version may not know; `None` for a database
    /// without a schema of this application.
    pub async fn schema(&self) -> Result<Option<(i64, String)>> {
        let mut connection = self.connect_to_snapshot(&Scope::System).await?;
        let newest = if one(&mut connection, EXISTS).await?.int("tables")? == 0 {
            None
        } else {
            connection.rows(LIST, values![]).await?.pop()
        };
        connection.end().await?;
        newest.map(|row| Ok((row.int("version")?, row.text("name")?))).transpose()
    }

    /// Names of the migrations that are not applied yet.
    pub async fn pending_migrations(&self) -> Result<Vec<String>> {
        let mut connection = self.connect_to_snapshot(&Scope::System).await?;
        let pending = if one(&mut connection, EXISTS).await?.int("tables")? == 0 {
            MIGRATIONS.iter().collect()
        } else {
            compared(self, &mut connection).await?.0
        };
        connection.end().await?;
        Ok(pending.iter().map(|migration| migration.name.to_owned()).collect())
    }

    /// Names of the migrations that a newer version has applied.
    pub async fn unknown_migrations(&self) -> Result<Vec<String>> {
        let mut connection = self.connect_to_snapshot(&Scope::System).await?;
        let unknown = if one(&mut connection, EXISTS).await?.int("tables")? == 0 {
            Vec::new()
        } else {
            compared(self, &mut connection).await?.1
        };
        connection.end().await?;
        Ok(unknown)
    }
}

/// The one row of a statement without values.
async fn one(connection: &mut Connection, statement: Statement) -> Result<Row> {
    let row = connection.row(statement, Vec::<Value>::new()).await?;
    row.ok_or_else(|| fault::of(statement.name, sqlx::Error::RowNotFound))
}

/// The migrations that are not applied, and the names of the applied ones that this version does not know.
async fn compared(
    store: &Store,
    connection: &mut Connection,
) -> Result<(Vec<&'static Migration>, Vec<String>)> {
    let mut applied = std::collections::BTreeMap::new();
    for row in connection.rows(LIST, values![]).await? {
        applied.insert(row.int("version")?, (row.text("digest")?, row.text("name")?));
    }
    let mut pending = Vec::new();
    for migration in MIGRATIONS {
        match applied.remove(&migration.version) {
            None => pending.push(migration),
            Some((digest, _)) if digest == migration.digest(store) => {}
            Some(_) => {
                let fault = SchemaFault::Changed(migration.name.to_owned());
                let message = format!("migration {} was changed after it was applied", migration.name);
                return Err(Error::Internal(message.into(), Some(Box::new(fault))));
            }
        }
    }
    Ok((pending, applied.into_values().map(|(_, name)| name).collect()))
}
