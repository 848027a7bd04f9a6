//! What is told of long work: units done of so many, which never become fewer although the same people are looked at again
//! and again.

use std::sync::{Mutex, PoisonError};

use super::problem::Observer;
use crate::domain::run::Stage;

/// Tells what is done after something else.
pub(super) struct After<'a> {
    /// Who watches.
    pub(super) observer: &'a dyn Observer,
    /// Units done before, ...
    pub(super) done: u64,
    /// ... of so many.
    pub(super) total: u64,
}

impl Observer for After<'_> {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        self.observer.progress(stage, self.done + done, self.total + total);
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}

/// Tells of several pieces of work, one after the other, as of one. The total of each only grows while it is under way; where
/// it is less than before, another has begun.
pub(super) struct Growing<'a> {
    observer: &'a dyn Observer,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// Units of the pieces that have ended.
    ended: u64,
    done: u64,
    total: u64,
}

impl<'a> Growing<'a> {
    /// Nothing is done yet.
    pub(super) fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, told: Mutex::default() }
    }
}

impl Observer for Growing<'_> {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if total < told.total {
            *told = Told { ended: told.ended + told.total, ..Told::default() };
        }
        told.total = total;
        told.done = told.done.max(done);
        // Still locked, or another thread could tell of less afterwards.
        self.observer.progress(stage, told.ended + told.done, told.ended + told.total);
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}
