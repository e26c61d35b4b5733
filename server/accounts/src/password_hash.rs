//! Passwords at rest: Argon2id (RFC 9106). Work for the threads of [`crate::hasher`] alone.
//!
//! A sign-in without an account, or against a text that is no hash, is worked out against a hash of nobody's, so that
//! it takes as long as any. All passwords of one address have one salt (`keys.rs`), so that one hash answers for all
//! who claim the address. Hashes of other programs are read by [`crate::foreign_hash`], and replaced at sign-in.

use std::sync::Arc;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use contract::{Fault, Password};

use crate::foreign_hash::ForeignHash;
use crate::spelling::other_spelling;
use crate::{Error, Hashing, Result, tokens};

/// RFC 9106 3.1 recommends 16 octets.
pub(crate) type PasswordSalt = [u8; 16];

/// The most that settings may ask for. What asks for more was not made here, and memory that is not there would end
/// the program.
const MAX_MEMORY_KIB: u32 = 4 * 1024 * 1024;
const MAX_PASSES: u32 = 100;
const MAX_LANES: u32 = 64;

/// What a thread keeps from one hash to the next.
#[derive(Default)]
pub(crate) struct Memory {
    /// What Argon2 fills: asked for anew each time, an allocator holds many times as much.
    blocks: Vec<Block>,
    /// Hashes worked out, until somebody takes the number.
    pub(crate) worked_out: u64,
}

/// Makes hashes at the present cost, and verifies those of any.
#[derive(Clone)]
pub(crate) struct PasswordHashing {
    argon2: Argon2<'static>,
    /// Of no password that anybody knows, at the present cost.
    nobodys: Arc<PasswordHash>,
}

impl PasswordHashing {
    pub(crate) fn new(cost: Hashing) -> Result<Self> {
        let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None)
            .map_err(|error| Error::internal(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobodys = hash(&argon2, &tokens::random::<32>()?, &tokens::random()?, &mut Memory::default())?;
        Ok(Self { argon2, nobodys: Arc::new(nobodys) })
    }

    /// A PHC string to store.
    pub(crate) fn hash(&self, password: &Password, salt: &PasswordSalt, memory: &mut Memory) -> Result<String> {
        let composed = other_spelling(password);
        let password = composed.as_ref().unwrap_or(password);
        Ok(hash(&self.argon2, password.expose().as_bytes(), salt, memory)?.to_string())
    }

    /// The place of the first hash that is of this password, in either spelling. Those with the same salt cost one hash
    /// together; where there is none that could be verified, the answer is no, after one all the same.
    pub(crate) fn matching(&self, password: &Password, stored: &[String], memory: &mut Memory) -> Option<usize> {
        let found = self.matching_as_typed(password, stored, memory);
        let other = other_spelling(password).filter(|_| found.is_none());
        found.or_else(|| self.matching_as_typed(&other?, stored, memory))
    }

    fn matching_as_typed(&self, password: &Password, stored: &[String], memory: &mut Memory) -> Option<usize> {
        let stored: Vec<_> = stored.iter().map(|stored| Stored::read(stored)).collect();
        let mut worked_out = WorkedOut { password: password.expose().as_bytes(), made: Vec::new(), memory };
        let found = stored.iter().position(|stored| match stored {
            Some(Stored::Ours(hash)) => worked_out.is_of(hash),
            Some(Stored::Foreign(hash)) => {
                worked_out.memory.worked_out += 1;
                hash.verify(worked_out.password)
            }
            None => false,
        });
        if stored.iter().all(Option::is_none) {
            worked_out.is_of(&self.nobodys);
        }
        // One that was costlier than those made now is the exception.
        memory.blocks.truncate(self.argon2.params().block_count());
        memory.blocks.shrink_to_fit();
        found
    }

    /// Whether a stored hash is cheaper than those made now, or has another salt, or is not of ours.
    pub(crate) fn is_outdated(&self, stored: &str, salt: &PasswordSalt) -> bool {
        let present = self.argon2.params();
        PasswordHash::new(stored).map_or(true, |hash| {
            let is_cheaper = Params::try_from(&hash)
                .map_or(true, |made| made.m_cost() < present.m_cost() || made.t_cost() < present.t_cost());
            is_cheaper || hash.salt.is_none_or(|made| made.as_ref() != salt.as_slice())
        })
    }
}

fn hash(argon2: &Argon2<'_>, password: &[u8], salt: &PasswordSalt, memory: &mut Memory) -> Result<PasswordHash> {
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let mut made = || {
        fill(argon2, password, salt, &mut output, memory)?;
        let params = ParamsString::try_from(argon2.params()).ok()?;
        let (salt, hash) = (Salt::new(salt).ok()?, Output::new(&output).ok()?);
        let (algorithm, version) = (Algorithm::Argon2id.ident(), Some(Version::V0x13.into()));
        Some(PasswordHash { algorithm, version, params, salt: Some(salt), hash: Some(hash) })
    };
    made().ok_or_else(|| Error::internal("a password could not be hashed"))
}

/// One password, worked out once for each salt and cost.
struct WorkedOut<'a> {
    password: &'a [u8],
    /// A hash, and what this password gives with its salt and cost.
    made: Vec<(&'a PasswordHash, Option<Vec<u8>>)>,
    memory: &'a mut Memory,
}

impl<'a> WorkedOut<'a> {
    /// Whether it is the password of this hash, by the algorithm and cost of the hash itself; compared in constant time.
    fn is_of(&mut self, hash: &'a PasswordHash) -> bool {
        let is_alike = |other: &PasswordHash| {
            let cost = |hash: &PasswordHash| (hash.algorithm, hash.version, hash.params.clone(), hash.salt);
            cost(other) == cost(hash) && other.hash.map(|out| out.len()) == hash.hash.map(|out| out.len())
        };
        let known = self.made.iter().find(|(other, _)| is_alike(other)).map(|(_, output)| output.clone());
        let output = known.unwrap_or_else(|| {
            let output = output(hash, self.password, self.memory);
            self.made.push((hash, output.clone()));
            output
        });
        output.zip(hash.hash).is_some_and(|(output, expected)| tokens::equal(&output, expected.as_bytes()))
    }
}

/// What a password gives with the salt and cost of a hash.
fn output(hash: &PasswordHash, password: &[u8], memory: &mut Memory) -> Option<Vec<u8>> {
    let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash.version.map_or(Some(Version::V0x13), |version| Version::try_from(version).ok())?;
    let argon2 = Argon2::new(algorithm, version, Params::try_from(hash).ok()?);
    let mut output = vec![0; expected.as_bytes().len()];
    fill(&argon2, password, salt.as_ref(), &mut output, memory)?;
    Some(output)
}

fn fill(argon2: &Argon2<'_>, password: &[u8], salt: &[u8], output: &mut [u8], memory: &mut Memory) -> Option<()> {
    let blocks = argon2.params().block_count();
    if memory.blocks.len() < blocks {
        memory.blocks.resize(blocks, Block::default());
    }
    memory.worked_out += 1;
    argon2.hash_password_into_with_memory(password, salt, output, memory.blocks.as_mut_slice()).ok()
}

/// A hash in the column.
enum Stored {
    Ours(Box<PasswordHash>),
    Foreign(ForeignHash),
}

impl Stored {
    /// Nothing when no password can be verified against it.
    fn read(text: &str) -> Option<Self> {
        if let Ok(hash) = ForeignHash::parse(text) {
            return Some(Self::Foreign(hash));
        }
        let hash = PasswordHash::new(text).ok()?;
        let cost = Params::try_from(&hash).ok()?;
        let is_whole = hash.algorithm.as_str().starts_with("argon2") && hash.salt.is_some() && hash.hash.is_some();
        let is_bearable = cost.m_cost() <= MAX_MEMORY_KIB && cost.t_cost() <= MAX_PASSES && cost.p_cost() <= MAX_LANES;
        (is_whole && is_bearable).then(|| Self::Ours(Box::new(hash)))
    }
}

/// Refuses passwords that many people use or that are quickly guessed (NIST SP 800-63B-4 section 3.1.1.2).
/// `about` are words an attacker would try first: the person's names and address, the site's name.
pub(crate) fn check_uncommon(password: &Password, about: &[&str]) -> Result<(), Fault> {
    let strength = zxcvbn::zxcvbn(password.expose(), about);
    if strength.score() < zxcvbn::Score::Three { Err(Fault::TooCommon) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashing(memory_kib: u32) -> PasswordHashing {
        PasswordHashing::new(Hashing { memory_kib, iterations: 1, parallelism: 1, slots: 1 }).expect("a hashing")
    }

    fn made(hashing: &PasswordHashing, password: &str, salt: u8) -> String {
        hashing.hash(&Password::new(password), &[salt; 16], &mut Memory::default()).expect("a hash")
    }

    fn is_right(hashing: &PasswordHashing, password: &str, stored: &str) -> bool {
        hashing.matching(&Password::new(password), &[stored.to_owned()], &mut Memory::default()).is_some()
    }

    #[test]
    fn a_password_is_verified_as_it_was_typed_and_no_letter_of_it_is_folded() {
        let hashing = hashing(64);
        let long = "a".repeat(1000);
        for (typed, other) in [
            ("correct horse", "correct horse "),
            ("correct horse", "Correct horse"),
            (&*format!("{long}b"), &*format!("{long}c")),
            ("é", "e"),
            ("é", "É"),
            ("ﬁrst", "first"),
        ] {
            let stored = made(&hashing, typed, 7);
            assert!(is_right(&hashing, typed, &stored));
            assert!(!is_right(&hashing, other, &stored));
        }
        assert_eq!(hashing.matching(&Password::new("anything"), &[], &mut Memory::default()), None);
    }

    #[test]
    fn an_accent_of_its_own_is_the_letter_with_it_and_hashes_of_either_stay_right() {
        let hashing = hashing(64);
        let (composed, apart) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
        let verify = |typed: &str, stored: &str| is_right(&hashing, typed, stored);
        for chosen in [composed, apart] {
            let stored = made(&hashing, chosen, 7);
            assert!(verify(composed, &stored) && verify(apart, &stored), "{chosen:?}");
            assert!(!verify("cafe au lait", &stored));
        }
        // As it was typed once, by an older release or another program.
        let old =
            hash(&hashing.argon2, apart.as_bytes(), &[7; 16], &mut Memory::default()).expect("a hash").to_string();
        assert!(verify(apart, &old) && !verify("cafe\u{301} au lai", &old));
    }

    #[test]
    fn memory_that_was_used_before_changes_no_hash() {
        let (cheap, dear) = (hashing(64), hashing(256));
        let stored = [made(&cheap, "p", 7), made(&dear, "p", 7)];
        let mut memory = Memory::default();
        for hashing in [&cheap, &dear] {
            for _ in 0..3 {
                for (at, stored) in stored.iter().enumerate() {
                    let stored = std::slice::from_ref(stored);
                    assert_eq!(hashing.matching(&Password::new("p"), stored, &mut memory), Some(0), "{at}");
                    assert_eq!(hashing.matching(&Password::new("q"), stored, &mut memory), None, "{at}");
                }
            }
        }
        // Of another implementation: the reference one, by Python's argon2-cffi.
        let other = "$argon2id$v=19$m=128,t=1,p=1$Un3dNX2332Dd3IuuNP6zkQ$H2mNhunH3uKFM5Lu9Jdo76RTassRPgGVPAOXmwt+XHE";
        assert!(is_right(&dear, "three unrelated words", other));
        assert!(!is_right(&dear, "three unrelated word", other));
    }

    #[test]
    fn the_defaults_are_the_minimum_of_owasp() {
        let stored = made(&PasswordHashing::new(Hashing::default()).expect("a hashing"), "p", 7);
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    }

    #[test]
    fn passwords_with_one_salt_are_found_by_one_hash() {
        let hashing = hashing(64);
        let mut stored = Vec::new();
        for typed in ["one", "two", "three"] {
            stored.push(made(&hashing, typed, 7));
        }
        stored.push(made(&hashing, "four", 8));
        for (at, typed) in ["one", "two", "three", "four"].into_iter().enumerate() {
            let found = hashing.matching(&Password::new(typed), &stored, &mut Memory::default());
            assert_eq!(found, Some(at), "{typed}");
        }
        let mut memory = Memory::default();
        assert_eq!(hashing.matching(&Password::new("five"), &stored, &mut memory), None);
        assert_eq!(memory.worked_out, 2, "one for each salt");
    }

    #[test]
    fn cheaper_hashes_are_outdated() {
        let cheap = made(&hashing(64), "p", 7);
        assert!(hashing(128).is_outdated(&cheap, &[7; 16]));
        assert!(!hashing(64).is_outdated(&cheap, &[7; 16]));
        assert!(hashing(64).is_outdated(&cheap, &[8; 16]));
        assert!(hashing(64).is_outdated("not a hash", &[7; 16]));
    }

    #[test]
    fn hashes_of_other_programs_are_verified_and_outdated() {
        let hashing = hashing(64);
        let stored = "pbkdf2_sha256$1000$nQ6xaBmOohbs2HUJ2wZ6VL$8rENiV3iDeNnR8LPh7KMXWxuCuLBOr7C6cCGph4E/Po=";
        let verify = |typed: &str| is_right(&hashing, typed, stored);
        assert!(verify("three unrelated words"));
        assert!(!verify("three unrelated word"));
        assert!(hashing.is_outdated(stored, &[7; 16]));
    }

    #[test]
    fn a_text_that_is_no_hash_is_nobodys_password() {
        let hashing = hashing(64);
        let tail = "VU1lbVpUVjFnTEJ3dUdtbHZSOFZkVA$rkjBGpKyc2jYkW8PnEC4ml1szACoOtkdWYijBv1ae4k";
        let costly = format!("$argon2id$v=19$m=4294967295,t=1,p=1${tail}");
        let foreign = format!("argon2$argon2id$v=19$m=4294967295,t=1,p=1${tail}");
        for stored in ["", "!", "$", "☕", "$argon2id$", "$scrypt$ln=1$a$b", &*costly, &*foreign] {
            for typed in ["", "!", stored] {
                assert!(!is_right(&hashing, typed, stored), "{stored}");
            }
        }
    }

    #[test]
    fn passwords_of_the_many_are_refused() {
        for typed in ["password1234", "123456789012", "qwertyuiop12", "iloveyou2026", "aaaaaaaaaaaa", "letmeinletmein"]
        {
            assert_eq!(check_uncommon(&Password::new(typed), &[]), Err(Fault::TooCommon), "{typed}");
        }
        for typed in ["three unrelated words", "tractor lemon violin", "xkWq93!mLp0zR"] {
            assert_eq!(check_uncommon(&Password::new(typed), &[]), Ok(()), "{typed}");
        }
        assert!(check_uncommon(&Password::new("marigoldsmithson"), &["marigold", "smithson"]).is_err());
    }
}
