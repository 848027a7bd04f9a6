//! Counts of refusals by cause, and their log: one line per payer, cause and minute.
//!
//! The log has at most [`MOST_LINES`] lines in a minute. The line of the next minute says how many payers had none.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::payer::Payer;
use crate::clock::Stopwatch;

/// Lines of one minute at most.
const MOST_LINES: usize = 100;

macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $cause:ident = $name:literal;)+) => {
        /// Why the edge refused a call or closed a connection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Cause { $($(#[doc = $doc])+ $cause,)+ }

        impl Cause {
            /// All causes.
            pub const ALL: &'static [Self] = &[$(Self::$cause),+];

            /// Name of the cause in the log.
            pub fn name(self) -> &'static str {
                match self { $(Self::$cause => $name,)+ }
            }
        }
    };
}

causes! {
    /// The operating system gave no further connection.
    Accept = "accept";
    /// The service has its most connections, and each of them has named a caller.
    Connections = "connections";
    /// The connection gave way to a newer one of its address, or of any address.
    GaveWay = "gave_way";
    /// The TLS handshake failed, or did not end in the time for the first call.
    Handshake = "tls_handshake";
    /// The connection had no call in the time for its first call.
    NoFirstCall = "no_first_call";
    /// The connection had named no caller and had no open call for too long.
    Idle = "idle";
    /// The request is no gRPC call.
    NotGrpc = "not_grpc";
    /// The call has no valid credential.
    Credential = "credential";
    /// The call has several credentials.
    SeveralCredentials = "several_credentials";
    /// The caller has too many connections.
    CallerConnections = "caller_connections";
    /// The address has too many open calls that need no caller.
    UnnamedCalls = "unnamed_calls";
    /// A message is larger than the limit.
    MessageTooLarge = "message_too_large";
    /// The caller has its share of the calls in flight, or all are open.
    CallsInFlight = "calls_in_flight";
    /// The caller calls too often.
    RateOfCaller = "rate_of_caller";
    /// An organisation of the caller calls too often.
    RateOfOrganisation = "rate_of_organisation";
    /// All callers together call too often.
    RateOfAll = "rate_of_all";
    /// The payer's share of the bytes in flight is used up.
    Share = "share_of_bytes";
    /// The bytes in flight of the connection are used up.
    ConnectionBytes = "connection_bytes";
    /// A message, or the next byte of it, did not arrive in time.
    ReceiveTimeout = "receive_timeout";
}

/// Present numbers of the edge, and refusals since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Open connections.
    pub connections: usize,
    /// Those of them that have named no caller.
    pub strangers: usize,
    /// Open calls.
    pub calls: usize,
    /// Those of them that need no caller.
    pub unnamed_calls: usize,
    /// Bytes in flight.
    pub bytes: usize,
    /// Payers that hold bytes in flight.
    pub payers: usize,
    /// Refusals since the start, in the order of [`Cause::ALL`].
    pub refused: Vec<u64>,
}

impl Counts {
    /// Refusals for one cause since the start.
    pub fn refused_for(&self, cause: Cause) -> u64 {
        self.refused.get(cause as usize).copied().unwrap_or_default()
    }
}

/// All refusals since the start.
#[derive(Debug)]
pub(in crate::api) struct Refusals {
    counts: Vec<AtomicU64>,
    since: Stopwatch,
    log: Mutex<Minute>,
}

/// What was logged in the present minute.
#[derive(Debug, Default)]
struct Minute {
    number: u64,
    logged: HashSet<(Cause, Payer)>,
    left_out: u64,
}

impl Default for Refusals {
    fn default() -> Self {
        let counts = Cause::ALL.iter().map(|_| AtomicU64::new(0)).collect();
        Self { counts, since: Stopwatch::start(), log: Mutex::default() }
    }
}

impl Refusals {
    /// Counts a refusal, and logs it if it is the first of its payer and cause in this minute.
    pub(in crate::api) fn record(&self, cause: Cause, payer: &Payer) {
        let count = self.count(cause);
        if self.is_logged(cause, payer) {
            tracing::warn!(cause = cause.name(), %payer, count, "refused at the edge");
        }
    }

    /// Counts a failure to accept a connection, and logs it once per minute.
    pub(super) fn accept_failed(&self, error: &std::io::Error) {
        let count = self.count(Cause::Accept);
        let service = Payer::Address(std::net::Ipv4Addr::UNSPECIFIED.into());
        if self.is_logged(Cause::Accept, &service) {
            tracing::error!(
                cause = Cause::Accept.name(),
                %error,
                count,
                "the operating system gives no further connection; raise LimitNOFILE, or lower max_connections"
            );
        }
    }

    /// Refusals since the start, in the order of [`Cause::ALL`].
    pub(super) fn counts(&self) -> Vec<u64> {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    fn count(&self, cause: Cause) -> u64 {
        self.counts[cause as usize].fetch_add(1, Ordering::Relaxed) + 1
    }

    fn is_logged(&self, cause: Cause, payer: &Payer) -> bool {
        let number = self.since.elapsed().as_secs() / 60;
        let mut minute = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let is_logged = minute.is_new(number, cause, payer);
        let left_out = minute.left_out;
        if is_logged && minute.logged.len() == 1 && left_out > 0 {
            minute.left_out = 0;
            tracing::warn!(left_out, "refusals of an earlier minute had no line of their own");
        }
        is_logged
    }
}

impl Minute {
    /// Whether the minute `number` has no line of this cause and payer yet, and room for one.
    fn is_new(&mut self, number: u64, cause: Cause, payer: &Payer) -> bool {
        if self.number != number {
            self.number = number;
            self.logged.clear();
        }
        let key = (cause, payer.clone());
        if self.logged.contains(&key) {
            return false;
        }
        if self.logged.len() >= MOST_LINES {
            self.left_out += 1;
            return false;
        }
        self.logged.insert(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payer_has_one_line_for_each_cause_and_minute_and_a_minute_has_a_bound() {
        let payer = |id: usize| Payer::Caller(id.to_string());
        let mut minute = Minute::default();
        assert!(minute.is_new(0, Cause::Idle, &payer(0)));
        assert!(!minute.is_new(0, Cause::Idle, &payer(0)));
        assert!(minute.is_new(0, Cause::NotGrpc, &payer(0)));
        assert!(minute.is_new(1, Cause::Idle, &payer(0)));
        let lines = (0..3 * MOST_LINES).filter(|id| minute.is_new(2, Cause::Idle, &payer(*id))).count();
        assert_eq!((lines, minute.left_out), (MOST_LINES, 2 * MOST_LINES as u64));
    }
}
