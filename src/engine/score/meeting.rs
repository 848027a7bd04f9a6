//! Ways of meeting: the share of common ones, of all that either gave; in person counts within one country. The hard rule
//! excludes pairs that share none; a missing answer breaks no rule.

use super::aspect::{Aspect, Story, Weight, points, share};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::HardRule;
use crate::domain::profile::MeetingModes;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// Criterion and rule on ways of meeting.
pub(in crate::engine) struct Meeting {
    weight: Option<Weight>,
}

/// Where someone lives and how she can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::engine) struct Meets {
    country: u16,
    by_call: bool,
    in_person: bool,
}

impl Meets {
    fn is_missing(self) -> bool {
        !self.by_call && !self.in_person
    }

    /// The common modes; `None` if a side gave none. In person they meet only within one country.
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

impl Meeting {
    /// Under a policy's weight.
    pub(in crate::engine) fn new(weight: Option<Weight>) -> Self {
        Self { weight }
    }
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

    fn judge(&self, mentee: &Meets, mentor: &Meets, _: Ties) -> Verdict {
        let common = mentee.common(*mentor);
        points(self.weight, common.map(|common| mentee.score(*mentor, common)))
            .breaking_if(common.is_some_and(|common| common.is_empty()), HardRule::MeetingMode)
    }

    fn explain(&self, mentee: &Meets, mentor: &Meets, _: Ties, story: &mut Story) {
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
        story.finds(self.weight, common.map(|common| (mentee.score(*mentor, common), reason(common))));
        if common.is_some_and(|common| common.is_empty()) {
            story.breaks(HardRule::MeetingMode, Reason::new(ReasonCode::RuleMeetingMode));
        }
    }
}
