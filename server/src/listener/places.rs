//! Who holds a place. Places are counted in all, and by network, so that one network cannot take all of them.
//!
//! When places run short, or a network has its share, whoever has rested longest between two requests makes room.
//! Only where nobody rests, newcomers wait (in all) or are turned away (by network).

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Bounds;
use super::patience::Progress;
use crate::log_once::LogOnce;

/// How long somebody who was told to leave may take, before another one is told.
const PAUSE: Duration = Duration::from_millis(20);
/// The net around a network may hold so many times its share.
const WIDER: usize = 10;

#[derive(Debug)]
pub(super) struct Places {
    bounds: Bounds,
    free: Arc<Semaphore>,
    taken: Arc<Mutex<Taken>>,
    log_once: LogOnce,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    holders: HashMap<u64, Holder>,
    by_network: HashMap<IpNet, usize>,
}

#[derive(Debug)]
struct Holder {
    networks: Vec<IpNet>,
    progress: Arc<Progress>,
}

/// A place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    taken: Arc<Mutex<Taken>>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(super) fn new(bounds: Bounds) -> Self {
        let free = Arc::new(Semaphore::new(bounds.connections));
        Self { bounds, free, taken: Arc::default(), log_once: LogOnce::default() }
    }

    /// Waits for a place, and makes room meanwhile.
    pub(super) async fn free(&self) -> io::Result<OwnedSemaphorePermit> {
        loop {
            if let Ok(permit) = self.free.clone().try_acquire_owned() {
                return Ok(permit);
            }
            self.make_room();
            let one_more = self.free.clone().acquire_owned();
            if let Ok(permit) = tokio::time::timeout(PAUSE, one_more).await {
                return permit.map_err(io::Error::other);
            }
        }
    }

    /// Tells whoever rests longest to leave.
    pub(super) fn make_room(&self) {
        if !self.taken().tell_one_to_leave(|_| true)
            && let Some(count) = self.log_once.note("connections.full", "")
        {
            let connections = self.bounds.connections;
            tracing::warn!(
                event = "connections.full",
                connections,
                count,
                "no connection is free (VESTIBULE_MAX_CONNECTIONS, or the limit of open files)"
            );
        }
    }

    /// `None` if the network of the peer has its share already, and nobody there rests.
    pub(super) fn take(&self, permit: OwnedSemaphorePermit, peer: IpAddr, progress: &Arc<Progress>) -> Option<Place> {
        let networks = self.networks(peer.to_canonical());
        let mut taken = self.taken();
        for (network, most) in networks.iter().zip([self.bounds.per_network, self.bounds.per_network * WIDER]) {
            let held = taken.by_network.get(network).copied().unwrap_or_default();
            if held >= most && !taken.tell_one_to_leave(|holder| holder.networks.contains(network)) {
                self.warn_of(*network, held);
                return None;
            }
        }
        let number = taken.next;
        taken.next += 1;
        for network in &networks {
            *taken.by_network.entry(*network).or_default() += 1;
        }
        taken.holders.insert(number, Holder { networks, progress: progress.clone() });
        Some(Place { number, taken: self.taken.clone(), _permit: permit })
    }

    /// One subscriber's network, and the wider one around it; none for those who speak for many.
    fn networks(&self, peer: IpAddr) -> Vec<IpNet> {
        if self.bounds.exempt.iter().any(|net| net.contains(&peer)) {
            return Vec::new();
        }
        let lengths = if peer.is_ipv4() { [32, 24] } else { [64, 48] };
        lengths.iter().filter_map(|length| IpNet::new(peer, *length).ok()).map(|network| network.trunc()).collect()
    }

    fn warn_of(&self, network: IpNet, held: usize) {
        if let Some(count) = self.log_once.note("connections.network", &network.to_string()) {
            tracing::warn!(event = "connections.network", %network, held, count, "one network has its share of connections; if it is your proxy, list it in VESTIBULE_TRUSTED_PROXIES");
        }
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// False if nobody among them rests.
    fn tell_one_to_leave(&self, is_among: impl Fn(&Holder) -> bool) -> bool {
        let resting = self.holders.values().filter(|holder| is_among(holder));
        let resting = resting.filter_map(|holder| Some((holder.progress.idle_since()?, &holder.progress)));
        match resting.min_by_key(|(since, _)| *since) {
            Some((_, progress)) => {
                progress.leave();
                true
            }
            None => false,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(holder) = taken.holders.remove(&self.number) else { return };
        for network in holder.networks {
            if let Some(held) = taken.by_network.get_mut(&network) {
                *held -= 1;
                if *held == 0 {
                    taken.by_network.remove(&network);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Patience;
    use super::*;

    fn places(per_network: usize) -> Places {
        let exempt = vec!["10.0.0.0/8".parse().expect("a net")];
        Places::new(Bounds { connections: 1000, per_network, exempt, patience: Patience::default() })
    }

    /// How many of these peers get a place at the same time, when none of them rests.
    async fn taken_by(places: &Places, peers: impl Iterator<Item = String>) -> usize {
        let mut held = Vec::new();
        for peer in peers {
            let progress = Arc::new(Progress::new(Patience::default()));
            let permit = places.free().await.expect("a permit");
            held.extend(places.take(permit, peer.parse().expect("an address"), &progress));
        }
        held.len()
    }

    #[tokio::test]
    async fn one_network_has_its_share_and_the_wider_one_ten_times_as_much() {
        let places = places(2);
        assert_eq!(taken_by(&places, (0..50).map(|_| "192.0.2.1".to_owned())).await, 2);
        assert_eq!(taken_by(&places, (0..50).map(|host| format!("192.0.2.{host}"))).await, 20, "a /24");
        assert_eq!(taken_by(&places, (0..50).map(|net| format!("192.0.{net}.1"))).await, 50);
        assert_eq!(taken_by(&places, (0..50).map(|host| format!("2001:db8:1:1::{host:x}"))).await, 2, "a /64");
        assert_eq!(taken_by(&places, (0..50).map(|net| format!("2001:db8:1:{net:x}::1"))).await, 20, "a /48");
        assert_eq!(taken_by(&places, (0..50).map(|_| "::ffff:192.0.2.1".to_owned())).await, 2, "IPv4, written long");
        assert!(places.taken().by_network.is_empty(), "what was given back is not remembered");
    }

    #[tokio::test]
    async fn a_proxy_that_is_listed_speaks_for_many() {
        assert_eq!(taken_by(&places(2), (0..500).map(|_| "10.0.0.1".to_owned())).await, 500);
    }
}
