//! Deletes what nobody needs any more, once an hour. A task of its own: it may take long, and letters must not wait.

use std::time::Duration;

use accounts::Accounts;
use tokio::time::{MissedTickBehavior, interval};

const EVERY: Duration = Duration::from_hours(1);

/// Runs until it is dropped.
pub async fn run(accounts: Accounts) {
    let mut round = interval(EVERY);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        round.tick().await;
        if let Err(error) = accounts.purge().await {
            tracing::error!(%error, "tidying failed");
        }
    }
}
