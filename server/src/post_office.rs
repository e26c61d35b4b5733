//! Sends what is in the outbox. One task; letters go out several at once.

use std::time::Duration;

use accounts::{Accounts, Chain, PostOffice};
use chrono::TimeDelta;
use tokio::sync::watch;

use crate::background::Pulse;

/// Letters that were put off, or posted by another node, are looked for this often.
const ROUND: Duration = Duration::from_secs(5);
/// After a failure of the database.
const PAUSE: Duration = Duration::from_secs(2);

/// Longer without a round is too long.
pub const SILENCE: TimeDelta = TimeDelta::seconds(60);

/// How long letters under way may take to finish when the service stops; then they are given back.
pub const LAST_ORDERS: Duration = Duration::from_secs(8);

/// Runs until it is told to stop; then takes no more letters, and leaves none behind that another may not have.
pub async fn run(accounts: Accounts, pulse: Pulse, mut stop: watch::Receiver<bool>) {
    let mut office = PostOffice::new(accounts.clone());
    loop {
        let wait = match office.take().await {
            Ok(_) => {
                pulse.beat();
                ROUND
            }
            Err(error) => {
                tracing::error!(error = %Chain(&error), "the post office stands still");
                PAUSE
            }
        };
        tokio::select! {
            // Also when nobody is left who could say so.
            _ = stop.wait_for(|is_asked| *is_asked) => break,
            () = office.place_is_free() => {}
            () = accounts.wait_for_letters(wait) => {}
        }
    }
    office.close(LAST_ORDERS).await;
}
