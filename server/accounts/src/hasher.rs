//! Works out password hashes, on a bounded number of threads.
//!
//! A hash costs tens of milliseconds and megabytes on purpose, so whoever sends many passwords could stop the service.
//! Only so many are worked out at once; the rest wait in a queue that is fair between client networks, and whoever finds
//! no place there is told to come back, before anything is looked up for them.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contract::{Password, Refusal};
use tokio::sync::oneshot;

use crate::client_network::ClientNetwork;
use crate::hash_queue::{Queue, Turn};
use crate::password_hash::{Memory, PasswordHashing, PasswordSalt};
use crate::{Error, Hashing, Result};

/// Whoever waits longer is told to come back.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(4);
const RETRY_AFTER: u32 = 2;

/// Works with the memory of its thread.
type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// How busy the threads are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingLoad {
    /// Requests that wait for a thread at this moment.
    pub waiting: usize,
    /// Password hashes worked out since the start, right or wrong.
    pub worked_out: u64,
    /// Requests that were told to come back, since the start.
    pub refused: u64,
}

pub(crate) struct Hasher {
    hashing: PasswordHashing,
    /// To the threads, which end when this is dropped.
    queue: Arc<Queue<Job>>,
    worked_out: Arc<AtomicU64>,
    refused: AtomicU64,
}

impl Hasher {
    pub(crate) fn new(cost: Hashing) -> Result<Self> {
        let hashing = PasswordHashing::new(cost)?;
        // Made before the threads, so that they end with it also when one of them cannot be started.
        let (queue, worked_out) = (Arc::new(Queue::new()), Arc::default());
        let hasher = Self { hashing, queue, worked_out, refused: AtomicU64::new(0) };
        for _ in 0..cost.slots.max(1) {
            let queue = hasher.queue.clone();
            let thread = std::thread::Builder::new().name("hashing".to_owned());
            thread.spawn(move || work_off(&queue)).map_err(Error::internal)?;
        }
        Ok(hasher)
    }

    /// A place in the queue, or the refusal of one. To be asked before the database is.
    pub(crate) fn enter(&self, network: ClientNetwork) -> Result<Place<'_>> {
        let turn = self.queue.enter(network).ok_or_else(|| self.overloaded())?;
        Ok(Place { hasher: self, network, turn, was_served: false })
    }

    /// Whether a stored hash is cheaper than those made now, or has another salt, or is not of ours.
    pub(crate) fn is_outdated(&self, stored: &str, salt: &PasswordSalt) -> bool {
        self.hashing.is_outdated(stored, salt)
    }

    pub(crate) fn load(&self) -> HashingLoad {
        HashingLoad {
            waiting: self.queue.waiting(),
            worked_out: self.worked_out.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    fn overloaded(&self) -> Error {
        self.refused.fetch_add(1, Ordering::Relaxed);
        Refusal::Overloaded { retry_after: RETRY_AFTER }.into()
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher").field("load", &self.load()).finish_non_exhaustive()
    }
}

/// A place in the queue, for one hash or for several one after the other. Given up when it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    hasher: &'a Hasher,
    network: ClientNetwork,
    turn: Turn,
    was_served: bool,
}

impl Place<'_> {
    /// A PHC string to store.
    pub(crate) async fn hash(&mut self, password: &Password, salt: &PasswordSalt) -> Result<String> {
        let (hashing, password, salt) = (self.hasher.hashing.clone(), password.clone(), *salt);
        self.work(move |memory| hashing.hash(&password, &salt, memory)).await?
    }

    /// The place of the first hash that is of this password. Without any: none, after the same work.
    pub(crate) async fn matching<'h>(
        &mut self,
        password: &Password,
        stored: impl Iterator<Item = &'h str>,
    ) -> Result<Option<usize>> {
        let stored: Vec<_> = stored.map(str::to_owned).collect();
        let (hashing, password) = (self.hasher.hashing.clone(), password.clone());
        self.work(move |memory| hashing.matching(&password, &stored, memory)).await
    }

    /// Waits for a thread for so long, then for the work however long it takes.
    async fn work<T: Send + 'static>(&mut self, job: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Result<T> {
        let (start, has_begun) = oneshot::channel();
        let (finish, finished) = oneshot::channel();
        let worked_out = self.hasher.worked_out.clone();
        let job = move |memory: &mut Memory| {
            // Work that nobody waits for any more is not begun.
            if start.send(()).is_ok() {
                let done = without_panic(job, memory);
                worked_out.fetch_add(mem::take(&mut memory.worked_out), Ordering::Relaxed);
                finish.send(done).ok();
            }
        };
        if self.was_served {
            self.hasher.queue.enter_again(self.turn, self.network);
        }
        let has_place = self.hasher.queue.submit(self.turn, Box::new(job));
        // A job whose place is lost while it waits is dropped, and its channel closed.
        if !has_place || !matches!(tokio::time::timeout(MAX_WAIT, has_begun).await, Ok(Ok(()))) {
            return Err(self.hasher.overloaded());
        }
        self.was_served = true;
        finished.await.map_err(Error::internal)?.map_err(Error::internal)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.hasher.queue.leave(self.turn);
    }
}

/// Few threads that live as long as the hasher, not the many that a runtime lends: an allocator keeps the megabytes
/// of a hash for the thread that had them.
fn work_off(queue: &Queue<Job>) {
    let mut memory = Memory::default();
    while let Some(job) = queue.next() {
        job(&mut memory);
    }
}

/// A panic costs no thread. It is told to whoever waits, whose error is logged, and to the log in case nobody does.
fn without_panic<T>(job: impl FnOnce(&mut Memory) -> T, memory: &mut Memory) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(|| job(memory))).map_err(|payload| {
        let what = payload.downcast_ref::<&str>().copied();
        let what = what.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
        tracing::error!(panic = what, "a password hash panicked");
        format!("a password hash panicked: {what}")
    })
}

#[cfg(test)]
mod tests;
