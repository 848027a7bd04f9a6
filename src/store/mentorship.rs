//! Mentorships of rounds, as the two sides and the working group read and change them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use super::backend::Store;
use super::dialect::{Row, values};
use super::journal::Note;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use super::{result, round};
use crate::domain::mentorship::life::{LifeRefusal, LifeStep};
use crate::domain::mentorship::{
    Answer, DeclineReason, End, EndReason, EndSide, Mentorship, MentorshipState,
};
use crate::domain::name::{MentorshipRef, OrganisationId, RoundId, RunRef};
use crate::domain::record::Record;
use crate::domain::run::Side;
use crate::domain::version::is_meant;
use crate::error::{Error, Result};

/// Columns of a mentorship `t` with the days of its round `r`.
macro_rules! mentorship_select {
    () => {
        "SELECT t.round_id, t.id, t.run_number, t.mentee_organisation_id, t.mentee_own_id, t.mentor_organisation_id, \
         t.mentor_own_id, t.score, t.state, t.propose_micros, t.respond_until_micros, t.mentor_answer, t.mentor_reason, \
         t.mentor_actor, t.mentor_answer_micros, t.mentee_answer, t.mentee_reason, t.mentee_actor, t.mentee_answer_micros, \
         t.accept_micros, t.first_meeting_date, t.pause_micros, t.end_micros, t.end_reason, t.end_side, t.version, \
         t.update_micros, r.start_date, r.end_date"
    };
}

/// Columns of a mentorship `t` with the days of its round `r`.
macro_rules! mentorship_columns {
    () => {
        concat!(
            $crate::store::mentorship::mentorship_select!(),
            " FROM mentorship t JOIN round r ON r.id = t.round_id"
        )
    };
}

/// The condition of a filter: after id `$2`, in state `$3`, of organisation `$4`, and overdue if `$5` is 1, with the moment and
/// the day that `$6` and `$7` give.
macro_rules! wanted {
    () => {
        "t.round_id = $1 AND t.id > $2 AND (CAST($3 AS TEXT) = '' OR t.state = $3) \
         AND (CAST($4 AS TEXT) = '' OR t.mentee_organisation_id = $4 OR t.mentor_organisation_id = $4) \
         AND (CAST($5 AS BIGINT) = 0 OR (t.state = 'accepted' AND t.accept_micros < $6 AND r.start_date < $7))"
    };
}

/// A page of the mentorships of an organisation's members on one side, by the index of that side: SQLite keeps the order of a cross
/// join, and so walks the members `k` and not the round.
macro_rules! list_of_side {
    ($side:literal, $other:literal) => {
        concat!(
            "SELECT * FROM (",
            mentorship_select!(),
            " FROM mentorship k CROSS JOIN mentorship t CROSS JOIN round r WHERE k.",
            $side,
            "_organisation_id = $9 AND k.round_id = $1 AND k.id > $2 AND t.round_id = k.round_id AND t.id = k.id \
             AND r.id = t.round_id AND ",
            wanted!(),
            $other,
            " ORDER BY k.id LIMIT $8) AS ",
            $side,
            "s"
        )
    };
}

/// The same on both sides; a pair within the organisation comes from the first one only.
macro_rules! list_of_organisation {
    () => {
        concat!(
            list_of_side!("mentee", ""),
            " UNION ALL ",
            list_of_side!("mentor", " AND t.mentee_organisation_id <> $9"),
            " ORDER BY id LIMIT $8"
        )
    };
}

pub(super) use {mentorship_columns, mentorship_select};

statements! {
    query EXISTS = filtered("mentorship.exists",
        "SELECT COUNT(*) AS known FROM mentorship WHERE round_id = $1 AND id = $2 \
         AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || mentee_organisation_id || ',%' \
         OR $3 LIKE '%,' || mentor_organisation_id || ',%')");
    query GET = filtered("mentorship.get",
        concat!(mentorship_columns!(), " WHERE t.round_id = $1 AND t.id = $2 \
            AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || t.mentee_organisation_id || ',%' \
            OR $3 LIKE '%,' || t.mentor_organisation_id || ',%')"));
    query LIST = split("mentorship.list",
        concat!(mentorship_columns!(), " WHERE ", wanted!(), " ORDER BY t.id LIMIT $8");
        "mentorship.list_of_organisation",
        list_of_organisation!());
    change MOVE = ("mentorship.move",
        "UPDATE mentorship SET state = $4, mentor_answer = $5, mentor_reason = $6, mentor_actor = $7, mentor_answer_micros = $8, \
         mentee_answer = $9, mentee_reason = $10, mentee_actor = $11, mentee_answer_micros = $12, accept_micros = $13, \
         first_meeting_date = $14, pause_micros = $15, end_micros = $16, end_reason = $17, end_side = $18, end_actor = $19, \
         version = version + 1, update_micros = $20 WHERE round_id = $1 AND id = $2 AND version = $3");
}

/// Which mentorships of a round a list contains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MentorshipFilter {
    /// In this state.
    pub state: Option<MentorshipState>,
    /// Of this organisation's members.
    pub organisation: Option<OrganisationId>,
    /// Without a first meeting in time, as of this day.
    pub overdue_on: Option<Date>,
}

/// A step that a caller wants to take, and the version that she means.
#[derive(Debug, Clone, Copy)]
pub struct WantedStep<'a> {
    /// The mentorship.
    pub name: &'a MentorshipRef,
    /// The step.
    pub step: LifeStep,
    /// The etag; empty for every version.
    pub etag: &'a str,
}

impl Store {
    /// Whether a mentorship exists in the scope.
    pub async fn has_mentorship(&self, scope: &Scope, name: &MentorshipRef) -> Result<bool> {
        let mut session = self.reader(scope).await?;
        let known = session.one(EXISTS, values![&name.round, name.id.as_str()]).await?.int("known")?;
        session.end().await?;
        Ok(known > 0)
    }

    /// One mentorship, as the scope sees it.
    pub async fn mentorship(&self, scope: &Scope, name: &MentorshipRef) -> Result<Mentorship> {
        let mut session = self.reader(scope).await?;
        let found = of(&mut session, name).await;
        session.end().await?;
        Ok(found?.seen_by(|organisation| scope.covers(organisation)))
    }

    /// Mentorships of a round after the one with id `after`, by id, at most `limit`.
    ///
    /// Fails with `NotFound` if there is no such round.
    pub async fn list_mentorships(
        &self,
        scope: &Scope,
        round: &RoundId,
        filter: &MentorshipFilter,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Mentorship>> {
        let mut session = self.snapshot_reader(scope).await?;
        round::require(&mut session, round).await?;
        let long_ago = filter.overdue_on.and_then(|today| today.checked_sub(30.days()).ok());
        let before =
            long_ago.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|moment| moment.timestamp());
        let values = values![
            round,
            after.unwrap_or_default(),
            filter.state.map_or("", MentorshipState::as_str),
            filter.organisation.as_ref().map_or("", OrganisationId::as_str),
            i64::from(filter.overdue_on.is_some()),
            before.map_or(0, Timestamp::as_microsecond),
            long_ago.map(|day| day.to_string()).unwrap_or_default(),
            limit,
        ];
        let rows = session.rows(LIST, values).await?;
        session.end().await?;
        let mut found = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        // Each organisation of the scope has rows of its own, and the two sides may belong to two of them.
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found.dedup_by(|a, b| a.name == b.name);
        found.truncate(limit as usize);
        Ok(found.into_iter().map(|one| one.seen_by(|organisation| scope.covers(organisation))).collect())
    }

    /// The mentorship that [`WriteSession::live`] would return, or its error. Nothing is written.
    pub async fn check_life(
        &self,
        scope: &Scope,
        wanted: WantedStep<'_>,
        done: &Record,
    ) -> Result<Mentorship> {
        let mut session = self.reader(scope).await?;
        let found = of(&mut session, wanted.name).await;
        session.end().await?;
        let (now, next) = stepped(found?, wanted, done)?;
        Ok(next.unwrap_or(now).seen_by(|organisation| scope.covers(organisation)))
    }
}

impl WriteSession {
    /// Takes a step of a mentorship's life. A step that was taken already changes nothing, and has no notes.
    ///
    /// Fails with `NotFound`, `EtagMismatch`, `MentorshipState`, or `InvalidFields` for the day of a first meeting.
    pub async fn live(&mut self, wanted: WantedStep<'_>) -> Result<(Mentorship, Vec<Note>)> {
        let name = wanted.name;
        // A publication waits for the end of the step, and a step for the end of a publication.
        self.lock_round(&name.round).await.map_err(|error| match error {
            Error::NotFound(_) => Error::NotFound(name.name()),
            other => other,
        })?;
        let done = Record { recorder: self.actor().to_owned(), time: self.now() };
        let found = of(self.reads(), name).await?;
        let scope = self.reads().scope().clone();
        let sees = |organisation: &OrganisationId| scope.covers(organisation);
        let (now, next) = stepped(found, wanted, &done)?;
        let Some(next) = next else { return Ok((now.seen_by(sees), Vec::new())) };
        let acting = acting_for(&scope, &next, wanted.step);
        let owner = Owner::from(acting.as_ref());
        let mut values = values![&name.round, name.id.as_str(), now.version, next.state.as_str()];
        for side in [Side::Mentor, Side::Mentee] {
            let answer = next.answer(side);
            values.extend(values![
                answer.map(|answer| if answer.accepts { "accepted" } else { "declined" }),
                answer.and_then(|answer| answer.reason).map(DeclineReason::as_str),
                answer.map(|answer| answer.given.recorder.as_str()),
                answer.map(|answer| answer.given.time.as_microsecond()),
            ]);
        }
        let end = next.end.as_ref();
        let meeting = next.first_meeting.map(|day| day.to_string());
        values.extend(values![
            next.accept_time.map(Timestamp::as_microsecond),
            meeting.as_deref(),
            next.pause_time.map(Timestamp::as_microsecond),
            end.map(|end| end.time.as_microsecond()),
            end.and_then(|end| end.reason).map(EndReason::as_str),
            end.and_then(|end| end.side).map(EndSide::as_str),
            end.map(|_| done.recorder.as_str()),
            done.time,
        ]);
        self.change_exactly(1, owner, MOVE, values).await?;
        // The organisation's audit has what was recorded; both sides read that something has changed.
        let detail = json!({ "state": next.state.as_str() });
        let noted = Note::new(owner, action(wanted.step), name.name(), &detail).of_version(next.version);
        let told = Note::new(Owner::Alliance, "mentorship.change", name.name(), &json!({}));
        Ok((next.clone().seen_by(sees), vec![noted, told.of_version(next.version)]))
    }
}

/// The organisation for which a caller takes a step; `None` for the working group.
fn acting_for(scope: &Scope, of: &Mentorship, step: LifeStep) -> Option<OrganisationId> {
    scope.organisations()?;
    let first = match step {
        LifeStep::Answer(side, _) => side,
        _ => Side::Mentee,
    };
    let sides = [first, Side::Mentee, Side::Mentor];
    sides.into_iter().map(|side| of.organisation(side)).find(|one| scope.covers(one)).cloned()
}

/// What the audit calls a step.
fn action(step: LifeStep) -> &'static str {
    match step {
        LifeStep::Answer(_, None) => "mentorship.accept",
        LifeStep::Answer(_, Some(_)) => "mentorship.decline",
        LifeStep::Meet(_) => "mentorship.meet",
        LifeStep::Pause => "mentorship.pause",
        LifeStep::Resume => "mentorship.resume",
        LifeStep::Complete(_) => "mentorship.complete",
        LifeStep::EndEarly(..) => "mentorship.end_early",
    }
}

/// A mentorship and what it is after a step; `None` if the step was taken already.
fn stepped(
    now: Mentorship,
    wanted: WantedStep<'_>,
    done: &Record,
) -> Result<(Mentorship, Option<Mentorship>)> {
    let next = now.after(wanted.step, done);
    if next == Ok(None) {
        return Ok((now, None));
    }
    if !is_meant(wanted.etag, now.version) {
        return Err(Error::EtagMismatch(wanted.name.name()));
    }
    match next {
        Ok(next) => Ok((now, next)),
        Err(LifeRefusal::State(required)) => Err(Error::MentorshipState {
            mentorship: wanted.name.name(),
            state: now.state.as_str(),
            required,
        }),
        Err(LifeRefusal::MeetingDay) => {
            let day = if let LifeStep::Meet(day) = wanted.step { day.to_string() } else { String::new() };
            Err(Error::invalid_field("date", &day, "is not between the publication and today"))
        }
    }
}

/// One mentorship with the answers of both sides.
pub(super) async fn of(session: &mut ReadSession, name: &MentorshipRef) -> Result<Mentorship> {
    let row = session.row(GET, values![&name.round, name.id.as_str()]).await?;
    read(&row.ok_or_else(|| Error::NotFound(name.name()))?)
}

/// Reads a row.
pub(super) fn read(row: &Row) -> Result<Mentorship> {
    let round: RoundId = row.id("mentorship", "round_id")?;
    let name = MentorshipRef { round: round.clone(), id: row.text("id")? };
    let id = name.name();
    let end = match row.opt_time("end_micros")? {
        Some(time) => Some(End {
            time,
            reason: code(row, &id, "end_reason", EndReason::from_name)?,
            side: code(row, &id, "end_side", EndSide::from_name)?,
        }),
        None => None,
    };
    let score = row.opt_int("score")?.map(|_| row.narrow("mentorship", &id, "score")).transpose()?;
    let meeting = row.opt_text("first_meeting_date")?;
    Ok(Mentorship {
        run: RunRef { round, number: row.int("run_number")? },
        pair: result::read_pair("mentorship", row)?,
        score,
        state: row.parse("mentorship", &id, "state", MentorshipState::from_name)?,
        propose_time: row.time("propose_micros")?,
        respond_until: row.time("respond_until_micros")?,
        mentor_answer: answer(
            row,
            &id,
            ["mentor_answer", "mentor_reason", "mentor_actor", "mentor_answer_micros"],
        )?,
        mentee_answer: answer(
            row,
            &id,
            ["mentee_answer", "mentee_reason", "mentee_actor", "mentee_answer_micros"],
        )?,
        accept_time: row.opt_time("accept_micros")?,
        first_meeting: meeting.map(|_| row.id("mentorship", "first_meeting_date")).transpose()?,
        pause_time: row.opt_time("pause_micros")?,
        end,
        days: (row.id("round", "start_date")?, row.id("round", "end_date")?),
        version: row.int("version")?,
        update_time: row.time("update_micros")?,
        name,
    })
}

fn code<T>(row: &Row, id: &str, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>> {
    match row.opt_text(column)? {
        Some(_) => row.parse("mentorship", &id, column, parse).map(Some),
        None => Ok(None),
    }
}

fn answer(row: &Row, id: &str, [said, reason, actor, time]: [&str; 4]) -> Result<Option<Answer>> {
    let Some(said) = row.opt_text(said)? else { return Ok(None) };
    let recorder = row.opt_text(actor)?.unwrap_or_default();
    Ok(Some(Answer {
        accepts: said == "accepted",
        reason: code(row, id, reason, DeclineReason::from_name)?,
        given: Record { recorder, time: row.time(time)? },
    }))
}
