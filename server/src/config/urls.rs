//! Addresses among the settings: our own, the mail server's, the database's. A fault says what would have been right.
//!
//! What is wrong in an address that holds a password must be found here. An unescaped `/` in a password ends the
//! host's part of an address: the program would call the wrong host, and say the rest of the password to it.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::parse::Parsed;

/// Our own address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Public {
    /// The origin, without a slash at its end.
    pub(super) url: String,
    /// Host and port, as browsers send them.
    pub(super) authority: String,
    pub(super) host: Host<String>,
}

impl Public {
    pub(super) fn is_production(&self) -> bool {
        self.url.starts_with("https://")
    }
}

pub(super) fn public_url(text: &str) -> Parsed<Public> {
    let fault = || "must be an origin like https://accounts.example.com, without a path".to_owned();
    let url = Url::parse(text).map_err(|_| fault())?;
    let is_origin = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let host = url.host().filter(|_| is_origin && matches!(url.scheme(), "http" | "https")).ok_or_else(fault)?;
    if url.scheme() == "http" && !is_loopback(&host) {
        return Err("must be https, unless its host is this machine (localhost, 127.0.0.1)".to_owned());
    }
    if matches!(host, Host::Domain(name) if name.ends_with('.')) {
        return Err("must not have a dot at the end of its host".to_owned());
    }
    let authority = url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
    Ok(Public { url: url.origin().ascii_serialization(), authority, host: host.to_owned() })
}

/// What people open when nobody said it: this machine, at the port where we listen.
pub(super) fn public_url_of(listen: SocketAddr) -> Parsed<Public> {
    let ip = listen.ip();
    if !ip.is_loopback() && !ip.is_unspecified() {
        return Err("is needed when VESTIBULE_LISTEN is one address of a network".to_owned());
    }
    let is_usual = ip.is_unspecified() || ip == IpAddr::from([127, 0, 0, 1]);
    let host = if is_usual { format!("localhost:{}", listen.port()) } else { listen.to_string() };
    public_url(&format!("http://{host}"))
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// STARTTLS is demanded wherever the letters leave this machine: a server that offers none is not written to.
pub(super) fn smtp_url(text: &str) -> Parsed<String> {
    let fault = || "must be smtp://user:password@host:587 or smtps://…".to_owned();
    has_whole_password(text)?;
    let mut url = Url::parse(text).map_err(|_| fault())?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(fault)?.to_owned();
    has_fit_credentials(&url)?;
    let hello = url.path().trim_start_matches('/');
    if !hello.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-')) {
        return Err("has a path that is no host name; a path is what the server is greeted with (EHLO)".to_owned());
    }
    let is_here =
        host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "smtps" => {}
        "smtp" if is_here => {}
        "smtp" => {
            url.query_pairs_mut().clear().append_pair("tls", "required");
        }
        _ => return Err(fault()),
    }
    let url = String::from(url);
    accounts::judge_smtp_url(&url).map_err(|_| fault())?;
    Ok(url)
}

/// `postgres://user:pass/word@host` is an address of the host `user`.
fn has_whole_password(text: &str) -> Parsed<()> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    if rest[end..].contains('@') {
        return Err("has / ? or # in its user or password (or @ after the host), which is another address than it \
                    seems; write %2F for /, %3F for ?, %23 for #, %40 for @"
            .to_owned());
    }
    Ok(())
}

/// A user without a password would be left out in silence.
fn has_fit_credentials(url: &Url) -> Parsed<()> {
    let password = url.password().unwrap_or_default();
    if url.username().is_empty() != password.is_empty() {
        return Err("must have both a user and a password, or neither".to_owned());
    }
    let is_text = |part: &str| percent_decode_str(part).decode_utf8().is_ok();
    if is_text(url.username()) && is_text(password) {
        Ok(())
    } else {
        Err("has a user or password that is no text; write % as %25".to_owned())
    }
}

pub(super) fn database_url(text: &str) -> Parsed<String> {
    if text.starts_with("sqlite:") {
        is_file_to_write(text)?;
    } else if ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
        has_whole_password(text)?;
    } else {
        return Err("must begin with sqlite:// or postgres://".to_owned());
    }
    accounts::Store::judge(text)?;
    Ok(text.to_owned())
}

fn is_file_to_write(url: &str) -> Parsed<()> {
    let path = sqlite_file(url).unwrap_or_default();
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let is_in_memory = path.as_os_str() == ":memory:" || parameters.contains("mode=memory");
    if is_in_memory || path.as_os_str().is_empty() {
        return Err("must name a file: accounts in memory would be gone with the next start".to_owned());
    }
    if parameters.contains("mode=ro") || parameters.contains("immutable") {
        return Err("must be a database that can be written".to_owned());
    }
    Ok(())
}

/// The address of a file.
pub(super) fn sqlite_url(file: &Path) -> String {
    let path = file.display().to_string().replace('%', "%25").replace('?', "%3F");
    format!("sqlite://{path}")
}

/// The file of a `sqlite://…` address.
pub(super) fn sqlite_file(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest).split('?').next()?;
    percent_decode_str(path).decode_utf8().ok().map(|path| PathBuf::from(path.into_owned()))
}

/// A parent of our host, or the host itself, of which nobody else has a part: cookies go to every host below it.
pub(super) fn cookie_domain(text: &str, public: Option<&Public>) -> Parsed<String> {
    let fault = || "must be a parent domain of an https public URL".to_owned();
    let Ok(Host::Domain(domain)) = Host::parse(text) else { return Err(fault()) };
    if domain.contains('.') && psl::domain_str(&domain).is_none() {
        return Err(format!(
            "{domain} is a public suffix: browsers refuse its cookies, and others have sites below it"
        ));
    }
    let is_below = |host: &str| host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'));
    let is_parent = public
        .is_some_and(|public| public.is_production() && matches!(&public.host, Host::Domain(host) if is_below(host)));
    if is_parent && domain.contains('.') { Ok(domain) } else { Err(fault()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> Parsed<(String, String)> {
        public_url(text).map(|public| (public.url, public.authority))
    }

    #[test]
    fn http_is_for_this_machine() {
        assert_eq!(public("http://localhost:3000"), Ok(("http://localhost:3000".into(), "localhost:3000".into())));
        assert_eq!(public("https://a.example/"), Ok(("https://a.example".into(), "a.example".into())));
        for text in [
            "http://a.example",
            "https://a.example/x",
            "https://u@a.example",
            "https://a.example.",
            "ftp://localhost",
            "a.example",
            "",
        ] {
            assert!(public_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn where_nobody_says_it_the_public_address_is_where_we_listen() {
        for (listen, expected) in [
            ("127.0.0.1:4626", "http://localhost:4626"),
            ("0.0.0.0:80", "http://localhost"),
            ("[::]:3000", "http://localhost:3000"),
            ("[::1]:4626", "http://[::1]:4626"),
            ("127.0.0.2:4626", "http://127.0.0.2:4626"),
        ] {
            let found = public_url_of(listen.parse().expect("an address")).map(|public| public.url);
            assert_eq!(found.as_deref(), Ok(expected), "{listen}");
        }
        assert!(public_url_of("192.0.2.1:3000".parse().expect("an address")).is_err());
    }

    #[test]
    fn letters_leave_this_machine_encrypted() {
        assert_eq!(smtp_url("smtp://u:p@mail.example:587").as_deref(), Ok("smtp://u:p@mail.example:587?tls=required"));
        assert_eq!(
            smtp_url("smtp://mail.example?tls=opportunistic").as_deref(),
            Ok("smtp://mail.example?tls=required")
        );
        assert_eq!(smtp_url("smtp://127.0.0.1:1025").as_deref(), Ok("smtp://127.0.0.1:1025"));
        assert!(smtp_url("smtps://u:p%2Fq@mail.example/accounts.example").is_ok());
        for text in ["http://mail.example", "smtp://", "smtp:mail.example", "smtp://127.0.0.1?tls=never"] {
            assert!(smtp_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_part_of_a_password_is_taken_for_a_host() {
        for password in ["12/qz", "pa/qz", "pa?qz", "pa#qz", "12?qz", "/", "p@qz/w"] {
            for fault in [
                smtp_url(&format!("smtp://user:{password}@mail.example:587")),
                smtp_url(&format!("smtps://user:{password}@mail.example")),
                smtp_url(&format!("smtp://us/er:{password}@127.0.0.1")),
                database_url(&format!("postgres://user:{password}@db.example/accounts")),
                database_url(&format!("postgresql://user:{password}@db.example/accounts?sslmode=require")),
            ] {
                let told = fault.expect_err(password);
                assert!(told.contains("%2F") && !told.contains("qz"), "{password}: {told}");
            }
        }
        assert!(smtp_url("smtp://user@example.org:p%2Fw@mail.example:587").is_ok(), "a user may be an address");
        assert!(smtp_url("smtp://user@mail.example").is_err(), "would not sign in, and say nothing");
        assert!(smtp_url("smtp://user:%ff@mail.example").is_err());
    }

    #[test]
    fn a_database_is_a_file_to_write_or_a_server() {
        for url in ["sqlite://data/vestibule.db", "sqlite:/srv/v.db?mode=rwc", "postgres://u:p%2F@db/v?sslmode=require"]
        {
            assert_eq!(database_url(url).as_deref(), Ok(url));
        }
        for url in [
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite://",
            "sqlite:",
            "sqlite://?mode=memory",
            "sqlite://v.db?mode=memory",
            "sqlite://v.db?mode=ro",
            "sqlite://v.db?immutable=1",
            "sqlite://v.db?nonsense=1",
            "postgres://u:p@db:70000/v",
            "postgres:v",
            "mysql://db/v",
        ] {
            assert!(database_url(url).is_err(), "{url}");
        }
        assert_eq!(sqlite_file("sqlite:///srv/a%3Fb.db?mode=rwc"), Some("/srv/a?b.db".into()));
        assert_eq!(sqlite_file("postgres://db/v"), None);
        assert_eq!(sqlite_file(&sqlite_url(Path::new("/srv/50%3F?/v.db"))), Some("/srv/50%3F?/v.db".into()));
    }

    #[test]
    fn cookies_are_shared_below_a_domain_that_is_ours_alone() {
        let judged = |domain: &str, url: &str| cookie_domain(domain, public_url(url).ok().as_ref());
        for (domain, url) in [
            ("example.com", "https://accounts.example.com"),
            ("Example.COM", "https://accounts.example.com:8443"),
            ("accounts.example.com", "https://accounts.example.com"),
            ("example.co.uk", "https://accounts.example.co.uk"),
            ("me.github.io", "https://accounts.me.github.io"),
            ("corp.internal", "https://accounts.corp.internal"),
            ("bücher.example", "https://accounts.bücher.example"),
        ] {
            assert!(judged(domain, url).is_ok(), "{domain} {url} {:?}", judged(domain, url));
        }
        assert_eq!(judged("Example.COM", "https://a.example.com").as_deref(), Ok("example.com"));
        for (domain, url) in [
            ("co.uk", "https://example.co.uk"),
            ("github.io", "https://me.github.io"),
            ("com.au", "https://a.example.com.au"),
            ("eu-west-1.compute.amazonaws.com", "https://a.eu-west-1.compute.amazonaws.com"),
            ("com", "https://example.com"),
            ("internal", "https://corp.internal"),
            ("localhost", "https://localhost"),
            ("192.0.2.1", "https://192.0.2.1"),
            ("0.2.1", "https://192.0.2.1"),
            ("[2001:db8::1]", "https://[2001:db8::1]"),
            ("example.org", "https://accounts.example.com"),
            ("ample.com", "https://example.com"),
            ("accounts.example.com", "https://example.com"),
            ("example.com.", "https://accounts.example.com"),
            (".example.com", "https://accounts.example.com"),
            ("example.com; Secure", "https://accounts.example.com"),
            ("example.com", "http://localhost"),
            ("", "https://example.com"),
        ] {
            assert!(judged(domain, url).is_err(), "{domain} {url}");
        }
    }
}
