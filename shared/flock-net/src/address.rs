//! Which addresses may be called. The names of instances are user input: behind one may be a private
//! network, the metadata service of a cloud, or this machine.
//!
//! Only https, only public addresses, looked at after the name was resolved and on the very addresses that
//! are then connected to. Redirects are not followed at all (`http.rs`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use crate::Failure;

/// How far requests may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Wherever the operator's configuration points.
    Anywhere,
    /// To public addresses.
    Public,
    /// To public addresses and, without TLS, to this machine: for trying things out and for tests.
    PublicAndLoopback,
}

/// A name whose every address is one that must not be called.
#[derive(Debug, thiserror::Error)]
#[error("{0} is at an address inside a private network, which is not called")]
pub(crate) struct NotPublic(String);

impl Reach {
    /// Refuses an address that is wrong as it is written.
    pub(crate) fn check(self, url: &Url) -> Result<(), Failure> {
        if self == Self::Anywhere {
            return Ok(());
        }
        let host = url.host_str().unwrap_or_default();
        let literal: Option<IpAddr> =
            host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        let is_loopback = literal.is_some_and(|ip| ip.is_loopback()) || host == "localhost";
        if self == Self::PublicAndLoopback && is_loopback {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(Failure::cannot(format!("{host} is called over https alone")));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::cannot(format!("the address of {host} must not hold a password")));
        }
        match literal {
            Some(ip) if !is_public(ip) => {
                Err(Failure::cannot(NotPublic(host.to_owned()).to_string()))
            }
            _ => Ok(()),
        }
    }

    /// What resolves names for a client of this reach.
    pub(crate) fn resolver(self) -> Option<Resolver> {
        (self != Self::Anywhere).then_some(Resolver(self))
    }

    fn allows(self, ip: IpAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Public => is_public(ip),
            Self::PublicAndLoopback => is_public(ip) || ip.is_loopback(),
        }
    }
}

/// Resolves names to the addresses that may be called.
#[derive(Debug)]
pub(crate) struct Resolver(Reach);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|at| reach.allows(at.ip())).collect();
            if allowed.is_empty() {
                return Err(NotPublic(name.as_str().to_owned()).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// IPv4 networks that are not the public internet, with the lengths of their prefixes (IANA, "IPv4
/// Special-Purpose Address Registry", 2026-11).
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 16] = [
    // This network.
    (Ipv4Addr::UNSPECIFIED, 8),
    // Private.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Behind a provider's NAT.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // This machine.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, where clouds keep their metadata.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Protocol assignments, 6to4 relays.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Benchmarks and documentation.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, reserved, broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    (Ipv4Addr::BROADCAST, 32),
];

/// IPv6 networks inside [`GLOBAL_V6`] that are not the public internet (IANA, "IPv6 Special-Purpose Address
/// Registry", 2026-11).
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 3] = [
    // Protocol assignments: Teredo, benchmarks, ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Global unicast; everything else is loopback, local, multicast or not assigned.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Networks whose addresses carry an IPv4 address, with where its bits begin.
const CARRIES_V4: [((Ipv6Addr, u32), u32); 3] = [
    // IPv4-mapped.
    ((Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), 96),
    // NAT64.
    ((Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96), 96),
    // 6to4.
    ((Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), 16),
];

/// Whether an address is on the public internet.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let in_network = |(network, prefix): (Ipv4Addr, u32)| {
                (ip.to_bits() ^ network.to_bits()).leading_zeros() >= prefix
            };
            !NOT_PUBLIC_V4.into_iter().any(in_network)
        }
        IpAddr::V6(ip) => {
            let in_network = |(network, prefix): (Ipv6Addr, u32)| {
                (ip.to_bits() ^ network.to_bits()).leading_zeros() >= prefix
            };
            let carried = CARRIES_V4.into_iter().find(|(network, _)| in_network(*network));
            if let Some((_, begin)) = carried {
                let bits = (ip.to_bits() << begin) >> 96;
                let ip = Ipv4Addr::from_bits(u32::try_from(bits).expect("32 bits are left"));
                return is_public(ip.into());
            }
            in_network(GLOBAL_V6) && !NOT_PUBLIC_V6.into_iter().any(in_network)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ip: &str, public: bool) {
        assert_eq!(is_public(ip.parse().unwrap()), public, "{ip}");
    }

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for ip in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2001:db8::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            check(ip, false);
        }
        for ip in [
            "1.1.1.1",
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "::ffff:8.8.8.8",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "64:ff9b::808:808",
        ] {
            check(ip, true);
        }
    }

    #[test]
    fn addresses_are_refused_as_written() {
        let check = |reach: Reach, url: &str| {
            let checked = reach.check(&url.parse().unwrap());
            checked.map_or_else(|failure| failure.why, |()| "ok".to_owned())
        };
        assert_eq!(check(Reach::Public, "https://mastodon.social"), "ok");
        assert_eq!(
            check(Reach::Public, "http://mastodon.social"),
            "mastodon.social is called over https alone"
        );
        let private = "is at an address inside a private network, which is not called";
        for host in ["127.0.0.1", "169.254.169.254", "[::1]", "0x7f.1", "2130706433"] {
            let said = check(Reach::Public, &format!("https://{host}"));
            assert!(said.ends_with(private), "{host}: {said}");
        }
        assert_eq!(check(Reach::PublicAndLoopback, "http://127.0.0.1:4000"), "ok");
        assert!(check(Reach::PublicAndLoopback, "https://10.0.0.1").ends_with(private));
        assert_eq!(
            check(Reach::Public, "https://a:b@example.com"),
            "the address of example.com must not hold a password"
        );
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused_after_it_is_resolved() {
        let resolve = async |reach: Reach| {
            let resolver = reach.resolver().unwrap();
            resolver.resolve("localhost".parse().unwrap()).await.map(Iterator::count)
        };
        let err = resolve(Reach::Public).await.unwrap_err();
        assert!(err.is::<NotPublic>(), "{err}");
        assert_ne!(resolve(Reach::PublicAndLoopback).await.unwrap(), 0);
    }
}
