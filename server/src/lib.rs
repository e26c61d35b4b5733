//! Vestibule as one program: pages, JSON API, post office, settings, command line.
//!
//! [`build`] makes the whole site from a [`Config`]; `main` and every test call it. This crate knows HTTP and the
//! environment; it holds no SQL, hashes no password and writes no letter.

mod api;
mod assets;
pub mod background;
mod browser_keeps;
mod browser_sessions;
pub mod check;
pub mod cli;
mod client_address;
pub mod commands;
pub mod config;
mod cookies;
mod csrf;
mod forms;
mod headers;
mod hosts;
mod import;
pub mod listener;
mod log_once;
mod mailbox;
pub mod news;
mod octets;
pub mod open_files;
mod pages;
pub mod post_office;
pub mod refusals;
mod router;
pub mod tidying;
mod visitor;

use std::error::Error;
use std::sync::Arc;

use accounts::{Accounts, Clock, Mailer, SmtpServer, Store};
use app::request::Cookies;
use axum::Router;
use axum::body::Bytes;
use background::Background;
use chrono::TimeDelta;
use secrecy::ExposeSecret as _;

pub use config::Config;
use config::names::{PREFIX, SMTP_URL};
use log_once::LogOnce;

/// What a handler may need. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Site(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) accounts: Accounts,
    pub(crate) config: Config,
    pub(crate) cookies: Cookies,
    pub(crate) facts: Arc<app::page::Site>,
    pub(crate) log_once: LogOnce,
    /// The description of the API, and the same as text.
    pub(crate) openapi: (Arc<serde_json::Value>, Bytes),
    pub(crate) background: Background,
}

impl Site {
    /// The domain.
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// Pages and API, ready to be served.
    pub fn router(&self) -> Router {
        router::router(self.clone())
    }

    /// The tasks that run beside it.
    pub fn background(&self) -> &Background {
        &self.0.background
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn cookies(&self) -> &Cookies {
        &self.0.cookies
    }

    pub(crate) fn log_once(&self) -> &LogOnce {
        &self.0.log_once
    }

    /// The description of the API (OpenAPI 3.1).
    pub fn openapi(&self) -> &Arc<serde_json::Value> {
        &self.0.openapi.0
    }

    pub(crate) fn openapi_text(&self) -> Bytes {
        self.0.openapi.1.clone()
    }

    pub(crate) fn facts(&self) -> &Arc<app::page::Site> {
        &self.0.facts
    }
}

/// Opens the database, brings its tables up to date, and puts the domain together. A failure names the setting.
pub async fn open(config: &Config, clock: Clock) -> Result<Accounts, Box<dyn Error + Send + Sync>> {
    let store = open_store(config.database_url.expose_secret()).await?;
    store.migrate().await?;
    let mailer = match &config.smtp_url {
        Some(url) => {
            let server = mail_server(config, url.expose_secret());
            Mailer::Smtp(Box::new(server.map_err(|error| format!("{PREFIX}{SMTP_URL}: {error}"))?))
        }
        None => Mailer::Mailbox(store.clone()),
    };
    Ok(Accounts::new(config.settings.clone(), store, mailer, clock).await?)
}

fn mail_server(config: &Config, url: &str) -> Result<SmtpServer, Box<dyn Error + Send + Sync>> {
    let public_url = url::Url::parse(&config.settings.public_url)?;
    let host = public_url.host_str().unwrap_or("localhost");
    Ok(SmtpServer::new(url, &config.mail_from, host, config.smtp_authorities.as_deref())?)
}

/// A pool that waits for a connection says only that it waited; one connection says why there is none.
async fn open_store(url: &str) -> Result<Store, Box<dyn Error + Send + Sync>> {
    match Store::open(url).await {
        Ok(store) => Ok(store),
        Err(error) => {
            let cause = Store::probe(url).await.err();
            Err(check::database_fault(&cause.unwrap_or_else(|| error.to_string())).into())
        }
    }
}

/// The whole site.
pub async fn build(config: Config, clock: Clock) -> Result<Site, Box<dyn Error + Send + Sync>> {
    // On the heap: what opens a database is large, and every caller would carry it.
    let accounts = Box::pin(open(&config, clock)).await?;
    accounts.prepare_keys().await?;
    app::pages::register_server_functions();
    let (cookies, facts, openapi) = (cookies(&config), Arc::new(facts(&config)?), openapi(&config));
    let text = Bytes::from(openapi.to_string());
    let openapi = (Arc::new(openapi), text);
    let (log_once, background) = (LogOnce::default(), Background::default());
    Ok(Site(Arc::new(Parts { accounts, config, cookies, facts, log_once, openapi, background })))
}

/// The description of the API (OpenAPI 3.1).
pub fn openapi(config: &Config) -> serde_json::Value {
    let settings = &config.settings;
    api::openapi::document(&settings.public_url, &cookies(config).name("access"), &settings.sign_up)
}

fn cookies(config: &Config) -> Cookies {
    Cookies { secure: config.is_production(), domain: config.cookie_domain.clone() }
}

fn facts(config: &Config) -> Result<app::page::Site, Box<dyn Error + Send + Sync>> {
    let asset =
        |name| assets::address(name).ok_or("the site's assets are not built: run `make site`, then build again");
    let in_words = |life: TimeDelta| contract::wording::duration(u32::try_from(life.num_seconds()).unwrap_or(u32::MAX));
    Ok(app::page::Site {
        rules: config.settings.sign_up.clone(),
        letter_lives: in_words(config.settings.lifetimes.verify),
        reset_lives: in_words(config.settings.lifetimes.reset),
        open: config.settings.registration == accounts::RegistrationPolicy::Open,
        has_mailbox: config.has_mailbox(),
        style: asset("app.css")?,
        icon: asset("icon.svg")?,
        script: asset("islands.js")?,
        terms_url: config.terms_url.clone(),
        privacy_url: config.privacy_url.clone(),
    })
}
