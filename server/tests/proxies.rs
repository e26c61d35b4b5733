//! The site behind a proxy: whose host is ours, from where a request comes, and what the log says about both.

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use support::{Client, PASSWORD, World};
use tower::ServiceExt as _;
use tracing_subscriber::fmt::MakeWriter;

/// What is logged by this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a lock").write(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn here() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone()).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn lines_of(&self, event: &str) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().expect("a lock").clone()).expect("text");
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        lines.map(|mut line| line["fields"].take()).filter(|fields| fields["event"] == event).collect()
    }
}

const PRODUCTION: [(&str, &str); 3] = [
    ("PUBLIC_URL", "https://accounts.example"),
    ("SECRET", "kW7xQ2mZ9rT4vB8nL1cF6hJ3pD5sG0yA"),
    ("SMTP_URL", "smtp://127.0.0.1:1"),
];

async fn status(client: &mut Client, host: &str) -> StatusCode {
    client.send(Method::GET, "/login", &[("host", host)], Body::empty()).await.status
}

#[tokio::test]
async fn our_host_may_bring_its_schemes_port_and_a_dot() {
    let world = World::new(&PRODUCTION).await;
    let mut client = world.client(1);
    for host in ["accounts.example", "accounts.example:443", "accounts.example.", "Accounts.Example.:443"] {
        assert_eq!(status(&mut client, host).await, StatusCode::OK, "{host}");
    }
    for host in ["accounts.example:80", "accounts.example:444", "x@accounts.example", "evil.example", "localhost", ""] {
        assert_eq!(status(&mut client, host).await, StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
    let target =
        |uri: &str| Request::get(uri).header("host", "accounts.example").body(Body::empty()).expect("a request");
    for (uri, expected) in [
        ("https://accounts.example:443/healthz", StatusCode::OK),
        ("https://accounts.example:443/assets/none", StatusCode::NOT_FOUND),
        ("https://evil.example/assets/none", StatusCode::MISDIRECTED_REQUEST),
    ] {
        let answer = world.router.clone().oneshot(target(uri)).await.expect("an answer");
        assert_eq!(answer.status(), expected, "{uri}");
    }
}

#[tokio::test]
async fn a_421_says_in_the_log_what_was_asked_and_what_is_served_once_a_minute() {
    let (log, _guard) = Log::here();
    let world = World::new(&PRODUCTION).await;
    let mut client = world.client(1);
    for _ in 0..50 {
        status(&mut client, "evil.example:8443").await;
    }
    let lines = log.lines_of("host.unknown");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["asked"], "evil.example:8443");
    assert_eq!(lines[0]["served"], "accounts.example");
    assert_eq!(lines[0]["count"], 1);
    let host = format!("\"{}", "a".repeat(5000));
    status(&mut client, &host).await;
    let asked = log.lines_of("host.unknown")[1]["asked"].as_str().expect("text").to_owned();
    assert!(asked.starts_with("\\\"aaa") && asked.ends_with('…') && asked.len() < 100, "{asked}");
}

/// The answer to a try to sign in, after more of them than one origin has.
async fn one_try_too_many(client: &mut Client, forwarded: impl Fn(u8) -> String) -> StatusCode {
    let mut last = StatusCode::OK;
    for number in 0..=100 {
        let body = serde_json::json!({ "email": format!("{number}@b.example"), "password": PASSWORD }).to_string();
        let forwarded = forwarded(number);
        let headers = [("content-type", "application/json"), ("x-forwarded-for", &*forwarded)];
        last = client.send(Method::POST, "/api/v1/auth/login/", &headers, Body::from(body)).await.status;
    }
    last
}

#[tokio::test]
async fn people_behind_a_listed_proxy_have_limits_of_their_own() {
    let (log, _guard) = Log::here();
    let world = World::new(&[("TRUSTED_PROXIES", "203.0.113.0/24")]).await;
    let mut proxy = world.client(1);
    let person = |number: u8| format!("6.6.6.6, 198.51.100.{number}:{}", 4000 + u16::from(number));
    assert_eq!(one_try_too_many(&mut proxy, person).await, StatusCode::UNAUTHORIZED);
    let one = |number: u8| format!("198.51.100.{number}, 192.0.2.1:{}", 4000 + u16::from(number));
    assert_eq!(one_try_too_many(&mut proxy, one).await, StatusCode::TOO_MANY_REQUESTS);
    assert!(log.lines_of("proxy.unreadable").is_empty() && log.lines_of("proxy.unlisted").is_empty());
}

#[tokio::test]
async fn a_proxy_that_nobody_listed_and_one_that_sends_no_address_are_told_of_once_a_minute() {
    let (log, _guard) = Log::here();
    let world = World::new(&[("TRUSTED_PROXIES", "203.0.113.1")]).await;
    let spoofed = |number: u8| format!("198.51.100.{number}");
    assert_eq!(one_try_too_many(&mut world.client(2), spoofed).await, StatusCode::TOO_MANY_REQUESTS);
    let unlisted = log.lines_of("proxy.unlisted");
    assert_eq!(unlisted.len(), 1, "{unlisted:?}");
    assert_eq!(unlisted[0]["peer"], "203.0.113.2");
    let junk = |number: u8| format!("198.51.100.{number}, \"unix:\"");
    assert_eq!(one_try_too_many(&mut world.client(1), junk).await, StatusCode::TOO_MANY_REQUESTS);
    let unreadable = log.lines_of("proxy.unreadable");
    assert_eq!(unreadable.len(), 1, "{unreadable:?}");
    assert_eq!(unreadable[0]["peer"], "203.0.113.1");
    assert!(unreadable[0]["hop"].as_str().expect("text").contains("unix:"), "{unreadable:?}");
}

#[tokio::test]
async fn a_request_without_a_peer_is_not_taken_for_one_of_this_machine() {
    let world = World::new(&[]).await;
    let request = Request::get("/login").header("host", "localhost:3000").body(Body::empty()).expect("a request");
    let answer = world.router.clone().oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
