//! Use cases of runs and their results.

use std::time::Duration;

use tokio::sync::watch;

use super::page::Cursor;
use super::profile::parse_profile;
use super::round::parse_round;
use super::{
    Action, Change, Page, PageRequest, Service, Stop, check_request_id, commit_change, recalled, remembered,
    taken,
};
use crate::clock::Stopwatch;
use crate::domain::caller::Caller;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::name::{MatchRef, ProfileRef, RoundId, RunRef};
use crate::domain::quota;
use crate::domain::run::{Follow, MatchView, PairExplanation, Run, RunState, Side, Unmatched};
use crate::domain::violation::Violations;
use crate::engine;
use crate::engine::encode::AnswersUsed;
use crate::error::{Error, Result};
use crate::store::{Begun, FrozenPair, Notes, Scope, StoredMatch};
use crate::telemetry::trace;

/// Time between two reads of a run that another process solves.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// Least time between two reads of a watch, and so between two messages: a fast run does not flood a slow reader.
const READ_EVERY: Duration = Duration::from_millis(20);
/// Longest time for which a cancellation waits for the end of the run.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);

/// Explanation of a pair in a run.
#[derive(Debug, Clone)]
pub struct ExplainedPair {
    /// The run.
    pub run: RunRef,
    /// Rules, score and contributions.
    pub explanation: PairExplanation,
    /// Id of the match, if the pair is a match.
    pub matched_as: Option<String>,
    /// Result of the run for the pair, with the reason.
    pub verdict: Reason,
}

/// The run that a new run follows, as a caller names it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunToFollow<'a> {
    /// Resource name; empty for the newest run of the round that succeeded.
    pub name: &'a str,
    /// Whether the new run follows none.
    pub none: bool,
    /// Whether the new run repairs the named one.
    pub repair: bool,
    /// Most pairs that a repair may change; `None` sets no limit.
    pub most_changes: Option<i32>,
}

/// A watch of a run.
#[derive(Debug)]
pub struct RunWatch {
    service: Service,
    scope: Scope,
    name: RunRef,
    changes: watch::Receiver<u64>,
    last: Option<Run>,
    /// Since the last read.
    read: Option<Stopwatch>,
}

impl Service {
    /// Freezes a round and queues a run over it, or checks whether it can be run.
    pub async fn start_run(
        &self,
        caller: &Caller,
        round: &str,
        follows: RunToFollow<'_>,
        how: Change<'_>,
    ) -> Result<Run> {
        let permit = Action::StartRun.permit(caller)?;
        let (round, follow) = with_request_id(parse_start(round, follows), how)?;
        if how.validate_only {
            return self.store.check_start(&permit.scope, &round, follow, self.clock.now()).await;
        }
        let RunToFollow { name, none, repair, most_changes } = follows;
        let payload = (&round, name, none, repair, most_changes);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => {
                let (number, policy_version, follows, create_time) = recalled(&first)?;
                let of = |number: i64| RunRef { round: round.clone(), number };
                let follows: Option<i64> = follows;
                let run = Run::queued(of(number), policy_version, follows.map(of), create_time);
                let most_changes = most_changes.and_then(|most| u32::try_from(most).ok());
                Ok(Run { repairs: repair, most_changes, ..run })
            }
            Begun::Fresh(mut session) => {
                let excluded = Box::pin(session.exclude_ended_pairs(&round)).await?;
                let (run, note) = session.start_run(&round, follow, trace::traceparent().as_deref()).await?;
                let follows = run.follows.as_ref().map(|followed| followed.number);
                let first = (run.name.number, run.policy_version, follows, run.create_time);
                let notes = Notes::of(excluded.into_iter().chain([note]));
                commit_change(session, notes, &remembered(&first)?).await?;
                self.live_runs.run_queued();
                Ok(run)
            }
        }
    }

    /// One run, with its progress.
    pub async fn get_run(&self, caller: &Caller, name: &str) -> Result<Run> {
        let permit = Action::GetRun.permit(caller)?;
        self.current(&permit.scope, &parse_run("name", name)?).await
    }

    /// A page of a round's runs, the newest first.
    pub async fn list_runs(&self, caller: &Caller, parent: &str, request: &PageRequest) -> Result<Page<Run>> {
        let permit = Action::ListRuns.permit(caller)?;
        let round = parse_round("parent", parent)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/runs"), request)?;
        let before = cursor.after.as_deref().and_then(|number| number.parse().ok());
        let found = self.store.list_runs(&permit.scope, &round, before, cursor.limit()).await?;
        Ok(cursor.page(found, |run| run.name.number.to_string()))
    }

    /// Watches a run until it ends.
    pub async fn watch_run(&self, caller: &Caller, name: &str) -> Result<RunWatch> {
        let permit = Action::WatchRun.permit(caller)?;
        let (scope, name) = (permit.scope.clone(), parse_run("name", name)?);
        self.store.run(&scope, &name).await?;
        Ok(self.watch(scope, name))
    }

    fn watch(&self, scope: Scope, name: RunRef) -> RunWatch {
        RunWatch {
            service: self.clone(),
            scope,
            name,
            changes: self.live_runs.changes(),
            last: None,
            read: None,
        }
    }

    /// Cancels a run and returns it, or checks whether it can be cancelled. A run that has ended stays as it is.
    pub async fn cancel_run(&self, caller: &Caller, name: &str, how: Change<'_>) -> Result<Run> {
        let permit = Action::CancelRun.permit(caller)?;
        let (scope, name) = (permit.scope.clone(), with_request_id(parse_run("name", name), how)?);
        if how.validate_only {
            return self.store.check_cancel(&scope, &name, self.clock.now()).await;
        }
        match self.store.begin(self.receipt(&permit, how.request_id, &name.name())?).await? {
            Begun::Repeated(_) => {}
            Begun::Fresh(mut session) => {
                let (_, note) = session.cancel_run(&name).await?;
                commit_change(session, note, &[]).await?;
                self.live_runs.stop(&name, Stop::Cancelled);
                self.live_runs.run_queued();
            }
        }
        let mut watch = self.watch(scope.clone(), name.clone());
        let ended = async {
            while let Some(run) = watch.next().await? {
                if run.state.is_final() {
                    return Ok(run);
                }
            }
            self.current(&scope, &name).await
        };
        match tokio::time::timeout(CANCEL_PATIENCE, ended).await {
            Ok(run) => run,
            Err(_) => self.current(&scope, &name).await,
        }
    }

    /// A page of a run's matches, the highest score first.
    pub async fn list_matches(
        &self,
        caller: &Caller,
        parent: &str,
        view: MatchView,
        request: &PageRequest,
    ) -> Result<(RunRef, Page<StoredMatch>)> {
        let permit = Action::ListMatches.permit(caller)?;
        let run = parse_run("parent", parent)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/matches"), request)?;
        let scope = &permit.scope;
        let found =
            self.store.list_matches(scope, &run, view, cursor.after.as_deref(), cursor.limit()).await?;
        // The token holds the id of a match that the caller has read, and no place in the list of all matches.
        Ok((run, cursor.page(found, |stored| stored.id.clone())))
    }

    /// One match of a run, with its contributions.
    pub async fn get_match(&self, caller: &Caller, name: &str) -> Result<(RunRef, StoredMatch)> {
        let permit = Action::GetMatch.permit(caller)?;
        let parsed = MatchRef::from_name(name);
        let name = parsed.map_err(|error| Error::invalid_field("name", name, error.to_string()))?;
        let found = self.store.match_named(&permit.scope, &name).await?;
        Ok((name.run, found))
    }

    /// A page of the people without a match.
    pub async fn list_unmatched(
        &self,
        caller: &Caller,
        parent: &str,
        request: &PageRequest,
    ) -> Result<Page<Unmatched>> {
        let permit = Action::ListUnmatched.permit(caller)?;
        let run = parse_run("parent", parent)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/unmatched"), request)?;
        let scope = &permit.scope;
        let after = cursor.after.as_deref().map(|key| person_of(key).ok_or(Error::InvalidPageToken));
        let after = after.transpose()?;
        let after = after.as_ref().map(|(side, profile)| (*side, profile));
        let found = self.store.list_unmatched(scope, &run, after, cursor.limit()).await?;
        Ok(cursor
            .page(found, |unmatched| format!("{} {}", side_number(unmatched.side), unmatched.profile.name())))
    }

    /// Explains a pair of a run's snapshot. For a manager, both people are her own members, or the pair is a match of
    /// one of them; every other pair is reported as not found.
    ///
    /// Rules are judged by open answers, so that a pair that only a private answer excludes reads as a possible pair that
    /// was not chosen. For the manager of both people all answers count, because all of them are her own members'.
    pub async fn explain_pair(
        &self,
        caller: &Caller,
        run: &str,
        mentee: &str,
        mentor: &str,
    ) -> Result<ExplainedPair> {
        let permit = Action::ExplainPair.permit(caller)?;
        let run = parse_run("run", run)?;
        let (mentee, mentor) = (parse_profile("mentee", mentee)?, parse_profile("mentor", mentor)?);
        self.explained(&permit.scope, run, &mentee, &mentor).await
    }

    /// The explanation of a pair as a scope reads it.
    pub(super) async fn explained(
        &self,
        scope: &Scope,
        run: RunRef,
        mentee: &ProfileRef,
        mentor: &ProfileRef,
    ) -> Result<ExplainedPair> {
        let unknown = || Error::NotFound(format!("the pair {mentee} and {mentor} in {run}"));
        let state = self.store.run_state(scope, &run).await?;
        if state != RunState::Succeeded {
            return Err(Error::RunState { run: run.name(), state: state.as_str(), required: &["succeeded"] });
        }
        let matched = self.store.match_of(scope, &run, mentee, mentor).await?;
        // An answer about a member of another organisation would reveal her enrolment and whom she avoids.
        let both_seen = scope.covers(&mentee.organisation) && scope.covers(&mentor.organisation);
        if !both_seen && matched.is_none() {
            return Err(unknown());
        }
        let FrozenPair { mut snapshot, first_days } =
            self.store.frozen_pair(&Scope::System, &run, mentee, mentor).await?;
        if scope.organisations().is_some() {
            // Decisions are for coordinators: for a manager a vetoed pair reads as one that was not chosen.
            snapshot.decisions.clear();
        }
        let (a, b) = (mentee.clone(), mentor.clone());
        let is_own =
            |person: &ProfileRef| scope.organisations().is_some_and(|own| own.contains(&person.organisation));
        let answers = if is_own(mentee) && is_own(mentor) { AnswersUsed::All } else { AnswersUsed::Open };
        let explain = move || engine::explain_pair(&snapshot, Some(&first_days), answers, &a, &b);
        let explained = tokio::task::spawn_blocking(explain).await;
        let mut explanation =
            explained.map_err(|_| Error::internal("the explanation panicked"))?.ok_or_else(unknown)?;
        if matched.is_some() {
            // A match breaks no rule. By open answers alone it may miss the minimum score.
            explanation.broken_rules.clear();
        }
        let verdict = if matched.is_some() {
            Reason::new(ReasonCode::VerdictMatched)
        } else if explanation.broken_rules.is_empty() {
            Reason::new(ReasonCode::VerdictNotChosen).with("score", explanation.pair.score)
        } else {
            Reason::new(ReasonCode::VerdictExcluded)
        };
        Ok(ExplainedPair { run, explanation, matched_as: matched.map(|stored| stored.id), verdict })
    }

    /// The stored run, with the progress of this process if it runs here.
    async fn current(&self, scope: &Scope, name: &RunRef) -> Result<Run> {
        let mut run = self.store.run(scope, name).await?;
        if run.state == RunState::Running {
            run.progress = self.live_runs.progress(name).or(run.progress);
        }
        if scope.organisations().is_some()
            && let Some(progress) = &mut run.progress
        {
            progress.work = None;
        }
        Ok(run)
    }
}

impl RunWatch {
    /// The run at once, then after each change; `None` after its end.
    pub async fn next(&mut self) -> Result<Option<Run>> {
        if self.last.as_ref().is_some_and(|run| run.state.is_final()) {
            return Ok(None);
        }
        loop {
            if let Some(read) = &self.read {
                // A change after a longer wait, such as the end of the run, is read at once.
                tokio::time::sleep(READ_EVERY.saturating_sub(read.elapsed())).await;
            }
            self.read = Some(Stopwatch::start());
            self.changes.mark_unchanged();
            let run = self.service.current(&self.scope, &self.name).await?;
            if self.last.as_ref() != Some(&run) {
                self.last = Some(run.clone());
                return Ok(Some(run));
            }
            // A change of this process ends the wait early; the timeout finds changes of other processes.
            let _ = tokio::time::timeout(POLL_EVERY, self.changes.changed()).await;
        }
    }
}

/// The round of a new run, and the run that it follows.
fn parse_start(round: &str, follows: RunToFollow<'_>) -> Result<(RoundId, Follow)> {
    let mut violations = Violations::of_request();
    let round = taken(parse_round("round", round), &mut violations)?;
    let RunToFollow { name, none, repair, most_changes } = follows;
    let most = most_changes.and_then(|most| quota::matches(most, "most_changes", &mut violations));
    if most_changes.is_some() && !repair {
        let hint = "set `repair`, or leave most_changes out";
        violations.push("most_changes", "", "is for a run that repairs another one", hint);
    }
    let mut follow = if none { Follow::None } else { Follow::Newest };
    if none && !name.is_empty() {
        violations.push(
            "follows",
            name,
            "names a run, but `follow_none` is set",
            "give one of the two, or neither to follow the newest result",
        );
    } else if !name.is_empty()
        && let Some(run) = taken(parse_run("follows", name), &mut violations)?
    {
        follow = if repair {
            Follow::Repair { number: run.number, most_changes: most }
        } else {
            Follow::Run(run.number)
        };
        if round.as_ref().is_some_and(|round| *round != run.round) {
            violations.push("follows", name, "is a run of another round", "name a run of the same round");
        }
    }
    if repair && name.is_empty() {
        violations.push("follows", name, "names no run to repair", "name the run that the new run repairs");
    }
    match round {
        Some(round) => violations.finish((round, follow)).map_err(Error::InvalidFields),
        None => Err(Error::InvalidFields(violations)),
    }
}

/// A parsed name and the check of the `request_id`, with the violations of both.
fn with_request_id<T>(name: Result<T>, how: Change<'_>) -> Result<T> {
    let mut violations = Violations::of_request();
    let name = taken(name, &mut violations)?;
    check_request_id(how.request_id, &mut violations);
    match name {
        Some(name) => violations.finish(name).map_err(Error::InvalidFields),
        None => Err(Error::InvalidFields(violations)),
    }
}

/// The number of a side in a page token; 0 for people without a role.
fn side_number(side: Option<Side>) -> i32 {
    side.map_or(0, |side| side as i32)
}

/// The side and the profile in a page token of people without a match.
fn person_of(key: &str) -> Option<(Option<Side>, ProfileRef)> {
    let (number, name) = key.split_once(' ')?;
    let sides = [None, Some(Side::Mentee), Some(Side::Mentor)];
    let side = sides.into_iter().find(|side| number == side_number(*side).to_string())?;
    Some((side, ProfileRef::from_name(name).ok()?))
}

/// Parses the resource name of a run.
pub(super) fn parse_run(field: &str, name: &str) -> Result<RunRef> {
    RunRef::from_name(name).map_err(|error| Error::invalid_field(field, name, error.to_string()))
}
