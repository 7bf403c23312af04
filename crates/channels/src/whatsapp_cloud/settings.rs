//! What a channel on the WhatsApp Cloud API is told.

use serde::Deserialize;
use std::{collections::BTreeMap, fmt};

/// The channel's settings for this provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The WhatsApp business account, decimal digits.
    pub waba_id: String,
    /// Our identifiers (digits) and Meta's id for each of those phone numbers.
    pub phone_numbers: BTreeMap<String, String>,
    /// The business portfolio whose limit of customers a day is shared; absent: the business account alone.
    #[serde(default)]
    pub portfolio_id: Option<String>,
    /// The Graph API's version; one lives about two years.
    #[serde(default = "graph_version")]
    pub graph_version: String,
    /// Where the Graph API is; another address for a proxy or the simulator.
    #[serde(default = "graph_url")]
    pub graph_url: String,
    /// A call may take so long, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// Marketing templates are sent to numbers in the United States too. Meta has not delivered them there since 2025-04-01, so
    /// that Herald refuses them before the call; for the day when Meta does again.
    #[serde(default)]
    pub marketing_in_the_united_states: bool,
    /// Marketing templates go by the Marketing Messages API (`/marketing_messages`).
    #[serde(default)]
    pub marketing_messages_api: bool,
    /// So many calls at once for each of the numbers; more wait for a free place.
    #[serde(default = "in_flight")]
    pub in_flight: usize,
}

fn graph_version() -> String {
    "v23.0".to_owned()
}

fn graph_url() -> String {
    "https://graph.facebook.com".to_owned()
}

fn timeout_ms() -> u64 {
    20_000
}

/// 80 messages a second with answers of up to 0.8 s.
fn in_flight() -> usize {
    64
}

/// The channel's secrets.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// A system user's token.
    pub access_token: String,
    /// The app's secret: signs callbacks, and proves calls.
    pub app_secret: String,
    /// The secret before a rotation: still accepted for callbacks.
    #[serde(default)]
    pub previous_app_secret: Option<String>,
    /// What Meta is to say when it asks whether the callback's address is ours.
    pub verify_token: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}
