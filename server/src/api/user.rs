//! `GET`, `PUT` and `PATCH user/`

use accounts::Visitor;
use axum::Extension;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::routing::{get, patch, put};
use chrono::{DateTime, Utc};
use contract::profile::ProfileForm;
use contract::{Fault, Field};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Failed;
use super::body::Changes;
use super::describe::Operation;
use super::reply::Reply;
use crate::Site;

pub(super) fn operations() -> Vec<Operation> {
    let names = &["user"];
    let change = |id, method, handler, summary, says| {
        Operation::new(id, method, names, handler, summary)
            .says(says)
            .answers::<User>(StatusCode::OK, "The person as they are now", example())
            .finds([(Field::Email, Fault::ReadOnly), (Field::Phone, Fault::Malformed)])
            .for_signed_in()
    };
    let sent = json!({ "first_name": "Ada", "last_name": "King", "phone": "+44 20 7946 0018" });
    vec![
        Operation::new("user", Method::GET, names, get(show), "Who is signed in")
            .says("The person of the access token, as they are now and not as they were when it was made.")
            .answers::<User>(StatusCode::OK, "The person", example())
            .for_signed_in(),
        change("replaceUser", Method::PUT, put(replace), "Replace the profile: what is not sent is taken away", "`id`, `email` and `user_type` may be sent as they are; they are not changed here.")
            .takes::<Replacement>(&[], sent.clone()),
        change("changeUser", Method::PATCH, patch(change_some), "Change what is sent, and nothing else", "Null or an empty text takes a value away. `id`, `email` and `user_type` may be sent as they are; they are not changed here.")
            .takes::<Profile>(&[], sent),
    ]
}

/// A person with an account.
#[derive(Serialize, JsonSchema)]
pub(crate) struct User {
    /// Never changes.
    id: Uuid,
    email: String,
    /// Whether its mailbox was proven.
    email_verified: bool,
    first_name: String,
    last_name: String,
    /// What the account is for.
    #[expect(clippy::struct_field_names, reason = "the name that outsiders rely on")]
    user_type: String,
    /// E.164.
    phone: Option<String>,
    /// BCP 47.
    locale: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<accounts::User> for User {
    fn from(user: accounts::User) -> Self {
        let accounts::User {
            id,
            email,
            email_verified,
            first_name,
            last_name,
            user_type,
            phone,
            locale,
            created_at,
            updated_at,
        } = user;
        Self { id, email, email_verified, first_name, last_name, user_type, phone, locale, created_at, updated_at }
    }
}

/// A profile. `id`, `email` and `user_type` are not to be changed here, but may be sent as they are.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Profile {
    #[serde(deserialize_with = "super::body::or_empty")]
    #[schemars(with = "Option<String>")]
    first_name: Option<String>,
    #[serde(deserialize_with = "super::body::or_empty")]
    #[schemars(with = "Option<String>")]
    last_name: Option<String>,
    /// International, like `+44 20 7946 0018`; null or empty for none.
    #[serde(deserialize_with = "super::body::or_empty")]
    #[schemars(with = "Option<String>")]
    phone: Option<String>,
    /// A language tag such as `en` or `pt-BR`.
    #[schemars(length(min = 2, max = 35))]
    locale: Option<String>,
    id: Option<String>,
    email: Option<String>,
    user_type: Option<String>,
}

/// A whole profile.
#[derive(Deserialize, JsonSchema)]
struct Replacement {
    #[serde(flatten)]
    profile: Profile,
}

async fn show(Extension(visitor): Extension<Visitor>) -> Result<Reply<User>, Failed> {
    Ok(Reply::ok(visitor.session()?.user.clone().into()))
}

async fn replace(
    site: State<Site>,
    visitor: Extension<Visitor>,
    Changes(Replacement { profile: sent }): Changes<Replacement>,
) -> Result<Reply<User>, Failed> {
    let given = |field: Option<String>| Some(field.unwrap_or_default());
    let (first_name, last_name, phone) = (given(sent.first_name), given(sent.last_name), given(sent.phone));
    change_some(site, visitor, Changes(Profile { first_name, last_name, phone, ..sent })).await
}

async fn change_some(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Changes(sent): Changes<Profile>,
) -> Result<Reply<User>, Failed> {
    let Profile { first_name, last_name, phone, locale, id, email, user_type } = sent;
    let form = ProfileForm { first_name, last_name, phone, locale, id, email, user_type };
    Ok(Reply::ok(site.accounts().change_profile(&visitor, &form).await?.into()))
}

/// The person of examples.
pub(super) fn example() -> Value {
    json!({
        "id": "01a1fc9f-0133-75d6-bc07-4ec56a811aa9", "email": "ada@example.com", "email_verified": true,
        "first_name": "Ada", "last_name": "Lovelace", "user_type": "guest", "phone": null, "locale": "en",
        "created_at": "2026-11-21T05:40:41.395212Z", "updated_at": "2026-11-21T05:40:43.010477Z",
    })
}
