//! A callback address. Only loopback: a simulator must never speak to the world.

use http::Uri;
use std::net::IpAddr;

/// Where callbacks go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) authority: String,
    pub(crate) path: String,
}

impl Address {
    /// Reads an address: `http://`, loopback, with a port.
    pub(crate) fn read(address: &str) -> Option<Self> {
        let uri: Uri = address.parse().ok()?;
        let authority = uri.authority()?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let port = uri.port_u16()?;
        if uri.scheme_str() != Some("http") || !loopback || authority.as_str().contains('@') {
            return None;
        }
        Some(Self {
            host: host.to_owned(),
            port,
            authority: authority.to_string(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_called() {
        for good in ["http://127.0.0.1:8080/callbacks/1?x=2", "http://localhost:1", "http://[::1]:80/x"] {
            assert!(Address::read(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "/callbacks",
            "https://127.0.0.1:1/",
            "http://127.0.0.1/",
            "http://example.com:80/",
            "http://10.0.0.1:80/",
            "http://localhost.example.com:80/",
            "http://localhost@example.com:80/",
            "ftp://localhost:1/",
        ] {
            assert_eq!(Address::read(bad), None, "{bad}");
        }
        assert_eq!(Address::read("http://[::1]:80/x?y").map(|address| address.path).as_deref(), Some("/x?y"));
    }
}
