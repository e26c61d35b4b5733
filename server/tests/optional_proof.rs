//! Where an address may be used before it is proven: sign-up is a sign-in, proof comes later, and proof by somebody else
//! never hands over what was done before it.

mod support;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use support::*;

const ADA: &str = "ada@example.com";

async fn world(on_postgres: bool) -> World {
    let settings = [("EMAIL_VERIFICATION", "optional"), ("RATE_LIMITS", "off")];
    if on_postgres { World::on_postgres(&settings).await } else { World::new(&settings).await }
}

/// Id of the person, and their access token.
async fn sign_up(client: &mut Client) -> (String, String) {
    let answer = client.api("register/", registration(ADA)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let body = answer.json();
    assert_eq!((&body["user"]["email_verified"], &body["email_sent"]), (&json!(false), &json!(true)));
    assert_eq!(body["user"]["id"], body["user_id"]);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&body["user_id"]), text(&body["tokens"]["access"]))
}

async fn with_bearer(client: &mut Client, method: Method, route: &str, access: &str, body: Value) -> Answer {
    let authorization = format!("Bearer {access}");
    let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    client.send(method, &format!("/api/v1/auth/{route}"), &headers, body).await
}

async fn a_program_proves_its_address(on_postgres: bool) {
    let world = world(on_postgres).await;
    let mut client = world.client(1);
    let (id, access) = sign_up(&mut client).await;
    // A token alone, from a client without a cookie: being signed in is proof enough of who one is.
    let mut bare = world.client(2);
    let seen = with_bearer(&mut bare, Method::GET, "check/", &access, Value::Null).await;
    assert_eq!(seen.header("x-auth-email-verified"), "false");
    let resent = with_bearer(&mut bare, Method::POST, "resend-email/", &access, json!({ "email": ADA })).await;
    assert_eq!(resent.status, StatusCode::OK);
    let code = world.code_to(ADA).await;
    let done = with_bearer(&mut bare, Method::POST, "verify-email/", &access, json!({ "code": code })).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    let body = done.json();
    assert_eq!((&body["user"]["id"], &body["user"]["email_verified"]), (&json!(id), &json!(true)));
    let access = body["tokens"]["access"].as_str().expect("a token").to_owned();
    let seen = with_bearer(&mut bare, Method::GET, "check/", &access, Value::Null).await;
    assert_eq!((seen.header("x-auth-user"), seen.header("x-auth-email-verified")), (id.as_str(), "true"));
}

async fn a_person_proves_their_address_from_the_account(on_postgres: bool) {
    let world = world(on_postgres).await;
    let mut browser = world.client(1);
    let fields = [("email", ADA), ("password", PASSWORD), ("first_name", "Ada"), ("last_name", "Lovelace")];
    let done = browser.post("/register", &fields).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/account"));
    let account = browser.get("/account").await.text();
    assert!(account.contains("not confirmed yet") && account.contains("href=\"/verify-email\""), "{account}");
    assert!(browser.get("/verify-email").await.text().contains("Enter the 6-digit code"));
    assert_eq!(world.letters_to(ADA).await.len(), 1);
    // So that one of the two is the newest.
    world.clock.advance(chrono::TimeDelta::seconds(1));
    browser.post("/verify-email/resend", &[]).await;
    let letters = world.letters_to(ADA).await;
    assert_eq!(letters.len(), 2);
    // The link asks no question, and the code works, too.
    let link = letters[0].link.clone().expect("a link").replace("http://localhost:3000", "");
    let page = browser.get(&link).await.text();
    assert!(page.contains(ADA) && !page.contains("type=\"password\""), "{page}");
    let code = letters[0].code.clone().expect("a code");
    let done = browser.post("/verify-email", &[("code", &code)]).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/account"));
    assert!(browser.get("/account").await.text().contains("Confirmed"));
    assert_eq!(browser.get("/verify-email").await.header("location"), "/account");
}

async fn whoever_proves_an_address_gets_an_account_of_their_own(on_postgres: bool) {
    for new_password in [false, true] {
        let world = world(on_postgres).await;
        let (mallorys, stolen) = sign_up(&mut world.client(1)).await;
        let mut ada = world.client(2);
        let done = if new_password {
            let token = world.token_to(ADA).await;
            ada.api("verify-email/", json!({ "token": token, "new_password": "a password of ada's own" })).await
        } else {
            let sent = json!({ "email": ADA, "password": "a password of ada's own", "password_confirm": "a password of ada's own",
                "first_name": "Ada", "last_name": "Lovelace" });
            assert_eq!(
                ada.api("register/", sent).await.status,
                StatusCode::CREATED,
                "a sign-up that nobody has proven reserves nothing"
            );
            let token = world.token_to(ADA).await;
            ada.api("verify-email/", json!({ "token": token })).await
        };
        assert_eq!(done.status, StatusCode::OK, "{}", done.text());
        let body = done.json();
        assert_eq!(body["user"]["email_verified"], json!(true));
        assert_ne!(body["user"]["id"], json!(mallorys), "what other services keep under the old id does not pass on");
        let mut mallory = world.client(1);
        let seen = with_bearer(&mut mallory, Method::GET, "user/", &stolen, Value::Null).await;
        assert_eq!(seen.status, StatusCode::UNAUTHORIZED);
        let back = mallory.api("login/", json!({ "email": ADA, "password": PASSWORD })).await;
        assert_eq!(back.status, StatusCode::UNAUTHORIZED);
        let back = world.client(3).api("login/", json!({ "email": ADA, "password": "a password of ada's own" })).await;
        assert_eq!(back.json()["user"]["id"], body["user"]["id"]);
    }
}

async fn a_reset_by_the_mailbox_ends_what_a_stranger_began(on_postgres: bool) {
    let world = world(on_postgres).await;
    let (mallorys, stolen) = sign_up(&mut world.client(1)).await;
    let mut ada = world.client(2);
    world.clock.advance(chrono::TimeDelta::seconds(1));
    ada.api("password/reset/", json!({ "email": ADA })).await;
    let token = world.token_to(ADA).await;
    let done =
        ada.api("password/reset/confirm/", json!({ "token": token, "new_password": "a password of ada's own" })).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    let seen = with_bearer(&mut world.client(1), Method::GET, "user/", &stolen, Value::Null).await;
    assert_eq!(seen.status, StatusCode::UNAUTHORIZED);
    let back = ada.api("login/", json!({ "email": ADA, "password": "a password of ada's own" })).await.json();
    assert_eq!(back["user"]["email_verified"], json!(true));
    assert_ne!(back["user"]["id"], json!(mallorys));
}

macro_rules! on_both {
    ($($name:ident)+) => {
        mod sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(false).await; })+ }
        mod postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(true).await; })+ }
    };
}

on_both! {
    a_program_proves_its_address
    a_person_proves_their_address_from_the_account
    whoever_proves_an_address_gets_an_account_of_their_own
    a_reset_by_the_mailbox_ends_what_a_stranger_began
}
