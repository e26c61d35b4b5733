//! Table `letter_requests`.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Tx, on_either};
use crate::Result;

/// Somebody asks for a letter. Mailbox and network are hashes.
#[derive(Debug)]
pub(crate) struct LetterRequest {
    pub(crate) id: Uuid,
    pub(crate) mailbox: Vec<u8>,
    pub(crate) network: Vec<u8>,
    pub(crate) asked_at: DateTime<Utc>,
}

/// Letters that were posted before, and requests for some.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(crate) struct LetterCounts {
    /// To this mailbox within an hour.
    pub(crate) mailbox_hour: i64,
    /// To this mailbox within a day.
    pub(crate) mailbox_day: i64,
    /// Requests of this network within a day, whether or not a letter was posted.
    pub(crate) network_day: i64,
    /// Requests of everybody within an hour.
    pub(crate) all_hour: i64,
    /// Requests of this hour for this mailbox that got none.
    pub(crate) refused_hour: i64,
}

impl Tx {
    pub(crate) async fn letter_counts(&mut self, request: &LetterRequest) -> Result<LetterCounts> {
        let LetterRequest { mailbox, network, asked_at, .. } = request;
        let (hour, day) = (*asked_at - TimeDelta::hours(1), *asked_at - TimeDelta::days(1));
        Ok(on_either!(self, conn => sqlx::query_as(
            "SELECT
                 (SELECT count(*) FROM letter_requests
                  WHERE mailbox = $1 AND asked_at > $3 AND refused_at IS NULL) AS mailbox_hour,
                 (SELECT count(*) FROM letter_requests
                  WHERE mailbox = $1 AND asked_at > $4 AND refused_at IS NULL) AS mailbox_day,
                 (SELECT count(*) FROM letter_requests
                  WHERE network = $2 AND asked_at > $4) AS network_day,
                 (SELECT count(*) FROM letter_requests WHERE asked_at > $3) AS all_hour,
                 (SELECT count(*) FROM letter_requests
                  WHERE mailbox = $1 AND asked_at > $3 AND refused_at IS NOT NULL) AS refused_hour")
            .bind(mailbox).bind(network).bind(hour).bind(day).fetch_one(conn).await?))
    }

    pub(crate) async fn insert_letter_request(&mut self, request: &LetterRequest, is_refused: bool) -> Result<()> {
        let LetterRequest { id, mailbox, network, asked_at } = request;
        on_either!(self, conn => sqlx::query(
            "INSERT INTO letter_requests (id, mailbox, network, asked_at, refused_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(id).bind(mailbox).bind(network).bind(asked_at).bind(is_refused.then_some(asked_at))
            .execute(conn).await?.rows_affected());
        Ok(())
    }
}
