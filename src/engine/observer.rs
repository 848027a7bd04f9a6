//! Progress and cancellation of long operations. Every long operation takes `&dyn Observer`, reports progress to it, and
//! calls [`Observer::check`] at least every few milliseconds.

use std::sync::{Mutex, PoisonError};

use crate::domain::run::Stage;

/// Receives the progress of an operation, and can stop the operation.
pub trait Observer: Sync {
    /// Receives that `done` of `total` units of a stage are done.
    fn progress(&self, stage: Stage, done: u64, total: u64);

    /// Whether the operation must stop.
    fn is_cancelled(&self) -> bool;

    /// Returns an error if the operation must stop.
    fn check(&self) -> Result<(), Stopped> {
        if self.is_cancelled() { Err(Stopped) } else { Ok(()) }
    }
}

/// Observer that ignores progress and never stops an operation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn progress(&self, _: Stage, _: u64, _: u64) {}

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// The observer stopped the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine was stopped")]
pub struct Stopped;

/// Progress of an operation that follows other work: adds the units of that work.
pub(super) struct OffsetProgress<'a> {
    /// Receives the progress.
    pub(super) observer: &'a dyn Observer,
    /// Units done before.
    pub(super) done: u64,
    /// Total units of the work before.
    pub(super) total: u64,
}

impl Observer for OffsetProgress<'_> {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        self.observer.progress(stage, self.done + done, self.total + total);
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}

/// Progress of several operations in sequence as that of one operation, whose done units never decrease. While an operation
/// runs, its total only grows; a smaller total shows that the next operation has begun.
pub(super) struct CumulativeProgress<'a> {
    observer: &'a dyn Observer,
    latest: Mutex<Latest>,
}

#[derive(Default)]
struct Latest {
    /// Units of the operations that have ended.
    ended: u64,
    done: u64,
    total: u64,
}

impl<'a> CumulativeProgress<'a> {
    /// Nothing is done yet.
    pub(super) fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, latest: Mutex::default() }
    }
}

impl Observer for CumulativeProgress<'_> {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if total < latest.total {
            *latest = Latest { ended: latest.ended + latest.total, ..Latest::default() };
        }
        latest.total = total;
        latest.done = latest.done.max(done);
        // Still locked: otherwise another thread could report fewer units afterwards.
        self.observer.progress(stage, latest.ended + latest.done, latest.ended + latest.total);
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}
