//! The pages of a forgotten password, a new password and one's devices, as a browser without script sees them.

mod support;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use support::*;

const EMAIL: &str = "ada@example.com";
const NEW: &str = "tractor lemon violin";

/// The tag with this id.
fn tag<'a>(page: &'a str, id: &str) -> &'a str {
    let at = page.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no #{id} in {page}"));
    let start = page[..at].rfind('<').expect("a tag");
    &page[start..start + page[start..].find('>').expect("an end")]
}

impl World {
    async fn later(&self) {
        self.clock.advance(TimeDelta::seconds(1));
    }

    /// Path and query of the newest letter's link.
    async fn link_to(&self, email: &str) -> String {
        let link = self.letters_to(email).await[0].link.clone().expect("a link");
        link.strip_prefix("http://localhost:3000").expect("of this site").to_owned()
    }
}

on_both_engines! {
    async fn a_forgotten_password_is_replaced_by_a_code(world: World) {
        let mut other = world.person(1, EMAIL).await;
        let mut client = world.client(2);
        world.later().await;
        let asked = client.post("/password/reset", &[("email", " ADA@example.com ")]).await;
        assert_eq!((asked.status, asked.header("location")), (StatusCode::SEE_OTHER, "/password/reset/confirm"));
        let page = client.get("/password/reset/confirm").await.text();
        assert!(page.contains("If <strong>ADA@example.com</strong> has an account") && page.contains("30 minutes"), "{page}");
        assert!(tag(&page, "code").contains("one-time-code") && tag(&page, "new-password").contains("name=\"password\""));

        let code = world.code_to(EMAIL).await;
        let fields = |code: &str, password: &str| [("email", "ADA@example.com".to_owned()), ("code", code.to_owned()), ("password", password.to_owned())];
        let post = |fields: [(&'static str, String); 3]| fields.map(|(name, value)| (name, value));
        for (code, password, status, sentence) in [
            ("", "short", 422, "Enter the 6-digit code"),
            ("000000", NEW, 422, "The code is not correct or has expired. Check it, or send a new code"),
            (code.as_str(), "short", 422, "Password must be 12 characters or more"),
        ] {
            let fields = post(fields(code, password));
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = client.post("/password/reset/confirm", &fields).await;
            let text = answer.text();
            assert_eq!(answer.status.as_u16(), status, "{sentence}");
            assert!(text.contains(sentence) && text.contains("<strong>ADA@example.com</strong>"), "{text}");
            assert!(!text.contains(NEW) && !tag(&text, "code").contains("value="), "neither password nor code comes back");
        }
        let done = client.post("/password/reset/confirm", &[("email", EMAIL), ("code", &code), ("password", NEW)]).await;
        assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/login"));
        assert!(client.get("/login").await.text().contains("Your password has been changed"));
        assert_eq!(other.get("/account").await.status, StatusCode::SEE_OTHER, "signed out everywhere");
        let back = client.post("/login", &[("email", EMAIL), ("password", NEW)]).await;
        assert_eq!(back.header("location"), "/account");
    }

    async fn a_link_is_looked_at_as_often_as_one_likes_and_used_once(world: World) {
        world.person(1, EMAIL).await;
        world.later().await;
        let mut asker = world.client(2);
        asker.post("/password/reset", &[("email", EMAIL)]).await;
        let link = world.link_to(EMAIL).await;
        let token = link.split_once('=').expect("a token").1.to_owned();
        let mut scanner = world.client(3);
        for _ in 0..5 {
            for method in [Method::GET, Method::HEAD] {
                let seen = scanner.send(method, &link, &[("accept", "text/html")], Body::empty()).await;
                assert_eq!((seen.status, seen.header("referrer-policy"), seen.header("cache-control")), (StatusCode::OK, "no-referrer", "no-store"));
            }
        }
        assert!(!scanner.is_signed_in());
        let mut client = world.client(4);
        let page = client.get(&link).await.text();
        assert!(tag(&page, "new-password").contains("autocomplete=\"new-password\""));
        assert!(page.contains("a•••@e•••.com") && !page.contains(EMAIL), "not the client that asked");
        let page = asker.get(&link).await.text();
        assert!(page.contains(EMAIL) && page.contains("autocomplete=\"username\""));

        let typo = client.post("/password/reset/confirm", &[("token", &token), ("password", "short")]).await;
        assert_eq!(typo.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(typo.header("referrer-policy"), "no-referrer");
        assert!(typo.text().contains("a•••@e•••.com") && !typo.text().contains(EMAIL));
        let done = client.post("/password/reset/confirm", &[("token", &token), ("password", NEW)]).await;
        assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/login"));
        assert!(!client.is_signed_in());
        assert!(client.get(&link).await.text().contains("This link has already been used"));
        let again = client.post("/password/reset/confirm", &[("token", &token), ("password", "a third one of mine")]).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    }

    async fn somebody_elses_link_touches_neither_account_silently(world: World) {
        let mut eve = world.person(1, "eve@example.com").await;
        let mut ada = world.person(2, EMAIL).await;
        world.later().await;
        world.client(3).post("/password/reset", &[("email", EMAIL)]).await;
        let link = world.link_to(EMAIL).await;
        let page = eve.get(&link).await.text();
        assert!(page.contains("You are signed in as <strong>eve@example.com</strong>") && page.contains("another account"), "{page}");
        let token = link.split_once('=').expect("a token").1;
        let done = eve.post("/password/reset/confirm", &[("token", token), ("password", NEW)]).await;
        assert_eq!(done.header("location"), "/account");
        let page = eve.get("/account").await.text();
        assert!(page.contains("The password of the other account has been changed") && page.contains("eve@example.com"), "{page}");
        assert_eq!(ada.get("/account").await.status, StatusCode::SEE_OTHER);
        world.clock.advance(TimeDelta::hours(1));
        assert_eq!(world.client(4).post("/login", &[("email", "eve@example.com"), ("password", PASSWORD)]).await.header("location"), "/account");
    }

    async fn a_password_is_changed_by_the_old_one(world: World) {
        let mut client = world.person(1, EMAIL).await;
        let mut other = world.client(2);
        other.post("/login", &[("email", EMAIL), ("password", PASSWORD)]).await;
        let page = client.get("/account/password").await.text();
        assert!(tag(&page, "current-password").contains("autocomplete=\"current-password\""));
        assert!(page.contains("aria-label=\"Show current password\"") && page.contains("aria-label=\"Show new password\""));
        let wrong = client.post("/account/password", &[("old_password", "wrong password!"), ("new_password", NEW)]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text().contains("This is not your present password") && !wrong.text().contains(NEW));
        let done = client.post("/account/password", &[("old_password", PASSWORD), ("new_password", NEW)]).await;
        assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/account"));
        let page = client.get("/account").await;
        assert!(page.status == StatusCode::OK && page.text().contains("Every other device is signed out"));
        assert_eq!(other.get("/account").await.status, StatusCode::SEE_OTHER);
    }

    async fn devices_are_named_and_ended(world: World) {
        let mut client = world.person(1, EMAIL).await;
        assert!(client.get("/account/sessions").await.text().contains("You are signed in on this device only"));
        let mut other = world.client(2);
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";
        let form = Body::from(format!("email={EMAIL}&password={}", PASSWORD.replace(' ', "+")));
        let headers = [("accept", "text/html"), ("content-type", FORM), ("user-agent", firefox), ("sec-fetch-site", "same-origin")];
        other.send(Method::POST, "/login", &headers, form).await;
        let page = client.get("/account/sessions").await.text();
        assert!(page.contains("Firefox on Linux") && page.contains("This device") && !page.contains(firefox));
        let id = page.split("name=\"id\" value=\"").nth(1).expect("one other").split('"').next().expect("an id").to_owned();
        let ended = client.post("/account/sessions/end", &[("id", &id)]).await;
        assert_eq!((ended.status, ended.header("location")), (StatusCode::SEE_OTHER, "/account/sessions"));
        assert!(client.get("/account/sessions").await.text().contains("Signed out Firefox on Linux."));
        assert_eq!(other.get("/account").await.status, StatusCode::SEE_OTHER);
        client.post("/account/sessions/end", &[("id", &id)]).await;
        assert!(client.get("/account/sessions").await.text().contains("signed out already"));

        other.post("/login", &[("email", EMAIL), ("password", PASSWORD)]).await;
        client.post("/account/sessions/end-others", &[]).await;
        assert!(client.get("/account/sessions").await.text().contains("All other devices are signed out"));
        assert_eq!(other.get("/account").await.status, StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn pages_of_an_account_are_for_who_is_signed_in() {
    let world = World::new(&[]).await;
    let mut nobody = world.client(1);
    for path in ["/account", "/account/password", "/account/sessions"] {
        let answer = nobody.get(path).await;
        let expected = format!("/login?next={}", path.replace('/', "%2F"));
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, expected.as_str()));
    }
    for (form, page) in [
        ("/account/password", "password"),
        ("/account/sessions/end", "sessions"),
        ("/account/sessions/end-others", "sessions"),
    ] {
        let answer = nobody.post(form, &[("old_password", PASSWORD), ("new_password", NEW)]).await;
        let expected = format!("/login?next=%2Faccount%2F{page}");
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, expected.as_str()), "{form}");
        if form != "/account/password" {
            assert_eq!(nobody.get(form).await.header("location"), "/account/sessions", "looking at it changes nothing");
        }
    }
    let known = nobody.get("/.well-known/change-password").await;
    assert_eq!((known.status, known.header("location")), (StatusCode::FOUND, "/account/password"));
    let unknown = nobody.get("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_link_that_does_not_work_says_why_and_offers_another() {
    let world = World::new(&[]).await;
    world.person(1, EMAIL).await;
    world.later().await;
    world.client(2).post("/password/reset", &[("email", EMAIL)]).await;
    let first = world.link_to(EMAIL).await;
    world.later().await;
    world.client(2).post("/password/reset", &[("email", EMAIL)]).await;
    let second = world.link_to(EMAIL).await;
    let mut client = world.client(3);
    for (link, sentence) in [
        (first.as_str(), "when a newer email was sent or the password was changed"),
        ("/password/reset/confirm?token=junk", "This link does not work"),
        ("/password/reset/confirm?token=a&token=b", "This browser has not asked for a new password"),
        ("/password/reset/confirm", "This browser has not asked for a new password"),
    ] {
        let page = client.get(link).await;
        assert_eq!(page.status, StatusCode::OK, "{link}");
        let text = page.text();
        assert!(text.contains(sentence) && text.contains("action=\"/password/reset\""), "{text}");
    }
    world.clock.advance(TimeDelta::minutes(31));
    assert!(client.get(&second).await.text().contains("This link has expired"));
}

#[tokio::test]
async fn no_form_of_these_is_taken_from_another_site() {
    let world = World::new(&[]).await;
    let mut client = world.person(1, EMAIL).await;
    for path in [
        "/password/reset",
        "/password/reset/confirm",
        "/account/password",
        "/account/sessions/end",
        "/account/sessions/end-others",
        "/api/v1/auth/password/change/",
        "/api/v1/auth/password/reset/",
        "/api/v1/auth/token/refresh/",
        "/api/v1/auth/logout/all/",
    ] {
        for (name, value) in
            [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.test")]
        {
            for content_type in [FORM, "text/plain", "application/json", "multipart/form-data; boundary=x"] {
                let headers = [(name, value), ("content-type", content_type)];
                let answer = client.send(Method::POST, path, &headers, Body::from("{}")).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {value} {content_type}");
            }
        }
    }
    for (method, path) in [(Method::DELETE, "/api/v1/auth/sessions/"), (Method::PATCH, "/api/v1/auth/user/")] {
        let answer = client.send(method, path, &[("sec-fetch-site", "cross-site")], Body::empty()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(client.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_browser_may_use_its_code_for_as_long_as_the_email_says() {
    let world = World::new(&[("VERIFY_TTL", "10m"), ("RESET_TTL", "3h")]).await;
    world.person(1, EMAIL).await;
    let mut client = world.client(2);
    world.later().await;
    client.post("/password/reset", &[("email", EMAIL)]).await;
    let code = world.code_to(EMAIL).await;
    world.clock.advance(TimeDelta::hours(2));
    let done = client.post("/password/reset/confirm", &[("email", EMAIL), ("code", &code), ("password", NEW)]).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/login"));
}
