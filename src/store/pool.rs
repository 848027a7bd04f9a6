//! Connections that sessions borrow: of PostgreSQL, and the readers of SQLite.
//!
//! A connection is lent out as it came back, the last one first. Only a connection that nobody used for a while is asked
//! whether its server still answers, so a busy pool sends nothing besides statements.
//!
//! Invariants:
//! - A connection comes back only if its last statement has ended well or with an error that leaves it usable, and outside
//!   of a transaction: a session that is dropped inside a transaction has it rolled back first.
//! - A connection whose statement was abandoned, or whose server is gone, is closed.
//! - After an error inside a transaction nothing more runs and nothing is committed. (PostgreSQL answers the COMMIT of a
//!   failed transaction with a rollback and no error.)

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::{ConnectOptions, Connection, Database, Executor, SqlSafeStr as _, SqlStr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use crate::clock::Stopwatch;

/// Time after which an unused connection is tried before it is lent out.
const RESTED: Duration = Duration::from_secs(1);
/// Time that the rollback of a dropped session may take.
const ROLLBACK_TIME: Duration = Duration::from_secs(5);

type OptionsOf<DB> = <<DB as Database>::Connection as Connection>::Options;

/// The connections. Clones share them.
#[derive(Debug)]
pub(super) struct Pool<DB: Database>(Arc<Shared<DB>>);

impl<DB: Database> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Shared<DB: Database> {
    options: OptionsOf<DB>,
    /// The most connections, and one permit for each of them.
    most: u32,
    permits: Arc<Semaphore>,
    /// Connections that wait, each with the time since it came back; the last one is lent first.
    idle: Mutex<Vec<(DB::Connection, Stopwatch)>>,
    /// How long a session waits for a connection.
    patience: Duration,
    rollbacks: TaskTracker,
    /// Rolls back the transaction of a dropped session; the connection is gone if that fails. A function of its own, because
    /// `Drop` knows of the database only what the type says.
    roll_back: RollBack<DB>,
}

type RollBack<DB> = fn(<DB as Database>::Connection) -> RolledBack<DB>;
type RolledBack<DB> = Pin<Box<dyn Future<Output = Option<<DB as Database>::Connection>> + Send>>;

impl<DB: Database> std::fmt::Debug for Shared<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("most", &self.most).finish_non_exhaustive()
    }
}

/// Numbers of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolCounts {
    /// In use by sessions.
    pub used: u64,
    /// Open and waiting for a session.
    pub idle: u64,
    /// The most that may be open.
    pub most: u64,
}

/// A borrowed connection.
pub(super) struct Lease<DB: Database> {
    connection: Option<DB::Connection>,
    permit: Option<OwnedSemaphorePermit>,
    pool: Arc<Shared<DB>>,
    /// In a transaction.
    open: bool,
    /// A statement runs, or its future was dropped while it ran.
    busy: bool,
    /// An error has ended the transaction, or the server is gone.
    failed: Option<Failed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failed {
    /// The transaction; the connection works.
    Transaction,
    /// The connection.
    Connection,
}

impl<DB: Database> std::fmt::Debug for Lease<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease")
            .field("open", &self.open)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl<DB: Database> Pool<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// A pool without a connection yet.
    pub(super) fn new(options: OptionsOf<DB>, most: u32, patience: Duration) -> Self {
        let permits = Arc::new(Semaphore::new(most as usize));
        let (idle, rollbacks) = (Mutex::new(Vec::new()), TaskTracker::new());
        let roll_back: RollBack<DB> = |mut connection| {
            Box::pin(async move {
                let rolled_back = async { connection.execute(sqlx::raw_sql("ROLLBACK")).await.map(drop) };
                let done = tokio::time::timeout(ROLLBACK_TIME, rolled_back).await;
                matches!(done, Ok(Ok(()))).then_some(connection)
            })
        };
        Self(Arc::new(Shared { options, most, permits, idle, patience, rollbacks, roll_back }))
    }

    /// A new connection beside the pool.
    pub(super) async fn connect(&self) -> Result<DB::Connection, sqlx::Error> {
        self.0.options.connect().await
    }

    /// A connection. `before_connect` may refuse a new one.
    pub(super) async fn lease(
        &self,
        before_connect: impl FnOnce() -> io::Result<()> + Send,
    ) -> Result<Lease<DB>, sqlx::Error> {
        let leased = async {
            let permits = Arc::clone(&self.0.permits);
            let permit = permits.acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
            let connection = if let Some(connection) = self.waiting().await {
                connection
            } else {
                before_connect()?;
                self.connect().await?
            };
            Ok(Lease {
                connection: Some(connection),
                permit: Some(permit),
                pool: Arc::clone(&self.0),
                open: false,
                busy: false,
                failed: None,
            })
        };
        tokio::time::timeout(self.0.patience, leased).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// A connection that waits and works.
    async fn waiting(&self) -> Option<DB::Connection> {
        loop {
            let (mut connection, since) = self.0.idle().pop()?;
            if since.elapsed() < RESTED || Connection::ping(&mut connection).await.is_ok() {
                return Some(connection);
            }
        }
    }

    /// The connections that sessions use, those that wait, and the most.
    pub(super) fn counts(&self) -> PoolCounts {
        let used = u64::from(self.0.most).saturating_sub(self.0.permits.available_permits() as u64);
        PoolCounts { used, idle: self.0.idle().len() as u64, most: self.0.most.into() }
    }

    /// Closes the connections, after the sessions in use have ended.
    pub(super) async fn close(&self) {
        self.0.rollbacks.close();
        // Every session has given its permit back.
        let all = self.0.permits.acquire_many(self.0.most).await;
        self.0.rollbacks.wait().await;
        self.0.permits.close();
        drop(all);
        let idle = std::mem::take(&mut *self.0.idle());
        for (connection, _) in idle {
            if let Err(error) = connection.close().await {
                tracing::debug!(error = %error, "a connection closed with an error");
            }
        }
    }
}

impl<DB: Database> Shared<DB> {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(DB::Connection, Stopwatch)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_back(&self, connection: DB::Connection) {
        self.idle().push((connection, Stopwatch::start()));
    }
}

impl<DB: Database> Lease<DB> {
    /// The connection, for one statement, whose result goes to `judge`.
    pub(super) fn connection(&mut self) -> Result<&mut DB::Connection, sqlx::Error> {
        if std::mem::replace(&mut self.busy, true) {
            self.failed = Some(Failed::Connection);
        }
        match &mut self.connection {
            Some(connection) if self.failed.is_none() => Ok(connection),
            _ => Err(sqlx::Error::Io(io::Error::other("an earlier error has ended the session"))),
        }
    }

    /// Looks at the result of a statement.
    pub(super) fn judge<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        self.busy = false;
        if let Err(error) = &result {
            let failed = failure_of(error, self.open);
            // The other connections are to a server that is gone, too.
            if failed == Some(Failed::Connection) {
                self.pool.idle().clear();
            }
            self.failed = self.failed.max_of(failed);
        }
        result
    }

    /// Whether an error has ended the transaction.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_some() || self.busy
    }
}

impl<DB: Database> Lease<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// Begins a transaction by `text`.
    pub(super) async fn begin(&mut self, text: SqlStr) -> Result<(), sqlx::Error> {
        self.open = true;
        self.control(text).await
    }

    /// Ends the transaction by COMMIT.
    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        if self.open {
            self.control("COMMIT".into_sql_str()).await?;
            self.open = false;
        }
        Ok(())
    }

    /// Ends the transaction, which has changed nothing. A reader's COMMIT is its ROLLBACK.
    pub(super) async fn end(mut self) -> Result<(), sqlx::Error> {
        if self.open && !self.has_failed() {
            self.control("ROLLBACK".into_sql_str()).await?;
            self.open = false;
        }
        Ok(())
    }

    async fn control(&mut self, text: SqlStr) -> Result<(), sqlx::Error> {
        let connection = self.connection()?;
        let done = connection.execute(sqlx::raw_sql(text)).await;
        self.judge(done.map(drop))
    }
}

trait MaxOf {
    fn max_of(self, other: Self) -> Self;
}

impl MaxOf for Option<Failed> {
    fn max_of(self, other: Self) -> Self {
        if self == Some(Failed::Connection) { self } else { other.or(self) }
    }
}

/// What an error leaves unusable.
fn failure_of(error: &sqlx::Error, open: bool) -> Option<Failed> {
    match error {
        sqlx::Error::RowNotFound
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_) => None,
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            // Of PostgreSQL: the connection is gone, the server shuts down, or a prepared statement no longer fits the schema.
            let gone = ["08", "57P"].iter().any(|class| code.starts_with(class)) || code == "0A000";
            // Of SQLite: the disk fails, the file is damaged.
            let broken = code.len() < 5
                && code.parse().is_ok_and(|code: i32| matches!(code & 0xff, 7 | 10 | 11 | 13 | 14 | 26));
            if gone || broken { Some(Failed::Connection) } else { open.then_some(Failed::Transaction) }
        }
        _ => Some(Failed::Connection),
    }
}

impl<DB: Database> Drop for Lease<DB> {
    fn drop(&mut self) {
        let (Some(connection), permit) = (self.connection.take(), self.permit.take()) else { return };
        if self.busy || self.failed == Some(Failed::Connection) {
            // Dropped, it closes.
            return;
        }
        let pool = Arc::clone(&self.pool);
        if !self.open {
            pool.take_back(connection);
            drop(permit);
            return;
        }
        // Without a runtime the connection closes here, and the server rolls back.
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let tracker = pool.rollbacks.clone();
        tracker.spawn(async move {
            if let Some(connection) = (pool.roll_back)(connection).await {
                pool.take_back(connection);
            }
            drop(permit);
        });
    }
}
