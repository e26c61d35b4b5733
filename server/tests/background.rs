//! Tasks beside the server: one that breaks is seen, begun again, and makes readiness fall meanwhile.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use chrono::TimeDelta;
use support::*;
use tokio::sync::Notify;

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never {what}");
        tokio::task::yield_now().await;
    }
}

impl World {
    async fn readiness(&self) -> StatusCode {
        self.client(1).get("/readyz").await.status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_panics_is_begun_again_and_the_site_is_not_ready_until_it_works() {
    let world = World::new(&[]).await;
    let (runs, may_work) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, gate) = (runs.clone(), may_work.clone());
    world.site.background().keep_running("a task", &world.clock, TimeDelta::minutes(1), move |pulse| {
        let (runs, gate) = (counted.clone(), gate.clone());
        async move {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            gate.notified().await;
            assert!(run > 0, "the first run breaks");
            pulse.beat();
            std::future::pending::<()>().await;
        }
    });
    assert_eq!(world.readiness().await, StatusCode::OK);
    may_work.notify_one();
    until("down", || world.site.background().unwell() == Some("a task")).await;
    assert_eq!(world.readiness().await, StatusCode::SERVICE_UNAVAILABLE);
    until("begun again", || runs.load(Ordering::SeqCst) == 2).await;
    assert_eq!(world.readiness().await, StatusCode::SERVICE_UNAVAILABLE, "it has done nothing yet");
    may_work.notify_one();
    until("well", || world.site.background().unwell().is_none()).await;
    assert_eq!(world.readiness().await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_completes_no_round_for_long_makes_the_site_not_ready() {
    let world = World::new(&[]).await;
    let round = Arc::new(Notify::new());
    let rounds = round.clone();
    world.site.background().keep_running("a task", &world.clock, TimeDelta::minutes(1), move |pulse| {
        let rounds = rounds.clone();
        async move {
            loop {
                rounds.notified().await;
                pulse.beat();
            }
        }
    });
    world.clock.advance(TimeDelta::seconds(60));
    assert_eq!(world.readiness().await, StatusCode::OK);
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(world.readiness().await, StatusCode::SERVICE_UNAVAILABLE);
    round.notify_one();
    until("well", || world.site.background().unwell().is_none()).await;
    assert_eq!(world.readiness().await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_has_come_to_its_end_is_not_begun_again() {
    let world = World::new(&[]).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let task = world.site.background().keep_running("a task", &world.clock, TimeDelta::minutes(1), move |_| {
        let runs = counted.clone();
        async move {
            runs.fetch_add(1, Ordering::SeqCst);
        }
    });
    task.await.expect("no panic");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}
