//! Table `signing_keys`.

use chrono::{DateTime, Utc};

use super::{Tx, on_either};
use crate::Result;

/// A row. It names a key and holds none.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) algorithm: String,
    pub(crate) salt: Vec<u8>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) signs_from: DateTime<Utc>,
    pub(crate) retires_at: Option<DateTime<Utc>>,
}

impl Tx {
    /// Oldest first.
    pub(crate) async fn signing_keys(&mut self) -> Result<Vec<KeyRow>> {
        Ok(on_either!(self, conn => sqlx::query_as("SELECT * FROM signing_keys ORDER BY signs_from, id")
            .fetch_all(conn).await?))
    }

    /// Two processes that start together make the same first key.
    pub(crate) async fn insert_signing_key(&mut self, key: &KeyRow) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "INSERT INTO signing_keys (id, algorithm, salt, created_at, signs_from, retires_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING")
            .bind(&key.id).bind(&key.algorithm).bind(&key.salt).bind(key.created_at).bind(key.signs_from)
            .bind(key.retires_at).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Sets the end of a key that has none yet.
    pub(crate) async fn retire_signing_key(&mut self, id: &str, retires_at: DateTime<Utc>) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "UPDATE signing_keys SET retires_at = $2 WHERE id = $1 AND retires_at IS NULL")
            .bind(id).bind(retires_at).execute(conn).await?.rows_affected());
        Ok(())
    }
}
