//! Criterion `identity`: the share of the identity wishes of both sides that the other side meets.
//!
//! Opt-in and private. Only answers under a live consent of their own reach the engine, and the points are shown only
//! together with those of the other private criteria.

use super::super::aspect::{Aspect, PointScale, Story, points, share};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::ties::Relations;
use crate::engine::encode::{Person, Round};

/// The criterion on identity wishes.
pub(super) struct IdentityWishes {
    scale: PointScale,
}

/// Bits of what a person shares, and of what she wishes.
type IdentityBits = (u64, u64);

pub(super) fn aspect(scale: Option<PointScale>, _: &Round<'_>) -> Option<IdentityWishes> {
    scale.map(|scale| IdentityWishes { scale })
}

impl IdentityWishes {
    /// The criterion score; `None` if no wish can be judged. A wish about a person who shares nothing counts as a missing
    /// answer, not as a wish that is not met.
    fn measure(a: IdentityBits, b: IdentityBits) -> Option<u16> {
        let asked = |wishes: u64, shares: u64| if shares == 0 { 0 } else { wishes.count_ones() };
        let wishes = asked(a.1, b.0) + asked(b.1, a.0);
        let met = (a.1 & b.0).count_ones() + (b.1 & a.0).count_ones();
        (wishes > 0).then(|| share(met, wishes))
    }
}

impl Aspect for IdentityWishes {
    type Mentee = IdentityBits;
    type Mentor = IdentityBits;

    fn mentee(&self, person: &Person<'_>) -> IdentityBits {
        person.identity
    }

    fn mentor(&self, person: &Person<'_>) -> IdentityBits {
        person.identity
    }

    fn judge(&self, mentee: &IdentityBits, mentor: &IdentityBits, _: Relations) -> Verdict {
        points(Some(self.scale), Self::measure(*mentee, *mentor))
    }

    fn explain(&self, mentee: &IdentityBits, mentor: &IdentityBits, _: Relations, story: &mut Story) {
        let score = Self::measure(*mentee, *mentor);
        story.finds(Some(self.scale), score.map(|score| (score, Reason::new(ReasonCode::PrivateAnswers))));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::domain::profile::{ConsentPurpose, Profile};
    use crate::engine::tests::reference::ReferencePair;

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        let answers = |person: &Profile| {
            let identity = person
                .identity
                .filter(|_| person.consents_to(ConsentPurpose::Identity, pair.snapshot.freeze_time));
            let shares: Vec<_> = identity.iter().flat_map(|identity| identity.shares.codes()).collect();
            let wishes: Vec<_> = identity.iter().flat_map(|identity| identity.wishes.codes()).collect();
            (shares, wishes)
        };
        let (a, b) = (answers(pair.mentee), answers(pair.mentor));
        let met = a.1.iter().filter(|wish| b.0.contains(wish)).count()
            + b.1.iter().filter(|wish| a.0.contains(wish)).count();
        let asked = |wishes: usize, shares: usize| if shares == 0 { 0 } else { wishes };
        let wishes = asked(a.1.len(), b.0.len()) + asked(b.1.len(), a.0.len());
        (wishes > 0).then(|| met as u64 * 10_000 / wishes as u64)
    }
}
