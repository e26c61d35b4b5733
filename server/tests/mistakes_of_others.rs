//! Mistakes that other systems of this kind were seen to make, each tried here under its name, through the API.

mod support;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use serde_json::{Value, json};
use support::*;

const EMAIL: &str = "ada@example.com";
const NEW: &str = "tractor lemon violin";

async fn tokens(client: &mut Client, password: &str) -> (String, String) {
    let answer = client.api("login/", json!({ "email": EMAIL, "password": password })).await;
    let tokens = answer.json()["tokens"].clone();
    let text = |name: &str| tokens[name].as_str().unwrap_or_else(|| panic!("no {name}: {tokens}")).to_owned();
    (text("access"), text("refresh"))
}

async fn is_in(world: &World, access: &str) -> bool {
    let headers = [("authorization", &*format!("Bearer {access}"))];
    world.client(99).send(Method::GET, "/api/v1/auth/user/", &headers, Body::empty()).await.status.is_success()
}

on_both_engines! {
    async fn a1_two_people_who_register_one_address_at_once_are_never_an_error(world: World) {
        for round in 0..6 {
            world.clock.advance(TimeDelta::minutes(2));
            let tasks: Vec<_> = (0..8).map(|at| {
                let mut client = world.client(at);
                let email = format!("p{round}@example.com");
                tokio::spawn(async move { client.api("register/", registration(&email)).await.status })
            }).collect();
            for task in tasks {
                assert_eq!(task.await.expect("no panic"), StatusCode::CREATED);
            }
        }
    }

    async fn a2_and_b2_eight_parallel_refreshes_are_one_session_and_sign_nobody_out(world: World) {
        world.person(1, EMAIL).await;
        let (_, mut refresh) = tokens(&mut world.client(2), PASSWORD).await;
        for _ in 0..20 {
            // Past the limit of renewals of one session.
            world.clock.advance(TimeDelta::minutes(1));
            let tasks: Vec<_> = (0..8).map(|at| {
                let (mut client, refresh) = (world.client(10 + at), refresh.clone());
                tokio::spawn(async move { client.api("token/refresh/", json!({ "refresh": refresh })).await })
            }).collect();
            let mut successors = Vec::new();
            for task in tasks {
                let answer = task.await.expect("no panic");
                assert_eq!(answer.status, StatusCode::OK);
                successors.push(answer.json()["tokens"]["refresh"].as_str().expect("a token").to_owned());
            }
            successors.dedup();
            assert_eq!(successors.len(), 1, "one token never becomes several sessions");
            refresh = successors.remove(0);
        }
    }

    async fn a3_the_replay_of_a_rotated_token_kills_its_successor_too(world: World) {
        world.person(1, EMAIL).await;
        let (_, first) = tokens(&mut world.client(2), PASSWORD).await;
        world.clock.advance(TimeDelta::seconds(1));
        let second = world.client(3).api("token/refresh/", json!({ "refresh": first })).await.json()["tokens"].clone();
        // Its answer has arrived.
        assert!(is_in(&world, second["access"].as_str().expect("a token")).await);
        world.clock.advance(TimeDelta::seconds(11));
        assert_eq!(world.client(4).api("token/refresh/", json!({ "refresh": first })).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(world.client(3).api("token/refresh/", json!({ "refresh": second["refresh"] })).await.status, StatusCode::UNAUTHORIZED);
        assert!(!is_in(&world, second["access"].as_str().expect("a token")).await);
        assert!(world.letters_to(EMAIL).await.iter().any(|letter| letter.subject.contains("copied")), "and the person is told");
    }

    async fn a10_and_b13_no_access_token_outlives_sign_out_change_or_reset(world: World) {
        world.person(1, EMAIL).await;
        let (access, _) = tokens(&mut world.client(2), PASSWORD).await;
        let bearer = [("authorization", &*format!("Bearer {access}"))];
        world.client(3).send(Method::POST, "/api/v1/auth/logout/", &bearer, Body::empty()).await;
        assert!(!is_in(&world, &access).await, "signed out");

        let mut client = world.client(4);
        let (access, _) = tokens(&mut client, PASSWORD).await;
        let changed = client.api("password/change/", json!({ "old_password": PASSWORD, "new_password": NEW })).await;
        assert_eq!(changed.status, StatusCode::OK);
        assert!(!is_in(&world, &access).await, "changed");

        let (access, _) = tokens(&mut world.client(5), NEW).await;
        world.clock.advance(TimeDelta::minutes(1));
        world.client(6).api("password/reset/", json!({ "email": EMAIL })).await;
        let token = world.token_to(EMAIL).await;
        world.client(6).api("password/reset/confirm/", json!({ "token": token, "new_password": PASSWORD })).await;
        assert!(!is_in(&world, &access).await, "reset");
    }
}

#[tokio::test]
async fn a7_registration_of_a_browser_sets_cookies_and_shows_no_token() {
    let world = World::new(&[("EMAIL_VERIFICATION", "off")]).await;
    let mut browser = world.client(1);
    let headers = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
    let body = Body::from(registration(EMAIL).to_string());
    let answer = browser.send(Method::POST, "/api/v1/auth/register/", &headers, body).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let tokens = &answer.json()["tokens"];
    assert_eq!((&tokens["access"], &tokens["refresh"]), (&Value::Null, &Value::Null));
    assert!(answer.set_cookies().iter().all(|cookie| cookie.contains("HttpOnly")), "{:?}", answer.set_cookies());
    assert!(browser.is_signed_in() && browser.cookies.contains_key("vestibule_refresh"));
}

#[tokio::test]
async fn a8_a_program_can_refresh_and_sign_out_as_it_comes_out_of_the_box() {
    let world = World::new(&[]).await;
    world.person(1, EMAIL).await;
    let (_, refresh) = tokens(&mut world.client(2), PASSWORD).await;
    let renewed = world.client(3).api("token/refresh/", json!({ "refresh": refresh })).await;
    assert_eq!(renewed.status, StatusCode::OK);
    let refresh = renewed.json()["tokens"]["refresh"].clone();
    assert_eq!(world.client(3).api("logout/", json!({ "refresh": refresh })).await.status, StatusCode::OK);
    let dead = world.client(3).api("token/refresh/", json!({ "refresh": refresh })).await;
    assert_eq!(dead.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a9_nobody_is_asked_for_a_name_to_sign_in_with() {
    let world = World::new(&[("SIGNUP_FIELDS", "first_name:off,last_name:off,user_type:off,phone:off")]).await;
    let body = json!({ "email": EMAIL, "password": PASSWORD, "password_confirm": PASSWORD });
    assert_eq!(world.client(1).api("register/", body).await.status, StatusCode::CREATED);
    let required = &world.site.openapi()["components"]["schemas"]["Registration"]["required"];
    assert_eq!(*required, json!(["email", "password", "password_confirm"]));
}

#[tokio::test]
async fn a16_what_is_stale_blocks_neither_sign_in_nor_sign_up_nor_reset() {
    let world = World::new(&[]).await;
    let mut client = world.person(1, EMAIL).await;
    world.clock.advance(TimeDelta::days(40));
    let (access, refresh) = (client.cookies["vestibule_access"].clone(), client.cookies["vestibule_refresh"].clone());
    let stale = format!("vestibule_access={access}; vestibule_refresh={refresh}");
    for (route, body) in [
        ("login/", json!({ "email": EMAIL, "password": PASSWORD })),
        ("register/", registration("bob@example.com")),
        ("password/reset/", json!({ "email": EMAIL })),
        ("resend-email/", json!({ "email": EMAIL })),
        ("logout/", json!({})),
    ] {
        for (name, value) in [("cookie", stale.as_str()), ("authorization", "Bearer junk"), ("authorization", &access)]
        {
            world.clock.advance(TimeDelta::hours(1));
            let headers = [("content-type", "application/json"), (name, value)];
            let path = format!("/api/v1/auth/{route}");
            let answer = world.client(2).send(Method::POST, &path, &headers, Body::from(body.to_string())).await;
            assert!(answer.status.is_success(), "{route} {name}: {}", answer.text());
        }
    }
    client.cookies.clear();
}

#[tokio::test]
async fn b7_signing_out_takes_the_cookies_away() {
    let world = World::new(&[]).await;
    world.person(1, EMAIL).await;
    for path in ["/api/v1/auth/logout/", "/api/v1/auth/logout/all/"] {
        world.clock.advance(TimeDelta::hours(1));
        let mut client = world.client(2);
        tokens(&mut client, PASSWORD).await;
        assert!(client.is_signed_in());
        let answer = client.send(Method::POST, path, &[], Body::empty()).await;
        assert_eq!(answer.status, StatusCode::OK);
        // The one that stays signs nobody in: it only gives this browser tries of its own.
        assert!(client.cookies.keys().eq(["vestibule_device"]), "{:?}", client.cookies);
    }
}
