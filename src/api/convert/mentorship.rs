//! Mentorships, check-ins, and what is due.

use jiff::civil::Date;

use super::{etag, timestamp};
use crate::api::proto::v1;
use crate::domain::mentorship::check_in::{
    Answers, CheckInDraft, Instrument, Measurement, Point, StoredCheckIn,
};
use crate::domain::mentorship::import::CheckInRow;
use crate::domain::mentorship::schedule::{Due, DueKind};
use crate::domain::mentorship::{
    Answer, DeclineReason, End, EndReason, EndSide, Mentorship, MentorshipState,
};
use crate::domain::name::{PrincipalRef, ProfileRef};
use crate::domain::run::Side;
use crate::error::Error;

/// The number of a code in the contract, where the first one is 1.
pub(super) fn number<T: Copy + PartialEq>(all: &[T], code: T) -> i32 {
    let place = all.iter().position(|one| *one == code).map_or(0, |place| place + 1);
    i32::try_from(place).unwrap_or_default()
}

/// The code of a number; `None` for 0 and for an unknown number.
fn code_of<T: Copy>(all: &[T], number: i32) -> Option<T> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    all.get(place).copied()
}

/// The code of a number that may be left out.
fn optional<T: Copy>(field: &str, all: &[T], number: i32) -> Result<Option<T>, Error> {
    match (number, code_of(all, number)) {
        (0, _) => Ok(None),
        (_, None) => Err(Error::invalid_field(field, &number.to_string(), "is not a value of the contract")),
        (_, code) => Ok(code),
    }
}

/// The state that a filter asks for.
pub(crate) fn state(number: i32) -> Result<Option<MentorshipState>, Error> {
    optional("state", MentorshipState::ALL, number)
}

/// Why a side declines; `None` if it accepts.
pub(crate) fn decline_reason(number: i32) -> Result<Option<DeclineReason>, Error> {
    optional("decline_reason", DeclineReason::ALL, number)
}

/// Why a mentorship ends early; `None` if it is completed.
pub(crate) fn end_reason(number: i32) -> Result<Option<EndReason>, Error> {
    optional("reason", EndReason::ALL, number)
}

/// Who ends a mentorship.
pub(crate) fn end_side(number: i32) -> Option<EndSide> {
    code_of(EndSide::ALL, number)
}

/// A side.
pub(crate) fn side(number: i32) -> Option<Side> {
    code_of(&[Side::Mentee, Side::Mentor], number)
}

fn person_of(of: &Mentorship, side: Side) -> &ProfileRef {
    match side {
        Side::Mentor => &of.pair.mentor,
        Side::Mentee => &of.pair.mentee,
    }
}

/// To the message, as of a day.
pub fn message(of: &Mentorship, today: Date) -> v1::Mentorship {
    let introduction =
        if of.may_introduce() { v1::Introduction::BothOrganisations } else { v1::Introduction::None };
    v1::Mentorship {
        name: of.name.name(),
        run: of.run.name(),
        mentee: of.pair.mentee.name(),
        mentor: of.pair.mentor.name(),
        score: of.score.map(i32::from),
        state: number(MentorshipState::ALL, of.state),
        propose_time: Some(timestamp(of.propose_time)),
        respond_until_time: Some(timestamp(of.respond_until)),
        mentor_answer: of.mentor_answer.as_ref().map(answer),
        mentee_answer: of.mentee_answer.as_ref().map(answer),
        accept_time: of.accept_time.map(timestamp),
        introduction: introduction as i32,
        first_meeting_date: of.first_meeting.map(|day| day.to_string()).unwrap_or_default(),
        overdue: of.is_overdue(today),
        pause_time: of.pause_time.map(timestamp),
        end: of.end.as_ref().map(end),
        etag: etag(of.version),
        update_time: Some(timestamp(of.update_time)),
    }
}

fn answer(answer: &Answer) -> v1::MentorshipAnswer {
    v1::MentorshipAnswer {
        accepted: answer.accepts,
        reason: answer.reason.map_or(0, |reason| number(DeclineReason::ALL, reason)),
        author: author(&answer.given.recorder),
        time: Some(timestamp(answer.given.time)),
    }
}

fn end(end: &End) -> v1::MentorshipEnd {
    v1::MentorshipEnd {
        time: Some(timestamp(end.time)),
        reason: end.reason.map_or(0, |reason| number(EndReason::ALL, reason)),
        side: end.side.map_or(0, |side| number(EndSide::ALL, side)),
    }
}

fn author(id: &str) -> String {
    PrincipalRef::from_name(&format!("principals/{id}")).map(|one| one.name()).unwrap_or_default()
}

/// A check-in from the message.
pub(crate) fn check_in_draft(given: v1::CheckIn) -> CheckInDraft {
    let answers = given.answers.unwrap_or_default();
    CheckInDraft {
        side: side(given.side),
        point: code_of(Point::ALL, given.point),
        date: given.date,
        answers: Answers {
            meetings: answers.meetings,
            minutes: answers.minutes,
            satisfaction: answers.satisfaction,
            recommend: answers.recommend,
            goals_achieved: answers.goals_achieved,
            goals_partly: answers.goals_partly,
            goals_missed: answers.goals_missed,
            promoted: answers.promoted,
            changed_role: answers.changed_role,
            in_sector: answers.in_sector,
        },
        measurement: given
            .measurement
            .map(|one| (code_of(Instrument::ALL, one.instrument), one.version, one.score_hundredths)),
    }
}

/// A row of an import from the message.
pub(crate) fn check_in_row(given: v1::ImportCheckInsRow) -> CheckInRow {
    let v1::ImportCheckInsRow { row, mentorship, profile, check_in, unreadable } = given;
    let mut row = CheckInRow::new(row, &mentorship, check_in_draft(check_in.unwrap_or_default()));
    row.is_unreadable = unreadable;
    if !profile.is_empty() {
        match ProfileRef::from_name(&profile) {
            Ok(person) => row.person = Some(person),
            Err(error) => row.violations.push("profile", profile, error.to_string(), ""),
        }
    }
    row
}

/// A check-in that is not recorded yet, to the message.
pub fn check_in_message(draft: &CheckInDraft) -> v1::CheckIn {
    v1::CheckIn {
        side: draft.side.map_or(0, |side| side as i32),
        point: draft.point.map_or(0, |point| number(Point::ALL, point)),
        date: draft.date.clone(),
        answers: Some(answers(&draft.answers)),
        measurement: draft.measurement.as_ref().map(|(instrument, version, score)| v1::Measurement {
            instrument: instrument.map_or(0, |instrument| number(Instrument::ALL, instrument)),
            version: version.clone(),
            score_hundredths: *score,
        }),
        ..v1::CheckIn::default()
    }
}

/// A check-in to the message.
pub fn check_in(stored: &StoredCheckIn) -> v1::CheckIn {
    let content = &stored.content;
    v1::CheckIn {
        side: content.side as i32,
        point: number(Point::ALL, content.point),
        date: content.date.to_string(),
        answers: Some(answers(&content.answers)),
        measurement: content.measurement.as_ref().map(measurement),
        author: author(&stored.recorded.recorder),
        create_time: Some(timestamp(stored.recorded.time)),
    }
}

fn answers(answers: &Answers) -> v1::CheckInAnswers {
    v1::CheckInAnswers {
        meetings: answers.meetings,
        minutes: answers.minutes,
        satisfaction: answers.satisfaction,
        recommend: answers.recommend,
        goals_achieved: answers.goals_achieved,
        goals_partly: answers.goals_partly,
        goals_missed: answers.goals_missed,
        promoted: answers.promoted,
        changed_role: answers.changed_role,
        in_sector: answers.in_sector,
    }
}

fn measurement(one: &Measurement) -> v1::Measurement {
    v1::Measurement {
        instrument: number(Instrument::ALL, one.instrument),
        version: one.version.clone(),
        score_hundredths: one.score,
    }
}

/// Something that is due in a mentorship, to the message.
pub fn due(of: &Mentorship, due: &Due) -> v1::Due {
    let (kind, point) = match due.kind {
        DueKind::Answer => (v1::DueKind::Answer, 0),
        DueKind::FirstMeeting => (v1::DueKind::FirstMeeting, 0),
        DueKind::CheckIn(point) => (v1::DueKind::CheckIn, number(Point::ALL, point)),
    };
    v1::Due {
        mentorship: of.name.name(),
        side: due.side as i32,
        profile: person_of(of, due.side).name(),
        kind: kind as i32,
        point,
        date: due.day.to_string(),
    }
}
