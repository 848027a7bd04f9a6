//! Identity wishes: the share of the wishes of both that the other meets. Opt-in and private: only answers under a live
//! consent of their own reach the engine, and their points are shown only together with the other private criteria.

use super::super::aspect::{Aspect, PointScale, Story, points, share};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// The criterion on identity wishes.
pub(in crate::engine) struct IdentityWishes {
    scale: PointScale,
}

/// Bits of what someone shares, and of what she wishes.
type IdentityBits = (u64, u64);

impl IdentityWishes {
    /// Under a policy's weight.
    pub(in crate::engine) fn new(scale: PointScale) -> Self {
        Self { scale }
    }

    /// `None` if neither wished anything, or only of one who shares nothing: silence is a missing answer, not a no.
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

    fn judge(&self, mentee: &IdentityBits, mentor: &IdentityBits, _: Ties) -> Verdict {
        points(Some(self.scale), Self::measure(*mentee, *mentor))
    }

    fn explain(&self, mentee: &IdentityBits, mentor: &IdentityBits, _: Ties, story: &mut Story) {
        let score = Self::measure(*mentee, *mentor);
        story.finds(Some(self.scale), score.map(|score| (score, Reason::new(ReasonCode::PrivateAnswers))));
    }
}
