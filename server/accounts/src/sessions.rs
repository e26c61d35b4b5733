//! Sessions: begun by a proof, carried by an access token, renewed by a refresh token, ended at once.
//!
//! A refresh token is used once and replaced by its successor. It may be brought again as long as nobody has used what
//! the answer held: by a second tab within ten seconds, or whenever the answer was lost ([`crate::delivered`]); the very
//! same successor is then given once more. Any other second use means that two parties hold the token, and ends the
//! session (RFC 9700 4.14.2).

use chrono::{DateTime, TimeDelta, Utc};
use contract::{EmailAddress, Refusal};
use uuid::Uuid;

use crate::audit::Event;
use crate::jwt::AccessClaims;
use crate::limits::Action;
use crate::store::{Account, Letter, StoredRefreshToken, Tx};
use crate::tokens::{RefreshToken, new_id};
use crate::{Accounts, EmailVerification, Result, User, Visitor, address, jwt};

/// How long the predecessor may ask again, also when its answer has arrived: another tab may have sent it.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// Longer ones say nothing more to a person.
const MAX_USER_AGENT_CHARS: usize = 300;

/// Sessions of one person. A program that signs in for every request it makes ends its own oldest ones.
const MOST: i64 = 100;

/// Columns of a session.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) remember: bool,
    pub(crate) auth_time: DateTime<Utc>,
    pub(crate) amr: String,
    pub(crate) address: String,
    pub(crate) user_agent: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_used_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// Who is signed in, as the database says, or as this process remembers from there (`live.rs`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The person.
    pub user: User,
    /// The session.
    pub session_id: Uuid,
    /// When they last proved who they are.
    pub auth_time: DateTime<Utc>,
    /// Whether the browser keeps the session when it closes.
    pub remember: bool,
}

/// A session's tokens, for the client alone.
#[derive(Clone)]
pub struct NewSession {
    /// The person.
    pub signed_in: SignedIn,
    /// JWT (RFC 9068).
    pub access: String,
    /// How long it lives.
    pub access_lives: TimeDelta,
    /// Renews the session, once.
    pub refresh: RefreshToken,
    /// How long it lives unused.
    pub refresh_lives: TimeDelta,
    /// For the browser to keep: it has signed in to this account. Only where a session begins, and the address is proven.
    pub device: Option<String>,
}

/// How a session begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began {
    /// Whether the browser keeps the session when it closes.
    pub(crate) remember: bool,
    pub(crate) by: ProvenBy,
    /// When that was shown, if not now.
    pub(crate) at: Option<DateTime<Utc>>,
}

/// What a person has shown in order to be signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProvenBy {
    /// The password.
    Password,
    /// A link or a code that came by email.
    Letter,
}

impl Began {
    pub(crate) fn by_password(remember: bool) -> Self {
        Self { remember, by: ProvenBy::Password, at: None }
    }
}

impl ProvenBy {
    /// RFC 8176: `pwd`, or `otp` for something that works once.
    const fn amr(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Letter => "otp",
        }
    }

    /// Of a session.
    pub(crate) fn named(amr: &str) -> Self {
        if amr == Self::Letter.amr() { Self::Letter } else { Self::Password }
    }
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSession").field("session_id", &self.signed_in.session_id).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Who an access token speaks for, if its session is alive at this moment.
    pub async fn recognise(&self, access: &str) -> Result<SignedIn> {
        Ok(self.recognise_claims(access).await?.0)
    }

    /// What an access token says, if its session is alive at this moment (RFC 7662 2.2 calls that active).
    pub async fn verify_access(&self, access: &str) -> Result<AccessClaims> {
        Ok(self.recognise_claims(access).await?.1)
    }

    async fn recognise_claims(&self, access: &str) -> Result<(SignedIn, AccessClaims)> {
        let now = self.0.clock.now();
        let claims = jwt::read_access(access, now, self.settings(), &self.0.keys)?;
        if let Some(signed_in) = self.0.live.get(claims.sub, claims.sid) {
            self.0.delivered.note(claims.sid, claims.jti);
            return Ok((signed_in, claims));
        }
        let generation = self.0.live.generation(claims.sub);
        let mut tx = self.0.store.read().await?;
        let session = tx.live_session(claims.sid, now).await?.filter(|session| session.user_id == claims.sub);
        let session = session.ok_or(Refusal::SessionInvalid)?;
        let account = self.account_in_use(&mut tx, session.user_id).await?;
        let signed_in = session.of(account.to_user());
        self.0.live.keep(generation, &signed_in, session.expires_at);
        self.0.delivered.note(claims.sid, claims.jti);
        Ok((signed_in, claims))
    }

    /// Replaces a refresh token by its successor, with a new access token.
    pub async fn renew(&self, visitor: &Visitor, refresh: &str) -> Result<NewSession> {
        let token = RefreshToken::parse(refresh).ok_or(Refusal::SessionInvalid)?;
        let mut admission = self.admit(visitor, &[Action::Renew(visitor.network())]).await?;
        let now = self.0.clock.now();
        // Whoever makes up tokens must not hold up those who write: there is one writer in SQLite.
        let known = self.find_renewable(&token, now).await?;
        admission.refund();
        self.admit(visitor, &[Action::RenewSession(known.id)]).await?;

        let mut tx = self.0.store.write().await?;
        let first = tx.use_refresh_token(&token.hash(), now).await?;
        let (stored, session) = live_session_of(&mut tx, &token, now).await?;
        let account = self.account_in_use(&mut tx, session.user_id).await?;

        let successor = token.successor(&self.0.keys);
        let expires_at = if first {
            let expires_at = self.idle_end(&session, now);
            tx.insert_refresh_token(&successor.hash(), session.id, now, expires_at).await?;
            tx.touch_session(session.id, now).await?;
            expires_at
        } else {
            let next = tx.refresh_token(&successor.hash()).await?;
            let in_grace = stored.used_at.is_some_and(|used_at| now - used_at <= GRACE);
            let is_lost = |made_at| !self.0.delivered.has_arrived(session.id, made_at);
            match next.filter(|next| next.used_at.is_none() && (in_grace || is_lost(next.created_at))) {
                Some(next) => next.expires_at,
                None => return self.refuse_reuse(tx, visitor, &session, &account).await,
            }
        };
        tx.commit().await?;
        self.tokens(account.to_user(), &session, successor, expires_at - now)
    }

    /// The account of a session. One that was used unproven is not any more, once the site asks proof.
    async fn account_in_use(&self, tx: &mut Tx, id: Uuid) -> Result<Account> {
        let account = tx.account(id).await?;
        let account = account.filter(|account| account.disabled_at.is_none() && self.needs_no_proof(account));
        account.ok_or_else(|| Refusal::SessionInvalid.into())
    }

    async fn find_renewable(&self, token: &RefreshToken, now: DateTime<Utc>) -> Result<Session> {
        let mut tx = self.0.store.read().await?;
        Ok(live_session_of(&mut tx, token, now).await?.1)
    }

    /// Ends a session. Nothing is said about tokens that are not ours: to end a session twice is to end it.
    pub async fn sign_out(&self, visitor: &Visitor, refresh: Option<&str>) -> Result<()> {
        let now = self.0.clock.now();
        let here = visitor.signed_in.as_ref().map(|signed_in| (signed_in.session_id, signed_in.user.id));
        for (session, user) in here.into_iter().chain(self.session_of(refresh).await?) {
            let mut tx = self.0.store.write().await?;
            if tx.end_session(session, now).await? {
                self.record(&mut tx, Event::SignedOut, Some(visitor), Some(user), Some(session)).await?;
                self.commit_change(tx, user).await?;
            }
        }
        Ok(())
    }

    /// Ends every session of the person whose token this is.
    pub async fn sign_out_everywhere(&self, visitor: &Visitor, refresh: Option<&str>) -> Result<()> {
        let here = visitor.signed_in.as_ref().map(|signed_in| signed_in.user.id);
        let user = match here {
            Some(user) => Some(user),
            None => self.session_of(refresh).await?.map(|(_, user)| user),
        };
        let Some(user) = user else { return Ok(()) };
        let mut tx = self.0.store.write().await?;
        tx.end_sessions_of(user, self.0.clock.now()).await?;
        self.record(&mut tx, Event::SignedOutEverywhere, Some(visitor), Some(user), None).await?;
        self.commit_change(tx, user).await
    }

    /// The live session of a refresh token, used or not, and its person.
    async fn session_of(&self, refresh: Option<&str>) -> Result<Option<(Uuid, Uuid)>> {
        let Some(token) = refresh.and_then(RefreshToken::parse) else { return Ok(None) };
        let mut tx = self.0.store.read().await?;
        let Some(stored) = tx.refresh_token(&token.hash()).await? else { return Ok(None) };
        let session = tx.live_session(stored.session_id, self.0.clock.now()).await?;
        Ok(session.map(|session| (session.id, session.user_id)))
    }

    /// Begins a session in the transaction of the proof that allows it. It may end others, so the transaction is to be
    /// committed by [`commit_change`](Self::commit_change).
    pub(crate) async fn begin_session(
        &self,
        tx: &mut Tx,
        visitor: &Visitor,
        user: &User,
        began: Began,
    ) -> Result<NewSession> {
        let now = self.0.clock.now();
        let session = Session {
            id: new_id(now)?,
            user_id: user.id,
            remember: began.remember,
            auth_time: began.at.unwrap_or(now),
            amr: began.by.amr().to_owned(),
            address: visitor.network().cut_short(),
            user_agent: visitor.user_agent.chars().take(MAX_USER_AGENT_CHARS).collect(),
            created_at: now,
            last_used_at: now,
            expires_at: now + self.settings().lifetimes.session,
        };
        tx.insert_session(&session).await?;
        tx.end_oldest_sessions(user.id, MOST, now).await?;
        self.record(tx, Event::SignedIn, Some(visitor), Some(user.id), Some(session.id)).await?;
        let refresh = RefreshToken::generate()?;
        let expires_at = self.idle_end(&session, now);
        tx.insert_refresh_token(&refresh.hash(), session.id, now, expires_at).await?;
        let device = self.device_of(visitor, user)?;
        Ok(NewSession { device, ..self.tokens(user.clone(), &session, refresh, expires_at - now)? })
    }

    /// For the browser to keep, where the address is this person's: whoever only signed up with it would get tries at its
    /// owner's password.
    fn device_of(&self, visitor: &Visitor, user: &User) -> Result<Option<String>> {
        let is_theirs = user.email_verified || self.settings().email_verification == EmailVerification::Off;
        let key = EmailAddress::parse(&user.email).and_then(|email| address::key(&email)).ok();
        key.filter(|_| is_theirs).map(|key| self.remember_device(visitor, &key)).transpose()
    }

    /// Ends the session that this client had, in the transaction that begins another. Answers whose it was.
    pub(crate) async fn end_present_session(&self, tx: &mut Tx, visitor: &Visitor) -> Result<Option<Uuid>> {
        let Some(here) = &visitor.signed_in else { return Ok(None) };
        if !tx.end_session(here.session_id, self.0.clock.now()).await? {
            return Ok(None);
        }
        let (user, session) = (here.user.id, here.session_id);
        self.record(tx, Event::SignedOut, Some(visitor), Some(user), Some(session)).await?;
        Ok(Some(user))
    }

    /// Never later than the session's own end: renewing does not prolong it.
    fn idle_end(&self, session: &Session, now: DateTime<Utc>) -> DateTime<Utc> {
        session.expires_at.min(now + self.settings().lifetimes.refresh)
    }

    fn tokens(
        &self,
        user: User,
        session: &Session,
        refresh: RefreshToken,
        refresh_lives: TimeDelta,
    ) -> Result<NewSession> {
        let now = self.0.clock.now();
        let (access, access_lives) = jwt::issue_access(&user, session, now, self.settings(), &self.0.keys)?;
        let signed_in = session.of(user);
        Ok(NewSession { signed_in, access, access_lives, refresh, refresh_lives, device: None })
    }

    /// Two parties hold this token: neither is believed, and the person is told.
    async fn refuse_reuse(
        &self,
        mut tx: Tx,
        visitor: &Visitor,
        session: &Session,
        account: &Account,
    ) -> Result<NewSession> {
        // Many may bring it at once; the person is told once.
        if !tx.end_session(session.id, self.0.clock.now()).await? {
            return Err(Refusal::SessionInvalid.into());
        }
        self.record(&mut tx, Event::TokenReused, Some(visitor), Some(account.id), Some(session.id)).await?;
        self.post_notice(&mut tx, visitor, Letter::SessionTheft, account).await?;
        self.commit_change(tx, account.id).await?;
        self.0.letters_waiting.notify_one();
        Err(Refusal::SessionInvalid.into())
    }
}

/// A token that is ours, used or not, and its session.
async fn live_session_of(
    tx: &mut Tx,
    token: &RefreshToken,
    now: DateTime<Utc>,
) -> Result<(StoredRefreshToken, Session)> {
    let stored = tx.refresh_token(&token.hash()).await?.ok_or(Refusal::SessionInvalid)?;
    if stored.expires_at <= now {
        return Err(Refusal::SessionExpired.into());
    }
    let session = tx.live_session(stored.session_id, now).await?.ok_or(Refusal::SessionInvalid)?;
    Ok((stored, session))
}

impl Session {
    fn of(&self, user: User) -> SignedIn {
        SignedIn { user, session_id: self.id, auth_time: self.auth_time, remember: self.remember }
    }
}
