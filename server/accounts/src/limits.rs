//! How often something may be tried.
//!
//! A leaky bucket for each limit and key (generic cell rate algorithm, ITU-T I.371): one time stamp a key. Limits by
//! client network stop one machine; limits by account stop many machines that are after one account. They are asked
//! before the account is looked up, so that known and unknown addresses run into them alike.
//!
//! Whoever floods must not shut others out. Each limit has a table of its own; a full one forgets the bucket that was
//! used least recently, and never refuses a newcomer. The wider networks around a client have buckets too, so that
//! nobody has enough networks to make that happen with few machines. No call does more than a few steps under the lock.

mod rules;

use std::hash::RandomState;
use std::iter;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::hmac;
use contract::Refusal;
use hashlink::LruCache;
use uuid::Uuid;

pub use rules::Limit;

use crate::client_network::{ClientNetwork, Width};
use crate::{Clock, Error, tokens};

/// Kept at most by one limit for one width of network; then the idlest is forgotten.
const MAX_BUCKETS: usize = 32_768;

/// A try, by whom or at what. Accounts are named by the key of their address.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action<'a> {
    Register(ClientNetwork),
    Confirm(ClientNetwork),
    Resend(ClientNetwork),
    ResendTo(ClientNetwork, &'a str),
    SignIn(ClientNetwork),
    SignInAs(ClientNetwork, &'a str),
    SignInAnywhere(&'a str),
    /// By a device that is known to the account.
    SignInOnDevice(u128, &'a str),
    /// By any such device.
    SignInOnDevices(&'a str),
    CodeFrom(ClientNetwork),
    CodeFor(&'a str),
    ResetRequest(ClientNetwork),
    ResetRequestFor(ClientNetwork, &'a str),
    /// By a session.
    ChangePassword(Uuid),
    /// By a person.
    ChangePasswordOf(Uuid),
    Renew(ClientNetwork),
    RenewSession(Uuid),
}

/// What an action is counted by.
enum Key<'a> {
    Network(ClientNetwork),
    Account(&'a str),
    AccountAndNetwork(&'a str, ClientNetwork),
    AccountAndDevice(&'a str, u128),
    Id(Uuid),
}

impl<'a> Action<'a> {
    fn limit_and_key(self) -> (Limit, Key<'a>) {
        match self {
            Self::Register(network) => (Limit::Register, Key::Network(network)),
            Self::Confirm(network) => (Limit::Confirm, Key::Network(network)),
            Self::Resend(network) => (Limit::Resend, Key::Network(network)),
            Self::ResendTo(network, account) => (Limit::ResendTo, Key::AccountAndNetwork(account, network)),
            Self::SignIn(network) => (Limit::SignIn, Key::Network(network)),
            Self::SignInAs(network, account) => (Limit::SignInAs, Key::AccountAndNetwork(account, network)),
            Self::SignInAnywhere(account) => (Limit::SignInAnywhere, Key::Account(account)),
            Self::SignInOnDevice(device, account) => (Limit::SignInOnDevice, Key::AccountAndDevice(account, device)),
            Self::SignInOnDevices(account) => (Limit::SignInOnDevices, Key::Account(account)),
            Self::CodeFrom(network) => (Limit::CodeFrom, Key::Network(network)),
            Self::CodeFor(account) => (Limit::CodeFor, Key::Account(account)),
            Self::ResetRequest(network) => (Limit::ResetRequest, Key::Network(network)),
            Self::ResetRequestFor(network, account) => {
                (Limit::ResetRequestFor, Key::AccountAndNetwork(account, network))
            }
            Self::ChangePassword(session) => (Limit::ChangePassword, Key::Id(session)),
            Self::ChangePasswordOf(person) => (Limit::ChangePasswordOf, Key::Id(person)),
            Self::Renew(network) => (Limit::Renew, Key::Network(network)),
            Self::RenewSession(session) => (Limit::RenewSession, Key::Id(session)),
        }
    }

    /// The account that is tried, if one is named.
    pub(crate) fn account(self) -> Option<&'a str> {
        match self.limit_and_key().1 {
            Key::Account(account) | Key::AccountAndNetwork(account, _) | Key::AccountAndDevice(account, _) => {
                Some(account)
            }
            Key::Network(_) | Key::Id(_) => None,
        }
    }
}

/// A refusal, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted {
    pub(crate) limit: Limit,
    /// In seconds.
    pub(crate) retry_after: u32,
}

impl From<Exhausted> for Error {
    fn from(exhausted: Exhausted) -> Self {
        Refusal::RateLimited { retry_after: exhausted.retry_after }.into()
    }
}

pub(crate) struct Limits {
    on: bool,
    clock: Clock,
    /// Accounts are kept by their MAC: of one size whatever was typed, and nobody's address.
    key: hmac::Key,
    tables: Mutex<Vec<Table>>,
}

/// When each bucket is empty, in microseconds of the monotonic clock; in the order of their last use.
type Table = LruCache<u128, i64, RandomState>;

/// One of the buckets that an action is poured into.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    limit: Limit,
    width: Width,
    key: u128,
}

impl Limits {
    pub(crate) fn new(on: bool, key: hmac::Key, clock: Clock) -> Self {
        // Of no size at first: memory is asked for as buckets come.
        let table = || LruCache::with_hasher(MAX_BUCKETS, RandomState::new());
        let tables = iter::repeat_with(table).take(Limit::ALL.len() * Width::ALL.len()).collect();
        Self { on, clock, key, tables: Mutex::new(tables) }
    }

    /// One more try of each, or of none: then the longest wait is told. Asynchronous, because buckets that several nodes
    /// share would be asked for over the network.
    pub(crate) async fn spend(&self, actions: &[Action<'_>]) -> Result<Permit<'_>, Exhausted> {
        let mut permit = Permit { limits: self, spent: Vec::new() };
        if !self.on {
            return Ok(permit);
        }
        let now = self.now();
        let buckets: Vec<Bucket> = actions.iter().flat_map(|action| self.buckets(*action)).collect();
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing is kept of a try that is refused, so no flood makes more buckets than the widest networks may.
        let waits = buckets.iter().map(|bucket| (bucket.wait(&mut tables, now), bucket.limit));
        if let Some((wait, limit)) = waits.max_by_key(|(wait, _)| *wait).filter(|(wait, _)| *wait > 0) {
            return Err(Exhausted { limit, retry_after: whole_seconds(wait) });
        }
        for bucket in &buckets {
            bucket.pour(&mut tables, now);
        }
        permit.spent = buckets;
        Ok(permit)
    }

    /// Empties the buckets of these actions: whoever was after the account has tried in vain.
    pub(crate) fn forget(&self, actions: &[Action<'_>]) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        for bucket in actions.iter().flat_map(|action| self.buckets(*action)) {
            if let Some(table) = bucket.table(&mut tables) {
                table.remove(&bucket.key);
            }
        }
    }

    fn buckets(&self, action: Action<'_>) -> Vec<Bucket> {
        let (limit, key) = action.limit_and_key();
        let one = |key| vec![Bucket { limit, width: Width::Client, key }];
        match key {
            Key::Network(network) => network.and_wider().map(|(width, key)| Bucket { limit, width, key }).collect(),
            Key::Account(account) => one(self.mac(account, &[])),
            Key::AccountAndNetwork(account, network) => one(self.mac(account, &network.number().to_be_bytes())),
            Key::AccountAndDevice(account, device) => one(self.mac(account, &device.to_be_bytes())),
            Key::Id(id) => one(id.as_u128()),
        }
    }

    fn mac(&self, account: &str, network: &[u8]) -> u128 {
        let mut mac = hmac::Context::with_key(&self.key);
        // Of one size or of none, so no account and network read as another account.
        mac.update(network);
        mac.update(account.as_bytes());
        tokens::leading(mac.sign().as_ref(), 16)
    }

    fn now(&self) -> i64 {
        self.clock.monotonic().num_microseconds().unwrap_or(i64::MAX / 2)
    }
}

impl Bucket {
    fn table<'t>(&self, tables: &'t mut [Table]) -> Option<&'t mut Table> {
        tables.get_mut(self.limit as usize * Width::ALL.len() + self.width as usize)
    }

    /// In which time it empties, and what one try adds, in microseconds.
    fn period_and_cost(&self) -> (i64, i64) {
        let rule = self.limit.rule();
        let period = rule.within.num_microseconds().unwrap_or(i64::MAX / 4);
        (period, period / (i64::from(rule.tries) * i64::from(self.width.factor())))
    }

    /// When it is empty; asking counts as use.
    fn empty_at(&self, tables: &mut [Table], now: i64) -> i64 {
        let (period, _) = self.period_and_cost();
        let Some(empty_at) = self.table(tables).and_then(|table| table.get_mut(&self.key)) else { return now };
        // A clock that was set back must not shut anyone out for longer than a period.
        *empty_at = (*empty_at).clamp(now, now + period);
        *empty_at
    }

    /// Until there is room for one more: none or less when there is.
    fn wait(&self, tables: &mut [Table], now: i64) -> i64 {
        let (period, cost) = self.period_and_cost();
        self.empty_at(tables, now) + cost - period - now
    }

    fn pour(&self, tables: &mut [Table], now: i64) {
        let (_, cost) = self.period_and_cost();
        let empty_at = self.empty_at(tables, now) + cost;
        if let Some(table) = self.table(tables) {
            table.insert(self.key, empty_at);
        }
    }

    fn give_back(&self, tables: &mut [Table]) {
        let (_, cost) = self.period_and_cost();
        if let Some(empty_at) = self.table(tables).and_then(|table| table.get_mut(&self.key)) {
            *empty_at -= cost;
        }
    }
}

fn whole_seconds(micros: i64) -> u32 {
    u32::try_from((micros + 999_999) / 1_000_000).unwrap_or(u32::MAX)
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").field("on", &self.on).finish_non_exhaustive()
    }
}

/// Tries that were counted. They stay counted when it is dropped: whoever hangs up has tried.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    limits: &'a Limits,
    spent: Vec<Bucket>,
}

impl Permit<'_> {
    /// Gives all of them back: nothing was tried.
    pub(crate) fn refund(&mut self) {
        self.refund_where(|_| true);
    }

    /// Gives back those at an account: they were right. Those from a network stay, or an attacker would clear the count
    /// by signing in to an account of their own.
    pub(crate) fn refund_account(&mut self) {
        self.refund_where(|limit| !matches!(limit.rule().per, rules::Per::Network | rules::Per::Session));
    }

    fn refund_where(&mut self, is_given_back: impl Fn(Limit) -> bool) {
        let mut tables = self.limits.tables.lock().unwrap_or_else(PoisonError::into_inner);
        for bucket in self.spent.extract_if(.., |bucket| is_given_back(bucket.limit)) {
            bucket.give_back(&mut tables);
        }
    }
}

#[cfg(test)]
mod tests;
