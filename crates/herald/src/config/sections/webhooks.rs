//! `[webhooks]`: how events are handed over.

use crate::config::duration::human;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};
use std::{num::NonZeroUsize, time::Duration};

/// How events are handed over.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Time to answer the first attempt.
    #[serde(deserialize_with = "human")]
    pub first_timeout: Duration,
    /// Time to answer a later attempt.
    #[serde(deserialize_with = "human")]
    pub retry_timeout: Duration,
    /// How long a delivery is tried.
    #[serde(deserialize_with = "human")]
    pub max_age: Duration,
    /// How long everything must have failed before a subscription is paused.
    #[serde(deserialize_with = "human")]
    pub disable_after: Duration,
    /// Networks allowed in spite of the SSRF guard.
    #[serde(deserialize_with = "networks")]
    pub allow_networks: Vec<IpNet>,
    /// The most events in a delivery.
    pub max_batch: NonZeroUsize,
    /// How long a delivery waits for more events while they keep coming.
    #[serde(deserialize_with = "human")]
    pub linger: Duration,
    /// Deliveries under way at once, per endpoint.
    pub concurrency: NonZeroUsize,
}

/// Texts rather than `IpNet`'s own serde, so that a plain address is taken for the network of that one host.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| {
            let text = text.trim();
            text.parse().or_else(|_| text.parse().map(|address: std::net::IpAddr| address.into())).map_err(|_| {
                let expected = "a network like \"10.20.0.0/16\" or an address like \"10.20.0.7\"";
                de::Error::invalid_value(de::Unexpected::Str(text), &expected)
            })
        })
        .collect()
}
