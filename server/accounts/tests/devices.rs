//! Where one is signed in, and a person's own profile, on both engines.

mod support;

use accounts::Visitor;
use chrono::TimeDelta;
use contract::profile::ProfileForm;
use contract::{Fault, Field, Refusal};
use support::*;

const EMAIL: &str = "ada@example.com";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";

on_both_engines! {
    async fn a_person_sees_their_devices_named_in_words(world: World) {
        let here = world.person(EMAIL).await;
        world.advance(TimeDelta::minutes(1));
        let elsewhere = Visitor { user_agent: FIREFOX.to_owned(), ..visitor_from(7) };
        done(world.accounts.sign_in(&elsewhere, &login(EMAIL, PASSWORD)).await);
        world.person("eve@example.com").await;
        let devices = world.accounts.devices(&as_person(&here)).await.expect("devices");
        let seen: Vec<_> = devices.iter().map(|device| (device.name.as_str(), device.is_this, device.address.as_str())).collect();
        assert_eq!(seen, [("Firefox on Linux", false, "198.18.0.x"), ("An unknown device", true, "203.0.113.x")]);
        assert_eq!(refusal(world.accounts.devices(&visitor()).await), Refusal::NotAuthenticated);
    }

    async fn one_device_is_ended_and_no_other(world: World) {
        let here = world.person(EMAIL).await;
        let there = done(world.sign_in(EMAIL, PASSWORD).await);
        let eve = world.person("eve@example.com").await;
        let id = |session: &accounts::NewSession| session.signed_in.session_id.to_string();
        for unknown in [id(&eve), "junk".to_owned(), String::new(), uuid::Uuid::nil().to_string()] {
            assert_eq!(world.accounts.end_device(&as_person(&here), &unknown).await.expect("an answer"), None, "{unknown}");
        }
        assert!(world.is_alive(&eve.access).await);
        assert!(world.accounts.end_device(&as_person(&here), &id(&there)).await.expect("an answer").is_some());
        assert!(!world.is_alive(&there.access).await);
        assert_eq!(refusal(world.renew(&there.refresh.expose()).await), Refusal::SessionInvalid);
        assert!(world.is_alive(&here.access).await);
        assert_eq!(world.accounts.end_device(&as_person(&here), &id(&there)).await.expect("an answer"), None, "twice is once");
    }

    async fn all_others_are_ended_at_once(world: World) {
        let here = world.person(EMAIL).await;
        let others = [done(world.sign_in(EMAIL, PASSWORD).await), done(world.sign_in(EMAIL, PASSWORD).await)];
        let eve = world.person("eve@example.com").await;
        world.accounts.end_other_devices(&as_person(&here)).await.expect("ended");
        for other in others {
            assert!(!world.is_alive(&other.access).await);
        }
        assert!(world.is_alive(&here.access).await && world.is_alive(&eve.access).await);
        assert_eq!(world.accounts.devices(&as_person(&here)).await.expect("devices").len(), 1);
    }

    async fn nobody_has_more_than_a_hundred_sessions(world: World) {
        let first = world.person(EMAIL).await;
        let accounts = world.with(|settings| settings.rate_limits = false).await;
        let eve = world.person("eve@example.com").await;
        for _ in 0..100 {
            world.advance(TimeDelta::seconds(1));
            done(accounts.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await);
        }
        assert_eq!(world.live_sessions().await, 101);
        assert!(!world.is_alive(&first.access).await, "the oldest has ended");
        assert!(world.is_alive(&eve.access).await);
    }

    async fn a_device_that_was_not_used_for_two_weeks_is_not_shown(world: World) {
        world.person(EMAIL).await;
        world.advance(TimeDelta::days(14));
        let here = done(world.sign_in(EMAIL, PASSWORD).await);
        assert_eq!(world.accounts.devices(&as_person(&here)).await.expect("devices").len(), 1);
    }

    async fn signing_out_everywhere_needs_no_more_than_a_refresh_token(world: World) {
        let one = world.person(EMAIL).await;
        let two = done(world.sign_in(EMAIL, PASSWORD).await);
        let eve = world.person("eve@example.com").await;
        world.accounts.sign_out_everywhere(&visitor(), Some(&one.refresh.expose())).await.expect("signed out");
        assert!(!world.is_alive(&one.access).await && !world.is_alive(&two.access).await);
        assert!(world.is_alive(&eve.access).await);
        world.accounts.sign_out_everywhere(&visitor(), Some("junk")).await.expect("nothing to say");
        world.accounts.sign_out_everywhere(&as_person(&eve), None).await.expect("signed out");
        assert!(!world.is_alive(&eve.access).await);
    }

    async fn a_disabled_person_is_out_at_once_and_back_with_a_new_sign_in(world: World) {
        let session = world.person(EMAIL).await;
        world.accounts.hear_news().await.expect("news");
        assert!(world.is_alive(&session.access).await);
        world.accounts.disable(EMAIL).await.expect("disabled");
        assert!(!world.is_alive(&session.access).await);
        assert_eq!(refusal(world.renew(&session.refresh.expose()).await), Refusal::SessionInvalid);
        assert_eq!(refusal(world.sign_in(EMAIL, PASSWORD).await), Refusal::InvalidCredentials);
        world.accounts.enable(EMAIL).await.expect("enabled");
        assert!(!world.is_alive(&session.access).await, "what ended stays ended");
        done(world.sign_in(EMAIL, PASSWORD).await);
        assert_eq!(refusal(world.accounts.disable("nobody@example.com").await), Refusal::NotFound);
    }

    async fn a_profile_changes_where_it_may(world: World) {
        let here = world.person(EMAIL).await;
        let some = |text: &str| Some(text.to_owned());
        let form = ProfileForm { first_name: some(" Grace "), phone: some("+44 20 7946 0018"), ..ProfileForm::default() };
        world.advance(TimeDelta::minutes(1));
        let user = world.accounts.change_profile(&as_person(&here), &form).await.expect("changed");
        assert_eq!((user.first_name.as_str(), user.last_name.as_str(), user.phone.as_deref()), ("Grace", "O'Brien", Some("+442079460018")));
        assert!(user.updated_at > user.created_at);
        let seen = world.accounts.recognise(&here.access).await.expect("a person");
        assert_eq!(seen.user, user, "felt by the very next request");
        let form = ProfileForm { id: some("other"), email: some("eve@example.com"), user_type: some("admin"), last_name: some(""), ..ProfileForm::default() };
        let expected = [(Field::Id, Fault::ReadOnly), (Field::Email, Fault::ReadOnly), (Field::UserType, Fault::ReadOnly), (Field::LastName, Fault::Missing)];
        assert_eq!(faults(world.accounts.change_profile(&as_person(&here), &form).await), expected);
    }
}
