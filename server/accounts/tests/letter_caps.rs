//! How many letters strangers can have us send, on both engines.

mod support;

use accounts::{Accounts, EmailVerification, Visitor};
use chrono::TimeDelta;
use support::*;

const POSTED: &str = "SELECT count(*) FROM outbox WHERE letter <> 'nothing'";

impl World {
    async fn posted(&self) -> i64 {
        self.count(POSTED.into()).await
    }

    /// Rows of all that a request for a letter may leave.
    async fn counted(&self) -> i64 {
        self.rows("outbox").await + self.rows("one_time_tokens").await + self.rows("letter_requests").await
    }

    /// A process of its own: what it counts in memory is empty.
    async fn new_process(&self) -> Accounts {
        self.with(|_| ()).await
    }

    async fn ask_for_reset(&self, visitor: &Visitor, email: &str) {
        self.new_process().await.request_password_reset(visitor, email).await.expect("the same answer");
    }
}

on_both_engines! {
    async fn a_mailbox_gets_six_letters_an_hour_however_it_is_spelled_and_whoever_asks(world: World) {
        for number in 0..20 {
            world.ask_for_reset(&visitor_from(number), &format!("ada+{number}@example.com")).await;
        }
        assert_eq!(world.posted().await, 6);
        world.ask_for_reset(&visitor(), "bob@example.com").await;
        assert_eq!(world.posted().await, 7, "another mailbox");
        world.advance(TimeDelta::minutes(61));
        world.ask_for_reset(&visitor(), "Ada@example.com").await;
        assert_eq!(world.posted().await, 8);
    }

    async fn a_mailbox_gets_ten_letters_a_day(world: World) {
        for number in 0..40 {
            world.advance(TimeDelta::minutes(30));
            world.ask_for_reset(&visitor_from(number), "ada@example.com").await;
        }
        assert_eq!(world.posted().await, 10);
        world.advance(TimeDelta::hours(24));
        world.ask_for_reset(&visitor(), "ada@example.com").await;
        assert_eq!(world.posted().await, 11);
    }

    async fn letters_of_one_kind_count_together_and_leave_the_others_their_share(world: World) {
        world.sign_up("ada@example.com").await;
        for number in 0..20 {
            let (process, from) = (world.new_process().await, visitor_from(number));
            world.advance(TimeDelta::minutes(2));
            match number % 3 {
                0 => drop(process.request_password_reset(&from, "ada@example.com").await.expect("the same answer")),
                1 => process.resend_confirmation(&from, "ada@example.com").await.expect("the same answer"),
                _ => drop(process.register(&from, &form("ada+shop@example.com")).await.expect("the same answer")),
            }
        }
        let of = |letter: &str| format!("{POSTED} AND letter = '{letter}'");
        let (proofs, resets) = (world.count(of("confirm")).await, world.count(of("reset_password")).await);
        assert_eq!((proofs, resets), (6, 6));
    }

    async fn strangers_cannot_use_up_the_letters_of_a_browser_that_signed_in_before(world: World) {
        let here = world.person("ada@example.com").await;
        for number in 0..20 {
            world.ask_for_reset(&visitor_from(number), "ada@example.com").await;
        }
        let before = world.posted().await;
        world.ask_for_reset(&visitor_from(20), "ada@example.com").await;
        assert_eq!(world.posted().await, before, "strangers have had theirs");
        let own = Visitor { device: here.device.clone(), ..visitor_from(21) };
        for number in 0..20 {
            world.ask_for_reset(&Visitor { address: visitor_from(number).address, ..own.clone() }, "Ada@example.com").await;
        }
        assert_eq!(world.posted().await, before + 6, "its own, and no more");
        // In memory too: one process counts them all.
        for number in 0..9 {
            world.accounts.request_password_reset(&visitor_from(number), "ada@example.com").await.ok();
        }
        world.accounts.request_password_reset(&own, "ada@example.com").await.expect("tries of its own");
    }

    async fn requests_that_no_letter_answers_use_nothing_up(world: World) {
        for number in 0..40 {
            world.new_process().await.resend_confirmation(&visitor_from(number), "ada@example.com").await.expect("the same answer");
        }
        assert_eq!(world.posted().await, 0);
        world.sign_up("ada@example.com").await;
        assert_eq!(world.posted().await, 1);
    }

    async fn a_site_without_proof_writes_no_more_news_to_a_mailbox_than_other_letters(world: World) {
        for (mode, most) in [(EmailVerification::Off, 6), (EmailVerification::Optional, 0)] {
            world.run("DELETE FROM users").await;
            world.run("DELETE FROM outbox").await;
            let accounts = world.with(|settings| settings.email_verification = mode).await;
            let registered = accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
            let mut here = registered.session.expect("signed in at once");
            for number in 0..10 {
                world.advance(TimeDelta::minutes(4));
                let [old, new] = if number % 2 == 0 { [PASSWORD, OTHER_PASSWORD] } else { [OTHER_PASSWORD, PASSWORD] };
                let form = contract::password_change::PasswordChangeForm {
                    old_password: contract::Password::new(old),
                    new_password: contract::Password::new(new),
                    new_password_confirm: None,
                };
                here = accounts.change_password(&as_person(&here), &form).await.expect("changed");
            }
            let news = "SELECT count(*) FROM outbox WHERE letter = 'password_changed'";
            assert_eq!(world.count(news.into()).await, most, "{mode:?}");
            // A stolen token is news as well.
            let twice = here.refresh.expose();
            let renewed = accounts.renew(&visitor(), &twice).await.expect("a successor");
            accounts.renew(&visitor(), &renewed.refresh.expose()).await.expect("a successor");
            world.advance(TimeDelta::minutes(1));
            assert!(accounts.renew(&visitor(), &twice).await.is_err());
            let news = "SELECT count(*) FROM outbox WHERE letter = 'session_theft'";
            assert_eq!(world.count(news.into()).await, 0, "{mode:?}: over the cap, or not at all");
        }
    }

    async fn a_letter_that_works_is_not_spent_by_requests_over_the_cap(world: World) {
        world.person("ada@example.com").await;
        world.advance(TimeDelta::minutes(1));
        for number in 0..20 {
            world.ask_for_reset(&visitor_from(number), "ada@example.com").await;
        }
        let token = world.token_to("ada@example.com").await;
        let link = world.accounts.look_at_password_reset(&visitor(), &token).await.expect("an answer");
        assert!(matches!(link, accounts::LetterLink::Ready { .. }), "{link:?}");
    }

    async fn one_network_has_three_hundred_letters_a_day_sent(world: World) {
        for number in 0..320 {
            world.ask_for_reset(&visitor(), &format!("p{number}@example.com")).await;
        }
        assert_eq!(world.posted().await, 300);
        world.ask_for_reset(&visitor_from(1), "somebody@example.com").await;
        assert_eq!(world.posted().await, 301, "another network");
    }

    async fn what_a_network_has_left_does_not_tell_whether_a_request_brought_a_letter(world: World) {
        world.person("known@example.com").await;
        world.advance(TimeDelta::hours(25));
        let mut left = Vec::new();
        for (at, name) in (0..).zip(["known", "unknown"]) {
            for _ in 0..298 {
                world.new_process().await.resend_confirmation(&visitor_from(at), "free@example.com").await.expect("the same answer");
            }
            world.new_process().await.resend_confirmation(&visitor_from(at), &format!("{name}@example.com")).await.expect("the same answer");
            let before = world.posted().await;
            for number in 0..3 {
                world.ask_for_reset(&visitor_from(at), &format!("own{at}{number}@example.com")).await;
            }
            left.push(world.posted().await - before);
        }
        assert_eq!(left, [1, 1]);
    }

    async fn over_the_cap_a_client_keeps_what_its_code_goes_with(world: World) {
        world.person("ada@example.com").await;
        world.advance(TimeDelta::minutes(1));
        let mut request = None;
        for _ in 0..9 {
            let asker = Visitor { reset_request: request.clone(), ..visitor() };
            request = Some(world.new_process().await.request_password_reset(&asker, "ada@example.com").await.expect("the same answer"));
        }
        let form = contract::password_reset::PasswordResetForm {
            email: "ada@example.com".into(),
            code: world.code_to("ada@example.com").await,
            new_password: contract::Password::new(OTHER_PASSWORD),
            ..Default::default()
        };
        let asker = Visitor { reset_request: request, ..visitor() };
        world.new_process().await.reset_password(&asker, &form).await.expect("a new password");
    }

    async fn an_operator_sets_a_ceiling_over_all(world: World) {
        for number in 0..20 {
            let process = world.with(|settings| settings.emails_per_hour = Some(5)).await;
            let email = format!("p{number}@example.com");
            process.request_password_reset(&visitor_from(number), &email).await.expect("the same answer");
        }
        assert_eq!(world.posted().await, 5);
        world.advance(TimeDelta::minutes(61));
        let process = world.with(|settings| settings.emails_per_hour = Some(5)).await;
        process.request_password_reset(&visitor(), "late@example.com").await.expect("the same answer");
        assert_eq!(world.posted().await, 6);
    }

    async fn what_tells_an_owner_of_a_change_is_never_held_back(world: World) {
        let here = world.person("ada@example.com").await;
        for number in 0..20 {
            world.ask_for_reset(&visitor_from(number), "ada@example.com").await;
        }
        let form = contract::password_change::PasswordChangeForm {
            old_password: contract::Password::new(PASSWORD),
            new_password: contract::Password::new(OTHER_PASSWORD),
            new_password_confirm: None,
        };
        world.accounts.change_password(&as_person(&here), &form).await.expect("changed");
        assert_eq!(world.count("SELECT count(*) FROM outbox WHERE letter = 'password_changed'".into()).await, 1);
    }

    async fn over_the_cap_nothing_differs_by_who_has_the_address(world: World) {
        world.person("known@example.com").await;
        world.sign_up("unconfirmed@example.com").await;
        world.advance(TimeDelta::hours(25));
        let mut left = Vec::new();
        for (number, name) in (0_u16..).zip(["known", "unconfirmed", "unknown"]) {
            let email = format!("{name}@example.com");
            let mut grown = Vec::new();
            for round in 0..8 {
                let before = world.counted().await;
                world.ask_for_reset(&visitor_from(number * 100 + round), &email).await;
                grown.push(world.counted().await - before);
            }
            left.push(grown);
        }
        assert!(left.windows(2).all(|pair| pair[0] == pair[1]), "{left:?}");
    }

    async fn over_the_cap_the_rows_of_a_resend_are_the_same_too(world: World) {
        world.person("known@example.com").await;
        world.sign_up("unconfirmed@example.com").await;
        world.advance(TimeDelta::hours(25));
        for (number, name) in (0_u16..).zip(["known", "unconfirmed", "unknown"]) {
            for round in 0..14 {
                let before = world.counted().await;
                let from = visitor_from(number * 100 + round);
                world.new_process().await.resend_confirmation(&from, &format!("{name}@example.com")).await.expect("the same answer");
                assert_eq!(world.counted().await - before, 3, "{name}, request {round}");
            }
        }
        let link = world.token_to("unconfirmed@example.com").await;
        let link = world.accounts.look_at_confirmation(&visitor(), &link).await.expect("an answer");
        assert!(matches!(link, accounts::LetterLink::Ready { .. }), "{link:?}");
    }

    async fn no_address_can_be_read_from_what_is_counted_and_it_is_forgotten_after_a_day(world: World) {
        world.ask_for_reset(&visitor(), "ada@example.com").await;
        assert_eq!(world.rows("letter_requests").await, 1);
        assert_eq!(world.count("SELECT count(*) FROM letter_requests WHERE length(mailbox) = 32 AND length(network) = 32".into()).await, 1);
        world.accounts.purge().await.expect("a purge");
        assert_eq!(world.rows("letter_requests").await, 1);
        world.advance(TimeDelta::hours(25));
        world.accounts.purge().await.expect("a purge");
        assert_eq!(world.rows("letter_requests").await, 0);
    }
}
