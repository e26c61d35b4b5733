//! Table `one_time_tokens`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Tx, on_either};
use crate::Result;
use crate::tokens::{CODE_TRIES, Purpose};

/// A row.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct OneTimeToken {
    pub(crate) id: Uuid,
    pub(crate) email_key: String,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) token_hash: Vec<u8>,
    pub(crate) code_hash: Option<Vec<u8>>,
    pub(crate) asked_by: Option<Vec<u8>>,
    pub(crate) password_hash: Option<String>,
    /// Tries of the code by the client that the letter is for.
    pub(crate) attempts: i32,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) consumed_at: Option<DateTime<Utc>>,
    pub(crate) superseded_at: Option<DateTime<Utc>>,
}

impl Tx {
    /// A new one; older ones of the same address and purpose stop working. False when another was made at the same
    /// moment: the index decides, so that one letter works.
    pub(crate) async fn insert_one_time_token(&mut self, token: &OneTimeToken, purpose: Purpose) -> Result<bool> {
        on_either!(self, conn => sqlx::query(
            "UPDATE one_time_tokens SET superseded_at = $3
             WHERE email_key = $1 AND purpose = $2 AND consumed_at IS NULL AND superseded_at IS NULL")
            .bind(&token.email_key).bind(purpose.name()).bind(token.created_at).execute(conn).await?.rows_affected());
        let inserted = on_either!(self, conn => sqlx::query(
            "INSERT INTO one_time_tokens (id, email_key, user_id, purpose, token_hash, code_hash, asked_by, password_hash,
                                          attempts, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (email_key, purpose) WHERE consumed_at IS NULL AND superseded_at IS NULL DO NOTHING")
            .bind(token.id).bind(&token.email_key).bind(token.user_id).bind(purpose.name()).bind(&token.token_hash)
            .bind(&token.code_hash).bind(&token.asked_by).bind(&token.password_hash).bind(token.attempts)
            .bind(token.created_at).bind(token.expires_at)
            .execute(conn).await?.rows_affected());
        Ok(inserted == 1)
    }

    /// Ends all that are still alive of an address, whatever they are for.
    pub(crate) async fn supersede_one_time_tokens(&mut self, email_key: &str, now: DateTime<Utc>) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "UPDATE one_time_tokens SET superseded_at = $2
             WHERE email_key = $1 AND consumed_at IS NULL AND superseded_at IS NULL")
            .bind(email_key).bind(now).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Ends the resets that an account was asked for.
    pub(crate) async fn supersede_resets_of(&mut self, user_id: Uuid, now: DateTime<Utc>) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "UPDATE one_time_tokens SET superseded_at = $3
             WHERE user_id = $1 AND purpose = $2 AND consumed_at IS NULL AND superseded_at IS NULL")
            .bind(user_id).bind(Purpose::ResetPassword.name()).bind(now).execute(conn).await?.rows_affected());
        Ok(())
    }

    pub(crate) async fn one_time_token(&mut self, hash: &[u8], purpose: Purpose) -> Result<Option<OneTimeToken>> {
        Ok(on_either!(self, conn => sqlx::query_as(
            "SELECT * FROM one_time_tokens WHERE token_hash = $1 AND purpose = $2")
            .bind(hash).bind(purpose.name()).fetch_optional(conn).await?))
    }

    pub(crate) async fn one_time_token_by_id(&mut self, id: Uuid) -> Result<Option<OneTimeToken>> {
        Ok(on_either!(self, conn => sqlx::query_as("SELECT * FROM one_time_tokens WHERE id = $1")
            .bind(id).fetch_optional(conn).await?))
    }

    /// The newest, if it is alive.
    pub(crate) async fn live_one_time_token(
        &mut self,
        email_key: &str,
        purpose: Purpose,
        now: DateTime<Utc>,
    ) -> Result<Option<OneTimeToken>> {
        Ok(on_either!(self, conn => sqlx::query_as(
            "SELECT * FROM one_time_tokens WHERE email_key = $1 AND purpose = $2 AND expires_at > $3
             AND consumed_at IS NULL AND superseded_at IS NULL ORDER BY created_at DESC LIMIT 1")
            .bind(email_key).bind(purpose.name()).bind(now).fetch_optional(conn).await?))
    }

    /// Counts one try of a code before it is compared, so that parallel guesses are all counted: by the client that the
    /// letter is for, or by any other. Answers how many of these there were, this one included; nothing when there are
    /// none left.
    pub(crate) async fn count_attempt(&mut self, id: Uuid, is_own: bool) -> Result<Option<i32>> {
        Ok(on_either!(self, conn => sqlx::query_scalar(
            "UPDATE one_time_tokens SET attempts = CASE WHEN $3 THEN attempts + 1 ELSE attempts END,
                                        attempts_elsewhere = CASE WHEN $3 THEN attempts_elsewhere
                                                             ELSE attempts_elsewhere + 1 END
             WHERE id = $1 AND CASE WHEN $3 THEN attempts ELSE attempts_elsewhere END < $2
             RETURNING CASE WHEN $3 THEN attempts ELSE attempts_elsewhere END")
            .bind(id).bind(CODE_TRIES).bind(is_own).fetch_optional(conn).await?))
    }

    /// For a right one: it was no guess.
    pub(crate) async fn give_back_attempt(&mut self, id: Uuid, is_own: bool) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "UPDATE one_time_tokens SET attempts = CASE WHEN $2 THEN attempts - 1 ELSE attempts END,
                                        attempts_elsewhere = CASE WHEN $2 THEN attempts_elsewhere
                                                             ELSE attempts_elsewhere - 1 END
             WHERE id = $1 AND CASE WHEN $2 THEN attempts ELSE attempts_elsewhere END > 0")
            .bind(id).bind(is_own).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Spends it for an account. True for one caller only, whoever else asks at the same time.
    pub(crate) async fn consume_one_time_token(&mut self, id: Uuid, user_id: Uuid, now: DateTime<Utc>) -> Result<bool> {
        let consumed = on_either!(self, conn => sqlx::query(
            "UPDATE one_time_tokens SET consumed_at = $3, user_id = $2
             WHERE id = $1 AND consumed_at IS NULL AND superseded_at IS NULL AND expires_at > $3")
            .bind(id).bind(user_id).bind(now).execute(conn).await?.rows_affected());
        Ok(consumed == 1)
    }
}
