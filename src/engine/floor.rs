//! A problem in which only pairs from some score upwards count as candidates, and one in which only the number of people
//! counts. Both are made of another problem without copying its scores, unless they are listed.

use std::ops::Range;

use super::brought::Listed;
use super::problem::{FORBIDDEN, NarrowScores, Observer, PairScores, Problem, Stopped};

/// The scores of another source, less every candidate below a floor.
pub struct Floored<'a> {
    scores: &'a dyn PairScores,
    floor: i32,
    /// Whether all candidates that are left score 0, so that only people are counted.
    level: bool,
    listed: Option<Listed>,
}

impl<'a> Floored<'a> {
    /// Candidates that score at least `floor`.
    pub fn new(scores: &'a dyn PairScores, floor: i32, observer: &dyn Observer) -> Result<Self, Stopped> {
        let change = |score| (score >= floor).then_some(score);
        let listed = scores.listed().map(|listed| listed.map(change, observer)).transpose()?;
        Ok(Self { scores, floor, level: false, listed })
    }

    /// The same candidates, all of which score 0.
    pub fn level(scores: &'a dyn PairScores, floor: i32, observer: &dyn Observer) -> Result<Self, Stopped> {
        let change = |score| (score >= floor).then_some(0);
        let listed = scores.listed().map(|listed| listed.map(change, observer)).transpose()?;
        Ok(Self { scores, floor, level: true, listed })
    }

    /// `problem` with these scores.
    pub fn problem<'b>(&'b self, problem: &Problem<'b>) -> Problem<'b> {
        Problem { scores: self, ..*problem }
    }

    fn of(&self, score: i32) -> Option<i32> {
        (score != FORBIDDEN && score >= self.floor).then_some(if self.level { 0 } else { score })
    }
}

impl PairScores for Floored<'_> {
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

    fn lot(&self, mentee: usize, mentor: usize) -> u32 {
        self.scores.lot(mentee, mentor)
    }

    fn listed(&self) -> Option<&Listed> {
        self.listed.as_ref()
    }
}

impl NarrowScores for Floored<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i16]) {
        let Some(narrow) = self.scores.narrow() else { return out.fill(i16::MIN) };
        narrow.tile(rows, cols, out);
        match i16::try_from(self.floor.max(0)) {
            Err(_) => out.fill(i16::MIN),
            Ok(floor) if self.level => {
                for score in out {
                    *score = if *score < floor { i16::MIN } else { 0 };
                }
            }
            Ok(floor) => {
                for score in out {
                    *score = if *score < floor { i16::MIN } else { *score };
                }
            }
        }
    }
}
