//! Tasks beside the server, watched: one that panics is seen in the log and begun again, and while it is down, or has
//! completed no round for long, the service says that it is not ready.
//!
//! Without this a panic would end the task in silence, and a site without letters would call itself healthy.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accounts::Clock;
use chrono::TimeDelta;
use tokio::task::{JoinHandle, JoinSet};

/// Before a task that broke is begun again; twice as long each time that it completes no round.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// All watched tasks of a site.
#[derive(Debug, Default)]
pub struct Background(Mutex<Vec<Pulse>>);

/// How one task is. It tells each round that it completed.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<State>);

#[derive(Debug)]
struct State {
    name: &'static str,
    clock: Clock,
    /// Longer without a round is too long.
    silence: TimeDelta,
    /// Microseconds on the monotonic clock.
    last_round: AtomicI64,
    is_down: AtomicBool,
}

impl Background {
    /// Runs a task until it ends by itself, and again whenever it panics. `silence`: how long it may take from one
    /// round to the next.
    pub fn keep_running<F>(
        &self,
        name: &'static str,
        clock: &Clock,
        silence: TimeDelta,
        task: impl Fn(Pulse) -> F + Send + Sync + 'static,
    ) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (last_round, is_down) = (AtomicI64::new(micros(clock.monotonic())), AtomicBool::new(false));
        let pulse = Pulse(Arc::new(State { name, clock: clock.clone(), silence, last_round, is_down }));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(pulse.clone());
        tokio::spawn(begin_again(task, pulse))
    }

    /// The first task that is not well.
    pub fn unwell(&self) -> Option<&'static str> {
        let pulses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pulses.iter().find(|pulse| !pulse.is_well()).map(|pulse| pulse.0.name)
    }
}

impl Pulse {
    /// A round is complete.
    pub fn beat(&self) {
        self.0.last_round.store(micros(self.0.clock.monotonic()), Ordering::Relaxed);
        self.0.is_down.store(false, Ordering::Relaxed);
    }

    fn is_well(&self) -> bool {
        let State { clock, silence, last_round, is_down, .. } = &*self.0;
        let since = TimeDelta::microseconds(micros(clock.monotonic()) - last_round.load(Ordering::Relaxed));
        !is_down.load(Ordering::Relaxed) && since <= *silence
    }
}

async fn begin_again<F>(task: impl Fn(Pulse) -> F + Send + Sync + 'static, pulse: Pulse)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut pause = PAUSE;
    loop {
        // A set, because it ends its task when this one is ended.
        let mut run = JoinSet::new();
        run.spawn(task(pulse.clone()));
        match run.join_next().await {
            Some(Err(error)) => {
                tracing::error!(event = "task.broke", task = pulse.0.name, %error, "a background task broke");
            }
            Some(Ok(())) | None => return,
        }
        let completed_none = pulse.0.is_down.swap(true, Ordering::Relaxed);
        pause = if completed_none { (pause * 2).min(LONGEST_PAUSE) } else { PAUSE };
        tokio::time::sleep(pause).await;
    }
}

fn micros(time: TimeDelta) -> i64 {
    time.num_microseconds().unwrap_or(i64::MAX)
}
