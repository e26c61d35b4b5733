//! Sign-in with a password.
//!
//! The order of the checks is the point of this file: limits before anything is looked up, the same hashing work for
//! every address, one refusal for everything that is wrong, and only then, to whoever gave the right password, the
//! truth about the account.

use contract::login::LoginForm;
use contract::{EmailAddress, Refusal};
use uuid::Uuid;

use crate::limits::Action;
use crate::registration::ONE_LETTER_WITHIN;
use crate::store::Account;
use crate::tokens::Purpose;
use crate::{Accounts, EmailVerification, NewSession, PendingSignUp, Result, Visitor, address};

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
        let key = EmailAddress::parse(&form.email).and_then(|email| address::key(&email)).ok();
        let tries = self.count_sign_in(visitor, key.as_deref().unwrap_or_default())?;

        let (account, last_sign_up) = self.find_account(key.as_deref()).await?;
        let usable = account.as_ref().filter(|account| self.is_usable(account));
        let stored = usable.map(|account| account.password_hash.as_str());
        if !self.0.hasher.verify(&form.password, stored).await? {
            return self.try_sign_up(account, last_sign_up, form, &tries).await;
        }
        let Some(account) = account else { return Err(Refusal::InvalidCredentials.into()) };
        tries.were_right(self);
        let hash = self.present_hash(&account, form).await?;

        // What this client was before is over, also when that was somebody else.
        self.sign_out(visitor, None).await?;
        let mut tx = self.0.store.write().await?;
        // Whoever changed the password or shut the account meanwhile has ended all sessions: this one must not come after.
        if !tx.confirm_hash(account.id, &account.password_hash, &hash).await? {
            return Err(Refusal::InvalidCredentials.into());
        }
        let remember = !form.remember.is_empty();
        let session = self.begin_session(&mut tx, visitor, &account.to_user(), remember).await?;
        self.commit_change(tx, account.id).await?;
        Ok(LoginStep::Done(Box::new(session)))
    }

    /// Whether its password signs in. A disabled account's does not, and one that must be proven first has none of its
    /// own yet: it has the passwords of its sign-ups.
    fn is_usable(&self, account: &Account) -> bool {
        let is_proven =
            account.verified_at.is_some() || self.settings().email_verification != EmailVerification::Mandatory;
        is_proven && account.disabled_at.is_none()
    }

    /// The account, and the password of the last sign-up for its address.
    async fn find_account(&self, key: Option<&str>) -> Result<(Option<Account>, Option<String>)> {
        let mut tx = self.0.store.read().await?;
        // An address of no good form is looked up too, and found by nobody.
        let account = tx.account_by_key(key.unwrap_or_default()).await?;
        let id = account.as_ref().map_or(Uuid::nil(), |account| account.id);
        let last = tx.newest_one_time_token(id, Purpose::ConfirmEmail).await?;
        Ok((account, last.and_then(|last| last.password_hash)))
    }

    /// Whoever signs in with what they typed at sign-up is told to confirm the address, also when it has an account
    /// already: otherwise a sign-up and a sign-in would tell a stranger whether it has. Every wrong password comes
    /// through here, so that all cost the same.
    async fn try_sign_up(
        &self,
        account: Option<Account>,
        last_sign_up: Option<String>,
        form: &LoginForm,
        tries: &Tries,
    ) -> Result<LoginStep> {
        let is_right = self.0.hasher.verify(&form.password, last_sign_up.as_deref()).await?;
        let found = account.zip(last_sign_up).filter(|(account, _)| is_right && account.disabled_at.is_none());
        let Some((account, password_hash)) = found else {
            tracing::info!(event = "login.fail", "sign-in refused");
            return Err(Refusal::InvalidCredentials.into());
        };
        tries.were_right(self);
        let mut tx = self.0.store.write().await?;
        self.post_proof(&mut tx, &account, Some(password_hash.clone()), Some(ONE_LETTER_WITHIN)).await?;
        tx.commit().await?;
        self.0.letters_waiting.notify_one();
        Ok(LoginStep::ConfirmEmail(Box::new(PendingSignUp::of_sign_up(&account, password_hash))))
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

    /// The hash to keep: the stored one, or a costlier one of the same password.
    async fn present_hash(&self, account: &Account, form: &LoginForm) -> Result<String> {
        if self.0.hasher.is_outdated(&account.password_hash) {
            return self.0.hasher.hash(&form.password).await;
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
