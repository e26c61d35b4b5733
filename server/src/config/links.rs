//! Variables that Kubernetes sets for every service of a namespace ("service links"). Where the service is called
//! `vestibule`, they begin like settings: `VESTIBULE_PORT=tcp://10.0.0.7:3000`, `VESTIBULE_SERVICE_HOST=10.0.0.7`.
//!
//! They are passed over by shape and value together, so that `VESTIBULE_PORT=3000`, which somebody wrote, stays a fault.

use std::net::IpAddr;

const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// Whether a variable is such a link. Its name is without our prefix.
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    let is_port = !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit());
    let is_known = |protocol: &str| PROTOCOLS.contains(&protocol);
    // The names of other services may stand in front (`vestibule-db`).
    let words: Vec<&str> = name.split('_').collect();
    match words.as_slice() {
        [.., "SERVICE", "HOST"] => value.parse::<IpAddr>().is_ok(),
        [.., "PORT", _, protocol, "PROTO"] if is_known(protocol) => is_known(&value.to_ascii_uppercase()),
        [.., "PORT", _, protocol, "PORT"] if is_known(protocol) => is_port,
        [.., "PORT", _, protocol, "ADDR"] if is_known(protocol) => value.parse::<IpAddr>().is_ok(),
        [.., "PORT", _, protocol] if is_known(protocol) => is_link(value),
        [.., "PORT"] if is_link(value) => true,
        words => is_port && words.windows(2).any(|pair| pair == ["SERVICE", "PORT"]),
    }
}

fn is_link(value: &str) -> bool {
    value.split_once("://").is_some_and(|(scheme, _)| PROTOCOLS.contains(&scheme.to_ascii_uppercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::is_service_link;

    #[test]
    fn what_kubernetes_sets_is_told_from_what_people_write() {
        for (name, value) in [
            ("PORT", "tcp://10.0.0.7:3000"),
            ("SERVICE_HOST", "10.0.0.7"),
            ("SERVICE_HOST", "fd00::7"),
            ("SERVICE_PORT", "3000"),
            ("SERVICE_PORT_HTTP", "3000"),
            ("SERVICE_PORT_HTTP_ADMIN", "3001"),
            ("PORT_3000_TCP", "tcp://10.0.0.7:3000"),
            ("PORT_3000_TCP_PROTO", "tcp"),
            ("PORT_3000_TCP_PORT", "3000"),
            ("PORT_3000_TCP_ADDR", "10.0.0.7"),
            ("PORT_53_UDP", "udp://10.0.0.7:53"),
            ("DB_SERVICE_HOST", "10.0.0.8"),
            ("DB_SERVICE_PORT_PG", "5432"),
            ("DB_PORT", "tcp://10.0.0.8:5432"),
            ("DB_PORT_5432_TCP_ADDR", "10.0.0.8"),
        ] {
            assert!(is_service_link(name, value), "{name}={value}");
        }
        for (name, value) in [
            ("PORT", "3000"),
            ("PORT", ""),
            ("PORT", "http://localhost"),
            ("SERVICE_HOST", "accounts.example"),
            ("SERVICE_PORT", "http"),
            ("PORT_3000_TCP", "3000"),
            ("HOST", "10.0.0.7"),
            ("PUBLIC_URL_PORT", "3000"),
            ("LISTEN", "tcp://10.0.0.7:3000"),
        ] {
            assert!(!is_service_link(name, value), "{name}={value}");
        }
    }
}
