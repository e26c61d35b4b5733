//! Whoever proves a mailbox gets an account that nobody else has a way into, and nothing that another typed.

mod support;

use accounts::{EmailVerification, Error, LetterLink, NewSession, Registered, Visitor};
use chrono::TimeDelta;
use contract::confirmation::ConfirmationForm;
use contract::password_reset::PasswordResetForm;
use contract::registration::RegistrationForm;
use contract::{Password, Refusal};
use support::*;

const ADA: &str = "ada@example.com";

/// A sign-up that says much of whoever typed it.
fn full_form() -> RegistrationForm {
    RegistrationForm { phone: "+44 20 7946 0018".into(), user_type: "host".into(), ..form(ADA) }
}

fn with_new_password(token: &str) -> ConfirmationForm {
    ConfirmationForm { new_password: Password::new(OTHER_PASSWORD), ..by_token(token) }
}

fn reset_by(token: &str) -> PasswordResetForm {
    PasswordResetForm {
        token: token.to_owned(),
        new_password: Password::new(OTHER_PASSWORD),
        ..PasswordResetForm::default()
    }
}

impl World {
    /// Where an address may be used before it is proven.
    async fn optional(&self) -> accounts::Accounts {
        self.with(|settings| {
            settings.email_verification = EmailVerification::Optional;
            settings.rate_limits = false;
        })
        .await
    }

    /// Proves the mailbox by a letter of either kind, from a client that knows nothing else, and signs in.
    async fn prove(&self, accounts: &accounts::Accounts, is_reset: bool) -> NewSession {
        self.advance(TimeDelta::minutes(2));
        if is_reset {
            accounts.request_password_reset(&visitor_from(1), ADA).await.expect("asked");
            let token = self.token_to(ADA).await;
            accounts.reset_password(&visitor_from(1), &reset_by(&token)).await.expect("a new password");
        } else {
            accounts.resend_confirmation(&visitor_from(1), ADA).await.expect("asked");
            let token = self.token_to(ADA).await;
            signed_in(accounts.confirm_email(&visitor_from(1), &with_new_password(&token)).await);
        }
        done(accounts.sign_in(&visitor_from(1), &login(ADA, OTHER_PASSWORD)).await)
    }
}

fn session_of(registered: Registered) -> NewSession {
    registered.session.expect("signed in at once")
}

on_both_engines! {
    async fn nothing_that_another_typed_passes_on(world: World) {
        for is_reset in [false, true] {
            world.run("DELETE FROM users").await;
            let typed = world.accounts.register(&visitor(), &full_form()).await.expect("a sign-up");
            let owner = world.prove(&world.accounts, is_reset).await.signed_in.user;
            assert_ne!(owner.id, typed.user_id);
            assert_eq!((owner.first_name.as_str(), owner.last_name.as_str(), owner.phone), ("", "", None));
            assert_eq!((owner.user_type.as_str(), owner.email.as_str()), ("host", ADA), "what was asked for by the letter");
            let consents = "SELECT count(*) FROM users WHERE verified_at IS NOT NULL AND terms_version IS NOT NULL";
            assert_eq!(world.count(consents.into()).await, 0);
        }
    }

    async fn a_sign_up_of_before_is_no_way_in_when_an_address_may_be_used_unproven(world: World) {
        let optional = world.optional().await;
        for is_reset in [false, true] {
            world.run("DELETE FROM users").await;
            world.advance(TimeDelta::hours(2));
            let before = world.accounts.register(&visitor(), &form(ADA)).await.expect("a sign-up");
            // The site's rules are others now, and the same client signs up once more.
            let stranger = session_of(optional.register(&finishing(&before), &form(ADA)).await.expect("a sign-up"));
            let owner = world.prove(&optional, is_reset).await;
            assert_ne!(owner.signed_in.user.id, stranger.signed_in.user.id);
            assert!(is_alive(&optional, &owner.access).await);
            assert!(!is_alive(&optional, &stranger.access).await);
            assert!(optional.renew(&visitor(), &stranger.refresh.expose()).await.is_err());
        }
    }

    async fn a_sign_in_at_the_same_moment_is_no_way_in_either(world: World) {
        let mandatory = world.with(|settings| settings.rate_limits = false).await;
        let optional = world.optional().await;
        for round in 0..20 {
            world.run("DELETE FROM users").await;
            world.advance(TimeDelta::hours(2));
            mandatory.register(&visitor(), &form(ADA)).await.expect("a sign-up");
            let token = world.token_to(ADA).await;
            let sign_in = tokio::spawn({
                let optional = optional.clone();
                async move { optional.sign_in(&visitor_from(2), &login(ADA, PASSWORD)).await }
            });
            let owner = signed_in(optional.confirm_email(&visitor_from(1), &with_new_password(&token)).await);
            if let Ok(accounts::LoginStep::Done(stranger)) = sign_in.await.expect("no panic") {
                assert_ne!(stranger.signed_in.user.id, owner.signed_in.user.id, "round {round}");
                assert!(!stranger.signed_in.user.email_verified);
            }
            assert!(is_alive(&optional, &owner.access).await, "round {round}");
        }
    }

    async fn a_person_who_signed_up_here_keeps_the_account_in_a_reset(world: World) {
        let optional = world.optional().await;
        let own = session_of(optional.register(&visitor(), &full_form()).await.expect("a sign-up"));
        let stranger = session_of(optional.register(&visitor_from(3), &form(ADA)).await.expect("a sign-up"));
        world.advance(TimeDelta::seconds(1));
        optional.request_password_reset(&as_person(&own), ADA).await.expect("asked");
        let token = world.token_to(ADA).await;
        optional.reset_password(&as_person(&own), &reset_by(&token)).await.expect("a new password");
        let owner = done(optional.sign_in(&visitor(), &login(ADA, OTHER_PASSWORD)).await).signed_in.user;
        assert_eq!((owner.id, owner.phone), (own.signed_in.user.id, own.signed_in.user.phone.clone()));
        assert!(owner.email_verified);
        for access in [&own.access, &stranger.access] {
            assert!(!is_alive(&optional, access).await, "a reset ends every session");
        }
    }

    async fn a_reset_changes_the_password_and_nothing_else_where_nobody_proves_an_address(world: World) {
        let off = world.with(|settings| settings.email_verification = EmailVerification::Off).await;
        let before = session_of(off.register(&visitor(), &full_form()).await.expect("a sign-up"));
        off.request_password_reset(&visitor_from(1), ADA).await.expect("asked");
        let token = world.token_to(ADA).await;
        let seen = off.look_at_password_reset(&visitor_from(1), &token).await.expect("an answer");
        assert!(matches!(seen, LetterLink::Ready { begins_anew: false, .. }), "{seen:?}");
        off.reset_password(&visitor_from(1), &reset_by(&token)).await.expect("a new password");
        assert!(!is_alive(&off, &before.access).await);
        let after = done(off.sign_in(&visitor_from(1), &login(ADA, OTHER_PASSWORD)).await).signed_in.user;
        let before = before.signed_in.user;
        assert_eq!((after.id, after.first_name, after.phone), (before.id, before.first_name, before.phone));
        assert_eq!(world.rows("users").await, 1);
    }

    async fn where_nobody_proves_an_address_a_stranger_has_no_link_sent_that_would_end_the_account(world: World) {
        let off = world.with(|settings| settings.email_verification = EmailVerification::Off).await;
        session_of(off.register(&visitor(), &full_form()).await.expect("a sign-up"));
        off.resend_confirmation(&visitor_from(1), ADA).await.expect("the same answer");
        assert!(world.letters_to(ADA).await.is_empty());
    }

    async fn of_several_accounts_from_when_addresses_were_proven_a_reset_chooses_none(world: World) {
        let optional = world.optional().await;
        let first = session_of(optional.register(&visitor(), &full_form()).await.expect("a sign-up"));
        world.advance(TimeDelta::minutes(2));
        let second = session_of(optional.register(&visitor_from(3), &form(ADA)).await.expect("a sign-up"));
        let off = world.with(|settings| settings.email_verification = EmailVerification::Off).await;
        world.advance(TimeDelta::seconds(1));
        off.request_password_reset(&visitor_from(1), ADA).await.expect("asked");
        let token = world.token_to(ADA).await;
        off.reset_password(&visitor_from(1), &reset_by(&token)).await.expect("a new password");
        let owner = done(off.sign_in(&visitor_from(1), &login(ADA, OTHER_PASSWORD)).await).signed_in.user;
        assert!(![first.signed_in.user.id, second.signed_in.user.id].contains(&owner.id));
    }

    async fn who_would_begin_anew_is_told_and_how_to_keep_the_account(world: World) {
        let optional = world.optional().await;
        let own = session_of(optional.register(&visitor(), &full_form()).await.expect("a sign-up"));
        let stranger = RegistrationForm { password: Password::new("a third one of mine"), ..form(ADA) };
        world.advance(TimeDelta::seconds(1));
        session_of(optional.register(&visitor_from(3), &stranger).await.expect("a sign-up"));
        world.advance(TimeDelta::seconds(1));
        optional.request_password_reset(&visitor_from(1), ADA).await.expect("asked");
        optional.send_letters().await.expect("a post office");
        let letter = optional.mailbox(ADA).await.expect("letters")[0].clone();
        assert!(letter.text.contains("Nobody has confirmed this address yet."), "{}", letter.text);
        assert!(letter.text.lines().all(|line| line.len() <= 72 || line.contains("http")), "{}", letter.text);
        for (visitor, expected) in [(visitor_from(1), true), (as_person(&own), false)] {
            let token = world.token_to(ADA).await;
            let seen = optional.look_at_password_reset(&visitor, &token).await.expect("an answer");
            assert!(matches!(seen, LetterLink::Ready { begins_anew, .. } if begins_anew == expected), "{seen:?}");
        }
        world.person("bob@example.com").await;
        world.advance(TimeDelta::minutes(1));
        optional.request_password_reset(&visitor_from(1), "bob@example.com").await.expect("asked");
        world.token_to("bob@example.com").await;
        let letter = optional.mailbox("bob@example.com").await.expect("letters")[0].clone();
        assert!(letter.code.is_some() && !letter.text.contains("Nobody has confirmed"), "{}", letter.text);
    }

    async fn a_change_of_password_beside_a_proof_breaks_neither(world: World) {
        let accounts = world.optional().await;
        for round in 0..10 {
            world.run("DELETE FROM users").await;
            world.advance(TimeDelta::hours(2));
            let mut used = Vec::new();
            for at in 0..6 {
                used.push(session_of(accounts.register(&visitor_from(at), &form(ADA)).await.expect("a sign-up")));
            }
            world.advance(TimeDelta::minutes(2));
            accounts.request_password_reset(&as_person(&used[3]), ADA).await.expect("asked");
            let reset = world.token_to(ADA).await;
            accounts.resend_confirmation(&visitor_from(9), ADA).await.expect("asked");
            let confirmation = world.token_to(ADA).await;
            let answers = at_once(18, |at| {
                let accounts = accounts.clone();
                let (here, confirmation, reset) = (as_person(&used[usize::from(at % 6)]), confirmation.clone(), reset.clone());
                let change = contract::password_change::PasswordChangeForm {
                    old_password: Password::new(PASSWORD),
                    new_password: Password::new(OTHER_PASSWORD),
                    new_password_confirm: None,
                };
                async move {
                    match at {
                        0..12 => accounts.change_password(&here, &change).await.err(),
                        12..15 => accounts.confirm_email(&visitor_from(at), &with_new_password(&confirmation)).await.err(),
                        _ => accounts.reset_password(&visitor_from(at), &reset_by(&reset)).await.err(),
                    }
                }
            }).await;
            for (at, error) in answers.into_iter().enumerate() {
                let broke = matches!(error, Some(Error::Internal(_) | Error::Refused(Refusal::Unavailable { .. })));
                assert!(!broke, "round {round}, call {at}: {error:?}");
            }
        }
    }

    async fn a_password_of_another_is_not_found_out_by_signing_up(world: World) {
        let first = world.accounts.register(&visitor(), &full_form()).await.expect("a sign-up");
        let other = RegistrationForm { first_name: "Eve".into(), ..form(ADA) };
        let second = world.accounts.register(&visitor_from(1), &other).await.expect("a sign-up");
        assert_ne!(first.user_id, second.user_id);
        let evil = "SELECT count(*) FROM users WHERE first_name = 'Eve'";
        assert_eq!((world.rows("users").await, world.count(evil.into()).await), (2, 1));

        let optional = world.optional().await;
        let theirs = session_of(optional.register(&visitor_from(2), &form(ADA)).await.expect("a sign-up"));
        let again = session_of(optional.register(&visitor_from(3), &form(ADA)).await.expect("a sign-up"));
        assert_ne!(theirs.signed_in.user.id, again.signed_in.user.id);
    }

    async fn of_many_proofs_at_once_one_counts_and_none_breaks(world: World) {
        for round in 0..10 {
            world.run("DELETE FROM users").await;
            world.advance(TimeDelta::hours(2));
            let accounts = world.with(|settings| {
                settings.rate_limits = false;
                settings.email_verification = if round % 2 == 0 { EmailVerification::Mandatory } else { EmailVerification::Optional };
            }).await;
            let first = accounts.register(&visitor(), &form(ADA)).await.expect("a sign-up");
            let second = accounts.register(&visitor_from(1), &form(ADA)).await.expect("a sign-up");
            let confirmation = world.token_to(ADA).await;
            let code = world.code_to(ADA).await;
            world.advance(TimeDelta::seconds(1));
            let request = accounts.request_password_reset(&visitor_from(2), ADA).await.expect("asked");
            let reset = world.token_to(ADA).await;
            let answers = at_once(16, |at| {
                let (accounts, code, confirmation) = (accounts.clone(), code.clone(), confirmation.clone());
                let reset = PasswordResetForm { request: request.clone(), ..reset_by(&reset) };
                let client = |registered: &Registered| Visitor {
                    signed_in: registered.session.as_ref().map(|session| session.signed_in.clone()),
                    ..finishing(registered)
                };
                let (first, second) = (client(&first), client(&second));
                async move {
                    match at % 4 {
                        0 => accounts.confirm_email(&first, &by_code(&code)).await.err(),
                        1 => accounts.confirm_email(&second, &by_token(&confirmation)).await.err(),
                        2 => accounts.confirm_email(&visitor_from(at), &with_new_password(&confirmation)).await.err(),
                        _ => accounts.reset_password(&visitor_from(at), &reset).await.err(),
                    }
                }
            }).await;
            for (at, error) in answers.into_iter().enumerate() {
                let broke = matches!(error, Some(Error::Internal(_) | Error::Refused(Refusal::Unavailable { .. })));
                assert!(!broke, "round {round}, proof {}: {error:?}", at % 4);
            }
            assert_eq!(world.count("SELECT count(*) FROM users WHERE verified_at IS NOT NULL".into()).await, 1);
            assert_eq!(world.count("SELECT count(*) FROM users WHERE address_held_at IS NOT NULL".into()).await, 1);
        }
    }
}
