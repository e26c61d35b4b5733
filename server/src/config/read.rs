//! From the environment and a file to a [`Config`], or to all faults at once.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use accounts::{EmailVerification, Hashing, Lifetimes, LoginOnVerify, RegistrationPolicy, Settings, SigningAlgorithm};
use contract::rules::{Presence, SignUpRules};

use super::files::{self, Privacy};
use super::parse::{self, Parsed};
use super::urls::{self, Public};
use super::{Config, links, names};

/// Where settings come from, as pairs of name and text.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Content of `vestibule.toml`.
    pub file: Option<String>,
}

/// Whether reading may prepare what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prepare {
    /// Makes the data folder and a secret where development needs them.
    Yes,
    /// Nothing is written. A secret that is not there yet is one that nobody will keep.
    No,
}

impl Config {
    /// Reads and checks everything. Makes the data folder and a secret where development needs them.
    pub fn read(sources: &Sources) -> Result<Self, Vec<String>> {
        Reader::new(sources, Prepare::Yes).finished()
    }

    /// The same without writing anything: to look at what another process serves, or will serve, is not to change it.
    pub fn look(sources: &Sources) -> Result<Self, Vec<String>> {
        Reader::new(sources, Prepare::No).finished()
    }

    /// The settings of this process, with the file that the command line names. One that only looks prepares nothing: no
    /// folder and no secret.
    pub fn of_process(file: Option<&Path>, only_looks: bool) -> Result<Self, Vec<String>> {
        let mut sources = Sources { environment: environment(), file: None };
        let mut warning = None;
        if let Some(path) = file {
            let cannot =
                |error: std::io::Error| vec![format!("{}: cannot be read: {}", path.display(), files::plain(&error))];
            sources.file = Some(std::fs::read_to_string(path).map_err(cannot)?);
            match files::of_secret(path) {
                Privacy::Private => {}
                _ if !sources.file.as_deref().is_some_and(holds_secrets) => {}
                Privacy::Mounted(what) => warning = Some(what),
                Privacy::Loose(what) => return Err(vec![format!("the settings file holds secrets, and {what}")]),
            }
        }
        let mut config = if only_looks { Self::look(&sources) } else { Self::read(&sources) }?;
        config.warnings.extend(warning);
        Ok(config)
    }
}

const LOCAL_SENDER: &str = "is at localhost, and mail servers refuse that; set an address of your domain";

fn environment() -> Vec<(String, String)> {
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| name.starts_with(names::PREFIX))
        .collect()
}

fn holds_secrets(file: &str) -> bool {
    let table = file.parse::<toml::Table>().unwrap_or_default();
    let has_password = |value: &toml::Value| value.as_str().is_some_and(|text| text.contains('@'));
    table.iter().any(|(name, value)| match name.to_uppercase().as_str() {
        names::SECRET => true,
        names::SMTP_URL | names::DATABASE_URL => has_password(value),
        _ => false,
    })
}

/// Reads one setting after the other, and keeps what it finds wrong.
pub(super) struct Reader {
    values: BTreeMap<&'static str, String>,
    pub(super) prepare: Prepare,
    faults: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl Reader {
    fn new(sources: &Sources, prepare: Prepare) -> Self {
        let mut reader = Self { values: BTreeMap::new(), prepare, faults: Vec::new(), warnings: Vec::new() };
        if let Some(file) = &sources.file {
            reader.add_file(file);
        }
        for (name, value) in &sources.environment {
            let Some(name) = name.strip_prefix(names::PREFIX) else { continue };
            if !links::is_service_link(name, value) {
                reader.add(name, &format!("{}{name}", names::PREFIX), value.clone());
            }
        }
        reader
    }

    fn finished(mut self) -> Result<Config, Vec<String>> {
        let config = self.config();
        match config {
            Some(config) if self.faults.is_empty() => Ok(Config { warnings: self.warnings, ..config }),
            _ => Err(self.faults),
        }
    }

    fn add_file(&mut self, text: &str) {
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => return self.faults.push(format!("the settings file is not TOML: {}", error.message())),
        };
        for (name, value) in table {
            let text = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(choice) => choice.to_string(),
                _ => {
                    self.faults.push(format!("{name}: must be text, a number, or true or false"));
                    continue;
                }
            };
            self.add(&name.to_uppercase(), &name, text);
        }
    }

    fn add(&mut self, name: &str, as_written: &str, value: String) {
        if let Some(setting) = names::SETTINGS.iter().find(|setting| setting.name == name) {
            self.values.insert(setting.name, value);
        } else if names::NOT_YET.contains(&name) {
            self.faults.push(format!("{as_written}: is not supported by this version; unset it"));
        } else {
            let nearest = names::nearest(name);
            let shape = if as_written.starts_with(names::PREFIX) {
                format!("{}{nearest}", names::PREFIX)
            } else {
                nearest.to_lowercase()
            };
            self.faults.push(format!("{as_written}: no such setting; did you mean {shape}?"));
        }
    }

    /// What was set, if it is not empty.
    pub(super) fn text(&self, name: &'static str) -> Option<String> {
        self.values.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// What was set, or the default of the table.
    fn text_or_default(&self, name: &'static str) -> String {
        let default = || names::SETTINGS.iter().find(|setting| setting.name == name).map(|setting| setting.default);
        self.text(name).or_else(|| default().map(str::to_owned)).unwrap_or_default()
    }

    pub(super) fn fault(&mut self, name: &str, what: &str) {
        let fault = format!("{}{name}: {what}", names::PREFIX);
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// The value, or a noted fault. Faulty text is not repeated: it may be a secret in the wrong place.
    fn parse<T>(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Parsed<T>) -> Option<T> {
        let text = self.text_or_default(name);
        self.noted(name, parse(&text))
    }

    fn parse_set<T>(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Parsed<T>) -> Option<T> {
        let text = self.text(name)?;
        self.noted(name, parse(&text))
    }

    pub(super) fn noted<T>(&mut self, name: &str, parsed: Parsed<T>) -> Option<T> {
        parsed.map_err(|what| self.fault(name, &what)).ok()
    }

    fn config(&mut self) -> Option<Config> {
        let listen = self.parse(names::LISTEN, |text| {
            text.parse::<std::net::SocketAddr>()
                .map_err(|_| "must be an address and port like 127.0.0.1:3000".to_owned())
        });
        let public = self.public_url(listen);
        let is_production = public.as_ref().is_some_and(Public::is_production);
        let data_dir = PathBuf::from(self.text_or_default(names::DATA_DIR));
        let database_url = self.database_url(&data_dir);
        let smtp_url = self.parse_set(names::SMTP_URL, urls::smtp_url);
        let smtp_authorities = self.parse_set(names::SMTP_CA_FILE, parse::authorities);
        self.check_mail(is_production, listen.is_some_and(|listen| listen.ip().is_loopback()));
        let mail_from = self.parse(names::MAIL_FROM, parse::sender);
        if is_production && mail_from.as_deref().is_some_and(parse::is_of_this_machine) {
            self.warnings.push(format!("{}{}: {LOCAL_SENDER}", names::PREFIX, names::MAIL_FROM));
        }
        let trusted_proxies = self.parse(names::TRUSTED_PROXIES, parse::networks);
        let cookie_domain = self.parse_set(names::COOKIE_DOMAIN, |text| urls::cookie_domain(text, public.as_ref()));
        let max_connections = self.parse(names::MAX_CONNECTIONS, |text| parse::number(text, 16, 1_000_000));
        let log = self.parse(names::LOG, |text| {
            let fault = |_| "must be a level, or filters such as info,accounts=debug".to_owned();
            tracing_subscriber::EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(fault)
        });
        let terms_url = self.parse_set(names::TERMS_URL, parse::web_address);
        let privacy_url = self.parse_set(names::PRIVACY_URL, parse::web_address);
        let log_json = self.log_json();
        let secret = self.secret(is_production, &data_dir);
        let settings = self.settings(public.as_ref().map(|public| public.url.clone()), secret);
        Some(Config {
            listen: listen?,
            authority: public?.authority,
            data_dir,
            database_url: database_url?.into(),
            smtp_url: smtp_url.map(Into::into),
            smtp_authorities,
            mail_from: mail_from?,
            trusted_proxies: trusted_proxies?,
            cookie_domain,
            terms_url,
            privacy_url,
            log_json: log_json?,
            log: log?,
            max_connections: max_connections?,
            warnings: Vec::new(),
            settings: settings?,
        })
    }

    /// Whoever changes only the port means the pages to be found there.
    fn public_url(&mut self, listen: Option<std::net::SocketAddr>) -> Option<Public> {
        match (self.text(names::PUBLIC_URL), listen) {
            (None, Some(listen)) => self.noted(names::PUBLIC_URL, urls::public_url_of(listen)),
            _ => self.parse(names::PUBLIC_URL, urls::public_url),
        }
    }

    fn log_json(&mut self) -> Option<bool> {
        match self.text(names::LOG_FORMAT) {
            Some(text) => self.noted(names::LOG_FORMAT, parse::one_of(&text, &[("text", false), ("json", true)])),
            None => Some(!std::io::stderr().is_terminal()),
        }
    }

    /// Letters that nobody can read are the same as none, and a mailbox that strangers can read is worse.
    fn check_mail(&mut self, is_production: bool, listens_here: bool) {
        if self.text(names::SMTP_URL).is_some() {
            return;
        }
        if is_production {
            self.fault(names::SMTP_URL, "is needed in production (an https public URL): emails must reach people");
        } else if !listens_here {
            self.fault(
                names::SMTP_URL,
                "is needed when listening beyond this machine: the built-in mailbox would be open",
            );
        }
    }

    fn settings(&mut self, public_url: Option<String>, secret: Option<Vec<u8>>) -> Option<Settings> {
        let on_off = [("on", true), ("off", false), ("true", true), ("false", false)];
        let registration = self.parse(names::REGISTRATION, |text| {
            let (open, invite, closed) =
                (RegistrationPolicy::Open, RegistrationPolicy::Invite, RegistrationPolicy::Closed);
            parse::one_of(text, &[("open", open), ("invite", invite), ("closed", closed)])
        });
        let email_verification = self.parse(names::EMAIL_VERIFICATION, |text| {
            let (mandatory, optional, off) =
                (EmailVerification::Mandatory, EmailVerification::Optional, EmailVerification::Off);
            parse::one_of(text, &[("mandatory", mandatory), ("optional", optional), ("off", off)])
        });
        let login_on_verify = self.parse(names::LOGIN_ON_VERIFY, |text| {
            let (same, always, never) = (LoginOnVerify::SameClient, LoginOnVerify::Always, LoginOnVerify::Never);
            parse::one_of(text, &[("same-client", same), ("always", always), ("never", never)])
        });
        let prevent_enumeration = self.parse(names::PREVENT_ENUMERATION, |text| parse::one_of(text, &on_off));
        let rate_limits = self.parse(names::RATE_LIMITS, |text| parse::one_of(text, &on_off));
        let signing_algorithm = self.parse(names::SIGNING_ALGORITHM, |text| {
            let (eddsa, ed25519, es256) = (SigningAlgorithm::EdDsa, SigningAlgorithm::Ed25519, SigningAlgorithm::Es256);
            parse::one_of(text, &[("EdDSA", eddsa), ("Ed25519", ed25519), ("ES256", es256)])
        });
        let emails_per_hour = self.parse_set(names::EMAILS_PER_HOUR, |text| parse::number(text, 1, u32::MAX));
        let sign_up = self.sign_up_rules();
        let hashing = self.hashing();
        let lifetimes = self.lifetimes();
        Some(Settings {
            public_url: public_url?,
            sign_up: sign_up?,
            registration: registration?,
            email_verification: email_verification?,
            login_on_verify: login_on_verify?,
            prevent_enumeration: prevent_enumeration?,
            hashing: hashing?,
            lifetimes: lifetimes?,
            signing_algorithm: signing_algorithm?,
            rate_limits: rate_limits?,
            emails_per_hour,
            secret: secret?.into(),
        })
    }

    fn sign_up_rules(&mut self) -> Option<SignUpRules> {
        let password_min_length = self.parse(names::PASSWORD_MIN_LENGTH, |text| parse::number(text, 8, 64));
        let fields = self.parse(names::SIGNUP_FIELDS, parse::sign_up_fields);
        let user_types = self.parse(names::USER_TYPES, parse::user_types);
        let fields: BTreeMap<String, Presence> = fields?.into_iter().collect();
        let defaults = SignUpRules::default();
        let presence = |name: &str, default| fields.get(name).copied().unwrap_or(default);
        Some(SignUpRules {
            site_name: self.text_or_default(names::SITE_NAME),
            password_min_length: password_min_length?,
            first_name: presence("first_name", defaults.first_name),
            last_name: presence("last_name", defaults.last_name),
            user_type: presence("user_type", defaults.user_type),
            phone: presence("phone", defaults.phone),
            user_types: user_types?,
            email_domains: parse::list(&self.text_or_default(names::EMAIL_DOMAINS).to_lowercase()),
            terms_version: self.text(names::TERMS_VERSION),
        })
    }

    fn hashing(&mut self) -> Option<Hashing> {
        let memory_kib = self.parse(names::HASH_MEMORY_KIB, |text| parse::number(text, 8, 4_194_304));
        let iterations = self.parse(names::HASH_ITERATIONS, |text| parse::number(text, 1, 100));
        let parallelism = self.parse(names::HASH_PARALLELISM, |text| parse::number(text, 1, 64));
        let slots = match self.text(names::HASH_SLOTS) {
            Some(text) => self.noted(names::HASH_SLOTS, parse::number(&text, 1, 1024)),
            None => Some(Hashing::default().slots),
        };
        if let (Some(memory), Some(lanes)) = (memory_kib, parallelism)
            && memory < 8 * lanes
        {
            self.fault(names::HASH_MEMORY_KIB, "must be 8 or more for each lane");
        }
        Some(Hashing { memory_kib: memory_kib?, iterations: iterations?, parallelism: parallelism?, slots: slots? })
    }

    fn lifetimes(&mut self) -> Option<Lifetimes> {
        let access = self.parse(names::ACCESS_TTL, parse::duration);
        let refresh = self.parse(names::REFRESH_TTL, parse::duration);
        let session = self.parse(names::SESSION_TTL, parse::duration);
        let verify = self.parse(names::VERIFY_TTL, parse::duration);
        let reset = self.parse(names::RESET_TTL, parse::duration);
        let lifetimes =
            Lifetimes { access: access?, refresh: refresh?, session: session?, verify: verify?, reset: reset? };
        if lifetimes.refresh > lifetimes.session {
            self.fault(names::REFRESH_TTL, "must not be longer than VESTIBULE_SESSION_TTL");
        }
        Some(lifetimes)
    }
}
