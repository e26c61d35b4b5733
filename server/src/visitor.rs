//! Who is asking: worked out once for each request, and put where every handler finds it.
//!
//! A page whose access cookie has run out is renewed here, by the refresh cookie, so that nobody needs a script to
//! stay signed in. Two tabs may do so at once; the domain gives both the same successor.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use accounts::{Error, Visitor};
use app::request::{ACCESS, REFRESH};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use contract::{Problem, Refusal, paths};
use ipnet::IpNet;
use tower_sessions::Session;

use crate::api::Failed;
use crate::headers::Renewed;
use crate::{Site, cookies};

/// The layer. `Session` is there already.
pub(crate) async fn recognise(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    match see(&site, &mut request).await {
        Ok(visitor) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Err(error) => Failed::from(error).into_response(),
    }
}

async fn see(site: &Site, request: &mut Request) -> Result<Visitor, Error> {
    let headers = request.headers();
    let access = bearer(headers).or_else(|| cookies::value(headers, &site.cookies().name(ACCESS)));
    let refresh = cookies::value(headers, &site.cookies().name(REFRESH));
    let user_agent = headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let session = request.extensions().get::<Session>().cloned();
    let (pending_sign_up, reset_asked) = match &session {
        Some(session) => (app::request::pending_sign_up(session).await?, app::request::reset_asked(session).await?),
        None => (None, None),
    };
    let mut visitor = Visitor {
        address: client(request, &site.config().trusted_proxies),
        user_agent: user_agent.unwrap_or_default(),
        signed_in: None,
        refused: None,
        pending_sign_up,
        reset_request: reset_asked.map(|asked| asked.request),
    };
    if let Some(access) = access {
        match site.accounts().recognise(&access).await {
            Ok(signed_in) => visitor.signed_in = Some(signed_in),
            Err(Error::Refused(refusal @ (Refusal::SessionInvalid | Refusal::SessionExpired))) => {
                visitor.refused = Some(refusal);
            }
            Err(error) => return Err(error),
        }
    }
    let renewed = request.extensions().get::<Renewed>().cloned().unwrap_or_default();
    if let Some(refresh) = refresh.filter(|_| visitor.signed_in.is_none() && may_renew(request)) {
        match site.accounts().renew(&visitor, &refresh).await {
            Ok(session) => {
                renewed.set(site.cookies().of_session(&session));
                visitor.signed_in = Some(session.signed_in);
            }
            Err(Error::Refused(Refusal::SessionInvalid | Refusal::SessionExpired)) => {
                renewed.set(site.cookies().of_nobody());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(visitor)
}

/// Pages renew; programs do it themselves, by a route of its own. HEAD is for looking.
fn may_renew(request: &Request) -> bool {
    let is_page = !request.uri().path().starts_with(paths::API);
    is_page && matches!(*request.method(), Method::GET | Method::POST)
}

/// RFC 6750 2.1.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// The peer; or, when that is a proxy of ours, the last hop before our proxies.
fn client(request: &Request, trusted: &[IpNet]) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(&address.to_canonical()));
    let Some(peer) = peer else { return IpAddr::V4(Ipv4Addr::LOCALHOST) };
    if !is_trusted(&peer) {
        return peer;
    }
    let forwarded = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    for hop in hops.iter().rev() {
        match hop.parse::<IpAddr>() {
            Ok(address) if is_trusted(&address) => {}
            Ok(address) => return address,
            // Whatever stands left of garbage is no better.
            Err(_) => break,
        }
    }
    peer
}

/// For handlers that a layer cannot have left without one.
pub(crate) fn of(extensions: &axum::http::Extensions) -> Result<Visitor, Problem> {
    extensions.get::<Visitor>().cloned().ok_or(Problem::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(peer: &str, forwarded: &[&str]) -> Request {
        let mut builder = axum::http::Request::builder();
        for value in forwarded {
            builder = builder.header("x-forwarded-for", *value);
        }
        let mut request = builder.body(axum::body::Body::empty()).expect("a request");
        let peer: SocketAddr = format!("{peer}:1234").parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    }

    #[test]
    fn only_our_proxies_are_believed() {
        let trusted = ["10.0.0.0/8".parse().expect("a net")];
        let client = |peer, forwarded: &[&str]| client(&request(peer, forwarded), &trusted).to_string();
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 198.51.100.1", "10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, junk"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }
}
