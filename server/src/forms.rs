//! The forms of the pages.
//!
//! A form posts to its page's own path, where its server function waits. A browser is answered as browsers are:
//! 303 when the form was taken, the same page again with its faults when it was not. The framework's own way, an
//! error in the query of whatever the `Referer` says, would leak what was typed and lead to other sites; so the
//! server function never learns that it talks to a browser.

use std::collections::BTreeMap;

use app::Failed;
use app::page::Outcome;
use app::request::Door;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, REFERER, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use contract::{Problem, Refusal, paths};
use leptos::prelude::provide_context;
use leptos::server_fn::error::{FromServerFnError as _, SERVER_FN_ERROR_HEADER};
use leptos::server_fn::redirect::REDIRECT_HEADER;
use tower_sessions::Session;

use crate::api::body::MAX_OCTETS;
use crate::{Site, browser_keeps, octets, pages, visitor};

/// Shown again when a form was not taken. Everything else is a secret, or was not asked.
const KEPT: [&str; 9] =
    ["email", "first_name", "last_name", "user_type", "phone", "terms", "next", "remember", "token"];

/// `POST` to any path that has a form.
pub(crate) async fn answer(State(site): State<Site>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match take(&site, &parts, body).await {
        Ok(response) => response,
        Err(problem) => pages::of_problem(&site, &parts, problem),
    }
}

async fn take(site: &Site, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let has_body = axum::body::HttpBody::size_hint(&body).exact() != Some(0);
    if has_body && !is_form(&parts.headers) {
        return Err(Problem::Refused(Refusal::UnsupportedMediaType));
    }
    let body = octets::read(body, MAX_OCTETS).await.map_err(Problem::Refused)?;
    let fields = fields(&body)?;
    let path = parts.uri.path();
    if is_browser(&parts.headers)
        && paths::is_for_signed_in(path)
        && visitor::of(&parts.extensions)?.signed_in.is_none()
    {
        return Ok(pages::see_other(&pages::sign_in_then(paths::page_of_form(path))));
    }
    // Nothing that a person tried: not a password, and nothing is counted.
    if is_browser(&parts.headers) && browser_keeps::refuses_cookies(&parts.headers, &fields) {
        return Ok(not_taken(site, parts, fields, Problem::Refused(Refusal::CookiesBlocked)).await);
    }
    let answer = call(site, parts, body).await?;
    if !is_browser(&parts.headers) {
        return Ok(answer);
    }
    if answer.headers().contains_key(SERVER_FN_ERROR_HEADER) {
        let (head, body) = answer.into_parts();
        let Failed(problem) = Failed::de(to_bytes(body, MAX_OCTETS).await.unwrap_or_default());
        let mut response = not_taken(site, parts, fields, problem).await;
        for cookie in head.headers.get_all(SET_COOKIE) {
            response.headers_mut().append(SET_COOKIE, cookie.clone());
        }
        return Ok(response);
    }
    Ok(taken(parts, answer))
}

/// Each name once: "last wins" and "first wins" differ between parsers, so neither does.
fn fields(body: &[u8]) -> Result<BTreeMap<String, String>, Problem> {
    let malformed = Problem::Refused(Refusal::MalformedRequest);
    // The decoder replaces what is not UTF-8; a password must be refused instead of changed.
    let is_text = percent_encoding::percent_decode(body).decode_utf8().is_ok();
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).map_err(|_| malformed.clone())?;
    // The next decoder reads brackets as lists, and a name in brackets as the name.
    let is_plain = pairs.iter().all(|(name, _)| !name.contains(['[', ']']));
    let count = pairs.len();
    let fields: BTreeMap<_, _> = pairs.into_iter().collect();
    if is_text && is_plain && fields.len() == count { Ok(fields) } else { Err(malformed) }
}

/// Runs the server function, as a program would call it.
async fn call(site: &Site, parts: &Parts, body: Bytes) -> Result<Response, Problem> {
    let session = parts.extensions.get::<Session>().cloned().ok_or(Problem::Internal)?;
    let door = Door {
        accounts: site.accounts().clone(),
        visitor: visitor::of(&parts.extensions)?,
        session,
        cookies: site.cookies().clone(),
    };
    let mut inner = parts.clone();
    inner.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    inner.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    inner.headers.remove(REFERER);
    let request = Request::from_parts(inner, Body::from(body));
    let context = move || provide_context(door.clone());
    Ok(leptos_axum::handle_server_fns_with_context(context, request).await.into_response())
}

/// The page of the form again, with what was typed but for secrets.
async fn not_taken(site: &Site, parts: &Parts, fields: BTreeMap<String, String>, problem: Problem) -> Response {
    let kept = fields.into_iter().filter(|(name, _)| KEPT.contains(&name.as_str())).collect();
    pages::show_again(site, parts, Outcome { path: parts.uri.path().to_owned(), kept, problem }).await
}

fn taken(parts: &Parts, answer: Response) -> Response {
    let (mut head, _) = answer.into_parts();
    if !head.status.is_success() {
        return Response::from_parts(head, Body::empty());
    }
    head.status = StatusCode::SEE_OTHER;
    for name in [CONTENT_TYPE, CONTENT_LENGTH] {
        head.headers.remove(name);
    }
    head.headers.remove(REDIRECT_HEADER);
    if !head.headers.contains_key(LOCATION)
        && let Ok(here) = HeaderValue::from_str(parts.uri.path())
    {
        head.headers.insert(LOCATION, here);
    }
    Response::from_parts(head, Body::empty())
}

/// Whoever does not ask for JSON is answered as people are.
fn is_browser(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.contains("text/html") || !accept.contains("application/json")
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
