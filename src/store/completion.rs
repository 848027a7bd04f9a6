//! Results of runs are saved: rows are staged in short transactions, and one last transaction makes all of them visible.
//!
//! Input: a claim and the result. Output: a run that has succeeded.
//!
//! Invariants: no read returns rows of a run that has not succeeded. Every transaction checks the fencing number of the claim
//! under the lock of the run, so a late worker stages nothing. A worker deletes what an earlier attempt has staged before it
//! stages its own rows. No transaction writes more than `ROWS_AT_A_TIME` rows, so that other writers wait shortly.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::backend::Store;
use super::dialect::{self, Value, values};
use super::queue::{self, ClaimedRun};
use super::scope::{Owner, Scope};
use super::session::Housekeeping;
use super::statement::{Bulk, Upkeep, statements};
use super::{fault, result, run};
use crate::domain::name::{OrganisationId, RunRef};
use crate::domain::run::{Digests, Match, RunSummary, Unmatched};
use crate::error::Result;

/// Rows that one transaction stages or deletes.
const ROWS_AT_A_TIME: usize = 1_000;

statements! {
    query HOLD = hidden("run.hold", locking: "SELECT number FROM run WHERE round_id = $1 AND number = $2 AND fence = $3 \
        AND state = 'running'");
    upkeep STAGE_MATCHES = bulk(
        name: "run_match.stage",
        head: "INSERT INTO run_match (round_id, run_number, ordinal, id, mentee_organisation_id, mentee_own_id, \
               mentor_organisation_id, mentor_own_id, score, contributions, pinned) VALUES",
        columns: 11,
        tail: "",
    );
    upkeep STAGE_UNMATCHED = bulk(
        name: "run_unmatched.stage",
        head: "INSERT INTO run_unmatched \
               (round_id, run_number, ordinal, side, organisation_id, own_id, document, own_document) VALUES",
        columns: 8,
        tail: "",
    );
    upkeep CLEAR_MATCHES = ("run_match.clear",
        "DELETE FROM run_match WHERE (round_id, run_number, ordinal) IN (SELECT m.round_id, m.run_number, m.ordinal \
         FROM run_match m WHERE m.round_id = $1 AND m.run_number = $2 LIMIT $3)");
    upkeep CLEAR_UNMATCHED = ("run_unmatched.clear",
        "DELETE FROM run_unmatched WHERE (round_id, run_number, ordinal) IN (SELECT u.round_id, u.run_number, u.ordinal \
         FROM run_unmatched u WHERE u.round_id = $1 AND u.run_number = $2 LIMIT $3)");
    change KEEP_SUMMARIES = bulk(
        name: "run_own_summary.create",
        head: "INSERT INTO run_own_summary (round_id, run_number, organisation_id, document) VALUES",
        columns: 4,
        tail: "",
    );
    change SUCCEED = ("run.succeed",
        "UPDATE run SET state = 'succeeded', end_micros = $4, engine_version = $5, result_digest = $6, \
         shown_input_digest = $7, shown_result_digest = $8, summary = $9, certificate = $10, first_days = $11, \
         stage = NULL, lease_owner = NULL, lease_until_micros = NULL \
         WHERE round_id = $1 AND number = $2 AND fence = $3 AND state = 'running'");
}

/// The result of a run. Callers see unmatched people in the order given here, and matches by score, then id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutcome {
    /// Version of the engine.
    pub engine_version: String,
    /// Digests of input and result.
    pub digests: Digests,
    /// Numbers for coordinators.
    pub summary: RunSummary,
    /// Numbers for the manager of each organisation that takes part.
    pub summaries: BTreeMap<OrganisationId, RunSummary>,
    /// All matches.
    pub matches: Vec<Match>,
    /// All people without a match, mentees first, as coordinators read it.
    pub unmatched: Vec<Unmatched>,
    /// The same people in the same order, as the manager of each person's organisation reads it.
    pub unmatched_for_managers: Vec<Unmatched>,
    /// The certificate of the optimum.
    pub certificate: Vec<u8>,
    /// First days of the calendar, which explain one pair without the whole snapshot.
    pub first_days: Vec<Date>,
}

impl Store {
    /// Saves the whole result of a run, and moves its round to review. The end of the run is the moment of the last
    /// transaction, which makes the result visible.
    ///
    /// Fails with `RunState` if the run is no longer this worker's; then nothing is visible.
    pub async fn complete_run(
        &self,
        claim: &ClaimedRun,
        now: impl FnOnce() -> Timestamp + Send,
        outcome: &RunOutcome,
    ) -> Result<()> {
        let RunOutcome { engine_version, digests, summary, matches, unmatched, certificate, .. } = outcome;
        let RunOutcome { summaries, unmatched_for_managers, first_days, .. } = outcome;
        let name = &claim.run.name;
        let mut reader = self.reader(&Scope::System).await?;
        let salt = result::salt(&mut reader, &name.round).await?;
        reader.end().await?;
        self.clear_staged(claim).await?;
        // Rows are made a few at a time, so that a large result is never held twice.
        let sorted = result::in_order(&salt, matches);
        let rows = sorted.iter().enumerate().map(|(at, pair)| result::match_values(name, ordinal(at), pair));
        self.stage(claim, STAGE_MATCHES, rows).await?;
        let rows = unmatched.iter().zip(unmatched_for_managers).enumerate();
        let rows = rows.map(|(at, who)| result::unmatched_values(name, ordinal(at), who));
        self.stage(claim, STAGE_UNMATCHED, rows).await?;
        let mut values = vec![
            Value::from(engine_version.as_str()),
            Value::from(digests.whole_result.as_str()),
            Value::from(salt.keyed(&digests.open_input)),
            Value::from(salt.keyed(&digests.open_result)),
            Value::from(dialect::json(summary)?),
            Value::from(certificate.as_slice()),
            Value::from(dialect::json(first_days)?),
        ];

        let mut session = claim.begin(self, now).await?;
        let mut first = claim.keys();
        first.extend(values![session.now()]);
        first.append(&mut values);
        claim.ended(&mut session, SUCCEED, first).await?;
        let rows = summaries.iter().map(|(organisation, summary)| {
            // A document that cannot be written becomes NULL, which the column does not take.
            values![&name.round, name.number, organisation, dialect::json(summary).ok().as_deref()]
        });
        let kept = session.insert(Owner::Alliance, KEEP_SUMMARIES, Box::new(rows)).await?;
        fault::expect_rows(KEEP_SUMMARIES.0.name, kept, summaries.len() as u64)?;
        session.review_round(&name.round).await?;
        let detail = json!({
            "matches": matches.len(),
            "unmatched": unmatched.len(),
            "result": digests.whole_result,
            "attempt": claim.run.attempt,
        });
        claim.commit(session, "run.succeed", &detail).await
    }

    /// Deletes what an earlier attempt has staged.
    async fn clear_staged(&self, claim: &ClaimedRun) -> Result<()> {
        loop {
            let mut session = self.hold(claim).await?;
            let cleared = clear_rows(&mut session, &claim.run.name).await?;
            session.commit().await?;
            if cleared == 0 {
                return Ok(());
            }
        }
    }

    /// Stages rows, some in each transaction.
    async fn stage(
        &self,
        claim: &ClaimedRun,
        bulk: Upkeep<Bulk>,
        rows: impl ExactSizeIterator<Item = Vec<Value>> + Send,
    ) -> Result<()> {
        let mut rows = rows;
        while rows.len() > 0 {
            let expected = rows.len().min(ROWS_AT_A_TIME) as u64;
            let mut session = self.hold(claim).await?;
            // Rows are made while the rows before them are written.
            let staged = session.insert(bulk, Box::new(rows.by_ref().take(ROWS_AT_A_TIME))).await?;
            fault::expect_rows(bulk.0.name, staged, expected)?;
            session.commit().await?;
        }
        Ok(())
    }

    /// A session that holds the run for this claim until it ends.
    async fn hold(&self, claim: &ClaimedRun) -> Result<Housekeeping> {
        let mut session = self.housekeeping(&Scope::System).await?;
        if session.reads().row(HOLD, claim.keys()).await?.is_none() {
            return Err(queue::lost(run::state(session.reads(), &claim.run.name).await?, claim));
        }
        Ok(session)
    }
}

/// The number of a row, from 1.
fn ordinal(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX).saturating_add(1)
}

/// Deletes some rows of a result that nobody reads, and returns their number.
pub(super) async fn clear_rows(session: &mut Housekeeping, name: &RunRef) -> Result<u64> {
    let limit = i64::try_from(ROWS_AT_A_TIME).unwrap_or(i64::MAX);
    let values = || values![&name.round, name.number, limit];
    match session.execute(CLEAR_MATCHES, values()).await? {
        0 => session.execute(CLEAR_UNMATCHED, values()).await,
        cleared => Ok(cleared),
    }
}
