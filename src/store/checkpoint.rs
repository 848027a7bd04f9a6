//! Copies the write-ahead log of a SQLite database into its file beside the writer, a little at a time. Without it a commit
//! would do so each time 4,096 pages have changed, and all writers would wait for that.
//!
//! The copy is passive: it takes what it can without a wait, and writers go on meanwhile. The writer's own limit of the log
//! stays: a commit beyond it copies what is left, and the next change begins the log anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{Mutex, MutexGuard, Notify};
use tokio_util::sync::CancellationToken;

use super::files::Files;

/// Time of the writer's groups after which the log is copied.
const WORK: Duration = Duration::from_millis(50);

const COPY: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// The log of one database, and the task that copies it.
#[derive(Debug)]
pub(super) struct Checkpoints {
    options: SqliteConnectOptions,
    files: Arc<Files>,
    /// Microseconds of work since the last copy was asked for.
    work: AtomicU64,
    grown: Notify,
    /// Held during a copy: SQLite allows one at a time, and does not make a second one wait.
    copying: Mutex<()>,
    has_failed: AtomicBool,
}

impl Checkpoints {
    /// The log of the database of `files`.
    pub(super) fn new(options: SqliteConnectOptions, files: Arc<Files>) -> Self {
        let (work, grown, copying) = (AtomicU64::new(0), Notify::new(), Mutex::new(()));
        Self { options, files, work, grown, copying, has_failed: AtomicBool::new(false) }
    }

    /// Adds the time of a group of the writer.
    pub(super) fn add_work(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let done = self.work.fetch_add(micros, Ordering::Relaxed).saturating_add(micros);
        if u128::from(done) >= WORK.as_micros() {
            self.work.store(0, Ordering::Relaxed);
            self.grown.notify_one();
        }
    }

    /// Keeps the task from copying until the guard is dropped.
    pub(super) async fn pause(&self) -> MutexGuard<'_, ()> {
        self.copying.lock().await
    }

    /// Copies the log each time it has grown, until the writer stops. A copy that failed is tried again when the log has
    /// grown further; a change from success to failure or back is logged.
    pub(super) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut held: Option<SqliteConnection> = None;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.grown.notified() => {}
            }
            let _alone = self.copying.lock().await;
            let copied = self.copy(&mut held).await;
            let is_lost = self.files.last_check().is_err();
            if self.has_failed.swap(copied.is_err(), Ordering::Relaxed) != copied.is_err() {
                match &copied {
                    Ok(()) => tracing::info!("the log of the database is copied again"),
                    Err(error) => tracing::warn!(error = %error, "the log of the database cannot be copied"),
                }
            }
            // While the files are lost, the log in use is remembered: nothing may be written until that one is back.
            if copied.is_err() && !is_lost {
                self.files.forget_log();
                close(held.take()).await;
            }
        }
        close(held).await;
    }

    /// A database that was deleted or replaced is left alone: its log would be applied to another file.
    async fn copy(&self, held: &mut Option<SqliteConnection>) -> Result<(), sqlx::Error> {
        self.files.check()?;
        let connection = match held {
            Some(connection) => connection,
            None => held.insert(self.options.connect().await?),
        };
        sqlx::query(COPY).execute(connection).await.map(drop)
    }
}

/// Closes the connection. The last connection of a database deletes its log.
async fn close(held: Option<SqliteConnection>) {
    if let Some(connection) = held
        && let Err(error) = connection.close().await
    {
        tracing::warn!(error = %error, "the connection that copies the log closed with an error");
    }
}
