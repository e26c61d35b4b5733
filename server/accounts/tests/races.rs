//! What must hold when many do the same at once, on both engines.

mod support;

use accounts::{Confirmed, Error};
use contract::Fault;
use contract::password_reset::PasswordResetForm;
use support::*;

on_both_engines! {
    async fn twenty_sign_ups_for_one_address_make_one_letter_and_one_owner(world: World) {
        let accounts = world.accounts.clone();
        let answers = at_once(20, |at| {
            let accounts = accounts.clone();
            let email = if at % 2 == 0 { "ada@example.com" } else { "ADA@example.com" };
            async move { accounts.register(&visitor_from(at), &form(email)).await }
        }).await;
        let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("the same answer")).collect();
        assert!(answers.iter().all(|answer| answer.email_sent));
        assert_eq!(world.letters_to("ada@example.com").await.len(), 1);
        let token = world.token_to("ada@example.com").await;
        signed_in(world.accounts.confirm_email(&finishing(&answers[7]), &by_token(&token)).await);
        assert_eq!(world.count("SELECT count(*) FROM users WHERE verified_at IS NOT NULL".into()).await, 1);
        done(world.sign_in("ada@example.com", PASSWORD).await);
    }

    async fn twenty_uses_of_one_token_confirm_once(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        let token = world.token_to("ada@example.com").await;
        let accounts = world.accounts.clone();
        let answers = at_once(20, |_| {
            let (accounts, visitor, form) = (accounts.clone(), finishing(&registered), by_token(&token));
            async move { accounts.confirm_email(&visitor, &form).await.expect("an answer") }
        }).await;
        let signed_in = answers.iter().filter(|answer| matches!(answer, Confirmed::SignedIn(_))).count();
        let already = answers.iter().filter(|answer| matches!(answer, Confirmed::Already)).count();
        assert_eq!((signed_in, already), (1, 19));
        assert_eq!(world.live_sessions().await, 1);
    }

    async fn parallel_guesses_of_a_code_are_all_counted(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        let code = world.code_to("ada@example.com").await;
        let accounts = world.accounts.clone();
        let answers = at_once(20, |_| {
            let (accounts, visitor, form) = (accounts.clone(), finishing(&registered), by_code(&wrong(&code)));
            async move { accounts.confirm_email(&visitor, &form).await }
        }).await;
        let incorrect = |answer: &accounts::Result<Confirmed>| {
            matches!(answer, Err(Error::Invalid(faults)) if faults[0].fault == Fault::Incorrect)
        };
        assert_eq!(answers.iter().filter(|answer| incorrect(answer)).count(), 4, "the fifth is told that it was the last");
        assert_eq!(world.count("SELECT count(*) FROM one_time_tokens WHERE attempts = 5".into()).await, 1);
    }

    async fn a_thousand_times_twenty_tabs_renewing_together_stay_signed_in(world: World) {
        let mut refresh = world.person("ada@example.com").await.refresh.expose();
        for round in 0..1000 {
            // Past the limit of renewals.
            world.advance(chrono::TimeDelta::minutes(1));
            let accounts = world.accounts.clone();
            let answers = at_once(20, |_| {
                let (accounts, refresh) = (accounts.clone(), refresh.clone());
                async move { accounts.renew(&visitor(), &refresh).await.expect("signed in") }
            }).await;
            let successors: std::collections::HashSet<_> = answers.iter().map(|answer| answer.refresh.expose()).collect();
            assert_eq!(successors.len(), 1, "round {round}: the same successor, never a fork");
            refresh = successors.into_iter().next().expect("a successor");
        }
        assert_eq!(world.count("SELECT count(*) FROM refresh_tokens WHERE used_at IS NULL".into()).await, 1, "one live leaf");
        assert_eq!(world.live_sessions().await, 1);
    }

    async fn after_the_grace_a_used_token_is_nobodys_however_many_bring_it(world: World) {
        let used = world.person("ada@example.com").await.refresh.expose();
        world.advance(chrono::TimeDelta::seconds(1));
        let next = world.renew(&used).await.expect("renewed");
        assert!(world.is_alive(&next.access).await, "the answer has arrived");
        world.advance(chrono::TimeDelta::seconds(11));
        let accounts = world.accounts.clone();
        let answers = at_once(50, |_| {
            let (accounts, used) = (accounts.clone(), used.clone());
            async move { accounts.renew(&visitor(), &used).await.is_ok() }
        }).await;
        assert!(!answers.contains(&true));
        assert!(world.renew(&next.refresh.expose()).await.is_err());
        assert_eq!(world.count("SELECT count(*) FROM outbox WHERE letter = 'session_theft'".into()).await, 1, "told once");
    }

    async fn no_sign_in_that_was_under_way_survives_an_end(world: World) {
        let accounts = world.with(|settings| settings.rate_limits = false).await;
        let mut overtaken = 0;
        for round in 0..10 {
            world.rest();
            let email = format!("p{round}@example.com");
            let here = world.person(&email).await;
            let sign_ins: Vec<_> = (0..8).map(|at| {
                let (accounts, email) = (accounts.clone(), email.clone());
                tokio::spawn(async move { accounts.sign_in(&visitor_from(at), &login(&email, PASSWORD)).await })
            }).collect();
            if round % 2 == 0 {
                world.accounts.disable(&email).await.expect("disabled");
            } else {
                let form = contract::password_change::PasswordChangeForm {
                    old_password: contract::Password::new(PASSWORD),
                    new_password: contract::Password::new(OTHER_PASSWORD),
                    new_password_confirm: None,
                };
                world.accounts.change_password(&as_person(&here), &form).await.expect("changed");
            }
            let mut begun = Vec::new();
            for sign_in in sign_ins {
                if let Ok(accounts::LoginStep::Done(session)) = sign_in.await.expect("no panic") {
                    begun.push(session.access);
                }
            }
            if round % 2 == 0 {
                // Enabled again, so that it is the sessions that are dead, and not the account.
                world.accounts.enable(&email).await.expect("enabled");
            }
            overtaken += begun.len();
            for access in begun {
                assert!(!world.is_alive(&access).await, "round {round}");
            }
        }
        assert!(overtaken > 0, "no sign-in was faster than any end: nothing was tried");
    }

    async fn a_sign_out_is_not_overtaken_by_a_renewal(world: World) {
        let accounts = world.with(|settings| settings.rate_limits = false).await;
        for round in 0..20 {
            let session = world.person(&format!("p{round}@example.com")).await;
            world.rest();
            let mut renewals = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let (accounts, refresh) = (accounts.clone(), session.refresh.expose());
                renewals.spawn(async move { accounts.renew(&visitor(), &refresh).await });
            }
            // While some tabs have renewed and others are about to.
            let mut answers = Vec::new();
            for _ in 0..round % 4 {
                answers.extend(renewals.join_next().await);
            }
            accounts.sign_out(&as_person(&session), None).await.expect("signed out");
            answers.extend(renewals.join_all().await.into_iter().map(Ok));
            let renewed: Vec<_> = answers.into_iter().filter_map(|answer| answer.expect("no panic").ok()).collect();
            assert!(renewed.len() >= round % 4, "round {round}: {}", renewed.len());
            for renewed in renewed {
                assert!(!world.is_alive(&renewed.access).await, "round {round}");
                assert!(world.renew(&renewed.refresh.expose()).await.is_err(), "round {round}");
            }
        }
    }

    async fn parallel_guesses_of_a_password_are_all_counted(world: World) {
        world.person("ada@example.com").await;
        let accounts = world.accounts.clone();
        let answers = at_once(20, |_| {
            let accounts = accounts.clone();
            async move { accounts.sign_in(&visitor(), &login("ada@example.com", OTHER_PASSWORD)).await }
        }).await;
        let tried = answers.iter().filter(|answer| matches!(answer, Err(Error::Refused(contract::Refusal::InvalidCredentials)))).count();
        assert_eq!(tried, 5);
    }

    async fn two_post_offices_send_a_letter_once(world: World) {
        world.sign_up("ada@example.com").await;
        let accounts = world.accounts.clone();
        at_once(8, |_| {
            let accounts = accounts.clone();
            async move { accounts.send_letters().await.expect("a post office") }
        }).await;
        assert_eq!(world.letters_to("ada@example.com").await.len(), 1);
        assert_eq!(world.count("SELECT count(*) FROM outbox WHERE attempts > 1".into()).await, 0);
    }

    async fn verbs_about_one_person_wait_for_each_other_and_none_gives_way(world: World) {
        for round in 0..5 {
            let email = format!("p{round}@example.com");
            let here = world.person(&email).await;
            let there = done(world.sign_in(&email, PASSWORD).await);
            // Past what was asked a moment ago, so that each letter below is due.
            world.advance(chrono::TimeDelta::hours(1));
            let here = world.renew(&here.refresh.expose()).await.expect("renewed");
            let there = world.renew(&there.refresh.expose()).await.expect("renewed");
            let accounts = world.with(|settings| settings.rate_limits = false).await;
            let request = accounts.request_password_reset(&visitor(), &email).await.expect("asked");
            let token = world.token_to(&email).await;
            let answers = at_once(44, |at| {
                let (accounts, email, visitor) = (accounts.clone(), email.clone(), visitor_from(at));
                let (here, there) = (here.clone(), there.clone());
                let reset = PasswordResetForm {
                    token: token.clone(),
                    request: request.clone(),
                    new_password: contract::Password::new(OTHER_PASSWORD),
                    ..PasswordResetForm::default()
                };
                let change = contract::password_change::PasswordChangeForm {
                    old_password: contract::Password::new(PASSWORD),
                    new_password: contract::Password::new(OTHER_PASSWORD),
                    new_password_confirm: None,
                };
                async move {
                    match at % 11 {
                        0 => accounts.sign_in(&visitor, &login(&email, PASSWORD)).await.err(),
                        1 => accounts.sign_in(&visitor, &login(&email, OTHER_PASSWORD)).await.err(),
                        2 => accounts.change_password(&as_person(&here), &change).await.err(),
                        3 => accounts.request_password_reset(&visitor, &email).await.err(),
                        4 => accounts.reset_password(&visitor, &reset).await.err(),
                        5 => accounts.register(&visitor, &form(&email)).await.err(),
                        6 => accounts.renew(&visitor, &there.refresh.expose()).await.err(),
                        7 => accounts.end_other_devices(&as_person(&here)).await.err(),
                        8 => accounts.sign_out_everywhere(&as_person(&there), None).await.err(),
                        9 => accounts.disable(&email).await.err().or(accounts.enable(&email).await.err()),
                        _ => accounts.purge().await.err(),
                    }
                }
            }).await;
            for (at, error) in answers.into_iter().enumerate() {
                let gave_way = matches!(error, Some(Error::Internal(_) | Error::Refused(contract::Refusal::Unavailable { .. })));
                assert!(!gave_way, "round {round}, verb {}: {error:?}", at % 11);
            }
        }
    }
}
