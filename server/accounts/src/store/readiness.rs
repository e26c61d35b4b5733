//! Table `write_probes`.

use chrono::{DateTime, Utc};

use super::{Tx, on_either};
use crate::Result;

impl Tx {
    /// Writes, for the sake of writing. Only a commit shows whether there is room for one.
    pub(crate) async fn write_probe(&mut self, now: DateTime<Utc>) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "INSERT INTO write_probes (id, tried_at) VALUES (1, $1)
             ON CONFLICT (id) DO UPDATE SET tried_at = excluded.tried_at")
            .bind(now).execute(conn).await?.rows_affected());
        Ok(())
    }
}
