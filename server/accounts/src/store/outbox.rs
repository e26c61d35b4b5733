//! Tables `outbox` and `mailbox_messages`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Tx, on_either};
use crate::{MailboxMessage, Result};

/// Which letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letter {
    /// Link and code.
    Confirm,
    /// To the owner of an address that somebody tried to sign up with.
    AlreadyRegistered,
    /// Link and code that lead to a new password.
    ResetPassword,
    /// To whoever asked for them without having an account.
    NoAccount,
    /// After the fact, to the owner.
    PasswordChanged,
    /// A used refresh token came back.
    SessionTheft,
    /// Never sent: costs what a letter costs.
    Nothing,
}

impl Letter {
    const ALL: [Self; 7] = [
        Self::Confirm,
        Self::AlreadyRegistered,
        Self::ResetPassword,
        Self::NoAccount,
        Self::PasswordChanged,
        Self::SessionTheft,
        Self::Nothing,
    ];

    /// Of a row. A newer version may have posted letters that this one does not know.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|letter| letter.name() == name)
    }

    /// The names of all that can be sent, between commas with a space: two characters, because one would be taken for
    /// the underscore of a name by `LIKE`.
    pub(crate) fn known() -> String {
        let names = Self::ALL.into_iter().filter(|letter| *letter != Self::Nothing).map(Self::name);
        names.fold(", ".to_owned(), |all, name| all + name + ", ")
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::AlreadyRegistered => "already_registered",
            Self::ResetPassword => "reset_password",
            Self::NoAccount => "no_account",
            Self::PasswordChanged => "password_changed",
            Self::SessionTheft => "session_theft",
            Self::Nothing => "nothing",
        }
    }
}

/// A row to be sent.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Outgoing {
    pub(crate) id: Uuid,
    pub(crate) letter: String,
    pub(crate) recipient: String,
    pub(crate) token_id: Option<Uuid>,
    pub(crate) attempts: i32,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl Tx {
    pub(crate) async fn post(
        &mut self,
        id: Uuid,
        letter: Letter,
        recipient: &str,
        user_id: Option<Uuid>,
        token_id: Option<Uuid>,
        now: DateTime<Utc>,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "INSERT INTO outbox (id, letter, recipient, user_id, token_id, created_at, expires_at, next_attempt_at, attempts)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $6, 0)")
            .bind(id).bind(letter.name()).bind(recipient).bind(user_id).bind(token_id).bind(now).bind(expires_at)
            .execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Whether a person was written such a letter since a time.
    pub(crate) async fn was_posted_since(
        &mut self,
        user_id: Uuid,
        letter: Letter,
        since: DateTime<Utc>,
    ) -> Result<bool> {
        let found: i64 = on_either!(self, conn => sqlx::query_scalar(
            "SELECT count(*) FROM outbox WHERE user_id = $1 AND letter = $2 AND created_at > $3")
            .bind(user_id).bind(letter.name()).bind(since).fetch_one(conn).await?);
        Ok(found > 0)
    }

    /// What is to be sent now, oldest first; `known` as [`Letter::known`] names it. Letters of a newer version wait for
    /// a process that knows them.
    pub(crate) async fn due_letters(&mut self, known: &str, now: DateTime<Utc>, at_most: i64) -> Result<Vec<Uuid>> {
        Ok(on_either!(self, conn => sqlx::query_scalar(
            "SELECT id FROM outbox WHERE next_attempt_at <= $1 AND sent_at IS NULL AND given_up_at IS NULL
             AND (leased_until IS NULL OR leased_until <= $1) AND $2 LIKE '%, ' || letter || ', %'
             ORDER BY next_attempt_at, id LIMIT $3")
            .bind(now).bind(known).bind(at_most).fetch_all(conn).await?))
    }

    /// How many letters wait that this version does not know.
    pub(crate) async fn count_unknown_letters(&mut self, known: &str, now: DateTime<Utc>) -> Result<i64> {
        Ok(on_either!(self, conn => sqlx::query_scalar(
            "SELECT count(*) FROM outbox WHERE next_attempt_at <= $1 AND sent_at IS NULL AND given_up_at IS NULL
             AND $2 NOT LIKE '%, ' || letter || ', %' AND letter <> $3")
            .bind(now).bind(known).bind(Letter::Nothing.name()).fetch_one(conn).await?))
    }

    /// Takes a letter for one worker, until the lease ends. Nothing when another has it. The number of attempts tells
    /// this lease from all others.
    pub(crate) async fn lease_letter(
        &mut self,
        id: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Outgoing>> {
        Ok(on_either!(self, conn => sqlx::query_as(
            "UPDATE outbox SET leased_until = $3, attempts = attempts + 1
             WHERE id = $1 AND sent_at IS NULL AND given_up_at IS NULL AND (leased_until IS NULL OR leased_until <= $2)
             RETURNING id, letter, recipient, token_id, attempts, created_at, expires_at")
            .bind(id).bind(now).bind(until).fetch_optional(conn).await?))
    }

    /// Keeps a letter longer, or gives it back at once (without a time). False when it is no longer this worker's.
    pub(crate) async fn set_lease(&mut self, id: Uuid, attempts: i32, until: Option<DateTime<Utc>>) -> Result<bool> {
        let kept = on_either!(self, conn => sqlx::query(
            "UPDATE outbox SET leased_until = $3
             WHERE id = $1 AND attempts = $2 AND sent_at IS NULL AND given_up_at IS NULL")
            .bind(id).bind(attempts).bind(until).execute(conn).await?.rows_affected());
        Ok(kept == 1)
    }

    pub(crate) async fn mark_sent(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<()> {
        on_either!(self, conn => sqlx::query("UPDATE outbox SET sent_at = $2, leased_until = NULL WHERE id = $1")
            .bind(id).bind(now).execute(conn).await?.rows_affected());
        Ok(())
    }

    pub(crate) async fn mark_given_up(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "UPDATE outbox SET given_up_at = $2, leased_until = NULL WHERE id = $1 AND sent_at IS NULL")
            .bind(id).bind(now).execute(conn).await?.rows_affected());
        Ok(())
    }

    pub(crate) async fn put_off(&mut self, id: Uuid, attempts: i32, until: DateTime<Utc>) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "UPDATE outbox SET next_attempt_at = $3, leased_until = NULL WHERE id = $1 AND attempts = $2")
            .bind(id).bind(attempts).bind(until).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// A letter sent again after a crash is the same message, not a second one.
    pub(crate) async fn insert_mailbox_message(&mut self, message: &MailboxMessage) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "INSERT INTO mailbox_messages (id, recipient, subject, body_text, body_html, link, code, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING")
            .bind(message.id).bind(&message.to).bind(&message.subject).bind(&message.text).bind(&message.html)
            .bind(&message.link).bind(&message.code).bind(message.created_at)
            .execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Newest first; `to` empty means everybody's.
    pub(crate) async fn mailbox_messages(&mut self, to: &str, at_most: i64) -> Result<Vec<MailboxMessage>> {
        Ok(on_either!(self, conn => sqlx::query_as(
            "SELECT id, recipient, subject, body_text, body_html, link, code, created_at FROM mailbox_messages
             WHERE $1 = '' OR recipient = $1 ORDER BY created_at DESC, id DESC LIMIT $2")
            .bind(to).bind(at_most).fetch_all(conn).await?))
    }
}
