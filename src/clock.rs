//! The one source of time, ids and randomness, so that tests can set every moment and every id.

use std::fmt::Debug;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use uuid::Uuid;

/// Source of time, ids and randomness.
pub trait Clock: Debug + Send + Sync {
    /// The present moment in whole microseconds, the precision of both databases.
    fn now(&self) -> Timestamp;

    /// Fills `bytes` with randomness fit for credentials.
    fn fill(&self, bytes: &mut [u8]);

    /// A new time-ordered id (UUID version 7).
    fn new_id(&self) -> Uuid {
        let mut random = [0; 10];
        self.fill(&mut random);
        let millis = u64::try_from(self.now().as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

/// The machine's clock and its operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        whole_microseconds(Timestamp::now())
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's randomness")]
    #[expect(clippy::expect_used, reason = "a machine without randomness cannot issue credentials at all")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives randomness");
    }
}

/// A clock for tests: its time is fixed until `advance`, and its random bytes are a counter.
#[derive(Debug)]
pub struct FixedClock {
    micros: AtomicI64,
    drawn: AtomicU64,
    lock: Mutex<()>,
}

impl FixedClock {
    /// A clock fixed at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { micros: AtomicI64::new(now.as_microsecond()), drawn: AtomicU64::new(0), lock: Mutex::new(()) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.micros.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.micros.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }

    fn fill(&self, bytes: &mut [u8]) {
        let _held = self.lock.lock();
        for chunk in bytes.chunks_mut(8) {
            let next = self.drawn.fetch_add(1, Ordering::SeqCst).wrapping_add(1);
            let mixed = next.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
            chunk.copy_from_slice(&mixed[..chunk.len()]);
        }
    }
}

/// Measures durations, which are never part of a result's bytes.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Time since the start, in microseconds.
    pub fn micros(&self) -> i64 {
        i64::try_from(self.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

/// `at` in whole microseconds, the precision of both databases.
fn whole_microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_with_time_and_never_repeat() {
        let clock = FixedClock::at(Timestamp::UNIX_EPOCH);
        let first = clock.new_id();
        clock.advance(Duration::from_millis(5));
        let second = clock.new_id();
        assert!(first < second, "{first} then {second}");
        assert_eq!(second.get_version_num(), 7);
    }
}
