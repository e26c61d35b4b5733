//! What most handlers answer: a status, a body of JSON, and cookies.

use accounts::NewSession;
use axum::Json;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Site;

/// An answer.
pub(crate) struct Reply<T> {
    status: StatusCode,
    body: Option<T>,
    cookies: Vec<String>,
}

/// A sentence for people; programs go by the status.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Message {
    message: &'static str,
}

impl<T> Reply<T> {
    pub(crate) fn new(status: StatusCode, body: T) -> Self {
        Self { status, body: Some(body), cookies: Vec::new() }
    }

    pub(crate) fn ok(body: T) -> Self {
        Self::new(StatusCode::OK, body)
    }

    /// With the cookies of a session.
    pub(crate) fn with_session(mut self, site: &Site, session: &NewSession) -> Self {
        self.cookies.extend(site.cookies().of_session(session));
        self
    }

    /// Without any.
    pub(crate) fn without_session(mut self, site: &Site) -> Self {
        self.cookies.extend(site.cookies().of_nobody());
        self
    }
}

impl Reply<Message> {
    pub(crate) fn message(message: &'static str) -> Self {
        Self::ok(Message { message })
    }

    /// 204.
    pub(crate) fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, cookies: Vec::new() }
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Some(body) => (self.status, Json(body)).into_response(),
            None => self.status.into_response(),
        };
        add(&mut response, self.cookies);
        response
    }
}

/// Takes the cookies of a session away with an answer of any kind.
pub(crate) fn without_session(mut response: Response, site: &Site) -> Response {
    add(&mut response, site.cookies().of_nobody());
    response
}

fn add(response: &mut Response, cookies: impl IntoIterator<Item = String>) {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
}
