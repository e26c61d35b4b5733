//! `POST login/`, `POST logout/`

use accounts::{LoginStep, Visitor};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use contract::login::LoginForm;
use contract::{Password, Refusal};
use serde::Deserialize;
use serde_json::json;
use tower_sessions::Session;

use super::body::{Body, OptionalBody};
use super::tokens::{tokens, with_cookies};
use super::{Failed, json, message};
use crate::{Site, visitor};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Login {
    email: String,
    password: Password,
}

pub(crate) async fn create(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(browser): Extension<Session>,
    headers: HeaderMap,
    Body(sent): Body<Login>,
) -> Result<Response, Failed> {
    let form = LoginForm { email: sent.email, password: sent.password, ..LoginForm::default() };
    match site.accounts().sign_in(&visitor, &form).await? {
        LoginStep::Done(session) => {
            app::request::forget(&browser).await?;
            let body = json!({ "user": session.signed_in.user, "tokens": tokens(&session, &headers) });
            Ok(with_cookies(json(StatusCode::OK, body), site.cookies().of_session(&session)))
        }
        LoginStep::ConfirmEmail(pending) => {
            app::request::remember_sign_up(&browser, &pending).await?;
            Err(Refusal::EmailNotVerified.into())
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Logout {
    refresh: String,
}

pub(crate) async fn end(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(browser): Extension<Session>,
    headers: HeaderMap,
    OptionalBody(sent): OptionalBody<Logout>,
) -> Result<Response, Failed> {
    let of_cookie = visitor::cookie(&headers, &site.cookies().name("refresh"));
    let refresh = Some(sent.refresh).filter(|sent| !sent.is_empty()).or(of_cookie);
    site.accounts().sign_out(&visitor, refresh.as_deref()).await?;
    app::request::forget(&browser).await?;
    Ok(with_cookies(json(StatusCode::OK, message("You have signed out")), site.cookies().of_nobody()))
}
