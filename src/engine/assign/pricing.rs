//! Pricing: one pass over all pairs outside the core collects those that violate the prices.
//!
//! A pair outside the core violates the prices if it leaves its mentee more than `u`. If no pair does, the prices are
//! valid for every pair, and the optimum of the core is the optimum of the problem. The pass compares 16-bit
//! differences from a few base prices first, and exact prices only for survivors. Time: O(P) comparisons for P pairs,
//! less for the rows that bounds rule out. Memory: 6 bytes per mentor and base.

use crate::domain::run::Stage;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, FORBIDDEN, PairScores};
use crate::engine::price_integer::PriceInteger;
use crate::engine::problem::Problem;

use super::best_k::{BestK, RankedPair};
use super::core::{Core, index};
use super::primal_dual_state::PrimalDualState;
use super::tiles::{LANE, LanePrices, RowVisitor, ScoreCell, walk};

/// Sums of prices are compared in 32 bits up to this size.
const LARGEST_SUM: i32 = 1 << 30;

/// Result of a pricing pass.
pub(super) struct PricedPairs {
    /// Pairs to admit to the core, by mentee: those with the greatest value.
    pub(super) pairs: Vec<Vec<Edge>>,
    /// Number of pairs among them that violate the prices. If it is 0, the prices are valid for every pair.
    pub(super) violations: usize,
}

/// Collects the pairs outside the core whose value exceeds `u - margin`, greatest value first, at most `max_violations`
/// per mentee. A row is skipped if even the cheapest mentor at the highest score outside the core cannot violate the
/// prices.
///
/// After a warm start on dense scores, a pair in use may be outside the core. Such a pair then counts as a violation if
/// it offers more than `u`. This costs work, not optimality: the pair enters the core and its conditions hold.
pub(super) fn price<W: PriceInteger>(
    problem: &Problem<'_>,
    state: &PrimalDualState<W>,
    core: &Core<'_>,
    max_violations: usize,
    margin: W,
    observer: &dyn Observer,
) -> Result<PricedPairs, Stopped> {
    let prices = PriceScreen::of(problem, state, core, margin);
    let visitor = |mentee: usize| ViolationScreening {
        scores: problem.scores,
        state,
        core,
        is_done: prices.hold_for(mentee, state, core),
        least: state.u[mentee] - margin,
        shifted: prices.shifted(state.u[mentee] - margin),
        best: BestK::new(max_violations),
    };
    let found = walk(problem, observer, Stage::Assign, visitor)?;
    let violations = found.iter().map(|row| row.violations).sum();
    Ok(PricedPairs { pairs: found.into_iter().map(|row| row.pairs).collect(), violations })
}

/// Distance between bases: the part of a price above its base fits in 16 bits.
const BASE_STEP: i32 = 1 << 14;
/// Most bases. A base takes 6 bytes per mentor.
const MAX_BASES: usize = 16;

/// Prices of all mentors, shifted by a few bases, for screening.
struct PriceScreen<W> {
    /// Lowest price of a mentor with seats and with pairs outside the core.
    lowest_price: W,
    /// Upper bound on the value of a pair outside the core, from the bounds of the mentors.
    highest_value: W,
    shifted: Vec<ShiftedPrices<W>>,
}

/// Prices of all mentors plus a base, for mentees whose own price is slightly above the base. If first places weigh more
/// than all scores, prices form clusters far apart; for most rows, a single base would be too far from `u`.
struct ShiftedPrices<W> {
    base: W,
    wide: Vec<i32>,
    narrow: Vec<i16>,
}

impl<W: PriceInteger> PriceScreen<W> {
    fn of(problem: &Problem<'_>, state: &PrimalDualState<W>, core: &Core<'_>, margin: W) -> Self {
        let (mut lowest_price, mut highest_value) = (W::INFINITE, -W::INFINITE);
        for (mentor, (&price, seats)) in state.prices().iter().zip(problem.mentors).enumerate() {
            let best = core.best_excluded_of_mentor(mentor);
            if seats.max > 0 && best != FORBIDDEN {
                lowest_price = lowest_price.min(price);
                highest_value = highest_value.max(W::from(best) - price);
            }
        }
        let mut prices = Self { lowest_price, highest_value, shifted: Vec::new() };
        let read = (0..state.mentees()).filter(|&mentee| !prices.hold_for(mentee, state, core));
        let mut bases: Vec<W> =
            read.map(|mentee| (state.u[mentee] - margin).rounded_down(BASE_STEP)).collect();
        bases.sort_unstable();
        bases.dedup();
        // If there are too many bases, every k-th is kept. The lowest one is valid for all rows that are read.
        let few = bases.iter().copied().step_by(bases.len().div_ceil(MAX_BASES).max(1));
        prices.shifted = few.map(|base| ShiftedPrices::new(base, state.prices())).collect();
        prices
    }

    /// Whether bounds prove the prices valid for all pairs of a mentee outside the core.
    fn hold_for(&self, mentee: usize, state: &PrimalDualState<W>, core: &Core<'_>) -> bool {
        let best = core.best_excluded(mentee);
        let most = self.highest_value.min(W::from(best) - self.lowest_price);
        best == FORBIDDEN || most <= state.u[mentee]
    }

    /// The shifted prices for a mentee with price `u`, and the threshold that a score minus a shifted price must exceed.
    /// Returns `None` if `u` is below all bases, which occurs only for rows that are skipped.
    fn shifted(&self, u: W) -> Option<(&ShiftedPrices<W>, i32)> {
        let shifted =
            self.shifted.get(self.shifted.partition_point(|shifted| shifted.base <= u).checked_sub(1)?)?;
        Some((shifted, (u - shifted.base).clamped(LARGEST_SUM - 1)))
    }
}

impl<W: PriceInteger> ShiftedPrices<W> {
    fn new(base: W, prices: &[W]) -> Self {
        let wide = prices.iter().map(|&price| match price + base {
            sum if sum < W::from(-LARGEST_SUM) => FORBIDDEN,
            sum => sum.clamped(LARGEST_SUM),
        });
        let wide: Vec<i32> = wide.collect();
        let cut = |sum: &i32| i16::try_from(*sum).unwrap_or(if *sum < 0 { i16::MIN } else { i16::MAX });
        let narrow = wide.iter().map(cut).collect();
        Self { base, wide, narrow }
    }
}

struct ViolationScreening<'a, W> {
    scores: &'a dyn PairScores,
    state: &'a PrimalDualState<W>,
    core: &'a Core<'a>,
    is_done: bool,
    /// The value that a pair must exceed to be collected.
    least: W,
    shifted: Option<(&'a ShiftedPrices<W>, i32)>,
    best: BestK<W>,
}

struct ViolationsOfMentee {
    pairs: Vec<Edge>,
    violations: usize,
}

impl<W: PriceInteger> RowVisitor for ViolationScreening<'_, W> {
    type Found = ViolationsOfMentee;

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn read<C: ScoreCell>(&mut self, mentee: usize, first: usize, scores: &[C]) {
        let Some((shifted, threshold)) = self.shifted else {
            self.collect(mentee, first, scores);
            return;
        };
        let (lanes, rest) = scores.as_chunks::<LANE>();
        let (wide, _) = shifted.wide[first..first + scores.len()].as_chunks::<LANE>();
        let (narrow, _) = shifted.narrow[first..first + scores.len()].as_chunks::<LANE>();
        for (((lane, wide), narrow), from) in lanes.iter().zip(wide).zip(narrow).zip((first..).step_by(LANE))
        {
            if C::any_above(lane, &LanePrices { wide, narrow }, threshold) {
                self.collect(mentee, from, lane);
            }
        }
        self.collect(mentee, first + scores.len() - rest.len(), rest);
    }

    fn finish(self, mentee: usize) -> ViolationsOfMentee {
        let found = self.best.into_sorted();
        let violations = found.partition_point(|entry| entry.key > self.state.u[mentee]);
        let pairs = found.iter().map(|entry| Edge { to: entry.to, score: entry.score });
        ViolationsOfMentee { pairs: pairs.collect(), violations }
    }
}

impl<W: PriceInteger> ViolationScreening<'_, W> {
    fn collect<C: ScoreCell>(&mut self, mentee: usize, from: usize, cells: &[C]) {
        let best_excluded = self.core.best_excluded(mentee);
        let prices = &self.state.prices()[from..from + cells.len()];
        for ((cell, &price), at) in cells.iter().zip(prices).zip(from..) {
            let Some(score) = cell.score() else { continue };
            let value = W::from(score) - price;
            // The core has every pair that scores more than the bounds.
            if value > self.least
                && score <= best_excluded.min(self.core.best_excluded_of_mentor(at))
                && !self.core.has(mentee, index(at))
            {
                self.best.offer(RankedPair {
                    key: value,
                    tie_break: self.scores.tie_break(mentee, at),
                    to: index(at),
                    score,
                });
            }
        }
    }
}
