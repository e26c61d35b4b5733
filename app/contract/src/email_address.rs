//! What we take as an e-mail address.
//!
//! The syntax of RFC 5321 mailboxes without quoted local parts, comments and address literals, and with a domain
//! that has a dot. Local parts are ASCII: letters that merely look like others must not make a second account next
//! to the first. Domains may be international; whether such a name is really a domain only the server can tell,
//! and it compares addresses by the ASCII form of the name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Fault;
use crate::invisible::{is_invisible, trim};

/// RFC 5321 4.5.3.1.3: a path of 256 octets, less the angle brackets.
pub const MAX_OCTETS: usize = 254;
const MAX_LOCAL_OCTETS: usize = 64;
const MAX_LABEL_CHARS: usize = 63;

/// An address of acceptable form: trimmed, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads what a person typed or pasted: what nobody sees at its ends is dropped.
    pub fn parse(typed: &str) -> Result<Self, Fault> {
        let typed = trim(typed);
        if typed.is_empty() {
            return Err(Fault::Missing);
        }
        if typed.len() > MAX_OCTETS {
            return Err(Fault::TooLong);
        }
        if typed.chars().any(is_invisible) {
            return Err(Fault::Invisible);
        }
        let (local, domain) = typed.split_once('@').ok_or(Fault::Malformed)?;
        if is_local_part(local) && is_domain(domain) { Ok(Self(typed.to_lowercase())) } else { Err(Fault::Malformed) }
    }

    /// Before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }

    /// After the `@`.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// The whole.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_local_part(local: &str) -> bool {
    // `atext` of RFC 5322 3.2.3.
    let is_atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    local.len() <= MAX_LOCAL_OCTETS && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=MAX_LABEL_CHARS).contains(&label.chars().count())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || (!c.is_ascii() && is_of_a_word(c)))
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.') && domain.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Marks are not alphanumeric in every script, yet words of many languages need them.
fn is_of_a_word(c: char) -> bool {
    // The Kelvin sign in small letters is an ordinary k.
    let turns_ascii = c.to_lowercase().any(|lower| lower.is_ascii());
    !c.is_control() && !c.is_whitespace() && !turns_ascii && c != '＠'
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|fault| format!("email address {}", fault.code()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_people_have_are_taken_and_lower_cased() {
        for (typed, kept) in [
            ("alice@example.com", "alice@example.com"),
            ("  Alice@Example.COM\n", "alice@example.com"),
            ("\u{feff}alice@example.com\u{200b}", "alice@example.com"),
            ("\u{202a}alice@example.com\u{202c}", "alice@example.com"),
            ("alice@example.com\u{200e} \u{200d}", "alice@example.com"),
            ("o'brien+tag@mail.example.co.uk", "o'brien+tag@mail.example.co.uk"),
            ("anna@münchen.example", "anna@münchen.example"),
            ("user@xn--mnchen-3ya.example", "user@xn--mnchen-3ya.example"),
        ] {
            assert_eq!(EmailAddress::parse(typed).map(String::from), Ok(kept.to_owned()), "{typed:?}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let too_long = format!("a@{}.com", "b.".repeat(130));
        for (typed, fault) in [
            ("", Fault::Missing),
            ("   ", Fault::Missing),
            ("alice", Fault::Malformed),
            ("name@example", Fault::Malformed),
            ("alice＠example.com", Fault::Malformed),
            ("alice@@example.com", Fault::Malformed),
            ("a@b@example.com", Fault::Malformed),
            ("alice@example＠.com", Fault::Malformed),
            (".alice@example.com", Fault::Malformed),
            ("al..ice@example.com", Fault::Malformed),
            ("alıce@example.com", Fault::Malformed),
            ("аlice@example.com", Fault::Malformed),
            ("\"alice\"@example.com", Fault::Malformed),
            ("alice@[127.0.0.1]", Fault::Malformed),
            ("alice@127.0.0.1", Fault::Malformed),
            ("alice@example.com.", Fault::Malformed),
            ("alice@\u{212a}elvin.com", Fault::Malformed),
            ("alice@\u{130}stanbul.com", Fault::Malformed),
            ("alice@-example.com", Fault::Malformed),
            ("\u{200b}\u{feff}", Fault::Missing),
            ("alice@exam\u{200b}ple.com", Fault::Invisible),
            ("ali\u{ad}ce@example.com", Fault::Invisible),
            ("alice\u{202e}@example.com", Fault::Invisible),
            ("alice@exa mple.com", Fault::Malformed),
            ("alice@example.com\r\nBcc: eve@example.com", Fault::Malformed),
            ("v@example.com,a@example.com", Fault::Malformed),
            (&long_local, Fault::Malformed),
            (&too_long, Fault::TooLong),
        ] {
            assert_eq!(EmailAddress::parse(typed), Err(fault), "{typed:?}");
        }
    }
}
