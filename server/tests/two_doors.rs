//! One rule, two doors: the same input is wrong in the same way on a page and in the API.

mod support;

use app::Failed;
use axum::body::Body;
use axum::http::Method;
use contract::Problem;
use serde_json::{Map, Value, json};
use support::*;

/// What the page's own server function says, in codes.
async fn page_codes(client: &mut Client, path: &str, fields: &[(&str, &str)]) -> Vec<String> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = [("accept", "application/json"), ("content-type", FORM)];
    let answer = client.send(Method::POST, path, &headers, Body::from(body)).await;
    let Ok(Failed(problem)) = serde_json::from_slice(&answer.body) else { return vec![answer.status.to_string()] };
    assert_eq!(answer.status.as_u16(), problem.page_status());
    let mut codes = match problem {
        Problem::Invalid(faults) => {
            faults.iter().map(|found| format!("{} {}", found.field.code(), found.fault.code())).collect()
        }
        other => vec![other.code().to_owned()],
    };
    codes.sort();
    codes
}

/// What the API says to the same.
async fn api_codes(client: &mut Client, route: &str, fields: &[(&str, &str)]) -> Vec<String> {
    let mut body: Map<String, Value> = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    if let Some(password) = body.get("password").filter(|_| route == "register/").cloned() {
        body.insert("password_confirm".to_owned(), password);
    }
    let answer = client.api(route, Value::Object(body)).await;
    if answer.status.is_success() {
        return vec!["200 OK".to_owned()];
    }
    let error = &answer.json()["error"];
    let mut codes = Vec::new();
    for (field, found) in error["codes"].as_object().expect("codes") {
        // Asked of programs only.
        if field != "password_confirm" {
            codes.extend(
                found
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|code| format!("{field} {}", code.as_str().expect("text"))),
            );
        }
    }
    if codes.is_empty() {
        codes.push(answer.code());
    }
    codes.sort();
    codes
}

#[tokio::test]
async fn sign_up_is_judged_alike() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    let long = "x".repeat(101);
    let good = [("email", "ada@example.com"), ("password", PASSWORD), ("first_name", "Ada"), ("last_name", "Byron")];
    for (field, value, code) in [
        ("email", "", "email missing"),
        ("email", "x", "email malformed"),
        ("email", "a＠example.com", "email malformed"),
        ("email", "a@ｅxample.com", "email malformed"),
        ("password", "", "password missing"),
        ("password", "short", "password too_short"),
        ("password", "password1234", "password too_common"),
        ("password", "vestibule-2026", "password contains_site_name"),
        ("password", "ada@example.com", "password contains_email"),
        ("first_name", "", "first_name missing"),
        ("first_name", &long, "first_name too_long"),
        ("last_name", "a\u{202e}b", "last_name malformed"),
        ("user_type", "admin", "user_type not_offered"),
        ("email", "a\u{200b}da@example.com", "email malformed"),
        ("first_name", "\u{3164}\u{200b}", "first_name missing"),
        ("last_name", "-", "last_name missing"),
        ("phone", "12", "phone malformed"),
        ("phone", "07946 123456", "phone malformed"),
        ("phone", "+٤٤٢٠٧٩٤٦٠٠١٨", "phone malformed"),
    ] {
        let mut fields: Vec<_> = good.into_iter().filter(|(name, _)| *name != field).collect();
        fields.push((field, value));
        assert_eq!(page_codes(&mut world.client(1), "/register", &fields).await, [code], "{field}={value}");
        assert_eq!(api_codes(&mut world.client(2), "register/", &fields).await, [code], "{field}={value}");
    }
    let (page, api) = (
        page_codes(&mut world.client(1), "/register", &[]).await,
        api_codes(&mut world.client(2), "register/", &[]).await,
    );
    assert_eq!(page, ["email missing", "first_name missing", "last_name missing", "password missing"]);
    assert_eq!(page, api);
}

#[tokio::test]
async fn sign_in_is_judged_alike() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    world.person(1, "ada@example.com").await;
    for (email, password, codes) in [
        ("", "", vec!["email missing", "password missing"]),
        ("ada@example.com", "", vec!["password missing"]),
        ("", PASSWORD, vec!["email missing"]),
        ("ada@example.com", "wrong password!", vec!["invalid_credentials"]),
        ("nobody@example.com", PASSWORD, vec!["invalid_credentials"]),
        ("junk", PASSWORD, vec!["invalid_credentials"]),
        ("ADA@example.com", PASSWORD, vec!["200 OK"]),
    ] {
        let fields = [("email", email), ("password", password)];
        assert_eq!(page_codes(&mut world.client(2), "/login", &fields).await, codes, "{email} {password}");
        assert_eq!(api_codes(&mut world.client(3), "login/", &fields).await, codes, "{email} {password}");
    }
}

#[tokio::test]
async fn proof_is_judged_alike() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    let (mut page, mut program) = (world.client(1), world.client(2));
    page.api("register/", registration("a@example.com")).await;
    program.api("register/", registration("b@example.com")).await;
    for (field, value, code) in [
        ("code", "", "code missing"),
        ("code", "12345", "code malformed"),
        ("code", "abcdef", "code malformed"),
        ("token", "junk", "token_invalid"),
        ("token", "a.b.c", "token_invalid"),
    ] {
        assert_eq!(page_codes(&mut page, "/verify-email", &[(field, value)]).await, [code], "{field}={value}");
        assert_eq!(api_codes(&mut program, "verify-email/", &[(field, value)]).await, [code], "{field}={value}");
    }
    let token = world.token_to("a@example.com").await;
    for (field, value, code) in [
        ("password", "", "password_required"),
        ("password", "wrong password!", "password incorrect"),
        ("new_password", "short", "new_password too_short"),
    ] {
        let fields = [("token", token.as_str()), (field, value)];
        assert_eq!(page_codes(&mut world.client(3), "/verify-email", &fields).await, [code], "{field}={value}");
        assert_eq!(api_codes(&mut world.client(4), "verify-email/", &fields).await, [code], "{field}={value}");
    }
    world.clock.advance(chrono::TimeDelta::hours(25));
    let fields = [("token", token.as_str())];
    assert_eq!(page_codes(&mut page, "/verify-email", &fields).await, ["token_expired"]);
    assert_eq!(api_codes(&mut program, "verify-email/", &fields).await, ["token_expired"]);
}

#[tokio::test]
async fn letters_are_asked_for_alike() {
    let world = World::new(&[]).await;
    for (email, code) in [("", "email missing"), ("x", "email malformed"), ("unknown@example.com", "200 OK")] {
        assert_eq!(page_codes(&mut world.client(1), "/verify-email/resend", &[("email", email)]).await, [code]);
        assert_eq!(api_codes(&mut world.client(2), "resend-email/", &[("email", email)]).await, [code]);
    }
}

#[tokio::test]
async fn a_new_password_is_judged_alike() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    let (mut page, mut program) = (world.person(1, "a@example.com").await, world.person(2, "b@example.com").await);
    let new = "tractor lemon violin";
    for (old, new, codes) in [
        ("", "", vec!["new_password missing", "old_password missing"]),
        ("wrong password!", new, vec!["old_password incorrect"]),
        (PASSWORD, "short", vec!["new_password too_short"]),
        (PASSWORD, "password1234", vec!["new_password too_common"]),
        (PASSWORD, PASSWORD, vec!["new_password unchanged"]),
    ] {
        let fields = [("old_password", old), ("new_password", new)];
        assert_eq!(page_codes(&mut page, "/account/password", &fields).await, codes, "{old} {new}");
        assert_eq!(api_codes(&mut program, "password/change/", &fields).await, codes, "{old} {new}");
    }
    let fields = [("old_password", PASSWORD), ("new_password", new)];
    assert_eq!(page_codes(&mut world.client(3), "/account/password", &fields).await, ["not_authenticated"]);
    assert_eq!(api_codes(&mut world.client(4), "password/change/", &fields).await, ["not_authenticated"]);
}

#[tokio::test]
async fn a_forgotten_password_is_judged_alike() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    world.person(1, "ada@example.com").await;
    world.clock.advance(chrono::TimeDelta::seconds(1));
    for (email, code) in [
        ("", "email missing"),
        ("x", "email malformed"),
        ("unknown@example.com", "200 OK"),
        ("ada@example.com", "200 OK"),
    ] {
        assert_eq!(page_codes(&mut world.client(2), "/password/reset", &[("email", email)]).await, [code]);
        assert_eq!(api_codes(&mut world.client(3), "password/reset/", &[("email", email)]).await, [code]);
    }
    let token = world.token_to("ada@example.com").await;
    let email = ("email", "ada@example.com");
    let new = "tractor lemon violin";
    for (proof, typed, codes) in [
        (vec![], new, vec!["token missing"]),
        (vec![("token", "junk")], new, vec!["token_invalid"]),
        (vec![("token", token.as_str())], "", vec!["new_password missing"]),
        (vec![("token", token.as_str())], "ada@example.com", vec!["new_password contains_email"]),
        (vec![email, ("code", "")], "short", vec!["code missing", "new_password too_short"]),
        (vec![("code", "481920")], new, vec!["email missing"]),
        (vec![email, ("code", "48192")], new, vec!["code malformed"]),
        (vec![("email", "nobody@example.com"), ("code", "481920")], new, vec!["code incorrect"]),
        (vec![email, ("code", "000000")], "password1234", vec!["new_password too_common"]),
    ] {
        // The page calls its only password so; programs say that it is the new one.
        let with = |name| proof.iter().copied().chain([(name, typed)]).collect::<Vec<_>>();
        let page = page_codes(&mut world.client(2), "/password/reset/confirm", &with("password")).await;
        assert_eq!(page, codes, "{proof:?} {typed}");
        let program = api_codes(&mut world.client(3), "password/reset/confirm/", &with("new_password")).await;
        assert_eq!(program, codes, "{proof:?} {typed}");
    }
}
