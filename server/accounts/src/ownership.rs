//! How an address comes to belong to somebody: by the letter that proves its mailbox, once.
//!
//! Accounts come first and letters second in every transaction, so that two that meet wait for each other instead of
//! each for what the other holds.

use uuid::Uuid;

use crate::sessions::ProvenBy;
use crate::store::{Account, NewUser, OneTimeToken, Profile, Tx};
use crate::tokens::new_id;
use crate::{Accounts, Error, Result, User};

/// Who is to own an address, and what they have shown besides the letter.
pub(crate) struct Claimant {
    who: Who,
    pub(crate) by: ProvenBy,
}

enum Who {
    /// Whoever made this account, with another password where one was chosen.
    Known { id: Uuid, password_hash: Option<String> },
    /// Somebody who chooses a password now, and has shown nothing else.
    Unknown { email: Option<String>, profile: Box<Profile>, password_hash: String },
}

/// An address that belongs to somebody.
pub(crate) struct Owned {
    pub(crate) user: User,
    /// Accounts that others had used with it, which have ended.
    ended: Vec<Uuid>,
}

impl Claimant {
    pub(crate) fn known(account: &Account, by: ProvenBy) -> Self {
        Self { who: Who::Known { id: account.id, password_hash: None }, by }
    }

    /// The same with another password.
    pub(crate) fn known_with_new_password(account: &Account, password_hash: String) -> Self {
        let who = Who::Known { id: account.id, password_hash: Some(password_hash) };
        Self { who, by: ProvenBy::Letter }
    }

    /// Whoever signed up may have been another: their names, phone and consent do not pass on, nor does the id under
    /// which other services may keep something of theirs. So the newcomer gets an account of their own, of the kind
    /// that was asked for.
    pub(crate) fn with_new_password(asked: Option<&Account>, password_hash: String) -> Self {
        let profile = Box::new(asked.map(Account::blank_profile).unwrap_or_default());
        let email = asked.map(|account| account.email.clone());
        Self { who: Who::Unknown { email, profile, password_hash }, by: ProvenBy::Letter }
    }
}

impl Owned {
    /// Everybody whose sessions or profile this changes.
    pub(crate) fn changed(&self) -> Vec<Uuid> {
        [self.user.id].into_iter().chain(self.ended.iter().copied()).collect()
    }
}

impl Accounts {
    /// Makes somebody the owner of the address that a letter came to, and spends the letter. Nothing when another was
    /// faster, or the account was disabled meanwhile; the transaction is then not to be committed.
    pub(crate) async fn take_ownership(
        &self,
        tx: &mut Tx,
        token: &OneTimeToken,
        claimant: &Claimant,
    ) -> Result<Option<Owned>> {
        let now = self.0.clock.now();
        tx.lock_address(&token.email_key).await?;
        tx.release_address(&token.email_key).await?;
        let Some(id) = self.prove(tx, token, &claimant.who).await? else { return Ok(None) };
        if !tx.consume_one_time_token(token.id, id, now).await? {
            return Ok(None);
        }
        // Whoever proves the mailbox has the last word: no other letter to it may change anything any more.
        tx.supersede_one_time_tokens(&token.email_key, now).await?;
        let ended = tx.delete_used_claims(&token.email_key, id).await?;
        let account = tx.account(id).await?.ok_or_else(|| Error::internal("an account vanished"))?;
        Ok(Some(Owned { user: account.to_user(), ended }))
    }

    async fn prove(&self, tx: &mut Tx, token: &OneTimeToken, who: &Who) -> Result<Option<Uuid>> {
        let now = self.0.clock.now();
        Ok(match who {
            Who::Known { id, password_hash } => tx.prove_user(*id, password_hash.as_deref(), now).await?.then_some(*id),
            Who::Unknown { email, profile, password_hash } => {
                let user = NewUser {
                    id: new_id(now)?,
                    email: email.as_deref().unwrap_or(&token.email_key),
                    email_key: &token.email_key,
                    password_hash,
                    profile,
                    verified_at: Some(now),
                    address_held_at: Some(now),
                    first_signed_in_at: Some(now),
                    signed_up_from: None,
                    now,
                };
                tx.insert_user(&user).await?.then_some(user.id)
            }
        })
    }
}
