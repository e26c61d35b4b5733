//! Keys of access tokens: how one takes the place of another, on both engines.

mod support;

use accounts::{Accounts, SigningAlgorithm};
use chrono::TimeDelta;
use support::*;

const EMAIL: &str = "ada@example.com";

fn published(accounts: &Accounts) -> Vec<String> {
    let set = accounts.public_keys();
    set["keys"].as_array().expect("keys").iter().map(|key| key["kid"].as_str().expect("a name").to_owned()).collect()
}

fn signing(accounts: &Accounts) -> String {
    accounts.signing_keys().into_iter().find(|key| key.is_signing).expect("a key").id
}

on_both_engines! {
    async fn a_new_key_is_published_before_it_signs_and_the_old_one_stays_until_its_last_token_died(world: World) {
        let old = signing(&world.accounts);
        let before = world.person(EMAIL).await;
        world.accounts.rotate_keys().await.expect("rotated");
        let new = published(&world.accounts).into_iter().find(|id| *id != old).expect("a second key");
        assert_eq!(published(&world.accounts).len(), 2);
        assert_eq!(signing(&world.accounts), old);
        assert!(world.is_alive(&before.access).await);

        // The moment before the change, the last token of the old key is made.
        world.advance(TimeDelta::minutes(10) - TimeDelta::seconds(1));
        let last = done(world.sign_in(EMAIL, PASSWORD).await);
        world.advance(TimeDelta::seconds(1));
        assert_eq!(signing(&world.accounts), new);
        let first = done(world.sign_in(EMAIL, PASSWORD).await);
        for session in [&last, &first] {
            assert!(world.is_alive(&session.access).await);
        }
        world.advance(TimeDelta::minutes(5) - TimeDelta::seconds(2));
        assert!(world.is_alive(&last.access).await, "until its own end");
        world.advance(TimeDelta::minutes(6));
        assert_eq!(published(&world.accounts), [new], "the old one is gone");
        world.renew(&before.refresh.expose()).await.expect("nobody is signed out");
    }

    async fn every_process_hears_of_a_new_key(world: World) {
        let other = world.with(|_| ()).await;
        assert_eq!(published(&other), published(&world.accounts), "two that start make the same key");
        world.accounts.rotate_keys().await.expect("rotated");
        assert_eq!(published(&other).len(), 1);
        other.hear_news().await.expect("news");
        assert_eq!(published(&other), published(&world.accounts));
        world.advance(TimeDelta::minutes(11));
        let session = world.person(EMAIL).await;
        assert!(is_alive(&other, &session.access).await);
    }

    async fn a_clock_set_back_before_the_first_key_keeps_nobody_out(world: World) {
        world.person(EMAIL).await;
        world.advance(-TimeDelta::days(400));
        let session = done(world.sign_in(EMAIL, PASSWORD).await);
        assert!(world.is_alive(&session.access).await);
        let restarted = world.with(|_| {}).await;
        restarted.prepare_keys().await.expect("a key");
        assert_eq!(restarted.signing_keys().len(), 1, "and makes no other key at a restart");
        assert!(is_alive(&restarted, &done(restarted.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await).access).await);
    }

    async fn processes_that_start_together_have_one_key(world: World) {
        world.run("DELETE FROM signing_keys").await;
        let (store, clock) = (world.store.clone(), world.clock.clone());
        let keys = at_once(8, |_| {
            let (store, clock) = (store.clone(), clock.clone());
            async move {
                let mailer = accounts::Mailer::Mailbox(store.clone());
                let accounts = accounts::Accounts::new(settings(), store, mailer, clock).await.expect("accounts");
                accounts.prepare_keys().await.expect("a key");
                published(&accounts)
            }
        }).await;
        assert_eq!(keys[0].len(), 1);
        assert!(keys.iter().all(|found| *found == keys[0]));
        assert_eq!(world.rows("signing_keys").await, 1);
    }

    async fn another_algorithm_comes_by_rotation(world: World) {
        let session = world.person(EMAIL).await;
        let other = world.with(|settings| settings.signing_algorithm = SigningAlgorithm::Es256).await;
        assert_eq!(other.signing_keys().len(), 1, "a command changes nothing");
        other.prepare_keys().await.expect("a key");
        let kinds: Vec<_> = other.signing_keys().into_iter().map(|key| (key.algorithm, key.is_signing)).collect();
        assert_eq!(kinds, [("EdDSA".to_owned(), true), ("ES256".to_owned(), false)]);
        assert!(is_alive(&other, &session.access).await);
        world.advance(TimeDelta::minutes(11));
        let session = done(other.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await);
        assert!(is_alive(&other, &session.access).await);
        world.accounts.hear_news().await.expect("news");
        assert!(world.is_alive(&session.access).await);
        let again = world.with(|settings| settings.signing_algorithm = SigningAlgorithm::Es256).await;
        again.prepare_keys().await.expect("a key");
        assert_eq!(again.signing_keys().len(), 2, "once");
    }

    async fn the_newer_name_of_the_same_algorithm_comes_by_rotation_too(world: World) {
        let session = world.person(EMAIL).await;
        let other = world.with(|settings| settings.signing_algorithm = SigningAlgorithm::Ed25519).await;
        other.prepare_keys().await.expect("a key");
        let set = other.public_keys();
        let named = |at: usize| (set["keys"][at]["alg"].clone(), set["keys"][at]["crv"].clone());
        assert_eq!([named(0), named(1)], [("EdDSA".into(), "Ed25519".into()), ("Ed25519".into(), "Ed25519".into())]);
        assert_ne!(set["keys"][0]["x"], set["keys"][1]["x"], "each name has a key of its own");
        world.advance(TimeDelta::minutes(11));
        assert!(other.signing_keys().iter().any(|key| key.algorithm == "Ed25519" && key.is_signing));
        let renewed = world.renew(&session.refresh.expose()).await.expect("nobody is signed out");
        assert!(is_alive(&other, &renewed.access).await);
        let new = done(other.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await);
        world.accounts.hear_news().await.expect("news");
        assert!(world.is_alive(&new.access).await, "whatever a process is told to sign with, it reads both");
    }

    async fn no_row_holds_a_key_and_another_secret_makes_others(world: World) {
        let session = world.person(EMAIL).await;
        let other = world.with(|settings| settings.secret = b"nR4tV9xB2mK7qW1zL6cF3hJ8pD5sG0yA".to_vec().into()).await;
        assert_eq!(published(&other).len(), 0, "what another secret made is none of its keys");
        other.prepare_keys().await.expect("a key");
        assert_eq!(published(&other).len(), 1);
        assert_ne!(published(&other), published(&world.accounts));
        assert!(!is_alive(&other, &session.access).await);
        // Whoever has the first secret goes on as before: nobody else ends its keys.
        world.advance(TimeDelta::minutes(30));
        world.accounts.hear_news().await.expect("news");
        let own = done(world.sign_in(EMAIL, PASSWORD).await);
        assert!(world.is_alive(&own.access).await);
        assert_eq!(world.count("SELECT count(*) FROM signing_keys WHERE retires_at IS NOT NULL".into()).await, 0);
        let session = done(other.sign_in(&visitor(), &login(EMAIL, PASSWORD)).await);
        assert!(is_alive(&other, &session.access).await);
    }
}
