//! The few loops that look at every pair, each in the best form that this machine's processor knows. A build for any
//! x86-64 finds out at run time; every form gives the same bytes, and [`plain`] says what they are.
//!
//! `unsafe` is refused everywhere but in this file, which calls the form of a level, and in `registers`, which takes a
//! register for bytes: the argument stands beside each. [`plain`] is the scalar path and has none; the other forms are safe functions of registers,
//! and read and write no memory but by references. `fuzz/memory` runs all of them under AddressSanitizer, and as far as AVX2
//! under Memcheck.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod counting;
mod lanes;
mod look;
mod plain;
mod recipe;
#[cfg(target_arch = "x86_64")]
mod registers;

use std::fmt;

pub(super) use self::lanes::{LANES, Lanes, Seasons, WORDS};
pub(super) use self::look::{PARTS, SCORES};
pub(super) use self::recipe::{Column, Key, Recipes, Sums, Values};

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
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),+) $(-> $given:ty)?;)+) => {
        impl Cpu {
            $(
                $(#[$doc])*
                #[cfg_attr(
                    target_arch = "x86_64",
                    expect(unsafe_code, reason = "the one call of each form, see the argument beside it")
                )]
                pub(super) fn $name(self, $($argument: $type),+) $(-> $given)? {
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

in_best_form! {
    /// Writes the sums of one row of some recipes, whose keys speak of `columns` and of its `own`. Every class must be one
    /// that has a value: beyond these the forms differ.
    fn sum_up(columns: &[Column], own: &[Column], recipes: &Recipes, row: usize, out: &mut [i16; LANES]);

    /// Counts the bits of every lane: of each season, in the rows that it names; the least of them is written, or `most` if
    /// it is more.
    fn count_rows(rows: &[Lanes], seasons: &Seasons, most: u8, out: &mut Column);

    /// The lowest number that is not negative, and the highest, or -1; and the highest of each part of some scores, or -1.
    fn look(scores: &[[i16; SCORES]], parts: &mut [[i16; PARTS]]) -> [i16; 2];

    /// The same for any numbers, of which the very lowest is none.
    fn look_wide(scores: &[[i32; SCORES]], parts: &mut [[i32; PARTS]]) -> [i32; 2];

    /// Writes one bit for each number, set where it is `floor` or more.
    fn find(scores: &[[i16; SCORES]], floor: i16, found: &mut [u64]);

    /// The same.
    fn find_wide(scores: &[[i32; SCORES]], floor: i32, found: &mut [u64]);

    /// Writes one bit for each number, set where it is its own floor or more.
    fn reach(scores: &[[i16; SCORES]], floors: &[[i16; SCORES]], found: &mut [u64]);

    /// The same.
    fn reach_wide(scores: &[[i32; SCORES]], floors: &[[i32; SCORES]], found: &mut [u64]);
}

#[cfg(test)]
mod tests;
