//! What is kept: one store over two databases, SQLite by default and PostgreSQL by URL. The only importer of sqlx.
//!
//! Reads take the [`Scope`] of the caller and answer foreign rows as if they did not exist. Writes happen in a
//! [`WriteSession`], a transaction that must be consumed by `commit`; it writes the journal and remembers the answer by
//! `request_id` in the same transaction. Statements have one text for both databases; a test prepares every one of
//! them on both.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::domain::caller::Caller;
use crate::domain::name::OrganisationId;
use crate::error::{Error, Result};

use dialect::Session;

mod dialect;
mod fault;
mod import;
mod inspect;
mod journal;
mod migration;
mod organisation;
mod profile;
mod queue;
mod result;
mod round;
mod run;
mod session;
mod token;

pub use import::{Duplicate, ImportCounts, ImportKey, StagedRow};
pub use inspect::Plan;
pub use journal::JournalLine;
pub use queue::{ClaimedRun, Heartbeat, RunOutcome};
pub use result::{StoredMatch, StoredUnmatched};
pub use session::{Begun, Receipt, RequestKey, WriteSession};
pub use token::{NewToken, Token};

/// Which rows a call may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those of every organisation.
    Alliance,
    /// Those of one organisation; all others do not exist.
    Organisation(OrganisationId),
}

impl Scope {
    /// Whether rows of `organisation` exist for the caller.
    pub fn covers(&self, organisation: &OrganisationId) -> bool {
        self.organisation().is_none_or(|own| own == organisation)
    }

    /// The one organisation, if the scope is limited to one.
    pub fn organisation(&self) -> Option<&OrganisationId> {
        match self {
            Self::Alliance => None,
            Self::Organisation(own) => Some(own),
        }
    }

    /// The one organisation as a value of a statement.
    fn id(&self) -> Option<&str> {
        self.organisation().map(OrganisationId::as_str)
    }
}

impl From<&Caller> for Scope {
    fn from(caller: &Caller) -> Self {
        caller.organisation().map_or(Self::Alliance, |own| Self::Organisation(own.clone()))
    }
}

/// How connections are kept.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Most connections to PostgreSQL, or most readers of SQLite, which has one writer besides.
    pub max_connections: u32,
    /// How long a call waits for a connection, or for SQLite's writer, before the store counts as unavailable.
    pub acquire_timeout: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { max_connections: 8, acquire_timeout: Duration::from_secs(10) }
    }
}

/// The store. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store(Backend);

#[derive(Debug, Clone)]
enum Backend {
    /// One writer, because SQLite has one; several readers, which see the last committed state.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl Store {
    /// Opens the database at `url`: `postgres://...`, `sqlite:<path>` or a path of a SQLite file, which is created if it
    /// is missing. Connections to PostgreSQL are made when they are first needed.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_with(url, &StoreOptions::default()).await
    }

    /// Opens the database at `url`, with options.
    pub async fn open_with(url: &str, options: &StoreOptions) -> Result<Self> {
        // The URL may hold a password, and sqlx's errors may quote it: neither goes into the error.
        let unreadable = || {
            Error::invalid_field("database", "", "is neither a path of a SQLite file nor a `postgres://` URL")
        };
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let connect = PgConnectOptions::from_str(url).map_err(|_| unreadable())?;
            return Ok(Self(Backend::Postgres(open_postgres(connect, options))));
        }
        let connect = match url.strip_prefix("sqlite:") {
            Some(_) => SqliteConnectOptions::from_str(url).map_err(|_| unreadable())?,
            None => SqliteConnectOptions::new().filename(url),
        };
        if url.is_empty() || url.contains(":memory:") || url.contains("mode=memory") {
            return Err(Error::invalid_field(
                "database",
                url,
                "a database in memory would lose what was acknowledged",
            ));
        }
        open_sqlite(connect, options).await.map(Self).map_err(|error| fault::of("open", error))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        inspect::ping(self).await
    }

    /// Brings the schema up to date, and says how many migrations were applied. Safe to call from several replicas at
    /// once: one migrates, the others wait.
    pub async fn migrate(&self) -> Result<usize> {
        migration::migrate(self).await
    }

    /// Names of the migrations that are not applied yet.
    pub async fn pending_migrations(&self) -> Result<Vec<String>> {
        migration::pending(self).await
    }

    /// Closes all connections, after those in use have been given back.
    pub async fn close(&self) {
        match &self.0 {
            Backend::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Backend::Postgres(pool) => pool.close().await,
        }
    }

    /// `sqlite` or `postgresql`.
    pub fn system(&self) -> &'static str {
        match &self.0 {
            Backend::Sqlite { .. } => "sqlite",
            Backend::Postgres(_) => "postgresql",
        }
    }

    /// A session for one statement that reads.
    async fn reader(&self) -> Result<Session> {
        let session = match &self.0 {
            Backend::Sqlite { readers, .. } => readers.acquire().await.map(Session::SqliteRead),
            Backend::Postgres(pool) => pool.begin_with("BEGIN READ ONLY").await.map(Session::Postgres),
        };
        session.map_err(|error| fault::of("begin", error))
    }

    /// A session for several statements that read one and the same moment.
    async fn snapshot_reader(&self) -> Result<Session> {
        let session = match &self.0 {
            Backend::Sqlite { readers, .. } => readers.begin().await.map(Session::Sqlite),
            Backend::Postgres(pool) => pool
                .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await
                .map(Session::Postgres),
        };
        session.map_err(|error| fault::of("begin", error))
    }

    /// A session that writes.
    async fn writer(&self) -> Result<Session> {
        let session = match &self.0 {
            Backend::Sqlite { writer, .. } => writer.begin_with("BEGIN IMMEDIATE").await.map(Session::Sqlite),
            // The settings end with the transaction, so a pooler cannot carry them to another client.
            Backend::Postgres(pool) => pool
                .begin_with(
                    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
                     SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '60s'",
                )
                .await
                .map(Session::Postgres),
        };
        session.map_err(|error| fault::of("begin", error))
    }
}

/// Pages of the write-ahead log before it is copied into the database file: 16 MiB.
const CHECKPOINT_PAGES: &str = "4096";
/// Size that the log file is cut to after a large transaction: 64 MiB.
const LOG_LIMIT: &str = "67108864";

async fn open_sqlite(connect: SqliteConnectOptions, options: &StoreOptions) -> Result<Backend, sqlx::Error> {
    let connect = connect
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(options.acquire_timeout)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL syncs the log at every commit: acknowledged is durable, also through a power failure.
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", LOG_LIMIT)
        .disable_statement_logging();
    let pool = || {
        SqlitePoolOptions::new()
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
    };
    let writer = pool()
        .max_connections(1)
        .connect_with(connect.clone().pragma("cache_size", "-32768").optimize_on_close(true, 400))
        .await?;
    let readers = pool()
        .max_connections(options.max_connections.max(1))
        .connect_lazy_with(connect.pragma("query_only", "ON").row_buffer_size(500));
    Ok(Backend::Sqlite { writer, readers })
}

fn open_postgres(connect: PgConnectOptions, options: &StoreOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(options.max_connections.max(1))
        .acquire_timeout(options.acquire_timeout)
        .connect_lazy_with(
            connect.application_name("wim-match").statement_cache_capacity(0).disable_statement_logging(),
        )
}
