//! The key pairs of access tokens as this process holds them: derived, told apart by name, and each for its time.
//!
//! Private parts never leave this file but to sign. How one key takes the place of another is in `signing_keys.rs`.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde_json::{Value, json};

use crate::store::KeyRow;
use crate::{Error, KeyState, Result, SigningAlgorithm};

/// Every key whose tokens may be alive, oldest first.
#[derive(Default)]
pub(crate) struct KeyRing {
    rows: Vec<KeyRow>,
    pub(crate) keys: Vec<SigningKey>,
}

impl KeyRing {
    pub(crate) fn new(rows: Vec<KeyRow>, keys: Vec<SigningKey>) -> Self {
        Self { rows, keys }
    }

    pub(crate) fn is_of(&self, rows: &[KeyRow]) -> bool {
        self.rows == rows
    }

    /// The newest that may sign. Where none may yet, the clock was set back to before the first one: that one then
    /// signs, because it has been published for longest, and people sign in.
    pub(crate) fn signing(&self, now: DateTime<Utc>) -> Result<&SigningKey> {
        let alive = || self.keys.iter().filter(|key| key.is_alive(now));
        let found = alive().rfind(|key| key.signs_from <= now).or_else(|| alive().next());
        found.ok_or_else(|| Error::internal("there is no key to sign with"))
    }

    /// By name, and by nothing else.
    pub(crate) fn named(&self, id: &str, now: DateTime<Utc>) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.id == id && key.is_alive(now))
    }

    /// RFC 7517.
    pub(crate) fn public_set(&self, now: DateTime<Utc>) -> Value {
        let alive = self.keys.iter().filter(|key| key.is_alive(now)).map(|key| &key.jwk);
        json!({ "keys": alive.collect::<Vec<_>>() })
    }

    pub(crate) fn states(&self, now: DateTime<Utc>) -> Vec<KeyState> {
        let signing = self.signing(now).ok().map(|key| key.id.clone());
        let ours = self.rows.iter().filter(|row| self.keys.iter().any(|key| key.id == row.id));
        ours.map(|row| KeyState {
            id: row.id.clone(),
            algorithm: row.algorithm.clone(),
            created_at: row.created_at,
            signs_from: row.signs_from,
            retires_at: row.retires_at,
            is_signing: signing.as_ref() == Some(&row.id),
        })
        .collect()
    }
}

impl SigningKey {
    pub(crate) fn is_alive(&self, now: DateTime<Utc>) -> bool {
        self.retires_at.is_none_or(|at| at > now)
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

/// A key pair and its name.
pub(crate) struct SigningKey {
    /// `kid` of RFC 7515: the beginning of the public key's SHA-256.
    pub(crate) id: String,
    pub(crate) algorithm: Algorithm,
    /// What tokens and the published key call it. Ed25519 has two names: `EdDSA` (RFC 8037) and `Ed25519` (RFC 9864).
    pub(crate) alg: &'static str,
    pub(crate) encoding: EncodingKey,
    pub(crate) decoding: DecodingKey,
    /// Public members only (RFC 7517, RFC 8037, RFC 7518 6.2.1).
    jwk: Value,
    signs_from: DateTime<Utc>,
    pub(crate) retires_at: Option<DateTime<Utc>>,
}

impl SigningKey {
    /// From 32 secret bytes. A few of them are no P-256 key: then those of the next round are asked for.
    pub(crate) fn make(
        algorithm: &str,
        signs_from: DateTime<Utc>,
        retires_at: Option<DateTime<Utc>>,
        seed: impl Fn(u8) -> Result<[u8; 32]>,
    ) -> Result<Option<Self>> {
        let made = match algorithm {
            "EdDSA" => Some(ed25519("EdDSA", &seed(0)?)?),
            "Ed25519" => Some(ed25519("Ed25519", &seed(0)?)?),
            "ES256" => {
                let mut found = None;
                for round in 0..8 {
                    found = found.or(p256(&seed(round)?)?);
                }
                found
            }
            _ => None,
        };
        Ok(made.map(|(id, algorithm, alg, encoding, decoding, jwk)| Self {
            id,
            algorithm,
            alg,
            encoding,
            decoding,
            jwk,
            signs_from,
            retires_at,
        }))
    }
}

type Made = (String, Algorithm, &'static str, EncodingKey, DecodingKey, Value);

fn ed25519(alg: &'static str, seed: &[u8; 32]) -> Result<Made> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(Error::internal_crypto)?;
    let public = pair.public_key().as_ref();
    let (id, x) = (name(public), BASE64_URL_SAFE_NO_PAD.encode(public));
    let pkcs8 = pair.to_pkcs8v1().map_err(Error::internal_crypto)?;
    let decoding = DecodingKey::from_ed_components(&x).map_err(Error::internal)?;
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": alg, "kid": id, "x": x });
    Ok((id, Algorithm::EdDSA, alg, EncodingKey::from_ed_der(pkcs8.as_ref()), decoding, jwk))
}

fn p256(seed: &[u8; 32]) -> Result<Option<Made>> {
    // ECPrivateKey of RFC 5915 without its public part, which is worked out from the rest.
    let mut der = vec![0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
    der.extend_from_slice(seed);
    der.extend_from_slice(&[0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
    let Ok(pair) = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der) else { return Ok(None) };
    // 0x04, then both coordinates (SEC 1, 2.3.3).
    let public = pair.public_key().as_ref();
    let Some((x, y)) = public.get(1..).and_then(|point| point.split_at_checked(32)) else { return Ok(None) };
    let (x, y) = (BASE64_URL_SAFE_NO_PAD.encode(x), BASE64_URL_SAFE_NO_PAD.encode(y));
    let id = name(public);
    let pkcs8 = pair.to_pkcs8v1().map_err(Error::internal_crypto)?;
    let decoding = DecodingKey::from_ec_components(&x, &y).map_err(Error::internal)?;
    let jwk = json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id, "x": x, "y": y });
    Ok(Some((id, Algorithm::ES256, "ES256", EncodingKey::from_ec_der(pkcs8.as_ref()), decoding, jwk)))
}

fn name(public: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&digest::digest(&digest::SHA256, public).as_ref()[..12])
}

impl SigningAlgorithm {
    /// RFC 7518 3.1, RFC 8037 3.1, RFC 9864 2.2.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
            Self::Es256 => "ES256",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(algorithm: &str, seed: [u8; 32]) -> SigningKey {
        let made = SigningKey::make(algorithm, DateTime::UNIX_EPOCH, None, |_| Ok(seed));
        made.expect("no failure").expect("a key")
    }

    #[test]
    fn published_keys_have_no_private_member() {
        for (algorithm, expected) in [
            ("EdDSA", vec!["alg", "crv", "kid", "kty", "use", "x"]),
            ("Ed25519", vec!["alg", "crv", "kid", "kty", "use", "x"]),
            ("ES256", vec!["alg", "crv", "kid", "kty", "use", "x", "y"]),
        ] {
            let jwk = key(algorithm, [7; 32]).jwk;
            let members: Vec<_> = jwk.as_object().expect("an object").keys().cloned().collect();
            assert_eq!(members, expected);
            assert_eq!(jwk["alg"], algorithm);
        }
    }

    #[test]
    fn a_seed_is_always_the_same_key_and_what_it_signs_verifies() {
        for (name, algorithm) in
            [("EdDSA", Algorithm::EdDSA), ("Ed25519", Algorithm::EdDSA), ("ES256", Algorithm::ES256)]
        {
            let (one, again, other) = (key(name, [7; 32]), key(name, [7; 32]), key(name, [8; 32]));
            assert_eq!(one.id, again.id);
            assert_ne!(one.id, other.id);
            let claims = json!({ "exp": 4_102_444_800_u64 });
            let header = jsonwebtoken::Header::new(algorithm);
            let token = jsonwebtoken::encode(&header, &claims, &one.encoding).expect("a token");
            let verify = |key: &SigningKey| {
                jsonwebtoken::decode::<Value>(&token, &key.decoding, &jsonwebtoken::Validation::new(algorithm)).is_ok()
            };
            assert!(verify(&again));
            assert!(!verify(&other));
        }
    }

    #[test]
    fn what_is_no_p256_key_is_passed_over() {
        let seed = |round| Ok(if round < 2 { [0xff; 32] } else { [9; 32] });
        let made = SigningKey::make("ES256", DateTime::UNIX_EPOCH, None, seed).expect("no failure").expect("a key");
        assert_eq!(made.id, key("ES256", [9; 32]).id);
    }
}
