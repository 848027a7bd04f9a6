//! The way of a run to its publication. The state of the round follows that of its submission, in the same transaction.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::backend::Store;
use super::dialect::{Row, values};
use super::invited::exists_for;
use super::journal::Note;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use super::{publication, round, run, staleness};
use crate::domain::name::{RoundId, RunRef, SubmissionRef};
use crate::domain::policy::Policy;
use crate::domain::principal::PrincipalKind;
use crate::domain::record::Record;
use crate::domain::round::RoundState;
use crate::domain::run::{Run, RunState};
use crate::domain::submission::{
    Approval, PublicationObstacle, SecondPersonRule, Submission, SubmissionState,
};
use crate::error::{Error, Result};

/// Columns of a submission.
macro_rules! submission_columns {
    () => {
        "SELECT number, run_number, result_digest, state, required_approvals, object_until_micros, body, actor, create_micros, \
         publish_actor, publish_micros, end_actor, end_reason, end_micros FROM submission"
    };
}

statements! {
    query GET = filtered("submission.get",
        concat!(submission_columns!(), " WHERE round_id = $1 AND number = $2 AND ",
            exists_for!("submission.round_id", "$3")));
    query LIST = filtered("submission.list",
        concat!(submission_columns!(), " WHERE round_id = $1 AND number < $2 AND ",
            exists_for!("submission.round_id", "$4"), " ORDER BY number DESC LIMIT $3"));
    query PUBLISHED = hidden("submission.published_run",
        "SELECT run_number FROM submission WHERE round_id = $1 AND state = 'published'");
    query LAST = hidden("submission.last",
        "SELECT COALESCE(MAX(number), 0) AS number FROM submission WHERE round_id = $1");
    query APPROVALS = filtered("approval.list",
        concat!("SELECT actor, body, create_micros FROM approval WHERE round_id = $1 AND submission_number = $2 AND ",
            exists_for!("approval.round_id", "$3"), " ORDER BY create_micros, actor"));
    query KIND = hidden("principal.kind", "SELECT kind FROM principal WHERE id = $1");
    // People who are enrolled now and are in neither list of a run.
    query MISSING = hidden("submission.missing",
        "SELECT COUNT(*) AS missing FROM (SELECT e.organisation_id, e.own_id FROM enrolment e WHERE e.round_id = $1 \
         AND e.withdraw_number IS NULL EXCEPT SELECT * FROM (\
         SELECT m.mentee_organisation_id, m.mentee_own_id FROM run_match m WHERE m.round_id = $1 AND m.run_number = $2 \
         UNION SELECT m.mentor_organisation_id, m.mentor_own_id FROM run_match m WHERE m.round_id = $1 AND m.run_number = $2 \
         UNION SELECT u.organisation_id, u.own_id FROM run_unmatched u WHERE u.round_id = $1 AND u.run_number = $2) AS told) \
         AS missing");
    query CONTESTED = hidden("submission.contested",
        "SELECT COUNT(*) AS contested FROM pair_review p WHERE p.round_id = $1 AND p.contests > 0 AND EXISTS (SELECT 1 \
         FROM run_match m WHERE m.round_id = $1 AND m.run_number = $2 AND m.id = p.pair_id)");
    change CREATE = ("submission.create",
        "INSERT INTO submission (round_id, number, run_number, result_digest, state, required_approvals, body, actor, \
         create_micros) VALUES ($1, $2, $3, $4, 'submitted', $5, $6, $7, $8)");
    change APPROVE = ("approval.create",
        "INSERT INTO approval (round_id, submission_number, actor, body, create_micros) VALUES ($1, $2, $3, $4, $5)");
    change APPROVED = ("submission.approve",
        "UPDATE submission SET state = 'approved', object_until_micros = $3 WHERE round_id = $1 AND number = $2 \
         AND state = 'submitted'");
    change PUBLISH = ("submission.publish",
        "UPDATE submission SET state = 'published', publish_actor = $3, publish_micros = $4 WHERE round_id = $1 \
         AND number = $2 AND state = 'approved'");
    change SUPERSEDE = ("submission.supersede",
        "UPDATE submission SET state = 'superseded' WHERE round_id = $1 AND state = 'published'");
    change END = ("submission.end",
        "UPDATE submission SET state = $3, end_actor = $4, end_reason = $5, end_micros = $6 WHERE round_id = $1 \
         AND number = $2 AND state IN ('submitted', 'approved', 'published')");
    change MOVE_ROUND = ("round.move",
        "UPDATE round SET state = $2 WHERE id = $1 AND state = $3");
}

/// The end of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmissionEnd {
    /// It is rejected before its publication.
    Reject,
    /// Its publication is taken back.
    Unpublish,
}

impl SubmissionEnd {
    /// The states in which it may end so.
    fn required(self) -> &'static [&'static str] {
        match self {
            Self::Reject => &["submitted", "approved"],
            Self::Unpublish => &["published"],
        }
    }

    fn state(self) -> SubmissionState {
        match self {
            Self::Reject => SubmissionState::Rejected,
            Self::Unpublish => SubmissionState::Unpublished,
        }
    }
}

/// A step of a submission.
#[derive(Debug, Clone)]
pub enum Step<'a> {
    /// Proposes a run for publication.
    Submit {
        /// The run.
        run: &'a RunRef,
        /// Digest of the result that the caller has looked at.
        digest: &'a str,
        /// What the approvers should know.
        comment: &'a str,
    },
    /// Approves a submission.
    Approve {
        /// The submission.
        name: &'a SubmissionRef,
        /// Digest of the result that the caller has looked at.
        digest: &'a str,
        /// What the approver says.
        comment: &'a str,
    },
    /// Publishes the run of a submission.
    Publish(
        /// The submission.
        &'a SubmissionRef,
    ),
    /// Ends a submission.
    End(
        /// The submission.
        &'a SubmissionRef,
        /// How it ends.
        SubmissionEnd,
        /// Why.
        &'a str,
    ),
}

impl Step<'_> {
    fn round(&self) -> &RoundId {
        match self {
            Self::Submit { run, .. } => &run.round,
            Self::Approve { name, .. } | Self::Publish(name) | Self::End(name, ..) => &name.round,
        }
    }

    /// The name that a missing round or submission is answered with.
    fn name(&self) -> String {
        match self {
            Self::Submit { run, .. } => run.name(),
            Self::Approve { name, .. } | Self::Publish(name) | Self::End(name, ..) => name.name(),
        }
    }
}

impl Store {
    /// One submission.
    pub async fn submission(&self, scope: &Scope, name: &SubmissionRef) -> Result<Submission> {
        let mut session = self.snapshot_reader(scope).await?;
        let found = of(&mut session, name).await;
        session.end().await?;
        found
    }

    /// Submissions of a round before number `before`, the newest first, at most `limit`.
    ///
    /// Fails with `NotFound` if there is no such round.
    pub async fn list_submissions(
        &self,
        scope: &Scope,
        id: &RoundId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Submission>> {
        let mut session = self.snapshot_reader(scope).await?;
        round::require(&mut session, id).await?;
        let rows = session.rows(LIST, values![id, before.unwrap_or(i64::MAX), limit]).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let submission = read(scope, id, row)?;
            found.push(with_approvals(&mut session, submission).await?);
        }
        session.end().await?;
        Ok(found)
    }

    /// The submission that [`WriteSession::step`] would return, or its error. Nothing is written.
    pub async fn check_step(&self, scope: &Scope, step: &Step<'_>, done: Record) -> Result<Submission> {
        let mut session = self.snapshot_reader(scope).await?;
        let state = round::of(&mut session, step.round()).await.map_err(|error| missing(error, step))?.state;
        let next = next(&mut session, state, step, done).await;
        session.end().await?;
        Ok(next?.submission)
    }
}

impl WriteSession {
    /// Takes a step of a submission. A step that is done already changes nothing, and has no note.
    pub async fn step(&mut self, step: &Step<'_>) -> Result<(Submission, Option<Note>)> {
        let state = self.lock_round(step.round()).await.map_err(|error| missing(error, step))?.state;
        let done = Record { recorder: self.actor().to_owned(), time: self.now() };
        let Next { submission, moves, is_new } = next(self.reads(), state, step, done.clone()).await?;
        if !is_new {
            return Ok((submission, None));
        }
        let owner = Owner::Alliance;
        let (id, number) = (&submission.name.round, submission.name.number);
        let action = match step {
            Step::Submit { .. } => {
                let values = values![
                    id,
                    number,
                    submission.run.number,
                    submission.result_digest.as_str(),
                    i32::from(submission.required_approvals),
                    submission.comment.as_str(),
                    done.recorder.as_str(),
                    done.time,
                ];
                self.change_exactly(1, owner, CREATE, values).await?;
                "run.submit"
            }
            Step::Approve { comment, .. } => {
                let values = values![id, number, done.recorder.as_str(), *comment, done.time];
                self.change_exactly(1, owner, APPROVE, values).await?;
                if let Some(until) = submission.objection_end {
                    self.change_exactly(1, owner, APPROVED, values![id, number, until]).await?;
                }
                "run.approve"
            }
            Step::Publish(_) => {
                self.change(owner, SUPERSEDE, values![id]).await?;
                let values = values![id, number, done.recorder.as_str(), done.time];
                self.change_exactly(1, owner, PUBLISH, values).await?;
                Box::pin(self.publish_mentorships(&submission.run)).await?;
                "run.publish"
            }
            Step::End(_, end, reason) => {
                let state = end.state().as_str();
                let values = values![id, number, state, done.recorder.as_str(), *reason, done.time];
                self.change_exactly(1, owner, END, values).await?;
                if *end == SubmissionEnd::Reject {
                    "run.reject"
                } else {
                    self.withdraw_mentorships(id).await?;
                    "run.unpublish"
                }
            }
        };
        if let Some(next) = moves {
            let values = values![id, next.as_str(), state.as_str()];
            self.change_exactly(1, owner, MOVE_ROUND, values).await?;
        }
        let detail = json!({ "submission": number });
        let note = Note::new(owner, action, submission.run.name(), &detail);
        Ok((submission, Some(note)))
    }
}

/// A round that does not exist is answered like what was named of it.
fn missing(error: Error, step: &Step<'_>) -> Error {
    match error {
        Error::NotFound(_) => Error::NotFound(step.name()),
        other => other,
    }
}

/// A submission after a step.
struct Next {
    submission: Submission,
    /// The state into which the round moves.
    moves: Option<RoundState>,
    /// Whether the step changes anything.
    is_new: bool,
}

async fn next(session: &mut ReadSession, state: RoundState, step: &Step<'_>, done: Record) -> Result<Next> {
    match step {
        Step::Submit { run, digest, comment } => {
            submitted(session, state, (*run, *digest), comment, done).await
        }
        Step::Approve { name, digest, comment } => {
            approved(session, name, digest, Approval { given: done, comment: (*comment).to_owned() }).await
        }
        Step::Publish(name) => published(session, name, done).await,
        Step::End(name, end, reason) => ended(session, state, name, *end, (done, reason)).await,
    }
}

async fn ended(
    session: &mut ReadSession,
    state: RoundState,
    name: &SubmissionRef,
    end: SubmissionEnd,
    (done, reason): (Record, &str),
) -> Result<Next> {
    let submission = of(session, name).await?;
    if submission.state == end.state() {
        return Ok(Next { submission, moves: None, is_new: false });
    }
    expect_state(&submission, end.required())?;
    let moves = match end {
        // The publication stays that the submission would have repaired.
        SubmissionEnd::Reject if published_run(session, &name.round).await?.is_some() => {
            RoundState::Published
        }
        SubmissionEnd::Unpublish if state != RoundState::Published => {
            let required = &["published"];
            return Err(Error::RoundState { round: name.round.name(), state: state.as_str(), required });
        }
        SubmissionEnd::Unpublish if publication::is_accepted(session, &name.round).await? => {
            let obstacles = vec![PublicationObstacle::Accepted];
            return Err(Error::PublicationBlocked { submission: name.name(), obstacles });
        }
        SubmissionEnd::Reject | SubmissionEnd::Unpublish => RoundState::Review,
    };
    let submission = Submission { state: end.state(), end: Some((done, reason.to_owned())), ..submission };
    Ok(Next { submission, moves: Some(moves), is_new: true })
}

/// The number of the run that is published.
async fn published_run(session: &mut ReadSession, round: &RoundId) -> Result<Option<i64>> {
    let row = session.row(PUBLISHED, values![round]).await?;
    row.map(|row| row.int("run_number")).transpose()
}

async fn submitted(
    session: &mut ReadSession,
    state: RoundState,
    (name, digest): (&RunRef, &str),
    comment: &str,
    made: Record,
) -> Result<Next> {
    let [_, run] = run::of(session, name).await?;
    let published = published_run(session, &name.round).await?;
    let repairs_it = run.repairs && run.follows.as_ref().map(|followed| followed.number) == published;
    let may_be = state == RoundState::Review || state == RoundState::Published && repairs_it;
    if !may_be {
        let required = &["review"];
        return Err(Error::RoundState { round: name.round.name(), state: state.as_str(), required });
    }
    if run.state != RunState::Succeeded {
        let required = &["succeeded"];
        return Err(Error::RunState { run: name.name(), state: run.state.as_str(), required });
    }
    round::expect_none_active(session, &name.round).await?;
    expect_digest(&run.result_digest, digest)?;
    expect_fresh(session, run.clone()).await?;
    let number = session.one(LAST, values![&name.round]).await?.int("number")? + 1;
    let policy = round::of(session, &name.round).await?.content.policy;
    let submission = Submission {
        name: SubmissionRef { round: name.round.clone(), number },
        run: name.clone(),
        result_digest: run.result_digest,
        state: SubmissionState::Submitted,
        required_approvals: policy.approvals,
        approvals: Vec::new(),
        objection_end: None,
        comment: comment.to_owned(),
        made,
        published: None,
        end: None,
    };
    Ok(Next { submission, moves: Some(RoundState::Submitted), is_new: true })
}

async fn approved(
    session: &mut ReadSession,
    name: &SubmissionRef,
    digest: &str,
    approval: Approval,
) -> Result<Next> {
    let mut submission = of(session, name).await?;
    let who = &approval.given.recorder;
    expect_digest(&submission.result_digest, digest)?;
    if submission.approvals.iter().any(|known| known.given.recorder == *who) {
        return Ok(Next { submission, moves: None, is_new: false });
    }
    expect_state(&submission, &["submitted"])?;
    let second = |rule| Error::SecondPerson { submission: name.name(), rule };
    if submission.made.recorder == *who {
        return Err(second(SecondPersonRule::Submitter));
    }
    if is_service(session, who).await? {
        return Err(second(SecondPersonRule::Service));
    }
    let [_, run] = run::of(session, &submission.run).await?;
    expect_fresh(session, run).await?;
    let time = approval.given.time;
    submission.approvals.push(approval);
    if submission.approvals.len() < usize::from(submission.required_approvals) {
        return Ok(Next { submission, moves: None, is_new: true });
    }
    let policy = round::of(session, &name.round).await?.content.policy;
    submission.state = SubmissionState::Approved;
    submission.objection_end = Some(objection_end(&policy, time));
    Ok(Next { submission, moves: Some(RoundState::Approved), is_new: true })
}

fn objection_end(policy: &Policy, approved: Timestamp) -> Timestamp {
    let days = SignedDuration::from_hours(24 * i64::from(policy.objection_days));
    approved.saturating_add(days).unwrap_or(Timestamp::MAX)
}

async fn published(session: &mut ReadSession, name: &SubmissionRef, done: Record) -> Result<Next> {
    let submission = of(session, name).await?;
    if submission.state == SubmissionState::Published {
        return Ok(Next { submission, moves: None, is_new: false });
    }
    expect_state(&submission, &["approved"])?;
    let [_, run] = run::of(session, &submission.run).await?;
    expect_fresh(session, run).await?;
    let mut obstacles = Vec::new();
    if submission.objection_end.is_none_or(|end| done.time < end) {
        obstacles.push(PublicationObstacle::ObjectionTime);
    }
    let values = || values![&name.round, submission.run.number];
    if session.one(CONTESTED, values()).await?.int("contested")? > 0 {
        obstacles.push(PublicationObstacle::OpenObjections);
    }
    if session.one(MISSING, values()).await?.int("missing")? > 0 {
        obstacles.push(PublicationObstacle::PeopleMissing);
    }
    if publication::has_ended_pairs(session, &submission.run).await? {
        obstacles.push(PublicationObstacle::PairEnded);
    }
    if !obstacles.is_empty() {
        return Err(Error::PublicationBlocked { submission: name.name(), obstacles });
    }
    let submission = Submission { state: SubmissionState::Published, published: Some(done), ..submission };
    Ok(Next { submission, moves: Some(RoundState::Published), is_new: true })
}

fn expect_state(submission: &Submission, required: &'static [&'static str]) -> Result<()> {
    let state = submission.state.as_str();
    if required.contains(&state) {
        return Ok(());
    }
    Err(Error::SubmissionState { submission: submission.name.name(), state, required })
}

fn expect_digest(stored: &str, given: &str) -> Result<()> {
    if stored == given {
        return Ok(());
    }
    Err(Error::invalid_field(
        "result_digest",
        given,
        "is not the digest of this result; read the run again and look at what it has now",
    ))
}

/// `Ok` if nothing has changed since a run was started.
async fn expect_fresh(session: &mut ReadSession, run: Run) -> Result<()> {
    let mut runs = [run];
    let round = runs[0].name.round.clone();
    staleness::add_causes(session, &round, &mut runs).await?;
    let [Run { name, stale_causes, .. }] = runs;
    if stale_causes.is_empty() {
        Ok(())
    } else {
        Err(Error::RunStale { run: name.name(), causes: stale_causes })
    }
}

async fn is_service(session: &mut ReadSession, principal: &str) -> Result<bool> {
    let row = session.row(KIND, values![principal]).await?;
    let kind =
        row.map(|row| row.parse("principal", &principal, "kind", PrincipalKind::from_name)).transpose()?;
    Ok(kind == Some(PrincipalKind::Service))
}

/// One submission with its approvals.
async fn of(session: &mut ReadSession, name: &SubmissionRef) -> Result<Submission> {
    let row = session.row(GET, values![&name.round, name.number]).await?;
    let row = row.ok_or_else(|| Error::NotFound(name.name()))?;
    let submission = read(session.scope(), &name.round, &row)?;
    with_approvals(session, submission).await
}

async fn with_approvals(session: &mut ReadSession, submission: Submission) -> Result<Submission> {
    let values = values![&submission.name.round, submission.name.number];
    let rows = session.rows(APPROVALS, values).await?;
    let is_hidden = session.scope().organisations().is_some();
    let read = |row: &Row| {
        let given = Record { recorder: row.text("actor")?, time: row.time("create_micros")? };
        let comment = if is_hidden { String::new() } else { row.text("body")? };
        Ok(Approval { given, comment })
    };
    let approvals = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok(Submission { approvals, ..submission })
}

/// Reads a row, without its approvals. The digest and all words are for coordinators.
fn read(scope: &Scope, round: &RoundId, row: &Row) -> Result<Submission> {
    let name = SubmissionRef { round: round.clone(), number: row.int("number")? };
    let id = name.name();
    let record = |actor: &str, time: &str| {
        Ok::<_, Error>(match (row.opt_text(actor)?, row.opt_time(time)?) {
            (Some(recorder), Some(time)) => Some(Record { recorder, time }),
            _ => None,
        })
    };
    let is_hidden = scope.organisations().is_some();
    let reason = row.opt_text("end_reason")?.filter(|_| !is_hidden).unwrap_or_default();
    Ok(Submission {
        run: RunRef { round: round.clone(), number: row.int("run_number")? },
        result_digest: if is_hidden { String::new() } else { row.text("result_digest")? },
        state: row.parse("submission", &id, "state", SubmissionState::from_name)?,
        required_approvals: row.narrow("submission", &id, "required_approvals")?,
        approvals: Vec::new(),
        objection_end: row.opt_time("object_until_micros")?,
        comment: if is_hidden { String::new() } else { row.text("body")? },
        made: Record { recorder: row.text("actor")?, time: row.time("create_micros")? },
        published: record("publish_actor", "publish_micros")?,
        end: record("end_actor", "end_micros")?.map(|record| (record, reason)),
        name,
    })
}
