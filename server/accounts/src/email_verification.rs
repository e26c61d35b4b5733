//! Proof of a mailbox: by the link of a letter, or by its six digits.
//!
//! Looking at a link changes nothing: mail scanners open links. A link or code alone proves the mailbox, not the
//! person who signed up; so unless this client began the sign-up, or is signed in to it, it must also bring that
//! password, or choose a new one. A mistake there spends nothing.

use contract::confirmation::{ConfirmationForm, parse_code};
use contract::{EmailAddress, Fault, Field, Refusal};

use crate::admission::Admission;
use crate::audit::Event;
use crate::claims::Claims;
use crate::limits::Action;
use crate::new_password::About;
use crate::ownership::Claimant;
use crate::proof::{Link, Proven, masked};
use crate::sessions::{Began, ProvenBy};
use crate::store::Tx;
use crate::tokens::Purpose;
use crate::{
    Accounts, EmailVerification, Error, LetterLink, LoginOnVerify, NewSession, Result, User, Visitor, address,
};

/// A proof that was accepted.
#[derive(Clone, Debug)]
pub enum Confirmed {
    /// Confirmed, and signed in.
    SignedIn(Box<NewSession>),
    /// Confirmed; sign-in is a step of its own.
    SignInNext(User),
    /// It was confirmed before; nothing was done.
    Already,
}

impl Accounts {
    /// What a link leads to. Changes nothing.
    pub async fn look_at_confirmation(&self, visitor: &Visitor, token: &str) -> Result<LetterLink> {
        Ok(match self.look_at(Purpose::ConfirmEmail, token).await? {
            Link::Live(proven) if proven.claims.owner().is_none() => {
                let is_own = visitor.account_ids().any(|id| proven.claims.sign_up(id).is_some());
                let asked = proven.token.user_id.and_then(|id| proven.claims.sign_up(id));
                let email = asked.map_or(proven.token.email_key.as_str(), |account| &account.email);
                let email = if is_own { email.to_owned() } else { masked(email) };
                let asks_password = !is_own && self.settings().login_on_verify != LoginOnVerify::Always;
                LetterLink::Ready { email, is_own, asks_password, begins_anew: false }
            }
            Link::Live(_) | Link::Used => LetterLink::Used,
            Link::Expired { at, superseded } => LetterLink::Expired { at, superseded },
            Link::Unknown => LetterLink::Unknown,
        })
    }

    /// Confirms an address, once, and signs in whom the settings say.
    pub async fn confirm_email(&self, visitor: &Visitor, form: &ConfirmationForm) -> Result<Confirmed> {
        let mut admission = self.admit(visitor, &[Action::Confirm(visitor.network())]).await?;
        if !form.password.is_empty() || !form.new_password.is_empty() {
            admission.enter()?;
        }
        let is_by_code = form.token.trim().is_empty();
        let found = if is_by_code {
            Some(self.prove_by_sign_up_code(visitor, form).await?)
        } else {
            self.find_by_token(Purpose::ConfirmEmail, &form.token).await?
        };
        let Some(proven) = found.filter(|proven| proven.claims.owner().is_none()) else {
            return Ok(Confirmed::Already);
        };
        match self.who_claims(visitor, form, &proven, &mut admission).await {
            Ok(claimant) => self.confirm(visitor, &proven, claimant).await,
            Err(error) => {
                if is_by_code {
                    self.give_back_try(&proven).await?;
                }
                Err(error)
            }
        }
    }

    /// Posts another letter. The answer is the same for every address, and so is the work.
    pub async fn resend_confirmation(&self, visitor: &Visitor, email: &str) -> Result<()> {
        let key = address_key(if email.trim().is_empty() { visitor.own_email().unwrap_or_default() } else { email })?;
        let network = visitor.network();
        self.admit(visitor, &[Action::Resend(network), Action::ResendTo(network, &key)]).await?;

        let mut tx = self.0.store.write().await?;
        let claims = Claims::on(&mut tx, &key).await?;
        let own = visitor.account_ids().find_map(|id| claims.sign_up(id));
        // Where nobody proves an address there is nothing to send, and a stranger's letter would only lead astray.
        let asks = self.settings().email_verification != EmailVerification::Off;
        let sign_up = own.or_else(|| claims.sign_ups().next()).filter(|_| asks);
        let sign_up = sign_up.map(|account| (account.id, account.email.as_str()));
        self.post_proof(&mut tx, visitor, &claims, &key, sign_up, None).await?;
        tx.commit().await?;
        self.0.letters_waiting.notify_one();
        Ok(())
    }

    /// By the code of this client's own sign-up, or of an address. What the form lacks is judged before a try is counted.
    async fn prove_by_sign_up_code(&self, visitor: &Visitor, form: &ConfirmationForm) -> Result<Proven> {
        let own = visitor.own_email();
        if form.code.is_empty() && own.is_none() {
            return Err(Error::field(Field::Token, Fault::Missing));
        }
        parse_code(&form.code).map_err(|fault| Error::field(Field::Code, fault))?;
        let is_typed = !form.email.trim().is_empty();
        let key = address_key(if is_typed { &form.email } else { own.unwrap_or_default() })?;
        let is_own = own.and_then(|own| address_key(own).ok()).is_some_and(|own| own == key);
        let is_enough = is_own || self.settings().login_on_verify == LoginOnVerify::Always;
        if !form.new_password.is_empty() {
            self.judge_new_password(&form.new_password, None, About { email: &form.email, ..About::default() })
                .map_err(|fault| Error::field(Field::NewPassword, fault))?;
        } else if form.password.is_empty() && !is_enough {
            return Err(Refusal::PasswordRequired.into());
        }
        let tries = [Action::CodeFrom(visitor.network()), Action::CodeFor(&key)];
        // Strangers who use up the tries of an address do not keep out whoever signed up with it.
        let mut codes = self.admit(visitor, if is_own { &tries[..1] } else { &tries }).await?;
        // Only the client that signed up is told how its tries stand.
        let proven = self.find_by_code(visitor, Purpose::ConfirmEmail, &key, &form.code, None, is_own && !is_typed);
        let proven = proven.await?;
        codes.refund();
        Ok(proven)
    }

    /// Whose the address will be. Signed in to an account, or having begun it here, is proof enough of being the one
    /// who made it; so is its password. Whoever chooses a new one gets an account that nobody else has used.
    async fn who_claims(
        &self,
        visitor: &Visitor,
        form: &ConfirmationForm,
        proven: &Proven,
        admission: &mut Admission<'_>,
    ) -> Result<Claimant> {
        let Proven { token, claims, .. } = proven;
        if let Some(own) = visitor.account_ids().find_map(|id| claims.sign_up(id)) {
            return Ok(Claimant::known(own, ProvenBy::Password));
        }
        let asked = token.user_id.and_then(|id| claims.sign_up(id));
        if !form.new_password.is_empty() {
            let about = asked.map_or(About { email: &token.email_key, ..About::default() }, About::account);
            self.judge_new_password(&form.new_password, None, about)
                .map_err(|fault| Error::field(Field::NewPassword, fault))?;
            let hash = admission.hash(&form.new_password, &self.0.keys.salt(&token.email_key)).await?;
            return Ok(Claimant::with_new_password(asked, hash));
        }
        if let (LoginOnVerify::Always, Some(asked)) = (self.settings().login_on_verify, asked) {
            return Ok(Claimant::known(asked, ProvenBy::Letter));
        }
        if form.password.is_empty() {
            return Err(Refusal::PasswordRequired.into());
        }
        let account = self.whose_password(claims, &form.password, admission).await?;
        let account = account.ok_or_else(|| Error::field(Field::CurrentPassword, Fault::Incorrect))?;
        Ok(Claimant::known(account, ProvenBy::Password))
    }

    /// Spends the letter, proves the address, begins the session: all or nothing, for one caller.
    async fn confirm(&self, visitor: &Visitor, proven: &Proven, claimant: Claimant) -> Result<Confirmed> {
        let token = &proven.token;
        let mut tx = self.0.store.write().await?;
        let Some(owned) = self.take_ownership(&mut tx, token, &claimant).await? else {
            drop(tx);
            let state = self.0.store.read().await?.one_time_token_by_id(token.id).await?;
            let was_spent = state.is_some_and(|state| state.consumed_at.is_some());
            return if was_spent { Ok(Confirmed::Already) } else { Err(Refusal::TokenInvalid.into()) };
        };
        self.record(&mut tx, Event::EmailConfirmed, Some(visitor), Some(owned.user.id), None).await?;
        let mut changed = owned.changed();
        let confirmed = if self.settings().login_on_verify == LoginOnVerify::Never {
            Confirmed::SignInNext(owned.user)
        } else {
            let began = self.begins_like(&mut tx, visitor, claimant.by).await?;
            changed.extend(self.end_present_session(&mut tx, visitor).await?);
            Confirmed::SignedIn(Box::new(self.begin_session(&mut tx, visitor, &owned.user, began).await?))
        };
        self.commit_changes(tx, changed).await?;
        Ok(confirmed)
    }

    /// A session that takes the place of one of the same person's goes on as that began: a letter is no new password.
    async fn begins_like(&self, tx: &mut Tx, visitor: &Visitor, by: ProvenBy) -> Result<Began> {
        let Some(here) = &visitor.signed_in else { return Ok(Began { remember: false, by, at: None }) };
        let session = tx.live_session(here.session_id, self.0.clock.now()).await?;
        let by = session.map_or(by, |session| ProvenBy::named(&session.amr));
        Ok(Began { remember: here.remember, by, at: Some(here.auth_time) })
    }
}

fn address_key(email: &str) -> Result<String> {
    let key = EmailAddress::parse(email).and_then(|email| address::key(&email));
    key.map_err(|fault| Error::field(Field::Email, fault))
}
