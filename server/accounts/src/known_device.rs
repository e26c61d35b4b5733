//! Browsers that have signed in to an account before.
//!
//! Tries of a password are limited for each account, whoever makes them, or many machines could guess at one. So strangers
//! can use the tries up, and keep the owner out. A browser that has signed in before therefore has tries of its own
//! (OWASP, "device cookies"): its cookie names the device by chance, and holds a MAC for each address that signed in there.
//! The cookie lets nobody in and says nothing of whose device it is; whoever steals it may guess as slowly as its owner.
//! A new password is the end of it, like of everything else that was there before: devices are known again by the next
//! sign-in.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};

use crate::claims::Claims;
use crate::store::Account;
use crate::{Accounts, Result, Visitor, tokens};

/// Octets of the name, of a time (seconds since 1970), and of a MAC.
const NAME: usize = 16;
const TIME: usize = 4;
const MAC: usize = 16;

/// How long a device is known after a sign-in.
pub const DEVICE_KNOWN_FOR: TimeDelta = TimeDelta::days(180);

/// Accounts that one device is known to; then the oldest is forgotten.
const MOST: usize = 5;

/// What a cookie says.
struct Device {
    name: [u8; NAME],
    known: Vec<[u8; TIME + MAC]>,
}

impl Accounts {
    /// The device, if it has signed in with this address lately, and with the password of today. A cookie that was made up
    /// is told by its MAC: only for others is the database asked, so known and unknown addresses cost strangers the same.
    pub(crate) async fn known_device(&self, visitor: &Visitor, email_key: &str) -> Result<Option<u128>> {
        let Some(device) = visitor.device.as_deref().and_then(Device::read) else { return Ok(None) };
        let now = self.0.clock.now();
        let signed_in_at = device.known.iter().find_map(|entry| {
            let (time, mac) = entry.split_at(TIME);
            let is_ours = constant_time::verify_slices_are_equal(mac, &self.mac(&device.name, time, email_key)).is_ok();
            let at = time.try_into().ok().and_then(|time| read_time(u32::from_be_bytes(time)));
            at.filter(|at| is_ours && *at <= now && now - *at <= DEVICE_KNOWN_FOR)
        });
        let Some(signed_in_at) = signed_in_at else { return Ok(None) };
        let claims = Claims::on(&mut self.0.store.read().await?, email_key).await?;
        let changed_at = claims.all().first().and_then(Account::changed_hands_at);
        // In whole seconds, as the cookie is: a sign-in and what makes it possible may be of the same moment.
        let is_of_today = changed_at.is_none_or(|at| signed_in_at.timestamp() >= at.timestamp());
        Ok(is_of_today.then(|| u128::from_be_bytes(device.name)))
    }

    /// The cookie of a device that has just signed in with an address.
    pub(crate) fn remember_device(&self, visitor: &Visitor, email_key: &str) -> Result<String> {
        let known = visitor.device.as_deref().and_then(Device::read);
        let mut device = match known {
            Some(device) => device,
            None => Device { name: tokens::random()?, known: Vec::new() },
        };
        let is_of_this_address = |entry: &[u8; TIME + MAC]| {
            let (time, mac) = entry.split_at(TIME);
            constant_time::verify_slices_are_equal(mac, &self.mac(&device.name, time, email_key)).is_ok()
        };
        let mut kept: Vec<_> = device.known.iter().filter(|entry| !is_of_this_address(entry)).copied().collect();
        kept.truncate(MOST - 1);
        let time = u32::try_from(self.0.clock.now().timestamp()).unwrap_or_default().to_be_bytes();
        let mut entry = [0; TIME + MAC];
        entry[..TIME].copy_from_slice(&time);
        entry[TIME..].copy_from_slice(&self.mac(&device.name, &time, email_key));
        device.known = [entry].into_iter().chain(kept).collect();
        Ok(device.write())
    }

    fn mac(&self, name: &[u8], time: &[u8], email_key: &str) -> [u8; MAC] {
        let mut mac = [0; MAC];
        let message = [name, time, email_key.as_bytes()].concat();
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

fn read_time(seconds: u32) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::from(seconds), 0)
}
