//! Getting back in without the password.
//!
//! Every request sends exactly one letter: to whoever has an account, at the stored address, the way back; to any other
//! address, the news that there is none. The rows and the answer are the same for all.
//! The link works anywhere; the code works only for the client that asked, so that nobody can guess at it from elsewhere.
//! Nothing changes before the mailbox is proven; a mistake in the new password spends nothing. Whoever proves the mailbox
//! of an address that nobody has proven becomes its owner, and the password of whoever signed up is gone. Where a site
//! asks nobody for that proof, the account is its address's, and the owner of the mailbox has it as it is.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use contract::confirmation::parse_code;
use contract::password_reset::PasswordResetForm;
use contract::problem::Faults;
use contract::{EmailAddress, Fault, Field, Refusal};
use uuid::Uuid;

use crate::admission::Admission;
use crate::audit::Event;
use crate::claims::Claims;
use crate::letter_caps::Wanted;
use crate::limits::Action;
use crate::new_password::About;
use crate::ownership::Claimant;
use crate::proof::{Asked, Link, Proven, is_asked_by, masked};
use crate::store::{Account, Letter};
use crate::tokens::{self, Purpose, new_id};
use crate::{Accounts, EmailVerification, Error, LetterLink, Result, Visitor, address};

/// A password that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordReset {
    /// Nobody is signed in here now.
    SignInNext,
    /// Somebody else is signed in here, and was not touched.
    AnotherStaysSignedIn,
}

impl Accounts {
    /// Posts the letter. The answer is the same for every address, and so are the work and the number of letters. It
    /// is for this client alone: the code of the letter is worth nothing without it.
    pub async fn request_password_reset(&self, visitor: &Visitor, email: &str) -> Result<String> {
        let email = EmailAddress::parse(email).map_err(|fault| Error::field(Field::Email, fault))?;
        let key = address::key(&email).map_err(|fault| Error::field(Field::Email, fault))?;
        let network = visitor.network();
        self.admit(visitor, &[Action::ResetRequest(network), Action::ResetRequestFor(network, &key)]).await?;
        // Browsers that have signed in before have letters of their own, which strangers cannot use up.
        let is_known = self.known_device(visitor, &key).await?.is_some();
        let wanted = if is_known { Wanted::ResetOnDevice } else { Wanted::Reset };
        let request = BASE64_URL_SAFE_NO_PAD.encode(tokens::random::<32>()?);

        let (now, purpose) = (self.0.clock.now(), Purpose::ResetPassword);
        let mut tx = self.0.store.write().await?;
        let claims = Claims::on(&mut tx, &key).await?;
        if !self.may_write_to(&mut tx, visitor, &key, wanted).await? {
            tx.commit().await?;
            // The code of the letter that this client has goes on working.
            return Ok(visitor.reset_request.clone().unwrap_or(request));
        }
        let account = whose_reset(&claims, visitor);
        let token = self.make_token(&Asked {
            purpose,
            email_key: &key,
            user_id: account.map(|account| account.id),
            is_blank: account.is_none(),
            password_hash: account.map(|account| account.password_hash.as_str()),
            request: Some(&request),
        })?;
        self.replace_token(&mut tx, &token, purpose, true).await?;
        let letter = if account.is_some() { Letter::ResetPassword } else { Letter::NoAccount };
        let to = account.map_or(email.as_str(), |account| &account.email);
        tx.post(new_id(now)?, letter, to, token.user_id, Some(token.id), now, Some(token.expires_at)).await?;
        tx.commit().await?;
        self.0.letters_waiting.notify_one();
        Ok(request)
    }

    /// What a link leads to. Changes nothing.
    pub async fn look_at_password_reset(&self, visitor: &Visitor, token: &str) -> Result<LetterLink> {
        Ok(match self.look_at(Purpose::ResetPassword, token).await? {
            Link::Live(proven) => match whose_reset(&proven.claims, visitor) {
                Some(account) => {
                    let asked_here = visitor.reset_request.as_deref();
                    let is_own = (asked_here.is_some() && is_asked_by(&proven.token, asked_here))
                        || visitor.account_ids().any(|id| id == account.id);
                    let email = if is_own { account.email.clone() } else { masked(&account.email) };
                    let is_used = account.first_signed_in_at.is_some();
                    let begins_anew = is_used && !self.keeps_account(visitor, &proven.claims, account);
                    LetterLink::Ready { email, is_own, asks_password: false, begins_anew }
                }
                None => LetterLink::Unknown,
            },
            Link::Used => LetterLink::Used,
            Link::Expired { at, superseded } => LetterLink::Expired { at, superseded },
            Link::Unknown => LetterLink::Unknown,
        })
    }

    /// Replaces the password, once for one letter. All sessions of the person end; nobody is signed in.
    pub async fn reset_password(&self, visitor: &Visitor, form: &PasswordResetForm) -> Result<PasswordReset> {
        let mut admission = self.admit(visitor, &[Action::Confirm(visitor.network())]).await?;
        admission.enter()?;
        let is_by_code = form.token.trim().is_empty();
        let proven = if is_by_code {
            self.prove_by_reset_code(visitor, form).await?
        } else {
            self.find_by_token(Purpose::ResetPassword, &form.token).await?.ok_or(Refusal::TokenInvalid)?
        };
        let account = whose_reset(&proven.claims, visitor).ok_or(Refusal::TokenInvalid)?;
        let hash = match self.judge_and_hash(form, account, &mut admission).await {
            Ok(hash) => hash,
            Err(error) => {
                if is_by_code {
                    self.give_back_try(&proven).await?;
                }
                return Err(error);
            }
        };
        let id = self.replace_password(visitor, &proven, account, hash).await?;
        let somebody_else = visitor.signed_in.as_ref().is_some_and(|here| here.user.id != id);
        Ok(if somebody_else { PasswordReset::AnotherStaysSignedIn } else { PasswordReset::SignInNext })
    }

    /// What is known of the form alone is judged before a try of the code is counted.
    async fn prove_by_reset_code(&self, visitor: &Visitor, form: &PasswordResetForm) -> Result<Proven> {
        if form.code.trim().is_empty() && form.email.trim().is_empty() {
            return Err(Error::field(Field::Token, Fault::Missing));
        }
        let mut faults = Faults::default();
        let key = faults.keep(Field::Email, EmailAddress::parse(&form.email).and_then(|email| address::key(&email)));
        faults.keep(Field::Code, parse_code(&form.code));
        let about = About { email: &form.email, ..About::default() };
        let again = form.new_password_confirm.as_ref();
        faults.keep(Field::NewPassword, self.judge_new_password(&form.new_password, again, about));
        let faults = faults.into_vec();
        let Some(key) = key.filter(|_| faults.is_empty()) else { return Err(faults.into()) };
        let request = Some(form.request.as_str()).filter(|request| !request.is_empty());
        let request = request.or(visitor.reset_request.as_deref());
        // Tries at an address are as many as letters to it, times five: counted here, strangers could use them up.
        let mut codes = self.admit(visitor, &[Action::CodeFrom(visitor.network())]).await?;
        let purpose = Purpose::ResetPassword;
        let proven = self.find_by_code(visitor, purpose, &key, &form.code, request, false).await?;
        codes.refund();
        Ok(proven)
    }

    /// The rest, for whoever has proven the mailbox.
    async fn judge_and_hash(
        &self,
        form: &PasswordResetForm,
        account: &Account,
        admission: &mut Admission<'_>,
    ) -> Result<String> {
        let in_field = |fault| Error::field(Field::NewPassword, fault);
        let again = form.new_password_confirm.as_ref();
        self.judge_new_password(&form.new_password, again, About::account(account)).map_err(in_field)?;
        if admission.verify(&form.new_password, &account.password_hash).await? {
            return Err(in_field(Fault::Unchanged));
        }
        admission.hash(&form.new_password, &self.0.keys.salt(&account.email_key)).await
    }

    /// Whether whoever has the letter has the account, too, with all that is in it. Where an address may be used before
    /// it is proven, that may have been another's: it is only for who signed up here, or is signed in. Where none is ever
    /// proven, an address has one account; several are left from when the site had other rules.
    fn keeps_account(&self, visitor: &Visitor, claims: &Claims, account: &Account) -> bool {
        let is_of_its_address = self.settings().email_verification == EmailVerification::Off && claims.all().len() == 1;
        account.verified_at.is_some() || is_of_its_address || visitor.account_ids().any(|id| id == account.id)
    }

    /// For the owner of the address. Where there is none, for whoever becomes it by this letter.
    async fn replace_password(
        &self,
        visitor: &Visitor,
        Proven { token, claims, .. }: &Proven,
        account: &Account,
        hash: String,
    ) -> Result<Uuid> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let changed = if account.verified_at.is_some() {
            // Bound to the password it was asked under: a change in between has made it worthless.
            if !tx.reset_password(account.id, token.password_hash.as_deref(), &hash, now).await?
                || !tx.consume_one_time_token(token.id, account.id, now).await?
            {
                return Err(Refusal::TokenInvalid.into());
            }
            tx.supersede_one_time_tokens(&account.email_key, now).await?;
            vec![account.id]
        } else {
            let claimant = if self.keeps_account(visitor, claims, account) {
                Claimant::known_with_new_password(account, hash)
            } else {
                Claimant::with_new_password(Some(account), hash)
            };
            let owned = self.take_ownership(&mut tx, token, &claimant).await?.ok_or(Refusal::TokenInvalid)?;
            owned.changed()
        };
        let id = *changed.first().unwrap_or(&account.id);
        tx.end_sessions_of(id, now).await?;
        let owner = tx.account(id).await?.ok_or_else(|| Error::internal("an account vanished"))?;
        self.post_notice(&mut tx, visitor, Letter::PasswordChanged, &owner).await?;
        self.record(&mut tx, Event::PasswordReset, Some(visitor), Some(id), None).await?;
        self.commit_changes(tx, changed).await?;
        self.0.letters_waiting.notify_one();
        let (network, key) = (visitor.network(), account.email_key.as_str());
        self.0.limits.forget(&[
            Action::SignInAs(network, key),
            Action::SignInAnywhere(key),
            Action::SignInOnDevices(key),
        ]);
        Ok(id)
    }
}

/// Whose way back a letter to this address would be: its owner's; where it has none, this client's own, or the newest.
fn whose_reset<'a>(claims: &'a Claims, visitor: &Visitor) -> Option<&'a Account> {
    let own = || visitor.account_ids().find_map(|id| claims.sign_up(id));
    let found = claims.owner().or_else(own).or_else(|| claims.all().first());
    found.filter(|_| !claims.is_disabled())
}
