//! A database that cannot do it now: whoever asks is told to come back, and all goes on by itself when it can.

mod support;

use std::path::PathBuf;

use accounts::{Error, Store};
use chrono::TimeDelta;
use contract::Refusal;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use support::*;

const EMAIL: &str = "ada@example.com";

impl World {
    fn writer(&self) -> &SqlitePool {
        match &self.store {
            Store::Sqlite { writer, .. } => writer,
            Store::Postgres(_) => panic!("a test of SQLite"),
        }
    }

    fn file(&self) -> PathBuf {
        self.writer().connect_options().get_filename().to_owned()
    }

    /// A setting of the writer that lasts: each connection that takes its place has it as well.
    async fn set(&self, name: &'static str, value: String) {
        self.run(&format!("PRAGMA {name} = {value}")).await;
        let options = SqliteConnectOptions::clone(&self.writer().connect_options()).pragma(name, value);
        self.writer().set_connect_options(options);
    }

    /// Every write, by several verbs.
    async fn no_write_is_taken(&self, accounts: &accounts::Accounts, refresh: &str) {
        for _ in 0..3 {
            assert_unavailable(accounts.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await);
            assert_unavailable(accounts.renew(&visitor(), refresh).await);
            assert_unavailable(accounts.register(&visitor(), &form("grace@example.com")).await);
        }
        self.advance(TimeDelta::seconds(1));
        assert!(!accounts.is_ready().await);
    }
}

/// A machine that is busy may refuse once, and one that is stuck does so for ever.
async fn sign_in_at_last(accounts: &accounts::Accounts) {
    for _ in 0..10 {
        match accounts.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await {
            Err(Error::Refused(Refusal::Unavailable { .. })) => {}
            answer => return drop(done(answer)),
        }
    }
    panic!("refused ten times");
}

fn assert_unavailable<T: std::fmt::Debug>(result: accounts::Result<T>) {
    let refused = refusal(result);
    assert!(matches!(refused, Refusal::Unavailable { .. }), "{refused:?}");
    assert!(refused.retry_after().is_some_and(|seconds| seconds > 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_must_not_grow_refuses_for_as_long_as_that_lasts_and_no_longer() {
    let world = World::on_sqlite().await;
    let accounts = world.with(|settings| settings.rate_limits = false).await;
    let session = world.person(EMAIL).await;
    let pages = world.count("PRAGMA page_count".to_owned()).await;
    world.set("max_page_count", pages.to_string()).await;
    let mut sessions = world.live_sessions().await;
    loop {
        match accounts.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await {
            Ok(_) => sessions += 1,
            refused => break assert_unavailable(refused),
        }
    }
    // SQLITE_FULL rolls back by itself. What was counted by hand would now be wrong, for ever.
    for _ in 0..5 {
        assert_unavailable(accounts.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await);
    }
    assert_eq!(world.live_sessions().await, sessions, "nobody was told of a session that is none");
    assert!(world.is_alive(&session.access).await, "what is only read goes on");
    world.set("max_page_count", "1000000".to_owned()).await;
    done(accounts.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await);
    assert!(accounts.is_ready().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_can_only_be_read_is_not_ready_and_lets_nobody_in_until_it_can_be_written() {
    let world = World::on_sqlite().await;
    let accounts = world.with(|settings| settings.rate_limits = false).await;
    let session = world.person(EMAIL).await;
    assert!(accounts.is_ready().await);
    world.set("query_only", "ON".to_owned()).await;
    world.no_write_is_taken(&accounts, &session.refresh.expose()).await;
    assert!(world.is_alive(&session.access).await, "what is only read goes on");
    world.set("query_only", "OFF".to_owned()).await;
    done(accounts.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await);
    world.advance(TimeDelta::seconds(1));
    assert!(accounts.is_ready().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_that_writes_for_too_long_costs_a_try_again() {
    let world = World::on_sqlite().await;
    world.person(EMAIL).await;
    let options = SqliteConnectOptions::new().filename(world.file());
    let mut other = options.connect().await.expect("another process");
    other.execute("BEGIN IMMEDIATE").await.expect("the lock");
    assert_unavailable(world.sign_in(EMAIL, PASSWORD).await);
    assert!(!world.accounts.is_ready().await);
    other.execute("ROLLBACK").await.expect("the lock is given back");
    done(world.sign_in(EMAIL, PASSWORD).await);
    world.advance(TimeDelta::seconds(1));
    assert!(world.accounts.is_ready().await);
    other.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_or_a_command_waits_for_another_process_longer_than_a_browser_does() {
    let world = World::on_sqlite().await;
    world.person(EMAIL).await;
    let mut other = SqliteConnectOptions::new().filename(world.file()).connect().await.expect("another process");
    other.execute("BEGIN IMMEDIATE").await.expect("the lock");
    let accounts = world.accounts.clone();
    let command = tokio::spawn(async move { accounts.rotate_keys().await });
    for _ in 0..3 {
        assert_unavailable(world.sign_in(EMAIL, PASSWORD).await);
    }
    assert!(!command.is_finished());
    other.execute("ROLLBACK").await.expect("the lock is given back");
    assert_eq!(command.await.expect("an end").expect("keys").len(), 2);
    other.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_file_that_is_gone_is_missed_and_never_replaced_by_an_empty_one() {
    let world = World::on_sqlite().await;
    let file = world.file();
    world.person(EMAIL).await;
    let elsewhere = file.with_file_name("elsewhere");
    // The connection that is open holds on to what it has opened. The next one does not find it.
    let mut connection = world.writer().acquire().await.expect("the writer");
    connection.close_on_drop();
    std::fs::rename(&file, &elsewhere).expect("moved");
    drop(connection);
    assert_unavailable(world.sign_in(EMAIL, PASSWORD).await);
    assert!(!world.accounts.is_ready().await);
    assert!(!file.exists());
    std::fs::rename(&elsewhere, &file).expect("moved back");
    done(world.sign_in(EMAIL, PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_every_connection_again_and_again_costs_tries_and_no_more() {
    let world = World::on_postgres().await;
    let accounts = world.with(|settings| settings.rate_limits = false).await;
    let Store::Postgres(pool) = &world.store else { panic!("a test of PostgreSQL") };
    let options = pool.connect_options();
    let name = options.get_application_name().expect("a name").to_owned();
    let mut admin = options.as_ref().clone().application_name("admin").connect().await.expect("a connection");
    world.person(EMAIL).await;

    let workers: Vec<_> = (0..8)
        .map(|_| {
            let accounts = accounts.clone();
            tokio::spawn(async move {
                let (mut done, mut refused) = (0, 0);
                while done < 40 {
                    match accounts.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await {
                        Ok(_) => done += 1,
                        Err(Error::Refused(Refusal::Unavailable { .. })) => refused += 1,
                        Err(error) => panic!("{error:?}"),
                    }
                }
                refused
            })
        })
        .collect();
    let mut ended = 0;
    while workers.iter().any(|worker| !worker.is_finished()) && ended < 200 {
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
        let now: i64 = sqlx::query_scalar(sql).bind(&name).fetch_one(&mut admin).await.expect("ended");
        ended += now;
    }
    let mut refused = 0;
    for worker in workers {
        refused += worker.await.expect("an answer or a refusal, each time");
    }
    println!("{ended} connections were ended; {refused} sign-ins were refused, 320 went through");
    assert!(ended > 0);
    assert!(accounts.is_ready().await);
}

on_both_engines! {
    async fn a_request_that_is_dropped_at_any_moment_leaves_the_database_as_it_was(world: World) {
        let accounts = world.with(|settings| settings.rate_limits = false).await;
        world.person(EMAIL).await;
        for moment in 0..80 {
            let (visitor, form) = (visitor(), login(EMAIL, PASSWORD));
            let patience = async { for _ in 0..moment { tokio::task::yield_now().await; } };
            tokio::select! {
                biased;
                signed_in = accounts.sign_in(&visitor, &form) => drop(done(signed_in)),
                () = patience => {}
            }
            sign_in_at_last(&accounts).await;
        }
        assert!(accounts.is_ready().await);
        // Whole sign-ins only.
        let torn = "SELECT count(*) FROM sessions WHERE NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE session_id = sessions.id)";
        assert_eq!(world.count(torn.to_owned()).await, 0);
    }
}
