//! Whether this process can do its work: the answer to load balancers.
//!
//! To be ready is to be able to write. A disk that is full or a server that became a standby still answers questions,
//! and refuses every sign-in. So the probe commits something; at most once a second, however many ask.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Mutex;

use crate::{Accounts, Result};

/// An answer is given again for so long.
const FRESH: TimeDelta = TimeDelta::seconds(1);

/// A probe that takes longer is a no.
const PATIENCE: Duration = Duration::from_secs(2);

/// The last answer, and when it was found (monotonic). Locked while it is being found: others wait for the same one.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(TimeDelta, bool)>>);

impl Accounts {
    /// Whether the database takes what is written.
    pub async fn is_ready(&self) -> bool {
        let mut last = self.0.readiness.0.lock().await;
        let now = self.0.clock.monotonic();
        if let Some((found_at, answer)) = *last
            && (now - found_at).abs() < FRESH
        {
            return answer;
        }
        let answer = matches!(tokio::time::timeout(PATIENCE, self.write_probe()).await, Ok(Ok(())));
        *last = Some((self.0.clock.monotonic(), answer));
        answer
    }

    async fn write_probe(&self) -> Result<()> {
        let mut tx = self.0.store.write().await?;
        tx.write_probe(self.0.clock.now()).await?;
        tx.commit().await
    }
}
