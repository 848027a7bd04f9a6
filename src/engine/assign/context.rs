//! Context of a solve: statistics, progress and cancellation, which every step of the solver receives.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::domain::run::Stage;
use crate::engine::observer::{Observer, OffsetProgress, Stopped};
use crate::engine::problem::Problem;

/// Work of the solver, in numbers that do not depend on the machine or on the number of threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SolverStatistics {
    /// Bids in the auction.
    pub bids: u64,
    /// Searches from a mentee with an unserved place, those without a path included, and paths that phases augmented.
    pub searches: u64,
    /// Searches from a mentor with a vacancy, and paths that phases augmented from such mentors.
    pub reverse_searches: u64,
    /// Phases, in both directions.
    pub phases: u64,
    /// Nodes settled by searches.
    pub scans: u64,
    /// Pairs of the core read by bids, searches and phases.
    pub arcs: u64,
    /// Pricing passes over all pairs; the last one found no violation. On a list: tests for candidates that the
    /// candidate sublist of a warm start lacks.
    pub pricing_rounds: u64,
    /// Pairs that pricing admitted to the core. On a list: candidates that the sublist lacked.
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

/// Statistics and observer of a solve.
pub(in crate::engine) struct SolveContext<'a> {
    /// Work done so far.
    pub(in crate::engine) counters: SolverStatistics,
    /// Polls the observer.
    pub(in crate::engine) poll: StopPoll<'a>,
    /// Receives the progress.
    pub(in crate::engine) observer: &'a dyn Observer,
    /// Places that mentees want.
    wanted: u64,
    /// Served places.
    served: u64,
    /// Rows that passes over all pairs have read.
    rows_read: u64,
    /// Rows that one pass reads.
    rows_per_pass: u64,
}

impl<'a> SolveContext<'a> {
    /// A context without any work done.
    pub(in crate::engine) fn new(problem: &Problem<'_>, observer: &'a dyn Observer) -> Self {
        let wanted = problem.mentees.iter().map(|demand| u64::from(demand.wanted.min(2))).sum();
        // If candidates are not listed, core construction has read every row.
        let rows = if problem.scores.sparse().is_some() { 0 } else { problem.mentees.len() as u64 };
        let (counters, poll) = (SolverStatistics::default(), StopPoll::new(observer));
        Self { counters, poll, observer, wanted, served: 0, rows_read: rows, rows_per_pass: rows }
    }

    /// Reports the progress of the assignment while `waiting` bidders wait. A bidder counts as one place.
    pub(in crate::engine) fn progress(&mut self, waiting: usize) {
        self.served = self.wanted.saturating_sub(waiting as u64);
        let (done, total) = (self.rows_read + self.served, self.rows_read + self.wanted);
        self.observer.progress(Stage::Assign, done, total);
    }

    /// Begins a pass over all pairs and returns the observer of its progress.
    pub(in crate::engine) fn begin_pass(&mut self) -> OffsetProgress<'a> {
        let (done, total) = (self.rows_read + self.served, self.rows_read + self.wanted);
        self.rows_read += self.rows_per_pass;
        OffsetProgress { observer: self.observer, done, total }
    }

    /// Counts a node that a search settled, and the edges read there.
    pub(in crate::engine) fn count_scan(&mut self, edges: usize) -> Result<(), Stopped> {
        self.counters.scans += 1;
        self.counters.arcs += edges as u64;
        self.poll.count(edges)
    }
}

/// Polls the observer once in a fixed number of units of work. A unit takes some nanoseconds.
#[derive(Clone, Copy)]
pub(in crate::engine) struct StopPoll<'a> {
    observer: &'a dyn Observer,
    left: usize,
}

impl<'a> StopPoll<'a> {
    /// Units of work between two polls.
    const INTERVAL: usize = 1 << 15;

    pub(in crate::engine) fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, left: 0 }
    }

    /// The observer.
    pub(in crate::engine) fn observer(&self) -> &'a dyn Observer {
        self.observer
    }

    /// Counts units of work. Returns an error if the observer was polled and stops the operation.
    pub(in crate::engine) fn count(&mut self, units: usize) -> Result<(), Stopped> {
        if let Some(left) = self.left.checked_sub(units + 1) {
            self.left = left;
            return Ok(());
        }
        self.left = Self::INTERVAL;
        self.observer.check()
    }
}
