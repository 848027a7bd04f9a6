//! A problem in which some pairs score more.

use std::ops::Range;

use crate::engine::brought::Listed;
use crate::engine::problem::{FORBIDDEN, Observer, PairScores, Stopped};

/// The scores of another source with a bonus for some candidates.
pub(super) struct Favoured<'a> {
    scores: &'a dyn PairScores,
    /// By mentee and mentor.
    pairs: &'a [(u32, u32)],
    bonus: i32,
    listed: Option<Listed>,
}

impl<'a> Favoured<'a> {
    /// `bonus` more for each of `pairs`, which are sorted and candidates. Scores must stay within 32 bits.
    pub(super) fn new(
        scores: &'a dyn PairScores,
        pairs: &'a [(u32, u32)],
        bonus: i32,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let listed = scores.listed().map(|listed| listed.favouring(pairs, bonus, observer)).transpose()?;
        Ok(Self { scores, pairs, bonus, listed })
    }
}

impl PairScores for Favoured<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        self.scores.tile(rows.clone(), cols.clone(), out);
        let from = self.pairs.partition_point(|pair| (pair.0 as usize) < rows.start);
        let pairs = self.pairs[from..].iter().take_while(|pair| (pair.0 as usize) < rows.end);
        for &(mentee, mentor) in pairs.filter(|pair| cols.contains(&(pair.1 as usize))) {
            let cell = &mut out[(mentee as usize - rows.start) * cols.len() + mentor as usize - cols.start];
            if *cell != FORBIDDEN {
                *cell = cell.saturating_add(self.bonus);
            }
        }
    }

    fn lot(&self, mentee: usize, mentor: usize) -> u32 {
        self.scores.lot(mentee, mentor)
    }

    fn listed(&self) -> Option<&Listed> {
        self.listed.as_ref()
    }
}
