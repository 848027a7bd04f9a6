//! Stated preferences: half for the mentee who would like this mentor, half for the mentor who would like this mentee. A
//! side that named nobody gives half the neutral value; if neither did, the answer is missing. Private.

use super::super::aspect::{Aspect, PointScale, Story, points};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::FULL_SCORE;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// The criterion on stated preferences.
pub(in crate::engine) struct Preference {
    scale: PointScale,
}

impl Preference {
    /// Under a policy's weight.
    pub(in crate::engine) fn new(scale: PointScale) -> Self {
        Self { scale }
    }

    fn measure(&self, mentee_named: bool, mentor_named: bool, ties: Ties) -> Option<u16> {
        let half = |named: bool, tie: Ties| match (ties.has(tie), named) {
            (true, _) => FULL_SCORE / 2,
            (false, true) => 0,
            (false, false) => self.scale.neutral / 2,
        };
        (mentee_named || mentor_named)
            .then(|| half(mentee_named, Ties::MENTEE_PREFERS) + half(mentor_named, Ties::MENTOR_PREFERS))
    }
}

impl Aspect for Preference {
    /// Whether she named anybody.
    type Mentee = bool;
    /// Whether she named anybody.
    type Mentor = bool;

    fn mentee(&self, person: &Person<'_>) -> bool {
        !person.content.preferred.is_empty()
    }

    fn mentor(&self, person: &Person<'_>) -> bool {
        !person.content.preferred.is_empty()
    }

    fn judge(&self, mentee: &bool, mentor: &bool, ties: Ties) -> Verdict {
        points(Some(self.scale), self.measure(*mentee, *mentor, ties))
    }

    fn explain(&self, mentee: &bool, mentor: &bool, ties: Ties, story: &mut Story) {
        let score = self.measure(*mentee, *mentor, ties);
        story.finds(Some(self.scale), score.map(|score| (score, Reason::new(ReasonCode::PrivateAnswers))));
    }
}
