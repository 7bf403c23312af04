//! Which addresses Herald may be sent to by others: the public internet, and networks that the configuration allows.
//!
//! Without it a subscription, or the link of a file, could be used to look around inside our network (server-side request
//! forgery). A name is
//! looked up once, every address is judged, and the connection is made to a judged one, so that a name cannot be
//! changed between the check and the call.

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

/// Networks of the special-purpose registries of IANA, and two addresses in public space that clouds use for metadata.
const DENIED: [&str; 44] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    // Covers ::, ::1 and the IPv4-compatible form.
    "::/96",
    // The IPv4-mapped form is unwrapped before; what comes here in it is denied.
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    // Covers Teredo, 2001::/32.
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    // Unassigned space outside 2000::/3 is no place on the internet either.
    "100::/8",
    "200::/7",
    "400::/6",
    "800::/5",
    "1000::/4",
    "4000::/2",
    "8000::/1",
    "::/8",
];

/// What an address must not be, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Not a URL.
    #[error("The URL cannot be read: {0}.")]
    Unreadable(String),
    /// Neither http nor https.
    #[error("The URL must begin with https://.")]
    Scheme,
    /// A name and password in it.
    #[error("The URL must not carry a user name or password; use a header instead.")]
    Credentials,
    /// The address itself.
    #[error(
        "{0} is not an address on the public internet. Networks of your own are allowed with webhooks.allow_networks."
    )]
    Address(String),
    /// Plain http, or an unusual port, to the public internet.
    #[error(
        "To the public internet Herald goes by https, to port 443 or 8443. Other ports and http are for networks in webhooks.allow_networks."
    )]
    Port,
    /// The name has no address.
    #[error("The name {0} cannot be looked up: {1}.")]
    NoAddress(String, String),
}

/// Judges addresses.
#[derive(Clone, Debug)]
pub struct Guard {
    denied: Arc<[IpNet]>,
    allowed: Arc<[IpNet]>,
    /// Only allowed networks: for http and for unusual ports.
    inside: bool,
}

impl Guard {
    /// Public addresses and these networks.
    pub fn new(allowed: Arc<[IpNet]>) -> Self {
        let denied = DENIED.iter().filter_map(|network| network.parse().ok()).collect();
        Self { denied, allowed, inside: false }
    }

    /// The guard for this URL: what is not https to port 443 or 8443 may only go to allowed networks.
    pub fn of(&self, url: &reqwest::Url) -> Self {
        let usual = url.scheme() == "https" && matches!(url.port(), None | Some(443 | 8443));
        Self { inside: !usual, ..self.clone() }
    }

    /// Whether a connection may be made to it.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = plain(address);
        if self.allowed.iter().any(|network| network.contains(&address)) {
            return true;
        }
        if self.inside {
            return false;
        }
        if let IpAddr::V6(v6) = address
            && let Some(v4) = embedded(v6)
            && !self.allows(IpAddr::V4(v4))
        {
            return false;
        }
        !self.denied.iter().any(|network| network.contains(&address))
    }

    /// Judges a URL as far as that goes without looking a name up. What comes back is the URL as it is read.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, url: &str) -> Result<reqwest::Url, Forbidden> {
        let url = reqwest::Url::parse(url.trim()).map_err(|error| Forbidden::Unreadable(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(Forbidden::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden::Credentials);
        }
        let guard = self.of(&url);
        if guard.inside && guard.allowed.is_empty() {
            return Err(Forbidden::Port);
        }
        if let Some(address) = literal(&url)
            && !guard.allows(address)
        {
            let public = Self { inside: false, ..guard.clone() }.allows(address);
            return Err(if public { Forbidden::Port } else { Forbidden::Address(address.to_string()) });
        }
        Ok(url)
    }

    /// The same, and the name has at least one address that may be reached.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn check_with_look_up(&self, url: &str) -> Result<reqwest::Url, Forbidden> {
        let url = self.check(url)?;
        if literal(&url).is_none()
            && let Some(host) = url.host_str()
        {
            self.of(&url).look_up(host).await?;
        }
        Ok(url)
    }

    /// The addresses of a name that may be reached.
    async fn look_up(&self, host: &str) -> Result<Vec<SocketAddr>, Forbidden> {
        let found: Vec<_> = tokio::net::lookup_host((host, 0))
            .await
            .map_err(|error| Forbidden::NoAddress(host.to_owned(), error.to_string()))?
            .collect();
        let good: Vec<_> = found.iter().copied().filter(|address| self.allows(address.ip())).collect();
        match (good.is_empty(), found.first()) {
            (false, _) => Ok(good),
            (true, Some(first)) => {
                let public = Self { inside: false, ..self.clone() }.allows(first.ip());
                Err(if public { Forbidden::Port } else { Forbidden::Address(host.to_owned()) })
            }
            (true, None) => Err(Forbidden::NoAddress(host.to_owned(), "it has none".to_owned())),
        }
    }

    /// The guard as a client's resolver. Literal addresses never come here: [`Guard::check`] is for them.
    pub(super) fn resolver(&self, inside: bool) -> Resolver {
        Resolver(Self { inside, ..self.clone() })
    }

    /// Whether this URL needs the client for allowed networks only.
    pub(super) fn is_inside(&self, url: &reqwest::Url) -> bool {
        self.of(url).inside
    }
}

/// Looks names up for a client, and gives it only addresses that may be reached.
#[derive(Debug)]
pub struct Resolver(Guard);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let addresses = guard.look_up(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The host where it is an address. The URL reader has turned forms like 0x7f.1 and 2130706433 into usual ones.
fn literal(url: &reqwest::Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// IPv4-mapped addresses are IPv4 to the system that connects.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// The IPv4 address that a translator would make of an IPv6 one: NAT64, 6to4, Teredo, IPv4-compatible.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bytes = address.octets();
    let at = |first: usize| match bytes.get(first..first + 4) {
        Some(&[a, b, c, d]) => Some(Ipv4Addr::new(a, b, c, d)),
        _ => None,
    };
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0, 0, ..] => at(12),
        [0x2002, ..] => at(2),
        // Teredo keeps the client's address with all bits turned over.
        [0x2001, 0, ..] => at(12).map(|v4| Ipv4Addr::from(!u32::from(v4))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allowed: &[&str]) -> Guard {
        Guard::new(allowed.iter().map(|network| network.parse().unwrap()).collect())
    }

    #[test]
    fn every_range_is_a_network() {
        assert_eq!(guard(&[]).denied.len(), DENIED.len());
    }

    #[test]
    fn the_first_and_last_address_of_every_range_are_denied() {
        let guard = guard(&[]);
        for network in DENIED {
            let network: IpNet = network.parse().unwrap();
            for address in [network.network(), network.broadcast()] {
                assert!(!guard.allows(address), "{address} of {network}");
            }
        }
    }

    #[test]
    fn known_targets_are_denied_in_every_form() {
        let guard = guard(&[]);
        for address in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "2001:0:1234::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "1::1",
            "4000::1",
            "f000::1",
        ] {
            assert!(!guard.allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn public_addresses_are_allowed() {
        let guard = guard(&[]);
        for address in ["1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "198.20.0.1", "2606:4700::1111", "2a00::1"] {
            assert!(guard.allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_network_can_be_allowed_and_nothing_beside_it() {
        let guard = guard(&["127.0.0.1/32", "10.20.0.0/16", "fd12::/16"]);
        for (address, allowed) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("127.0.0.2", false),
            ("10.20.255.1", true),
            ("10.21.0.1", false),
            ("fd12::7", true),
            ("fd13::7", false),
            ("1.1.1.1", true),
        ] {
            assert_eq!(guard.allows(address.parse().unwrap()), allowed, "{address}");
        }
    }

    #[test]
    fn urls_are_judged() {
        let outside = guard(&[]);
        for good in
            ["https://hooks.example/x", "https://hooks.example:8443/", "https://1.1.1.1/", "https://[2606:4700::1]/"]
        {
            assert!(outside.check(good).is_ok(), "{good}");
        }
        for bad in [
            "ftp://hooks.example/",
            "file:///etc/passwd",
            "hooks.example",
            "http://hooks.example/",
            "https://hooks.example:22/",
            "https://user:word@hooks.example/",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert!(outside.check(bad).is_err(), "{bad}");
        }
        let inside = guard(&["127.0.0.0/8"]);
        for good in ["http://127.0.0.1:9999/", "https://127.0.0.1/", "http://localhost:80/", "https://1.1.1.1/"] {
            assert!(inside.check(good).is_ok(), "{good}");
        }
        assert_eq!(inside.check("http://1.1.1.1/"), Err(Forbidden::Port));
        assert!(matches!(inside.check("http://10.0.0.1/"), Err(Forbidden::Address(_))));
    }

    #[tokio::test]
    async fn names_are_judged_by_their_addresses() {
        assert!(guard(&["127.0.0.0/8", "::1/128"]).check_with_look_up("http://localhost:1/").await.is_ok());
        let denied = guard(&[]).check_with_look_up("https://localhost/").await;
        assert_eq!(denied, Err(Forbidden::Address("localhost".into())));
    }
}
