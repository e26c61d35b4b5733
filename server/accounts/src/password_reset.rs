//! Getting back in without the password.
//!
//! The letter goes to the stored address, never to the typed one, and every request sends exactly one: to whoever has
//! an account, the way back; to anybody else, the news that there is none. The answer is the same for all.
//! Nothing changes before the mailbox is proven; a mistake in the new password spends nothing. Whoever proves the mailbox of an
//! account that was never confirmed confirms it, and the password of whoever signed up is gone.

use chrono::{DateTime, Utc};
use contract::confirmation::parse_code;
use contract::password_reset::PasswordResetForm;
use contract::{EmailAddress, Fault, Field, FieldFault, Refusal};
use uuid::Uuid;

use crate::audit::Event;
use crate::limits::Action;
use crate::password_hash::check_uncommon;
use crate::proof::{Link, Whose};
use crate::store::{Account, Letter, OneTimeToken};
use crate::tokens::{Purpose, new_id};
use crate::{Accounts, Error, Result, User, Visitor, address};

/// What a link of the letter leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResetLink {
    /// It works.
    Ready {
        /// Whose password it changes.
        email: String,
    },
    /// It did work.
    Used,
    /// It is too old, or there is a newer one.
    Expired {
        /// Until when it worked.
        at: DateTime<Utc>,
        /// Whether a newer letter, or a new password, took its place.
        superseded: bool,
    },
    /// It never worked.
    Unknown,
}

impl Accounts {
    /// Posts the letter. The answer is the same for every address, and so are the work and the number of letters.
    pub async fn request_password_reset(&self, visitor: &Visitor, email: &str) -> Result<()> {
        self.0.limits.spend(Action::ResetRequest, visitor.origin())?;
        let email = EmailAddress::parse(email).map_err(|fault| Error::field(Field::Email, fault))?;
        let key = address::key(&email).map_err(|fault| Error::field(Field::Email, fault))?;
        self.0.limits.spend(Action::ResetRequestFor, &key)?;

        let (now, purpose) = (self.0.clock.now(), Purpose::ResetPassword);
        let mut tx = self.0.store.write().await?;
        let account = tx.account_by_key(&key).await?;
        let until = now + self.settings().lifetimes.reset;
        if let Some(account) = account.filter(|account| account.disabled_at.is_none()) {
            let token = self.make_token(account.id, purpose, false, None)?;
            tx.insert_one_time_token(&token, purpose).await?;
            let (id, to) = (new_id(now)?, account.email.as_str());
            tx.post(id, Letter::ResetPassword, to, Some(account.id), Some(token.id), now, Some(until)).await?;
        } else {
            tx.supersede_one_time_tokens(Uuid::nil(), purpose, now).await?;
            tx.post(new_id(now)?, Letter::Nothing, "", None, None, now, None).await?;
            tx.post(new_id(now)?, Letter::NoAccount, email.as_str(), None, None, now, Some(until)).await?;
        }
        tx.commit().await?;
        self.0.letters_waiting.notify_one();
        Ok(())
    }

    /// What a link leads to. Changes nothing.
    pub async fn look_at_password_reset(&self, token: &str) -> Result<ResetLink> {
        Ok(match self.look_at(Purpose::ResetPassword, token).await? {
            Link::Live(found) if found.1.disabled_at.is_none() => ResetLink::Ready { email: found.1.email },
            Link::Used => ResetLink::Used,
            Link::Expired { at, superseded } => ResetLink::Expired { at, superseded },
            Link::Live(_) | Link::Unknown => ResetLink::Unknown,
        })
    }

    /// Replaces the password, once for one letter. All sessions end; nobody is signed in.
    pub async fn reset_password(&self, visitor: &Visitor, form: &PasswordResetForm) -> Result<User> {
        self.0.limits.spend(Action::Confirm, visitor.origin())?;
        let (token, account) = if form.token.trim().is_empty() {
            self.prove_by_code(form).await?
        } else {
            let found = self.find_by_token(Purpose::ResetPassword, &form.token).await?;
            let (token, account) = found.ok_or(Refusal::TokenInvalid)?;
            self.check_new_password(form, &account.email)?;
            (token, account)
        };
        if self.0.hasher.verify(&form.new_password, Some(&account.password_hash)).await? {
            self.give_back_try(&token).await?;
            return Err(Error::field(Field::NewPassword, Fault::Unchanged));
        }
        let hash = self.0.hasher.hash(&form.new_password).await?;
        self.replace_password(visitor, &token, &account, &hash).await
    }

    /// The form is judged as a whole before a try of the code is counted.
    async fn prove_by_code(&self, form: &PasswordResetForm) -> Result<(OneTimeToken, Account)> {
        if form.code.trim().is_empty() && form.email.trim().is_empty() {
            return Err(Error::field(Field::Token, Fault::Missing));
        }
        let mut faults = Vec::new();
        let mut note = |field, judged: Result<(), Fault>| {
            faults.extend(judged.err().map(|fault| FieldFault { field, fault }));
        };
        note(Field::Email, EmailAddress::parse(&form.email).and_then(|email| address::key(&email)).map(drop));
        note(Field::Code, parse_code(&form.code).map(drop));
        note(Field::NewPassword, self.judge_new_password(form, &form.email));
        if !faults.is_empty() {
            return Err(faults.into());
        }
        self.find_by_code(Purpose::ResetPassword, Whose::Address(&form.email), &form.code, false).await
    }

    fn check_new_password(&self, form: &PasswordResetForm, email: &str) -> Result<()> {
        self.judge_new_password(form, email).map_err(|fault| Error::field(Field::NewPassword, fault))
    }

    fn judge_new_password(&self, form: &PasswordResetForm, email: &str) -> Result<(), Fault> {
        let rules = &self.settings().sign_up;
        let address = EmailAddress::parse(email).ok();
        form.new_password.check_new(rules.password_min_length, address.as_ref(), &rules.site_name)?;
        if form.new_password_confirm.as_ref().is_some_and(|again| *again != form.new_password) {
            return Err(Fault::Mismatch);
        }
        check_uncommon(&form.new_password, &[email, &rules.site_name])
    }

    /// A right code is no guess.
    async fn give_back_try(&self, token: &OneTimeToken) -> Result<()> {
        let mut tx = self.0.store.write().await?;
        tx.give_back_attempt(token.id).await?;
        tx.commit().await
    }

    async fn replace_password(
        &self,
        visitor: &Visitor,
        token: &OneTimeToken,
        account: &Account,
        hash: &str,
    ) -> Result<User> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let is_first = tx.consume_one_time_token(token.id, now).await?;
        // Bound to the password it was asked under: a change in between has made it worthless.
        if !is_first || !tx.reset_password(account.id, hash, token.created_at, now).await? {
            return Err(Refusal::TokenInvalid.into());
        }
        tx.end_sessions_of(account.id, now).await?;
        self.post_notice(&mut tx, Letter::PasswordChanged, account).await?;
        self.record(&mut tx, Event::PasswordReset, Some(visitor), Some(account.id), None).await?;
        self.commit_change(tx, account.id).await?;
        self.0.letters_waiting.notify_one();
        Ok(account.to_user())
    }
}
