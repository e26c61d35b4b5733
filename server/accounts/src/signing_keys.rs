//! How one key of access tokens takes the place of another.
//!
//! A new key is published before it signs, for longer than other services keep the set; the old one stays published
//! until its last token has died. So nobody is signed out, and no service meets a token it cannot verify. A key is
//! derived from the service's secret and a salt: the database names keys and holds none.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::audit::Event;
use crate::store::KeyRow;
use crate::tokens::random;
use crate::{Accounts, Error, Result};

/// Other services keep the set for five minutes; twice that, for clocks and slow caches.
const PUBLISHED_AHEAD: TimeDelta = TimeDelta::minutes(10);

/// After the last token of a key has died, for clocks of others.
const KEPT_AFTER: TimeDelta = TimeDelta::minutes(5);

/// The salt of the first key, which every process makes alike.
const FIRST: [u8; 16] = [0; 16];

/// A key as its operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// `kid`.
    pub id: String,
    /// `EdDSA`, `Ed25519` or `ES256`.
    pub algorithm: String,
    /// Since when it is published.
    pub created_at: DateTime<Utc>,
    /// From when on it signs.
    pub signs_from: DateTime<Utc>,
    /// When its last token has died.
    pub retires_at: Option<DateTime<Utc>>,
    /// Whether tokens are signed with it now.
    pub is_signing: bool,
}

impl Accounts {
    /// The public keys that verify access tokens, as a JWK set.
    pub fn public_keys(&self) -> Value {
        self.0.keys.ring().public_set(self.0.clock.now())
    }

    /// The keys of access tokens, oldest first.
    pub fn signing_keys(&self) -> Vec<KeyState> {
        self.0.keys.ring().states(self.0.clock.now())
    }

    /// Makes a new key. It is published at once and signs in ten minutes; older ones are kept until their last token
    /// has died. Answers the keys as they are then.
    pub async fn rotate_keys(&self) -> Result<Vec<KeyState>> {
        let now = self.0.clock.now();
        self.add_key(&random::<16>()?, now + PUBLISHED_AHEAD).await?;
        Ok(self.signing_keys())
    }

    /// Before tokens are made: there is a key to sign with, and the newest is of the algorithm that the settings name.
    /// For the process that serves, not for commands: those may be run with other settings, by mistake.
    pub async fn prepare_keys(&self) -> Result<()> {
        let now = self.0.clock.now();
        let rows = self.0.store.read().await?.signing_keys().await?;
        let salt = if rows.is_empty() { FIRST } else { random()? };
        self.0.keys.load(rows)?;
        let ring = self.0.keys.ring();
        let newest = ring.keys.iter().rfind(|key| key.is_alive(now)).map(|key| key.alg);
        match (ring.signing(now), newest) {
            (Err(_), _) => self.add_key(&salt, now).await,
            (Ok(_), Some(alg)) if alg != self.settings().signing_algorithm.name() => {
                self.add_key(&salt, now + PUBLISHED_AHEAD).await
            }
            _ => Ok(()),
        }
    }

    async fn add_key(&self, salt: &[u8], signs_from: DateTime<Utc>) -> Result<()> {
        let now = self.0.clock.now();
        let algorithm = self.settings().signing_algorithm.name();
        let key = self.0.keys.signing_key(algorithm, salt, signs_from, None)?;
        let id = key.ok_or_else(|| Error::internal("no key could be made"))?.id;
        let mut tx = self.0.store.write_after_others().await?;
        let row = KeyRow {
            id: id.clone(),
            algorithm: algorithm.to_owned(),
            salt: salt.to_vec(),
            created_at: now,
            signs_from,
            retires_at: None,
        };
        tx.insert_signing_key(&row).await?;
        // Keys of another secret are not ours to end: the process that has it may be signing with them.
        for older in self.0.keys.ring().keys.iter().filter(|key| key.retires_at.is_none() && key.id != id) {
            let retires_at = signs_from + self.settings().lifetimes.access + KEPT_AFTER;
            tx.retire_signing_key(&older.id, retires_at).await?;
        }
        let event = if signs_from > now { Event::KeyRotated } else { Event::KeyMade };
        self.record(&mut tx, event, None, None, None).await?;
        let rows = tx.signing_keys().await?;
        tx.commit().await?;
        self.0.keys.load(rows)
    }
}
