//! Retention of runs: superseded runs are purged, in short transactions.
//!
//! The policy: a round keeps its newest runs that succeeded, and its newest run whatever became of it. Of the other runs,
//! those of a round that is still being matched are purged some time after their end. A run that was submitted stays, and a round
//! that is published, closed or cancelled keeps its runs.
//!
//! A purge begins with a line of the journal and a mark: from then on the run does not exist for callers. Its rows are then
//! deleted some at a time. The next purge continues one that was interrupted.

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::completion;
use super::dialect::values;
use super::journal::Note;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::name::RunRef;
use crate::error::Result;

/// Runs that one reading finds.
const RUNS_AT_A_TIME: u32 = 100;

/// The runs that ended before `$1` and that a round does not keep among its newest `$2` that succeeded. A run that one of
/// these follows is kept too, so that its proof can be checked.
macro_rules! superseded {
    () => {
        "FROM run JOIN round r ON r.id = run.round_id \
         WHERE run.end_micros IS NOT NULL AND run.end_micros < $1 AND run.purge_micros IS NULL \
         AND r.state IN ('enrolling', 'review') \
         AND EXISTS (SELECT 1 FROM run n WHERE n.round_id = run.round_id AND n.number > run.number) \
         AND NOT EXISTS (SELECT 1 FROM run f WHERE f.round_id = run.round_id AND f.follows = run.number \
         AND (f.state IN ('queued', 'running') OR (f.state = 'succeeded' AND (SELECT COUNT(*) FROM run n \
         WHERE n.round_id = f.round_id AND n.number > f.number AND n.state = 'succeeded') < $2))) \
         AND (run.state <> 'succeeded' OR (SELECT COUNT(*) FROM run n WHERE n.round_id = run.round_id \
         AND n.number > run.number AND n.state = 'succeeded') >= $2) \
         AND NOT EXISTS (SELECT 1 FROM submission s WHERE s.round_id = run.round_id AND s.run_number = run.number)"
    };
}

statements! {
    query SUPERSEDED = hidden("run.superseded",
        concat!("SELECT run.round_id, run.number ", superseded!(),
            " ORDER BY run.end_micros, run.round_id, run.number LIMIT $3"));
    query COUNT_SUPERSEDED = hidden("run.count_superseded",
        concat!("SELECT COUNT(*) AS superseded ", superseded!()));
    query COUNT_PURGING = hidden("run.count_purging",
        "SELECT COUNT(*) AS purging FROM run WHERE purge_micros IS NOT NULL");
    change MARK = ("run.purge",
        "UPDATE run SET purge_micros = $3 WHERE round_id = $1 AND number = $2 AND purge_micros IS NULL \
         AND state IN ('succeeded', 'failed', 'cancelled') AND NOT EXISTS (SELECT 1 FROM submission s \
         WHERE s.round_id = run.round_id AND s.run_number = run.number)");
    query PURGING = hidden("run.purging",
        "SELECT round_id, number FROM run WHERE purge_micros IS NOT NULL ORDER BY purge_micros LIMIT $1");
    upkeep CLEAR_SUMMARIES = ("run_own_summary.clear",
        "DELETE FROM run_own_summary WHERE round_id = $1 AND run_number = $2");
    upkeep CLEAR_LEAVES = ("run_leaf.clear",
        "DELETE FROM run_leaf WHERE round_id = $1 AND run_number = $2");
    upkeep CLEAR_ORGANISATIONS = ("run_organisation.clear",
        "DELETE FROM run_organisation WHERE round_id = $1 AND run_number = $2");
    upkeep DELETE = ("run.delete",
        "DELETE FROM run WHERE round_id = $1 AND number = $2 AND purge_micros IS NOT NULL");
}

impl Store {
    /// Purges superseded runs that ended before `limit`, and returns their number. Each round keeps its newest `kept` runs
    /// that succeeded.
    pub async fn purge_runs(
        &self,
        scope: &Scope,
        now: Timestamp,
        limit: Timestamp,
        kept: u32,
    ) -> Result<u64> {
        scope.require_system()?;
        let mut purged = 0;
        loop {
            // A run that an interrupted purge has left is deleted with the others.
            for name in self.superseded(scope, limit, kept).await? {
                let mut session = WriteSession::of_worker(self, "housekeeping", || now).await?;
                // Nobody submits the run meanwhile.
                session.lock_round(&name.round).await?;
                let marked =
                    session.change(Owner::Alliance, MARK, values![&name.round, name.number, now]).await?;
                if marked == 1 {
                    let detail = json!({ "kept": kept });
                    let note = Note::new(Owner::Alliance, "run.purge", name.name(), &detail);
                    session.commit(note, &[]).await?;
                }
            }
            let mut reader = self.reader(scope).await?;
            let rows = reader.rows(PURGING, values![RUNS_AT_A_TIME]).await?;
            reader.end().await?;
            if rows.is_empty() {
                return Ok(purged);
            }
            for row in rows {
                let name = RunRef { round: row.id("run", "round_id")?, number: row.int("number")? };
                purged += self.delete_run(scope, &name).await?;
            }
        }
    }

    /// Number of runs that [`purge_runs`](Self::purge_runs) would purge.
    pub async fn count_superseded_runs(&self, scope: &Scope, limit: Timestamp, kept: u32) -> Result<u64> {
        scope.require_system()?;
        let mut reader = self.snapshot_reader(scope).await?;
        let superseded: u64 =
            reader.one(COUNT_SUPERSEDED, values![limit, kept]).await?.narrow("run", &"", "superseded")?;
        let purging: u64 = reader.one(COUNT_PURGING, values![]).await?.narrow("run", &"", "purging")?;
        reader.end().await?;
        Ok(superseded + purging)
    }

    async fn superseded(&self, scope: &Scope, limit: Timestamp, kept: u32) -> Result<Vec<RunRef>> {
        let mut reader = self.reader(scope).await?;
        let rows = reader.rows(SUPERSEDED, values![limit, kept, RUNS_AT_A_TIME]).await?;
        reader.end().await?;
        rows.iter()
            .map(|row| Ok(RunRef { round: row.id("run", "round_id")?, number: row.int("number")? }))
            .collect()
    }

    /// Deletes the rows of a run that is marked, some in each transaction, and returns 1 if it was this call that deleted
    /// the run.
    async fn delete_run(&self, scope: &Scope, name: &RunRef) -> Result<u64> {
        loop {
            let mut session = self.housekeeping(scope).await?;
            if completion::clear_rows(&mut session, name).await? > 0 {
                session.commit().await?;
                continue;
            }
            let keys = || values![&name.round, name.number];
            session.execute(CLEAR_SUMMARIES, keys()).await?;
            session.execute(CLEAR_LEAVES, keys()).await?;
            session.execute(CLEAR_ORGANISATIONS, keys()).await?;
            let deleted = session.execute(DELETE, keys()).await?;
            session.commit().await?;
            return Ok(deleted);
        }
    }
}
