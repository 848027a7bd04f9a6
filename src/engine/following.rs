//! Following: a result keeps pairs of an earlier result, so that nobody moves needlessly.
//!
//! The working group reviews a result while people still join and leave. A second run that moved people who could stay
//! would make every review mark worthless.
//!
//! Input: the pairs of the earlier result that are candidates of the present problem, and what one of them is worth
//! ([`KeptWorth`]): `stability` points of score, or more than all scores together for a repair. Output: scores under which a greatest total is a greatest
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
//! pairs. The certificate proves the optimum of that sum. For a repair a kept pair counts more than all scores together, up to
//! 214,000 places wanted; above, it counts as much as 32 bits hold.

use super::assign::Start;
use super::pair_scores::{FollowedScores, PairScores};
use super::problem::Problem;
use crate::domain::policy::FULL_SCORE;

/// What a kept pair is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeptWorth {
    /// So many points of score, 0..=10,000. With 0, kept pairs decide among equal totals.
    Points(u16),
    /// More than all scores together: after the people, most pairs are kept, and then the total is the greatest.
    BeforeScores,
}

impl Default for KeptWorth {
    fn default() -> Self {
        Self::Points(0)
    }
}

/// The pairs to keep, and what each is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Following {
    /// Candidates of the present problem, sorted.
    pairs: Vec<(u32, u32)>,
    scale: i32,
    bonus: i32,
}

impl Following {
    /// Keeps those of `pairs` that are candidates of `problem`. `None` if there are none, because then there is nothing to keep.
    pub(super) fn new(problem: &Problem<'_>, pairs: &[(u32, u32)], worth: KeptWorth) -> Option<Self> {
        let pairs = candidates(problem, pairs);
        let full = i32::from(FULL_SCORE);
        let (scale, bonus) = match worth {
            KeptWorth::Points(points) => {
                let points = i32::from(points.min(FULL_SCORE));
                let most = (i32::MAX - 1) / (full + points);
                let scale = i32::try_from(pairs.len() + 1).unwrap_or(most).min(most);
                (scale, scale * points + 1)
            }
            KeptWorth::BeforeScores => {
                let wanted =
                    problem.mentees.iter().map(|demand| i64::from(demand.wanted.min(2))).sum::<i64>();
                let all_scores = i32::try_from(wanted * i64::from(full) + 1).unwrap_or(i32::MAX);
                (1, all_scores.min(i32::MAX - full))
            }
        };
        (!pairs.is_empty()).then_some(Self { pairs, scale, bonus })
    }

    /// The same with the scale and the bonus of a problem with more pairs to keep, so that prices stay valid.
    pub(super) fn like(&self, problem: &Problem<'_>, pairs: &[(u32, u32)]) -> Option<Self> {
        let pairs = candidates(problem, pairs);
        (!pairs.is_empty()).then_some(Self { pairs, ..*self })
    }

    /// Where a repair of a problem starts: with all pairs to keep, and half of the bonus as the price of a mentor whose places
    /// they take, so that she attracts nobody else. Only who has no pair to keep is left to serve. `None` if scores count as
    /// much as kept pairs: then many of them may change.
    pub(super) fn start(&self, problem: &Problem<'_>) -> Option<Start> {
        let highest = i32::from(FULL_SCORE);
        let price = self.bonus / 2;
        if self.scale != 1 || price <= 2 * highest {
            return None;
        }
        let mut taken = vec![0_u32; problem.mentors.len()];
        for &(_, mentor) in &self.pairs {
            taken[mentor as usize] += 1;
        }
        let full = taken.iter().zip(problem.mentors).map(|(taken, seats)| *taken >= seats.max);
        let mentor_prices = full.map(|full| full.then_some(i128::from(price))).collect();
        Some(Start { pairs: self.pairs.clone(), mentor_prices, minimum: 0 })
    }

    /// The scores of a problem under which an assignment that keeps pairs is better.
    pub(super) fn scores<'a>(&'a self, scores: &'a dyn PairScores) -> FollowedScores<'a> {
        FollowedScores::new(scores, &self.pairs, self.scale, self.bonus)
    }
}

/// Those of some pairs that are candidates of a problem, sorted.
fn candidates(problem: &Problem<'_>, pairs: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let is_candidate =
        |&(mentee, mentor): &(u32, u32)| problem.scores.score(mentee as usize, mentor as usize).is_some();
    let mut pairs: Vec<(u32, u32)> = pairs.iter().copied().filter(is_candidate).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}
