//! Settings: the only reader of the environment.
//!
//! Every setting stands in [`names::SETTINGS`]; the reference in `docs/configuration.md` is printed from it. All faults
//! are collected and told together, each with what to do.

mod files;
mod links;
pub mod names;
mod parse;
mod read;
mod secret;
mod secret_file;
mod storage;
mod urls;

use std::net::SocketAddr;
use std::path::PathBuf;

use accounts::Settings;
use ipnet::IpNet;
use secrecy::SecretString;

pub use read::Sources;

/// What an operator decided, read and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// `host:port` of the public address, as browsers send it.
    pub authority: String,
    /// SQLite file, generated secret.
    pub data_dir: PathBuf,
    /// `sqlite://…` or `postgres://…`. May hold a password.
    pub database_url: SecretString,
    /// Without it, letters go to the built-in mailbox. May hold a password.
    pub smtp_url: Option<SecretString>,
    /// PEM: whose certificates the mail server may show, besides the public authorities'.
    pub smtp_authorities: Option<Vec<u8>>,
    /// Who writes.
    pub mail_from: String,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The parent domain to share sign-in with.
    pub cookie_domain: Option<String>,
    /// The operator's terms.
    pub terms_url: Option<String>,
    /// The operator's privacy notice.
    pub privacy_url: Option<String>,
    /// JSON lines instead of text.
    pub log_json: bool,
    /// What is logged, in the words of `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// Connections at the same time.
    pub max_connections: usize,
    /// What is no fault, and should be known.
    pub warnings: Vec<String>,
    /// The domain's part.
    pub settings: Settings,
}

impl Config {
    /// Behind https: nothing that is for development is allowed.
    pub fn is_production(&self) -> bool {
        self.settings.public_url.starts_with("https://")
    }

    /// Says at which port we listen, where the system was asked to choose one (port 0).
    pub fn listens_at(&mut self, port: u16) {
        if self.listen.port() == 0 {
            self.listen.set_port(port);
            for address in [&mut self.authority, &mut self.settings.public_url] {
                if let Some(host) = address.strip_suffix(":0") {
                    *address = format!("{host}:{port}");
                }
            }
        }
    }

    /// Letters go to the built-in mailbox, and `/dev/mailbox` shows them.
    pub fn has_mailbox(&self) -> bool {
        self.smtp_url.is_none() && !self.is_production() && self.listen.ip().is_loopback()
    }
}
