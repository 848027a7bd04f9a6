//! What of a verdict the dense pass computes: it adds 16-bit numbers, and a verdict has more to say than fits in one.

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
    /// The number of a verdict. SumKind stay at the end of the range, so that nothing makes up for a broken rule: points are
    /// never above 10,000 in all.
    pub(in crate::engine) fn of(self, verdict: Verdict) -> i16 {
        match self {
            Self::Scores if !verdict.is_candidate() => i16::MIN,
            Self::Scores | Self::Points => verdict.score().cast_signed(),
            Self::Rules => verdict.broken().bits().cast_signed(),
        }
    }

    /// How the numbers of all aspects make that of the pair.
    pub(super) fn sums(self) -> SumKind {
        match self {
            Self::Scores | Self::Points => SumKind::Scores,
            Self::Rules => SumKind::Bits,
        }
    }
}
