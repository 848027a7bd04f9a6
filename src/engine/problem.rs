//! The assignment problem, free of people: numbers of nodes, what they want, and a source of pair scores.

use std::ops::Range;

use crate::domain::run::Stage;

/// Score of a pair that a hard rule forbids.
pub const FORBIDDEN: i32 = i32::MIN;

/// What a mentee wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Priority tier, 0 first. Every tier is served as widely as possible before the next.
    pub tier: u8,
    /// Different mentors wanted, 1 or 2.
    pub wanted: u8,
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
