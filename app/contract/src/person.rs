//! Names of people: any script, any apostrophe, hyphen or space.

use crate::Fault;

/// In code points. Longer names exist on no passport.
pub const MAX_NAME_CHARS: usize = 100;

/// Reads a name as typed: spaces at its ends are dropped, nothing else is changed.
pub fn parse_name(typed: &str) -> Result<String, Fault> {
    let name = typed.trim();
    if name.is_empty() {
        return Err(Fault::Missing);
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(Fault::TooLong);
    }
    // Zero width joiners belong to words of several languages; the rest of the invisible only disguises.
    let disguises = |c: char| c.is_control() || (is_invisible(c) && !matches!(c, '\u{200c}' | '\u{200d}'));
    if name.chars().any(disguises) { Err(Fault::Malformed) } else { Ok(name.to_owned()) }
}

/// Characters without a shape, among them those that turn the direction of the text around them.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_are_taken_as_they_are() {
        for name in ["O'Brien", "王", "van der Berg", "McDonald", "Ana-María", "José", "Нина", "محمد", "D’Arcy", "X Æ"]
        {
            assert_eq!(parse_name(&format!("  {name} ")), Ok(name.to_owned()));
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        assert_eq!(parse_name(" \t"), Err(Fault::Missing));
        assert_eq!(parse_name(&"n".repeat(101)), Err(Fault::TooLong));
        for name in ["a\nb", "a\0b", "evil\u{202e}txt", "a\u{200b}b"] {
            assert_eq!(parse_name(name), Err(Fault::Malformed), "{name:?}");
        }
    }
}
