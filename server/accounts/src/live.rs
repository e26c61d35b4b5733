//! Who is signed in, remembered by this process: most requests then need no database.
//!
//! What is remembered is thrown away when it changes: by this process before it answers, by other processes as soon
//! as the news of the change is read (`changes`, twice a second). When the news stay out, nothing is believed and
//! each request reads the database. Memory is never the only place that knows that a session has ended: what is
//! forgotten is read again, and what was killed with the process is not missed.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::store::Tx;
use crate::tokens::new_id;
use crate::{Accounts, Clock, Result, SignedIn};

/// Without news for so long, memory is not believed. The bound of how late another process may be.
const BELIEVED_FOR: TimeDelta = TimeDelta::seconds(2);

/// News are read as far back as clocks of machines may differ and a transaction may take.
const LOOK_BACK: TimeDelta = TimeDelta::seconds(60);

/// More than this between two rounds of news is no round.
const JUMP: TimeDelta = TimeDelta::seconds(20);

/// Sessions remembered at most; then all are forgotten, and read again as they come.
const MAX_SESSIONS: usize = 50_000;

/// Sessions by person, so that a person is forgotten at once.
#[derive(Debug)]
pub(crate) struct LiveSessions {
    clock: Clock,
    memory: RwLock<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    people: HashMap<Uuid, HashMap<Uuid, Live>>,
    sessions: usize,
    /// On the monotonic clock.
    believed_until: TimeDelta,
    /// By the clock of the day.
    heard_at: Option<DateTime<Utc>>,
    /// News that were acted on.
    known: HashSet<Uuid>,
    /// Counts what was forgotten: whoever began to read before must not remember what was read.
    generation: u64,
}

#[derive(Clone, Debug)]
struct Live {
    signed_in: SignedIn,
    expires_at: DateTime<Utc>,
}

impl LiveSessions {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, memory: RwLock::default() }
    }

    /// A session that is remembered, if memory may be believed.
    pub(crate) fn get(&self, user_id: Uuid, session_id: Uuid) -> Option<SignedIn> {
        let memory = self.read();
        if self.clock.monotonic() > memory.believed_until {
            return None;
        }
        let live = memory.people.get(&user_id)?.get(&session_id)?;
        (live.expires_at > self.clock.now()).then(|| live.signed_in.clone())
    }

    /// To be asked before the database is read for [`keep`](Self::keep).
    pub(crate) fn generation(&self) -> u64 {
        self.read().generation
    }

    /// Remembers what was read, unless something was forgotten since.
    pub(crate) fn keep(&self, generation: u64, signed_in: &SignedIn, expires_at: DateTime<Utc>) {
        let mut memory = self.write();
        if memory.generation != generation {
            return;
        }
        if memory.sessions >= MAX_SESSIONS {
            memory.forget_all();
        }
        let live = Live { signed_in: signed_in.clone(), expires_at };
        let person = memory.people.entry(signed_in.user.id).or_default();
        let is_new = person.insert(signed_in.session_id, live).is_none();
        memory.sessions += usize::from(is_new);
    }

    /// Forgets a person: the next request of each of their sessions reads the database.
    pub(crate) fn forget(&self, user_id: Uuid) {
        self.write().forget(user_id);
    }

    /// A change that this process made and has acted on; it will be read with the news of others.
    pub(crate) fn knows(&self, change: Uuid) {
        self.write().known.insert(change);
    }

    /// Acts on news that were asked for at `asked_at` (monotonic).
    fn hear(&self, news: &[(Uuid, Uuid)], asked_at: TimeDelta) {
        let now = self.clock.now();
        let mut memory = self.write();
        // After a silence, or a jump of the clock that news are dated by, older news may have been missed.
        let was_silent = asked_at > memory.believed_until;
        let has_jumped = memory.heard_at.is_none_or(|heard_at| (now - heard_at).abs() > JUMP);
        if was_silent || has_jumped {
            memory.forget_all();
        }
        memory.heard_at = Some(now);
        for (id, user_id) in news {
            if !memory.known.contains(id) {
                memory.forget(*user_id);
            }
        }
        memory.known = news.iter().map(|(id, _)| *id).collect();
        memory.believed_until = asked_at + BELIEVED_FOR;
    }

    fn read(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Memory> {
        self.memory.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn forget_all(&mut self) {
        self.generation += 1;
        self.people.clear();
        self.sessions = 0;
    }

    fn forget(&mut self, user_id: Uuid) {
        self.generation += 1;
        if let Some(sessions) = self.people.remove(&user_id) {
            self.sessions -= sessions.len();
        }
    }
}

impl Accounts {
    /// Commits a change that ends sessions or alters what they say of a person. This process remembers nothing of the
    /// old state when it returns; others read the news.
    pub(crate) async fn commit_change(&self, tx: Tx, user_id: Uuid) -> Result<()> {
        self.commit_changes(tx, [user_id]).await
    }

    /// The same of several people.
    pub(crate) async fn commit_changes(&self, mut tx: Tx, users: impl IntoIterator<Item = Uuid>) -> Result<()> {
        let now = self.0.clock.now();
        let mut changes = Vec::new();
        for user_id in users {
            let change = new_id(now)?;
            tx.insert_change(change, user_id, now).await?;
            changes.push((change, user_id));
        }
        let committed = tx.commit().await;
        for (change, user_id) in changes {
            // Also after a failure: an answer may be lost after the change was made, or before it is.
            self.0.live.forget(user_id);
            if committed.is_ok() {
                self.0.live.knows(change);
            }
        }
        committed
    }

    /// Reads the news of other processes, once: changed people, new signing keys. To be called twice a second; while
    /// it is not, or fails, every request reads the database.
    pub async fn hear_news(&self) -> Result<()> {
        let asked_at = self.0.clock.monotonic();
        let mut tx = self.0.store.read().await?;
        let news = tx.changes_since(self.0.clock.now() - LOOK_BACK).await?;
        self.0.live.hear(&news, asked_at);
        self.0.keys.load(tx.signing_keys().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::User;

    fn someone(now: DateTime<Utc>) -> SignedIn {
        let user = User {
            id: Uuid::from_u128(1),
            email: "ada@example.com".to_owned(),
            email_verified: true,
            first_name: String::new(),
            last_name: String::new(),
            user_type: "guest".to_owned(),
            phone: None,
            locale: "en".to_owned(),
            created_at: now,
            updated_at: now,
        };
        SignedIn { user, session_id: Uuid::from_u128(2), auth_time: now, remember: false }
    }

    #[test]
    fn what_was_read_before_something_was_forgotten_is_not_kept() {
        let clock = Clock::manual();
        let (live, ada) = (LiveSessions::new(clock.clone()), someone(clock.now()));
        live.hear(&[], clock.monotonic());
        let (user, session, until) = (ada.user.id, ada.session_id, clock.now() + TimeDelta::days(1));
        let before = live.generation();
        live.forget(user);
        live.keep(before, &ada, until);
        assert_eq!(live.get(user, session), None);
        live.keep(live.generation(), &ada, until);
        assert_eq!(live.get(user, session).as_ref(), Some(&ada));
        let before = live.generation();
        live.hear(&[(Uuid::from_u128(9), user)], clock.monotonic());
        live.keep(before, &ada, until);
        assert_eq!(live.get(user, session), None);
    }

    #[test]
    fn a_clock_that_jumps_makes_everything_forgotten() {
        let clock = Clock::manual();
        let (live, ada) = (LiveSessions::new(clock.clone()), someone(clock.now()));
        live.hear(&[], clock.monotonic());
        live.keep(live.generation(), &ada, clock.now() + TimeDelta::days(1));
        clock.advance(TimeDelta::seconds(1));
        live.hear(&[], clock.monotonic());
        assert!(live.get(ada.user.id, ada.session_id).is_some());
        clock.advance(TimeDelta::seconds(-60));
        live.hear(&[], clock.monotonic());
        assert!(live.get(ada.user.id, ada.session_id).is_none());
    }
}
