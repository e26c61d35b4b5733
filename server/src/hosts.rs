//! Only our own name is answered to: a request that names another host is a mistake or an attack (DNS rebinding,
//! poisoned links). Nothing we send is built from the header either way.
//!
//! Our name may come with the port that its scheme has anyway, and with the dot that ends a whole domain name: load
//! balancers and careful clients send both. Every other request is logged with what was asked and what is served, for a 421
//! is mostly a proxy that sends the wrong name.

use std::net::Ipv6Addr;

use accounts::RefusalKind;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::log_once::shown;
use crate::{Site, client_address};

/// 421 Misdirected Request (RFC 9110 15.5.20) for every other host.
pub(crate) async fn ours_only(State(site): State<Site>, request: Request, next: Next) -> Response {
    // Load balancers ask by address, and are told nothing but "ok".
    let is_probe = matches!(request.uri().path(), "/healthz" | "/readyz");
    if is_probe || is_ours(&site, request.uri(), request.headers()) {
        return next.run(request).await;
    }
    tell(&site, request.uri(), request.headers());
    if let Ok(address) = client_address::of(request.extensions()) {
        site.accounts().note_refusal(RefusalKind::Host, address, None);
    }
    (axum::http::StatusCode::MISDIRECTED_REQUEST, "This host is not served here.\n").into_response()
}

fn is_ours(site: &Site, uri: &Uri, headers: &HeaderMap) -> bool {
    let port = if site.config().is_production() { 443 } else { 80 };
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Some(host) = host.to_str().ok().and_then(|host| plain(host, port)) else { return false };
    // An absolute target overrides the header (RFC 9112 3.2.2); both must then say the same.
    if uri.authority().is_some_and(|authority| plain(authority.as_str(), port).as_ref() != Some(&host)) {
        return false;
    }
    let ours = plain(&site.config().authority, port);
    ours.as_ref() == Some(&host) || (!site.config().is_production() && is_loopback(&host))
}

/// A host and its port in the one form that is compared: small letters, no dot at the end, no port that is the scheme's
/// own (RFC 9110 4.2.3). `None` for what is no host.
fn plain(authority: &str, default_port: u16) -> Option<String> {
    let name_ends = if authority.starts_with('[') {
        authority.find(']')? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (name, port) = authority.split_at(name_ends);
    let name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => format!("[{}]", address.parse::<Ipv6Addr>().ok()?),
        None => name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase(),
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => default_port,
        Some("") => default_port,
        Some(port) if port.bytes().all(|octet| octet.is_ascii_digit()) => port.parse().ok()?,
        _ => return None,
    };
    if name.is_empty() {
        return None;
    }
    Some(if port == default_port { name } else { format!("{name}:{port}") })
}

/// In development the port may be forwarded, so any will do.
fn is_loopback(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|name| host.strip_prefix(name).is_some_and(|port| port.is_empty() || port.starts_with(':')))
}

fn tell(site: &Site, uri: &Uri, headers: &HeaderMap) {
    let mut asked: Vec<_> = headers.get_all(HOST).iter().map(|host| shown(host.as_bytes())).collect();
    asked.extend(uri.authority().map(|authority| shown(authority.as_str().as_bytes())));
    asked.truncate(3);
    let (asked, served) = (asked.join(", "), &site.config().authority);
    if let Some(count) = site.log_once().note("host.unknown", &asked) {
        tracing::warn!(
            event = "host.unknown",
            asked,
            served,
            count,
            "another host was asked for than VESTIBULE_PUBLIC_URL names; a proxy must pass on its Host"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{is_loopback, plain};

    #[test]
    fn a_host_has_one_form() {
        for host in
            ["a.example", "A.Example", "a.example.", "a.example:443", "a.example.:443", "a.example:", "a.example:0443"]
        {
            assert_eq!(plain(host, 443).as_deref(), Some("a.example"), "{host}");
        }
        assert_eq!(plain("a.example:80", 443).as_deref(), Some("a.example:80"));
        assert_eq!(plain("a.example:80", 80).as_deref(), Some("a.example"));
        assert_eq!(plain("[0:0::1]:80", 80).as_deref(), Some("[::1]"));
        assert_eq!(plain("[::1]:3000", 80).as_deref(), Some("[::1]:3000"));
        for host in [
            "",
            ".",
            ":443",
            "a:b:c",
            "::1",
            "[",
            "[::1",
            "[x]",
            "a.example:+443",
            "a.example:99999",
            "[::1]3000",
            "[::1].",
        ] {
            assert_eq!(plain(host, 443), None, "{host}");
        }
        for host in ["x@a.example", "a.example..", "a.example/x", "a.example\\x", " a.example", "a%2eexample"] {
            assert_ne!(plain(host, 443).as_deref(), Some("a.example"), "{host}");
        }
    }

    #[test]
    fn this_machine_has_few_names() {
        for host in ["localhost", "localhost:3000", "127.0.0.1:8080", "[::1]", "[::1]:3000"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.evil.test", "evil.test:3000", "::1", "x@localhost", "localhosts", "127.0.0.10"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
