//! The built-in mailbox as data: routed in development only.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_FRAME_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use contract::Problem;

use crate::{Site, pages};

/// `GET /dev/mailbox/messages.json?to=`: newest first.
pub(crate) async fn messages(State(site): State<Site>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let to = pages::query(&parts, "to").unwrap_or_default();
    match site.accounts().mailbox(&to).await {
        Ok(messages) => Json(messages).into_response(),
        Err(error) => pages::of_problem(&site, &parts, Problem::from(error)),
    }
}

/// `GET /dev/mailbox/{id}.html`: a letter as sent. It may use its own styles, and nothing else.
pub(crate) async fn letter(State(site): State<Site>, Path(file): Path<String>) -> Response {
    let messages = site.accounts().mailbox("").await.unwrap_or_default();
    let wanted = file.strip_suffix(".html").unwrap_or_default();
    let Some(message) = messages.into_iter().find(|message| message.id.to_string() == wanted) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = message.html.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups; frame-ancestors 'self'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}
