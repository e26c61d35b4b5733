//! Where this process stands in the table `changes`: which rows to read next, and which it has acted on.
//!
//! A row is dated by the clock of whoever wrote it, a moment before it is committed. So a round begins where the last
//! one did, less an overlap; and every few seconds it looks back as far as clocks of machines may differ.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// Of rounds that follow each other: longer than a commit takes, and clocks that are kept in time differ.
const OVERLAP: TimeDelta = TimeDelta::seconds(5);

/// Clocks of machines differ by less than half of this.
const LOOK_BACK: TimeDelta = TimeDelta::seconds(60);

/// How often a round looks back so far.
const LOOK_BACK_EVERY: TimeDelta = TimeDelta::seconds(5);

/// More than this between two rounds is no round.
const JUMP: TimeDelta = TimeDelta::seconds(20);

/// Changes that were acted on.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// By the clock of the day.
    read_at: Option<DateTime<Utc>>,
    /// On the monotonic clock.
    looked_back_at: Option<TimeDelta>,
    /// With the time, on the monotonic clock, when each was acted on.
    known: HashMap<Uuid, TimeDelta>,
}

/// One reading of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// Rows dated later than this are read.
    pub(crate) since: DateTime<Utc>,
    /// When it began, by the clock of the day.
    pub(super) read_at: DateTime<Utc>,
    /// The same on the monotonic clock.
    pub(super) asked_at: TimeDelta,
    looks_back: bool,
}

impl Feed {
    /// What to read now.
    pub(super) fn next_round(&self, read_at: DateTime<Utc>, asked_at: TimeDelta) -> Round {
        let is_due = self.looked_back_at.is_none_or(|at| asked_at - at >= LOOK_BACK_EVERY);
        match self.read_at {
            Some(last) if !is_due => Round { since: last - OVERLAP, read_at, asked_at, looks_back: false },
            _ => Round { since: read_at - LOOK_BACK, read_at, asked_at, looks_back: true },
        }
    }

    /// A round is over: its rows were acted on. A round that failed is not told, so the next begins where it did.
    /// Whether the clock of the day, by which rows are dated, has jumped since the last one.
    pub(super) fn has_jumped(&mut self, round: Round) -> bool {
        let has_jumped = self.read_at.is_none_or(|last| (round.read_at - last).abs() > JUMP);
        self.read_at = Some(round.read_at);
        if round.looks_back {
            self.looked_back_at = Some(round.asked_at);
            self.known.retain(|_, known_at| round.asked_at - *known_at < LOOK_BACK * 2);
        }
        has_jumped
    }

    /// True for a change that is news.
    pub(super) fn is_news(&mut self, change: Uuid, at: TimeDelta) -> bool {
        self.known.insert(change, at).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_begins_where_the_last_one_that_succeeded_did() {
        let (start, mono) = (DateTime::UNIX_EPOCH + TimeDelta::days(1), TimeDelta::zero());
        let mut feed = Feed::default();
        let first = feed.next_round(start, mono);
        assert_eq!(first.since, start - LOOK_BACK);
        feed.has_jumped(first);
        let half = TimeDelta::milliseconds(500);
        assert_eq!(feed.next_round(start + half, mono + half).since, start - OVERLAP);
        // That one failed.
        let third = feed.next_round(start + half * 2, mono + half * 2);
        assert_eq!(third.since, start - OVERLAP);
        assert!(!feed.has_jumped(third));
        assert_eq!(feed.next_round(start + half * 3, mono + half * 3).since, start + half * 2 - OVERLAP);
    }

    #[test]
    fn a_round_looks_back_every_five_seconds_for_clocks_that_are_late() {
        let (start, mut feed) = (DateTime::UNIX_EPOCH + TimeDelta::days(1), Feed::default());
        let far = (0_i32..40).filter(|at| {
            let passed = TimeDelta::milliseconds(500) * *at;
            let round = feed.next_round(start + passed, passed);
            feed.has_jumped(round);
            round.since == start + passed - LOOK_BACK
        });
        assert_eq!(far.collect::<Vec<_>>(), [0, 10, 20, 30]);
    }

    #[test]
    fn what_was_acted_on_is_known_for_as_long_as_it_may_be_read_again() {
        let (start, mut feed) = (DateTime::UNIX_EPOCH + TimeDelta::days(1), Feed::default());
        assert!(feed.is_news(Uuid::from_u128(1), TimeDelta::zero()));
        assert!(!feed.is_news(Uuid::from_u128(1), TimeDelta::zero()));
        let later = LOOK_BACK * 2;
        let round = feed.next_round(start + later, later);
        feed.has_jumped(round);
        assert!(feed.known.is_empty(), "and then no memory is spent on it");
    }
}
