//! Scores with a bonus for some candidates.

use std::ops::Range;

use super::overlay::change_listed;
use super::{FORBIDDEN, PairScores, SparseScores};
use crate::engine::observer::{Observer, Stopped};

/// The scores of another source with a bonus for some candidates.
pub(in crate::engine) struct BonusScores<'a> {
    scores: &'a dyn PairScores,
    /// By mentee and mentor.
    pairs: &'a [(u32, u32)],
    bonus: i32,
    sparse: Option<SparseScores>,
}

impl<'a> BonusScores<'a> {
    /// The scores with `bonus` more for each of `pairs`, which are sorted and candidates. Scores must stay within 32 bits.
    pub(in crate::engine) fn new(
        scores: &'a dyn PairScores,
        pairs: &'a [(u32, u32)],
        bonus: i32,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let sparse = scores.sparse().map(|sparse| sparse.with_bonus(pairs, bonus, observer)).transpose()?;
        Ok(Self { scores, pairs, bonus, sparse })
    }
}

impl PairScores for BonusScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        self.scores.tile(rows.clone(), cols.clone(), out);
        change_listed(self.pairs, &rows, &cols, out, |score| {
            if *score != FORBIDDEN {
                *score = score.saturating_add(self.bonus);
            }
        });
    }

    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        self.scores.tie_break(mentee, mentor)
    }

    fn sparse(&self) -> Option<&SparseScores> {
        self.sparse.as_ref()
    }
}
