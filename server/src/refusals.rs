//! Writes down what was refused, once a minute. One task next to the server.

use std::time::Duration;

use accounts::Accounts;
use tokio::time::{MissedTickBehavior, interval};

const ROUND: Duration = Duration::from_mins(1);

/// Runs until it is dropped.
pub async fn run(accounts: Accounts) {
    let mut round = interval(ROUND);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        round.tick().await;
        write(&accounts).await;
    }
}

/// What was refused since the last time. Also for the end, so that the last minute is not lost.
pub async fn write(accounts: &Accounts) {
    if let Err(error) = accounts.write_refusals().await {
        tracing::error!(%error, "what was refused is in the log only");
    }
}
