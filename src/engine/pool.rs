//! The threads that the engine works on.

use rayon::ThreadPoolBuilder;

/// Does `work` on a pool of so many threads; on the current one without a number, or if the machine gives no more threads.
/// The number never changes a result.
pub fn on_threads<T: Send>(threads: Option<usize>, work: impl FnOnce() -> T + Send) -> T {
    match threads.map(|threads| ThreadPoolBuilder::new().num_threads(threads).build()) {
        Some(Ok(pool)) => pool.install(work),
        Some(Err(_)) | None => work(),
    }
}

/// Threads that the current pool has.
pub fn threads() -> usize {
    rayon::current_num_threads()
}
