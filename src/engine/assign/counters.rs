//! What the solver did, and the pulse by which it listens.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::domain::run::Stage;
use crate::engine::observer::{Observer, OffsetProgress, Stopped};
use crate::engine::problem::Problem;

/// Work done, in numbers that are the same on every machine and for every number of threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
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

impl AddAssign for Counters {
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

/// Work done so far, and the ear for the observer: what every step of the solver carries with it.
pub(in crate::engine) struct Work<'a> {
    /// Work done.
    pub(in crate::engine) counters: Counters,
    /// Asks whether to stop.
    pub(in crate::engine) pulse: Pulse<'a>,
    /// Who watches.
    pub(in crate::engine) observer: &'a dyn Observer,
    /// Places that mentees want.
    wanted: u64,
    /// Those of them that are served.
    served: u64,
    /// Rows read by the looks at all pairs.
    looked_at: u64,
    /// Rows that each of them reads.
    rows: u64,
}

impl<'a> Work<'a> {
    /// No work done yet.
    pub(in crate::engine) fn new(problem: &Problem<'_>, observer: &'a dyn Observer) -> Self {
        let wanted = problem.mentees.iter().map(|demand| u64::from(demand.wanted.min(2))).sum();
        // The survey is over, if there was one.
        let rows = if problem.scores.sparse().is_some() { 0 } else { problem.mentees.len() as u64 };
        let (counters, pulse) = (Counters::default(), Pulse::new(observer));
        Self { counters, pulse, observer, wanted, served: 0, looked_at: rows, rows }
    }

    /// Tells how far the assignment is when so many still wait.
    pub(in crate::engine) fn progress(&mut self, waiting: usize) {
        self.served = self.wanted.saturating_sub(waiting as u64);
        let (done, total) = (self.looked_at + self.served, self.looked_at + self.wanted);
        self.observer.progress(Stage::Assign, done, total);
    }

    /// Begins a look at all pairs: gives who watches its rows.
    pub(in crate::engine) fn look(&mut self) -> OffsetProgress<'a> {
        let (done, total) = (self.looked_at + self.served, self.looked_at + self.wanted);
        self.looked_at += self.rows;
        OffsetProgress { observer: self.observer, done, total }
    }

    /// Counts a node that a search has settled or left, and the arcs looked at there.
    pub(in crate::engine) fn count(&mut self, arcs: usize) -> Result<(), Stopped> {
        self.counters.scans += 1;
        self.counters.arcs += arcs as u64;
        self.pulse.beat(arcs)
    }
}

/// Asks the observer every so many units of work (each some nanoseconds) whether to stop.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Pulse<'a> {
    observer: &'a dyn Observer,
    left: usize,
}

impl<'a> Pulse<'a> {
    const INTERVAL: usize = 1 << 15;

    pub(in crate::engine) fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, left: 0 }
    }

    /// The observer.
    pub(in crate::engine) fn observer(&self) -> &'a dyn Observer {
        self.observer
    }

    /// Counts `work` units.
    pub(in crate::engine) fn beat(&mut self, work: usize) -> Result<(), Stopped> {
        if let Some(left) = self.left.checked_sub(work + 1) {
            self.left = left;
            return Ok(());
        }
        self.left = Self::INTERVAL;
        self.observer.check()
    }
}
