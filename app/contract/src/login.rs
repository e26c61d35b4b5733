//! The sign-in form.

use serde::{Deserialize, Serialize};

use crate::problem::Faults;
use crate::{Fault, Field, FieldFault, Password, invisible};

/// Sign-in as typed. What is typed is not judged by the rules for new passwords: those may have changed since.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LoginForm {
    /// E-mail address.
    pub email: String,
    /// The present password.
    pub password: Password,
    /// Not empty: keep me signed in on this device.
    pub remember: String,
    /// Where to go afterwards; a local path.
    pub next: String,
}

impl LoginForm {
    /// Only that something was typed: whether it is right is one question with one answer.
    pub fn check(&self) -> Result<(), Vec<FieldFault>> {
        let mut faults = Faults::default();
        if invisible::trim(&self.email).is_empty() {
            faults.add(Field::Email, Fault::Missing);
        }
        if self.password.is_empty() {
            faults.add(Field::CurrentPassword, Fault::Missing);
        }
        let faults = faults.into_vec();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}
