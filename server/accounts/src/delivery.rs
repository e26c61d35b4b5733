//! Sending what is in the outbox.
//!
//! A worker takes each letter under a lease, works out its link and code, sends it, and only then marks it: a crash in
//! between sends it again under the same `Message-ID`, and never loses it. A letter whose link is dead is not sent.
//! The lease is short, and prolonged for as long as its letter is under way: what a killed process held is free in
//! seconds. Letters go out beside each other, and the place of one that is done is taken at once by the next, so that a
//! letter that hangs holds up no other.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::{Id, JoinError, JoinSet};
use uuid::Uuid;

use crate::error::Chain;
use crate::smtp::{Cause, NotSent};
use crate::store::{Letter, Outgoing};
use crate::{Accounts, Result};

/// A killed process holds its letters no longer.
const LEASE: TimeDelta = TimeDelta::seconds(20);

/// How often a lease is prolonged.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// Letters under way at once.
const AT_ONCE: usize = 8;

/// Pauses before what happened to a letter is tried to be written again. They stay within the lease.
const WRITE_AGAIN_AFTER: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(9)];

/// Letters on their way. Dropped, it breaks off all of them; their leases run out.
#[derive(Debug)]
pub struct PostOffice {
    accounts: Accounts,
    under_way: JoinSet<()>,
    leases: HashMap<Id, Lease>,
    /// Whose sending broke off by a bug.
    broken: Vec<Lease>,
}

#[derive(Clone, Copy, Debug)]
struct Lease {
    letter: Uuid,
    attempts: i32,
}

/// What became of a letter.
enum Outcome {
    Sent,
    GivenUp(&'static str, NotSent),
    PutOff(NotSent),
    /// There is nothing to send any more.
    Void(&'static str),
}

impl PostOffice {
    /// With nothing on its way.
    pub fn new(accounts: Accounts) -> Self {
        Self { accounts, under_way: JoinSet::new(), leases: HashMap::new(), broken: Vec::new() }
    }

    /// Takes as many letters that are due as there are free places, and does not wait for them. Answers how many.
    pub async fn take(&mut self) -> Result<usize> {
        while let Some(done) = self.under_way.try_join_next_with_id() {
            self.strike_off(done);
        }
        self.put_off_broken().await?;
        let mut taken = 0;
        loop {
            let places = AT_ONCE - self.under_way.len();
            let due = if places == 0 { Vec::new() } else { self.accounts.due_letters(places).await? };
            for id in &due {
                taken += usize::from(self.begin(*id).await?);
            }
            // Fewer than there was room for: there are no more.
            if due.len() < places || places == 0 {
                break;
            }
        }
        if self.under_way.is_empty() {
            self.accounts.0.mailer.hang_up();
        }
        Ok(taken)
    }

    /// Waits until a letter has left its place; for ever when there is none.
    pub async fn place_is_free(&mut self) {
        match self.under_way.join_next_with_id().await {
            Some(done) => self.strike_off(done),
            None => std::future::pending().await,
        }
    }

    /// Finishes what is under way within a time, and gives back the rest: other processes may have it at once.
    pub async fn close(mut self, within: Duration) {
        tokio::time::timeout(within, self.finish()).await.ok();
        self.under_way.shutdown().await;
        for lease in self.leases.into_values().chain(self.broken) {
            if let Err(error) = self.accounts.set_lease(lease, false).await {
                tracing::warn!(id = %lease.letter, error = %Chain(&error), "an email stays leased for some seconds");
            }
        }
    }

    async fn finish(&mut self) {
        while let Some(done) = self.under_way.join_next_with_id().await {
            self.strike_off(done);
        }
    }

    async fn begin(&mut self, id: Uuid) -> Result<bool> {
        let Some(letter) = self.accounts.lease_letter(id).await? else { return Ok(false) };
        let lease = Lease { letter: letter.id, attempts: letter.attempts };
        let accounts = self.accounts.clone();
        let task = self.under_way.spawn(async move { accounts.send_under_lease(letter, lease).await });
        self.leases.insert(task.id(), lease);
        Ok(true)
    }

    fn strike_off(&mut self, done: Result<(Id, ()), JoinError>) {
        let id = done.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
        let lease = self.leases.remove(&id);
        if let Err(error) = done {
            tracing::error!(event = "mail.broken", %error, "an email's sending broke off");
            self.broken.extend(lease);
        }
    }

    /// A letter that breaks its sending would do so again at once.
    async fn put_off_broken(&mut self) -> Result<()> {
        while let Some(Lease { letter, attempts }) = self.broken.last().copied() {
            self.accounts.put_off(letter, attempts).await?;
            self.broken.pop();
        }
        Ok(())
    }
}

impl Accounts {
    /// Sends what is due, and waits until it is done. Answers how many letters were taken, so that the caller asks
    /// again until none are.
    pub async fn send_letters(&self) -> Result<usize> {
        let mut post_office = PostOffice::new(self.clone());
        let taken = post_office.take().await;
        post_office.finish().await;
        // Those that have broken off, if any.
        post_office.put_off_broken().await?;
        taken
    }

    /// Logs that letters wait for a newer version, if any do.
    pub async fn report_unknown_letters(&self) -> Result<()> {
        let now = self.0.clock.now();
        let unknown = self.0.store.read().await?.count_unknown_letters(&Letter::known(), now).await?;
        if unknown > 0 {
            tracing::warn!(event = "mail.unknown", emails = unknown, "emails wait for a version that knows them");
        }
        Ok(())
    }

    async fn due_letters(&self, at_most: usize) -> Result<Vec<Uuid>> {
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        self.0.store.read().await?.due_letters(&Letter::known(), self.0.clock.now(), at_most).await
    }

    async fn lease_letter(&self, id: Uuid) -> Result<Option<Outgoing>> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let letter = tx.lease_letter(id, now, now + LEASE).await?;
        tx.commit().await?;
        Ok(letter)
    }

    async fn send_under_lease(&self, letter: Outgoing, lease: Lease) {
        let outcome = tokio::select! {
            outcome = self.try_to_send(&letter) => outcome,
            () = self.keep(lease) => return tracing::warn!(id = %letter.id, "another process has taken this email"),
        };
        outcome.tell(&letter);
        let mut written = self.write_down(&letter, &outcome).await;
        for pause in WRITE_AGAIN_AFTER {
            if written.is_ok() {
                return;
            }
            tokio::time::sleep(pause).await;
            written = self.write_down(&letter, &outcome).await;
        }
        if let Err(error) = written {
            tracing::error!(id = %letter.id, error = %Chain(&error), "what became of an email is not written down");
        }
    }

    /// Prolongs a lease until it is lost.
    async fn keep(&self, lease: Lease) {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            match self.set_lease(lease, true).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(id = %lease.letter, error = %Chain(&error), "a lease was not prolonged"),
            }
        }
    }

    async fn set_lease(&self, lease: Lease, prolong: bool) -> Result<bool> {
        let until = prolong.then(|| self.0.clock.now() + LEASE);
        let mut tx = self.0.store.write().await?;
        let is_held = tx.set_lease(lease.letter, lease.attempts, until).await?;
        tx.commit().await?;
        Ok(is_held)
    }

    async fn try_to_send(&self, letter: &Outgoing) -> Outcome {
        if letter.expires_at.is_some_and(|at| at <= self.0.clock.now()) {
            return Outcome::Void("its link is dead");
        }
        let rendered = match self.render(letter).await {
            Ok(Some(rendered)) => rendered,
            Ok(None) => return Outcome::Void("a newer email took its place"),
            Err(error) => return Outcome::PutOff(NotSent::later(Cause::Storage, Chain(&error).to_string())),
        };
        match self.0.mailer.send(letter.id, &letter.recipient, rendered, letter.created_at).await {
            Ok(()) => Outcome::Sent,
            Err(failure) if failure.cause == Cause::NotALetter => Outcome::GivenUp("it cannot be written", failure),
            Err(failure) if failure.is_final => Outcome::GivenUp("the recipient is refused", failure),
            Err(failure) => Outcome::PutOff(failure),
        }
    }

    async fn write_down(&self, letter: &Outgoing, outcome: &Outcome) -> Result<()> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        match outcome {
            Outcome::Sent => tx.mark_sent(letter.id, now).await?,
            Outcome::GivenUp(..) | Outcome::Void(_) => tx.mark_given_up(letter.id, now).await?,
            Outcome::PutOff(_) => tx.put_off(letter.id, letter.attempts, now + pause_after(letter.attempts)).await?,
        }
        tx.commit().await
    }

    async fn put_off(&self, id: Uuid, attempts: i32) -> Result<()> {
        let mut tx = self.0.store.write().await?;
        tx.put_off(id, attempts, self.0.clock.now() + pause_after(attempts)).await?;
        tx.commit().await
    }
}

impl Outcome {
    /// In the log, with the cause in one word. Never with the address.
    fn tell(&self, letter: &Outgoing) {
        let Outgoing { id, letter, attempts, .. } = letter;
        match self {
            Self::Sent => tracing::debug!(event = "mail.sent", letter, %id, attempts, "email sent"),
            Self::Void(reason) => tracing::info!(event = "mail.void", letter, %id, reason, "email not sent"),
            Self::GivenUp(reason, NotSent { cause, status, detail, .. }) => {
                let cause = cause.name();
                tracing::error!(event = "mail.failed", letter, %id, attempts, cause, status, detail, reason, "email given up");
            }
            Self::PutOff(NotSent { cause, status, detail, .. }) => {
                let cause = cause.name();
                tracing::warn!(event = "mail.put_off", letter, %id, attempts, cause, status, detail, "email put off");
            }
        }
    }
}

/// Greylisting wants another try within minutes; a server that is down wants to be left alone.
fn pause_after(attempts: i32) -> TimeDelta {
    match attempts {
        ..=1 => TimeDelta::seconds(10),
        2 => TimeDelta::minutes(1),
        3 => TimeDelta::minutes(5),
        _ => TimeDelta::minutes(15),
    }
}
