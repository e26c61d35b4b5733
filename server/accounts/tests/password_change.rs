//! A new password by the old one, on both engines.

mod support;

use contract::password_change::PasswordChangeForm;
use contract::{Fault, Field, Password, Refusal};
use support::*;

const EMAIL: &str = "ada@example.com";

fn form(old: &str, new: &str) -> PasswordChangeForm {
    let (old_password, new_password) = (Password::new(old), Password::new(new));
    PasswordChangeForm { old_password, new_password, new_password_confirm: None }
}

on_both_engines! {
    async fn the_session_goes_on_and_every_other_ends(world: World) {
        let here = world.person(EMAIL).await;
        let elsewhere = done(world.sign_in(EMAIL, PASSWORD).await);
        world.advance(chrono::TimeDelta::seconds(1));
        let next = world.accounts.change_password(&as_person(&here), &form(PASSWORD, OTHER_PASSWORD)).await.expect("changed");
        assert!(world.is_alive(&next.access).await);
        assert_ne!(next.signed_in.session_id, here.signed_in.session_id, "a new session: what was copied of the old is dead");
        for session in [here, elsewhere] {
            assert!(!world.is_alive(&session.access).await);
            assert_eq!(refusal(world.renew(&session.refresh.expose()).await), Refusal::SessionInvalid);
        }
        world.renew(&next.refresh.expose()).await.expect("renewed");
        assert_eq!(refusal(world.sign_in(EMAIL, PASSWORD).await), Refusal::InvalidCredentials);
        done(world.sign_in(EMAIL, OTHER_PASSWORD).await);
        assert_eq!(world.letters_to(EMAIL).await[0].subject, "Your Vestibule password was changed");
        assert_eq!(world.count("SELECT count(*) FROM audit_events WHERE event = 'password.change'".into()).await, 1);
    }

    async fn the_old_one_is_asked_and_the_new_one_judged(world: World) {
        let here = world.person(EMAIL).await;
        for (old, new, expected) in [
            ("", "", vec![(Field::OldPassword, Fault::Missing), (Field::NewPassword, Fault::Missing)]),
            ("wrong password!", OTHER_PASSWORD, vec![(Field::OldPassword, Fault::Incorrect)]),
            (PASSWORD, PASSWORD, vec![(Field::NewPassword, Fault::Unchanged)]),
            (PASSWORD, "password1234", vec![(Field::NewPassword, Fault::TooCommon)]),
            (PASSWORD, "ada@example.com", vec![(Field::NewPassword, Fault::ContainsEmail)]),
        ] {
            world.advance(chrono::TimeDelta::minutes(1));
            assert_eq!(faults(world.accounts.change_password(&as_person(&here), &form(old, new)).await), expected);
        }
        assert_eq!(refusal(world.accounts.change_password(&visitor(), &form(PASSWORD, OTHER_PASSWORD)).await), Refusal::NotAuthenticated);
        done(world.sign_in(EMAIL, PASSWORD).await);
        assert_eq!(world.letters_to(EMAIL).await.len(), 1, "the one of sign-up");
    }

    async fn guesses_of_the_old_one_are_limited(world: World) {
        let here = world.person(EMAIL).await;
        for _ in 0..5 {
            assert_eq!(faults(world.accounts.change_password(&as_person(&here), &form("guess", OTHER_PASSWORD)).await), [(Field::OldPassword, Fault::Incorrect)]);
        }
        let refused = refusal(world.accounts.change_password(&as_person(&here), &form(PASSWORD, OTHER_PASSWORD)).await);
        assert!(matches!(refused, Refusal::RateLimited { .. }));
    }

    async fn two_changes_at_once_are_one(world: World) {
        let here = world.person(EMAIL).await;
        let accounts = world.with(|settings| settings.rate_limits = false).await;
        let answers = at_once(10, |at| {
            let (accounts, visitor) = (accounts.clone(), as_person(&here));
            let new = format!("the password number {at} of mine");
            async move { (accounts.change_password(&visitor, &form(PASSWORD, &new)).await.is_ok(), new) }
        }).await;
        let taken: Vec<_> = answers.iter().filter(|(taken, _)| *taken).collect();
        assert_eq!(taken.len(), 1);
        done(world.sign_in(EMAIL, &taken[0].1).await);
        assert_eq!(world.count("SELECT count(*) FROM outbox WHERE letter = 'password_changed'".into()).await, 1);
    }
}
