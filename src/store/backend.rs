//! The store over its database: opening and closing, and the connections that sessions are made of.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::dialect::Connection;
use super::fault;
use super::files::Files;
use super::probe::ProbeConnection;
use super::writer::Writer;
use crate::error::{Error, Result};

/// Options of the connections.
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
///
/// A read without a scope does not compile:
///
/// ```compile_fail,E0061
/// async fn read(store: &wim_match::store::Store, run: &wim_match::domain::name::RunRef) {
///     let _ = store.run(run).await; // `store.run(&scope, run)` compiles.
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) backend: Backend,
}

/// The two databases.
#[derive(Debug, Clone)]
pub(super) enum Backend {
    /// One writer, because SQLite has one; several readers, which see the last committed state.
    Sqlite {
        /// The one writer.
        writer: Writer,
        /// The readers.
        readers: SqlitePool,
        /// How long a session waits for the writer.
        patience: Duration,
    },
    /// PostgreSQL.
    Postgres {
        /// The connections of sessions.
        pool: PgPool,
        /// The connection of the probe.
        probe: Arc<ProbeConnection>,
        /// How long the first connection may take.
        patience: Duration,
    },
}

impl Store {
    /// Opens the database at `url`: `postgres://...`, `sqlite:<path>` or a path of a SQLite file. A missing SQLite file
    /// is created. Connections to PostgreSQL are made when they are first needed.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_with(url, &StoreOptions::default()).await
    }

    /// Opens the database at `url`, with options.
    pub async fn open_with(url: &str, options: &StoreOptions) -> Result<Self> {
        // The URL may hold a password, and sqlx's errors may quote the URL: neither goes into the error.
        let unreadable = || {
            Error::invalid_field("database", "", "is neither a path of a SQLite file nor a `postgres://` URL")
        };
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let connect = PgConnectOptions::from_str(url).map_err(|_| unreadable())?;
            return Ok(Self { backend: open_postgres(connect, options) });
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
        let opened = open_sqlite(connect, options).await.map_err(|error| fault::of("open", error))?;
        Ok(Self { backend: opened })
    }

    /// Closes all connections, after the sessions in use have ended.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
                writer.files().set_aside_foreign_log();
            }
            Backend::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// A connection for one statement that reads.
    pub(super) async fn connect_to_read(&self) -> Result<Connection> {
        let connection = match &self.backend {
            Backend::Sqlite { readers, writer, .. } => match writer.files().last_check() {
                Ok(()) => readers.acquire().await.map(Connection::SqliteRead),
                Err(error) => Err(error.into()),
            },
            Backend::Postgres { pool, .. } => {
                pool.begin_with("BEGIN READ ONLY").await.map(Connection::Postgres)
            }
        };
        connection.map_err(|error| fault::of("begin", error))
    }

    /// A connection for several statements that read one and the same moment.
    pub(super) async fn connect_to_snapshot(&self) -> Result<Connection> {
        let connection = match &self.backend {
            Backend::Sqlite { readers, writer, .. } => match writer.files().last_check() {
                Ok(()) => readers.begin().await.map(Connection::SqliteSnapshot),
                Err(error) => Err(error.into()),
            },
            Backend::Postgres { pool, .. } => pool
                .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await
                .map(Connection::Postgres),
        };
        connection.map_err(|error| fault::of("begin", error))
    }

    /// A connection that writes, in a transaction.
    pub(super) async fn connect_to_write(&self) -> Result<Connection> {
        let connection = match &self.backend {
            Backend::Sqlite { writer, patience, .. } => {
                writer.turn(*patience).await.map(Connection::SqliteWrite)
            }
            // The settings end with the transaction, so a pooler cannot carry them to another client.
            Backend::Postgres { pool, .. } => pool
                .begin_with(
                    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
                     SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '60s'",
                )
                .await
                .map(Connection::Postgres),
        };
        connection.map_err(|error| fault::of("begin", error))
    }
}

/// Pages of the write-ahead log before it is copied into the database file: 16 MiB.
const CHECKPOINT_PAGES: &str = "4096";
/// Size that the log file is cut to after a large transaction: 64 MiB.
const LOG_LIMIT: &str = "67108864";

async fn open_sqlite(connect: SqliteConnectOptions, options: &StoreOptions) -> Result<Backend, sqlx::Error> {
    let files = Files::create(connect.get_filename()).map_err(sqlx::Error::Io)?;
    let connect = connect
        // Created above, with its permissions; a file that has vanished since is not made anew.
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(options.acquire_timeout)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL syncs the log at every commit: acknowledged is durable, also through a power failure.
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        // What was deleted is overwritten, so that erased answers do not stay in free pages.
        .pragma("secure_delete", "ON")
        .pragma("journal_size_limit", LOG_LIMIT)
        .disable_statement_logging();
    let writing = connect.clone().pragma("cache_size", "-32768").optimize_on_close(true, 400);
    let writer = Writer::open(writing, files).await?;
    let readers = SqlitePoolOptions::new()
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .max_connections(options.max_connections.max(1))
        .connect_lazy_with(connect.pragma("query_only", "ON").row_buffer_size(500));
    Ok(Backend::Sqlite { writer, readers, patience: options.acquire_timeout })
}

fn open_postgres(connect: PgConnectOptions, options: &StoreOptions) -> Backend {
    let connect =
        connect.application_name("wim-match").statement_cache_capacity(0).disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections.max(1))
        .acquire_timeout(options.acquire_timeout)
        .connect_lazy_with(connect.clone());
    let probe = Arc::new(ProbeConnection::new(connect));
    Backend::Postgres { pool, probe, patience: options.acquire_timeout }
}
