//! Proof of a mailbox: by the link of a letter, or by its six digits.
//!
//! Looking at a link changes nothing: mail scanners open links. A link or code alone proves the mailbox, not the
//! person who chose the password; so unless this client began the sign-up, it must also bring that password, or
//! choose a new one. A mistake there spends nothing.

use contract::confirmation::ConfirmationForm;
use contract::{EmailAddress, Fault, Field, Refusal};
use uuid::Uuid;

use crate::audit::Event;
use crate::limits::Action;
use crate::new_password::About;
use crate::proof::{Link, Whose};
use crate::store::{Account, OneTimeToken, Profile, Tx};
use crate::tokens::Purpose;
use crate::{Accounts, Error, LetterLink, LoginOnVerify, NewSession, Result, User, Visitor, address};

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

impl Accounts {
    /// What a link leads to. Changes nothing.
    pub async fn look_at_confirmation(&self, visitor: &Visitor, token: &str) -> Result<LetterLink> {
        Ok(match self.look_at(Purpose::ConfirmEmail, token).await? {
            Link::Live(found) if found.1.verified_at.is_none() => {
                let (_, account) = *found;
                LetterLink::Ready { asks_password: self.asks_password(visitor, account.id), email: account.email }
            }
            Link::Live(_) | Link::Used => LetterLink::Used,
            Link::Expired { at, superseded } => LetterLink::Expired { at, superseded },
            Link::Unknown => LetterLink::Unknown,
        })
    }

    /// Confirms an address, once, and signs in whom the settings say.
    pub async fn confirm_email(&self, visitor: &Visitor, form: &ConfirmationForm) -> Result<Confirmed> {
        self.0.limits.spend(Action::Confirm, visitor.origin())?;
        let found = if form.token.trim().is_empty() {
            Some(self.find_sign_up_by_code(visitor, form).await?)
        } else {
            self.find_by_token(Purpose::ConfirmEmail, &form.token).await?
        };
        let Some((token, account)) = found.filter(|(_, account)| account.verified_at.is_none()) else {
            return Ok(Confirmed::Already);
        };
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
            None => self.leave_trace(&mut tx, Purpose::ConfirmEmail).await?,
        }
        tx.commit().await?;
        self.0.letters_waiting.notify_one();
        Ok(())
    }

    /// The sign-up of this client, or that of an address.
    async fn find_sign_up_by_code(
        &self,
        visitor: &Visitor,
        form: &ConfirmationForm,
    ) -> Result<(OneTimeToken, Account)> {
        let pending = visitor.pending_sign_up.as_ref();
        if form.code.is_empty() && pending.is_none() {
            return Err(Error::field(Field::Token, Fault::Missing));
        }
        // Only the client that signed up is told how its tries stand.
        let (whose, is_theirs) = match pending {
            Some(pending) if form.email.trim().is_empty() => (Whose::Person(pending.user_id()), true),
            _ => (Whose::Address(&form.email), false),
        };
        self.find_by_code(Purpose::ConfirmEmail, whose, &form.code, is_theirs).await
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
            self.judge_new_password(&form.new_password, None, About::account(account))
                .map_err(|fault| Error::field(Field::NewPassword, fault))?;
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
        // Whoever proves the mailbox now has the last word on the password.
        tx.supersede_one_time_tokens(account.id, Purpose::ResetPassword, now).await?;
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
        self.record(&mut tx, Event::EmailConfirmed, Some(visitor), Some(account.id), None).await?;
        self.commit_change(tx, account.id).await?;
        Ok(confirmed)
    }

    /// The password of the sign-up that a letter is asked for.
    async fn hash_of_sign_up(&self, tx: &mut Tx, visitor: &Visitor, account: &Account) -> Result<Option<String>> {
        let last = tx.newest_one_time_token(account.id, Purpose::ConfirmEmail).await?;
        let own = visitor.pending_sign_up.as_ref().filter(|pending| pending.is_of(account.id));
        let own = own.map(|pending| pending.profile().password_hash.clone());
        Ok(own.or_else(|| last.and_then(|last| last.password_hash)))
    }
}
