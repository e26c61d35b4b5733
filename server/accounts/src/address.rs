//! When two e-mail addresses are the same.
//!
//! The key is the local part in lower case and the domain as ASCII (UTS 46, RFC 5891), so that `münchen` and
//! `xn--mnchen-3ya` are one domain. A domain that Unicode normalisation would turn into another one (full-width
//! letters, the Kelvin sign) is refused, not repaired: the person would not get our letter.

use contract::{EmailAddress, Fault};
use unicode_normalization::UnicodeNormalization;

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
    fn look_alikes_are_refused() {
        for typed in ["a@ｅxample.com", "a@example.ⅽom", "a@mu\u{308}nchen.example"] {
            assert_eq!(key_of(typed), Err(Fault::Malformed), "{typed}");
        }
    }
}
