//! A client that hangs up, at any moment: what it asked for happened wholly or not at all, and memory never knows
//! better than the database. The future of a verb is dropped at each of its await points in turn, on both engines.

mod support;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use accounts::{Accounts, NewSession};
use contract::Password;
use contract::password_change::PasswordChangeForm;
use support::*;

const EMAIL: &str = "ada@example.com";

/// Polls a future so many times, and drops it then.
struct HungUpAfter<F> {
    asked: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for HungUpAfter<F> {
    /// Nothing when it was dropped.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.polls -= 1;
        // What is there already is not waited for, and a verb that waits for nothing has no await point. So a poll may
        // use one answer of the runtime's, and finds the next one not ready.
        for _ in 1..BUDGET {
            let unit = std::pin::pin!(tokio::task::coop::consume_budget());
            if unit.poll(context).is_pending() {
                break;
            }
        }
        match self.asked.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if self.polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

async fn hung_up_after<F: Future>(polls: usize, asked: F) -> Option<F::Output> {
    HungUpAfter { asked: Box::pin(asked), polls }.await
}

/// What tokio lets a task do before others have a turn.
const BUDGET: usize = 128;

/// More polls than any of these verbs needs.
const MOST_POLLS: usize = 1000;

/// Rows that each of these verbs adds to once, or not at all.
const CHANGES: &str = "SELECT count(*) FROM changes";
const ENDED: &str = "SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL";
const TOLD: &str = "SELECT count(*) FROM outbox WHERE letter = 'password_changed'";
const DISABLED: &str = "SELECT count(*) FROM users WHERE disabled_at IS NOT NULL";

impl World {
    async fn counts(&self, of: &[&str]) -> Vec<i64> {
        let mut counts = Vec::new();
        for sql in of {
            counts.push(self.count((*sql).to_owned()).await);
        }
        counts
    }

    /// Waits for the locks of whatever is still under way.
    async fn settled(&self) {
        self.run("UPDATE users SET updated_at = updated_at").await;
        self.run("UPDATE sessions SET ended_at = ended_at").await;
    }

    /// Drops a verb after one poll, after two, and so on. `traces` are what it leaves, all or none. The verb is given the process, a session, its password, and the one to change to.
    async fn drop_at_every_await<F: Future>(
        &self,
        traces: &[&str],
        verb: impl Fn(Accounts, NewSession, [&'static str; 2]) -> F,
    ) {
        self.person(EMAIL).await;
        let accounts = self.with(|settings| settings.rate_limits = false).await;
        let mut passwords = [PASSWORD, OTHER_PASSWORD];
        let (mut ends, mut hang_ups) = (0, 0);
        for polls in 1..MOST_POLLS {
            self.accounts.enable(EMAIL).await.expect("enabled");
            self.run("UPDATE sessions SET ended_at = created_at WHERE ended_at IS NULL").await;
            let session = done(accounts.sign_in(&visitor(), &login(EMAIL, passwords[0])).await);
            // From here on nobody reads news: only the verb can make memory forget.
            accounts.hear_news().await.expect("news");
            assert!(is_alive(&accounts, &session.access).await);
            let before = self.counts(traces).await;
            let done = hung_up_after(polls, verb(accounts.clone(), session.clone(), passwords)).await;
            self.settled().await;
            let after = self.counts(traces).await;
            let grown: Vec<_> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
            let has_happened = grown[0] == 1;
            assert!(grown.iter().all(|grown| *grown == i64::from(has_happened)), "after {polls} polls: {grown:?}");
            self.comes_to_know(&accounts, &session.access, !has_happened).await;
            assert!(done.is_none() || has_happened, "it said that it was done");
            ends += usize::from(done.is_some());
            hang_ups += usize::from(done.is_none());
            if ends == 10 {
                break;
            }
            if has_happened && traces.contains(&TOLD) {
                passwords.reverse();
            }
            self.rest();
        }
        assert!(ends == 10 && hang_ups > 0, "{ends} ends and {hang_ups} hang-ups prove nothing");
    }

    /// The clock stands still, so memory is believed all the while.
    async fn comes_to_know(&self, accounts: &Accounts, access: &str, is_to_live: bool) {
        let begun = Instant::now();
        while is_alive(accounts, access).await != is_to_live {
            assert!(begun.elapsed() < Duration::from_secs(20), "memory knows better than the database");
            tokio::task::yield_now().await;
        }
    }
}

on_both_engines! {
    async fn a_sign_out_happens_wholly_or_not_at_all(world: World) {
        world.drop_at_every_await(&[ENDED, CHANGES], |accounts, session, _| async move {
            accounts.sign_out(&as_person(&session), None).await.expect("signed out");
        }).await;
    }

    async fn a_sign_out_everywhere_happens_wholly_or_not_at_all(world: World) {
        world.drop_at_every_await(&[ENDED, CHANGES], |accounts, session, _| async move {
            accounts.sign_out_everywhere(&as_person(&session), None).await.expect("signed out");
        }).await;
    }

    async fn a_shut_account_is_shut_wholly_or_not_at_all(world: World) {
        world.drop_at_every_await(&[DISABLED, ENDED, CHANGES], |accounts, _, _| async move {
            accounts.disable(EMAIL).await.expect("disabled");
        }).await;
    }

    async fn a_password_is_changed_wholly_or_not_at_all(world: World) {
        world.drop_at_every_await(&[TOLD, ENDED, CHANGES], |accounts, session, [old, new]| async move {
            let [old_password, new_password] = [old, new].map(Password::new);
            let form = PasswordChangeForm { old_password, new_password, new_password_confirm: None };
            accounts.change_password(&as_person(&session), &form).await.expect("changed");
        }).await;
    }
}
