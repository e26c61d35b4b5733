//! Passwords at rest: Argon2id (RFC 9106), on a bounded number of threads.
//!
//! A hash costs tens of milliseconds and megabytes on purpose, so whoever sends many passwords could stop the
//! service. Only so many are worked out at once, so many more wait for a second, and the rest are told to come back.
//! A sign-in without an account, or against a text that is no hash, is worked out against a hash of nobody's, so that
//! it takes as long as any. All passwords of one address have one salt (`keys.rs`), so that one hash answers for all
//! who claim the address. Hashes of other programs are read by [`crate::foreign_hash`], and replaced at sign-in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use contract::{Fault, Password, Refusal};
use tokio::sync::oneshot;

use crate::foreign_hash::ForeignHash;
use crate::spelling::other_spelling;
use crate::{Error, Hashing, Result, tokens};

/// Requests that may wait for a thread.
const MAX_WAITING: usize = 32;
const MAX_WAIT: Duration = Duration::from_secs(1);
const RETRY_AFTER: u32 = 2;

/// RFC 9106 3.1 recommends 16 octets.
pub(crate) type PasswordSalt = [u8; 16];

/// The most that settings may ask for. What asks for more was not made here, and memory that is not there would end
/// the program.
const MAX_MEMORY_KIB: u32 = 4 * 1024 * 1024;
const MAX_PASSES: u32 = 100;
const MAX_LANES: u32 = 64;

/// Works with the memory of its thread.
type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// What Argon2 fills, kept by each thread from one hash to the next: asked for anew each time, an allocator holds many
/// times as much.
type Memory = Vec<Block>;

#[derive(Debug)]
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    /// Of no password that anybody knows, at the present cost.
    nobodys: PasswordHash,
    /// To the threads, which end when this is dropped.
    jobs: SyncSender<Job>,
}

impl Hasher {
    pub(crate) fn new(cost: Hashing) -> Result<Self> {
        let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None)
            .map_err(|error| Error::internal(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobodys = hash(&argon2, &tokens::random::<32>()?, &tokens::random()?, &mut Memory::new())?;
        let (jobs, waiting) = sync_channel(MAX_WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..cost.slots.max(1) {
            let waiting = waiting.clone();
            let thread = std::thread::Builder::new().name("hashing".to_owned());
            thread.spawn(move || work_off(&waiting)).map_err(Error::internal)?;
        }
        Ok(Self { argon2, nobodys, jobs })
    }

    /// A PHC string to store.
    pub(crate) async fn hash(&self, password: &Password, salt: &PasswordSalt) -> Result<String> {
        let password = other_spelling(password).unwrap_or_else(|| password.clone());
        let (argon2, salt) = (self.argon2.clone(), *salt);
        let hash = self.work(move |memory| hash(&argon2, password.expose().as_bytes(), &salt, memory)).await??;
        Ok(hash.to_string())
    }

    /// Whether it is the password of this hash.
    pub(crate) async fn verify(&self, password: &Password, stored: &str) -> Result<bool> {
        Ok(self.matching(password, [stored].into_iter()).await?.is_some())
    }

    /// The place of the first hash that is of this password, in either spelling. Those with the same salt cost one hash
    /// together; where there is none that could be verified, the answer is no, after one all the same.
    pub(crate) async fn matching<'a>(
        &self,
        password: &Password,
        stored: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Option<usize>> {
        let found = self.matching_as_typed(password, stored.clone()).await?;
        match other_spelling(password).filter(|_| found.is_none()) {
            Some(other) => self.matching_as_typed(&other, stored).await,
            None => Ok(found),
        }
    }

    async fn matching_as_typed<'a>(
        &self,
        password: &Password,
        stored: impl Iterator<Item = &'a str>,
    ) -> Result<Option<usize>> {
        let password = password.clone();
        let stored: Vec<_> = stored.map(Stored::read).collect();
        let (nobodys, kept) = (self.nobodys.clone(), self.argon2.params().block_count());
        let find = move |memory: &mut Memory| {
            let mut worked_out = WorkedOut { password: password.expose().as_bytes(), made: Vec::new(), memory };
            let found = stored.iter().position(|stored| match stored {
                Some(Stored::Ours(hash)) => worked_out.is_of(hash),
                Some(Stored::Foreign(hash)) => hash.verify(worked_out.password),
                None => false,
            });
            if stored.iter().all(Option::is_none) {
                worked_out.is_of(&nobodys);
            }
            // One that was costlier than those made now is the exception.
            memory.truncate(kept);
            memory.shrink_to_fit();
            found
        };
        self.work(find).await
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

    /// Waits for a thread for so long, then for the work however long it takes.
    async fn work<T: Send + 'static>(&self, job: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Result<T> {
        let overloaded = || Error::from(Refusal::Overloaded { retry_after: RETRY_AFTER });
        let (start, has_begun) = oneshot::channel();
        let (finish, finished) = oneshot::channel();
        // Work that nobody waits for any more is not begun.
        let job = move |memory: &mut Memory| {
            if start.send(()).is_ok() {
                finish.send(job(memory)).ok();
            }
        };
        self.jobs.try_send(Box::new(job)).map_err(|_| overloaded())?;
        tokio::time::timeout(MAX_WAIT, has_begun).await.map_err(|_| overloaded())?.map_err(Error::internal)?;
        finished.await.map_err(Error::internal)
    }
}

/// Few threads that live as long as the hasher, not the many that a runtime lends: an allocator keeps the megabytes
/// of a hash for the thread that had them.
fn work_off(waiting: &Mutex<Receiver<Job>>) {
    let mut memory = Memory::new();
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // Whoever waits for it finds the answer missing.
        catch_unwind(AssertUnwindSafe(|| job(&mut memory))).ok();
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
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    argon2.hash_password_into_with_memory(password, salt, output, memory.as_mut_slice()).ok()
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

    fn hasher(memory_kib: u32) -> Hasher {
        Hasher::new(Hashing { memory_kib, iterations: 1, parallelism: 1, slots: 1 }).expect("a hasher")
    }

    #[tokio::test]
    async fn a_password_is_verified_as_it_was_typed_and_no_letter_of_it_is_folded() {
        let hasher = hasher(64);
        let long = "a".repeat(1000);
        for (typed, other) in [
            ("correct horse", "correct horse "),
            ("correct horse", "Correct horse"),
            (&*format!("{long}b"), &*format!("{long}c")),
            ("é", "e"),
            ("é", "É"),
            ("ﬁrst", "first"),
        ] {
            let stored = hasher.hash(&Password::new(typed), &[7; 16]).await.expect("a hash");
            assert!(hasher.verify(&Password::new(typed), &stored).await.expect("an answer"));
            assert!(!hasher.verify(&Password::new(other), &stored).await.expect("an answer"));
        }
        assert_eq!(hasher.matching(&Password::new("anything"), std::iter::empty()).await.expect("an answer"), None);
    }

    #[tokio::test]
    async fn an_accent_of_its_own_is_the_letter_with_it_and_hashes_of_either_stay_right() {
        let hasher = hasher(64);
        let (composed, apart) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
        let verify =
            async |typed: &str, stored: &str| hasher.verify(&Password::new(typed), stored).await.expect("an answer");
        for chosen in [composed, apart] {
            let stored = hasher.hash(&Password::new(chosen), &[7; 16]).await.expect("a hash");
            assert!(verify(composed, &stored).await && verify(apart, &stored).await, "{chosen:?}");
            assert!(!verify("cafe au lait", &stored).await);
        }
        // As it was typed once, by an older release or another program.
        let old = hash(&hasher.argon2, apart.as_bytes(), &[7; 16], &mut Memory::new()).expect("a hash").to_string();
        assert!(verify(apart, &old).await && !verify("cafe\u{301} au lai", &old).await);
    }

    #[tokio::test]
    async fn memory_that_was_used_before_changes_no_hash() {
        let (cheap, dear) = (hasher(64), hasher(256));
        let stored = [
            cheap.hash(&Password::new("p"), &[7; 16]).await.expect("a hash"),
            dear.hash(&Password::new("p"), &[7; 16]).await.expect("a hash"),
        ];
        for hasher in [&cheap, &dear] {
            for _ in 0..3 {
                for stored in &stored {
                    assert!(hasher.verify(&Password::new("p"), stored).await.expect("an answer"));
                    assert!(!hasher.verify(&Password::new("q"), stored).await.expect("an answer"));
                }
            }
        }
        // Of another implementation: the reference one, by Python's argon2-cffi.
        let other = "$argon2id$v=19$m=128,t=1,p=1$Un3dNX2332Dd3IuuNP6zkQ$H2mNhunH3uKFM5Lu9Jdo76RTassRPgGVPAOXmwt+XHE";
        assert!(dear.verify(&Password::new("three unrelated words"), other).await.expect("an answer"));
        assert!(!dear.verify(&Password::new("three unrelated word"), other).await.expect("an answer"));
    }

    #[tokio::test]
    async fn the_defaults_are_the_minimum_of_owasp() {
        let stored = Hasher::new(Hashing::default())
            .expect("a hasher")
            .hash(&Password::new("p"), &[7; 16])
            .await
            .expect("a hash");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    }

    #[tokio::test]
    async fn passwords_with_one_salt_are_found_by_one_hash() {
        let hasher = hasher(64);
        let mut stored = Vec::new();
        for typed in ["one", "two", "three"] {
            stored.push(hasher.hash(&Password::new(typed), &[7; 16]).await.expect("a hash"));
        }
        stored.push(hasher.hash(&Password::new("four"), &[8; 16]).await.expect("a hash"));
        for (at, typed) in ["one", "two", "three", "four"].into_iter().enumerate() {
            let found = hasher.matching(&Password::new(typed), stored.iter().map(String::as_str)).await;
            assert_eq!(found.expect("an answer"), Some(at), "{typed}");
        }
        let found = hasher.matching(&Password::new("five"), stored.iter().map(String::as_str)).await;
        assert_eq!(found.expect("an answer"), None);
        let read: Vec<_> = stored.iter().map(|text| PasswordHash::new(text).expect("a hash")).collect();
        let mut worked_out = WorkedOut { password: b"five", made: Vec::new(), memory: &mut Memory::new() };
        assert!(!read.iter().any(|hash| worked_out.is_of(hash)));
        assert_eq!(worked_out.made.len(), 2, "one for each salt");
    }

    #[tokio::test]
    async fn cheaper_hashes_are_outdated() {
        let cheap = hasher(64).hash(&Password::new("p"), &[7; 16]).await.expect("a hash");
        assert!(hasher(128).is_outdated(&cheap, &[7; 16]));
        assert!(!hasher(64).is_outdated(&cheap, &[7; 16]));
        assert!(hasher(64).is_outdated(&cheap, &[8; 16]));
        assert!(hasher(64).is_outdated("not a hash", &[7; 16]));
    }

    #[tokio::test]
    async fn hashes_of_other_programs_are_verified_and_outdated() {
        let hasher = hasher(64);
        let stored = "pbkdf2_sha256$1000$nQ6xaBmOohbs2HUJ2wZ6VL$8rENiV3iDeNnR8LPh7KMXWxuCuLBOr7C6cCGph4E/Po=";
        let verify = async |typed: &str| hasher.verify(&Password::new(typed), stored).await.expect("an answer");
        assert!(verify("three unrelated words").await);
        assert!(!verify("three unrelated word").await);
        assert!(hasher.is_outdated(stored, &[7; 16]));
    }

    #[tokio::test]
    async fn a_text_that_is_no_hash_is_nobodys_password() {
        let hasher = hasher(64);
        let tail = "VU1lbVpUVjFnTEJ3dUdtbHZSOFZkVA$rkjBGpKyc2jYkW8PnEC4ml1szACoOtkdWYijBv1ae4k";
        let costly = format!("$argon2id$v=19$m=4294967295,t=1,p=1${tail}");
        let foreign = format!("argon2$argon2id$v=19$m=4294967295,t=1,p=1${tail}");
        for stored in ["", "!", "$", "☕", "$argon2id$", "$scrypt$ln=1$a$b", &*costly, &*foreign] {
            for typed in ["", "!", stored] {
                assert!(!hasher.verify(&Password::new(typed), stored).await.expect("an answer"), "{stored}");
            }
        }
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_told_to_come_back_and_nothing_is_lost() {
        let hasher = Arc::new(hasher(64));
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (busy, is_busy) = oneshot::channel();
        let hold = move || {
            busy.send(()).ok();
            released.recv().ok();
        };
        hasher.jobs.try_send(Box::new(|_| hold())).expect("a free thread");
        is_busy.await.expect("a busy thread");
        for _ in 0..MAX_WAITING {
            hasher.jobs.try_send(Box::new(|_| ())).expect("a place in the queue");
        }
        let refused = hasher.hash(&Password::new("p"), &[7; 16]).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::Overloaded { .. }))));
        release.send(()).expect("a held thread");
        while hasher.jobs.try_send(Box::new(|_| ())).is_err() {
            tokio::task::yield_now().await;
        }
        assert!(hasher.hash(&Password::new("p"), &[7; 16]).await.is_ok());
    }

    #[tokio::test]
    async fn work_that_panics_costs_no_thread() {
        let hasher = hasher(64);
        assert!(hasher.work(|_| assert!(std::hint::black_box(false), "on purpose")).await.is_err());
        assert!(hasher.hash(&Password::new("p"), &[7; 16]).await.is_ok());
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
