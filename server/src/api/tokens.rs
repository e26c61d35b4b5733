//! `POST token/refresh/`, `POST token/verify/`, and how tokens are handed over: always as cookies; as values only to
//! callers that are no browser, so that no script of a page ever holds them.

use accounts::{AccessClaims, Error, NewSession, Visitor};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use contract::{Fault, Field, FieldFault, Problem, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Failed;
use super::body::{Body, OptionalBody};
use super::describe::Operation;
use super::reply::{Reply, without_session};
use crate::{Site, visitor};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "refresh",
            Method::POST,
            &["token/refresh"],
            post(refresh),
            "Renew a session, once for each refresh token",
        )
        .says("Takes the refresh token from the body or the cookie. It works once: keep the new one. A used one may come back within ten seconds, or when the answer to it was lost; any other second use ends the session.")
        .may_take::<Renewal>(json!({ "refresh": REFRESH_EXAMPLE }))
        .answers::<Renewed>(StatusCode::OK, "The next tokens of the session", json!({ "tokens": example() }))
        .refuses([Refusal::NotAuthenticated, Refusal::SessionInvalid, Refusal::SessionExpired])
        .finds([(Field::Refresh, Fault::Mismatch)])
        .leads_to("refresh", json!({ "refresh": "$response.body#/tokens/refresh" }))
        .leads_to("logout", json!({ "refresh": "$response.body#/tokens/refresh" })),
        Operation::new(
            "verifyToken",
            Method::POST,
            &["token/verify"],
            post(verify),
            "Ask whether an access token is alive, and what it says",
        )
        .says("Knows what a signature cannot tell: whether the session has ended meanwhile.")
        .takes::<Verification>(&["token"], json!({ "token": ACCESS }))
        .answers::<Active>(StatusCode::OK, "It is alive: its session has not ended", example_claims())
        .refuses([Refusal::SessionInvalid, Refusal::SessionExpired])
        .finds([(Field::AccessToken, Fault::Missing)]),
    ]
}

/// The tokens of a session. To a browser both values are null: its cookies hold them.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Tokens {
    /// A JWT (RFC 9068), for `Authorization: Bearer`.
    access: Option<String>,
    /// Renews the session, once.
    refresh: Option<String>,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Life of the access token, in seconds.
    expires_in: i64,
    /// Life of the refresh token if it is not used, in seconds.
    refresh_expires_in: i64,
}

impl Tokens {
    pub(crate) fn of(session: &NewSession, headers: &HeaderMap) -> Self {
        let value = |token: String| (!is_browser(headers)).then_some(token);
        Self {
            access: value(session.access.clone()),
            refresh: value(session.refresh.expose()),
            token_type: "Bearer",
            expires_in: session.access_lives.num_seconds(),
            refresh_expires_in: session.refresh_lives.num_seconds(),
        }
    }
}

/// Every browser of today says where a request comes from; nothing else does.
fn is_browser(headers: &HeaderMap) -> bool {
    headers.contains_key("sec-fetch-site")
}

/// The refresh token of a request. A body and a cookie that name different ones are two callers in one.
pub(super) fn presented_refresh(
    site: &Site,
    headers: &HeaderMap,
    of_body: Option<String>,
) -> Result<Option<String>, Failed> {
    let of_cookie = visitor::refresh_cookie(site, headers);
    match (of_body.filter(|token| !token.is_empty()), of_cookie) {
        (Some(body), Some(cookie)) if body != cookie => {
            Err(Problem::Invalid(vec![FieldFault { field: Field::Refresh, fault: Fault::Mismatch }]).into())
        }
        (body, cookie) => Ok(body.or(cookie)),
    }
}

/// A refresh token, unless the cookie has it.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Renewal {
    pub(super) refresh: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Renewed {
    tokens: Tokens,
}

async fn refresh(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    OptionalBody(sent): OptionalBody<Renewal>,
) -> Result<Response, Failed> {
    let presented = presented_refresh(&site, &headers, sent.refresh)?.ok_or(Refusal::NotAuthenticated)?;
    match site.accounts().renew(&visitor, &presented).await {
        Ok(session) => {
            let body = Renewed { tokens: Tokens::of(&session, &headers) };
            Ok(Reply::ok(body).with_session(&site, &session).into_response())
        }
        // Cookies that are worth nothing are taken away.
        Err(error @ Error::Refused(Refusal::SessionInvalid | Refusal::SessionExpired)) => {
            Ok(without_session(Failed::from(error).into_response(), &site))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Verification {
    /// An access token.
    #[schemars(length(min = 1))]
    token: String,
}

/// What an access token says. Times are seconds since 1970 (RFC 7519).
#[derive(Serialize, JsonSchema)]
struct Active {
    /// Always true: what is not alive is 401.
    #[expect(clippy::struct_field_names, reason = "the name of RFC 7662")]
    active: bool,
    iss: String,
    aud: String,
    /// The person.
    sub: Uuid,
    /// The session.
    sid: Uuid,
    /// The token.
    jti: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
    auth_time: i64,
    amr: Vec<String>,
    email: String,
    email_verified: bool,
    user_type: String,
}

async fn verify(State(site): State<Site>, Body(sent): Body<Verification>) -> Result<Reply<Active>, Failed> {
    if sent.token.is_empty() {
        return Err(Problem::Invalid(vec![FieldFault { field: Field::AccessToken, fault: Fault::Missing }]).into());
    }
    let claims = site.accounts().verify_access(&sent.token).await?;
    let AccessClaims { iss, aud, sub, sid, jti, iat, nbf, exp, auth_time, amr, email, email_verified, user_type } =
        claims;
    let active = true;
    Ok(Reply::ok(Active {
        active,
        iss,
        aud,
        sub,
        sid,
        jti,
        iat,
        nbf,
        exp,
        auth_time,
        amr,
        email,
        email_verified,
        user_type,
    }))
}

const ACCESS: &str = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSIsImtpZCI6IuKApiJ9.e30.AA";
const REFRESH_EXAMPLE: &str = "UF_g3xxNqDvmZ9hQm0y0mD5pVmV0r1nJk8b1tYw3c2E";

/// The tokens object of examples.
pub(super) fn example() -> Value {
    json!({ "access": ACCESS, "refresh": REFRESH_EXAMPLE, "token_type": "Bearer", "expires_in": 300, "refresh_expires_in": 1_209_600 })
}

fn example_claims() -> Value {
    json!({
        "active": true, "iss": "https://accounts.example.com", "aud": "https://accounts.example.com",
        "sub": "01a1fc9f-0133-75d6-bc07-4ec56a811aa9", "sid": "01a1fca0-7d0b-7c6e-a2a1-5e2d0f5bb1f2",
        "jti": "01a1fca0-7d0b-7c6e-a2a1-5e2e8a7c91d4", "iat": 1_795_237_243, "nbf": 1_795_237_243,
        "exp": 1_795_237_543, "auth_time": 1_795_237_243, "amr": ["pwd"], "email": "ada@example.com",
        "email_verified": true, "user_type": "guest",
    })
}
