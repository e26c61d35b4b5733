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
    pub(crate) user_id: Uuid,
    pub(crate) token_hash: Vec<u8>,
    pub(crate) code_hash: Option<Vec<u8>>,
    pub(crate) password_hash: Option<String>,
    pub(crate) attempts: i32,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) consumed_at: Option<DateTime<Utc>>,
    pub(crate) superseded_at: Option<DateTime<Utc>>,
}

impl Tx {
    /// A new one; the user's older ones of the same purpose stop working.
    pub(crate) async fn insert_one_time_token(&mut self, token: &OneTimeToken, purpose: Purpose) -> Result<()> {
        self.supersede_one_time_tokens(token.user_id, purpose, token.created_at).await?;
        on_either!(self, conn => sqlx::query(
            "INSERT INTO one_time_tokens (id, user_id, purpose, token_hash, code_hash, password_hash, attempts,
                                          created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(token.id).bind(token.user_id).bind(purpose.name()).bind(&token.token_hash).bind(&token.code_hash)
            .bind(&token.password_hash).bind(token.attempts).bind(token.created_at).bind(token.expires_at)
            .execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Ends what is still alive.
    pub(crate) async fn supersede_one_time_tokens(
        &mut self,
        user_id: Uuid,
        purpose: Purpose,
        now: DateTime<Utc>,
    ) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "UPDATE one_time_tokens SET superseded_at = $3
             WHERE user_id = $1 AND purpose = $2 AND consumed_at IS NULL AND superseded_at IS NULL")
            .bind(user_id).bind(purpose.name()).bind(now).execute(conn).await?.rows_affected());
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
        user_id: Uuid,
        purpose: Purpose,
        now: DateTime<Utc>,
    ) -> Result<Option<OneTimeToken>> {
        Ok(on_either!(self, conn => sqlx::query_as(
            "SELECT * FROM one_time_tokens WHERE user_id = $1 AND purpose = $2 AND expires_at > $3
             AND consumed_at IS NULL AND superseded_at IS NULL ORDER BY created_at DESC LIMIT 1")
            .bind(user_id).bind(purpose.name()).bind(now).fetch_optional(conn).await?))
    }

    /// The newest that was not spent, dead or alive.
    pub(crate) async fn newest_one_time_token(
        &mut self,
        user_id: Uuid,
        purpose: Purpose,
    ) -> Result<Option<OneTimeToken>> {
        Ok(on_either!(self, conn => sqlx::query_as(
            "SELECT * FROM one_time_tokens WHERE user_id = $1 AND purpose = $2 AND consumed_at IS NULL
             ORDER BY created_at DESC, id DESC LIMIT 1")
            .bind(user_id).bind(purpose.name()).fetch_optional(conn).await?))
    }

    /// How many a person was given since a time.
    pub(crate) async fn count_tokens_since(
        &mut self,
        user_id: Uuid,
        purpose: Purpose,
        since: DateTime<Utc>,
    ) -> Result<i64> {
        Ok(on_either!(self, conn => sqlx::query_scalar(
            "SELECT count(*) FROM one_time_tokens WHERE user_id = $1 AND purpose = $2 AND created_at > $3")
            .bind(user_id).bind(purpose.name()).bind(since).fetch_one(conn).await?))
    }

    /// Counts one try of a code before it is compared, so that parallel guesses are all counted.
    /// Answers how many there were, this one included; nothing when there are none left.
    pub(crate) async fn count_attempt(&mut self, id: Uuid) -> Result<Option<i32>> {
        Ok(on_either!(self, conn => sqlx::query_scalar(
            "UPDATE one_time_tokens SET attempts = attempts + 1 WHERE id = $1 AND attempts < $2 RETURNING attempts")
            .bind(id).bind(CODE_TRIES).fetch_optional(conn).await?))
    }

    /// For a right one: it was no guess.
    pub(crate) async fn give_back_attempt(&mut self, id: Uuid) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "UPDATE one_time_tokens SET attempts = attempts - 1 WHERE id = $1 AND attempts > 0")
            .bind(id).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Spends it. True for one caller only, whoever else asks at the same time.
    pub(crate) async fn consume_one_time_token(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
        let consumed = on_either!(self, conn => sqlx::query(
            "UPDATE one_time_tokens SET consumed_at = $2
             WHERE id = $1 AND consumed_at IS NULL AND superseded_at IS NULL AND expires_at > $2")
            .bind(id).bind(now).execute(conn).await?.rows_affected());
        Ok(consumed == 1)
    }

    pub(crate) async fn delete_one_time_tokens(&mut self, expired_before: DateTime<Utc>) -> Result<u64> {
        Ok(on_either!(self, conn => sqlx::query("DELETE FROM one_time_tokens WHERE expires_at < $1")
            .bind(expired_before).execute(conn).await?.rows_affected()))
    }
}
