//! Why a letter did not leave: in one word for whoever reads the log, and whether another try is worth it.
//!
//! Only the refusal of the recipient is final, and a recipient or message that cannot be written at all. Everything else
//! is about us, our account or the server (a password that has expired, a sender that is not allowed, a quota), is mended
//! by an operator, and must not cost anybody's letter.

use std::error::Error as _;
use std::io::ErrorKind;

use lettre::transport::smtp;

use crate::error::Chain;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    NoSuchHost,
    Refused,
    Unreachable,
    Timeout,
    TlsFailed,
    NoStarttls,
    AuthNotOffered,
    AuthRefused,
    GreetingRefused,
    SenderRefused,
    RecipientRefused,
    ContentRefused,
    ConnectionLost,
    NotSmtp,
    /// The message cannot be composed.
    NotALetter,
    /// Our own database does not answer.
    Storage,
}

impl Cause {
    /// In the log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NoSuchHost => "no_such_host",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::TlsFailed => "tls_failed",
            Self::NoStarttls => "no_starttls",
            Self::AuthNotOffered => "auth_not_offered",
            Self::AuthRefused => "auth_refused",
            Self::GreetingRefused => "greeting_refused",
            Self::SenderRefused => "sender_refused",
            Self::RecipientRefused => "recipient_refused",
            Self::ContentRefused => "content_refused",
            Self::ConnectionLost => "connection_lost",
            Self::NotSmtp => "not_smtp",
            Self::NotALetter => "not_a_letter",
            Self::Storage => "storage",
        }
    }
}

/// How far the conversation had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Connection, greeting, EHLO.
    Connect,
    /// The same with TLS from the first byte.
    ConnectByTls,
    /// STARTTLS, the handshake, EHLO again.
    StartTls,
    /// AUTH.
    SignIn,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA and the message.
    Content,
}

/// A letter that did not leave.
#[derive(Debug)]
pub(crate) struct NotSent {
    pub(crate) cause: Cause,
    /// Another try is not worth it.
    pub(crate) is_final: bool,
    /// The server's numbers, if it answered. Its words may repeat the address.
    pub(crate) status: String,
    /// What the system said, where no server did.
    pub(crate) detail: String,
}

impl NotSent {
    /// Worth another try.
    pub(crate) fn later(cause: Cause, detail: impl Into<String>) -> Self {
        Self { cause, is_final: false, status: String::new(), detail: detail.into() }
    }

    /// What cannot be written is not written better the next time.
    pub(super) fn not_a_letter(error: &crate::Error) -> Self {
        Self { is_final: true, ..Self::later(Cause::NotALetter, Chain(error).to_string()) }
    }

    /// Of an error at a step.
    pub(super) fn at(step: Step, error: &smtp::Error) -> Self {
        let Some(code) = error.status() else { return Self::without_an_answer(step, error) };
        let code = u16::from(code);
        let words = error.source().map(ToString::to_string).unwrap_or_default();
        let enhanced = enhanced_status(&words);
        let cause = match step {
            Step::Connect | Step::ConnectByTls => Cause::GreetingRefused,
            Step::StartTls => Cause::TlsFailed,
            Step::SignIn => Cause::AuthRefused,
            Step::Sender => Cause::SenderRefused,
            Step::Recipient => Cause::RecipientRefused,
            Step::Content => Cause::ContentRefused,
        };
        let is_final = step == Step::Recipient && is_of_the_recipient(code, enhanced);
        let status = enhanced.map_or_else(|| code.to_string(), |[a, b, c]| format!("{code} {a}.{b}.{c}"));
        Self { cause, is_final, status, detail: String::new() }
    }

    fn without_an_answer(step: Step, error: &smtp::Error) -> Self {
        let cause = match (io_kind(error), step) {
            (Some(ErrorKind::ConnectionRefused), _) => Cause::Refused,
            (Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable), _) => {
                Cause::Unreachable
            }
            (Some(ErrorKind::TimedOut), _) => Cause::Timeout,
            (_, Step::ConnectByTls | Step::StartTls) => Cause::TlsFailed,
            (Some(_), _) => Cause::ConnectionLost,
            // How the library says that the connection ended in the middle of an answer.
            (None, _) if error.to_string().contains("incomplete") => Cause::ConnectionLost,
            (None, _) => Cause::NotSmtp,
        };
        Self::later(cause, Chain(error).to_string())
    }

    /// In one line, for an operator.
    pub(super) fn told(&self) -> String {
        format!("{}: {}{}", self.cause.name(), self.status, self.detail)
    }

    /// Whether the server said no, and the conversation may go on.
    pub(super) fn is_an_answer(&self) -> bool {
        !self.status.is_empty()
    }
}

fn io_kind(error: &smtp::Error) -> Option<ErrorKind> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}

/// The three numbers with which many servers begin their answer (RFC 2034, RFC 3463).
fn enhanced_status(words: &str) -> Option<[u16; 3]> {
    let mut numbers = words.split_whitespace().next()?.splitn(3, '.').map(str::parse);
    let status = [numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?];
    matches!(status[0], 4 | 5).then_some(status)
}

/// Whether a no to RCPT TO is about this recipient and for good. Many servers say only here what they hold against the
/// client or the sender; the numbers of RFC 3463 tell it apart: subject 1 is addresses (of which 7 and 8 are the
/// sender's), 2 the mailbox (of which 2 is that it is full), 7 policy, the rest systems and protocol.
fn is_of_the_recipient(code: u16, enhanced: Option<[u16; 3]>) -> bool {
    let is_a_lasting_no = matches!(code, 550 | 551 | 553 | 554 | 556);
    match enhanced {
        Some([5, 1, detail]) => is_a_lasting_no && !matches!(detail, 7 | 8),
        Some([5, 2, detail]) => is_a_lasting_no && detail != 2,
        Some(_) => false,
        None => is_a_lasting_no,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lasting_no_to_the_recipient_is_final() {
        let is_final = |code, words: &str| is_of_the_recipient(code, enhanced_status(words));
        for (code, words) in
            [(550, "nobody here"), (550, "5.1.1 unknown"), (550, "5.2.1 disabled"), (553, "5.1.3 bad"), (554, "no")]
        {
            assert!(is_final(code, words), "{code} {words}");
        }
        for (code, words) in [
            (450, "busy"),
            (530, "5.7.0 Must issue a STARTTLS command first"),
            (530, "authentication required"),
            (550, "5.7.1 not on your terms"),
            (553, "5.7.1 Sender address rejected: not owned by user"),
            (554, "5.7.1 Relay access denied"),
            (550, "5.1.8 Sender address rejected: Domain not found"),
            (552, "5.2.2 mailbox full"),
            (552, "quota"),
            (503, "5.5.1 bad sequence"),
        ] {
            assert!(!is_final(code, words), "{code} {words}");
        }
    }
}
