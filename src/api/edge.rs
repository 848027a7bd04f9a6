//! The edge: bounds on what a peer can cost, before its caller is known and after.
//!
//! A peer is charged as its caller once a credential has named one, and as its network address until then. The bounds
//! cover connections (`connections`), bytes of messages that have arrived in part (`ledger`), the time in which a message has
//! to arrive (`body`), calls that are open at a time (`in_flight`), and how often calls begin (`rates`). Every refusal is counted, and logged once per payer and minute (`refusals`).
//! Invariant: each number of [`Counts`] that describes a present state returns to zero when the peers have left.

mod body;
mod connections;
mod in_flight;
mod ledger;
mod limits;
mod payer;
mod rates;
mod refusals;

use std::net::IpAddr;
use std::sync::Arc;

use tonic::codegen::http::HeaderMap;

pub(super) use self::body::WholeMessages;
pub use self::connections::Connection;
use self::connections::Connections;
pub(super) use self::connections::{OpenCall, UnnamedCall};
pub(super) use self::in_flight::Flying;
use self::in_flight::InFlight;
use self::ledger::Ledger;
pub use self::limits::Limits;
pub use self::payer::ProxyHeader;
pub(super) use self::payer::{Payer, forwarded_for, network_of};
pub use self::rates::Rates;
use self::rates::{Buckets, Classes};
use self::refusals::Refusals;
pub use self::refusals::{Cause, Counts};
use crate::error::Error;

/// What the edge knows of its peers.
#[derive(Debug)]
pub struct Edge {
    limits: Limits,
    connections: Arc<Connections>,
    ledger: Arc<Ledger>,
    in_flight: Arc<InFlight>,
    classes: Classes,
    buckets: Buckets,
    refusals: Refusals,
}

impl Edge {
    /// An edge without peers.
    pub fn new(limits: Limits) -> Self {
        let connections = Arc::new(Connections::new(&limits));
        let ledger = Arc::new(Ledger::new(limits.bytes_in_flight, limits.bytes_per_connection));
        let in_flight = Arc::new(InFlight::new(limits.calls_in_flight));
        let (classes, buckets) = (Classes::of_the_contract(), Buckets::new(limits.rates.clone()));
        Self { limits, connections, ledger, in_flight, classes, buckets, refusals: Refusals::default() }
    }

    /// The bounds.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Takes a new connection in, or returns `None` if the service has no room for it. A connection without a caller
    /// gives way to a newer one, the oldest first, so that the peers of a crowded address still get in.
    pub fn open(&self, peer: IpAddr) -> Option<Arc<Connection>> {
        let peer = peer.to_canonical();
        let is_proxy = self.limits.proxies.iter().any(|proxy| proxy.contains(&peer));
        let address = if is_proxy { peer } else { network_of(peer) };
        let opened = self.connections.open(address, is_proxy);
        for (cause, address) in opened.refused {
            self.refusals.record(cause, &Payer::Address(address));
        }
        opened.connection
    }

    /// Reports that the operating system gave no further connection, and closes the oldest connection that has named
    /// no caller, which frees a file.
    pub fn accept_failed(&self, error: &std::io::Error) {
        self.refusals.accept_failed(error);
        self.connections.close_oldest();
    }

    /// Reports that a connection is closed for its silence.
    pub fn closed_for(&self, cause: Cause, connection: &Connection) {
        self.refusals.record(cause, &Payer::Address(connection.address()));
    }

    /// The present numbers.
    pub fn counts(&self) -> Counts {
        let (connections, strangers, unnamed_calls) = self.connections.counts();
        let (bytes, payers) = self.ledger.held();
        Counts {
            connections,
            strangers,
            calls: self.connections.calls(),
            unnamed_calls,
            bytes,
            payers,
            refused: self.refusals.counts(),
        }
    }

    /// The address that is charged for a call before its caller is known.
    pub(super) fn address_of(&self, connection: &Connection, headers: &HeaderMap) -> IpAddr {
        if connection.is_proxy() {
            forwarded_for(headers, self.limits.proxy_header, &self.limits.proxies)
                .map_or(connection.address(), network_of)
        } else {
            connection.address()
        }
    }

    /// Begins a call of the method at `path`, of a caller who acts for these organisations; or why there is no room for it.
    pub(super) fn begin<'a>(
        &self,
        path: &str,
        caller: &str,
        organisations: impl Iterator<Item = &'a str>,
    ) -> Result<Flying, (Cause, Error)> {
        let class = self.classes.of(path);
        self.buckets.take(class, caller, organisations).map_err(|full| {
            let cause = match full.subject {
                "caller" => Cause::RateOfCaller,
                "organisation" => Cause::RateOfOrganisation,
                _ => Cause::RateOfAll,
            };
            (cause, Error::RateLimited { subject: full.subject, class: class.name(), wait: full.wait })
        })?;
        self.in_flight.begin(caller).map_err(|subject| (Cause::CallsInFlight, Error::Overloaded(subject)))
    }

    pub(super) fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    pub(super) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub(super) fn refusals(&self) -> &Refusals {
        &self.refusals
    }
}
