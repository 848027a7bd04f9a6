//! The few loops that look at every pair, each in the best form that this machine's processor knows. A build for any
//! x86-64 finds out at run time; every form gives the same bytes, and [`plain`] says what they are.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod plain;

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m256i, __m512i};
use std::fmt;

pub(super) use self::plain::{LANES, Lanes, WORDS};

/// Values by class, for [`Cpu::look_up`].
#[derive(Debug, Clone)]
pub(super) struct Values {
    /// The value of every class; 0 beyond `len`.
    of: [i16; 256],
    /// Number of classes.
    len: usize,
}

impl Values {
    /// The values of up to 256 classes; more are left out.
    pub(super) fn collect(values: impl Iterator<Item = i16>) -> Self {
        let mut this = Self { of: [0; 256], len: 0 };
        for (slot, value) in this.of.iter_mut().zip(values) {
            *slot = value;
            this.len += 1;
        }
        this
    }

    /// Whether there is anything to add.
    pub(super) fn are_all_zero(&self) -> bool {
        self.of.iter().all(|value| *value == 0)
    }
}

/// A level of instructions that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu(Level);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// What every processor of the build's target has.
    Baseline,
    /// 32 bytes at a time.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 64 bytes at a time, with permutations and counts of bits in bytes.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Cpu {
    /// The levels of this machine, best last.
    pub fn levels() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "no other level there"))]
        let mut levels = vec![Self(Level::Baseline)];
        #[cfg(target_arch = "x86_64")]
        {
            let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt");
            if has_avx2 {
                levels.push(Self(Level::Avx2));
            }
            if has_avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vbmi")
                && is_x86_feature_detected!("avx512bitalg")
            {
                levels.push(Self(Level::Avx512));
            }
        }
        levels
    }

    /// The best level of this machine.
    pub fn best() -> Self {
        Self::levels().pop().unwrap_or(Self(Level::Baseline))
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Level::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
        })
    }
}

/// Makes a method of [`Cpu`] that takes the form for its level.
macro_rules! in_best_form {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),+);)+) => {
        impl Cpu {
            $(
                $(#[$doc])*
                #[cfg_attr(
                    target_arch = "x86_64",
                    expect(unsafe_code, reason = "the one call of each form, see the argument beside it")
                )]
                pub(super) fn $name(self, $($argument: $type),+) {
                    match self.0 {
                        Level::Baseline => plain::$name($($argument),+),
                        // SAFETY: these two functions are safe but for the instructions they are compiled to. A value
                        // of a level is made in `levels` alone, after the processor was asked for all instructions that
                        // the level's functions enable.
                        #[cfg(target_arch = "x86_64")]
                        Level::Avx2 => unsafe { avx2::$name($($argument),+) },
                        #[cfg(target_arch = "x86_64")]
                        Level::Avx512 => unsafe { avx512::$name($($argument),+) },
                    }
                }
            )+
        }
    };
}

/// The same bytes as a register, or a register as bytes.
macro_rules! same_bytes {
    ($($name:ident: $from:ty => $to:ty;)+) => {
        $(
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "the standard library has no safe way, see the argument beside it")]
            #[inline(always)]
            fn $name(from: $from) -> $to {
                // SAFETY: both are as many plain bytes without padding (the compiler compares their sizes), and any bytes
                // are a value of either.
                unsafe { std::mem::transmute::<$from, $to>(from) }
            }
        )+
    };
}

same_bytes! {
    register256: [u8; 32] => __m256i;
    register_of_words256: [i16; 16] => __m256i;
    bytes256: __m256i => [u8; 32];
    words256: __m256i => [i16; 16];
    register512: [u8; 64] => __m512i;
    register_of_words512: [i16; 32] => __m512i;
    bytes512: __m512i => [u8; 64];
    words512: __m512i => [i16; 32];
}

in_best_form! {
    /// Adds to every number the value of its class, and stays at the ends of the range where a sum would leave it. Every class
    /// must be one that has a value: beyond these the forms differ.
    fn look_up(classes: &[u8], values: &Values, out: &mut [i16]);

    /// Adds to every count the number of bits that a byte has in common with `mine`.
    fn count_common(bytes: &[u8], mine: u8, counts: &mut [u8]);

    /// Raises every level to that of the weaker of two: `levels`, and `mine`.
    fn raise_levels(levels: &[u8], mine: u8, best: &mut [u8]);

    /// Counts the bits of every lane: of each of some seasons, in the rows that `seasons` names; the least of them is
    /// written, or `most` if it is more.
    fn count_rows(rows: &[Lanes], seasons: &[Vec<u32>], most: u8, out: &mut [u8; LANES]);
}

#[cfg(test)]
mod tests;
