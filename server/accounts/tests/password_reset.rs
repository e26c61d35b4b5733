//! Getting back in without the password, on both engines.

mod support;

use accounts::{LetterLink, LoginStep};
use chrono::TimeDelta;
use contract::password_reset::PasswordResetForm;
use contract::{Fault, Field, Password, Refusal};
use support::*;

const EMAIL: &str = "ada@example.com";

fn with_token(token: &str, password: &str) -> PasswordResetForm {
    PasswordResetForm { token: token.to_owned(), new_password: Password::new(password), ..PasswordResetForm::default() }
}

fn with_code(email: &str, code: &str, password: &str) -> PasswordResetForm {
    PasswordResetForm {
        email: email.to_owned(),
        code: code.to_owned(),
        new_password: Password::new(password),
        ..PasswordResetForm::default()
    }
}

impl World {
    async fn ask(&self, email: &str) {
        // The hands of the clock stand still, and what came later must be told from what came before.
        self.advance(TimeDelta::seconds(1));
        let request = self.accounts.request_password_reset(&visitor(), email).await.expect("the same answer");
        *self.reset_request.lock().expect("no panic") = Some(request);
    }

    /// The client that asked last.
    fn asker(&self) -> accounts::Visitor {
        accounts::Visitor { reset_request: self.reset_request.lock().expect("no panic").clone(), ..visitor() }
    }

    async fn reset(&self, form: &PasswordResetForm) -> accounts::Result<accounts::PasswordReset> {
        self.advance(TimeDelta::seconds(1));
        self.accounts.reset_password(&self.asker(), form).await
    }

    /// Subjects of the letters to an address, newest first.
    async fn subjects(&self, email: &str) -> Vec<String> {
        self.letters_to(email).await.into_iter().map(|letter| letter.subject).collect()
    }
}

on_both_engines! {
    async fn a_reset_link_works_once(world: World) {
        world.person(EMAIL).await;
        world.ask(EMAIL).await;
        let token = world.token_to(EMAIL).await;
        let ready = LetterLink::Ready { email: EMAIL.into(), is_own: true, asks_password: false, begins_anew: false };
        assert_eq!(world.accounts.look_at_password_reset(&world.asker(), &token).await.expect("an answer"), ready);
        world.reset(&with_token(&token, OTHER_PASSWORD)).await.expect("a new password");
        done(world.sign_in(EMAIL, OTHER_PASSWORD).await);
        assert_eq!(refusal(world.sign_in(EMAIL, PASSWORD).await), Refusal::InvalidCredentials);
        assert_eq!(refusal(world.reset(&with_token(&token, "a third one of mine")).await), Refusal::TokenInvalid);
        assert_eq!(world.accounts.look_at_password_reset(&world.asker(), &token).await.expect("an answer"), LetterLink::Used);
        done(world.sign_in(EMAIL, OTHER_PASSWORD).await);
    }

    async fn a_code_does_what_the_link_does(world: World) {
        world.person(EMAIL).await;
        world.ask(EMAIL).await;
        let code = world.code_to(EMAIL).await;
        world.reset(&with_code(" ADA@example.com ", &code, OTHER_PASSWORD)).await.expect("a new password");
        done(world.sign_in(EMAIL, OTHER_PASSWORD).await);
        assert_eq!(faults(world.reset(&with_code(EMAIL, &code, "a third one of mine")).await), [(Field::Code, Fault::Incorrect)]);
    }

    async fn a_typing_mistake_spends_neither_link_nor_code(world: World) {
        world.person(EMAIL).await;
        world.ask(EMAIL).await;
        let (token, code) = (world.token_to(EMAIL).await, world.code_to(EMAIL).await);
        for (typed, fault) in [
            ("", Fault::Missing), ("short", Fault::TooShort), ("password1234", Fault::TooCommon),
            ("ada@example.com", Fault::ContainsEmail), (PASSWORD, Fault::Unchanged),
        ] {
            assert_eq!(faults(world.reset(&with_token(&token, typed)).await), [(Field::NewPassword, fault)], "{typed}");
            assert_eq!(faults(world.reset(&with_code(EMAIL, &code, typed)).await), [(Field::NewPassword, fault)], "{typed}");
        }
        assert_eq!(world.count("SELECT count(*) FROM one_time_tokens WHERE attempts > 0 AND purpose = 'reset_password'".into()).await, 0);
        world.reset(&with_code(EMAIL, &code, OTHER_PASSWORD)).await.expect("a new password");
    }

    async fn a_code_works_only_for_the_client_that_asked_and_the_link_anywhere(world: World) {
        world.person(EMAIL).await;
        world.ask(EMAIL).await;
        let (token, code) = (world.token_to(EMAIL).await, world.code_to(EMAIL).await);
        let strangers = world.accounts.request_password_reset(&visitor_from(1), "other@example.com").await.expect("asked");
        for request in ["", "x", &strangers] {
            for _ in 0..6 {
                let form = PasswordResetForm { request: request.into(), ..with_code(EMAIL, &code, OTHER_PASSWORD) };
                let answer = world.accounts.reset_password(&visitor_from(2), &form).await;
                assert_eq!(faults(answer), [(Field::Code, Fault::Incorrect)]);
            }
        }
        // Nor have they used up the tries of the one who asked.
        let seen = world.accounts.look_at_password_reset(&visitor_from(2), &token).await.expect("an answer");
        assert_eq!(seen, LetterLink::Ready { email: "a•••@e•••.com".into(), is_own: false, asks_password: false, begins_anew: false });
        world.reset(&with_code(EMAIL, &code, OTHER_PASSWORD)).await.expect("a new password");
        world.ask(EMAIL).await;
        let token = world.token_to(EMAIL).await;
        world.accounts.reset_password(&visitor_from(3), &with_token(&token, PASSWORD)).await.expect("a new password");
    }

    async fn a_code_has_five_tries_and_strangers_are_not_told_of_them(world: World) {
        world.person(EMAIL).await;
        world.ask(EMAIL).await;
        let code = world.code_to(EMAIL).await;
        for _ in 0..7 {
            let guess = world.reset(&with_code(EMAIL, &wrong(&code), OTHER_PASSWORD)).await;
            assert_eq!(faults(guess), [(Field::Code, Fault::Incorrect)]);
            let unknown = world.reset(&with_code("nobody@example.com", "481920", OTHER_PASSWORD)).await;
            assert_eq!(faults(unknown), [(Field::Code, Fault::Incorrect)]);
        }
        assert_eq!(faults(world.reset(&with_code(EMAIL, &code, OTHER_PASSWORD)).await), [(Field::Code, Fault::Incorrect)]);
        done(world.sign_in(EMAIL, PASSWORD).await);
    }

    async fn strangers_cannot_use_up_the_tries_of_whoever_asked(world: World) {
        world.person(EMAIL).await;
        world.ask(EMAIL).await;
        let code = world.code_to(EMAIL).await;
        for at in 0..60 {
            let guess = with_code(EMAIL, &wrong(&code), OTHER_PASSWORD);
            assert!(world.accounts.reset_password(&visitor_from(at), &guess).await.is_err());
        }
        world.reset(&with_code(EMAIL, &code, OTHER_PASSWORD)).await.expect("a new password");
    }

    async fn only_the_newest_letter_works_and_for_half_an_hour(world: World) {
        world.person(EMAIL).await;
        world.ask(EMAIL).await;
        let first = world.token_to(EMAIL).await;
        world.advance(TimeDelta::minutes(1));
        world.ask(EMAIL).await;
        let second = world.token_to(EMAIL).await;
        assert_ne!(first, second);
        assert_eq!(refusal(world.reset(&with_token(&first, OTHER_PASSWORD)).await), Refusal::TokenInvalid);
        world.advance(TimeDelta::minutes(30) - TimeDelta::seconds(2));
        assert!(matches!(world.accounts.look_at_password_reset(&world.asker(), &second).await, Ok(LetterLink::Ready { .. })));
        world.advance(TimeDelta::seconds(1));
        assert_eq!(refusal(world.reset(&with_token(&second, OTHER_PASSWORD)).await), Refusal::TokenExpired);
        assert!(matches!(world.accounts.look_at_password_reset(&world.asker(), &second).await, Ok(LetterLink::Expired { superseded: false, .. })));
    }

    async fn a_change_of_the_password_kills_the_letters_asked_before(world: World) {
        let session = world.person(EMAIL).await;
        world.ask(EMAIL).await;
        let (token, code) = (world.token_to(EMAIL).await, world.code_to(EMAIL).await);
        world.advance(TimeDelta::minutes(1));
        let form = contract::password_change::PasswordChangeForm {
            old_password: Password::new(PASSWORD), new_password: Password::new(OTHER_PASSWORD), new_password_confirm: None,
        };
        world.accounts.change_password(&as_person(&session), &form).await.expect("changed");
        assert_eq!(refusal(world.reset(&with_token(&token, "a third one of mine")).await), Refusal::TokenInvalid);
        assert_eq!(faults(world.reset(&with_code(EMAIL, &code, "a third one of mine")).await), [(Field::Code, Fault::Incorrect)]);
        // Even if the row had not been marked: it is bound to the password it was asked under.
        world.run("UPDATE one_time_tokens SET superseded_at = NULL").await;
        assert_eq!(refusal(world.reset(&with_token(&token, "a third one of mine")).await), Refusal::TokenInvalid);
        done(world.sign_in(EMAIL, OTHER_PASSWORD).await);
    }

    async fn every_request_is_one_answer_and_one_letter(world: World) {
        world.person("known@example.com").await;
        world.sign_up("unconfirmed@example.com").await;
        world.person("disabled@example.com").await;
        world.accounts.disable("disabled@example.com").await.expect("disabled");
        let people = ["known@example.com", "unconfirmed@example.com", "disabled@example.com", "unknown@example.com"];
        for email in people {
            let letters = world.letters_to(email).await.len();
            let rows = world.rows("outbox").await + world.rows("one_time_tokens").await;
            world.ask(email).await;
            assert_eq!(world.letters_to(email).await.len(), letters + 1, "{email}");
            // The nothing of those without an account stands for the token of those with one.
            assert_eq!(world.rows("outbox").await + world.rows("one_time_tokens").await, rows + 2, "{email}");
        }
        let subjects = |email| world.subjects(email);
        for email in &people[..2] {
            assert!(subjects(email).await[0].ends_with("is your Vestibule password reset code"), "{email}");
        }
        for email in &people[2..] {
            assert_eq!(subjects(email).await[0], "There is no Vestibule account for this address");
        }
    }

    async fn the_letter_goes_to_the_stored_address(world: World) {
        world.person("anna@münchen.example").await;
        for typed in ["ANNA@MÜNCHEN.example", "anna@xn--mnchen-3ya.example", "  anna@münchen.example "] {
            let before = world.letters_to("anna@münchen.example").await.len();
            world.ask(typed).await;
            assert_eq!(world.letters_to("anna@münchen.example").await.len(), before + 1, "{typed}");
        }
        assert_eq!(world.letters_to("anna@xn--mnchen-3ya.example").await.len(), 0);
    }

    async fn asking_changes_nothing(world: World) {
        let session = world.person(EMAIL).await;
        world.ask(EMAIL).await;
        let token = world.token_to(EMAIL).await;
        for _ in 0..5 {
            world.accounts.look_at_password_reset(&world.asker(), &token).await.expect("an answer");
        }
        assert!(world.is_alive(&session.access).await);
        done(world.sign_in(EMAIL, PASSWORD).await);
        world.reset(&with_token(&token, OTHER_PASSWORD)).await.expect("still good");
    }

    async fn a_reset_ends_every_session_signs_nobody_in_and_tells_the_owner(world: World) {
        let one = world.person(EMAIL).await;
        let two = done(world.sign_in(EMAIL, PASSWORD).await);
        world.ask(EMAIL).await;
        let token = world.token_to(EMAIL).await;
        world.reset(&with_token(&token, OTHER_PASSWORD)).await.expect("a new password");
        for session in [one, two] {
            assert!(!world.is_alive(&session.access).await);
            assert_eq!(refusal(world.renew(&session.refresh.expose()).await), Refusal::SessionInvalid);
        }
        assert_eq!(world.live_sessions().await, 0);
        assert_eq!(world.subjects(EMAIL).await[0], "Your Vestibule password was changed");
        assert_eq!(world.count("SELECT count(*) FROM audit_events WHERE event = 'password.reset'".into()).await, 1);
    }

    async fn whoever_proves_the_mailbox_takes_an_unconfirmed_account_from_whoever_made_it(world: World) {
        // Mallory signs up with Ada's address; Ada asks for a new password.
        world.sign_up(EMAIL).await;
        world.rest();
        world.ask(EMAIL).await;
        let token = world.token_to(EMAIL).await;
        world.reset(&with_token(&token, OTHER_PASSWORD)).await.expect("a new password");
        let session = done(world.sign_in(EMAIL, OTHER_PASSWORD).await);
        assert!(session.signed_in.user.email_verified);
        assert!(!matches!(world.sign_in(EMAIL, PASSWORD).await, Ok(LoginStep::Done(_))), "Mallory's password is gone");
    }

    async fn a_confirmation_with_a_new_password_kills_the_letters_asked_before(world: World) {
        world.sign_up(EMAIL).await;
        let confirm = world.token_to(EMAIL).await;
        world.ask(EMAIL).await;
        let reset = world.token_to(EMAIL).await;
        let form = contract::confirmation::ConfirmationForm { new_password: Password::new(OTHER_PASSWORD), ..by_token(&confirm) };
        signed_in(world.accounts.confirm_email(&visitor(), &form).await);
        assert_eq!(refusal(world.reset(&with_token(&reset, "a third one of mine")).await), Refusal::TokenInvalid);
        world.run("UPDATE one_time_tokens SET superseded_at = NULL WHERE purpose = 'reset_password'").await;
        assert_eq!(refusal(world.reset(&with_token(&reset, "a third one of mine")).await), Refusal::TokenInvalid);
        done(world.sign_in(EMAIL, OTHER_PASSWORD).await);
    }

    async fn ones_own_name_is_no_new_password_wherever_it_is_chosen(world: World) {
        world.person(EMAIL).await;
        world.ask(EMAIL).await;
        let (token, code) = (world.token_to(EMAIL).await, world.code_to(EMAIL).await);
        let fault = [(Field::NewPassword, Fault::TooCommon)];
        assert_eq!(faults(world.reset(&with_token(&token, "adaobrienadaobrien")).await), fault);
        assert_eq!(faults(world.reset(&with_code(EMAIL, &code, "adaobrienadaobrien")).await), fault);
        assert_eq!(world.count("SELECT count(*) FROM one_time_tokens WHERE attempts > 0 AND purpose = 'reset_password'".into()).await, 0);
    }

    async fn a_disabled_person_does_not_come_back_by_a_letter(world: World) {
        world.person(EMAIL).await;
        world.ask(EMAIL).await;
        let (token, code) = (world.token_to(EMAIL).await, world.code_to(EMAIL).await);
        world.accounts.disable(EMAIL).await.expect("disabled");
        assert_eq!(refusal(world.reset(&with_token(&token, OTHER_PASSWORD)).await), Refusal::TokenInvalid);
        assert_eq!(faults(world.reset(&with_code(EMAIL, &code, OTHER_PASSWORD)).await), [(Field::Code, Fault::Incorrect)]);
        assert!(!matches!(world.accounts.look_at_password_reset(&world.asker(), &token).await, Ok(LetterLink::Ready { .. })));
        world.accounts.enable(EMAIL).await.expect("enabled");
        assert_eq!(refusal(world.reset(&with_token(&token, OTHER_PASSWORD)).await), Refusal::TokenInvalid);
        done(world.sign_in(EMAIL, PASSWORD).await);
    }

    async fn a_letter_of_one_purpose_is_nothing_to_the_other(world: World) {
        let registered = world.sign_up(EMAIL).await;
        let (confirm, code) = (world.token_to(EMAIL).await, world.code_to(EMAIL).await);
        assert_eq!(refusal(world.reset(&with_token(&confirm, OTHER_PASSWORD)).await), Refusal::TokenInvalid);
        assert_eq!(faults(world.reset(&with_code(EMAIL, &code, OTHER_PASSWORD)).await), [(Field::Code, Fault::Incorrect)]);
        world.ask(EMAIL).await;
        let reset = world.token_to(EMAIL).await;
        assert_eq!(refusal(world.accounts.confirm_email(&finishing(&registered), &by_token(&reset)).await), Refusal::TokenInvalid);
    }

    async fn one_network_asks_three_times_an_hour_for_one_address(world: World) {
        world.person(EMAIL).await;
        for _ in 0..3 {
            world.ask(EMAIL).await;
            world.letters_to(EMAIL).await;
            world.ask("unknown@example.com").await;
        }
        for email in [EMAIL, "ADA@example.com", "unknown@example.com"] {
            let answer = world.accounts.request_password_reset(&visitor(), email).await;
            assert!(matches!(refusal(answer), Refusal::RateLimited { .. }), "{email}");
            world.accounts.request_password_reset(&visitor_from(9), email).await.expect("strangers do not use it up");
        }
        let token = world.token_to(EMAIL).await;
        world.reset(&with_token(&token, OTHER_PASSWORD)).await.expect("the last letter works all the same");
    }

    async fn fifty_uses_of_one_letter_are_one_new_password_and_one_notice(world: World) {
        world.person(EMAIL).await;
        let accounts = world.with(|settings| settings.rate_limits = false).await;
        for _ in 0..5 {
            world.advance(TimeDelta::minutes(1));
            let request = accounts.request_password_reset(&visitor(), EMAIL).await.expect("asked");
            let (token, code) = (world.token_to(EMAIL).await, world.code_to(EMAIL).await);
            let letters = world.letters_to(EMAIL).await.len();
            let answers = at_once(50, |at| {
                let (accounts, password) = (accounts.clone(), format!("the password number {at} of mine"));
                let form = if at % 10 == 0 { with_code(EMAIL, &code, &password) } else { with_token(&token, &password) };
                let form = PasswordResetForm { request: request.clone(), ..form };
                async move { (accounts.reset_password(&visitor_from(at), &form).await.is_ok(), password) }
            }).await;
            let good: Vec<_> = answers.into_iter().filter(|(taken, _)| *taken).map(|(_, password)| password).collect();
            assert_eq!(good.len(), 1);
            done(accounts.sign_in(&visitor(), &login(EMAIL, &good[0])).await);
            assert_eq!(world.letters_to(EMAIL).await.len(), letters + 1, "one notice");
        }
    }
}
