//! Screening of rows of scores in plain Rust: extremes of a row, and the scores that reach a floor.

#![expect(
    clippy::inline_always,
    reason = "a body becomes vector code of a level only inside the function of that level"
)]

/// Scores of one group.
pub(in crate::engine) const SCORES: usize = 64;
/// Parts of a group: each part has every eighth score.
pub(in crate::engine) const PARTS: usize = 8;

/// A score in a row.
pub(super) trait Number: Copy + Ord {
    /// Stands for no score. It is below all scores.
    const NONE: Self;
    /// The highest number.
    const TOP: Self;

    /// The number in an order where [`Self::NONE`] is the highest.
    fn turned(self) -> Self;

    /// The inverse of [`Self::turned`].
    fn turned_back(self) -> Self;
}

impl Number for i16 {
    const NONE: Self = -1;
    const TOP: Self = Self::MAX;

    #[inline(always)]
    fn turned(self) -> Self {
        self ^ Self::MIN
    }

    #[inline(always)]
    fn turned_back(self) -> Self {
        self ^ Self::MIN
    }
}

impl Number for i32 {
    const NONE: Self = Self::MIN;
    const TOP: Self = Self::MAX;

    #[inline(always)]
    fn turned(self) -> Self {
        self.wrapping_sub(1)
    }

    #[inline(always)]
    fn turned_back(self) -> Self {
        self.wrapping_add(1)
    }
}

/// Extremes of all scores and of each part, computed from `WIDE` numbers at a time: as many as a register holds.
#[inline(always)]
pub(super) fn look<N: Number, const WIDE: usize>(scores: &[[N; SCORES]], parts: &mut [[N; PARTS]]) -> [N; 2] {
    let (mut lowest, mut highest) = ([N::TOP; WIDE], [N::NONE; PARTS]);
    for (scores, parts) in scores.iter().zip(parts) {
        let mut most = [N::NONE; WIDE];
        for some in scores.as_chunks::<WIDE>().0 {
            for ((score, most), lowest) in some.iter().zip(&mut most).zip(&mut lowest) {
                *most = (*most).max(*score);
                *lowest = (*lowest).min(score.turned());
            }
        }
        *parts = [N::NONE; PARTS];
        for most in most.as_chunks::<PARTS>().0 {
            for ((most, part), highest) in most.iter().zip(parts.iter_mut()).zip(&mut highest) {
                *part = (*part).max(*most);
                *highest = (*highest).max(*most);
            }
        }
    }
    let lowest = lowest.into_iter().fold(N::TOP, N::min);
    [lowest.turned_back(), highest.into_iter().fold(N::NONE, N::max)]
}

#[inline(always)]
pub(super) fn find<N: Number>(scores: &[[N; SCORES]], floor: N, found: &mut [u64]) {
    for (scores, found) in scores.iter().zip(found) {
        // Nearly always there is none. Then the bits are not computed.
        let mut any = false;
        for score in scores {
            any |= *score >= floor;
        }
        let bit = |(at, score): (usize, &N)| u64::from(*score >= floor) << at;
        *found = if any { scores.iter().enumerate().map(bit).fold(0, |all, bit| all | bit) } else { 0 };
    }
}

#[inline(always)]
pub(super) fn reach<N: Number>(scores: &[[N; SCORES]], floors: &[[N; SCORES]], found: &mut [u64]) {
    for ((scores, floors), found) in scores.iter().zip(floors).zip(found) {
        let mut any = false;
        for (score, floor) in scores.iter().zip(floors) {
            any |= *score >= *floor;
        }
        *found = 0;
        if any {
            for (at, (score, floor)) in scores.iter().zip(floors).enumerate() {
                *found |= u64::from(*score >= *floor) << at;
            }
        }
    }
}
