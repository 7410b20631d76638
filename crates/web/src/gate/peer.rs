//! Who is at the other end: the connection's address, or what a proxy on this machine says when one is configured.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use weir_base::net::Addr16;
use weir_identity::desk::Peer;

use crate::limits::AGENT_BYTES;

/// The other end. `proxied`: the last `X-Forwarded-For` counts, for that one the proxy itself wrote; only from loopback.
pub fn of(connection: SocketAddr, headers: &HeaderMap, proxied: bool) -> Peer {
    let said = if proxied && connection.ip().to_canonical().is_loopback() { forwarded(headers) } else { None };
    let (ip, port) = said.unwrap_or((connection.ip(), connection.port()));
    let agent = headers.get(USER_AGENT).map(|a| String::from_utf8_lossy(a.as_bytes())).unwrap_or_default();
    let end = (0..=AGENT_BYTES.min(agent.len())).rev().find(|i| agent.is_char_boundary(*i)).unwrap_or(0);
    let agent = agent.get(..end).unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    Peer { address: Addr16::from(ip.to_canonical()), port, agent }
}

fn forwarded(headers: &HeaderMap) -> Option<(IpAddr, u16)> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?.rsplit(',').next()?.trim();
    let with_port = last.parse::<SocketAddr>().map(|a| (a.ip(), a.port()));
    with_port.or_else(|_| last.parse::<IpAddr>().map(|ip| (ip, 0))).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_proxy_is_believed_only_where_one_is_configured_and_only_from_here() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("198.51.100.1, 203.0.113.7:4000"));
        headers.insert(USER_AGENT, HeaderValue::from_str(&"é".repeat(100)).unwrap());
        let of = |from: &str, proxied| {
            let peer = of(from.parse().unwrap(), &headers, proxied);
            (peer.address.to_string(), peer.port)
        };
        assert_eq!(of("127.0.0.1:9", true), ("203.0.113.7".into(), 4000));
        assert_eq!(of("127.0.0.1:9", false), ("127.0.0.1".into(), 9));
        assert_eq!(of("192.0.2.1:9", true), ("192.0.2.1".into(), 9));
        assert!(super::of("127.0.0.1:9".parse().unwrap(), &headers, true).agent.len() <= AGENT_BYTES);
    }
}
