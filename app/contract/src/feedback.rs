//! Feedback on leaving a field, before anything is sent: the same rules and the same sentences as the server's.

use serde::{Deserialize, Serialize};

use crate::confirmation::parse_code;
use crate::login::LoginForm;
use crate::password_change::PasswordChangeForm;
use crate::registration::RegistrationForm;
use crate::rules::SignUpRules;
use crate::{EmailAddress, Field, FieldFault, Password, wording};

/// The forms that give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FormKind {
    /// Sign-up.
    Registration,
    /// Sign-in.
    Login,
    /// Six digits.
    Code,
    /// The password of a sign-up that is confirmed elsewhere.
    CurrentPassword,
    /// A password that replaces it.
    NewPassword,
    /// An address, for a letter.
    Address,
    /// Present and new password.
    PasswordChange,
    /// Code and new password.
    PasswordReset,
}

impl FormKind {
    /// What is wrong with one field, given what all fields hold. `value` answers by the name a field is posted under.
    pub fn sentence(self, name: &str, value: impl Fn(&str) -> String, rules: &SignUpRules) -> Option<String> {
        let faults = self.faults(&value, rules);
        let found = faults.into_iter().find(|found| found.field.code() == name)?;
        Some(wording::fault(found.field, found.fault, rules))
    }

    fn faults(self, value: &impl Fn(&str) -> String, rules: &SignUpRules) -> Vec<FieldFault> {
        let one = |field, result: Result<(), crate::Fault>| result.err().map(|fault| FieldFault { field, fault });
        match self {
            Self::Registration => registration(value).check(rules).err().unwrap_or_default(),
            Self::Login => {
                let (email, password) = (value("email"), Password::new(value("password")));
                LoginForm { email, password, ..LoginForm::default() }.check().err().unwrap_or_default()
            }
            Self::Code => one(Field::Code, parse_code(&value("code")).map(drop)).into_iter().collect(),
            Self::CurrentPassword => {
                let missing = if value("password").is_empty() { Err(crate::Fault::Missing) } else { Ok(()) };
                one(Field::CurrentPassword, missing).into_iter().collect()
            }
            Self::NewPassword => {
                let typed = Password::new(value("new_password"));
                let checked = typed.check_new(rules.password_min_length, None, &rules.site_name);
                one(Field::NewPassword, checked).into_iter().collect()
            }
            Self::Address => one(Field::Email, EmailAddress::parse(&value("email")).map(drop)).into_iter().collect(),
            Self::PasswordChange => {
                let (old_password, new_password) = (value("old_password"), value("new_password"));
                let (old_password, new_password) = (Password::new(old_password), Password::new(new_password));
                let form = PasswordChangeForm { old_password, new_password, new_password_confirm: None };
                form.check(rules, EmailAddress::parse(&value("username")).ok().as_ref()).err().unwrap_or_default()
            }
            Self::PasswordReset => {
                let email = EmailAddress::parse(&value("username")).ok();
                let typed = Password::new(value("password"));
                // The form has one password only, and calls it so.
                let checked = typed.check_new(rules.password_min_length, email.as_ref(), &rules.site_name);
                let code = one(Field::Code, parse_code(&value("code")).map(drop));
                code.into_iter().chain(one(Field::Password, checked)).collect()
            }
        }
    }
}

fn registration(value: &impl Fn(&str) -> String) -> RegistrationForm {
    RegistrationForm {
        email: value("email"),
        password: Password::new(value("password")),
        password_confirm: None,
        first_name: value("first_name"),
        last_name: value("last_name"),
        user_type: value("user_type"),
        phone: value("phone"),
        terms: value("terms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_judged_with_the_form_around_it() {
        let value = |name: &str| match name {
            "email" => "margaret@example.com".to_owned(),
            "password" => "margaret2026".to_owned(),
            _ => String::new(),
        };
        let sentence = |name| FormKind::Registration.sentence(name, value, &SignUpRules::default());
        assert_eq!(sentence("password").as_deref(), Some("Password must not contain your email address"));
        assert_eq!(sentence("first_name").as_deref(), Some("Enter your first name"));
        assert_eq!(sentence("email"), None);
        assert_eq!(sentence("phone"), None);
    }
}
