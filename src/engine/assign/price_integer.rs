//! The integers in which the solver counts.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// An integer wide enough for prices: `i64` where [`LexicographicWeights::fits_i64`](super::lexicographic_weights::LexicographicWeights::fits_i64) proves that it is,
/// else `i128`.
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
    /// Farther than any path is long; two of them add up without overflow.
    const INFINITE: Self;

    /// Prices of either sign up to here, with the length of a path between them, stay clear of overflow.
    const MAX_PRICE: Self;
    /// Below what any pair can offer at such prices.
    const LOWEST_VALUE: Self;

    /// The value itself where it fits, as it does after the bound was checked.
    fn saturating_from(value: i128) -> Self;

    /// Eight times the value, or [`PriceInteger::INFINITE`] if that is less.
    fn eightfold(self) -> Self;

    /// The greatest multiple of `step`, a power of two, that is not more.
    fn rounded_down(self, step: i32) -> Self;

    /// The number of the highest bit in which two values differ, counted from 1; 0 if they are equal.
    fn highest_difference(self, other: Self) -> usize;

    /// The value itself, or `most` if it is more. It must not be less than an `i32` can be.
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
