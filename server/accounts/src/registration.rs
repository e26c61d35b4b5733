//! Sign-up.
//!
//! A sign-up proves nothing about the address, so it reserves nothing: the account it makes is worth something only
//! when the mailbox answers. Until then a second sign-up for the same address neither deletes nor changes the first.
//! What each person typed stays with their own browser (the *pending sign-up*), and whoever proves the mailbox gets
//! what they typed themselves: nobody ends up confirming a password that somebody else chose ("pre-hijacking").
//!
//! A taken address gets the same answer, after the same work: its owner gets a letter, the visitor learns nothing.

use chrono::TimeDelta;
use contract::registration::{Registration, RegistrationForm};
use contract::{Field, Refusal};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::limits::Action;
use crate::new_password::About;
use crate::store::{Account, Letter, Profile, Tx};
use crate::tokens::{Purpose, new_id};
use crate::{Accounts, EmailVerification, Error, NewSession, RegistrationPolicy, Result, Visitor, address};

/// Two sign-ups within this time share one letter: a form sent twice is not two letters.
pub(crate) const ONE_LETTER_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// Whatever asks for them: sign-ups, sign-ins without proof, requests.
const LETTERS_AN_HOUR: i64 = 6;

/// Owners of an address are told of attempts to sign up with it at most this often.
const OWNER_TOLD_ONCE_IN: TimeDelta = TimeDelta::hours(1);

/// What a client that signed up, or gave the right password, may finish. It stays on the server, bound to the client
/// by the browser session, and holds the hash of the password typed there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingSignUp {
    user_id: Uuid,
    /// As typed, for the page.
    pub email: String,
    profile: Profile,
}

impl PendingSignUp {
    /// Whether this client began the sign-up of that user.
    pub(crate) fn is_of(&self, user_id: Uuid) -> bool {
        self.user_id == user_id
    }

    pub(crate) fn user_id(&self) -> Uuid {
        self.user_id
    }

    /// Given name, family name, kind and phone as typed, so that a corrected form asks nothing twice.
    pub fn typed(&self) -> [(&'static str, &str); 5] {
        let Profile { first_name, last_name, user_type, phone, .. } = &self.profile;
        let phone = phone.as_deref().unwrap_or_default();
        let email = self.email.as_str();
        [
            ("email", email),
            ("first_name", first_name),
            ("last_name", last_name),
            ("user_type", user_type),
            ("phone", phone),
        ]
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Of a sign-in with the password of a sign-up that was not finished.
    pub(crate) fn of_sign_up(account: &Account, password_hash: String) -> Self {
        let profile = Profile { password_hash, ..account.profile() };
        Self { user_id: account.id, email: account.email.clone(), profile }
    }
}

/// A sign-up that was taken in.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Of the account, or of nobody when the address has one already.
    pub user_id: Uuid,
    /// Whether a letter is on its way: a new one, or the one of a moment ago. The same for every address.
    pub email_sent: bool,
    /// For the client to keep: it makes this client the one that signed up.
    pub pending: PendingSignUp,
    /// There at once where addresses need no proof.
    pub session: Option<NewSession>,
}

impl Accounts {
    /// Takes a sign-up in. The account, its proof and the letter are one transaction.
    pub async fn register(&self, visitor: &Visitor, form: &RegistrationForm) -> Result<Registered> {
        self.0.limits.spend(Action::Register, visitor.origin())?;
        if self.settings().registration != RegistrationPolicy::Open {
            return Err(Refusal::RegistrationClosed.into());
        }
        let (registration, email_key) = self.check_registration(form)?;
        let now = self.0.clock.now();
        let profile = Profile {
            password_hash: self.0.hasher.hash(&registration.password).await?,
            first_name: registration.first_name,
            last_name: registration.last_name,
            user_type: registration.user_type,
            phone: registration.phone,
            locale: "en".to_owned(),
            terms_accepted_at: registration.terms_version.as_ref().map(|_| now),
            terms_version: registration.terms_version,
        };

        let user_id = new_id(now)?;
        let mut tx = self.0.store.write().await?;
        let is_new = tx.insert_user(user_id, registration.email.as_str(), &email_key, &profile, now).await?;
        let account = tx.account_by_key(&email_key).await?.ok_or_else(|| Error::internal("an account vanished"))?;
        if !is_new && self.tells_of_taken(&account) {
            return Err(Refusal::EmailTaken.into());
        }
        let session = match self.settings().email_verification {
            EmailVerification::Off => Some(self.begin_session(&mut tx, visitor, &account.to_user(), false).await?),
            EmailVerification::Mandatory | EmailVerification::Optional => {
                self.post_proof(&mut tx, &account, Some(profile.password_hash.clone()), Some(ONE_LETTER_WITHIN))
                    .await?;
                None
            }
        };
        if session.is_some() {
            self.commit_change(tx, account.id).await?;
        } else {
            tx.commit().await?;
        }
        self.0.letters_waiting.notify_one();

        let email_sent = session.is_none();
        tracing::info!(event = "register", user = %account.id, repeated = !is_new, "sign-up");
        let pending = PendingSignUp { user_id: account.id, email: registration.email.to_string(), profile };
        Ok(Registered { user_id, email_sent, pending, session })
    }

    /// Every rule, also those that need a dictionary. All faults at once.
    fn check_registration(&self, form: &RegistrationForm) -> Result<(Registration, String)> {
        let rules = &self.settings().sign_up;
        let registration = form.check(rules)?;
        let about = About {
            email: registration.email.as_str(),
            first_name: &registration.first_name,
            last_name: &registration.last_name,
        };
        self.judge_uncommon(&registration.password, about).map_err(|fault| Error::field(Field::Password, fault))?;
        let email_key = address::key(&registration.email).map_err(|fault| Error::field(Field::Email, fault))?;
        Ok((registration, email_key))
    }

    /// Whether a visitor is told that the address has an account. Without proof of the mailbox there is no other
    /// way than to tell: the answer to a good sign-up is a session.
    fn tells_of_taken(&self, account: &Account) -> bool {
        let without_proof = self.settings().email_verification == EmailVerification::Off;
        without_proof || (account.verified_at.is_some() && !self.settings().prevent_enumeration)
    }

    /// Posts the letter that proves this account's address, or tells the owner of a proven one. The same rows are
    /// written either way, and the same pauses kept: a client cannot tell which it was. `unless_within`: not again if
    /// there was one that lately; the last letter then stays the newest. `password_hash`: of the sign-up that asks.
    pub(crate) async fn post_proof(
        &self,
        tx: &mut Tx,
        account: &Account,
        password_hash: Option<String>,
        unless_within: Option<TimeDelta>,
    ) -> Result<()> {
        let (now, purpose) = (self.0.clock.now(), Purpose::ConfirmEmail);
        let live = tx.live_one_time_token(account.id, purpose, now).await?;
        let is_too_soon = live.zip(unless_within).is_some_and(|(live, pause)| live.created_at > now - pause);
        let is_too_often =
            tx.count_tokens_since(account.id, purpose, now - TimeDelta::hours(1)).await? >= LETTERS_AN_HOUR;
        if is_too_soon || is_too_often {
            tx.supersede_one_time_tokens(Uuid::nil(), purpose, now).await?;
            tx.post(new_id(now)?, Letter::Nothing, "", Some(account.id), None, now, None).await?;
            return tx.post(new_id(now)?, Letter::Nothing, "", Some(account.id), None, now, None).await;
        }
        let is_blank = account.verified_at.is_some() || account.disabled_at.is_some();
        let token = self.make_token(account.id, purpose, is_blank, password_hash)?;
        tx.insert_one_time_token(&token, purpose).await?;
        if !is_blank {
            let (recipient, until) = (account.email.as_str(), Some(token.expires_at));
            return tx
                .post(new_id(now)?, Letter::Confirm, recipient, Some(account.id), Some(token.id), now, until)
                .await;
        }
        let told = tx.was_posted_since(account.id, Letter::AlreadyRegistered, now - OWNER_TOLD_ONCE_IN).await?;
        let letter = if told || account.disabled_at.is_some() { Letter::Nothing } else { Letter::AlreadyRegistered };
        // News of an attempt is worth telling for as long as the letter that the attempt asked for would have worked.
        tx.post(new_id(now)?, letter, &account.email, Some(account.id), None, now, Some(token.expires_at)).await
    }
}
