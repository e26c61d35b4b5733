//! What a process remembers of sessions, and how it hears of what others did, on both engines.

mod support;

use chrono::TimeDelta;
use contract::Refusal;
use support::*;

const EMAIL: &str = "ada@example.com";

impl World {
    /// Changes the table behind everybody's back: what is remembered is then told apart from what is read.
    async fn end_silently(&self) {
        self.run("UPDATE sessions SET ended_at = created_at").await;
    }

    /// As another process would, whose clock says this time.
    async fn insert_change(&self, user: uuid::Uuid, at: chrono::DateTime<chrono::Utc>) {
        // SQLite keeps ids as sixteen bytes, and times as text.
        let id = uuid::Uuid::now_v7();
        let (id, user) = if self.is_on_sqlite() {
            (format!("X'{}'", id.simple()), format!("X'{}'", user.simple()))
        } else {
            (format!("'{id}'"), format!("'{user}'"))
        };
        let at = at.to_rfc3339_opts(chrono::SecondsFormat::Micros, false);
        self.run(&format!("INSERT INTO changes (id, user_id, changed_at) VALUES ({id}, {user}, '{at}')")).await;
    }
}

/// A session whose tokens live as long as that process lets them.
async fn done_by(accounts: &accounts::Accounts, world: &World) -> accounts::NewSession {
    world.person(EMAIL).await;
    done(accounts.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await)
}

on_both_engines! {
    async fn a_session_is_remembered_while_news_come(world: World) {
        let session = world.person(EMAIL).await;
        world.accounts.hear_news().await.expect("news");
        assert!(world.is_alive(&session.access).await);
        world.end_silently().await;
        assert!(world.is_alive(&session.access).await, "no database is asked");
        world.advance(TimeDelta::seconds(3));
        assert!(!world.is_alive(&session.access).await, "without news for two seconds, nothing is believed");
    }

    async fn without_news_every_request_reads(world: World) {
        let session = world.person(EMAIL).await;
        assert!(world.is_alive(&session.access).await);
        world.end_silently().await;
        assert!(!world.is_alive(&session.access).await);
    }

    async fn what_this_process_ends_is_forgotten_before_it_answers(world: World) {
        for how in 0..4 {
            world.rest();
            let email = format!("p{how}@example.com");
            let session = world.person(&email).await;
            world.accounts.hear_news().await.expect("news");
            assert!(world.is_alive(&session.access).await);
            let here = as_person(&session);
            match how {
                0 => world.accounts.sign_out(&here, None).await.expect("signed out"),
                1 => world.accounts.sign_out_everywhere(&here, None).await.expect("signed out"),
                2 => drop(world.accounts.disable(&email).await.expect("disabled")),
                _ => drop(world.accounts.end_device(&here, &session.signed_in.session_id.to_string()).await.expect("ended")),
            }
            assert!(!world.is_alive(&session.access).await, "{how}");
        }
    }

    async fn what_another_process_ended_is_news(world: World) {
        let other = world.with(|_| ()).await;
        let session = world.person(EMAIL).await;
        for process in [&world.accounts, &other] {
            process.hear_news().await.expect("news");
            assert!(is_alive(process, &session.access).await);
        }
        world.accounts.sign_out(&as_person(&session), None).await.expect("signed out");
        assert!(!world.is_alive(&session.access).await);
        other.hear_news().await.expect("news");
        assert!(!is_alive(&other, &session.access).await);
    }

    async fn old_news_are_acted_on_once(world: World) {
        let one = world.person(EMAIL).await;
        world.accounts.sign_out(&as_person(&one), None).await.expect("signed out");
        world.accounts.hear_news().await.expect("news");
        let two = done(world.sign_in(EMAIL, PASSWORD).await);
        assert!(world.is_alive(&two.access).await);
        world.accounts.hear_news().await.expect("news");
        world.end_silently().await;
        assert!(world.is_alive(&two.access).await, "still remembered");
    }

    async fn what_another_process_did_is_news_however_many_rounds_were_before(world: World) {
        let other = world.with(|_| ()).await;
        let session = world.person(EMAIL).await;
        for _ in 0..30 {
            other.hear_news().await.expect("news");
            assert!(is_alive(&other, &session.access).await);
            world.advance(TimeDelta::milliseconds(500));
        }
        world.accounts.sign_out(&as_person(&session), None).await.expect("signed out");
        other.hear_news().await.expect("news");
        assert!(!is_alive(&other, &session.access).await);
    }

    async fn news_of_a_machine_whose_clock_is_half_a_minute_late_is_heard_within_seconds(world: World) {
        let session = world.person(EMAIL).await;
        world.accounts.hear_news().await.expect("news");
        assert!(world.is_alive(&session.access).await);
        world.end_silently().await;
        let user = session.signed_in.user.id;
        let late = world.clock.now() - TimeDelta::seconds(30);
        world.insert_change(user, late).await;
        let mut rounds = 0;
        while world.is_alive(&session.access).await {
            world.advance(TimeDelta::milliseconds(500));
            world.accounts.hear_news().await.expect("news");
            rounds += 1;
            assert!(rounds <= 10, "five seconds");
        }
    }

    async fn after_a_silence_nothing_is_believed_that_was_remembered_before(world: World) {
        let slow = world.with(|settings| settings.lifetimes.access = TimeDelta::hours(1)).await;
        let session = done_by(&slow, &world).await;
        slow.hear_news().await.expect("news");
        assert!(is_alive(&slow, &session.access).await);
        // Another process ends it, and its news are older than a minute when they are asked for again.
        world.advance(TimeDelta::seconds(1));
        world.accounts.disable(EMAIL).await.expect("disabled");
        world.advance(TimeDelta::minutes(5));
        slow.hear_news().await.expect("news");
        assert!(!is_alive(&slow, &session.access).await);
    }

    async fn what_has_ended_stays_ended_after_a_restart(world: World) {
        let session = world.person(EMAIL).await;
        world.accounts.sign_out(&as_person(&session), None).await.expect("signed out");
        // As a killed process comes back: with nothing but the database.
        let again = world.with(|_| ()).await;
        again.hear_news().await.expect("news");
        assert!(!is_alive(&again, &session.access).await);
        assert_eq!(refusal(again.renew(&visitor(), &session.refresh.expose()).await), Refusal::SessionInvalid);
    }

    async fn a_session_read_while_it_ends_is_not_remembered(world: World) {
        let session = world.person(EMAIL).await;
        for _ in 0..20 {
            world.rest();
            let session = done(world.sign_in(EMAIL, PASSWORD).await);
            world.accounts.hear_news().await.expect("news");
            let (accounts, access) = (world.accounts.clone(), session.access.clone());
            let reader = tokio::spawn(async move { for _ in 0..20 { is_alive(&accounts, &access).await; } });
            world.accounts.sign_out(&as_person(&session), None).await.expect("signed out");
            assert!(!world.is_alive(&session.access).await);
            reader.await.expect("no panic");
            assert!(!world.is_alive(&session.access).await);
        }
        drop(session);
    }
}
