//! Shutting an account, and opening it again: the operator's verbs.

use contract::{EmailAddress, Refusal};

use crate::audit::Event;
use crate::tokens::Purpose;
use crate::{Accounts, Result, User, address};

impl Accounts {
    /// Shuts an account: its sessions and letters end before this returns, and nothing lets anyone in until it is enabled.
    pub async fn disable(&self, email: &str) -> Result<User> {
        self.set_disabled(email, true).await
    }

    /// Opens a shut account. Its old sessions and letters stay ended.
    pub async fn enable(&self, email: &str) -> Result<User> {
        self.set_disabled(email, false).await
    }

    async fn set_disabled(&self, email: &str, disabled: bool) -> Result<User> {
        let key = EmailAddress::parse(email).and_then(|email| address::key(&email)).map_err(|_| Refusal::NotFound)?;
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let account = tx.account_by_key(&key).await?.ok_or(Refusal::NotFound)?;
        tx.set_disabled(account.id, disabled.then_some(now), now).await?;
        if disabled {
            tx.end_sessions_of(account.id, now).await?;
            for purpose in [Purpose::ConfirmEmail, Purpose::ResetPassword] {
                tx.supersede_one_time_tokens(account.id, purpose, now).await?;
            }
        }
        let event = if disabled { Event::Disabled } else { Event::Enabled };
        self.record(&mut tx, event, None, Some(account.id), None).await?;
        self.commit_change(tx, account.id).await?;
        Ok(account.to_user())
    }
}
