//! Sends what is in the outbox. One task; letters go out several at once.

use std::time::Duration;

use accounts::Accounts;

/// Letters that were put off, or posted by another node, are looked for this often.
const ROUND: Duration = Duration::from_secs(5);
/// After a failure of the database.
const PAUSE: Duration = Duration::from_secs(2);

/// Runs until it is dropped.
pub async fn run(accounts: Accounts) {
    loop {
        let worked = accounts.send_letters().await;
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
