//! When two e-mail addresses are the same.
//!
//! The key is the local part in lower case and the domain as ASCII (UTS 46, RFC 5891), so that `münchen` and
//! `xn--mnchen-3ya` are one domain. A domain that Unicode normalisation would turn into another one (full-width
//! letters, the Kelvin sign) is refused, not repaired: the person would not get our letter.

use contract::{EmailAddress, Fault};
use unicode_normalization::UnicodeNormalization;

use crate::Error;

/// The form by which addresses are compared, and the letters' envelope is addressed.
pub(crate) fn key(email: &EmailAddress) -> Result<String, Fault> {
    let domain = email.domain();
    if domain.nfkc().collect::<String>() != domain {
        return Err(Fault::Malformed);
    }
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| Fault::Malformed)?;
    let key = format!("{}@{ascii}", email.local_part());
    if key.len() > contract::email_address::MAX_OCTETS { Err(Fault::TooLong) } else { Ok(key) }
}

/// An address as mail servers take it: the local part as it is, the domain in ASCII.
pub(crate) fn ascii(email: &str) -> Result<String, Error> {
    let (local, domain) = email.rsplit_once('@').ok_or_else(|| Error::internal("no mail address"))?;
    // Names of machines on the way, such as `localhost`, are domains here, and may have an underscore.
    let domain = idna::domain_to_ascii(domain).map_err(Error::internal)?;
    Ok(format!("{local}@{domain}"))
}

/// The mailbox that letters to an address come to: most servers take `ada+shop@…` for `ada@…`.
pub(crate) fn mailbox(email: &str) -> String {
    let email = email.to_lowercase();
    let (local, domain) = email.rsplit_once('@').unwrap_or((&email, ""));
    let local = local.split_once('+').map_or(local, |(name, _)| name);
    let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_owned());
    format!("{local}@{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(typed: &str) -> Result<String, Fault> {
        key(&EmailAddress::parse(typed)?)
    }

    #[test]
    fn one_mailbox_has_one_key() {
        for typed in ["anna@münchen.example", "ANNA@MÜNCHEN.example", "anna@xn--mnchen-3ya.example"] {
            assert_eq!(key_of(typed), Ok("anna@xn--mnchen-3ya.example".to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_follows_a_plus_makes_no_other_mailbox() {
        for typed in ["ada@münchen.example", "Ada+1@münchen.example", "ada+a+b@xn--mnchen-3ya.example"] {
            assert_eq!(mailbox(typed), "ada@xn--mnchen-3ya.example", "{typed}");
        }
    }

    #[test]
    fn on_the_wire_a_domain_is_ascii() {
        assert_eq!(ascii("Ada+1@münchen.example").ok().as_deref(), Some("Ada+1@xn--mnchen-3ya.example"));
    }

    #[test]
    fn look_alikes_are_refused() {
        for typed in ["a@ｅxample.com", "a@example.ⅽom", "a@mu\u{308}nchen.example"] {
            assert_eq!(key_of(typed), Err(Fault::Malformed), "{typed}");
        }
    }
}
