//! `POST password/change/`, `POST password/reset/`, `POST password/reset/confirm/`

use accounts::{PasswordReset, Visitor};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::post;
use contract::password_change::PasswordChangeForm;
use contract::password_reset::PasswordResetForm;
use contract::{Fault, Field, Password, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Failed;
use super::body::Body;
use super::describe::Operation;
use super::reply::{Message, Reply};
use super::tokens::{self, Tokens};
use crate::Site;

const CHANGED: &str = "Your password has been changed, and every other device is signed out";
const ASKED: &str = "We sent an email to that address. If it has an account, the email has a code and a link";
/// For examples.
const REQUEST: &str = "p0Yx3n2nQGk1sVb7rJm4tq8WzLc5dEfHaUuIoPxSgNw";
const RESET: &str = "Your password has been changed. Sign in with it";

pub(super) fn operations() -> Vec<Operation> {
    let (old, new) = ("three unrelated words", "tractor lemon violin");
    let confirm = json!({ "email": "ada@example.com", "code": "481920", "request": REQUEST, "new_password": new });
    vec![
        Operation::new(
            "changePassword",
            Method::POST,
            &["password/change"],
            post(change),
            "Replace the password; every other session ends",
        )
        .says("Asks for the present password, also of whoever is signed in. The person is told by email.")
        .takes::<Change>(&["old_password", "new_password"], json!({ "old_password": old, "new_password": new }))
        .answers::<Changed>(
            StatusCode::OK,
            "Replaced; the session goes on with these tokens",
            json!({ "message": CHANGED, "tokens": tokens::example() }),
        )
        .finds([(Field::OldPassword, Fault::Incorrect), (Field::NewPassword, Fault::TooShort)])
        .for_signed_in()
        .limited()
        .hashes(),
        Operation::new(
            "resetPassword",
            Method::POST,
            &["password/reset"],
            post(ask),
            "Ask for an email that leads to a new password; the answer is the same for every address",
        )
        .says("The email has a link and a code, or the news that the address has no account. Send `request` back with the code, which works for nobody else; the link works anywhere. Both work for a short time, once, and only the newest.")
        .takes::<Address>(&["email"], json!({ "email": "ada@example.com" }))
        .answers::<Asked>(StatusCode::OK, "Asked", json!({ "message": ASKED, "request": REQUEST }))
        .leads_to(
            "confirmPasswordReset",
            json!({
                "email": "$request.body#/email", "code": "481920", "request": "$response.body#/request",
                "new_password": new,
            }),
        )
        .finds([(Field::Email, Fault::Malformed)])
        .limited(),
        Operation::new(
            "confirmPasswordReset",
            Method::POST,
            &["password/reset/confirm"],
            post(reset),
            "Choose a new password by the token or the code of the email; every session ends",
        )
        .says("By `token`, or by `email`, `code` and `request`. A password that is not taken spends neither. Every session of the person ends; sign in with the new password.")
        .takes::<Reset>(&["new_password"], confirm)
        .answers::<Message>(StatusCode::OK, "Replaced; nobody is signed in by it", json!({ "message": RESET }))
        .finds([(Field::Code, Fault::Incorrect), (Field::NewPassword, Fault::TooCommon)])
        .refuses([Refusal::TokenInvalid, Refusal::TokenExpired])
        .limited()
        .hashes(),
    ]
}

/// `new_password1` and `new_password2` are taken for `new_password` and its repetition.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Change {
    #[schemars(with = "String", extend("format" = "password", "minLength" = 1))]
    old_password: Password,
    #[serde(alias = "new_password1")]
    #[schemars(with = "String", extend("format" = "password"))]
    new_password: Password,
    #[schemars(with = "Option<String>")]
    new_password2: Option<Password>,
}

#[derive(Serialize, JsonSchema)]
struct Changed {
    message: &'static str,
    tokens: Tokens,
}

async fn change(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Body(sent): Body<Change>,
) -> Result<Reply<Changed>, Failed> {
    let Change { old_password, new_password, new_password2: new_password_confirm } = sent;
    let form = PasswordChangeForm { old_password, new_password, new_password_confirm };
    let session = site.accounts().change_password(&visitor, &form).await?;
    let body = Changed { message: CHANGED, tokens: Tokens::of(&session, &headers) };
    Ok(Reply::ok(body).with_session(&site, &session))
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Address {
    #[schemars(extend("format" = "email", "maxLength" = 254))]
    email: String,
}

#[derive(Serialize, JsonSchema)]
struct Asked {
    message: &'static str,
    /// To be sent with the code of the email, which works for nobody else.
    request: String,
}

async fn ask(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Body(sent): Body<Address>,
) -> Result<Reply<Asked>, Failed> {
    let request = site.accounts().request_password_reset(&visitor, &sent.email).await?;
    Ok(Reply::ok(Asked { message: ASKED, request }))
}

/// `token`, or `email`, `code` and `request`. `new_password1` and `new_password2` are taken, too.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Reset {
    /// Of the email's link.
    #[schemars(with = "Option<String>", extend("pattern" = "\\S"))]
    token: String,
    /// Whose code it is.
    #[schemars(with = "Option<String>", extend("format" = "email", "maxLength" = 254))]
    email: String,
    /// Six digits.
    #[schemars(with = "Option<String>", extend("pattern" = "[0-9０-９]"))]
    code: String,
    /// As the request for the email was answered.
    #[schemars(with = "Option<String>")]
    request: String,
    #[serde(alias = "new_password1")]
    #[schemars(with = "String", extend("format" = "password"))]
    new_password: Password,
    #[schemars(with = "Option<String>")]
    new_password2: Option<Password>,
}

async fn reset(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Body(sent): Body<Reset>,
) -> Result<Reply<Message>, Failed> {
    let Reset { token, email, code, request, new_password, new_password2: new_password_confirm } = sent;
    let form = PasswordResetForm { token, email, code, request, new_password, new_password_confirm };
    Ok(match site.accounts().reset_password(&visitor, &form).await? {
        PasswordReset::SignInNext => Reply::message(RESET).without_session(&site),
        PasswordReset::AnotherStaysSignedIn => Reply::message(RESET),
    })
}
