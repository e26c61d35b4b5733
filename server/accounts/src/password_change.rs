//! A new password for somebody who is signed in and knows the old one.
//!
//! A stolen session must not become a stolen account, so the old password is always asked. Every other session ends
//! with the old password, and this one is begun anew; whoever owns the mailbox is told.

use contract::password_change::PasswordChangeForm;
use contract::{EmailAddress, Fault, Field, Refusal};

use crate::audit::Event;
use crate::limits::Action;
use crate::new_password::About;
use crate::sessions::Began;
use crate::store::Letter;
use crate::{Accounts, Error, NewSession, Result, Visitor};

impl Accounts {
    /// Replaces the password. Answers the session that takes the place of this one.
    pub async fn change_password(&self, visitor: &Visitor, form: &PasswordChangeForm) -> Result<NewSession> {
        let here = visitor.session()?;
        let rules = &self.settings().sign_up;
        form.check(rules, EmailAddress::parse(&here.user.email).ok().as_ref())?;
        let tries = [Action::ChangePassword(here.session_id), Action::ChangePasswordOf(here.user.id)];
        let mut admission = self.admit(visitor, &tries).await?;
        admission.enter()?;
        self.judge_uncommon(&form.new_password, About::user(&here.user))
            .map_err(|fault| Error::field(Field::NewPassword, fault))?;

        let account = self.0.store.read().await?.account(here.user.id).await?;
        let account = account.filter(|account| account.disabled_at.is_none()).ok_or(Refusal::SessionInvalid)?;
        let incorrect = || Error::field(Field::OldPassword, Fault::Incorrect);
        if !admission.verify(&form.old_password, &account.password_hash).await? {
            return Err(incorrect());
        }
        let hash = admission.hash(&form.new_password, &self.0.keys.salt(&account.email_key)).await?;

        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        // Somebody else was faster: what was typed is the old password no more.
        if !tx.change_password(account.id, &account.password_hash, &hash, now).await? {
            return Err(incorrect());
        }
        tx.supersede_resets_of(account.id, now).await?;
        tx.end_sessions_of(account.id, now).await?;
        let session =
            self.begin_session(&mut tx, visitor, &account.to_user(), Began::by_password(here.remember)).await?;
        self.post_notice(&mut tx, visitor, Letter::PasswordChanged, &account).await?;
        self.record(&mut tx, Event::PasswordChanged, Some(visitor), Some(account.id), None).await?;
        self.commit_change(tx, account.id).await?;
        self.0.letters_waiting.notify_one();
        Ok(session)
    }
}
