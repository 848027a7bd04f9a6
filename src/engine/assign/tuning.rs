//! The knobs. They decide how long the solver takes and never what is best.

use super::auction::Patience;

/// How the solver goes about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning {
    /// Best mentors per mentee in the first core; half of that, and as many mentees per mentor, where seats are scarce.
    pub(super) breadth: usize,
    /// Worst violations per mentee that enter the core in one round of pricing.
    pub(super) worst: usize,
    /// When searches are cheaper than more passes of the auction.
    pub(super) patience: Patience,
    /// Waiting mentees, or mentors with holes, from which on single searches are tried before a phase, while the core may lack pairs.
    pub(super) few: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { breadth: 32, worst: 16, patience: Patience { bids: 50, passes: 8 }, few: 8 }
    }
}
