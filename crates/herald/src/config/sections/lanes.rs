//! `[lanes]`: how messages go out.

use herald_rules::{pace::rate::Rate, protocol::Protocol};
use serde::Deserialize;
use std::num::NonZeroUsize;

/// How messages go out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lanes {
    /// Messages in memory per lane.
    pub head: NonZeroUsize,
    /// Messages with the provider per lane.
    pub in_flight: NonZeroUsize,
    /// The rate of an identifier without one of its own.
    pub default_rate: DefaultRates,
}

/// `[lanes.default_rate]`, by protocol.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultRates {
    /// WhatsApp.
    pub whatsapp: Rate,
    /// Text messages.
    pub sms: Rate,
    /// Apple Messages for Business.
    pub apple: Rate,
}

impl DefaultRates {
    /// The rate of one protocol.
    pub fn of(&self, protocol: Protocol) -> Rate {
        match protocol {
            Protocol::WhatsApp => self.whatsapp,
            Protocol::SMS => self.sms,
            Protocol::AppleBusinessChat => self.apple,
        }
    }
}
