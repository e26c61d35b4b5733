//! Traces of what was refused: wrong passwords, exhausted limits, blocked hosts and sites.
//!
//! Whoever tries ten thousand passwords must leave a trace, and must not be able to fill the log or the database with it:
//! refusals are counted in memory, and once a minute each kind becomes one line and one row for each network and account,
//! with a count. Memory and rows are bounded; what is beyond the bound is still counted, without saying from where.
//! An address of a mailbox is told as a tag, the same for the same address, that only our secret can make.

use std::collections::HashMap;
use std::mem;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::client_network::ClientNetwork;
use crate::limits::Limit;
use crate::tokens::{leading, new_id};
use crate::{Accounts, Result};

/// Rows of one minute at most, besides one for each kind that counts the rest.
pub(crate) const MAX_ROWS: usize = 128;

/// Of one network and kind; the rest is counted without a tag, so that one network cannot take all rows.
pub(crate) const MAX_TAGS: usize = 8;

/// 64 bits of an HMAC, in hexadecimal.
const TAG_OCTETS: usize = 8;

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefusalKind {
    /// A sign-in with a wrong password, or for nobody.
    SignIn,
    /// A try beyond a limit.
    RateLimited(Limit),
    /// A request for which there was no place in the queue of password hashes.
    Overloaded,
    /// A request for a host that is not ours.
    Host,
    /// A form that another site sent.
    CrossSite,
}

impl RefusalKind {
    const fn event(self) -> &'static str {
        match self {
            Self::SignIn => "login.fail",
            Self::RateLimited(_) => "ratelimit.block",
            Self::Overloaded => "overload.block",
            Self::Host => "host.block",
            Self::CrossSite => "csrf.block",
        }
    }

    const fn reason(self) -> Option<&'static str> {
        match self {
            Self::RateLimited(limit) => Some(limit.name()),
            _ => None,
        }
    }
}

/// One kind of refusal, from one network, about one account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    kind: RefusalKind,
    /// Cut short. None for the rest, from wherever.
    network: Option<String>,
    tag: Option<String>,
}

/// A row.
#[derive(Debug)]
pub(crate) struct RefusalEntry {
    pub(crate) id: Uuid,
    pub(crate) happened_at: DateTime<Utc>,
    pub(crate) event: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) address: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) count: i32,
}

/// What was refused since it was last written.
pub(crate) struct Refusals {
    key: hmac::Key,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    counts: HashMap<Key, u32>,
    /// Tags of each kind and network.
    tags: HashMap<(RefusalKind, String), usize>,
}

impl Refusals {
    pub(crate) fn new(key: hmac::Key) -> Self {
        Self { key, noted: Mutex::default() }
    }

    fn note(&self, kind: RefusalKind, network: ClientNetwork, about: Option<&str>) {
        let tag = about.map(|about| self.tag(about));
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).note(kind, network.cut_short(), tag);
    }

    fn tag(&self, about: &str) -> String {
        let mac = hmac::sign(&self.key, about.as_bytes());
        format!("{:016x}", leading(mac.as_ref(), TAG_OCTETS))
    }

    /// What was counted; the count begins anew.
    fn take(&self) -> Vec<(Key, u32)> {
        let noted = mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        let mut counts: Vec<_> = noted.counts.into_iter().collect();
        counts.sort();
        counts
    }
}

impl Noted {
    fn note(&mut self, kind: RefusalKind, network: String, tag: Option<String>) {
        let whole = Key { kind, network: Some(network.clone()), tag };
        let untagged = Key { kind, network: Some(network), tag: None };
        let rest = Key { kind, network: None, tag: None };
        let key = [whole, untagged].into_iter().find(|key| self.has_room(key)).unwrap_or(rest);
        let is_new_tag = key.tag.is_some() && !self.counts.contains_key(&key);
        if let Some(network) = key.network.clone().filter(|_| is_new_tag) {
            *self.tags.entry((kind, network)).or_default() += 1;
        }
        let count = self.counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }

    fn has_room(&self, key: &Key) -> bool {
        if self.counts.contains_key(key) {
            return true;
        }
        let tags = key.network.clone().and_then(|network| self.tags.get(&(key.kind, network))).copied();
        self.counts.len() < MAX_ROWS && (key.tag.is_none() || tags.unwrap_or_default() < MAX_TAGS)
    }
}

impl std::fmt::Debug for Refusals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refusals").finish_non_exhaustive()
    }
}

impl Accounts {
    /// Counts a refusal, in memory. `about`: the key of an address, or another text that says what was tried; it is
    /// written nowhere but as a keyed tag.
    pub fn note_refusal(&self, kind: RefusalKind, from: IpAddr, about: Option<&str>) {
        self.0.refusals.note(kind, ClientNetwork::of(from), about);
    }

    /// Writes what was counted into the log and the table of audit events. To be called once a minute, and once at the
    /// end. When the database does not answer, the log alone has it.
    pub async fn write_refusals(&self) -> Result<()> {
        let noted = self.0.refusals.take();
        if noted.is_empty() {
            return Ok(());
        }
        for (Key { kind, network, tag }, count) in &noted {
            let (network, tag) = (network.as_deref().unwrap_or("elsewhere"), tag.as_deref());
            tracing::warn!(event = kind.event(), reason = kind.reason(), network, tag, count, "refused");
        }
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        for (Key { kind, network, tag }, count) in noted {
            tx.insert_refusal(&RefusalEntry {
                id: new_id(now)?,
                happened_at: now,
                event: kind.event(),
                reason: kind.reason(),
                address: network,
                tag,
                count: i32::try_from(count).unwrap_or(i32::MAX),
            })
            .await?;
        }
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals() -> Refusals {
        Refusals::new(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]))
    }

    fn from(text: &str) -> ClientNetwork {
        ClientNetwork::of(text.parse().expect("an address"))
    }

    #[test]
    fn what_is_alike_is_one_row_with_a_count() {
        let refusals = refusals();
        for _ in 0..1000 {
            refusals.note(RefusalKind::SignIn, from("203.0.113.7"), Some("ada@example.com"));
            refusals.note(RefusalKind::SignIn, from("203.0.113.8"), Some("eve@example.com"));
            refusals.note(RefusalKind::RateLimited(Limit::SignIn), from("203.0.113.7"), None);
        }
        let counts: Vec<_> = refusals.take().into_iter().map(|(key, count)| (key.kind, key.network, count)).collect();
        let here = Some("203.0.113.x".to_owned());
        assert_eq!(
            counts,
            [
                (RefusalKind::SignIn, here.clone(), 1000),
                (RefusalKind::SignIn, here.clone(), 1000),
                (RefusalKind::RateLimited(Limit::SignIn), here, 1000),
            ]
        );
        assert!(refusals.take().is_empty(), "the count began anew");
    }

    #[test]
    fn one_network_with_many_names_takes_few_rows_and_is_counted_whole() {
        let refusals = refusals();
        for at in 0..1000 {
            refusals.note(RefusalKind::SignIn, from("203.0.113.7"), Some(&format!("junk{at}@example.com")));
        }
        let rows = refusals.take();
        assert_eq!(rows.len(), MAX_TAGS + 1);
        assert_eq!(rows.iter().map(|(_, count)| count).sum::<u32>(), 1000);
    }

    #[test]
    fn many_networks_take_bounded_memory_and_are_counted_whole() {
        let refusals = refusals();
        for at in 0..100_000_u32 {
            let network = ClientNetwork::of(std::net::Ipv4Addr::from_bits(at << 8).into());
            refusals.note(RefusalKind::SignIn, network, Some(&format!("junk{at}@example.com")));
            refusals.note(RefusalKind::Host, network, None);
        }
        let rows = refusals.take();
        assert!(rows.len() <= MAX_ROWS + 2, "{} rows", rows.len());
        assert_eq!(rows.iter().map(|(_, count)| count).sum::<u32>(), 200_000);
    }

    #[test]
    fn a_tag_is_the_same_for_the_same_address_and_secret_only() {
        let (ours, theirs) = (refusals(), Refusals::new(hmac::Key::new(hmac::HMAC_SHA256, &[8; 32])));
        assert_eq!(ours.tag("ada@example.com"), ours.tag("ada@example.com"));
        assert_ne!(ours.tag("ada@example.com"), ours.tag("eve@example.com"));
        assert_ne!(ours.tag("ada@example.com"), theirs.tag("ada@example.com"));
        assert_eq!(ours.tag("ada@example.com").len(), 16);
    }
}
