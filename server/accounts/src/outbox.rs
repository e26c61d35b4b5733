//! What is in the outbox.
//!
//! A verb posts a letter in the transaction of its change and never waits for a mail server. Link and code are worked
//! out when it is sent (`delivery.rs`): no row holds a secret.

use std::time::Duration;

use chrono::TimeDelta;
use contract::paths;
use uuid::Uuid;

use crate::letter_caps::Wanted;
use crate::mail::{
    AlreadyRegistered, Confirm, NoAccount, PasswordChanged, Rendered, ResetPassword, SessionTheft, Site,
};
use crate::store::{Account, Letter, Outgoing, Tx};
use crate::tokens::{Proof, Purpose, new_id};
use crate::{Accounts, EmailVerification, MailboxMessage, Mailer, Result, Visitor, jwt};

/// News that could not be delivered for so long are none any more.
const NEWS_KEPT: TimeDelta = TimeDelta::days(3);

/// In the letter to an address that somebody uses, and nobody has proven.
const BEGINS_ANEW: &str = "Nobody has confirmed this address yet. If you are signed in somewhere,\n\
                           choose the password there to keep your account. Elsewhere you get a\n\
                           new one, and the old one ends.";

impl Accounts {
    /// Posts a letter that tells a person of a change. The mailbox of an address that its account has not proven may be
    /// somebody else's: nothing is written there, or, where nobody proves any, no more than other letters.
    pub(crate) async fn post_notice(
        &self,
        tx: &mut Tx,
        visitor: &Visitor,
        letter: Letter,
        account: &Account,
    ) -> Result<()> {
        let is_due = account.verified_at.is_some()
            || self.settings().email_verification == EmailVerification::Off
                && self.may_write_to(tx, visitor, &account.email_key, Wanted::Notice).await?;
        if !is_due {
            return Ok(());
        }
        let now = self.0.clock.now();
        tx.post(new_id(now)?, letter, &account.email, Some(account.id), None, now, Some(now + NEWS_KEPT)).await
    }

    /// Waits until a letter is posted here, or for so long: letters of other nodes, and those that were put off, are not told of here.
    pub async fn wait_for_letters(&self, at_most: Duration) {
        tokio::time::timeout(at_most, self.0.letters_waiting.notified()).await.ok();
    }

    /// Nothing for a letter whose token was replaced by a newer one.
    pub(crate) async fn render(&self, letter: &Outgoing) -> Result<Option<Rendered>> {
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
                let warning = if self.is_used_unproven(proof.user_id).await? { BEGINS_ANEW } else { "" };
                ResetPassword { site, code, link, lifetime, warning }.render()
            }
            Some(Letter::AlreadyRegistered) => AlreadyRegistered { site, sign_in: &sign_in, reset: &reset }.render(),
            Some(Letter::NoAccount) => NoAccount { site, register: &register }.render(),
            Some(Letter::PasswordChanged) => PasswordChanged { site, when: &when, reset: &reset }.render(),
            Some(Letter::SessionTheft) => SessionTheft { site, when: &when, reset: &reset }.render(),
            Some(Letter::Nothing) | None => return Ok(None),
        };
        rendered.map(Some)
    }

    /// Whether the account that a letter is for has been used with an address that nobody has proven.
    async fn is_used_unproven(&self, user_id: Option<Uuid>) -> Result<bool> {
        let Some(user_id) = user_id else { return Ok(false) };
        let account = self.0.store.read().await?.account(user_id).await?;
        let is_used = |account: &Account| account.verified_at.is_none() && account.first_signed_in_at.is_some();
        Ok(self.settings().email_verification != EmailVerification::Off && account.as_ref().is_some_and(is_used))
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
        Ok(Some(Secrets { user_id: token.user_id, code: proof.code, link, lifetime }))
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
    /// The account that it is for.
    user_id: Option<Uuid>,
    code: String,
    link: String,
    lifetime: String,
}

fn seconds(time: TimeDelta) -> u32 {
    u32::try_from(time.num_seconds()).unwrap_or(u32::MAX)
}
