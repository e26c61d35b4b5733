//! The operator's choices, as values. Who reads them from where is not the domain's business.

use chrono::TimeDelta;
use contract::rules::SignUpRules;
use secrecy::SecretSlice;

/// Everything the domain lets an operator decide.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Origin of every link and issuer of every token, without a slash at its end.
    pub public_url: String,
    /// What sign-up asks and takes.
    pub sign_up: SignUpRules,
    /// Who may sign up.
    pub registration: RegistrationPolicy,
    /// Whether an address must be proven before its account can be used.
    pub email_verification: EmailVerification,
    /// Who is signed in by confirming an address.
    pub login_on_verify: LoginOnVerify,
    /// Whether sign-up keeps to itself which addresses have an account.
    pub prevent_enumeration: bool,
    /// Cost of a password.
    pub hashing: Hashing,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// How access tokens are signed.
    pub signing_algorithm: SigningAlgorithm,
    /// Off only for load tests.
    pub rate_limits: bool,
    /// Most letters an hour that strangers can have us send, to everybody together.
    pub emails_per_hour: Option<u32>,
    /// 32 bytes or more; every key is derived from it.
    pub secret: SecretSlice<u8>,
}

/// Who may sign up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationPolicy {
    /// Everybody.
    Open,
    /// Who was invited.
    Invite,
    /// Nobody.
    Closed,
}

/// Whether an address must be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailVerification {
    /// Before the first sign-in.
    Mandatory,
    /// A letter is sent; the account works without.
    Optional,
    /// No letter is sent.
    Off,
}

/// Who is signed in by confirming an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginOnVerify {
    /// The client that signed up, or one that brings the password.
    SameClient,
    /// Whoever brings the token. Whoever reads the letter is in, with the password of whoever signed up.
    Always,
    /// Nobody: sign-in is a step of its own.
    Never,
}

/// How access tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// Ed25519, by the name that every library knows (RFC 8037).
    EdDsa,
    /// The same, by the name that is to take its place (RFC 9864), for services that ask for it.
    Ed25519,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 3.4), for services whose libraries know no Ed25519.
    Es256,
}

/// Argon2id (RFC 9106). The default is the minimum of the OWASP password storage cheat sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashing {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// Hashes at the same time; their memory is bounded by this.
    pub slots: usize,
}

impl Default for Hashing {
    fn default() -> Self {
        let slots = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1, slots }
    }
}

/// How long things live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token.
    pub access: TimeDelta,
    /// A refresh token that is not used.
    pub refresh: TimeDelta,
    /// A session, used or not.
    pub session: TimeDelta,
    /// Link and code that confirm an address.
    pub verify: TimeDelta,
    /// Link and code that reset a password.
    pub reset: TimeDelta,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            access: TimeDelta::minutes(5),
            refresh: TimeDelta::days(14),
            session: TimeDelta::days(30),
            verify: TimeDelta::hours(24),
            reset: TimeDelta::minutes(30),
        }
    }
}
