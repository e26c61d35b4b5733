//! Refuses what another site sends in a person's name.
//!
//! A forged form is told by where it comes from (`Sec-Fetch-Site`, else `Origin`): there is no token that an open page
//! could outlive. A request that says neither does not come from a browser of today. It may act with a bearer token, which
//! no other site can add, but not with our cookies, which an old browser adds to any form.

use accounts::RefusalKind;
use app::request::{ACCESS, REFRESH, SESSION};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::ORIGIN;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use contract::Refusal;
use tower_http::csrf::{CsrfLayer, ProtectionError};

use crate::api::Failed;
use crate::{Site, client_address, cookies, visitor};

/// The layer for requests that say where they come from.
pub(crate) fn from_here_only(site: &Site) -> CsrfLayer {
    // The origin was checked when the settings were read; without it, only the request's own host is trusted.
    CsrfLayer::new().add_trusted_origin(&site.config().settings.public_url).unwrap_or_default()
}

/// The layer around it, which writes down what was refused, and has words for it.
pub(crate) async fn note_refused(State(site): State<Site>, request: Request, next: Next) -> Response {
    let is_safe = request.method().is_safe();
    let address = if is_safe { None } else { client_address::of(request.extensions()).ok() };
    let mut response = next.run(request).await;
    if response.extensions().get::<ProtectionError>().is_some() {
        response.extensions_mut().insert(Failed::from(Refusal::CrossOrigin));
        if let Some(address) = address {
            site.accounts().note_refusal(RefusalKind::CrossSite, address, None);
        }
    }
    response
}

/// The layer for those that do not, or name an origin that only looks like ours.
pub(crate) async fn no_cookies_from_nowhere(State(site): State<Site>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let says = |name: &str| headers.get(name).is_some_and(|value| !value.is_empty());
    // Another site can have a browser send a name and password (`https://a:b@…`), but never this scheme.
    // The layer within takes an origin of our host and another scheme for ours: behind https, `http://` is anybody's.
    let origin = headers.get(ORIGIN).map_or(&b""[..], HeaderValue::as_bytes);
    let is_ours = !site.config().is_production() || origin == site.config().settings.public_url.as_bytes();
    let is_from_here = says("sec-fetch-site") || !origin.is_empty() && is_ours;
    let is_from_nowhere = !is_from_here && visitor::bearer(headers).is_none();
    let has_cookies = || {
        [ACCESS, REFRESH, SESSION].iter().any(|short| cookies::value(headers, &site.cookies().name(short)).is_some())
    };
    if !request.method().is_safe() && is_from_nowhere && has_cookies() {
        if let Ok(address) = client_address::of(request.extensions()) {
            site.accounts().note_refusal(RefusalKind::CrossSite, address, None);
        }
        return Failed::from(Refusal::CrossOrigin).into_response();
    }
    next.run(request).await
}
