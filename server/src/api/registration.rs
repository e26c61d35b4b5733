//! `POST register/`

use accounts::Visitor;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use contract::Password;
use contract::registration::RegistrationForm;
use serde::Deserialize;
use serde_json::json;
use tower_sessions::Session;

use super::body::Body;
use super::tokens::{tokens, with_cookies};
use super::{Failed, json};
use crate::Site;

/// Names of dj-rest-auth are taken too.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Registration {
    email: String,
    #[serde(alias = "password1")]
    password: Password,
    #[serde(alias = "password2")]
    password_confirm: Password,
    first_name: String,
    last_name: String,
    user_type: String,
    phone: String,
    terms_version: String,
}

impl From<Registration> for RegistrationForm {
    fn from(sent: Registration) -> Self {
        let Registration { email, password, password_confirm, first_name, last_name, user_type, phone, terms_version } =
            sent;
        let (password_confirm, terms) = (Some(password_confirm), terms_version);
        Self { email, password, password_confirm, first_name, last_name, user_type, phone, terms }
    }
}

pub(crate) async fn create(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(browser): Extension<Session>,
    headers: HeaderMap,
    Body(sent): Body<Registration>,
) -> Result<Response, Failed> {
    let registered = site.accounts().register(&visitor, &sent.into()).await?;
    let mut body = json!({
        "message": "Check your email to confirm the address",
        "user_id": registered.user_id,
        "email_sent": registered.email_sent,
    });
    match registered.session {
        Some(session) => {
            body["message"] = "Your account is ready".into();
            body["user"] = json!(session.signed_in.user);
            body["tokens"] = tokens(&session, &headers);
            Ok(with_cookies(json(StatusCode::CREATED, body), site.cookies().of_session(&session)))
        }
        None => {
            app::request::remember_sign_up(&browser, &registered.pending).await?;
            Ok(json(StatusCode::CREATED, body))
        }
    }
}
