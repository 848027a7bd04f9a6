//! Consultations, and the answers of the organisations.
//!
//! An organisation reads every consultation and its own answers. The answers of all exist for the alliance and for the service, which
//! makes the result of them.

use jiff::Timestamp;
use serde_json::json;

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::journal::Note;
use super::organisation;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use crate::domain::consultation::{
    Consultation, ConsultationAnswer, ConsultationPatch, ConsultationState, Grouping, NewConsultation,
    QuestionAnswerDraft,
};
use crate::domain::name::{ConsultationId, OrganisationId};
use crate::domain::record::Record;
use crate::domain::version::is_meant;
use crate::domain::violation::Violations;
use crate::domain::vocabulary::Region;
use crate::error::{Error, Result};

/// Columns of a consultation.
macro_rules! consultation_columns {
    () => {
        "SELECT id, document, result_grouping, deadline_micros, state, cancel_reason, version, create_micros, update_micros \
         FROM consultation"
    };
}

/// Columns of an answer.
macro_rules! answer_columns {
    () => {
        "SELECT organisation_id, region, document, actor, version, create_micros, update_micros FROM consultation_answer"
    };
}

statements! {
    query GET = shared("consultation.get", concat!(consultation_columns!(), " WHERE id = $1"));
    query LIST = shared("consultation.list", concat!(consultation_columns!(), " WHERE id > $1 ORDER BY id LIMIT $2"));
    // Answers and changes of one consultation take turns.
    query LOCK = shared("consultation.lock", locking: "SELECT id FROM consultation WHERE id = $1");
    query DUE = hidden("consultation.due",
        "SELECT id FROM consultation WHERE state = 'open' AND deadline_micros <= $1 ORDER BY deadline_micros, id LIMIT 100");
    change CREATE = ("consultation.create",
        "INSERT INTO consultation (id, document, result_grouping, deadline_micros, state, version, create_micros, update_micros) \
         VALUES ($1, $2, $3, $4, 'open', 1, $5, $5) ON CONFLICT (id) DO NOTHING");
    change UPDATE = ("consultation.update",
        "UPDATE consultation SET deadline_micros = $3, state = $4, cancel_reason = $5, version = version + 1, update_micros = $6 \
         WHERE id = $1 AND version = $2");
    change CLOSE = ("consultation.close", "UPDATE consultation SET state = 'closed' WHERE id = $1 AND state = 'open'");
    query ANSWERS = hidden("consultation_answer.list",
        concat!(answer_columns!(), " WHERE consultation_id = $1 ORDER BY organisation_id"));
    query ANSWER = filtered("consultation_answer.get",
        concat!(answer_columns!(), " WHERE consultation_id = $1 AND organisation_id = $2 \
            AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || organisation_id || ',%')"));
    change SAVE = ("consultation_answer.save",
        "INSERT INTO consultation_answer (consultation_id, organisation_id, region, document, actor, version, create_micros, \
         update_micros) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (consultation_id, organisation_id) DO UPDATE SET \
         region = excluded.region, document = excluded.document, actor = excluded.actor, version = excluded.version, \
         update_micros = excluded.update_micros");
    query MEMBERS = hidden("organisation.count_members",
        "SELECT COUNT(*) AS members FROM organisation WHERE membership = 'member'");
}

/// What a caller wants to change of a consultation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub enum ConsultationChange {
    /// Fields.
    Patch(ConsultationPatch),
    /// Its end without a result, with the reason.
    Cancel(String),
}

/// Who answers what.
#[derive(Debug, Clone, Copy)]
pub struct NewAnswer<'a> {
    /// The organisation.
    pub organisation: &'a OrganisationId,
    /// Its answers.
    pub answers: &'a [QuestionAnswerDraft],
    /// The version that the caller means.
    pub etag: &'a str,
}

impl Store {
    /// One consultation, with its state as stored.
    pub async fn consultation(&self, scope: &Scope, id: &ConsultationId) -> Result<Consultation> {
        let mut session = self.reader(scope).await?;
        let found = of(&mut session, id).await;
        session.end().await?;
        found
    }

    /// Consultations after id `after`, by id, at most `limit`.
    pub async fn list_consultations(
        &self,
        scope: &Scope,
        after: Option<&ConsultationId>,
        limit: u32,
    ) -> Result<Vec<Consultation>> {
        let after = after.map_or("", ConsultationId::as_str);
        let mut session = self.reader(scope).await?;
        let rows = session.rows(LIST, values![after, limit]).await?;
        session.end().await?;
        rows.iter().map(read).collect()
    }

    /// The answers of a consultation by organisation: all of them, in the scope of organisations none.
    pub async fn consultation_answers(
        &self,
        scope: &Scope,
        id: &ConsultationId,
    ) -> Result<Vec<ConsultationAnswer>> {
        let mut session = self.reader(scope).await?;
        let rows = session.rows(ANSWERS, values![id.as_str()]).await?;
        session.end().await?;
        rows.iter().map(read_answer).collect()
    }

    /// The answer of one organisation, if it has answered.
    pub async fn consultation_answer(
        &self,
        scope: &Scope,
        id: &ConsultationId,
        organisation: &OrganisationId,
    ) -> Result<Option<ConsultationAnswer>> {
        let mut session = self.reader(scope).await?;
        let found = answer_of(&mut session, id, organisation).await;
        session.end().await?;
        found
    }

    /// Number of organisations that are members.
    pub async fn count_members(&self, scope: &Scope) -> Result<u64> {
        let mut session = self.reader(scope).await?;
        let members = session.one(MEMBERS, values![]).await?.narrow("organisation", &"", "members")?;
        session.end().await?;
        Ok(members)
    }

    /// Open consultations whose deadline has passed, the first ones.
    pub async fn due_consultations(&self, scope: &Scope, now: Timestamp) -> Result<Vec<ConsultationId>> {
        scope.require_system()?;
        let mut session = self.reader(scope).await?;
        let rows = session.rows(DUE, values![now]).await?;
        session.end().await?;
        rows.iter().map(|row| row.id("consultation", "id")).collect()
    }

    /// The consultation that [`WriteSession::create_consultation`] would return at `now`, or its error. Nothing is written.
    pub async fn check_consultation(
        &self,
        scope: &Scope,
        id: &ConsultationId,
        new: &NewConsultation,
        now: Timestamp,
    ) -> Result<Consultation> {
        match self.consultation(scope, id).await {
            Ok(_) => Err(Error::AlreadyExists(id.name())),
            Err(Error::NotFound(_)) => Ok(first_version(id, new, now)),
            Err(other) => Err(other),
        }
    }

    /// The consultation that [`WriteSession::change_consultation`] would return at `now`, or its error. Nothing is written.
    pub async fn check_consultation_change(
        &self,
        scope: &Scope,
        id: &ConsultationId,
        change: &ConsultationChange,
        etag: &str,
        now: Timestamp,
    ) -> Result<Consultation> {
        changed(self.consultation(scope, id).await?, change, etag, now)
    }

    /// The answer that [`WriteSession::answer_consultation`] would return, or its error. Nothing is written.
    pub async fn check_answer(
        &self,
        scope: &Scope,
        id: &ConsultationId,
        new: NewAnswer<'_>,
        given: Record,
    ) -> Result<ConsultationAnswer> {
        let mut session = self.snapshot_reader(scope).await?;
        let answered = answered(&mut session, id, new, given).await;
        session.end().await?;
        Ok(answered?.0)
    }
}

impl WriteSession {
    /// Opens a consultation. Fails with `AlreadyExists` if the id is taken.
    pub async fn create_consultation(
        &mut self,
        id: &ConsultationId,
        new: &NewConsultation,
    ) -> Result<(Consultation, Note)> {
        let created = first_version(id, new, self.now());
        let values = values![
            id.as_str(),
            dialect::json(&new.content)?,
            new.grouping.as_str(),
            new.deadline,
            created.create_time,
        ];
        if self.change(Owner::Alliance, CREATE, values).await? == 0 {
            return Err(Error::AlreadyExists(id.name()));
        }
        let detail = json!({ "questions": new.content.questions.len() });
        let note = Note::new(Owner::Alliance, "consultation.create", id.name(), &detail);
        Ok((created, note.of_version(1)))
    }

    /// Moves the deadline of a consultation, or cancels it. Without a change there is no note.
    ///
    /// Fails with `NotFound`, `EtagMismatch`, `ConsultationState` or `InvalidFields`.
    pub async fn change_consultation(
        &mut self,
        id: &ConsultationId,
        change: &ConsultationChange,
        etag: &str,
    ) -> Result<(Consultation, Option<Note>)> {
        self.lock_consultation(id).await?;
        let now = self.now();
        let before = of(self.reads(), id).await?;
        let version = before.version;
        let after = changed(before, change, etag, now)?;
        if after.version == version {
            return Ok((after, None));
        }
        let values = values![
            id.as_str(),
            version,
            after.deadline,
            after.state.as_str(),
            after.cancel_reason.as_deref(),
            now,
        ];
        self.change_exactly(1, Owner::Alliance, UPDATE, values).await?;
        let action = match change {
            ConsultationChange::Patch(_) => "consultation.update",
            ConsultationChange::Cancel(_) => "consultation.cancel",
        };
        let note = Note::new(Owner::Alliance, action, id.name(), &json!({})).of_version(after.version);
        Ok((after, Some(note)))
    }

    /// Writes down that the deadline of a consultation has passed; without a note if that stands there already, or the deadline was
    /// moved.
    pub async fn close_consultation(&mut self, id: &ConsultationId) -> Result<Option<Note>> {
        self.lock_consultation(id).await?;
        let consultation = of(self.reads(), id).await?;
        let is_due = consultation.state_at(self.now()) == ConsultationState::Closed;
        if !is_due || self.change(Owner::Alliance, CLOSE, values![id.as_str()]).await? == 0 {
            return Ok(None);
        }
        let note = Note::new(Owner::Alliance, "consultation.close", id.name(), &json!({}));
        Ok(Some(note.of_version(consultation.version)))
    }

    /// Stores the answer of an organisation. Without a change there is no note.
    ///
    /// Fails with `NotFound`, `ConsultationState`, `InvalidFields` or `EtagMismatch`.
    pub async fn answer_consultation(
        &mut self,
        id: &ConsultationId,
        new: NewAnswer<'_>,
    ) -> Result<(ConsultationAnswer, Option<Note>)> {
        self.lock_organisation(new.organisation).await?;
        self.lock_consultation(id).await?;
        let given = Record { recorder: self.actor().to_owned(), time: self.now() };
        let (answer, is_changed) = answered(self.reads(), id, new, given).await?;
        if !is_changed {
            return Ok((answer, None));
        }
        let values = values![
            id.as_str(),
            &answer.organisation,
            answer.region.code(),
            dialect::json(&answer.answers)?,
            answer.actor.as_str(),
            answer.version,
            answer.create_time,
            answer.update_time,
        ];
        let owner = Owner::Organisation(new.organisation);
        self.change_exactly(1, owner, SAVE, values).await?;
        let detail = json!({ "answer": answer.version });
        Ok((answer, Some(Note::new(owner, "consultation.answer", id.name(), &detail))))
    }

    async fn lock_consultation(&mut self, id: &ConsultationId) -> Result<()> {
        let found = self.reads().row(LOCK, values![id.as_str()]).await?;
        found.map(drop).ok_or_else(|| Error::NotFound(id.name()))
    }
}

fn first_version(id: &ConsultationId, new: &NewConsultation, now: Timestamp) -> Consultation {
    Consultation {
        id: id.clone(),
        content: new.content.clone(),
        grouping: new.grouping,
        deadline: new.deadline,
        state: ConsultationState::Open,
        cancel_reason: None,
        version: 1,
        create_time: now,
        update_time: now,
    }
}

/// `Ok` if the consultation is open at `now`.
fn expect_open(consultation: &Consultation, now: Timestamp) -> Result<()> {
    match consultation.state_at(now) {
        ConsultationState::Open => Ok(()),
        state => Err(Error::ConsultationState {
            consultation: consultation.id.name(),
            state: state.as_str(),
            required: ConsultationState::Open.as_str(),
        }),
    }
}

/// The consultation after a change at `now`, or why it cannot be changed.
fn changed(
    before: Consultation,
    change: &ConsultationChange,
    etag: &str,
    now: Timestamp,
) -> Result<Consultation> {
    if !is_meant(etag, before.version) {
        return Err(Error::EtagMismatch(before.id.name()));
    }
    expect_open(&before, now)?;
    let (version, update_time) = (before.version + 1, now);
    match change {
        ConsultationChange::Cancel(reason) => {
            let (state, cancel_reason) = (ConsultationState::Cancelled, Some(reason.clone()));
            Ok(Consultation { state, cancel_reason, version, update_time, ..before })
        }
        ConsultationChange::Patch(patch) => {
            let deadline = before.patched_deadline(patch).map_err(Error::InvalidFields)?;
            if deadline == before.deadline {
                return Ok(before);
            }
            Ok(Consultation { deadline, version, update_time, ..before })
        }
    }
}

/// The answer of an organisation that is given now, and whether it differs from the one before.
async fn answered(
    session: &mut ReadSession,
    id: &ConsultationId,
    new: NewAnswer<'_>,
    given: Record,
) -> Result<(ConsultationAnswer, bool)> {
    let organisation = organisation::of(session, new.organisation).await?;
    let consultation = of(session, id).await?;
    expect_open(&consultation, given.time)?;
    let mut violations = Violations::of_request();
    if !organisation.membership.is_member() {
        let hint = "only members of the alliance are consulted";
        violations.push("organisation", new.organisation.name(), "is no member of the alliance", hint);
    }
    let answers =
        consultation.content.parse_answers(new.answers).map_err(|wrong| violations.extend(wrong)).ok();
    let (Some(answers), true) = (answers, violations.is_empty()) else {
        return Err(Error::InvalidFields(violations));
    };
    let before = answer_of(session, id, new.organisation).await?;
    if before.as_ref().map_or(!new.etag.is_empty(), |before| !is_meant(new.etag, before.version)) {
        return Err(Error::EtagMismatch(id.name()));
    }
    if let Some(before) = before.as_ref().filter(|before| before.answers == answers) {
        return Ok((before.clone(), false));
    }
    let answer = ConsultationAnswer {
        organisation: new.organisation.clone(),
        region: organisation.content.country.region(),
        answers,
        actor: given.recorder,
        version: before.as_ref().map_or(1, |before| before.version + 1),
        create_time: before.map_or(given.time, |before| before.create_time),
        update_time: given.time,
    };
    Ok((answer, true))
}

async fn of(session: &mut ReadSession, id: &ConsultationId) -> Result<Consultation> {
    let found = session.row(GET, values![id.as_str()]).await?;
    found.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(id.name()))
}

async fn answer_of(
    session: &mut ReadSession,
    id: &ConsultationId,
    organisation: &OrganisationId,
) -> Result<Option<ConsultationAnswer>> {
    let found = session.row(ANSWER, values![id.as_str(), organisation]).await?;
    found.as_ref().map(read_answer).transpose()
}

fn read(row: &Row) -> Result<Consultation> {
    let id: ConsultationId = row.id("consultation", "id")?;
    Ok(Consultation {
        content: row.json("consultation", &id, "document")?,
        grouping: row.parse("consultation", &id, "result_grouping", Grouping::from_name)?,
        deadline: row.time("deadline_micros")?,
        state: row.parse("consultation", &id, "state", ConsultationState::from_name)?,
        cancel_reason: row.opt_text("cancel_reason")?,
        version: row.int("version")?,
        create_time: row.time("create_micros")?,
        update_time: row.time("update_micros")?,
        id,
    })
}

fn read_answer(row: &Row) -> Result<ConsultationAnswer> {
    let organisation: OrganisationId = row.id("consultation_answer", "organisation_id")?;
    Ok(ConsultationAnswer {
        region: row.parse("consultation_answer", &organisation, "region", Region::from_code)?,
        answers: row.json("consultation_answer", &organisation, "document")?,
        actor: row.text("actor")?,
        version: row.int("version")?,
        create_time: row.time("create_micros")?,
        update_time: row.time("update_micros")?,
        organisation,
    })
}
