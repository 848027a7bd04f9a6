//! Check-ins: what one side says of a mentorship at a point of its schedule. What was not answered is `None`, never 0.
//!
//! An instrument is stored by its id, its version and the mean of its items, never with its wording, which is not ours.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Mentorship, MentorshipState, codes};
use crate::domain::date::parse_date;
use crate::domain::field_rule::{self, FieldRule};
use crate::domain::record::Record;
use crate::domain::run::Side;
use crate::domain::violation::Violations;
use crate::message;

codes! {
    /// A point of the schedule.
    Point {
        /// Six weeks after the first day of the round.
        Week6 = "week_6",
        /// The middle of the round.
        Middle = "middle",
        /// Its last day.
        End = "end",
        /// A year after its first day.
        Month12 = "month_12",
        /// Two years after it.
        Month24 = "month_24",
        /// Three years after it.
        Month36 = "month_36",
    }
}

impl Point {
    /// Whether the point is about the end or what came of it, so that a mentorship that has ended still takes it.
    fn is_about_the_end(self) -> bool {
        !matches!(self, Self::Week6 | Self::Middle)
    }

    /// Whether a mentorship in a state takes a check-in of this point.
    pub fn is_taken_in(self, state: MentorshipState) -> bool {
        match state {
            MentorshipState::Accepted | MentorshipState::Active | MentorshipState::Paused => true,
            MentorshipState::Completed | MentorshipState::EndedEarly => self.is_about_the_end(),
            MentorshipState::Proposed | MentorshipState::Declined | MentorshipState::Withdrawn => false,
        }
    }
}

codes! {
    /// An instrument of the literature.
    Instrument {
        /// Mentoring functions questionnaire of nine items (Castro, Scandura and Williams 2004).
        Mfq9 = "mfq_9",
        /// Munich evaluation of mentoring questionnaire (Schäfer 2015).
        Memeq = "memeq",
        /// Mentorship effectiveness in four items.
        Mecs = "mecs",
        /// Mentoring working alliance.
        WorkingAlliance = "working_alliance",
    }
}

impl Instrument {
    /// Least and greatest mean of its items, in hundredths.
    pub fn scale(self) -> (i32, i32) {
        match self {
            Self::Mfq9 | Self::Memeq | Self::Mecs => (100, 500),
            Self::WorkingAlliance => (100, 700),
        }
    }
}

/// A measurement with an instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    /// The instrument.
    pub instrument: Instrument,
    /// Its version, as the programme names it.
    pub version: String,
    /// The mean of its items, in hundredths.
    pub score: i32,
}

/// What a side answers. Each field may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// Meetings held since the start.
    pub meetings: Option<i32>,
    /// Minutes of all of them.
    pub minutes: Option<i32>,
    /// Satisfaction, 1 to 5.
    pub satisfaction: Option<i32>,
    /// Would she recommend the programme, 0 to 10.
    pub recommend: Option<i32>,
    /// Goals that were achieved.
    pub goals_achieved: Option<i32>,
    /// Goals that were achieved in part.
    pub goals_partly: Option<i32>,
    /// Goals that were missed.
    pub goals_missed: Option<i32>,
    /// She was promoted since the start.
    pub promoted: Option<bool>,
    /// She has another role than at the start.
    pub changed_role: Option<bool>,
    /// She works in the sector.
    pub in_sector: Option<bool>,
}

/// A check-in from outside, not parsed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CheckInDraft {
    /// Of which side; `None` if it is not said or unknown.
    pub side: Option<Side>,
    /// At which point; `None` if it is not said or unknown.
    pub point: Option<Point>,
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// What she answers.
    pub answers: Answers,
    /// The instrument, with its version and score. `Some(None)` is an unknown instrument.
    pub measurement: Option<(Option<Instrument>, String, i32)>,
}

/// A check-in, parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckIn {
    /// Of which side.
    pub side: Side,
    /// At which point.
    pub point: Point,
    /// The day.
    pub date: Date,
    /// What she answers.
    pub answers: Answers,
    /// What an instrument says.
    pub measurement: Option<Measurement>,
}

/// A stored check-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCheckIn {
    /// What it says.
    pub content: CheckIn,
    /// Who recorded it, and when.
    pub recorded: Record,
}

impl CheckIn {
    /// Reads a draft whose fields are named after `prefix`, with all that is wrong with it.
    pub fn parse(prefix: &str, draft: &CheckInDraft, violations: &mut Violations) -> Option<Self> {
        let before = violations.count();
        let field = |name: &str| format!("{prefix}{name}");
        if draft.side.is_none() {
            violations.push(field("side"), "", "is not a side", "say MENTOR or MENTEE");
        }
        if draft.point.is_none() {
            violations.push(
                field("point"),
                "",
                "is not a point of the schedule",
                "say one of WEEK_6, MIDDLE, END, MONTH_12, MONTH_24, MONTH_36",
            );
        }
        let date = parse_date(&field("date"), &draft.date, violations);
        for (name, value, rule) in draft.answers.numbers() {
            check_number(&field(name), value, rule, violations);
        }
        let measurement = draft.measurement.as_ref().and_then(|(instrument, version, score)| {
            let version_rule = field_rule::MEASUREMENT_VERSION;
            let version = version_rule.text(&field("measurement.version"), version, violations);
            let Some(instrument) = *instrument else {
                violations.push(
                    field("measurement.instrument"),
                    "",
                    "is not an instrument that the service knows",
                    "say one of MFQ_9, MEMEQ, MECS, WORKING_ALLIANCE",
                );
                return None;
            };
            let (least, most) = instrument.scale();
            if !(least..=most).contains(score) {
                let wrong = message!(
                    "is beyond the scale of the instrument, {least} to {most} hundredths",
                    least = least,
                    most = most
                );
                violations.push(
                    field("measurement.score_hundredths"),
                    *score,
                    wrong,
                    "give the mean of the items, in hundredths",
                );
            }
            Some(Measurement { instrument, version, score: *score })
        });
        if draft.answers == Answers::default() && draft.measurement.is_none() {
            violations.push(field("answers"), "", "has no answer", "give at least one");
        }
        match (draft.side, draft.point, date) {
            (Some(side), Some(point), Some(date)) if violations.count() == before => {
                Some(Self { side, point, date, answers: draft.answers.clone(), measurement })
            }
            _ => None,
        }
    }

    /// What stands in the way of the check-in of a mentorship on a day, beside its own fields.
    pub fn check(&self, prefix: &str, of: &Mentorship, today: Date, violations: &mut Violations) {
        Self::check_parts(prefix, (Some(self.point), Some(self.date)), of, today, violations);
    }

    /// The same of a check-in whose point or day may be unreadable.
    pub fn check_parts(
        prefix: &str,
        (point, date): (Option<Point>, Option<Date>),
        of: &Mentorship,
        today: Date,
        violations: &mut Violations,
    ) {
        let field = |name: &str| format!("{prefix}{name}");
        let latest = today.tomorrow().unwrap_or(today);
        if let Some(date) = date.filter(|date| *date > latest) {
            violations.push(field("date"), date, "is in the future", "give the day on which she answered");
        }
        if let Some(date) = date.filter(|date| *date < of.days.0) {
            violations.push(
                field("date"),
                date,
                "is before the first day of the round",
                "give the day on which she answered",
            );
        }
        let ended = of.end.as_ref().map(|end| end.time.to_zoned(TimeZone::UTC).date());
        let Some(point) = point else { return };
        if let (Some(end), Some(date)) = (ended, date)
            && !point.is_about_the_end()
            && date > end
        {
            violations.push(
                field("date"),
                date,
                "is after the end of the mentorship",
                "a mentorship that has ended takes check-ins of its end and of the months after it",
            );
        } else if !(point.is_taken_in(of.state) || ended.is_some() && of.first_meeting.is_some()) {
            violations.push(field("point"), point.as_str(), "is not open in the state of the mentorship", "check-ins begin when both have accepted; a mentorship that was declined or withdrawn takes none");
        }
    }
}

impl Answers {
    /// The numbers with the names and rules of their fields.
    fn numbers(&self) -> [(&'static str, Option<i32>, FieldRule); 7] {
        use field_rule as rules;
        [
            ("answers.meetings", self.meetings, rules::CHECK_IN_ANSWERS_MEETINGS),
            ("answers.minutes", self.minutes, rules::CHECK_IN_ANSWERS_MINUTES),
            ("answers.satisfaction", self.satisfaction, rules::CHECK_IN_ANSWERS_SATISFACTION),
            ("answers.recommend", self.recommend, rules::CHECK_IN_ANSWERS_RECOMMEND),
            ("answers.goals_achieved", self.goals_achieved, rules::CHECK_IN_ANSWERS_GOALS_ACHIEVED),
            ("answers.goals_partly", self.goals_partly, rules::CHECK_IN_ANSWERS_GOALS_PARTLY),
            ("answers.goals_missed", self.goals_missed, rules::CHECK_IN_ANSWERS_GOALS_MISSED),
        ]
    }
}

fn check_number(field: &str, value: Option<i32>, rule: FieldRule, violations: &mut Violations) {
    let Some(value) = value else { return };
    if !(rule.least..=rule.most).contains(&value) {
        let hint = message!("use {least} to {most}", least = rule.least, most = rule.most);
        violations.push(field, value, "is out of range", hint);
    }
}
