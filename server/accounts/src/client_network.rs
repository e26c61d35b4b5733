//! The client network: the part of an address that one subscriber has, and the wider networks around it.
//!
//! One IPv4 address, or the /64 of an IPv6 address, is one client network: whoever has a /64 has 2^64 addresses. Whoever
//! rents a /48 has 65,536 client networks, so limits and the queue of password hashes look at the wider networks too.
//! Not to be confused with the web's Origin (RFC 6454), which is a site.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How wide a network around a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Width {
    /// IPv4: the address. IPv6: the /64.
    Client,
    /// IPv4: the /24. IPv6: the /48.
    Wide,
    /// IPv6 only: the /32, which is what a provider has at least.
    Widest,
}

impl Width {
    pub(crate) const ALL: [Self; 3] = [Self::Client, Self::Wide, Self::Widest];

    /// How many times what one client network may, such a network may.
    pub(crate) const fn factor(self) -> u8 {
        match self {
            Self::Client => 1,
            Self::Wide => 10,
            Self::Widest => 100,
        }
    }
}

/// Where a request comes from, for whatever is counted or shared out by place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientNetwork(IpAddr);

impl ClientNetwork {
    pub(crate) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => embedded_ipv4(address).map_or(IpAddr::V6(address), IpAddr::V4),
            address @ IpAddr::V4(_) => address,
        })
    }

    /// This network and those around it, narrowest first; each as its first address. IPv4 is told as `::ffff:a.b.c.d`,
    /// so that no two networks of one width have the same number.
    pub(crate) fn and_wider(self) -> impl Iterator<Item = (Width, u128)> {
        let (bits, prefixes): (u128, &[u32]) = match self.0 {
            IpAddr::V4(address) => (address.to_ipv6_mapped().to_bits(), &[128, 120]),
            IpAddr::V6(address) => (address.to_bits(), &[64, 48, 32]),
        };
        Width::ALL.into_iter().zip(prefixes).map(move |(width, prefix)| (width, bits & (u128::MAX << (128 - prefix))))
    }

    /// The narrowest of them.
    pub(crate) fn number(self) -> u128 {
        self.and_wider().next().map_or(0, |(_, number)| number)
    }

    /// The next wider one.
    pub(crate) fn wide_number(self) -> u128 {
        self.and_wider().nth(1).map_or(0, |(_, number)| number)
    }

    /// Cut short: enough to recognise a place by, too little to find a household.
    pub(crate) fn cut_short(self) -> String {
        match self.0 {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{a}.{b}.{c}.x")
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}::x")
            }
        }
    }
}

/// Of `64:ff9b::/96` (RFC 6052): a translator put all of IPv4 into one /64, and its clients are still many.
fn embedded_ipv4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() else { return None };
    Some(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> ClientNetwork {
        ClientNetwork::of(text.parse().expect("an address"))
    }

    fn at(width: Width, text: &str) -> Option<u128> {
        network(text).and_wider().find(|(found, _)| *found == width).map(|(_, number)| number)
    }

    #[test]
    fn one_subscriber_is_one_client_network() {
        assert_eq!(network("2001:db8:1:2:aaaa::1").number(), network("2001:db8:1:2:bbbb::2").number());
        assert_ne!(network("2001:db8:1:2::1").number(), network("2001:db8:1:3::1").number());
        assert_ne!(network("192.0.2.1").number(), network("192.0.2.2").number());
    }

    #[test]
    fn neighbours_share_the_wider_networks() {
        for (width, one, two, other) in [
            (Width::Wide, "192.0.2.1", "192.0.2.200", "192.0.3.1"),
            (Width::Wide, "2001:db8:1:2::1", "2001:db8:1:ffff::1", "2001:db8:2:2::1"),
            (Width::Widest, "2001:db8:1:2::1", "2001:db8:ffff:2::1", "2001:db9:1:2::1"),
        ] {
            assert_eq!(at(width, one), at(width, two), "{one} {two}");
            assert_ne!(at(width, one), at(width, other), "{one} {other}");
        }
        assert_eq!(at(Width::Widest, "192.0.2.1"), None);
    }

    #[test]
    fn an_ipv4_client_is_the_same_in_every_notation() {
        for text in ["::ffff:192.0.2.1", "64:ff9b::192.0.2.1"] {
            assert_eq!(network(text), network("192.0.2.1"), "{text}");
        }
        assert_ne!(network("64:ff9b::192.0.2.1").number(), network("64:ff9b::192.0.2.2").number());
    }

    #[test]
    fn what_is_shown_names_no_household() {
        assert_eq!(network("203.0.113.7").cut_short(), "203.0.113.x");
        assert_eq!(network("2001:db8:1:2::1").cut_short(), "2001:db8:1::x");
    }
}
