//! The threads of the engine, and workspaces that its parallel tasks share.

use std::sync::{Mutex, PoisonError};

use rayon::ThreadPoolBuilder;

/// Does `work` on a new pool of `threads` threads. Without a number, or if the machine refuses new threads, the work runs
/// on the current pool. The number of threads never changes a result.
pub fn on_threads<T: Send>(threads: Option<usize>, work: impl FnOnce() -> T + Send) -> T {
    match threads.map(|threads| ThreadPoolBuilder::new().num_threads(threads).build()) {
        Some(Ok(pool)) => pool.install(work),
        // On a thread of the pool. From outside of the pool, every parallel step would wait until a thread wakes up.
        Some(Err(_)) | None => rayon::scope(|_| work()),
    }
}

/// Starts the threads of the current pool without waiting for them. Useful before a long sequential step.
pub fn wake() {
    rayon::spawn(|| ());
}

/// Number of threads of the current pool.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// Values that parallel tasks reuse: accumulators or workspaces. There are at most as many values as tasks that ran at the
/// same time. The distribution of tasks over values depends on timing, so that the combined result must not depend on it.
#[derive(Debug)]
pub(super) struct Workspaces<T> {
    idle: Mutex<Vec<T>>,
}

impl<T> Default for Workspaces<T> {
    fn default() -> Self {
        Self { idle: Mutex::default() }
    }
}

impl<T> Workspaces<T> {
    /// Calls `add` with a value that no other task uses at this time, or with a new value.
    pub(super) fn add(&self, new: impl FnOnce() -> T, add: impl FnOnce(&mut T)) {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let mut gathering = taken.unwrap_or_else(new);
        add(&mut gathering);
        idle().push(gathering);
    }

    /// All values.
    pub(super) fn into_all(self) -> Vec<T> {
        self.idle.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
