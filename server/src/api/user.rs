//! `GET user/`

use accounts::Visitor;
use axum::response::Response;
use axum::{Extension, http::StatusCode};
use contract::Refusal;
use serde_json::json;

use super::{Failed, json};

pub(crate) async fn show(Extension(visitor): Extension<Visitor>) -> Result<Response, Failed> {
    let signed_in = visitor.signed_in.ok_or(Refusal::NotAuthenticated)?;
    Ok(json(StatusCode::OK, json!(signed_in.user)))
}
