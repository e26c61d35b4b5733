//! Looks at what an operator set about mail, before a letter depends on it.

use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor};

/// Whether a text can stand in `From:` (RFC 5322 3.4).
pub fn is_sender(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// Whether an address of a mail server can be read. Opens no connection.
pub fn judge_smtp_url(url: &str) -> Result<(), String> {
    AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map(drop).map_err(|error| error.to_string())
}
