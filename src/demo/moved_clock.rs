//! The clock of the demo: the machine's, which the demo moves forward so that a year passes in a second.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, SystemClock};

/// The machine's clock, so many microseconds ahead.
#[derive(Debug, Default)]
pub(super) struct MovedClock {
    ahead: AtomicI64,
}

impl MovedClock {
    /// Moves the clock to the noon of a day in UTC, unless that day has passed. Returns the present day.
    pub(super) fn move_to(&self, day: Date) -> Date {
        if let Ok(noon) = day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC) {
            let missing = noon.timestamp().as_microsecond() - self.now().as_microsecond();
            self.ahead.fetch_add(missing.max(0), Ordering::SeqCst);
        }
        self.today()
    }

    /// The present day in UTC.
    pub(super) fn today(&self) -> Date {
        self.now().to_zoned(TimeZone::UTC).date()
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_micros(self.ahead.load(Ordering::SeqCst));
        SystemClock.now().checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    fn fill(&self, bytes: &mut [u8]) {
        SystemClock.fill(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_forward_and_never_back() {
        let clock = MovedClock::default();
        let today = clock.today();
        assert_eq!(clock.move_to(today.yesterday().expect("a day")), today);
        let later = today.checked_add(jiff::Span::new().days(40)).expect("a day");
        assert_eq!(clock.move_to(later), later);
        assert_eq!(clock.move_to(today), later);
    }

    #[test]
    fn no_two_ids_are_alike_however_far_the_clock_is_ahead() {
        let clock = MovedClock::default();
        let first = clock.new_id();
        clock.move_to(clock.today().checked_add(jiff::Span::new().years(1)).expect("a day"));
        let second = clock.new_id();
        assert!(first < second, "{first} then {second}");
    }
}
