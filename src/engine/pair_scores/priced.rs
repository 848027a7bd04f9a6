//! Scores less a price for some pairs.

use std::ops::Range;

use super::{FORBIDDEN, PairScores};

/// The scores of another source, less a price for each of some pairs.
pub(in crate::engine) struct PricedScores<'a> {
    scores: &'a dyn PairScores,
    /// Pairs with their prices, sorted by pair.
    prices: &'a [((u32, u32), i32)],
}

impl<'a> PricedScores<'a> {
    /// The scores less `prices`, which are at least 0 and sorted by pair.
    pub(in crate::engine) fn new(scores: &'a dyn PairScores, prices: &'a [((u32, u32), i32)]) -> Self {
        Self { scores, prices }
    }
}

impl PairScores for PricedScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        self.scores.tile(rows.clone(), cols.clone(), out);
        let from = self.prices.partition_point(|((mentee, _), _)| (*mentee as usize) < rows.start);
        for &((mentee, mentor), price) in &self.prices[from..] {
            let (mentee, mentor) = (mentee as usize, mentor as usize);
            if mentee >= rows.end {
                break;
            }
            if cols.contains(&mentor) {
                let score = &mut out[(mentee - rows.start) * cols.len() + mentor - cols.start];
                if *score != FORBIDDEN {
                    *score = score.saturating_sub(price).max(FORBIDDEN + 1);
                }
            }
        }
    }

    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        self.scores.tie_break(mentee, mentor)
    }
}
