//! One line of an import: what it may say, and what it becomes.
//!
//! The same rules as at sign-up for addresses, names and phone numbers. What is wrong is told without its value,
//! which may be a secret in the wrong place.

use chrono::{DateTime, Utc};
use contract::{EmailAddress, Fault, person, phone};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::HashKind;
use crate::address;
use crate::foreign_hash::{self, ForeignHash, Unreadable};
use crate::store::Profile;

const KEYS: [&str; 8] =
    ["email", "password_hash", "first_name", "last_name", "user_type", "phone", "email_verified", "created_at"];

/// A kind of account that no sign-up offers, and an operator may give.
const ADMIN: &str = "admin";

/// Of an unknown key, that much is told.
const TOLD_CHARS: usize = 40;

/// A person who is to have an account.
pub(crate) struct Newcomer {
    pub(crate) email: EmailAddress,
    pub(crate) email_key: String,
    pub(crate) password_hash: String,
    pub(crate) profile: Profile,
    pub(crate) verified_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) kind: HashKind,
}

impl Newcomer {
    /// Reads a line, or says what is wrong with it.
    pub(crate) fn read(line: &str, user_types: &[String], now: DateTime<Utc>) -> Result<Self, String> {
        let mut object = Object::read(line)?;
        let email = object.text("email")?.ok_or_else(|| told("email", Fault::Missing))?;
        let email = EmailAddress::parse(&email).map_err(|fault| told("email", fault))?;
        let email_key = address::key(&email).map_err(|fault| told("email", fault))?;
        let (password_hash, kind) = read_hash(object.text("password_hash")?)?;
        let profile = Profile {
            first_name: object.parsed("first_name", person::parse_name)?.unwrap_or_default(),
            last_name: object.parsed("last_name", person::parse_name)?.unwrap_or_default(),
            user_type: read_user_type(object.text("user_type")?, user_types)?,
            phone: object.parsed("phone", phone::parse)?,
            locale: "en".to_owned(),
            terms_version: None,
            terms_accepted_at: None,
        };
        let is_verified = object.choice("email_verified")?.unwrap_or_default();
        let created_at = object.text("created_at")?.map(|text| read_time(&text, now)).transpose()?.unwrap_or(now);
        let verified_at = is_verified.then_some(created_at);
        Ok(Self { email, email_key, password_hash, profile, verified_at, created_at, kind })
    }
}

/// What to store, and which kind it is. Django marks accounts without a password by a hash that begins with `!`.
fn read_hash(text: Option<String>) -> Result<(String, HashKind), String> {
    let Some(text) = text.filter(|text| !text.starts_with('!')) else {
        return Ok((foreign_hash::UNUSABLE.to_owned(), HashKind::None));
    };
    let kind = if text.starts_with("$argon2id$") {
        foreign_hash::parse_argon2(&text).map(|_| HashKind::Argon2id)
    } else {
        ForeignHash::parse(&text).map(|hash| match hash {
            ForeignHash::Pbkdf2Sha256 { .. } => HashKind::Pbkdf2Sha256,
            ForeignHash::Argon2(_) => HashKind::Argon2,
            ForeignHash::BcryptSha256(_) => HashKind::BcryptSha256,
        })
    };
    let what = |unreadable| match unreadable {
        Unreadable::UnknownKind => "is of a kind that is not taken",
        Unreadable::Malformed => "is not in the format of its kind",
        Unreadable::TooCostly => "costs more than is allowed",
    };
    kind.map(|kind| (text, kind)).map_err(|unreadable| format!("password_hash: {}", what(unreadable)))
}

fn read_user_type(text: Option<String>, offered: &[String]) -> Result<String, String> {
    match text {
        None => Ok(offered.first().cloned().unwrap_or_default()),
        Some(kind) if kind == ADMIN || offered.contains(&kind) => Ok(kind),
        Some(_) => Err(format!("user_type: must be one of {}, {ADMIN}", offered.join(", "))),
    }
}

/// In the microseconds that both databases keep; a leap second becomes the one after it.
fn read_time(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text)
        .ok()
        .and_then(|time| DateTime::from_timestamp_micros(time.timestamp_micros()))
        .ok_or("created_at: must be a time like 2026-01-31T12:00:00Z (RFC 3339)")?;
    let is_possible = (DateTime::UNIX_EPOCH..=now).contains(&time);
    if is_possible { Ok(time) } else { Err("created_at: must be after 1970 and not in the future".to_owned()) }
}

fn told(key: &str, fault: Fault) -> String {
    let what = match fault {
        Fault::Missing => "is missing",
        Fault::TooLong => "is too long",
        _ => "is not in the correct format",
    };
    format!("{key}: {what}")
}

/// The keys of a line that have a value. Nothing, `null` and empty text are the same, as in a form.
struct Object(Vec<(String, Value)>);

impl Object {
    fn read(line: &str) -> Result<Self, String> {
        // The parser's own words may repeat what they are about.
        let object: Self = serde_json::from_str(line).map_err(|_| "is not one JSON object".to_owned())?;
        for (at, (key, _)) in object.0.iter().enumerate() {
            let told: String = key.chars().take(TOLD_CHARS).collect();
            if !KEYS.contains(&key.as_str()) {
                return Err(format!("unknown key {told:?}"));
            }
            if object.0[..at].iter().any(|(other, _)| other == key) {
                return Err(format!("{told}: is there twice"));
            }
        }
        Ok(object)
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.swap_remove(at).1).filter(|value| !value.is_null())
    }

    fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
            Some(_) => Err(format!("{key}: must be text")),
        }
    }

    fn parsed(&mut self, key: &str, parse: fn(&str) -> Result<String, Fault>) -> Result<Option<String>, String> {
        self.text(key)?.map(|text| parse(&text).map_err(|fault| told(key, fault))).transpose()
    }

    fn choice(&mut self, key: &str) -> Result<Option<bool>, String> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Bool(choice)) => Ok(Some(choice)),
            Some(_) => Err(format!("{key}: must be true or false")),
        }
    }
}

/// By hand, because a map would silently keep one of two values of a key.
impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}
