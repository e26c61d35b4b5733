//! Sign-up.
//!
//! Each sign-up is an account of its own, worth something only when the mailbox answers ([`crate::claims`]). A taken
//! address gets the same rows, the same letter of some kind and the same answer as a free one: its owner gets a
//! letter, the visitor learns nothing. Only the client that signed up may correct what it typed.

use chrono::{DateTime, TimeDelta, Utc};
use contract::registration::{Registration, RegistrationForm};
use contract::{Field, Refusal};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::admission::Admission;
use crate::claims::Claims;
use crate::limits::Action;
use crate::new_password::About;
use crate::sessions::Began;
use crate::store::{Account, NewUser, Profile, Tx};
use crate::tokens::new_id;
use crate::{Accounts, EmailVerification, Error, NewSession, RegistrationPolicy, Result, Visitor, address};

/// Two sign-ups within this time share one letter: a form sent twice is not two letters.
pub(crate) const ONE_LETTER_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// Unused sign-ups kept for one address. Of more, those of the network that has most of them go: whoever proves the mailbox
/// with a letter of theirs chooses a password then.
const KEPT_FOR_ONE_ADDRESS: usize = 100;

/// What a client that signed up, or gave the password of a sign-up, may finish. It is kept on the server, bound to the
/// client by the browser session, and holds nothing but what that very client typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PendingSignUp {
    user_id: Uuid,
    /// As typed, for the page.
    pub email: String,
    first_name: String,
    last_name: String,
    user_type: String,
    phone: String,
}

impl PendingSignUp {
    pub(crate) fn user_id(&self) -> Uuid {
        self.user_id
    }

    /// Address, names, kind and phone as typed here, so that a corrected form asks nothing twice.
    pub fn typed(&self) -> [(&'static str, &str); 5] {
        [
            ("email", &self.email),
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
            ("user_type", &self.user_type),
            ("phone", &self.phone),
        ]
    }

    /// Of a client that knows the password of a sign-up. Of the account it gets nothing but a way to finish it.
    pub(crate) fn by_password(user_id: Uuid, typed_email: &str) -> Self {
        Self { user_id, email: typed_email.trim().to_owned(), ..Self::default() }
    }

    fn of_form(user_id: Uuid, form: &RegistrationForm) -> Self {
        let typed = |text: &str| text.trim().to_owned();
        Self {
            user_id,
            email: typed(&form.email),
            first_name: typed(&form.first_name),
            last_name: typed(&form.last_name),
            user_type: typed(&form.user_type),
            phone: typed(&form.phone),
        }
    }
}

/// A sign-up that was accepted.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Of the account that proof of the mailbox would make this client's.
    pub user_id: Uuid,
    /// Whether a letter is on its way: a new one, or the one of a moment ago. The same for every address.
    pub email_sent: bool,
    /// For the client to keep: it makes this client the one that signed up.
    pub pending: PendingSignUp,
    /// There at once where an address may be used without proof.
    pub session: Option<NewSession>,
}

/// A form without faults, ready to be stored.
struct SignUp {
    email: String,
    email_key: String,
    password_hash: String,
    profile: Profile,
}

impl Accounts {
    /// Accepts a sign-up. The account, its proof and the letter are one transaction.
    pub async fn register(&self, visitor: &Visitor, form: &RegistrationForm) -> Result<Registered> {
        if self.settings().registration != RegistrationPolicy::Open {
            return Err(Refusal::RegistrationClosed.into());
        }
        let registration = form.check(&self.settings().sign_up)?;
        let mut admission = self.admit(visitor, &[Action::Register(visitor.network())]).await?;
        admission.enter()?;
        let sign_up = self.check_sign_up(registration, &mut admission).await?;

        let mut tx = self.0.store.write().await?;
        let claims = Claims::on(&mut tx, &sign_up.email_key).await?;
        if self.tells_of_taken(&claims) {
            return Err(Refusal::EmailTaken.into());
        }
        let id = self.keep_sign_up(&mut tx, visitor, &claims, &sign_up).await?;
        let asks_proof = self.settings().email_verification != EmailVerification::Off;
        if asks_proof {
            let (key, asks) = (&sign_up.email_key, Some((id, sign_up.email.as_str())));
            self.post_proof(&mut tx, visitor, &claims, key, asks, Some(ONE_LETTER_WITHIN)).await?;
        }
        let session = self.begin_first_session(&mut tx, visitor, id).await?;
        match &session {
            Some(_) => self.commit_change(tx, id).await?,
            None => tx.commit().await?,
        }
        self.0.letters_waiting.notify_one();
        tracing::info!(event = "register", user = %id, "sign-up");
        let pending = PendingSignUp::of_form(id, form);
        Ok(Registered { user_id: id, email_sent: asks_proof, pending, session })
    }

    /// The rules that need a dictionary; then the hash, before the transaction begins.
    async fn check_sign_up(&self, registration: Registration, admission: &mut Admission<'_>) -> Result<SignUp> {
        let about = About {
            email: registration.email.as_str(),
            first_name: &registration.first_name,
            last_name: &registration.last_name,
        };
        self.judge_uncommon(&registration.password, about).map_err(|fault| Error::field(Field::Password, fault))?;
        let email_key = address::key(&registration.email).map_err(|fault| Error::field(Field::Email, fault))?;
        let password_hash = admission.hash(&registration.password, &self.0.keys.salt(&email_key)).await?;
        let email = registration.email.to_string();
        Ok(SignUp { email, email_key, password_hash, profile: profile(registration, self.0.clock.now()) })
    }

    /// Whether a visitor is told that the address has an account. Where nobody ever proves a mailbox there is no other
    /// way than to tell: two accounts with one address could not be told apart.
    fn tells_of_taken(&self, claims: &Claims) -> bool {
        match self.settings().email_verification {
            EmailVerification::Off => !claims.all().is_empty(),
            EmailVerification::Optional | EmailVerification::Mandatory => {
                claims.owner().is_some() && !self.settings().prevent_enumeration
            }
        }
    }

    /// A row of its own for each sign-up, whoever else claims the address: free and taken ones cost the same. What this
    /// client signed up with before is corrected. That others have the same password says nothing of who they are, and
    /// whoever could learn of it could guess.
    async fn keep_sign_up(&self, tx: &mut Tx, visitor: &Visitor, claims: &Claims, sign_up: &SignUp) -> Result<Uuid> {
        let now = self.0.clock.now();
        let here = visitor.pending_sign_up.as_ref().map(PendingSignUp::user_id);
        let earlier = here.and_then(|id| claims.sign_up(id));
        let is_open = |found: &&Account| found.disabled_at.is_none() && found.first_signed_in_at.is_none();
        if let Some(earlier) = earlier.filter(is_open) {
            tx.correct_sign_up(earlier.id, &sign_up.password_hash, &sign_up.profile, now).await?;
            return Ok(earlier.id);
        }
        let unused = claims.sign_ups().filter(is_open).count();
        if unused >= KEPT_FOR_ONE_ADDRESS {
            tx.lock_address(&sign_up.email_key).await?;
            let too_many = i64::try_from(unused + 1 - KEPT_FOR_ONE_ADDRESS).unwrap_or(i64::MAX);
            tx.drop_sign_ups(&sign_up.email_key, too_many).await?;
        }
        let network = self.blurred("sign-up", &visitor.network().wide_number().to_be_bytes());
        let mode = self.settings().email_verification;
        let user = NewUser {
            id: new_id(now)?,
            email: &sign_up.email,
            email_key: &sign_up.email_key,
            password_hash: &sign_up.password_hash,
            profile: &sign_up.profile,
            verified_at: None,
            // Where nobody proves a mailbox, whoever comes first has the address.
            address_held_at: (mode == EmailVerification::Off).then_some(now),
            first_signed_in_at: None,
            signed_up_from: Some(&network),
            now,
        };
        if tx.insert_user(&user).await? { Ok(user.id) } else { Err(Refusal::EmailTaken.into()) }
    }

    /// Where an account may be used before its mailbox is proven, a sign-up is a sign-in.
    async fn begin_first_session(&self, tx: &mut Tx, visitor: &Visitor, id: Uuid) -> Result<Option<NewSession>> {
        if self.settings().email_verification == EmailVerification::Mandatory {
            return Ok(None);
        }
        tx.note_first_sign_in(id, self.0.clock.now()).await?;
        let account = tx.account(id).await?.ok_or_else(|| Error::internal("an account vanished"))?;
        let session = self.begin_session(tx, visitor, &account.to_user(), Began::by_password(false)).await?;
        Ok(Some(session))
    }
}

fn profile(registration: Registration, now: DateTime<Utc>) -> Profile {
    Profile {
        first_name: registration.first_name,
        last_name: registration.last_name,
        user_type: registration.user_type,
        phone: registration.phone,
        locale: "en".to_owned(),
        terms_accepted_at: registration.terms_version.as_ref().map(|_| now),
        terms_version: registration.terms_version,
    }
}
