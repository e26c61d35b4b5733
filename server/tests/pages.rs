//! The pages through the whole router, as a browser without JavaScript sees them.

mod support;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use support::*;

const SIGN_UP: [(&str, &str); 4] =
    [("email", "ada@example.com"), ("password", PASSWORD), ("first_name", "Ada"), ("last_name", "O'Brien")];

/// The start tag of the element with this id.
fn tag<'a>(page: &'a str, id: &str) -> &'a str {
    let at = page.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no #{id} in {page}"));
    let start = page[..at].rfind('<').expect("a tag");
    &page[start..start + page[start..].find('>').expect("an end")]
}

on_both_engines! {
    async fn a_person_signs_up_confirms_by_code_signs_out_and_in(world: World) {
        let mut client = world.client(1);
        assert_eq!(client.get("/").await.status, StatusCode::OK);
        let answer = client.post("/register", &SIGN_UP).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/verify-email"));
        let page = client.get("/verify-email").await.text();
        assert!(page.contains("<h1>Check your email</h1>") && page.contains("ada@example.com") && page.contains("Open the mailbox"));

        let code = world.code_to("ada@example.com").await;
        let answer = client.post("/verify-email", &[("code", &code)]).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/account"));
        let page = client.get("/account").await.text();
        assert!(page.contains("Ada O'Brien") && page.contains("Confirmed") && page.contains("you are signed in"));
        assert!(!client.get("/account").await.text().contains("you are signed in"), "said once");

        let answer = client.post("/logout", &[]).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/login"));
        assert!(!client.is_signed_in());
        let answer = client.get("/account").await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/login?next=%2Faccount"));

        let answer = client.post("/login", &[("email", "ada@example.com"), ("password", PASSWORD), ("next", "/account")]).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/account"));
        assert_eq!(client.get("/login").await.header("location"), "/account");
    }

    async fn a_link_is_a_page_with_a_button_until_it_is_pressed(world: World) {
        let mut client = world.client(1);
        client.post("/register", &SIGN_UP).await;
        let token = world.token_to("ada@example.com").await;
        let path = format!("/verify-email?token={token}");
        for _ in 0..3 {
            let mut scanner = world.client(9);
            let seen = scanner.get(&path).await;
            assert_eq!(seen.status, StatusCode::OK);
            assert_eq!(seen.header("referrer-policy"), "no-referrer");
            assert!(seen.set_cookies().is_empty(), "{:?}", seen.set_cookies());
            let head = scanner.send(Method::HEAD, &path, &[], Body::empty()).await;
            assert_eq!(head.status, StatusCode::OK);
        }
        assert!(client.get(&path).await.text().contains("Confirm your email address"));
        let answer = client.post("/verify-email", &[("token", &token)]).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/account"));
        assert!(world.client(2).get(&path).await.text().contains("This link has already been used"));
    }

    async fn an_expired_access_cookie_is_renewed_by_the_page(world: World) {
        let mut client = world.person(1, "ada@example.com").await;
        let old = client.cookies.clone();
        world.clock.advance(chrono::TimeDelta::minutes(6));
        let (mut one, mut two) = (client.clone(), client.clone());
        let (first, second) = tokio::join!(one.get("/account"), two.get("/account"));
        assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK), "two tabs");
        assert_eq!(one.cookies["vestibule_refresh"], two.cookies["vestibule_refresh"], "the same successor");
        assert_ne!(one.cookies["vestibule_refresh"], old["vestibule_refresh"]);
        client.cookies = two.cookies;
        world.clock.advance(chrono::TimeDelta::minutes(6));
        assert_eq!(client.get("/account").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_form_with_mistakes_comes_back_with_422_and_everything_but_the_password() {
    let world = World::new(&[]).await;
    let fields = [
        ("email", "not\"an<address"),
        ("password", "hunter2"),
        ("first_name", "Ada"),
        ("last_name", ""),
        ("user_type", "host"),
        ("phone", "12"),
    ];
    let answer = world.client(1).post("/register", &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.header("location"), "");
    let page = answer.text();
    assert!(page.contains("<title>Error: Create an account - Vestibule</title>"));
    assert!(page.contains("class=\"summary\"") && page.contains("autofocus"));
    for (id, sentence) in [
        ("email", "Enter an email address in the correct format, like name@example.com"),
        ("new-password", "Password must be 12 characters or more"),
        ("last-name", "Enter your last name"),
        ("phone", "Enter a phone number in international format, like +44 20 7946 0018, with 15 digits or fewer"),
    ] {
        assert!(page.contains(&format!("<a href=\"#{id}\">{sentence}</a>")), "{id} in the summary");
        let input = tag(&page, id);
        assert!(input.contains("aria-invalid=\"true\"") && input.contains(&format!("{id}-error")), "{input}");
        assert!(page.contains(&format!("id=\"{id}-error\"")));
    }
    assert!(!tag(&page, "first-name").contains("aria-invalid"));
    assert!(tag(&page, "first-name").contains("value=\"Ada\"") && tag(&page, "user-type-1").contains("checked"));
    assert!(tag(&page, "email").contains("value=\"not&quot;an"), "{}", tag(&page, "email"));
    assert!(!page.contains("hunter2"));
}

#[tokio::test]
async fn what_cannot_be_seen_is_named_and_a_country_code_is_asked_for() {
    let world = World::new(&[]).await;
    let fields = [("email", "a\u{200b}da@example.com"), ("phone", "020 7946 0018"), ("last_name", ".")];
    let page = world.client(1).post("/register", &fields).await.text();
    for (id, sentence) in [
        ("email", "Email address must not contain invisible characters. Type it, instead of pasting it"),
        ("phone", "Start with + and the country code, like +44 20 7946 0018"),
        ("last-name", "Enter your last name"),
    ] {
        assert!(page.contains(&format!("<a href=\"#{id}\">{sentence}</a>")), "{id}: {page}");
    }
}

#[tokio::test]
async fn a_wrong_sign_in_says_neither_which_nor_marks_a_field() {
    let world = World::new(&[]).await;
    let answer =
        world.client(1).post("/login", &[("email", "nobody@example.com"), ("password", "hunter2 hunter2")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.text();
    assert!(page.contains("<a href=\"#email\">Email address or password is not correct</a>"));
    assert!(!page.contains("aria-invalid") && !page.contains("hunter2"));
    assert!(tag(&page, "email").contains("value=\"nobody@example.com\""));
    let empty = world.client(1).post("/login", &[]).await.text();
    assert!(empty.contains("<a href=\"#current-password\">Enter your password</a>"));
}

#[tokio::test]
async fn a_link_opened_elsewhere_asks_for_the_password_or_a_new_one() {
    let world = World::new(&[]).await;
    world.client(1).post("/register", &SIGN_UP).await;
    let token = world.token_to("ada@example.com").await;
    let mut other = world.client(2);
    assert!(other.get(&format!("/verify-email?token={token}")).await.text().contains("Password chosen at sign-up"));
    let bare = other.post("/verify-email", &[("token", &token)]).await;
    assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY);
    let wrong = other.post("/verify-email", &[("token", &token), ("password", "not the password")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = wrong.text();
    assert!(page.contains("Check it, or set a new one") && page.contains(&token), "the form is there again");
    let right = other.post("/verify-email", &[("token", &token), ("new_password", "tractor lemon violin")]).await;
    assert_eq!((right.status, right.header("location")), (StatusCode::SEE_OTHER, "/account"));
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let world = World::new(&[]).await;
    world.person(1, "ada@example.com").await;
    for next in
        ["//evil.test", "/\\evil.test", "https://evil.test", "https:evil.test", "javascript:alert(1)", "/\t/evil.test"]
    {
        let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("next", next)];
        let answer = world.client(2).post("/login", &fields).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/account"), "{next}");
        let themed = world.client(2).post("/theme", &[("theme", "dark"), ("next", next)]).await;
        assert_eq!(themed.header("location"), "/", "{next}");
    }
    let signed_in = world.person(3, "bob@example.com").await.get("/login?next=//evil.test").await;
    assert_eq!(signed_in.header("location"), "/account");
}

#[tokio::test]
async fn where_a_person_wanted_to_go_outlives_the_letter() {
    let world = World::new(&[]).await;
    let mut client = world.client(1);
    assert!(client.get("/register?next=/help").await.text().contains("name=\"next\" value=\"/help\""));
    let fields: Vec<_> = SIGN_UP.into_iter().chain([("next", "/help")]).collect();
    client.post("/register", &fields).await;
    let code = world.code_to("ada@example.com").await;
    assert_eq!(client.post("/verify-email", &[("code", &code)]).await.header("location"), "/help");
}

#[tokio::test]
async fn the_referer_leads_nowhere_and_no_error_travels_in_a_url() {
    let world = World::new(&[]).await;
    let headers = [("accept", "text/html"), ("content-type", FORM), ("referer", "https://evil.test/")];
    let answer = world.client(1).send(Method::POST, "/login", &headers, Body::from("email=foo&password=bar")).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::UNPROCESSABLE_ENTITY, ""));
}

#[tokio::test]
async fn a_form_from_another_site_is_refused_and_changes_nothing() {
    let world = World::new(&[]).await;
    let mut client = world.person(1, "ada@example.com").await;
    for headers in [
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.test")],
        vec![("origin", "https://evil.test")],
        vec![("origin", "null")],
    ] {
        for (path, content_type) in [
            ("/logout", FORM),
            ("/login", FORM),
            ("/api/v1/auth/logout/", "application/json"),
            ("/theme", "text/plain"),
        ] {
            let mut headers = headers.clone();
            headers.extend([("content-type", content_type), ("accept", "text/html")]);
            let answer = client.send(Method::POST, path, &headers, Body::from("email=a")).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert!(answer.header("content-security-policy").contains("default-src 'none'"));
        }
    }
    assert_eq!(client.get("/account").await.status, StatusCode::OK);
    let own = [("origin", "http://localhost:3000"), ("content-type", FORM), ("accept", "text/html")];
    assert_eq!(client.send(Method::POST, "/logout", &own, Body::empty()).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn looking_changes_nothing() {
    let world = World::new(&[]).await;
    let mut client = world.person(1, "ada@example.com").await;
    for path in
        ["/logout", "/logout?logout=1", "/register", "/verify-email/resend", "/theme", "/account?_method=DELETE"]
    {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            client.send(method, path, &[("x-http-method-override", "POST")], Body::empty()).await;
        }
    }
    assert_eq!(client.get("/account").await.status, StatusCode::OK);
    assert_eq!(client.get("/theme").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_planted_session_id_is_worth_nothing_after_sign_up() {
    let world = World::new(&[]).await;
    let mut attacker = world.client(1);
    attacker
        .post(
            "/register",
            &[("email", "eve@example.com"), ("password", PASSWORD), ("first_name", "E"), ("last_name", "E")],
        )
        .await;
    let planted = attacker.cookies["vestibule_session"].clone();
    let mut victim = world.client(2);
    victim.cookies.insert("vestibule_session".into(), planted.clone());
    victim.post("/register", &SIGN_UP).await;
    assert_ne!(victim.cookies["vestibule_session"], planted);
    assert!(!attacker.get("/verify-email").await.text().contains("ada@example.com"));
}

#[tokio::test]
async fn a_form_is_a_form_however_it_is_sent() {
    let world = World::new(&[]).await;
    let body = || Body::from_stream(futures::stream::once(async { Ok::<_, std::io::Error>("theme=dark") }));
    let chunked = world.client(1).send(Method::POST, "/theme", &[("content-type", "text/plain")], body()).await;
    assert_eq!(chunked.status.as_u16(), 415);
    let any = world.client(1).send(Method::POST, "/theme", &[("content-type", FORM), ("accept", "*/*")], body()).await;
    assert_eq!(any.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn repeated_fields_and_broken_text_are_not_guessed_at() {
    let world = World::new(&[]).await;
    for body in ["email%5B%5D=a%40example.com", "email[]=a@example.com&email=b@example.com", "email[0]=a@example.com"] {
        for accept in ["text/html", "application/json"] {
            let headers = [("accept", accept), ("content-type", FORM)];
            let answer = world.client(1).send(Method::POST, "/password/reset", &headers, Body::from(body)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body} {accept}");
        }
    }
    for body in ["email=a%40example.com&email=b%40example.com", "email=%ff%fe", "email=a&password=%c3%28"] {
        let headers = [("accept", "text/html"), ("content-type", FORM)];
        let answer = world.client(1).send(Method::POST, "/login", &headers, Body::from(body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
}

#[tokio::test]
async fn a_name_is_text_wherever_it_is_shown() {
    let world = World::new(&[("EMAIL_VERIFICATION", "off")]).await;
    let evil = "<img src=x onerror=alert(1)>\"'</script>";
    let mut client = world.client(1);
    let shown = client.post("/register", &[("email", "bad"), ("first_name", evil)]).await.text();
    assert!(!shown.contains("<img") || tag(&shown, "first-name").contains("value=\"<img"), "inside an attribute only");
    client
        .post(
            "/register",
            &[("email", "ada@example.com"), ("password", PASSWORD), ("first_name", evil), ("last_name", "x")],
        )
        .await;
    let page = client.get("/account").await.text();
    assert!(!page.contains("<img") && !page.contains("</script>\"") && page.contains("&lt;img"), "{page}");
}

#[tokio::test]
async fn the_mailbox_shows_letters_as_pages_and_as_data() {
    let world = World::new(&[]).await;
    let mut client = world.client(1);
    client.post("/register", &SIGN_UP).await;
    let code = world.code_to("ada@example.com").await;
    assert!(client.get("/dev/mailbox").await.text().contains(&code));
    let all = client.get("/dev/mailbox/messages.json?to=ADA@example.com").await.json();
    let letter = &all[0];
    for name in ["id", "to", "subject", "text", "html", "link", "code", "created_at"] {
        assert!(letter[name].is_string(), "{name}");
    }
    assert_eq!(client.get("/dev/mailbox/messages.json?to=other@example.com").await.text(), "[]");
    let html = client.get(&format!("/dev/mailbox/{}.html", letter["id"].as_str().expect("an id"))).await;
    assert!(html.header("content-security-policy").contains("sandbox"));
}

#[tokio::test]
async fn the_theme_is_a_cookie() {
    let world = World::new(&[]).await;
    let mut client = world.client(1);
    let answer = client.post("/theme", &[("theme", "dark"), ("next", "/login?next=/account")]).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/login?next=/account"));
    assert!(client.get("/login").await.text().contains("data-theme=\"dark\""));
    client.post("/theme", &[("theme", "system")]).await;
    assert!(!client.get("/login").await.text().contains("data-theme"));
}
