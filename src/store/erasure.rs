//! Erasure of a person. It begins in one transaction with its entry of the journal: she is withdrawn from all rounds, runs
//! that wait for her answers fail, and a tombstone keeps her from being imported again. Then short transactions destroy what
//! is left of her, each of which can be repeated: whoever continues an erasure that was interrupted begins anew.
//!
//! The steps, in their order: [`runs`] destroys what runs say of her, and keeps the hashes of its leaves; her enrolments get
//! the surrogate; [`reviews`] destroys what was decided and said about her; [`mentorships`] keeps her mentorships under the surrogate; [`traces`] takes her out of the lists of other people and out of remembered answers; her profile is deleted
//! with all its versions. The last transaction forgets her own id, and a SQLite database then empties its log.

mod mentorships;
mod personal_data;
mod reviews;
mod runs;
mod task;
mod traces;

use jiff::Timestamp;
use serde_json::json;

use self::task::{HOLD, Task, columns, name_of, read};
use super::backend::Store;
use super::dialect::values;
use super::journal::Note;
use super::profile;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::{Upkeep, statements};
use super::waiting::FORGET_LEAVE;
use crate::domain::erasure::{Erasure, ErasureCounts};
use crate::domain::name::{ErasureRef, OrganisationId, OwnId, ProfileRef, RoundId, RunRef};
use crate::error::{Error, Reason, Result};

/// Erasures that one reading finds.
const ERASURES_AT_A_TIME: u32 = 100;

statements! {
    change CREATE = ("erasure.create",
        "INSERT INTO erasure (id, organisation_id, own_id, surrogate, tombstone, actor, counts, create_micros) \
         VALUES ($1, $2, $3, $4, $5, $6, '{}', $7)");
    query GET = filtered("erasure.get",
        concat!(columns!(), "WHERE id = $1 AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || organisation_id || ',%')"));
    query OF_TOMBSTONE = filtered("erasure.of_tombstone",
        concat!(columns!(), "WHERE organisation_id = $1 AND tombstone = $2 AND return_micros IS NULL \
            AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || organisation_id || ',%')"));
    query TOMBSTONES = filtered("erasure.tombstones",
        "SELECT tombstone FROM erasure WHERE organisation_id = $1 AND return_micros IS NULL \
         AND (CAST($2 AS TEXT) IS NULL OR $2 LIKE '%,' || organisation_id || ',%')");
    query ALL = hidden("erasure.all",
        "SELECT organisation_id, tombstone, create_micros FROM erasure WHERE return_micros IS NULL \
         ORDER BY organisation_id, tombstone");
    change RETURN = ("erasure.return",
        "UPDATE erasure SET return_micros = $3 WHERE organisation_id = $1 AND tombstone = $2 AND return_micros IS NULL");
    query OPEN = hidden("erasure.open",
        concat!(columns!(), "WHERE end_micros IS NULL ORDER BY create_micros LIMIT $1"));
    change END = ("erasure.end",
        "UPDATE erasure SET own_id = NULL, end_micros = $2 WHERE id = $1 AND end_micros IS NULL");
    upkeep SURROGATE = ("enrolment.surrogate",
        "UPDATE enrolment SET own_id = $3, salt = '', consent = '' WHERE organisation_id = $1 AND own_id = $2");
    upkeep FORGET_ROWS = ("profile_import.forget",
        "UPDATE profile_import SET unchanged = unchanged + (SELECT COUNT(*) FROM profile_version v \
         WHERE v.import_id = profile_import.id AND v.organisation_id = $1 AND v.own_id = $2) \
         WHERE id IN (SELECT v.import_id FROM profile_version v WHERE v.organisation_id = $1 AND v.own_id = $2)");
    upkeep UNRESTRICT = ("profile_restriction.erase",
        "DELETE FROM profile_restriction WHERE organisation_id = $1 AND own_id = $2");
    upkeep DELETE = ("profile_version.erase",
        "DELETE FROM profile_version WHERE organisation_id = $1 AND own_id = $2");
    query ENROLLED_IN = filtered("enrolment.rounds_of",
        "SELECT DISTINCT round_id FROM enrolment WHERE organisation_id = $1 AND own_id = $2 \
         AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || organisation_id || ',%') ORDER BY round_id");
    // A worker that solves the run holds an older fencing number from now on.
    change FAIL_RUN = ("run.fail_erased",
        "UPDATE run SET state = 'failed', end_micros = $4, failure_reason = $5, failure_message = $6, stage = NULL, \
         lease_owner = NULL, lease_until_micros = NULL, fence = fence + 1 WHERE round_id = $1 \
         AND state IN ('queued', 'running') AND EXISTS (SELECT 1 FROM enrolment e WHERE e.round_id = $1 \
         AND e.organisation_id = $2 AND e.own_id = $3 AND e.enrol_number <= run.enrolment_number \
         AND (e.withdraw_number IS NULL OR e.withdraw_number > run.enrolment_number))");
    query FAILED_RUN = shared("run.failed_at",
        "SELECT number FROM run WHERE round_id = $1 AND state = 'failed' AND end_micros = $2 AND failure_reason = $3 \
         ORDER BY number DESC LIMIT 1");
    query WOULD = filtered("erasure.would",
        "SELECT (SELECT COUNT(*) FROM profile_version v WHERE v.organisation_id = $1 AND v.own_id = $2) AS versions, \
         (SELECT COUNT(*) FROM enrolment e WHERE e.organisation_id = $1 AND e.own_id = $2) AS enrolments, \
         (SELECT COUNT(*) FROM enrolment e JOIN run r ON r.round_id = e.round_id AND e.enrol_number <= r.enrolment_number \
         AND (e.withdraw_number IS NULL OR e.withdraw_number > r.enrolment_number) WHERE e.organisation_id = $1 \
         AND e.own_id = $2 AND r.state = 'succeeded') AS runs FROM organisation o WHERE o.id = $1 \
         AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || o.id || ',%')");
}

/// What an erasure that begins needs beside the name of the person.
#[derive(Debug, Clone)]
pub struct NewErasure {
    /// Its id.
    pub id: ErasureRef,
    /// The id that enrolments and matches get.
    pub surrogate: OwnId,
    /// The tombstone of the person.
    pub tombstone: String,
}

impl Store {
    /// One erasure.
    pub async fn erasure(&self, scope: &Scope, name: &ErasureRef) -> Result<Erasure> {
        let mut session = self.reader(scope).await?;
        let found = session.row(GET, values![name.id()]).await?;
        session.end().await?;
        found.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(name.name()))
    }

    /// What the erasure of a person would destroy, in numbers: her versions, enrolments and runs.
    ///
    /// Fails with `NotFound` if there is no such profile.
    pub async fn check_erasure(&self, scope: &Scope, person: &ProfileRef) -> Result<ErasureCounts> {
        let mut session = self.snapshot_reader(scope).await?;
        let exists = exists(&mut session, person).await;
        let would = would(&mut session, person).await;
        session.end().await?;
        exists?;
        would
    }

    /// The tombstones of an organisation's erased people.
    pub async fn tombstones(&self, scope: &Scope, organisation: &OrganisationId) -> Result<Vec<String>> {
        let mut session = self.reader(scope).await?;
        let rows = session.rows(TOMBSTONES, values![organisation]).await?;
        session.end().await?;
        rows.iter().map(|row| row.text("tombstone")).collect()
    }

    /// The erasures of all people who have not come back: their organisations, tombstones and moments.
    pub async fn all_tombstones(&self, scope: &Scope) -> Result<Vec<(OrganisationId, String, Timestamp)>> {
        scope.require_system()?;
        let mut session = self.reader(scope).await?;
        let rows = session.rows(ALL, values![]).await?;
        session.end().await?;
        rows.iter()
            .map(|row| {
                let organisation = row.id("erasure", "organisation_id")?;
                Ok((organisation, row.text("tombstone")?, row.time("create_micros")?))
            })
            .collect()
    }

    /// Continues an erasure to its end; nothing happens if it has ended.
    pub async fn continue_erasure(&self, scope: &Scope, name: &ErasureRef, now: Timestamp) -> Result<()> {
        scope.require_system()?;
        let mut session = self.reader(scope).await?;
        let found = session.row(GET, values![name.id()]).await?;
        session.end().await?;
        let Some(task) = found.as_ref().map(|row| Task::read(row, scope)).transpose()?.flatten() else {
            return Ok(());
        };
        self.erase_from_runs(&task).await?;
        self.step(&task, SURROGATE, |counts, rows| counts.enrolments += rows).await?;
        self.erase_from_reviews(&task).await?;
        self.erase_from_mentorships(&task).await?;
        self.erase_from_lists(&task).await?;
        self.erase_from_answers(&task).await?;
        let mut held = Box::pin(self.hold_erasure(&task)).await?;
        if let Some((session, counts)) = &mut held {
            session.execute(FORGET_ROWS, task.keys()).await?;
            session.execute(UNRESTRICT, task.keys()).await?;
            session.execute(FORGET_LEAVE, task.keys()).await?;
            counts.versions += session.execute(DELETE, task.keys()).await?;
        }
        self.release_erasure(&task, held).await?;
        self.end_erasure(&task, now).await?;
        self.empty_log().await
    }

    /// Continues all erasures that have not ended, and returns their number.
    pub async fn continue_erasures(&self, scope: &Scope, now: Timestamp) -> Result<u64> {
        scope.require_system()?;
        let mut session = self.reader(scope).await?;
        let rows = session.rows(OPEN, values![ERASURES_AT_A_TIME]).await?;
        session.end().await?;
        for row in &rows {
            Box::pin(self.continue_erasure(scope, &read(row)?.name, now)).await?;
        }
        Ok(rows.len() as u64)
    }

    async fn end_erasure(&self, task: &Task, now: Timestamp) -> Result<()> {
        let mut session = WriteSession::of_worker(self, "erasure", || now).await?;
        let found = session.reads().row(HOLD, values![task.id.as_str()]).await?;
        let Some(row) = found else { return Ok(()) };
        let counts = read(&row)?.counts;
        let owner = Owner::Organisation(&task.person.organisation);
        session.change_exactly(1, owner, END, values![task.id.as_str(), now]).await?;
        let note = Note::new(owner, "erasure.end", name_of(&task.id), &json!(counts));
        session.commit(note, &[]).await
    }

    /// A step of one statement on the person's own rows, which takes her surrogate as its last value.
    async fn step(&self, task: &Task, statement: Upkeep, count: fn(&mut ErasureCounts, u64)) -> Result<()> {
        let mut held = self.hold_erasure(task).await?;
        if let Some((session, counts)) = &mut held {
            let mut values = task.keys();
            values.extend(values![&task.surrogate.id]);
            count(counts, session.execute(statement, values).await?);
        }
        self.release_erasure(task, held).await
    }
}

impl WriteSession {
    /// Begins the erasure of a person, and returns it with the notes of what was changed. If it has begun already, the same
    /// erasure is returned without notes.
    ///
    /// Fails with `NotFound` if there is no such profile.
    pub async fn begin_erasure(
        &mut self,
        person: &ProfileRef,
        new: &NewErasure,
    ) -> Result<(Erasure, Vec<Note>)> {
        let missing = |error| match error {
            Error::NotFound(_) => Error::NotFound(person.name()),
            other => other,
        };
        let ProfileRef { organisation, id } = person;
        self.lock_organisation(organisation).await.map_err(missing)?;
        exists(self.reads(), person).await?;
        if let Some(row) =
            self.reads().row(OF_TOMBSTONE, values![organisation, new.tombstone.as_str()]).await?
        {
            return Ok((read(&row)?, Vec::new()));
        }
        let (owner, now, actor) = (Owner::Organisation(organisation), self.now(), self.actor().to_owned());
        let values = values![
            new.id.id(),
            organisation,
            id,
            &new.surrogate,
            new.tombstone.as_str(),
            actor.as_str(),
            now
        ];
        self.change_exactly(1, owner, CREATE, values).await?;
        let detail = json!({ "erasure": new.id.name() });
        let mut notes = vec![Note::new(owner, "profile.erase", organisation.name(), &detail)];
        let rounds = self.reads().rows(ENROLLED_IN, values![organisation, id]).await?;
        for row in &rounds {
            let round: RoundId = row.id("enrolment", "round_id")?;
            notes.extend(self.withdraw_person(&round, person).await?);
            notes.extend(self.fail_run_of(&round, person, now).await?);
        }
        // The rounds are locked: a step of a mentorship locks its round first, too.
        notes.extend(self.end_mentorships_of(person).await?);
        let created = Erasure {
            name: new.id.clone(),
            organisation: organisation.clone(),
            surrogate: new.surrogate.clone(),
            create_time: now,
            end_time: None,
            counts: ErasureCounts::default(),
        };
        Ok((created, notes))
    }

    /// Number of an organisation's tombstones.
    pub async fn tombstones(&mut self, organisation: &OrganisationId) -> Result<usize> {
        Ok(self.reads().rows(TOMBSTONES, values![organisation]).await?.len())
    }

    /// Takes tombstones away, because their people have come back.
    pub async fn return_erased(
        &mut self,
        organisation: &OrganisationId,
        tombstones: &[String],
    ) -> Result<()> {
        let now = self.now();
        for tombstone in tombstones {
            let values = values![organisation, tombstone.as_str(), now];
            self.change_exactly(1, Owner::Organisation(organisation), RETURN, values).await?;
        }
        Ok(())
    }

    /// Fails the run of a round that waits for a worker or is solved, if the person takes part in it.
    async fn fail_run_of(
        &mut self,
        round: &RoundId,
        person: &ProfileRef,
        now: Timestamp,
    ) -> Result<Option<Note>> {
        let reason = Reason::InputErased.code();
        let values = values![
            round,
            &person.organisation,
            &person.id,
            now,
            reason,
            "a person who takes part in the run was erased; start a new run"
        ];
        if self.change(Owner::Organisation(&person.organisation), FAIL_RUN, values).await? == 0 {
            return Ok(None);
        }
        let number = self.reads().one(FAILED_RUN, values![round, now, reason]).await?.int("number")?;
        let run = RunRef { round: round.clone(), number };
        Ok(Some(Note::new(Owner::Alliance, "run.fail", run.name(), &json!({ "reason": reason }))))
    }
}

/// What the erasure of a person would destroy, in numbers.
pub(super) async fn would(session: &mut ReadSession, person: &ProfileRef) -> Result<ErasureCounts> {
    let found = session.row(WOULD, values![&person.organisation, &person.id]).await?;
    let row = found.ok_or_else(|| Error::NotFound(person.name()))?;
    let count = |column| row.narrow("erasure", &"of a person", column);
    Ok(ErasureCounts {
        versions: count("versions")?,
        enrolments: count("enrolments")?,
        runs: count("runs")?,
        ..ErasureCounts::default()
    })
}

/// `Ok` if the profile exists in the session's scope.
async fn exists(session: &mut ReadSession, person: &ProfileRef) -> Result<()> {
    let found = profile::existing(session, &person.organisation, &[person.id.clone()].into()).await?;
    if found.is_empty() { Err(Error::NotFound(person.name())) } else { Ok(()) }
}
