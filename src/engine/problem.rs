//! The assignment problem, free of people: numbers of nodes, what they want, and a source of pair scores.

use std::ops::Range;

use super::brought::Listed;
use crate::domain::run::Stage;

/// Score of a pair that a hard rule forbids.
pub const FORBIDDEN: i32 = i32::MIN;

/// What a mentee wants; by default nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// Priority tier, 0 first. Every tier is served as widely as possible before the next.
    pub tier: u8,
    /// Different mentors wanted, 0 to 2, beside those she has by pins.
    pub wanted: u8,
    /// Mentors she has by pins: with one of them, another counts as her second and not as her first.
    pub pinned: u8,
}

/// What a mentor offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seats {
    /// Fewest mentees that make the offer worthwhile: filled before anybody gets a second mentor or a better score.
    pub min: u32,
    /// Most mentees; 0 offers nothing.
    pub max: u32,
}

/// Where pair scores come from: computed from profiles, or brought by a caller. Asked from many threads at once.
pub trait PairScores: Sync {
    /// Writes the scores of a tile, row-major: `out[(i - rows.start) * cols.len() + (j - cols.start)]`, [`FORBIDDEN`] for a
    /// pair that is not a candidate.
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]);

    /// The score of one pair; `None` if it is not a candidate.
    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        let mut out = [FORBIDDEN];
        self.tile(mentee..mentee + 1, mentor..mentor + 1, &mut out);
        (out[0] != FORBIDDEN).then_some(out[0])
    }

    /// The same scores in half the room, if all of them are within `0..=i16::MAX`.
    fn narrow(&self) -> Option<&dyn NarrowScores> {
        None
    }

    /// Decides between pairs of equal score. A hash of who the two are, so that a joiner does not reshuffle the others; by
    /// default of their positions.
    fn lot(&self, mentee: usize, mentor: usize) -> u32 {
        lot(mentee as u64, mentor as u64)
    }

    /// All scores of a mentee, if the source has them written out: then nobody copies them.
    fn row(&self, _mentee: usize) -> Option<&[i32]> {
        None
    }

    /// All candidates, if the source has them written out: then nobody walks over the pairs that are none.
    fn listed(&self) -> Option<&Listed> {
        None
    }
}

/// Writes the scores of some mentees with a range of mentors, row-major.
pub type Fill<'a, C> = Box<dyn FnMut(Range<usize>, &mut [C]) + 'a>;

/// Pair scores that fit in 16 bits.
pub trait NarrowScores: Sync {
    /// Writes the scores of a tile as [`PairScores::tile`] does, a negative number for a pair that is not a candidate.
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i16]);

    /// Writes tiles of the same mentees one after the other, so that what is worked out for each of them is worked out once.
    fn tiles(&self, rows: Range<usize>) -> Fill<'_, i16> {
        Box::new(move |cols, out| self.tile(rows.clone(), cols, out))
    }

    /// All scores of a mentee, if the source has them written out: then nobody copies them.
    fn row(&self, _mentee: usize) -> Option<&[i16]> {
        None
    }
}

/// The lot of two numbers that stand for two people (finaliser of SplitMix64; Steele, Lea, Flood 2014).
pub fn lot(mentee: u64, mentor: u64) -> u32 {
    let mut z = (mentee.rotate_left(32) ^ mentor).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(0)
}

/// A pair seen from one of its ends. 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arc {
    /// The other end.
    pub to: u32,
    /// The pair's score.
    pub score: i32,
}

/// An assignment problem. Positions must not depend on the order in which people came in: the encoder orders them by a
/// hash of their ids, so that ties between equals fall by hash and never by position in a file.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a score source need not print itself")]
pub struct Problem<'a> {
    /// One entry per mentee.
    pub mentees: &'a [Demand],
    /// One entry per mentor.
    pub mentors: &'a [Seats],
    /// Scores of all pairs.
    pub scores: &'a dyn PairScores,
    /// Whether as many people as possible come before the total score. If not, no tier counts, to be unmatched is worth 0,
    /// and a pair of negative score is never made but to fill a minimum place.
    pub coverage_first: bool,
}

/// Watches the engine at work and may stop it.
pub trait Observer: Sync {
    /// `done` of `total` units of a stage are done.
    fn progress(&self, stage: Stage, done: u64, total: u64);

    /// Whether the engine is to stop. Asked at least every few milliseconds from every inner loop.
    fn is_cancelled(&self) -> bool;
}

/// An observer that watches nothing and never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn progress(&self, _: Stage, _: u64, _: u64) {}

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// The observer asked the engine to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine was stopped")]
pub struct Stopped;
