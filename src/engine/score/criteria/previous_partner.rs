//! What depends only on what two particular people have to do with each other: being one person, private exclusions, and
//! having been partners before.

use super::super::aspect::{Aspect, PointScale, Story, points};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::{FULL_SCORE, HardRule, HardRules, PreviousPartners};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// The rules that nobody is matched with herself, and that private exclusions bind. An avoid list and a reporting line are
/// one rule, never told apart.
pub(in crate::engine) struct Exclusions {
    /// Whether people of one reporting line are kept apart.
    reporting_line: bool,
}

impl Exclusions {
    /// Under a policy's rules.
    pub(in crate::engine) fn new(rules: &HardRules) -> Self {
        Self { reporting_line: !rules.allow_same_reporting_line }
    }

    fn is_private(&self, ties: Ties) -> bool {
        ties.has(Ties::AVOIDED) || self.reporting_line && ties.has(Ties::REPORTING_LINE)
    }
}

impl Aspect for Exclusions {
    type Mentee = ();
    type Mentor = ();

    fn mentee(&self, _: &Person<'_>) {}

    fn mentor(&self, _: &Person<'_>) {}

    fn judge(&self, (): &(), (): &(), ties: Ties) -> Verdict {
        Verdict::CLEAR
            .breaking_if(ties.has(Ties::SAME_PERSON), HardRule::SamePerson)
            .breaking_if(self.is_private(ties), HardRule::Private)
    }

    fn explain(&self, (): &(), (): &(), ties: Ties, story: &mut Story) {
        if ties.has(Ties::SAME_PERSON) {
            story.breaks(HardRule::SamePerson, Reason::new(ReasonCode::RuleSamePerson));
        }
        if self.is_private(ties) {
            story.breaks(HardRule::Private, Reason::new(ReasonCode::RulePrivate));
        }
    }
}

/// Criterion and rule on earlier partners.
pub(in crate::engine) struct EarlierPartners {
    scale: Option<PointScale>,
    wish: PreviousPartners,
}

impl EarlierPartners {
    /// Under a policy's weight and rules.
    pub(in crate::engine) fn new(scale: Option<PointScale>, wish: PreviousPartners) -> Self {
        Self { scale, wish }
    }

    fn score(&self, partners: bool) -> u16 {
        let wanted = self.wish == PreviousPartners::Prefer;
        if partners == wanted { FULL_SCORE } else { 0 }
    }

    fn is_broken(&self, partners: bool) -> bool {
        partners && self.wish == PreviousPartners::Forbid
    }
}

impl Aspect for EarlierPartners {
    type Mentee = ();
    type Mentor = ();

    fn mentee(&self, _: &Person<'_>) {}

    fn mentor(&self, _: &Person<'_>) {}

    fn judge(&self, (): &(), (): &(), ties: Ties) -> Verdict {
        let partners = ties.has(Ties::PARTNERS_BEFORE);
        points(self.scale, Some(self.score(partners)))
            .breaking_if(self.is_broken(partners), HardRule::PreviousPartner)
    }

    fn explain(&self, (): &(), (): &(), ties: Ties, story: &mut Story) {
        let partners = ties.has(Ties::PARTNERS_BEFORE);
        let code = if partners { ReasonCode::PartnersBefore } else { ReasonCode::PartnersNew };
        story.finds(self.scale, Some((self.score(partners), Reason::new(code))));
        if self.is_broken(partners) {
            story.breaks(HardRule::PreviousPartner, Reason::new(ReasonCode::RulePreviousPartner));
        }
    }
}
