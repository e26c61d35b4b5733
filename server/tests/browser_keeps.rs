//! What a browser keeps of this site: pages to go back to, cookies, and a notice until it was read.

mod support;

use app::page::PAGES;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use support::*;

const EMAIL: &str = "ada@example.com";
const KEPT: &str = "private, no-cache";
const SIGN_UP: [(&str, &str); 4] =
    [("email", EMAIL), ("password", PASSWORD), ("first_name", "Ada"), ("last_name", "O'Brien")];

/// How the pages that this client is shown may be kept, by path.
async fn policies(client: &Client) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for page in PAGES {
        let answer = client.clone().get(page.path).await;
        assert!(answer.status == StatusCode::OK || answer.header("cache-control") == "no-store", "{}", page.path);
        if answer.status == StatusCode::OK {
            found.push((page.path, answer.header("cache-control").to_owned()));
        }
    }
    found
}

#[tokio::test]
async fn what_anybody_is_shown_may_be_kept_by_their_own_browser() {
    let world = World::new(&[]).await;
    let found = policies(&world.client(1)).await;
    assert!(found.len() >= 9, "{found:?}");
    assert!(found.iter().all(|(_, policy)| policy == KEPT), "{found:?}");
    let page = world.client(1).get("/login").await;
    assert_eq!(page.header("vary"), "cookie", "whoever signed in meanwhile is not shown it again");
}

#[tokio::test]
async fn nothing_of_a_person_is_kept_anywhere() {
    let world = World::new(&[]).await;
    let signed_in = world.person(1, EMAIL).await;
    let mut pending = world.client(2);
    pending.api("register/", registration("bob@example.com")).await;
    for client in [signed_in, pending] {
        let found = policies(&client).await;
        assert!(found.len() >= 6 && found.iter().all(|(_, policy)| policy == "no-store"), "{found:?}");
    }
    // A letter's link, and the address that a letter was asked for.
    let token = world.token_to("bob@example.com").await;
    world.clock.advance(TimeDelta::minutes(2));
    let mut forgetful = world.client(3);
    forgetful.post("/password/reset", &[("email", EMAIL)]).await;
    let reset = world.token_to(EMAIL).await;
    for path in [
        format!("/verify-email?token={token}"),
        "/verify-email?token=junk".to_owned(),
        format!("/password/reset/confirm?token={reset}"),
        "/password/reset/confirm?token=junk".to_owned(),
        "/dev/mailbox".to_owned(),
    ] {
        let answer = world.client(4).get(&path).await;
        assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"), "{path}");
    }
    let answer = forgetful.get("/password/reset/confirm").await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.text().contains(EMAIL));
    for path in ["/none", "/api/v1/auth/user/", "/healthz", "/theme"] {
        assert_eq!(world.client(4).get(path).await.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn one_can_go_back_to_a_form_that_came_back_with_a_fault() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    let wrong = [("email", EMAIL), ("password", "hunter2 hunter2")];
    for (path, fields) in [
        ("/login", &wrong[..]),
        ("/login", &[]),
        ("/register", &wrong[..1]),
        ("/password/reset", &[("email", "x")]),
        ("/verify-email/resend", &[("email", "x")]),
    ] {
        let answer = world.client(1).post(path, fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert_eq!((answer.header("cache-control"), answer.header("vary")), (KEPT, ""), "{path}");
        assert!(!answer.text().contains("hunter2"));
    }
}

#[tokio::test]
async fn a_fault_beside_a_secret_or_a_person_is_kept_nowhere() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    let person = world.person(1, EMAIL).await;
    let mut pending = world.client(2);
    pending.api("register/", registration("bob@example.com")).await;
    let token = world.token_to("bob@example.com").await;
    let stranger = world.client(3);
    let token = [("token", token.as_str()), ("password", "wrong password!")];
    for (client, path, fields) in [
        (&person, "/account/password", &[("old_password", "x")][..]),
        (&pending, "/verify-email", &[("code", "12345")]),
        (&pending, "/login", &[("email", EMAIL)]),
        (&stranger, "/verify-email", &token[..]),
        (&stranger, "/password/reset/confirm", &[("email", EMAIL), ("code", "1")]),
        (&stranger, "/password/reset/confirm", &[("token", "junk"), ("password", "x")]),
    ] {
        let answer = client.clone().post(path, fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

on_both_engines! {
    async fn head_takes_no_notice_away(world: World) {
        let mut client = world.person(1, EMAIL).await;
        client.post("/logout", &[]).await;
        for _ in 0..3 {
            let head = client.send(Method::HEAD, "/login", &[], Body::empty()).await;
            assert_eq!((head.status, head.header("cache-control")), (StatusCode::OK, "no-store"));
            assert!(head.body.is_empty());
        }
        let page = client.get("/login").await;
        assert!(page.text().contains("You have signed out"), "still to be said");
        assert_eq!(page.header("cache-control"), "no-store", "and not to be read again");
        let again = client.get("/login").await;
        assert!(!again.text().contains("You have signed out"));
        assert_eq!(again.header("cache-control"), KEPT);
    }
}

/// The fields that a page's form posts without anybody typing.
fn hidden(page: &str) -> Vec<(String, String)> {
    let value = |tag: &str, name: &str| {
        tag.split_once(&format!("{name}=\""))
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(value, _)| value.to_owned())
    };
    let form = page.split("<form").find(|form| form.contains("id=\"sign-")).expect("a form");
    let tags = form.split("<input").skip(1).filter(|tag| tag.contains("type=\"hidden\""));
    tags.filter_map(|tag| Some((value(tag, "name")?, value(tag, "value")?))).collect()
}

#[tokio::test]
async fn a_browser_that_refuses_cookies_is_told_so_and_led_nowhere() {
    let world = World::new(&[]).await;
    world.person(1, EMAIL).await;
    let letters = world.letters_to("bob@example.com").await.len();
    for (path, typed) in [
        ("/login?next=/account", &[("email", EMAIL), ("password", PASSWORD)][..]),
        ("/register", &[("email", "bob@example.com"), ("password", PASSWORD), ("first_name", "B"), ("last_name", "B")]),
    ] {
        let mut browser = world.client(2);
        let page = browser.get(path).await;
        assert!(page.set_cookies().iter().any(|cookie| cookie.starts_with("vestibule_probe=1;")));
        browser.cookies.clear();
        let hidden = hidden(&page.text());
        let fields: Vec<_> =
            hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(typed.iter().copied()).collect();
        let form = path.split('?').next().expect("a path");
        for _ in 0..2 {
            browser.cookies.clear();
            let told = browser.post(form, &fields).await;
            assert_eq!((told.status, told.header("location")), (StatusCode::UNPROCESSABLE_ENTITY, ""), "{form}");
            let text = told.text();
            assert!(text.contains("does not keep cookies") && text.contains(typed[0].1) && !text.contains(PASSWORD));
            assert!(!browser.is_signed_in(), "nothing was begun");
        }
        // Allowed, the same form is taken: the answer handed the cookie out once more.
        assert!(browser.cookies.contains_key("vestibule_probe"));
        assert_eq!(browser.post(form, &fields).await.status, StatusCode::SEE_OTHER, "{form}");
    }
    assert_eq!(world.letters_to("bob@example.com").await.len(), letters + 1, "of the form that was taken");
}

#[tokio::test]
async fn whoever_keeps_cookies_hears_nothing_of_them() {
    let world = World::new(&[]).await;
    let mut client = world.person(1, EMAIL).await;
    client.post("/logout", &[]).await;
    let page = client.get("/login").await.text();
    let hidden = hidden(&page);
    let fields: Vec<_> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let typed = [("email", EMAIL), ("password", PASSWORD)];
    let answer = client.post("/login", &[&fields[..], &typed].concat()).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/account"));
    let again = client.clone();
    assert!(!client.get("/account").await.set_cookies().iter().any(|cookie| cookie.contains("probe")));
    // Another cookie of ours is as good, and a program that never saw the page is not asked.
    let mut old = again;
    old.cookies.remove("vestibule_probe");
    assert_eq!(old.post("/login", &[&fields[..], &typed].concat()).await.status, StatusCode::SEE_OTHER);
    assert_eq!(world.client(3).post("/login", &typed).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn times_for_machines_are_times_of_html() {
    let world = World::new(&[]).await;
    let mut client = world.person(1, EMAIL).await;
    world.client(2).api("register/", registration("bob@example.com")).await;
    let token = world.token_to("bob@example.com").await;
    let mut pages = Vec::new();
    for path in ["/account", "/account/sessions", "/dev/mailbox"] {
        pages.push(client.get(path).await.text());
    }
    world.clock.advance(TimeDelta::hours(25));
    pages.push(world.client(3).get(&format!("/verify-email?token={token}")).await.text());
    for page in pages {
        let times: Vec<_> = page.split("datetime=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(!times.is_empty());
        for time in times {
            // HTML, "valid global date and time string": one to three digits of a second.
            let fraction = time.strip_suffix('Z').and_then(|time| time.split_once('.')).map_or("0", |(_, rest)| rest);
            assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok() && (1..=3).contains(&fraction.len()), "{time}");
        }
    }
}

#[tokio::test]
async fn a_page_never_speaks_of_json() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    let long = format!("email={}", "a".repeat(20_000));
    for path in ["/login", "/register", "/verify-email", "/password/reset", "/theme"] {
        for (content_type, body) in [
            (FORM, "email=a&email=b"),
            (FORM, "email[]=a"),
            (FORM, "email=%ff"),
            ("application/json", "{}"),
            ("text/plain", "email=a"),
            (FORM, long.as_str()),
        ] {
            let headers = [("accept", "text/html"), ("content-type", content_type)];
            let answer = world.client(1).send(Method::POST, path, &headers, Body::from(body.to_owned())).await;
            assert!(answer.status.is_client_error(), "{path} {content_type} {body:.30}");
            let page = answer.text();
            assert!(page.contains("<h1>") && !page.contains("JSON") && !page.contains("body must"), "{path}: {page}");
        }
        let other = world.client(1).send(Method::DELETE, path, &[("accept", "text/html")], Body::empty()).await;
        assert_eq!(other.status, StatusCode::METHOD_NOT_ALLOWED);
        assert!(!other.text().contains("take that method"));
    }
}

#[tokio::test]
async fn a_form_that_broke_on_its_way_is_400_at_both_doors() {
    let world = World::new(&[]).await;
    let broken = || Body::from_stream(futures::stream::iter([Ok("email="), Err(std::io::Error::other("a bad chunk"))]));
    for (path, content_type) in
        [("/login", FORM), ("/api/v1/auth/login/", "application/json"), ("/api/v1/auth/logout/", "application/json")]
    {
        let headers = [("content-type", content_type), ("accept", "text/html")];
        let answer = world.client(1).send(Method::POST, path, &headers, broken()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
    }
    assert_eq!(world.client(1).post("/login", &SIGN_UP).await.status, StatusCode::UNPROCESSABLE_ENTITY, "as ever");
}
