//! What people may say of themselves after sign-up.

use serde::{Deserialize, Serialize};

use crate::problem::Faults;
use crate::rules::{Presence, SignUpRules};
use crate::{Fault, Field, FieldFault, person, phone};

/// RFC 5646 4.4.1: no language tag in use is longer.
const MAX_LOCALE_OCTETS: usize = 35;

/// A profile as it is, or as it is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// E.164; empty when there is none.
    pub phone: String,
    /// BCP 47.
    pub locale: String,
}

/// What is to be written: nothing where nothing was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// E.164; empty to take it away.
    pub phone: Option<String>,
    /// BCP 47.
    pub locale: Option<String>,
}

/// The fields that are to change; the others are left as they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfileForm {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Telephone number; empty for none.
    pub phone: Option<String>,
    /// Language of the pages.
    pub locale: Option<String>,
    /// Not to be changed, but sent back by programs that send all they know.
    pub id: Option<String>,
    /// The same.
    pub email: Option<String>,
    /// The same.
    pub user_type: Option<String>,
}

impl ProfileForm {
    /// The change to make. What is sent as it is was judged before, by rules that may have changed since.
    pub fn check(&self, now: &Profile, rules: &SignUpRules) -> Result<ProfileChange, Vec<FieldFault>> {
        let mut faults = Faults::default();
        let mut judge = |field, typed: &Option<String>, now: &str, presence, parse: &dyn Fn(&str) -> Judged| {
            let typed = typed.as_deref().filter(|_| presence != Presence::Off)?;
            if typed == now {
                return Some(typed.to_owned());
            }
            let judged = match parse(typed) {
                Err(Fault::Missing) if presence == Presence::Optional => Ok(String::new()),
                judged => judged,
            };
            faults.keep(field, judged)
        };
        let (first_name, last_name) = (&self.first_name, &self.last_name);
        let change = ProfileChange {
            first_name: judge(Field::FirstName, first_name, &now.first_name, rules.first_name, &person::parse_name),
            last_name: judge(Field::LastName, last_name, &now.last_name, rules.last_name, &person::parse_name),
            phone: judge(Field::Phone, &self.phone, &now.phone, rules.phone, &phone::parse),
            locale: judge(Field::Locale, &self.locale, &now.locale, Presence::Required, &parse_locale),
        };
        let faults = faults.into_vec();
        if faults.is_empty() { Ok(change) } else { Err(faults) }
    }
}

type Judged = Result<String, Fault>;

/// The shape of a language tag (RFC 5646 2.1); whether there is such a language is not asked.
fn parse_locale(typed: &str) -> Judged {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(Fault::Missing);
    }
    let is_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let language = typed.split('-').next().unwrap_or_default();
    let is_language = (2..=8).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_tag = is_language && typed.len() <= MAX_LOCALE_OCTETS && typed.split('-').all(is_part);
    if is_tag { Ok(typed.to_owned()) } else { Err(Fault::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Profile {
        Profile {
            first_name: "Ada".into(),
            last_name: String::new(),
            phone: "+442079460018".into(),
            locale: "en".into(),
        }
    }

    fn form(first_name: &str, last_name: &str, phone: &str, locale: &str) -> ProfileForm {
        let some = |text: &str| Some(text.to_owned());
        ProfileForm {
            first_name: some(first_name),
            last_name: some(last_name),
            phone: some(phone),
            locale: some(locale),
            ..ProfileForm::default()
        }
    }

    #[test]
    fn ones_own_values_are_taken_back_whatever_the_rules_say_now() {
        let rules = SignUpRules { phone: Presence::Required, ..SignUpRules::default() };
        let same = form("Ada", "", "+442079460018", "en").check(&now(), &rules).expect("no fault");
        assert_eq!((same.last_name.as_deref(), same.phone.as_deref()), (Some(""), Some("+442079460018")));
        assert_eq!(
            ProfileForm::default().check(&now(), &rules),
            Ok(ProfileChange::default()),
            "nothing sent, nothing written"
        );
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let faults = form("", "a\u{202e}b", "12", "english language").check(&now(), &SignUpRules::default());
        let found: Vec<_> =
            faults.expect_err("faults").into_iter().map(|found| (found.field.code(), found.fault.code())).collect();
        assert_eq!(
            found,
            [("first_name", "missing"), ("last_name", "malformed"), ("phone", "malformed"), ("locale", "malformed")]
        );
    }

    #[test]
    fn optional_ones_can_be_taken_away_and_those_not_asked_are_left() {
        let changed = form("Grace", "Hopper", "", "pt-BR").check(&now(), &SignUpRules::default()).expect("good");
        assert_eq!((changed.phone.as_deref(), changed.locale.as_deref()), (Some(""), Some("pt-BR")));
        let rules = SignUpRules { phone: Presence::Off, ..SignUpRules::default() };
        assert_eq!(form("Ada", "", "", "en").check(&now(), &rules).expect("no fault").phone, None);
    }
}
