//! The threads and their queue, by jobs that block until they are let go: no clock decides anything here.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use tokio::task::{JoinHandle, yield_now};

use super::*;
use crate::hash_queue::MAX_WAITING;

fn hasher() -> Arc<Hasher> {
    Arc::new(Hasher::new(Hashing { memory_kib: 64, iterations: 1, parallelism: 1, slots: 1 }).expect("a hasher"))
}

/// In a /24 of its own.
fn network(number: u32) -> ClientNetwork {
    ClientNetwork::of(IpAddr::V4(Ipv4Addr::from_bits(number << 8)))
}

fn is_overloaded<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Refused(Refusal::Overloaded { .. })))
}

/// Keeps the one thread busy until the answer is dropped.
async fn hold(hasher: &Arc<Hasher>) -> Sender<()> {
    let (release, released) = channel::<()>();
    let (busy, is_busy) = oneshot::channel();
    let hasher = hasher.clone();
    tokio::spawn(async move {
        let mut place = hasher.enter(network(0)).expect("a place");
        let job = move |_: &mut Memory| {
            busy.send(()).ok();
            released.recv().ok();
        };
        place.work(job).await.expect("held work");
    });
    is_busy.await.expect("a busy thread");
    release
}

/// Asks for work that says its name when it is done.
fn ask(hasher: &Arc<Hasher>, from: u32, name: &'static str, said: &Said) -> JoinHandle<Result<()>> {
    let (hasher, said) = (hasher.clone(), said.clone());
    tokio::spawn(
        async move { hasher.enter(network(from))?.work(move |_| said.lock().expect("names").push(name)).await },
    )
}

type Said = Arc<Mutex<Vec<&'static str>>>;

#[tokio::test]
async fn sixty_hostile_addresses_keep_no_honest_visitor_out() {
    let (hasher, said) = (hasher(), Said::default());
    let release = hold(&hasher).await;
    let hostile: Vec<_> = (0..1200).map(|at| ask(&hasher, 1 + at % 60, "hostile", &said)).collect();
    let too_many = 1200 - MAX_WAITING as u64;
    while hasher.load().refused < too_many {
        yield_now().await;
    }
    assert_eq!(hasher.load().waiting, MAX_WAITING);
    let honest = ask(&hasher, 100, "honest", &said);
    while hasher.load().refused < too_many + 1 {
        yield_now().await;
    }
    drop(release);
    assert!(honest.await.expect("no panic").is_ok());
    let before = said.lock().expect("names").iter().position(|name| *name == "honest").expect("the honest one");
    assert!(before <= 60, "{before} were served before");
    let mut served = 0;
    for answer in hostile {
        let answer = answer.await.expect("no panic");
        assert!(answer.is_ok() || is_overloaded(&answer), "{answer:?}");
        served += usize::from(answer.is_ok());
    }
    assert_eq!(served, MAX_WAITING - 1, "one lost its place to the honest one");
}

#[tokio::test]
async fn who_finds_the_queue_full_is_told_so_before_anything_is_worked_out() {
    let (hasher, said) = (hasher(), Said::default());
    let release = hold(&hasher).await;
    let places: Vec<_> = (0..MAX_WAITING).map(|_| hasher.enter(network(1)).expect("a place")).collect();
    assert!(is_overloaded(&hasher.enter(network(1))));
    drop(places);
    assert_eq!(hasher.load().waiting, 0, "places are given up with whoever had them");
    let next = ask(&hasher, 1, "next", &said);
    drop(release);
    assert!(next.await.expect("no panic").is_ok());
}

#[tokio::test]
async fn a_place_that_is_lost_before_it_is_used_is_told_when_it_is() {
    let hasher = hasher();
    let _release = hold(&hasher).await;
    let mut places: Vec<_> = (0..MAX_WAITING).map(|_| hasher.enter(network(1)).expect("a place")).collect();
    let _other = hasher.enter(network(2)).expect("a place");
    let last = places.last_mut().expect("a place");
    assert!(is_overloaded(&last.hash(&Password::new("p"), &[7; 16]).await));
}

#[tokio::test]
async fn work_that_nobody_waits_for_any_more_is_not_begun() {
    let (hasher, said) = (hasher(), Said::default());
    let release = hold(&hasher).await;
    let hung_up = ask(&hasher, 1, "hung up", &said);
    while hasher.load().waiting < 1 {
        yield_now().await;
    }
    hung_up.abort();
    assert!(hung_up.await.expect_err("aborted").is_cancelled());
    assert_eq!(hasher.load().waiting, 0);
    let next = ask(&hasher, 2, "next", &said);
    drop(release);
    assert!(next.await.expect("no panic").is_ok());
    assert_eq!(*said.lock().expect("names"), ["next"]);
}

#[tokio::test]
async fn what_was_begun_is_finished_in_a_full_queue() {
    let hasher = hasher();
    let mut place = hasher.enter(network(1)).expect("a place");
    let stored = place.hash(&Password::new("p"), &[7; 16]).await.expect("a hash");
    let release = hold(&hasher).await;
    let _others: Vec<_> = (0..MAX_WAITING).map(|_| hasher.enter(network(2)).expect("a place")).collect();
    drop(release);
    let found = place.matching(&Password::new("p"), [&*stored].into_iter()).await;
    assert_eq!(found.expect("an answer"), Some(0));
}

#[tokio::test]
async fn each_hash_is_counted_right_or_wrong() {
    let hasher = hasher();
    assert_eq!(hasher.load().worked_out, 0);
    let mut place = hasher.enter(network(1)).expect("a place");
    let stored = place.hash(&Password::new("p"), &[7; 16]).await.expect("a hash");
    for (typed, stored) in [("p", Some(&*stored)), ("q", Some(&*stored)), ("p", None), ("p", Some("no hash"))] {
        let before = hasher.load().worked_out;
        place.matching(&Password::new(typed), stored.into_iter()).await.expect("an answer");
        assert_eq!(hasher.load().worked_out, before + 1);
    }
}

#[tokio::test]
async fn work_that_panics_costs_no_thread_and_says_why() {
    let hasher = hasher();
    let mut place = hasher.enter(network(1)).expect("a place");
    let outcome = place.work(|_| assert!(std::hint::black_box(false), "on purpose")).await;
    let Err(Error::Internal(cause)) = outcome else { panic!("{outcome:?}") };
    assert!(cause.to_string().contains("on purpose"), "{cause}");
    assert!(place.hash(&Password::new("p"), &[7; 16]).await.is_ok());
}
