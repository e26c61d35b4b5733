//! Vestibule as one program: pages, JSON API, post office, settings, command line.
//!
//! [`build`] makes the whole site from a [`Config`]; `main` and every test call it. This crate knows HTTP and the
//! environment; it holds no SQL, hashes no password and writes no letter.

mod api;
mod assets;
mod browser_sessions;
pub mod cli;
pub mod config;
mod forms;
mod headers;
mod hosts;
pub mod import;
pub mod listener;
mod mailbox;
mod pages;
pub mod post_office;
mod router;
mod visitor;

use std::error::Error;
use std::sync::Arc;

use accounts::{Accounts, Clock, Mailer, SmtpServer, Store};
use app::request::Cookies;
use axum::Router;
use secrecy::ExposeSecret as _;

pub use config::Config;

/// What a handler may need. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Site(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) accounts: Accounts,
    pub(crate) config: Config,
    pub(crate) cookies: Cookies,
    pub(crate) facts: Arc<app::page::Site>,
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

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn cookies(&self) -> &Cookies {
        &self.0.cookies
    }

    pub(crate) fn facts(&self) -> &Arc<app::page::Site> {
        &self.0.facts
    }
}

/// Opens the database, brings its tables up to date, and puts the site together.
pub async fn build(config: Config, clock: Clock) -> Result<Site, Box<dyn Error + Send + Sync>> {
    let store = Store::open(config.database_url.expose_secret()).await?;
    store.migrate().await?;
    let mailer = match &config.smtp_url {
        Some(url) => Mailer::Smtp(Box::new(SmtpServer::new(url.expose_secret(), &config.mail_from)?)),
        None => Mailer::Mailbox(store.clone()),
    };
    let accounts = Accounts::new(config.settings.clone(), store, mailer, clock)?;
    app::pages::register_server_functions();
    let cookies = Cookies { secure: config.is_production(), domain: config.cookie_domain.clone() };
    let facts = Arc::new(facts(&config)?);
    Ok(Site(Arc::new(Parts { accounts, config, cookies, facts })))
}

fn facts(config: &Config) -> Result<app::page::Site, Box<dyn Error + Send + Sync>> {
    let asset =
        |name| assets::address(name).ok_or("the site's assets are not built: run `make site`, then build again");
    Ok(app::page::Site {
        rules: config.settings.sign_up.clone(),
        letter_lives: contract::wording::duration(
            u32::try_from(config.settings.lifetimes.verify.num_seconds()).unwrap_or(u32::MAX),
        ),
        open: config.settings.registration == accounts::RegistrationPolicy::Open,
        has_mailbox: config.has_mailbox(),
        style: asset("app.css")?,
        icon: asset("icon.svg")?,
        script: asset("islands.js")?,
        terms_url: config.terms_url.clone(),
        privacy_url: config.privacy_url.clone(),
    })
}
