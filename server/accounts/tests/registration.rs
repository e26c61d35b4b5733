//! Sign-up, on both engines.

mod support;

use accounts::{EmailVerification, RegistrationPolicy};
use chrono::TimeDelta;
use contract::registration::RegistrationForm;
use contract::{Fault, Field, Password, Refusal};
use support::*;

on_both_engines! {
    async fn a_sign_up_makes_an_account_a_proof_and_a_letter_in_one_go(world: World) {
        let registered = world.sign_up("Ada@Example.com").await;
        assert!(registered.email_sent && registered.session.is_none());
        assert_eq!((world.rows("users").await, world.rows("one_time_tokens").await), (1, 1));
        let letters = world.letters_to("ada@example.com").await;
        assert_eq!(letters.len(), 1);
        let code = letters[0].code.as_deref().expect("a code");
        assert_eq!(letters[0].subject, format!("{code} is your Vestibule code"));
        assert!(letters[0].text.contains(code) && letters[0].html.contains(code));
        assert_eq!(world.live_sessions().await, 0);
    }

    async fn what_is_pasted_is_kept_as_it_is_meant(world: World) {
        let pasted = RegistrationForm {
            first_name: "\u{feff}Zoë\u{200b} ".into(),
            phone: "\u{202a}tel:+44\u{a0}(0)20\u{2011}7946 ００１８\u{202c}".into(),
            ..form("\u{200e}ada@example.com\u{200b}")
        };
        world.accounts.register(&visitor(), &pasted).await.expect("taken in");
        let kept = "email = 'ada@example.com' AND email_key = 'ada@example.com' AND first_name = 'Zoë' AND phone = '+442079460018'";
        assert_eq!(world.count(format!("SELECT count(*) FROM users WHERE {kept}")).await, 1);
        assert_eq!(world.letters_to("ada@example.com").await.len(), 1);
        let bad = RegistrationForm {
            first_name: "\u{3164}".into(),
            last_name: "-".into(),
            phone: "07946 123456".into(),
            ..form("b\u{200b}ob@example.com")
        };
        assert_eq!(faults(world.accounts.register(&visitor(), &bad).await), [
            (Field::Email, Fault::Invisible),
            (Field::FirstName, Fault::Missing),
            (Field::LastName, Fault::Missing),
            (Field::Phone, Fault::NoCountryCode),
        ]);
        assert_eq!(world.rows("users").await, 1);
    }

    async fn after_a_refusal_there_is_no_row_and_no_letter(world: World) {
        let bad = RegistrationForm { email: "not an address".into(), ..form("") };
        assert_eq!(faults(world.accounts.register(&visitor(), &bad).await), [(Field::Email, Fault::Malformed)]);
        let common = RegistrationForm { password: Password::new("password1234"), ..form("a@example.com") };
        assert_eq!(faults(world.accounts.register(&visitor(), &common).await), [(Field::Password, Fault::TooCommon)]);
        let admin = RegistrationForm { user_type: "admin".into(), ..form("a@example.com") };
        assert_eq!(faults(world.accounts.register(&visitor(), &admin).await), [(Field::UserType, Fault::NotOffered)]);
        let look_alike = form("a@ｅxample.com");
        assert_eq!(faults(world.accounts.register(&visitor(), &look_alike).await), [(Field::Email, Fault::Malformed)]);
        assert_eq!((world.rows("users").await, world.rows("outbox").await), (0, 0));
    }

    async fn every_spelling_of_a_mailbox_is_one_account(world: World) {
        for (at, email) in (0..).zip(["anna@münchen.example", "ANNA@MÜNCHEN.example", "anna@xn--mnchen-3ya.example"]) {
            world.accounts.register(&visitor_from(at), &form(email)).await.expect("the same answer");
        }
        assert_eq!(world.count("SELECT count(DISTINCT email_key) FROM users".into()).await, 1);
        assert_eq!(world.count("SELECT count(*) FROM outbox WHERE letter <> 'nothing'".into()).await, 1, "one letter");
    }

    async fn names_of_any_script_are_kept_as_typed(world: World) {
        let typed = RegistrationForm { first_name: "王".into(), last_name: "van der O’Brien".into(), phone: "+44 20 7946 0018".into(),
            user_type: "host".into(), ..form("w@example.com") };
        let registered = world.accounts.register(&visitor(), &typed).await.expect("a sign-up");
        let token = world.token_to("w@example.com").await;
        let user = signed_in(world.accounts.confirm_email(&finishing(&registered), &by_token(&token)).await).signed_in.user;
        assert_eq!((user.first_name.as_str(), user.last_name.as_str()), ("王", "van der O’Brien"));
        assert_eq!((user.phone.as_deref(), user.user_type.as_str()), (Some("+442079460018"), "host"));
        assert!(user.email_verified);
    }

    async fn a_taken_address_gets_the_same_answer_and_its_owner_a_letter(world: World) {
        world.person("ada@example.com").await;
        world.rest();
        let again = RegistrationForm { password: Password::new(OTHER_PASSWORD), ..form("ADA@example.com") };
        let registered = world.accounts.register(&visitor(), &again).await.expect("the same answer");
        assert!(registered.email_sent && registered.session.is_none());
        let letters = world.letters_to("ada@example.com").await;
        assert_eq!(letters[0].subject, "You already have an account at Vestibule");
        assert_eq!((letters[0].code.clone(), letters[0].link.clone()), (None, None));
        // Their password is as it was, and no code opens anything.
        done(world.sign_in("ada@example.com", PASSWORD).await);
        let visitor = finishing(&registered);
        for _ in 0..4 {
            let refused = faults(world.accounts.confirm_email(&visitor, &by_code("123456")).await);
            assert_eq!(refused, [(Field::Code, Fault::Incorrect)]);
        }
        let refused = faults(world.accounts.confirm_email(&visitor, &by_code("123456")).await);
        assert_eq!(refused, [(Field::Code, Fault::Exhausted)]);
    }

    async fn a_sign_up_and_a_sign_in_tell_no_stranger_whether_an_address_is_taken(world: World) {
        world.person("taken@example.com").await;
        world.rest();
        let mut stories = Vec::new();
        for email in ["taken@example.com", "free@example.com"] {
            let typed = RegistrationForm { password: Password::new(OTHER_PASSWORD), ..form(email) };
            world.accounts.register(&visitor_from(1), &typed).await.expect("the same answer");
            let mut story = Vec::new();
            for days in [0, 1, 20] {
                world.advance(TimeDelta::days(days));
                world.accounts.purge().await.expect("a purge");
                for password in [OTHER_PASSWORD, "neither the one nor the other"] {
                    let step = world.accounts.sign_in(&visitor_from(2), &login(email, password)).await;
                    story.push(match step {
                        Ok(accounts::LoginStep::ConfirmEmail(_)) => "confirm".to_owned(),
                        Ok(accounts::LoginStep::Done(_)) => "done".to_owned(),
                        Err(error) => error.to_string(),
                    });
                }
            }
            stories.push(story);
        }
        assert_eq!(stories[0], stories[1]);
        assert_eq!(stories[0][..2], ["confirm", "invalid_credentials"]);
        done(world.sign_in("taken@example.com", PASSWORD).await);
    }

    async fn where_proof_is_not_asked_no_account_is_ever_purged(world: World) {
        for mode in [EmailVerification::Off, EmailVerification::Optional] {
            let site = world.with(|settings| settings.email_verification = mode).await;
            site.register(&visitor(), &form(&format!("{mode:?}@example.com"))).await.expect("a sign-up");
        }
        world.advance(TimeDelta::days(100));
        for mode in [EmailVerification::Off, EmailVerification::Optional] {
            world.with(|settings| settings.email_verification = mode).await.purge().await.expect("a purge");
        }
        assert_eq!(world.rows("users").await, 2);
    }

    async fn an_owner_is_told_once_an_hour(world: World) {
        world.person("ada@example.com").await;
        for at in 0..5 {
            world.advance(TimeDelta::minutes(2));
            world.accounts.register(&visitor_from(at), &form("ada@example.com")).await.expect("the same answer");
        }
        let told = |letters: Vec<accounts::MailboxMessage>| letters.iter().filter(|letter| letter.code.is_none()).count();
        assert_eq!(told(world.letters_to("ada@example.com").await), 1);
        world.advance(TimeDelta::minutes(61));
        world.sign_up("ada@example.com").await;
        assert_eq!(told(world.letters_to("ada@example.com").await), 2);
    }

    async fn tries_of_a_code_tell_nobody_whether_an_address_is_taken(world: World) {
        world.person("taken@example.com").await;
        world.rest();
        let mut stories = Vec::new();
        for email in ["taken@example.com", "free@example.com"] {
            let mut story = Vec::new();
            for at in 0..3 {
                let client = finishing(&world.accounts.register(&visitor_from(at), &form(email)).await.expect("the same answer"));
                for _ in 0..6 {
                    // No letter has this code: the post office has not worked yet.
                    story.push(faults(world.accounts.confirm_email(&client, &by_code("999999")).await));
                }
                world.advance(TimeDelta::minutes(if at == 1 { 0 } else { 2 }));
            }
            stories.push(story);
        }
        assert_eq!(stories[0], stories[1]);
    }

    async fn a_stranger_who_signs_up_again_and_again_pushes_nobody_out(world: World) {
        let accounts = world.with(|settings| settings.rate_limits = false).await;
        let victim = accounts.register(&visitor_from(3 * 256), &form("ada@example.com")).await.expect("a sign-up");
        let letter = world.letters_to("ada@example.com").await[0].clone();
        world.advance(TimeDelta::seconds(1));
        // From one /24, and from a few others.
        for at in 0..150 {
            accounts.register(&visitor_from(at + at % 3 * 1024), &form("ada@example.com")).await.expect("a sign-up");
        }
        let kept = "SELECT count(*) FROM users WHERE email = 'ada@example.com'";
        assert_eq!(world.count(kept.into()).await, 100);
        let code = by_code(letter.code.as_deref().expect("a code"));
        let owner = signed_in(accounts.confirm_email(&finishing(&victim), &code).await);
        assert_eq!(owner.signed_in.user.id, victim.user_id);
    }

    async fn nobody_is_written_more_than_six_letters_an_hour(world: World) {
        for at in 0..20 {
            world.accounts.register(&visitor_from(at), &form("ada@example.com")).await.expect("the same answer");
            world.letters_to("ada@example.com").await;
            world.advance(TimeDelta::seconds(90));
        }
        assert_eq!(world.letters_to("ada@example.com").await.len(), 6);
    }

    async fn a_taken_and_a_free_address_cost_the_same_rows(world: World) {
        world.person("ada@example.com").await;
        world.rest();
        let before = (world.rows("outbox").await, world.rows("one_time_tokens").await);
        world.sign_up("ada@example.com").await;
        world.sign_up("free@example.com").await;
        let after = (world.rows("outbox").await, world.rows("one_time_tokens").await);
        assert_eq!((after.0 - before.0, after.1 - before.1), (2, 2));
    }

    async fn a_second_sign_up_neither_deletes_nor_changes_the_first(world: World) {
        let first = world.sign_up("ada@example.com").await;
        let code = world.code_to("ada@example.com").await;
        let other = RegistrationForm { password: Password::new(OTHER_PASSWORD), first_name: "Mallory".into(), ..form("ada@example.com") };
        world.accounts.register(&visitor_from(1), &other).await.expect("the same answer");
        assert_eq!(world.rows("users").await, 2, "each is an account of its own");
        // Within a minute there is one letter, and its code still works where it was asked for.
        assert_eq!(world.letters_to("ada@example.com").await.len(), 1);
        let user = signed_in(world.accounts.confirm_email(&finishing(&first), &by_code(&code)).await).signed_in.user;
        assert_eq!(user.first_name, "Ada");
        done(world.sign_in("ada@example.com", PASSWORD).await);
        let others = world.sign_in("ada@example.com", OTHER_PASSWORD).await;
        assert!(matches!(others, Ok(accounts::LoginStep::ConfirmEmail(_))), "{others:?}");
    }

    async fn whoever_proves_the_mailbox_gets_the_password_they_chose_themselves(world: World) {
        // Mallory signs up with Ada's address first; the letters go to Ada, who then signs up herself.
        let mallorys = RegistrationForm { password: Password::new(OTHER_PASSWORD), first_name: "Mallory".into(), ..form("ada@example.com") };
        let mallory = world.accounts.register(&visitor_from(1), &mallorys).await.expect("a sign-up");
        assert_eq!(world.letters_to("ada@example.com").await.len(), 1);
        world.advance(TimeDelta::minutes(2));
        let ada = world.sign_up("ada@example.com").await;
        let letters = world.letters_to("ada@example.com").await;
        assert_eq!(letters.len(), 2);
        let user = signed_in(world.accounts.confirm_email(&finishing(&ada), &by_token(&token_of(&letters[0]))).await).signed_in.user;
        assert_eq!(user.first_name, "Ada");
        done(world.sign_in("ada@example.com", PASSWORD).await);
        // Mallory's password opens nothing; it is still told to confirm, as if Ada had never come.
        let step = world.sign_in("ada@example.com", OTHER_PASSWORD).await;
        assert!(matches!(step, Ok(accounts::LoginStep::ConfirmEmail(_))), "{step:?}");
        // Mallory's client is left with nothing.
        let code = letters[0].code.clone().expect("a code");
        assert!(world.accounts.confirm_email(&finishing(&mallory), &by_code(&code)).await.is_err());
    }

    async fn the_same_clients_last_word_counts_without_a_second_letter(world: World) {
        let first = world.sign_up("ada@example.com").await;
        let corrected = RegistrationForm { password: Password::new(OTHER_PASSWORD), first_name: "Augusta".into(), ..form("ada@example.com") };
        world.advance(TimeDelta::seconds(20));
        let second = world.accounts.register(&finishing(&first), &corrected).await.expect("a sign-up");
        assert_eq!((second.user_id, world.rows("users").await), (first.user_id, 1));
        assert_eq!(world.letters_to("ada@example.com").await.len(), 1);
        // From another client, with the password that was typed last.
        let token = world.token_to("ada@example.com").await;
        let by_token = |password: &str| contract::confirmation::ConfirmationForm { password: Password::new(password), ..by_token(&token) };
        assert_eq!(faults(world.accounts.confirm_email(&visitor_from(1), &by_token(PASSWORD)).await), [(Field::CurrentPassword, Fault::Incorrect)]);
        let user = signed_in(world.accounts.confirm_email(&visitor_from(1), &by_token(OTHER_PASSWORD)).await).signed_in.user;
        assert_eq!((user.id, user.first_name.as_str()), (first.user_id, "Augusta"));
        done(world.sign_in("ada@example.com", OTHER_PASSWORD).await);
    }

    async fn a_client_that_gives_the_password_of_a_sign_up_gets_nothing_but_a_way_to_finish_it(world: World) {
        let typed = RegistrationForm { phone: "+44 20 7946 0018".into(), user_type: "host".into(), ..form("ada@example.com") };
        let registered = world.accounts.register(&visitor(), &typed).await.expect("a sign-up");
        let Ok(accounts::LoginStep::ConfirmEmail(pending)) = world.sign_in(" ADA@example.com ", PASSWORD).await else { panic!("signed in") };
        let shown: Vec<_> = pending.typed().into_iter().map(|(_, value)| value.to_owned()).collect();
        assert_eq!(shown, ["ADA@example.com", "", "", "", ""]);
        let client = accounts::Visitor { pending_sign_up: Some(*pending), ..visitor_from(3) };
        let code = world.code_to("ada@example.com").await;
        let user = signed_in(world.accounts.confirm_email(&client, &by_code(&code)).await).signed_in.user;
        assert_eq!((user.id, user.user_type.as_str()), (registered.user_id, "host"));
    }

    async fn after_too_many_sign_ups_with_one_address_the_mailbox_still_has_the_last_word(world: World) {
        let accounts = world.with(|settings| settings.rate_limits = false).await;
        let ada = accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        // From as many networks as sign-ups are kept, and more.
        for at in 1..=110 {
            world.advance(TimeDelta::seconds(1));
            let other = RegistrationForm { password: Password::new(format!("a password number {at} of a stranger")), ..form("ada@example.com") };
            accounts.register(&visitor_from(at * 256), &other).await.expect("a sign-up");
        }
        assert_eq!(world.rows("users").await, 100);
        let token = world.token_to("ada@example.com").await;
        assert_eq!(refusal(accounts.confirm_email(&finishing(&ada), &by_token(&token)).await), Refusal::PasswordRequired);
        let chosen = contract::confirmation::ConfirmationForm { new_password: Password::new(OTHER_PASSWORD), ..by_token(&token) };
        signed_in(accounts.confirm_email(&finishing(&ada), &chosen).await);
        done(world.sign_in("ada@example.com", OTHER_PASSWORD).await);
    }

    async fn a_letter_proves_the_mailbox_also_when_its_sign_up_was_pushed_out_and_no_other_may_be_sent(world: World) {
        let ada = world.sign_up("ada@example.com").await;
        for at in 0..8 {
            world.advance(TimeDelta::minutes(2));
            let from = accounts::Visitor { address: visitor_from(at).address, ..finishing(&ada) };
            world.accounts.resend_confirmation(&from, "").await.expect("the same answer");
        }
        let token = world.token_to("ada@example.com").await;
        for at in 1..=110 {
            world.advance(TimeDelta::milliseconds(100));
            world.accounts.register(&visitor_from(at * 256), &form("ada@example.com")).await.expect("a sign-up");
        }
        let without_password = refusal(world.accounts.confirm_email(&finishing(&ada), &by_token(&token)).await);
        assert_eq!(without_password, Refusal::PasswordRequired, "the sign-up of this client is gone");
        assert_eq!(world.token_to("ada@example.com").await, token, "no more letters");
        let chosen = contract::confirmation::ConfirmationForm { new_password: Password::new(OTHER_PASSWORD), ..by_token(&token) };
        signed_in(world.accounts.confirm_email(&finishing(&ada), &chosen).await);
        done(world.sign_in("ada@example.com", OTHER_PASSWORD).await);
    }

    async fn an_address_that_was_disabled_before_it_was_proven_stays_so(world: World) {
        world.sign_up("ada@example.com").await;
        assert_eq!(world.letters_to("ada@example.com").await.len(), 1);
        world.accounts.disable("ada@example.com").await.expect("disabled");
        world.rest();
        let again = RegistrationForm { password: Password::new(OTHER_PASSWORD), ..form("ada@example.com") };
        let client = world.accounts.register(&visitor(), &again).await.expect("the same answer");
        let letters = world.letters_to("ada@example.com").await;
        assert_eq!(letters.len(), 1, "the letter of the first sign-up only");
        let code = letters[0].code.clone().expect("a code");
        assert_eq!(faults(world.accounts.confirm_email(&finishing(&client), &by_code(&code)).await), [(Field::Code, Fault::Incorrect)]);
        assert_eq!(world.count("SELECT count(*) FROM users WHERE verified_at IS NOT NULL".into()).await, 0);
    }

    async fn five_sign_ups_a_minute_from_one_network_are_taken(world: World) {
        for at in 0..5 {
            world.sign_up(&format!("p{at}@example.com")).await;
        }
        let refused = refusal(world.accounts.register(&visitor(), &form("p5@example.com")).await);
        assert_eq!(refused, Refusal::RateLimited { retry_after: 12 });
        assert_eq!(world.rows("users").await, 5);
        world.accounts.register(&visitor_from(1), &form("p6@example.com")).await.expect("another network");
        world.advance(TimeDelta::seconds(12));
        world.sign_up("p5@example.com").await;
    }

    async fn closed_means_closed(world: World) {
        let closed = world.with(|settings| settings.registration = RegistrationPolicy::Closed).await;
        assert_eq!(refusal(closed.register(&visitor(), &form("a@example.com")).await), Refusal::RegistrationClosed);
        assert_eq!(world.rows("users").await, 0);
    }

    async fn without_proof_a_sign_up_is_a_sign_in(world: World) {
        let open = world.with(|settings| settings.email_verification = EmailVerification::Off).await;
        let registered = open.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        let session = registered.session.expect("a session");
        assert_eq!(session.signed_in.user.id, registered.user_id);
        assert!(!registered.email_sent && !session.signed_in.user.email_verified);
        assert!(world.letters_to("ada@example.com").await.is_empty());
        // There is no way to hide a taken address then, and no session on it.
        assert_eq!(refusal(open.register(&visitor(), &form("ada@example.com")).await), Refusal::EmailTaken);
        assert_eq!(world.live_sessions().await, 1);
    }

    async fn an_operator_may_choose_to_tell_of_taken_addresses(world: World) {
        world.person("ada@example.com").await;
        let telling = world.with(|settings| settings.prevent_enumeration = false).await;
        assert_eq!(refusal(telling.register(&visitor(), &form("ada@example.com")).await), Refusal::EmailTaken);
    }

    async fn consent_is_recorded_with_its_time(world: World) {
        let asking = world.with(|settings| settings.sign_up.terms_version = Some("2026-11".into())).await;
        let agreed = RegistrationForm { terms: "on".into(), ..form("ada@example.com") };
        asking.register(&visitor(), &agreed).await.expect("a sign-up");
        let recorded = "SELECT count(*) FROM users WHERE terms_version = '2026-11' AND terms_accepted_at = created_at";
        assert_eq!(world.count(recorded.into()).await, 1);
    }

    async fn a_sign_up_that_nobody_proves_is_forgotten(world: World) {
        world.sign_up("never@example.com").await;
        world.person("ada@example.com").await;
        world.advance(TimeDelta::days(31));
        world.accounts.purge().await.expect("a purge");
        assert_eq!(world.rows("users").await, 1);
    }
}
