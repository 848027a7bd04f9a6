//! Following: a result keeps pairs of an earlier result, so that nobody moves needlessly.
//!
//! The working group reviews a result while people still join and leave. A second run that moved people who could stay
//! would make every review mark worthless.
//!
//! Input: the pairs of the earlier result that are candidates of the present problem, and the points of score that one of
//! them is worth (`stability`). Output: scores under which a greatest total is a greatest
//! `total score + stability x kept pairs`, and among these keeps the most pairs.
//!
//! Let `n` be the number of pairs to keep, and the scale `K` be `n + 1`. Every score is multiplied by `K`, and a pair to keep
//! gets `K x stability + 1` more. The value of an assignment is then
//!
//! ```text
//! K x (total score + stability x kept pairs) + kept pairs
//! ```
//!
//! Kept pairs are fewer than `K`, so that they decide among equal sums only. The certificate of these scores proves both: that
//! no assignment has a greater sum, and that none of the same sum keeps more pairs. The aims before the scores keep their
//! precedence: no stability costs a person a match, a minimum place or a second mentor.
//!
//! Scores must fit 32 bits: `K` is at most `(2^31 - 2) / (10,000 + stability)`, which is 214,748 without stability and 107,374
//! with the greatest one. With more pairs to keep, `K` is that number: a kept pair is then worth `1 / K` of a point beside its
//! stability, so that all kept pairs together may cost `n / K` points of the total of the round, 5 points for a million
//! pairs. The certificate proves the optimum of that sum.

use super::pair_scores::{FollowedScores, PairScores};
use super::problem::Problem;
use crate::domain::policy::FULL_SCORE;

/// The pairs to keep, and what each is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Following {
    /// Candidates of the present problem, sorted.
    pairs: Vec<(u32, u32)>,
    stability: u16,
    scale: i32,
}

impl Following {
    /// Keeps those of `pairs` that are candidates of `problem`; each is worth `stability` points. `None` if there are none,
    /// because then there is nothing to keep.
    pub(super) fn new(problem: &Problem<'_>, pairs: &[(u32, u32)], stability: u16) -> Option<Self> {
        let is_candidate =
            |&(mentee, mentor): &(u32, u32)| problem.scores.score(mentee as usize, mentor as usize).is_some();
        let mut pairs: Vec<(u32, u32)> = pairs.iter().copied().filter(is_candidate).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let stability = stability.min(FULL_SCORE);
        let most = (i32::MAX - 1) / (i32::from(FULL_SCORE) + i32::from(stability));
        let scale = i32::try_from(pairs.len() + 1).unwrap_or(most).min(most);
        (!pairs.is_empty()).then_some(Self { pairs, stability, scale })
    }

    /// The same on the scale of a problem with more pairs to keep, so that prices are on one scale.
    pub(super) fn at_scale(
        problem: &Problem<'_>,
        pairs: &[(u32, u32)],
        stability: u16,
        scale: i32,
    ) -> Option<Self> {
        Self::new(problem, pairs, stability).map(|following| Self { scale, ..following })
    }

    /// The scale of the scores.
    pub(super) fn scale(&self) -> i32 {
        self.scale
    }

    /// The scores of a problem under which an assignment that keeps pairs is better.
    pub(super) fn scores<'a>(&'a self, scores: &'a dyn PairScores) -> FollowedScores<'a> {
        let scale = self.scale();
        FollowedScores::new(scores, &self.pairs, scale, scale * i32::from(self.stability) + 1)
    }
}
