//! The API door's adapter: a [`Problem`] as status and fault envelope.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::SecondsFormat;
use contract::rules::SignUpRules;
use contract::{Problem, Refusal, wording};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Site;
use crate::headers::RequestId;

/// What a handler answers instead of success. A layer writes it out, because only the layer knows the request's id.
#[derive(Clone, Debug)]
pub(crate) struct Failed(pub(crate) Problem);

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self(Problem::Refused(refusal))
    }
}

impl From<accounts::Error> for Failed {
    fn from(error: accounts::Error) -> Self {
        Self(error.into())
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        // Layers in between decide by the status: what a failing request began is kept unless the service broke.
        let status = StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Failed {
    pub(crate) fn respond(&self, site: &Site, id: Option<&RequestId>) -> Response {
        let Self(problem) = self;
        let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let timestamp = site.accounts().clock().now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let id = id.map(|id| id.0.as_str()).unwrap_or_default();
        let told = envelope(problem, &site.config().settings.sign_up, &timestamp, id);
        let mut response = (status, Json(told)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = problem.refusal().and_then(Refusal::retry_after) {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 11.6.1: a 401 names the scheme; RFC 6750 3.1: and what was wrong with the token.
            let of_token = matches!(problem.refusal(), Some(Refusal::SessionInvalid | Refusal::SessionExpired));
            let challenge = if of_token { "Bearer error=\"invalid_token\"" } else { "Bearer" };
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

/// Every fault, whatever its status.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Envelope {
    error: Told,
}

#[derive(Serialize, JsonSchema)]
struct Told {
    /// For programs.
    code: &'static str,
    /// For people.
    message: String,
    /// Sentences by field; empty unless fields are to be corrected.
    details: BTreeMap<&'static str, Vec<String>>,
    /// Codes by field; the same fields.
    codes: BTreeMap<&'static str, Vec<&'static str>>,
    /// UTC (RFC 3339).
    timestamp: String,
    /// Names the request in the log.
    request_id: String,
}

/// A problem as programs are told.
pub(crate) fn envelope(problem: &Problem, rules: &SignUpRules, timestamp: &str, request_id: &str) -> Envelope {
    let mut details: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut codes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    if let Problem::Invalid(faults) = problem {
        for found in faults {
            let name = found.field.code();
            details.entry(name).or_default().push(wording::fault(found.field, found.fault, rules));
            codes.entry(name).or_default().push(found.fault.code());
        }
    }
    let message = match problem {
        Problem::Invalid(_) => wording::VALIDATION_FAILED.to_owned(),
        Problem::Refused(refusal) => wording::refusal(*refusal),
        Problem::Internal => wording::INTERNAL.to_owned(),
    };
    let (timestamp, request_id) = (timestamp.to_owned(), request_id.to_owned());
    Envelope { error: Told { code: problem.code(), message, details, codes, timestamp, request_id } }
}
