//! Tokens through the whole API, on both engines: renewal, verification, ends, profile, devices, passwords.

mod support;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use serde_json::{Value, json};
use support::*;

const EMAIL: &str = "ada@example.com";
const NEW: &str = "tractor lemon violin";

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

impl World {
    /// A fresh sign-in of a program without a jar: access and refresh token.
    async fn tokens(&self, number: u8, email: &str) -> (String, String) {
        let answer = self.client(number).api("login/", json!({ "email": email, "password": PASSWORD })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let tokens = &answer.json()["tokens"];
        (text(&tokens["access"]), text(&tokens["refresh"]))
    }

    async fn with_bearer(&self, method: Method, route: &str, access: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {access}");
        let mut headers = vec![("authorization", bearer.as_str())];
        let body = if body.is_null() {
            Body::empty()
        } else {
            headers.push(("content-type", "application/json"));
            Body::from(body.to_string())
        };
        self.client(9).send(method, &format!("/api/v1/auth/{route}"), &headers, body).await
    }

    async fn me(&self, access: &str) -> Answer {
        self.with_bearer(Method::GET, "user/", access, Value::Null).await
    }

    /// Whether neither token lets anyone in.
    async fn are_dead(&self, (access, refresh): &(String, String)) -> bool {
        let renewed = self.client(9).api("token/refresh/", json!({ "refresh": refresh })).await;
        let verified = self.client(9).api("token/verify/", json!({ "token": access })).await;
        let seen = self.me(access).await;
        [renewed.status, verified.status, seen.status].iter().all(|status| *status == StatusCode::UNAUTHORIZED)
    }
}

on_both_engines! {
    async fn a_program_renews_by_body_and_a_browser_by_cookie(world: World) {
        world.person(1, EMAIL).await;
        let (_, refresh) = world.tokens(2, EMAIL).await;
        let answer = world.client(3).api("token/refresh/", json!({ "refresh": refresh })).await;
        assert_eq!(answer.status, StatusCode::OK);
        let tokens = answer.json()["tokens"].clone();
        assert_eq!(world.me(&text(&tokens["access"])).await.status, StatusCode::OK);
        assert_ne!(text(&tokens["refresh"]), refresh);
        assert_eq!(answer.set_cookies().len(), 2, "cookies are always set");

        let mut browser = world.client(4);
        browser.post("/login", &[("email", EMAIL), ("password", PASSWORD)]).await;
        let headers = [("sec-fetch-site", "same-origin")];
        let answer = browser.send(Method::POST, "/api/v1/auth/token/refresh", &headers, Body::empty()).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!((&answer.json()["tokens"]["access"], &answer.json()["tokens"]["refresh"]), (&Value::Null, &Value::Null));
        assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    }

    async fn a_refresh_is_refused_with_the_reason(world: World) {
        let mut client = world.person(1, EMAIL).await;
        let (_, refresh) = world.tokens(2, EMAIL).await;
        let none = world.client(3).api("token/refresh/", json!({})).await;
        assert_eq!((none.status.as_u16(), none.code()), (401, "not_authenticated".into()));
        for junk in ["junk", "", &"A".repeat(43)] {
            let answer = world.client(3).api("token/refresh/", json!({ "refresh": junk })).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{junk}");
        }
        let two = client.api("token/refresh/", json!({ "refresh": refresh })).await;
        assert_eq!((two.status.as_u16(), two.json()["error"]["codes"].clone()), (400, json!({ "refresh": ["mismatch"] })));
        let two = client.api("logout/", json!({ "refresh": refresh })).await;
        assert_eq!(two.status, StatusCode::BAD_REQUEST);
        assert!(client.is_signed_in(), "nobody was signed out by it");
        world.clock.advance(TimeDelta::days(15));
        let old = world.client(3).api("token/refresh/", json!({ "refresh": refresh })).await;
        assert_eq!((old.status.as_u16(), old.code()), (401, "token_expired".into()));
        let stale = client.send(Method::POST, "/api/v1/auth/token/refresh/", &[], Body::empty()).await;
        assert_eq!(stale.status, StatusCode::UNAUTHORIZED);
        assert!(!client.is_signed_in(), "cookies that are worth nothing are taken away");
    }

    async fn a_live_token_is_told_with_its_claims(world: World) {
        world.person(1, EMAIL).await;
        let (access, refresh) = world.tokens(2, EMAIL).await;
        let answer = world.client(3).api("token/verify/", json!({ "token": access })).await;
        assert_eq!((answer.status, &answer.json()["active"], &answer.json()["email"]), (StatusCode::OK, &json!(true), &json!(EMAIL)));
        let mut names: Vec<_> = answer.json().as_object().expect("claims").keys().cloned().collect();
        names.sort();
        assert_eq!(names, ["active", "amr", "aud", "auth_time", "email", "email_verified", "exp", "iat", "iss", "jti", "nbf", "sid", "sub", "user_type"]);
        for junk in ["junk", refresh.as_str()] {
            let answer = world.client(3).api("token/verify/", json!({ "token": junk })).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (401, "token_invalid".into()));
        }
        assert_eq!(world.client(3).api("token/verify/", json!({})).await.code(), "validation_failed");
        world.clock.advance(TimeDelta::minutes(6));
        let old = world.client(3).api("token/verify/", json!({ "token": access })).await;
        assert_eq!((old.status.as_u16(), old.code()), (401, "token_expired".into()));
        assert_eq!(world.me(&access).await.code(), "token_expired");
    }

    async fn every_end_is_at_once_for_both_tokens(world: World) {
        world.person(1, EMAIL).await;
        let accounts = world.site.accounts().clone();
        for how in ["logout", "refresh alone", "everywhere", "one device", "other devices", "password", "reset", "disabled"] {
            world.clock.advance(TimeDelta::hours(2));
            accounts.hear_news().await.expect("news");
            let (here, there) = (world.tokens(2, EMAIL).await, world.tokens(3, EMAIL).await);
            assert!(world.me(&there.0).await.status.is_success() && world.me(&here.0).await.status.is_success());
            match how {
                "logout" => drop(world.with_bearer(Method::POST, "logout/", &there.0, Value::Null).await),
                "refresh alone" => drop(world.client(4).api("logout/", json!({ "refresh": there.1 })).await),
                "everywhere" => drop(world.with_bearer(Method::POST, "logout/all/", &here.0, Value::Null).await),
                "one device" => {
                    let claims = world.client(4).api("token/verify/", json!({ "token": there.0 })).await.json();
                    let route = format!("sessions/{}/", text(&claims["sid"]));
                    assert_eq!(world.with_bearer(Method::DELETE, &route, &here.0, Value::Null).await.status, StatusCode::NO_CONTENT);
                }
                "other devices" => {
                    assert_eq!(world.with_bearer(Method::DELETE, "sessions/", &here.0, Value::Null).await.status, StatusCode::NO_CONTENT);
                }
                "password" => {
                    let body = json!({ "old_password": PASSWORD, "new_password": NEW });
                    let answer = world.with_bearer(Method::POST, "password/change/", &here.0, body).await;
                    assert_eq!(answer.status, StatusCode::OK);
                    let access = text(&answer.json()["tokens"]["access"]);
                    assert_eq!(world.me(&access).await.status, StatusCode::OK);
                    let body = json!({ "old_password": NEW, "new_password1": PASSWORD, "new_password2": PASSWORD });
                    assert_eq!(world.with_bearer(Method::POST, "password/change", &access, body).await.status, StatusCode::OK);
                }
                "reset" => {
                    world.client(4).api("password/reset/", json!({ "email": EMAIL })).await;
                    let token = world.token_to(EMAIL).await;
                    let body = json!({ "token": token, "new_password": NEW });
                    let answer = world.client(4).api("password/reset/confirm/", body).await;
                    assert_eq!(answer.status, StatusCode::OK);
                    assert!(answer.set_cookies().iter().all(|cookie| cookie.contains("Max-Age=0")), "nobody is signed in by it");
                    world.clock.advance(TimeDelta::minutes(1));
                    let asked = world.client(4).api("password/reset/", json!({ "email": EMAIL })).await.json();
                    let code = world.code_to(EMAIL).await;
                    let body = json!({ "email": EMAIL, "code": code, "request": asked["request"], "new_password": PASSWORD });
                    assert_eq!(world.client(4).api("password/reset/confirm", body).await.status, StatusCode::OK);
                }
                _ => drop(accounts.disable(EMAIL).await.expect("disabled")),
            }
            assert!(world.are_dead(&there).await, "{how}");
            let here_too = ["everywhere", "password", "reset", "disabled"].contains(&how);
            assert_eq!(world.me(&here.0).await.status.is_success(), !here_too, "{how}");
        }
    }

    async fn a_profile_is_read_replaced_and_changed(world: World) {
        world.person(1, EMAIL).await;
        let (access, _) = world.tokens(2, EMAIL).await;
        let own = world.me(&access).await.json();
        let same = world.with_bearer(Method::PUT, "user/", &access, own.clone()).await;
        assert_eq!((same.status, same.json()), (StatusCode::OK, own.clone()), "one's own values are taken back");
        let changed = world.with_bearer(Method::PATCH, "user", &access, json!({ "phone": "+44 20 7946 0018" })).await;
        assert_eq!((&changed.json()["phone"], &changed.json()["first_name"]), (&json!("+442079460018"), &json!("Ada")));
        let cleared = world.with_bearer(Method::PATCH, "user/", &access, json!({ "phone": null })).await;
        assert_eq!(cleared.json()["phone"], Value::Null);
        let replaced = world.with_bearer(Method::PUT, "user/", &access, json!({ "first_name": "Grace", "last_name": "Hopper" })).await;
        assert_eq!((replaced.status, &replaced.json()["first_name"]), (StatusCode::OK, &json!("Grace")));
        for (name, value) in [("email", "eve@example.com"), ("user_type", "admin"), ("id", "01a1fc9f-0133-75d6-bc07-4ec56a811aa9")] {
            let answer = world.with_bearer(Method::PATCH, "user/", &access, json!({ name: value })).await;
            assert_eq!((answer.status, answer.json()["error"]["codes"].clone()), (StatusCode::BAD_REQUEST, json!({ name: ["read_only"] })));
        }
        let before = world.me(&access).await.json();
        for name in ["is_staff", "is_superuser", "role", "created_at", "email_verified", "password", "verified_at", "isActive", "pk"] {
            let answer = world.with_bearer(Method::PATCH, "user/", &access, json!({ name: "1" })).await;
            assert_eq!(answer.json(), before, "{name}");
        }
        assert_eq!(world.with_bearer(Method::PUT, "user/", "", json!({})).await.status, StatusCode::UNAUTHORIZED);
    }

    async fn sessions_are_listed_without_anything_that_lets_in(world: World) {
        let mut eve = world.person(1, "eve@example.com").await;
        world.person(2, EMAIL).await;
        let (access, refresh) = world.tokens(3, EMAIL).await;
        let answer = world.with_bearer(Method::GET, "sessions/", &access, Value::Null).await;
        let listed = answer.json();
        let listed = listed.as_array().expect("a list");
        assert_eq!(listed.len(), 2);
        assert_eq!(listed.iter().filter(|session| session["current"] == true).count(), 1);
        let mut names: Vec<_> = listed[0].as_object().expect("a session").keys().cloned().collect();
        names.sort();
        assert_eq!(names, ["address", "created_at", "current", "expires_at", "id", "last_used_at", "name"]);
        assert!(!answer.text().contains(&refresh) && !answer.text().contains("203.0.113.3"), "{}", answer.text());
        for session in listed {
            let route = format!("/api/v1/auth/sessions/{}/", text(&session["id"]));
            let answer = eve.send(Method::DELETE, &route, &[], Body::empty()).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found".into()), "somebody else's");
        }
        for junk in ["1", "..", "%00", "00000000-0000-0000-0000-000000000000"] {
            let answer = world.with_bearer(Method::DELETE, &format!("sessions/{junk}/"), &access, Value::Null).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{junk}");
        }
        assert_eq!(world.me(&access).await.status, StatusCode::OK);
    }

    async fn a_proxy_is_told_who_it_is(world: World) {
        let mut client = world.person(1, "ada@münchen.example").await;
        let answer = client.send(Method::GET, "/api/v1/auth/check/", &[("x-auth-user", "eve")], Body::empty()).await;
        assert_eq!((answer.status, answer.header("x-auth-email")), (StatusCode::OK, "ada@xn--mnchen-3ya.example"));
        assert_eq!((answer.header("x-auth-user").len(), answer.header("x-auth-user-type"), answer.text().as_str()), (36, "guest", ""));
        client.api("logout/", json!({})).await;
        let answer = client.send(Method::GET, "/api/v1/auth/check", &[("x-auth-user", "eve")], Body::empty()).await;
        assert_eq!((answer.status, answer.header("x-auth-user")), (StatusCode::UNAUTHORIZED, ""));
    }
}

/// What each kind of token does at each place where one is taken: only what it is for.
#[tokio::test]
async fn each_token_works_only_where_it_belongs() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    let mut client = world.person(1, EMAIL).await;
    let (access, refresh) = world.tokens(2, EMAIL).await;
    world.client(3).api("register/", registration("bob@example.com")).await;
    let confirm = world.token_to("bob@example.com").await;
    world.clock.advance(TimeDelta::seconds(1));
    world.client(3).api("password/reset/", json!({ "email": EMAIL })).await;
    let reset = world.token_to(EMAIL).await;
    client.api("register/", registration("carol@example.com")).await;
    let browser = client.cookies["vestibule_session"].clone();
    let kinds =
        [("access", &access), ("refresh", &refresh), ("confirm", &confirm), ("reset", &reset), ("browser", &browser)];

    for (kind, token) in kinds {
        let cookie = |name: &str| format!("{name}={token}");
        let (of_access, of_refresh, of_browser) =
            (cookie("vestibule_access"), cookie("vestibule_refresh"), cookie("vestibule_session"));
        let get = |path: &'static str, name: &'static str, value: String| {
            let mut client = world.client(4);
            async move { client.send(Method::GET, path, &[(name, &value)], Body::empty()).await.status }
        };
        let user = "/api/v1/auth/user/";
        let bearer = get(user, "authorization", format!("Bearer {token}")).await;
        let access_cookie = get(user, "cookie", of_access).await;
        let refresh_cookie_of_a_page = get("/account", "cookie", of_refresh).await;
        let session_cookie = get(user, "cookie", of_browser).await;
        let in_url = {
            let path = format!("{user}?access_token={token}&token={token}");
            world.client(4).send(Method::GET, &path, &[], Body::empty()).await.status
        };
        let post = |route: &'static str, body: Value| {
            let mut client = world.client(5);
            async move { client.api(route, body).await.status }
        };
        let verified = post("token/verify/", json!({ "token": token })).await;
        let confirmed = post("verify-email/", json!({ "token": token, "new_password": NEW })).await;
        let changed = post("password/reset/confirm/", json!({ "token": token, "new_password": NEW })).await;
        let works: Vec<_> = [
            ("bearer", bearer),
            ("access cookie", access_cookie),
            ("page by refresh cookie", refresh_cookie_of_a_page),
            ("session cookie", session_cookie),
            ("url", in_url),
            ("token/verify", verified),
            ("verify-email", confirmed),
            ("password/reset/confirm", changed),
        ]
        .into_iter()
        .filter(|(_, status)| status.is_success())
        .map(|(place, _)| place)
        .collect();
        let expected: &[&str] = match kind {
            "access" => &["bearer", "access cookie", "token/verify"],
            "refresh" => &["page by refresh cookie"],
            "confirm" => &["verify-email"],
            "reset" => &["password/reset/confirm"],
            _ => &[],
        };
        assert_eq!(works, expected, "{kind}");
    }
    for (kind, token) in kinds {
        // The reset above has ended every session: nothing renews any more, whatever it was.
        let status = world.client(6).api("token/refresh/", json!({ "refresh": token })).await.status;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{kind}");
    }
}

#[tokio::test]
async fn reset_looks_alike_for_everybody() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    world.person(1, "known@example.com").await;
    world.client(2).api("register/", registration("unconfirmed@example.com")).await;
    world.person(3, "disabled@example.com").await;
    world.site.accounts().disable("disabled@example.com").await.expect("disabled");
    let mut answers = Vec::new();
    for name in ["known", "unconfirmed", "disabled", "unknown"] {
        let email = format!("{name}@example.com");
        let answer = world.client(4).api("password/reset/", json!({ "email": email })).await;
        let mut headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        let mut asked = answer.json();
        let request = asked["request"].take();
        let wrong = json!({ "email": email, "code": "000000", "request": request, "new_password": NEW });
        let mut wrong = world.client(4).api("password/reset/confirm/", wrong).await.json();
        wrong["error"]["request_id"] = Value::Null;
        let page = world.client(5).post("/password/reset", &[("email", &email)]).await;
        answers.push((answer.status, asked, headers, wrong, page.status, page.header("location").to_owned()));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
    assert_eq!((answers[0].4, answers[0].5.as_str()), (StatusCode::SEE_OTHER, "/password/reset/confirm"));
}
