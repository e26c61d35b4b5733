//! Whether a secret was generated or typed. Judged by its length and by what letters show for certain: a generated one must
//! never be refused, so nothing here is a matter of a likely number of digits or of neighbours.

use super::parse::Parsed;

const LEAST_OCTETS: usize = 32;
/// Of 16 different ones in hexadecimal digits; 32 random ones hold fewer than this once in 30 million times.
const LEAST_KINDS: usize = 8;
/// Different groups of three. 32 random hexadecimal digits hold 30, and hardly two alike.
const LEAST_TRIPLES: usize = 20;
/// Small letters in a row, where large ones occur as well. In base64, twenty follow each other once in millions of secrets.
const LONGEST_WORD: usize = 20;
/// The same where no large ones occur.
const LONGEST_OF_SMALL: usize = 32;
/// Long enough for none to be found in random text by chance.
const WORDS: [&str; 14] = [
    "changeme",
    "change-me",
    "secret",
    "password",
    "passwort",
    "example",
    "vestibule",
    "default",
    "replace",
    "letmein",
    "qwerty",
    "asdfgh",
    "zxcvbn",
    "placeholder",
];

/// The octets of a secret. Refuses what was typed instead of generated.
pub(super) fn secret(text: &str) -> Parsed<Vec<u8>> {
    let text = text.trim();
    if text.len() < LEAST_OCTETS {
        return Err("must have 32 bytes or more, for instance from `openssl rand -base64 48`".to_owned());
    }
    if is_typed(text) {
        return Err("must be random, for instance from `openssl rand -base64 48`".to_owned());
    }
    Ok(text.as_bytes().to_vec())
}

fn is_typed(text: &str) -> bool {
    is_of_few_letters(text.as_bytes()) || is_sequence(text.as_bytes()) || has_words(text)
}

/// One letter again and again, or one word again and again.
fn is_of_few_letters(octets: &[u8]) -> bool {
    let different = |size: usize| {
        let mut groups: Vec<&[u8]> = octets.windows(size).collect();
        groups.sort_unstable();
        groups.dedup();
        groups.len()
    };
    different(1) < LEAST_KINDS || different(3) < LEAST_TRIPLES
}

/// `0123…`, `aabbcc…`, `acegik…`: most steps are small, or most are the same. Of random digits, one step in six is small.
fn is_sequence(octets: &[u8]) -> bool {
    let steps: Vec<i16> = octets.windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
    let small = steps.iter().filter(|step| step.abs() <= 1).count();
    let alike = steps.windows(2).filter(|pair| pair[0] == pair[1]).count();
    small * 3 > steps.len() * 2 || alike * 2 > steps.len()
}

fn has_words(text: &str) -> bool {
    let lower = text.to_lowercase();
    // Generators give digits and letters; base64 gives both cases as well.
    let is_plain = !text.bytes().any(|octet| octet.is_ascii_digit());
    let is_one_case = text == lower || text == text.to_uppercase();
    let most = if text == lower { LONGEST_OF_SMALL } else { LONGEST_WORD };
    let longest = text.split(|letter: char| !letter.is_lowercase()).map(str::len).max().unwrap_or_default();
    WORDS.iter().any(|word| has_word(text, &lower, word))
        || (is_plain && is_one_case)
        || longest >= most
        || is_passphrase(text)
}

/// Six letters in mixed case may come by chance; in one case, or eight of them, hardly.
fn has_word(text: &str, lower: &str, word: &str) -> bool {
    let (first, rest) = word.split_at(1);
    let is_written =
        || [word, &word.to_uppercase(), &(first.to_uppercase() + rest)].iter().any(|form| text.contains(*form));
    lower.contains(word) && (word.len() >= 8 || is_written())
}

/// Three or more words with something between them, which are most of the text.
fn is_passphrase(text: &str) -> bool {
    let is_word = |part: &&str| {
        part.len() >= 3 && part.chars().skip(1).all(char::is_lowercase) && part.chars().all(char::is_alphabetic)
    };
    let words: Vec<&str> = text.split(|letter: char| !letter.is_alphanumeric()).filter(is_word).collect();
    words.len() >= 3 && words.iter().map(|word| word.len()).sum::<usize>() * 2 > text.len()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::SHA256;
    use base64::Engine as _;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::secret;

    /// As good as random, and the same in every run.
    struct Chance(u64);

    impl Chance {
        fn octets(&mut self, number: usize) -> Vec<u8> {
            let mut octets = Vec::new();
            while octets.len() < number {
                self.0 += 1;
                octets.extend_from_slice(aws_lc_rs::digest::digest(&SHA256, &self.0.to_be_bytes()).as_ref());
            }
            octets.truncate(number);
            octets
        }

        fn hex(&mut self, number: usize) -> String {
            let digits = b"0123456789abcdef";
            let pair = |octet: &u8| [octet >> 4, octet & 15].map(|digit| char::from(digits[usize::from(digit)]));
            self.octets(number).iter().flat_map(pair).collect()
        }

        fn letters(&mut self, number: usize) -> String {
            let letters = b"abcdefghijklmnopqrstuvwxyz0123456789";
            self.octets(number).iter().map(|octet| char::from(letters[usize::from(octet % 36)])).collect()
        }
    }

    #[test]
    fn no_generated_secret_is_refused() {
        let mut chance = Chance(0);
        for _ in 0..20_000 {
            let base64 = [24, 32, 48, 64].map(|number| BASE64_STANDARD.encode(chance.octets(number)));
            let others = [
                chance.hex(16),
                chance.hex(16).to_uppercase(),
                chance.hex(32),
                BASE64_URL_SAFE_NO_PAD.encode(chance.octets(32)),
            ];
            for text in base64.iter().chain(&others) {
                assert!(secret(text).is_ok(), "{text}");
            }
            // Small letters without a digit, one secret in 30 thousand, cannot be told from a word.
            let letters = chance.letters(32);
            assert!(secret(&letters).is_ok() || letters.bytes().all(|octet| octet.is_ascii_lowercase()), "{letters}");
        }
        assert!(secret(&chance.hex(8192)).is_ok());
        let uuids = "0b2f6b1c-92f0-4d5e-8a37-5d1f4be2c9a1-77e0c3f4";
        assert!(secret(uuids).is_ok());
    }

    #[test]
    fn what_was_typed_is_refused() {
        for text in [
            "",
            "short",
            "kW7xQ2mZ9rT4vB8nL1cF6hJ3pD5sG0y",
            &"a".repeat(40),
            &"ab".repeat(40),
            &"a1B2c3D4e5F6".repeat(5),
            "changeme-changeme-changeme-changeme-1234",
            "12345678901234567890123456789012",
            "abcdefghijklmnopqrstuvwxyz012345",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
            "00112233445566778899aabbccddeeff",
            "0123456789abcdef0123456789abcdef",
            "zyxwvutsrqponmlkjihgfedcba987654",
            "acegikmoqsuwy02468acegikmoqsuwy13579",
            "thequickbrownfoxjumpsoverthelazydog",
            "Thequickbrownfoxjumpsoverthelazydog1",
            "thequickbrownfoxjumpsoverthelazydog1",
            "the quick brown fox jumps over the lazy dog",
            "correct-horse-battery-staple-2024-x",
            "Correct_Horse_Battery_Staple_2024_99",
            "MyVerySecretPasswordForTheSite2024",
            "ChangeMe0123ChangeMe9876ChangeMe5432",
            "qwertyuiop1234567890ASDFGHJKLzxcvbnm",
        ] {
            assert!(secret(text).is_err(), "{text}");
        }
    }
}
