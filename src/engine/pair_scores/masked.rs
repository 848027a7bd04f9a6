//! Scores without some candidates.

use std::ops::Range;

use super::overlay::{change_listed, of_rows};
use super::{FORBIDDEN, NarrowScores, Opposites, PairScores, SparseScores};
use crate::engine::observer::{Observer, Stopped};

/// The scores of another source without some of its candidates. Sparse scores stay sparse; nothing else is copied.
pub(in crate::engine) struct MaskedScores<'a> {
    scores: &'a dyn PairScores,
    /// By mentee and mentor.
    masked: Vec<(u32, u32)>,
    sparse: Option<SparseScores>,
    /// Whether these are the scores of a whole problem, to which the rule on directions belongs.
    is_whole: bool,
}

impl<'a> MaskedScores<'a> {
    /// The scores without the pairs `masked`, which are given by mentee and mentor in ascending order.
    pub(in crate::engine) fn new(
        scores: &'a dyn PairScores,
        masked: Vec<(u32, u32)>,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let sparse = scores.sparse().filter(|_| !masked.is_empty());
        let sparse = sparse.map(|sparse| sparse.without(&masked, observer)).transpose()?;
        Ok(Self { scores, masked, sparse, is_whole: false })
    }

    /// The pairs that are no candidates.
    pub(in crate::engine) fn masked(&self) -> &[(u32, u32)] {
        &self.masked
    }

    /// The same for a whole problem: in it, too, two people may not mentor each other if the source has that rule.
    pub(in crate::engine) fn of_whole(
        scores: &'a dyn PairScores,
        masked: Vec<(u32, u32)>,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        Ok(Self { is_whole: true, ..Self::new(scores, masked, observer)? })
    }
}

impl PairScores for MaskedScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        self.scores.tile(rows.clone(), cols.clone(), out);
        change_listed(&self.masked, &rows, &cols, out, |score| *score = FORBIDDEN);
    }

    fn narrow(&self) -> Option<&dyn NarrowScores> {
        self.scores.narrow().map(|_| self as &dyn NarrowScores)
    }

    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        let masked =
            of_rows(&self.masked, &(mentee..mentee + 1)).iter().any(|pair| pair.1 as usize == mentor);
        if masked { None } else { self.scores.score(mentee, mentor) }
    }

    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        self.scores.tie_break(mentee, mentor)
    }

    fn opposites(&self) -> Option<&Opposites> {
        if self.is_whole { self.scores.opposites() } else { None }
    }

    fn sparse(&self) -> Option<&SparseScores> {
        if self.masked.is_empty() { self.scores.sparse() } else { self.sparse.as_ref() }
    }
}

impl NarrowScores for MaskedScores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i16]) {
        let Some(narrow) = self.scores.narrow() else { return out.fill(i16::MIN) };
        narrow.tile(rows.clone(), cols.clone(), out);
        change_listed(&self.masked, &rows, &cols, out, |score| *score = i16::MIN);
    }
}
