//! Writes down what was refused, once a minute. One task next to the server.

use std::time::Duration;

use accounts::{Accounts, Chain};
use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval};

use crate::background::Pulse;

const ROUND: Duration = Duration::from_mins(1);

/// Longer without a round is too long.
pub const SILENCE: TimeDelta = TimeDelta::minutes(10);

/// Runs until it is dropped.
pub async fn run(accounts: Accounts, pulse: Pulse) {
    let mut round = interval(ROUND);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        round.tick().await;
        write(&accounts).await;
        pulse.beat();
    }
}

/// Writes what was refused since the last time. Also at the end, so that the last minute is not lost.
pub async fn write(accounts: &Accounts) {
    if let Err(error) = accounts.write_refusals().await {
        tracing::error!(error = %Chain(&error), "what was refused is in the log only");
    }
}
