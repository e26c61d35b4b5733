//! What every answer carries, and who is answered at all.

mod support;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use support::*;

const SIGN_UP: [(&str, &str); 4] =
    [("email", "ada@example.com"), ("password", PASSWORD), ("first_name", "Ada"), ("last_name", "O'Brien")];

#[tokio::test]
async fn every_answer_has_its_headers_whatever_its_status() {
    let world = World::new(&[]).await;
    let mut client = world.client(1);
    let long = "a".repeat(20_000);
    let answers = [
        client.get("/").await,
        client.get("/account").await,
        client.get("/none").await,
        client.get("/healthz").await,
        client.get("/api/v1/auth/user/").await,
        client.get("/api/none").await,
        client.get("/assets/none.css").await,
        client.post("/login", &[]).await,
        client.post("/login", &[("email", &long)]).await,
        client.send(Method::DELETE, "/login", &[], Body::empty()).await,
        client
            .send(
                Method::POST,
                "/login",
                &[("content-type", "application/json"), ("accept", "text/html")],
                Body::from("{}"),
            )
            .await,
        client.send(Method::GET, "/", &[("host", "evil.test")], Body::empty()).await,
    ];
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [200, 303, 404, 200, 401, 404, 404, 422, 413, 405, 415, 421]);
    // What may be kept is told in `browser_keeps.rs`: the front page, and a form that came back.
    for answer in &answers {
        let cache = if matches!(answer.status.as_u16(), 422) { "private, no-cache" } else { "no-store" };
        let cache = if answer.text().contains("<h1>Welcome") { "private, no-cache" } else { cache };
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", cache),
        ] {
            assert_eq!(answer.header(name), value, "{} {name}", answer.status);
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe-inline"));
        assert!(!answer.header("referrer-policy").is_empty() && !answer.header("x-request-id").is_empty());
        assert_eq!(answer.header("server"), "");
    }
}

#[tokio::test]
async fn each_page_has_a_nonce_of_its_own_and_no_inline_script_or_style() {
    let world = World::new(&[]).await;
    let mut nonces = std::collections::HashSet::new();
    for _ in 0..50 {
        let answer = world.client(1).get("/register").await;
        let policy = answer.header("content-security-policy").to_owned();
        let nonce =
            policy.split_once("'nonce-").and_then(|(_, rest)| rest.split_once('\'')).expect("a nonce").0.to_owned();
        let page = answer.text();
        assert!(page.contains(&format!("nonce=\"{nonce}\"")));
        assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick"));
        assert_eq!(page.matches("<script").count(), 1);
        assert!(nonce.len() >= 22 && nonces.insert(nonce));
    }
}

#[tokio::test]
async fn only_our_own_host_is_answered_to() {
    let world = World::new(&[]).await;
    let mut client = world.client(1);
    for host in ["evil.test", "localhost.evil.test:3000", "[", "a:b:c", "x:99999", ""] {
        let answer = client.send(Method::GET, "/", &[("host", host)], Body::empty()).await;
        assert_eq!(answer.status.as_u16(), 421, "{host}");
    }
    let probe = client.send(Method::GET, "/healthz", &[("host", "10.0.0.1")], Body::empty()).await;
    assert_eq!((probe.status, probe.text().as_str()), (StatusCode::OK, "ok\n"));
    let two = client.send(Method::GET, "/", &[("host", "localhost:3000"), ("host", "evil.test")], Body::empty()).await;
    assert_eq!(two.status.as_u16(), 421);
    for host in ["localhost:3000", "127.0.0.1:3000"] {
        assert_eq!(client.send(Method::GET, "/", &[("host", host)], Body::empty()).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn in_production_cookies_are_host_bound_and_links_are_of_the_public_address() {
    let settings = [
        ("PUBLIC_URL", "https://accounts.example"),
        ("SECRET", "kW7xQ2mZ9rT4vB8nL1cF6hJ3pD5sG0yA"),
        ("SMTP_URL", "smtp://127.0.0.1:1"),
        ("EMAIL_VERIFICATION", "off"),
    ];
    let world = World::new(&settings).await;
    let mut client = world.client(1);
    client.host = "accounts.example".into();
    let answer = client.post("/register", &SIGN_UP).await;
    assert_eq!(answer.header("strict-transport-security"), "max-age=63072000; includeSubDomains");
    let cookies = answer.set_cookies();
    for name in ["__Host-vestibule_access=", "__Host-vestibule_refresh="] {
        let cookie =
            cookies.iter().find(|cookie| cookie.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {cookies:?}"));
        assert!(["HttpOnly", "Secure", "SameSite=Lax", "Path=/"].iter().all(|word| cookie.contains(word)), "{cookie}");
        assert!(!cookie.contains("Domain"));
    }
    assert_eq!(client.get("/dev/mailbox").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.get("/dev/mailbox/messages.json").await.status, StatusCode::NOT_FOUND);
    let out = client.post("/logout", &[]).await;
    for cookie in out.set_cookies() {
        assert!(["HttpOnly", "Secure", "SameSite=Lax", "Path=/"].iter().all(|word| cookie.contains(word)), "{cookie}");
    }
    client.host = "localhost:3000".into();
    assert_eq!(client.get("/").await.status.as_u16(), 421, "development's names are not production's");
}
