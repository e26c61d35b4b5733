//! Tables `sessions` and `refresh_tokens`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Tx, on_either};
use crate::Result;
use crate::sessions::Session;

/// A row of the chain.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct StoredRefreshToken {
    pub(crate) session_id: Uuid,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) used_at: Option<DateTime<Utc>>,
}

impl Tx {
    pub(crate) async fn insert_session(&mut self, session: &Session) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "INSERT INTO sessions (id, user_id, remember, auth_time, amr, address, user_agent,
                                   created_at, last_used_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $4, $4, $8)")
            .bind(session.id).bind(session.user_id).bind(session.remember).bind(session.auth_time).bind(&session.amr)
            .bind(&session.address).bind(&session.user_agent).bind(session.expires_at)
            .execute(conn).await?.rows_affected());
        Ok(())
    }

    /// A session that has not ended.
    pub(crate) async fn live_session(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<Option<Session>> {
        Ok(on_either!(self, conn => sqlx::query_as(
            "SELECT * FROM sessions WHERE id = $1 AND ended_at IS NULL AND expires_at > $2")
            .bind(id).bind(now).fetch_optional(conn).await?))
    }

    /// False when it had ended before.
    pub(crate) async fn end_session(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
        let ended = on_either!(self, conn => sqlx::query("UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL")
            .bind(id).bind(now).execute(conn).await?.rows_affected());
        Ok(ended == 1)
    }

    pub(crate) async fn end_sessions_of(&mut self, user_id: Uuid, now: DateTime<Utc>) -> Result<u64> {
        Ok(
            on_either!(self, conn => sqlx::query("UPDATE sessions SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL")
            .bind(user_id).bind(now).execute(conn).await?.rows_affected()),
        )
    }

    /// All of a person's but one.
    pub(crate) async fn end_other_sessions(&mut self, user_id: Uuid, but: Uuid, now: DateTime<Utc>) -> Result<u64> {
        Ok(on_either!(self, conn => sqlx::query(
            "UPDATE sessions SET ended_at = $3 WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL")
            .bind(user_id).bind(but).bind(now).execute(conn).await?.rows_affected()))
    }

    /// All of a person's but those used last.
    pub(crate) async fn end_oldest_sessions(&mut self, user_id: Uuid, keep: i64, now: DateTime<Utc>) -> Result<u64> {
        Ok(on_either!(self, conn => sqlx::query(
            "UPDATE sessions SET ended_at = $3 WHERE user_id = $1 AND ended_at IS NULL AND id NOT IN (
                 SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL
                 ORDER BY last_used_at DESC, id DESC LIMIT $2)")
            .bind(user_id).bind(keep).bind(now).execute(conn).await?.rows_affected()))
    }

    /// A person's, that have not ended, the last used one first.
    pub(crate) async fn live_sessions(&mut self, user_id: Uuid, now: DateTime<Utc>) -> Result<Vec<Session>> {
        Ok(on_either!(self, conn => sqlx::query_as(
            "SELECT * FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
             ORDER BY last_used_at DESC, id DESC")
            .bind(user_id).bind(now).fetch_all(conn).await?))
    }

    pub(crate) async fn touch_session(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<()> {
        on_either!(self, conn => sqlx::query("UPDATE sessions SET last_used_at = $2 WHERE id = $1")
            .bind(id).bind(now).execute(conn).await?.rows_affected());
        Ok(())
    }

    pub(crate) async fn insert_refresh_token(
        &mut self,
        hash: &[u8],
        session_id: Uuid,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(hash).bind(session_id).bind(now).bind(expires_at).execute(conn).await?.rows_affected());
        Ok(())
    }

    pub(crate) async fn refresh_token(&mut self, hash: &[u8]) -> Result<Option<StoredRefreshToken>> {
        Ok(on_either!(self, conn => sqlx::query_as("SELECT * FROM refresh_tokens WHERE hash = $1")
            .bind(hash).fetch_optional(conn).await?))
    }

    /// Uses it. True for one caller only, whoever else asks at the same time.
    pub(crate) async fn use_refresh_token(&mut self, hash: &[u8], now: DateTime<Utc>) -> Result<bool> {
        let used = on_either!(self, conn => sqlx::query(
            "UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2")
            .bind(hash).bind(now).execute(conn).await?.rows_affected());
        Ok(used == 1)
    }
}
