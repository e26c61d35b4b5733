//! From text to values. A fault says what would have been right.

use std::net::IpAddr;
use std::str::FromStr;

use chrono::TimeDelta;
use contract::rules::Presence;
use ipnet::IpNet;
use url::{Host, Url};

pub(super) type Parsed<T> = Result<T, String>;

pub(super) fn number<T: FromStr + PartialOrd + std::fmt::Display>(text: &str, least: T, most: T) -> Parsed<T> {
    let range = format!("must be a number from {least} to {most}");
    text.parse().ok().filter(|number| *number >= least && *number <= most).ok_or(range)
}

pub(super) fn one_of<T: Copy>(text: &str, choices: &[(&str, T)]) -> Parsed<T> {
    let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| format!("must be one of {}", names.join(", ")))
}

/// `90s`, `5m`, `24h`, `14d`.
pub(super) fn duration(text: &str) -> Parsed<TimeDelta> {
    let fault = || "must be a whole number with a unit, like 90s, 5m, 24h or 14d".to_owned();
    let unit = text.char_indices().next_back().ok_or_else(fault)?;
    let number: i64 = text[..unit.0].parse().map_err(|_| fault())?;
    let seconds = match unit.1 {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(fault()),
    };
    let total = number.checked_mul(seconds).filter(|total| (1..=400 * 86_400).contains(total));
    total.map(TimeDelta::seconds).ok_or_else(|| "must be from 1s to 400d".to_owned())
}

pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

pub(super) fn networks(text: &str) -> Parsed<Vec<IpNet>> {
    let network = |item: &String| {
        item.parse::<IpNet>()
            .or_else(|_| item.parse::<IpAddr>().map(IpNet::from))
            .map_err(|_| format!("has {item}, which is no network like 10.0.0.0/8"))
    };
    list(text).iter().map(network).collect()
}

/// The origin without its slash, and the authority as browsers send it.
pub(super) fn public_url(text: &str) -> Parsed<(String, String)> {
    let fault = || "must be an origin like https://accounts.example.com, without a path".to_owned();
    let url = Url::parse(text).map_err(|_| fault())?;
    let is_origin = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let host = url.host().filter(|_| is_origin && matches!(url.scheme(), "http" | "https")).ok_or_else(fault)?;
    if url.scheme() == "http" && !is_loopback(&host) {
        return Err("must be https, unless its host is this machine (localhost, 127.0.0.1)".to_owned());
    }
    let authority = url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
    Ok((url.origin().ascii_serialization(), authority))
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
    let mut url = Url::parse(text).map_err(|_| fault())?;
    let host = url.host_str().ok_or_else(fault)?.to_owned();
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
    Ok(url.into())
}

/// The file's content; whether it holds certificates is told when they are used, still before the service starts.
pub(super) fn authorities(path: &str) -> Parsed<Vec<u8>> {
    let pem = std::fs::read(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    let is_pem = String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----");
    is_pem.then_some(pem).ok_or_else(|| format!("{path} holds no certificate in PEM form"))
}

pub(super) fn web_address(text: &str) -> Parsed<String> {
    let is_web = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) || text.starts_with('/');
    if is_web { Ok(text.to_owned()) } else { Err("must be a web address".to_owned()) }
}

pub(super) fn database_url(text: &str) -> Parsed<String> {
    let is_known = ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| text.starts_with(scheme));
    if is_known { Ok(text.to_owned()) } else { Err("must begin with sqlite:// or postgres://".to_owned()) }
}

pub(super) fn user_types(text: &str) -> Parsed<Vec<String>> {
    let kinds = list(text);
    let is_word = |kind: &String| {
        (1..=10).contains(&kind.len()) && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    if kinds.is_empty() || !kinds.iter().all(is_word) {
        return Err("must list words of 1 to 10 small letters, separated by commas".to_owned());
    }
    if kinds.iter().any(|kind| kind == "admin") {
        return Err("must not list admin: nobody may choose to be one".to_owned());
    }
    Ok(kinds)
}

/// `first_name:required,…`; what is not named keeps its default.
pub(super) fn sign_up_fields(text: &str) -> Parsed<Vec<(String, Presence)>> {
    let choices = [("required", Presence::Required), ("optional", Presence::Optional), ("off", Presence::Off)];
    let field = |item: &String| {
        let (name, presence) = item.split_once(':').ok_or("must be pairs like phone:optional, separated by commas")?;
        if !["first_name", "last_name", "user_type", "phone"].contains(&name) {
            return Err(format!("has {name}, but asks only for first_name, last_name, user_type, phone"));
        }
        Ok((name.to_owned(), one_of(presence, &choices)?))
    };
    list(text).iter().map(field).collect()
}

/// Refuses what was typed instead of generated.
pub(super) fn secret(text: &str) -> Parsed<Vec<u8>> {
    let bytes = text.trim().as_bytes();
    let mut kinds = bytes.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    if bytes.len() < 32 {
        return Err("must have 32 bytes or more, for instance from `openssl rand -base64 48`".to_owned());
    }
    let lower = text.to_lowercase();
    // Of random characters, one pair of neighbours in twenty follow each other.
    let runs = bytes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    if kinds.len() < 10
        || runs > bytes.len() / 3
        || ["changeme", "secret", "password", "example"].iter().any(|word| lower.contains(word))
    {
        return Err("must be random, for instance from `openssl rand -base64 48`".to_owned());
    }
    Ok(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_a_bound() {
        assert_eq!(duration("90s"), Ok(TimeDelta::seconds(90)));
        assert_eq!(duration("14d"), Ok(TimeDelta::days(14)));
        for text in ["", "5", "m", "-5m", "0s", "5 m", "99999d", "1.5h", "5µ"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn http_is_for_this_machine() {
        assert_eq!(public_url("http://localhost:3000"), Ok(("http://localhost:3000".into(), "localhost:3000".into())));
        assert_eq!(public_url("https://a.example/"), Ok(("https://a.example".into(), "a.example".into())));
        for text in
            ["http://a.example", "https://a.example/x", "https://u@a.example", "ftp://localhost", "a.example", ""]
        {
            assert!(public_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn letters_leave_this_machine_encrypted() {
        assert_eq!(smtp_url("smtp://u:p@mail.example:587").as_deref(), Ok("smtp://u:p@mail.example:587?tls=required"));
        assert_eq!(
            smtp_url("smtp://mail.example?tls=opportunistic").as_deref(),
            Ok("smtp://mail.example?tls=required")
        );
        assert_eq!(smtp_url("smtp://127.0.0.1:1025").as_deref(), Ok("smtp://127.0.0.1:1025"));
        assert!(smtp_url("http://mail.example").is_err());
    }

    #[test]
    fn secrets_are_random() {
        assert!(secret("kW7xQ2mZ9rT4vB8nL1cF6hJ3pD5sG0yA").is_ok());
        for text in [
            "",
            "short",
            &"a".repeat(40),
            "changeme-changeme-changeme-changeme-1234",
            "kW7xQ2mZ9rT4vB8nL1cF6hJ3pD5sG0y",
            "12345678901234567890123456789012",
            "abcdefghijklmnopqrstuvwxyz012345",
            "00112233445566778899aabbccddeeff",
        ] {
            assert!(secret(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nobody_may_choose_to_be_an_administrator() {
        assert!(user_types("guest,admin").is_err());
        assert_eq!(user_types("guest, host"), Ok(vec!["guest".into(), "host".into()]));
    }
}
