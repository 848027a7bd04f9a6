//! Pricing: every pair there is, against the prices.

use crate::engine::problem::{FORBIDDEN, Observer, PairScores, Problem, Stopped};

use super::core::{Arc, Core, index};
use super::state::State;
use super::tiles::{self, Cell, LANE, RowVisitor, walk};
use super::top::{Ranked, Top};
use super::weight::Weight;

/// Prices of mentors, less the lowest of them, are compared in 32 bits up to this size.
const NARROW: i32 = 1 << 30;

/// The pairs of every mentee that offer more than the prices say, worst first, at most `worst`; all empty if the prices
/// hold for every pair there is. Over the core they hold already: where even the cheapest mentor at the highest score outside
/// of it offers no more than the mentee has, her row is not read.
pub(super) fn violations<W: Weight>(
    problem: &Problem<'_>,
    state: &State<W>,
    core: &Core<'_>,
    worst: usize,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Arc>>, Stopped> {
    let prices = Prices::of(problem, state);
    let visitor = |mentee: usize| Violations {
        scores: problem.scores,
        state,
        prices: &prices,
        is_done: core.outside(mentee) == FORBIDDEN
            || W::from(core.outside(mentee)) - prices.lowest_asked <= state.u[mentee],
        sieve: prices.sieve(state.u[mentee]),
        top: Top::new(worst),
    };
    walk(problem, observer, None, visitor)
}

/// Prices of all mentors, exactly and for a quick first look. 14 bytes per mentor in 64-bit arithmetic.
struct Prices<W> {
    exact: Vec<W>,
    lowest: W,
    /// Lowest price of a mentor who has places.
    lowest_asked: W,
    /// Prices less `lowest`, or [`NARROW`] where that is more: never too high, so that the sieve misses nothing.
    wide: Vec<i32>,
    /// The same in 16 bits.
    narrow: Vec<i16>,
}

impl<W: Weight> Prices<W> {
    fn of(problem: &Problem<'_>, state: &State<W>) -> Self {
        let exact: Vec<W> = (0..state.mentors()).map(|mentor| state.price(mentor)).collect();
        let lowest = exact.iter().copied().min().unwrap_or_default();
        let asked = exact.iter().zip(problem.mentors).filter(|(_, seats)| seats.max > 0);
        let lowest_asked = asked.map(|(price, _)| *price).min().unwrap_or_default();
        let wide: Vec<i32> = exact.iter().map(|&price| (price - lowest).clamped(NARROW)).collect();
        let narrow = wide.iter().map(|price| i16::try_from(*price).unwrap_or(i16::MAX)).collect();
        Self { exact, lowest, lowest_asked, wide, narrow }
    }

    /// What a score must exceed, beside a mentor's narrow price, to be looked at; `None` if 32 bits cannot tell.
    fn sieve(&self, u: W) -> Option<i32> {
        let sum = u + self.lowest;
        (sum >= W::from(-NARROW)).then(|| sum.clamped(NARROW - 1))
    }
}

struct Violations<'a, W> {
    scores: &'a dyn PairScores,
    state: &'a State<W>,
    prices: &'a Prices<W>,
    is_done: bool,
    sieve: Option<i32>,
    top: Top<W>,
}

impl<W: Weight> RowVisitor for Violations<'_, W> {
    type Found = Vec<Arc>;

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn read<C: Cell>(&mut self, mentee: usize, first: usize, scores: &[C]) {
        let Some(sieve) = self.sieve else {
            self.collect(mentee, first, scores);
            return;
        };
        let all = self.prices;
        let (lanes, rest) = scores.as_chunks::<LANE>();
        let (wide, _) = all.wide[first..first + scores.len()].as_chunks::<LANE>();
        let (narrow, _) = all.narrow[first..first + scores.len()].as_chunks::<LANE>();
        for (((lane, wide), narrow), from) in lanes.iter().zip(wide).zip(narrow).zip((first..).step_by(LANE))
        {
            if C::any_above(lane, &tiles::Prices { wide, narrow }, sieve) {
                self.collect(mentee, from, lane);
            }
        }
        self.collect(mentee, first + scores.len() - rest.len(), rest);
    }

    fn finish(self, _: usize) -> Vec<Arc> {
        self.top.into_sorted().iter().map(|entry| Arc { to: entry.mentor, score: entry.score }).collect()
    }
}

impl<W: Weight> Violations<'_, W> {
    fn collect<C: Cell>(&mut self, mentee: usize, from: usize, cells: &[C]) {
        let u = self.state.u[mentee];
        let prices = &self.prices.exact[from..from + cells.len()];
        for ((cell, &price), at) in cells.iter().zip(prices).zip(from..) {
            let Some(score) = cell.score() else { continue };
            let value = W::from(score) - price;
            if value > u && !self.state.are_mates(mentee, index(at)) {
                self.top.offer(Ranked {
                    key: value,
                    lot: self.scores.lot(mentee, at),
                    mentor: index(at),
                    score,
                });
            }
        }
    }
}
