//! What a letter proves, by its link or by its six digits: one way for every purpose.
//!
//! Looking at a link changes nothing: mail scanners open links. Tries of a code are counted in the database, before
//! the code is compared, so that neither parallel guesses nor new browsers bring more of them.

use chrono::{DateTime, TimeDelta, Utc};
use contract::confirmation::parse_code;
use contract::{EmailAddress, Fault, Field, Refusal};
use uuid::Uuid;

use crate::store::{Account, Letter, OneTimeToken, Tx};
use crate::tokens::{self, CODE_TRIES, Proof, Purpose, new_id};
use crate::{Accounts, Error, Result, Settings, address, jwt};

/// What a letter's link leads to, as its page tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LetterLink {
    /// It works.
    Ready {
        /// Whose it is.
        email: String,
        /// Whether the token alone is not enough from this client.
        asks_password: bool,
    },
    /// It did work.
    Used,
    /// It is too old, or there is a newer one.
    Expired {
        /// Until when it worked.
        at: DateTime<Utc>,
        /// Whether a newer letter took its place.
        superseded: bool,
    },
    /// It never worked.
    Unknown,
}

/// What the token of a link stands for.
pub(crate) enum Link {
    /// It works.
    Live(Box<(OneTimeToken, Account)>),
    /// It did work.
    Used,
    /// It is too old, or there is a newer one.
    Expired { at: DateTime<Utc>, superseded: bool },
    /// It never worked.
    Unknown,
}

/// How long a letter's secrets work.
pub(crate) fn lifetime(purpose: Purpose, settings: &Settings) -> TimeDelta {
    match purpose {
        Purpose::ConfirmEmail => settings.lifetimes.verify,
        Purpose::ResetPassword => settings.lifetimes.reset,
    }
}

impl Accounts {
    /// What a link leads to. Changes nothing.
    pub(crate) async fn look_at(&self, purpose: Purpose, token: &str) -> Result<Link> {
        // An old token is looked up all the same, to tell when it worked.
        let Ok(jti) = jwt::read_letter(token, purpose, DateTime::<Utc>::MIN_UTC, &self.0.keys) else {
            return Ok(Link::Unknown);
        };
        let mut tx = self.0.store.read().await?;
        let Some(found) = tx.one_time_token(&tokens::hash(jti.as_bytes()), purpose).await? else {
            return Ok(Link::Unknown);
        };
        let Some(account) = tx.account(found.user_id).await? else { return Ok(Link::Unknown) };
        Ok(if found.consumed_at.is_some() {
            Link::Used
        } else if let Some(at) = found.superseded_at {
            Link::Expired { at, superseded: true }
        } else if found.expires_at <= self.0.clock.now() {
            Link::Expired { at: found.expires_at, superseded: false }
        } else {
            Link::Live(Box::new((found, account)))
        })
    }

    /// The row of a link that works, and its account; nothing when it was spent before.
    pub(crate) async fn find_by_token(&self, purpose: Purpose, token: &str) -> Result<Option<(OneTimeToken, Account)>> {
        // Too old is told without the database, which may have forgotten it.
        jwt::read_letter(token, purpose, self.0.clock.now(), &self.0.keys)?;
        match self.look_at(purpose, token).await? {
            Link::Live(found) if found.1.disabled_at.is_none() => Ok(Some(*found)),
            Link::Used => Ok(None),
            _ => Err(Refusal::TokenInvalid.into()),
        }
    }

    /// The same by six digits, of a person or of an address. The try is counted, and committed, before anything is
    /// said about it. `tells_tries`: to strangers a code is right or it is not.
    pub(crate) async fn find_by_code(
        &self,
        purpose: Purpose,
        whose: Whose<'_>,
        code: &str,
        tells_tries: bool,
    ) -> Result<(OneTimeToken, Account)> {
        let code = parse_code(code).map_err(|fault| Error::field(Field::Code, fault))?;
        let incorrect = || Error::field(Field::Code, Fault::Incorrect);
        let exhausted = || Error::field(Field::Code, if tells_tries { Fault::Exhausted } else { Fault::Incorrect });

        let mut tx = self.0.store.write().await?;
        let account = match whose {
            Whose::Person(id) => tx.account(id).await?,
            Whose::Address(email) => {
                let key = EmailAddress::parse(email).and_then(|email| address::key(&email));
                let key = key.map_err(|fault| Error::field(Field::Email, fault))?;
                tx.account_by_key(&key).await?
            }
        };
        // The same statements for everybody, and something to commit, so that the time of the answer tells nothing.
        let now = self.0.clock.now();
        let whose = account.as_ref().map_or(Uuid::nil(), |account| account.id);
        let token = tx.live_one_time_token(whose, purpose, now).await?;
        let attempt = tx.count_attempt(token.as_ref().map_or(Uuid::nil(), |token| token.id)).await?;
        let (Some(account), Some(token), Some(attempt)) = (account, &token, attempt) else {
            tx.post(new_id(now)?, Letter::Nothing, "", None, None, now, None).await?;
            tx.commit().await?;
            return Err(if token.is_some() { exhausted() } else { incorrect() });
        };
        tx.commit().await?;
        let hash = tokens::code_hash(token.id, &code, &self.0.keys);
        let is_right = token.code_hash.as_deref().is_some_and(|stored| tokens::equal(stored, &hash));
        match (is_right && account.disabled_at.is_none(), attempt >= CODE_TRIES) {
            (true, _) => Ok((token.clone(), account)),
            (false, true) => Err(exhausted()),
            (false, false) => Err(incorrect()),
        }
    }

    /// The statements of a letter, for nobody: without them, the time of the answer would tell who has an account.
    pub(crate) async fn leave_trace(&self, tx: &mut Tx, purpose: Purpose) -> Result<()> {
        let (now, nobody) = (self.0.clock.now(), Uuid::nil());
        tx.newest_one_time_token(nobody, purpose).await?;
        tx.live_one_time_token(nobody, purpose, now).await?;
        tx.count_tokens_since(nobody, purpose, now).await?;
        tx.supersede_one_time_tokens(nobody, purpose, now).await?;
        tx.post(new_id(now)?, Letter::Nothing, "", None, None, now, None).await?;
        tx.post(new_id(now)?, Letter::Nothing, "", None, None, now, None).await
    }

    /// A row with the hashes of a letter's secrets. A blank one matches no link and no code: a client that signed up
    /// with a proven address finds a form whose codes are all wrong, as any stranger would.
    pub(crate) fn make_token(
        &self,
        user_id: Uuid,
        purpose: Purpose,
        blank: bool,
        password_hash: Option<String>,
    ) -> Result<OneTimeToken> {
        let now = self.0.clock.now();
        let id = new_id(now)?;
        let proof = Proof::of(id, &self.0.keys);
        let token_hash = if blank { tokens::random::<32>()?.to_vec() } else { tokens::hash(proof.jti.as_bytes()) };
        let code_hash = (!blank).then(|| tokens::code_hash(id, &proof.code, &self.0.keys));
        Ok(OneTimeToken {
            id,
            user_id,
            token_hash,
            code_hash,
            password_hash,
            attempts: 0,
            created_at: now,
            expires_at: now + lifetime(purpose, self.settings()),
            consumed_at: None,
            superseded_at: None,
        })
    }
}

/// Whose code it is.
pub(crate) enum Whose<'a> {
    Person(Uuid),
    Address(&'a str),
}
