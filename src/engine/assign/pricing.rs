//! Pricing: every pair there is, against the prices.

use crate::engine::problem::{FORBIDDEN, Observer, PairScores, Problem, Stopped};

use super::core::{Arc, index};
use super::state::State;
use super::tiles::{RowVisitor, walk};
use super::top::{Ranked, Top};
use super::weight::Weight;

/// Scores tested at a time before any is looked at singly.
const LANE: usize = 64;
/// Prices of mentors, less the lowest of them, are compared in 32 bits up to this size.
const NARROW: i32 = 1 << 30;

/// The pairs of every mentee that offer more than the prices say, worst first, at most `worst`; all empty if the prices
/// hold for every pair there is.
pub(super) fn violations<W: Weight>(
    problem: &Problem<'_>,
    state: &State<W>,
    worst: usize,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Arc>>, Stopped> {
    let prices = Prices::of(state);
    let visitor = |mentee| Violations {
        scores: problem.scores,
        state,
        prices: &prices,
        sieve: prices.sieve(state.u[mentee]),
        top: Top::new(worst),
    };
    walk(problem, observer, None, visitor)
}

/// Prices of all mentors, exactly and for a quick first look.
struct Prices<W> {
    exact: Vec<W>,
    lowest: W,
    /// Prices less `lowest`, or [`NARROW`] where that is more: never too high, so that the sieve misses nothing.
    narrow: Vec<i32>,
}

impl<W: Weight> Prices<W> {
    fn of(state: &State<W>) -> Self {
        let exact: Vec<W> = (0..state.mentors()).map(|mentor| state.door(mentor).price).collect();
        let lowest = exact.iter().copied().min().unwrap_or_default();
        let narrow = exact.iter().map(|&price| (price - lowest).clamped(NARROW)).collect();
        Self { exact, lowest, narrow }
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
    sieve: Option<i32>,
    top: Top<W>,
}

impl<W: Weight> RowVisitor for Violations<'_, W> {
    type Found = Vec<Arc>;

    fn read(&mut self, mentee: usize, first: usize, scores: &[i32]) {
        let Some(sieve) = self.sieve else {
            self.collect(mentee, first, scores);
            return;
        };
        let prices = self.prices;
        let (lanes, rest) = scores.as_chunks::<LANE>();
        let (narrow, _) = prices.narrow[first..first + scores.len()].as_chunks::<LANE>();
        for ((lane, narrow), from) in lanes.iter().zip(narrow).zip((first..).step_by(LANE)) {
            // A forbidden pair never passes: it scores less than any sum of the two.
            let mut hit = false;
            for (&score, &price) in lane.iter().zip(narrow) {
                hit |= score > price + sieve;
            }
            if hit {
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
    fn collect(&mut self, mentee: usize, from: usize, scores: &[i32]) {
        let u = self.state.u[mentee];
        let prices = &self.prices.exact[from..from + scores.len()];
        for ((&score, &price), at) in scores.iter().zip(prices).zip(from..) {
            let value = W::from(score) - price;
            if score != FORBIDDEN && value > u && !self.state.are_mates(mentee, index(at)) {
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
