//! Forgets what nobody needs any more, once an hour. A task of its own: letters do not wait for it.

use std::time::Duration;

use accounts::{Accounts, Chain};
use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval};

use crate::background::Pulse;

const ROUND: Duration = Duration::from_hours(1);

/// Longer without a round is too long.
pub const SILENCE: TimeDelta = TimeDelta::hours(6);

/// Runs until it is dropped.
pub async fn run(accounts: Accounts, pulse: Pulse) {
    let mut round = interval(ROUND);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        round.tick().await;
        match tidy(&accounts).await {
            Ok(()) => pulse.beat(),
            Err(error) => tracing::error!(error = %Chain(&error), "tidying failed"),
        }
    }
}

async fn tidy(accounts: &Accounts) -> accounts::Result<()> {
    accounts.report_unknown_letters().await?;
    accounts.purge().await
}
