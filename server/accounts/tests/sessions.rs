//! The life of a session, on both engines.

mod support;

use chrono::TimeDelta;
use contract::Refusal;
use support::*;

/// Of good form, and of no session.
fn made_up(number: u16) -> String {
    format!("{number:0>42}A")
}

on_both_engines! {
    async fn signing_out_ends_both_tokens_at_once(world: World) {
        let session = world.person("ada@example.com").await;
        world.accounts.sign_out(&as_person(&session), None).await.expect("signed out");
        assert!(!world.is_alive(&session.access).await);
        assert_eq!(refusal(world.renew(&session.refresh.expose()).await), Refusal::SessionInvalid);
        world.accounts.sign_out(&visitor(), Some(&session.refresh.expose())).await.expect("twice is once");
    }

    async fn a_refresh_token_alone_can_sign_out(world: World) {
        let session = world.person("ada@example.com").await;
        world.accounts.sign_out(&visitor(), Some(&session.refresh.expose())).await.expect("signed out");
        assert!(!world.is_alive(&session.access).await);
        world.accounts.sign_out(&visitor(), Some("junk")).await.expect("nothing to say");
    }

    async fn an_access_token_lives_five_minutes(world: World) {
        let session = world.person("ada@example.com").await;
        world.advance(TimeDelta::seconds(299));
        assert!(world.is_alive(&session.access).await);
        world.advance(TimeDelta::seconds(2));
        assert!(!world.is_alive(&session.access).await);
    }

    async fn renewing_gives_new_tokens_of_the_same_session(world: World) {
        let session = world.person("ada@example.com").await;
        world.advance(TimeDelta::minutes(6));
        let renewed = world.renew(&session.refresh.expose()).await.expect("renewed");
        assert_eq!(renewed.signed_in.session_id, session.signed_in.session_id);
        assert_ne!(renewed.refresh.expose(), session.refresh.expose());
        assert!(world.is_alive(&renewed.access).await);
    }

    async fn asked_twice_within_the_grace_it_gives_the_same_successor(world: World) {
        let session = world.person("ada@example.com").await;
        let one = world.renew(&session.refresh.expose()).await.expect("renewed");
        world.advance(TimeDelta::seconds(9));
        let two = world.renew(&session.refresh.expose()).await.expect("renewed");
        assert_eq!(one.refresh.expose(), two.refresh.expose());
        world.renew(&two.refresh.expose()).await.expect("renewed");
    }

    async fn a_used_token_after_the_grace_ends_the_session(world: World) {
        let session = world.person("ada@example.com").await;
        world.advance(TimeDelta::seconds(1));
        let next = world.renew(&session.refresh.expose()).await.expect("renewed");
        assert!(world.is_alive(&next.access).await, "the answer has arrived");
        world.advance(TimeDelta::seconds(11));
        assert_eq!(refusal(world.renew(&session.refresh.expose()).await), Refusal::SessionInvalid);
        assert_eq!(refusal(world.renew(&next.refresh.expose()).await), Refusal::SessionInvalid);
        assert!(!world.is_alive(&next.access).await);
    }

    async fn a_theft_is_recorded_and_told_to_the_person(world: World) {
        let session = world.person("ada@example.com").await;
        world.advance(TimeDelta::seconds(1));
        let next = world.renew(&session.refresh.expose()).await.expect("renewed");
        assert!(world.is_alive(&next.access).await, "the answer has arrived");
        world.advance(TimeDelta::seconds(11));
        assert_eq!(refusal(world.renew(&session.refresh.expose()).await), Refusal::SessionInvalid);
        let letter = world.letters_to("ada@example.com").await.remove(0);
        assert_eq!(letter.subject, "Someone may have copied your Vestibule sign-in");
        assert!(letter.link.is_none() && letter.code.is_none(), "it proves nothing");
        assert_eq!(world.count("SELECT count(*) FROM audit_events WHERE event = 'session.reuse_detected'".into()).await, 1);
        assert_eq!(refusal(world.renew(&session.refresh.expose()).await), Refusal::SessionInvalid);
        assert_eq!(world.letters_to("ada@example.com").await.len(), 2, "once");
    }

    async fn a_lost_answer_is_asked_again_however_late(world: World) {
        let mut refresh = world.person("ada@example.com").await.refresh.expose();
        for lost in [TimeDelta::seconds(5), TimeDelta::minutes(3), TimeDelta::days(2)] {
            world.advance(TimeDelta::minutes(6));
            let first = world.renew(&refresh).await.expect("renewed, and the answer lost").refresh.expose();
            // What was sent before is no sign that the answer has arrived.
            world.advance(lost);
            let again = world.renew(&refresh).await.expect("the same again");
            assert_eq!(again.refresh.expose(), first);
            assert!(world.is_alive(&again.access).await);
            refresh = first;
        }
        assert_eq!(world.count("SELECT count(*) FROM audit_events WHERE event = 'session.reuse_detected'".into()).await, 0);
        assert_eq!(world.letters_to("ada@example.com").await.len(), 1, "nobody is told of a theft");
    }

    async fn a_predecessor_is_nobodys_once_its_successor_was_used(world: World) {
        let session = world.person("ada@example.com").await;
        let next = world.renew(&session.refresh.expose()).await.expect("renewed");
        world.renew(&next.refresh.expose()).await.expect("renewed");
        world.advance(TimeDelta::seconds(11));
        assert_eq!(refusal(world.renew(&session.refresh.expose()).await), Refusal::SessionInvalid);
        assert_eq!(world.live_sessions().await, 0);
    }

    async fn a_grandparent_ends_the_session_even_within_the_grace(world: World) {
        let session = world.person("ada@example.com").await;
        let child = world.renew(&session.refresh.expose()).await.expect("renewed");
        let grandchild = world.renew(&child.refresh.expose()).await.expect("renewed");
        assert_eq!(refusal(world.renew(&session.refresh.expose()).await), Refusal::SessionInvalid);
        assert_eq!(refusal(world.renew(&grandchild.refresh.expose()).await), Refusal::SessionInvalid);
    }

    async fn renewing_prolongs_the_idle_end_and_never_the_absolute_one(world: World) {
        let mut refresh = world.person("ada@example.com").await.refresh.expose();
        for _ in 0..2 {
            world.advance(TimeDelta::days(13));
            refresh = world.renew(&refresh).await.expect("renewed").refresh.expose();
        }
        world.advance(TimeDelta::days(4) - TimeDelta::seconds(1));
        let last = world.renew(&refresh).await.expect("renewed");
        assert_eq!(last.access_lives, TimeDelta::seconds(1));
        world.advance(TimeDelta::seconds(2));
        assert_eq!(refusal(world.renew(&last.refresh.expose()).await), Refusal::SessionExpired);
        assert!(!world.is_alive(&last.access).await);
    }

    async fn an_idle_session_ends_after_two_weeks(world: World) {
        let session = world.person("ada@example.com").await;
        world.advance(TimeDelta::days(14) + TimeDelta::seconds(1));
        assert_eq!(refusal(world.renew(&session.refresh.expose()).await), Refusal::SessionExpired);
    }

    async fn a_disabled_or_deleted_person_is_out_at_once(world: World) {
        let (ada, eve) = (world.person("ada@example.com").await, world.person("eve@example.com").await);
        world.run("UPDATE users SET disabled_at = created_at WHERE email = 'ada@example.com'").await;
        world.run("DELETE FROM users WHERE email = 'eve@example.com'").await;
        for session in [ada, eve] {
            assert!(!world.is_alive(&session.access).await);
            assert_eq!(refusal(world.renew(&session.refresh.expose()).await), Refusal::SessionInvalid);
        }
    }

    async fn tokens_that_nobody_has_wait_for_no_writer(world: World) {
        let session = world.person("ada@example.com").await;
        let ended = world.person("eve@example.com").await;
        world.accounts.sign_out(&as_person(&ended), None).await.expect("signed out");
        let writer = world.hold_writer().await;
        for token in [made_up(1), ended.refresh.expose()] {
            assert_eq!(refusal(world.renew(&token).await), Refusal::SessionInvalid, "answered without the writer");
        }
        assert!(matches!(refusal(world.renew(&session.refresh.expose()).await), Refusal::Unavailable { .. }), "it was held");
        drop(writer);
        world.renew(&session.refresh.expose()).await.expect("renewed");
    }

    async fn tokens_that_nobody_has_run_into_a_limit_and_good_ones_do_not(world: World) {
        let unlimited = world.with(|settings| settings.rate_limits = false).await;
        let mut tokens = Vec::new();
        for person in 0..4_u8 {
            let email = format!("p{person}@example.com");
            world.person(&email).await;
            for _ in 0..80 {
                tokens.push(done(unlimited.sign_in(&visitor(), &login(&email, PASSWORD)).await).refresh.expose());
            }
        }
        // A backend renews for all of its people from one address.
        for token in &tokens {
            world.renew(token).await.expect("renewed");
        }
        for at in 0..300 {
            assert_eq!(refusal(world.renew(&made_up(at)).await), Refusal::SessionInvalid);
        }
        assert!(matches!(refusal(world.renew(&made_up(300)).await), Refusal::RateLimited { .. }));
        assert_eq!(refusal(world.accounts.renew(&visitor_from(1), &made_up(300)).await), Refusal::SessionInvalid, "elsewhere");
        for _ in 0..300 {
            assert_eq!(refusal(world.renew("junk").await), Refusal::SessionInvalid, "what is no token is not counted");
        }
    }

    async fn one_session_is_not_renewed_without_end(world: World) {
        let session = world.person("ada@example.com").await;
        for _ in 0..60 {
            world.renew(&session.refresh.expose()).await.expect("within the grace");
        }
        let elsewhere = world.accounts.renew(&visitor_from(1), &session.refresh.expose()).await;
        assert!(matches!(refusal(elsewhere), Refusal::RateLimited { retry_after: 1 }));
        world.advance(TimeDelta::seconds(1));
        world.renew(&session.refresh.expose()).await.expect("and on it goes");
    }

    async fn tokens_that_are_not_ours_are_nobodys(world: World) {
        let session = world.person("ada@example.com").await;
        let letter = { world.sign_up("b@example.com").await; world.token_to("b@example.com").await };
        let elsewhere = world.with(|settings| settings.public_url = "https://other.example".into()).await;
        assert!(!is_alive(&elsewhere, &session.access).await, "of another issuer");
        let other_secret = world.with(|settings| settings.secret = vec![9; 32].into()).await;
        assert!(!is_alive(&other_secret, &session.access).await, "of another key");
        let parts: Vec<&str> = session.access.split('.').collect();
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
        for token in ["", "x", &letter, &unsigned, &format!("{}=", session.access), &format!("{}A", session.access)] {
            assert!(!world.is_alive(token).await, "{token:.30}");
            assert_eq!(refusal(world.renew(token).await), Refusal::SessionInvalid, "{token:.30}");
        }
        assert!(!world.is_alive(&session.refresh.expose()).await);
        assert_eq!(refusal(world.renew(&session.access).await), Refusal::SessionInvalid);
    }

    async fn no_debug_output_shows_a_token(world: World) {
        let session = world.person("ada@example.com").await;
        let shown = format!("{session:?} {:?}", session.refresh);
        assert!(!shown.contains(&session.refresh.expose()) && !shown.contains(&session.access));
    }
}
