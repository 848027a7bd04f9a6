//! The threads that the engine works on.

use std::sync::{Mutex, PoisonError};

use rayon::ThreadPoolBuilder;

/// Does `work` on a pool of so many threads; on the current one without a number, or if the machine gives no more threads.
/// The number never changes a result.
pub fn on_threads<T: Send>(threads: Option<usize>, work: impl FnOnce() -> T + Send) -> T {
    match threads.map(|threads| ThreadPoolBuilder::new().num_threads(threads).build()) {
        Some(Ok(pool)) => pool.install(work),
        // On a thread of the pool: from outside, every step would wait for one to wake.
        Some(Err(_)) | None => rayon::scope(|_| work()),
    }
}

/// Starts the threads of the current pool, and does not wait for them: before something else is done that takes a while.
pub fn wake() {
    rayon::spawn(|| ());
}

/// Threads that the current pool has.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// What several threads gather, each in a gathering of its own: there are never more of them than threads that work at a
/// time. Which thread sees what must make no difference once all are joined. Also workspaces, of which nothing is kept.
#[derive(Debug)]
pub(super) struct Gatherings<T> {
    idle: Mutex<Vec<T>>,
}

impl<T> Default for Gatherings<T> {
    fn default() -> Self {
        Self { idle: Mutex::default() }
    }
}

impl<T> Gatherings<T> {
    /// Adds to a gathering that no other thread has at the time, or to a new one.
    pub(super) fn add(&self, new: impl FnOnce() -> T, add: impl FnOnce(&mut T)) {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let mut gathering = taken.unwrap_or_else(new);
        add(&mut gathering);
        idle().push(gathering);
    }

    /// All gatherings.
    pub(super) fn into_all(self) -> Vec<T> {
        self.idle.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
