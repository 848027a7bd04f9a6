//! The one writer of a SQLite database: a task that owns the connection, lends it to one session at a time in the order
//! of their requests, and commits the sessions that waited for one another together.
//!
//! A group is one transaction. Each of its members runs in a savepoint, so a member that ends without a commit takes back
//! its own statements alone. A member learns of its commit after the COMMIT of its group, and a failed COMMIT fails every
//! member. A group ends when no session waits, or at `GROUP_MEMBERS` members or `GROUP_TIME`.
//!
//! Invariants:
//! - SQLite rolls a transaction back by itself on some errors (disk full, a failed read, write or sync). A statement that
//!   follows would then be its own transaction. So after such an error the connection runs nothing more: the group fails,
//!   the connection is closed, and the next group opens another.
//! - The same holds after any failed BEGIN, SAVEPOINT, RELEASE, ROLLBACK or COMMIT, whatever its error.
//! - Before a group begins and before it is acknowledged, the files of the database are the ones that were opened.
//! - A session that is dropped in the middle of a statement leaves its statements to the `ROLLBACK TO` of its savepoint.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::checkpoint::Checkpoints;
use super::files::Files;
use super::pool::PoolCounts;
use crate::clock::Stopwatch;

/// Most sessions that one transaction commits.
const GROUP_MEMBERS: usize = 128;
/// Time after which a group takes no further session, so that its first member is not kept waiting.
const GROUP_TIME: Duration = Duration::from_millis(20);
/// Sessions that may wait in the queue; further ones wait to be queued.
const QUEUE: usize = 1024;

/// Time after which the session that holds the writer counts as stuck in its statement.
const STUCK: Duration = Duration::from_secs(10);

const BEGIN: &str = "BEGIN IMMEDIATE; SAVEPOINT member";
const KEEP_AND_NEXT: &str = "RELEASE member; SAVEPOINT member";
const UNDO: &str = "ROLLBACK TO member";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// The writer. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Request>,
    state: Arc<State>,
    stop: CancellationToken,
    task: TaskTracker,
}

/// What the task and its observers share.
#[derive(Debug)]
struct State {
    options: SqliteConnectOptions,
    files: Arc<Files>,
    log: Arc<Checkpoints>,
    /// What the writer does, and since when.
    phase: Mutex<(Phase, Stopwatch)>,
    /// A write failed.
    trouble: Notify,
    /// Sessions that wait for a turn.
    waiting: AtomicUsize,
}

/// A session that waits for a turn, as long as this lives.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The task begins, ends or waits for a group.
    Task,
    /// A session holds the connection; a statement of it renews the time.
    Session,
}

/// A session that waits for the writer.
struct Request(oneshot::Sender<Result<Turn, sqlx::Error>>);

/// The writer's connection, in a savepoint of one session. Dropped without `commit`, its statements are taken back.
#[derive(Debug)]
pub(super) struct Turn {
    connection: Option<SqliteConnection>,
    back: Option<oneshot::Sender<Returned>>,
    /// A statement runs, or its future was dropped while it ran.
    busy: bool,
    state: Arc<State>,
    /// SQLite may have ended the transaction.
    in_doubt: bool,
}

/// What a session gives back.
#[derive(Debug)]
struct Returned {
    connection: SqliteConnection,
    verdict: Verdict,
}

#[derive(Debug)]
enum Verdict {
    /// The session's statements stay; the sender reports the end of the group.
    Keep(oneshot::Sender<Result<(), GroupFailed>>),
    /// The session's statements are taken back.
    Undo,
    /// The whole group ends, because SQLite may have ended its transaction.
    Doubt,
}

/// A group that was not committed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the transaction of the writer was not committed")]
pub(super) struct GroupFailed(#[source] Option<Arc<sqlx::Error>>);

impl Writer {
    /// Opens the connection and starts the task.
    ///
    /// A second task, over `copying`, copies the log.
    pub(super) async fn open(
        options: SqliteConnectOptions,
        copying: SqliteConnectOptions,
        files: Files,
    ) -> Result<Self, sqlx::Error> {
        let connection = options.connect().await?;
        let (queue, requests) = mpsc::channel(QUEUE);
        let (stop, task) = (CancellationToken::new(), TaskTracker::new());
        let phase = Mutex::new((Phase::Task, Stopwatch::start()));
        let files = Arc::new(files);
        let log = Arc::new(Checkpoints::new(copying, Arc::clone(&files)));
        let (trouble, waiting) = (Notify::new(), AtomicUsize::new(0));
        let state = Arc::new(State { options, files, log, phase, trouble, waiting });
        task.spawn(Arc::clone(&state.log).run(stop.clone()));
        task.spawn(serve(Arc::clone(&state), connection, requests, stop.clone()));
        task.close();
        Ok(Self { queue, state, stop, task })
    }

    /// The files of the database.
    pub(super) fn files(&self) -> &Files {
        &self.state.files
    }

    /// The log of the database.
    pub(super) fn log(&self) -> &Checkpoints {
        &self.state.log
    }

    /// Whether a session holds the writer and its statements go on.
    pub(super) fn works(&self) -> bool {
        let (phase, since) = *self.state.phase.lock().unwrap_or_else(PoisonError::into_inner);
        phase == Phase::Session && since.elapsed() < STUCK
    }

    /// Whether a session holds the writer.
    pub(super) fn counts(&self) -> PoolCounts {
        let (phase, _) = *self.state.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let used = u64::from(phase == Phase::Session);
        PoolCounts { used, idle: 1 - used, most: 1 }
    }

    /// Waits until a write has failed since the last call.
    pub(super) async fn trouble(&self) {
        self.state.trouble.notified().await;
    }

    /// The next turn, or `PoolTimedOut` after `limit`.
    pub(super) async fn turn(&self, limit: Duration) -> Result<Turn, sqlx::Error> {
        let _waiting = Waiting::new(&self.state.waiting);
        let turn = async {
            let (grant, granted) = oneshot::channel();
            self.queue.send(Request(grant)).await.map_err(|_| sqlx::Error::PoolClosed)?;
            granted.await.map_err(|_| sqlx::Error::PoolClosed)?
        };
        tokio::time::timeout(limit, turn).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Closes the connections after the group and the copy of the log in progress.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.task.wait().await;
    }
}

impl Turn {
    fn lend(connection: SqliteConnection, state: &Arc<State>) -> (Self, oneshot::Receiver<Returned>) {
        let (back, returned) = oneshot::channel();
        let state = Arc::clone(state);
        (
            Self { connection: Some(connection), back: Some(back), busy: false, state, in_doubt: false },
            returned,
        )
    }

    /// The connection, for one statement, whose result goes to `judge`.
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        self.in_doubt |= std::mem::replace(&mut self.busy, true);
        self.state.enter(Phase::Session);
        match &mut self.connection {
            Some(connection) if !self.in_doubt => Ok(connection),
            _ => Err(ended()),
        }
    }

    /// Looks at the result of a statement: after an error that may have ended the transaction, nothing more runs.
    pub(super) fn judge<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        self.busy = false;
        if let Err(error) = &result {
            self.in_doubt |= !leaves_transaction(error);
        }
        result
    }

    /// Whether another session waits for its turn. A session with much to write then ends early and asks for another turn.
    pub(super) fn is_awaited(&self) -> bool {
        self.state.waiting.load(Ordering::Relaxed) > 0
    }

    /// Waits until the statements are durable.
    pub(super) async fn commit(mut self) -> Result<(), GroupFailed> {
        if self.in_doubt || self.busy {
            return Err(GroupFailed(None));
        }
        let (keep, kept) = oneshot::channel();
        self.give_back(Verdict::Keep(keep));
        kept.await.unwrap_or(Err(GroupFailed(None)))
    }

    fn give_back(&mut self, verdict: Verdict) {
        if let (Some(connection), Some(back)) = (self.connection.take(), self.back.take()) {
            // Without a receiver the task has ended, and the connection closes here.
            let _ = back.send(Returned { connection, verdict });
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.give_back(if self.in_doubt { Verdict::Doubt } else { Verdict::Undo });
    }
}

/// The error of a statement after the transaction may have ended.
fn ended() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::other("an earlier error may have ended the transaction"))
}

/// Whether SQLite surely keeps the transaction open after an error. The primary codes: a statement that does not fit the
/// schema, a broken constraint, a wrong type, a number out of range, a value that is too large. Of all others the manual
/// says that the transaction may end, or nothing.
fn leaves_transaction(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(database) => {
            let code = database.code().and_then(|code| code.parse::<i32>().ok());
            code.is_some_and(|code| matches!(code & 0xff, 1 | 18 | 19 | 20 | 25))
        }
        sqlx::Error::RowNotFound
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_) => true,
        _ => false,
    }
}

impl State {
    fn enter(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = (phase, Stopwatch::start());
    }

    /// The connection, anew if the last one was in doubt. Fails while the files are not the ones that were opened.
    async fn connect(&self, held: Option<SqliteConnection>) -> Result<SqliteConnection, Unable> {
        match (self.files.check(), held) {
            (Err(error), held) => Err(Unable { error: error.into(), held }),
            (Ok(()), Some(connection)) => Ok(connection),
            (Ok(()), None) => self.options.connect().await.map_err(|error| Unable { error, held: None }),
        }
    }

    /// Closes a connection.
    async fn close(&self, connection: SqliteConnection) {
        self.files.forget_log();
        if let Err(error) = connection.close().await {
            tracing::warn!(error = %error, "the writer's connection closed with an error");
        }
    }
}

/// Why a group cannot begin, and the connection, if there is one.
struct Unable {
    error: sqlx::Error,
    held: Option<SqliteConnection>,
}

/// Serves groups until the writer is closed or its last clone is gone.
async fn serve(
    state: Arc<State>,
    first: SqliteConnection,
    mut requests: mpsc::Receiver<Request>,
    stop: CancellationToken,
) {
    // However this task ends, the one that copies the log ends too.
    let _stops = stop.clone().drop_guard();
    let mut held = Some(first);
    loop {
        state.enter(Phase::Task);
        let request = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            request = requests.recv() => request,
        };
        let Some(request) = request else { break };
        state.enter(Phase::Task);
        held = match state.connect(held.take()).await {
            Ok(connection) => {
                let time = Stopwatch::start();
                let back = group(&state, connection, request, &mut requests).await;
                state.log.add_work(time.elapsed());
                back
            }
            Err(Unable { error, held }) => {
                state.trouble.notify_one();
                let _ = request.0.send(Err(error));
                held
            }
        };
    }
    if let Some(connection) = held {
        state.close(connection).await;
    }
}

/// Runs one group, and returns its connection if nothing is in doubt.
async fn group(
    state: &Arc<State>,
    mut connection: SqliteConnection,
    first: Request,
    requests: &mut mpsc::Receiver<Request>,
) -> Option<SqliteConnection> {
    if let Err(error) = run(&mut connection, BEGIN).await {
        state.trouble.notify_one();
        let _ = first.0.send(Err(error));
        state.close(connection).await;
        return None;
    }
    let (age, mut kept, mut next) = (Stopwatch::start(), Vec::new(), first);
    loop {
        state.enter(Phase::Session);
        let (turn, returned) = Turn::lend(connection, state);
        // A session that no longer waits drops the turn, which comes back.
        let _ = next.0.send(Ok(turn));
        let Ok(Returned { connection: back, verdict }) = returned.await else {
            fail(kept, None);
            return None;
        };
        state.enter(Phase::Task);
        connection = back;
        let before = match verdict {
            Verdict::Keep(member) => {
                kept.push(member);
                Some(KEEP_AND_NEXT)
            }
            Verdict::Undo => match run(&mut connection, UNDO).await {
                Ok(()) => None,
                Err(error) => return give_up(state, connection, kept, Some(error)).await,
            },
            Verdict::Doubt => return give_up(state, connection, kept, None).await,
        };
        if kept.len() == GROUP_MEMBERS || age.elapsed() > GROUP_TIME {
            break;
        }
        let Ok(request) = requests.try_recv() else { break };
        if let Some(text) = before
            && let Err(error) = run(&mut connection, text).await
        {
            let _ = request.0.send(Err(ended()));
            return give_up(state, connection, kept, Some(error)).await;
        }
        next = request;
    }
    if let Err(error) = run(&mut connection, if kept.is_empty() { ROLLBACK } else { COMMIT }).await {
        return give_up(state, connection, kept, Some(error)).await;
    }
    if let Err(error) = state.files.check() {
        state.trouble.notify_one();
        fail(kept, Some(error.into()));
        return Some(connection);
    }
    for member in kept {
        let _ = member.send(Ok(()));
    }
    Some(connection)
}

/// Fails the members of a group and closes its connection.
async fn give_up(
    state: &State,
    connection: SqliteConnection,
    kept: Vec<oneshot::Sender<Result<(), GroupFailed>>>,
    error: Option<sqlx::Error>,
) -> Option<SqliteConnection> {
    tracing::warn!(
        error = error.as_ref().map(tracing::field::display),
        members = kept.len(),
        "a write transaction failed; the writer opens its connection anew"
    );
    state.trouble.notify_one();
    // Closed first: the members' next requests then meet a database without a lock of this transaction.
    state.close(connection).await;
    fail(kept, error);
    None
}

fn fail(kept: Vec<oneshot::Sender<Result<(), GroupFailed>>>, error: Option<sqlx::Error>) {
    let failed = GroupFailed(error.map(Arc::new));
    for member in kept {
        let _ = member.send(Err(failed.clone()));
    }
}

async fn run(connection: &mut SqliteConnection, text: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(text).execute(connection).await.map(drop)
}

#[cfg(test)]
mod tests;
