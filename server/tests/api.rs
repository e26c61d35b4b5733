//! The JSON API through the whole router: status, headers, bodies.

mod support;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use support::*;

fn sorted_keys(value: &Value) -> Vec<String> {
    let mut keys: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
    keys.sort();
    keys
}

on_both_engines! {
    async fn a_program_registers_confirms_signs_out_and_in(world: World) {
        let mut client = world.client(1);
        let answer = client.api("register/", registration("Ada@Example.com")).await;
        assert_eq!(answer.status, StatusCode::CREATED);
        assert_eq!(sorted_keys(&answer.json()), ["email_sent", "message", "user_id"]);
        assert_eq!(answer.json()["email_sent"], true);

        let token = world.token_to("ada@example.com").await;
        let answer = client.api("verify-email/", json!({ "token": token })).await;
        assert_eq!(answer.status, StatusCode::OK);
        let (user, tokens) = (&answer.json()["user"], &answer.json()["tokens"]);
        let names = ["created_at", "email", "email_verified", "first_name", "id", "last_name", "locale", "phone", "updated_at", "user_type"];
        assert_eq!(sorted_keys(user), names);
        assert_eq!((&user["email"], &user["email_verified"], &user["user_type"]), (&json!("ada@example.com"), &json!(true), &json!("guest")));
        assert_eq!(sorted_keys(tokens), ["access", "expires_in", "refresh", "refresh_expires_in", "token_type"]);
        assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(300)));
        assert!(client.is_signed_in());

        let again = world.client(2).api("verify-email", json!({ "key": token })).await;
        assert_eq!((again.status, sorted_keys(&again.json())), (StatusCode::OK, vec!["message".to_owned()]));

        let bearer = format!("Bearer {}", tokens["access"].as_str().expect("a token"));
        let seen = world.client(3).send(Method::GET, "/api/v1/auth/user/", &[("authorization", &bearer)], Body::empty()).await;
        assert_eq!((seen.status, seen.json()["id"].clone()), (StatusCode::OK, user["id"].clone()));

        let out = client.send(Method::POST, "/api/v1/auth/logout/", &[], Body::empty()).await;
        assert_eq!(out.status, StatusCode::OK);
        assert!(!client.is_signed_in());
        let dead = world.client(3).send(Method::GET, "/api/v1/auth/user/", &[("authorization", &bearer)], Body::empty()).await;
        assert_eq!((dead.status, dead.code()), (StatusCode::UNAUTHORIZED, "token_invalid".into()));
        assert_eq!(dead.header("www-authenticate"), "Bearer error=\"invalid_token\"");

        let back = client.api("login/", json!({ "email": "ADA@example.com", "password": PASSWORD })).await;
        assert_eq!((back.status, sorted_keys(&back.json())), (StatusCode::OK, vec!["tokens".to_owned(), "user".to_owned()]));
        let me = client.send(Method::GET, "/api/v1/auth/user", &[], Body::empty()).await;
        assert_eq!(me.json()["email"], "ada@example.com");
    }

    async fn faults_come_in_one_envelope(world: World) {
        let answer = world.client(1).api("register/", json!({ "email": "x", "password": "short", "password_confirm": "other", "phone": "1" })).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        let error = &answer.json()["error"];
        assert_eq!(sorted_keys(error), ["code", "codes", "details", "message", "request_id", "timestamp"]);
        assert_eq!(error["code"], "validation_failed");
        assert_eq!(error["codes"], json!({ "email": ["malformed"], "password": ["too_short"], "password_confirm": ["mismatch"],
            "first_name": ["missing"], "last_name": ["missing"], "phone": ["malformed"] }));
        assert_eq!(error["details"]["password"], json!(["Password must be 12 characters or more"]));
        assert_eq!(error["request_id"], answer.header("x-request-id"));
        let timestamp = error["timestamp"].as_str().expect("a time");
        assert!(timestamp.ends_with('Z') && timestamp.len() == 20, "{timestamp}");
    }

    async fn twenty_parallel_registrations_are_one_account_and_no_500(world: World) {
        let tasks: Vec<_> = (0..20).map(|at| {
            let mut client = world.client(at);
            tokio::spawn(async move { client.api("registration/", registration("ada@example.com")).await.status })
        }).collect();
        for task in tasks {
            assert_eq!(task.await.expect("no panic"), StatusCode::CREATED);
        }
        assert_eq!(world.letters_to("ada@example.com").await.len(), 1);
    }
}

#[tokio::test]
async fn a_taken_address_answers_as_a_free_one() {
    let world = World::new(&[]).await;
    world.person(1, "ada@example.com").await;
    let taken = world.client(2).api("register/", registration("ada@example.com")).await;
    let free = world.client(3).api("register/", registration("free@example.com")).await;
    assert_eq!((taken.status, sorted_keys(&taken.json())), (free.status, sorted_keys(&free.json())));
    assert_eq!(
        (&taken.json()["message"], &taken.json()["email_sent"]),
        (&free.json()["message"], &free.json()["email_sent"])
    );
    let shape = |answer: &Answer| {
        let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        (names, answer.body.len())
    };
    assert_eq!(shape(&taken), shape(&free));
}

#[tokio::test]
async fn everything_wrong_at_sign_in_is_one_answer() {
    let world = World::new(&[]).await;
    world.person(1, "ada@example.com").await;
    let mut client = world.client(2);
    let mut answers = Vec::new();
    for (email, password) in
        [("ada@example.com", "wrong password!"), ("nobody@example.com", PASSWORD), ("junk", PASSWORD)]
    {
        let answer = client.api("login/", json!({ "email": email, "password": password })).await;
        let mut body = answer.json();
        body["error"]["request_id"] = Value::Null;
        answers.push((answer.status, body));
    }
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test]
async fn an_unconfirmed_account_is_told_after_the_right_password_only() {
    let world = World::new(&[]).await;
    world.client(1).api("register/", registration("ada@example.com")).await;
    let mut client = world.client(2);
    let wrong = client.api("login/", json!({ "email": "ada@example.com", "password": "wrong password!" })).await;
    assert_eq!(wrong.code(), "invalid_credentials");
    let right = client.api("login/", json!({ "email": "ada@example.com", "password": PASSWORD })).await;
    assert_eq!((right.status, right.code()), (StatusCode::FORBIDDEN, "email_not_verified".into()));
    // Whoever gave the right password may finish with the code alone.
    let code = world.code_to("ada@example.com").await;
    assert_eq!(client.api("verify-email/", json!({ "code": code })).await.status, StatusCode::OK);
}

#[tokio::test]
async fn from_another_client_a_token_needs_the_password() {
    let world = World::new(&[]).await;
    world.client(1).api("register/", registration("ada@example.com")).await;
    let token = world.token_to("ada@example.com").await;
    let mut other = world.client(2);
    let bare = other.api("verify-email/", json!({ "token": token })).await;
    assert_eq!((bare.status, bare.code()), (StatusCode::FORBIDDEN, "password_required".into()));
    let done = other.api("verify-email/", json!({ "token": token, "password": PASSWORD })).await;
    assert_eq!(done.status, StatusCode::OK);
}

#[tokio::test]
async fn tokens_of_letters_are_told_apart() {
    let world = World::new(&[]).await;
    let mut client = world.client(1);
    client.api("register/", registration("ada@example.com")).await;
    let token = world.token_to("ada@example.com").await;
    assert_eq!(client.api("verify-email/", json!({})).await.json()["error"]["codes"], json!({ "code": ["missing"] }));
    assert_eq!(
        world.client(2).api("verify-email/", json!({})).await.json()["error"]["codes"],
        json!({ "token": ["missing"] })
    );
    let junk = client.api("verify-email/", json!({ "token": "undefined" })).await;
    assert_eq!((junk.status, junk.code()), (StatusCode::BAD_REQUEST, "token_invalid".into()));
    world.clock.advance(chrono::TimeDelta::hours(25));
    let old = client.api("verify-email/", json!({ "token": token })).await;
    assert_eq!((old.status, old.code()), (StatusCode::BAD_REQUEST, "token_expired".into()));
}

#[tokio::test]
async fn asking_for_a_letter_is_always_the_same_200() {
    let world = World::new(&[]).await;
    world.person(1, "ada@example.com").await;
    let mut bodies = Vec::new();
    for email in ["ada@example.com", "unknown@example.com"] {
        let answer = world.client(2).api("resend-email/", json!({ "email": email })).await;
        assert_eq!(answer.status, StatusCode::OK);
        bodies.push(answer.text());
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(world.client(2).api("resend-email/", json!({})).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_browser_never_sees_a_token_in_a_body() {
    let world = World::new(&[]).await;
    world.person(1, "ada@example.com").await;
    let mut browser = world.client(2);
    let headers = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
    let body = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
    let answer = browser.send(Method::POST, "/api/v1/auth/login/", &headers, Body::from(body)).await;
    let tokens = &answer.json()["tokens"];
    assert_eq!((&tokens["access"], &tokens["refresh"]), (&Value::Null, &Value::Null));
    assert!(browser.is_signed_in());
}

#[tokio::test]
async fn what_is_no_json_object_is_told_and_never_500() {
    let world = World::new(&[]).await;
    let deep = format!("{{\"email\":{}", "[".repeat(100_000 / 8));
    let huge = format!("{{\"email\":\"{}\"}}", "a".repeat(20_000));
    for route in ["register/", "verify-email/", "resend-email/", "login/"] {
        let path = format!("/api/v1/auth/{route}");
        for (body, content_type, status) in [
            ("[]", "application/json", 400),
            ("null", "application/json", 400),
            ("{", "application/json", 400),
            ("", "application/json", 400),
            ("{\"email\": 1}", "application/json", 400),
            ("{\"email\": {\"a\": 1}}", "application/json", 400),
            ("{\"email\": \"a\", \"email\": \"b\"}", "application/json", 400),
            (&deep, "application/json", 400),
            (&huge, "application/json", 413),
            ("email=a@b.c", FORM, 415),
            ("{}", "text/plain", 415),
            ("{}", "", 415),
        ] {
            let answer = world
                .client(1)
                .send(Method::POST, &path, &[("content-type", content_type)], Body::from(body.to_owned()))
                .await;
            assert_eq!(answer.status.as_u16(), status, "{route} {body:.40} {content_type}");
            assert!(answer.is_json() && !answer.code().is_empty());
        }
        let raw = world
            .client(1)
            .send(
                Method::POST,
                &path,
                &[("content-type", "application/json")],
                Body::from(&b"{\"email\":\"\xff\"}"[..]),
            )
            .await;
        assert_eq!(raw.status.as_u16(), 400);
    }
}

#[tokio::test]
async fn other_verbs_are_405_and_other_paths_404_in_the_same_envelope() {
    let world = World::new(&[]).await;
    for (method, path, allow) in [
        (Method::GET, "login/", "POST"),
        (Method::PUT, "register", "POST"),
        (Method::POST, "user/", "GET,HEAD,PATCH,PUT"),
        (Method::PUT, "sessions/", "DELETE,GET,HEAD"),
        (Method::GET, "sessions/1/", "DELETE"),
        (Method::GET, "token/refresh/", "POST"),
        (Method::GET, "password/reset/confirm", "POST"),
        (Method::DELETE, "check", "GET,HEAD"),
        (Method::GET, "logout/", "POST"),
    ] {
        let answer = world.client(1).send(method, &format!("/api/v1/auth/{path}"), &[], Body::empty()).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (405, "method_not_allowed".into()), "{path}");
        let mut allowed: Vec<_> = answer.header("allow").split(',').collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(","), allow);
    }
    let none = world.client(1).send(Method::GET, "/api/v1/auth/none/", &[], Body::empty()).await;
    assert_eq!((none.status.as_u16(), none.code()), (404, "not_found".into()));
}

#[tokio::test]
async fn limits_are_429_with_the_seconds_to_wait() {
    let world = World::new(&[]).await;
    let mut client = world.client(1);
    for at in 0..5 {
        client.api("register/", registration(&format!("p{at}@example.com"))).await;
    }
    let answer = client.api("register/", registration("p5@example.com")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code(), answer.header("retry-after")),
        (429, "rate_limited".into(), "12")
    );
    // The page shares the bucket, and a forwarded address moves nobody out of it.
    let typed = [("email", "p6@example.com"), ("password", PASSWORD), ("first_name", "Ada"), ("last_name", "Byron")];
    let page = client.post("/register", &typed).await;
    assert_eq!((page.status.as_u16(), page.header("retry-after")), (429, "12"));
    let headers = [
        ("content-type", "application/json"),
        ("x-forwarded-for", "8.8.8.8"),
        ("x-real-ip", "8.8.8.8"),
        ("forwarded", "for=8.8.8.8"),
    ];
    let moved = client
        .send(
            Method::POST,
            "/api/v1/auth/registration",
            &headers,
            Body::from(registration("p7@example.com").to_string()),
        )
        .await;
    assert_eq!(moved.status.as_u16(), 429);
}

#[tokio::test]
async fn a_stale_cookie_or_bearer_blocks_neither_sign_in_nor_sign_up() {
    let world = World::new(&[]).await;
    world.person(1, "ada@example.com").await;
    for authorization in ["Bearer junk", "Bearer", "Basic YTpi"] {
        let mut client = world.client(2);
        client.cookies.insert("vestibule_access".into(), "junk".into());
        client.cookies.insert("vestibule_refresh".into(), "junk".into());
        client.cookies.insert("vestibule_session".into(), "junk".into());
        let origin = ("origin", "http://localhost:3000");
        let headers = [("content-type", "application/json"), ("authorization", authorization), origin];
        let body = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
        let answer = client.send(Method::POST, "/api/v1/auth/login/", &headers, Body::from(body)).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_published_key_verifies_and_says_nothing_private() {
    let world = World::new(&[]).await;
    let answer = world.client(1).get("/.well-known/jwks.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let key = &answer.json()["keys"][0];
    assert_eq!(sorted_keys(key), ["alg", "crv", "kid", "kty", "use", "x"]);
}

#[tokio::test]
async fn with_verification_off_the_answer_is_a_session() {
    let world = World::new(&[("EMAIL_VERIFICATION", "off")]).await;
    let mut client = world.client(1);
    let answer = client.api("register/", registration("ada@example.com")).await;
    assert_eq!(sorted_keys(&answer.json()), ["email_sent", "message", "tokens", "user", "user_id"]);
    assert_eq!(answer.json()["user_id"], answer.json()["user"]["id"]);
    assert!(client.is_signed_in());
}
