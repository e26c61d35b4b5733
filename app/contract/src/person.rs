//! Names of people: any script, any apostrophe, hyphen or space.

use crate::Fault;
use crate::invisible::{is_invisible, is_of_words, trim};

/// In code points. Longer names exist on no passport.
pub const MAX_NAME_CHARS: usize = 100;

/// Reads a name as typed: what nobody sees at its ends is dropped, nothing else is changed.
pub fn parse_name(typed: &str) -> Result<String, Fault> {
    let name = trim_name(typed);
    // A dot or a dash in the place of a name is none, nor is a letter without a shape.
    if !name.chars().any(|c| c.is_alphabetic() && !is_invisible(c)) {
        return Err(Fault::Missing);
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(Fault::TooLong);
    }
    let disguises = |c: char| c.is_control() || (is_invisible(c) && !is_of_words(c));
    if name.chars().any(disguises) { Err(Fault::Malformed) } else { Ok(name.to_owned()) }
}

/// Trimmed, but for a joiner or a variation selector after the last letter: words of Malayalam or Sinhala may end in
/// the one, and Japanese names in the other. No Latin letter needs either.
fn trim_name(typed: &str) -> &str {
    let name = trim(typed);
    let from_first = typed.trim_start_matches(|c| !name.starts_with(c));
    let after = from_first.strip_prefix(name).and_then(|rest| rest.chars().next());
    match after.filter(|after| is_of_words(*after) && !name.ends_with(|last: char| last.is_ascii())) {
        Some(after) => from_first.get(..name.len() + after.len_utf8()).unwrap_or(name),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_are_taken_as_they_are() {
        for name in [
            "O'Brien",
            "王",
            "van der Berg",
            "McDonald",
            "Ana-María",
            "José",
            "Нина",
            "محمد",
            "D’Arcy",
            "X Æ",
            // A joiner or a selector of its last letter is a part of it.
            "സെബാസ്റ്റ്യന്\u{200d}",
            "辻\u{e0100}",
            "می\u{200c}نا",
        ] {
            assert_eq!(parse_name(&format!("  {name} ")), Ok(name.to_owned()));
        }
    }

    #[test]
    fn what_nobody_sees_at_the_ends_of_a_name_is_dropped() {
        for typed in
            ["\u{200e}Ada\u{200e}", "\u{feff}Ada", "Ada\u{200b}\u{200d}", "\u{202a}Ada\u{202c} ", "\u{200d}Ada"]
        {
            assert_eq!(parse_name(typed), Ok("Ada".to_owned()), "{typed:?}");
        }
    }

    #[test]
    fn a_name_without_a_letter_that_is_seen_is_missing() {
        for typed in ["", " \t", "\u{200b}", "\u{3164}", "\u{115f}\u{1160}", "\u{2800}", ".", "-", "123", "\u{200d}"] {
            assert_eq!(parse_name(typed), Err(Fault::Missing), "{typed:?}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        assert_eq!(parse_name(&"n".repeat(101)), Err(Fault::TooLong));
        for name in ["a\nb", "a\0b", "evil\u{202e}txt", "a\u{200b}b", "a\u{3164}b"] {
            assert_eq!(parse_name(name), Err(Fault::Malformed), "{name:?}");
        }
    }
}
