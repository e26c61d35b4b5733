//! Hashes that another program made: those of Django, whose people keep their passwords when they come here.
//!
//! They are verified, never made: the first sign-in puts one of ours in their place. Whoever can write a text into
//! an import, or into the column, must not decide how long a thread works or how much memory it takes; so each kind
//! has a cap, and a text beyond it, or of no good form, is the hash of no password. Work is for the threads of
//! [`crate::password_hash`] alone.

use std::num::NonZeroU32;

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params};
use aws_lc_rs::{digest, pbkdf2};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// In the column, of an account without a password: no hash of any kind, so nothing verifies against it.
pub(crate) const UNUSABLE: &str = "!";

/// Django's own column has 128.
const MAX_OCTETS: usize = 512;

/// Twice what Django asks of new passwords (1,000,000 in 5.2): half a second or so of one thread.
const MAX_PBKDF2_ITERATIONS: u32 = 2_000_000;

/// 4 is the least of the algorithm. Each step doubles the work: 15 is eight times Django's 12, a few seconds.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=15;

/// 256 MiB. Django asks for 100; each hashing thread may hold as much at once.
const MAX_ARGON2_MEMORY_KIB: u32 = 256 * 1024;

/// Eight times Django's 2. With the memory above it, a few seconds.
const MAX_ARGON2_PASSES: u32 = 16;

/// Twice Django's 8. Lanes are worked off one after the other here, so more of them help nobody.
const MAX_ARGON2_LANES: u32 = 16;

/// The text after `$2b$12$`: 16 octets of salt and 23 of hash, in bcrypt's own base 64.
const BCRYPT_TAIL: usize = 22 + 31;

/// A hash of Django's, of good form and bearable cost.
#[derive(Debug)]
pub(crate) enum ForeignHash {
    /// PBKDF2 with HMAC-SHA-256 (RFC 8018).
    Pbkdf2Sha256 { iterations: NonZeroU32, salt: String, hash: Vec<u8> },
    /// Argon2id or Argon2i (RFC 9106).
    Argon2(Box<PasswordHash>),
    /// bcrypt of the SHA-256 in hexadecimal, which is never longer than the 72 octets that bcrypt reads.
    BcryptSha256(String),
}

/// Why a text is not the hash of any password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    UnknownKind,
    Malformed,
    TooCostly,
}

impl ForeignHash {
    /// Reads what Django stored.
    pub(crate) fn parse(stored: &str) -> Result<Self, Unreadable> {
        let (kind, rest) = stored.split_once('$').ok_or(Unreadable::UnknownKind)?;
        // None of them has others, and PostgreSQL does not store a NUL.
        let is_plain = stored.len() <= MAX_OCTETS && stored.bytes().all(|byte| byte.is_ascii_graphic());
        match kind {
            "pbkdf2_sha256" | "argon2" | "bcrypt_sha256" if !is_plain => Err(Unreadable::Malformed),
            "pbkdf2_sha256" => parse_pbkdf2(rest),
            "argon2" => parse_argon2(&format!("${rest}")).map(Box::new).map(Self::Argon2),
            "bcrypt_sha256" => parse_bcrypt(rest),
            _ => Err(Unreadable::UnknownKind),
        }
    }

    /// Whether it is the hash of this password, octet by octet; compared in constant time.
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        match self {
            Self::Pbkdf2Sha256 { iterations, salt, hash } => {
                pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, *iterations, salt.as_bytes(), password, hash).is_ok()
            }
            // Kind and cost are those of the hash, whatever the verifier would make itself.
            Self::Argon2(hash) => Argon2::default().verify_password(password, hash.as_ref()).is_ok(),
            Self::BcryptSha256(hash) => bcrypt::verify(sha256_in_hexadecimal(password), hash).unwrap_or(false),
        }
    }
}

/// `<iterations>$<salt>$<hash>`.
fn parse_pbkdf2(rest: &str) -> Result<ForeignHash, Unreadable> {
    let mut parts = rest.splitn(3, '$');
    let (Some(iterations), Some(salt), Some(hash)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Unreadable::Malformed);
    };
    let iterations = number(iterations)?;
    let hash = BASE64_STANDARD.decode(hash).map_err(|_| Unreadable::Malformed)?;
    if salt.is_empty() || hash.len() != digest::SHA256_OUTPUT_LEN {
        return Err(Unreadable::Malformed);
    }
    if iterations > MAX_PBKDF2_ITERATIONS {
        return Err(Unreadable::TooCostly);
    }
    let iterations = NonZeroU32::new(iterations).ok_or(Unreadable::Malformed)?;
    Ok(ForeignHash::Pbkdf2Sha256 { iterations, salt: salt.to_owned(), hash })
}

/// A PHC string of Argon2id or Argon2i, version 19, within the caps.
pub(crate) fn parse_argon2(phc: &str) -> Result<PasswordHash, Unreadable> {
    let hash = PasswordHash::new(phc).map_err(|_| Unreadable::Malformed)?;
    let is_whole = matches!(hash.algorithm.as_str(), "argon2id" | "argon2i")
        && hash.version == Some(argon2::Version::V0x13.into())
        && hash.salt.is_some()
        && hash.hash.is_some()
        && ["m", "t", "p"].iter().all(|name| hash.params.get(*name).is_some());
    let params = Params::try_from(&hash).map_err(|_| Unreadable::Malformed)?;
    if !is_whole {
        return Err(Unreadable::Malformed);
    }
    let is_bearable = params.m_cost() <= MAX_ARGON2_MEMORY_KIB
        && params.t_cost() <= MAX_ARGON2_PASSES
        && params.p_cost() <= MAX_ARGON2_LANES;
    if is_bearable { Ok(hash) } else { Err(Unreadable::TooCostly) }
}

/// `$2b$<cost>$<salt and hash>`; the older names of the same algorithm are `2a` and `2y`.
fn parse_bcrypt(rest: &str) -> Result<ForeignHash, Unreadable> {
    let version = ["$2b$", "$2a$", "$2y$"].into_iter().find_map(|version| rest.strip_prefix(version));
    let (cost, tail) = version.and_then(|rest| rest.split_once('$')).ok_or(Unreadable::Malformed)?;
    let is_of_base_64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
    if cost.len() != 2 || tail.len() != BCRYPT_TAIL || !tail.bytes().all(is_of_base_64) {
        return Err(Unreadable::Malformed);
    }
    let cost = number(cost)?;
    if cost < *BCRYPT_COSTS.start() || rest.parse::<bcrypt::HashParts>().is_err() {
        return Err(Unreadable::Malformed);
    }
    if BCRYPT_COSTS.contains(&cost) {
        Ok(ForeignHash::BcryptSha256(rest.to_owned()))
    } else {
        Err(Unreadable::TooCostly)
    }
}

/// Digits only: `parse` would take a sign, too. What has too many is too much.
fn number(text: &str) -> Result<u32, Unreadable> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unreadable::Malformed);
    }
    text.parse().map_err(|_| Unreadable::TooCostly)
}

fn sha256_in_hexadecimal(password: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in digest::digest(&digest::SHA256, password).as_ref() {
        write!(text, "{byte:02x}").ok();
    }
    text
}

#[cfg(test)]
#[path = "foreign_hash/tests.rs"]
mod tests;
