//! What cookies may do: those of ours, by their exact names, from here.

mod support;

use accounts::BrowserSession;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use serde_json::json;
use support::*;
use tower_sessions::session::Id;

#[tokio::test]
async fn a_cookie_planted_under_an_encoded_name_is_nobodys() {
    let world = World::new(&[]).await;
    let mut mallory = world.client(1);
    mallory.api("register/", registration("mallory@example.com")).await;
    let planted = mallory.cookies["vestibule_session"].clone();
    assert!(mallory.get("/register").await.text().contains("mallory@example.com"), "her own sign-up");
    for cookies in [
        format!("%76estibule_session={planted}"),
        format!("vestibule%5Fsession={planted}"),
        format!("Vestibule_session={planted}"),
        format!("vestibule_session={planted}; vestibule_session=x"),
        format!("vestibule_session=x; vestibule_session={planted}"),
    ] {
        let headers = [("accept", "text/html"), ("cookie", cookies.as_str())];
        let page = world.client(2).send(Method::GET, "/register", &headers, Body::empty()).await;
        assert!(!page.text().contains("mallory@example.com"), "{cookies}");
    }
}

#[tokio::test]
async fn cookies_of_others_sign_nobody_out() {
    let world = World::new(&[]).await;
    let client = world.person(1, "ada@example.com").await;
    let access = &client.cookies["vestibule_access"];
    let mut request = axum::http::Request::get("/account").header("host", "localhost:3000");
    let value = [b"name=Jos\xe9; ".as_slice(), format!("vestibule_access={access}").as_bytes()].concat();
    request = request.header("cookie", axum::http::HeaderValue::from_bytes(&value).expect("a header"));
    let mut request = request.body(Body::empty()).expect("a request");
    request.extensions_mut().insert(axum::extract::ConnectInfo(std::net::SocketAddr::from(([203, 0, 113, 1], 1))));
    let answer = tower::ServiceExt::oneshot(world.router.clone(), request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn cookies_without_an_origin_change_nothing() {
    let world = World::new(&[]).await;
    let mut client = world.person(1, "ada@example.com").await;
    let json = [("content-type", "application/json"), FROM_NOWHERE];
    let form = [("content-type", FORM), ("accept", "text/html"), FROM_NOWHERE];
    let bearer = format!("Bearer {}", client.cookies["vestibule_access"]);
    for only in ["vestibule_access", "vestibule_refresh"] {
        let mut client = client.clone();
        client.cookies.retain(|name, _| name == only);
        for (method, path, headers) in [
            (Method::POST, "/api/v1/auth/logout/", json),
            (Method::POST, "/api/v1/auth/token/refresh/", json),
            (Method::DELETE, "/api/v1/auth/sessions/", json),
        ] {
            let answer = client.send(method, path, &headers, Body::from("{}")).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (StatusCode::FORBIDDEN, "cross_origin"),
                "{only} {path}"
            );
        }
        let answer = client.send(Method::POST, "/logout", &form, Body::empty()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{only}");
    }
    for says_nothing in [("sec-fetch-site", ""), ("origin", ""), ("authorization", "Basic YTpi"), ("authorization", "")]
    {
        let headers = [("content-type", "application/json"), says_nothing];
        let answer = client.send(Method::POST, "/api/v1/auth/logout/", &headers, Body::from("{}")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{says_nothing:?}");
    }
    assert_eq!(client.get("/account").await.status, StatusCode::OK);
    // A bearer token is something that no other site can add; and without cookies there is nothing to misuse.
    let headers = [("content-type", "application/json"), ("authorization", &*bearer)];
    let answer =
        client.send(Method::PATCH, "/api/v1/auth/user/", &headers, Body::from(r#"{"first_name":"Eve"}"#)).await;
    assert_eq!(answer.status, StatusCode::OK);
    let login = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
    let answer = world.client(2).send(Method::POST, "/api/v1/auth/login/", &json, Body::from(login)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn only_the_access_cookie_is_shared_with_a_parent_domain() {
    let world = World::new(&[
        ("PUBLIC_URL", "https://accounts.example.com"),
        ("SECRET", "kW7xQ2mZ9rT4vB8nL1cF6hJ3pD5sG0yA"),
        ("SMTP_URL", "smtp://127.0.0.1:9"),
        ("MAIL_FROM", "a@example.com"),
        ("COOKIE_DOMAIN", "example.com"),
        ("EMAIL_VERIFICATION", "off"),
    ])
    .await;
    let mut client = world.client(1);
    client.host = "accounts.example.com".to_owned();
    let headers = [("content-type", "application/json"), ("sec-fetch-site", "none")];
    let body = Body::from(registration("ada@example.com").to_string());
    let answer = client.send(Method::POST, "/api/v1/auth/register/", &headers, body).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let cookies = answer.set_cookies();
    assert_eq!(cookies.len(), 3, "{cookies:?}");
    for cookie in cookies {
        let is_shared = cookie.starts_with("__Secure-vestibule_access=");
        let is_own = ["refresh", "device"].iter().any(|name| cookie.starts_with(&format!("__Host-vestibule_{name}=")));
        assert!(is_shared || is_own, "{cookie}");
        assert_eq!(cookie.contains("Domain="), is_shared, "{cookie}");
        assert!(
            cookie.contains("Secure") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
    }
    assert_eq!(client.get("/account").await.status, StatusCode::OK);
    // Our host by another scheme is anybody's on the way there.
    for (origin, status) in [("http://accounts.example.com", 403), ("https://accounts.example.com", 200)] {
        let headers = [("content-type", "application/json"), FROM_NOWHERE, ("origin", origin)];
        let answer = client.send(Method::POST, "/api/v1/auth/logout/", &headers, Body::from("{}")).await;
        assert_eq!(answer.status.as_u16(), status, "{origin}");
    }
}

#[tokio::test]
async fn what_another_version_kept_of_a_browser_is_as_good_as_absent() {
    let world = World::new(&[]).await;
    let expires_at = world.clock.now() + TimeDelta::hours(1);
    for (number, data) in (1..).zip([
        "no JSON",
        "[]",
        "{}",
        r#"{"pending_sign_up": {"user_id": "01a1fc9f-0133-75d6-bc07-4ec56a811aa9", "email": "a@example.com", "profile": {"first_name": "A"}}}"#,
        r#"{"pending_sign_up": 5, "notice": "OfTomorrow", "next": {}, "password_reset_asked": []}"#,
        r#"{"notice": {"OfTomorrow": 1}, "password_reset": "a@example.com"}"#,
    ]) {
        let id = Id(number);
        let kept = BrowserSession { data: data.to_owned(), expires_at };
        world.site.accounts().create_browser_session(&number.to_be_bytes(), &kept).await.expect("kept");
        let mut client = world.client(u8::try_from(number).expect("few"));
        client.cookies.insert("vestibule_session".to_owned(), id.to_string());
        for path in ["/", "/login", "/register", "/verify-email", "/password/reset/confirm"] {
            assert_eq!(client.clone().get(path).await.status, StatusCode::OK, "{data} {path}");
        }
        let answer = client.clone().api("login/", json!({ "email": "a@example.com", "password": "b" })).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{data}");
        let answer = client.api("register/", registration(&format!("p{number}@example.com"))).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{data}");
    }
}

#[tokio::test]
async fn a_visitor_with_nothing_leaves_nothing_behind() {
    let world = World::new(&[]).await;
    for path in ["/logout", "/account/sessions/end", "/account/sessions/end-others", "/account/password"] {
        let answer = world.client(1).post(path, &[]).await;
        let kept: Vec<_> = answer.set_cookies().into_iter().filter(|cookie| cookie.contains("_session=")).collect();
        assert_eq!((answer.status, kept), (StatusCode::SEE_OTHER, Vec::new()), "{path}");
    }
}

#[tokio::test]
async fn a_request_with_a_bearer_token_acts_with_no_cookie() {
    let world = World::new(&[("EMAIL_VERIFICATION", "off")]).await;
    let (mut ada, mut bob) = (world.client(1), world.client(2));
    for (client, email) in [(&mut ada, "ada@example.com"), (&mut bob, "bob@example.com")] {
        let headers = [("content-type", "application/json"), ("sec-fetch-site", "none")];
        let body = Body::from(registration(email).to_string());
        let answer = client.send(Method::POST, "/api/v1/auth/register/", &headers, body).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    let of_bob = format!("Bearer {}", bob.cookies["vestibule_access"]);
    let (user, renewal) = ("/api/v1/auth/user/", "/api/v1/auth/token/refresh/");
    let answer = ada.send(Method::GET, user, &[("authorization", &*of_bob)], Body::empty()).await;
    assert_eq!(answer.json()["email"], "bob@example.com");
    for bearer in ["Bearer none", &of_bob] {
        let answer = ada.send(Method::POST, renewal, &[("authorization", bearer)], Body::empty()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{bearer}");
    }
    // Nor is a page renewed by a cookie that stands beside one.
    ada.cookies.remove("vestibule_access");
    let answer = ada.send(Method::GET, "/account", &[("authorization", "Bearer none")], Body::empty()).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(ada.get("/account").await.status, StatusCode::OK, "the session is as it was");
    // A scheme without a token stands for no origin.
    let headers = [("content-type", "application/json"), ("authorization", "Bearer")];
    let answer = ada.send(Method::POST, "/api/v1/auth/logout/", &headers, Body::from("{}")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_bearer_token_finishes_no_sign_up_of_the_browser_it_comes_from() {
    let world = World::new(&[]).await;
    let mut client = world.client(1);
    client.api("register/", registration("ada@example.com")).await;
    let code = json!({ "code": world.code_to("ada@example.com").await, "email": "ada@example.com" });
    let headers = [("content-type", "application/json"), ("authorization", "Bearer none")];
    let answer = client.send(Method::POST, "/api/v1/auth/verify-email/", &headers, Body::from(code.to_string())).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "password_required"));
    assert_eq!(client.api("verify-email/", code).await.status, StatusCode::OK);
}
