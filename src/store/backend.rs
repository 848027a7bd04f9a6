//! The store over its database: opening and closing, and the connections that sessions are made of.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, SqlSafeStr as _};

use super::dialect::{Connection, Held};
use super::fault;
use super::files::Files;
use super::known_credentials::KnownCredentials;
use super::lone::LoneConnection;
use super::measure::Waiting;
use super::pool::{Lease, Pool, PoolCounts};
use super::scope::Scope;
use super::signals::JournalSignals;
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::telemetry::Metrics;

/// The one pool of PostgreSQL in the metrics.
const POSTGRES_POOL: &str = "postgresql";

/// Options of the connections.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Most connections to PostgreSQL, or most readers of SQLite, which has one writer besides.
    pub max_connections: u32,
    /// How long a call waits for a connection, or for SQLite's writer, before the store counts as unavailable.
    pub acquire_timeout: Duration,
    /// What measures the statements.
    pub metrics: Metrics,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { max_connections: 8, acquire_timeout: Duration::from_secs(10), metrics: Metrics::default() }
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
    metrics: Metrics,
    journal: Arc<JournalSignals>,
    credentials: Arc<KnownCredentials>,
}

/// The two databases.
#[derive(Debug, Clone)]
pub(super) enum Backend {
    /// One writer, because SQLite has one; several readers, which see the last committed state.
    Sqlite {
        /// The one writer.
        writer: Writer,
        /// The readers.
        readers: Pool<Sqlite>,
        /// How long a session waits for the writer.
        patience: Duration,
    },
    /// A SQLite file that is only read.
    SqliteToRead {
        /// The readers.
        readers: Pool<Sqlite>,
    },
    /// PostgreSQL.
    Postgres {
        /// The connections of sessions.
        pool: Pool<Postgres>,
        /// What stands between.
        mode: Mode,
        /// The connection of the probe.
        probe: Arc<LoneConnection>,
        /// How long the first connection may take.
        patience: Duration,
    },
}

/// The file of a URL that begins with `sqlite:`; `None` for another URL. It is the file that [`Store::open`] opens.
pub fn sqlite_file(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    // Opening a URL with wrong options fails, and names the URL.
    let wrong = || PathBuf::from(rest.trim_start_matches("//").split('?').next().unwrap_or_default());
    Some(SqliteConnectOptions::from_str(url).map_or_else(|_| wrong(), |of| of.get_filename().to_owned()))
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
            let (mode, url) = Mode::of(url);
            let connect = PgConnectOptions::from_str(&url).map_err(|_| unreadable())?;
            return Ok(Self::over(open_postgres(connect, mode, options), options));
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
        Ok(Self::over(opened, options))
    }

    fn over(backend: Backend, options: &StoreOptions) -> Self {
        Self {
            backend,
            metrics: options.metrics.clone(),
            journal: Arc::default(),
            credentials: Arc::default(),
        }
    }

    /// The credentials that were read a moment ago.
    pub(super) fn known_credentials(&self) -> Arc<KnownCredentials> {
        Arc::clone(&self.credentials)
    }

    /// What the writers and the sealer of the journal signal to each other within this process.
    pub(super) fn journal_signals(&self) -> Arc<JournalSignals> {
        Arc::clone(&self.journal)
    }

    /// What measures the statements, and the rest of the service.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The numbers of connections, by pool. PostgreSQL has one pool for readers and writers.
    pub fn connections(&self) -> Vec<(&'static str, PoolCounts)> {
        match &self.backend {
            Backend::Sqlite { writer, readers, .. } => {
                vec![("reader", readers.counts()), ("writer", writer.counts())]
            }
            Backend::SqliteToRead { readers } => vec![("reader", readers.counts())],
            Backend::Postgres { pool, .. } => vec![(POSTGRES_POOL, pool.counts())],
        }
    }

    /// Opens a SQLite file to read it, while a service may write to it.
    pub async fn open_to_read(file: &Path) -> Result<Self> {
        Self::of_readers(SqliteConnectOptions::new().filename(file)).await
    }

    /// Opens a SQLite file that nobody writes to, such as a backup. Nothing is locked and nothing is written beside it.
    pub async fn open_copy(file: &Path) -> Result<Self> {
        Self::of_readers(SqliteConnectOptions::new().filename(file).immutable(true)).await
    }

    async fn of_readers(connect: SqliteConnectOptions) -> Result<Self> {
        let options = StoreOptions::default();
        let connect = connect
            .read_only(true)
            .busy_timeout(options.acquire_timeout)
            .row_buffer_size(500)
            .disable_statement_logging();
        let readers = Pool::new(connect, options.max_connections, options.acquire_timeout);
        let lease = readers.lease(|| Ok(())).await.map_err(|error| fault::of("open", error))?;
        drop(lease);
        Ok(Self::over(Backend::SqliteToRead { readers }, &options))
    }

    /// Closes all connections, after the sessions in use have ended.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
                writer.files().set_aside_foreign_log();
            }
            Backend::SqliteToRead { readers } => readers.close().await,
            Backend::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// A connection for one statement that reads.
    pub(super) async fn connect_to_read(&self, scope: &Scope) -> Result<Connection> {
        let connecting = async {
            match &self.backend {
                Backend::Sqlite { readers, writer, .. } => reader(readers, writer).await.map(Held::Sqlite),
                Backend::SqliteToRead { readers } => readers.lease(|| Ok(())).await.map(Held::Sqlite),
                Backend::Postgres { pool, mode, .. } => {
                    Box::pin(begun(pool, "BEGIN READ ONLY", &scope.settings(None)))
                        .await
                        .map(|lease| mode.connection(lease))
                }
            }
        };
        self.connected("reader", connecting).await
    }

    /// Copies the log of a SQLite database into its file and empties it, so that deleted rows stay in neither. Other
    /// databases have no such file of ours.
    pub(super) async fn empty_log(&self) -> Result<()> {
        let Backend::Sqlite { writer, .. } = &self.backend else { return Ok(()) };
        let _alone = writer.log().pause().await;
        if !self.connect_to_read(&Scope::System).await?.empty_log().await? {
            tracing::warn!(
                "the log of the database is in use: it keeps what was deleted until later changes overwrite it"
            );
        }
        Ok(())
    }

    /// A connection for several statements that read one and the same moment.
    pub(super) async fn connect_to_snapshot(&self, scope: &Scope) -> Result<Connection> {
        const REPEATABLE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let connecting = async {
            match &self.backend {
                Backend::Sqlite { readers, writer, .. } => {
                    let mut lease = reader(readers, writer).await?;
                    lease.begin("BEGIN".into_sql_str()).await?;
                    Ok(Held::Sqlite(lease))
                }
                Backend::SqliteToRead { readers } => {
                    let mut lease = readers.lease(|| Ok(())).await?;
                    lease.begin("BEGIN".into_sql_str()).await?;
                    Ok(Held::Sqlite(lease))
                }
                Backend::Postgres { pool, mode, .. } => {
                    Box::pin(begun(pool, REPEATABLE, &scope.settings(None)))
                        .await
                        .map(|lease| mode.connection(lease))
                }
            }
        };
        self.connected("reader", connecting).await
    }

    /// A connection that writes, in a transaction, for a principal if a call has one.
    pub(super) async fn connect_to_write(
        &self,
        scope: &Scope,
        principal: Option<&str>,
    ) -> Result<Connection> {
        let connecting = async {
            match &self.backend {
                Backend::Sqlite { writer, patience, .. } => {
                    writer.turn(*patience).await.map(Held::SqliteWrite)
                }
                Backend::SqliteToRead { .. } => {
                    Err(sqlx::Error::Io(std::io::Error::other("a database that is only read was written to")))
                }
                Backend::Postgres { pool, mode, .. } => {
                    let settings = scope.settings(principal);
                    Box::pin(begun(pool, mode.begin_to_write(), &settings))
                        .await
                        .map(|lease| mode.connection(lease))
                }
            }
        };
        self.connected("writer", connecting).await
    }

    /// The connection of a session, which has waited for it.
    async fn connected(
        &self,
        pool: &'static str,
        connecting: impl Future<Output = Result<Held, sqlx::Error>>,
    ) -> Result<Connection> {
        let pool = if matches!(self.backend, Backend::Postgres { .. }) { POSTGRES_POOL } else { pool };
        let waiting = Waiting::begin(&self.metrics, pool);
        let held = connecting.await;
        drop(waiting);
        held.map(|held| Connection::new(held, &self.metrics)).map_err(|error| fault::of("begin", error))
    }
}

async fn reader(readers: &Pool<Sqlite>, writer: &Writer) -> Result<Lease<Sqlite>, sqlx::Error> {
    // A new connection would open the file that has the place of a replaced one.
    writer.files().last_check()?;
    readers.lease(|| writer.files().check()).await
}

/// A connection in a transaction that sees the rows of a scope: the policies of the tables hide all others. A connection that
/// has waited may be to a server that is gone; another one is tried then.
async fn begun(
    pool: &Pool<Postgres>,
    begin: &'static str,
    settings: &str,
) -> Result<Lease<Postgres>, sqlx::Error> {
    // One text is one round trip. A setting of the transaction alone cannot outlive it on a connection that another call gets.
    let text = AssertSqlSafe(format!("{begin}; {settings}")).into_sql_str();
    let mut lease = pool.lease(|| Ok(())).await?;
    if lease.begin(text.clone()).await.is_ok() {
        return Ok(lease);
    }
    drop(lease);
    let mut lease = pool.lease(|| Ok(())).await?;
    lease.begin(text).await?;
    Ok(lease)
}

/// What stands between the store and PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing: statements are prepared once for each connection.
    Direct,
    /// A pooler that gives a connection to another client after each transaction, such as PgBouncer. Every statement is
    /// unnamed and in a transaction, and settings end with their transaction. Asked for by `pooler=transaction` in the URL.
    Pooled,
}

impl Mode {
    /// The mode that a URL asks for, and the URL without it.
    fn of(url: &str) -> (Self, String) {
        let Some((base, query)) = url.split_once('?') else { return (Self::Direct, url.to_owned()) };
        let (asked, others): (Vec<&str>, Vec<&str>) =
            query.split('&').partition(|option| *option == "pooler=transaction");
        let mode = if asked.is_empty() { Self::Direct } else { Self::Pooled };
        (mode, if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) })
    }

    fn begin_to_write(self) -> &'static str {
        match self {
            // The session has the settings from its start.
            Self::Direct => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            Self::Pooled => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
                 SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '60s'"
            }
        }
    }

    fn connection(self, lease: Lease<Postgres>) -> Held {
        match self {
            Self::Direct => Held::Postgres(lease),
            Self::Pooled => Held::PostgresPooled(lease),
        }
    }
}

/// Pages of the write-ahead log before it is copied into the database file: 16 MiB.
const CHECKPOINT_PAGES: &str = "4096";
/// Statements that a connection to PostgreSQL keeps prepared: all of the store, and bulk inserts of some sizes.
const PREPARED: usize = 300;
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
    let writer = Writer::open(writing, connect.clone(), files).await?;
    let reading = connect.pragma("query_only", "ON").row_buffer_size(500);
    let readers = Pool::new(reading, options.max_connections.max(1), options.acquire_timeout);
    Ok(Backend::Sqlite { writer, readers, patience: options.acquire_timeout })
}

fn open_postgres(connect: PgConnectOptions, mode: Mode, options: &StoreOptions) -> Backend {
    let connect = connect.application_name("wim-match").disable_statement_logging();
    let connect = match mode {
        Mode::Direct => connect
            .statement_cache_capacity(PREPARED)
            .options([("lock_timeout", "10s"), ("idle_in_transaction_session_timeout", "60s")]),
        Mode::Pooled => connect.statement_cache_capacity(0),
    };
    let pool = Pool::new(connect.clone(), options.max_connections.max(1), options.acquire_timeout);
    let probe = Arc::new(LoneConnection::new(connect));
    Backend::Postgres { pool, mode, probe, patience: options.acquire_timeout }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_url_is_the_one_that_is_opened() {
        for (url, file) in [
            ("sqlite:wim.db", Some("wim.db")),
            ("sqlite:///var/wim.db?mode=rwc", Some("/var/wim.db")),
            ("sqlite:/var/my%20wim.db", Some("/var/my wim.db")),
            ("sqlite:wim.db?none=1", Some("wim.db")),
            ("postgres://host/wim", None),
        ] {
            assert_eq!(sqlite_file(url).as_deref(), file.map(Path::new), "{url}");
        }
    }

    #[test]
    fn a_pooler_is_named_in_the_url() {
        let of = |url| Mode::of(url);
        assert_eq!(of("postgres://h/d"), (Mode::Direct, "postgres://h/d".to_owned()));
        assert_eq!(of("postgres://h/d?pooler=transaction"), (Mode::Pooled, "postgres://h/d".to_owned()));
        let both = of("postgres://h/d?sslmode=require&pooler=transaction&user=u");
        assert_eq!(both, (Mode::Pooled, "postgres://h/d?sslmode=require&user=u".to_owned()));
    }
}
