//! Rounds, their policies and their enrolments.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::journal::Note;
use super::profile::finished;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use super::{fault, organisation, profile};
use crate::domain::name::{OrganisationId, OwnId, RoundId};
use crate::domain::profile::StoredProfile;
use crate::domain::round::{EnrolmentCounts, Round, RoundContent, RoundState};
use crate::domain::salt::RoundSalt;
use crate::error::{Error, Result};

/// A role of the present version of an enrolled person's profile; NULL if she has none.
macro_rules! present_role {
    ($role:literal) => {
        concat!(
            "(SELECT v.",
            $role,
            " FROM profile_version v WHERE v.organisation_id = e.organisation_id AND v.own_id = e.own_id AND ",
            finished!("v.import_id"),
            " ORDER BY v.version DESC LIMIT 1) AS ",
            $role
        )
    };
}

statements! {
    change CREATE = ("round.create",
        "INSERT INTO round \
         (id, display_name, start_date, end_date, salt, state, policy_version, version, create_micros, update_micros) \
         VALUES ($1, $2, $3, $4, $7, 'draft', $5, 1, $6, $6) ON CONFLICT (id) DO NOTHING");
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
    // The people whom this change of the round has enrolled. Their profiles are looked up one by one, whatever the
    // statistics of the database are. Nothing is counted if a person has no profile.
    change COUNT_NEW = ("enrolment_count.add",
        concat!("INSERT INTO enrolment_count (round_id, organisation_id, profiles, mentors, mentees) \
         SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), COUNT(*), \
         CAST(COALESCE(SUM(r.is_mentor), 0) AS BIGINT), CAST(COALESCE(SUM(r.is_mentee), 0) AS BIGINT) \
         FROM (SELECT ", present_role!("is_mentor"), ", ", present_role!("is_mentee"), " \
         FROM enrolment e WHERE e.round_id = $1 AND e.organisation_id = $2 AND e.own_id >= $3 AND e.own_id <= $4 \
         AND e.round_version = $5) AS r HAVING COUNT(*) = COUNT(r.is_mentor) \
         ON CONFLICT (round_id, organisation_id) DO UPDATE SET profiles = enrolment_count.profiles + excluded.profiles, \
         mentors = enrolment_count.mentors + excluded.mentors, mentees = enrolment_count.mentees + excluded.mentees"));
    query ROLE_MOVES = filtered("enrolment_count.moves",
        concat!("WITH moved AS MATERIALIZED (SELECT d.own_id, d.is_mentor - p.is_mentor AS mentors, \
         d.is_mentee - p.is_mentee AS mentees FROM profile_version d \
         JOIN profile_version p ON p.organisation_id = $2 AND p.own_id = d.own_id AND p.version = d.version - 1 AND ",
         finished!("p.import_id"), " WHERE d.import_id = $1 AND (p.is_mentor <> d.is_mentor OR p.is_mentee <> d.is_mentee)) \
         SELECT c.round_id, c.profiles, CAST(COALESCE(SUM(m.mentors), 0) AS BIGINT) AS mentors, \
         CAST(COALESCE(SUM(m.mentees), 0) AS BIGINT) AS mentees FROM enrolment_count c LEFT JOIN \
         (SELECT e.round_id, moved.mentors, moved.mentees FROM moved JOIN enrolment e ON e.organisation_id = $2 \
         AND e.own_id = moved.own_id) AS m ON m.round_id = c.round_id \
         WHERE c.organisation_id = $2 AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || c.organisation_id || ',%') \
         GROUP BY c.round_id, c.profiles ORDER BY c.round_id"));
    query ENROLLED_BY_ROUND = filtered("enrolment_count.by_round",
        "SELECT round_id, profiles FROM enrolment_count WHERE organisation_id = $1 \
         AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || organisation_id || ',%') ORDER BY round_id");
    change MOVE_COUNTS = ("enrolment_count.move",
        "UPDATE enrolment_count SET mentors = mentors + $3, mentees = mentees + $4 \
         WHERE round_id = $1 AND organisation_id = $2");
    query LOCK = shared("round.lock", locking: "SELECT state, version FROM round WHERE id = $1");
    // A list of any length is one value. The databases spell its reading differently.
    query ENROLLED = filtered("enrolment.named",
        sqlite: "SELECT COUNT(*) AS number FROM enrolment WHERE round_id = $1 AND organisation_id = $2 \
            AND own_id IN (SELECT value FROM json_each($3)) AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || organisation_id || ',%')",
        postgres: "SELECT COUNT(*) AS number FROM enrolment WHERE round_id = $1 AND organisation_id = $2 \
            AND own_id IN (SELECT json_array_elements_text(CAST(CAST($3 AS TEXT) AS JSON))) \
            AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || organisation_id || ',%')");
    change MOVE = ("round.move",
        "UPDATE round SET state = $2, version = version + 1, update_micros = $3 WHERE id = $1");
    change SETTLE = ("round.settle",
        "UPDATE round SET version = version + 1, update_micros = $2, state = CASE WHEN EXISTS \
         (SELECT 1 FROM run WHERE run.round_id = round.id AND run.state = 'succeeded') \
         THEN 'review' ELSE 'enrolling' END WHERE id = $1 AND state = 'matching'");
    // A profile that is enrolled already stays as it is.
    change ENROL = bulk(
        name: "enrolment.create",
        head: "INSERT INTO enrolment (round_id, organisation_id, own_id, actor, round_version, create_micros) VALUES",
        columns: 6,
        tail: " ON CONFLICT (round_id, organisation_id, own_id) DO NOTHING",
    );
}

/// A round that a session has locked.
#[derive(Debug, Clone, Copy)]
pub(super) struct LockedRound {
    /// Its state.
    pub(super) state: RoundState,
    /// Its version; a change of the round makes the next one.
    pub(super) version: i64,
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

    /// A check of enrolments, which reads one moment and writes nothing.
    pub async fn check_enrolment(&self, scope: &Scope, now: Timestamp) -> Result<EnrolmentCheck> {
        Ok(EnrolmentCheck { reads: self.snapshot_reader(scope).await?, now })
    }
}

/// A check of enrolments: each operation returns what the operation of [`WriteSession`] would return.
#[derive(Debug)]
pub struct EnrolmentCheck {
    reads: ReadSession,
    now: Timestamp,
}

impl EnrolmentCheck {
    /// The moment of the check.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// As [`WriteSession::profiles_to_enrol`].
    pub async fn profiles_to_enrol(
        &mut self,
        organisation: &OrganisationId,
        after: Option<&OwnId>,
        limit: u32,
    ) -> Result<Vec<StoredProfile>> {
        organisation::require(&mut self.reads, organisation).await?;
        profile::page(&mut self.reads, organisation, after, limit).await
    }

    /// As [`WriteSession::named_profiles_to_enrol`].
    pub async fn named_profiles_to_enrol(
        &mut self,
        organisation: &OrganisationId,
        ids: &[OwnId],
    ) -> Result<Vec<StoredProfile>> {
        organisation::require(&mut self.reads, organisation).await?;
        profile::named(&mut self.reads, organisation, ids).await
    }

    /// As [`WriteSession::people_of`].
    pub async fn people_of(
        &mut self,
        organisation: &OrganisationId,
        ids: &BTreeSet<OwnId>,
    ) -> Result<BTreeSet<OwnId>> {
        profile::existing(&mut self.reads, organisation, ids).await
    }

    /// As [`WriteSession::enrol`]: the number of those that are not enrolled yet.
    pub async fn enrol(
        &mut self,
        round: &RoundId,
        organisation: &OrganisationId,
        ids: &[OwnId],
    ) -> Result<u64> {
        self.reads.scope().admit(Owner::Organisation(organisation))?;
        open_for_enrolment(round, of(&mut self.reads, round).await?.state)?;
        let values = values![round, organisation, dialect::json(&ids)?];
        let enrolled = self.reads.one(ENROLLED, values).await?.int("number")?;
        Ok((ids.len() as u64).saturating_sub(u64::try_from(enrolled).unwrap_or_default()))
    }

    /// Ends the check.
    pub async fn end(self) -> Result<()> {
        self.reads.end().await
    }
}

impl WriteSession {
    /// Opens a round with version 1 of its policy. Fails with `AlreadyExists` if the id is taken.
    pub async fn create_round(
        &mut self,
        id: &RoundId,
        content: &RoundContent,
        salt: &RoundSalt,
    ) -> Result<(Round, Note)> {
        let now = self.now();
        let policy = dialect::json(&content.policy)?;
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
        let digest = hex::encode(Sha256::digest(&policy));
        let values = values![id, content.policy.version, policy, digest, now];
        self.change_exactly(1, Owner::Alliance, CREATE_POLICY, values).await?;
        let detail = json!({ "policy": content.policy.version });
        let created = first_version(id, content, now);
        let note = Note::new(Owner::Alliance, "round.create", id.name(), &detail).of_version(created.version);
        Ok((created, note))
    }

    /// Profiles of an organisation after id `after`, by id, at most `limit`, to decide on their enrolment. No
    /// import changes them until the session ends, so the decision is still right when it is written.
    pub async fn profiles_to_enrol(
        &mut self,
        organisation: &OrganisationId,
        after: Option<&OwnId>,
        limit: u32,
    ) -> Result<Vec<StoredProfile>> {
        self.lock_organisation(organisation).await?;
        profile::page(self.reads(), organisation, after, limit).await
    }

    /// The named profiles of an organisation that exist, by id, to decide on their enrolment, with the same lock.
    pub async fn named_profiles_to_enrol(
        &mut self,
        organisation: &OrganisationId,
        ids: &[OwnId],
    ) -> Result<Vec<StoredProfile>> {
        self.lock_organisation(organisation).await?;
        profile::named(self.reads(), organisation, ids).await
    }

    /// Those of `ids` that are people of the organisation.
    pub async fn people_of(
        &mut self,
        organisation: &OrganisationId,
        ids: &BTreeSet<OwnId>,
    ) -> Result<BTreeSet<OwnId>> {
        profile::existing(self.reads(), organisation, ids).await
    }

    /// Enrols profiles of an organisation, and returns the number of those that were not enrolled already; without any
    /// there is no note. The first enrolment takes a draft round to `enrolling`.
    ///
    /// Fails with `NotFound` or `RoundState` if the round does not exist or takes no enrolments.
    pub async fn enrol(
        &mut self,
        round: &RoundId,
        organisation: &OrganisationId,
        ids: &[OwnId],
    ) -> Result<(u64, Option<Note>)> {
        let owner = Owner::Organisation(organisation);
        self.reads().scope().admit(owner)?;
        let (now, actor) = (self.now(), self.actor().to_owned());
        let LockedRound { state, version } = self.lock_round(round).await?;
        open_for_enrolment(round, state)?;
        let next_version = version + 1;
        let rows = ids.iter().map(|id| values![round, organisation, id, actor.as_str(), next_version, now]);
        let enrolled = self.insert(owner, ENROL, Box::new(rows)).await?;
        let mut note = None;
        if let (1.., Some(first), Some(last)) = (enrolled, ids.iter().min(), ids.iter().max()) {
            let values = values![round, organisation, first, last, next_version];
            self.change_exactly(1, owner, COUNT_NEW, values).await?;
            let next = if state == RoundState::Draft { RoundState::Enrolling } else { state };
            self.move_round(owner, round, next).await?;
            let detail = json!({ "enrolled": enrolled });
            note = Some(Note::new(owner, "round.enrol", round.name(), &detail));
        }
        Ok((enrolled, note))
    }

    /// Moves the counters of enrolled people whose roles an import changes. `moves` were read before the organisation was
    /// locked. If anybody was enrolled since, they are read again.
    pub(super) async fn move_enrolment_counts(
        &mut self,
        organisation: &OrganisationId,
        import: &str,
        moves: Vec<RoleMove>,
    ) -> Result<()> {
        let rows = self.reads().rows(ENROLLED_BY_ROUND, values![organisation]).await?;
        let mut is_same = rows.len() == moves.len();
        for (row, known) in rows.iter().zip(&moves) {
            is_same &=
                row.text("round_id")? == known.round.as_str() && row.int("profiles")? == known.profiles;
        }
        let moves = if is_same { moves } else { role_moves(self.reads(), organisation, import).await? };
        for RoleMove { round, mentors, mentees, .. } in &moves {
            if (*mentors, *mentees) != (0, 0) {
                let values = values![round, organisation, *mentors, *mentees];
                self.change_exactly(1, Owner::Organisation(organisation), MOVE_COUNTS, values).await?;
            }
        }
        Ok(())
    }

    /// Locks the round until the session ends, and returns its state. Every change of a round or of its runs begins
    /// here, so that two such changes wait for each other instead of colliding.
    pub(super) async fn lock_round(&mut self, id: &RoundId) -> Result<LockedRound> {
        let found = self.reads().row(LOCK, values![id]).await?;
        let row = found.ok_or_else(|| Error::NotFound(id.name()))?;
        Ok(LockedRound {
            state: row.parse("round", id, "state", RoundState::from_name)?,
            version: row.int("version")?,
        })
    }

    /// Moves the round to a state, on behalf of `owner`: an enrolment by an organisation moves a round too.
    pub(super) async fn move_round(
        &mut self,
        owner: Owner<'_>,
        id: &RoundId,
        state: RoundState,
    ) -> Result<()> {
        let values = values![id, state.as_str(), self.now()];
        self.change_exactly(1, owner, MOVE, values).await
    }

    /// Takes the round out of `matching` after its run has ended: to review if any run has succeeded.
    pub(super) async fn settle_round(&mut self, id: &RoundId) -> Result<()> {
        let values = values![id, self.now()];
        let settled = self.change(Owner::Alliance, SETTLE, values).await?;
        if settled > 1 { Err(fault::miscount(SETTLE.0.name, settled, 1)) } else { Ok(()) }
    }
}

/// What an import changes in the numbers of one round's enrolments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoleMove {
    round: RoundId,
    /// Enrolments when the change was counted.
    profiles: i64,
    /// Mentors more, or fewer.
    mentors: i64,
    /// Mentees more, or fewer.
    mentees: i64,
}

/// What a staged import changes in the numbers of enrolments, for each round in which the organisation takes part.
pub(super) async fn role_moves(
    session: &mut ReadSession,
    organisation: &OrganisationId,
    import: &str,
) -> Result<Vec<RoleMove>> {
    let rows = session.rows(ROLE_MOVES, values![import, organisation]).await?;
    rows.iter()
        .map(|row| {
            Ok(RoleMove {
                round: row.id("enrolment_count", "round_id")?,
                profiles: row.int("profiles")?,
                mentors: row.int("mentors")?,
                mentees: row.int("mentees")?,
            })
        })
        .collect()
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

/// `Ok` if the state allows enrolments.
fn open_for_enrolment(round: &RoundId, state: RoundState) -> Result<()> {
    if state.allows_enrolment() {
        return Ok(());
    }
    Err(Error::RoundState { round: round.name(), state: state.as_str(), required: RoundState::OPEN })
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
