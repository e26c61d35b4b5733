//! A whole site for tests, by the very `build` of the program, and clients that keep cookies.

#![allow(dead_code, unused_macros, unused_imports, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::net::SocketAddr;

use accounts::{Clock, MailboxMessage};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use server::config::Sources;
use server::{Config, Site};
use tower::ServiceExt as _;

pub const PASSWORD: &str = "three unrelated words";
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A header that means nothing, for requests without an origin.
pub const FROM_NOWHERE: (&str, &str) = ("x-from-nowhere", "1");

/// Runs each test once on SQLite and once on PostgreSQL.
macro_rules! on_both_engines {
    ($(async fn $name:ident($world:ident: World) $body:block)+) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() { let $world = World::new(&[]).await; $body })+
        }
        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() { let $world = World::on_postgres(&[]).await; $body })+
        }
    };
}
pub(crate) use on_both_engines;

pub struct World {
    pub site: Site,
    pub router: Router,
    pub clock: Clock,
    _folder: tempfile::TempDir,
}

impl World {
    /// On SQLite, with these settings (without their prefix).
    pub async fn new(settings: &[(&str, &str)]) -> Self {
        Self::with(settings, None).await
    }

    pub async fn on_postgres(settings: &[(&str, &str)]) -> Self {
        let url = new_schema().await;
        Self::with(settings, Some(&url)).await
    }

    async fn with(settings: &[(&str, &str)], database: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().display().to_string();
        let mut all = BTreeMap::from([
            ("DATA_DIR", data_dir.as_str()),
            ("HASH_MEMORY_KIB", "64"),
            ("HASH_ITERATIONS", "1"),
            ("HASH_SLOTS", "4"),
        ]);
        if let Some(url) = database {
            all.insert("DATABASE_URL", url);
        }
        all.extend(settings.iter().copied());
        let config = Config::read(&sources(all)).expect("good settings");
        let clock = Clock::manual();
        let site = server::build(config, clock.clone()).await.expect("a site");
        Self { router: site.router(), site, clock, _folder: folder }
    }

    /// A client of its own, from an origin of its own.
    pub fn client(&self, number: u8) -> Client {
        let address = SocketAddr::from(([203, 0, 113, number], 4000));
        Client { router: self.router.clone(), address, cookies: BTreeMap::new(), host: "localhost:3000".to_owned() }
    }

    pub async fn letters_to(&self, email: &str) -> Vec<MailboxMessage> {
        while self.site.accounts().send_letters().await.expect("a post office") > 0 {}
        self.site.accounts().mailbox(email).await.expect("a mailbox")
    }

    pub async fn token_to(&self, email: &str) -> String {
        let letters = self.letters_to(email).await;
        letters[0].link.as_deref().and_then(|link| link.split_once("?token=")).expect("a link").1.to_owned()
    }

    pub async fn code_to(&self, email: &str) -> String {
        self.letters_to(email).await[0].code.clone().expect("a code")
    }

    /// A person with a confirmed address, and their signed-in client.
    pub async fn person(&self, number: u8, email: &str) -> Client {
        let mut client = self.client(number);
        assert_eq!(client.api("register/", registration(email)).await.status, StatusCode::CREATED);
        let token = self.token_to(email).await;
        assert_eq!(client.api("verify-email/", serde_json::json!({ "token": token })).await.status, StatusCode::OK);
        client
    }
}

pub fn sources<'a>(settings: impl IntoIterator<Item = (&'a str, &'a str)>) -> Sources {
    let environment = settings.into_iter().map(|(name, value)| (format!("VESTIBULE_{name}"), value.to_owned()));
    Sources { environment: environment.collect(), file: None }
}

pub async fn new_schema() -> String {
    #[expect(clippy::disallowed_methods, reason = "where the throw-away server is")]
    let url = std::env::var("VESTIBULE_TEST_POSTGRES_URL")
        .expect("VESTIBULE_TEST_POSTGRES_URL is not set: run `make test`, or eval \"$(scripts/services.sh env)\"");
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.expect("a PostgreSQL server");
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {name}"));
    sqlx::query(create).execute(&mut connection).await.expect("a schema");
    format!("{url}?options=-csearch_path%3D{name}")
}

pub fn registration(email: &str) -> Value {
    serde_json::json!({ "email": email, "password": PASSWORD, "password_confirm": PASSWORD, "first_name": "Ada", "last_name": "O'Brien" })
}

#[derive(Clone)]
pub struct Client {
    router: Router,
    address: SocketAddr,
    pub cookies: BTreeMap<String, String>,
    pub host: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Client {
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[("accept", "text/html")], Body::empty()).await
    }

    /// As a browser posts a form.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let url = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = [("accept", "text/html"), ("content-type", FORM), ("sec-fetch-site", "same-origin")];
        self.send(Method::POST, path, &headers, Body::from(url)).await
    }

    /// As a program calls the API.
    pub async fn api(&mut self, route: &str, body: Value) -> Answer {
        let path = format!("/api/v1/auth/{route}");
        self.send(Method::POST, &path, &[("content-type", "application/json")], Body::from(body.to_string())).await
    }

    pub async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        let mut length = None;
        if let Some(exact) = axum::body::HttpBody::size_hint(&body).exact() {
            length = Some(exact.to_string());
        }
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header(HOST, &self.host);
        }
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        // A program that keeps cookies says where it comes from, as a browser does; tests of the opposite send `FROM_NOWHERE`.
        let says_origin = ["sec-fetch-site", "origin", "authorization", FROM_NOWHERE.0];
        if !headers.iter().any(|(name, _)| says_origin.contains(name)) {
            request = request.header("origin", "http://localhost:3000");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        let mut request = request.body(body).expect("a request");
        request.extensions_mut().insert(ConnectInfo(self.address));
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        self.keep_cookies(&parts.headers);
        let body = to_bytes(body, 1 << 20).await.expect("a body").to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("text");
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
            if value.is_empty() || attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub fn is_signed_in(&self) -> bool {
        self.cookies.contains_key("vestibule_access")
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The code of the fault envelope.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn set_cookies(&self) -> Vec<String> {
        self.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().expect("text").to_owned()).collect()
    }

    pub fn is_json(&self) -> bool {
        self.header(CONTENT_TYPE.as_str()) == "application/json"
    }
}
