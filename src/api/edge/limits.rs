//! The bounds of the edge, as the server's configuration sets them.

use std::time::Duration;

use ipnet::IpNet;

use super::payer::ProxyHeader;
use super::rates::Rates;

/// The bounds of the edge.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one address that have named no caller yet.
    pub connections_per_address: usize,
    /// Connections that have named the same caller.
    pub connections_per_caller: usize,
    /// Open calls of one address that need no caller, for example watches of the health.
    pub unnamed_calls_per_address: usize,
    /// Calls of callers that are open at a time.
    pub calls_in_flight: usize,
    /// How often callers may call.
    pub rates: Rates,
    /// Bytes of a message.
    pub message_bytes: usize,
    /// Bytes of arriving messages in all.
    pub bytes_in_flight: usize,
    /// Bytes of arriving messages on one connection.
    pub bytes_per_connection: usize,
    /// Time for the first call of a connection.
    pub first_call: Duration,
    /// Time without an open call after which a connection that has named no caller is closed.
    pub idle: Duration,
    /// Time for a whole message, from its first byte.
    pub message: Duration,
    /// Time without a byte of an awaited message.
    pub silence: Duration,
    /// Proxies, which speak for the addresses that they name.
    pub proxies: Vec<IpNet>,
    /// The header in which the proxies name the address of a peer.
    pub proxy_header: ProxyHeader,
}
