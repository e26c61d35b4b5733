//! Tidying up: what nobody needs any more is deleted, while people go on signing in.
//!
//! There may be millions of dead rows, after an attack or a year without tidying, and SQLite has one writer. So each
//! transaction deletes a thousand rows at most, and then leaves the database alone for as long as it took: tidying
//! never has more than half of the writer's time, and no statement is long enough to be cancelled.

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::Leftover;
use crate::{Accounts, EmailVerification, Result};

/// Rows of one transaction.
const BATCH: u32 = 1_000;

/// Sent letters, the built-in mailbox and ended sessions are kept this long.
const KEPT: TimeDelta = TimeDelta::days(30);

/// A week in which a second click on a link is still told what it was.
const TOKENS_KEPT: TimeDelta = TimeDelta::days(7);

/// How long a used refresh token is known to be one: a person who opens the laptop after a weekend, with a token that
/// a thief has used meanwhile, still ends the thief's session. A session in constant use leaves 288 of them a day.
const USED_KEPT: TimeDelta = TimeDelta::days(3);

/// What happened to accounts is kept this long.
const AUDIT_KEPT: TimeDelta = TimeDelta::days(90);

/// No cap counts letters for longer.
const COUNTED: TimeDelta = TimeDelta::days(1);

/// All processes have read the news by then.
const NEWS_KEPT: TimeDelta = TimeDelta::hours(1);

impl Accounts {
    /// Forgets what nobody needs any more. A kind that cannot be deleted now does not keep the others.
    pub async fn purge(&self) -> Result<()> {
        let mut outcome = Ok(());
        for (kind, before) in self.due() {
            if let Err(error) = self.purge_kind(kind, before).await {
                tracing::warn!(%error, ?kind, "tidying stopped before its end");
                outcome = Err(error);
            }
        }
        outcome
    }

    /// In an order in which those that others hang on come after them.
    fn due(&self) -> Vec<(Leftover, DateTime<Utc>)> {
        let now = self.0.clock.now();
        let mut due = vec![
            (Leftover::BrowserSession, now),
            (Leftover::OneTimeToken, now - TOKENS_KEPT),
            (Leftover::Letter, now - KEPT),
            (Leftover::Decoy, now),
            (Leftover::LetterRequest, now - COUNTED),
            (Leftover::MailboxMessage, now - KEPT),
            (Leftover::UsedRefreshToken, now - USED_KEPT),
            (Leftover::ExpiredSession, now - KEPT),
            (Leftover::EndedSession, now - KEPT),
            (Leftover::Change, now - NEWS_KEPT),
            (Leftover::AuditEvent, now - AUDIT_KEPT),
            (Leftover::SigningKey, now - KEPT),
        ];
        // Where proof is not asked, an account without it is an account like any other.
        if self.settings().email_verification == EmailVerification::Mandatory {
            due.push((Leftover::UnprovenUser, now - self.settings().lifetimes.verify));
        }
        due
    }

    async fn purge_kind(&self, kind: Leftover, before: DateTime<Utc>) -> Result<()> {
        let mut rows = 0_u64;
        loop {
            let begun_at = self.0.clock.monotonic();
            let mut tx = self.0.store.tidy().await?;
            let gone = tx.delete_leftovers(kind, before, BATCH).await?;
            tx.commit().await?;
            rows += u64::from(gone);
            if gone < BATCH {
                tracing::debug!(?kind, rows, "purged");
                return Ok(());
            }
            self.pause_since(begun_at).await;
        }
    }

    async fn pause_since(&self, begun_at: TimeDelta) {
        let took = (self.0.clock.monotonic() - begun_at).to_std().unwrap_or_default();
        tokio::time::sleep(took).await;
    }
}
