//! The domain: who has an account, how they prove it, what they may then do.
//!
//! [`Accounts`] is the one handle; its verbs are spread over files named after what a person does. Each verb takes
//! the [`Visitor`] first, checks limits, judges what was typed, hashes before it opens a transaction, and says yes
//! only after the commit. Nothing here knows HTTP, pages or the environment: pages and API call the same verbs.

#![warn(missing_docs)]

mod account_state;
mod address;
mod admission;
mod audit;
mod browser_sessions;
mod claims;
mod client_network;
mod clock;
mod connection_check;
mod delivered;
mod delivery;
mod devices;
mod email_verification;
mod error;
mod foreign_hash;
mod hash_queue;
mod hasher;
mod import;
mod jwt;
mod key_ring;
mod keys;
mod known_device;
mod letter_caps;
mod limits;
mod live;
mod login;
mod mail;
mod mailer;
mod new_password;
mod outbox;
mod ownership;
mod password_change;
mod password_hash;
mod password_reset;
mod profile;
mod proof;
mod readiness;
mod refusals;
mod registration;
mod sessions;
mod settings;
mod signing_keys;
mod smtp;
mod spelling;
mod store;
mod tidying;
mod tokens;
mod user;
mod visitor;

use std::sync::Arc;

pub use browser_sessions::BrowserSession;
pub use clock::Clock;
pub use connection_check::{is_sender, judge_smtp_url};
pub use delivery::PostOffice;
pub use devices::Device;
pub use email_verification::Confirmed;
pub use error::{Chain, Error};
pub use hasher::HashingLoad;
pub use import::{HashKind, ImportReport};
pub use jwt::AccessClaims;
pub use known_device::DEVICE_KNOWN_FOR;
pub use limits::Limit;
pub use login::LoginStep;
pub use mailer::{MailboxMessage, Mailer};
pub use password_reset::PasswordReset;
pub use proof::LetterLink;
pub use refusals::RefusalKind;
pub use registration::{PendingSignUp, Registered};
pub use sessions::{NewSession, SignedIn};
pub use settings::{
    EmailVerification, Hashing, Lifetimes, LoginOnVerify, RegistrationPolicy, Settings, SigningAlgorithm,
};
pub use signing_keys::KeyState;
pub use smtp::SmtpServer;
pub use store::{Store, waiting_once};
pub use user::User;
pub use visitor::Visitor;

/// What a verb answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The accounts of one site. Cheap to clone: a handle on shared parts.
#[derive(Clone, Debug)]
pub struct Accounts(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    settings: Settings,
    store: Store,
    clock: Clock,
    mailer: Mailer,
    keys: keys::Keys,
    hasher: hasher::Hasher,
    limits: limits::Limits,
    refusals: refusals::Refusals,
    live: live::LiveSessions,
    delivered: delivered::Delivered,
    letters_waiting: tokio::sync::Notify,
    readiness: readiness::Readiness,
}

impl Accounts {
    /// Puts the parts together; the tables are up to date already. Fails on a secret that is too short, or hashing
    /// parameters out of range.
    pub async fn new(settings: Settings, store: Store, mailer: Mailer, clock: Clock) -> Result<Self> {
        let keys = keys::Keys::derive(&settings.secret)?;
        keys.load(store.read().await?.signing_keys().await?)?;
        let hasher = hasher::Hasher::new(settings.hashing)?;
        let limits = limits::Limits::new(settings.rate_limits, keys.limits.clone(), clock.clone());
        let refusals = refusals::Refusals::new(keys.traces.clone());
        let live = live::LiveSessions::new(clock.clone());
        let delivered = delivered::Delivered::default();
        let letters_waiting = tokio::sync::Notify::new();
        Ok(Self(Arc::new(Parts {
            settings,
            store,
            clock,
            mailer,
            keys,
            hasher,
            limits,
            refusals,
            live,
            delivered,
            letters_waiting,
            readiness: readiness::Readiness::default(),
        })))
    }

    /// The operator's choices.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Where the time comes from.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }
}
