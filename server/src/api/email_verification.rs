//! `POST verify-email/`, `POST resend-email/`

use accounts::{Confirmed, Visitor};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use contract::Password;
use contract::confirmation::ConfirmationForm;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_sessions::Session;

use super::body::Body;
use super::tokens::{tokens, with_cookies};
use super::{Failed, json, message};
use crate::Site;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Confirmation {
    #[serde(alias = "key")]
    token: String,
    code: String,
    email: String,
    password: Password,
    new_password: Password,
}

pub(crate) async fn create(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(browser): Extension<Session>,
    headers: HeaderMap,
    Body(sent): Body<Confirmation>,
) -> Result<Response, Failed> {
    let Confirmation { token, code, email, password, new_password } = sent;
    let form = ConfirmationForm { token, code, email, password, new_password };
    let done = "Your email address is confirmed";
    match site.accounts().confirm_email(&visitor, &form).await? {
        Confirmed::SignedIn(session) => {
            app::request::forget(&browser).await?;
            let body = json!({ "message": done, "user": session.signed_in.user, "tokens": tokens(&session, &headers) });
            Ok(with_cookies(json(StatusCode::OK, body), site.cookies().of_session(&session)))
        }
        Confirmed::SignInNext(user) => {
            let body = json!({ "message": done, "user": user, "tokens": Value::Null });
            Ok(json(StatusCode::OK, body))
        }
        Confirmed::Already => Ok(json(StatusCode::OK, message("Your email address was already confirmed"))),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Resend {
    email: String,
}

pub(crate) async fn resend(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Body(sent): Body<Resend>,
) -> Result<Response, Failed> {
    site.accounts().resend_confirmation(&visitor, &sent.email).await?;
    let text = "If that address has an account that is not confirmed, a new letter is on its way";
    Ok(json(StatusCode::OK, message(text)))
}
