//! The JSON API. A door: it takes a body, calls one verb, and writes an answer; rules about accounts are elsewhere.
//!
//! Each file lists its operations: handler and description together. The router and the OpenAPI document are made from
//! the same list.

pub(crate) mod body;
mod check;
mod describe;
mod email_verification;
pub(crate) mod openapi;
mod passwords;
pub(crate) mod problem;
mod registration;
mod reply;
mod sessions;
mod tokens;
mod user;

use axum::Router;
use contract::paths::API;

use crate::Site;

use describe::Operation;
pub(crate) use problem::Failed;

/// Every operation of the API, in the order of the reference.
fn operations() -> Vec<Operation> {
    let groups = [
        ("Sign-up", registration::operations()),
        ("Proof of the address", email_verification::operations()),
        ("Sign-in and sessions", sessions::operations()),
        ("Tokens", tokens::operations()),
        ("The person", user::operations()),
        ("Passwords", passwords::operations()),
        ("For proxies", check::operations()),
    ];
    let named = |(group, operations): (&'static str, Vec<Operation>)| {
        operations.into_iter().map(move |operation| Operation { group, ..operation })
    };
    groups.into_iter().flat_map(named).collect()
}

/// Every route below [`API`]; each with and without a slash at its end.
pub(crate) fn router() -> Router<Site> {
    let mut router = Router::new();
    for operation in operations() {
        for name in operation.names {
            for path in [format!("{API}/{name}"), format!("{API}/{name}/")] {
                router = router.route(&path, operation.handler.clone());
            }
        }
    }
    router
}
