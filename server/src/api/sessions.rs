//! `POST login/`, `POST logout/`, `POST logout/all/`, `GET sessions/`, `DELETE sessions/`, `DELETE sessions/{id}/`

use accounts::{Device, LoginStep, Visitor};
use axum::Extension;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::{delete, get, post};
use chrono::{DateTime, Utc};
use contract::login::LoginForm;
use contract::{Fault, Field, Password, Problem, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_sessions::Session;
use uuid::Uuid;

use super::Failed;
use super::body::{Body, OptionalBody};
use super::describe::Operation;
use super::reply::{Message, Reply};
use super::tokens::{self, Renewal, Tokens, presented_refresh};
use super::user::{self, User};
use crate::{Site, visitor};

const SIGNED_OUT: &str = "You have signed out";
const SIGNED_OUT_EVERYWHERE: &str = "You have signed out on every device";

pub(super) fn operations() -> Vec<Operation> {
    let login = json!({ "email": "ada@example.com", "password": "three unrelated words" });
    let out = |id, names, handler, summary, says, text: &'static str| {
        Operation::new(id, Method::POST, names, handler, summary)
            .says(says)
            .may_take::<Renewal>(json!({}))
            .answers::<Message>(StatusCode::OK, "Over, also when nobody was signed in", json!({ "message": text }))
            .finds([(Field::Refresh, Fault::Mismatch)])
            .for_anyone_signed_in()
    };
    vec![
        Operation::new("login", Method::POST, &["login"], post(create), "Sign in")
            .says("An unknown address, a wrong password and a disabled account are one answer. After the right password an address that is not confirmed is told so, and an email is on its way. Tokens are set as cookies, too; a browser gets them as cookies only.")
            .takes::<Login>(&["email", "password"], login)
            .answers::<SignedIn>(
                StatusCode::OK,
                "Signed in",
                json!({ "user": user::example(), "tokens": tokens::example() }),
            )
            .finds([(Field::Email, Fault::Missing)])
            .refuses([Refusal::InvalidCredentials, Refusal::EmailNotVerified])
            .limited()
            .hashes()
            .leads_to("refresh", json!({ "refresh": "$response.body#/tokens/refresh" }))
            .leads_to("verifyToken", json!({ "token": "$response.body#/tokens/access" }))
            .leads_to("logout", json!({ "refresh": "$response.body#/tokens/refresh" })),
        out("logout", &["logout"], post(end), "End this session", "Whose session it is, say the access token, the refresh token, or both: each ends its own.", SIGNED_OUT),
        out("logoutAll", &["logout/all"], post(end_all), "End every session of this person", "On every device, this one too. Who it is says the access token, else the refresh token.", SIGNED_OUT_EVERYWHERE),
        Operation::new("sessions", Method::GET, &["sessions"], get(list), "Where the person is signed in")
            .says("Every session that has not ended, with its device and network in words.")
            .answers::<Vec<Listed>>(StatusCode::OK, "The last used one first", json!([example()]))
            .for_signed_in(),
        Operation::new(
            "endOtherSessions",
            Method::DELETE,
            &["sessions"],
            delete(end_others),
            "End all sessions but this one",
        )
        .says("Their access and refresh tokens are dead before the answer is sent.")
        .answers_nothing(StatusCode::NO_CONTENT, "They have ended")
        .for_signed_in(),
        Operation::new("endSession", Method::DELETE, &["sessions/{id}"], delete(end_one), "End one session")
            .says("One of the person's own, by the `id` of the list. This one, too.")
            .answers_nothing(StatusCode::NO_CONTENT, "It has ended")
            .refuses([Refusal::NotFound])
            .for_signed_in(),
    ]
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Login {
    #[schemars(extend("pattern" = "\\S"))]
    email: String,
    #[schemars(with = "String", extend("format" = "password", "minLength" = 1))]
    password: Password,
}

#[derive(Serialize, JsonSchema)]
struct SignedIn {
    user: User,
    tokens: Tokens,
}

async fn create(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(browser): Extension<Session>,
    headers: HeaderMap,
    Body(sent): Body<Login>,
) -> Result<Reply<SignedIn>, Failed> {
    let form = LoginForm { email: sent.email, password: sent.password, ..LoginForm::default() };
    match site.accounts().sign_in(&visitor, &form).await? {
        LoginStep::Done(session) => {
            app::request::forget(&browser).await?;
            let body = SignedIn { user: session.signed_in.user.clone().into(), tokens: Tokens::of(&session, &headers) };
            Ok(Reply::ok(body).with_session(&site, &session))
        }
        LoginStep::ConfirmEmail(pending) => {
            app::request::remember_sign_up(&browser, &pending).await?;
            Err(Refusal::EmailNotVerified.into())
        }
    }
}

async fn end(site: State<Site>, leaving: Leaving) -> Result<Reply<Message>, Failed> {
    site.accounts().sign_out(&leaving.visitor, leaving.refresh.as_deref()).await?;
    leaving.with(&site, SIGNED_OUT).await
}

async fn end_all(site: State<Site>, leaving: Leaving) -> Result<Reply<Message>, Failed> {
    site.accounts().sign_out_everywhere(&leaving.visitor, leaving.refresh.as_deref()).await?;
    leaving.with(&site, SIGNED_OUT_EVERYWHERE).await
}

/// Who signs out, by whatever they brought.
struct Leaving {
    visitor: Visitor,
    browser: Session,
    refresh: Option<String>,
}

impl FromRequest<Site> for Leaving {
    type Rejection = Failed;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Failed> {
        let visitor = visitor::of(request.extensions())?;
        let browser = request.extensions().get::<Session>().cloned().ok_or(Problem::Internal)?;
        let headers = request.headers().clone();
        let OptionalBody(Renewal { refresh }) = OptionalBody::from_request(request, site).await?;
        Ok(Self { visitor, browser, refresh: presented_refresh(site, &headers, refresh)? })
    }
}

impl Leaving {
    async fn with(self, site: &Site, words: &'static str) -> Result<Reply<Message>, Failed> {
        app::request::forget(&self.browser).await?;
        Ok(Reply::message(words).without_session(site))
    }
}

/// A session. Holds nothing that would let anyone in.
#[derive(Serialize, JsonSchema)]
struct Listed {
    id: Uuid,
    /// The device in words, such as "Firefox on Linux".
    name: String,
    /// Whether it is the one that asks.
    current: bool,
    /// The network it began in, cut short.
    address: String,
    created_at: DateTime<Utc>,
    /// When its tokens were last renewed.
    last_used_at: DateTime<Utc>,
    /// When it ends, however much it is used.
    expires_at: DateTime<Utc>,
}

impl From<Device> for Listed {
    fn from(device: Device) -> Self {
        let Device { id, name, is_this: current, address, created_at, last_used_at, expires_at } = device;
        Self { id, name, current, address, created_at, last_used_at, expires_at }
    }
}

async fn list(State(site): State<Site>, Extension(visitor): Extension<Visitor>) -> Result<Reply<Vec<Listed>>, Failed> {
    let devices = site.accounts().devices(&visitor).await?;
    Ok(Reply::ok(devices.into_iter().map(Listed::from).collect()))
}

async fn end_others(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Reply<Message>, Failed> {
    site.accounts().end_other_devices(&visitor).await?;
    Ok(Reply::nothing())
}

async fn end_one(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Reply<Message>, Failed> {
    site.accounts().end_device(&visitor, &id).await?.ok_or(Refusal::NotFound)?;
    Ok(Reply::nothing())
}

fn example() -> Value {
    json!({
        "id": "01a1fca0-7d0b-7c6e-a2a1-5e2d0f5bb1f2", "name": "Firefox on Linux", "current": true,
        "address": "203.0.113.x", "created_at": "2026-11-21T05:40:43.010477Z",
        "last_used_at": "2026-11-21T05:45:43.010477Z", "expires_at": "2026-12-21T05:40:43.010477Z",
    })
}
