//! Who is served next where there is more to do than threads to do it: fair between client networks.
//!
//! Start-time fair queueing (Goyal, Vin, Cheng 1996): each place has a start on a clock that only moves as places are
//! served; a network's next place starts one round after its last, a newcomer's starts now. So whoever asks once is served
//! before the second request of whoever asks often, however many those are. The wider networks around a client are
//! charged too, a tenth and a hundredth: many addresses of one machine are soon behind as well.
//!
//! When all places are taken, the one with the latest start is lost: the newest of the network that has most. It is the
//! newcomer's only when their own network has most.

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use hashlink::LruCache;

use crate::client_network::{ClientNetwork, Width};

/// Places of those who wait. One takes little memory: a hash's is its thread's.
pub(crate) const MAX_WAITING: usize = 256;

/// From one place of a client network to its next.
const ROUND: u64 = 100;

/// Networks whose last start is remembered. Those forgotten count as newcomers.
const MAX_SHARES: usize = 8192;

/// The order of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    start: u64,
    /// First come, first served, among those with one start.
    number: u64,
}

#[derive(Debug)]
pub(crate) struct Queue<J> {
    state: Mutex<State<J>>,
    is_ready: Condvar,
}

#[derive(Debug)]
struct State<J> {
    places: BTreeMap<Turn, Place<J>>,
    /// Start of the last place that was served.
    now: u64,
    number: u64,
    /// When the next place of a network starts, for each width.
    shares: LruCache<(Width, u128), u64, RandomState>,
    is_closed: bool,
}

#[derive(Debug)]
struct Place<J> {
    network: ClientNetwork,
    /// None yet, as long as it is only reserved.
    job: Option<J>,
    /// Whether work was put into it already: then it is not lost any more.
    is_kept: bool,
}

impl<J> Queue<J> {
    pub(crate) fn new() -> Self {
        let shares = LruCache::with_hasher(MAX_SHARES, RandomState::new());
        let state = State { places: BTreeMap::new(), now: 0, number: 0, shares, is_closed: false };
        Self { state: Mutex::new(state), is_ready: Condvar::new() }
    }

    /// Reserves a place, or says that there is none. Whoever loses theirs for it finds their job dropped.
    pub(crate) fn enter(&self, network: ClientNetwork) -> Option<Turn> {
        let mut state = self.lock();
        let turn = state.next_turn(network);
        if state.places.len() >= MAX_WAITING {
            let last = state.places.iter().rev().find(|(_, place)| !place.is_kept).map(|(turn, _)| *turn);
            state.leave(last.filter(|last| last.start > turn.start)?);
        }
        state.place(turn, network, false);
        Some(turn)
    }

    /// The same place once more, for somebody who was served and needs more. There always is one: what was begun is to be
    /// finished.
    pub(crate) fn enter_again(&self, turn: Turn, network: ClientNetwork) {
        self.lock().place(turn, network, true);
    }

    /// What is to be done at a place. False when it was lost meanwhile.
    pub(crate) fn submit(&self, turn: Turn, job: J) -> bool {
        let mut state = self.lock();
        let Some(place) = state.places.get_mut(&turn) else { return false };
        place.job = Some(job);
        drop(state);
        self.is_ready.notify_one();
        true
    }

    /// Gives up a place that was not served.
    pub(crate) fn leave(&self, turn: Turn) {
        self.lock().leave(turn);
    }

    /// The next job; waits for one. None when the queue was closed.
    pub(crate) fn next(&self) -> Option<J> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(job) = state.take_next() {
                return Some(job);
            }
            state = self.is_ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.places.clear();
        drop(state);
        self.is_ready.notify_all();
    }

    pub(crate) fn waiting(&self) -> usize {
        self.lock().places.len()
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> State<J> {
    fn next_turn(&mut self, network: ClientNetwork) -> Turn {
        let shares = network.and_wider().filter_map(|share| self.shares.get(&share).copied());
        let start = shares.fold(self.now, u64::max);
        self.number += 1;
        Turn { start, number: self.number }
    }

    fn place(&mut self, turn: Turn, network: ClientNetwork, is_kept: bool) {
        for (width, number) in network.and_wider() {
            let last = self.shares.get(&(width, number)).copied().unwrap_or_default().max(self.now);
            // Of the client itself it is this very turn; a wider network does not wait for one client's backlog.
            let last = if width == Width::Client { last.max(turn.start) } else { last };
            self.shares.insert((width, number), last + ROUND / u64::from(width.factor()));
        }
        self.places.insert(turn, Place { network, job: None, is_kept });
    }

    /// Nobody is charged for what they did not get.
    fn leave(&mut self, turn: Turn) {
        let Some(place) = self.places.remove(&turn) else { return };
        for (width, number) in place.network.and_wider() {
            if let Some(share) = self.shares.get_mut(&(width, number)) {
                *share = share.saturating_sub(ROUND / u64::from(width.factor()));
            }
        }
    }

    fn take_next(&mut self) -> Option<J> {
        let turn = self.places.iter().find(|(_, place)| place.job.is_some()).map(|(turn, _)| *turn)?;
        self.now = self.now.max(turn.start);
        self.places.remove(&turn)?.job
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use super::*;

    /// In a /24 of its own.
    fn network(number: u32) -> ClientNetwork {
        ClientNetwork::of(IpAddr::V4(Ipv4Addr::from_bits(number << 8)))
    }

    impl Queue<&'static str> {
        fn ask(&self, network: ClientNetwork, name: &'static str) -> bool {
            self.enter(network).is_some_and(|turn| self.submit(turn, name))
        }

        /// How many are served before this one.
        fn served_before(&self, name: &str) -> usize {
            std::iter::from_fn(|| self.lock().take_next()).position(|served| served == name).expect("a place")
        }
    }

    #[test]
    fn networks_take_turns_however_many_requests_one_has() {
        let queue = Queue::new();
        for name in ["a1", "a2", "a3"] {
            assert!(queue.ask(network(1), name));
        }
        for (at, name) in [(2, "b1"), (2, "b2"), (3, "c1")] {
            assert!(queue.ask(network(at), name));
        }
        let served: Vec<_> = std::iter::from_fn(|| queue.lock().take_next()).collect();
        assert_eq!(served, ["a1", "b1", "c1", "a2", "b2", "a3"]);
    }

    #[test]
    fn sixty_hostile_addresses_keep_nobody_out() {
        let queue = Queue::new();
        for _ in 0..20 {
            for hostile in 0..60 {
                queue.ask(network(hostile), "hostile");
            }
        }
        assert_eq!(queue.waiting(), MAX_WAITING);
        assert!(queue.ask(network(100), "honest"), "somebody else has more waiting");
        assert_eq!(queue.waiting(), MAX_WAITING);
        assert!(queue.served_before("honest") <= 60, "one of each comes first");
    }

    #[test]
    fn whoever_comes_back_at_once_is_served_after_whoever_comes_once() {
        let queue = Queue::new();
        for hostile in 0..60 {
            assert!(queue.ask(network(hostile), "hostile"));
        }
        // Served in a circle: each asks again as soon as it has its answer.
        for round in 0..600 {
            queue.lock().take_next().expect("a job");
            assert!(queue.ask(network(round % 60), "hostile"));
        }
        for honest in 100..110 {
            assert!(queue.ask(network(honest), "honest"));
        }
        let served: Vec<_> = std::iter::from_fn(|| queue.lock().take_next()).take(20).collect();
        assert_eq!(served.iter().filter(|name| **name == "honest").count(), 10, "{served:?}");
    }

    #[test]
    fn many_addresses_of_one_network_are_soon_behind_too() {
        for hostile in [
            |at: u32| ClientNetwork::of(IpAddr::V4(Ipv4Addr::from_bits(0x0A00_0000 | (at % 250)))),
            |at: u32| ClientNetwork::of(IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(at) << 64)))),
        ] {
            let queue = Queue::new();
            for at in 0..1000 {
                queue.ask(hostile(at), "hostile");
            }
            for honest in 1..=100 {
                assert!(queue.ask(network(honest), "honest"));
            }
            let served: Vec<_> = std::iter::from_fn(|| queue.lock().take_next()).take(120).collect();
            let honest = served.iter().filter(|name| **name == "honest").count();
            assert!(honest >= 100, "{honest}");
        }
    }

    #[test]
    fn one_client_with_much_to_do_does_not_hold_back_its_neighbours() {
        let queue = Queue::new();
        let [busy, neighbour] = [1, 2].map(|at| ClientNetwork::of(IpAddr::V4(Ipv4Addr::new(192, 0, 2, at))));
        for _ in 0..5 {
            assert!(queue.ask(busy, "busy"));
        }
        assert!(queue.ask(neighbour, "neighbour"));
        assert_eq!(queue.served_before("neighbour"), 1);
    }

    #[test]
    fn who_has_most_waiting_loses_the_newest_and_their_own_next_is_refused() {
        let queue = Queue::new();
        assert!(queue.ask(network(1), "modest"));
        while queue.waiting() < MAX_WAITING {
            assert!(queue.ask(network(2), "greedy"));
        }
        assert!(!queue.ask(network(2), "greedy"), "nobody has more");
        let lost = queue.lock().places.keys().next_back().copied().expect("a place");
        assert!(queue.ask(network(1), "modest"));
        assert!(!queue.submit(lost, "greedy"), "its place went to a network with less");
        assert_eq!(queue.waiting(), MAX_WAITING);
    }

    #[test]
    fn what_was_refused_or_given_up_is_not_charged() {
        let queue = Queue::new();
        for _ in 0..10_000 {
            queue.leave(queue.enter(network(1)).expect("a place"));
        }
        assert!(queue.ask(network(1), "one"));
        assert!(queue.ask(network(2), "two"));
        assert_eq!(queue.served_before("one"), 0);
    }

    #[test]
    fn a_place_that_is_only_reserved_holds_nobody_up() {
        let queue = Queue::new();
        let reserved = queue.enter(network(1)).expect("a place");
        assert!(queue.ask(network(2), "ready"));
        assert_eq!(queue.lock().take_next(), Some("ready"));
        assert!(queue.submit(reserved, "late"));
        assert_eq!(queue.lock().take_next(), Some("late"));
    }

    #[test]
    fn what_was_begun_finds_a_place_in_a_full_queue() {
        let queue = Queue::new();
        let turn = queue.enter(network(1)).expect("a place");
        assert!(queue.submit(turn, "first half"));
        assert_eq!(queue.lock().take_next(), Some("first half"));
        for at in 0..2 * u32::try_from(MAX_WAITING).expect("a number") {
            queue.ask(network(2 + at), "newcomer");
        }
        queue.enter_again(turn, network(1));
        assert!(queue.submit(turn, "second half"));
        assert_eq!(queue.served_before("second half"), 0);
    }
}
