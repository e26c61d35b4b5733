//! How a letter leaves: by SMTP, or into the built-in mailbox of development.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::error::Chain;
use crate::mail::Rendered;
use crate::smtp::{Cause, NotSent, SmtpServer};
use crate::{Result, Store};

/// Where letters go.
#[derive(Clone, Debug)]
pub enum Mailer {
    /// To a mail server.
    Smtp(Box<SmtpServer>),
    /// Into the database, to be read at `/dev/mailbox`.
    Mailbox(Store),
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
                let kept = keep(store, id, recipient, letter, created_at).await;
                kept.map_err(|error| NotSent::later(Cause::Storage, Chain(&error).to_string()))
            }
        }
    }

    /// Says goodbye to the mail server, when there is nothing to send for now.
    pub(crate) fn hang_up(&self) {
        if let Self::Smtp(server) = self {
            server.hang_up();
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
