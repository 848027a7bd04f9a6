//! Scores of a round that outlive its profiles: a score cache with what else a solver asks for.

use std::ops::Range;

use super::cached::ScoreCache;
use super::edge::tie_break;
use super::{FORBIDDEN, NarrowScores, Opposites, PairScores};

/// The scores of all pairs of a round, kept without the round.
#[derive(Debug)]
pub(in crate::engine) struct KeptScores {
    cache: ScoreCache,
    /// Numbers that stand for the mentees and for the mentors in tie-breaks.
    keys: [Vec<u64>; 2],
    opposites: Option<Opposites>,
}

impl KeptScores {
    /// Keeps `cache`, which was computed from scores with these keys and opposites.
    pub(in crate::engine) fn new(
        cache: ScoreCache,
        keys: [Vec<u64>; 2],
        opposites: Option<Opposites>,
    ) -> Self {
        Self { cache, keys, opposites }
    }

    /// Size in bytes.
    pub(in crate::engine) fn bytes(&self) -> usize {
        self.cache.bytes() + (self.keys[0].len() + self.keys[1].len()) * size_of::<u64>()
    }

    fn cells(&self, mentee: usize, mentors: Range<usize>) -> &[i16] {
        self.cache.cells(mentee, self.keys[1].len(), mentors)
    }
}

impl PairScores for KeptScores {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        for (mentee, out) in rows.zip(out.chunks_exact_mut(cols.len().max(1))) {
            for (out, &cell) in out.iter_mut().zip(self.cells(mentee, cols.clone())) {
                *out = if cell < 0 { FORBIDDEN } else { cell.into() };
            }
        }
    }

    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        tie_break(self.keys[0][mentee], self.keys[1][mentor])
    }

    fn narrow(&self) -> Option<&dyn NarrowScores> {
        Some(self)
    }

    fn opposites(&self) -> Option<&Opposites> {
        self.opposites.as_ref()
    }
}

impl NarrowScores for KeptScores {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i16]) {
        for (mentee, out) in rows.zip(out.chunks_exact_mut(cols.len().max(1))) {
            out.copy_from_slice(self.cells(mentee, cols.clone()));
        }
    }

    fn row(&self, mentee: usize) -> Option<&[i16]> {
        Some(self.cells(mentee, 0..self.keys[1].len()))
    }
}
