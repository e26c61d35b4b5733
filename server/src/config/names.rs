//! The table of settings. What is not in it is not a setting.

use std::fmt::Write as _;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Without the prefix; in lower case, its name in `vestibule.toml`.
    pub name: &'static str,
    /// As it would be written. Empty: unset.
    pub default: &'static str,
    /// One sentence.
    pub about: &'static str,
}

/// Of every environment variable.
pub const PREFIX: &str = "VESTIBULE_";

macro_rules! settings {
    ($($name:ident = $default:literal, $about:literal;)+) => {
        $(#[doc = $about] pub const $name: &str = stringify!($name);)+

        /// All settings, in the order of the reference.
        pub const SETTINGS: &[Setting] =
            &[$(Setting { name: stringify!($name), default: $default, about: $about }),+];
    };
}

settings! {
    PUBLIC_URL = "http://localhost:3000", "Origin of every link and cookie. `https` means production; `http` is taken on this machine only. Without it, `http://localhost` with the port of `LISTEN`.";
    LISTEN = "127.0.0.1:3000", "Address and port to listen on.";
    DATA_DIR = "data", "Folder of the SQLite file and the generated secret.";
    DATABASE_URL = "sqlite://data/vestibule.db", "`sqlite://…` or `postgres://…`. Without it, a file in the data folder.";
    SECRET = "", "32 bytes or more; every key is derived from it. Generated into the data folder in development, required in production.";
    SECRET_FILE = "", "File that holds the secret, in place of `SECRET`.";
    SMTP_URL = "", "`smtp://user:password@host:587` (STARTTLS) or `smtps://…`. Without it, emails go to the built-in mailbox, in development only.";
    SMTP_CA_FILE = "", "PEM file of certificate authorities that the mail server's certificate may come from, besides the public ones.";
    EMAILS_PER_HOUR = "", "Most requests in an hour for emails that strangers can have us send (sign-ups, resets, links sent again); above it none is sent. Without it, no such ceiling.";
    MAIL_FROM = "Vestibule <no-reply@localhost>", "Sender of every email.";
    SITE_NAME = "Vestibule", "In pages and emails.";
    TRUSTED_PROXIES = "", "Networks of proxies (CIDR, separated by commas) whose `X-Forwarded-For` is believed.";
    COOKIE_DOMAIN = "", "Parent domain to share sign-in with, such as `example.com`; never one below which others have sites, such as `co.uk`. The access cookie alone is shared, as `__Secure-` instead of `__Host-`.";
    REGISTRATION = "open", "Who may sign up: `open`, `invite`, `closed`. There is no way to invite yet, so `invite` refuses like `closed`.";
    EMAIL_DOMAINS = "", "Domains whose addresses may sign up, separated by commas. Without it, all.";
    EMAIL_VERIFICATION = "mandatory", "Whether an address must be proven: `mandatory`, `optional`, `off`.";
    PREVENT_ENUMERATION = "true", "Whether sign-up keeps to itself which addresses have an account.";
    LOGIN_ON_VERIFY = "same-client", "Who is signed in by confirming an address: `same-client`, `always`, `never`.";
    SIGNUP_FIELDS = "first_name:required,last_name:required,user_type:optional,phone:optional", "What sign-up asks: `required`, `optional` or `off` for each.";
    USER_TYPES = "guest,host", "What a person may choose the account to be for; the first is the default. `admin` can never be listed.";
    TERMS_VERSION = "", "Version of the terms that people must agree to; recorded with its time.";
    TERMS_URL = "", "Address of the terms.";
    PRIVACY_URL = "", "Address of the privacy notice.";
    PASSWORD_MIN_LENGTH = "12", "Characters of a new password; 8 to 64.";
    HASH_MEMORY_KIB = "19456", "Argon2id: memory of one hash.";
    HASH_ITERATIONS = "2", "Argon2id: passes.";
    HASH_PARALLELISM = "1", "Argon2id: lanes.";
    HASH_SLOTS = "", "Hashes at the same time. Without it, the number of cores.";
    ACCESS_TTL = "5m", "Life of an access token.";
    REFRESH_TTL = "14d", "Life of a session that is not used.";
    SESSION_TTL = "30d", "Life of a session, used or not.";
    VERIFY_TTL = "24h", "Life of the link and code that confirm an address.";
    RESET_TTL = "30m", "Life of the link and code that reset a password.";
    SIGNING_ALGORITHM = "EdDSA", "How access tokens are signed: `EdDSA` (Ed25519), `Ed25519` (the same by its newer name, RFC 9864) for services that ask for it, or `ES256` for services whose libraries know neither.";
    MAX_CONNECTIONS = "4096", "Connections at the same time; a sixteenth of them for one IPv4 address or one IPv6 /64, unless it is a trusted proxy.";
    RATE_LIMITS = "on", "`off` for load tests only.";
    LOG_FORMAT = "", "`text` or `json`. Without it, text on a terminal and JSON elsewhere.";
    LOG = "info", "What is logged: a level, or filters such as `info,accounts=debug`.";
}

/// Names that are agreed on and do nothing yet. To set one is a mistake that must not pass in silence.
pub const NOT_YET: [&str; 2] = ["METRICS_LISTEN", "REDIS_URL"];

/// The known name nearest to one that is not known.
pub fn nearest(unknown: &str) -> &'static str {
    let distance = |setting: &&Setting| strsim::damerau_levenshtein(setting.name, unknown);
    SETTINGS.iter().min_by_key(distance).map_or(PUBLIC_URL, |setting| setting.name)
}

/// The reference, as Markdown.
pub fn reference() -> String {
    let mut text = String::from(
        "# Settings\n\n\
         <!-- Printed by `vestibule configuration`; `make docs` writes it. -->\n\n\
         Environment variables, or the same names in lower case and without `VESTIBULE_` in a file (`--config FILE`);\n\
         the environment wins. Unknown names and faulty values stop the program before it starts, all told at once;\n\
         `vestibule check` does only that.\n\n\
         | variable | default | meaning |\n|---|---|---|\n",
    );
    for Setting { name, default, about } in SETTINGS {
        let default = if default.is_empty() { "unset".to_owned() } else { format!("`{default}`") };
        writeln!(text, "| `{PREFIX}{name}` | {default} | {about} |").expect("writing to memory");
    }
    text
}
