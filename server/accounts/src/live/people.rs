//! A part of the people that are remembered. Each part has its own lock and its own generation, so a change to one
//! person holds up, and spoils the reads of, only the few that share the part.

use std::collections::HashMap;
use std::hash::RandomState;

use chrono::{DateTime, TimeDelta, Utc};
use hashlink::LruCache;
use uuid::Uuid;

use crate::SignedIn;

/// People, the ones asked for last at the end of the queue.
#[derive(Debug)]
pub(super) struct People {
    by_id: LruCache<Uuid, Person, RandomState>,
    sessions: usize,
    /// Sessions remembered at most.
    most: usize,
    /// Counts what was forgotten: whoever began to read before must not remember what was read.
    generation: u64,
}

/// All remembered sessions of one person, so that a person is forgotten at once.
#[derive(Debug)]
struct Person {
    sessions: HashMap<Uuid, Live>,
    /// On the monotonic clock.
    asked_for_at: TimeDelta,
}

#[derive(Debug)]
struct Live {
    signed_in: SignedIn,
    expires_at: DateTime<Utc>,
}

impl People {
    pub(super) fn new(most: usize) -> Self {
        Self { by_id: LruCache::with_hasher(usize::MAX, RandomState::new()), sessions: 0, most, generation: 0 }
    }

    /// A session that has not expired. `now` by the clock of the day, `asked_at` by the monotonic one.
    pub(super) fn get(
        &mut self,
        user_id: Uuid,
        session_id: Uuid,
        now: DateTime<Utc>,
        asked_at: TimeDelta,
    ) -> Option<SignedIn> {
        let person = self.by_id.get_mut(&user_id)?;
        person.asked_for_at = asked_at;
        let live = person.sessions.get(&session_id)?;
        if live.expires_at > now {
            return Some(live.signed_in.clone());
        }
        person.sessions.remove(&session_id);
        self.sessions -= 1;
        None
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Remembers what was read, unless something was forgotten since. Makes room by forgetting whoever was not asked
    /// for the longest.
    pub(super) fn keep(&mut self, generation: u64, signed_in: &SignedIn, expires_at: DateTime<Utc>, at: TimeDelta) {
        if self.generation != generation {
            return;
        }
        let person = || Person { sessions: HashMap::new(), asked_for_at: at };
        let person = self.by_id.entry(signed_in.user.id).or_insert_with(person);
        person.asked_for_at = at;
        let live = Live { signed_in: signed_in.clone(), expires_at };
        let is_new = person.sessions.insert(signed_in.session_id, live).is_none();
        self.sessions += usize::from(is_new);
        while self.sessions > self.most {
            let Some((_, person)) = self.by_id.remove_lru() else { return };
            self.sessions -= person.sessions.len();
        }
    }

    pub(super) fn forget(&mut self, user_id: Uuid) {
        self.generation += 1;
        if let Some(person) = self.by_id.remove(&user_id) {
            self.sessions -= person.sessions.len();
        }
    }

    pub(super) fn forget_all(&mut self) {
        self.generation += 1;
        self.by_id.clear();
        self.sessions = 0;
    }

    /// Gives back the memory of people who were not asked for since a time on the monotonic clock. Nothing about them
    /// has changed, so reads under way may be kept.
    pub(super) fn drop_idle(&mut self, since: TimeDelta) {
        while self.by_id.iter().next().is_some_and(|(_, person)| person.asked_for_at < since) {
            let Some((_, person)) = self.by_id.remove_lru() else { return };
            self.sessions -= person.sessions.len();
        }
    }

    #[cfg(test)]
    pub(super) fn sessions(&self) -> usize {
        assert_eq!(self.sessions, self.by_id.iter().map(|(_, person)| person.sessions.len()).sum::<usize>());
        self.sessions
    }
}
