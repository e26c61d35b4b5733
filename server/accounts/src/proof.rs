//! What a letter proves, by its link or by its six digits: one way for every purpose.
//!
//! A letter proves a mailbox, so its token belongs to an address, not to an account: what is written for an unknown
//! address is what is written for a known one. Looking at a link changes nothing: mail scanners open links. Tries of a
//! code are counted in the database, before the code is compared, so that neither parallel guesses nor new browsers
//! bring more of them.

use chrono::{DateTime, TimeDelta, Utc};
use contract::confirmation::parse_code;
use contract::{Fault, Field, Refusal};
use uuid::Uuid;

use crate::claims::Claims;
use crate::letter_caps::Wanted;
use crate::store::{Letter, OneTimeToken, Tx};
use crate::tokens::{self, CODE_TRIES, Proof, Purpose, new_id};
use crate::{Accounts, Error, Result, Settings, Visitor, jwt};

/// Owners of an address are told of attempts to sign up with it at most this often.
const OWNER_TOLD_ONCE_IN: TimeDelta = TimeDelta::hours(1);

/// Requests for one address that may overtake each other before one is told to come back.
const AT_THE_SAME_MOMENT: usize = 16;

/// What a letter's link leads to, as its page tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LetterLink {
    /// It works.
    Ready {
        /// The address it came to: whole for the client that asked for the letter, else masked, because a link may
        /// be opened by somebody it was not sent to.
        email: String,
        /// Whether this client asked for the letter.
        is_own: bool,
        /// Whether the token alone is not enough from this client.
        asks_password: bool,
        /// Whether somebody has used an account with this address that nobody proved: it ends, and a new one begins.
        begins_anew: bool,
    },
    /// It did work.
    Used,
    /// It is too old, or there is a newer one.
    Expired {
        /// Until when it worked.
        at: DateTime<Utc>,
        /// Whether a newer letter took its place.
        superseded: bool,
    },
    /// It never worked.
    Unknown,
}

/// What the token of a link stands for.
pub(crate) enum Link {
    /// It works.
    Live(Box<Proven>),
    /// It did work.
    Used,
    /// It is too old, or there is a newer one.
    Expired { at: DateTime<Utc>, superseded: bool },
    /// It never worked.
    Unknown,
}

/// A letter whose link or code was presented, and everybody who claims the address it came to.
pub(crate) struct Proven {
    pub(crate) token: OneTimeToken,
    pub(crate) claims: Claims,
    /// Whether a try of its code was one of the client that the letter is for.
    is_own_try: bool,
}

/// A token to be.
pub(crate) struct Asked<'a> {
    pub(crate) purpose: Purpose,
    pub(crate) email_key: &'a str,
    /// The account or sign-up it is for. A token for nobody is blank: it matches no link and no code.
    pub(crate) user_id: Option<Uuid>,
    pub(crate) is_blank: bool,
    /// Of the password that a reset is asked under.
    pub(crate) password_hash: Option<&'a str>,
    /// What the client that asks is given, where a code works for that client only.
    pub(crate) request: Option<&'a str>,
}

/// A letter to be posted.
struct Due<'a> {
    letter: Letter,
    recipient: &'a str,
    user_id: Option<Uuid>,
}

/// How long a letter's secrets work.
pub(crate) fn lifetime(purpose: Purpose, settings: &Settings) -> TimeDelta {
    match purpose {
        Purpose::ConfirmEmail => settings.lifetimes.verify,
        Purpose::ResetPassword => settings.lifetimes.reset,
    }
}

/// Where tokens are kept of what is asked over a cap or a moment after another: for nobody, so that letters that work
/// are left alone, but written all the same, so that the work tells nothing. No address has a space.
fn beside(email_key: &str) -> String {
    format!("{email_key} over a cap")
}

/// An address to recognise by whoever knows it: the first characters of its parts, and the last label.
pub(crate) fn masked(email: &str) -> String {
    let (local_part, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    let last_label = domain.rsplit_once('.').map_or("", |(_, label)| label);
    format!("{}•••@{}•••.{last_label}", first(local_part), first(domain))
}

impl Accounts {
    /// Posts the letter that proves this address, or tells its owner of the attempt. The same statements are run and
    /// the same rows written whoever claims the address: a client cannot tell. `sign_up` is the account that asks, and
    /// the address as it was typed there. `unless_within`: not again if there was one that lately.
    pub(crate) async fn post_proof(
        &self,
        tx: &mut Tx,
        visitor: &Visitor,
        claims: &Claims,
        email_key: &str,
        sign_up: Option<(Uuid, &str)>,
        unless_within: Option<TimeDelta>,
    ) -> Result<()> {
        let (now, purpose) = (self.0.clock.now(), Purpose::ConfirmEmail);
        let live = tx.live_one_time_token(email_key, purpose, now).await?;
        // What was written for nobody is no letter to share.
        let live = live.filter(|live| live.user_id.is_some());
        let is_shared = live.zip(unless_within).is_some_and(|(live, pause)| live.created_at > now - pause);
        let due = self.proof_due(tx, claims, sign_up).await?;
        let wanted = if due.letter != Letter::Nothing && !is_shared { Wanted::Proof } else { Wanted::Nothing };
        let may_write = self.may_write_to(tx, visitor, email_key, wanted).await? && !is_shared;
        let beside = beside(email_key);
        let (email_key, letter, recipient) =
            if may_write { (email_key, due.letter, due.recipient) } else { (&*beside, Letter::Nothing, "") };
        let token = self.make_token(&Asked {
            purpose,
            email_key,
            user_id: sign_up.map(|(id, _)| id),
            is_blank: letter != Letter::Confirm,
            password_hash: None,
            request: None,
        })?;
        // Another request was faster, a moment ago; its letter is this one's too where a letter is shared.
        if !self.replace_token(tx, &token, purpose, unless_within.is_none()).await? {
            return Ok(());
        }
        tx.post(new_id(now)?, letter, recipient, due.user_id, Some(token.id), now, Some(token.expires_at)).await
    }

    /// The letter that a request to prove an address brings, whatever the caps: to its owner, at most once an hour; to
    /// the sign-up that asks; or none. One statement, whoever claims the address.
    async fn proof_due<'a>(
        &self,
        tx: &mut Tx,
        claims: &'a Claims,
        sign_up: Option<(Uuid, &'a str)>,
    ) -> Result<Due<'a>> {
        let owner = claims.owner();
        let whose = owner.map_or(Uuid::nil(), |owner| owner.id);
        let since = self.0.clock.now() - OWNER_TOLD_ONCE_IN;
        let told = tx.was_posted_since(whose, Letter::AlreadyRegistered, since).await?;
        Ok(match (owner, sign_up) {
            (Some(owner), _) if !told && !claims.is_disabled() => {
                Due { letter: Letter::AlreadyRegistered, recipient: &owner.email, user_id: Some(owner.id) }
            }
            (None, Some((id, email))) if !claims.is_disabled() => {
                Due { letter: Letter::Confirm, recipient: email, user_id: Some(id) }
            }
            _ => Due { letter: Letter::Nothing, recipient: "", user_id: sign_up.map(|(id, _)| id) },
        })
    }

    /// Makes this token the one that works. Of several requests at the same moment the last one wins, or none but the
    /// first where they are not `persistent`; false for those.
    pub(crate) async fn replace_token(
        &self,
        tx: &mut Tx,
        token: &OneTimeToken,
        purpose: Purpose,
        persistent: bool,
    ) -> Result<bool> {
        for _ in 0..AT_THE_SAME_MOMENT {
            if tx.insert_one_time_token(token, purpose).await? {
                return Ok(true);
            }
            if !persistent {
                return Ok(false);
            }
        }
        Err(Refusal::Unavailable { retry_after: 1 }.into())
    }

    /// What a link leads to. Changes nothing.
    pub(crate) async fn look_at(&self, purpose: Purpose, token: &str) -> Result<Link> {
        // An old token is looked up all the same, to tell when it worked.
        let Ok(jti) = jwt::read_letter(token, purpose, DateTime::<Utc>::MIN_UTC, &self.0.keys) else {
            return Ok(Link::Unknown);
        };
        let mut tx = self.0.store.read().await?;
        let Some(token) = tx.one_time_token(&tokens::hash(jti.as_bytes()), purpose).await? else {
            return Ok(Link::Unknown);
        };
        Ok(if token.consumed_at.is_some() {
            Link::Used
        } else if let Some(at) = token.superseded_at {
            Link::Expired { at, superseded: true }
        } else if token.expires_at <= self.0.clock.now() {
            Link::Expired { at: token.expires_at, superseded: false }
        } else {
            let claims = Claims::on(&mut tx, &token.email_key).await?;
            Link::Live(Box::new(Proven { token, claims, is_own_try: false }))
        })
    }

    /// The row of a link that works; nothing when it was spent before.
    pub(crate) async fn find_by_token(&self, purpose: Purpose, token: &str) -> Result<Option<Proven>> {
        // Too old is told without the database, which may have forgotten it.
        jwt::read_letter(token, purpose, self.0.clock.now(), &self.0.keys)?;
        match self.look_at(purpose, token).await? {
            Link::Live(proven) if !proven.claims.is_disabled() => Ok(Some(*proven)),
            Link::Used => Ok(None),
            _ => Err(Refusal::TokenInvalid.into()),
        }
    }

    /// The same by six digits. The try is counted, and committed, before anything is said about it. The code of a letter
    /// that was asked for by a client with a `request` works for that client only; of any other letter, those who signed
    /// up with it have tries of their own. `tells_tries`: to strangers a code is right or it is not.
    pub(crate) async fn find_by_code(
        &self,
        visitor: &Visitor,
        purpose: Purpose,
        email_key: &str,
        code: &str,
        request: Option<&str>,
        tells_tries: bool,
    ) -> Result<Proven> {
        let code = parse_code(code).map_err(|fault| Error::field(Field::Code, fault))?;
        let incorrect = || Error::field(Field::Code, Fault::Incorrect);
        let exhausted = || Error::field(Field::Code, if tells_tries { Fault::Exhausted } else { Fault::Incorrect });

        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let claims = Claims::on(&mut tx, email_key).await?;
        let token = tx.live_one_time_token(email_key, purpose, now).await?;
        let token = token.filter(|token| is_asked_by(token, request));
        let is_own_try = token
            .as_ref()
            .is_some_and(|token| token.asked_by.is_some() || visitor.account_ids().any(|id| token.user_id == Some(id)));
        let attempt = tx.count_attempt(token.as_ref().map_or(Uuid::nil(), |token| token.id), is_own_try).await?;
        let (Some(token), Some(attempt)) = (&token, attempt) else {
            // Something to commit, so that the time of the answer does not tell whether there is a letter.
            tx.post(new_id(now)?, Letter::Nothing, "", None, None, now, None).await?;
            tx.commit().await?;
            return Err(if token.is_some() { exhausted() } else { incorrect() });
        };
        tx.commit().await?;
        let hash = tokens::code_hash(token.id, &code, &self.0.keys);
        let is_right = token.code_hash.as_deref().is_some_and(|stored| tokens::equal(stored, &hash));
        match (is_right && !claims.is_disabled(), attempt >= CODE_TRIES) {
            (true, _) => Ok(Proven { token: token.clone(), claims, is_own_try }),
            (false, true) => Err(exhausted()),
            (false, false) => Err(incorrect()),
        }
    }

    /// For a right code whose form had another mistake: it was no guess.
    pub(crate) async fn give_back_try(&self, proven: &Proven) -> Result<()> {
        let mut tx = self.0.store.write().await?;
        tx.give_back_attempt(proven.token.id, proven.is_own_try).await?;
        tx.commit().await
    }

    /// A row with the hashes of a letter's secrets. A blank one matches no link and no code: a client that signed up
    /// with a proven address finds a form whose codes are all wrong, as any stranger would.
    pub(crate) fn make_token(&self, asked: &Asked<'_>) -> Result<OneTimeToken> {
        let now = self.0.clock.now();
        let id = new_id(now)?;
        let proof = Proof::of(id, &self.0.keys);
        let code_hash = tokens::code_hash(id, &proof.code, &self.0.keys);
        let token_hash = tokens::hash(proof.jti.as_bytes());
        let random = tokens::random::<32>()?.to_vec();
        Ok(OneTimeToken {
            id,
            email_key: asked.email_key.to_owned(),
            user_id: asked.user_id,
            token_hash: if asked.is_blank { random } else { token_hash },
            code_hash: (!asked.is_blank).then_some(code_hash),
            asked_by: asked.request.map(|request| tokens::hash(request.as_bytes())),
            password_hash: asked.password_hash.map(str::to_owned),
            attempts: 0,
            created_at: now,
            expires_at: now + lifetime(asked.purpose, self.settings()),
            consumed_at: None,
            superseded_at: None,
        })
    }
}

/// Whether a client may use the letter's code: any may, where the letter names none.
pub(crate) fn is_asked_by(token: &OneTimeToken, request: Option<&str>) -> bool {
    let Some(asked_by) = &token.asked_by else { return true };
    request.is_some_and(|request| tokens::equal(asked_by, &tokens::hash(request.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_masked_address_shows_little_more_than_that_it_is_one() {
        for (email, expected) in [
            ("ada.lovelace@example.com", "a•••@e•••.com"),
            ("a@münchen.example", "a•••@m•••.example"),
            ("x@y", "x•••@y•••."),
            ("", "•••@•••."),
        ] {
            assert_eq!(masked(email), expected);
        }
    }
}
