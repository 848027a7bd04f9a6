//! The knobs. They decide how long the solver takes and never what is best.

/// How the solver goes about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning {
    /// Best mentors per mentee in the first core.
    pub(super) breadth: usize,
    /// Worst violations per mentee that enter the core in one round of pricing.
    pub(super) worst: usize,
    /// Most passes of the auction.
    pub(super) passes: usize,
    /// Waiting mentees whom single searches serve more cheaply than a phase.
    pub(super) few: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { breadth: 32, worst: 16, passes: 20, few: 4 }
    }
}
