//! The part of a verdict that the dense pass computes. A verdict has 32 bits, and the dense pass adds numbers of 16 bits,
//! so that it needs one pass per plane.

use crate::engine::cpu::SumKind;
use crate::engine::eligibility::Verdict;

/// A number of 16 bits that stands for a verdict, such that the numbers of all aspects add up to that of the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Plane {
    /// The score, below 0 for a pair that is not a candidate.
    Scores,
    /// The points alone, whatever rules are broken.
    Points,
    /// The broken rules alone, as bits: see [`crate::engine::eligibility::Rules::bits`].
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
    pub(super) fn sums(self) -> SumKind {
        match self {
            Self::Scores | Self::Points => SumKind::Scores,
            Self::Rules => SumKind::Bits,
        }
    }
}
