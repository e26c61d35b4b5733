//! Proof of a mailbox: by the link of a letter, or by its six digits.
//!
//! Looking at a link changes nothing: mail scanners open links. A link or code alone proves the mailbox, not the
//! person who chose the password; so unless this client began the sign-up, it must also bring that password, or
//! choose a new one. A mistake there spends nothing.

use chrono::{DateTime, TimeDelta, Utc};
use contract::confirmation::{ConfirmationForm, parse_code};
use contract::{EmailAddress, Fault, Field, Refusal};
use uuid::Uuid;

use crate::limits::Action;
use crate::password_hash::check_uncommon;
use crate::store::{Account, Letter, OneTimeToken, Profile, Tx};
use crate::tokens::{self, CODE_TRIES, Purpose, new_id};
use crate::{Accounts, Error, LoginOnVerify, NewSession, Result, Settings, User, Visitor, address, jwt};

/// A proof that was taken.
#[derive(Clone, Debug)]
pub enum Confirmed {
    /// Confirmed, and signed in.
    SignedIn(Box<NewSession>),
    /// Confirmed; sign-in is a step of its own.
    SignInNext(User),
    /// It was confirmed before; nothing was done.
    Already,
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfirmationLink {
    /// It works.
    Ready {
        /// Whose mailbox it proves.
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

/// How long a letter's secrets work.
pub(crate) fn lifetime(purpose: Purpose, settings: &Settings) -> TimeDelta {
    match purpose {
        Purpose::ConfirmEmail => settings.lifetimes.verify,
    }
}

impl Accounts {
    /// What a link leads to. Changes nothing.
    pub async fn look_at_confirmation(&self, visitor: &Visitor, token: &str) -> Result<ConfirmationLink> {
        let now = self.0.clock.now();
        // An old token is looked up all the same, to tell when it worked.
        let Ok(jti) = jwt::read_letter(token, Purpose::ConfirmEmail, DateTime::<Utc>::MIN_UTC, &self.0.keys) else {
            return Ok(ConfirmationLink::Unknown);
        };
        let mut tx = self.0.store.read().await?;
        let Some(found) = tx.one_time_token(&tokens::hash(jti.as_bytes()), Purpose::ConfirmEmail).await? else {
            return Ok(ConfirmationLink::Unknown);
        };
        let Some(account) = tx.account(found.user_id).await? else { return Ok(ConfirmationLink::Unknown) };
        Ok(if found.consumed_at.is_some() || account.verified_at.is_some() {
            ConfirmationLink::Used
        } else if let Some(at) = found.superseded_at {
            ConfirmationLink::Expired { at, superseded: true }
        } else if found.expires_at <= now {
            ConfirmationLink::Expired { at: found.expires_at, superseded: false }
        } else {
            ConfirmationLink::Ready { asks_password: self.asks_password(visitor, found.user_id), email: account.email }
        })
    }

    /// Confirms an address, once, and signs in whom the settings say.
    pub async fn confirm_email(&self, visitor: &Visitor, form: &ConfirmationForm) -> Result<Confirmed> {
        self.0.limits.spend(Action::Confirm, visitor.origin())?;
        let found = if form.token.trim().is_empty() {
            self.find_by_code(visitor, form).await?
        } else {
            self.find_by_token(&form.token).await?
        };
        let Some((token, account)) = found else { return Ok(Confirmed::Already) };
        let profile = self.profile_to_confirm(visitor, form, &account).await?;
        self.confirm(visitor, &token, &account, &profile).await
    }

    /// Posts another letter. The answer is the same for every address, and so is the work.
    pub async fn resend_confirmation(&self, visitor: &Visitor, email: &str) -> Result<()> {
        self.0.limits.spend(Action::Resend, visitor.origin())?;
        let pending = visitor.pending_sign_up.as_ref().map(|pending| pending.email.as_str());
        let typed = if email.trim().is_empty() { pending.unwrap_or_default() } else { email };
        let key = EmailAddress::parse(typed).and_then(|email| address::key(&email));
        let key = key.map_err(|fault| Error::field(Field::Email, fault))?;
        self.0.limits.spend(Action::ResendTo, &key)?;

        let mut tx = self.0.store.write().await?;
        match tx.account_by_key(&key).await? {
            Some(account) => {
                let hash = self.hash_of_sign_up(&mut tx, visitor, &account).await?;
                self.post_proof(&mut tx, &account, hash, None).await?;
            }
            None => self.leave_trace(&mut tx).await?,
        }
        tx.commit().await?;
        self.0.letters_waiting.notify_one();
        Ok(())
    }

    /// The letter's row and its account; nothing when it was spent before.
    async fn find_by_token(&self, token: &str) -> Result<Option<(OneTimeToken, Account)>> {
        let jti = jwt::read_letter(token, Purpose::ConfirmEmail, self.0.clock.now(), &self.0.keys)?;
        let mut tx = self.0.store.read().await?;
        let found = tx.one_time_token(&tokens::hash(jti.as_bytes()), Purpose::ConfirmEmail).await?;
        let found = found.ok_or(Refusal::TokenInvalid)?;
        let account = tx.account(found.user_id).await?.ok_or(Refusal::TokenInvalid)?;
        if found.consumed_at.is_some() || account.verified_at.is_some() {
            return Ok(None);
        }
        if found.superseded_at.is_some() || account.disabled_at.is_some() {
            return Err(Refusal::TokenInvalid.into());
        }
        Ok(Some((found, account)))
    }

    /// The same by six digits. The try is counted, and committed, before anything is said about it.
    async fn find_by_code(
        &self,
        visitor: &Visitor,
        form: &ConfirmationForm,
    ) -> Result<Option<(OneTimeToken, Account)>> {
        let pending = visitor.pending_sign_up.as_ref();
        if form.code.is_empty() && pending.is_none() {
            return Err(Error::field(Field::Token, Fault::Missing));
        }
        let code = parse_code(&form.code).map_err(|fault| Error::field(Field::Code, fault))?;
        let incorrect = || Error::field(Field::Code, Fault::Incorrect);
        let exhausted = || Error::field(Field::Code, Fault::Exhausted);

        let mut tx = self.0.store.write().await?;
        let account = match pending {
            Some(pending) if form.email.trim().is_empty() => tx.account(pending.user_id()).await?,
            _ => {
                let key = EmailAddress::parse(&form.email).and_then(|email| address::key(&email));
                let key = key.map_err(|fault| Error::field(Field::Email, fault))?;
                tx.account_by_key(&key).await?
            }
        };
        // Only the client that signed up is told how its tries stand; to strangers a code is right or it is not.
        let is_theirs = pending.zip(account.as_ref()).is_some_and(|(pending, account)| pending.is_of(account.id));
        let now = self.0.clock.now();
        let token = match &account {
            Some(account) => tx.live_one_time_token(account.id, Purpose::ConfirmEmail, now).await?,
            None => None,
        };
        let (Some(account), Some(token)) = (account, token) else {
            self.leave_trace(&mut tx).await?;
            tx.commit().await?;
            return Err(incorrect());
        };
        let Some(attempt) = tx.count_attempt(token.id).await? else {
            self.leave_trace(&mut tx).await?;
            tx.commit().await?;
            return Err(if is_theirs { exhausted() } else { incorrect() });
        };
        tx.commit().await?;
        let hash = tokens::code_hash(token.id, &code, &self.0.keys);
        let is_right = token.code_hash.as_deref().is_some_and(|stored| tokens::equal(stored, &hash));
        if is_right && account.disabled_at.is_none() {
            return Ok(Some((token, account)));
        }
        Err(if is_theirs && attempt >= CODE_TRIES { exhausted() } else { incorrect() })
    }

    fn asks_password(&self, visitor: &Visitor, user_id: Uuid) -> bool {
        let is_same_client = visitor.pending_sign_up.as_ref().is_some_and(|pending| pending.is_of(user_id));
        !is_same_client && self.settings().login_on_verify != LoginOnVerify::Always
    }

    /// Whose password the account will have: of the client that signed up here, the one chosen at the first sign-up
    /// when it is given, or a new one.
    async fn profile_to_confirm(
        &self,
        visitor: &Visitor,
        form: &ConfirmationForm,
        account: &Account,
    ) -> Result<Profile> {
        if let Some(pending) = visitor.pending_sign_up.as_ref().filter(|pending| pending.is_of(account.id)) {
            return Ok(pending.profile().clone());
        }
        let profile = account.profile();
        if !form.new_password.is_empty() {
            let email = EmailAddress::parse(&account.email).ok();
            let rules = &self.settings().sign_up;
            let faulty = |fault| Error::field(Field::NewPassword, fault);
            form.new_password.check_new(rules.password_min_length, email.as_ref(), &rules.site_name).map_err(faulty)?;
            check_uncommon(&form.new_password, &[&account.email, &rules.site_name]).map_err(faulty)?;
            return Ok(Profile { password_hash: self.0.hasher.hash(&form.new_password).await?, ..profile });
        }
        if self.settings().login_on_verify == LoginOnVerify::Always {
            return Ok(profile);
        }
        if form.password.is_empty() {
            return Err(Refusal::PasswordRequired.into());
        }
        if self.0.hasher.verify(&form.password, Some(&account.password_hash)).await? {
            return Ok(profile);
        }
        Err(Error::field(Field::CurrentPassword, Fault::Incorrect))
    }

    /// Spends the letter, proves the address, begins the session: all or nothing, for one caller.
    async fn confirm(
        &self,
        visitor: &Visitor,
        token: &OneTimeToken,
        account: &Account,
        profile: &Profile,
    ) -> Result<Confirmed> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        if !tx.consume_one_time_token(token.id, now).await? {
            let state = tx.one_time_token_by_id(token.id).await?;
            let was_spent = state.is_some_and(|state| state.consumed_at.is_some());
            return if was_spent { Ok(Confirmed::Already) } else { Err(Refusal::TokenInvalid.into()) };
        }
        if !tx.verify_user(account.id, profile, now).await? {
            return Ok(Confirmed::Already);
        }
        // Sessions begun with a password that is no longer the account's are a stranger's.
        if profile.password_hash != account.password_hash {
            tx.end_sessions_of(account.id, now).await?;
        }
        let user = tx.account(account.id).await?.ok_or_else(|| Error::internal("an account vanished"))?.to_user();
        let confirmed = if self.settings().login_on_verify == LoginOnVerify::Never {
            Confirmed::SignInNext(user)
        } else {
            Confirmed::SignedIn(Box::new(self.begin_session(&mut tx, visitor, &user, false).await?))
        };
        tx.commit().await?;
        tracing::info!(event = "email.confirm", user = %account.id, "address confirmed");
        Ok(confirmed)
    }

    /// The password of the sign-up that a letter is asked for.
    async fn hash_of_sign_up(&self, tx: &mut Tx, visitor: &Visitor, account: &Account) -> Result<Option<String>> {
        let last = tx.newest_one_time_token(account.id, Purpose::ConfirmEmail).await?;
        let own = visitor.pending_sign_up.as_ref().filter(|pending| pending.is_of(account.id));
        let own = own.map(|pending| pending.profile().password_hash.clone());
        Ok(own.or_else(|| last.and_then(|last| last.password_hash)))
    }

    /// The statements of a letter, for nobody: without them, the time of the answer would tell who has an account.
    async fn leave_trace(&self, tx: &mut Tx) -> Result<()> {
        let (now, nobody, purpose) = (self.0.clock.now(), Uuid::nil(), Purpose::ConfirmEmail);
        tx.newest_one_time_token(nobody, purpose).await?;
        tx.live_one_time_token(nobody, purpose, now).await?;
        tx.count_tokens_since(nobody, purpose, now).await?;
        tx.supersede_one_time_tokens(nobody, purpose, now).await?;
        tx.post(new_id(now)?, Letter::Nothing, "", None, None, now, None).await?;
        tx.post(new_id(now)?, Letter::Nothing, "", None, None, now, None).await
    }
}
