//! From which address a request comes: the peer; or, when that is a proxy of ours, the last hop before our proxies.
//!
//! Limits and the list of a person's sessions rest on it, so nothing is believed that a client can write itself: the
//! header is read from its right end, as raw octets (what a client put in front may be no text at all), and reading stops at the
//! first hop that is not one of ours. A proxy that sends something else than addresses, and a proxy that nobody
//! listed, would leave all people with one address: both are warned about.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use accounts::Error;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, HeaderMap};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

use crate::Site;
use crate::log_once::shown;

const HEADER: &str = "x-forwarded-for";

/// Where a request comes from, worked out once.
#[derive(Clone, Copy, Debug)]
struct ClientAddress(IpAddr);

/// The layer.
pub(crate) async fn find_once(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let peer = peer.ip().to_canonical();
        let (address, trouble) = find(peer, request.headers(), &site.config().trusted_proxies);
        match trouble {
            Some(Trouble::Unreadable(hop)) => warn_of_unreadable(&site, peer, &shown(hop)),
            Some(Trouble::Unlisted) => warn_of_unlisted(&site, peer),
            None => {}
        }
        request.extensions_mut().insert(ClientAddress(address));
    }
    next.run(request).await
}

/// Whose request it is. An error without a peer: the listener always names one, and a guess would be shared by all.
pub(crate) fn of(extensions: &Extensions) -> Result<IpAddr, Error> {
    let found = extensions.get::<ClientAddress>().map(|found| found.0);
    found.ok_or_else(|| Error::Internal("a request without the address of its peer".into()))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble<'a> {
    /// One of our proxies sent this instead of an address.
    Unreadable(&'a [u8]),
    /// The header came from a peer that is no proxy of ours.
    Unlisted,
}

fn find<'a>(peer: IpAddr, headers: &'a HeaderMap, trusted: &[IpNet]) -> (IpAddr, Option<Trouble<'a>>) {
    let is_ours = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_ours(&peer) {
        return (peer, headers.contains_key(HEADER).then_some(Trouble::Unlisted));
    }
    // Several lines are one list (RFC 9110 5.3).
    let hops = headers.get_all(HEADER).iter().flat_map(|line| line.as_bytes().split(|octet| *octet == b','));
    let mut nearest = peer;
    for hop in hops.collect::<Vec<_>>().into_iter().rev() {
        match read(hop) {
            Some(address) if is_ours(&address) => nearest = address,
            Some(address) => return (address, None),
            // Whatever stands left of it is no better.
            None => return (nearest, Some(Trouble::Unreadable(hop))),
        }
    }
    (nearest, None)
}

/// An address as proxies write it: bare, with a port, in brackets, in quotes, or as `for=` of RFC 7239.
fn read(hop: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(hop).ok()?.trim();
    let node = text
        .split(';')
        .find_map(|pair| pair.trim().split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("for")));
    let node = node.map_or(text, |(_, node)| node);
    let node = without_zone(node.strip_prefix('"').and_then(|node| node.strip_suffix('"')).unwrap_or(node));
    let bare = node.parse::<IpAddr>().ok();
    let with_port = || node.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || node.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    bare.or_else(with_port).or_else(in_brackets).map(|address| address.to_canonical())
}

/// `fe80::1%eth0` names an interface of the proxy (RFC 4007 11), which means nothing here.
fn without_zone(node: &str) -> String {
    match node.split_once('%') {
        Some((address, zone)) => format!("{address}{}", zone.find(']').map_or("", |end| &zone[end..])),
        None => node.to_owned(),
    }
}

fn warn_of_unreadable(site: &Site, peer: IpAddr, hop: &str) {
    if let Some(count) = site.log_once().note("proxy.unreadable", &peer.to_string()) {
        tracing::warn!(event = "proxy.unreadable", %peer, hop, count, "a trusted proxy sends an X-Forwarded-For that holds no address; people behind it share its limits");
    }
}

fn warn_of_unlisted(site: &Site, peer: IpAddr) {
    if let Some(count) = site.log_once().note("proxy.unlisted", &peer.to_string()) {
        tracing::warn!(event = "proxy.unlisted", %peer, count, "X-Forwarded-For of a peer that is not in VESTIBULE_TRUSTED_PROXIES is not believed; if it is your proxy, list it");
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// Behind `10.0.0.0/8` and `fd00::/8`.
    fn client(peer: &str, lines: &[&[u8]]) -> (String, bool) {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().expect("a net"));
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HEADER, HeaderValue::from_bytes(line).expect("a value"));
        }
        let (address, trouble) = find(peer.parse().expect("an address"), &headers, &trusted);
        (address.to_string(), trouble.is_some())
    }

    #[test]
    fn only_our_proxies_are_believed() {
        for (peer, lines, expected) in [
            ("203.0.113.9", &[][..], ("203.0.113.9", false)),
            ("203.0.113.9", &[b"198.51.100.1" as &[u8]], ("203.0.113.9", true)),
            ("10.0.0.1", &[b"198.51.100.1"], ("198.51.100.1", false)),
            ("10.0.0.1", &[], ("10.0.0.1", false)),
            ("fd00::1", &[b"2001:db8::1"], ("2001:db8::1", false)),
        ] {
            assert_eq!(client(peer, lines), (expected.0.to_owned(), expected.1), "{peer} {lines:?}");
        }
    }

    #[test]
    fn the_right_most_hop_that_is_not_ours_counts_over_all_lines() {
        for lines in [
            &[b"1.1.1.1, 198.51.100.1, 10.0.0.2" as &[u8]][..],
            &[b"1.1.1.1", b"198.51.100.1", b"10.0.0.2"],
            &[b"1.1.1.1, 198.51.100.1", b"10.0.0.3,10.0.0.2"],
            &[b"198.51.100.1"],
        ] {
            assert_eq!(client("10.0.0.1", lines), ("198.51.100.1".to_owned(), false), "{lines:?}");
        }
        assert_eq!(client("10.0.0.1", &[b"10.0.0.9, 10.0.0.2"]), ("10.0.0.9".to_owned(), false), "a client among us");
    }

    #[test]
    fn every_form_that_proxies_write_is_read() {
        for hop in [
            "198.51.100.1",
            "198.51.100.1:5678",
            "\"198.51.100.1\"",
            "\"198.51.100.1:80\"",
            "for=198.51.100.1",
            "For=\"198.51.100.1:4711\"",
            "for=198.51.100.1;proto=https;by=10.0.0.1",
            "proto=https; for=198.51.100.1",
            "::ffff:198.51.100.1",
            "[::ffff:198.51.100.1]:443",
            "\t198.51.100.1 ",
        ] {
            assert_eq!(client("10.0.0.1", &[hop.as_bytes()]), ("198.51.100.1".to_owned(), false), "{hop}");
        }
        for hop in
            ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443", "\"[2001:db8::1]:443\"", "for=\"[2001:db8::1]\""]
        {
            assert_eq!(client("10.0.0.1", &[hop.as_bytes()]), ("2001:db8::1".to_owned(), false), "{hop}");
        }
        for hop in ["fe80::1%eth0", "[fe80::1%eth0]", "[fe80::1%25eth0]:443"] {
            assert_eq!(client("10.0.0.1", &[hop.as_bytes()]), ("fe80::1".to_owned(), false), "{hop}");
        }
    }

    #[test]
    fn what_a_client_put_in_front_hides_no_hop() {
        for front in [b"\xff\xfe" as &[u8], b"\"6.6.6.6", b"for=\"", b"", b"6.6.6.6,,", b"\xe2\x80\xae1.1.1.1"] {
            let line = [front, b", 198.51.100.1"].concat();
            assert_eq!(client("10.0.0.1", &[&line]), ("198.51.100.1".to_owned(), false), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_proxy_that_sends_no_address_counts_itself_and_is_told_of() {
        for hop in [
            b"junk" as &[u8],
            b"unknown",
            b"_hidden",
            b"\xff",
            b"1.1.1.1,",
            b"1.1.1.1 2.2.2.2",
            b"1.1.1.1:99999",
            b"01.1.1.1",
            b"[1.1.1.1]",
            b"for=",
            b"1.1.1.1/32",
            b"unix:",
        ] {
            let line = [b"198.51.100.1, ", hop].concat();
            assert_eq!(client("10.0.0.1", &[&line]), ("10.0.0.1".to_owned(), true), "{}", line.escape_ascii());
        }
        let told = client("10.0.0.1", &[b"1.1.1.1, junk, 10.0.0.2"]);
        assert_eq!(told, ("10.0.0.2".to_owned(), true), "the nearest hop that is known");
    }
}
