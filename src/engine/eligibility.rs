//! Hard rules as sets of bits, and the [`Verdict`] on a pair: its points and its broken rules.
//!
//! The dense pass over all pairs, the explanation of one pair and the exclusion counts read the same verdict. Therefore
//! they cannot disagree on which pairs are candidates.

use crate::domain::policy::HardRule;

/// A set of hard rules: bit `n - 1` is the rule with number `n`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules(u16);

impl Rules {
    /// The set of one rule.
    pub const fn of(rule: HardRule) -> Self {
        Self(1 << (rule as u16 - 1))
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set contains `rule`.
    pub fn contains(self, rule: HardRule) -> bool {
        self.0 & Self::of(rule).0 != 0
    }

    /// The rules of the set, in the order of the API.
    pub fn iter(self) -> impl Iterator<Item = HardRule> {
        HardRule::ALL.into_iter().filter(move |rule| self.contains(*rule))
    }

    /// The set as bits.
    pub fn bits(self) -> u16 {
        self.0
    }
}

/// Points and broken rules of a pair in one number, so that the verdicts of all aspects are summed by one addition. The low
/// 16 bits hold the points (at most 10,000 in total), the high bits the broken rules. Each rule belongs to one aspect, so
/// that no bit is added twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verdict(u32);

impl Verdict {
    /// No points and no broken rule.
    pub const CLEAR: Self = Self(0);

    /// The verdict with `points` and no broken rule.
    pub fn giving(points: u16) -> Self {
        Self(u32::from(points))
    }

    /// This verdict, with `rule` broken if `broken`.
    #[must_use]
    pub fn breaking_if(self, broken: bool, rule: HardRule) -> Self {
        Self(self.0 | u32::from(broken) << (15 + rule as u32))
    }

    /// Sum of two verdicts.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// Total points, 0..=10,000.
    pub fn score(self) -> u16 {
        let [low, high, _, _] = self.0.to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// The broken rules.
    pub fn broken(self) -> Rules {
        let [_, _, low, high] = self.0.to_le_bytes();
        Rules(u16::from_le_bytes([low, high]))
    }

    /// Whether no rule is broken.
    pub fn is_candidate(self) -> bool {
        self.broken().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_verdicts_has_all_points_and_every_broken_rule() {
        for rule in HardRule::ALL {
            let verdict = Verdict::giving(9_000).breaking_if(true, rule).and(Verdict::giving(1_000));
            assert_eq!(verdict.score(), 10_000);
            assert_eq!(verdict.broken(), Rules::of(rule));
            assert_eq!(verdict.broken().iter().collect::<Vec<_>>(), [rule]);
            assert!(!verdict.is_candidate());
            let other = HardRule::ALL[(rule as usize) % HardRule::ALL.len()];
            assert_eq!(verdict.breaking_if(true, other).broken().iter().count(), 2);
        }
        assert!(Verdict::giving(10_000).breaking_if(false, HardRule::Private).is_candidate());
    }
}
