//! Characters that nobody sees. Pasted text brings them along at its ends, where they mean nothing; inside a text they
//! can disguise it as another.

/// Whether a character has no shape: among them those that turn the direction of the text around them.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Zero width joiners and variation selectors belong to words of several languages.
pub(crate) fn is_of_words(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Without white space and invisible characters at its ends.
pub fn trim(typed: &str) -> &str {
    typed.trim_matches(|c: char| c.is_whitespace() || is_invisible(c) || is_of_words(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ends_are_freed_of_what_nobody_sees() {
        assert_eq!(trim("\u{feff}\u{202a} a\u{200b}b \u{202c}\u{200b}\n"), "a\u{200b}b");
        assert_eq!(trim("\u{200e}\u{3164}\u{2800} "), "");
        assert_eq!(trim("plain text"), "plain text");
    }
}
