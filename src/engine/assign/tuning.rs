//! Tuning parameters of the solver. They determine how long a solve takes, never the value of its result.

use super::auction::Patience;
use crate::engine::problem::Problem;

/// Greatest number of mentors that the first core keeps per mentee.
const MAX_BREADTH: usize = 32;

/// Tuning parameters of one solve.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning {
    /// Mentors per mentee in the first core. If seats are scarce: half of this number, and for every mentor as many
    /// mentees plus two per seat.
    pub(super) breadth: usize,
    /// Greatest number of pairs per mentee that one pricing pass admits.
    pub(super) max_violations: usize,
    /// When the auction ends.
    pub(super) patience: Patience,
    /// While the core may lack pairs, single searches run before a phase if at most this many bidders wait.
    pub(super) few_waiting: usize,
    /// Batches of searches.
    pub(super) batches: BatchLimits,
}

/// When searches run in batches. In a large problem a search waits for memory most of the time, and the searches of a
/// batch wait together.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchLimits {
    /// Mentees and mentors from which on searches run in batches.
    pub(super) min_people: usize,
    /// Fewest searches of a batch.
    pub(super) min_searches: usize,
    /// Most searches of a batch.
    pub(super) max_searches: usize,
    /// Most edges that a search of a batch reads. A longer search would conflict with others, and its result takes
    /// memory.
    pub(super) max_edges: usize,
}

impl Tuning {
    /// Parameters for a problem. The number of best mentors that is enough for nearly every mentee grows with the
    /// logarithm of the number of mentors.
    pub(super) fn of(problem: &Problem<'_>) -> Self {
        let bits = problem.mentors.len().checked_ilog2().map_or(0, |log| log as usize + 1);
        Self { breadth: (6 + 2 * bits).min(MAX_BREADTH), ..Self::default() }
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            breadth: MAX_BREADTH,
            max_violations: 16,
            patience: Patience { bidders_per_served: 50, passes: 8 },
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
