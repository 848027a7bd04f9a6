//! What the solver did, and the poll by which it listens.

use crate::domain::run::Stage;
use crate::engine::observer::{Observer, OffsetProgress, Stopped};
use crate::engine::problem::Problem;

use super::statistics::SolverStatistics;

/// Work done so far, and the ear for the observer: what every step of the solver carries with it.
pub(in crate::engine) struct SolveContext<'a> {
    /// Work done.
    pub(in crate::engine) counters: SolverStatistics,
    /// Asks whether to stop.
    pub(in crate::engine) poll: StopPoll<'a>,
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

impl<'a> SolveContext<'a> {
    /// No work done yet.
    pub(in crate::engine) fn new(problem: &Problem<'_>, observer: &'a dyn Observer) -> Self {
        let wanted = problem.mentees.iter().map(|demand| u64::from(demand.wanted.min(2))).sum();
        // The survey is over, if there was one.
        let rows = if problem.scores.sparse().is_some() { 0 } else { problem.mentees.len() as u64 };
        let (counters, poll) = (SolverStatistics::default(), StopPoll::new(observer));
        Self { counters, poll, observer, wanted, served: 0, looked_at: rows, rows }
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
        self.poll.count(arcs)
    }
}

/// Asks the observer every so many units of work (each some nanoseconds) whether to stop.
#[derive(Clone, Copy)]
pub(in crate::engine) struct StopPoll<'a> {
    observer: &'a dyn Observer,
    left: usize,
}

impl<'a> StopPoll<'a> {
    const INTERVAL: usize = 1 << 15;

    pub(in crate::engine) fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, left: 0 }
    }

    /// The observer.
    pub(in crate::engine) fn observer(&self) -> &'a dyn Observer {
        self.observer
    }

    /// Counts `work` units.
    pub(in crate::engine) fn count(&mut self, context: usize) -> Result<(), Stopped> {
        if let Some(left) = self.left.checked_sub(context + 1) {
            self.left = left;
            return Ok(());
        }
        self.left = Self::INTERVAL;
        self.observer.check()
    }
}
