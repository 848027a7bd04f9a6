//! Runs as callers use them: started over a frozen snapshot, read, listed, cancelled. The operations of workers are in
//! `queue`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::{Row, values};
use super::invited::exists_for;
use super::journal::Note;
use super::read::ReadSession;
use super::round;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::staleness;
use super::statement::statements;
use crate::domain::name::{RoundId, RunRef};
use crate::domain::round::RoundState;
use crate::domain::run::{Follow, Progress, Run, RunState, Stage, StageWork};
use crate::error::{Error, Reason, Result};

/// Columns of a run that every caller sees.
macro_rules! common_columns {
    () => {
        "round_id, number, state, policy_version, follows, repairs, most_changes, engine_version, stage, failure_reason, failure_message, attempt, \
         create_micros, start_micros, end_micros"
    };
}

/// Columns of a run for the service and for coordinators.
macro_rules! run_columns {
    () => {
        concat!(
            common_columns!(),
            ", stage_done, stage_total, stage_eta_millis, summary, input_digest, result_digest, \
             COALESCE(shown_input_digest, '') AS shown_input_digest, \
             COALESCE(shown_result_digest, '') AS shown_result_digest"
        )
    };
}

/// The present moment by the clock of the database, in microseconds. All replicas share this clock.
macro_rules! database_now {
    (sqlite) => {
        "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
    };
    (postgres) => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
    };
}

/// A new run, which waits for a worker.
macro_rules! create {
    ($database:ident) => {
        concat!(
            "INSERT INTO run (round_id, number, state, policy_version, start_date, end_date, enrolment_number, decision_number, follows, follows_digest, repairs, most_changes, \
             input_digest, engine_version, \
             result_digest, stage_done, stage_total, attempt, cancel_requested, fence, freeze_micros, create_micros, \
             trace_parent, queue_micros) SELECT id, CAST($2 AS BIGINT), 'queued', policy_version, start_date, end_date, enrolment_number, decision_number, CAST($5 AS BIGINT), CAST($6 AS TEXT), CAST($7 AS BIGINT), CAST($8 AS BIGINT), '', '', '', \
             0, 0, 0, 0, 0, CAST($3 AS BIGINT), CAST($3 AS BIGINT), $4, ",
            database_now!($database),
            " FROM round WHERE id = $1"
        )
    };
}

/// The cancellation of a run that no worker holds.
macro_rules! cancel_now {
    ($database:ident) => {
        concat!(
            "UPDATE run SET state = 'cancelled', cancel_requested = 1, end_micros = $3, lease_owner = NULL, \
             lease_until_micros = NULL, stage = NULL, fence = fence + 1 WHERE round_id = $1 AND number = $2 \
             AND (state = 'queued' OR (state = 'running' AND lease_until_micros <= ", database_now!($database), "))"
        )
    };
}

/// Columns of a run for the organisation that a parameter names: the numbers of its own members, no digests, and no
/// progress within a stage.
macro_rules! own_run_columns {
    ($organisation:literal) => {
        concat!(
            common_columns!(),
            ", CAST(NULL AS BIGINT) AS stage_done, '' AS shown_input_digest, '' AS shown_result_digest, \
             (SELECT s.document FROM run_own_summary s WHERE s.round_id = run.round_id AND s.run_number = run.number \
             AND s.organisation_id = ",
            $organisation,
            ") AS summary"
        )
    };
}

pub(super) use {common_columns, database_now, run_columns};

statements! {
    query LAST = hidden("run.last", "SELECT COALESCE(MAX(number), 0) AS number FROM run WHERE round_id = $1");
    query NEWEST = hidden("run.newest_result",
        "SELECT number, COALESCE(shown_result_digest, '') AS shown_result_digest FROM run WHERE round_id = $1 \
         AND state = 'succeeded' AND purge_micros IS NULL ORDER BY number DESC LIMIT 1");
    query RESULT_OF = hidden("run.result_of",
        "SELECT number, state, COALESCE(shown_result_digest, '') AS shown_result_digest FROM run WHERE round_id = $1 \
         AND number = $2 AND purge_micros IS NULL");
    change CREATE = ("run.create", sqlite: create!(sqlite), postgres: create!(postgres));
    query ENROLLED = hidden("run.enrolled",
        "SELECT CAST(COALESCE(SUM(profiles), 0) AS BIGINT) AS profiles FROM enrolment_count WHERE round_id = $1");
    // One statement, because it reads all organisations at one moment.
    change FREEZE_ORGANISATIONS = ("run_organisation.freeze",
        "INSERT INTO run_organisation (round_id, run_number, organisation_id, rules, most_given, most_taken, import_number) \
         SELECT $1, CAST($2 AS BIGINT), o.id, o.rules, o.most_given, o.most_taken, (SELECT COALESCE(MAX(i.number), 0) \
         FROM profile_import i WHERE i.organisation_id = o.id) FROM organisation o \
         WHERE o.id IN (SELECT c.organisation_id FROM enrolment_count c WHERE c.round_id = $1)");
    query GET = split("run.get",
        concat!("SELECT ", run_columns!(), " FROM run WHERE round_id = $1 AND number = $2 AND purge_micros IS NULL");
        "run.get_of_organisation",
        concat!("SELECT ", own_run_columns!("$3"), " FROM run WHERE round_id = $1 AND number = $2 AND purge_micros IS NULL \
            AND EXISTS (SELECT 1 FROM round_organisation i WHERE i.round_id = $1 AND i.organisation_id = $3)"));
    query LIST = split("run.list",
        concat!("SELECT ", run_columns!(), " FROM run WHERE round_id = $1 AND number < $2 \
            AND purge_micros IS NULL ORDER BY number DESC LIMIT $3");
        "run.list_of_organisation",
        concat!("SELECT ", own_run_columns!("$4"), " FROM run WHERE round_id = $1 AND number < $2 \
            AND EXISTS (SELECT 1 FROM round_organisation i WHERE i.round_id = $1 AND i.organisation_id = $4) \
            AND purge_micros IS NULL ORDER BY number DESC LIMIT $3"));
    query STATE = filtered("run.state",
        concat!("SELECT state FROM run WHERE round_id = $1 AND number = $2 AND purge_micros IS NULL AND ",
            exists_for!("run.round_id", "$3")));
    query PUBLISHED = hidden("submission.published",
        "SELECT run_number FROM submission WHERE round_id = $1 AND state = 'published'");
    change CANCEL_NOW = ("run.cancel_now", sqlite: cancel_now!(sqlite), postgres: cancel_now!(postgres));
    change CANCEL_LATER = ("run.cancel_later",
        "UPDATE run SET cancel_requested = 1 WHERE round_id = $1 AND number = $2 AND state = 'running' \
         AND cancel_requested = 0");
}

impl Store {
    /// One run, as far as the scope may read it: an organisation reads the numbers of its own members, and no digest.
    /// Several organisations read no summary unless one of them alone takes part.
    pub async fn run(&self, scope: &Scope, name: &RunRef) -> Result<Run> {
        let mut session = self.reader(scope).await?;
        let rows = session.rows(GET, values![&name.round, name.number]).await?;
        let mut found = read_all(&rows, scope)?;
        staleness::add_causes(&mut session, &name.round, &mut found).await?;
        session.end().await?;
        found.pop().ok_or_else(|| Error::NotFound(name.name()))
    }

    /// The state of a run.
    pub async fn run_state(&self, scope: &Scope, name: &RunRef) -> Result<RunState> {
        let mut session = self.reader(scope).await?;
        let found = state(&mut session, name).await;
        session.end().await?;
        found
    }

    /// Runs of a round, the newest first, before number `before`, at most `limit`.
    ///
    /// Fails with `NotFound` if there is no such round.
    pub async fn list_runs(
        &self,
        scope: &Scope,
        round: &RoundId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Run>> {
        let mut session = self.snapshot_reader(scope).await?;
        let rows = session.rows(LIST, values![round, before.unwrap_or(i64::MAX), limit]).await?;
        if rows.is_empty() {
            round::require(&mut session, round).await?;
        }
        let mut runs = read_all(&rows, scope)?;
        runs.truncate(limit as usize);
        staleness::add_causes(&mut session, round, &mut runs).await?;
        session.end().await?;
        Ok(runs)
    }
}

impl Store {
    /// The run that [`WriteSession::start_run`] would return at `now`, or its error. Nothing is written.
    pub async fn check_start(
        &self,
        scope: &Scope,
        round: &RoundId,
        follow: Follow,
        now: Timestamp,
    ) -> Result<Run> {
        let mut session = self.snapshot_reader(scope).await?;
        let found = round::of(&mut session, round).await?;
        let (name, _) = startable(&mut session, round, found.state, follow).await?;
        let follows = followed(&mut session, round, follow).await?;
        session.end().await?;
        let follows = follows.map(|(number, _)| RunRef { round: round.clone(), number });
        let (repairs, most_changes) = repair_of(follow);
        Ok(Run { repairs, most_changes, ..Run::queued(name, found.content.policy.version, follows, now) })
    }

    /// The run after a cancellation at `now`. Nothing is written.
    pub async fn check_cancel(&self, scope: &Scope, name: &RunRef, now: Timestamp) -> Result<Run> {
        let run = self.run(scope, name).await?;
        if run.state.is_final() {
            return Ok(run);
        }
        Ok(Run { state: RunState::Cancelled, progress: None, end_time: Some(now), ..run })
    }
}

impl WriteSession {
    /// Freezes a round and queues a run over it. The snapshot refers to versions, and nobody is copied: the cost does not
    /// depend on the number of people. `trace_parent` is the trace of the call.
    ///
    /// Fails with `NotFound`, `RunState` if the run to follow has not succeeded, `RoundState`, `RunActive` if a run of the round is queued or running, or `RoundEmpty`.
    pub async fn start_run(
        &mut self,
        round: &RoundId,
        follow: Follow,
        trace_parent: Option<&str>,
    ) -> Result<(Run, Note)> {
        let now = self.now();
        let state = self.lock_round(round).await?.state;
        let (name, participants) = startable(self.reads(), round, state, follow).await?;
        let number = name.number;
        let owner = Owner::Alliance;
        let follows = followed(self.reads(), round, follow).await?;
        let (follows, digest) = follows.unzip();
        let (repairs, most_changes) = repair_of(follow);
        let (repairs, most) = (i64::from(repairs), most_changes.map(i64::from));
        let values = values![round, number, now, trace_parent, follows, digest.as_deref(), repairs, most];
        self.change_exactly(1, owner, CREATE, values).await?;
        self.change(owner, FREEZE_ORGANISATIONS, values![round, number]).await?;
        let note = Note::new(
            owner,
            "run.start",
            name.name(),
            &json!({ "participants": participants, "follows": follows, "repairs": repairs > 0, "most_changes": most }),
        );
        Ok((self.found_run(&name).await?, note))
    }

    /// Cancels a run: at once if no worker holds it, otherwise when its worker renews the lease. A run that has ended
    /// stays as it is; then there is no note.
    pub async fn cancel_run(&mut self, name: &RunRef) -> Result<(Run, Option<Note>)> {
        let now = self.now();
        self.lock_round(&name.round).await.map_err(|error| match error {
            Error::NotFound(_) => Error::NotFound(name.name()),
            other => other,
        })?;
        let owner = Owner::Alliance;
        let at_once = self.change(owner, CANCEL_NOW, values![&name.round, name.number, now]).await?;
        let requested = match at_once {
            0 => self.change(owner, CANCEL_LATER, values![&name.round, name.number]).await?,
            _ => 0,
        };
        let note = (at_once + requested > 0)
            .then(|| Note::new(owner, "run.cancel", name.name(), &json!({ "at_once": at_once > 0 })));
        Ok((self.found_run(name).await?, note))
    }

    async fn found_run(&mut self, name: &RunRef) -> Result<Run> {
        let rows = self.reads().rows(GET, values![&name.round, name.number]).await?;
        let mut found = read_all(&rows, self.reads().scope())?;
        found.pop().ok_or_else(|| Error::NotFound(name.name()))
    }
}

/// Asks the queued or running run of a round to stop, if there is one, for a change of `owner`'s rows that the run must not
/// outlive. The session has locked the round.
pub(super) async fn stop_active(
    session: &mut WriteSession,
    round: &RoundId,
    owner: Owner<'_>,
) -> Result<Option<(RunRef, Note)>> {
    let Some(name) = round::active(session.reads(), round).await? else { return Ok(None) };
    let now = session.now();
    let at_once = session.change(owner, CANCEL_NOW, values![round, name.number, now]).await?;
    let requested = match at_once {
        0 => session.change(owner, CANCEL_LATER, values![round, name.number]).await?,
        _ => 0,
    };
    let detail = json!({ "at_once": at_once > 0 });
    let note = Note::new(Owner::Alliance, "run.cancel", name.name(), &detail);
    Ok((at_once + requested > 0).then_some((name, note)))
}

/// Whether a run repairs the one that it follows, and the most pairs that it may change.
fn repair_of(follow: Follow) -> (bool, Option<u32>) {
    match follow {
        Follow::Repair { most_changes, .. } => (true, most_changes),
        Follow::Newest | Follow::Run(_) | Follow::None => (false, None),
    }
}

/// The name of a run that is started now over a round in `state`, and the number of its participants. Over a published round, a
/// run repairs the published one.
///
/// Fails with `RoundState`, `RunActive` or `RoundEmpty`.
async fn startable(
    session: &mut ReadSession,
    round: &RoundId,
    state: RoundState,
    follow: Follow,
) -> Result<(RunRef, i64)> {
    let published = session.row(PUBLISHED, values![round]).await?;
    let published = published.map(|row| row.int("run_number")).transpose()?;
    let repairs_it = matches!(follow, Follow::Repair { number, .. } if published == Some(number));
    let may_start = state.is_open() || state == RoundState::Published && repairs_it;
    if !may_start {
        return Err(Error::RoundState {
            round: round.name(),
            state: state.as_str(),
            required: RoundState::OPEN,
        });
    }
    round::expect_none_active(session, round).await?;
    let number = session.one(LAST, values![round]).await?.int("number")? + 1;
    let participants = session.one(ENROLLED, values![round]).await?.int("profiles")?;
    if participants == 0 {
        return Err(Error::RoundEmpty(round.name()));
    }
    Ok((RunRef { round: round.clone(), number }, participants))
}

/// The number of the run that a new run follows, with the digest of its result as coordinators read it.
///
/// Fails with `NotFound` if there is no such run, and with `RunState` if it has not succeeded.
pub(super) async fn followed(
    session: &mut ReadSession,
    round: &RoundId,
    follow: Follow,
) -> Result<Option<(i64, String)>> {
    let read = |row: &Row| Ok((row.int("number")?, row.text("shown_result_digest")?));
    match follow {
        Follow::None => Ok(None),
        Follow::Newest => session.row(NEWEST, values![round]).await?.as_ref().map(read).transpose(),
        Follow::Run(number) | Follow::Repair { number, .. } => {
            let name = RunRef { round: round.clone(), number };
            let found = session.row(RESULT_OF, values![round, number]).await?;
            let row = found.ok_or_else(|| Error::NotFound(name.name()))?;
            let state = row.parse("run", &name, "state", RunState::from_name)?;
            if state != RunState::Succeeded {
                let (run, state) = (name.name(), state.as_str());
                return Err(Error::RunState { run, state, required: &["succeeded"] });
            }
            read(&row).map(Some)
        }
    }
}

impl Store {
    /// The number of a round's newest run that succeeded.
    pub async fn newest_result(&self, scope: &Scope, round: &RoundId) -> Result<Option<i64>> {
        let mut session = self.reader(scope).await?;
        let found = followed(&mut session, round, Follow::Newest).await;
        session.end().await?;
        Ok(found?.map(|(number, _)| number))
    }
}

/// A run as the service itself reads it, and as coordinators do.
pub(super) async fn of(session: &mut ReadSession, name: &RunRef) -> Result<[Run; 2]> {
    match session.row(GET, values![&name.round, name.number]).await? {
        Some(row) => Ok([read_as(&row, true)?, read_as(&row, false)?]),
        None => Err(Error::NotFound(name.name())),
    }
}

/// The state of a run.
pub(super) async fn state(session: &mut ReadSession, name: &RunRef) -> Result<RunState> {
    match session.row(STATE, values![&name.round, name.number]).await? {
        Some(row) => row.parse("run", name, "state", RunState::from_name),
        None => Err(Error::NotFound(name.name())),
    }
}

/// The runs in rows of a split query, the newest first. A run of several organisations has a row of each. It has a summary
/// if one of them takes part: each summary is about the members of one organisation.
fn read_all(rows: &[Row], scope: &Scope) -> Result<Vec<Run>> {
    let mut runs: BTreeMap<i64, (Run, u32)> = BTreeMap::new();
    for row in rows {
        let mut run = read(row, scope)?;
        let of_one = u32::from(run.summary.is_some());
        runs.entry(run.name.number)
            .and_modify(|(known, summaries)| {
                *summaries += of_one;
                known.summary = known.summary.take().or(run.summary.take()).filter(|_| *summaries == 1);
            })
            .or_insert_with(|| (run, of_one));
    }
    Ok(runs.into_values().rev().map(|(run, _)| run).collect())
}

/// Reads a row of `run_columns!` or `own_run_columns!`. Only the service itself reads the digests that cover private
/// answers.
pub(super) fn read(row: &Row, scope: &Scope) -> Result<Run> {
    let mut run = read_as(row, scope.require_system().is_ok())?;
    // Decisions are for coordinators, and the others count people of all organisations.
    if let (
        Some(_),
        Some((Reason::DecisionsConflict | Reason::QuotasUnmet | Reason::RepairBudget, message)),
    ) = (scope.organisations(), &mut run.failure)
    {
        message.clear();
    }
    Ok(run)
}

fn read_as(row: &Row, is_service: bool) -> Result<Run> {
    let name = RunRef { round: row.id("run", "round_id")?, number: row.int("number")? };
    let progress = match row.opt_text("stage")? {
        None => None,
        Some(_) => Some(Progress {
            stage: row.parse("run", &name, "stage", Stage::from_name)?,
            work: match row.opt_int("stage_done")? {
                None => None,
                Some(_) => Some(StageWork {
                    done: row.narrow("run", &name, "stage_done")?,
                    total: row.narrow("run", &name, "stage_total")?,
                    eta_millis: row.opt_int("stage_eta_millis")?,
                }),
            },
        }),
    };
    let summary = match row.opt_text("summary")? {
        None => None,
        Some(_) => Some(row.json("run", &name, "summary")?),
    };
    let failure = match (row.opt_text("failure_reason")?, row.opt_text("failure_message")?) {
        (Some(_), message) => {
            // A newer replica may have stored a reason that this version does not have.
            let reason = row.opt_text("failure_reason")?.and_then(|code| Reason::from_code(&code));
            Some((reason.unwrap_or(Reason::Internal), message.unwrap_or_default()))
        }
        (None, _) => None,
    };
    let [input_digest, result_digest] = if is_service {
        ["input_digest", "result_digest"]
    } else {
        ["shown_input_digest", "shown_result_digest"]
    };
    Ok(Run {
        state: row.parse("run", &name, "state", RunState::from_name)?,
        policy_version: row.int("policy_version")?,
        input_digest: row.text(input_digest)?,
        engine_version: row.text("engine_version")?,
        result_digest: row.text(result_digest)?,
        progress,
        summary,
        failure,
        stale_causes: Vec::new(),
        repairs: row.flag("repairs")?,
        most_changes: row.opt_int("most_changes")?.and_then(|most| u32::try_from(most).ok()),
        follows: row.opt_int("follows")?.map(|number| RunRef { round: name.round.clone(), number }),
        attempt: row.narrow("run", &name, "attempt")?,
        create_time: row.time("create_micros")?,
        start_time: row.opt_time("start_micros")?,
        end_time: row.opt_time("end_micros")?,
        name,
    })
}
