//! What is due in a mentorship, and on which day.
//!
//! The days are derived from those of the round: six weeks after its first day, the middle, its last day, and 12, 24 and 36 months
//! after its first day. A point of a short round that would fall after its last day is left out.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::check_in::Point;
use super::{Mentorship, MentorshipState};
use crate::domain::run::Side;

/// Days after the acceptance, or after the first day of the round, in which the two meet.
const FIRST_MEETING_DAYS: i64 = 30;
/// Weeks after which the first check-in is due.
const FIRST_WEEKS: i64 = 6;

/// What a look for everything that is due has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Events that it has written.
    pub events: u64,
    /// Mentorships in each state, of those that were not declined or withdrawn.
    pub states: BTreeMap<MentorshipState, u64>,
    /// Those whose first meeting is overdue.
    pub meetings_overdue: u64,
    /// Check-ins whose day has come and which nobody has recorded.
    pub check_ins_due: u64,
}

impl Look {
    /// The states that are counted, each with its number.
    pub fn by_state(&self) -> [(&'static str, u64); 6] {
        use MentorshipState::{Accepted, Active, Completed, EndedEarly, Paused, Proposed};
        [Proposed, Accepted, Active, Paused, Completed, EndedEarly]
            .map(|state| (state.as_str(), self.states.get(&state).copied().unwrap_or_default()))
    }
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueKind {
    /// The answer of a side.
    Answer,
    /// The first meeting.
    FirstMeeting,
    /// A check-in of a side.
    CheckIn(Point),
}

/// Something that is due of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Of what.
    pub kind: DueKind,
    /// Of whom.
    pub side: Side,
    /// On which day.
    pub day: Date,
}

/// The day of a point in a round of these days; `None` if the round is too short for it.
fn day_of(point: Point, (first, last): (Date, Date)) -> Option<Date> {
    match point {
        Point::Week6 => first.checked_add(FIRST_WEEKS.weeks()).ok().filter(|day| *day <= last),
        Point::Middle => {
            let days = first.until(last).ok()?.get_days();
            first.checked_add((i64::from(days) / 2).days()).ok()
        }
        Point::End => Some(last),
        Point::Month12 => first.checked_add(12.months()).ok(),
        Point::Month24 => first.checked_add(24.months()).ok(),
        Point::Month36 => first.checked_add(36.months()).ok(),
    }
}

impl Mentorship {
    /// The last day for the first meeting; `None` if it is not awaited.
    pub fn first_meeting_until(&self) -> Option<Date> {
        let accepted = self.accept_time.filter(|_| self.state == MentorshipState::Accepted)?;
        let from = accepted.to_zoned(TimeZone::UTC).date().max(self.days.0);
        from.checked_add(FIRST_MEETING_DAYS.days()).ok()
    }

    /// Whether the first meeting is overdue.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.first_meeting_until().is_some_and(|until| until < today)
    }

    /// What is due of a side up to a day, without the points that have a check-in.
    pub fn due(&self, side: Side, until: Date, checked: &[Point]) -> Vec<Due> {
        let mut due = Vec::new();
        let mut add = |kind, day: Option<Date>| {
            if let Some(day) = day.filter(|day| *day <= until) {
                due.push(Due { kind, side, day });
            }
        };
        if self.state == MentorshipState::Proposed && self.answer(side).is_none() {
            add(DueKind::Answer, Some(self.respond_until.to_zoned(TimeZone::UTC).date()));
        }
        add(DueKind::FirstMeeting, self.first_meeting_until());
        for point in Point::ALL.iter().copied().filter(|point| !checked.contains(point)) {
            if point.is_taken_in(self.state) && self.first_meeting.is_some() {
                add(DueKind::CheckIn(point), day_of(point, self.days));
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_days_of_the_points_follow_from_those_of_the_round() {
        let half_a_year = (date(2027, 3, 1), date(2027, 8, 31));
        let days: Vec<_> = Point::ALL.iter().map(|point| day_of(*point, half_a_year)).collect();
        let expected = [
            date(2027, 4, 12),
            date(2027, 5, 31),
            date(2027, 8, 31),
            date(2028, 3, 1),
            date(2029, 3, 1),
            date(2030, 3, 1),
        ];
        assert_eq!(days, expected.map(Some));
        let a_month = (date(2027, 3, 1), date(2027, 3, 31));
        assert_eq!(day_of(Point::Week6, a_month), None, "the round is shorter than six weeks");
        assert_eq!(day_of(Point::Middle, a_month), Some(date(2027, 3, 16)));
    }
}
