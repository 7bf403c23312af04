//! `[listen]`: addresses and TLS.

use crate::config::duration::optional;
use serde::{Deserialize, Deserializer, de};
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

/// Addresses and TLS.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// The API.
    #[serde(deserialize_with = "address")]
    pub public: SocketAddr,
    /// Metrics and health.
    #[serde(deserialize_with = "address")]
    pub internal: SocketAddr,
    /// The base URL that the outside uses, without a slash at its end. Use [`Listen::base_url`].
    #[serde(deserialize_with = "base_url")]
    pub public_url: Option<String>,
    /// A certificate chain (PEM). Use [`Listen::tls`].
    #[serde(deserialize_with = "optional")]
    pub tls_certificate: Option<String>,
    /// Its private key (PEM).
    #[serde(deserialize_with = "optional")]
    pub tls_key: Option<String>,
}

/// The two files that TLS needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Listen {
    /// The files for TLS, if it is switched on. That only one of the two is given is refused while loading.
    pub fn tls(&self) -> Option<Tls> {
        Some(Tls { certificate: self.tls_certificate.as_ref()?.into(), key: self.tls_key.as_ref()?.into() })
    }

    /// The base URL for links and callbacks, without a slash at its end; `bound` is the address really taken.
    pub fn base_url(&self, bound: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| {
            let scheme = if self.tls_certificate.is_some() { "https" } else { "http" };
            // "All addresses" is nowhere to connect to; this host can reach itself by its loopback.
            let host = match bound.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
                IpAddr::V6(ip) if ip.is_unspecified() => "[::1]".to_owned(),
                IpAddr::V4(ip) => ip.to_string(),
                IpAddr::V6(ip) => format!("[{ip}]"),
            };
            format!("{scheme}://{host}:{}", bound.port())
        })
    }
}

/// An address, not a name: what a name means may change between two starts. Only `localhost` is understood.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.trim().replacen("localhost:", "127.0.0.1:", 1).parse().map_err(|_| {
        let expected = "an address and a port like \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::1]:8080\"";
        de::Error::invalid_value(de::Unexpected::Str(&text), &expected)
    })
}

fn base_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(text) = optional(deserializer)? else { return Ok(None) };
    let expected = "a URL like \"https://herald.example.com\"";
    let refuse = || de::Error::invalid_value(de::Unexpected::Str(&text), &expected);
    let url = reqwest::Url::parse(&text).map_err(|_| refuse())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || url.query().is_some() {
        return Err(refuse());
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}
