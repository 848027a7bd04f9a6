//! Rounds and their policies.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::fault;
use super::invited::{self, exists_for};
use super::journal::Note;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::name::{OrganisationId, PolicyRef, RoundId, RunRef};
use crate::domain::policy::Policy;
use crate::domain::round::{
    EnrolmentCounts, Invitations, Round, RoundContent, RoundEnd, RoundPatch, RoundState, StoredPolicy,
};
use crate::domain::salt::RoundSalt;
use crate::domain::version::is_meant;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};

/// Columns of a round `r` with its policy `p`.
macro_rules! round_columns {
    () => {
        "r.id, r.display_name, r.start_date, r.end_date, r.agreement, r.state, p.document, r.all_members, r.version, \
         r.create_micros, r.update_micros"
    };
}

/// What coordinators alone read of a round `r`: all organisations that are invited, and whether somebody of its published run takes
/// part no more, or a pair of it has declined or ended its mentorship.
macro_rules! invited {
    () => {
        "COALESCE((SELECT string_agg(i.organisation_id, ',') \
         FROM round_organisation i WHERE i.round_id = r.id), '') AS invited, \
         CASE WHEN r.state = 'published' AND EXISTS (SELECT 1 FROM submission s CROSS JOIN run n CROSS JOIN run_match m \
         WHERE s.round_id = r.id AND s.state = 'published' AND n.round_id = r.id AND n.number = s.run_number \
         AND n.enrolment_number < r.enrolment_number AND m.round_id = r.id AND m.run_number = s.run_number AND (NOT EXISTS (SELECT 1 FROM enrolment e \
         WHERE e.round_id = r.id AND e.organisation_id = m.mentee_organisation_id AND e.own_id = m.mentee_own_id \
         AND e.withdraw_number IS NULL) OR NOT EXISTS (SELECT 1 FROM enrolment e WHERE e.round_id = r.id \
         AND e.organisation_id = m.mentor_organisation_id AND e.own_id = m.mentor_own_id AND e.withdraw_number IS NULL))) \
         OR r.state = 'published' AND EXISTS (SELECT 1 FROM mentorship t CROSS JOIN submission s CROSS JOIN run_match m \
         WHERE t.round_id = r.id AND t.state IN ('declined', 'ended_early') AND s.round_id = t.round_id \
         AND s.state = 'published' AND m.round_id = t.round_id AND m.run_number = s.run_number AND m.id = t.id) \
         THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS calls_for_repair"
    };
}

statements! {
    change CREATE = ("round.create",
        "INSERT INTO round \
         (id, display_name, start_date, end_date, salt, state, policy_version, all_members, version, enrolment_number, \
         decision_number, create_micros, update_micros, agreement) VALUES ($1, $2, $3, $4, $7, 'draft', $5, $8, 1, 0, 0, $6, $6, $9) \
         ON CONFLICT (id) DO NOTHING");
    change CREATE_POLICY = ("policy.create",
        "INSERT INTO policy (round_id, version, document, digest, create_micros) VALUES ($1, $2, $3, $4, $5)");
    query GET = split("round.get",
        concat!("SELECT ", round_columns!(), ", ", invited!(), ", \
         CAST(COALESCE(SUM(c.profiles), 0) AS BIGINT) AS profiles, \
         CAST(COALESCE(SUM(c.mentors), 0) AS BIGINT) AS mentors, \
         CAST(COALESCE(SUM(c.mentees), 0) AS BIGINT) AS mentees \
         FROM round r JOIN policy p ON p.round_id = r.id AND p.version = r.policy_version \
         LEFT JOIN enrolment_count c ON c.round_id = r.id WHERE r.id = $1 GROUP BY r.id, p.round_id, p.version");
        "round.get_of_organisation",
        concat!("SELECT ", round_columns!(), ", i.organisation_id AS invited, CAST(0 AS BIGINT) AS calls_for_repair, \
         COALESCE(c.profiles, 0) AS profiles, COALESCE(c.mentors, 0) AS mentors, COALESCE(c.mentees, 0) AS mentees \
         FROM round_organisation i JOIN round r ON r.id = i.round_id \
         JOIN policy p ON p.round_id = r.id AND p.version = r.policy_version \
         LEFT JOIN enrolment_count c ON c.round_id = i.round_id AND c.organisation_id = i.organisation_id \
         WHERE i.round_id = $1 AND i.organisation_id = $2"));
    query LIST = split("round.list",
        concat!("SELECT ", round_columns!(), ", ", invited!(), " \
         FROM round r JOIN policy p ON p.round_id = r.id AND p.version = r.policy_version \
         WHERE r.id > $1 ORDER BY r.id LIMIT $2");
        "round.list_of_organisation",
        concat!("SELECT ", round_columns!(), ", i.organisation_id AS invited, CAST(0 AS BIGINT) AS calls_for_repair \
         FROM round_organisation i JOIN round r ON r.id = i.round_id \
         JOIN policy p ON p.round_id = r.id AND p.version = r.policy_version \
         WHERE i.organisation_id = $3 AND i.round_id > $1 ORDER BY i.round_id LIMIT $2"));
    query COUNTS = split("enrolment_count.sum",
        "SELECT round_id, CAST(SUM(profiles) AS BIGINT) AS profiles, CAST(SUM(mentors) AS BIGINT) AS mentors, \
         CAST(SUM(mentees) AS BIGINT) AS mentees FROM enrolment_count \
         WHERE round_id >= $1 AND round_id <= $2 GROUP BY round_id";
        "enrolment_count.of_organisation",
        "SELECT round_id, profiles, mentors, mentees FROM enrolment_count \
         WHERE round_id >= $1 AND round_id <= $2 AND organisation_id = $3");
    query LOCK = filtered("round.lock", locking:
        concat!("SELECT state, enrolment_number FROM round WHERE id = $1 AND ", exists_for!("round.id", "$2")));
    change UPDATE = ("round.update",
        "UPDATE round SET display_name = $3, start_date = $4, end_date = $5, state = $6, version = version + 1, \
         update_micros = $7, all_members = $8, agreement = $9 WHERE id = $1 AND version = $2");
    change USE_POLICY = ("round.use_policy",
        "UPDATE round SET policy_version = $3, version = version + 1, update_micros = $4 WHERE id = $1 AND version = $2");
    query LAST_POLICY = hidden("policy.last",
        "SELECT COALESCE(MAX(version), 0) AS version FROM policy WHERE round_id = $1");
    query ACTIVE = filtered("run.active",
        concat!("SELECT number FROM run WHERE round_id = $1 AND state IN ('queued', 'running') AND ",
            exists_for!("run.round_id", "$2")));
    query EXISTS = filtered("round.exists",
        concat!("SELECT id FROM round WHERE id = $1 AND ", exists_for!("round.id", "$2")));
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
        // A round to which several organisations of the scope are invited has a row of each.
        let mut rounds: BTreeMap<RoundId, Round> = BTreeMap::new();
        for row in &rows {
            let round = read(row, EnrolmentCounts::default())?;
            let invited = round.content.invitations.organisations.clone();
            let known = rounds.entry(round.id.clone()).or_insert(round);
            known.content.invitations.organisations.extend(invited);
        }
        let mut rounds: Vec<Round> = rounds.into_values().take(limit as usize).collect();
        if let (Some(first), Some(last)) = (rows.first().and(rounds.first()), rounds.last()) {
            let mut found = counts(&mut session, &first.id, &last.id).await?;
            for round in &mut rounds {
                round.enrolment = found.remove(&round.id).unwrap_or_default();
            }
        }
        session.end().await?;
        Ok(rounds)
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
        let mut session = self.snapshot_reader(scope).await?;
        let checked = match of(&mut session, id).await {
            Ok(_) => Err(Error::AlreadyExists(id.name())),
            Err(Error::NotFound(_)) => new_round(&mut session, id, content, now).await,
            Err(other) => Err(other),
        };
        session.end().await?;
        checked
    }
}

/// A round that is made at `now`, or why its organisations cannot be invited.
async fn new_round(
    session: &mut ReadSession,
    id: &RoundId,
    content: &RoundContent,
    now: Timestamp,
) -> Result<Round> {
    let invitations = invited::settled(session, content.invitations.clone(), None).await?;
    Ok(first_version(id, &RoundContent { invitations, ..content.clone() }, now))
}

/// The round after a change at `now`, or why it cannot be changed.
async fn updated(
    session: &mut ReadSession,
    round: Round,
    patch: &RoundPatch,
    etag: &str,
    now: Timestamp,
) -> Result<Round> {
    expect_etag(&round, etag)?;
    expect_open(&round)?;
    let mut content = round.content.patched(patch).map_err(|part| {
        let mut violations = Violations::of_request();
        violations.extend(part.within("round"));
        Error::InvalidFields(violations)
    })?;
    if patch.invites() {
        content.invitations = invited::settled(session, content.invitations, Some(&round)).await?;
    }
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

/// The run of the round that is queued or running, if there is one.
pub(super) async fn active(session: &mut ReadSession, round: &RoundId) -> Result<Option<RunRef>> {
    let found = session.row(ACTIVE, values![round]).await?;
    found.map(|row| Ok(RunRef { round: round.clone(), number: row.int("number")? })).transpose()
}

/// `Ok` if no run of the round is queued or running; otherwise `RunActive`.
pub(super) async fn expect_none_active(session: &mut ReadSession, round: &RoundId) -> Result<()> {
    match active(session, round).await? {
        Some(active) => Err(Error::RunActive(active.name())),
        None => Ok(()),
    }
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
        let mut session = self.snapshot_reader(scope).await?;
        let checked = async {
            let before = of(&mut session, id).await?;
            updated(&mut session, before, patch, etag, now).await
        };
        let checked = checked.await;
        session.end().await?;
        checked
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
        if patch.invites() {
            self.hold_memberships().await?;
        }
        self.lock_round(id).await?;
        let (now, before) = (self.now(), of(self.reads(), id).await?);
        let version = before.version;
        let invited = before.content.invitations.organisations.clone();
        let after = updated(self.reads(), before, patch, etag, now).await?;
        if after.version == version {
            return Ok((after, None));
        }
        self.write_round(&after, version).await?;
        self.write_invitations(id, &invited, &after.content.invitations.organisations).await?;
        let fields = [
            ("display_name", patch.display_name.is_some()),
            ("start_date", patch.start_date.is_some()),
            ("end_date", patch.end_date.is_some()),
            ("agreement", patch.agreement.is_some()),
            ("organisations", patch.organisations.is_some()),
            ("all_members", patch.all_members.is_some()),
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
            round.content.invitations.all_members,
            round.content.agreement.as_str(),
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

    /// Opens a round with version 1 of its policy. Fails with `AlreadyExists` if the id is taken, and with `InvalidFields` if
    /// an organisation that is no member is invited.
    pub async fn create_round(
        &mut self,
        id: &RoundId,
        content: &RoundContent,
        salt: &RoundSalt,
    ) -> Result<(Round, Note)> {
        self.hold_memberships().await?;
        let now = self.now();
        let values = values![
            id,
            content.display_name.as_str(),
            content.start_date.to_string(),
            content.end_date.to_string(),
            content.policy.version,
            now,
            salt.to_hex(),
            content.invitations.all_members,
            content.agreement.as_str(),
        ];
        if self.change(Owner::Alliance, CREATE, values).await? == 0 {
            return Err(Error::AlreadyExists(id.name()));
        }
        let name = PolicyRef { round: id.clone(), version: content.policy.version };
        let policy = StoredPolicy { name, policy: content.policy.clone(), create_time: now };
        self.write_policy(&policy).await?;
        let detail = json!({ "policy": content.policy.version });
        let created = new_round(self.reads(), id, content, now).await?;
        self.write_invitations(id, &BTreeSet::new(), &created.content.invitations.organisations).await?;
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
        calls_for_repair: false,
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
    let (mut counts, mut invited) = (EnrolmentCounts::default(), BTreeSet::new());
    for row in &rows {
        counts = counts.with(enrolment_counts(row)?);
        invited.extend(invited_of(row)?);
    }
    let mut round = read(rows.first().ok_or_else(|| Error::NotFound(id.name()))?, counts)?;
    round.content.invitations.organisations = invited;
    Ok(round)
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

/// The invited organisations in a row.
fn invited_of(row: &Row) -> Result<BTreeSet<OrganisationId>> {
    let ids = row.text("invited")?;
    let unreadable =
        |error| fault::corrupt("round_organisation", "organisation_id", &"with an unreadable id", error);
    ids.split(',').filter(|id| !id.is_empty()).map(|id| id.parse().map_err(unreadable)).collect()
}

fn read(row: &Row, enrolment: EnrolmentCounts) -> Result<Round> {
    let id: RoundId = row.id("round", "id")?;
    Ok(Round {
        content: RoundContent {
            display_name: row.text("display_name")?,
            start_date: row.id("round", "start_date")?,
            end_date: row.id("round", "end_date")?,
            policy: row.json("policy", &id, "document")?,
            agreement: row.text("agreement")?,
            invitations: Invitations {
                all_members: row.flag("all_members")?,
                organisations: invited_of(row)?,
            },
        },
        state: row.parse("round", &id, "state", RoundState::from_name)?,
        enrolment,
        calls_for_repair: row.flag("calls_for_repair")?,
        version: row.int("version")?,
        create_time: row.time("create_micros")?,
        update_time: row.time("update_micros")?,
        id,
    })
}
