//! Browsers that have signed in before, on both engines.

mod support;

use accounts::{EmailVerification, LoginStep, NewSession, Visitor};
use chrono::TimeDelta;
use contract::Refusal;
use contract::password_reset::PasswordResetForm;
use support::*;

const EMAIL: &str = "ada@example.com";

/// The browser of this session, signed out, somewhere in the world.
fn browser(session: &NewSession, from: u16) -> Visitor {
    Visitor { device: session.device.clone(), ..visitor_from(from) }
}

impl World {
    async fn try_as(&self, visitor: &Visitor, email: &str, password: &str) -> accounts::Result<LoginStep> {
        self.accounts.sign_in(visitor, &login(email, password)).await
    }

    /// Many machines guess, until nobody may try from anywhere.
    async fn attack(&self, email: &str) {
        for network in 500..600 {
            let tried = self.try_as(&visitor_from(network), email, OTHER_PASSWORD).await;
            if matches!(tried, Err(accounts::Error::Refused(Refusal::RateLimited { .. }))) {
                return;
            }
        }
        let refused = refusal(self.try_as(&visitor_from(700), email, OTHER_PASSWORD).await);
        assert!(matches!(refused, Refusal::RateLimited { .. }), "{refused:?}");
    }
}

on_both_engines! {
    async fn strangers_cannot_use_up_the_tries_of_a_browser_that_signed_in_before(world: World) {
        let session = world.person(EMAIL).await;
        world.attack(EMAIL).await;
        let elsewhere = refusal(world.try_as(&visitor_from(1), EMAIL, PASSWORD).await);
        assert!(matches!(elsewhere, Refusal::RateLimited { .. }), "{elsewhere:?}");
        for from in [2, 3] {
            done(world.try_as(&browser(&session, from), " ADA@example.com ", PASSWORD).await);
        }
    }

    async fn a_known_browser_has_five_tries_too_wherever_it_is(world: World) {
        let session = world.person(EMAIL).await;
        for from in 0..5 {
            let wrong = refusal(world.try_as(&browser(&session, from), EMAIL, OTHER_PASSWORD).await);
            assert_eq!(wrong, Refusal::InvalidCredentials);
        }
        let refused = refusal(world.try_as(&browser(&session, 9), EMAIL, PASSWORD).await);
        assert!(matches!(refused, Refusal::RateLimited { .. }), "{refused:?}");
        // Those are its own: elsewhere the owner is not kept out by them.
        done(world.try_as(&visitor_from(10), EMAIL, PASSWORD).await);
    }

    async fn what_is_not_known_here_has_no_tries_of_its_own(world: World) {
        let session = world.person(EMAIL).await;
        let others = world.person("eve@example.com").await.device.expect("a device");
        world.attack(EMAIL).await;
        let known = session.device.expect("a device");
        let mut forged = known.clone();
        forged.replace_range(5..6, if forged.as_bytes()[5] == b'A' { "B" } else { "A" });
        for device in [others, forged, known[..20].to_owned(), format!("{known}AAAA"), String::new(), "%".to_owned()] {
            let visitor = Visitor { device: Some(device.clone()), ..visitor_from(1) };
            let refused = refusal(world.try_as(&visitor, EMAIL, PASSWORD).await);
            assert!(matches!(refused, Refusal::RateLimited { .. }), "{device}");
        }
    }

    async fn whoever_only_signed_up_with_an_address_gets_no_tries_at_its_owner(world: World) {
        world.person(EMAIL).await;
        world.advance(TimeDelta::hours(1));
        let optional = world.with(|settings| settings.email_verification = EmailVerification::Optional).await;
        let eve = optional.register(&visitor(), &form(EMAIL)).await.expect("a sign-up").session.expect("signed in");
        assert_eq!(eve.device, None);
        let bob = optional.register(&visitor(), &form("bob@example.com")).await.expect("a sign-up");
        let again = done(optional.sign_in(&visitor(), &login("bob@example.com", PASSWORD)).await);
        assert_eq!(bob.session.expect("signed in").device, None);
        assert_eq!(again.device, None, "not yet proven");
        let token = world.token_to("bob@example.com").await;
        let proven = signed_in(optional.confirm_email(&as_person(&again), &by_token(&token)).await);
        assert!(proven.device.is_some(), "proven");

        let off = world.with(|settings| settings.email_verification = EmailVerification::Off).await;
        let carol = off.register(&visitor(), &form("carol@example.com")).await.expect("a sign-up");
        assert!(carol.session.expect("signed in").device.is_some(), "nobody else can have the address there");
    }

    async fn a_device_is_forgotten_after_half_a_year_without_a_sign_in(world: World) {
        let session = world.person(EMAIL).await;
        world.advance(TimeDelta::days(100));
        let again = done(world.try_as(&browser(&session, 1), EMAIL, PASSWORD).await);
        world.advance(TimeDelta::days(100));
        world.attack(EMAIL).await;
        let refused = refusal(world.try_as(&browser(&session, 2), EMAIL, PASSWORD).await);
        assert!(matches!(refused, Refusal::RateLimited { .. }), "{refused:?}");
        done(world.try_as(&browser(&again, 3), EMAIL, PASSWORD).await);
    }

    async fn one_browser_is_known_to_five_people_and_says_nothing_of_whom(world: World) {
        let mut device = None;
        for at in 0..7 {
            let email = format!("p{at}@example.com");
            world.person(&email).await;
            world.advance(TimeDelta::minutes(5));
            let visitor = Visitor { device, ..visitor_from(1) };
            device = done(world.try_as(&visitor, &email, PASSWORD).await).device;
        }
        let visitor = Visitor { device: device.clone(), ..visitor_from(2) };
        for (at, is_known) in [(1, false), (2, true), (6, true)] {
            let email = format!("p{at}@example.com");
            world.advance(TimeDelta::minutes(1));
            world.attack(&email).await;
            assert_eq!(world.try_as(&visitor, &email, PASSWORD).await.is_ok(), is_known, "{email}");
        }
        assert!(device.expect("a device").len() <= 160);
    }

    async fn a_new_password_is_the_end_of_every_device_that_was_known_before(world: World) {
        const THIRD: &str = "a third one of mine";
        let before = world.person(EMAIL).await;
        let thief = done(world.try_as(&visitor_from(7), EMAIL, PASSWORD).await);
        world.advance(TimeDelta::minutes(10));
        let change = contract::password_change::PasswordChangeForm {
            old_password: contract::Password::new(PASSWORD),
            new_password: contract::Password::new(THIRD),
            new_password_confirm: None,
        };
        let here = world.accounts.change_password(&as_person(&before), &change).await.expect("changed");
        for device in [&before, &thief] {
            world.attack(EMAIL).await;
            let refused = refusal(world.try_as(&browser(device, 8), EMAIL, THIRD).await);
            assert!(matches!(refused, Refusal::RateLimited { .. }), "{refused:?}");
        }
        let here = done(world.try_as(&browser(&here, 9), EMAIL, THIRD).await);
        world.advance(TimeDelta::minutes(10));
        let request = world.accounts.request_password_reset(&visitor_from(10), EMAIL).await.expect("asked");
        let token = world.token_to(EMAIL).await;
        let form = PasswordResetForm { token, request, new_password: contract::Password::new(PASSWORD), ..PasswordResetForm::default() };
        world.accounts.reset_password(&visitor_from(10), &form).await.expect("a new password");
        world.attack(EMAIL).await;
        let refused = refusal(world.try_as(&browser(&here, 11), EMAIL, PASSWORD).await);
        assert!(matches!(refused, Refusal::RateLimited { .. }), "{refused:?}");
    }

    async fn a_reset_by_the_mailbox_gives_the_account_its_tries_back(world: World) {
        world.person(EMAIL).await;
        world.advance(TimeDelta::seconds(1));
        let request = world.accounts.request_password_reset(&visitor(), EMAIL).await.expect("asked");
        world.attack(EMAIL).await;
        let token = world.token_to(EMAIL).await;
        let form = PasswordResetForm { token, request, new_password: contract::Password::new(OTHER_PASSWORD), ..PasswordResetForm::default() };
        world.accounts.reset_password(&visitor_from(1), &form).await.expect("a new password");
        done(world.try_as(&visitor_from(2), EMAIL, OTHER_PASSWORD).await);
    }
}
