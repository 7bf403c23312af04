//! What a channel on a simulated provider stores, and what its protocol can do.

use crate::contract::{Capabilities, PairLimit, Reconcile};
use herald_rules::{protocol::Protocol, status::Status};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// The settings of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the simulator listens, as `http://127.0.0.1:7300`.
    pub base_url: String,
    /// Where the simulator sends receipts: this channel's callback address on our public listener.
    pub callback_url: String,
    /// For a whole call, in milliseconds.
    #[serde(default = "ten_seconds")]
    pub timeout_ms: u64,
    /// Another way to find out unknown outcomes than the protocol's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<ReconcileSetting>,
    /// How often one customer may be written to; absent: no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<PairSetting>,
}

/// [`PairLimit`] as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairSetting {
    /// One message each so many milliseconds.
    pub every_ms: u64,
    /// Messages at once after a pause.
    pub burst: u32,
}

fn ten_seconds() -> u64 {
    10_000
}

/// [`Reconcile`] as it is stored: `"never"`, `{"by_receipt": 60000}` or `{"by_look_up": 60000}`, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReconcileSetting {
    /// Unknown stays unknown.
    Never,
    /// Wait for a receipt this long.
    ByReceipt(u64),
    /// Ask by our own id for this long.
    ByLookUp(u64),
}

/// What a channel keeps secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The account's key, sent as a bearer token.
    pub key: String,
    /// The account's secret, with which its receipts are signed.
    pub callback_secret: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

/// What each protocol can do. They differ on purpose, so that every form of receipt, reference and reconciliation is
/// exercised without a real provider: WhatsApp as Meta's, SMS as Twilio's, Apple as a gateway without receipts.
pub(super) fn capabilities(protocol: Protocol, settings: &Settings) -> Capabilities {
    let (last_receipt, echoes_our_id, by_default) = match protocol {
        Protocol::WhatsApp => (Status::Read, true, ReconcileSetting::ByReceipt(60 * 60 * 1000)),
        Protocol::SMS => (Status::Delivered, false, ReconcileSetting::ByLookUp(15 * 60 * 1000)),
        Protocol::AppleBusinessChat => (Status::Accepted, true, ReconcileSetting::Never),
    };
    let reconcile = match settings.reconcile.unwrap_or(by_default) {
        ReconcileSetting::Never => Reconcile::Never,
        ReconcileSetting::ByReceipt(deadline) => Reconcile::ByReceipt { deadline: Duration::from_millis(deadline) },
        ReconcileSetting::ByLookUp(deadline) => Reconcile::ByLookUp { deadline: Duration::from_millis(deadline) },
    };
    let pair = settings.pair.map(|pair| PairLimit { every: Duration::from_millis(pair.every_ms), burst: pair.burst });
    Capabilities {
        last_receipt,
        echoes_our_id,
        reconcile,
        needs_window: false,
        marketing_in_the_united_states: true,
        fetches_files: false,
        rate: None,
        pair,
        longest_call: Duration::from_millis(settings.timeout_ms),
    }
}
