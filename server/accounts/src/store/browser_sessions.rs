//! Table `browser_sessions`.

use chrono::{DateTime, Utc};

use super::{Tx, on_either};
use crate::{BrowserSession, Result};

impl Tx {
    /// A new one; false when the id is taken.
    pub(crate) async fn insert_browser_session(&mut self, id_hash: &[u8], session: &BrowserSession) -> Result<bool> {
        let inserted = on_either!(self, conn => sqlx::query(
            "INSERT INTO browser_sessions (id_hash, data, expires_at) VALUES ($1, $2, $3)
             ON CONFLICT (id_hash) DO NOTHING")
            .bind(id_hash).bind(&session.data).bind(session.expires_at).execute(conn).await?.rows_affected());
        Ok(inserted == 1)
    }

    /// False when it is gone. It is not made again: a request that is late must not revive what another has ended.
    pub(crate) async fn update_browser_session(&mut self, id_hash: &[u8], session: &BrowserSession) -> Result<bool> {
        let updated = on_either!(self, conn => sqlx::query(
            "UPDATE browser_sessions SET data = $2, expires_at = $3 WHERE id_hash = $1")
            .bind(id_hash).bind(&session.data).bind(session.expires_at).execute(conn).await?.rows_affected());
        Ok(updated == 1)
    }

    pub(crate) async fn browser_session(
        &mut self,
        id_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<BrowserSession>> {
        Ok(on_either!(self, conn => sqlx::query_as(
            "SELECT data, expires_at FROM browser_sessions WHERE id_hash = $1 AND expires_at > $2")
            .bind(id_hash).bind(now).fetch_optional(conn).await?))
    }

    pub(crate) async fn delete_browser_session(&mut self, id_hash: &[u8]) -> Result<()> {
        on_either!(self, conn => sqlx::query("DELETE FROM browser_sessions WHERE id_hash = $1")
            .bind(id_hash).execute(conn).await?.rows_affected());
        Ok(())
    }
}
