//! The verdict of a pair: its points and the hard rules that it breaks.
//!
//! The dense pass over all pairs, the explanation of one pair and the counts per rule all read the same [`Verdict`]. The
//! dense pass adds numbers of 16 bits, so that it computes one [`Plane`] of the verdicts at a time.

use super::cpu::SumKind;
use crate::domain::policy::HardRule;

/// A set of hard rules: bit `n - 1` is the rule with number `n`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules(u16);

impl Rules {
    /// The set of one rule.
    pub const fn of(rule: HardRule) -> Self {
        Self(1 << (rule as u16 - 1))
    }

    /// Whether no rule is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `rule` is in it.
    pub fn contains(self, rule: HardRule) -> bool {
        self.0 & Self::of(rule).0 != 0
    }

    /// Its rules, in the order of the API.
    pub fn iter(self) -> impl Iterator<Item = HardRule> {
        HardRule::ALL.into_iter().filter(move |rule| self.contains(*rule))
    }

    /// The set as bits.
    pub fn bits(self) -> u16 {
        self.0
    }
}

/// Points and broken rules of a pair, packed so that the verdicts of the aspects add up: points in the low 16 bits (at most
/// 10,000 in all), broken rules in the bits above. Each rule belongs to one aspect, so no bit is added twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verdict(u32);

impl Verdict {
    /// No points and no broken rule.
    pub const CLEAR: Self = Self(0);

    /// The verdict that gives `points` and breaks nothing.
    pub fn giving(points: u16) -> Self {
        Self(u32::from(points))
    }

    /// This verdict, with `rule` broken if `broken` is true.
    #[must_use]
    pub fn breaking_if(self, broken: bool, rule: HardRule) -> Self {
        Self(self.0 | u32::from(broken) << (15 + rule as u32))
    }

    /// The sum of both verdicts.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// Points in all, 0..=10,000.
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

/// A number of 16 bits that stands for a verdict, such that the numbers of all aspects add up to that of the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Plane {
    /// The score, below 0 for a pair that is not a candidate.
    Scores,
    /// The points alone, whatever rules are broken.
    Points,
    /// The broken rules alone, as bits: see [`Rules::bits`].
    Rules,
}

impl Plane {
    /// The number of a verdict. Sums saturate at the lowest number, so that no points make up for a broken rule: points are
    /// at most 10,000 in all.
    pub(in crate::engine) fn of(self, verdict: Verdict) -> i16 {
        match self {
            Self::Scores if !verdict.is_candidate() => i16::MIN,
            Self::Scores | Self::Points => verdict.score().cast_signed(),
            Self::Rules => verdict.broken().bits().cast_signed(),
        }
    }

    /// How the numbers of all aspects make the number of the pair.
    pub(in crate::engine) fn sums(self) -> SumKind {
        match self {
            Self::Scores | Self::Points => SumKind::Scores,
            Self::Rules => SumKind::Bits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_add_points_and_keep_every_broken_rule_apart() {
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
