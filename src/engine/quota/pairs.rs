//! Looks at all pairs for those that offer more than prices say, or that lead out of a set of people.

use rayon::prelude::*;

use crate::domain::run::Stage;
use crate::engine::assign::best_k::{BestK, RankedPair};
use crate::engine::assign::index;
use crate::engine::assign::price_integer::PriceInteger;
use crate::engine::assign::tiles::{RowVisitor, ScoreCell, walk};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{Edge, FORBIDDEN, PairScores};
use crate::engine::problem::Problem;

/// Scores tested at a time before any is looked at singly.
const LANE: usize = 64;
/// Mentees between two looks at the observer.
const ROWS: usize = 1024;

/// What to look for: pairs with `score - mentor price` above `above[mentee]` that are not in use.
pub(super) struct Sought<'a, W> {
    /// Prices of mentors; [`PriceInteger::INFINITE`] for those who are not wanted.
    pub(super) prices: &'a [W],
    /// What a mentee's pairs have to exceed; [`PriceInteger::INFINITE`] if she wants none.
    pub(super) above: &'a [W],
    /// Mentors of each mentee.
    pub(super) mates: &'a [Vec<u32>],
    /// Most pairs per mentee.
    pub(super) most: usize,
}

/// The best pairs of every mentee among those sought, best first.
pub(super) fn best<W: PriceInteger>(
    problem: &Problem<'_>,
    sought: &Sought<'_, W>,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Edge>>, Stopped> {
    let visitor = |mentee: usize| Best {
        scores: problem.scores,
        sought,
        top: BestK::new(sought.most),
        above: sought.above[mentee],
    };
    if let Some(listed) = problem.scores.sparse() {
        let row = |mentee: usize| {
            let mut visitor = visitor(mentee);
            for arc in listed.row(mentee) {
                visitor.consider(mentee, arc.to as usize, arc.score);
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

struct Best<'a, W> {
    scores: &'a dyn PairScores,
    sought: &'a Sought<'a, W>,
    top: BestK<W>,
    /// Nothing up to here is looked at any more.
    above: W,
}

impl<W: PriceInteger> RowVisitor for Best<'_, W> {
    type Found = Vec<Edge>;

    fn read<C: ScoreCell>(&mut self, mentee: usize, first: usize, scores: &[C]) {
        let prices = &self.sought.prices[first..first + scores.len()];
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

impl<W: PriceInteger> Best<'_, W> {
    fn consider(&mut self, mentee: usize, mentor: usize, score: i32) {
        let key = W::from(score) - self.sought.prices[mentor];
        if score == FORBIDDEN || key <= self.above || self.sought.mates[mentee].contains(&index(mentor)) {
            return;
        }
        let entry =
            RankedPair { key, tie_break: self.scores.tie_break(mentee, mentor), to: index(mentor), score };
        if self.top.offer(entry) {
            // An equal key may still win by its tie-break.
            let floor = self.top.floor().map(|floor| floor - W::from(1));
            self.above = floor.map_or(self.above, |floor| floor.max(self.above));
        }
    }
}
