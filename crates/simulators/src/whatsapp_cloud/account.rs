//! The business accounts that the simulator plays, and their numbers.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A WhatsApp business account (WABA) with the app that works for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GraphAccount {
    /// The business account's id, decimal digits.
    pub waba_id: String,
    /// The portfolio that it belongs to, whose limit of customers it shares; None: one of its own.
    #[serde(default)]
    pub portfolio_id: Option<String>,
    /// Its numbers.
    pub numbers: Vec<GraphNumber>,
    /// The system user's token, by which the app calls.
    pub access_token: String,
    /// Signs the webhooks, and proves calls.
    pub app_secret: String,
    /// Said in the verification of the callback's address.
    pub verify_token: String,
    /// Where webhooks go: `http://`, loopback, with a port. None: nowhere, until it is set.
    #[serde(default)]
    pub callback_url: Option<String>,
}

impl fmt::Debug for GraphAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphAccount").field("waba_id", &self.waba_id).finish_non_exhaustive()
    }
}

impl Default for GraphAccount {
    /// The account of Meta's own examples, as this project writes them.
    fn default() -> Self {
        Self {
            waba_id: "109876543210987".to_owned(),
            portfolio_id: None,
            numbers: vec![GraphNumber::new("104433221100998", "15550100200")],
            access_token: "EAAGtoken".to_owned(),
            app_secret: "f6a0b3c1d2e4958677a1b2c3d4e5f607".to_owned(),
            verify_token: "verify-token".to_owned(),
            callback_url: None,
        }
    }
}

/// A number of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GraphNumber {
    /// Meta's id of it.
    pub id: String,
    /// The number, E.164 digits.
    pub number: String,
    /// What customers see.
    #[serde(default = "name")]
    pub verified_name: String,
    /// Messages a second; None: as the behaviour's limit says.
    #[serde(default)]
    pub throughput: Option<u32>,
    /// A number for tests, which reaches these customers only.
    #[serde(default)]
    pub allowed: Option<Vec<String>>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    #[serde(default = "green")]
    pub quality: String,
    /// Whether it may send at all: 133010.
    #[serde(default = "yes")]
    pub registered: bool,
    /// `TIER_250` and so on, as `GET` shows it.
    #[serde(default = "tier")]
    pub messaging_limit: String,
}

fn name() -> String {
    "Example Shop".to_owned()
}

fn green() -> String {
    "GREEN".to_owned()
}

fn yes() -> bool {
    true
}

fn tier() -> String {
    "TIER_UNLIMITED".to_owned()
}

impl GraphNumber {
    /// A number in good health.
    pub fn new(id: impl Into<String>, number: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            number: number.into(),
            verified_name: name(),
            throughput: None,
            allowed: None,
            quality: green(),
            registered: true,
            messaging_limit: tier(),
        }
    }
}

/// What is the matter with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenState {
    /// Nothing.
    #[default]
    Valid,
    /// It has expired: 190, subcode 463.
    Expired,
    /// It was taken back: 190, subcode 460.
    Revoked,
}
