//! What we take as a new password.
//!
//! Length is counted in code points as typed, and nothing is folded or cut. Two ways to write one letter are one
//! password: the server compares the composed form as well (NIST SP 800-63B-4 section 3.1.1.2). Whether it is widely known is asked of a dictionary that only
//! the server has.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{EmailAddress, Fault};

/// Bounds the work of hashing; far above what a person or a password manager uses.
pub const MAX_OCTETS: usize = 1024;

/// What must be left of a password when the person's address or the site's name is taken out of it.
const MIN_REMAINDER: usize = 8;

/// A password as typed. `Debug` never shows it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Takes it as typed.
    pub fn new(typed: impl Into<String>) -> Self {
        Self(typed.into())
    }

    /// The secret itself, for hashing and verifying.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether anything was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rules that need no dictionary. `min_length` is in code points.
    pub fn check_new(&self, min_length: usize, email: Option<&EmailAddress>, site_name: &str) -> Result<(), Fault> {
        if self.0.is_empty() {
            return Err(Fault::Missing);
        }
        if self.0.len() > MAX_OCTETS {
            return Err(Fault::TooLong);
        }
        if self.0.contains('\0') {
            return Err(Fault::Malformed);
        }
        if self.0.chars().count() < min_length {
            return Err(Fault::TooShort);
        }
        if email.is_some_and(|email| self.is_mostly(email.as_str()) || self.is_mostly(email.local_part())) {
            return Err(Fault::ContainsEmail);
        }
        if self.is_mostly(site_name) { Err(Fault::ContainsSiteName) } else { Ok(()) }
    }

    fn is_mostly(&self, word: &str) -> bool {
        let (password, word) = (self.0.to_lowercase(), word.to_lowercase());
        word.chars().count() > 3
            && password.contains(&word)
            && password.replace(&word, "").chars().count() < MIN_REMAINDER
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str) -> Result<(), Fault> {
        let email = EmailAddress::parse("margaret@example.com").expect("a good address");
        Password::new(typed).check_new(12, Some(&email), "Vestibule")
    }

    #[test]
    fn length_is_counted_in_code_points_and_nothing_else_is_asked() {
        assert_eq!(check("aaaaabbbbbcc"), Ok(()));
        assert_eq!(check("🐎🔋📎🧀🐎🔋📎🧀🐎🔋📎🧀"), Ok(()));
        assert_eq!(check("🐎🔋📎🧀🐎🔋📎🧀🐎🔋📎"), Err(Fault::TooShort));
        assert_eq!(check(&"long phrase with spaces ".repeat(6)), Ok(()));
        assert_eq!(check(&"x".repeat(1024)), Ok(()));
        assert_eq!(check(&"x".repeat(1025)), Err(Fault::TooLong));
        assert_eq!(check("twelve chars\0"), Err(Fault::Malformed));
        assert_eq!(check(""), Err(Fault::Missing));
    }

    #[test]
    fn neither_the_own_address_nor_the_name_of_the_site_makes_a_password() {
        assert_eq!(check("margaret@example.com"), Err(Fault::ContainsEmail));
        assert_eq!(check("Margaret2026"), Err(Fault::ContainsEmail));
        assert_eq!(check("Vestibule-2026"), Err(Fault::ContainsSiteName));
        assert_eq!(check("the vestibule of a brick house"), Ok(()));
    }

    #[test]
    fn debug_never_shows_it() {
        assert_eq!(format!("{:?}", Password::new("hunter2")), "Password(***)");
    }
}
