//! Sends what is in the outbox, and tidies up. One task; letters go out several at once.

use std::time::Duration;

use accounts::Accounts;
use tokio::time::Instant;

/// Letters that were put off, or posted by another node, are looked for this often.
const ROUND: Duration = Duration::from_secs(5);
/// After a failure of the database.
const PAUSE: Duration = Duration::from_secs(2);
const TIDY_EVERY: Duration = Duration::from_hours(1);

/// Runs until it is dropped.
pub async fn run(accounts: Accounts) {
    let mut tidied: Option<Instant> = None;
    loop {
        let worked = accounts.send_letters().await;
        if tidied.is_none_or(|at| at.elapsed() >= TIDY_EVERY) {
            tidied = Some(Instant::now());
            if let Err(error) = accounts.purge().await {
                tracing::error!(%error, "tidying failed");
            }
        }
        match worked {
            Ok(0) => accounts.wait_for_letters(ROUND).await,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "the post office stands still");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
