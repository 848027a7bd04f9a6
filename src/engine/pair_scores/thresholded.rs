//! Scores without the candidates below a threshold; optionally all other candidates score 0.

use std::ops::Range;

use super::{FORBIDDEN, NarrowScores, PairScores, SparseScores};
use crate::engine::observer::{Observer, Stopped};

/// The scores of another source without the candidates below a threshold.
pub(in crate::engine) struct ThresholdedScores<'a> {
    scores: &'a dyn PairScores,
    threshold: i32,
    /// Whether all candidates score 0, so that only counts of people matter.
    levelled: bool,
    sparse: Option<SparseScores>,
}

impl<'a> ThresholdedScores<'a> {
    /// Candidates that score at least `threshold`.
    pub(in crate::engine) fn new(
        scores: &'a dyn PairScores,
        threshold: i32,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        Self::with(scores, threshold, false, observer)
    }

    /// The same candidates, all of which score 0.
    pub(in crate::engine) fn levelled(
        scores: &'a dyn PairScores,
        threshold: i32,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        Self::with(scores, threshold, true, observer)
    }

    fn with(
        scores: &'a dyn PairScores,
        threshold: i32,
        levelled: bool,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let mut thresholded = Self { scores, threshold, levelled, sparse: None };
        let map = |sparse: &SparseScores| sparse.map(|score| thresholded.of(score), observer);
        thresholded.sparse = scores.sparse().map(map).transpose()?;
        Ok(thresholded)
    }

    fn of(&self, score: i32) -> Option<i32> {
        let candidate = score != FORBIDDEN && score >= self.threshold;
        candidate.then_some(if self.levelled { 0 } else { score })
    }
}

impl PairScores for ThresholdedScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        self.scores.tile(rows, cols, out);
        for score in out {
            *score = self.of(*score).unwrap_or(FORBIDDEN);
        }
    }

    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        self.scores.score(mentee, mentor).and_then(|score| self.of(score))
    }

    fn narrow(&self) -> Option<&dyn NarrowScores> {
        self.scores.narrow().map(|_| self as &dyn NarrowScores)
    }

    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        self.scores.tie_break(mentee, mentor)
    }

    fn sparse(&self) -> Option<&SparseScores> {
        self.sparse.as_ref()
    }
}

impl NarrowScores for ThresholdedScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i16]) {
        let Some(narrow) = self.scores.narrow() else { return out.fill(i16::MIN) };
        narrow.tile(rows, cols, out);
        match i16::try_from(self.threshold.max(0)) {
            Err(_) => out.fill(i16::MIN),
            Ok(threshold) if self.levelled => {
                for score in out {
                    *score = if *score < threshold { i16::MIN } else { 0 };
                }
            }
            Ok(threshold) => {
                for score in out {
                    *score = if *score < threshold { i16::MIN } else { *score };
                }
            }
        }
    }
}
