//! Tables `changes` and `audit_events`: what was done, for other processes and for later.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Tx, on_either};
use crate::Result;
use crate::audit::Entry;

impl Tx {
    pub(crate) async fn insert_change(&mut self, id: Uuid, user_id: Uuid, now: DateTime<Utc>) -> Result<()> {
        on_either!(self, conn => sqlx::query("INSERT INTO changes (id, user_id, changed_at) VALUES ($1, $2, $3)")
            .bind(id).bind(user_id).bind(now).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Id of the change, and of the person.
    pub(crate) async fn changes_since(&mut self, since: DateTime<Utc>) -> Result<Vec<(Uuid, Uuid)>> {
        Ok(on_either!(self, conn => sqlx::query_as("SELECT id, user_id FROM changes WHERE changed_at > $1")
            .bind(since).fetch_all(conn).await?))
    }

    pub(crate) async fn insert_audit_event(&mut self, entry: &Entry) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "INSERT INTO audit_events (id, happened_at, event, user_id, session_id, address)
             VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(entry.id).bind(entry.happened_at).bind(entry.event.name()).bind(entry.user_id)
            .bind(entry.session_id).bind(&entry.address)
            .execute(conn).await?.rows_affected());
        Ok(())
    }
}
