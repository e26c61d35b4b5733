//! Sessions: begun by a proof, carried by an access token, renewed by a refresh token, ended at once.
//!
//! A refresh token is used once and replaced by its successor. Two tabs may ask with the same token: within a grace
//! of ten seconds, and as long as the successor was not used, the second gets the very same successor. Any other
//! second use means that two parties hold the token, and ends the session (RFC 9700 4.14.2).

use chrono::{DateTime, TimeDelta, Utc};
use contract::Refusal;
use uuid::Uuid;

use crate::store::Tx;
use crate::tokens::{RefreshToken, new_id};
use crate::{Accounts, Error, Result, User, Visitor, jwt};

/// How long the predecessor may ask again.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// Longer ones say nothing more to a person.
const MAX_USER_AGENT_CHARS: usize = 300;

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
    pub(crate) expires_at: DateTime<Utc>,
}

/// Who is signed in, read from the database in this very request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The person.
    pub user: User,
    /// The session.
    pub session_id: Uuid,
    /// When they last proved who they are.
    pub auth_time: DateTime<Utc>,
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
    /// Whether the browser keeps it when it closes.
    pub remember: bool,
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSession").field("session_id", &self.signed_in.session_id).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Who an access token speaks for, if its session is alive at this moment.
    pub async fn recognise(&self, access: &str) -> Result<Option<SignedIn>> {
        let now = self.0.clock.now();
        let Some(claims) = jwt::read_access(access, now, self.settings(), &self.0.keys) else { return Ok(None) };
        let mut tx = self.0.store.read().await?;
        let Some(session) = tx.live_session(claims.sid, now).await? else { return Ok(None) };
        let account = tx.account(session.user_id).await?;
        let account = account.filter(|account| account.disabled_at.is_none() && account.id == claims.sub);
        Ok(account.map(|account| SignedIn {
            user: account.to_user(),
            session_id: session.id,
            auth_time: session.auth_time,
        }))
    }

    /// Replaces a refresh token by its successor, with a new access token.
    pub async fn renew(&self, refresh: &str) -> Result<NewSession> {
        let refused = || Error::from(Refusal::NotAuthenticated);
        let token = RefreshToken::parse(refresh).ok_or_else(refused)?;
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let first = tx.use_refresh_token(&token.hash(), now).await?;
        let stored = tx.refresh_token(&token.hash()).await?.ok_or_else(refused)?;
        let session = tx.live_session(stored.session_id, now).await?.ok_or_else(refused)?;
        let account = tx.account(session.user_id).await?.filter(|account| account.disabled_at.is_none());
        let user = account.ok_or_else(refused)?.to_user();

        let successor = token.successor(&self.0.keys);
        let expires_at = if first {
            let expires_at = self.idle_end(&session, now);
            tx.insert_refresh_token(&successor.hash(), session.id, now, expires_at).await?;
            tx.touch_session(session.id, now).await?;
            expires_at
        } else {
            let next = tx.refresh_token(&successor.hash()).await?;
            let in_grace = stored.used_at.is_some_and(|used_at| now - used_at <= GRACE);
            match next.filter(|next| in_grace && next.used_at.is_none()) {
                Some(next) => next.expires_at,
                None => return self.refuse_reuse(tx, &session, stored.expires_at, now).await,
            }
        };
        tx.commit().await?;
        self.tokens(user, &session, successor, expires_at - now)
    }

    /// Ends a session. Nothing is said about tokens that are not ours: to end a session twice is to end it.
    pub async fn sign_out(&self, visitor: &Visitor, refresh: Option<&str>) -> Result<()> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        if let Some(signed_in) = &visitor.signed_in {
            tx.end_session(signed_in.session_id, now).await?;
            tracing::info!(event = "logout", user = %signed_in.user.id, "signed out");
        }
        if let Some(token) = refresh.and_then(RefreshToken::parse)
            && let Some(stored) = tx.refresh_token(&token.hash()).await?
        {
            tx.end_session(stored.session_id, now).await?;
        }
        tx.commit().await
    }

    /// Begins a session in the transaction of the proof that allows it.
    pub(crate) async fn begin_session(
        &self,
        tx: &mut Tx,
        visitor: &Visitor,
        user: &User,
        remember: bool,
    ) -> Result<NewSession> {
        let now = self.0.clock.now();
        let session = Session {
            id: new_id(now)?,
            user_id: user.id,
            remember,
            auth_time: now,
            amr: "pwd".to_owned(),
            address: visitor.origin(),
            user_agent: visitor.user_agent.chars().take(MAX_USER_AGENT_CHARS).collect(),
            expires_at: now + self.settings().lifetimes.session,
        };
        tx.insert_session(&session).await?;
        let refresh = RefreshToken::generate()?;
        let expires_at = self.idle_end(&session, now);
        tx.insert_refresh_token(&refresh.hash(), session.id, now, expires_at).await?;
        self.tokens(user.clone(), &session, refresh, expires_at - now)
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
        let signed_in = SignedIn { user, session_id: session.id, auth_time: session.auth_time };
        Ok(NewSession { signed_in, access, access_lives, refresh, refresh_lives, remember: session.remember })
    }

    /// A token that merely got too old ends nothing; one that was used before ends the session.
    async fn refuse_reuse(
        &self,
        mut tx: Tx,
        session: &Session,
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<NewSession> {
        if expires_at > now {
            tx.end_session(session.id, now).await?;
            tx.commit().await?;
            tracing::warn!(event = "session.reuse_detected", user = %session.user_id, "a used refresh token came back");
        }
        Err(Refusal::NotAuthenticated.into())
    }
}
