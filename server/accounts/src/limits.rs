//! How often something may be tried.
//!
//! A leaky bucket for each pair of action and key (generic cell rate algorithm, ITU-T I.371): one time stamp a key.
//! Limits by origin stop one machine; limits by address stop many machines that are after one account. They are
//! asked before the account is looked up, so that known and unknown addresses run into them alike.
//! Counted in this process: with several nodes, each has buckets of its own.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use contract::Refusal;

use crate::{Clock, Result};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Sign-ups from one origin.
    Register,
    /// Tokens and codes from one origin.
    Confirm,
    /// Letters asked for from one origin.
    Resend,
    /// Letters asked for one address.
    ResendTo,
    /// Sign-ins from one origin.
    SignIn,
    /// Sign-ins for one account from one origin.
    SignInAs,
    /// Sign-ins for one account from anywhere.
    SignInAnywhere,
    /// Password resets asked for from one origin.
    ResetRequest,
    /// Password resets asked for one address.
    ResetRequestFor,
    /// Tries of the present password by one session.
    ChangePassword,
    /// The same by all sessions of a person.
    ChangePasswordOf,
}

impl Action {
    /// How many at once, and in which time the bucket is empty again.
    fn rate(self) -> (i32, TimeDelta) {
        match self {
            Self::Register | Self::ChangePassword => (5, TimeDelta::minutes(1)),
            Self::Confirm => (30, TimeDelta::minutes(1)),
            Self::Resend | Self::ResetRequest => (10, TimeDelta::minutes(10)),
            Self::ResendTo => (5, TimeDelta::hours(1)),
            Self::SignIn => (20, TimeDelta::minutes(1)),
            Self::SignInAs => (5, TimeDelta::minutes(5)),
            // Wide, because whoever fills it keeps the owner out too.
            Self::SignInAnywhere => (100, TimeDelta::hours(1)),
            Self::ChangePasswordOf => (20, TimeDelta::hours(1)),
            Self::ResetRequestFor => (3, TimeDelta::hours(1)),
        }
    }
}

/// Keys kept at most; an attacker with more addresses than this finds new ones refused, not forgotten.
const MAX_KEYS: usize = 200_000;

#[derive(Debug)]
pub(crate) struct Limits {
    on: bool,
    clock: Clock,
    full_until: Mutex<HashMap<(Action, String), DateTime<Utc>>>,
}

impl Limits {
    pub(crate) fn new(on: bool, clock: Clock) -> Self {
        Self { on, clock, full_until: Mutex::default() }
    }

    /// One more try, or a refusal with the seconds to wait.
    pub(crate) fn spend(&self, action: Action, key: impl Into<String>) -> Result<()> {
        if !self.on {
            return Ok(());
        }
        let now = self.clock.now();
        let (burst, period) = action.rate();
        let cost = period / burst;
        let mut buckets = self.full_until.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_KEYS {
            buckets.retain(|_, until| *until > now);
        }
        let key = (action, key.into());
        if buckets.len() >= MAX_KEYS && !buckets.contains_key(&key) {
            return Err(Refusal::RateLimited { retry_after: 60 }.into());
        }
        // A clock that was set back must not shut anyone out for longer than a period.
        let until = buckets.get(&key).copied().unwrap_or(now).clamp(now, now + period);
        let wait = until + cost - period - now;
        if wait > TimeDelta::zero() {
            buckets.insert(key, until);
            let retry_after = u32::try_from((wait.num_milliseconds() + 999) / 1000).unwrap_or(u32::MAX);
            return Err(Refusal::RateLimited { retry_after }.into());
        }
        buckets.insert(key, until + cost);
        Ok(())
    }

    /// Gives a try back: one that turned out to be right.
    pub(crate) fn refund(&self, action: Action, key: &str) {
        let (burst, period) = action.rate();
        let mut buckets = self.full_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = buckets.get_mut(&(action, key.to_owned())) {
            *until -= period / burst;
        }
    }
}

/// The network a request comes from: one IPv4 address, or the /64 that one IPv6 subscriber has.
pub(crate) fn origin(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// The same, cut short: enough to recognise a place by, too little to find a household.
pub(crate) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.x")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::x")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn wait(result: Result<()>) -> Option<u32> {
        match result {
            Err(Error::Refused(Refusal::RateLimited { retry_after })) => Some(retry_after),
            _ => None,
        }
    }

    #[test]
    fn a_bucket_holds_its_burst_and_empties_with_time() {
        let clock = Clock::manual();
        let limits = Limits::new(true, clock.clone());
        for _ in 0..5 {
            assert!(limits.spend(Action::Register, "a").is_ok());
        }
        assert_eq!(wait(limits.spend(Action::Register, "a")), Some(12));
        assert!(limits.spend(Action::Register, "b").is_ok(), "another origin has a bucket of its own");
        clock.advance(TimeDelta::seconds(12));
        assert!(limits.spend(Action::Register, "a").is_ok());
        assert_eq!(wait(limits.spend(Action::Register, "a")), Some(12));
    }

    #[test]
    fn a_clock_set_back_shuts_nobody_out() {
        let clock = Clock::manual();
        let limits = Limits::new(true, clock.clone());
        assert!(limits.spend(Action::Register, "a").is_ok());
        clock.advance(TimeDelta::days(-1));
        clock.advance(TimeDelta::minutes(1));
        assert_eq!(wait(limits.spend(Action::Register, "a")), Some(12));
        clock.advance(TimeDelta::seconds(60));
        assert!(limits.spend(Action::Register, "a").is_ok());
    }

    #[test]
    fn one_subscriber_is_one_origin() {
        let origin_of = |text: &str| origin(text.parse().expect("an address"));
        assert_eq!(origin_of("2001:db8:1:2:aaaa::1"), origin_of("2001:db8:1:2:bbbb::2"));
        assert_ne!(origin_of("2001:db8:1:2::1"), origin_of("2001:db8:1:3::1"));
        assert_eq!(origin_of("::ffff:192.0.2.1"), origin_of("192.0.2.1"));
    }
}
