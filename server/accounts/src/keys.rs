//! The keys of the service: one for each purpose, all derived from the operator's secret (HKDF-SHA-256, RFC 5869).
//!
//! A key that is used for one thing cannot be used against another, and there is one secret to keep, not five.
//! Access tokens are signed with Ed25519 (RFC 8032), so that other services verify them and cannot make them.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::{Error, Result};

/// Fewer bytes are refused.
const MIN_SECRET_OCTETS: usize = 32;

pub(crate) struct Keys {
    /// Signs and verifies access tokens.
    pub(crate) access: SigningKey,
    /// Signs the tokens of letters; only we verify those.
    pub(crate) letter: [u8; 32],
    /// Makes the unguessable part of a letter's token, and its six digits.
    pub(crate) proof: hmac::Key,
    /// Makes the successor of a refresh token.
    pub(crate) succession: hmac::Key,
}

/// A key pair and its name.
pub(crate) struct SigningKey {
    /// `kid` of RFC 7515: the beginning of the public key's SHA-256.
    pub(crate) id: String,
    pub(crate) encoding: EncodingKey,
    pub(crate) decoding: DecodingKey,
    /// The public key, base64url: the `x` of RFC 8037.
    x: String,
}

impl Keys {
    pub(crate) fn derive(secret: &SecretSlice<u8>) -> Result<Self> {
        let secret = secret.expose_secret();
        if secret.len() < MIN_SECRET_OCTETS {
            return Err(Error::internal(format!("the secret must have {MIN_SECRET_OCTETS} bytes or more")));
        }
        let derive = |purpose: &str| derive(secret, purpose);
        Ok(Self {
            access: SigningKey::from_seed(&derive("access token")?)?,
            letter: derive("letter token")?,
            proof: hmac::Key::new(hmac::HMAC_SHA256, &derive("letter proof")?),
            succession: hmac::Key::new(hmac::HMAC_SHA256, &derive("refresh token succession")?),
        })
    }

    /// RFC 7517, RFC 8037. Public members only.
    pub(crate) fn public_set(&self) -> serde_json::Value {
        let SigningKey { id, x, .. } = &self.access;
        serde_json::json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": id, "x": x }] })
    }
}

impl SigningKey {
    fn from_seed(seed: &[u8; 32]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(Error::internal_crypto)?;
        let public = pair.public_key().as_ref();
        let x = BASE64_URL_SAFE_NO_PAD.encode(public);
        let id = BASE64_URL_SAFE_NO_PAD.encode(&digest::digest(&digest::SHA256, public).as_ref()[..12]);
        let pkcs8 = pair.to_pkcs8v1().map_err(Error::internal_crypto)?;
        let decoding = DecodingKey::from_ed_components(&x).map_err(Error::internal)?;
        Ok(Self { id, encoding: EncodingKey::from_ed_der(pkcs8.as_ref()), decoding, x })
    }
}

fn derive(secret: &[u8], purpose: &str) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    let info = [purpose.as_bytes()];
    let okm = Salt::new(HKDF_SHA256, b"vestibule").extract(secret);
    okm.expand(&info, HKDF_SHA256).and_then(|okm| okm.fill(&mut key)).map_err(Error::internal_crypto)?;
    Ok(key)
}

impl Error {
    /// The crypto library's errors say nothing, by design.
    fn internal_crypto<E>(_: E) -> Self {
        Self::internal("the crypto library refused")
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.access.id)
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
    fn the_published_set_has_no_private_member() {
        let set = Keys::derive(&vec![7; 32].into()).expect("keys").public_set();
        let members: Vec<_> = set["keys"][0].as_object().expect("an object").keys().cloned().collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
    }

    #[test]
    fn each_purpose_has_a_key_of_its_own() {
        let secret = [7; 32];
        assert_ne!(derive(&secret, "a").expect("a key"), derive(&secret, "b").expect("a key"));
    }
}
