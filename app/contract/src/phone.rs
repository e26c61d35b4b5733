//! Telephone numbers in international form (ITU-T E.164): a plus sign and up to 15 digits.

use crate::Fault;

const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// Reads a number as people write it, `+44 (0)20 7946 0018` excepted: a trunk zero has no place in an
/// international number. Returns it as `+` and digits.
pub fn parse(typed: &str) -> Result<String, Fault> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(Fault::Missing);
    }
    let number = typed.strip_prefix('+').or_else(|| typed.strip_prefix("00")).ok_or(Fault::Malformed)?;
    let is_separator = |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')' | '/');
    let digits: String = number.chars().filter(|c| !is_separator(*c)).collect();
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    if is_number && DIGITS.contains(&digits.len()) { Ok(format!("+{digits}")) } else { Err(Fault::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_in_one_form() {
        for typed in ["+44 20 7946 0018", "0044-20-7946-0018", " +44 (20) 7946.0018 ", "+442079460018"] {
            assert_eq!(parse(typed), Ok("+442079460018".to_owned()));
        }
    }

    #[test]
    fn other_things_are_no_number() {
        for typed in
            ["020 7946 0018", "+1234567", "+1234567890123456", "+٤٤٢٠٧٩٤٦٠٠١٨", "+44 20 call me", "+0123456789"]
        {
            assert_eq!(parse(typed), Err(Fault::Malformed), "{typed:?}");
        }
        assert_eq!(parse("+44 20 7946 0018\n5"), Err(Fault::Malformed));
        assert_eq!(parse(""), Err(Fault::Missing));
    }
}
