//! The conversation with the operator's mail server (RFC 5321), command by command: only so is it known which of them
//! was refused, and each has a time limit of its own.
//!
//! A connection that served is kept for the next letter until there is none, so that a burst of letters signs in a few
//! times and not once for each.

mod failure;
mod message;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use tokio::time::timeout;
use url::Url;
use uuid::Uuid;

pub(crate) use failure::{Cause, NotSent};

use crate::mail::Rendered;
use crate::{Error, Result, address};
use failure::Step;

/// To find the server, and again to reach one of its addresses.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// For the answer to a command.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// For the answer to a whole message: servers look into it first.
const CONTENT_LIMIT: Duration = Duration::from_mins(1);
/// For everything: no letter holds its place longer.
const LETTER_LIMIT: Duration = Duration::from_mins(2);
/// For one answer to a probe: somebody waits at a terminal.
const PROBE_LIMIT: Duration = Duration::from_secs(10);
/// For the goodbye, which changes nothing.
const GOODBYE_LIMIT: Duration = Duration::from_secs(5);

/// A mail server, and who writes. Cheap to clone.
#[derive(Clone)]
pub struct SmtpServer {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    hello: ClientId,
    from: Mailbox,
    /// For one answer, whatever the question. Tests have less time than letters.
    patience: Option<Duration>,
    idle: Arc<Mutex<Vec<AsyncSmtpConnection>>>,
}

#[derive(Clone)]
enum Security {
    /// To this machine only.
    None,
    /// RFC 3207. A server that does not offer it gets nothing.
    StartTls(TlsParameters),
    /// RFC 8314.
    FromTheStart(TlsParameters),
}

impl std::fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpServer").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl SmtpServer {
    /// `smtp://user:password@host:587?tls=required` (STARTTLS), `smtps://…`, or `smtp://…` for a server on this
    /// machine. `from` as in `Vestibule <account@example.org>`. `hello`: the name that this service has in public.
    /// `authorities`: PEM, certificate authorities to trust besides the public ones.
    pub fn new(url: &str, from: &str, hello: &str, authorities: Option<&[u8]>) -> Result<Self> {
        let url =
            Url::parse(url).map_err(|_| Error::internal("the mail server is not an smtp:// or smtps:// address"))?;
        let host = url.host_str().ok_or_else(|| Error::internal("the mail server has no name"))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let (security, port) = match (url.scheme(), tls.as_deref()) {
            ("smtps", _) => (Security::FromTheStart(tls_to(&host, authorities)?), 465),
            ("smtp", Some("required")) => (Security::StartTls(tls_to(&host, authorities)?), 587),
            ("smtp", None) => (Security::None, 25),
            _ => return Err(Error::internal("the mail server is neither smtp://, smtp://…?tls=required nor smtps://")),
        };
        Ok(Self {
            port: url.port().unwrap_or(port),
            host,
            security,
            credentials: credentials(&url)?,
            hello: hello_name(hello),
            from: sender(from)?,
            patience: None,
            idle: Arc::default(),
        })
    }

    /// Greets the server (EHLO), goes over to TLS where that is set, and signs in (AUTH), as for a letter; sends none.
    /// An error says at what it failed.
    pub async fn probe(&self) -> Result<(), String> {
        let mut connection =
            self.clone().with_patience(PROBE_LIMIT).connection().await.map_err(|failure| failure.told())?;
        // Whatever it says to the goodbye: it took us.
        timeout(GOODBYE_LIMIT, connection.quit()).await.ok();
        Ok(())
    }

    /// Waits no longer than this for any answer.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self }
    }

    pub(crate) async fn send(
        &self,
        id: Uuid,
        recipient: &str,
        letter: &Rendered,
        created_at: DateTime<Utc>,
    ) -> Result<(), NotSent> {
        let to = mailbox_on_the_wire(recipient).map_err(|error| NotSent::not_a_letter(&error))?;
        let message = message::compose(&self.from, to.clone(), id, letter, created_at);
        let message = message.map_err(|error| NotSent::not_a_letter(&error))?.formatted();
        match timeout(LETTER_LIMIT, self.deliver(to, &message)).await {
            Ok(delivered) => delivered,
            Err(_) => Err(NotSent::later(Cause::Timeout, "the whole conversation took too long")),
        }
    }

    async fn deliver(&self, to: Address, message: &[u8]) -> Result<(), NotSent> {
        let mut connection = self.connection().await?;
        let delivered = self.hand_over(&mut connection, to, message).await;
        // After a refusal the conversation goes on; after anything else nobody knows where it stands.
        let goes_on = match &delivered {
            Ok(()) => true,
            Err(failure) if failure.is_an_answer() => self.answers(connection.command(Rset)).await,
            Err(_) => false,
        };
        if goes_on {
            self.idle().push(connection);
        }
        delivered
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        to: Address,
        message: &[u8],
    ) -> Result<(), NotSent> {
        let from = Some(self.from.email.clone());
        self.step(Step::Sender, COMMAND_LIMIT, connection.command(Mail::new(from, Vec::new()))).await?;
        self.step(Step::Recipient, COMMAND_LIMIT, connection.command(Rcpt::new(to, Vec::new()))).await?;
        self.step(Step::Content, COMMAND_LIMIT, connection.command(Data)).await?;
        self.step(Step::Content, CONTENT_LIMIT, connection.message(message)).await?;
        Ok(())
    }

    /// One that served before and still answers, or a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, NotSent> {
        loop {
            let Some(mut idle) = self.idle().pop() else { break };
            if self.answers(async { idle.test_connected().await.then_some(()).ok_or(()) }).await {
                return Ok(idle);
            }
        }
        let mut failure = NotSent::later(Cause::NoSuchHost, "no address");
        for address in self.addresses().await? {
            match self.connect(address).await {
                Ok(connection) => return Ok(connection),
                Err(other) => failure = other,
            }
        }
        Err(failure)
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, NotSent> {
        let found = timeout(self.at_most(CONNECT_LIMIT), tokio::net::lookup_host((&*self.host, self.port))).await;
        match found {
            Ok(Ok(addresses)) => Ok(addresses.collect()),
            Ok(Err(error)) => Err(NotSent::later(Cause::NoSuchHost, error.to_string())),
            Err(_) => Err(NotSent::later(Cause::Timeout, "the name of the server was not found in time")),
        }
    }

    async fn connect(&self, address: SocketAddr) -> Result<AsyncSmtpConnection, NotSent> {
        let (step, tls) = match &self.security {
            Security::FromTheStart(tls) => (Step::ConnectByTls, Some(tls.clone())),
            Security::None | Security::StartTls(_) => (Step::Connect, None),
        };
        let patience = Some(self.at_most(CONNECT_LIMIT));
        let connected = AsyncSmtpConnection::connect_tokio1(address, patience, &self.hello, tls, None);
        let mut connection = self.step(step, COMMAND_LIMIT, connected).await?;
        if let Security::StartTls(tls) = &self.security {
            if !connection.can_starttls() {
                return Err(NotSent::later(Cause::NoStarttls, "the server does not offer STARTTLS"));
            }
            self.step(Step::StartTls, COMMAND_LIMIT, connection.starttls(tls.clone(), &self.hello)).await?;
        }
        if let Some(credentials) = &self.credentials {
            if connection.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
                return Err(NotSent::later(Cause::AuthNotOffered, "the server offers neither PLAIN nor LOGIN"));
            }
            self.step(Step::SignIn, COMMAND_LIMIT, connection.auth(DEFAULT_MECHANISMS, credentials)).await?;
        }
        Ok(connection)
    }

    async fn step<T>(
        &self,
        step: Step,
        limit: Duration,
        work: impl Future<Output = Result<T, smtp::Error>>,
    ) -> Result<T, NotSent> {
        match timeout(self.at_most(limit), work).await {
            Ok(done) => done.map_err(|error| NotSent::at(step, &error)),
            Err(_) => Err(NotSent::later(Cause::Timeout, format!("no answer at step {step:?}"))),
        }
    }

    async fn answers<T, E>(&self, question: impl Future<Output = Result<T, E>>) -> bool {
        timeout(self.at_most(GOODBYE_LIMIT), question).await.is_ok_and(|answer| answer.is_ok())
    }

    fn at_most(&self, limit: Duration) -> Duration {
        self.patience.map_or(limit, |patience| patience.min(limit))
    }

    /// Ends the connections that nobody uses.
    pub(crate) fn hang_up(&self) {
        for mut connection in std::mem::take(&mut *self.idle()) {
            tokio::spawn(async move { timeout(GOODBYE_LIMIT, connection.quit()).await.is_ok() });
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<AsyncSmtpConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tls_to(host: &str, authorities: Option<&[u8]>) -> Result<TlsParameters> {
    let mut tls = TlsParameters::builder(host.to_owned());
    if let Some(pem) = authorities {
        tls = tls.add_root_certificate(Certificate::from_pem(pem).map_err(Error::internal)?);
    }
    tls.build().map_err(Error::internal)
}

fn credentials(url: &Url) -> Result<Option<Credentials>> {
    let decoded = |text: &str| {
        let text =
            percent_decode_str(text).decode_utf8().map_err(|_| Error::internal("the mail account is not text"))?;
        Ok::<_, Error>(text.into_owned())
    };
    let Some(password) = url.password() else { return Ok(None) };
    Ok(Some(Credentials::new(decoded(url.username())?, decoded(password)?)))
}

/// A name, or an address in the form that RFC 5321 4.1.3 wants.
fn hello_name(host: &str) -> ClientId {
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(host.to_owned()),
    }
}

fn sender(from: &str) -> Result<Mailbox> {
    let from: Mailbox = from.parse().map_err(|_| Error::internal("the sender is not a mail address"))?;
    Ok(Mailbox::new(from.name, mailbox_on_the_wire(from.email.as_ref())?))
}

/// With an international domain in its ASCII form (A-labels, RFC 5890): few servers take any other.
fn mailbox_on_the_wire(email: &str) -> Result<Address> {
    address::ascii(email)?.parse().map_err(Error::internal)
}
