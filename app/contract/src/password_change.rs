//! The form that replaces a password by another.

use serde::{Deserialize, Serialize};

use crate::problem::Faults;
use crate::rules::SignUpRules;
use crate::{EmailAddress, Fault, Field, FieldFault, Password};

/// Present and new password as typed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PasswordChangeForm {
    /// The present one.
    pub old_password: Password,
    /// The one to be.
    pub new_password: Password,
    /// The one to be once more, from programs that ask for it.
    pub new_password_confirm: Option<Password>,
}

impl PasswordChangeForm {
    /// Every rule that needs no dictionary, and not whether the present one is right.
    pub fn check(&self, rules: &SignUpRules, email: Option<&EmailAddress>) -> Result<(), Vec<FieldFault>> {
        let mut faults = Faults::default();
        if self.old_password.is_empty() {
            faults.add(Field::OldPassword, Fault::Missing);
        }
        faults.keep(Field::NewPassword, self.check_new(rules, email));
        let faults = faults.into_vec();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn check_new(&self, rules: &SignUpRules, email: Option<&EmailAddress>) -> Result<(), Fault> {
        self.new_password.check_new(rules.password_min_length, email, &rules.site_name)?;
        if self.new_password_confirm.as_ref().is_some_and(|again| *again != self.new_password) {
            return Err(Fault::Mismatch);
        }
        if self.new_password == self.old_password { Err(Fault::Unchanged) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fields_are_judged_at_once() {
        let check = |old: &str, new: &str| {
            let (old_password, new_password) = (Password::new(old), Password::new(new));
            let form = PasswordChangeForm { old_password, new_password, new_password_confirm: None };
            let faults = form.check(&SignUpRules::default(), None).err().unwrap_or_default();
            faults.into_iter().map(|found| (found.field, found.fault)).collect::<Vec<_>>()
        };
        assert_eq!(check("", "short"), [(Field::OldPassword, Fault::Missing), (Field::NewPassword, Fault::TooShort)]);
        assert_eq!(check("tractor lemon violin", "tractor lemon violin"), [(Field::NewPassword, Fault::Unchanged)]);
        assert_eq!(check("x", "tractor lemon violin"), []);
    }
}
