//! Pricing: every pair there is, against the prices.

use crate::domain::run::Stage;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, FORBIDDEN, PairScores};
use crate::engine::problem::Problem;

use super::best_k::{BestK, RankedPair};
use super::core::{Core, index};
use super::price_integer::PriceInteger;
use super::primal_dual_state::PrimalDualState;
use super::tiles::{LANE, LanePrices, RowVisitor, ScoreCell, walk};

/// Sums of prices are compared in 32 bits up to this size.
const LARGEST_SUM: i32 = 1 << 30;

/// What a look at all pairs outside the core found.
pub(super) struct PricedPairs {
    /// Pairs to take into the core, by mentee: those that offer most above the prices.
    pub(super) pairs: Vec<Vec<Edge>>,
    /// How many of them offer more than the prices say: if none does, the prices hold for every pair there is.
    pub(super) violations: usize,
}

/// The pairs of every mentee that offer more than the prices say less `margin`, worst first, at most `worst`. Over the core
/// the prices hold already: where even the cheapest mentor at the highest score outside of it offers no more than the mentee
/// has, her row is not read.
pub(super) fn price<W: PriceInteger>(
    problem: &Problem<'_>,
    state: &PrimalDualState<W>,
    core: &Core<'_>,
    worst: usize,
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
        relative: prices.relative(state.u[mentee] - margin),
        best: BestK::new(worst),
    };
    let found = walk(problem, observer, Stage::Assign, visitor)?;
    let violations = found.iter().map(|row| row.violations).sum();
    Ok(PricedPairs { pairs: found.into_iter().map(|row| row.pairs).collect(), violations })
}

/// How far apart the bases are from which prices are compared: what is above a base fits in 16 bits.
const BASE_STEP: i32 = 1 << 14;
/// Most bases. 6 bytes per mentor for each.
const MAX_BASES: usize = 16;

/// PriceScreen of all mentors for a quick first look: 6 bytes per mentor for each view.
struct PriceScreen<W> {
    /// Lowest price of a mentor who has places, and pairs that are not in the core.
    lowest_asked: W,
    /// The most that any pair outside the core can leave to its mentee, by what is known of its mentor.
    most_left: W,
    relative: Vec<RelativePrices<W>>,
}

/// PriceScreen of all mentors as those mentees see them whose own price is little above a base: what a pair must score less
/// what she has above the base. Where first places weigh more than all scores, prices lie in clusters far apart, and one
/// view for all would see nothing.
struct RelativePrices<W> {
    base: W,
    wide: Vec<i32>,
    narrow: Vec<i16>,
}

impl<W: PriceInteger> PriceScreen<W> {
    fn of(problem: &Problem<'_>, state: &PrimalDualState<W>, core: &Core<'_>, margin: W) -> Self {
        let (mut lowest_asked, mut most_left) = (W::INFINITE, -W::INFINITE);
        for (mentor, (&price, seats)) in state.prices().iter().zip(problem.mentors).enumerate() {
            let best = core.best_outside_of_mentor(mentor);
            if seats.max > 0 && best != FORBIDDEN {
                lowest_asked = lowest_asked.min(price);
                most_left = most_left.max(W::from(best) - price);
            }
        }
        let mut prices = Self { lowest_asked, most_left, relative: Vec::new() };
        let read = (0..state.mentees()).filter(|&mentee| !prices.hold_for(mentee, state, core));
        let mut bases: Vec<W> =
            read.map(|mentee| (state.u[mentee] - margin).rounded_down(BASE_STEP)).collect();
        bases.sort_unstable();
        bases.dedup();
        // Of too many, every so many; the lowest serves everybody.
        let few = bases.iter().copied().step_by(bases.len().div_ceil(MAX_BASES).max(1));
        prices.relative = few.map(|base| RelativePrices::new(base, state.prices())).collect();
        prices
    }

    /// Whether the prices hold for all pairs of a mentee outside the core, by the highest scores and the lowest price.
    fn hold_for(&self, mentee: usize, state: &PrimalDualState<W>, core: &Core<'_>) -> bool {
        let best = core.best_outside(mentee);
        let most = self.most_left.min(W::from(best) - self.lowest_asked);
        best == FORBIDDEN || most <= state.u[mentee]
    }

    /// The view for a mentee of this price, and what a score must exceed there beside the mentor's price; none below all
    /// bases, where nobody is whose row is read.
    fn relative(&self, u: W) -> Option<(&RelativePrices<W>, i32)> {
        let relative = self
            .relative
            .get(self.relative.partition_point(|relative| relative.base <= u).checked_sub(1)?)?;
        Some((relative, (u - relative.base).clamped(LARGEST_SUM - 1)))
    }
}

impl<W: PriceInteger> RelativePrices<W> {
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
    /// What a pair must leave to the mentee to be of interest.
    least: W,
    relative: Option<(&'a RelativePrices<W>, i32)>,
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
        let Some((relative, threshold)) = self.relative else {
            self.collect(mentee, first, scores);
            return;
        };
        let (lanes, rest) = scores.as_chunks::<LANE>();
        let (wide, _) = relative.wide[first..first + scores.len()].as_chunks::<LANE>();
        let (narrow, _) = relative.narrow[first..first + scores.len()].as_chunks::<LANE>();
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
        let outside = self.core.best_outside(mentee);
        let prices = &self.state.prices()[from..from + cells.len()];
        for ((cell, &price), at) in cells.iter().zip(prices).zip(from..) {
            let Some(score) = cell.score() else { continue };
            let value = W::from(score) - price;
            // The core has all pairs that score more than its limits say.
            if value > self.least
                && score <= outside.min(self.core.best_outside_of_mentor(at))
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
