//! What somebody who has proven neither a password nor a mailbox is told about an address: nothing.

mod support;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use support::*;

const STRANGERS: &str = "a password of a stranger";

/// What stands in the row of an account, each found nowhere else.
const CANARIES: [&str; 4] = ["Zuleika", "Quillfeather", "+442079460018", "442079460018"];

async fn sign_up_a_victim(world: &World, number: u8, email: &str) -> Client {
    let mut client = world.client(number);
    let sent = json!({
        "email": email, "password": PASSWORD, "password_confirm": PASSWORD, "first_name": CANARIES[0],
        "last_name": CANARIES[1], "phone": CANARIES[2], "user_type": "host",
    });
    assert_eq!(client.api("register/", sent).await.status, StatusCode::CREATED);
    client
}

async fn confirm(world: &World, client: &mut Client, email: &str) {
    let token = world.token_to(email).await;
    assert_eq!(client.api("verify-email/", json!({ "token": token })).await.status, StatusCode::OK);
}

/// What an answer says, without what differs by chance: the address itself, ids, nonces and tokens.
fn told(answer: &Answer, email: &str) -> String {
    let location = answer.header("location").to_owned();
    let text = format!("{} {location} {}", answer.status, answer.text()).replace(email, "ADDRESS");
    let is_long = |word: &str| word.len() >= 20;
    let separators = |character: char| !(character.is_ascii_alphanumeric() || "-_+/=".contains(character));
    text.split_inclusive(separators).map(|word| if is_long(word) { "CHANCE" } else { word }).collect()
}

/// Everything that can be tried with an address and a password of one's own, through both doors.
async fn story(world: &World, number: u8, email: &str) -> Vec<String> {
    let mut story = Vec::new();
    let mut browser = world.client(number);
    let names = [("first_name", "Eve"), ("last_name", "Stranger"), ("user_type", "guest"), ("phone", "")];
    let sign_up = [&[("email", email), ("password", STRANGERS)], &names[..]].concat();
    let right = [("email", email), ("password", STRANGERS)];
    let wrong = [("email", email), ("password", "neither of the two")];
    let reset = [("email", email), ("code", "000000"), ("password", "another one of a stranger")];
    let forms: [(&str, &[(&str, &str)]); 10] = [
        ("/login", &wrong),
        ("/register", &sign_up),
        ("/verify-email", &[("code", "000000")]),
        ("/login", &right),
        ("/login", &wrong),
        ("/verify-email", &[("code", "000000")]),
        ("/verify-email/resend", &[]),
        ("/verify-email/resend", &[("email", email)]),
        ("/password/reset", &right[..1]),
        ("/password/reset/confirm", &reset),
    ];
    for (path, fields) in forms {
        story.push(told(&browser.post(path, fields).await, email));
        for page in ["/", "/register", "/verify-email", "/login", "/password/reset/confirm", "/account", "/help"] {
            story.push(told(&browser.get(page).await, email));
        }
    }
    let mut program = world.client(number + 100);
    let sign_up = json!({
        "email": email, "password": STRANGERS, "password_confirm": STRANGERS, "first_name": "Eve", "last_name": "Stranger",
    });
    let code = json!({ "email": email, "code": "000000", "password": STRANGERS });
    let calls = [
        ("login/", json!({ "email": email, "password": STRANGERS })),
        ("register/", sign_up),
        ("login/", json!({ "email": email, "password": STRANGERS })),
        ("login/", json!({ "email": email, "password": "neither of the two" })),
        ("verify-email/", code.clone()),
        ("verify-email/", json!({ "code": "000000" })),
        ("verify-email/", json!({ "email": email, "code": "000000" })),
        ("resend-email/", json!({ "email": email })),
        ("password/reset/", json!({ "email": email })),
        (
            "password/reset/confirm/",
            json!({ "email": email, "code": "000000", "request": "x", "new_password": STRANGERS }),
        ),
    ];
    for (route, body) in calls {
        story.push(told(&program.api(route, body).await, email));
        story.push(told(&program.send(Method::GET, "/api/v1/auth/user/", &[], Body::empty()).await, email));
    }
    // From a client that has no cookie of the sign-up.
    story.push(told(&world.client(number + 50).api("verify-email/", code).await, email));
    story
}

macro_rules! told_alike {
    ($name:ident, $world:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let world: World = $world;
            let mut known = sign_up_a_victim(&world, 1, "known@example.com").await;
            confirm(&world, &mut known, "known@example.com").await;
            sign_up_a_victim(&world, 2, "unconfirmed@example.com").await;
            let mut disabled = sign_up_a_victim(&world, 3, "disabled@example.com").await;
            confirm(&world, &mut disabled, "disabled@example.com").await;
            world.site.accounts().disable("disabled@example.com").await.expect("disabled");
            sign_up_a_victim(&world, 4, "banned@example.com").await;
            world.site.accounts().disable("banned@example.com").await.expect("disabled");

            let free = story(&world, 10, "free@example.com").await;
            assert!(free.iter().all(|told| !told.starts_with('5')), "{free:#?}");
            for (number, name) in (11..).zip(["known", "unconfirmed", "disabled", "banned"]) {
                let email = format!("{name}@example.com");
                let other = story(&world, number, &email).await;
                for (at, (free, other)) in free.iter().zip(&other).enumerate() {
                    assert_eq!(free, other, "{name}, answer {at}");
                }
                for canary in CANARIES {
                    assert!(!other.iter().any(|told| told.contains(canary)), "{canary} of {name}");
                }
            }
            // None of it has changed anything for the owner.
            let back = world.client(5).api("login/", json!({ "email": "known@example.com", "password": PASSWORD })).await;
            assert_eq!((back.status, back.json()["user"]["first_name"].as_str()), (StatusCode::OK, Some(CANARIES[0])));
        }
    };
}

mod sqlite {
    use super::*;
    told_alike!(every_address_is_told_the_same, World::new(&[("RATE_LIMITS", "off")]).await);
}

mod postgres {
    use super::*;
    told_alike!(every_address_is_told_the_same, World::on_postgres(&[("RATE_LIMITS", "off")]).await);
}

#[tokio::test]
async fn a_link_in_strange_hands_does_not_spell_out_the_address() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    let mut owner = sign_up_a_victim(&world, 1, "ada@example.com").await;
    let token = world.token_to("ada@example.com").await;
    let path = format!("/verify-email?token={token}");
    let seen = world.client(2).get(&path).await.text();
    assert!(seen.contains("a•••@e•••.com") && !seen.contains("ada@example.com"), "{seen}");
    assert!(CANARIES.iter().all(|canary| !seen.contains(canary)));
    assert!(owner.get(&path).await.text().contains("ada@example.com"));
    let wrong = world.client(2).post("/verify-email", &[("token", &token), ("password", "wrong")]).await;
    assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && !wrong.text().contains("ada@example.com"));
    confirm(&world, &mut owner, "ada@example.com").await;
    world.clock.advance(chrono::TimeDelta::seconds(1));
    let asked: Value = world.client(3).api("password/reset/", json!({ "email": "ada@example.com" })).await.json();
    assert!(asked["request"].as_str().is_some_and(|request| request.len() == 43));
    let path = format!("/password/reset/confirm?token={}", world.token_to("ada@example.com").await);
    assert!(!world.client(4).get(&path).await.text().contains("ada@example.com"));
    assert!(owner.get(&path).await.text().contains("ada@example.com"), "signed in to it");
}
