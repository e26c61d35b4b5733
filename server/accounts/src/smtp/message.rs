//! A letter as it goes over the wire (RFC 5322): headers, and two parts that are always encoded.

use chrono::{DateTime, Utc};
use lettre::message::header::{ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use uuid::Uuid;

use crate::mail::Rendered;
use crate::{Error, Result};

/// Writes a letter down.
pub(super) fn compose(
    from: &Mailbox,
    to: Address,
    id: Uuid,
    letter: &Rendered,
    created_at: DateTime<Utc>,
) -> Result<Message> {
    Message::builder()
        .from(from.clone())
        .reply_to(from.clone())
        .to(Mailbox::new(None, to))
        .subject(&letter.subject)
        .date(created_at.into())
        // Stable: a letter sent twice after a crash is one message to the reader.
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
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

/// Always encoded: no line of ours reaches the server as it is, so none can end the message or be cut.
fn part(content_type: ContentType, text: &str) -> Result<SinglePart> {
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    let body = Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable)
        .map_err(|_| Error::internal("a letter cannot be encoded"))?;
    Ok(SinglePart::builder().header(content_type).body(body))
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
