//! Enrolments: who takes part in a round, from when to when. An enrolment is never deleted: it is withdrawn, so that the
//! frozen snapshot of an earlier run stays as it was.
//!
//! The changes of a round's enrolments are numbered. A run covers the enrolments that were made up to its number and were not
//! withdrawn up to it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::journal::Note;
use super::profile::finished;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use super::waiting::WaitingList;
use super::{invited, organisation, profile, round};
use crate::domain::enrolment::{Enrolment, EnrolmentFilter};
use crate::domain::leaf::LeafSalt;
use crate::domain::name::{ConsentId, EnrolmentId, EnrolmentRef, OrganisationId, OwnId, ProfileRef, RoundId};
use crate::domain::profile::StoredProfile;
use crate::domain::round::RoundState;
use crate::domain::waiting::{Waiting, WaitingCause};
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

/// A page of a round's enrolments, by profile, oldest first: those after the key of a condition. `$5` to `$6` is the range of
/// organisations; `$7` is 1 for the live ones alone and 2 for the withdrawn ones alone.
macro_rules! list_of {
    ($after:literal) => {
        concat!(
            "SELECT id, organisation_id, own_id, enrol_number, consent, create_micros, waiting_since, waiting_cause, withdraw_micros \
             FROM enrolment \
             WHERE round_id = $1 AND (CAST($7 AS BIGINT) = 0 OR (CAST($7 AS BIGINT) = 1) = (withdraw_number IS NULL)) AND ",
            $after,
            " LIMIT $8"
        )
    };
}

statements! {
    // The people whom this change of the round has enrolled. Their profiles are looked up one by one, whatever the
    // statistics of the database are. Nothing is counted if a person has no profile.
    change COUNT_NEW = ("enrolment_count.add",
        concat!("INSERT INTO enrolment_count (round_id, organisation_id, change_number, profiles, mentors, mentees) \
         SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($5 AS BIGINT), COUNT(*), \
         CAST(COALESCE(SUM(r.is_mentor), 0) AS BIGINT), CAST(COALESCE(SUM(r.is_mentee), 0) AS BIGINT) \
         FROM (SELECT ", present_role!("is_mentor"), ", ", present_role!("is_mentee"), " \
         FROM enrolment e WHERE e.round_id = $1 AND e.organisation_id = $2 AND e.own_id >= $3 AND e.own_id <= $4 \
         AND e.enrol_number = $5) AS r HAVING COUNT(*) = COUNT(r.is_mentor) \
         ON CONFLICT (round_id, organisation_id) DO UPDATE SET change_number = excluded.change_number, \
         profiles = enrolment_count.profiles + excluded.profiles, \
         mentors = enrolment_count.mentors + excluded.mentors, mentees = enrolment_count.mentees + excluded.mentees"));
    change COUNT_GONE = ("enrolment_count.subtract",
        concat!("INSERT INTO enrolment_count (round_id, organisation_id, change_number, profiles, mentors, mentees) \
         SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT), COUNT(*), \
         CAST(COALESCE(SUM(r.is_mentor), 0) AS BIGINT), CAST(COALESCE(SUM(r.is_mentee), 0) AS BIGINT) \
         FROM (SELECT ", present_role!("is_mentor"), ", ", present_role!("is_mentee"), " \
         FROM enrolment e WHERE e.round_id = $1 AND e.organisation_id = $2 AND e.withdraw_number = $3) AS r \
         HAVING COUNT(*) = COUNT(r.is_mentor) \
         ON CONFLICT (round_id, organisation_id) DO UPDATE SET change_number = excluded.change_number, \
         profiles = enrolment_count.profiles - excluded.profiles, \
         mentors = enrolment_count.mentors - excluded.mentors, mentees = enrolment_count.mentees - excluded.mentees"));
    query ROLE_MOVES = filtered("enrolment_count.moves",
        concat!("WITH moved AS MATERIALIZED (SELECT d.own_id, d.is_mentor - p.is_mentor AS mentors, \
         d.is_mentee - p.is_mentee AS mentees FROM profile_version d \
         JOIN profile_version p ON p.organisation_id = $2 AND p.own_id = d.own_id AND p.version = d.version - 1 AND ",
         finished!("p.import_id"), " WHERE d.import_id = $1 AND (p.is_mentor <> d.is_mentor OR p.is_mentee <> d.is_mentee)) \
         SELECT c.round_id, c.change_number, CAST(COALESCE(SUM(m.mentors), 0) AS BIGINT) AS mentors, \
         CAST(COALESCE(SUM(m.mentees), 0) AS BIGINT) AS mentees FROM enrolment_count c LEFT JOIN \
         (SELECT e.round_id, moved.mentors, moved.mentees FROM moved JOIN enrolment e ON e.organisation_id = $2 \
         AND e.own_id = moved.own_id AND e.withdraw_number IS NULL) AS m ON m.round_id = c.round_id \
         WHERE c.organisation_id = $2 AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || c.organisation_id || ',%') \
         GROUP BY c.round_id, c.change_number ORDER BY c.round_id"));
    query ENROLLED_BY_ROUND = filtered("enrolment_count.by_round",
        "SELECT round_id, change_number FROM enrolment_count WHERE organisation_id = $1 \
         AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || organisation_id || ',%') ORDER BY round_id");
    change MOVE_COUNTS = ("enrolment_count.move",
        "UPDATE enrolment_count SET mentors = mentors + $3, mentees = mentees + $4 \
         WHERE round_id = $1 AND organisation_id = $2");
    // A list of any length is one value. The databases spell its reading differently.
    query ENROLLED = filtered("enrolment.named",
        sqlite: "SELECT COUNT(*) AS number FROM enrolment WHERE round_id = $1 AND organisation_id = $2 \
            AND withdraw_number IS NULL \
            AND own_id IN (SELECT value FROM json_each($3)) AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || organisation_id || ',%')",
        postgres: "SELECT COUNT(*) AS number FROM enrolment WHERE round_id = $1 AND organisation_id = $2 \
            AND withdraw_number IS NULL \
            AND own_id IN (SELECT json_array_elements_text(CAST(CAST($3 AS TEXT) AS JSON))) \
            AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || organisation_id || ',%')");
    // A profile that is enrolled already stays as it is.
    change ENROL = bulk(
        name: "enrolment.create",
        head: "INSERT INTO enrolment (round_id, organisation_id, own_id, enrol_number, id, salt, actor, consent, create_micros, \
            waiting_since, waiting_cause) VALUES",
        columns: 11,
        tail: " ON CONFLICT (round_id, organisation_id, own_id) WHERE withdraw_number IS NULL DO NOTHING",
    );
    change NEXT_NUMBER = ("round.enrol",
        "UPDATE round SET enrolment_number = $2, state = CASE WHEN state = 'draft' THEN 'enrolling' ELSE state END \
         WHERE id = $1");
    query LIST = split("enrolment.list",
        list_of!("(organisation_id, own_id, enrol_number) > ($2, $3, $4) AND organisation_id >= $5 \
            AND organisation_id <= $6 ORDER BY organisation_id, own_id, enrol_number");
        // The concatenation keeps the walk of the index at one organisation.
        "enrolment.list_of_organisation",
        list_of!("organisation_id = $9 AND organisation_id || '' >= $2 AND organisation_id || '' >= $5 \
            AND organisation_id || '' <= $6 AND (own_id, enrol_number) > \
            (CASE WHEN CAST($9 AS TEXT) = CAST($2 AS TEXT) THEN CAST($3 AS TEXT) ELSE '' END, \
            CASE WHEN CAST($9 AS TEXT) = CAST($2 AS TEXT) THEN CAST($4 AS BIGINT) ELSE 0 END) \
            ORDER BY own_id, enrol_number"));
    // Those of the named enrolments that exist, each with its number of withdrawal.
    query NAMED = filtered("enrolment.by_id",
        sqlite: "SELECT id, withdraw_number FROM enrolment WHERE round_id = $1 AND organisation_id = $2 \
            AND id IN (SELECT value FROM json_each($3)) AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || organisation_id || ',%')",
        postgres: "SELECT id, withdraw_number FROM enrolment WHERE round_id = $1 AND organisation_id = $2 \
            AND id IN (SELECT json_array_elements_text(CAST(CAST($3 AS TEXT) AS JSON))) \
            AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || organisation_id || ',%')");
    change WITHDRAW = ("enrolment.withdraw",
        sqlite: "UPDATE enrolment SET withdraw_number = $4, withdraw_micros = $5 WHERE round_id = $1 \
            AND organisation_id = $2 AND withdraw_number IS NULL AND id IN (SELECT value FROM json_each($3))",
        postgres: "UPDATE enrolment SET withdraw_number = $4, withdraw_micros = $5 WHERE round_id = $1 \
            AND organisation_id = $2 AND withdraw_number IS NULL \
            AND id IN (SELECT json_array_elements_text(CAST(CAST($3 AS TEXT) AS JSON)))");
    change WITHDRAW_ALL = ("enrolment.withdraw_all",
        "UPDATE enrolment SET withdraw_number = $3, withdraw_micros = $4 WHERE round_id = $1 \
         AND organisation_id = $2 AND withdraw_number IS NULL");
    change WITHDRAW_PERSON = ("enrolment.withdraw_person",
        "UPDATE enrolment SET withdraw_number = $4, withdraw_micros = $5 WHERE round_id = $1 \
         AND organisation_id = $2 AND own_id = $3 AND withdraw_number IS NULL");
    query COUNT_OF = filtered("enrolment_count.get",
        "SELECT profiles FROM enrolment_count WHERE round_id = $1 AND organisation_id = $2 \
         AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || organisation_id || ',%')");
}

impl Store {
    /// A check of enrolments, which reads one moment and writes nothing.
    pub async fn check_enrolment(&self, scope: &Scope, now: Timestamp) -> Result<EnrolmentCheck> {
        Ok(EnrolmentCheck { reads: self.snapshot_reader(scope).await?, now })
    }

    /// Enrolments of a round, by profile, after the one that `after` names, at most `limit`.
    ///
    /// Fails with `NotFound` if there is no such round.
    pub async fn list_enrolments(
        &self,
        scope: &Scope,
        round: &RoundId,
        filter: &EnrolmentFilter,
        after: Option<&EnrolmentKey>,
        limit: u32,
    ) -> Result<Vec<(Enrolment, EnrolmentKey)>> {
        let mut session = self.snapshot_reader(scope).await?;
        let (first, last) = match &filter.organisation {
            Some(one) => (one.as_str(), one.as_str()),
            // No id is greater.
            None => ("", "~"),
        };
        let start = EnrolmentKey { organisation: first.to_owned(), own_id: String::new(), number: 0 };
        let EnrolmentKey { organisation, own_id, number } = after.unwrap_or(&start);
        let state = match filter.is_live {
            None => 0_i64,
            Some(true) => 1,
            Some(false) => 2,
        };
        let values =
            values![round, organisation.as_str(), own_id.as_str(), *number, first, last, state, limit];
        round::require(&mut session, round).await?;
        let rows = session.rows(LIST, values).await?;
        session.end().await?;
        // The rows of several organisations come in the order of the organisations.
        rows.iter().take(limit as usize).map(|row| read(row, round)).collect()
    }
}

/// An enrolment that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnrolment {
    /// The person.
    pub person: OwnId,
    /// Id of the enrolment.
    pub id: EnrolmentId,
    /// The consent to matching on which it rests.
    pub consent: ConsentId,
    /// Salt of the leaves that the enrolment has in the digests of runs.
    pub salt: LeafSalt,
}

/// The place of an enrolment in the list of its round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentKey {
    /// Id of the organisation.
    pub organisation: String,
    /// The organisation's own id for the person.
    pub own_id: String,
    /// Number of the change that made the enrolment.
    pub number: i64,
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
        open_for_enrolment(round, round::of(&mut self.reads, round).await?.state)?;
        invited::require_member(&mut self.reads, round, organisation).await?;
        let values = values![round, organisation, dialect::json(&ids)?];
        let enrolled = self.reads.one(ENROLLED, values).await?.int("number")?;
        Ok((ids.len() as u64).saturating_sub(u64::try_from(enrolled).unwrap_or_default()))
    }

    /// As [`WriteSession::withdraw`]: the number of those that are not withdrawn yet.
    pub async fn withdraw(
        &mut self,
        round: &RoundId,
        organisation: &OrganisationId,
        ids: Option<&[EnrolmentId]>,
    ) -> Result<u64> {
        self.reads.scope().admit(Owner::Organisation(organisation))?;
        organisation::require(&mut self.reads, organisation).await?;
        open_for_enrolment(round, round::of(&mut self.reads, round).await?.state)?;
        invited::require(&mut self.reads, round, organisation).await?;
        if let Some(ids) = ids {
            return live(&mut self.reads, round, organisation, ids).await;
        }
        let counted = self.reads.row(COUNT_OF, values![round, organisation]).await?;
        let live = counted.map(|row| row.int("profiles")).transpose()?;
        Ok(live.and_then(|live| u64::try_from(live).ok()).unwrap_or_default())
    }

    /// Ends the check.
    pub async fn end(self) -> Result<()> {
        self.reads.end().await
    }
}

impl WriteSession {
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

    /// Enrols profiles of an organisation, and returns the number of those that were not
    /// enrolled already; without any there is no note. The first enrolment takes a draft round to `enrolling`. An enrolment keeps
    /// what `waiting`, the present list of the organisation, says of the person.
    ///
    /// Fails with `NotFound` or `RoundState` if the round does not exist or takes no enrolments.
    pub async fn enrol(
        &mut self,
        round: &RoundId,
        organisation: &OrganisationId,
        people: &[NewEnrolment],
        waiting: &WaitingList,
    ) -> Result<(u64, Option<Note>)> {
        let owner = Owner::Organisation(organisation);
        self.reads().scope().admit(owner)?;
        let (now, actor) = (self.now(), self.actor().to_owned());
        let number = self.next_enrolment_number(round).await?;
        invited::require_member(self.reads(), round, organisation).await?;
        let ids = || people.iter().map(|one| &one.person);
        let row = |NewEnrolment { person, id, consent, salt }: &NewEnrolment| {
            let (id, consent) = (id.as_str(), consent.as_str());
            let waiting = waiting.of(person);
            let since = waiting.map(|waiting| waiting.since.to_string());
            let since = since.as_deref();
            let cause = waiting.map(|waiting| waiting.cause.as_str());
            let salt = salt.to_hex();
            let actor = actor.as_str();
            values![round, organisation, person, number, id, salt, actor, consent, now, since, cause]
        };
        let enrolled = self.insert(owner, ENROL, Box::new(people.iter().map(row))).await?;
        let (1.., Some(first), Some(last)) = (enrolled, ids().min(), ids().max()) else {
            return Ok((enrolled, None));
        };
        self.change_exactly(1, owner, COUNT_NEW, values![round, organisation, first, last, number]).await?;
        self.change_exactly(1, owner, NEXT_NUMBER, values![round, number]).await?;
        let detail = json!({ "enrolled": enrolled });
        Ok((enrolled, Some(Note::new(owner, "round.enrol", round.name(), &detail))))
    }

    /// Withdraws the enrolments `ids` of an organisation, or all of them, and returns the number of those that were not
    /// withdrawn already; without any there is no note.
    ///
    /// Fails with `NotFound` if the organisation has no such enrolment in the round, and with `RoundState`.
    pub async fn withdraw(
        &mut self,
        round: &RoundId,
        organisation: &OrganisationId,
        ids: Option<&[EnrolmentId]>,
    ) -> Result<(u64, Option<Note>)> {
        let owner = Owner::Organisation(organisation);
        self.reads().scope().admit(owner)?;
        // An import of the organisation moves the counters too.
        self.lock_organisation(organisation).await?;
        let now = self.now();
        let number = self.next_enrolment_number(round).await?;
        invited::require(self.reads(), round, organisation).await?;
        let withdrawn = match ids {
            Some(ids) => {
                live(self.reads(), round, organisation, ids).await?;
                let values = values![round, organisation, dialect::json(&ids)?, number, now];
                self.change(owner, WITHDRAW, values).await?
            }
            None => self.change(owner, WITHDRAW_ALL, values![round, organisation, number, now]).await?,
        };
        if withdrawn == 0 {
            return Ok((0, None));
        }
        self.count_withdrawn(round, organisation, number).await?;
        Ok((withdrawn, Some(withdrawal(round, organisation, withdrawn))))
    }

    /// Counts the enrolments that the change `number` of the round has withdrawn, and moves the round on to it.
    pub(super) async fn count_withdrawn(
        &mut self,
        round: &RoundId,
        organisation: &OrganisationId,
        number: i64,
    ) -> Result<()> {
        let owner = Owner::Organisation(organisation);
        self.change_exactly(1, owner, COUNT_GONE, values![round, organisation, number]).await?;
        self.change_exactly(1, owner, NEXT_NUMBER, values![round, number]).await
    }

    /// Withdraws a person from a round, whatever its state; without a live enrolment there is no note.
    pub(super) async fn withdraw_person(
        &mut self,
        round: &RoundId,
        person: &ProfileRef,
    ) -> Result<Option<Note>> {
        let (organisation, now) = (&person.organisation, self.now());
        let owner = Owner::Organisation(organisation);
        let number = self.lock_round(round).await?.enrolment_number + 1;
        let values = values![round, organisation, &person.id, number, now];
        if self.change(owner, WITHDRAW_PERSON, values).await? == 0 {
            return Ok(None);
        }
        self.change_exactly(1, owner, COUNT_GONE, values![round, organisation, number]).await?;
        self.change_exactly(1, owner, NEXT_NUMBER, values![round, number]).await?;
        Ok(Some(Note::new(owner, "round.withdraw", round.name(), &json!({ "withdrawn": 1 }))))
    }

    /// Locks the round, and returns the number of the next change of its enrolments.
    async fn next_enrolment_number(&mut self, id: &RoundId) -> Result<i64> {
        let locked = self.lock_round(id).await?;
        open_for_enrolment(id, locked.state)?;
        Ok(locked.enrolment_number + 1)
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
            is_same &= row.text("round_id")? == known.round.as_str()
                && row.int("change_number")? == known.change_number;
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
}

/// Withdraws all enrolments of an organisation that is locked in a round that is locked, whatever the state of the round, as
/// the change `number` of its enrolments. Returns their number.
pub(super) async fn withdraw_all(
    session: &mut WriteSession,
    round: &RoundId,
    organisation: &OrganisationId,
    number: i64,
) -> Result<u64> {
    let values = values![round, organisation, number, session.now()];
    let withdrawn = session.change(Owner::Organisation(organisation), WITHDRAW_ALL, values).await?;
    if withdrawn > 0 {
        session.count_withdrawn(round, organisation, number).await?;
    }
    Ok(withdrawn)
}

/// The note of a withdrawal.
pub(super) fn withdrawal(round: &RoundId, organisation: &OrganisationId, withdrawn: u64) -> Note {
    let detail = json!({ "withdrawn": withdrawn });
    Note::new(Owner::Organisation(organisation), "round.withdraw", round.name(), &detail)
}

/// What an import changes in the numbers of one round's enrolments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoleMove {
    round: RoundId,
    /// Number of the last change of the organisation's enrolments when the roles were counted.
    change_number: i64,
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
                change_number: row.int("change_number")?,
                mentors: row.int("mentors")?,
                mentees: row.int("mentees")?,
            })
        })
        .collect()
}

/// `Ok` if the state allows enrolments.
fn open_for_enrolment(round: &RoundId, state: RoundState) -> Result<()> {
    if state.takes_people() {
        return Ok(());
    }
    Err(Error::RoundState { round: round.name(), state: state.as_str(), required: RoundState::TAKES_PEOPLE })
}

/// The number of the live ones among enrolments of an organisation. Fails with `NotFound` if one does not exist.
async fn live(
    session: &mut ReadSession,
    round: &RoundId,
    organisation: &OrganisationId,
    ids: &[EnrolmentId],
) -> Result<u64> {
    let rows = session.rows(NAMED, values![round, organisation, dialect::json(&ids)?]).await?;
    let mut found = BTreeSet::new();
    let mut live = 0;
    for row in &rows {
        found.insert(row.text("id")?);
        live += u64::from(row.opt_int("withdraw_number")?.is_none());
    }
    match ids.iter().find(|id| !found.contains(id.as_str())) {
        Some(id) => Err(Error::NotFound(EnrolmentRef { round: round.clone(), id: id.clone() }.name())),
        None => Ok(live),
    }
}

/// What an enrolment keeps of the waiting list.
pub(super) fn read_waiting(row: &Row) -> Result<Option<Waiting>> {
    if row.opt_text("waiting_since")?.is_none() {
        return Ok(None);
    }
    let cause = row.parse("enrolment", &"waiting", "waiting_cause", WaitingCause::from_name)?;
    Ok(Some(Waiting { since: row.id("enrolment", "waiting_since")?, cause }))
}

pub(super) fn read(row: &Row, round: &RoundId) -> Result<(Enrolment, EnrolmentKey)> {
    let profile = ProfileRef {
        organisation: row.id("enrolment", "organisation_id")?,
        id: row.id("enrolment", "own_id")?,
    };
    let key = EnrolmentKey {
        organisation: profile.organisation.to_string(),
        own_id: profile.id.to_string(),
        number: row.int("enrol_number")?,
    };
    let enrolment = Enrolment {
        name: EnrolmentRef { round: round.clone(), id: row.id("enrolment", "id")? },
        profile,
        consent: match row.text("consent")?.as_str() {
            // The person was erased.
            "" => None,
            _ => Some(row.id("enrolment", "consent")?),
        },
        create_time: row.time("create_micros")?,
        waiting: read_waiting(row)?,
        withdraw_time: row.opt_time("withdraw_micros")?,
    };
    Ok((enrolment, key))
}
