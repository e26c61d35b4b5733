//! Whatever is typed, parsers answer; and what they take, they take again as it is.

use contract::confirmation::parse_code;
use contract::{EmailAddress, invisible, paths, person, phone};
use proptest::prelude::*;

/// Any text, and texts made of what parsers look at.
fn typed() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "+",
        "00",
        "(0)",
        "tel:",
        "44",
        "7946",
        "@",
        ".",
        "example.com",
        "ada",
        "/",
        "\\",
        "//",
        "%2f",
        "\t",
        "\r\n",
        " ",
        "\u{a0}",
        "\u{200b}",
        "\u{200d}",
        "\u{202e}",
        "\u{feff}",
        "\u{3164}",
        "\u{e0100}",
        "\u{301}",
        "０",
        "４",
        "＠",
        "٤",
        "é",
        "王",
        "-",
        "\u{2011}",
        "\0",
        "",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(odd, 0..12).prop_map(|parts| parts.concat())]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn an_address_that_was_taken_is_lower_case_visible_and_taken_again(typed in typed()) {
        if let Ok(email) = EmailAddress::parse(&typed) {
            let text = email.as_str();
            prop_assert_eq!(EmailAddress::parse(text).map(String::from), Ok(text.to_owned()));
            prop_assert!(text.matches('@').count() == 1 && !text.contains(char::is_whitespace), "{text:?}");
            prop_assert!(!text.contains(char::is_control) && text.to_lowercase() == text, "{text:?}");
            prop_assert_eq!(format!("{}@{}", email.local_part(), email.domain()), text);
        }
    }

    #[test]
    fn an_address_is_the_same_whatever_nobody_sees_around_it(
        local in "[a-z]{1,8}", before in "[ \u{200b}\u{feff}\u{202a}]{0,3}", after in "[ \n\u{200e}\u{202c}]{0,3}",
    ) {
        let address = format!("{local}@example.com");
        prop_assert_eq!(EmailAddress::parse(&format!("{before}{address}{after}")).map(String::from), Ok(address));
    }

    #[test]
    fn a_number_that_was_taken_is_a_plus_and_digits_and_taken_again(typed in typed()) {
        if let Ok(number) = phone::parse(&typed) {
            let digits = number.strip_prefix('+').unwrap_or_default();
            prop_assert!((8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()), "{number}");
            prop_assert_eq!(phone::parse(&number), Ok(number.clone()));
        }
    }

    #[test]
    fn a_number_is_the_same_however_it_is_spaced(
        digits in "[1-9][0-9]{7,14}", gap in "[ \u{a0}\u{202f}\u{2009}\u{2011}./-]{1,2}", at in 1_usize..7,
    ) {
        let (code, rest) = digits.split_at(at);
        prop_assert_eq!(phone::parse(&format!("tel:+{code}{gap}{rest}")), Ok(format!("+{digits}")));
    }

    #[test]
    fn a_name_that_was_taken_has_a_letter_and_is_taken_again(typed in typed()) {
        if let Ok(name) = person::parse_name(&typed) {
            prop_assert!(name.contains(char::is_alphabetic) && !name.contains(char::is_control), "{name:?}");
            prop_assert!(name.chars().count() <= person::MAX_NAME_CHARS);
            prop_assert_eq!(person::parse_name(&name), Ok(name.clone()));
        }
    }

    #[test]
    fn a_code_that_was_taken_is_six_digits(typed in prop_oneof![typed(), "[0-9０-９ -]{0,9}"]) {
        if let Ok(code) = parse_code(&typed) {
            prop_assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code:?}");
            prop_assert_eq!(parse_code(&code), Ok(code.clone()));
        }
    }

    #[test]
    fn where_one_is_sent_is_a_path_of_this_site(next in prop_oneof![typed(), "[/\\\\a:\t.?#@%]{0,8}"]) {
        if let Some(path) = paths::local(&next) {
            prop_assert_eq!(path, &next);
            prop_assert!(path.starts_with('/') && !path[1..].starts_with(['/', '\\']), "{path:?}");
            prop_assert!(path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'), "{path:?}");
        }
    }

    #[test]
    fn trimming_takes_away_ends_only_and_once(typed in typed()) {
        let kept = invisible::trim(&typed);
        prop_assert!(typed.contains(kept));
        prop_assert_eq!(invisible::trim(kept), kept);
    }
}
