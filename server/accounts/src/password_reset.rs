//! Getting back in without the password.
//!
//! Every request sends exactly one letter: to whoever has an account, at the stored address, the way back; to any other
//! address, the news that there is none. The answer is the same for all.
//! Nothing changes before the mailbox is proven; a mistake in the new password spends nothing. Whoever proves the mailbox of an
//! account that was never confirmed confirms it, and the password of whoever signed up is gone.

use contract::confirmation::parse_code;
use contract::password_reset::PasswordResetForm;
use contract::problem::Faults;
use contract::{EmailAddress, Fault, Field, Refusal};
use uuid::Uuid;

use crate::audit::Event;
use crate::limits::Action;
use crate::new_password::About;
use crate::proof::{Link, Whose};
use crate::store::{Account, Letter, OneTimeToken};
use crate::tokens::{Purpose, new_id};
use crate::{Accounts, Error, LetterLink, Result, Visitor, address};

/// A password that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordReset {
    /// Nobody is signed in here now.
    SignInNext,
    /// Somebody else is signed in here, and was not touched.
    AnotherStaysSignedIn,
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
            let token = self.make_token(account.id, purpose, false, Some(account.password_hash.clone()))?;
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
    pub async fn look_at_password_reset(&self, token: &str) -> Result<LetterLink> {
        Ok(match self.look_at(Purpose::ResetPassword, token).await? {
            Link::Live(found) if found.1.disabled_at.is_none() => {
                LetterLink::Ready { email: found.1.email, asks_password: false }
            }
            Link::Used => LetterLink::Used,
            Link::Expired { at, superseded } => LetterLink::Expired { at, superseded },
            Link::Live(_) | Link::Unknown => LetterLink::Unknown,
        })
    }

    /// Replaces the password, once for one letter. All sessions of the person end; nobody is signed in.
    pub async fn reset_password(&self, visitor: &Visitor, form: &PasswordResetForm) -> Result<PasswordReset> {
        self.0.limits.spend(Action::Confirm, visitor.origin())?;
        let is_by_code = form.token.trim().is_empty();
        let (token, account) = if is_by_code {
            self.prove_by_code(form).await?
        } else {
            self.find_by_token(Purpose::ResetPassword, &form.token).await?.ok_or(Refusal::TokenInvalid)?
        };
        if let Err(fault) = self.judge_for(form, &account).await? {
            if is_by_code {
                self.give_back_try(&token).await?;
            }
            return Err(Error::field(Field::NewPassword, fault));
        }
        let hash = self.0.hasher.hash(&form.new_password).await?;
        self.replace_password(visitor, &token, &account, &hash).await?;
        let somebody_else = visitor.signed_in.as_ref().is_some_and(|here| here.user.id != account.id);
        Ok(if somebody_else { PasswordReset::AnotherStaysSignedIn } else { PasswordReset::SignInNext })
    }

    /// What is known of the form alone is judged before a try of the code is counted.
    async fn prove_by_code(&self, form: &PasswordResetForm) -> Result<(OneTimeToken, Account)> {
        if form.code.trim().is_empty() && form.email.trim().is_empty() {
            return Err(Error::field(Field::Token, Fault::Missing));
        }
        let mut faults = Faults::default();
        faults.keep(Field::Email, EmailAddress::parse(&form.email).and_then(|email| address::key(&email)));
        faults.keep(Field::Code, parse_code(&form.code));
        let about = About { email: &form.email, ..About::default() };
        let again = form.new_password_confirm.as_ref();
        faults.keep(Field::NewPassword, self.judge_new_password(&form.new_password, again, about));
        let faults = faults.into_vec();
        if !faults.is_empty() {
            return Err(faults.into());
        }
        self.find_by_code(Purpose::ResetPassword, Whose::Address(&form.email), &form.code, false).await
    }

    /// The rest, for whoever has proven the mailbox.
    async fn judge_for(&self, form: &PasswordResetForm, account: &Account) -> Result<Result<(), Fault>> {
        let again = form.new_password_confirm.as_ref();
        let judged = self.judge_new_password(&form.new_password, again, About::account(account));
        if judged.is_ok() && self.0.hasher.verify(&form.new_password, Some(&account.password_hash)).await? {
            return Ok(Err(Fault::Unchanged));
        }
        Ok(judged)
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
    ) -> Result<()> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let is_first = tx.consume_one_time_token(token.id, now).await?;
        // Bound to the password it was asked under: a change in between has made it worthless.
        if !is_first || !tx.reset_password(account.id, token.password_hash.as_deref(), hash, now).await? {
            return Err(Refusal::TokenInvalid.into());
        }
        tx.end_sessions_of(account.id, now).await?;
        self.post_notice(&mut tx, Letter::PasswordChanged, account).await?;
        self.record(&mut tx, Event::PasswordReset, Some(visitor), Some(account.id), None).await?;
        self.commit_change(tx, account.id).await?;
        self.0.letters_waiting.notify_one();
        Ok(())
    }
}
