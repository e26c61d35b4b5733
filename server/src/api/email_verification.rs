//! `POST verify-email/`, `POST resend-email/`

use accounts::{Confirmed, Visitor};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::post;
use contract::confirmation::ConfirmationForm;
use contract::{Fault, Field, Password, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower_sessions::Session;

use super::Failed;
use super::body::Body;
use super::describe::Operation;
use super::reply::{Message, Reply};
use super::tokens::{self, Tokens};
use super::user::{self, User};
use crate::Site;

const DONE: &str = "Your email address is confirmed";
const ALREADY: &str = "Your email address was already confirmed";
const SENT: &str = "If that address has an account that is not confirmed, a new letter is on its way";

pub(super) fn operations() -> Vec<Operation> {
    let confirm = "Prove the mailbox by the token or the code of a letter, and be signed in";
    let answered = json!({ "message": DONE, "user": user::example(), "tokens": tokens::example() });
    let (names, again) =
        (&["verify-email", "registration/verify-email"], &["resend-email", "registration/resend-email"]);
    vec![
        Operation::new("verifyEmail", Method::POST, names, post(create), confirm)
            .takes::<Confirmation>(&[&["token"], &["code"]], json!({ "email": "ada@example.com", "code": "481920", "password": "three unrelated words" }))
            .answers::<Answer>(StatusCode::OK, "Confirmed; `tokens` is null where sign-in is a step of its own. Only `message` when it was confirmed before", answered)
            .finds([(Field::Code, Fault::Incorrect)])
            .refuses([Refusal::TokenInvalid, Refusal::TokenExpired, Refusal::PasswordRequired])
            .limited()
            .hashes()
            .leads_to("login", json!({ "email": "$response.body#/user/email", "password": "$request.body#/password" }))
            .leads_to("refresh", json!({ "refresh": "$response.body#/tokens/refresh" })),
        Operation::new("resendEmail", Method::POST, again, post(resend), "Ask for another letter; the answer is the same for every address")
            .takes::<Resend>(&[&["email"]], json!({ "email": "ada@example.com" }))
            .answers::<Message>(StatusCode::OK, "Heard", json!({ "message": SENT }))
            .finds([(Field::Email, Fault::Malformed)])
            .limited(),
    ]
}

/// Proof of a mailbox: `token` (or `key`), or `code` with `email` unless this client signed up. A client that did not
/// sign up also sends `password`, or `new_password` to replace it.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Confirmation {
    /// Of a letter's link.
    #[serde(alias = "key")]
    #[schemars(extend("pattern" = "\\S"))]
    token: String,
    /// Six digits.
    #[schemars(extend("pattern" = "[0-9０-９]"))]
    code: String,
    #[schemars(with = "Option<String>")]
    email: String,
    /// The one chosen at sign-up.
    #[schemars(with = "Option<String>")]
    password: Password,
    /// Replaces it.
    #[schemars(with = "Option<String>")]
    new_password: Password,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Answer {
    Confirmed(Box<Done>),
    Already(Message),
}

#[derive(Serialize, JsonSchema)]
struct Done {
    message: &'static str,
    user: User,
    tokens: Option<Tokens>,
}

impl Answer {
    fn confirmed(user: accounts::User, tokens: Option<Tokens>) -> Self {
        Self::Confirmed(Box::new(Done { message: DONE, user: user.into(), tokens }))
    }
}

async fn create(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(browser): Extension<Session>,
    headers: HeaderMap,
    Body(sent): Body<Confirmation>,
) -> Result<Reply<Answer>, Failed> {
    let Confirmation { token, code, email, password, new_password } = sent;
    let form = ConfirmationForm { token, code, email, password, new_password };
    Ok(match site.accounts().confirm_email(&visitor, &form).await? {
        Confirmed::SignedIn(session) => {
            app::request::forget(&browser).await?;
            let tokens = Some(Tokens::of(&session, &headers));
            let answer = Answer::confirmed(session.signed_in.user.clone(), tokens);
            Reply::ok(answer).with_session(&site, &session)
        }
        Confirmed::SignInNext(user) => Reply::ok(Answer::confirmed(user, None)),
        Confirmed::Already => Reply::ok(Answer::Already(Message::new(ALREADY))),
    })
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Resend {
    #[schemars(extend("format" = "email", "maxLength" = 254))]
    email: String,
}

async fn resend(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Body(sent): Body<Resend>,
) -> Result<Reply<Message>, Failed> {
    site.accounts().resend_confirmation(&visitor, &sent.email).await?;
    Ok(Reply::message(SENT))
}
