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
            return Err(Failure::refused(format!("{host} is called over https alone")));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::refused(format!(
                "the address of {host} must not hold a password"
            )));
        }
        match literal {
            Some(ip) if !is_public(ip) => {
                Err(Failure::refused(NotPublic(host.to_owned()).to_string()))
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

/// Whether an address is on the public internet (IANA, "Special-Purpose Address Registries", 2026-11).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = matches!(
        (a, b, c),
        // This network, private, loopback, carrier-grade NAT.
        (0 | 10 | 127, _, _) | (100, 64..=127, _)
            // Link-local, where clouds keep their metadata.
            | (169, 254, _)
            // Private; protocol assignments, documentation, 6to4 relays.
            | (172, 16..=31, _) | (192, 0, 0 | 2) | (192, 88, 99) | (192, 168, _)
            // Benchmarks and documentation.
            | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113)
            // Multicast, reserved, broadcast.
            | (224..=255, _, _)
    );
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(ip) = ip.to_ipv4_mapped() {
        return is_public_v4(ip);
    }
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let v4 = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        // NAT64 and 6to4 carry an IPv4 address.
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => v4(g, h),
        (0x2002, _) => v4(b, c),
        // Teredo, benchmarks, ORCHID, documentation.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        // Global unicast is 2000::/3; everything else is loopback, local, multicast or not assigned.
        _ => a & 0xe000 == 0x2000,
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
