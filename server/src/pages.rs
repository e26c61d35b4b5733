//! Pages over HTTP: gates, what a page needs, the render, and its headers.

use std::collections::BTreeMap;

use accounts::Visitor;
use app::page::{self, Audience, Data, Outcome, Page, PageRequest};
use app::request::{Notice, THEME, notice, reset_asked, take_notice};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use contract::{Problem, paths};
use tower_sessions::Session;

use crate::headers::{RequestId, page_policy};
use crate::{Site, browser_keeps, cookies, visitor};

/// `GET` of any page in the route table.
pub(crate) async fn show(State(site): State<Site>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let found = page::PAGES.iter().chain(mailbox_of(&site)).find(|page| page.path == parts.uri.path());
    let Some(page) = found else { return not_found(&site, &parts) };
    match show_page(&site, page, &parts).await {
        Ok(response) => response,
        Err(problem) => of_problem(&site, &parts, problem),
    }
}

async fn show_page(site: &Site, page: &Page, parts: &Parts) -> Result<Response, Problem> {
    let visitor = visitor::of(&parts.extensions)?;
    if let Some(target) = gate(page, &visitor, parts) {
        return Ok(see_other(&target));
    }
    let data = gather(site, page, &visitor, parts).await?;
    let notice = match parts.extensions.get::<Session>() {
        // HEAD is for looking: what is said once is still to be said.
        Some(session) if parts.method == Method::HEAD => notice(session).await?,
        Some(session) => take_notice(session).await?,
        None => None,
    };
    Ok(render(site, page, parts, visitor, notice, None, data, StatusCode::OK))
}

/// The page of a form that was not taken, with what was typed and what is wrong with it.
pub(crate) async fn show_again(site: &Site, parts: &Parts, outcome: Outcome) -> Response {
    let path = paths::page_of_form(parts.uri.path());
    let problem = outcome.problem.clone();
    let Some(page) = page::PAGES.iter().find(|page| page.path == path) else {
        return of_problem(site, parts, problem);
    };
    let status = StatusCode::from_u16(problem.page_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let again = async {
        let visitor = visitor::of(&parts.extensions)?;
        let kept = |name: &str| outcome.kept.get(name).cloned().filter(|kept| !kept.is_empty());
        let data = match (page.path, kept("token"), kept("email")) {
            (paths::VERIFY_EMAIL, Some(token), _) => confirmation(site, &visitor, &token).await?,
            (paths::PASSWORD_RESET_CONFIRM, Some(token), _) => reset(site, &visitor, token).await?,
            (paths::PASSWORD_RESET_CONFIRM, None, Some(email)) => Data::ResetAsked { email },
            (paths::ACCOUNT_SESSIONS, ..) => Data::Devices(site.accounts().devices(&visitor).await?),
            _ => Data::None,
        };
        Ok::<_, Problem>(render(site, page, parts, visitor, None, Some(outcome), data, status))
    };
    match again.await {
        Ok(mut response) => {
            add_retry_after(&mut response, &problem);
            response
        }
        Err(problem) => of_problem(site, parts, problem),
    }
}

/// Where a visitor is sent who has no business on a page.
fn gate(page: &Page, visitor: &Visitor, parts: &Parts) -> Option<String> {
    match (page.audience, &visitor.signed_in) {
        (Audience::SignedIn, None) => {
            let here = parts.uri.path_and_query().map_or(page.path, |path| path.as_str());
            Some(sign_in_then(here))
        }
        // Nothing is left to be proven.
        (_, Some(_)) if page.path == paths::VERIFY_EMAIL && is_done(visitor, parts) => Some(paths::ACCOUNT.to_owned()),
        (Audience::SignedOut, Some(_)) => Some(next(parts).unwrap_or_else(|| paths::ACCOUNT.to_owned())),
        _ => None,
    }
}

fn is_done(visitor: &Visitor, parts: &Parts) -> bool {
    visitor.own_email().is_none() && query(parts, "token").is_none()
}

/// Sign-in, and then on to where one wanted to go.
pub(crate) fn sign_in_then(next: &str) -> String {
    let query = serde_urlencoded::to_string([("next", next)]).unwrap_or_default();
    format!("{}?{query}", paths::LOGIN)
}

/// What a page needs, loaded before it is rendered. Changes nothing.
async fn gather(site: &Site, page: &Page, visitor: &Visitor, parts: &Parts) -> Result<Data, Problem> {
    match page.path {
        paths::VERIFY_EMAIL => match query(parts, "token") {
            Some(token) => confirmation(site, visitor, &token).await,
            None => Ok(Data::None),
        },
        paths::PASSWORD_RESET_CONFIRM => match query(parts, "token") {
            Some(token) => reset(site, visitor, token).await,
            None => {
                let asked = match parts.extensions.get::<Session>() {
                    Some(session) => reset_asked(session).await?,
                    None => None,
                };
                Ok(asked.map_or(Data::None, |asked| Data::ResetAsked { email: asked.email }))
            }
        },
        paths::ACCOUNT_SESSIONS => Ok(Data::Devices(site.accounts().devices(visitor).await?)),
        paths::API_DOCS => Ok(Data::Api(site.openapi().clone())),
        paths::DEV_MAILBOX => Ok(Data::Mailbox(site.accounts().mailbox("").await?)),
        _ => Ok(Data::None),
    }
}

async fn confirmation(site: &Site, visitor: &Visitor, token: &str) -> Result<Data, Problem> {
    let link = site.accounts().look_at_confirmation(visitor, token).await?;
    Ok(Data::Confirmation { token: token.to_owned(), link })
}

async fn reset(site: &Site, visitor: &Visitor, token: String) -> Result<Data, Problem> {
    let link = site.accounts().look_at_password_reset(visitor, &token).await?;
    Ok(Data::Reset { token, link })
}

fn render(
    site: &Site,
    page: &Page,
    parts: &Parts,
    visitor: Visitor,
    notice: Option<Notice>,
    outcome: Option<Outcome>,
    data: Data,
    status: StatusCode,
) -> Response {
    let nonce = nonce();
    let theme = cookies::value(&parts.headers, &site.cookies().name(THEME));
    let is_secret = matches!(data, Data::Confirmation { .. } | Data::Reset { .. });
    let request = PageRequest {
        path: parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), ToString::to_string),
        visitor,
        site: site.facts().clone(),
        theme: theme.as_deref().and_then(app::pages::theme::known),
        notice,
        outcome,
        data,
        next: next(parts),
        nonce: nonce.clone(),
        request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
    };
    let (may_keep, again) = (browser_keeps::may_keep(page, &request), request.outcome.is_some());
    let mut response = Response::new(Body::from(page::render(page, request)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if may_keep {
        browser_keeps::keep(headers, again);
    }
    browser_keeps::hand_out_probe(site, page, &parts.headers, headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, page_policy(&nonce));
    if is_secret {
        // The address of this page is a secret: no link on it may carry it away.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    }
    response
}

/// A page for a problem that no form can show. Needs no database.
pub(crate) fn of_problem(site: &Site, parts: &Parts, problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let visitor = parts.extensions.get::<Visitor>().cloned().unwrap_or_else(nobody);
    let outcome = Outcome { path: String::new(), kept: BTreeMap::new(), problem: problem.clone() };
    let mut response = render(site, &page::PROBLEM, parts, visitor, None, Some(outcome), Data::None, status);
    add_retry_after(&mut response, &problem);
    response
}

/// The same, as a page to people and as an envelope to programs.
pub(crate) fn trouble(site: &Site, parts: &Parts, problem: Problem) -> Response {
    if parts.uri.path().starts_with("/api/") {
        return crate::api::Failed(problem).respond(site, parts.extensions.get());
    }
    of_problem(site, parts, problem)
}

pub(crate) fn not_found(site: &Site, parts: &Parts) -> Response {
    let visitor = parts.extensions.get::<Visitor>().cloned().unwrap_or_else(nobody);
    render(site, &page::NOT_FOUND, parts, visitor, None, None, Data::None, StatusCode::NOT_FOUND)
}

/// Parts without a body; requests cannot be cloned.
pub(crate) fn parts_of(request: &Request) -> Parts {
    let (mut parts, ()) = axum::http::Request::new(()).into_parts();
    parts.method = request.method().clone();
    parts.uri = request.uri().clone();
    parts.headers = request.headers().clone();
    parts.extensions = request.extensions().clone();
    parts
}

/// 303: whatever the method was, the next one is GET (RFC 9110 15.4.4).
pub(crate) fn see_other(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static(paths::HOME));
    response.headers_mut().insert(LOCATION, location);
    response
}

fn add_retry_after(response: &mut Response, problem: &Problem) {
    if let Some(seconds) = problem.refusal().and_then(contract::Refusal::retry_after) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}

fn mailbox_of(site: &Site) -> Option<&'static Page> {
    site.config().has_mailbox().then_some(&page::MAILBOX)
}

fn next(parts: &Parts) -> Option<String> {
    query(parts, "next").filter(|next| paths::local(next).is_some())
}

/// A query parameter that is there once; twice is nothing (nobody knows which was meant).
pub(crate) fn query(parts: &Parts, name: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(parts.uri.query()?).ok()?;
    let mut values = pairs.into_iter().filter(|(found, _)| found == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

fn nobody() -> Visitor {
    Visitor::anonymous(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST))
}

/// 128 bits for one answer.
fn nonce() -> String {
    let mut bytes = [0; 16];
    // Without randomness the nonce is empty, and an empty nonce allows no script.
    aws_lc_rs::rand::fill(&mut bytes).map_or_else(|_| String::new(), |()| BASE64_STANDARD_NO_PAD.encode(bytes))
}
