//! The sign-up form: what is typed, and what it becomes when every rule is met.

use serde::{Deserialize, Serialize};

use crate::problem::Faults;
use crate::rules::{Presence, SignUpRules};
use crate::{EmailAddress, Fault, Field, FieldFault, Password, person, phone};

/// Sign-up as typed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistrationForm {
    /// E-mail address.
    pub email: String,
    /// The password to be.
    pub password: Password,
    /// The password once more, where it is asked for: of programs, never of people.
    pub password_confirm: Option<Password>,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What the account is for; empty means the first choice.
    pub user_type: String,
    /// Telephone number.
    pub phone: String,
    /// The version of the terms agreed to, or what a ticked box sends.
    pub terms: String,
}

/// Sign-up that meets the rules.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Where letters go.
    pub email: EmailAddress,
    /// The password to be.
    pub password: Password,
    /// Given name; empty when it is not asked.
    pub first_name: String,
    /// Family name; empty when it is not asked.
    pub last_name: String,
    /// One of [`SignUpRules::user_types`].
    pub user_type: String,
    /// E.164.
    pub phone: Option<String>,
    /// The version of the terms agreed to.
    pub terms_version: Option<String>,
}

impl RegistrationForm {
    /// Judges every field, so that all faults are told at once.
    pub fn check(&self, rules: &SignUpRules) -> Result<Registration, Vec<FieldFault>> {
        let mut faults = Faults::default();
        let email = faults.keep(Field::Email, self.check_email(rules));
        let password = self.password.check_new(rules.password_min_length, email.as_ref(), &rules.site_name);
        faults.keep(Field::Password, password);
        faults.keep(Field::PasswordConfirm, self.check_confirm());
        let first_name = faults.keep(Field::FirstName, present(rules.first_name, &self.first_name, person::parse_name));
        let last_name = faults.keep(Field::LastName, present(rules.last_name, &self.last_name, person::parse_name));
        let user_type = faults.keep(Field::UserType, self.check_user_type(rules));
        let phone = faults.keep(Field::Phone, present(rules.phone, &self.phone, phone::parse));
        let terms_version = faults.keep(Field::Terms, self.check_terms(rules));
        match (email, first_name, last_name, user_type, phone, terms_version, faults.into_vec()) {
            (
                Some(email),
                Some(first_name),
                Some(last_name),
                Some(user_type),
                Some(phone),
                Some(terms_version),
                faults,
            ) if faults.is_empty() => {
                let (first_name, last_name) = (first_name.unwrap_or_default(), last_name.unwrap_or_default());
                let password = self.password.clone();
                Ok(Registration { email, password, first_name, last_name, user_type, phone, terms_version })
            }
            (.., faults) => Err(faults),
        }
    }

    fn check_email(&self, rules: &SignUpRules) -> Result<EmailAddress, Fault> {
        let email = EmailAddress::parse(&self.email)?;
        let allowed = rules.email_domains.is_empty() || rules.email_domains.iter().any(|d| d == email.domain());
        if allowed { Ok(email) } else { Err(Fault::DomainNotAllowed) }
    }

    fn check_confirm(&self) -> Result<(), Fault> {
        match &self.password_confirm {
            Some(again) if again.is_empty() => Err(Fault::Missing),
            Some(again) if *again != self.password => Err(Fault::Mismatch),
            _ => Ok(()),
        }
    }

    fn check_user_type(&self, rules: &SignUpRules) -> Result<String, Fault> {
        let first = rules.user_types.first().cloned().unwrap_or_default();
        match (rules.user_type, self.user_type.trim()) {
            (Presence::Required, "") => Err(Fault::Missing),
            (_, "") => Ok(first),
            // Even where it is not asked: who asks for a privileged kind is told no, not given another.
            (_, kind) if rules.user_types.iter().any(|offered| offered == kind) => Ok(kind.to_owned()),
            _ => Err(Fault::NotOffered),
        }
    }

    fn check_terms(&self, rules: &SignUpRules) -> Result<Option<String>, Fault> {
        match &rules.terms_version {
            None => Ok(None),
            Some(_) if self.terms.is_empty() => Err(Fault::Missing),
            // A program names the version its user has seen; a box on our page means the version on the page.
            Some(version) if self.terms == "on" || self.terms == *version => Ok(Some(version.clone())),
            Some(_) => Err(Fault::Mismatch),
        }
    }
}

fn present(
    presence: Presence,
    typed: &str,
    parse: impl Fn(&str) -> Result<String, Fault>,
) -> Result<Option<String>, Fault> {
    match (presence, parse(typed)) {
        (Presence::Off, _) | (Presence::Optional, Err(Fault::Missing)) => Ok(None),
        (_, parsed) => parsed.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> RegistrationForm {
        RegistrationForm {
            email: "alice@example.com".into(),
            password: Password::new("three unrelated words"),
            first_name: "Alice".into(),
            last_name: "O'Brien".into(),
            ..RegistrationForm::default()
        }
    }

    fn faults(form: &RegistrationForm, rules: &SignUpRules) -> Vec<(Field, Fault)> {
        form.check(rules).expect_err("must be refused").into_iter().map(|found| (found.field, found.fault)).collect()
    }

    #[test]
    fn a_good_form_becomes_a_registration_of_the_first_kind() {
        let made = good().check(&SignUpRules::default()).expect("a good form");
        assert_eq!((made.user_type.as_str(), made.phone, made.terms_version), ("guest", None, None));
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let form = RegistrationForm { phone: "123".into(), ..RegistrationForm::default() };
        let expected = vec![
            (Field::Email, Fault::Missing),
            (Field::Password, Fault::Missing),
            (Field::FirstName, Fault::Missing),
            (Field::LastName, Fault::Missing),
            (Field::Phone, Fault::Malformed),
        ];
        assert_eq!(faults(&form, &SignUpRules::default()), expected);
    }

    #[test]
    fn nobody_signs_up_as_an_administrator() {
        for rules in [SignUpRules::default(), SignUpRules { user_type: Presence::Off, ..SignUpRules::default() }] {
            for kind in ["admin", "Admin", "ADMIN ", "staff", "ａdmin"] {
                let form = RegistrationForm { user_type: kind.into(), ..good() };
                assert_eq!(faults(&form, &rules), [(Field::UserType, Fault::NotOffered)], "{kind}");
            }
        }
    }

    #[test]
    fn a_second_password_must_equal_the_first_where_it_is_asked() {
        let form = |again: &str| RegistrationForm { password_confirm: Some(Password::new(again)), ..good() };
        let rules = SignUpRules::default();
        assert!(form("three unrelated words").check(&rules).is_ok());
        assert_eq!(faults(&form(""), &rules), [(Field::PasswordConfirm, Fault::Missing)]);
        assert_eq!(faults(&form("Three unrelated words"), &rules), [(Field::PasswordConfirm, Fault::Mismatch)]);
    }

    #[test]
    fn terms_and_domains_are_the_operators_to_ask_for() {
        let rules = SignUpRules {
            terms_version: Some("2026-11".into()),
            email_domains: vec!["example.org".into()],
            ..SignUpRules::default()
        };
        let expected = [(Field::Email, Fault::DomainNotAllowed), (Field::Terms, Fault::Missing)];
        assert_eq!(faults(&good(), &rules), expected);
        let form = RegistrationForm { email: "a@example.org".into(), terms: "on".into(), ..good() };
        assert_eq!(form.check(&rules).expect("agreed").terms_version.as_deref(), Some("2026-11"));
        let old = RegistrationForm { terms: "2025-01".into(), ..form };
        assert_eq!(faults(&old, &rules), [(Field::Terms, Fault::Mismatch)]);
    }
}
