//! Sign-in with a password.
//!
//! The order of the checks is the point of this file: limits before anything is looked up, one hash for every address
//! whoever claims it, one refusal for everything that is wrong, and only then, to whoever gave the right password, the
//! truth about the account.

use contract::login::LoginForm;
use contract::{EmailAddress, Password, Refusal};

use crate::admission::Admission;
use crate::claims::Claims;
use crate::limits::Action;
use crate::registration::ONE_LETTER_WITHIN;
use crate::sessions::Began;
use crate::store::Account;
use crate::{Accounts, NewSession, PendingSignUp, RefusalKind, Result, Visitor, address};

/// Where a sign-in stands when the password was right. Both doors must say what to do at each step.
#[derive(Clone, Debug)]
pub enum LoginStep {
    /// Signed in.
    Done(Box<NewSession>),
    /// The address must be confirmed first; a letter is on its way.
    ConfirmEmail(Box<PendingSignUp>),
}

impl Accounts {
    /// Signs in, or says what is missing.
    pub async fn sign_in(&self, visitor: &Visitor, form: &LoginForm) -> Result<LoginStep> {
        form.check()?;
        // An address of no good form is looked up too, and claimed by nobody.
        let key = EmailAddress::parse(&form.email).and_then(|email| address::key(&email)).ok();
        let mut admission = self.admit_sign_in(visitor, key.as_deref()).await?;

        let claims = Claims::on(&mut self.0.store.read().await?, key.as_deref().unwrap_or_default()).await?;
        let Some(account) = self.whose_password(&claims, &form.password, &mut admission).await? else {
            self.note_refusal(RefusalKind::SignIn, visitor.address, key.as_deref());
            return Err(Refusal::InvalidCredentials.into());
        };
        admission.refund_account();
        if self.needs_no_proof(account) {
            return self.sign_in_as(visitor, account, form, &mut admission).await;
        }
        let mut tx = self.0.store.write().await?;
        let sign_up = Some((account.id, account.email.as_str()));
        self.post_proof(&mut tx, visitor, &claims, &account.email_key, sign_up, Some(ONE_LETTER_WITHIN)).await?;
        tx.commit().await?;
        self.0.letters_waiting.notify_one();
        Ok(LoginStep::ConfirmEmail(Box::new(PendingSignUp::by_password(account.id, &form.email))))
    }

    /// The account that this is the password of: the owner's first, then the newest sign-up's. All passwords of one
    /// address share a salt, so this is one hash however many there are, and one where there are none.
    pub(crate) async fn whose_password<'a>(
        &self,
        claims: &'a Claims,
        password: &Password,
        admission: &mut Admission<'_>,
    ) -> Result<Option<&'a Account>> {
        let enabled: Vec<_> = claims.all().iter().filter(|account| account.disabled_at.is_none()).collect();
        let stored = enabled.iter().map(|account| account.password_hash.as_str());
        let matching = admission.matching(password, stored).await?;
        Ok(matching.and_then(|at| enabled.get(at).copied()))
    }

    /// What this client was before is over in the same moment, also when that was somebody else.
    async fn sign_in_as(
        &self,
        visitor: &Visitor,
        account: &Account,
        form: &LoginForm,
        admission: &mut Admission<'_>,
    ) -> Result<LoginStep> {
        let hash = self.present_hash(account, form, admission).await?;
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        // Whoever changed the password or disabled the account meanwhile has ended all sessions: this one must not come after.
        if !tx.confirm_hash(account.id, &account.password_hash, &hash, now).await? {
            return Err(Refusal::InvalidCredentials.into());
        }
        let before = self.end_present_session(&mut tx, visitor).await?;
        let began = Began::by_password(!form.remember.is_empty());
        let session = self.begin_session(&mut tx, visitor, &account.to_user(), began).await?;
        self.commit_changes(tx, [account.id].into_iter().chain(before)).await?;
        Ok(LoginStep::Done(Box::new(session)))
    }

    /// Counted before the password is tried, so that parallel guesses are all counted. What is no address is nobody's
    /// account: it is counted for the network alone.
    async fn admit_sign_in(&self, visitor: &Visitor, key: Option<&str>) -> Result<Admission<'_>> {
        let network = visitor.network();
        // A browser that has signed in before has tries of its own, which strangers cannot use up.
        let mut tries = vec![Action::SignIn(network)];
        if let Some(key) = key {
            tries.extend(match self.known_device(visitor, key).await? {
                Some(device) => [Action::SignInOnDevice(device, key), Action::SignInOnDevices(key)],
                None => [Action::SignInAs(network, key), Action::SignInAnywhere(key)],
            });
        }
        let mut admission = self.admit(visitor, &tries).await?;
        admission.enter()?;
        Ok(admission)
    }

    /// The hash to keep: the stored one, or one of the present form of the same password.
    async fn present_hash(&self, account: &Account, form: &LoginForm, admission: &mut Admission<'_>) -> Result<String> {
        let salt = self.0.keys.salt(&account.email_key);
        if self.0.hasher.is_outdated(&account.password_hash, &salt) {
            return admission.hash(&form.password, &salt).await;
        }
        Ok(account.password_hash.clone())
    }
}
