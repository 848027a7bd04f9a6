//! Runs as workers use them: claimed under a lease that expires, and written with the fencing number of the claim. A
//! worker whose lease has expired holds an old number, and its writes change no row.
//!
//! Leases begin and end by the clock of the database, which all workers share. The clock of a worker's machine decides
//! nothing about a lease.
//!
//! Claim, heartbeat and release are housekeeping: they move a run between `queued` and `running`, and write no journal
//! line. The end of a run is a change, and writes one; `completion` has the end with a result.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::{Value, values};
use super::journal::Note;
use super::run::{self, common_columns, database_now, run_columns};
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::{Change, statements};
use crate::domain::run::{Progress, Run, RunState, StageWork};
use crate::error::{Error, Reason, Result};

/// The claim of the oldest run that waits. On PostgreSQL a worker skips a run that another worker is claiming. SQLite has
/// one writer and no such clause.
macro_rules! claim {
    ($database:ident, $locking:literal) => {
        concat!(
            "UPDATE run SET state = 'running', attempt = attempt + 1, fence = fence + 1, lease_owner = $1, \
             lease_until_micros = ", database_now!($database), " + $2, start_micros = COALESCE(start_micros, $3), \
             stage = NULL, stage_done = 0, stage_total = 0, stage_eta_millis = NULL WHERE (round_id, number) = \
             (SELECT round_id, number FROM run WHERE state IN ('queued', 'running') \
             AND (state = 'queued' OR lease_until_micros <= ", database_now!($database), ") \
             ORDER BY create_micros, round_id, number LIMIT 1", $locking, ") RETURNING fence, cancel_requested, trace_parent, ",
            run_columns!()
        )
    };
}

/// Whether a run waits for a worker.
macro_rules! waiting {
    ($database:ident) => {
        concat!(
            "SELECT number FROM run WHERE state IN ('queued', 'running') AND (state = 'queued' \
             OR lease_until_micros <= ",
            database_now!($database),
            ") LIMIT 1"
        )
    };
}

/// How many runs wait for a worker, and since when the oldest one waits: since its start, its return to the queue, or the end
/// of its lease.
macro_rules! waits {
    ($database:ident) => {
        concat!(
            "SELECT COUNT(*) AS runs, MIN(COALESCE(lease_until_micros, queue_micros, create_micros)) \
             AS since, ",
            database_now!($database),
            " AS now FROM run WHERE state IN ('queued', 'running') AND (state = 'queued' OR lease_until_micros <= ",
            database_now!($database),
            ")"
        )
    };
}

/// The return of a run to the queue.
macro_rules! release {
    ($database:ident) => {
        concat!(
            "UPDATE run SET state = 'queued', attempt = attempt - 1, fence = fence + 1, lease_owner = NULL, \
             lease_until_micros = NULL, stage = NULL, queue_micros = ",
            database_now!($database),
            " WHERE round_id = $1 AND number = $2 AND fence = $3 AND state = 'running'"
        )
    };
}

/// The renewal of a lease; `$progress` sets further columns.
macro_rules! renew {
    ($database:ident, $progress:literal) => {
        concat!(
            "UPDATE run SET lease_until_micros = ", database_now!($database), " + $4", $progress,
            " WHERE round_id = $1 AND number = $2 AND fence = $3 AND state = 'running' RETURNING cancel_requested"
        )
    };
}

/// The columns of the progress.
macro_rules! progress {
    ($database:ident) => {
        renew!($database, ", stage = $5, stage_done = $6, stage_total = $7, stage_eta_millis = $8")
    };
}

statements! {
    // A worker that has nothing to do only reads.
    query WAITING = hidden("run.waiting", sqlite: waiting!(sqlite), postgres: waiting!(postgres));
    query WAITS = hidden("run.waits", sqlite: waits!(sqlite), postgres: waits!(postgres));
    upkeep CLAIM = ("run.claim",
        sqlite: claim!(sqlite, ""),
        postgres: claim!(postgres, " FOR UPDATE SKIP LOCKED"));
    upkeep RENEW = ("run.renew", sqlite: renew!(sqlite, ""), postgres: renew!(postgres, ""));
    upkeep PROGRESS = ("run.progress", sqlite: progress!(sqlite), postgres: progress!(postgres));
    upkeep SEAL = ("run.seal",
        "UPDATE run SET input_digest = $4 WHERE round_id = $1 AND number = $2 AND fence = $3 AND state = 'running'");
    upkeep RELEASE = ("run.release", sqlite: release!(sqlite), postgres: release!(postgres));
    change FAIL = ("run.fail",
        "UPDATE run SET state = 'failed', end_micros = $4, failure_reason = $5, failure_message = $6, stage = NULL, \
         lease_owner = NULL, lease_until_micros = NULL \
         WHERE round_id = $1 AND number = $2 AND fence = $3 AND state = 'running'");
    change CANCEL = ("run.cancel",
        "UPDATE run SET state = 'cancelled', end_micros = $4, stage = NULL, lease_owner = NULL, \
         lease_until_micros = NULL WHERE round_id = $1 AND number = $2 AND fence = $3 AND state = 'running'");
}

/// A run that a worker has claimed: the worker's proof that it may write the run.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedRun {
    /// The run; its `attempt` counts this one.
    pub run: Run,
    /// The fencing number of this claim.
    pub fence: i64,
    /// Whether a caller had requested the cancellation before the run was claimed.
    pub cancel_requested: bool,
    /// The trace of the call that started the run.
    pub trace_parent: Option<String>,
    owner: String,
}

/// The queue of runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueLength {
    /// Runs that wait for a worker.
    pub runs: u64,
    /// How long the oldest of them has waited, by the clock of the database.
    pub age: Duration,
}

/// What a renewal of the lease returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Whether a caller has requested the cancellation of the run.
    pub cancel_requested: bool,
}

impl Store {
    /// Claims the oldest run that is queued or whose lease has expired. `owner` names the worker; `now` becomes the start of
    /// a run that has not started before. Without such a run the call writes nothing.
    pub async fn claim_run(
        &self,
        scope: &Scope,
        owner: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<ClaimedRun>> {
        scope.require_system()?;
        let mut reader = self.reader(scope).await?;
        let waiting = reader.row(WAITING, values![]).await?;
        reader.end().await?;
        if waiting.is_none() {
            return Ok(None);
        }
        let mut session = self.housekeeping(scope).await?;
        let values = values![owner, micros(lease), now];
        let Some(row) = session.row(CLAIM, values).await? else {
            session.end().await?;
            return Ok(None);
        };
        let claimed = ClaimedRun {
            run: run::read(&row, scope)?,
            fence: row.int("fence")?,
            cancel_requested: row.flag("cancel_requested")?,
            trace_parent: row.opt_text("trace_parent")?,
            owner: owner.to_owned(),
        };
        session.commit().await?;
        Ok(Some(claimed))
    }

    /// The runs that wait for a worker.
    pub async fn queue_length(&self, scope: &Scope) -> Result<QueueLength> {
        scope.require_system()?;
        let mut reader = self.reader(scope).await?;
        let row = reader.one(WAITS, values![]).await?;
        reader.end().await?;
        let runs = row.narrow("run", &"the queue", "runs")?;
        let micros = row.opt_int("since")?.map_or(0, |since| row.int("now").map_or(0, |now| now - since));
        Ok(QueueLength { runs, age: Duration::from_micros(u64::try_from(micros).unwrap_or_default()) })
    }

    /// Renews the lease, and stores the progress of the run.
    ///
    /// Fails with `RunState` if the run is no longer this worker's: it must stop.
    pub async fn heartbeat(
        &self,
        claim: &ClaimedRun,
        lease: Duration,
        progress: Option<Progress>,
    ) -> Result<Heartbeat> {
        let mut session = self.housekeeping(&Scope::System).await?;
        let mut values = claim.keys();
        values.extend(values![micros(lease)]);
        let renewed = if let Some(Progress { stage, work }) = progress {
            let StageWork { done, total, eta_millis } = work.unwrap_or_default();
            values.extend(values![stage.as_str(), saturated(done), saturated(total), eta_millis]);
            session.row(PROGRESS, values).await?
        } else {
            session.row(RENEW, values).await?
        };
        let Some(row) = renewed else {
            return Err(lost(run::state(session.reads(), &claim.run.name).await?, claim));
        };
        session.commit().await?;
        Ok(Heartbeat { cancel_requested: row.flag("cancel_requested")? })
    }

    /// Stores the digest of the frozen snapshot, which the first worker that loads the snapshot computes.
    ///
    /// Fails with `RunState` if the run is no longer this worker's.
    pub async fn seal_run(&self, claim: &ClaimedRun, digest: &str) -> Result<()> {
        let mut session = self.housekeeping(&Scope::System).await?;
        let mut values = claim.keys();
        values.extend(values![digest]);
        if session.execute(SEAL, values).await? == 0 {
            return Err(lost(run::state(session.reads(), &claim.run.name).await?, claim));
        }
        session.commit().await
    }

    /// Returns a run to the queue, so that another worker need not wait until the lease expires. The attempt does not
    /// count.
    ///
    /// Fails with `RunState` if the run is no longer this worker's.
    pub async fn release_run(&self, claim: &ClaimedRun) -> Result<()> {
        let mut session = self.housekeeping(&Scope::System).await?;
        if session.execute(RELEASE, claim.keys()).await? == 0 {
            return Err(lost(run::state(session.reads(), &claim.run.name).await?, claim));
        }
        session.commit().await
    }

    /// Ends a run as failed. Callers see `message`.
    ///
    /// Fails with `RunState` if the run is no longer this worker's; then nothing is changed.
    pub async fn fail_run(
        &self,
        claim: &ClaimedRun,
        now: impl FnOnce() -> Timestamp + Send,
        reason: Reason,
        message: &str,
    ) -> Result<()> {
        let mut session = claim.begin(self, now).await?;
        let mut values = claim.keys();
        values.extend(values![session.now(), reason.code(), message]);
        claim.ended(&mut session, FAIL, values).await?;
        claim
            .commit(session, "run.fail", &json!({ "reason": reason.code(), "attempt": claim.run.attempt }))
            .await
    }

    /// Ends a run whose cancellation was requested.
    ///
    /// Fails with `RunState` if the run is no longer this worker's; then nothing is changed.
    pub async fn cancel_claimed_run(
        &self,
        claim: &ClaimedRun,
        now: impl FnOnce() -> Timestamp + Send,
    ) -> Result<()> {
        let mut session = claim.begin(self, now).await?;
        let mut values = claim.keys();
        values.extend(values![session.now()]);
        claim.ended(&mut session, CANCEL, values).await?;
        claim.commit(session, "run.cancelled", &json!({ "attempt": claim.run.attempt })).await
    }
}

impl ClaimedRun {
    /// Round, number and fencing number: the first three values of every statement of the claim.
    pub(super) fn keys(&self) -> Vec<Value> {
        values![&self.run.name.round, self.run.name.number, self.fence]
    }

    /// Begins the change that ends the run. The moment of the end is the moment at which the change may be written.
    pub(super) async fn begin(
        &self,
        store: &Store,
        now: impl FnOnce() -> Timestamp + Send,
    ) -> Result<WriteSession> {
        let mut session = WriteSession::of_worker(store, &self.owner, now).await?;
        session.lock_round(&self.run.name.round).await?;
        Ok(session)
    }

    /// Runs the statement that ends the run. Fails with `RunState` if the run is no longer this worker's.
    pub(super) async fn ended(
        &self,
        session: &mut WriteSession,
        statement: Change,
        values: Vec<Value>,
    ) -> Result<()> {
        if session.change(Owner::Alliance, statement, values).await? == 0 {
            return Err(lost(run::state(session.reads(), &self.run.name).await?, self));
        }
        Ok(())
    }

    /// Commits the end of the run, with its line of the journal.
    pub(super) async fn commit(
        &self,
        session: WriteSession,
        action: &'static str,
        detail: &serde_json::Value,
    ) -> Result<()> {
        session.commit(Note::new(Owner::Alliance, action, self.run.name.name(), detail), &[]).await
    }
}

/// The error of a claim that is no longer the present claim of its run.
pub(super) fn lost(state: RunState, claim: &ClaimedRun) -> Error {
    let state = if state == RunState::Running { "running for another worker" } else { state.as_str() };
    Error::RunState { run: claim.run.name.name(), state, required: &["running for this worker"] }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn saturated(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
