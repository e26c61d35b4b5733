//! A full queue of password hashes: who is told to come back has tried nothing, and no database was asked.

use contract::login::LoginForm;
use contract::rules::SignUpRules;

use super::*;
use crate::hash_queue::MAX_WAITING;
use crate::{
    Clock, EmailVerification, Hashing, Lifetimes, LoginOnVerify, Mailer, RegistrationPolicy, Settings,
    SigningAlgorithm, Store,
};

/// Accounts in a database that is there.
async fn accounts(folder: &tempfile::TempDir) -> (Accounts, Store) {
    let settings = Settings {
        public_url: "http://localhost:3000".to_owned(),
        sign_up: SignUpRules::default(),
        registration: RegistrationPolicy::Open,
        email_verification: EmailVerification::Mandatory,
        login_on_verify: LoginOnVerify::SameClient,
        prevent_enumeration: true,
        hashing: Hashing { memory_kib: 64, iterations: 1, parallelism: 1, slots: 1 },
        lifetimes: Lifetimes::default(),
        signing_algorithm: SigningAlgorithm::EdDsa,
        rate_limits: true,
        emails_per_hour: None,
        secret: vec![7; 32].into(),
    };
    let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.expect("a store");
    store.migrate().await.expect("tables");
    let mailer = Mailer::Mailbox(store.clone());
    (Accounts::new(settings, store.clone(), mailer, Clock::manual()).await.expect("accounts"), store)
}

fn visitor(last: u8) -> Visitor {
    Visitor::anonymous(IpAddr::from([203, 0, 113, last]))
}

fn form() -> LoginForm {
    LoginForm { email: "ada@example.com".into(), password: Password::new("a guess"), ..LoginForm::default() }
}

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_sign_in_that_finds_the_queue_full_costs_no_try() {
    let folder = tempfile::tempdir().expect("a folder");
    let (accounts, _store) = accounts(&folder).await;
    let hasher = &accounts.0.hasher;
    let places: Vec<_> = (0..MAX_WAITING).map(|_| hasher.enter(visitor(7).network()).expect("a place")).collect();
    for _ in 0..100 {
        let refused = refusal(accounts.sign_in(&visitor(7), &form()).await);
        assert!(matches!(refused, Refusal::Overloaded { .. }), "{refused:?}");
    }
    drop(places);
    for _ in 0..5 {
        assert_eq!(refusal(accounts.sign_in(&visitor(7), &form()).await), Refusal::InvalidCredentials);
    }
    assert!(matches!(refusal(accounts.sign_in(&visitor(7), &form()).await), Refusal::RateLimited { .. }));
}

#[tokio::test]
async fn a_full_queue_is_told_without_the_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let (accounts, store) = accounts(&folder).await;
    let hasher = &accounts.0.hasher;
    let _places: Vec<_> = (0..MAX_WAITING).map(|_| hasher.enter(visitor(7).network()).expect("a place")).collect();
    store.close().await;
    assert!(matches!(refusal(accounts.sign_in(&visitor(7), &form()).await), Refusal::Overloaded { .. }));
    let elsewhere = Visitor::anonymous(IpAddr::from([198, 51, 100, 7]));
    let refused = refusal(accounts.sign_in(&elsewhere, &form()).await);
    assert!(matches!(refused, Refusal::Unavailable { .. }), "whoever has a place goes on to the database: {refused:?}");
}

#[tokio::test]
async fn a_place_that_is_lost_on_the_way_costs_no_try() {
    let folder = tempfile::tempdir().expect("a folder");
    let (accounts, _store) = accounts(&folder).await;
    let hasher = &accounts.0.hasher;
    for _ in 0..100 {
        let others = (1..MAX_WAITING).map(|_| hasher.enter(visitor(7).network()).expect("a place"));
        let others: Vec<_> = others.collect();
        let tries = [Action::SignIn(visitor(7).network()), Action::SignInAnywhere("ada")];
        let mut admission = accounts.admit(&visitor(7), &tries).await.expect("allowed");
        admission.enter().expect("the last place");
        let newcomer = hasher.enter(visitor(8).network()).expect("the place of the network that has most");
        assert!(matches!(
            refusal(admission.matching(&Password::new("p"), std::iter::empty()).await),
            Refusal::Overloaded { .. }
        ));
        drop((others, newcomer));
    }
}

#[tokio::test]
async fn limits_are_asked_before_the_queue() {
    let folder = tempfile::tempdir().expect("a folder");
    let (accounts, _store) = accounts(&folder).await;
    for _ in 0..5 {
        accounts.sign_in(&visitor(7), &form()).await.expect_err("a guess");
    }
    let worked_out = accounts.hashing_load().worked_out;
    for _ in 0..100 {
        assert!(matches!(refusal(accounts.sign_in(&visitor(7), &form()).await), Refusal::RateLimited { .. }));
    }
    assert_eq!(accounts.hashing_load().worked_out, worked_out, "nothing is hashed for them");
}
