//! What a verb asks before it works: whether the limits allow the try, and for a place in the queue of password hashes.
//!
//! Both come before the database. Whoever is told that there is too much to do has tried nothing: their tries are given
//! back here, wherever in a verb that happens. Refusals are noted here too.

use std::net::IpAddr;

use contract::{Password, Refusal};

use crate::client_network::ClientNetwork;
use crate::hasher::{Hasher, HashingLoad, Place};
use crate::limits::{Action, Permit};
use crate::password_hash::PasswordSalt;
use crate::{Accounts, Error, RefusalKind, Result, Visitor};

/// A try that was allowed.
#[derive(Debug)]
pub(crate) struct Admission<'a> {
    accounts: &'a Accounts,
    address: IpAddr,
    permit: Permit<'a>,
    place: Option<Place<'a>>,
}

impl Accounts {
    /// Counts one more try of each action, or of none.
    pub(crate) async fn admit(&self, visitor: &Visitor, actions: &[Action<'_>]) -> Result<Admission<'_>> {
        match self.0.limits.spend(actions).await {
            Ok(permit) => Ok(Admission { accounts: self, address: visitor.address, permit, place: None }),
            Err(exhausted) => {
                let account = actions.iter().find_map(|action| action.account());
                self.note_refusal(RefusalKind::RateLimited(exhausted.limit), visitor.address, account);
                Err(exhausted.into())
            }
        }
    }

    /// How busy password hashing is.
    pub fn hashing_load(&self) -> HashingLoad {
        self.0.hasher.load()
    }
}

impl<'a> Admission<'a> {
    /// Takes a place in the queue of password hashes. To be asked before the database, by verbs that will need one.
    pub(crate) fn enter(&mut self) -> Result<()> {
        self.place().map(drop)
    }

    /// A PHC string to store.
    pub(crate) async fn hash(&mut self, password: &Password, salt: &PasswordSalt) -> Result<String> {
        let outcome = self.place()?.hash(password, salt).await;
        self.unless_overloaded(outcome)
    }

    /// Whether it is the password of this hash.
    pub(crate) async fn verify(&mut self, password: &Password, stored: &str) -> Result<bool> {
        Ok(self.matching(password, [stored].into_iter()).await?.is_some())
    }

    /// The place of the first hash that is of this password. Without any: none, after the same work.
    pub(crate) async fn matching<'h>(
        &mut self,
        password: &Password,
        stored: impl Iterator<Item = &'h str>,
    ) -> Result<Option<usize>> {
        let outcome = self.place()?.matching(password, stored).await;
        self.unless_overloaded(outcome)
    }

    /// Nothing was tried.
    pub(crate) fn refund(&mut self) {
        self.permit.refund();
    }

    /// What was tried at an account was right. What was tried from a network stays counted.
    pub(crate) fn refund_account(&mut self) {
        self.permit.refund_account();
    }

    fn place(&mut self) -> Result<&mut Place<'a>> {
        let hasher: &'a Hasher = &self.accounts.0.hasher;
        let place = match self.place.take() {
            Some(place) => place,
            None => self.unless_overloaded(hasher.enter(ClientNetwork::of(self.address)))?,
        };
        Ok(self.place.insert(place))
    }

    fn unless_overloaded<T>(&mut self, outcome: Result<T>) -> Result<T> {
        if matches!(outcome, Err(Error::Refused(Refusal::Overloaded { .. }))) {
            self.permit.refund();
            self.accounts.note_refusal(RefusalKind::Overloaded, self.address, None);
        }
        outcome
    }
}

#[cfg(test)]
mod tests;
