//! Sending what is in the outbox.
//!
//! A verb posts a letter in the transaction of its change and never waits for a mail server. A worker takes each
//! letter under a lease, works out its link and code, sends it, and only then marks it: a crash in between sends it
//! again under the same `Message-ID`, and never loses it. A letter whose link is dead is not sent.

use std::time::Duration;

use chrono::TimeDelta;
use contract::paths;

use crate::mail::{
    AlreadyRegistered, Confirm, NoAccount, PasswordChanged, Rendered, ResetPassword, SessionTheft, Site,
};
use crate::mailer::NotSent;
use crate::store::{Account, Letter, Outgoing, Tx};
use crate::tokens::{Proof, Purpose, new_id};
use crate::{Accounts, Error, MailboxMessage, Mailer, Result, jwt};

/// Longer than a conversation with a mail server can take, each of its dozen steps at its time limit.
const LEASE: TimeDelta = TimeDelta::minutes(10);

/// Letters under way at once: one slow server or recipient does not hold the others.
const AT_ONCE: i64 = 4;

/// News that could not be delivered for so long are none any more.
const NEWS_KEPT: TimeDelta = TimeDelta::days(3);

impl Accounts {
    /// Posts a letter that only tells something.
    pub(crate) async fn post_notice(&self, tx: &mut Tx, letter: Letter, account: &Account) -> Result<()> {
        let now = self.0.clock.now();
        tx.post(new_id(now)?, letter, &account.email, Some(account.id), None, now, Some(now + NEWS_KEPT)).await
    }

    /// Waits until a letter is posted here, or for so long: letters of other nodes, and put off ones, make no sound.
    pub async fn wait_for_letters(&self, at_most: Duration) {
        tokio::time::timeout(at_most, self.0.letters_waiting.notified()).await.ok();
    }

    /// Sends what is due. Answers how many letters were handled, so that the caller asks again until none are.
    pub async fn send_letters(&self) -> Result<usize> {
        let now = self.0.clock.now();
        let due = self.0.store.read().await?.due_letters(now, AT_ONCE).await?;
        let mut under_way = tokio::task::JoinSet::new();
        for id in &due {
            let mut tx = self.0.store.write().await?;
            let leased = tx.lease_letter(*id, now, now + LEASE).await?;
            tx.commit().await?;
            if let Some(letter) = leased {
                let accounts = self.clone();
                under_way.spawn(async move { accounts.send_letter(letter).await });
            }
        }
        let mut worked = Ok(due.len());
        // To the last: one that fails must not break off the others.
        while let Some(done) = under_way.join_next().await {
            if let Err(error) = done.map_err(Error::internal).flatten() {
                worked = Err(error);
            }
        }
        worked
    }

    async fn send_letter(&self, letter: Outgoing) -> Result<()> {
        let now = self.0.clock.now();
        let is_dead = letter.expires_at.is_some_and(|at| at <= now);
        let rendered = if is_dead { None } else { self.render(&letter).await? };
        let sent = match rendered {
            Some(rendered) => self.0.mailer.send(letter.id, &letter.recipient, rendered, letter.created_at).await,
            None if is_dead => Err(NotSent::Never("its link is dead".to_owned())),
            None => Ok(()),
        };
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        match sent {
            Ok(()) => tx.mark_sent(letter.id, now).await?,
            Err(NotSent::Never(reason)) => {
                tracing::error!(event = "mail.failed", letter = letter.letter, id = %letter.id, reason, "letter given up");
                tx.mark_given_up(letter.id, now).await?;
            }
            Err(NotSent::Later(reason)) => {
                tracing::warn!(event = "mail.put_off", letter = letter.letter, id = %letter.id, reason, "letter put off");
                tx.put_off(letter.id, now + pause_after(letter.attempts)).await?;
            }
        }
        tx.commit().await
    }

    /// Nothing for a row that is no letter, or whose token was replaced by a newer one.
    async fn render(&self, letter: &Outgoing) -> Result<Option<Rendered>> {
        let settings = self.settings();
        let site = Site { name: &settings.sign_up.site_name, url: &settings.public_url };
        let [sign_in, register, reset] =
            [paths::LOGIN, paths::REGISTER, paths::PASSWORD_RESET].map(|path| format!("{}{path}", site.url));
        let when = letter.created_at.format("%H:%M UTC on %-d %B %Y").to_string();
        let rendered = match Letter::named(&letter.letter) {
            Some(Letter::Confirm) => {
                let Some(proof) = self.proof_of(letter, Purpose::ConfirmEmail, paths::VERIFY_EMAIL).await? else {
                    return Ok(None);
                };
                let (code, link, lifetime) = (&*proof.code, &*proof.link, &*proof.lifetime);
                Confirm { site, code, link, lifetime }.render()
            }
            Some(Letter::ResetPassword) => {
                let path = paths::PASSWORD_RESET_CONFIRM;
                let Some(proof) = self.proof_of(letter, Purpose::ResetPassword, path).await? else { return Ok(None) };
                let (code, link, lifetime) = (&*proof.code, &*proof.link, &*proof.lifetime);
                ResetPassword { site, code, link, lifetime }.render()
            }
            Some(Letter::AlreadyRegistered) => AlreadyRegistered { site, sign_in: &sign_in, reset: &reset }.render(),
            Some(Letter::NoAccount) => NoAccount { site, register: &register }.render(),
            Some(Letter::PasswordChanged) => PasswordChanged { site, when: &when, reset: &reset }.render(),
            Some(Letter::SessionTheft) => SessionTheft { site, when: &when, reset: &reset }.render(),
            Some(Letter::Nothing) | None => return Ok(None),
        };
        rendered.map(Some)
    }

    /// The secrets of a letter, worked out anew.
    async fn proof_of(&self, letter: &Outgoing, purpose: Purpose, path: &str) -> Result<Option<Secrets>> {
        let Some(token_id) = letter.token_id else { return Ok(None) };
        let token = self.0.store.read().await?.one_time_token_by_id(token_id).await?;
        let Some(token) = token.filter(|token| token.superseded_at.is_none()) else { return Ok(None) };
        let proof = Proof::of(token.id, &self.0.keys);
        let jwt = jwt::issue_letter(purpose, &proof, token.created_at, token.expires_at, &self.0.keys)?;
        let link = format!("{}{path}?token={jwt}", self.settings().public_url);
        let lifetime = contract::wording::duration(seconds(token.expires_at - token.created_at));
        Ok(Some(Secrets { code: proof.code, link, lifetime }))
    }

    /// The built-in mailbox, newest first; of one recipient, or of everybody when `to` is empty. Nothing where
    /// letters go to a mail server.
    pub async fn mailbox(&self, to: &str) -> Result<Vec<MailboxMessage>> {
        match &self.0.mailer {
            Mailer::Smtp(_) => Ok(Vec::new()),
            Mailer::Mailbox(store) => {
                // PostgreSQL has no NUL in text, and no letter has one in its address.
                let to = to.trim().to_lowercase().replace('\0', "?");
                store.read().await?.mailbox_messages(&to, 100).await
            }
        }
    }
}

/// What a letter that proves something says.
struct Secrets {
    code: String,
    link: String,
    lifetime: String,
}

fn seconds(time: TimeDelta) -> u32 {
    u32::try_from(time.num_seconds()).unwrap_or(u32::MAX)
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
