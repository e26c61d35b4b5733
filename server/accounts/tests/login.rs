//! Sign-in, on both engines.

mod support;

use accounts::{EmailVerification, Hashing, LoginStep, Visitor};
use chrono::TimeDelta;
use contract::registration::RegistrationForm;
use contract::{Fault, Field, Password, Refusal};
use support::*;

on_both_engines! {
    async fn the_right_password_signs_in_in_every_spelling_of_the_address(world: World) {
        world.person("ada@example.com").await;
        for email in ["ada@example.com", " ADA@Example.com "] {
            let session = done(world.sign_in(email, PASSWORD).await);
            assert_eq!(session.signed_in.user.email, "ada@example.com");
        }
    }

    async fn what_is_pasted_around_an_address_does_not_keep_its_owner_out(world: World) {
        world.person("ada@example.com").await;
        for email in ["\u{feff}ada@example.com", "ada@example.com\u{200b}", "\u{202a}ada@example.com\u{202c} "] {
            done(world.sign_in(email, PASSWORD).await);
        }
        assert_eq!(faults(world.sign_in("\u{200b}", PASSWORD).await), [(Field::Email, Fault::Missing)]);
        assert_eq!(refusal(world.sign_in("a\u{200b}da@example.com", PASSWORD).await), Refusal::InvalidCredentials);
    }

    async fn a_password_is_right_however_its_accents_are_written(world: World) {
        let (composed, apart) = ("une caf\u{e9} tr\u{e8}s noire", "une cafe\u{301} tre\u{300}s noire");
        for (email, chosen) in [("ada@example.com", composed), ("bob@example.com", apart)] {
            let form = RegistrationForm { password: Password::new(chosen), ..form(email) };
            let registered = world.accounts.register(&visitor(), &form).await.expect("taken in");
            let client = Visitor { pending_sign_up: Some(registered.pending), ..visitor() };
            signed_in(world.accounts.confirm_email(&client, &by_code(&world.code_to(email).await)).await);
            for typed in [composed, apart] {
                done(world.sign_in(email, typed).await);
            }
            assert_eq!(refusal(world.sign_in(email, "une cafe tres noire").await), Refusal::InvalidCredentials);
        }
        // A costlier hash that takes the place of the first knows both spellings, too.
        let costlier = world.with(|settings| settings.hashing = Hashing { memory_kib: 128, iterations: 2, parallelism: 1, slots: 1 }).await;
        for typed in [apart, composed, apart] {
            done(costlier.sign_in(&visitor(), &login("ada@example.com", typed)).await);
        }
    }

    async fn everything_wrong_is_one_refusal_and_no_session(world: World) {
        world.person("ada@example.com").await;
        world.person("gone@example.com").await;
        world.run("UPDATE users SET disabled_at = created_at WHERE email = 'gone@example.com'").await;
        let sessions = world.live_sessions().await;
        for (email, password) in [
            ("ada@example.com", OTHER_PASSWORD), ("ada@example.com", "Three unrelated words"), ("ada@example.com", "three unrelated words "),
            ("unknown@example.com", PASSWORD), ("not an address", PASSWORD), ("gone@example.com", PASSWORD),
        ] {
            assert_eq!(refusal(world.sign_in(email, password).await), Refusal::InvalidCredentials, "{email} {password}");
        }
        assert_eq!(faults(world.sign_in(" ", "").await), [(Field::Email, Fault::Missing), (Field::CurrentPassword, Fault::Missing)]);
        assert_eq!(world.live_sessions().await, sessions);
    }

    async fn only_the_right_password_learns_that_an_address_is_not_confirmed(world: World) {
        world.sign_up("ada@example.com").await;
        world.advance(TimeDelta::minutes(2));
        assert_eq!(refusal(world.sign_in("ada@example.com", OTHER_PASSWORD).await), Refusal::InvalidCredentials);
        assert_eq!(world.letters_to("ada@example.com").await.len(), 1);
        let Ok(LoginStep::ConfirmEmail(pending)) = world.sign_in("ada@example.com", PASSWORD).await else { panic!("signed in") };
        assert_eq!(world.letters_to("ada@example.com").await.len(), 2, "a way to a new letter");
        assert_eq!(world.live_sessions().await, 0);
        let client = Visitor { pending_sign_up: Some(*pending), ..visitor() };
        let code = world.code_to("ada@example.com").await;
        signed_in(world.accounts.confirm_email(&client, &by_code(&code)).await);
    }

    async fn where_proof_is_optional_the_password_is_enough(world: World) {
        world.sign_up("ada@example.com").await;
        let optional = world.with(|settings| settings.email_verification = EmailVerification::Optional).await;
        let session = done(optional.sign_in(&visitor(), &login("ada@example.com", PASSWORD)).await);
        assert!(!session.signed_in.user.email_verified);
    }

    async fn guesses_at_one_account_run_dry_and_a_success_gives_nothing_back_to_the_network(world: World) {
        world.person("ada@example.com").await;
        for _ in 0..5 {
            assert_eq!(refusal(world.sign_in("ada@example.com", OTHER_PASSWORD).await), Refusal::InvalidCredentials);
        }
        assert!(matches!(refusal(world.sign_in("ada@example.com", PASSWORD).await), Refusal::RateLimited { .. }));
        // The owner, elsewhere, is not locked out.
        done(world.accounts.sign_in(&visitor_from(1), &login("ada@example.com", PASSWORD)).await);
        world.advance(TimeDelta::minutes(1));
        done(world.sign_in("ada@example.com", PASSWORD).await);
    }

    async fn an_unknown_address_runs_into_the_same_limits(world: World) {
        for _ in 0..5 {
            assert_eq!(refusal(world.sign_in("nobody@example.com", PASSWORD).await), Refusal::InvalidCredentials);
        }
        assert!(matches!(refusal(world.sign_in("NOBODY@example.com", PASSWORD).await), Refusal::RateLimited { .. }));
    }

    async fn right_passwords_never_run_into_the_limit_of_the_account(world: World) {
        world.person("ada@example.com").await;
        for _ in 0..12 {
            done(world.sign_in("ada@example.com", PASSWORD).await);
        }
    }

    async fn a_cheaper_hash_is_replaced_at_sign_in(world: World) {
        world.person("ada@example.com").await;
        let costlier = world.with(|settings| settings.hashing = Hashing { memory_kib: 128, iterations: 2, parallelism: 1, slots: 1 }).await;
        done(costlier.sign_in(&visitor(), &login("ada@example.com", PASSWORD)).await);
        assert_eq!(world.count("SELECT count(*) FROM users WHERE password_hash LIKE '$argon2id$v=19$m=128,t=2,p=1$%'".into()).await, 1);
        done(costlier.sign_in(&visitor(), &login("ada@example.com", PASSWORD)).await);
    }

    async fn signing_in_again_ends_the_session_of_before(world: World) {
        let before = world.person("ada@example.com").await;
        let after = done(world.accounts.sign_in(&as_person(&before), &login("ada@example.com", PASSWORD)).await);
        assert_ne!(before.signed_in.session_id, after.signed_in.session_id);
        assert!(!world.is_alive(&before.access).await);
    }
}
