//! The result of a solve.

use super::statistics::SolverStatistics;
use crate::engine::certificate::Certificate;

/// A best assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Pairs of a mentee and a mentor, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// Prices that prove that no assignment is better.
    pub certificate: Certificate,
    /// Work done.
    pub counters: SolverStatistics,
}
