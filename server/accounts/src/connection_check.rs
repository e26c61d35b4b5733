//! Looks at what an operator set about mail before a letter depends on it: whether it can be read, and whether the server
//! takes us.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor};

/// For each step. Somebody waits at a terminal.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Of a server's words.
const MAX_LETTERS: usize = 300;

/// Whether a text can stand in `From:` (RFC 5322 3.4).
pub fn is_sender(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// Whether an address of a mail server can be read. Calls nobody.
pub fn judge_smtp_url(url: &str) -> Result<(), String> {
    AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map(drop).map_err(|error| error.to_string())
}

/// Greets the mail server (EHLO), goes over to TLS where that is set, and signs in (AUTH). No letter is sent.
pub async fn try_mail_server(url: &str) -> Result<(), String> {
    let told = |error: lettre::transport::smtp::Error| {
        let text = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let text = text.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        text.chars().filter(|letter| !letter.is_control()).take(MAX_LETTERS).collect::<String>()
    };
    let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(told)?;
    let server = server.timeout(Some(TIMEOUT)).build::<Tokio1Executor>();
    let is_there = server.test_connection().await.map_err(told)?;
    if is_there { Ok(()) } else { Err("it ends the conversation".to_owned()) }
}
