//! Every route and every layer, on one screen.

use std::any::Any;
use std::time::Duration;

use app::page::PAGES;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use contract::{Problem, Refusal, paths};
use tower_http::catch_panic::CatchPanicLayer;

use crate::api::Failed;
use crate::{
    Site, api, assets, browser_sessions, client_address, cookies, csrf, forms, headers, hosts, mailbox, pages, visitor,
};

/// A handler that takes longer than this holds more than it is worth.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Where forms post to.
const FORMS: [&str; 11] = [
    paths::REGISTER,
    paths::VERIFY_EMAIL,
    paths::VERIFY_EMAIL_RESEND,
    paths::LOGIN,
    paths::LOGOUT,
    paths::PASSWORD_RESET,
    paths::PASSWORD_RESET_CONFIRM,
    paths::ACCOUNT_PASSWORD,
    paths::ACCOUNT_SESSIONS_END,
    paths::ACCOUNT_SESSIONS_END_OTHERS,
    paths::THEME,
];

pub(crate) fn router(site: Site) -> Router {
    let mut people = Router::new();
    for page in PAGES {
        people = people.route(page.path, get(pages::show));
    }
    for form in FORMS {
        people = people.route(form, post(forms::answer));
    }
    if site.config().has_mailbox() {
        people = people
            .route(paths::DEV_MAILBOX, get(pages::show))
            .route("/dev/mailbox/messages.json", get(mailbox::messages))
            .route("/dev/mailbox/{letter}", get(mailbox::letter));
    }
    let with_visitor = people
        .merge(api::router())
        .route(paths::VERIFY_EMAIL_RESEND, get(|| async { pages::see_other(paths::VERIFY_EMAIL) }))
        .route(paths::ACCOUNT_SESSIONS_END, get(|| async { pages::see_other(paths::ACCOUNT_SESSIONS) }))
        .route(paths::ACCOUNT_SESSIONS_END_OTHERS, get(|| async { pages::see_other(paths::ACCOUNT_SESSIONS) }))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(site.clone(), visitor::recognise))
        .layer(browser_sessions::layer(site.accounts(), site.cookies()))
        .layer(map_response(browser_sessions::explain_unsaved));

    let all = Router::new()
        .merge(with_visitor)
        .route("/assets/{name}", get(assets::serve))
        .route("/.well-known/jwks.json", get(public_keys))
        .route(paths::CHANGE_PASSWORD, get(|| async { (StatusCode::FOUND, [(LOCATION, paths::ACCOUNT_PASSWORD)]) }))
        .route(paths::OPENAPI, get(description))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(is_ready));
    guarded(all, site)
}

/// The layers around everything. The last one is the outermost.
fn guarded(router: Router<Site>, site: Site) -> Router {
    router
        .layer(from_fn_with_state(site.clone(), csrf::no_cookies_from_nowhere))
        .layer(csrf::from_here_only(&site))
        .layer(from_fn_with_state(site.clone(), csrf::note_refused))
        .layer(from_fn_with_state(site.clone(), cookies::ours_only))
        .layer(from_fn(in_time))
        .layer(from_fn_with_state(site.clone(), hosts::ours_only))
        .layer(from_fn_with_state(site.clone(), client_address::find_once))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(from_fn_with_state(site.clone(), explain))
        .layer(from_fn_with_state(site.clone(), headers::on_every_answer))
        .with_state(site)
}

/// RFC 7517. Other services keep it for five minutes.
async fn public_keys(State(site): State<Site>) -> Response {
    let cache = [(axum::http::header::CACHE_CONTROL, "public, max-age=300")];
    (cache, axum::Json(site.accounts().public_keys())).into_response()
}

async fn description(State(site): State<Site>) -> Response {
    ([(CONTENT_TYPE, "application/json")], site.openapi_text()).into_response()
}

async fn is_ready(State(site): State<Site>) -> Response {
    if let Some(task) = site.background().unwell() {
        tracing::warn!(task, "not ready: a background task is not well");
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response();
    }
    if site.accounts().is_ready().await {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
    }
}

async fn not_found(State(site): State<Site>, request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        return Failed::from(Refusal::NotFound).into_response();
    }
    pages::not_found(&site, &pages::parts_of(&request))
}

async fn method_not_allowed() -> Failed {
    Refusal::MethodNotAllowed.into()
}

/// A panic is a bug, and one request's: it is logged, and answered like any other failure.
fn after_panic(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(Failed(Problem::Internal));
    response
}

async fn in_time(request: Request, next: Next) -> Response {
    let late = Failed(Problem::Refused(Refusal::Unavailable { retry_after: 5 }));
    tokio::time::timeout(TIMEOUT, accounts::waiting_once(next.run(request)))
        .await
        .unwrap_or_else(|_| late.into_response())
}

/// Writes what the layers below had no words for: as a page to people, as an envelope to programs.
async fn explain(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let mut as_sent = pages::parts_of(&request);
    let recognised = visitor::Recognised::default();
    request.extensions_mut().insert(recognised.clone());
    let mut response = next.run(request).await;
    let Some(Failed(problem)) = response.extensions_mut().remove::<Failed>() else { return response };
    if let Some(visitor) = recognised.visitor() {
        as_sent.extensions.insert(visitor.clone());
    }
    let mut told = pages::trouble(&site, &as_sent, problem);
    // A refusal may begin something (the way to a new letter), and then its cookie matters.
    for cookie in response.headers().get_all(SET_COOKIE) {
        told.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    told
}

#[cfg(test)]
mod tests {
    use accounts::Clock;
    use axum::body::{Body, to_bytes};
    use tower::ServiceExt as _;

    use super::*;
    use crate::Config;
    use crate::config::Sources;

    #[tokio::test]
    async fn a_panic_is_one_requests_and_says_nothing_of_its_cause() {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = ("VESTIBULE_DATA_DIR".to_owned(), folder.path().display().to_string());
        let config = Config::read(&Sources { environment: vec![data_dir], file: None }).expect("good settings");
        let site = crate::build(config, Clock::System).await.expect("a site");
        let broken = || async { assert!(Duration::ZERO > Duration::ZERO, "canary") };
        let router = guarded(Router::new().route("/boom", get(broken)).route("/api/boom", get(broken)), site);
        for (path, kind) in [("/boom", "text/html; charset=utf-8"), ("/api/boom", "application/json")] {
            let request = Request::get(path).header("host", "localhost:3000").body(Body::empty()).expect("a request");
            let response = router.clone().oneshot(request).await.expect("an answer");
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(response.headers()["content-type"], kind);
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            let id = response.headers()["x-request-id"].to_str().expect("text").to_owned();
            let body = String::from_utf8(to_bytes(response.into_body(), 1 << 16).await.expect("a body").to_vec())
                .expect("text");
            assert!(body.contains(&id) && !body.contains("canary") && !body.contains("panicked"), "{body}");
        }
    }

    #[tokio::test]
    async fn the_cookies_of_a_renewed_session_survive_whatever_answers() {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = ("VESTIBULE_DATA_DIR".to_owned(), folder.path().display().to_string());
        let config = Config::read(&Sources { environment: vec![data_dir], file: None }).expect("good settings");
        let site = crate::build(config, Clock::System).await.expect("a site");
        let renew = |request: &Request| {
            let renewed = request.extensions().get::<headers::Renewed>().expect("a place for cookies");
            renewed.set(["vestibule_refresh=next; Path=/".to_owned()]);
        };
        let panics = move |request: Request| async move {
            renew(&request);
            assert!(Duration::ZERO > Duration::ZERO, "canary");
        };
        let fails = move |request: Request| async move {
            renew(&request);
            Failed::from(Refusal::Unavailable { retry_after: 1 })
        };
        let signs_in = move |request: Request| async move {
            renew(&request);
            [(SET_COOKIE, "vestibule_refresh=of another")]
        };
        let paths = Router::new().route("/panics", get(panics)).route("/fails", get(fails)).route("/in", get(signs_in));
        let router = guarded(paths, site);
        for (path, expected) in [("/panics", "next"), ("/fails", "next"), ("/in", "of another")] {
            let request = Request::get(path).header("host", "localhost:3000").body(Body::empty()).expect("a request");
            let response = router.clone().oneshot(request).await.expect("an answer");
            let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().collect();
            assert_eq!(cookies.len(), 1, "{path}");
            assert!(cookies[0].to_str().expect("text").contains(expected), "{path}");
        }
    }
}
