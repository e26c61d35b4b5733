//! What refusals leave behind, on both engines.

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use accounts::RefusalKind;
use chrono::TimeDelta;
use contract::Refusal;
use support::*;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Rows of one kind, and the refusals that they count.
async fn traces(world: &World, event: &str) -> (i64, i64) {
    let rows = world.count(format!("SELECT count(*) FROM audit_events WHERE event = '{event}'")).await;
    let count = format!("SELECT CAST(coalesce(sum(count), 0) AS BIGINT) FROM audit_events WHERE event = '{event}'");
    (rows, world.count(count).await)
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_minute_of_wrong_passwords_is_one_line_of_the_log_without_an_address() {
    let world = World::on_sqlite().await;
    let log = Log::default();
    let writer = log.clone();
    let _logged = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).set_default();
    for _ in 0..5 {
        world.sign_in("ada@example.com", PASSWORD).await.expect_err("nobody");
    }
    let text = || String::from_utf8(log.0.lock().expect("a log").clone()).expect("text");
    assert!(!text().contains("login.fail"), "not one by one: {}", text());
    world.accounts.write_refusals().await.expect("written");
    let lines: Vec<_> = text().lines().filter(|line| line.contains("login.fail")).map(str::to_owned).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("203.0.113.x") && lines[0].contains("count=5"), "{lines:?}");
    assert!(!text().contains("ada") && !text().contains("203.0.113.7"), "{}", text());
}

on_both_engines! {
    async fn wrong_passwords_leave_one_row_for_each_network_and_account(world: World) {
        world.person("ada@example.com").await;
        for (email, times) in [("ada@example.com", 3), ("ADA@example.com", 1), ("nobody@example.com", 2), ("no address", 1)] {
            for _ in 0..times {
                assert_eq!(refusal(world.sign_in(email, OTHER_PASSWORD).await), Refusal::InvalidCredentials);
            }
        }
        let elsewhere = world.accounts.sign_in(&visitor_from(1), &login("ada@example.com", OTHER_PASSWORD)).await;
        assert_eq!(refusal(elsewhere), Refusal::InvalidCredentials);
        assert_eq!(traces(&world, "login.fail").await, (0, 0), "no write for a refusal");
        world.accounts.write_refusals().await.expect("written");
        assert_eq!(traces(&world, "login.fail").await, (4, 8));
        let of_ada = "SELECT count(*) FROM audit_events WHERE event = 'login.fail' AND count = 4 AND address = '203.0.113.x'";
        assert_eq!(world.count(of_ada.into()).await, 1, "two spellings are one account");
        let accounts = "SELECT count(DISTINCT tag) FROM audit_events WHERE event = 'login.fail'";
        assert_eq!(world.count(accounts.into()).await, 2, "from two networks it is the same account");
        let tags = "SELECT count(*) FROM audit_events WHERE tag IS NOT NULL AND length(tag) <> 16 OR tag LIKE '%@%'";
        assert_eq!(world.count(tags.into()).await, 0);
        world.accounts.write_refusals().await.expect("written");
        assert_eq!(traces(&world, "login.fail").await, (4, 8), "written once");
    }

    async fn tries_beyond_a_limit_leave_a_row_that_names_the_limit(world: World) {
        for at in 0..5 {
            world.sign_up(&format!("p{at}@example.com")).await;
        }
        for _ in 0..3 {
            let refused = world.accounts.register(&visitor(), &form("p5@example.com")).await;
            assert!(matches!(refusal(refused), Refusal::RateLimited { .. }));
        }
        for _ in 0..7 {
            world.sign_in("nobody@example.com", PASSWORD).await.expect_err("nobody");
        }
        world.accounts.write_refusals().await.expect("written");
        let rows = "SELECT count(*) FROM audit_events WHERE event = 'ratelimit.block' AND";
        assert_eq!(world.count(format!("{rows} reason = 'register' AND count = 3 AND tag IS NULL")).await, 1);
        assert_eq!(world.count(format!("{rows} reason = 'sign_in_as' AND count = 2 AND tag IS NOT NULL")).await, 1);
        assert_eq!(traces(&world, "login.fail").await, (1, 5), "what was not tried was not wrong");
    }

    async fn what_the_server_blocks_is_counted_too(world: World) {
        for _ in 0..500 {
            world.accounts.note_refusal(RefusalKind::Host, visitor().address, None);
            world.accounts.note_refusal(RefusalKind::CrossSite, visitor().address, None);
        }
        world.accounts.write_refusals().await.expect("written");
        assert_eq!(traces(&world, "host.block").await, (1, 500));
        assert_eq!(traces(&world, "csrf.block").await, (1, 500));
    }

    async fn a_flood_of_refusals_writes_a_bounded_number_of_rows_and_counts_them_all(world: World) {
        for at in 0..10_000 {
            let address = visitor_from(at).address;
            world.accounts.note_refusal(RefusalKind::SignIn, address, Some(&format!("junk{at}@example.com")));
        }
        world.accounts.write_refusals().await.expect("written");
        let (rows, count) = traces(&world, "login.fail").await;
        assert!(rows <= 129, "{rows} rows");
        assert_eq!(count, 10_000);
    }

    async fn traces_are_kept_as_long_as_other_audit_events(world: World) {
        world.accounts.note_refusal(RefusalKind::Host, visitor().address, None);
        world.accounts.write_refusals().await.expect("written");
        world.advance(TimeDelta::days(89));
        world.accounts.purge().await.expect("a purge");
        assert_eq!(traces(&world, "host.block").await, (1, 1));
        world.advance(TimeDelta::days(2));
        world.accounts.purge().await.expect("a purge");
        assert_eq!(traces(&world, "host.block").await, (0, 0));
    }
}
