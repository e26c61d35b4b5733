//! Whether the answer to a renewal has arrived.
//!
//! An answer can be lost: a time-out, a tunnel, a crash in between. The client then has nothing but the refresh token that
//! it used, and must not be taken for a thief when it brings it again. It is one only if somebody has what the answer held:
//! the successor was used, or the access token that came with it was seen here. This process remembers the newest access
//! token of each session that it has seen; what it forgets, or never saw, counts as lost, which signs nobody out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Sessions remembered at most; then all are forgotten.
const MAX_SESSIONS: usize = 100_000;

#[derive(Debug, Default)]
pub(crate) struct Delivered(Mutex<HashMap<Uuid, Uuid>>);

impl Delivered {
    /// An access token was presented. Its id says when it was made (RFC 9562 5.7).
    pub(crate) fn note(&self, session: Uuid, token: Uuid) {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.len() >= MAX_SESSIONS && !newest.contains_key(&session) {
            newest.clear();
        }
        let newest = newest.entry(session).or_insert(token);
        *newest = token.max(*newest);
    }

    /// Whether an access token was presented that is no older than a refresh token.
    pub(crate) fn has_arrived(&self, session: Uuid, made_at: DateTime<Utc>) -> bool {
        let newest = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&session).copied();
        let made = newest.and_then(|token| token.get_timestamp()).map(|time| time.to_unix());
        made.is_some_and(|(seconds, nanos)| {
            let millis = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000) + i64::from(nanos / 1_000_000);
            millis >= made_at.timestamp_millis()
        })
    }
}
