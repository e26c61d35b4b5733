//! Reads the news of other processes: whose sessions ended, which keys sign. One task next to the server.

use std::time::Duration;

use accounts::{Accounts, Chain};
use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval};

use crate::background::Pulse;

/// How late this process hears of what another did.
const ROUND: Duration = Duration::from_millis(500);

/// Longer without a round is too long: every request reads the database meanwhile.
pub const SILENCE: TimeDelta = TimeDelta::seconds(30);

/// Runs until it is dropped.
pub async fn run(accounts: Accounts, pulse: Pulse) {
    let mut round = interval(ROUND);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        round.tick().await;
        match accounts.hear_news().await {
            Ok(()) => pulse.beat(),
            // Until news comes again, every request reads the database.
            Err(error) => tracing::warn!(error = %Chain(&error), "no news from the database"),
        }
    }
}
