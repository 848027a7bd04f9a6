//! Integers for prices, in 64 or 128 bits.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// An integer that is wide enough for prices: `i64` if
/// `LexicographicWeights::fits_i64` in `assign` proves it,
/// otherwise `i128`.
pub(in crate::engine) trait PriceInteger:
    Copy
    + Debug
    + Default
    + Ord
    + Add<Output = Self>
    + Sub<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + From<i32>
    + Into<i128>
    + Send
    + Sync
    + 'static
{
    /// Longer than any path. Two of them add up without overflow.
    const INFINITE: Self;

    /// Prices of either sign up to this size, plus the length of a path, do not overflow.
    const MAX_PRICE: Self;
    /// Below the value of any pair at such prices.
    const LOWEST_VALUE: Self;

    /// The value, clamped to the range of the type. The bound that chose the type ensures that no price is clamped.
    fn saturating_from(value: i128) -> Self;

    /// Eight times the value, at most [`PriceInteger::INFINITE`].
    fn eightfold(self) -> Self;

    /// The greatest multiple of `step`, a power of two, that is at most the value.
    fn rounded_down(self, step: i32) -> Self;

    /// Number of the highest bit in which two values differ, counted from 1; 0 if they are equal.
    fn highest_difference(self, other: Self) -> usize;

    /// The value, at most `most`. The value must not be below the range of `i32`.
    fn clamped(self, most: i32) -> i32;
}

impl PriceInteger for i64 {
    const INFINITE: Self = Self::MAX / 2;
    const MAX_PRICE: Self = Self::MAX / 16;
    const LOWEST_VALUE: Self = -Self::MAX / 8;

    fn saturating_from(value: i128) -> Self {
        Self::try_from(value).unwrap_or(if value < 0 { -Self::INFINITE } else { Self::INFINITE })
    }

    fn eightfold(self) -> Self {
        self.saturating_mul(8).min(Self::INFINITE)
    }

    fn rounded_down(self, step: i32) -> Self {
        self & -Self::from(step)
    }

    fn highest_difference(self, other: Self) -> usize {
        (Self::BITS - (self ^ other).leading_zeros()) as usize
    }

    fn clamped(self, most: i32) -> i32 {
        i32::try_from(self).map_or(most, |value| value.min(most))
    }
}

impl PriceInteger for i128 {
    const INFINITE: Self = Self::MAX / 2;
    const MAX_PRICE: Self = Self::MAX / 16;
    const LOWEST_VALUE: Self = -Self::MAX / 8;

    fn saturating_from(value: i128) -> Self {
        value
    }

    fn eightfold(self) -> Self {
        self.saturating_mul(8).min(Self::INFINITE)
    }

    fn rounded_down(self, step: i32) -> Self {
        self & -Self::from(step)
    }

    fn highest_difference(self, other: Self) -> usize {
        (Self::BITS - (self ^ other).leading_zeros()) as usize
    }

    fn clamped(self, most: i32) -> i32 {
        i32::try_from(self).map_or(most, |value| value.min(most))
    }
}
