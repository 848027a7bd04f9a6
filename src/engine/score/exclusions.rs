//! Hard rules on two particular people: they are one person, or a private answer keeps them apart.

use super::aspect::{Aspect, Story};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::{HardRule, HardRules};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// The rules that nobody is matched with herself, and that private answers exclude a pair. An avoid list and a reporting
/// line are one rule, so that no explanation shows which of them excludes a pair.
pub(super) struct Exclusions {
    /// Whether people of one reporting line are kept apart.
    reporting_line: bool,
}

impl Exclusions {
    /// The rules under a policy.
    pub(super) fn new(rules: &HardRules) -> Self {
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
