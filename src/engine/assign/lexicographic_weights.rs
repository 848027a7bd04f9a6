//! Lexicographic weights: the whole objective as one sum.
//!
//! The objective is lexicographic: (1) mentees of tier 0 with a mentor, then of tier 1, and so on; (2) filled minimum
//! seats; (3) second mentors; (4) total score. Weights that *multiply* from aim to aim could overflow 64 bits, and are
//! not necessary.
//!
//! Let one *step* be more than (largest possible number of pairs) x (score range, zero included). A second place and a
//! minimum seat weigh one step each, the last tier that occurs weighs two steps, and every earlier tier weighs one step
//! more than the next. In steps, an assignment therefore weighs
//!
//! ```text
//! sum over k of N(k)  +  M  +  P
//! ```
//!
//! where `N(k)` is the number of mentees of tiers `0..=k` with a mentor, `M` the number of filled minimum seats, and `P`
//! the number of pairs. These counts are cumulative: for equal `N`, most second mentors means most pairs.
//!
//! **All counts reach their maxima at once.** Let A be an assignment that is best for `N(0)`, `N(1)`, ..., `M`, `P`, one
//! after the other. Suppose that an assignment B exceeds A in one of these counts. Close the network at the root: root
//! arcs lead from the root to the mentees (places) and from the mentors to the root (seats). The difference B - A is a
//! sum of simple cycles, each of which can be applied to A alone (flow decomposition). Each count is a sum over root
//! arcs, so some cycle raises the count. A simple cycle passes the root at most once, so this cycle changes two root
//! arcs:
//!
//! - A place and a seat gained: no count falls. Every cycle that raises `P` is of this kind.
//! - A seat gained, another mentor's seat lost: only `M` can change. It rises only if the lost seat is no minimum seat.
//! - A place gained, another mentee's place lost: only `N` changes. If `N(k)` rises, the lost place is a second place, or
//!   belongs to a tier after `k`. Then no `N(l)` with `l < k` falls.
//! - A place and a seat lost: no count rises.
//!
//! In each case the cycle raises its count and lowers no earlier one, so A was not the best. (For mentees alone this is
//! the transversal matroid of Edmonds and Fulkerson 1965; for both sides the theorem of Mendelsohn and Dulmage 1958.)
//!
//! So the greatest sum attains the aims (1) to (3) in their order: a loss of one unit costs a step, which outweighs all
//! scores together. The step is a power of two with a quarter to spare, so that the weights remain valid when a few
//! people join.

use crate::engine::certificate::{Certificate, TierWeight};
use crate::engine::price_integer::PriceInteger;
use crate::engine::problem::{Demand, Problem};

/// Greatest weight for which a certificate can hold prices that add up several weights.
const MAX_WEIGHT: i128 = 1 << 78;

/// Weights of the aims, in points of score. The weights of the units of one person do not increase: a first place weighs
/// at least as much as a second one, and a minimum seat weighs at least 0, the weight of a further seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LexicographicWeights {
    /// Tiers that occur, ascending, with the weights of their first places.
    tiers: Vec<TierWeight>,
    /// Weight of a minimum seat.
    minimum: i128,
    /// Weight of a second place.
    second: i128,
    /// Highest score of a candidate, at least 0.
    highest: i128,
    /// Difference between the highest and the lowest score, zero not included.
    score_range: i128,
}

impl LexicographicWeights {
    /// Weights for scores in `lowest..=highest`.
    pub(super) fn of(problem: &Problem<'_>, lowest: i32, highest: i32) -> Self {
        let mut present: Vec<u8> = problem.mentees.iter().map(|demand| demand.tier).collect();
        present.sort_unstable();
        present.dedup();
        let weights = Self::new(&present, most_pairs(problem), lowest, highest);
        if problem.coverage_first { weights } else { weights.scores_only() }
    }

    /// Weights that preserve the order of aims under quotas, where `groups` groups directly contain a mentee or a
    /// mentor with a minimum. Returns `None` if a certificate cannot hold these weights.
    ///
    /// Under quotas the counts do not reach their maxima at once. One more mentee of tier 0 in a full group can cost
    /// several mentees of tier 1: one in each group that makes room in turn. It costs at most one in each group. The
    /// difference of two assignments is a sum of simple cycles through the root, the groups and the people, each of
    /// which can be applied alone, and a simple cycle passes a group once. A cycle gives up at most one place or minimum
    /// seat per group, and two at the root: where the cycle enters and leaves. An aim therefore comes before the next
    /// one if its weight exceeds `groups + 2` weights of the next one plus all scores.
    pub(super) fn under_quotas(
        problem: &Problem<'_>,
        lowest: i32,
        highest: i32,
        groups: usize,
    ) -> Option<Self> {
        if groups == 0 {
            return Some(Self::of(problem, lowest, highest));
        }
        let mut weights = Self::of(problem, lowest, highest);
        let weight_step = weights.minimum;
        let lost = i128::try_from(groups).ok()?.checked_add(2)?;
        let above = |next: i128| {
            lost.checked_mul(next)?.checked_add(weight_step).filter(|weight| *weight <= MAX_WEIGHT)
        };
        if problem.coverage_first {
            weights.minimum = above(weights.second)?;
            let mut next = weights.minimum;
            for tier in weights.tiers.iter_mut().rev() {
                next = above(next)?;
                tier.weight = next;
            }
            lost.checked_mul(next).filter(|price| *price <= MAX_WEIGHT)?;
        }
        Some(weights)
    }

    /// The weights of a certificate, for scores in `lowest..=highest`. The weights of one person's units must not
    /// increase, as those of every certificate of this solver.
    pub(super) fn of_certificate(certificate: &Certificate, lowest: i32, highest: i32) -> Self {
        let &Certificate { ref tiers, minimum, second, .. } = certificate;
        debug_assert!(minimum >= 0 && second >= 0, "no unit has a negative weight");
        debug_assert!(
            tiers.iter().all(|tier| tier.weight >= second),
            "a first place weighs no less than a second"
        );
        let score_range = i128::from(highest) - i128::from(lowest);
        Self { tiers: tiers.clone(), minimum, second, highest: i128::from(highest.max(0)), score_range }
    }

    /// The same weights, except that only scores and minimum seats count.
    fn scores_only(mut self) -> Self {
        self.tiers.iter_mut().for_each(|tier| tier.weight = 0);
        Self { second: 0, ..self }
    }

    fn new(present: &[u8], most_pairs: i128, lowest: i32, highest: i32) -> Self {
        let score_range = i128::from(highest) - i128::from(lowest);
        let highest = i128::from(highest.max(0));
        let least = 1 + most_pairs * (highest - i128::from(lowest.min(0)));
        let weight_step = 1 << (i128::BITS - (least + least / 4).leading_zeros());
        let mut tiers: Vec<TierWeight> = (2_i128..)
            .zip(present.iter().rev())
            .map(|(steps, &tier)| TierWeight { tier, weight: steps * weight_step })
            .collect();
        tiers.reverse();
        Self { tiers, minimum: weight_step, second: weight_step, highest, score_range }
    }

    /// Whether every value that the solver computes fits an `i64`. No price exceeds the prohibitive price in size:
    ///
    /// - The conditions of places and seats give `u >= -w` for a first place of weight `w`, and `p >= -minimum`.
    /// - A pair in use gives `u <= highest + minimum` and `p <= highest + w`.
    /// - A mentor with an unused seat has `p <= 0`. A warm start clamps the prices that it takes over.
    ///
    /// The distances that a search stores stay below the retreat cost of its source, which is at most twice the
    /// prohibitive price. Relaxing a pair adds two prices and a score. Every sum is therefore at most about four times
    /// the prohibitive price, a quarter of the range, and [`PriceInteger::INFINITE`] is half of the range.
    pub(super) fn fits_i64(&self) -> bool {
        self.prohibitive_price() <= i128::from(i64::MAX >> 4)
    }

    /// Weight of the first place of a mentee beside the places that pins take: the weight of the tier, or the weight of
    /// a second place if the mentee has a mentor by a pin.
    pub(super) fn first<W: PriceInteger>(&self, demand: Demand) -> W {
        if demand.pinned > 0 {
            return self.second();
        }
        let at = self.tiers.partition_point(|entry| entry.tier < demand.tier);
        W::saturating_from(self.tiers.get(at).map_or(0, |entry| entry.weight))
    }

    /// Weight of a second place.
    pub(super) fn second<W: PriceInteger>(&self) -> W {
        W::saturating_from(self.second)
    }

    /// Weight of a minimum seat.
    pub(super) fn minimum<W: PriceInteger>(&self) -> W {
        W::saturating_from(self.minimum)
    }

    /// How far prices may move before all pairs are priced again: half the range of scores.
    pub(super) fn span<W: PriceInteger>(&self) -> W {
        W::saturating_from((self.score_range / 2).max(1))
    }

    /// Reduced cost up to which a pair is admitted early, by the first pricing pass and by the candidate sublist: a
    /// sixteenth of the range.
    pub(super) fn margin<W: PriceInteger>(&self) -> W {
        W::saturating_from(self.score_range / 16 + 1)
    }

    /// A price not below any gain: the price of a person without capacity.
    pub(super) fn prohibitive_price(&self) -> i128 {
        self.highest + self.second + self.minimum + self.tiers.first().map_or(0, |entry| entry.weight)
    }

    /// The certificate with these weights and the given prices.
    pub(super) fn certificate(self, mentee_prices: Vec<i128>, mentor_prices: Vec<i128>) -> Certificate {
        let Self { tiers, minimum, second, .. } = self;
        Certificate { tiers, minimum, second, mentee_prices, mentor_prices, ..Certificate::default() }
    }
}

/// The largest possible number of pairs.
fn most_pairs(problem: &Problem<'_>) -> i128 {
    let mentees = i128::try_from(problem.mentees.len()).unwrap_or(i128::MAX);
    let wanted: i128 = problem.mentees.iter().map(|demand| i128::from(demand.wanted.min(2))).sum();
    let offered: i128 = problem.mentors.iter().map(|seats| i128::from(seats.max).min(mentees)).sum();
    wanted.min(offered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_aim_outweighs_all_scores_together() {
        let weights = LexicographicWeights::new(&[0, 3], 10, -5, 7);
        assert_eq!((weights.minimum, weights.second), (256, 256));
        let demand = |tier, pinned| Demand { tier, wanted: 1, pinned };
        assert_eq!(weights.first::<i64>(demand(3, 0)), 512);
        assert_eq!(weights.first::<i64>(demand(0, 0)), 768);
        assert_eq!(weights.first::<i64>(demand(0, 1)), 256);
        assert!(weights.fits_i64());
    }

    #[test]
    fn a_million_people_with_extreme_scores_in_all_tiers_need_more_than_64_bits() {
        let tiers: Vec<u8> = (0..=u8::MAX).collect();
        assert!(!LexicographicWeights::new(&tiers, 2_000_000, i32::MIN + 1, i32::MAX).fits_i64());
        assert!(LexicographicWeights::new(&tiers, 2_000_000, 0, 10_000).fits_i64());
    }
}
