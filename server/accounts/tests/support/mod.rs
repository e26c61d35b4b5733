//! A small world for tests: a real store on either engine, a clock that can be turned, the built-in mailbox, and
//! people who are made through the public verbs.

#![allow(dead_code, unused_macros, unused_imports, reason = "each test file uses a part of it")]

use std::future::Future;
use std::net::IpAddr;
use std::sync::Mutex;

use accounts::{
    Accounts, Clock, Confirmed, EmailVerification, Error, Hashing, Lifetimes, LoginOnVerify, LoginStep, MailboxMessage,
    Mailer, NewSession, Registered, RegistrationPolicy, Settings, SigningAlgorithm, Store, Visitor,
};
use chrono::TimeDelta;
use contract::confirmation::ConfirmationForm;
use contract::login::LoginForm;
use contract::registration::RegistrationForm;
use contract::rules::SignUpRules;
use contract::{Fault, Field, Password, Refusal};
use sqlx::sqlite::SqliteSynchronous;

pub const PASSWORD: &str = "three unrelated words";
pub const OTHER_PASSWORD: &str = "tractor lemon violin";

/// Runs each test once on SQLite and once on PostgreSQL.
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* async fn $name:ident($world:ident: World) $body:block)+) => {
        mod sqlite {
            use super::*;
            $($(#[$attribute])* #[tokio::test(flavor = "multi_thread")]
            async fn $name() { let $world = World::on_sqlite().await; $body })+
        }
        mod postgres {
            use super::*;
            $($(#[$attribute])* #[tokio::test(flavor = "multi_thread")]
            async fn $name() { let $world = World::on_postgres().await; $body })+
        }
    };
}
pub(crate) use on_both_engines;

pub struct World {
    pub accounts: Accounts,
    pub clock: Clock,
    /// What the client that asked for a new password last was given.
    pub reset_request: Mutex<Option<String>>,
    pub store: Store,
    _folder: Option<tempfile::TempDir>,
}

pub fn settings() -> Settings {
    Settings {
        public_url: "http://localhost:3000".to_owned(),
        sign_up: SignUpRules::default(),
        registration: RegistrationPolicy::Open,
        email_verification: EmailVerification::Mandatory,
        login_on_verify: LoginOnVerify::SameClient,
        prevent_enumeration: true,
        // The cheapest there is: these tests are about order, not cost.
        hashing: Hashing { memory_kib: 64, iterations: 1, parallelism: 1, slots: 4 },
        lifetimes: Lifetimes::default(),
        signing_algorithm: SigningAlgorithm::EdDsa,
        rate_limits: true,
        emails_per_hour: None,
        secret: b"kW7xQ2mZ9rT4vB8nL1cF6hJ3pD5sG0yA".to_vec().into(),
    }
}

impl World {
    pub async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.expect("a store");
        // Nothing here outlives the test, so nothing waits for the disk. For connections of later, too.
        if let Store::Sqlite { writer, .. } = &store {
            let options = writer.connect_options().as_ref().clone().synchronous(SqliteSynchronous::Off);
            writer.set_connect_options(options);
            sqlx::query("PRAGMA synchronous = OFF").execute(writer).await.expect("a setting");
        }
        Self::on(store, Some(folder)).await
    }

    pub async fn on_postgres() -> Self {
        Self::on(Store::open(&new_schema().await).await.expect("a store"), None).await
    }

    async fn on(store: Store, folder: Option<tempfile::TempDir>) -> Self {
        store.migrate().await.expect("tables");
        let clock = Clock::manual();
        let accounts = Accounts::new(settings(), store.clone(), Mailer::Mailbox(store.clone()), clock.clone()).await;
        let accounts = accounts.expect("accounts");
        accounts.prepare_keys().await.expect("a key");
        Self { accounts, clock, reset_request: Mutex::default(), store, _folder: folder }
    }

    /// The same people under other settings.
    pub async fn with(&self, change: impl FnOnce(&mut Settings)) -> Accounts {
        let mut settings = settings();
        change(&mut settings);
        let mailer = Mailer::Mailbox(self.store.clone());
        Accounts::new(settings, self.store.clone(), mailer, self.clock.clone()).await.expect("accounts")
    }

    /// The same people with another way to send letters.
    pub async fn with_mailer(&self, mailer: Mailer) -> Accounts {
        Accounts::new(settings(), self.store.clone(), mailer, self.clock.clone()).await.expect("accounts")
    }

    pub async fn sign_up(&self, email: &str) -> Registered {
        self.accounts.register(&visitor(), &form(email)).await.expect("a sign-up")
    }

    /// A person with a confirmed address, and their session.
    pub async fn person(&self, email: &str) -> NewSession {
        let registered = self.sign_up(email).await;
        let token = self.token_to(email).await;
        signed_in(self.accounts.confirm_email(&finishing(&registered), &by_token(&token)).await)
    }

    /// Whether an access token lets anyone in.
    pub async fn is_alive(&self, access: &str) -> bool {
        is_alive(&self.accounts, access).await
    }

    pub async fn renew(&self, refresh: &str) -> accounts::Result<NewSession> {
        self.accounts.renew(&visitor(), refresh).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> accounts::Result<LoginStep> {
        self.accounts.sign_in(&visitor(), &login(email, password)).await
    }

    /// Letters to an address, newest first, after the post office has worked.
    pub async fn letters_to(&self, email: &str) -> Vec<MailboxMessage> {
        while self.accounts.send_letters().await.expect("a post office") > 0 {}
        self.accounts.mailbox(email).await.expect("a mailbox")
    }

    pub async fn token_to(&self, email: &str) -> String {
        token_of(&self.letters_to(email).await[0])
    }

    pub async fn code_to(&self, email: &str) -> String {
        self.letters_to(email).await[0].code.clone().expect("a code")
    }

    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Past every limit by minute or hour, and within the life of a letter.
    pub fn rest(&self) {
        self.advance(TimeDelta::hours(2));
    }

    pub async fn rows(&self, table: &str) -> i64 {
        self.count(format!("SELECT count(*) FROM {table}")).await
    }

    pub async fn live_sessions(&self) -> i64 {
        self.count("SELECT count(*) FROM sessions WHERE ended_at IS NULL".to_owned()).await
    }

    pub fn is_on_sqlite(&self) -> bool {
        matches!(self.store, Store::Sqlite { .. })
    }

    pub async fn run(&self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match &self.store {
            Store::Sqlite { writer, .. } => drop(sqlx::query(sql).execute(writer).await.expect("a statement")),
            Store::Postgres(pool) => {
                // A connection whose BEGIN was dropped halfway comes back to the pool inside a transaction: without a
                // commit of its own, a statement on it would never be seen.
                let mut tx = pool.begin().await.expect("a transaction");
                sqlx::query(sql).execute(&mut *tx).await.expect("a statement");
                tx.commit().await.expect("a commit");
            }
        }
    }

    /// Keeps everybody else from writing refresh tokens, until it is dropped.
    pub async fn hold_writer(&self) -> Box<dyn std::any::Any> {
        match &self.store {
            Store::Sqlite { writer, .. } => Box::new(writer.begin_with("BEGIN IMMEDIATE").await.expect("the writer")),
            Store::Postgres(pool) => {
                let mut tx = pool.begin().await.expect("a transaction");
                sqlx::query("LOCK TABLE refresh_tokens IN SHARE MODE").execute(&mut *tx).await.expect("a lock");
                Box::new(tx)
            }
        }
    }

    pub async fn text(&self, sql: String) -> String {
        let sql = sqlx::AssertSqlSafe(sql);
        match &self.store {
            Store::Sqlite { readers, .. } => sqlx::query_scalar(sql).fetch_one(readers).await.expect("a text"),
            Store::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.expect("a text"),
        }
    }

    pub async fn count(&self, sql: String) -> i64 {
        let sql = sqlx::AssertSqlSafe(sql);
        match &self.store {
            Store::Sqlite { readers, .. } => sqlx::query_scalar(sql).fetch_one(readers).await.expect("a number"),
            Store::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.expect("a number"),
        }
    }
}

/// Rows of each kind for tests of large tables; a nightly run asks for a million.
pub fn rows_to_make() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how large the tests are to be")]
    let rows = std::env::var("VESTIBULE_TEST_ROWS");
    rows.map_or(10_000, |rows| rows.parse().expect("VESTIBULE_TEST_ROWS is a number"))
}

/// A schema of its own in the throw-away server: tests do not see each other.
pub async fn new_schema() -> String {
    #[expect(clippy::disallowed_methods, reason = "where the throw-away server is")]
    let url = std::env::var("VESTIBULE_TEST_POSTGRES_URL")
        .expect("VESTIBULE_TEST_POSTGRES_URL is not set: run `make test`, or eval \"$(scripts/services.sh env)\"");
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.expect("a PostgreSQL server");
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {name}"));
    sqlx::query(create).execute(&mut connection).await.expect("a schema");
    format!("{url}?options=-csearch_path%3D{name}&application_name={name}")
}

/// Whether an access token lets anyone in there.
pub async fn is_alive(accounts: &Accounts, access: &str) -> bool {
    match accounts.recognise(access).await {
        Ok(_) => true,
        Err(Error::Refused(Refusal::SessionInvalid | Refusal::SessionExpired)) => false,
        Err(error) => panic!("no answer: {error}"),
    }
}

pub fn visitor() -> Visitor {
    Visitor::anonymous(IpAddr::from([203, 0, 113, 7]))
}

/// Someone from a client network of their own: limits by network do not meet.
pub fn visitor_from(number: u16) -> Visitor {
    let [high, low] = number.to_be_bytes();
    Visitor::anonymous(IpAddr::from([198, 18, high, low]))
}

/// The client that signed up.
pub fn finishing(registered: &Registered) -> Visitor {
    Visitor { pending_sign_up: Some(registered.pending.clone()), ..visitor() }
}

/// The client of a session.
pub fn as_person(session: &NewSession) -> Visitor {
    Visitor { signed_in: Some(session.signed_in.clone()), ..visitor() }
}

pub fn form(email: &str) -> RegistrationForm {
    RegistrationForm {
        email: email.to_owned(),
        password: Password::new(PASSWORD),
        first_name: "Ada".to_owned(),
        last_name: "O'Brien".to_owned(),
        ..RegistrationForm::default()
    }
}

pub fn login(email: &str, password: &str) -> LoginForm {
    LoginForm { email: email.to_owned(), password: Password::new(password), ..LoginForm::default() }
}

pub fn by_token(token: &str) -> ConfirmationForm {
    ConfirmationForm { token: token.to_owned(), ..ConfirmationForm::default() }
}

pub fn by_code(code: &str) -> ConfirmationForm {
    ConfirmationForm { code: code.to_owned(), ..ConfirmationForm::default() }
}

pub fn token_of(letter: &MailboxMessage) -> String {
    let link = letter.link.as_deref().expect("a link");
    link.split_once("?token=").expect("a token").1.to_owned()
}

/// Another code than this one.
pub fn wrong(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..5])
}

pub fn signed_in(confirmed: accounts::Result<Confirmed>) -> NewSession {
    match confirmed {
        Ok(Confirmed::SignedIn(session)) => *session,
        other => panic!("not signed in: {other:?}"),
    }
}

pub fn done(step: accounts::Result<LoginStep>) -> NewSession {
    match step {
        Ok(LoginStep::Done(session)) => *session,
        other => panic!("not signed in: {other:?}"),
    }
}

pub fn refusal<T: std::fmt::Debug>(result: accounts::Result<T>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

pub fn faults<T: std::fmt::Debug>(result: accounts::Result<T>) -> Vec<(Field, Fault)> {
    match result {
        Err(Error::Invalid(faults)) => faults.into_iter().map(|found| (found.field, found.fault)).collect(),
        other => panic!("no fault: {other:?}"),
    }
}

/// Many at once, each as a task of its own.
pub async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    number: u16,
    what: impl Fn(u16) -> F,
) -> Vec<T> {
    let tasks: Vec<_> = (0..number).map(|at| tokio::spawn(what(at))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("no panic"));
    }
    answers
}
