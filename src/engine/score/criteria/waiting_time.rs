//! Waiting time: the longer a mentee has waited when the round starts, the more, up to a year.

use super::super::aspect::{Aspect, PointScale, Story, points, share};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// Days of waiting that give the full score.
const LONGEST_WAIT_DAYS: u32 = 365;

/// The criterion on waiting time.
pub(in crate::engine) struct WaitingTime {
    scale: PointScale,
}

impl WaitingTime {
    /// Under a policy's weight.
    pub(in crate::engine) fn new(scale: PointScale) -> Self {
        Self { scale }
    }

    fn score(days: u32) -> u16 {
        share(days.min(LONGEST_WAIT_DAYS), LONGEST_WAIT_DAYS)
    }
}

impl Aspect for WaitingTime {
    /// Days she has waited.
    type Mentee = u32;
    type Mentor = ();

    fn mentee(&self, person: &Person<'_>) -> u32 {
        person.waited_days
    }

    fn mentor(&self, _: &Person<'_>) {}

    fn judge(&self, days: &u32, (): &(), _: Ties) -> Verdict {
        points(Some(self.scale), Some(Self::score(*days)))
    }

    fn explain(&self, days: &u32, (): &(), _: Ties, story: &mut Story) {
        let reason = match days {
            0 => Reason::new(ReasonCode::NotWaited),
            days => Reason::new(ReasonCode::Waited).with("days", days),
        };
        story.finds(Some(self.scale), Some((Self::score(*days), reason)));
    }
}
