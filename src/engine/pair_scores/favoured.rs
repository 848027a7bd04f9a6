//! Scores under which some pairs come first among pairs of equal score.

use std::ops::Range;

use super::{NarrowScores, PairScores, SparseScores};
use crate::engine::observer::{Observer, Stopped};

/// The scores of another source, with the tie-break 0 for some pairs and a greater tie-break for all others.
pub(in crate::engine) struct FavouredScores<'a> {
    scores: &'a dyn PairScores,
    /// The pairs, sorted.
    first: &'a [(u32, u32)],
    sparse: Option<SparseScores>,
}

impl<'a> FavouredScores<'a> {
    /// Puts the sorted pairs `first` before pairs of equal score.
    pub(in crate::engine) fn new(
        scores: &'a dyn PairScores,
        first: &'a [(u32, u32)],
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let sparse = scores.sparse().map(|sparse| sparse.with_first(first, observer)).transpose()?;
        Ok(Self { scores, first, sparse })
    }
}

impl PairScores for FavouredScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        self.scores.tile(rows, cols, out);
    }

    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        self.scores.score(mentee, mentor)
    }

    fn narrow(&self) -> Option<&dyn NarrowScores> {
        self.scores.narrow()
    }

    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        let listed = |pair: &(u32, u32)| (pair.0 as usize, pair.1 as usize).cmp(&(mentee, mentor));
        match self.first.binary_search_by(listed) {
            Ok(_) => 0,
            Err(_) => self.scores.tie_break(mentee, mentor).max(1),
        }
    }

    fn row(&self, mentee: usize) -> Option<&[i32]> {
        self.scores.row(mentee)
    }

    fn sparse(&self) -> Option<&SparseScores> {
        self.sparse.as_ref()
    }
}
