//! The time of day, handed in: tests turn it forward, nothing else reads the system clock.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// When this process first asked.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Where the time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is turned; clones share its hands.
    Manual(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// A clock for tests, set to the time of day.
    pub fn manual() -> Self {
        Self::Manual(Arc::new(Mutex::new(Self::System.now())))
    }

    /// Now, in the microseconds that both databases keep.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place where the system clock is read")]
            Self::System => Utc::now().trunc_subsecs(6),
            Self::Manual(hands) => *hands.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// A time that nobody can set back, for what must not be trusted too long. Only differences mean something.
    pub fn monotonic(&self) -> TimeDelta {
        match self {
            Self::System => TimeDelta::from_std(START.elapsed()).unwrap_or(TimeDelta::MAX),
            Self::Manual(_) => self.now() - DateTime::UNIX_EPOCH,
        }
    }

    /// Turns a manual clock forward. The system clock is not ours to turn.
    pub fn advance(&self, by: TimeDelta) {
        if let Self::Manual(hands) = self {
            *hands.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }
}
