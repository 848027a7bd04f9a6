//! Scores by which each side of a round ranks the other side, for the objective STABLE.
//!
//! People who were named come before people who were not, and the score of the pair decides among them. A forbidden pair
//! stays forbidden.

use std::ops::Range;

use super::scores::Scores;
use crate::domain::policy::FULL_SCORE;
use crate::engine::eligibility::Plane;
use crate::engine::encode::ties::Relations;
use crate::engine::pair_scores::{FORBIDDEN, NarrowScores, PairScores};

/// Added to the score of a person who was named: above any score, and the sum fits in 16 bits.
const NAMED: i16 = FULL_SCORE.cast_signed() + 1;

/// The scores of a round by which one side ranks the other.
pub(in crate::engine) struct Preferred<'a> {
    scores: &'a Scores<'a>,
    named: Relations,
}

impl<'a> Preferred<'a> {
    /// The scores by which the mentees rank the mentors.
    pub(in crate::engine) fn by_mentees(scores: &'a Scores<'a>) -> Self {
        Self { scores, named: Relations::MENTEE_PREFERS }
    }

    /// The scores by which the mentors rank the mentees.
    pub(in crate::engine) fn by_mentors(scores: &'a Scores<'a>) -> Self {
        Self { scores, named: Relations::MENTOR_PREFERS }
    }
}

impl PairScores for Preferred<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        let mut narrow = vec![0; out.len()];
        NarrowScores::tile(self, rows, cols, &mut narrow);
        for (out, score) in out.iter_mut().zip(narrow) {
            *out = if score < 0 { FORBIDDEN } else { i32::from(score) };
        }
    }

    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        let named = self.scores.tied.of(mentee, mentor).has(self.named);
        self.scores.score(mentee, mentor).map(|score| if named { score + i32::from(NAMED) } else { score })
    }

    fn narrow(&self) -> Option<&dyn NarrowScores> {
        Some(self)
    }

    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        self.scores.tie_break(mentee, mentor)
    }
}

impl NarrowScores for Preferred<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i16]) {
        self.scores.fill(rows.clone(), cols.clone(), Plane::Scores, out);
        for (mentee, out) in rows.zip(out.chunks_mut(cols.len().max(1))) {
            for (mentor, ties, _) in self.scores.tied.of_range(mentee, &cols) {
                let score = &mut out[*mentor as usize - cols.start];
                if *score >= 0 && ties.has(self.named) {
                    *score += NAMED;
                }
            }
        }
    }
}
