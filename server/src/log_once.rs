//! What strangers can cause as often as they like is logged once a minute, with a count: a log must tell of an attack
//! and must not become one.
//!
//! Memory is bounded: beyond [`MAX_KEYS`] at the same time, the keys of a kind share one count.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines about the same.
const EVERY: Duration = Duration::from_mins(1);
const MAX_KEYS: usize = 256;
/// Octets of a key, and of a foreign value in the log.
const MAX_OCTETS: usize = 80;

/// Remembers what was logged lately.
#[derive(Debug, Default)]
pub(crate) struct LogOnce(Mutex<HashMap<(&'static str, String), Noted>>);

#[derive(Debug)]
struct Noted {
    logged: Instant,
    unsaid: u64,
}

impl LogOnce {
    /// Counts one event of a kind (`host.unknown`) about a key (the host asked for). `Some` when it is to be logged now:
    /// how often it happened since the last line, this time included.
    pub(crate) fn note(&self, kind: &'static str, key: &str) -> Option<u64> {
        self.note_at(Instant::now(), kind, key)
    }

    fn note_at(&self, now: Instant, kind: &'static str, key: &str) -> Option<u64> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_lately = |noted: &Noted| now.saturating_duration_since(noted.logged) < EVERY;
        let mut key = (kind, key[..key.floor_char_boundary(MAX_OCTETS)].to_owned());
        if noted.len() >= MAX_KEYS && !noted.contains_key(&key) {
            noted.retain(|_, noted| is_lately(noted));
            if noted.len() >= MAX_KEYS {
                key.1.clear();
            }
        }
        match noted.get_mut(&key) {
            Some(known) if is_lately(known) => {
                known.unsaid += 1;
                None
            }
            Some(known) => {
                known.logged = now;
                Some(std::mem::take(&mut known.unsaid) + 1)
            }
            None => {
                noted.insert(key, Noted { logged: now, unsaid: 0 });
                Some(1)
            }
        }
    }
}

/// What a stranger sent, as it may stand in a log: cut, and with everything escaped that is no plain ASCII.
pub(crate) fn shown(value: &[u8]) -> String {
    let (head, is_cut) =
        value.split_at_checked(MAX_OCTETS).map_or((value, false), |(head, rest)| (head, !rest.is_empty()));
    format!("{}{}", head.escape_ascii(), if is_cut { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_logged_once_a_minute_with_its_count() {
        let (log, start) = (LogOnce::default(), Instant::now());
        assert_eq!(log.note_at(start, "host.unknown", "a"), Some(1));
        for second in 1..=59 {
            assert_eq!(log.note_at(start + Duration::from_secs(second), "host.unknown", "a"), None);
        }
        assert_eq!(log.note_at(start, "host.unknown", "b"), Some(1), "another key");
        assert_eq!(log.note_at(start, "csrf.block", "a"), Some(1), "another kind");
        assert_eq!(log.note_at(start + EVERY, "host.unknown", "a"), Some(60));
        assert_eq!(log.note_at(start + EVERY * 2, "host.unknown", "a"), Some(1));
    }

    #[test]
    fn a_stranger_with_many_keys_fills_neither_the_memory_nor_the_log() {
        let (log, start) = (LogOnce::default(), Instant::now());
        let lines = (0..100_000).filter(|number| log.note_at(start, "host.unknown", &number.to_string()).is_some());
        assert_eq!(lines.count(), MAX_KEYS + 1);
        assert!(log.0.lock().expect("a lock").len() <= MAX_KEYS + 1);
        assert_eq!(log.note_at(start, "csrf.block", "x"), Some(1), "another kind is heard all the same");
        assert_eq!(log.note_at(start + EVERY, "host.unknown", "new"), Some(1), "and new keys a minute later");
    }

    #[test]
    fn a_long_key_is_cut_between_two_characters() {
        let (log, start) = (LogOnce::default(), Instant::now());
        assert_eq!(log.note_at(start, "host.unknown", &"ü".repeat(10_000)), Some(1));
        assert_eq!(log.note_at(start, "host.unknown", &"ü".repeat(10_001)), None);
        assert_eq!(log.note_at(start, "host.unknown", &format!("x{}", "ü".repeat(100))), Some(1));
    }

    #[test]
    fn foreign_values_are_cut_and_escaped() {
        assert_eq!(shown(b"a.example:3000"), "a.example:3000");
        assert_eq!(shown(b"a\r\n\x1b[31m\"\xff"), "a\\r\\n\\x1b[31m\\\"\\xff");
        assert_eq!(shown(&[b'a'; 80]).len(), 80);
        assert_eq!(shown(&[b'a'; 81]), format!("{}…", "a".repeat(80)));
    }
}
