//! The operator's choices that decide what a form takes. The page gives them to the browser, which then judges by
//! the very rules of the server.

use serde::{Deserialize, Serialize};

/// Whether a field is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Must be filled.
    Required,
    /// May be left empty.
    Optional,
    /// Not asked, and ignored when sent.
    Off,
}

/// What sign-up asks and takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignUpRules {
    /// Shown in sentences, and no part of a password.
    pub site_name: String,
    /// Code points of a new password.
    pub password_min_length: usize,
    /// Given name.
    pub first_name: Presence,
    /// Family name.
    pub last_name: Presence,
    /// What the account is for.
    pub user_type: Presence,
    /// Telephone number.
    pub phone: Presence,
    /// What a person may choose the account to be for; the first is the default. Never a privileged kind.
    pub user_types: Vec<String>,
    /// Domains whose addresses may sign up; empty means all.
    pub email_domains: Vec<String>,
    /// The version of the terms that must be agreed to, if any.
    pub terms_version: Option<String>,
}

impl Default for SignUpRules {
    fn default() -> Self {
        Self {
            site_name: "Vestibule".to_owned(),
            password_min_length: 12,
            first_name: Presence::Required,
            last_name: Presence::Required,
            user_type: Presence::Optional,
            phone: Presence::Optional,
            user_types: vec!["guest".to_owned(), "host".to_owned()],
            email_domains: Vec::new(),
            terms_version: None,
        }
    }
}
