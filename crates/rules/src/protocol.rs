//! Protocols and providers: closed lists with their wire names.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a customer's device speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Protocol {
    /// WhatsApp.
    WhatsApp,
    /// Text messages.
    SMS,
    /// Apple Messages for Business.
    AppleBusinessChat,
}

impl Protocol {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::WhatsApp, Self::SMS, Self::AppleBusinessChat];

    /// The wire name (v1.2 `protocolType`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WhatsApp => "WhatsApp",
            Self::SMS => "SMS",
            Self::AppleBusinessChat => "AppleBusinessChat",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Protocol {
    type Err = ();
    /// Any case: clients of v1.2 write `Whatsapp` (their own README does).
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        Self::ALL.into_iter().find(|protocol| protocol.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}

/// Who carries a channel's messages. The number is v1.2's `serviceProvider`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Played by the simulator, for the demo, tests and benchmarks.
    Simulated,
    /// Meta's WhatsApp Cloud API.
    WhatsappCloud,
}

impl Provider {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simulated => "simulated",
            Self::WhatsappCloud => "whatsapp_cloud",
        }
    }

    /// `serviceProvider` of the v1.2 message object.
    pub fn service_provider(self) -> i32 {
        match self {
            Self::Simulated => 0,
            Self::WhatsappCloud => 1,
        }
    }

    /// Whether it carries this protocol.
    pub fn carries(self, protocol: Protocol) -> bool {
        match self {
            Self::Simulated => true,
            Self::WhatsappCloud => protocol == Protocol::WhatsApp,
        }
    }
}

impl FromStr for Provider {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Simulated, Self::WhatsappCloud].into_iter().find(|provider| provider.as_str() == text).ok_or(())
    }
}
