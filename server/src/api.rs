//! The JSON API. A door: it takes a body, calls one verb, and writes an answer; rules about accounts are elsewhere.

mod body;
mod email_verification;
pub(crate) mod problem;
mod registration;
mod sessions;
mod tokens;
mod user;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, post};
use contract::paths::API;

use crate::Site;

pub(crate) use problem::Failed;

/// Every route of the API, below [`API`]; each with and without a slash at its end.
pub(crate) fn router() -> Router<Site> {
    let table: [(&[&str], MethodRouter<Site>); 6] = [
        (&["register", "registration"], post(registration::create)),
        (&["verify-email", "registration/verify-email"], post(email_verification::create)),
        (&["resend-email", "registration/resend-email"], post(email_verification::resend)),
        (&["login"], post(sessions::create)),
        (&["logout"], post(sessions::end)),
        (&["user"], get(user::show)),
    ];
    let mut router = Router::new();
    for (names, route) in table {
        for name in names {
            router =
                router.route(&format!("{API}/{name}"), route.clone()).route(&format!("{API}/{name}/"), route.clone());
        }
    }
    router
}

/// What most answers begin with.
pub(crate) fn message(text: &str) -> serde_json::Value {
    serde_json::json!({ "message": text })
}

/// A body of JSON.
pub(crate) fn json(status: StatusCode, body: serde_json::Value) -> axum::response::Response {
    axum::response::IntoResponse::into_response((status, axum::Json(body)))
}
