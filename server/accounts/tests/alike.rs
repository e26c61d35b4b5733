//! What is done for an address that somebody has, for one that nobody has, and for those in between: the same.

mod support;

use std::sync::{Arc, Mutex};

use accounts::Visitor;
use chrono::TimeDelta;
use contract::Password;
use contract::registration::RegistrationForm;
use support::*;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// The statements that were run, as sqlx tells them, without their values.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            event.record(&mut Summary(&self.0));
        }
    }
}

struct Summary<'a>(&'a Mutex<Vec<String>>);

impl Visit for Summary<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // A transaction that only reads is rolled back whenever its connection is next at hand, and a connection is
        // opened when the last one is at work.
        let is_ours = !["", "ROLLBACK"].contains(&value) && !value.trim_start().starts_with("PRAGMA");
        let is_told = ["summary", "db.statement"].contains(&field.name()) && is_ours;
        if is_told {
            self.0.lock().expect("no panic").push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

const CLASSES: [&str; 4] = ["free", "known", "unconfirmed", "disabled"];

async fn people(world: &World) {
    world.person("known@example.com").await;
    world.sign_up("unconfirmed@example.com").await;
    world.person("disabled@example.com").await;
    world.accounts.disable("disabled@example.com").await.expect("disabled");
    world.rest();
    world.accounts.send_letters().await.expect("a post office");
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    SignIn,
    SignUp,
    Resend,
    Reset,
}

async fn run(world: &World, verb: Verb, visitor: &Visitor, email: &str) {
    let wrong = login(email, "neither this one nor that");
    let sign_up = RegistrationForm { password: Password::new(OTHER_PASSWORD), ..form(email) };
    match verb {
        Verb::SignIn => assert!(world.accounts.sign_in(visitor, &wrong).await.is_err()),
        Verb::SignUp => drop(world.accounts.register(visitor, &sign_up).await.expect("the same answer")),
        Verb::Resend => world.accounts.resend_confirmation(visitor, email).await.expect("the same answer"),
        Verb::Reset => drop(world.accounts.request_password_reset(visitor, email).await.expect("the same answer")),
    }
}

async fn all_are_alike(world: &World, seen: &Statements) {
    people(world).await;
    // So often that no more letters are sent, and twice within a minute.
    let verbs = [(Verb::SignIn, 1), (Verb::SignUp, 9), (Verb::Resend, 3), (Verb::Reset, 3)];
    let verbs = verbs.into_iter().flat_map(|(verb, times)| std::iter::repeat_n(verb, times));
    for (number, verb) in (0..).zip(verbs) {
        world.advance(TimeDelta::seconds(if number % 3 == 0 { 5 } else { 65 }));
        let mut told = Vec::new();
        for (at, class) in (0..).zip(CLASSES) {
            let (visitor, email) = (visitor_from(number * 1000 + at), format!("{class}@example.com"));
            let hashes = world.accounts.hashing_load().worked_out;
            seen.0.lock().expect("no panic").clear();
            run(world, verb, &visitor, &email).await;
            let statements = seen.0.lock().expect("no panic").clone();
            told.push((class, statements, world.accounts.hashing_load().worked_out - hashes));
        }
        let (_, statements, hashes) = &told[0];
        assert!(statements.iter().any(|statement| statement.contains("FROM users")), "{verb:?}: statements are seen");
        assert_eq!(*hashes, u64::from(matches!(verb, Verb::SignIn | Verb::SignUp)), "{verb:?}: one hash, or none");
        for (class, others, theirs) in &told {
            assert_eq!((others, theirs), (statements, hashes), "{verb:?} of {class}, {number}");
        }
    }
}

/// One test for both engines: SQLite works on a thread of its own, so the subscriber is everybody's.
#[tokio::test]
async fn one_hash_and_the_same_statements_whoever_has_the_address() {
    let seen = Statements::default();
    let subscriber = tracing_subscriber::registry().with(seen.clone());
    tracing::subscriber::set_global_default(subscriber).expect("no other subscriber");
    all_are_alike(&World::on_sqlite().await, &seen).await;
    all_are_alike(&World::on_postgres().await, &seen).await;
}
