//! Criterion `previous_partner`: whether the two have been partners before, which the policy prefers or discourages.
//!
//! The hard rule on previous partners excludes the pair if the policy forbids it.

use super::super::aspect::{Aspect, PointScale, Story, points};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::{FULL_SCORE, HardRule, PreviousPartners};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::ties::Relations;
use crate::engine::encode::{Person, Round};

/// Criterion and rule on previous partners.
pub(super) struct PreviousPartner {
    scale: Option<PointScale>,
    wish: PreviousPartners,
}

pub(super) fn aspect(scale: Option<PointScale>, round: &Round<'_>) -> Option<PreviousPartner> {
    Some(PreviousPartner { scale, wish: round.snapshot.policy.rules.previous_partners })
}

impl PreviousPartner {
    fn score(&self, partners: bool) -> u16 {
        let wanted = self.wish == PreviousPartners::Prefer;
        if partners == wanted { FULL_SCORE } else { 0 }
    }

    fn is_broken(&self, partners: bool) -> bool {
        partners && self.wish == PreviousPartners::Forbid
    }
}

impl Aspect for PreviousPartner {
    type Mentee = ();
    type Mentor = ();

    fn mentee(&self, _: &Person<'_>) {}

    fn mentor(&self, _: &Person<'_>) {}

    fn judge(&self, (): &(), (): &(), ties: Relations) -> Verdict {
        let partners = ties.has(Relations::PARTNERS_BEFORE);
        points(self.scale, Some(self.score(partners)))
            .breaking_if(self.is_broken(partners), HardRule::PreviousPartner)
    }

    fn explain(&self, (): &(), (): &(), ties: Relations, story: &mut Story) {
        let partners = ties.has(Relations::PARTNERS_BEFORE);
        story.finds(self.scale, Some((self.score(partners), Reason::new(ReasonCode::PrivateAnswers))));
        if self.is_broken(partners) {
            story.breaks(HardRule::PreviousPartner, Reason::new(ReasonCode::RulePreviousPartner));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::domain::policy::PreviousPartners;
    use crate::engine::tests::reference::ReferencePair;

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        let prefers = pair.snapshot.policy.rules.previous_partners == PreviousPartners::Prefer;
        Some(if pair.were_partners() == prefers { 10_000 } else { 0 })
    }
}
