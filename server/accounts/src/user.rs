//! A person with an account, as everybody may be told who may be told at all.

use chrono::{DateTime, Utc};
use contract::EmailAddress;
use uuid::Uuid;

use crate::address;

/// What is shown of an account to its owner.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct User {
    /// UUID v7.
    pub id: Uuid,
    /// As typed at sign-up, in lower case.
    pub email: String,
    /// Whether the address is proven.
    #[sqlx(default)]
    pub email_verified: bool,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What the account is for.
    #[expect(clippy::struct_field_names, reason = "the name that outsiders rely on")]
    pub user_type: String,
    /// E.164.
    pub phone: Option<String>,
    /// BCP 47.
    pub locale: String,
    /// UTC.
    pub created_at: DateTime<Utc>,
    /// UTC.
    pub updated_at: DateTime<Utc>,
}

impl User {
    /// The address with its domain in ASCII (RFC 5891), for places that know no other letters.
    pub fn ascii_email(&self) -> String {
        EmailAddress::parse(&self.email).and_then(|email| address::key(&email)).unwrap_or_else(|_| self.id.to_string())
    }
}
