//! JSON Web Tokens (RFC 7519), by the rules of RFC 8725: one algorithm for one key, a type for each kind, issuer,
//! audience and times all required. Times are judged by our own clock.
//!
//! Only tokens as we make them are read: a header with any other member (`jku`, `jwk`, `x5u`, `crit`, `b64`, `zip` …)
//! is not ours, whatever it is signed with. Claims are another matter: a newer release may say more, beside this one,
//! so what is not known is left alone, and a claim that is added here gets a default (`#[serde(default)]`), because
//! the tokens of an older release lack it. Links in letters live longest: theirs are the same.
//!
//! A header's `alg` is the name that the key is published under, and no other name of the same algorithm (RFC 9864).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use contract::Refusal;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::Keys;
use crate::sessions::Session;
use crate::tokens::{Proof, Purpose, new_id};
use crate::{Error, Result, Settings, User};

/// Clocks of other machines may be this far off.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// RFC 9068.
const ACCESS_TYP: &str = "at+jwt";

/// RFC 7518 3.1.
const LETTER_ALG: &str = "HS256";

/// Longer than any token we make.
const MAX_OCTETS: usize = 4096;

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The public URL.
    pub iss: String,
    /// The same.
    pub aud: String,
    /// The person.
    pub sub: Uuid,
    /// The session.
    pub sid: Uuid,
    /// This token.
    pub jti: Uuid,
    /// Made at, in seconds since 1970 (RFC 7519 2).
    pub iat: i64,
    /// Valid from.
    pub nbf: i64,
    /// Valid until.
    pub exp: i64,
    /// When the person last proved who they are.
    pub auth_time: i64,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// The address.
    pub email: String,
    /// Whether its mailbox was proven.
    pub email_verified: bool,
    /// What the account is for.
    pub user_type: String,
}

/// Makes the access token of a session. Ends with the session, if that is sooner.
pub(crate) fn issue_access(
    user: &User,
    session: &Session,
    now: DateTime<Utc>,
    settings: &Settings,
    keys: &Keys,
) -> Result<(String, TimeDelta)> {
    let lives = settings.lifetimes.access.min(session.expires_at - now);
    let claims = AccessClaims {
        iss: settings.public_url.clone(),
        aud: settings.public_url.clone(),
        sub: user.id,
        sid: session.id,
        jti: new_id(now)?,
        iat: now.timestamp(),
        nbf: now.timestamp(),
        exp: (now + lives).timestamp(),
        auth_time: session.auth_time.timestamp(),
        amr: session.amr.split(' ').map(str::to_owned).collect(),
        email: user.email.clone(),
        email_verified: user.email_verified,
        user_type: user.user_type.clone(),
    };
    let ring = keys.ring();
    let key = ring.signing(now)?;
    let head = Head { typ: ACCESS_TYP.to_owned(), alg: key.alg.to_owned(), kid: Some(key.id.clone()) };
    Ok((encode(&head, &claims, key.algorithm, &key.encoding)?, lives))
}

/// What a presented access token says: one of ours, alive, for us.
pub(crate) fn read_access(
    token: &str,
    now: DateTime<Utc>,
    settings: &Settings,
    keys: &Keys,
) -> Result<AccessClaims, Refusal> {
    let ring = keys.ring();
    let read = || {
        let Head { typ, kid, alg } = head(token)?;
        let key = ring.named(kid.as_deref()?, now).filter(|key| alg == key.alg && typ == ACCESS_TYP)?;
        decode::<AccessClaims>(token, key.algorithm, &key.decoding)
    };
    let claims = read().ok_or(Refusal::SessionInvalid)?;
    let at = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(Refusal::SessionInvalid);
    let (made, from, until) = (at(claims.iat)?, at(claims.nbf)?, at(claims.exp)?);
    // Longer than we would let it live now is too long, whenever it was made.
    let is_sane = made <= now + LEEWAY && from <= now + LEEWAY && until - made <= settings.lifetimes.access + LEEWAY;
    if !is_sane || claims.iss != settings.public_url || claims.aud != settings.public_url {
        return Err(Refusal::SessionInvalid);
    }
    if until > now { Ok(claims) } else { Err(Refusal::SessionExpired) }
}

#[derive(Debug, Serialize, Deserialize)]
struct LetterClaims {
    aud: String,
    jti: String,
    iat: i64,
    exp: i64,
}

/// Makes the token of a letter's link.
pub(crate) fn issue_letter(
    purpose: Purpose,
    proof: &Proof,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    keys: &Keys,
) -> Result<String> {
    let head = Head { typ: purpose.typ().to_owned(), alg: LETTER_ALG.to_owned(), kid: None };
    let claims = LetterClaims {
        aud: purpose.name().to_owned(),
        jti: proof.jti.clone(),
        iat: created_at.timestamp(),
        exp: expires_at.timestamp(),
    };
    encode(&head, &claims, Algorithm::HS256, &EncodingKey::from_secret(&keys.letter))
}

/// The `jti` of a letter's token. Garbage and old ones are told apart without the database.
pub(crate) fn read_letter(token: &str, purpose: Purpose, now: DateTime<Utc>, keys: &Keys) -> Result<String, Refusal> {
    let token = token.trim();
    let read = || {
        let Head { typ, kid, alg } = head(token)?;
        if kid.is_some() || alg != LETTER_ALG || typ != purpose.typ() {
            return None;
        }
        decode::<LetterClaims>(token, Algorithm::HS256, &DecodingKey::from_secret(&keys.letter))
    };
    let claims = read().filter(|claims| claims.aud == purpose.name()).ok_or(Refusal::TokenInvalid)?;
    if claims.exp <= now.timestamp() { Err(Refusal::TokenExpired) } else { Ok(claims.jti) }
}

/// A header as we write it, and nothing more.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    typ: String,
    alg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
}

/// RFC 7515 7.1. The library signs; it knows no second name of an algorithm, so the header is written here.
fn encode(head: &Head, claims: &impl Serialize, algorithm: Algorithm, key: &EncodingKey) -> Result<String> {
    let head = serde_json::to_vec(head).map_err(Error::internal)?;
    let claims = serde_json::to_vec(claims).map_err(Error::internal)?;
    let message = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(head), BASE64_URL_SAFE_NO_PAD.encode(claims));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).map_err(Error::internal)?;
    Ok(format!("{message}.{signature}"))
}

/// Says which key to try. Nothing of it is believed before the signature is.
fn head(token: &str) -> Option<Head> {
    if token.len() > MAX_OCTETS {
        return None;
    }
    let octets = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
    serde_json::from_slice(&octets).ok()
}

/// The claims of a token that was signed with this key. Times and audience are judged by the callers: by our clock,
/// and required because the claims are typed.
fn decode<T: DeserializeOwned>(token: &str, algorithm: Algorithm, key: &DecodingKey) -> Option<T> {
    let (message, signature) = token.rsplit_once('.')?;
    if !crypto::verify(signature, message.as_bytes(), key, algorithm).ok()? {
        return None;
    }
    let (_, claims) = message.split_once('.')?;
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

#[cfg(test)]
mod tests;
