//! Reads the news of other processes: whose sessions ended, which keys sign. One task next to the server.

use std::time::Duration;

use accounts::Accounts;
use tokio::time::{MissedTickBehavior, interval};

/// How late this process hears of what another did.
const ROUND: Duration = Duration::from_millis(500);

/// Runs until it is dropped.
pub async fn run(accounts: Accounts) {
    let mut round = interval(ROUND);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        round.tick().await;
        if let Err(error) = accounts.hear_news().await {
            // Until news come again, every request reads the database.
            tracing::warn!(%error, "no news from the database");
        }
    }
}
