//! The knobs. They decide how long the solver takes and never what is best.

use super::auction::Patience;
use crate::engine::problem::Problem;

/// Most mentors per mentee in the first core.
const BROADEST: usize = 32;

/// How the solver goes about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning {
    /// Best mentors per mentee in the first core; half of that, and as many mentees per mentor, where seats are scarce.
    pub(super) breadth: usize,
    /// Worst violations per mentee that enter the core in one round of pricing.
    pub(super) max_violations: usize,
    /// When searches are cheaper than more passes of the auction.
    pub(super) patience: Patience,
    /// Waiting mentees, or mentors with vacancies, from which on single searches are tried before a phase, while the core may lack pairs.
    pub(super) few_waiting: usize,
    /// When searches are made by groups.
    pub(super) batches: BatchLimits,
}

/// When searches are made by groups: where what a search reads is not at hand, several wait for it together.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchLimits {
    /// Mentees and mentors from which on they are.
    pub(super) min_people: usize,
    /// Fewest searches of a group, ...
    pub(super) min_searches: usize,
    /// ... and most.
    pub(super) max_searches: usize,
    /// Arcs that a search of a group may look at: one that goes farther would meet others, and takes room until then.
    pub(super) max_edges: usize,
}

impl Tuning {
    /// What suits a problem: how many of the best mentors are enough for nearly everybody grows with the logarithm of their
    /// number.
    pub(super) fn of(problem: &Problem<'_>) -> Self {
        let bits = problem.mentors.len().checked_ilog2().map_or(0, |log| log as usize + 1);
        Self { breadth: (6 + 2 * bits).min(BROADEST), ..Self::default() }
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            breadth: BROADEST,
            max_violations: 16,
            patience: Patience { bids: 50, passes: 8 },
            few_waiting: 8,
            batches: BatchLimits {
                min_people: 1 << 18,
                min_searches: 32,
                max_searches: 256,
                max_edges: 1 << 14,
            },
        }
    }
}
