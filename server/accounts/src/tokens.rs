//! Every kind of token, and what each defeats. Randomness enters the domain here, and nowhere else.
//!
//! * **Refresh token**: opaque, 256 bits, stored as SHA-256: a stolen database holds no session. Its successor is
//!   *computed* from it, so that a renewal asked twice (two tabs, a lost answer) yields the same successor again and
//!   never a fork.
//! * **Letter token**: a JWT, so that garbage and old ones are told apart without the database. Its `jti` and the six
//!   digits are computed from the row's id and our key, and the row holds their hashes: neither a stolen database
//!   nor a stolen outbox holds a link that works.

use aws_lc_rs::{constant_time, digest, hmac, rand};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::keys::Keys;
use crate::{Error, Result};

/// How often a code may be tried before a new one is needed: five of a million.
pub(crate) const CODE_TRIES: i32 = 5;

/// SHA-256.
pub(crate) type Hash = Vec<u8>;

pub(crate) fn hash(secret: &[u8]) -> Hash {
    digest::digest(&digest::SHA256, secret).as_ref().to_vec()
}

/// From the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::internal("no randomness"))?;
    Ok(bytes)
}

/// An id that sorts by time (UUID v7, RFC 9562 5.7). Not a secret.
pub(crate) fn new_id(now: DateTime<Utc>) -> Result<Uuid> {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random()?).into_uuid())
}

/// Renews a session, once.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken([u8; 32]);

impl RefreshToken {
    pub(crate) fn generate() -> Result<Self> {
        random().map(Self)
    }

    /// Reads what a client sent.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// For the client alone.
    pub fn expose(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(crate) fn hash(&self) -> Hash {
        hash(&self.0)
    }

    /// The token that takes its place: the same, however often it is asked.
    pub(crate) fn successor(&self, keys: &Keys) -> Self {
        let mut next = [0; 32];
        next.copy_from_slice(hmac::sign(&keys.succession, &self.0).as_ref());
        Self(next)
    }
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshToken(***)")
    }
}

/// What a letter's token may do. A token of one purpose is nothing to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    ConfirmEmail,
    ResetPassword,
}

impl Purpose {
    /// In the database, and as `aud` of the token.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ConfirmEmail => "confirm_email",
            Self::ResetPassword => "reset_password",
        }
    }

    /// `typ` of the token's header (RFC 8725 3.11).
    pub(crate) const fn typ(self) -> &'static str {
        match self {
            Self::ConfirmEmail => "ev+jwt",
            Self::ResetPassword => "pr+jwt",
        }
    }
}

/// The two secrets of a letter. Computed, never stored.
pub(crate) struct Proof {
    /// 256 bits; `jti` of the link's token.
    pub(crate) jti: String,
    /// Six digits.
    pub(crate) code: String,
}

impl Proof {
    pub(crate) fn of(token_id: Uuid, keys: &Keys) -> Self {
        let jti = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&keys.proof, &labelled("jti", token_id)));
        let tag = hmac::sign(&keys.proof, &labelled("code", token_id));
        // 64 bits for six digits: the bias is one part in 10^13.
        Self { jti, code: format!("{:06}", leading(tag.as_ref(), 8) % 1_000_000) }
    }
}

/// The first octets of a hash or MAC as a number; sixteen at most.
pub(crate) fn leading(octets: &[u8], count: usize) -> u128 {
    octets.iter().take(count.min(16)).fold(0, |number, octet| number << 8 | u128::from(*octet))
}

/// The stored hash of a code: keyed, because six digits are quickly tried, and bound to its row.
pub(crate) fn code_hash(token_id: Uuid, code: &str, keys: &Keys) -> Hash {
    let mut message = labelled("code hash", token_id);
    message.extend_from_slice(code.as_bytes());
    hmac::sign(&keys.proof, &message).as_ref().to_vec()
}

/// Compares in constant time.
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

fn labelled(label: &str, id: Uuid) -> Vec<u8> {
    [label.as_bytes(), b"\0", id.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn what_is_read_as_a_refresh_token_is_written_as_it_was(
            text in prop_oneof![any::<String>(), "[A-Za-z0-9_-]{43}", "[A-Za-z0-9+/=_ -]{40,46}"],
        ) {
            if let Some(token) = RefreshToken::parse(&text) {
                prop_assert_eq!(token.expose(), text);
            }
        }
    }

    fn keys(byte: u8) -> Keys {
        Keys::derive(&vec![byte; 32].into()).expect("keys")
    }

    #[test]
    fn a_successor_is_always_the_same_and_nobody_elses() {
        let (token, other) = (RefreshToken([1; 32]), RefreshToken([2; 32]));
        assert_eq!(token.successor(&keys(7)), token.successor(&keys(7)));
        assert_ne!(token.successor(&keys(7)), token.successor(&keys(8)));
        assert_ne!(token.successor(&keys(7)), other.successor(&keys(7)));
        assert_ne!(token.successor(&keys(7)), token);
    }

    #[test]
    fn a_refresh_token_is_read_in_one_spelling_only() {
        let token = RefreshToken::generate().expect("randomness");
        let text = token.expose();
        assert_eq!(RefreshToken::parse(&text), Some(token));
        for other in [format!("{text}="), format!(" {text}"), text[1..].to_owned(), String::new()] {
            assert_eq!(RefreshToken::parse(&other), None);
        }
        // The last of 43 characters carries four bits; the other two must be zero.
        let last = if text.ends_with('B') { 'C' } else { 'B' };
        assert_eq!(RefreshToken::parse(&format!("{}{last}", &text[..42])), None);
    }

    #[test]
    fn proofs_differ_by_letter_and_by_secret() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let proof = Proof::of(one, &keys(7));
        assert_eq!(proof.code.len(), 6);
        assert_ne!(proof.jti, Proof::of(two, &keys(7)).jti);
        assert_ne!(proof.jti, Proof::of(one, &keys(8)).jti);
        assert_ne!(code_hash(one, "123456", &keys(7)), code_hash(two, "123456", &keys(7)));
    }

    #[test]
    fn ids_sort_by_time() {
        let at = |seconds| new_id(DateTime::from_timestamp(seconds, 0).expect("a time")).expect("an id");
        assert!(at(1_000) < at(1_001));
        assert_eq!(at(1_000).get_version_num(), 7);
    }
}
