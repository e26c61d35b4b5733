//! `POST register/`

use accounts::Visitor;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::post;
use contract::registration::RegistrationForm;
use contract::{Fault, Field, Password, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower_sessions::Session;
use uuid::Uuid;

use super::Failed;
use super::body::Body;
use super::describe::Operation;
use super::reply::Reply;
use super::tokens::Tokens;
use super::user::User;
use crate::Site;

const READY: &str = "Your account is ready";
const CHECK: &str = "Check your email to confirm the address";

pub(super) fn operations() -> Vec<Operation> {
    let sent = json!({
        "email": "ada@example.com", "password": "three unrelated words", "password_confirm": "three unrelated words",
        "first_name": "Ada", "last_name": "Lovelace",
    });
    let answered = json!({ "message": CHECK, "user_id": "01a1fc9f-0133-75d6-bc07-4ec56a811aa9", "email_sent": true });
    let names = &["register", "registration"];
    let proof = json!({ "email": "$request.body#/email", "code": "481920", "password": "$request.body#/password" });
    vec![
        Operation::new(
            "register",
            Method::POST,
            names,
            post(create),
            "Sign up. A taken address answers like a free one",
        )
        .says("Takes a sign-up in and sends the email that proves the address. The answer sets a cookie: a client that sends it back is the one that signed up, and needs nothing but the token or the code to confirm. Where the address has an account already, `user_id` is nobody's.")
        .takes::<Registration>(&["email", "password", "password_confirm"], sent)
        .answers::<Registered>(StatusCode::CREATED, "Taken in; an email is on its way", answered)
        .finds([(Field::Email, Fault::Malformed), (Field::Password, Fault::TooShort)])
        .refuses([Refusal::RegistrationClosed, Refusal::EmailTaken])
        .limited()
        .hashes()
        .leads_to("verifyEmail", proof)
        .leads_to("login", json!({ "email": "$request.body#/email", "password": "$request.body#/password" })),
    ]
}

/// A sign-up. `password1`, `password2` and `terms` are taken for `password`, `password_confirm` and `terms_version`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Registration {
    #[schemars(extend("format" = "email", "maxLength" = 254))]
    email: String,
    #[serde(alias = "password1")]
    #[schemars(with = "String", extend("format" = "password"))]
    password: Password,
    /// The same once more.
    #[serde(alias = "password2")]
    #[schemars(with = "String", extend("format" = "password"))]
    password_confirm: Password,
    #[schemars(with = "Option<String>")]
    first_name: String,
    #[schemars(with = "Option<String>")]
    last_name: String,
    /// What the account is for.
    #[schemars(with = "Option<String>")]
    user_type: String,
    /// International, like `+44 20 7946 0018`.
    #[schemars(with = "Option<String>")]
    phone: String,
    /// The version of the terms that the person agreed to.
    #[schemars(with = "Option<String>")]
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

/// A sign-up that was taken in.
#[derive(Serialize, JsonSchema)]
struct Registered {
    message: &'static str,
    /// Of the account that confirming the address makes.
    user_id: Uuid,
    /// Whether an email is on its way.
    email_sent: bool,
    /// There at once where addresses need no proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<Tokens>,
}

async fn create(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(browser): Extension<Session>,
    headers: HeaderMap,
    Body(sent): Body<Registration>,
) -> Result<Reply<Registered>, Failed> {
    let registered = site.accounts().register(&visitor, &sent.into()).await?;
    let (user_id, email_sent) = (registered.user_id, registered.email_sent);
    let answer = |message| Registered { message, user_id, email_sent, user: None, tokens: None };
    match registered.session {
        Some(session) => {
            let (user, tokens) = (session.signed_in.user.clone().into(), Tokens::of(&session, &headers));
            let body = Registered { user: Some(user), tokens: Some(tokens), ..answer(READY) };
            app::request::forget(&browser).await?;
            Ok(Reply::new(StatusCode::CREATED, body).with_session(&site, &session))
        }
        None => {
            app::request::remember_sign_up(&browser, &registered.pending).await?;
            Ok(Reply::new(StatusCode::CREATED, answer(CHECK)))
        }
    }
}
