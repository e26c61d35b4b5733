//! Proof of a mailbox, on both engines.

mod support;

use accounts::{Confirmed, EmailVerification, LetterLink, LoginOnVerify};
use chrono::TimeDelta;
use contract::confirmation::ConfirmationForm;
use contract::{Fault, Field, Password, Refusal};
use support::*;

on_both_engines! {
    async fn the_link_confirms_and_signs_in_the_client_that_signed_up(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        let token = world.token_to("ada@example.com").await;
        let session = signed_in(world.accounts.confirm_email(&finishing(&registered), &by_token(&token)).await);
        assert!(session.signed_in.user.email_verified);
        let seen = world.accounts.recognise(&session.access).await.expect("a person");
        assert_eq!(seen.user.email, "ada@example.com");
    }

    async fn looking_at_a_link_changes_nothing(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        let token = world.token_to("ada@example.com").await;
        for _ in 0..5 {
            let seen = world.accounts.look_at_confirmation(&visitor(), &token).await.expect("an answer");
            assert_eq!(seen, LetterLink::Ready { email: "a•••@e•••.com".into(), is_own: false, asks_password: true, begins_anew: false });
        }
        assert_eq!(world.live_sessions().await, 0);
        signed_in(world.accounts.confirm_email(&finishing(&registered), &by_token(&token)).await);
    }

    async fn a_second_click_says_already_confirmed_and_signs_nobody_in(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        let token = world.token_to("ada@example.com").await;
        signed_in(world.accounts.confirm_email(&finishing(&registered), &by_token(&token)).await);
        let again = world.accounts.confirm_email(&finishing(&registered), &by_token(&token)).await;
        assert!(matches!(again, Ok(Confirmed::Already)), "{again:?}");
        assert_eq!(world.accounts.look_at_confirmation(&visitor(), &token).await.expect("an answer"), LetterLink::Used);
        assert_eq!(world.live_sessions().await, 1);
    }

    async fn the_code_confirms_the_client_that_signed_up(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        let code = world.code_to("ada@example.com").await;
        let spaced = format!(" {} {} ", &code[..3], &code[3..]);
        signed_in(world.accounts.confirm_email(&finishing(&registered), &by_code(&spaced)).await);
    }

    async fn a_code_has_five_tries_and_then_a_new_one_is_needed(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        let code = world.code_to("ada@example.com").await;
        let visitor = finishing(&registered);
        for _ in 0..4 {
            let refused = faults(world.accounts.confirm_email(&visitor, &by_code(&wrong(&code))).await);
            assert_eq!(refused, [(Field::Code, Fault::Incorrect)]);
        }
        let refused = faults(world.accounts.confirm_email(&visitor, &by_code(&wrong(&code))).await);
        assert_eq!(refused, [(Field::Code, Fault::Exhausted)]);
        let refused = faults(world.accounts.confirm_email(&visitor, &by_code(&code)).await);
        assert_eq!(refused, [(Field::Code, Fault::Exhausted)]);
        world.advance(TimeDelta::seconds(1));
        world.accounts.resend_confirmation(&visitor, "").await.expect("another letter");
        let new = world.code_to("ada@example.com").await;
        assert_ne!(new, code);
        signed_in(world.accounts.confirm_email(&visitor, &by_code(&new)).await);
    }

    async fn only_the_newest_letter_works(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        let old = world.letters_to("ada@example.com").await[0].clone();
        let visitor = finishing(&registered);
        world.advance(TimeDelta::minutes(2));
        world.accounts.resend_confirmation(&visitor, "").await.expect("another letter");
        assert_eq!(refusal(world.accounts.confirm_email(&visitor, &by_token(&token_of(&old))).await), Refusal::TokenInvalid);
        let seen = world.accounts.look_at_confirmation(&visitor, &token_of(&old)).await.expect("an answer");
        assert!(matches!(seen, LetterLink::Expired { superseded: true, .. }), "{seen:?}");
        let old_code = old.code.expect("a code");
        let new = world.letters_to("ada@example.com").await[0].clone();
        if new.code.as_ref() != Some(&old_code) {
            assert_eq!(faults(world.accounts.confirm_email(&visitor, &by_code(&old_code)).await), [(Field::Code, Fault::Incorrect)]);
        }
        signed_in(world.accounts.confirm_email(&visitor, &by_token(&token_of(&new))).await);
    }

    async fn a_letter_works_for_a_day(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        let letter = world.letters_to("ada@example.com").await[0].clone();
        let visitor = finishing(&registered);
        world.advance(TimeDelta::hours(24) + TimeDelta::seconds(1));
        assert_eq!(refusal(world.accounts.confirm_email(&visitor, &by_token(&token_of(&letter))).await), Refusal::TokenExpired);
        let code = letter.code.clone().expect("a code");
        assert_eq!(faults(world.accounts.confirm_email(&visitor, &by_code(&code)).await), [(Field::Code, Fault::Incorrect)]);
        let seen = world.accounts.look_at_confirmation(&visitor, &token_of(&letter)).await.expect("an answer");
        assert!(matches!(seen, LetterLink::Expired { superseded: false, .. }), "{seen:?}");
    }

    async fn from_another_client_the_token_alone_is_not_enough_and_spends_nothing(world: World) {
        world.sign_up("ada@example.com").await;
        let token = world.token_to("ada@example.com").await;
        assert_eq!(refusal(world.accounts.confirm_email(&visitor(), &by_token(&token)).await), Refusal::PasswordRequired);
        let wrong = ConfirmationForm { password: Password::new(OTHER_PASSWORD), ..by_token(&token) };
        assert_eq!(faults(world.accounts.confirm_email(&visitor(), &wrong).await), [(Field::CurrentPassword, Fault::Incorrect)]);
        let short = ConfirmationForm { new_password: Password::new("short"), ..by_token(&token) };
        assert_eq!(faults(world.accounts.confirm_email(&visitor(), &short).await), [(Field::NewPassword, Fault::TooShort)]);
        assert_eq!(world.live_sessions().await, 0);
        let right = ConfirmationForm { password: Password::new(PASSWORD), ..by_token(&token) };
        signed_in(world.accounts.confirm_email(&visitor(), &right).await);
    }

    async fn a_new_password_replaces_the_strangers(world: World) {
        world.sign_up("ada@example.com").await;
        let code = world.code_to("ada@example.com").await;
        let by_email = ConfirmationForm { email: "Ada@example.com".into(), new_password: Password::new(OTHER_PASSWORD), ..by_code(&code) };
        signed_in(world.accounts.confirm_email(&visitor(), &by_email).await);
        // It is told what any sign-up with a taken address is told, not that somebody has proven the mailbox.
        let strangers = world.sign_in("ada@example.com", PASSWORD).await;
        assert!(matches!(strangers, Ok(accounts::LoginStep::ConfirmEmail(_))), "{strangers:?}");
        done(world.sign_in("ada@example.com", OTHER_PASSWORD).await);
    }

    async fn who_is_signed_in_is_the_operators_choice(world: World) {
        let always = world.with(|settings| settings.login_on_verify = LoginOnVerify::Always).await;
        world.sign_up("always@example.com").await;
        let token = world.token_to("always@example.com").await;
        signed_in(always.confirm_email(&visitor(), &by_token(&token)).await);

        let never = world.with(|settings| settings.login_on_verify = LoginOnVerify::Never).await;
        let registered = world.sign_up("never@example.com").await;
        let token = world.token_to("never@example.com").await;
        assert_eq!(refusal(never.confirm_email(&visitor(), &by_token(&token)).await), Refusal::PasswordRequired);
        let confirmed = never.confirm_email(&finishing(&registered), &by_token(&token)).await;
        assert!(matches!(confirmed, Ok(Confirmed::SignInNext(ref user)) if user.email_verified), "{confirmed:?}");
    }

    async fn what_is_no_token_confirms_nothing(world: World) {
        world.sign_up("ada@example.com").await;
        let token = world.token_to("ada@example.com").await;
        let access = world.person("eve@example.com").await.access;
        let mut cut: Vec<&str> = token.split('.').collect();
        cut[2] = "";
        let unsigned = cut.join(".");
        let none = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJjb25maXJtX2VtYWlsIiwianRpIjoiYSIsImlhdCI6MCwiZXhwIjo5OTk5OTk5OTk5fQ.";
        for junk in ["undefined", "a.b.c", "\0", &"x".repeat(10_000), &format!("{token}x"), &unsigned, none, &access] {
            let refused = refusal(world.accounts.confirm_email(&visitor(), &by_token(junk)).await);
            assert_eq!(refused, Refusal::TokenInvalid, "{junk:.40}");
        }
        assert_eq!(faults(world.accounts.confirm_email(&visitor(), &by_token("")).await), [(Field::Token, Fault::Missing)]);
        assert_eq!(world.count("SELECT count(*) FROM users WHERE verified_at IS NOT NULL".into()).await, 1);
    }

    async fn a_disabled_account_cannot_be_confirmed(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        let letter = world.letters_to("ada@example.com").await[0].clone();
        world.run("UPDATE users SET disabled_at = created_at").await;
        assert_eq!(refusal(world.accounts.confirm_email(&finishing(&registered), &by_token(&token_of(&letter))).await), Refusal::TokenInvalid);
        let code = letter.code.expect("a code");
        assert_eq!(faults(world.accounts.confirm_email(&finishing(&registered), &by_code(&code)).await), [(Field::Code, Fault::Incorrect)]);
    }

    async fn asking_for_a_letter_tells_nobody_who_has_an_account(world: World) {
        world.person("ada@example.com").await;
        world.sign_up("pending@example.com").await;
        assert_eq!(world.letters_to("pending@example.com").await.len(), 1);
        let before = world.rows("outbox").await + world.rows("one_time_tokens").await;
        for email in ["ada@example.com", "pending@example.com", "unknown@example.com"] {
            world.accounts.resend_confirmation(&visitor(), email).await.expect("the same answer");
        }
        let after = world.rows("outbox").await + world.rows("one_time_tokens").await;
        assert_eq!(after - before, 6, "each costs two rows");
        assert_eq!(world.letters_to("pending@example.com").await.len(), 2);
        assert!(world.letters_to("unknown@example.com").await.is_empty());
        assert_eq!(faults(world.accounts.resend_confirmation(&visitor(), "").await), [(Field::Email, Fault::Missing)]);
    }

    async fn letters_to_one_address_are_limited_for_each_network_and_whether_it_is_known(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        for email in ["ada@example.com", "unknown@example.com"] {
            for _ in 0..5 {
                world.accounts.resend_confirmation(&visitor_from(99), email).await.expect("a letter");
            }
            let refused = refusal(world.accounts.resend_confirmation(&visitor_from(99), email).await);
            assert!(matches!(refused, Refusal::RateLimited { retry_after: 600..=720 }), "{email}: {refused:?}");
        }
        // Strangers have used up nothing of whoever signed up.
        world.accounts.resend_confirmation(&finishing(&registered), "").await.expect("a letter");
    }

    async fn strangers_learn_nothing_from_a_code_form(world: World) {
        world.sign_up("pending@example.com").await;
        world.person("ada@example.com").await;
        let code = world.code_to("pending@example.com").await;
        for email in ["pending@example.com", "ada@example.com", "unknown@example.com"] {
            for _ in 0..6 {
                let guess = ConfirmationForm { email: email.into(), password: Password::new(PASSWORD), ..by_code(&wrong(&code)) };
                let refused = faults(world.accounts.confirm_email(&visitor(), &guess).await);
                assert_eq!(refused, [(Field::Code, Fault::Incorrect)], "{email}");
            }
        }
        let right = ConfirmationForm { email: "pending@example.com".into(), password: Password::new(PASSWORD), ..by_code(&code) };
        assert_eq!(faults(world.accounts.confirm_email(&visitor(), &right).await), [(Field::Code, Fault::Incorrect)], "all tries are spent");
    }

    async fn strangers_cannot_use_up_the_tries_of_whoever_signed_up(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        let guess = ConfirmationForm { email: "ada@example.com".into(), password: Password::new(PASSWORD), ..by_code("000000") };
        let mut refused = 0;
        for at in 0..60 {
            world.advance(TimeDelta::minutes(1));
            let tried = world.accounts.confirm_email(&visitor_from(at), &guess).await;
            refused += u16::from(matches!(tried, Err(accounts::Error::Refused(Refusal::RateLimited { .. }))));
        }
        assert!(refused >= 39, "strangers have twenty a day: {refused}");
        let code = world.code_to("ada@example.com").await;
        let right = ConfirmationForm { code: code.clone(), ..guess };
        let late = world.with(|settings| settings.rate_limits = false).await;
        assert_eq!(faults(late.confirm_email(&visitor(), &right).await), [(Field::Code, Fault::Incorrect)], "theirs are used up");
        signed_in(world.accounts.confirm_email(&finishing(&registered), &by_code(&code)).await);
    }

    async fn strangers_who_sign_up_as_well_do_not_use_up_the_tries_of_the_newest_letter(world: World) {
        let accounts = world.with(|settings| settings.rate_limits = false).await;
        let first = world.sign_up("ada@example.com").await;
        world.advance(TimeDelta::minutes(2));
        let stranger = accounts.register(&visitor_from(1), &form("ada@example.com")).await.expect("a sign-up");
        world.advance(TimeDelta::minutes(2));
        accounts.resend_confirmation(&finishing(&first), "").await.expect("a new letter");
        let code = world.code_to("ada@example.com").await;
        for _ in 0..12 {
            assert!(accounts.confirm_email(&finishing(&stranger), &by_code(&wrong(&code))).await.is_err());
        }
        assert!(accounts.confirm_email(&finishing(&stranger), &by_code(&code)).await.is_err(), "no more of them");
        signed_in(accounts.confirm_email(&finishing(&first), &by_code(&code)).await);
    }

    async fn sessions_of_unproven_accounts_end_where_a_site_begins_to_ask_proof(world: World) {
        let optional = world.with(|settings| settings.email_verification = EmailVerification::Optional).await;
        let here = optional.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up").session.expect("signed in");
        assert!(is_alive(&optional, &here.access).await);
        let mandatory = world.with(|settings| settings.email_verification = EmailVerification::Mandatory).await;
        assert!(!is_alive(&mandatory, &here.access).await);
        assert_eq!(refusal(mandatory.renew(&visitor(), &here.refresh.expose()).await), Refusal::SessionInvalid);
        // The sign-up is not lost: its password leads to the proof.
        let step = mandatory.sign_in(&visitor(), &login("ada@example.com", PASSWORD)).await.expect("the right password");
        assert!(matches!(step, accounts::LoginStep::ConfirmEmail(_)), "{step:?}");
    }

    async fn a_right_code_with_a_wrong_or_missing_password_spends_no_try(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        let code = world.code_to("ada@example.com").await;
        let by_code = |password: &str, new: &str| ConfirmationForm {
            email: "ada@example.com".into(), password: Password::new(password), new_password: Password::new(new), ..by_code(&code)
        };
        for _ in 0..7 {
            assert_eq!(refusal(world.accounts.confirm_email(&visitor_from(1), &by_code("", "")).await), Refusal::PasswordRequired);
            let wrong = world.accounts.confirm_email(&visitor_from(2), &by_code(OTHER_PASSWORD, "")).await;
            assert_eq!(faults(wrong), [(Field::CurrentPassword, Fault::Incorrect)]);
            let short = world.accounts.confirm_email(&visitor_from(3), &by_code("", "short")).await;
            assert_eq!(faults(short), [(Field::NewPassword, Fault::TooShort)]);
        }
        assert_eq!(world.count("SELECT count(*) FROM one_time_tokens WHERE attempts > 0".into()).await, 0);
        signed_in(world.accounts.confirm_email(&finishing(&registered), &support::by_code(&code)).await);
    }

    async fn no_stored_row_holds_a_link_or_a_code(world: World) {
        world.sign_up("ada@example.com").await;
        let dump = "SELECT count(*) FROM outbox WHERE letter || recipient LIKE '%eyJ%'";
        assert_eq!(world.count(dump.into()).await, 0);
        assert_eq!(world.rows("mailbox_messages").await, 0, "nothing is worked out before it is sent");
    }
}
