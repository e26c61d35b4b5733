//! `GET check/`: for proxies that ask before they let a request through (nginx `auth_request`).

use accounts::Visitor;
use axum::Extension;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::Failed;
use super::describe::Operation;

pub(super) fn operations() -> Vec<Operation> {
    let summary = "Who is signed in, as headers";
    vec![
        Operation::new("check", Method::GET, &["check"], get(check), summary)
            .says("For a proxy that asks before it lets a request through. Takes the access token as bearer or cookie.")
            .answers_nothing(StatusCode::OK, "Signed in")
            .carries([
                ("X-Auth-User", "Id of the person"),
                ("X-Auth-Email", "Their address, its domain in ASCII"),
                ("X-Auth-Email-Verified", "Whether they have proven that it is theirs: `true` or `false`"),
                ("X-Auth-User-Type", "What the account is for"),
            ])
            .for_signed_in(),
    ]
}

async fn check(Extension(visitor): Extension<Visitor>) -> Result<Response, Failed> {
    let user = &visitor.session()?.user;
    let named = [
        ("x-auth-user", user.id.to_string()),
        // Internationalised domains in ASCII: headers have no other letters.
        ("x-auth-email", user.ascii_email()),
        ("x-auth-email-verified", user.email_verified.to_string()),
        ("x-auth-user-type", user.user_type.clone()),
    ];
    let mut response = StatusCode::OK.into_response();
    for (name, value) in named {
        let value = HeaderValue::from_str(&value).map_err(|_| contract::Problem::Internal)?;
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    Ok(response)
}
