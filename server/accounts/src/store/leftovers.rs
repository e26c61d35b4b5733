//! What nobody needs any more, in every table: deleted a few rows at a time.
//!
//! A row that others hang on goes after them, and they are counted: a deletion that cascades would be as long as the
//! longest chain. Each choice follows an index of migration 20, and both statements of a kind choose alike.

use chrono::{DateTime, Utc};

use super::{Tx, on_either};
use crate::Result;

/// Of which kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leftover {
    /// Expired.
    BrowserSession,
    /// Expired, with their letters.
    OneTimeToken,
    /// Posted, by their age.
    Letter,
    /// Rows that are no letters: they have done what they are for when they were written.
    Decoy,
    /// Counts of letters, by their age.
    LetterRequest,
    /// In the built-in mailbox, by their age.
    MailboxMessage,
    /// Sign-ups that nobody proved, without a letter that is still remembered. By `updated_at`: imported people were
    /// created elsewhere, long ago, and have as long to prove their address as others. Disabled ones are kept: they keep
    /// the address from being used again.
    UnprovenUser,
    /// By the time of their use.
    UsedRefreshToken,
    /// By their absolute end.
    ExpiredSession,
    /// Ended before.
    EndedSession,
    /// News.
    Change,
    /// By their age.
    AuditEvent,
    /// Retired.
    SigningKey,
}

impl Tx {
    /// Deletes `at_most` rows or fewer, those that hang on others included. Fewer means that there are no more.
    pub(crate) async fn delete_leftovers(
        &mut self,
        kind: Leftover,
        before: DateTime<Utc>,
        at_most: u32,
    ) -> Result<u32> {
        let gone = match kind.dependents() {
            Some(dependents) => self.delete(dependents, before, at_most).await?,
            None => 0,
        };
        Ok(gone + self.delete(kind.own(), before, at_most.saturating_sub(gone)).await?)
    }

    async fn delete(&mut self, sql: &'static str, before: DateTime<Utc>, at_most: u32) -> Result<u32> {
        if at_most == 0 {
            return Ok(0);
        }
        let gone = on_either!(self, conn => sqlx::query(sql)
            .bind(before).bind(i64::from(at_most)).execute(conn).await?.rows_affected());
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }
}

/// The rows of a table whose time came first: table, key, time.
macro_rules! oldest {
    ($table:literal, $key:literal, $time:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE ",
            $key,
            " IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $time,
            " < $1 ORDER BY ",
            $time,
            " LIMIT $2)"
        )
    };
}

impl Leftover {
    /// Rows that hang on those of [`own`](Self::own).
    const fn dependents(self) -> Option<&'static str> {
        Some(match self {
            Self::OneTimeToken => {
                "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE token_id IN (
                     SELECT id FROM one_time_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) LIMIT $2)"
            }
            Self::UnprovenUser => {
                "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE user_id IN (
                     SELECT id FROM users WHERE verified_at IS NULL AND disabled_at IS NULL AND updated_at < $1
                     AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.user_id = users.id)
                     AND NOT EXISTS (SELECT 1 FROM one_time_tokens WHERE one_time_tokens.user_id = users.id)
                     ORDER BY verified_at, updated_at LIMIT $2) LIMIT $2)"
            }
            Self::ExpiredSession => {
                "DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE session_id IN (
                     SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) LIMIT $2)"
            }
            Self::EndedSession => {
                "DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE session_id IN (
                     SELECT id FROM sessions WHERE ended_at < $1 ORDER BY ended_at LIMIT $2) LIMIT $2)"
            }
            _ => return None,
        })
    }

    const fn own(self) -> &'static str {
        match self {
            Self::BrowserSession => oldest!("browser_sessions", "id_hash", "expires_at"),
            Self::OneTimeToken => oldest!("one_time_tokens", "id", "expires_at"),
            Self::Letter => oldest!("outbox", "id", "created_at"),
            Self::Decoy => {
                "DELETE FROM outbox WHERE id IN (
                     SELECT id FROM outbox WHERE letter = 'nothing' AND sent_at IS NULL AND given_up_at IS NULL
                     AND next_attempt_at < $1 ORDER BY next_attempt_at LIMIT $2)"
            }
            Self::LetterRequest => oldest!("letter_requests", "id", "asked_at"),
            Self::MailboxMessage => oldest!("mailbox_messages", "id", "created_at"),
            Self::UnprovenUser => {
                "DELETE FROM users WHERE id IN (
                     SELECT id FROM users WHERE verified_at IS NULL AND disabled_at IS NULL AND updated_at < $1
                     AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.user_id = users.id)
                     AND NOT EXISTS (SELECT 1 FROM one_time_tokens WHERE one_time_tokens.user_id = users.id)
                     ORDER BY verified_at, updated_at LIMIT $2)"
            }
            Self::UsedRefreshToken => oldest!("refresh_tokens", "hash", "used_at"),
            Self::ExpiredSession => oldest!("sessions", "id", "expires_at"),
            Self::EndedSession => oldest!("sessions", "id", "ended_at"),
            Self::Change => oldest!("changes", "id", "changed_at"),
            Self::AuditEvent => oldest!("audit_events", "id", "happened_at"),
            Self::SigningKey => oldest!("signing_keys", "id", "retires_at"),
        }
    }
}
