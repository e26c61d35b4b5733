//! Telephone numbers in international form (ITU-T E.164): a plus sign and up to 15 digits.
//!
//! Read as address books and web pages give them away: with direction marks, spaces and hyphens of every width,
//! full-width characters, `tel:`. What is not understood is refused, never guessed at.

use crate::Fault;
use crate::invisible::{is_invisible, trim};

const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// Of a number without its country code; a few digits are no number at all.
const NATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 6..=15;

/// Country codes whose everyday numbers begin with a zero, which is dialled from everywhere: in brackets, too, it is
/// a part of the number. Everywhere else a zero in brackets is dialled inside the country only.
const ZERO_IS_DIALLED: [&str; 9] = ["39", "225", "226", "227", "229", "241", "242", "378", "379"];

/// Reads a number as people write and paste it. Returns it as `+` and digits.
pub fn parse(typed: &str) -> Result<String, Fault> {
    let typed = trim(typed);
    if typed.is_empty() {
        return Err(Fault::Missing);
    }
    let plain: String = typed.chars().map(to_half_width).filter(|c| !is_separator(*c)).collect();
    let number = plain.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("tel:")).map_or(&*plain, |_| &plain[4..]);
    let number = number.trim_start_matches('(');
    let Some(international) = number.strip_prefix('+').or_else(|| number.strip_prefix("00")) else {
        let is_national = digits_of(number).is_some_and(|digits| NATIONAL_DIGITS.contains(&digits.len()));
        return Err(if is_national { Fault::NoCountryCode } else { Fault::Malformed });
    };
    let digits = digits_of(&without_trunk_zero(international)).ok_or(Fault::Malformed)?;
    let is_number = DIGITS.contains(&digits.len()) && !digits.starts_with('0');
    if is_number { Ok(format!("+{digits}")) } else { Err(Fault::Malformed) }
}

/// `44(0)20…` is 44 20…
fn without_trunk_zero(number: &str) -> String {
    match number.split_once("(0)") {
        Some((code, rest)) if !ZERO_IS_DIALLED.contains(&code.trim_matches(['(', ')'])) => format!("{code}{rest}"),
        _ => number.to_owned(),
    }
}

/// Brackets say nothing more.
fn digits_of(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(|c| !matches!(c, '(' | ')')).collect();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)
}

/// Full-width forms of ASCII, as keyboards of East Asia write them; square brackets as round ones.
fn to_half_width(c: char) -> char {
    let half = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        c => c,
    };
    match half {
        '[' => '(',
        ']' => ')',
        half => half,
    }
}

/// Spaces and hyphens of every width, dots and slashes; no line break, which parts two numbers.
fn is_separator(c: char) -> bool {
    let is_space = c.is_whitespace() && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}');
    let is_hyphen = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}');
    let is_mark = is_invisible(c) && !matches!(c, '\u{2028}' | '\u{2029}');
    is_space || is_hyphen || is_mark || matches!(c, '.' | '/' | '\u{b7}' | '\u{30fb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_in_one_form() {
        for typed in [
            "+44 20 7946 0018",
            "0044-20-7946-0018",
            " +44 (20) 7946.0018 ",
            "+442079460018",
            // As phones and pages paste them.
            "\u{202a}+44 20 7946 0018\u{202c}",
            "\u{200e}+44\u{a0}20\u{202f}7946\u{2009}0018\u{feff}",
            "+44\u{2011}20\u{2010}7946\u{2013}0018",
            "+44\u{2212}20\u{ad}7946\u{200b}0018",
            "＋４４（２０）７９４６－００１８",
            "+44　20　7946　0018",
            "tel:+44-20-7946-0018",
            "TEL: +442079460018",
            "+44/20/7946·0018",
        ] {
            assert_eq!(parse(typed), Ok("+442079460018".to_owned()), "{typed:?}");
        }
    }

    #[test]
    fn a_trunk_zero_in_brackets_is_dropped_but_where_it_is_dialled() {
        for (typed, kept) in [
            ("+44 (0)20 7946 0018", "+442079460018"),
            ("+44(0) 20 7946 0018", "+442079460018"),
            ("0044 ( 0 ) 20 7946 0018", "+442079460018"),
            ("(+44) [0]20 7946 0018", "+442079460018"),
            ("+49 （０）30 901820", "+4930901820"),
            ("+353 (0)1 234 5678", "+35312345678"),
            ("+39 (0)6 6982 0018", "+390669820018"),
            ("+39 06 6982 0018", "+390669820018"),
            ("+225 (0)7 12 34 56 78", "+2250712345678"),
        ] {
            assert_eq!(parse(typed), Ok(kept.to_owned()), "{typed:?}");
        }
    }

    #[test]
    fn a_national_number_lacks_its_country_code() {
        for typed in ["020 7946 0018", "07946 123456", "(212) 555-0123", "tel:07946123456", "０７９４６ 123456"] {
            assert_eq!(parse(typed), Err(Fault::NoCountryCode), "{typed:?}");
        }
    }

    #[test]
    fn other_things_are_no_number() {
        for typed in [
            "12",
            "call me",
            "+1234567",
            "+1234567890123456",
            "+٤٤٢٠٧٩٤٦٠٠١٨",
            "+44 20 call me",
            "+0123456789",
            "+44 20 7946 0018\n5",
            "+44 20 7946 0018\u{2028}5",
            "tel:+442079460018;ext=5",
            "+44 20 7946 0018 x5",
            "tel:",
            "++442079460018",
            "+ (0)",
        ] {
            assert_eq!(parse(typed), Err(Fault::Malformed), "{typed:?}");
        }
        assert_eq!(parse(""), Err(Fault::Missing));
        assert_eq!(parse("\u{200e} \u{200b}"), Err(Fault::Missing));
    }
}
