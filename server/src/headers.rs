//! What every answer carries, whatever its status: an id for the log, and the headers that keep a browser strict.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use app::request::REFRESH;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, SET_COOKIE, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::Site;

/// Names a request in the log, in faults and on the page that says something broke.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Cookies that the answer must carry, whichever layer writes it in the end: those of a renewed session. Lost with a
/// time-out or a panic, they would leave the browser with a token that was used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Renewed(Arc<Mutex<Vec<HeaderValue>>>);

impl Renewed {
    pub(crate) fn set(&self, cookies: impl IntoIterator<Item = String>) {
        let values = cookies.into_iter().filter_map(|cookie| HeaderValue::from_str(&cookie).ok());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(values);
    }

    /// A handler that signed in or out has the last word.
    fn add_to(&self, headers: &mut HeaderMap, refresh: &str) {
        let prefix = format!("{refresh}=");
        let is_set = |value: &HeaderValue| value.as_bytes().starts_with(prefix.as_bytes());
        if !headers.get_all(SET_COOKIE).iter().any(is_set) {
            for cookie in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
                headers.append(SET_COOKIE, cookie);
            }
        }
    }
}

/// For answers that set no policy of their own: nothing may load, run, frame or be sent.
const CLOSED: &str = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const FIXED: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
];

/// The outermost layer, so that refusals, redirects and panics have them too.
pub(crate) async fn on_every_answer(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let id = RequestId(Uuid::now_v7().to_string());
    let span = tracing::info_span!("request", id = id.0, method = %request.method(), path = request.uri().path());
    let renewed = Renewed::default();
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(renewed.clone());
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::debug!(status, micros, "answered"));

    let headers = response.headers_mut();
    for (name, value) in FIXED {
        default(headers, name, HeaderValue::from_static(value));
    }
    default(headers, CONTENT_SECURITY_POLICY, HeaderValue::from_static(CLOSED));
    // Assets say how long they keep, and so do pages for everybody; everything else may be somebody's.
    default(headers, CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if site.config().is_production() {
        let year = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        default(headers, STRICT_TRANSPORT_SECURITY, year);
    }
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert("x-request-id", id);
    }
    renewed.add_to(headers, &site.cookies().name(REFRESH));
    complete_deletions(headers, site.config().is_production());
    response
}

fn default(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    headers.entry(name).or_insert(value);
}

/// Browsers ignore a deletion without the attributes that the cookie was made with; tower-sessions writes none.
fn complete_deletions(headers: &mut HeaderMap, is_production: bool) {
    let attributes = if is_production { "; HttpOnly; Secure; SameSite=Lax" } else { "; HttpOnly; SameSite=Lax" };
    for cookie in headers.get_all(SET_COOKIE).iter().cloned().collect::<Vec<_>>() {
        let Some(text) = cookie.to_str().ok().filter(|text| !text.contains("HttpOnly")) else { continue };
        if let Ok(whole) = HeaderValue::from_str(&format!("{text}{attributes}")) {
            let others: Vec<_> = headers.get_all(SET_COOKIE).iter().filter(|other| *other != cookie).cloned().collect();
            headers.insert(SET_COOKIE, whole);
            for other in others {
                headers.append(SET_COOKIE, other);
            }
        }
    }
}

/// The policy of a page. Its nonce allows one script, and what that script loads; WebAssembly needs a word of its own.
pub(crate) fn page_policy(nonce: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(CLOSED))
}
