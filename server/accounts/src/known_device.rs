//! Browsers that have signed in to an account before.
//!
//! Tries of a password are limited for each account, whoever makes them, or many machines could guess at one. So strangers
//! can use the tries up, and keep the owner out. A browser that has signed in before therefore has tries of its own
//! (OWASP, "device cookies"): its cookie names the device by chance, and holds a MAC for each address that signed in there.
//! The cookie lets nobody in and says nothing of whose device it is; whoever steals it may guess as slowly as its owner.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{Accounts, Result, Visitor, tokens};

/// Octets of the name, of a day (counted from 1970), and of a MAC.
const NAME: usize = 16;
const DAY: usize = 4;
const MAC: usize = 16;

/// How long a device is known after a sign-in.
pub const DEVICE_KNOWN_FOR: TimeDelta = TimeDelta::days(180);

/// Accounts that one device is known to; then the oldest is forgotten.
const MOST: usize = 5;

/// What a cookie says.
struct Device {
    name: [u8; NAME],
    known: Vec<[u8; DAY + MAC]>,
}

impl Accounts {
    /// The device, if it has signed in with this address lately. Asks no database: a cookie that was made up is told by
    /// its MAC, and known and unknown addresses cost the same.
    pub(crate) fn known_device(&self, visitor: &Visitor, email_key: &str) -> Option<u128> {
        let device = Device::read(visitor.device.as_deref()?)?;
        let now = self.0.clock.now();
        let is_known = device.known.iter().any(|entry| {
            let (day, mac) = entry.split_at(DAY);
            let made = day.try_into().ok().and_then(|day| day_begins(u32::from_be_bytes(day)));
            let is_fresh = made.is_some_and(|made| made <= now && now - made <= DEVICE_KNOWN_FOR);
            is_fresh && constant_time::verify_slices_are_equal(mac, &self.mac(&device.name, day, email_key)).is_ok()
        });
        is_known.then(|| u128::from_be_bytes(device.name))
    }

    /// The cookie of a device that has just signed in with an address.
    pub(crate) fn remember_device(&self, visitor: &Visitor, email_key: &str) -> Result<String> {
        let known = visitor.device.as_deref().and_then(Device::read);
        let mut device = match known {
            Some(device) => device,
            None => Device { name: tokens::random()?, known: Vec::new() },
        };
        let is_of_this_address = |entry: &[u8; DAY + MAC]| {
            let (day, mac) = entry.split_at(DAY);
            constant_time::verify_slices_are_equal(mac, &self.mac(&device.name, day, email_key)).is_ok()
        };
        let mut kept: Vec<_> = device.known.iter().filter(|entry| !is_of_this_address(entry)).copied().collect();
        kept.truncate(MOST - 1);
        let day = u32::try_from(self.0.clock.now().timestamp() / 86_400).unwrap_or_default().to_be_bytes();
        let mut entry = [0; DAY + MAC];
        entry[..DAY].copy_from_slice(&day);
        entry[DAY..].copy_from_slice(&self.mac(&device.name, &day, email_key));
        device.known = [entry].into_iter().chain(kept).collect();
        Ok(device.write())
    }

    fn mac(&self, name: &[u8], day: &[u8], email_key: &str) -> [u8; MAC] {
        let mut mac = [0; MAC];
        let message = [name, day, email_key.as_bytes()].concat();
        for (octet, made) in mac.iter_mut().zip(hmac::sign(&self.0.keys.devices, &message).as_ref()) {
            *octet = *made;
        }
        mac
    }
}

impl Device {
    fn read(cookie: &str) -> Option<Self> {
        let octets = BASE64_URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (name, known) = octets.split_first_chunk()?;
        let (known, rest) = known.as_chunks();
        (rest.is_empty() && known.len() <= MOST).then(|| Self { name: *name, known: known.to_vec() })
    }

    fn write(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode([self.name.as_slice(), self.known.as_flattened()].concat())
    }
}

fn day_begins(day: u32) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::from(day) * 86_400, 0)
}
