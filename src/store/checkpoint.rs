//! Copies the write-ahead log of a SQLite database into its file beside the writer, a little at a time. Without it every
//! fourth thousand of changed pages would be copied by a commit, and all writers would wait for that.
//!
//! The copy is passive: it waits for nobody, and nobody waits for it. The writer's own limit of the log stays. A commit that
//! reaches it copies only what is left, and the next one begins the log anew.

use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::files::Files;

/// Time that the writer works before its pages are copied.
const WORK: Duration = Duration::from_millis(50);

const COPY: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// Counts the writer's work, and wakes the task that copies.
#[derive(Debug, Default)]
pub(super) struct Work {
    done: Duration,
    grown: Arc<Notify>,
}

impl Work {
    /// What wakes the task.
    pub(super) fn grown(&self) -> Arc<Notify> {
        Arc::clone(&self.grown)
    }

    /// Adds the time of a group.
    pub(super) fn add(&mut self, time: Duration) {
        self.done += time;
        if self.done >= WORK {
            self.done = Duration::ZERO;
            self.grown.notify_one();
        }
    }
}

/// Copies the log each time it has grown, until the writer stops. An error is left to the writer, which meets it as well.
///
/// A database that was replaced is left alone: its log would be applied to the other file.
pub(super) async fn copy_log(
    options: SqliteConnectOptions,
    files: Arc<Files>,
    grown: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut held: Option<SqliteConnection> = None;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = grown.notified() => {}
        }
        held = match copy(held.take(), &options, &files).await {
            Ok(connection) => Some(connection),
            Err(error) => {
                tracing::debug!(error = %error, "the log of the database was not copied");
                None
            }
        };
    }
    if let Some(connection) = held
        && let Err(error) = connection.close().await
    {
        tracing::debug!(error = %error, "the connection that copies the log closed with an error");
    }
}

async fn copy(
    held: Option<SqliteConnection>,
    options: &SqliteConnectOptions,
    files: &Files,
) -> Result<SqliteConnection, sqlx::Error> {
    files.check()?;
    let mut connection = match held {
        Some(connection) => connection,
        None => options.connect().await?,
    };
    sqlx::query(COPY).execute(&mut connection).await?;
    Ok(connection)
}
