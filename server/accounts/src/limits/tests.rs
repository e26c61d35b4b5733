//! Limits, by a clock that is turned by hand.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::TimeDelta;

use super::*;

fn limits(clock: &Clock) -> Limits {
    Limits::new(true, hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), clock.clone())
}

fn network(text: &str) -> ClientNetwork {
    ClientNetwork::of(text.parse().expect("an address"))
}

fn ipv4(number: u32) -> ClientNetwork {
    ClientNetwork::of(IpAddr::V4(Ipv4Addr::from_bits(number)))
}

/// The numbered /64 of `2001:db8::/32`.
fn subnet(number: u32) -> ClientNetwork {
    ClientNetwork::of(IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(number) << 64))))
}

async fn wait(limits: &Limits, actions: &[Action<'_>]) -> Option<u32> {
    limits.spend(actions).await.err().map(|exhausted| exhausted.retry_after)
}

impl Limits {
    fn kept(&self) -> usize {
        self.tables.lock().expect("tables").iter().map(LruCache::len).sum()
    }
}

#[tokio::test]
async fn a_bucket_holds_its_burst_and_empties_with_time() {
    let clock = Clock::manual();
    let limits = limits(&clock);
    let (here, there) = (network("192.0.2.1"), network("192.0.2.2"));
    for _ in 0..5 {
        assert_eq!(wait(&limits, &[Action::Register(here)]).await, None);
    }
    assert_eq!(wait(&limits, &[Action::Register(here)]).await, Some(12));
    assert_eq!(wait(&limits, &[Action::Register(there)]).await, None, "another client has a bucket of its own");
    clock.advance(TimeDelta::seconds(12));
    assert_eq!(wait(&limits, &[Action::Register(here)]).await, None);
    assert_eq!(wait(&limits, &[Action::Register(here)]).await, Some(12));
}

#[tokio::test]
async fn a_clock_set_back_shuts_nobody_out() {
    let clock = Clock::manual();
    let limits = limits(&clock);
    let here = network("192.0.2.1");
    assert_eq!(wait(&limits, &[Action::Register(here)]).await, None);
    clock.advance(TimeDelta::days(-1));
    clock.advance(TimeDelta::minutes(1));
    assert_eq!(wait(&limits, &[Action::Register(here)]).await, Some(12));
    clock.advance(TimeDelta::seconds(60));
    assert_eq!(wait(&limits, &[Action::Register(here)]).await, None);
}

#[tokio::test]
async fn several_tries_are_counted_together_or_not_at_all() {
    let limits = limits(&Clock::manual());
    let here = network("192.0.2.1");
    let tries = [Action::SignIn(here), Action::SignInAs(here, "ada"), Action::SignInAnywhere("ada")];
    for _ in 0..5 {
        assert_eq!(wait(&limits, &tries).await, None);
    }
    for _ in 0..1000 {
        let exhausted = limits.spend(&tries).await.expect_err("a refusal");
        assert_eq!(exhausted, Exhausted { limit: Limit::SignInAs, retry_after: 60 });
    }
    for _ in 0..15 {
        assert_eq!(wait(&limits, &[Action::SignIn(here)]).await, None, "a refused try cost nothing elsewhere");
    }
    assert!(wait(&limits, &[Action::SignIn(here)]).await.is_some());
}

#[tokio::test]
async fn the_wider_network_has_a_bucket_of_ten_times_the_size() {
    for (client, number) in [(subnet as fn(u32) -> ClientNetwork, 200), (ipv4, 200)] {
        let limits = limits(&Clock::manual());
        for at in 0..number {
            assert_eq!(wait(&limits, &[Action::SignIn(client(at))]).await, None);
        }
        assert!(wait(&limits, &[Action::SignIn(client(250))]).await.is_some(), "the /24 or /48 has had its tries");
        assert_eq!(wait(&limits, &[Action::SignIn(client(1 << 20))]).await, None, "another has not");
    }
}

#[tokio::test]
async fn the_widest_network_has_a_bucket_of_a_hundred_times_the_size() {
    let limits = limits(&Clock::manual());
    for at in 0..2000 {
        // Ten of each /48.
        assert_eq!(wait(&limits, &[Action::SignIn(subnet(((at / 10) << 16) | (at % 10)))]).await, None);
    }
    assert!(wait(&limits, &[Action::SignIn(subnet(5000 << 16))]).await.is_some());
    assert_eq!(wait(&limits, &[Action::SignIn(network("2001:db9::1"))]).await, None, "another provider's");
}

#[tokio::test]
async fn what_is_given_back_was_not_tried() {
    let limits = limits(&Clock::manual());
    let here = network("192.0.2.1");
    let tries = [Action::SignIn(here), Action::SignInAs(here, "ada"), Action::SignInAnywhere("ada")];
    for _ in 0..1000 {
        let mut permit = limits.spend(&tries).await.expect("a permit");
        permit.refund();
        permit.refund();
    }
    for _ in 0..20 {
        limits.spend(&tries).await.expect("a permit").refund_account();
    }
    let exhausted = limits.spend(&tries).await.expect_err("the network's tries stayed counted");
    assert_eq!(exhausted.limit, Limit::SignIn);
}

#[tokio::test]
async fn an_account_and_a_network_are_not_another_account() {
    let limits = limits(&Clock::manual());
    let keys = [
        limits.mac("ada", &[]),
        limits.mac("eve", &[]),
        limits.mac("ada", &network("192.0.2.1").number().to_be_bytes()),
        limits.mac("ada", &network("192.0.2.2").number().to_be_bytes()),
    ];
    for (at, key) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(key), "{at}");
    }
}

/// One /32 of IPv6, then a botnet of 125,000 IPv4 networks, each with accounts that it makes up: four keys a try.
#[tokio::test]
async fn half_a_million_hostile_keys_shut_no_newcomer_out_and_take_bounded_memory() {
    let clock = Clock::manual();
    let limits = limits(&clock);
    for at in 0..20_000 {
        let account = format!("junk{at}@example.com");
        limits.spend(&tries(subnet(at << 8), &account)).await.ok();
    }
    assert!(limits.kept() <= 3 * 2000 + 201, "one /32 makes {} buckets at most", limits.kept());
    for at in 0..125_000_u32 {
        let account = format!("junk{at}@example.com");
        // Each in a /24 of its own.
        limits.spend(&tries(ipv4(at << 8), &account)).await.expect("nobody knows that they are hostile");
    }
    assert!(limits.kept() <= 4 * MAX_BUCKETS + 1, "{} buckets", limits.kept());
    for at in 0..1000_u32 {
        let account = format!("honest{at}@example.com");
        let honest = tries(ClientNetwork::of(IpAddr::V4(Ipv4Addr::from_bits(0xC000_0000 | (at << 8)))), &account);
        assert_eq!(wait(&limits, &honest).await, None);
    }
}

fn tries(network: ClientNetwork, account: &str) -> [Action<'_>; 3] {
    [Action::SignIn(network), Action::SignInAs(network, account), Action::SignInAnywhere(account)]
}

#[tokio::test]
async fn a_full_table_forgets_the_idlest_and_keeps_who_is_still_trying() {
    let clock = Clock::manual();
    let limits = limits(&clock);
    for _ in 0..100 {
        limits.spend(&[Action::SignInAnywhere("ada")]).await.expect("a permit");
    }
    for at in 0..2 * MAX_BUCKETS {
        limits.spend(&[Action::SignInAnywhere(&at.to_string())]).await.expect("a permit");
        if at % 1000 == 0 {
            assert!(wait(&limits, &[Action::SignInAnywhere("ada")]).await.is_some(), "guesses go on, and are known");
        }
    }
    assert_eq!(limits.kept(), MAX_BUCKETS);
}

#[tokio::test]
async fn made_up_accounts_push_out_no_network() {
    let limits = limits(&Clock::manual());
    let here = network("192.0.2.1");
    for _ in 0..20 {
        limits.spend(&[Action::SignIn(here)]).await.expect("a permit");
    }
    for at in 0..2 * MAX_BUCKETS {
        limits.spend(&[Action::SignInAnywhere(&at.to_string())]).await.expect("a permit");
    }
    assert!(wait(&limits, &[Action::SignIn(here)]).await.is_some());
}

#[tokio::test]
async fn switched_off_they_count_nothing() {
    let limits = Limits::new(false, hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), Clock::manual());
    for _ in 0..1000 {
        limits.spend(&[Action::Register(network("192.0.2.1"))]).await.expect("a permit").refund();
    }
    assert_eq!(limits.kept(), 0);
}
