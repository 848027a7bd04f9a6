//! Pricing for a problem with quotas: one pass over all pairs collects, per mentee, the best pairs that exceed a threshold.

use rayon::prelude::*;

use crate::domain::run::Stage;
use crate::engine::assign::best_k::{BestK, RankedPair};
use crate::engine::assign::index;
use crate::engine::assign::tiles::{RowVisitor, ScoreCell, walk};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, FORBIDDEN, PairScores};
use crate::engine::price_integer::PriceInteger;
use crate::engine::problem::Problem;

/// Scores that are tested together before each one is examined.
const LANE: usize = 64;
/// Mentees between two calls of the observer.
const ROWS: usize = 1024;

/// The pairs to collect: those with `score - mentor price` above `above[mentee]` that are not in use.
pub(super) struct PricingQuery<'a, W> {
    /// Prices of mentors; [`PriceInteger::INFINITE`] excludes a mentor.
    pub(super) prices: &'a [W],
    /// Threshold of each mentee; [`PriceInteger::INFINITE`] excludes a mentee.
    pub(super) above: &'a [W],
    /// The present mentors of each mentee.
    pub(super) matched: &'a [Vec<u32>],
    /// Largest number of pairs per mentee.
    pub(super) limit: usize,
}

/// Collects the best pairs of every mentee, best first.
pub(super) fn best_pairs<W: PriceInteger>(
    problem: &Problem<'_>,
    query: &PricingQuery<'_, W>,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Edge>>, Stopped> {
    let visitor = |mentee: usize| BestPairs {
        scores: problem.scores,
        query,
        top: BestK::new(query.limit),
        above: query.above[mentee],
    };
    if let Some(sparse) = problem.scores.sparse() {
        let row = |mentee: usize| {
            let mut visitor = visitor(mentee);
            for edge in sparse.row(mentee) {
                visitor.consider(mentee, edge.to as usize, edge.score);
            }
            visitor.finish(mentee)
        };
        let rows = (0..problem.mentees.len()).into_par_iter().with_min_len(ROWS);
        return rows
            .map(|mentee| {
                if mentee.is_multiple_of(ROWS) {
                    observer.check()?;
                }
                Ok(row(mentee))
            })
            .collect();
    }
    walk(problem, observer, Stage::Assign, visitor)
}

struct BestPairs<'a, W> {
    scores: &'a dyn PairScores,
    query: &'a PricingQuery<'a, W>,
    top: BestK<W>,
    /// Only values above this number can still enter.
    above: W,
}

impl<W: PriceInteger> RowVisitor for BestPairs<'_, W> {
    type Found = Vec<Edge>;

    fn read<C: ScoreCell>(&mut self, mentee: usize, first: usize, scores: &[C]) {
        let prices = &self.query.prices[first..first + scores.len()];
        for ((scores, prices), from) in
            scores.chunks(LANE).zip(prices.chunks(LANE)).zip((first..).step_by(LANE))
        {
            let above = self.above;
            let mut hit = false;
            for (cell, &price) in scores.iter().zip(prices) {
                hit |= cell.score().is_some_and(|score| W::from(score) - price > above);
            }
            if hit {
                for (cell, mentor) in scores.iter().zip(from..) {
                    if let Some(score) = cell.score() {
                        self.consider(mentee, mentor, score);
                    }
                }
            }
        }
    }

    fn finish(self, _: usize) -> Vec<Edge> {
        self.top.into_sorted().iter().map(|entry| Edge { to: entry.to, score: entry.score }).collect()
    }
}

impl<W: PriceInteger> BestPairs<'_, W> {
    fn consider(&mut self, mentee: usize, mentor: usize, score: i32) {
        let key = W::from(score) - self.query.prices[mentor];
        if score == FORBIDDEN || key <= self.above || self.query.matched[mentee].contains(&index(mentor)) {
            return;
        }
        let entry =
            RankedPair { key, tie_break: self.scores.tie_break(mentee, mentor), to: index(mentor), score };
        if self.top.offer(entry) {
            // A pair of equal key can still enter by its tie-break.
            let floor = self.top.floor().map(|floor| floor - W::from(1));
            self.above = floor.map_or(self.above, |floor| floor.max(self.above));
        }
    }
}
