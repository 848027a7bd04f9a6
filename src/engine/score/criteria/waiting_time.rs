//! Criterion `waiting_time`: the days that the mentee has waited when the round starts, in proportion to a year.

use super::super::aspect::{Aspect, PointScale, Story, points};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::waiting::WaitingPriority;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::ties::Relations;
use crate::engine::encode::{Person, Round};

/// The criterion on waiting time.
pub(super) struct WaitingTime {
    scale: PointScale,
}

pub(super) fn aspect(scale: Option<PointScale>, _: &Round<'_>) -> Option<WaitingTime> {
    scale.map(|scale| WaitingTime { scale })
}

impl Aspect for WaitingTime {
    /// Days that the mentee has waited.
    type Mentee = u32;
    type Mentor = ();

    fn mentee(&self, person: &Person<'_>) -> u32 {
        person.waiting.waited_days
    }

    fn mentor(&self, _: &Person<'_>) {}

    fn judge(&self, days: &u32, (): &(), _: Relations) -> Verdict {
        points(Some(self.scale), Some(WaitingPriority::score_of(*days)))
    }

    fn explain(&self, days: &u32, (): &(), _: Relations, story: &mut Story) {
        let reason = match days {
            0 => Reason::new(ReasonCode::NotWaited),
            days => Reason::new(ReasonCode::Waited).with("days", days),
        };
        story.finds(Some(self.scale), Some((WaitingPriority::score_of(*days), reason)));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::engine::tests::reference::ReferencePair;

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        let since = pair.mentee.mentee_request.expect("a mentee").waiting_since;
        let days = since.map_or(0, |since| (pair.snapshot.start_date - since).get_days());
        Some(u64::try_from(days.clamp(0, 365)).expect("not negative") * 10_000 / 365)
    }
}
