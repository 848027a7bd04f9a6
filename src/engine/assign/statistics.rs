//! The work of a solve in numbers.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Work done, in numbers that are the same on every machine and for every number of threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SolverStatistics {
    /// Bids in the auction.
    pub bids: u64,
    /// Shortest paths that seek a seat for a mentee: by searches, and found by phases.
    pub searches: u64,
    /// Shortest paths that seek a replacement for a seat: by searches, and found by phases.
    pub reverse_searches: u64,
    /// Phases that serve many mentees, or many seats, at once.
    pub phases: u64,
    /// Nodes settled by searches.
    pub scans: u64,
    /// Pairs of the core looked at by bids and searches.
    pub arcs: u64,
    /// Times that all pairs were priced; the last time found nothing.
    pub pricing_rounds: u64,
    /// Pairs that pricing added to the core.
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
