//! The open connections: how many there are, which of them have named a caller, and how fast the others may send.
//!
//! A connection is a stranger until one of its calls has a valid credential. Strangers have bounds per address and give
//! way to newer connections, the oldest first. The bytes that a stranger sends, and its refused calls, are paid from an
//! allowance that refills slowly. So pings, resets, headers and refused calls of strangers cost little.
//! The connection of a configured proxy carries the calls of many peers: it is no stranger, and has no caller of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::limits::Limits;
use super::refusals::Cause;
use crate::clock::Stopwatch;

/// Bytes that a stranger may send at once: the beginning of a connection and the headers of its first calls.
const ALLOWANCE: f64 = 16_384.0;
/// Bytes by which the allowance of a stranger grows in a second.
const REFILL: f64 = 8_192.0;
/// Bytes of allowance that a refused call of a stranger costs.
const REFUSED_CALL: f64 = 1_024.0;

/// All open connections.
#[derive(Debug)]
pub(in crate::api) struct Connections {
    most: usize,
    most_per_address: usize,
    most_per_caller: usize,
    most_unnamed_calls: usize,
    calls: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// Open connections by number, which is also their order of age.
    open: BTreeMap<u64, (IpAddr, CancellationToken)>,
    strangers: BTreeSet<u64>,
    strangers_of: HashMap<IpAddr, BTreeSet<u64>>,
    of_caller: HashMap<String, usize>,
    unnamed_calls: HashMap<IpAddr, usize>,
}

/// One connection. It leaves the list of connections when it is dropped.
#[derive(Debug)]
pub struct Connection {
    all: Arc<Connections>,
    number: u64,
    address: IpAddr,
    is_proxy: bool,
    close: CancellationToken,
    certificate: OnceLock<String>,
    is_known: AtomicBool,
    callers: Mutex<Vec<String>>,
    bytes: AtomicUsize,
    activity: Mutex<Activity>,
    allowance: Mutex<Allowance>,
}

#[derive(Debug)]
struct Activity {
    calls: usize,
    any_call: bool,
    /// Time since the last call ended, or since the connection began.
    idle: Stopwatch,
}

#[derive(Debug)]
struct Allowance {
    bytes: f64,
    since: Stopwatch,
    waiting: Option<Waker>,
}

/// What became of a new connection.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Option<Arc<Connection>>,
    pub(super) refused: Vec<(Cause, IpAddr)>,
}

/// An open call of a connection.
#[derive(Debug)]
pub(in crate::api) struct OpenCall(Arc<Connection>);

/// An open call of an address that needs no caller.
#[derive(Debug)]
pub(in crate::api) struct UnnamedCall(Arc<Connections>, IpAddr);

impl Connections {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            most: limits.connections,
            most_per_address: limits.connections_per_address,
            most_per_caller: limits.connections_per_caller,
            most_unnamed_calls: limits.unnamed_calls_per_address,
            calls: AtomicUsize::new(0),
            state: Mutex::default(),
        }
    }

    pub(super) fn open(self: &Arc<Self>, address: IpAddr, is_proxy: bool) -> Opened {
        let mut state = self.lock();
        let mut refused = Vec::new();
        let of_address = state.strangers_of.get(&address);
        let crowded = of_address.filter(|strangers| strangers.len() >= self.most_per_address);
        if let Some(oldest) = crowded.and_then(BTreeSet::first).copied().filter(|_| !is_proxy) {
            state.close(oldest);
            refused.push((Cause::GaveWay, address));
        }
        if state.open.len() >= self.most {
            if let Some(oldest) = state.strangers.first().copied() {
                let of = state.open.get(&oldest).map_or(address, |(address, _)| *address);
                state.close(oldest);
                refused.push((Cause::GaveWay, of));
            } else {
                refused.push((Cause::Connections, address));
                return Opened { connection: None, refused };
            }
        }
        let number = state.next;
        state.next += 1;
        let close = CancellationToken::new();
        state.open.insert(number, (address, close.clone()));
        if !is_proxy {
            state.strangers.insert(number);
            state.strangers_of.entry(address).or_default().insert(number);
        }
        drop(state);
        let connection = Connection {
            all: Arc::clone(self),
            number,
            address,
            is_proxy,
            close,
            certificate: OnceLock::new(),
            is_known: AtomicBool::new(is_proxy),
            callers: Mutex::default(),
            bytes: AtomicUsize::new(0),
            activity: Mutex::new(Activity { calls: 0, any_call: false, idle: Stopwatch::start() }),
            allowance: Mutex::new(Allowance { bytes: ALLOWANCE, since: Stopwatch::start(), waiting: None }),
        };
        Opened { connection: Some(Arc::new(connection)), refused }
    }

    /// Closes the oldest connection that has named no caller, if there is one.
    pub(super) fn close_oldest(&self) {
        let mut state = self.lock();
        if let Some(oldest) = state.strangers.first().copied() {
            state.close(oldest);
        }
    }

    /// Open connections, those of them that have named no caller, and open calls that need none.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let state = self.lock();
        (state.open.len(), state.strangers.len(), state.unnamed_calls.values().sum())
    }

    /// Open calls.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Begins a call of an address that needs no caller, or returns `None` if the address has too many.
    pub(in crate::api) fn begin_unnamed(self: &Arc<Self>, address: IpAddr) -> Option<UnnamedCall> {
        let mut state = self.lock();
        let open = state.unnamed_calls.entry(address).or_default();
        if *open >= self.most_unnamed_calls {
            return None;
        }
        *open += 1;
        Some(UnnamedCall(Arc::clone(self), address))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// Closes a connection and forgets it. Its task ends soon after.
    fn close(&mut self, number: u64) {
        if let Some((address, close)) = self.open.remove(&number) {
            close.cancel();
            self.is_no_stranger(number, address);
        }
    }

    fn is_no_stranger(&mut self, number: u64, address: IpAddr) {
        self.strangers.remove(&number);
        if let Some(of_address) = self.strangers_of.get_mut(&address) {
            of_address.remove(&number);
            if of_address.is_empty() {
                self.strangers_of.remove(&address);
            }
        }
    }
}

impl Connection {
    /// The network address that is charged for the connection.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether the connection is that of a configured proxy.
    pub fn is_proxy(&self) -> bool {
        self.is_proxy
    }

    /// Records that the peer has shown a certificate, which was verified. `fingerprint` is its SHA-256 in hexadecimal.
    pub fn show_certificate(&self, fingerprint: String) {
        // A connection has one handshake.
        let _ = self.certificate.set(fingerprint);
    }

    /// Fingerprint of the verified certificate of the peer, if it has shown one.
    pub(in crate::api) fn certificate(&self) -> Option<&str> {
        self.certificate.get().map(String::as_str)
    }

    /// Waits until the connection has to give way.
    pub async fn closed(&self) {
        self.close.cancelled().await;
    }

    /// Open calls.
    pub fn calls(&self) -> usize {
        lock(&self.activity).calls
    }

    /// The time after which the connection is to be looked at again, or the cause for which it is to be closed now.
    /// `None` if it may stay as long as its peer answers pings.
    pub fn patience(&self, limits: &Limits) -> Option<Result<Duration, Cause>> {
        if self.is_known() {
            return None;
        }
        let activity = lock(&self.activity);
        let (limit, cause) = if activity.any_call {
            (limits.idle, Cause::Idle)
        } else {
            (limits.first_call, Cause::NoFirstCall)
        };
        if activity.calls > 0 {
            return Some(Ok(limit));
        }
        let left = limit.saturating_sub(activity.idle.elapsed());
        Some(if left.is_zero() { Err(cause) } else { Ok(left) })
    }

    /// The time that the peer has to wait before more of its bytes are read; `None` if they may be read now. `waker` is
    /// woken if the connection becomes known before that.
    pub fn pause(&self, waker: &Waker) -> Option<Duration> {
        if self.is_known() {
            return None;
        }
        let mut allowance = lock(&self.allowance);
        let grown = allowance.since.elapsed().as_secs_f64() * REFILL;
        allowance.bytes = (allowance.bytes + grown).min(ALLOWANCE);
        allowance.since = Stopwatch::start();
        if allowance.bytes > 0.0 {
            return None;
        }
        allowance.waiting = Some(waker.clone());
        // Looked at again after at least a byte's worth, and at most a second.
        Some(Duration::from_secs_f64(((1.0 - allowance.bytes) / REFILL).clamp(0.001, 1.0)))
    }

    /// Charges a stranger for bytes that were read.
    #[expect(clippy::cast_precision_loss, reason = "one read has few bytes")]
    pub fn charge(&self, bytes: usize) {
        if !self.is_known() {
            lock(&self.allowance).bytes -= bytes as f64;
        }
    }

    /// Charges a stranger for a call that was refused.
    pub(in crate::api) fn charge_refusal(&self) {
        if !self.is_known() {
            lock(&self.allowance).bytes -= REFUSED_CALL;
        }
    }

    /// Records that a call has named a caller; `false` if the caller has too many connections.
    pub(in crate::api) fn name_caller(&self, caller: &str) -> bool {
        if self.is_proxy {
            return true;
        }
        let mut callers = lock(&self.callers);
        if callers.iter().any(|known| known == caller) {
            return true;
        }
        let mut state = self.all.lock();
        match state.of_caller.get_mut(caller) {
            Some(connections) if *connections >= self.all.most_per_caller => return false,
            Some(connections) => *connections += 1,
            None => drop(state.of_caller.insert(caller.to_owned(), 1)),
        }
        state.is_no_stranger(self.number, self.address);
        drop(state);
        callers.push(caller.to_owned());
        self.is_known.store(true, Ordering::Release);
        if let Some(waiting) = lock(&self.allowance).waiting.take() {
            waiting.wake();
        }
        true
    }

    /// Begins a call.
    pub(in crate::api) fn begin_call(self: &Arc<Self>) -> OpenCall {
        let mut activity = lock(&self.activity);
        activity.calls += 1;
        activity.any_call = true;
        drop(activity);
        self.all.calls.fetch_add(1, Ordering::Relaxed);
        OpenCall(Arc::clone(self))
    }

    /// Bytes in flight.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn remove_bytes(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Acquire)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let callers = std::mem::take(&mut *lock(&self.callers));
        let mut state = self.all.lock();
        state.open.remove(&self.number);
        state.is_no_stranger(self.number, self.address);
        for caller in callers {
            if let Some(connections) = state.of_caller.get_mut(&caller) {
                *connections -= 1;
                if *connections == 0 {
                    state.of_caller.remove(&caller);
                }
            }
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let mut activity = lock(&self.0.activity);
        activity.calls -= 1;
        activity.idle = Stopwatch::start();
        drop(activity);
        self.0.all.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for UnnamedCall {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if let Some(open) = state.unnamed_calls.get_mut(&self.1) {
            *open -= 1;
            if *open == 0 {
                state.unnamed_calls.remove(&self.1);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn connections() -> Arc<Connections> {
        Arc::new(Connections {
            most: 10,
            most_per_address: 2,
            most_per_caller: 2,
            most_unnamed_calls: 2,
            calls: AtomicUsize::new(0),
            state: Mutex::default(),
        })
    }

    #[test]
    fn a_stranger_waits_when_its_allowance_is_spent_and_a_caller_does_not() {
        let all = connections();
        let address: IpAddr = "192.0.2.1".parse().expect("an address");
        let opened = all.open(address, false).connection.expect("room");
        assert_eq!(opened.pause(Waker::noop()), None);
        opened.charge(1 << 17);
        assert!(opened.pause(Waker::noop()).is_some_and(|pause| pause <= Duration::from_secs(1)));
        assert!(opened.name_caller("a"));
        assert_eq!(opened.pause(Waker::noop()), None);
        let proxy = all.open(address, true).connection.expect("room");
        proxy.charge(1 << 17);
        assert_eq!(proxy.pause(Waker::noop()), None);
        drop((opened, proxy));
        assert_eq!(all.counts(), (0, 0, 0));
        assert!(all.lock().of_caller.is_empty() && all.lock().strangers_of.is_empty());
    }

    #[test]
    fn refused_calls_spend_the_allowance_too() {
        let opened = connections().open("192.0.2.1".parse().expect("an address"), false);
        let opened = opened.connection.expect("room");
        let calls = (0..100).take_while(|_| {
            opened.charge_refusal();
            opened.pause(Waker::noop()).is_none()
        });
        assert!(calls.count() < 20);
    }
}
