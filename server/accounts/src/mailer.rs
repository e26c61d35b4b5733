//! How a letter leaves: by SMTP, or into the built-in mailbox of development.

use std::time::Duration;

use chrono::{DateTime, Utc};
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use serde::Serialize;
use uuid::Uuid;

use crate::mail::Rendered;
use crate::{Error, Result, Store};

/// For each step of the conversation with the server; a letter holds no worker longer than a few of these.
const SMTP_TIMEOUT: Duration = Duration::from_secs(30);

/// Where letters go.
#[derive(Clone, Debug)]
pub enum Mailer {
    /// To a mail server.
    Smtp(Box<SmtpServer>),
    /// Into the database, to be read at `/dev/mailbox`.
    Mailbox(Store),
}

/// A mail server, and who writes.
#[derive(Clone, Debug)]
pub struct SmtpServer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// A letter in the built-in mailbox.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct MailboxMessage {
    /// The letter's.
    pub id: Uuid,
    /// Recipient.
    #[sqlx(rename = "recipient")]
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Plain text part.
    #[sqlx(rename = "body_text")]
    pub text: String,
    /// HTML part.
    #[sqlx(rename = "body_html")]
    pub html: String,
    /// The link that proves something.
    pub link: Option<String>,
    /// The six digits.
    pub code: Option<String>,
    /// UTC.
    pub created_at: DateTime<Utc>,
}

/// Why a letter did not leave.
#[derive(Debug)]
pub(crate) enum NotSent {
    /// Worth another try.
    Later(String),
    /// The server will not have it.
    Never(String),
}

impl SmtpServer {
    /// `smtp://user:password@host:587` (STARTTLS where the host is not this machine), `smtps://…`.
    /// `from` as in `Vestibule <account@example.org>`.
    pub fn new(url: &str, from: &str) -> Result<Self> {
        let from = from.parse().map_err(|_| Error::internal("the sender is not a mail address"))?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| Error::internal("the mail server is not an smtp:// or smtps:// address"))?;
        Ok(Self { transport: builder.timeout(Some(SMTP_TIMEOUT)).build(), from })
    }

    async fn send(
        &self,
        id: Uuid,
        recipient: &str,
        letter: &Rendered,
        created_at: DateTime<Utc>,
    ) -> Result<(), NotSent> {
        let message =
            self.compose(id, recipient, letter, created_at).map_err(|error| NotSent::Never(error.to_string()))?;
        let sent = self.transport.send(message).await;
        sent.map(drop).map_err(|error| match error {
            // Greylisting and full mailboxes are 4xx; only 5xx is a final no (RFC 5321 4.2.1).
            error if error.is_permanent() => NotSent::Never(reason(&error)),
            error => NotSent::Later(reason(&error)),
        })
    }

    fn compose(&self, id: Uuid, recipient: &str, letter: &Rendered, created_at: DateTime<Utc>) -> Result<Message> {
        let to: Address = recipient.parse().map_err(Error::internal)?;
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.clone()]).map_err(Error::internal)?;
        Message::builder()
            .envelope(envelope)
            .from(self.from.clone())
            .reply_to(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&letter.subject)
            .date(created_at.into())
            // Stable: a letter sent twice after a crash is one message to the reader.
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(AutoSubmitted)
            .header(SuppressAutoReplies)
            .header(EntityRef(id))
            .header(ContentLanguage)
            .multipart(
                MultiPart::alternative()
                    .singlepart(part(ContentType::TEXT_PLAIN, &letter.text)?)
                    .singlepart(part(ContentType::TEXT_HTML, &letter.html)?),
            )
            .map_err(Error::internal)
    }
}

/// Always encoded: no line of ours reaches the server as it is, so none can end the message or be cut.
fn part(content_type: ContentType, text: &str) -> Result<SinglePart> {
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    let body = Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable)
        .map_err(|_| Error::internal("a letter cannot be encoded"))?;
    Ok(SinglePart::builder().header(content_type).body(body))
}

/// The server's status line without its text, which may repeat the address.
fn reason(error: &smtp::Error) -> String {
    error.status().map_or_else(|| "no answer".to_owned(), |code| code.to_string())
}

impl Mailer {
    pub(crate) async fn send(
        &self,
        id: Uuid,
        recipient: &str,
        letter: Rendered,
        created_at: DateTime<Utc>,
    ) -> Result<(), NotSent> {
        match self {
            Self::Smtp(server) => server.send(id, recipient, &letter, created_at).await,
            Self::Mailbox(store) => {
                keep(store, id, recipient, letter, created_at).await.map_err(|error| NotSent::Later(error.to_string()))
            }
        }
    }
}

async fn keep(store: &Store, id: Uuid, recipient: &str, letter: Rendered, created_at: DateTime<Utc>) -> Result<()> {
    let Rendered { subject, text, html, link, code } = letter;
    let message = MailboxMessage { id, to: recipient.to_owned(), subject, text, html, link, code, created_at };
    let mut tx = store.write().await?;
    tx.insert_mailbox_message(&message).await?;
    tx.commit().await
}

macro_rules! header {
    ($(#[$doc:meta])* $name:ident $(($value:ty))?, $header:literal, |$this:ident| $text:expr) => {
        $(#[$doc])*
        #[derive(Clone)]
        struct $name $(($value))?;

        impl Header for $name {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($header)
            }

            fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Err("written, never read".into())
            }

            fn display(&self) -> HeaderValue {
                let $this = self;
                HeaderValue::new(Self::name(), $text)
            }
        }
    };
}

header!(
    /// RFC 3834: no machine should answer.
    AutoSubmitted, "Auto-Submitted", |_this| "auto-generated".to_owned());
header!(
    /// Exchange: no absence notes; delivery failures are welcome.
    SuppressAutoReplies, "X-Auto-Response-Suppress", |_this| "OOF, AutoReply".to_owned());
header!(
    /// Keeps mail programs from folding two codes into one thread.
    EntityRef(Uuid), "X-Entity-Ref-ID", |this| this.0.to_string());
header!(
    /// RFC 3282.
    ContentLanguage, "Content-Language", |_this| "en".to_owned());
