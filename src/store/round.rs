//! Rounds and their policies.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::fault;
use super::journal::Note;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::name::{PolicyRef, RoundId, RunRef};
use crate::domain::policy::Policy;
use crate::domain::round::{
    EnrolmentCounts, Round, RoundContent, RoundEnd, RoundPatch, RoundState, StoredPolicy,
};
use crate::domain::salt::RoundSalt;
use crate::domain::version::is_meant;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};

statements! {
    change CREATE = ("round.create",
        "INSERT INTO round \
         (id, display_name, start_date, end_date, salt, state, policy_version, version, enrolment_number, \
         create_micros, update_micros) VALUES ($1, $2, $3, $4, $7, 'draft', $5, 1, 0, $6, $6) ON CONFLICT (id) DO NOTHING");
    change CREATE_POLICY = ("policy.create",
        "INSERT INTO policy (round_id, version, document, digest, create_micros) VALUES ($1, $2, $3, $4, $5)");
    query GET = split("round.get",
        "SELECT r.id, r.display_name, r.start_date, r.end_date, r.state, p.document, r.version, r.create_micros, \
         r.update_micros, CAST(COALESCE(SUM(c.profiles), 0) AS BIGINT) AS profiles, \
         CAST(COALESCE(SUM(c.mentors), 0) AS BIGINT) AS mentors, \
         CAST(COALESCE(SUM(c.mentees), 0) AS BIGINT) AS mentees \
         FROM round r JOIN policy p ON p.round_id = r.id AND p.version = r.policy_version \
         LEFT JOIN enrolment_count c ON c.round_id = r.id WHERE r.id = $1 GROUP BY r.id, p.round_id, p.version";
        "round.get_of_organisation",
        "SELECT r.id, r.display_name, r.start_date, r.end_date, r.state, p.document, r.version, r.create_micros, \
         r.update_micros, COALESCE(c.profiles, 0) AS profiles, COALESCE(c.mentors, 0) AS mentors, \
         COALESCE(c.mentees, 0) AS mentees \
         FROM round r JOIN policy p ON p.round_id = r.id AND p.version = r.policy_version \
         LEFT JOIN enrolment_count c ON c.round_id = r.id AND c.organisation_id = $2 WHERE r.id = $1");
    query LIST = shared("round.list",
        "SELECT r.id, r.display_name, r.start_date, r.end_date, r.state, p.document, r.version, r.create_micros, \
         r.update_micros FROM round r JOIN policy p ON p.round_id = r.id AND p.version = r.policy_version \
         WHERE r.id > $1 ORDER BY r.id LIMIT $2");
    query COUNTS = split("enrolment_count.sum",
        "SELECT round_id, CAST(SUM(profiles) AS BIGINT) AS profiles, CAST(SUM(mentors) AS BIGINT) AS mentors, \
         CAST(SUM(mentees) AS BIGINT) AS mentees FROM enrolment_count \
         WHERE round_id >= $1 AND round_id <= $2 GROUP BY round_id";
        "enrolment_count.of_organisation",
        "SELECT round_id, profiles, mentors, mentees FROM enrolment_count \
         WHERE round_id >= $1 AND round_id <= $2 AND organisation_id = $3");
    query LOCK = shared("round.lock", locking: "SELECT state, enrolment_number FROM round WHERE id = $1");
    change UPDATE = ("round.update",
        "UPDATE round SET display_name = $3, start_date = $4, end_date = $5, state = $6, version = version + 1, \
         update_micros = $7 WHERE id = $1 AND version = $2");
    change USE_POLICY = ("round.use_policy",
        "UPDATE round SET policy_version = $3, version = version + 1, update_micros = $4 WHERE id = $1 AND version = $2");
    query LAST_POLICY = shared("policy.last",
        "SELECT COALESCE(MAX(version), 0) AS version FROM policy WHERE round_id = $1");
    query ACTIVE = shared("run.active", "SELECT number FROM run WHERE round_id = $1 AND state IN ('queued', 'running')");
    query EXISTS = shared("round.exists", "SELECT id FROM round WHERE id = $1");
    change TO_REVIEW = ("round.to_review",
        "UPDATE round SET state = 'review' WHERE id = $1 AND state IN ('draft', 'enrolling')");
}

/// A round that a session has locked.
#[derive(Debug, Clone, Copy)]
pub(super) struct LockedRound {
    /// Its state.
    pub(super) state: RoundState,
    /// Number of the last change of its enrolments.
    pub(super) enrolment_number: i64,
}

impl Store {
    /// One round, with the enrolments that the scope covers.
    pub async fn round(&self, scope: &Scope, id: &RoundId) -> Result<Round> {
        let mut session = self.reader(scope).await?;
        let found = of(&mut session, id).await;
        session.end().await?;
        found
    }

    /// Rounds after id `after`, by id, at most `limit`, with the enrolments that the scope covers.
    pub async fn list_rounds(
        &self,
        scope: &Scope,
        after: Option<&RoundId>,
        limit: u32,
    ) -> Result<Vec<Round>> {
        let mut session = self.snapshot_reader(scope).await?;
        let rows = session.rows(LIST, values![after.map_or("", RoundId::as_str), limit]).await?;
        let mut found = HashMap::new();
        if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
            found = counts(&mut session, &first.id("round", "id")?, &last.id("round", "id")?).await?;
        }
        session.end().await?;
        let read_one = |row: &Row| read(row, found.remove(&row.id("round", "id")?).unwrap_or_default());
        rows.iter().map(read_one).collect()
    }
}

impl Store {
    /// The round that [`WriteSession::create_round`] would return at `now`, or its error. Nothing is written.
    pub async fn check_round(
        &self,
        scope: &Scope,
        id: &RoundId,
        content: &RoundContent,
        now: Timestamp,
    ) -> Result<Round> {
        let mut session = self.reader(scope).await?;
        let found = of(&mut session, id).await;
        session.end().await?;
        match found {
            Ok(_) => Err(Error::AlreadyExists(id.name())),
            Err(Error::NotFound(_)) => Ok(first_version(id, content, now)),
            Err(other) => Err(other),
        }
    }
}

/// The round after a change at `now`, or why it cannot be changed.
fn updated(round: Round, patch: &RoundPatch, etag: &str, now: Timestamp) -> Result<Round> {
    expect_etag(&round, etag)?;
    expect_open(&round)?;
    let content = round.content.patched(patch).map_err(|part| {
        let mut violations = Violations::of_request();
        violations.extend(part.within("round"));
        Error::InvalidFields(violations)
    })?;
    if content == round.content {
        return Ok(round);
    }
    Ok(Round { content, version: round.version + 1, update_time: now, ..round })
}

/// The round after its end at `now`, or why it cannot end.
async fn ended(
    session: &mut ReadSession,
    id: &RoundId,
    end: RoundEnd,
    etag: &str,
    now: Timestamp,
) -> Result<Round> {
    let round = of(session, id).await?;
    expect_etag(&round, etag)?;
    if round.state == end.state() {
        return Ok(round);
    }
    if !end.states().contains(&round.state.as_str()) {
        let state = round.state.as_str();
        return Err(Error::RoundState { round: id.name(), state, required: end.states() });
    }
    expect_none_active(session, id).await?;
    Ok(Round { state: end.state(), version: round.version + 1, update_time: now, ..round })
}

/// The next policy of a round, made at `now`, with the round as it is before, or why it cannot have one.
async fn next_policy(
    session: &mut ReadSession,
    id: &RoundId,
    policy: &Policy,
    etag: &str,
    now: Timestamp,
) -> Result<(StoredPolicy, Round)> {
    let round = of(session, id).await?;
    expect_etag(&round, etag)?;
    expect_open(&round)?;
    let version = session.one(LAST_POLICY, values![id]).await?.int("version")? + 1;
    let name = PolicyRef { round: id.clone(), version };
    let policy = Policy { version, ..policy.clone() };
    Ok((StoredPolicy { name, policy, create_time: now }, round))
}

fn expect_etag(round: &Round, etag: &str) -> Result<()> {
    if is_meant(etag, round.version) { Ok(()) } else { Err(Error::EtagMismatch(round.id.name())) }
}

/// `Ok` if no run of the round is queued or running; otherwise `RunActive`.
pub(super) async fn expect_none_active(session: &mut ReadSession, round: &RoundId) -> Result<()> {
    let Some(active) = session.row(ACTIVE, values![round]).await? else { return Ok(()) };
    let active = RunRef { round: round.clone(), number: active.int("number")? };
    Err(Error::RunActive(active.name()))
}

fn expect_open(round: &Round) -> Result<()> {
    if round.state.is_open() {
        return Ok(());
    }
    let state = round.state.as_str();
    Err(Error::RoundState { round: round.id.name(), state, required: RoundState::OPEN })
}

impl Store {
    /// The round that [`WriteSession::update_round`] would return at `now`, or its error. Nothing is written.
    pub async fn check_round_update(
        &self,
        scope: &Scope,
        id: &RoundId,
        patch: &RoundPatch,
        etag: &str,
        now: Timestamp,
    ) -> Result<Round> {
        updated(self.round(scope, id).await?, patch, etag, now)
    }

    /// The round that [`WriteSession::end_round`] would return at `now`, or its error. Nothing is written.
    pub async fn check_round_end(
        &self,
        scope: &Scope,
        id: &RoundId,
        end: RoundEnd,
        etag: &str,
        now: Timestamp,
    ) -> Result<Round> {
        let mut session = self.snapshot_reader(scope).await?;
        let found = ended(&mut session, id, end, etag, now).await;
        session.end().await?;
        found
    }

    /// The policy that [`WriteSession::create_policy`] would return at `now`, or its error. Nothing is written.
    pub async fn check_policy(
        &self,
        scope: &Scope,
        round: &RoundId,
        policy: &Policy,
        etag: &str,
        now: Timestamp,
    ) -> Result<StoredPolicy> {
        let mut session = self.snapshot_reader(scope).await?;
        let found = next_policy(&mut session, round, policy, etag, now).await;
        session.end().await?;
        Ok(found?.0)
    }
}

impl WriteSession {
    /// Changes fields of a round. A change that changes nothing has no note.
    ///
    /// Fails with `NotFound`, `EtagMismatch`, `RoundState` or `InvalidFields`.
    pub async fn update_round(
        &mut self,
        id: &RoundId,
        patch: &RoundPatch,
        etag: &str,
    ) -> Result<(Round, Option<Note>)> {
        self.lock_round(id).await?;
        let (now, before) = (self.now(), of(self.reads(), id).await?);
        let version = before.version;
        let after = updated(before, patch, etag, now)?;
        if after.version == version {
            return Ok((after, None));
        }
        self.write_round(&after, version).await?;
        let fields = [
            ("display_name", patch.display_name.is_some()),
            ("start_date", patch.start_date.is_some()),
            ("end_date", patch.end_date.is_some()),
        ];
        let fields: Vec<&str> = fields.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect();
        let note = Note::new(Owner::Alliance, "round.update", id.name(), &json!({ "fields": fields }))
            .of_version(after.version);
        Ok((after, Some(note)))
    }

    /// Closes or cancels a round. A round that has ended in this way already stays as it is, without a note.
    ///
    /// Fails with `NotFound`, `EtagMismatch`, `RoundState`, or `RunActive` if a run of the round is queued or running.
    pub async fn end_round(
        &mut self,
        id: &RoundId,
        end: RoundEnd,
        etag: &str,
    ) -> Result<(Round, Option<Note>)> {
        self.lock_round(id).await?;
        let now = self.now();
        let before = of(self.reads(), id).await?.version;
        let after = ended(self.reads(), id, end, etag, now).await?;
        if after.version == before {
            return Ok((after, None));
        }
        self.write_round(&after, before).await?;
        let action = match end {
            RoundEnd::Close => "round.close",
            RoundEnd::Cancel => "round.cancel",
        };
        let note = Note::new(Owner::Alliance, action, id.name(), &json!({})).of_version(after.version);
        Ok((after, Some(note)))
    }

    async fn write_round(&mut self, round: &Round, version: i64) -> Result<()> {
        let values = values![
            &round.id,
            version,
            round.content.display_name.as_str(),
            round.content.start_date.to_string(),
            round.content.end_date.to_string(),
            round.state.as_str(),
            round.update_time,
        ];
        self.change_exactly(1, Owner::Alliance, UPDATE, values).await
    }

    /// Gives a round its next policy, which the runs that are started from now on use.
    ///
    /// Fails with `NotFound`, `EtagMismatch` or `RoundState`.
    pub async fn create_policy(
        &mut self,
        id: &RoundId,
        policy: &Policy,
        etag: &str,
    ) -> Result<(StoredPolicy, Note)> {
        self.lock_round(id).await?;
        let now = self.now();
        let (made, round) = next_policy(self.reads(), id, policy, etag, now).await?;
        let version = made.name.version;
        self.write_policy(&made).await?;
        let values = values![id, round.version, version, now];
        self.change_exactly(1, Owner::Alliance, USE_POLICY, values).await?;
        let note =
            Note::new(Owner::Alliance, "policy.create", made.name.name(), &json!({ "policy": version }))
                .of_version(version);
        Ok((made, note))
    }

    async fn write_policy(&mut self, made: &StoredPolicy) -> Result<()> {
        let document = dialect::json(&made.policy)?;
        let digest = hex::encode(Sha256::digest(&document));
        let values = values![&made.name.round, made.name.version, document, digest, made.create_time];
        self.change_exactly(1, Owner::Alliance, CREATE_POLICY, values).await
    }

    /// Opens a round with version 1 of its policy. Fails with `AlreadyExists` if the id is taken.
    pub async fn create_round(
        &mut self,
        id: &RoundId,
        content: &RoundContent,
        salt: &RoundSalt,
    ) -> Result<(Round, Note)> {
        let now = self.now();
        let values = values![
            id,
            content.display_name.as_str(),
            content.start_date.to_string(),
            content.end_date.to_string(),
            content.policy.version,
            now,
            salt.to_hex(),
        ];
        if self.change(Owner::Alliance, CREATE, values).await? == 0 {
            return Err(Error::AlreadyExists(id.name()));
        }
        let name = PolicyRef { round: id.clone(), version: content.policy.version };
        let policy = StoredPolicy { name, policy: content.policy.clone(), create_time: now };
        self.write_policy(&policy).await?;
        let detail = json!({ "policy": content.policy.version });
        let created = first_version(id, content, now);
        let note = Note::new(Owner::Alliance, "round.create", id.name(), &detail).of_version(created.version);
        Ok((created, note))
    }

    /// Locks the round until the session ends, and returns its state. Every change of a round or of its runs begins
    /// here, so that two such changes wait for each other instead of colliding.
    pub(super) async fn lock_round(&mut self, id: &RoundId) -> Result<LockedRound> {
        let found = self.reads().row(LOCK, values![id]).await?;
        let row = found.ok_or_else(|| Error::NotFound(id.name()))?;
        Ok(LockedRound {
            state: row.parse("round", id, "state", RoundState::from_name)?,
            enrolment_number: row.int("enrolment_number")?,
        })
    }

    /// Takes a round whose run has succeeded to review, unless it is there or beyond.
    pub(super) async fn review_round(&mut self, id: &RoundId) -> Result<()> {
        let moved = self.change(Owner::Alliance, TO_REVIEW, values![id]).await?;
        if moved > 1 { Err(fault::miscount(TO_REVIEW.0.name, moved, 1)) } else { Ok(()) }
    }
}

fn first_version(id: &RoundId, content: &RoundContent, now: Timestamp) -> Round {
    Round {
        id: id.clone(),
        content: content.clone(),
        state: RoundState::Draft,
        enrolment: EnrolmentCounts::default(),
        version: 1,
        create_time: now,
        update_time: now,
    }
}

/// `Ok` if the round exists in the session's scope.
pub(super) async fn require(session: &mut ReadSession, id: &RoundId) -> Result<()> {
    let found = session.row(EXISTS, values![id]).await?;
    found.map(drop).ok_or_else(|| Error::NotFound(id.name()))
}

/// One round, which is not locked, with the enrolments that the scope covers.
pub(super) async fn of(session: &mut ReadSession, id: &RoundId) -> Result<Round> {
    let rows = session.rows(GET, values![id]).await?;
    let mut counts = EnrolmentCounts::default();
    for row in &rows {
        counts = counts.with(enrolment_counts(row)?);
    }
    read(rows.first().ok_or_else(|| Error::NotFound(id.name()))?, counts)
}

async fn counts(
    session: &mut ReadSession,
    first: &RoundId,
    last: &RoundId,
) -> Result<HashMap<RoundId, EnrolmentCounts>> {
    let rows = session.rows(COUNTS, values![first, last]).await?;
    let mut counts: HashMap<RoundId, EnrolmentCounts> = HashMap::new();
    for row in &rows {
        let count = counts.entry(row.id("enrolment_count", "round_id")?).or_default();
        *count = count.with(enrolment_counts(row)?);
    }
    Ok(counts)
}

fn enrolment_counts(row: &Row) -> Result<EnrolmentCounts> {
    Ok(EnrolmentCounts {
        profiles: row.int("profiles")?,
        mentors: row.int("mentors")?,
        mentees: row.int("mentees")?,
    })
}

fn read(row: &Row, enrolment: EnrolmentCounts) -> Result<Round> {
    let id: RoundId = row.id("round", "id")?;
    Ok(Round {
        content: RoundContent {
            display_name: row.text("display_name")?,
            start_date: row.id("round", "start_date")?,
            end_date: row.id("round", "end_date")?,
            policy: row.json("policy", &id, "document")?,
        },
        state: row.parse("round", &id, "state", RoundState::from_name)?,
        enrolment,
        version: row.int("version")?,
        create_time: row.time("create_micros")?,
        update_time: row.time("update_micros")?,
        id,
    })
}
