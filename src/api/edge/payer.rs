//! Who is charged for bytes, calls and refusals: a caller, or a network address that has named no caller.
//!
//! The address is that of the TCP peer. If the peer is a configured proxy, the address is the last one in the header of
//! the proxy that is not itself a configured proxy: everything before it was written by somebody whom nobody vouches for.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use tonic::codegen::http::HeaderMap;

/// Who is charged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::api) enum Payer {
    /// A caller, by the id of the principal.
    Caller(String),
    /// A network, see [`network_of`].
    Address(IpAddr),
}

impl fmt::Display for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller(id) => write!(f, "principal {id}"),
            Self::Address(address) => write!(f, "address {address}"),
        }
    }
}

/// The header in which a proxy names the address of its peer. A proxy passes the other header on as its peer wrote it,
/// so only one of them can be trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The network that one peer controls: an IPv4 address, or the first 64 bits of an IPv6 address.
pub(in crate::api) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The address in the header of a configured proxy, or `None` if the header has no readable one.
pub(in crate::api) fn forwarded_for(
    headers: &HeaderMap,
    header: ProxyHeader,
    proxies: &[IpNet],
) -> Option<IpAddr> {
    let name = match header {
        ProxyHeader::XForwardedFor => "x-forwarded-for",
        ProxyHeader::Forwarded => "forwarded",
    };
    let mut hops: Vec<&str> = Vec::new();
    for value in headers.get_all(name) {
        hops.extend(value.to_str().ok()?.split(',').map(str::trim));
    }
    for hop in hops.into_iter().rev() {
        let address = match header {
            ProxyHeader::XForwardedFor => address(hop)?,
            ProxyHeader::Forwarded => {
                let of = |part: &str| {
                    let (key, value) = part.split_once('=')?;
                    key.trim().eq_ignore_ascii_case("for").then(|| address(value.trim().trim_matches('"')))?
                };
                hop.split(';').find_map(of)?
            }
        };
        if !proxies.iter().any(|proxy| proxy.contains(&address)) {
            return Some(address);
        }
    }
    None
}

/// An address, with or without a port, an IPv6 address with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let parsed = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    parsed.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(header: ProxyHeader, name: &'static str, values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().expect("a header value"));
        }
        let proxies = ["10.0.0.0/8".parse().expect("a network")];
        forwarded_for(&headers, header, &proxies).map(|address| address.to_string())
    }

    #[test]
    fn the_last_address_that_is_no_proxy_is_charged() {
        let read = |values: &[&str]| named(ProxyHeader::XForwardedFor, "x-forwarded-for", values);
        assert_eq!(read(&["192.0.2.1"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(read(&["192.0.2.7, 192.0.2.1, 10.1.2.3"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(read(&["192.0.2.7", "192.0.2.1:4711"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(read(&["::ffff:192.0.2.1"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(read(&["[2001:db8::1]:443"]).as_deref(), Some("2001:db8::1"));
        for none in [&["unknown"][..], &["192.0.2.1, nonsense"], &["10.0.0.1"], &[]] {
            assert_eq!(read(none), None, "{none:?}");
        }
    }

    #[test]
    fn the_standard_header_is_read_only_where_it_is_configured() {
        let read = |header| {
            named(header, "forwarded", &["for=192.0.2.9;proto=https, proto=http;For=\"[2001:db8::1]:80\""])
        };
        assert_eq!(read(ProxyHeader::Forwarded).as_deref(), Some("2001:db8::1"));
        assert_eq!(read(ProxyHeader::XForwardedFor), None);
    }

    #[test]
    fn addresses_that_one_peer_controls_are_one_network() {
        let network = |text: &str| network_of(text.parse().expect("an address")).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
    }
}
