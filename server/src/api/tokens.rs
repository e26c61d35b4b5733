//! How tokens are handed over: always as cookies; as values only to callers that are no browser, so that no script
//! of a page ever holds them.

use accounts::NewSession;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use serde_json::{Value, json};

/// Every browser of today says where a request comes from; nothing else does.
pub(crate) fn is_browser(headers: &HeaderMap) -> bool {
    headers.contains_key("sec-fetch-site")
}

/// The `tokens` object.
pub(crate) fn tokens(session: &NewSession, headers: &HeaderMap) -> Value {
    let value = |token: String| if is_browser(headers) { Value::Null } else { token.into() };
    json!({
        "access": value(session.access.clone()),
        "refresh": value(session.refresh.expose()),
        "token_type": "Bearer",
        "expires_in": session.access_lives.num_seconds(),
        "refresh_expires_in": session.refresh_lives.num_seconds(),
    })
}

/// Adds cookies to an answer.
pub(crate) fn with_cookies(mut response: Response, cookies: [String; 2]) -> Response {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}
