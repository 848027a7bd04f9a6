//! The clock of the tests: time and ids are the same in every execution.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use wim_match::clock::Clock;

/// A clock that stands still until `advance` or `set` moves it. It counts instead of drawing random bytes.
#[derive(Debug)]
pub(crate) struct FixedClock {
    micros: AtomicI64,
    drawn: AtomicU64,
    lock: Mutex<()>,
}

impl FixedClock {
    /// A clock that shows `now`.
    pub(crate) fn at(now: Timestamp) -> Self {
        Self { micros: AtomicI64::new(now.as_microsecond()), drawn: AtomicU64::new(0), lock: Mutex::new(()) }
    }

    /// Sets the clock, forward or back.
    pub(crate) fn set(&self, now: Timestamp) {
        self.micros.store(now.as_microsecond(), Ordering::SeqCst);
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&self, by: Duration) {
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

#[test]
fn ids_grow_with_time_and_never_repeat() {
    let clock = FixedClock::at(Timestamp::UNIX_EPOCH);
    let first = clock.new_id();
    clock.advance(Duration::from_millis(5));
    let second = clock.new_id();
    assert!(first < second, "{first} then {second}");
    assert_eq!(second.get_version_num(), 7);
}
