//! Who is signed in, remembered by this process: most requests then need no database.
//!
//! What is remembered is thrown away when it changes: by this process before it answers, by other processes as soon
//! as the news of the change is read (`changes`, twice a second). When there is no news for too long, nothing is
//! believed and each request reads the database. Memory is never the only place that knows that a session has ended:
//! what is forgotten is read again, and what was killed with the process is not missed.

mod feed;
mod people;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::store::Tx;
use crate::tokens::new_id;
use crate::{Accounts, Clock, Error, Result, SignedIn};
use feed::{Feed, Round};
use people::People;

/// Without news for so long, memory is not believed. The bound of how late another process may be.
const BELIEVED_FOR: TimeDelta = TimeDelta::seconds(2);

/// Sessions remembered at most; room is made by forgetting whoever was not asked for the longest.
const MAX_SESSIONS: usize = 50_000;

/// People who were not asked for so long are forgotten.
const IDLE: TimeDelta = TimeDelta::hours(1);

/// Parts of the people, each with its own lock.
const PARTS: usize = 64;

/// Sessions by person.
#[derive(Debug)]
pub(crate) struct LiveSessions {
    clock: Clock,
    parts: Vec<Mutex<People>>,
    feed: Mutex<Feed>,
    /// Microseconds on the monotonic clock.
    believed_until: AtomicI64,
}

impl LiveSessions {
    pub(crate) fn new(clock: Clock) -> Self {
        Self::with_room_for(MAX_SESSIONS, clock)
    }

    fn with_room_for(sessions: usize, clock: Clock) -> Self {
        let part = || Mutex::new(People::new(sessions.div_ceil(PARTS)));
        let parts = std::iter::repeat_with(part).take(PARTS).collect();
        Self { clock, parts, feed: Mutex::default(), believed_until: AtomicI64::new(i64::MIN) }
    }

    /// A session that is remembered, if memory may be believed.
    pub(crate) fn get(&self, user_id: Uuid, session_id: Uuid) -> Option<SignedIn> {
        let asked_at = self.clock.monotonic();
        if micros(asked_at) > self.believed_until.load(Ordering::Acquire) {
            return None;
        }
        self.part_of(user_id).get(user_id, session_id, self.clock.now(), asked_at)
    }

    /// To be asked before the database is read for [`keep`](Self::keep).
    pub(crate) fn generation(&self, user_id: Uuid) -> u64 {
        self.part_of(user_id).generation()
    }

    /// Remembers what was read, unless the person may have changed since.
    pub(crate) fn keep(&self, generation: u64, signed_in: &SignedIn, expires_at: DateTime<Utc>) {
        self.part_of(signed_in.user.id).keep(generation, signed_in, expires_at, self.clock.monotonic());
    }

    /// Forgets a person: the next request of each of their sessions reads the database.
    pub(crate) fn forget(&self, user_id: Uuid) {
        self.part_of(user_id).forget(user_id);
    }

    /// A change that this process made and has acted on; it will be read with the news of others.
    pub(crate) fn knows(&self, change: Uuid) {
        let at = self.clock.monotonic();
        lock(&self.feed).is_news(change, at);
    }

    /// What news to read now.
    pub(crate) fn next_round(&self) -> Round {
        lock(&self.feed).next_round(self.clock.now(), self.clock.monotonic())
    }

    /// Acts on the news of a round: ids of changes, and of the people they are about.
    pub(crate) fn hear(&self, round: Round, news: &[(Uuid, Uuid)]) {
        let mut feed = lock(&self.feed);
        // After a silence, or a jump of the clock that news is dated by, older news may have been missed.
        let was_silent = micros(round.asked_at) > self.believed_until.load(Ordering::Acquire);
        if feed.has_jumped(round) || was_silent {
            self.parts.iter().for_each(|part| lock(part).forget_all());
        }
        for (change, user_id) in news {
            if feed.is_news(*change, round.asked_at) {
                self.forget(*user_id);
            }
        }
        self.parts.iter().for_each(|part| lock(part).drop_idle(round.asked_at - IDLE));
        // Last: whoever believes now finds everything forgotten that had to be.
        self.believed_until.store(micros(round.asked_at + BELIEVED_FOR), Ordering::Release);
    }

    fn part_of(&self, user_id: Uuid) -> MutexGuard<'_, People> {
        // The last byte of an id is random.
        let at = user_id.as_bytes().last().map_or(0, |byte| usize::from(*byte) % PARTS);
        lock(&self.parts[at])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn micros(time: TimeDelta) -> i64 {
    time.num_microseconds().unwrap_or(i64::MAX)
}

impl Accounts {
    /// Commits a change that ends sessions or alters what they say of a person. This process remembers nothing of the
    /// old state when it returns; others read the news. Once begun it runs to its end, also when nobody waits for it
    /// any more: a change that was made while memory still held the old state would be no end at all.
    pub(crate) async fn commit_change(&self, tx: Tx, user_id: Uuid) -> Result<()> {
        self.commit_changes(tx, [user_id]).await
    }

    /// The same of several people.
    pub(crate) async fn commit_changes(&self, tx: Tx, users: impl IntoIterator<Item = Uuid>) -> Result<()> {
        let (accounts, users) = (self.clone(), users.into_iter().collect::<Vec<_>>());
        let work = async move { accounts.commit_and_forget(tx, &users).await };
        tokio::spawn(work.in_current_span()).await.map_err(Error::internal)?
    }

    async fn commit_and_forget(&self, mut tx: Tx, users: &[Uuid]) -> Result<()> {
        let now = self.0.clock.now();
        let mut changes = Vec::new();
        for user_id in users {
            let change = new_id(now)?;
            tx.insert_change(change, *user_id, now).await?;
            changes.push((change, *user_id));
        }
        let committed = tx.commit().await;
        for (change, user_id) in changes {
            // Also after a failure: an answer may be lost after the change was made, or before it is.
            self.0.live.forget(user_id);
            if committed.is_ok() {
                self.0.live.knows(change);
            }
        }
        if committed.is_ok() {
            // The change may have posted a letter.
            self.0.letters_waiting.notify_one();
        }
        committed
    }

    /// Reads the news of other processes, once: changed people, new signing keys. To be called twice a second; while
    /// it is not, or fails, every request reads the database.
    pub async fn hear_news(&self) -> Result<()> {
        let round = self.0.live.next_round();
        let mut tx = self.0.store.read().await?;
        let news = tx.changes_since(round.since).await?;
        self.0.live.hear(round, &news);
        self.0.keys.load(tx.signing_keys().await?)
    }
}

#[cfg(test)]
mod tests;
