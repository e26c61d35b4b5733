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
const SENT: &str = "If that address has an account that is not confirmed, a new email is on its way";

pub(super) fn operations() -> Vec<Operation> {
    let confirm = "Prove the mailbox by the token or the code of an email, and be signed in";
    let answered = json!({ "message": DONE, "user": user::example(), "tokens": tokens::example() });
    let (names, again) =
        (&["verify-email", "registration/verify-email"], &["resend-email", "registration/resend-email"]);
    vec![
        Operation::new("verifyEmail", Method::POST, names, post(create), confirm)
            .says("By `token`; or by `code` alone from the client that signed up; or by `email` and `code` from any other. Any other client also sends `password`, the one chosen at sign-up, or `new_password`, which replaces it; a token that is sent without either is refused and not spent. A token that was spent before answers with `message` only, and signs nobody in.")
            .takes::<Confirmation>(&[], json!({ "email": "ada@example.com", "code": "481920", "password": "three unrelated words" }))
            .answers::<Proven>(StatusCode::OK, "Confirmed; `tokens` is null where sign-in is a step of its own. Only `message` when it was confirmed before", answered)
            .finds([(Field::Code, Fault::Incorrect)])
            .refuses([Refusal::TokenInvalid, Refusal::TokenExpired, Refusal::PasswordRequired])
            .limited()
            .hashes()
            .leads_to("login", json!({ "email": "$response.body#/user/email", "password": "$request.body#/password" }))
            .leads_to("refresh", json!({ "refresh": "$response.body#/tokens/refresh" })),
        Operation::new("resendEmail", Method::POST, again, post(resend), "Ask for another email; the answer is the same for every address")
            .says("Ends the link and the code of the email before. An address without an account, and one that is confirmed already, are answered alike.")
            .takes::<Resend>(&["email"], json!({ "email": "ada@example.com" }))
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
    /// Of an email's link.
    #[serde(alias = "key")]
    #[schemars(with = "Option<String>", extend("pattern" = "\\S"))]
    token: String,
    /// Six digits.
    #[schemars(with = "Option<String>", extend("pattern" = "[0-9０-９]"))]
    code: String,
    /// Whose code it is, from a client that did not sign up.
    #[schemars(with = "Option<String>")]
    email: String,
    /// The one chosen at sign-up.
    #[schemars(with = "Option<String>")]
    password: Password,
    /// Replaces it.
    #[schemars(with = "Option<String>")]
    new_password: Password,
}

/// Proof that was taken, or had been: then there is `message` only.
#[derive(Serialize, JsonSchema)]
struct Proven {
    message: &'static str,
    #[serde(flatten)]
    now: Option<Now>,
}

#[derive(Serialize, JsonSchema)]
struct Now {
    user: User,
    /// Null where sign-in is a step of its own.
    tokens: Option<Tokens>,
}

impl Proven {
    fn now(user: accounts::User, tokens: Option<Tokens>) -> Self {
        Self { message: DONE, now: Some(Now { user: user.into(), tokens }) }
    }

    fn before() -> Self {
        Self { message: ALREADY, now: None }
    }
}

async fn create(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(browser): Extension<Session>,
    headers: HeaderMap,
    Body(sent): Body<Confirmation>,
) -> Result<Reply<Proven>, Failed> {
    let Confirmation { token, code, email, password, new_password } = sent;
    let form = ConfirmationForm { token, code, email, password, new_password };
    Ok(match site.accounts().confirm_email(&visitor, &form).await? {
        Confirmed::SignedIn(session) => {
            app::request::forget(&browser).await?;
            let tokens = Some(Tokens::of(&session, &headers));
            let answer = Proven::now(session.signed_in.user.clone(), tokens);
            Reply::ok(answer).with_session(&site, &session)
        }
        Confirmed::SignInNext(user) => Reply::ok(Proven::now(user, None)),
        Confirmed::Already => Reply::ok(Proven::before()),
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
