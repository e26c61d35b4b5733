//! Who claims an address.
//!
//! A sign-up proves nothing, so it reserves nothing: each is an account of its own, several may name one address, and
//! the address belongs to whoever proves its mailbox ("pre-hijacking": nobody ends up with a password, a name or a
//! session that somebody else chose). Asking for all claims at once, and never for "the account of an address", keeps
//! that true in every verb.

use uuid::Uuid;

use crate::store::{Account, Tx};
use crate::{Accounts, EmailVerification, Result};

/// Every account that names one address: its owner first, then the newest sign-up.
pub(crate) struct Claims(Vec<Account>);

impl Claims {
    pub(crate) async fn on(tx: &mut Tx, email_key: &str) -> Result<Self> {
        tx.accounts_by_key(email_key).await.map(Self)
    }

    pub(crate) fn all(&self) -> &[Account] {
        &self.0
    }

    /// Whose mailbox it is, if anybody has proven that.
    pub(crate) fn owner(&self) -> Option<&Account> {
        self.0.first().filter(|account| account.verified_at.is_some())
    }

    /// Whether an operator has disabled the owner; or, where there is none, anybody. An address that was disabled
    /// before it was proven is not proven by signing up once more.
    pub(crate) fn is_disabled(&self) -> bool {
        self.owner().map_or_else(|| self.0.iter().any(is_disabled), is_disabled)
    }

    /// An account that nobody has proven.
    pub(crate) fn sign_up(&self, id: Uuid) -> Option<&Account> {
        self.sign_ups().find(|account| account.id == id)
    }

    /// All that nobody has proven.
    pub(crate) fn sign_ups(&self) -> impl Iterator<Item = &Account> {
        self.0.iter().filter(|account| account.verified_at.is_none())
    }
}

fn is_disabled(account: &Account) -> bool {
    account.disabled_at.is_some()
}

impl Accounts {
    /// Whether an account signs in with its password. Where proof is asked, an unproven one must bring that first.
    pub(crate) fn needs_no_proof(&self, account: &Account) -> bool {
        account.verified_at.is_some() || self.settings().email_verification != EmailVerification::Mandatory
    }
}
