//! The one source of time, ids and randomness, so that tests can set every moment and every id.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};
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

/// The latest moment that a process has read from a clock. What has ended stays ended if the clock jumps back.
#[derive(Debug)]
pub struct Latest(AtomicI64);

impl Default for Latest {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl Latest {
    /// The latest moment, which is `now` unless the clock has jumped back.
    pub fn with(&self, now: Timestamp) -> Timestamp {
        let micros = now.as_microsecond();
        let latest = self.0.fetch_max(micros, Ordering::Relaxed).max(micros);
        Timestamp::from_microsecond(latest).unwrap_or(now)
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
