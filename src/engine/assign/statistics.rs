//! Statistics of the solver.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Work of the solver, in numbers that do not depend on the machine or on the number of threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SolverStatistics {
    /// Bids in the auction.
    pub bids: u64,
    /// Shortest paths for a mentee's place: those of searches, and those that phases augmented.
    pub searches: u64,
    /// Shortest paths for a replacement in a seat: those of searches, and those that phases augmented.
    pub reverse_searches: u64,
    /// Phases, in both directions.
    pub phases: u64,
    /// Nodes settled by searches.
    pub scans: u64,
    /// Pairs of the core read by bids, searches and phases.
    pub arcs: u64,
    /// Passes over all pairs that priced them; the last one found no violation.
    pub pricing_rounds: u64,
    /// Pairs that pricing admitted to the core.
    pub priced_in: u64,
    /// Pairs in the core at the end.
    pub core_arcs: u64,
}

impl AddAssign for SolverStatistics {
    fn add_assign(&mut self, more: Self) {
        self.bids += more.bids;
        self.searches += more.searches;
        self.reverse_searches += more.reverse_searches;
        self.phases += more.phases;
        self.scans += more.scans;
        self.arcs += more.arcs;
        self.pricing_rounds += more.pricing_rounds;
        self.priced_in += more.priced_in;
        self.core_arcs = more.core_arcs;
    }
}
