//! Only our own name is answered to: a request that names another host is a mistake or an attack (DNS rebinding,
//! poisoned links). Nothing we send is built from the header either way.

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::Site;

/// 421 Misdirected Request (RFC 9110 15.5.20) for every other host.
pub(crate) async fn ours_only(State(site): State<Site>, request: Request, next: Next) -> Response {
    // Load balancers ask by address, and are told nothing but "ok".
    let is_probe = matches!(request.uri().path(), "/healthz" | "/readyz");
    if is_probe || is_ours(&site, request.uri(), request.headers()) {
        return next.run(request).await;
    }
    (axum::http::StatusCode::MISDIRECTED_REQUEST, "This host is not served here.\n").into_response()
}

fn is_ours(site: &Site, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Some(host) = host.to_str().ok() else { return false };
    // An absolute target overrides the header (RFC 9112 3.2.2); both must then say the same.
    if uri.authority().is_some_and(|authority| authority.as_str() != host) {
        return false;
    }
    host.eq_ignore_ascii_case(&site.config().authority) || (!site.config().is_production() && is_loopback(host))
}

/// In development the port may be forwarded, so any will do.
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    is_port && matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn this_machine_has_few_names() {
        for host in ["localhost", "localhost:3000", "127.0.0.1:80", "[::1]", "[::1]:3000"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "[", "a:b:c", "localhost:99999", "localhost.evil.test", "evil.test:3000", "::1", "x@localhost"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
