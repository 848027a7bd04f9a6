//! Criterion `preference`: half the score if the mentee named the mentor, and half if the mentor named the mentee.
//!
//! A side that named nobody gives half the neutral score. If neither side named anybody, the answer is missing. Private.

use super::super::aspect::{Aspect, PointScale, Story, points};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::FULL_SCORE;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::ties::Relations;
use crate::engine::encode::{Person, Round};

/// The criterion on stated preferences.
pub(super) struct Preference {
    scale: PointScale,
}

pub(super) fn aspect(scale: Option<PointScale>, _: &Round<'_>) -> Option<Preference> {
    scale.map(|scale| Preference { scale })
}

impl Preference {
    fn measure(&self, mentee_named: bool, mentor_named: bool, ties: Relations) -> Option<u16> {
        let half = |named: bool, tie: Relations| match (ties.has(tie), named) {
            (true, _) => FULL_SCORE / 2,
            (false, true) => 0,
            (false, false) => self.scale.neutral / 2,
        };
        (mentee_named || mentor_named).then(|| {
            half(mentee_named, Relations::MENTEE_PREFERS) + half(mentor_named, Relations::MENTOR_PREFERS)
        })
    }
}

impl Aspect for Preference {
    /// Whether the mentee named anybody.
    type Mentee = bool;
    /// Whether the mentor named anybody.
    type Mentor = bool;

    fn mentee(&self, person: &Person<'_>) -> bool {
        person.prefers
    }

    fn mentor(&self, person: &Person<'_>) -> bool {
        person.prefers
    }

    fn judge(&self, mentee: &bool, mentor: &bool, ties: Relations) -> Verdict {
        points(Some(self.scale), self.measure(*mentee, *mentor, ties))
    }

    fn explain(&self, mentee: &bool, mentor: &bool, ties: Relations, story: &mut Story) {
        let score = self.measure(*mentee, *mentor, ties);
        story.finds(Some(self.scale), score.map(|score| (score, Reason::new(ReasonCode::PrivateAnswers))));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::domain::name::ProfileRef;
    use crate::domain::policy::Criterion;
    use crate::engine::tests::reference::ReferencePair;

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        let weights = &pair.snapshot.policy.criteria;
        let weight = weights.iter().find(|weight| weight.criterion == Criterion::Preference)?;
        let half = |named: &[ProfileRef], other| match (named.is_empty(), named.contains(other)) {
            (true, _) => u64::from(weight.neutral) / 2,
            (false, true) => 5_000,
            (false, false) => 0,
        };
        let (mentee, mentor) = (&pair.mentee.preferred, &pair.mentor.preferred);
        (!mentee.is_empty() || !mentor.is_empty()).then(|| half(mentee, pair.b) + half(mentor, pair.a))
    }
}
