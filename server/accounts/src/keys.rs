//! The keys of the service: one for each purpose, all derived from the operator's secret (HKDF-SHA-256, RFC 5869).
//!
//! A key that is used for one thing cannot be used against another, and there is one secret to keep, not five.
//! Access tokens are signed with a key pair, so that other services verify them and cannot make them. There may be
//! several of those, told apart by `kid`; the database names them, and holds none (`signing_keys.rs`).

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::key_ring::{KeyRing, SigningKey};
use crate::password_hash::PasswordSalt;
use crate::store::KeyRow;
use crate::{Error, Result};

/// Fewer bytes are refused.
const MIN_SECRET_OCTETS: usize = 32;

pub(crate) struct Keys {
    /// Signs the tokens of letters; only we verify those.
    pub(crate) letter: [u8; 32],
    /// Makes the unguessable part of a letter's token, and its six digits.
    pub(crate) proof: hmac::Key,
    /// Makes the successor of a refresh token.
    pub(crate) succession: hmac::Key,
    /// Makes the salt of an address.
    salting: hmac::Key,
    /// Names accounts in the memory of limits.
    pub(crate) limits: hmac::Key,
    /// Makes the tags that stand for addresses in traces of refusals.
    pub(crate) traces: hmac::Key,
    /// Blurs the mailboxes and networks for which letters are counted.
    pub(crate) letter_caps: hmac::Key,
    /// Marks devices that have signed in before.
    pub(crate) devices: hmac::Key,
    /// The keys of access tokens are derived from this one.
    access: [u8; 32],
    ring: RwLock<Arc<KeyRing>>,
}

impl Keys {
    pub(crate) fn derive(secret: &SecretSlice<u8>) -> Result<Self> {
        let secret = secret.expose_secret();
        if secret.len() < MIN_SECRET_OCTETS {
            return Err(Error::internal(format!("the secret must have {MIN_SECRET_OCTETS} bytes or more")));
        }
        let derive = |purpose: &str| derive(secret, &[purpose.as_bytes()]);
        Ok(Self {
            letter: derive("letter token")?,
            proof: hmac::Key::new(hmac::HMAC_SHA256, &derive("letter proof")?),
            succession: hmac::Key::new(hmac::HMAC_SHA256, &derive("refresh token succession")?),
            salting: hmac::Key::new(hmac::HMAC_SHA256, &derive("password salt")?),
            limits: hmac::Key::new(hmac::HMAC_SHA256, &derive("limits")?),
            traces: hmac::Key::new(hmac::HMAC_SHA256, &derive("traces of refusals")?),
            letter_caps: hmac::Key::new(hmac::HMAC_SHA256, &derive("letter caps")?),
            devices: hmac::Key::new(hmac::HMAC_SHA256, &derive("known device")?),
            access: derive("access token")?,
            ring: RwLock::default(),
        })
    }

    /// The salt of every password that is chosen for an address: nobody else's, and known to nobody outside.
    pub(crate) fn salt(&self, email_key: &str) -> PasswordSalt {
        let mut salt = PasswordSalt::default();
        for (octet, made) in salt.iter_mut().zip(hmac::sign(&self.salting, email_key.as_bytes()).as_ref()) {
            *octet = *made;
        }
        salt
    }

    /// The keys of access tokens, as they are at this moment.
    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what the database names. Rows that another secret made are none of ours.
    pub(crate) fn load(&self, rows: Vec<KeyRow>) -> Result<()> {
        if self.ring().is_of(&rows) {
            return Ok(());
        }
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            let key = self.signing_key(&row.algorithm, &row.salt, row.signs_from, row.retires_at)?;
            keys.extend(key.filter(|key| key.id == row.id));
        }
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(KeyRing::new(rows, keys));
        Ok(())
    }

    /// The key of a salt: always the same. Nothing for an algorithm that this version does not know.
    pub(crate) fn signing_key(
        &self,
        algorithm: &str,
        salt: &[u8],
        signs_from: DateTime<Utc>,
        retires_at: Option<DateTime<Utc>>,
    ) -> Result<Option<SigningKey>> {
        SigningKey::make(algorithm, signs_from, retires_at, |round| {
            derive(&self.access, &[algorithm.as_bytes(), &[round], salt])
        })
    }
}

fn derive(secret: &[u8], info: &[&[u8]]) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    let okm = Salt::new(HKDF_SHA256, b"vestibule").extract(secret);
    okm.expand(info, HKDF_SHA256).and_then(|okm| okm.fill(&mut key)).map_err(Error::internal_crypto)?;
    Ok(key)
}

impl Error {
    /// The crypto library's errors say nothing, by design.
    pub(crate) fn internal_crypto<E>(_: E) -> Self {
        Self::internal("the crypto library refused")
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_secret_is_refused() {
        assert!(Keys::derive(&vec![7; 31].into()).is_err());
        assert!(Keys::derive(&vec![7; 32].into()).is_ok());
    }

    #[test]
    fn each_purpose_has_a_key_of_its_own() {
        let secret = [7; 32];
        assert_ne!(derive(&secret, &[b"a"]).expect("a key"), derive(&secret, &[b"b"]).expect("a key"));
    }
}
