//! `vestibule check`: what the settings amount to, and with `--connect` whether database and mail server are there. Nothing is
//! written, and no letter is sent.

use accounts::Store;
use secrecy::ExposeSecret as _;
use url::Url;

use crate::config::names::{DATABASE_URL, PREFIX, SMTP_URL};
use crate::{Config, mail_server};

/// What was found, for people. Without passwords.
pub fn report(config: &Config) -> String {
    let mail = config.smtp_url.as_ref().map(|url| place(url.expose_secret()));
    let mail = mail.unwrap_or_else(|| "kept in the built-in mailbox".to_owned());
    let mut lines = vec![
        "The settings are in order.".to_owned(),
        format!("  public URL  {}", config.settings.public_url),
        format!("  listens at  {}", config.listen),
        format!("  database    {}", place(config.database_url.expose_secret())),
        format!("  email       {mail}"),
    ];
    lines.extend(config.warnings.iter().map(|warning| format!("  warning: {warning}")));
    lines.join("\n")
}

/// An address without user, password and parameters.
fn place(url: &str) -> String {
    if url.starts_with("sqlite:") {
        return url.to_owned();
    }
    let Ok(url) = Url::parse(url) else { return "set".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// Every fault that shows when database and mail server are called.
pub async fn connect(config: &Config) -> Vec<String> {
    let mut faults = Vec::new();
    if let Err(cause) = Store::probe(config.database_url.expose_secret()).await {
        faults.push(database_fault(&cause));
    }
    if let Some(url) = &config.smtp_url {
        let tried = match mail_server(config, url.expose_secret()) {
            Ok(server) => server.probe().await,
            Err(error) => Err(error.to_string()),
        };
        if let Err(cause) = tried {
            faults.push(format!("{PREFIX}{SMTP_URL}: the mail server cannot be used: {cause}"));
        }
    }
    faults
}

/// In one wording, for `check` and for `serve`.
pub(crate) fn database_fault(cause: &str) -> String {
    format!("{PREFIX}{DATABASE_URL}: the database cannot be opened: {cause}")
}
