//! JSON Web Tokens (RFC 7519), by the rules of RFC 8725: one algorithm for one key, a type for each kind, issuer,
//! audience and times all required. Times are judged by our own clock.

use chrono::{DateTime, TimeDelta, Utc};
use contract::Refusal;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
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

/// Longer than any token we make.
const MAX_OCTETS: usize = 4096;

/// What an access token says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccessClaims {
    iss: String,
    aud: String,
    pub(crate) sub: Uuid,
    pub(crate) sid: Uuid,
    jti: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
    auth_time: i64,
    amr: Vec<String>,
    email: String,
    email_verified: bool,
    user_type: String,
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
    let header =
        Header { kid: Some(keys.access.id.clone()), typ: Some(ACCESS_TYP.to_owned()), ..Header::new(Algorithm::EdDSA) };
    let token = jsonwebtoken::encode(&header, &claims, &keys.access.encoding).map_err(Error::internal)?;
    Ok((token, lives))
}

/// What a presented access token says, if it is one of ours and alive.
pub(crate) fn read_access(token: &str, now: DateTime<Utc>, settings: &Settings, keys: &Keys) -> Option<AccessClaims> {
    let is_ours = |header: &Header| header.kid.as_deref() == Some(&keys.access.id);
    let claims: AccessClaims = read(token, ACCESS_TYP, Algorithm::EdDSA, &keys.access.decoding, is_ours)?;
    let at = |seconds| DateTime::from_timestamp(seconds, 0);
    let is_alive = at(claims.exp)? > now && at(claims.nbf)? <= now + LEEWAY && at(claims.iat)? <= now + LEEWAY;
    let is_for_us = claims.iss == settings.public_url && claims.aud == settings.public_url;
    (is_alive && is_for_us).then_some(claims)
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
    let header = Header { typ: Some(purpose.typ().to_owned()), ..Header::new(Algorithm::HS256) };
    let claims = LetterClaims {
        aud: purpose.name().to_owned(),
        jti: proof.jti.clone(),
        iat: created_at.timestamp(),
        exp: expires_at.timestamp(),
    };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&keys.letter)).map_err(Error::internal)
}

/// The `jti` of a letter's token. Garbage and old ones are told apart without the database.
pub(crate) fn read_letter(token: &str, purpose: Purpose, now: DateTime<Utc>, keys: &Keys) -> Result<String, Refusal> {
    let key = DecodingKey::from_secret(&keys.letter);
    let claims: LetterClaims =
        read(token.trim(), purpose.typ(), Algorithm::HS256, &key, |_| true).ok_or(Refusal::TokenInvalid)?;
    if claims.aud != purpose.name() {
        return Err(Refusal::TokenInvalid);
    }
    if claims.exp <= now.timestamp() { Err(Refusal::TokenExpired) } else { Ok(claims.jti) }
}

fn read<T: DeserializeOwned>(
    token: &str,
    typ: &str,
    algorithm: Algorithm,
    key: &DecodingKey,
    is_ours: impl Fn(&Header) -> bool,
) -> Option<T> {
    if token.len() > MAX_OCTETS {
        return None;
    }
    let mut validation = Validation::new(algorithm);
    // Times and audience are judged by the callers: by our clock, and required because the claims are typed.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let read = jsonwebtoken::decode::<T>(token, key, &validation).ok()?;
    let header = &read.header;
    let is_plain = header.crit.is_none() && header.cty.is_none() && header.jku.is_none() && header.jwk.is_none();
    (is_plain && header.typ.as_deref() == Some(typ) && is_ours(header)).then_some(read.claims)
}
