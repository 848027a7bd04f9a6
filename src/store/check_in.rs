//! Check-ins of mentorships, and what is due of an organisation's members. A check-in belongs to the organisation of its side: for
//! every other reader it does not exist.

mod import;

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::backend::Store;
use super::dialect::{Row, Value, values};
use super::journal::Note;
use super::mentorship::{self, mentorship_columns};
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use super::{organisation, profile};
use crate::domain::mentorship::Mentorship;
use crate::domain::mentorship::check_in::{Answers, CheckIn, Instrument, Measurement, Point, StoredCheckIn};
use crate::domain::mentorship::schedule::Due;
use crate::domain::name::{MentorshipRef, OrganisationId, ProfileRef};
use crate::domain::profile::ConsentPurpose;
use crate::domain::record::Record;
use crate::domain::run::Side;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};

/// The mentorships of one side of an organisation in which something may be due, after a place.
macro_rules! may_be_due {
    ($side:literal, $other:literal) => {
        concat!(
            "SELECT * FROM (",
            mentorship_columns!(),
            " WHERE ",
            $side,
            " = $1 AND (t.round_id, t.id) >= ($2, $3) AND t.state NOT IN ('declined', 'withdrawn')",
            $other,
            " ORDER BY t.round_id, t.id LIMIT $4) AS ",
        )
    };
}

/// The columns of a check-in, of the table with this alias.
macro_rules! columns_of {
    ($alias:literal) => {
        concat!(
            $alias,
            "side, ",
            $alias,
            "point, ",
            $alias,
            "check_date, ",
            $alias,
            "meetings, ",
            $alias,
            "minutes, ",
            $alias,
            "satisfaction, ",
            $alias,
            "recommend, ",
            $alias,
            "goals_achieved, ",
            $alias,
            "goals_partly, ",
            $alias,
            "goals_missed, ",
            $alias,
            "instrument, ",
            $alias,
            "instrument_version, ",
            $alias,
            "instrument_score, ",
            $alias,
            "promoted, ",
            $alias,
            "changed_role, ",
            $alias,
            "in_sector, ",
            $alias,
            "actor, ",
            $alias,
            "create_micros"
        )
    };
}

use columns_of;
pub use import::ExportedCheckIn;

statements! {
    query LIST = filtered("check_in.list",
        concat!("SELECT ", columns_of!(""), " FROM check_in WHERE round_id = $1 AND mentorship_id = $2 \
         AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || organisation_id || ',%') ORDER BY create_micros, side, point"));
    query KNOWN = filtered("check_in.known",
        "SELECT COUNT(*) AS known FROM check_in WHERE round_id = $1 AND mentorship_id = $2 AND side = $3 AND point = $4 \
         AND (CAST($5 AS TEXT) IS NULL OR $5 LIKE '%,' || organisation_id || ',%')");
    change CREATE = ("check_in.create",
        "INSERT INTO check_in (round_id, mentorship_id, side, point, organisation_id, check_date, meetings, minutes, satisfaction, \
         recommend, goals_achieved, goals_partly, goals_missed, instrument, instrument_version, instrument_score, promoted, \
         changed_role, in_sector, actor, create_micros) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
         $16, $17, $18, $19, $20, $21)");
    query MAY_BE_DUE = filtered("mentorship.may_be_due",
        concat!("SELECT * FROM (", may_be_due!("t.mentee_organisation_id", ""), "mentees UNION ALL ",
            may_be_due!("t.mentor_organisation_id", " AND t.mentee_organisation_id <> $1"),
            "mentors) AS t WHERE (CAST($5 AS TEXT) IS NULL OR $5 LIKE '%,' || CAST($1 AS TEXT) || ',%') \
             ORDER BY round_id, id LIMIT $4"));
    query CHECKED = filtered("check_in.checked",
        "SELECT round_id, mentorship_id, side, point FROM check_in WHERE organisation_id = $1 \
         AND (round_id, mentorship_id) >= ($2, $3) AND (round_id, mentorship_id) <= ($4, $5) \
         AND (CAST($6 AS TEXT) IS NULL OR $6 LIKE '%,' || organisation_id || ',%')");
}

impl Store {
    /// The check-ins of a mentorship that the scope covers, the first recorded first.
    ///
    /// Fails with `NotFound` if there is no such mentorship.
    pub async fn check_ins(&self, scope: &Scope, name: &MentorshipRef) -> Result<Vec<StoredCheckIn>> {
        let mut session = self.snapshot_reader(scope).await?;
        mentorship::of(&mut session, name).await?;
        let found = of(&mut session, name).await;
        session.end().await?;
        found
    }

    /// `Ok` if [`WriteSession::record_check_in`] would record it at `now`. Nothing is written.
    pub async fn check_check_in(
        &self,
        scope: &Scope,
        name: &MentorshipRef,
        wanted: &CheckIn,
        now: Timestamp,
    ) -> Result<()> {
        let mut session = self.snapshot_reader(scope).await?;
        let done = recordable(&mut session, name, wanted, now).await;
        session.end().await?;
        done.map(drop)
    }

    /// Mentorships of an organisation's members from a place on, by name, each with what is due of its members up to a day; at most
    /// `limit` mentorships, of which some may have nothing due.
    ///
    /// Fails with `NotFound` if the organisation does not exist in the scope.
    pub async fn due(
        &self,
        scope: &Scope,
        id: &OrganisationId,
        from: (&str, &str),
        until: Date,
        limit: u32,
    ) -> Result<Vec<(Mentorship, Vec<Due>)>> {
        let mut session = self.snapshot_reader(scope).await?;
        organisation::require(&mut session, id).await?;
        let rows = session.rows(MAY_BE_DUE, values![id, from.0, from.1, limit]).await?;
        let found = rows.iter().map(mentorship::read).collect::<Result<Vec<_>>>()?;
        let mut checked: HashMap<(String, Side), Vec<Point>> = HashMap::new();
        if let (Some(first), Some(last)) = (found.first(), found.last()) {
            let (first, last) = (&first.name, &last.name);
            let values = values![id, &first.round, first.id.as_str(), &last.round, last.id.as_str()];
            for row in session.rows(CHECKED, values).await? {
                let key = format!("{}/{}", row.text("round_id")?, row.text("mentorship_id")?);
                let side = row.parse("check_in", &key, "side", side_named)?;
                let point = row.parse("check_in", &key, "point", Point::from_name)?;
                checked.entry((key, side)).or_default().push(point);
            }
        }
        session.end().await?;
        let mut all = Vec::with_capacity(found.len());
        for one in found {
            let key = format!("{}/{}", one.name.round, one.name.id);
            let mut due = Vec::new();
            for side in [Side::Mentor, Side::Mentee].into_iter().filter(|side| one.organisation(*side) == id)
            {
                let points = checked.get(&(key.clone(), side)).map(Vec::as_slice).unwrap_or_default();
                due.extend(one.due(side, until, points));
            }
            all.push((one, due));
        }
        Ok(all)
    }
}

impl WriteSession {
    /// Records a check-in.
    ///
    /// Fails with `NotFound` if the side is not that of an organisation of the scope, and with `InvalidFields`.
    pub async fn record_check_in(
        &mut self,
        name: &MentorshipRef,
        wanted: &CheckIn,
    ) -> Result<(StoredCheckIn, Note)> {
        self.lock_round(&name.round).await.map_err(|error| match error {
            Error::NotFound(_) => Error::NotFound(name.name()),
            other => other,
        })?;
        let (now, actor) = (self.now(), self.actor().to_owned());
        let person = recordable(self.reads(), name, wanted, now).await?;
        let CheckIn { side, point, .. } = wanted;
        let values = values_of(name, wanted, &person.organisation, &actor, now);
        let owner = Owner::Organisation(&person.organisation);
        self.change_exactly(1, owner, CREATE, values).await?;
        let note = Note::new(
            owner,
            "mentorship.check_in",
            name.name(),
            &json!({ "side": side_name(*side), "point": point.as_str() }),
        );
        let recorded = Record { recorder: actor, time: now };
        Ok((StoredCheckIn { content: wanted.clone(), recorded }, note))
    }
}

/// The row of a check-in.
fn values_of(
    name: &MentorshipRef,
    content: &CheckIn,
    organisation: &OrganisationId,
    actor: &str,
    now: Timestamp,
) -> Vec<Value> {
    let CheckIn { side, point, date, answers, measurement } = content;
    let number = |value: Option<i32>| value.map(i64::from);
    let flag = |value: Option<bool>| value.map(i64::from);
    values![
        &name.round,
        name.id.as_str(),
        side_name(*side),
        point.as_str(),
        organisation,
        date.to_string(),
        number(answers.meetings),
        number(answers.minutes),
        number(answers.satisfaction),
        number(answers.recommend),
        number(answers.goals_achieved),
        number(answers.goals_partly),
        number(answers.goals_missed),
        measurement.as_ref().map(|one| one.instrument.as_str()),
        measurement.as_ref().map(|one| one.version.as_str()),
        number(measurement.as_ref().map(|one| one.score)),
        flag(answers.promoted),
        flag(answers.changed_role),
        flag(answers.in_sector),
        actor,
        now,
    ]
}

/// The check-ins of a mentorship that the scope of the session covers.
pub(super) async fn of(session: &mut ReadSession, name: &MentorshipRef) -> Result<Vec<StoredCheckIn>> {
    let rows = session.rows(LIST, values![&name.round, name.id.as_str()]).await?;
    rows.iter().map(|row| read(name, row)).collect()
}

/// The person whose check-in may be recorded, or everything that stands in the way.
async fn recordable(
    session: &mut ReadSession,
    name: &MentorshipRef,
    wanted: &CheckIn,
    now: Timestamp,
) -> Result<ProfileRef> {
    let of = mentorship::of(session, name).await?;
    let person = match wanted.side {
        Side::Mentor => of.pair.mentor.clone(),
        Side::Mentee => of.pair.mentee.clone(),
    };
    if !session.scope().covers(&person.organisation) {
        return Err(Error::NotFound(name.name()));
    }
    let mut violations = Violations::of_request();
    wanted.check("check_in.", &of, now.to_zoned(TimeZone::UTC).date(), &mut violations);
    match profile::of(session, &person).await {
        Ok(found) => {
            let consents = found.content.consents_to(ConsentPurpose::FollowUp, now);
            if !consents || found.restriction.is_some() {
                violations.push(
                    "check_in.side",
                    side_name(wanted.side),
                    "belongs to a person without a live consent to the follow-up",
                    "record her consent first",
                );
            }
        }
        Err(Error::NotFound(_)) => violations.push(
            "check_in.side",
            side_name(wanted.side),
            "belongs to a person who was erased",
            "her mentorship takes no check-in any more",
        ),
        Err(error) => return Err(error),
    }
    let known = values![&name.round, name.id.as_str(), side_name(wanted.side), wanted.point.as_str()];
    if session.one(KNOWN, known).await?.int("known")? > 0 {
        violations.push(
            "check_in.point",
            wanted.point.as_str(),
            "has a check-in of this side already",
            "each side has one of each point",
        );
    }
    violations.finish(person).map_err(Error::InvalidFields)
}

/// The stored name of a side.
pub(super) fn side_name(side: Side) -> &'static str {
    match side {
        Side::Mentor => "mentor",
        Side::Mentee => "mentee",
    }
}

/// Reads the stored name of a side.
pub(super) fn side_named(name: &str) -> Option<Side> {
    [Side::Mentor, Side::Mentee].into_iter().find(|side| side_name(*side) == name)
}

fn read(name: &MentorshipRef, row: &Row) -> Result<StoredCheckIn> {
    let id = name.name();
    let number =
        |column: &str| row.opt_int(column)?.map(|_| row.narrow::<i32>("check_in", &id, column)).transpose();
    let flag = |column: &str| Ok::<_, Error>(row.opt_int(column)?.map(|value| value == 1));
    let measurement = match row.opt_text("instrument")? {
        Some(_) => Some(Measurement {
            instrument: row.parse("check_in", &id, "instrument", Instrument::from_name)?,
            version: row.opt_text("instrument_version")?.unwrap_or_default(),
            score: row.narrow("check_in", &id, "instrument_score")?,
        }),
        None => None,
    };
    Ok(StoredCheckIn {
        content: CheckIn {
            side: row.parse("check_in", &id, "side", side_named)?,
            point: row.parse("check_in", &id, "point", Point::from_name)?,
            date: row.id("check_in", "check_date")?,
            answers: Answers {
                meetings: number("meetings")?,
                minutes: number("minutes")?,
                satisfaction: number("satisfaction")?,
                recommend: number("recommend")?,
                goals_achieved: number("goals_achieved")?,
                goals_partly: number("goals_partly")?,
                goals_missed: number("goals_missed")?,
                promoted: flag("promoted")?,
                changed_role: flag("changed_role")?,
                in_sector: flag("in_sector")?,
            },
            measurement,
        },
        recorded: Record { recorder: row.text("actor")?, time: row.time("create_micros")? },
    })
}
