//! Refusals, in the table `audit_events`.

use super::{Tx, on_either};
use crate::Result;
use crate::refusals::RefusalEntry;

impl Tx {
    pub(crate) async fn insert_refusal(&mut self, entry: &RefusalEntry) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "INSERT INTO audit_events (id, happened_at, event, reason, address, tag, count)
             VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(entry.id).bind(entry.happened_at).bind(entry.event).bind(entry.reason)
            .bind(&entry.address).bind(&entry.tag).bind(entry.count)
            .execute(conn).await?.rows_affected());
        Ok(())
    }
}
