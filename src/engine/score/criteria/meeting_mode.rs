//! Criterion `meeting_mode`: the number of common ways of meeting, divided by the number of ways that either side gave.
//!
//! Meeting in person is common only to people of one country. The hard rule on ways of meeting excludes pairs without a
//! common way. A missing answer breaks no rule.

use super::super::aspect::{Aspect, PointScale, Story, points, share};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::HardRule;
use crate::domain::profile::MeetingModes;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::ties::Relations;
use crate::engine::encode::{Person, Round};

/// Criterion and rule on ways of meeting.
pub(super) struct Meeting {
    scale: Option<PointScale>,
}

/// Where a person lives and how she can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Meets {
    country: u16,
    by_call: bool,
    in_person: bool,
}

impl Meets {
    fn is_missing(self) -> bool {
        !self.by_call && !self.in_person
    }

    /// The common modes; `None` if a side gave none.
    fn common(self, other: Self) -> Option<MeetingModes> {
        let common = MeetingModes {
            by_call: self.by_call && other.by_call,
            in_person: self.in_person && other.in_person && self.country == other.country,
        };
        (!self.is_missing() && !other.is_missing()).then_some(common)
    }

    fn score(self, other: Self, common: MeetingModes) -> u16 {
        let all = u32::from(self.by_call || other.by_call) + u32::from(self.in_person || other.in_person);
        share(u32::from(common.by_call) + u32::from(common.in_person), all)
    }
}

pub(super) fn aspect(scale: Option<PointScale>, _: &Round<'_>) -> Option<Meeting> {
    Some(Meeting { scale })
}

impl Aspect for Meeting {
    type Mentee = Meets;
    type Mentor = Meets;

    fn mentee(&self, person: &Person<'_>) -> Meets {
        let modes = person.content.meeting_modes;
        Meets { country: person.residence.country, by_call: modes.by_call, in_person: modes.in_person }
    }

    fn mentor(&self, person: &Person<'_>) -> Meets {
        self.mentee(person)
    }

    fn judge(&self, mentee: &Meets, mentor: &Meets, _: Relations) -> Verdict {
        let common = mentee.common(*mentor);
        points(self.scale, common.map(|common| mentee.score(*mentor, common)))
            .breaking_if(common.is_some_and(|common| common.is_empty()), HardRule::MeetingMode)
    }

    fn explain(&self, mentee: &Meets, mentor: &Meets, _: Relations, story: &mut Story) {
        let common = mentee.common(*mentor);
        let reason = |common: MeetingModes| {
            let modes = match (common.by_call, common.in_person) {
                (true, true) => "call,in_person",
                (true, false) => "call",
                (false, true) => "in_person",
                (false, false) => return Reason::new(ReasonCode::ModesNone),
            };
            Reason::new(ReasonCode::ModesShared).with("modes", modes)
        };
        story.finds(self.scale, common.map(|common| (mentee.score(*mentor, common), reason(common))));
        if common.is_some_and(|common| common.is_empty()) {
            story.breaks(HardRule::MeetingMode, Reason::new(ReasonCode::RuleMeetingMode));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::engine::tests::reference::{ReferencePair, modes};

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        let (x, y) = (modes(pair.mentee), modes(pair.mentor));
        let near = pair.mentee.country == pair.mentor.country;
        let common = x.iter().filter(|mode| y.contains(mode) && (near || **mode == "call")).count();
        let either = x.len() + y.iter().filter(|mode| !x.contains(mode)).count();
        (!x.is_empty() && !y.is_empty()).then(|| common as u64 * 10_000 / either as u64)
    }
}
