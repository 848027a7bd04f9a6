//! Scores on a finer scale, with a bonus for the pairs of an earlier result.

use std::ops::Range;

use super::overlay::change_listed;
use super::{FORBIDDEN, Opposites, PairScores};

/// The scores of another source, each multiplied by a scale, and with a bonus for some candidates. The scores of the source
/// are at least 0, and the caller chooses scale and bonus so that all scores stay within 32 bits.
pub(in crate::engine) struct FollowedScores<'a> {
    scores: &'a dyn PairScores,
    /// By mentee and mentor.
    pairs: &'a [(u32, u32)],
    scale: i32,
    bonus: i32,
}

impl<'a> FollowedScores<'a> {
    /// The scores times `scale`, and `bonus` more for each of `pairs`, which are sorted.
    pub(in crate::engine) fn new(
        scores: &'a dyn PairScores,
        pairs: &'a [(u32, u32)],
        scale: i32,
        bonus: i32,
    ) -> Self {
        Self { scores, pairs, scale, bonus }
    }
}

impl PairScores for FollowedScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        self.scores.tile(rows.clone(), cols.clone(), out);
        for score in out.iter_mut() {
            // The multiple of a forbidden pair is not read.
            let scaled = score.wrapping_mul(self.scale);
            *score = if *score == FORBIDDEN { FORBIDDEN } else { scaled };
        }
        change_listed(self.pairs, &rows, &cols, out, |score| {
            if *score != FORBIDDEN {
                *score = score.saturating_add(self.bonus);
            }
        });
    }

    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        self.scores.tie_break(mentee, mentor)
    }

    // The scale belongs to the whole problem, and so does the rule on directions.
    fn opposites(&self) -> Option<&Opposites> {
        self.scores.opposites()
    }
}
