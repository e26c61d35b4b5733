//! Who is asking: worked out once for each request, and put where every handler finds it.
//!
//! A page whose access cookie has run out is renewed here, by the refresh cookie, so that nobody needs a script to
//! stay signed in. Two tabs may do so at once; the domain gives both the same successor.

use std::net::{IpAddr, Ipv4Addr};

use accounts::{Error, Visitor};
use app::request::{ACCESS, DEVICE, REFRESH};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use contract::{Problem, Refusal, paths};
use tower_sessions::Session;

use crate::api::Failed;
use crate::headers::Renewed;
use crate::{Site, client_address, cookies};

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
        address: client_address::of(site, request)?,
        user_agent: user_agent.unwrap_or_default(),
        signed_in: None,
        refused: None,
        pending_sign_up,
        device: cookies::value(headers, &site.cookies().name(DEVICE)),
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

/// Who is signed in, for a page that says what went wrong. Nobody where that cannot be told; nothing is renewed.
pub(crate) async fn at_a_glance(site: &Site, parts: &Parts) -> Visitor {
    let mut visitor = Visitor::anonymous(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let access = cookies::value(&parts.headers, &site.cookies().name(ACCESS));
    if let Some(access) = access.filter(|_| !parts.uri.path().starts_with("/api/")) {
        visitor.signed_in = site.accounts().recognise(&access).await.ok();
    }
    visitor
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

/// For handlers that a layer cannot have left without one.
pub(crate) fn of(extensions: &axum::http::Extensions) -> Result<Visitor, Problem> {
    extensions.get::<Visitor>().cloned().ok_or(Problem::Internal)
}
