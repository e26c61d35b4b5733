//! What happened to accounts, written in the transaction that did it: no row tells what did not happen. Never holds an
//! address of a mailbox, a token or a password.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::Tx;
use crate::tokens::new_id;
use crate::{Accounts, Result, Visitor};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    SignedIn,
    SignedOut,
    SignedOutEverywhere,
    SessionEnded,
    TokenReused,
    EmailConfirmed,
    PasswordChanged,
    PasswordReset,
    ProfileChanged,
    Disabled,
    Enabled,
    KeyMade,
    KeyRotated,
}

impl Event {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "login.ok",
            Self::SignedOut => "logout",
            Self::SignedOutEverywhere => "logout.all",
            Self::SessionEnded => "session.end",
            Self::TokenReused => "session.reuse_detected",
            Self::EmailConfirmed => "email.confirm",
            Self::PasswordChanged => "password.change",
            Self::PasswordReset => "password.reset",
            Self::ProfileChanged => "profile.change",
            Self::Disabled => "account.disable",
            Self::Enabled => "account.enable",
            Self::KeyMade => "key.make",
            Self::KeyRotated => "key.rotate",
        }
    }
}

/// A row.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) happened_at: DateTime<Utc>,
    pub(crate) event: Event,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) session_id: Option<Uuid>,
    pub(crate) address: Option<String>,
}

impl Accounts {
    /// Records an event in the transaction that makes it true. Without a visitor it was done on this machine.
    pub(crate) async fn record(
        &self,
        tx: &mut Tx,
        event: Event,
        visitor: Option<&Visitor>,
        user_id: Option<Uuid>,
        session_id: Option<Uuid>,
    ) -> Result<()> {
        let now = self.0.clock.now();
        let address = visitor.map(|visitor| visitor.network().cut_short());
        let (user, session) = (user_id.map(tracing::field::display), session_id.map(tracing::field::display));
        tracing::info!(event = event.name(), user, session, "recorded");
        let entry = Entry { id: new_id(now)?, happened_at: now, event, user_id, session_id, address };
        tx.insert_audit_event(&entry).await
    }
}
