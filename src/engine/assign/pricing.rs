//! Pricing: every pair there is, against the prices.

use crate::domain::run::Stage;
use crate::engine::problem::{FORBIDDEN, Observer, Problem, Stopped};

use super::core::{Arc, index};
use super::state::State;
use super::tiles::{RowVisitor, walk};
use super::top::{Ranked, Top, lot};
use super::weight::Weight;

/// Scores tested at a time before any is looked at singly.
const LANE: usize = 32;

/// The pairs of every mentee that offer more than the prices say, worst first, at most `worst`; all empty if the prices hold
/// for every pair there is.
pub(super) fn violations<W: Weight>(
    problem: &Problem<'_>,
    state: &State<W>,
    worst: usize,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Arc>>, Stopped> {
    let prices: Vec<W> = (0..state.mentors()).map(|mentor| state.door(mentor).price).collect();
    let visitor = |_| Violations { state, prices: &prices, top: Top::new(worst) };
    walk(problem, observer, Stage::Assign, visitor)
}

struct Violations<'a, W> {
    state: &'a State<W>,
    prices: &'a [W],
    top: Top<W>,
}

impl<W: Weight> RowVisitor for Violations<'_, W> {
    type Found = Vec<Arc>;

    fn read(&mut self, mentee: usize, first: usize, scores: &[i32]) {
        let u = self.state.u[mentee];
        let prices = &self.prices[first..first + scores.len()];
        for ((lane, prices), from) in
            scores.chunks(LANE).zip(prices.chunks(LANE)).zip((first..).step_by(LANE))
        {
            let mut hit = false;
            for (&score, &price) in lane.iter().zip(prices) {
                hit |= (score != FORBIDDEN) & (W::from(score) - price > u);
            }
            if hit {
                self.collect(mentee, from, lane, prices, u);
            }
        }
    }

    fn finish(self, _: usize) -> Vec<Arc> {
        self.top.into_sorted().iter().map(|entry| Arc { to: entry.mentor, score: entry.score }).collect()
    }
}

impl<W: Weight> Violations<'_, W> {
    fn collect(&mut self, mentee: usize, from: usize, lane: &[i32], prices: &[W], u: W) {
        for ((&score, &price), at) in lane.iter().zip(prices).zip(from..) {
            let value = W::from(score) - price;
            if score != FORBIDDEN && value > u && !self.state.are_mates(mentee, index(at)) {
                self.top.offer(Ranked { key: value, lot: lot(mentee, at), mentor: index(at), score });
            }
        }
    }
}
