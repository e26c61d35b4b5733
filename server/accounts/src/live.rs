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

use crate::{Accounts, Clock, Result, SignedIn};

/// Without news for so long, memory is not believed. The bound of how late another process may be.
const BELIEVED_FOR: TimeDelta = TimeDelta::seconds(2);

/// News are read as far back as clocks of machines may differ and a transaction may take.
const LOOK_BACK: TimeDelta = TimeDelta::seconds(60);

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
            memory.people.clear();
            memory.sessions = 0;
        }
        let live = Live { signed_in: signed_in.clone(), expires_at };
        let person = memory.people.entry(signed_in.user.id).or_default();
        let is_new = person.insert(signed_in.session_id, live).is_none();
        memory.sessions += usize::from(is_new);
    }

    /// Forgets a person after a change made here: the next request of each of their sessions reads the database.
    pub(crate) fn forget(&self, change: Uuid, user_id: Uuid) {
        let mut memory = self.write();
        memory.forget(user_id);
        // It will be read with the news of others.
        memory.known.insert(change);
    }

    /// Acts on news that were asked for at `asked_at` (monotonic).
    fn hear(&self, news: &[(Uuid, Uuid)], asked_at: TimeDelta) {
        let mut memory = self.write();
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
    fn forget(&mut self, user_id: Uuid) {
        self.generation += 1;
        if let Some(sessions) = self.people.remove(&user_id) {
            self.sessions -= sessions.len();
        }
    }
}

impl Accounts {
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
