//! The loops over all pairs, in one version per instruction set: baseline, AVX2, AVX-512.
//!
//! A build for any x86-64 detects the instruction set at run time. Invariant: all versions give the same bytes, and
//! [`plain`] defines them.
//!
//! `unsafe` is in two files alone, with the proof beside each use: this file calls the version of a level, and `registers`
//! converts between registers and bytes. [`plain`] has no `unsafe` code. The other versions are safe functions of registers, and access
//! memory through references only. `fuzz/memory` runs all versions under AddressSanitizer, and the versions up to AVX2
//! under Memcheck.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lanes;
mod look;
mod plain;
mod plan;
#[cfg(target_arch = "x86_64")]
mod registers;

use std::fmt;

pub(super) use self::lanes::{Column, LANES, Lanes, Seasons, WORDS};
pub(super) use self::look::{PARTS, SCORES};
pub(super) use self::plan::{Key, ScoringPlan, SumKind, Values};

/// An instruction set that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu(Level);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// The instructions that every processor of the build's target has.
    Baseline,
    /// 32 bytes at a time.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 64 bytes at a time, with permutations of bytes and counts of the bits of each byte.
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

/// Defines methods of [`Cpu`], each of which calls the version for its level.
macro_rules! in_best_version {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),+) $(-> $given:ty)?;)+) => {
        impl Cpu {
            $(
                $(#[$doc])*
                #[cfg_attr(
                    target_arch = "x86_64",
                    expect(unsafe_code, reason = "the one call of each version, with its proof beside it")
                )]
                pub(super) fn $name(self, $($argument: $type),+) $(-> $given)? {
                    match self.0 {
                        Level::Baseline => plain::$name($($argument),+),
                        // SAFETY: these two functions are safe except for the instructions that they are compiled to.
                        // Only `levels` creates a value of a level, after it has checked that the processor has all
                        // instructions that the functions of the level enable.
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

in_best_version! {
    /// Writes the sums of one row of a plan. The keys of the plan refer to `columns`, and to the columns `own` of the row.
    /// Every class must have a value in the plan: for other classes the versions differ.
    fn sum_up(columns: &[Column], own: &[Column], plan: &ScoringPlan, row: usize, out: &mut [i16; LANES]);

    /// Counts the bits of every lane in the rows of each season, and writes the lowest count of all seasons, at most `most`.
    fn count_rows(rows: &[Lanes], seasons: &Seasons, most: u8, out: &mut Column);

    /// Returns the lowest and the highest number that is not negative, or -1. Writes the highest number of each part, or -1.
    fn look(scores: &[[i16; SCORES]], parts: &mut [[i16; PARTS]]) -> [i16; 2];

    /// [`Self::look`] for numbers of 32 bits, where `i32::MIN` stands for no score.
    fn look_wide(scores: &[[i32; SCORES]], parts: &mut [[i32; PARTS]]) -> [i32; 2];

    /// Writes one bit for each number, set if the number is `floor` or more.
    fn find(scores: &[[i16; SCORES]], floor: i16, found: &mut [u64]);

    /// [`Self::find`] for numbers of 32 bits.
    fn find_wide(scores: &[[i32; SCORES]], floor: i32, found: &mut [u64]);

    /// Writes one bit for each number, set if the number is its own floor or more.
    fn reach(scores: &[[i16; SCORES]], floors: &[[i16; SCORES]], found: &mut [u64]);

    /// [`Self::reach`] for numbers of 32 bits.
    fn reach_wide(scores: &[[i32; SCORES]], floors: &[[i32; SCORES]], found: &mut [u64]);
}

#[cfg(test)]
mod tests;
