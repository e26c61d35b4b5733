//! The form that confirms an address: by the token of a letter's link, or by its six digits.

use serde::{Deserialize, Serialize};

use crate::{Fault, Password};

/// Digits of a code.
pub const CODE_DIGITS: usize = 6;

/// Confirmation as typed.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfirmationForm {
    /// From the link.
    pub token: String,
    /// From the letter.
    pub code: String,
    /// Whose code it is, for a client that did not sign up itself.
    pub email: String,
    /// The password chosen at sign-up, from a client that did not sign up itself.
    pub password: Password,
    /// A password that replaces that one.
    pub new_password: Password,
}

/// Tokens and codes are nothing for a log.
impl std::fmt::Debug for ConfirmationForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfirmationForm").finish_non_exhaustive()
    }
}

/// Six digits as people type or paste them: spaces, hyphens and full-width digits are forgiven.
pub fn parse_code(typed: &str) -> Result<String, Fault> {
    let kept = typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'));
    let code: String = kept.map(|c| if ('０'..='９').contains(&c) { to_ascii_digit(c) } else { c }).collect();
    if code.is_empty() {
        return Err(Fault::Missing);
    }
    let is_code = code.len() == CODE_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
    if is_code { Ok(code) } else { Err(Fault::Malformed) }
}

fn to_ascii_digit(full_width: char) -> char {
    let value = full_width as u32 - '０' as u32;
    char::from_digit(value, 10).unwrap_or(full_width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_in_every_spelling() {
        for typed in ["481920", " 481 920 ", "481-920", "４８１９２０", "481\u{a0}920\n", "481–920"] {
            assert_eq!(parse_code(typed), Ok("481920".to_owned()), "{typed:?}");
        }
    }

    #[test]
    fn other_things_are_no_code() {
        assert_eq!(parse_code("  "), Err(Fault::Missing));
        for typed in ["48192", "4819200", "48192a", "٤٨١٩٢٠", "-1-2-3-4-5"] {
            assert_eq!(parse_code(typed), Err(Fault::Malformed), "{typed:?}");
        }
    }
}
