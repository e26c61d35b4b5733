//! The forms of a forgotten password.

use serde::{Deserialize, Serialize};

use crate::Password;

/// Proof of the mailbox, and the password to be.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PasswordResetForm {
    /// Of a letter's link.
    pub token: String,
    /// Whose code it is.
    pub email: String,
    /// Six digits of a letter.
    pub code: String,
    /// What the client was given when it asked for the letter; without it a code is worth nothing.
    pub request: String,
    /// The password to be.
    pub new_password: Password,
    /// The same once more, from programs that ask for it.
    pub new_password_confirm: Option<Password>,
}

/// Tokens and codes are nothing for a log.
impl std::fmt::Debug for PasswordResetForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordResetForm").finish_non_exhaustive()
    }
}
