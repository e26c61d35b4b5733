//! Disabling an account, and enabling it again: the operator's verbs.

use contract::{EmailAddress, Refusal};

use crate::audit::Event;
use crate::claims::Claims;
use crate::{Accounts, Result, User, address};

impl Accounts {
    /// Disables an account: its sessions and letters end before this returns, and nothing lets anyone in until it is enabled.
    pub async fn disable(&self, email: &str) -> Result<User> {
        self.set_disabled(email, true).await
    }

    /// Enables a disabled account. Its old sessions and letters stay ended.
    pub async fn enable(&self, email: &str) -> Result<User> {
        self.set_disabled(email, false).await
    }

    async fn set_disabled(&self, email: &str, disabled: bool) -> Result<User> {
        let key = EmailAddress::parse(email).and_then(|email| address::key(&email)).map_err(|_| Refusal::NotFound)?;
        let now = self.0.clock.now();
        let mut tx = self.0.store.write_after_others().await?;
        tx.lock_address(&key).await?;
        let claims = Claims::on(&mut tx, &key).await?;
        // Where nobody has proven the address, everybody who signed up with it is meant.
        let meant = claims.owner().map_or_else(|| claims.all(), std::slice::from_ref);
        let user = meant.first().ok_or(Refusal::NotFound)?.to_user();
        for account in meant {
            tx.set_disabled(account.id, disabled.then_some(now), now).await?;
            if disabled {
                tx.end_sessions_of(account.id, now).await?;
            }
            let event = if disabled { Event::Disabled } else { Event::Enabled };
            self.record(&mut tx, event, None, Some(account.id), None).await?;
        }
        if disabled {
            tx.supersede_one_time_tokens(&key, now).await?;
        }
        self.commit_changes(tx, meant.iter().map(|account| account.id)).await?;
        Ok(user)
    }
}
