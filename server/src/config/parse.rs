//! From text to values. A fault says what would have been right.

use std::net::IpAddr;
use std::str::FromStr;

use chrono::TimeDelta;
use contract::rules::Presence;
use ipnet::IpNet;
use url::Url;

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
    list(text).iter().map(|item| network(item)).collect()
}

/// A network of proxies. Wider than any private one (`10.0.0.0/8`, `fc00::/7`), it would hold people: everybody could then
/// say from where they come.
fn network(item: &str) -> Parsed<IpNet> {
    let parsed = item.parse::<IpNet>().or_else(|_| item.parse::<IpAddr>().map(IpNet::from));
    let network = parsed.map_err(|_| format!("has {item}, which is no network like 10.0.0.0/8"))?;
    let widest = if network.addr().is_ipv4() { 8 } else { 7 };
    if network.prefix_len() < widest {
        return Err(format!("has {item}, which is more than proxies: everybody in it could choose their own address"));
    }
    match network {
        IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => Err(format!("has {item}; write it as IPv4")),
        network => Ok(network),
    }
}

pub(super) fn sender(text: &str) -> Parsed<String> {
    let is_fit = !text.chars().any(char::is_control) && accounts::is_sender(text);
    is_fit.then(|| text.to_owned()).ok_or_else(|| {
        "must be like Vestibule <account@example.org>; a name with commas or brackets needs quotation marks".to_owned()
    })
}

/// Whether a sender is at `localhost`.
pub(super) fn is_of_this_machine(sender: &str) -> bool {
    sender.rsplit_once('@').is_some_and(|(_, domain)| domain.trim_end_matches('>') == "localhost")
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
    fn proxies_are_not_everybody() {
        let nets = networks("10.0.0.0/8, 192.0.2.7,fd00::/8,2001:db8::1").expect("good networks");
        assert_eq!(nets.len(), 4);
        for text in [
            "0.0.0.0/0",
            "::/0",
            "0.0.0.0/1,128.0.0.0/1",
            "10.0.0.0/7",
            "2000::/3",
            "::ffff:0.0.0.0/96",
            "10.0.0.1, foo",
        ] {
            assert!(networks(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nobody_may_choose_to_be_an_administrator() {
        assert!(user_types("guest,admin").is_err());
        assert_eq!(user_types("guest, host"), Ok(vec!["guest".into(), "host".into()]));
    }
}
