//! The second spelling of a password.
//!
//! One keyboard writes `é` as one code point, another as `e` and an accent: to the person it is one password. So the
//! composed form (NFC, Unicode Standard Annex 15) is what is hashed, and what is compared where the text as typed is
//! not the right one: hashes of what was typed, older ones and those of other programs, stay right. Nothing else is
//! folded. Text that is composed already, as all ASCII is, has no second spelling and costs no second hash. Whether
//! there is one depends on what was typed alone, never on the account, so the time of an answer tells nothing about it.

use contract::Password;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The composed form, unless it is the very same text.
pub(crate) fn other_spelling(password: &Password) -> Option<Password> {
    let typed = password.expose();
    if typed.is_ascii() || is_nfc_quick(typed.chars()) == IsNormalized::Yes {
        return None;
    }
    let composed: String = typed.nfc().collect();
    (composed != typed).then(|| Password::new(composed))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn other(typed: &str) -> Option<String> {
        other_spelling(&Password::new(typed)).map(|other| other.expose().to_owned())
    }

    #[test]
    fn an_accent_of_its_own_is_the_letter_with_it() {
        assert_eq!(other("cafe\u{301} au lait").as_deref(), Some("caf\u{e9} au lait"));
        assert_eq!(other("\u{1112}\u{1161}\u{11ab}").as_deref(), Some("\u{d55c}"), "a Korean syllable of a Mac");
        assert_eq!(other("\u{212b}").as_deref(), Some("\u{c5}"), "the unit is the letter");
    }

    #[test]
    fn what_is_composed_has_no_second_spelling_and_nothing_else_is_folded() {
        for typed in
            ["", "three unrelated words", "caf\u{e9}", "\u{d55c}", "ﬁrst", "Ⅷ", "ＡＢＣ", "ß", "x\u{301}", "🐎"]
        {
            assert_eq!(other(typed), None, "{typed:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn there_are_two_spellings_at_most(typed in prop_oneof![any::<String>(), "[aeo\u{301}\u{308}\u{e9}]{0,8}"]) {
            if let Some(second) = other(&typed) {
                prop_assert_ne!(&second, &typed);
                prop_assert_eq!(other(&second), None);
                prop_assert!(second.nfd().eq(typed.nfd()), "the same text");
            }
        }
    }
}
