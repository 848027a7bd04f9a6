//! The integers in which the solver counts.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// An integer wide enough for prices: `i64` where [`Levels::fit_i64`](super::levels::Levels::fit_i64) proves that it is,
/// else `i128`.
pub(in crate::engine) trait Weight:
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
    const FAR: Self;

    /// Prices of either sign up to here, with the length of a path between them, stay clear of overflow.
    const WIDEST: Self;
    /// Below what any pair can offer at such prices.
    const NOTHING: Self;

    /// The value itself where it fits, as it does after the bound was checked.
    fn narrow(value: i128) -> Self;

    /// Eight times the value, or [`Weight::FAR`] if that is less.
    fn eightfold(self) -> Self;

    /// The greatest multiple of `step`, a power of two, that is not more.
    fn rounded_down(self, step: i32) -> Self;

    /// The number of the highest bit in which two values differ, counted from 1; 0 if they are equal.
    fn highest_difference(self, other: Self) -> usize;

    /// The value itself, or `most` if it is more. It must not be less than an `i32` can be.
    fn clamped(self, most: i32) -> i32;
}

impl Weight for i64 {
    const FAR: Self = Self::MAX / 2;
    const WIDEST: Self = Self::MAX / 16;
    const NOTHING: Self = -Self::MAX / 8;

    fn narrow(value: i128) -> Self {
        Self::try_from(value).unwrap_or(if value < 0 { -Self::FAR } else { Self::FAR })
    }

    fn eightfold(self) -> Self {
        self.saturating_mul(8).min(Self::FAR)
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

impl Weight for i128 {
    const FAR: Self = Self::MAX / 2;
    const WIDEST: Self = Self::MAX / 16;
    const NOTHING: Self = -Self::MAX / 8;

    fn narrow(value: i128) -> Self {
        value
    }

    fn eightfold(self) -> Self {
        self.saturating_mul(8).min(Self::FAR)
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
