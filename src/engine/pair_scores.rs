//! Pair scores: the interface that solvers read, the ways to store scores, and adaptors over other scores.
//!
//! [`DenseScores`] and [`SparseScores`] store scores of a caller. `cached` and `kept` store computed scores; `thresholded`,
//! `masked`, `bonus`, `favoured` and `followed` change the scores of another source without copying them, unless they are sparse. The scores
//! that are computed from profiles are in [`super::score`].

mod bonus;
mod cached;
mod dense;
mod edge;
mod favoured;
mod followed;
mod kept;
mod masked;
mod opposites;
mod overlay;
mod priced;
mod sparse;
mod thresholded;

pub(super) use self::bonus::BonusScores;
pub(super) use self::cached::{CachedScores, ScoreCache};
pub use self::dense::{Cells, DenseScores};
pub use self::edge::{Edge, FORBIDDEN, tie_break};
pub(super) use self::favoured::FavouredScores;
pub(super) use self::followed::FollowedScores;
pub(super) use self::kept::KeptScores;
pub(super) use self::masked::MaskedScores;
pub use self::opposites::Opposites;
pub(super) use self::opposites::Pair;
pub(super) use self::priced::PricedScores;
pub use self::sparse::{SparseError, SparseScores};
pub(super) use self::thresholded::ThresholdedScores;

use std::ops::Range;

/// Source of pair scores: computed from profiles, or supplied by a caller. Many threads read it simultaneously.
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

    /// The same scores in 16 bits, if all of them are within `0..=i16::MAX`.
    fn narrow(&self) -> Option<&dyn NarrowScores> {
        None
    }

    /// Orders pairs of equal score. A hash of the two people, so that a new person does not reorder the others. The
    /// default is a hash of the two positions.
    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        tie_break(mentee as u64, mentor as u64)
    }

    /// All scores of a mentee, if the source stores them: then no caller has to copy them.
    fn row(&self, _mentee: usize) -> Option<&[i32]> {
        None
    }

    /// Who is the same person on both sides, if two people may not mentor each other. Adaptors over a source have none: the
    /// rule belongs to the whole problem.
    fn opposites(&self) -> Option<&Opposites> {
        None
    }

    /// All candidates, if the source stores them sparsely: then no caller has to visit the other pairs.
    fn sparse(&self) -> Option<&SparseScores> {
        None
    }
}

/// Writes the scores of some mentees with a range of mentors, row-major.
pub type Fill<'a, C> = Box<dyn FnMut(Range<usize>, &mut [C]) + 'a>;

/// Pair scores that fit in 16 bits.
pub trait NarrowScores: Sync {
    /// Writes the scores of a tile as [`PairScores::tile`] does, a negative number for a pair that is not a candidate.
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i16]);

    /// Writes tiles of the same mentees in sequence, so that work per mentee is done once.
    fn tiles(&self, rows: Range<usize>) -> Fill<'_, i16> {
        Box::new(move |cols, out| self.tile(rows.clone(), cols, out))
    }

    /// All scores of a mentee, if the source stores them: then no caller has to copy them.
    fn row(&self, _mentee: usize) -> Option<&[i16]> {
        None
    }
}

// Here and not beside the type, because the trait names the type.
impl PairScores for SparseScores {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        out.fill(FORBIDDEN);
        for (row, out) in rows.zip(out.chunks_mut(cols.len().max(1))) {
            for edge in self.row(row) {
                if let Some(cell) = (edge.to as usize).checked_sub(cols.start).and_then(|at| out.get_mut(at))
                {
                    *cell = edge.score;
                }
            }
        }
    }

    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        self.row(mentee).iter().find(|edge| edge.to as usize == mentor).map(|edge| edge.score)
    }

    fn sparse(&self) -> Option<&SparseScores> {
        Some(self)
    }
}
