//! Where a person is: her enrolments, what was published for her, whether she waits, and what is due of her; read at one moment.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::backend::Store;
use super::check_in::side_named;
use super::dialect::values;
use super::mentorship::{self, mentorship_columns};
use super::read::ReadSession;
use super::scope::Scope;
use super::statement::statements;
use super::{enrolment, profile, round, waiting};
use crate::domain::mentorship::Mentorship;
use crate::domain::mentorship::check_in::Point;
use crate::domain::mentorship::schedule::Due;
use crate::domain::name::{MatchRef, ProfileRef, RoundId, RunRef};
use crate::domain::participant::{ParticipantStatus, Participation, lacking_consents};
use crate::domain::round::RoundState;
use crate::domain::run::{Side, Unmatched, UnmatchedReason};
use crate::error::{Error, Result};

/// Rounds of a status, at most.
const MOST_ROUNDS: i64 = 50;
/// Mentorships of a status, at most.
const MOST_MENTORSHIPS: i64 = 200;
/// Days from today on of which a status says what is due.
const DAYS_AHEAD: i64 = 366;

/// The whole of a query about the person of `$1` and `$2`, whose rows are hers: the scope is that of her organisation.
macro_rules! of_person {
    ($rows:expr, $scope:literal, $end:literal) => {
        concat!(
            "SELECT * FROM (",
            $rows,
            ") AS hers WHERE (CAST(",
            $scope,
            " AS TEXT) IS NULL OR ",
            $scope,
            " LIKE '%,' || CAST($1 AS TEXT) || ',%')",
            $end
        )
    };
}

/// The check-ins of one side of hers.
macro_rules! checked {
    ($side:literal, $organisation:literal, $id:literal) => {
        concat!(
            "SELECT c.round_id, c.mentorship_id, c.side, c.point FROM mentorship t CROSS JOIN check_in c \
             WHERE c.round_id = t.round_id AND c.mentorship_id = t.id AND c.side = '",
            $side,
            "' AND ",
            $organisation,
            " = $1 AND ",
            $id,
            " = $2"
        )
    };
}

/// Her matches on one side in the runs that are submitted or approved.
macro_rules! proposed {
    ($organisation:literal, $id:literal) => {
        concat!(
            "SELECT m.round_id, m.run_number, m.id FROM enrolment e CROSS JOIN submission s CROSS JOIN run_match m \
             WHERE e.organisation_id = $1 AND e.own_id = $2 AND s.round_id = e.round_id AND s.state IN ('submitted', 'approved') \
             AND m.round_id = s.round_id AND m.run_number = s.run_number AND ",
            $organisation,
            " = $1 AND ",
            $id,
            " = $2"
        )
    };
}

statements! {
    query ROUNDS = filtered("participant.rounds",
        "SELECT e.round_id, e.id, e.organisation_id, e.own_id, e.enrol_number, e.consent, e.create_micros, e.waiting_since, \
         e.waiting_cause, e.withdraw_micros, r.state AS round_state, r.start_date, r.end_date FROM enrolment e \
         JOIN round r ON r.id = e.round_id WHERE e.organisation_id = $1 AND e.own_id = $2 AND NOT EXISTS (SELECT 1 FROM enrolment n \
         WHERE n.round_id = e.round_id AND n.organisation_id = e.organisation_id AND n.own_id = e.own_id \
         AND n.enrol_number > e.enrol_number) AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || e.organisation_id || ',%') \
         ORDER BY e.create_micros DESC, e.round_id LIMIT $3");
    query MENTORSHIPS = filtered("participant.mentorships",
        of_person!(concat!(mentorship_columns!(), " WHERE t.mentee_organisation_id = $1 AND t.mentee_own_id = $2 UNION ALL ",
            mentorship_columns!(), " WHERE t.mentor_organisation_id = $1 AND t.mentor_own_id = $2"), "$4",
            " ORDER BY propose_micros DESC, round_id, id LIMIT $3"));
    query CHECKED = filtered("participant.checked",
        of_person!(concat!(checked!("mentee", "t.mentee_organisation_id", "t.mentee_own_id"), " UNION ALL ",
            checked!("mentor", "t.mentor_organisation_id", "t.mentor_own_id")), "$3", ""));
    query PROPOSED = filtered("participant.proposed",
        of_person!(concat!(proposed!("m.mentee_organisation_id", "m.mentee_own_id"), " UNION ",
            proposed!("m.mentor_organisation_id", "m.mentor_own_id")), "$3", " ORDER BY round_id, id"));
    // Of a person in both roles, the reason on the side of the mentee comes first.
    query UNMATCHED = filtered("participant.unmatched",
        "SELECT u.round_id, u.own_document FROM enrolment e CROSS JOIN submission s CROSS JOIN run_unmatched u \
         WHERE e.organisation_id = $1 AND e.own_id = $2 AND s.round_id = e.round_id AND s.state = 'published' \
         AND u.round_id = s.round_id AND u.run_number = s.run_number AND u.organisation_id = $1 AND u.own_id = $2 \
         AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || e.organisation_id || ',%') ORDER BY u.round_id, u.side");
}

impl Store {
    /// Where a person is, as her organisation reads it at `now`.
    ///
    /// Fails with `NotFound` if the profile does not exist in the scope.
    pub async fn participant(
        &self,
        scope: &Scope,
        person: &ProfileRef,
        now: Timestamp,
    ) -> Result<ParticipantStatus> {
        let mut session = self.snapshot_reader(scope).await?;
        let found = Box::pin(status(&mut session, person, now)).await;
        session.end().await?;
        found
    }
}

async fn status(session: &mut ReadSession, person: &ProfileRef, now: Timestamp) -> Result<ParticipantStatus> {
    let stored = profile::of(session, person).await?;
    let keys = || values![&person.organisation, &person.id];
    let mut rounds = rounds_of(session, person).await?;
    let mut with_limit = keys();
    with_limit.extend(values![MOST_MENTORSHIPS]);
    let rows = session.rows(MENTORSHIPS, with_limit).await?;
    let mentorships = rows.iter().map(mentorship::read).collect::<Result<Vec<_>>>()?;
    let mut checked: HashMap<(RoundId, String, Side), Vec<Point>> = HashMap::new();
    for row in session.rows(CHECKED, keys()).await? {
        let (round, id): (RoundId, _) = (row.id("check_in", "round_id")?, row.text("mentorship_id")?);
        let side = row.parse("check_in", &id, "side", side_named)?;
        let point = row.parse("check_in", &id, "point", Point::from_name)?;
        checked.entry((round, id, side)).or_default().push(point);
    }
    let due = due_of(person, &mentorships, &checked, now);
    for row in session.rows(PROPOSED, keys()).await? {
        let run = RunRef { round: row.id("run_match", "round_id")?, number: row.int("run_number")? };
        let id = row.text("id")?;
        if let Some(of) = rounds.iter_mut().find(|one| one.round == run.round) {
            of.proposed.push(MatchRef { run, id });
        }
    }
    for row in session.rows(UNMATCHED, keys()).await? {
        let round: RoundId = row.id("run_unmatched", "round_id")?;
        let entry: Unmatched = row.json("run_unmatched", &round, "own_document")?;
        if let Some(of) = rounds.iter_mut().find(|one| one.round == round) {
            of.unmatched = Some(of.unmatched.map_or(entry.reason, |before| reason_of_mentee(before, &entry)));
        }
    }
    let sees =
        |mentorship: Mentorship| mentorship.seen_by(|organisation| *organisation == person.organisation);
    for one in mentorships {
        if let Some(of) = rounds.iter_mut().find(|of| of.round == one.name.round) {
            of.mentorships.push(sees(one));
        }
    }
    let waiting = match waiting::of_person(session, person).await {
        Ok(mentee) => Some(mentee),
        Err(Error::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    Ok(ParticipantStatus {
        profile: person.clone(),
        is_restricted: stored.restriction.is_some(),
        lacking: lacking_consents(&stored, &rounds, now),
        rounds,
        waiting,
        due: due.into_iter().map(|(of, due)| (sees(of), due)).collect(),
    })
}

/// Why she has no mentor, if one of the two reasons is that.
fn reason_of_mentee(before: UnmatchedReason, other: &Unmatched) -> UnmatchedReason {
    if other.side == Some(Side::Mentee) { other.reason } else { before }
}

/// Her rounds without what was published for her.
async fn rounds_of(session: &mut ReadSession, person: &ProfileRef) -> Result<Vec<Participation>> {
    let values = values![&person.organisation, &person.id, MOST_ROUNDS];
    let rows = session.rows(ROUNDS, values).await?;
    let mut rounds = Vec::with_capacity(rows.len());
    for row in &rows {
        let id: RoundId = row.id("enrolment", "round_id")?;
        let state = row.parse("round", &id, "round_state", RoundState::from_name)?;
        let (enrolment, _) = enrolment::read(row, &id)?;
        let is_ahead = state.is_open() && enrolment.withdraw_time.is_none();
        rounds.push(Participation {
            state,
            days: (row.id("round", "start_date")?, row.id("round", "end_date")?),
            asks_for_cross_border: is_ahead && asks_for_cross_border(session, &id).await?,
            enrolment,
            proposed: Vec::new(),
            mentorships: Vec::new(),
            unmatched: None,
            round: id,
        });
    }
    Ok(rounds)
}

async fn asks_for_cross_border(session: &mut ReadSession, id: &RoundId) -> Result<bool> {
    match round::of(session, id).await {
        Ok(found) => Ok(found.content.policy.rules.require_cross_border_consent),
        // Her organisation is not invited any more.
        Err(Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What is due of a person, the earliest first.
fn due_of(
    person: &ProfileRef,
    mentorships: &[Mentorship],
    checked: &HashMap<(RoundId, String, Side), Vec<Point>>,
    now: Timestamp,
) -> Vec<(Mentorship, Due)> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let until = today.checked_add(DAYS_AHEAD.days()).unwrap_or(today);
    let mut due = Vec::new();
    for one in mentorships {
        let side = if one.pair.mentee == *person { Side::Mentee } else { Side::Mentor };
        let key = (one.name.round.clone(), one.name.id.clone(), side);
        let points = checked.get(&key).map(Vec::as_slice).unwrap_or_default();
        due.extend(one.due(side, until, points).into_iter().map(|due| (one.clone(), due)));
    }
    due.sort_by_key(|(_, due)| due.day);
    due
}
