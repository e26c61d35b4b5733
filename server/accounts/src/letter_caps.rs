//! How many letters strangers can have us send.
//!
//! Whoever types an address makes us write to it. So that nobody's mailbox is filled, and no site ends on a list of
//! senders nobody wants, letters are counted by mailbox, and requests for them by the network that asks and all together.
//! Requests count whether or not a letter answers them: a cap that is reached would tell which of them were. All is
//! counted in the database, so that neither a restart nor another node begins anew. Over a cap the answer is the same
//! as always, whoever has the address; there is just no letter. Letters of one kind leave those of another their
//! share. What tells somebody who has proven the address of a change is not counted.

use aws_lc_rs::hmac;

use crate::store::{LetterCounts, LetterRequest, Tx};
use crate::tokens::{leading, new_id};
use crate::{Accounts, Result, Visitor, address};

/// Of one kind to one mailbox.
const AN_HOUR: i64 = 6;
const A_DAY: i64 = 10;

/// Requests of one network: a school or an office may be one.
const A_DAY_FOR_A_NETWORK: i64 = 300;

/// For what somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// To prove a mailbox, or to tell its owner that somebody tried.
    Proof,
    /// A way to a new password, or the news that there is no account.
    Reset,
    /// The same, asked for by a browser that has signed in to this account before: strangers cannot use these up.
    ResetOnDevice,
    /// News of a change to an address that nobody has proven.
    Notice,
    /// None that goes out: it costs the same, and counts for the network that asks.
    Nothing,
}

impl Accounts {
    /// Whether a letter that this visitor asks for may be posted to this mailbox now. Counts it, if so; to be asked
    /// once for each letter, in the transaction that posts it, before anything is replaced, and whoever has the address.
    pub(crate) async fn may_write_to(
        &self,
        tx: &mut Tx,
        visitor: &Visitor,
        email: &str,
        wanted: Wanted,
    ) -> Result<bool> {
        if !self.settings().rate_limits {
            return Ok(true);
        }
        let now = self.0.clock.now();
        let mailbox = self.blurred(wanted.kind(), address::mailbox(email).as_bytes());
        let network = self.blurred("network", &visitor.network().number().to_be_bytes());
        let request = LetterRequest { id: new_id(now)?, mailbox, network, asked_at: now };
        let counts = tx.letter_counts(&request).await?;
        let cap = self.cap_reached(counts);
        tx.insert_letter_request(&request, cap.is_some() || wanted == Wanted::Nothing).await?;
        if wanted == Wanted::Nothing {
            return Ok(true);
        }
        // Once for a mailbox and hour, or a flood of requests would be one of lines.
        if let Some(cap) = cap.filter(|_| counts.refused_hour == 0) {
            let mailbox = leading(&request.mailbox, 6);
            let mailbox = format_args!("{mailbox:012x}");
            tracing::warn!(event = "mail.capped", cap, %mailbox, "no more emails to this mailbox for now");
        }
        Ok(cap.is_none())
    }

    /// In one word, for the log.
    fn cap_reached(&self, counts: LetterCounts) -> Option<&'static str> {
        let ceiling = self.settings().emails_per_hour.map_or(i64::MAX, i64::from);
        [
            ("mailbox_hour", counts.mailbox_hour >= AN_HOUR),
            ("mailbox_day", counts.mailbox_day >= A_DAY),
            ("network_day", counts.network_day >= A_DAY_FOR_A_NETWORK),
            ("all_hour", counts.all_hour >= ceiling),
        ]
        .into_iter()
        .find_map(|(cap, is_reached)| is_reached.then_some(cap))
    }

    /// Addresses of strangers, and their networks, are compared, and never kept.
    pub(crate) fn blurred(&self, what: &str, value: &[u8]) -> Vec<u8> {
        let message = [what.as_bytes(), b"\0", value].concat();
        hmac::sign(&self.0.keys.letter_caps, &message).as_ref().to_vec()
    }
}

impl Wanted {
    /// What is counted together.
    const fn kind(self) -> &'static str {
        match self {
            Self::Proof => "proof",
            Self::Reset => "reset",
            Self::ResetOnDevice => "reset on a known device",
            Self::Notice => "notice",
            Self::Nothing => "nothing",
        }
    }
}
