//! Sign-in with a password.
//!
//! The order of the checks is the point of this file: limits before anything is looked up, one hash for every address
//! whoever claims it, one refusal for everything that is wrong, and only then, to whoever gave the right password, the
//! truth about the account.

use contract::login::LoginForm;
use contract::{EmailAddress, Password, Refusal};

use crate::claims::Claims;
use crate::limits::Action;
use crate::registration::ONE_LETTER_WITHIN;
use crate::sessions::Began;
use crate::store::Account;
use crate::{Accounts, NewSession, PendingSignUp, Result, Visitor, address};

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
        let key = EmailAddress::parse(&form.email).and_then(|email| address::key(&email)).unwrap_or_default();
        let tries = self.count_sign_in(visitor, &key)?;

        let claims = Claims::on(&mut self.0.store.read().await?, &key).await?;
        let Some(account) = self.whose_password(&claims, &form.password).await? else {
            tracing::info!(event = "login.fail", "sign-in refused");
            return Err(Refusal::InvalidCredentials.into());
        };
        tries.were_right(self);
        if self.needs_no_proof(account) {
            return self.sign_in_as(visitor, account, form).await;
        }
        let mut tx = self.0.store.write().await?;
        let sign_up = Some((account.id, account.email.as_str()));
        self.post_proof(&mut tx, &claims, &key, sign_up, Some(ONE_LETTER_WITHIN)).await?;
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
    ) -> Result<Option<&'a Account>> {
        let enabled: Vec<_> = claims.all().iter().filter(|account| account.disabled_at.is_none()).collect();
        let stored = enabled.iter().map(|account| account.password_hash.as_str());
        let matching = self.0.hasher.matching(password, stored).await?;
        Ok(matching.and_then(|at| enabled.get(at).copied()))
    }

    /// What this client was before is over in the same moment, also when that was somebody else.
    async fn sign_in_as(&self, visitor: &Visitor, account: &Account, form: &LoginForm) -> Result<LoginStep> {
        let hash = self.present_hash(account, form).await?;
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

    /// Counted before the password is tried, so that parallel guesses are all counted.
    fn count_sign_in(&self, visitor: &Visitor, key: &str) -> Result<Tries> {
        let origin = visitor.origin();
        self.0.limits.spend(Action::SignIn, &origin)?;
        let tries = Tries { from_here: format!("{origin} {key}"), anywhere: key.to_owned() };
        self.0.limits.spend(Action::SignInAs, &tries.from_here)?;
        self.0.limits.spend(Action::SignInAnywhere, &tries.anywhere)?;
        Ok(tries)
    }

    /// The hash to keep: the stored one, or one of the present form of the same password.
    async fn present_hash(&self, account: &Account, form: &LoginForm) -> Result<String> {
        let salt = self.0.keys.salt(&account.email_key);
        if self.0.hasher.is_outdated(&account.password_hash, &salt) {
            return self.0.hasher.hash(&form.password, &salt).await;
        }
        Ok(account.password_hash.clone())
    }
}

/// Tries counted against an account. Right ones are given back; those against the origin are not, or an attacker
/// would clear the count by signing in to an account of their own.
struct Tries {
    from_here: String,
    anywhere: String,
}

impl Tries {
    fn were_right(&self, accounts: &Accounts) {
        accounts.0.limits.refund(Action::SignInAs, &self.from_here);
        accounts.0.limits.refund(Action::SignInAnywhere, &self.anywhere);
    }
}
