//! A message as it was accepted. It never changes afterwards; what becomes of it is in its events.

use crate::{ids::MessageId, protocol::Protocol, reason::Cause, template::TemplateMessage, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Which of a lane's two queues a message stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Goes ahead of bulk: codes, confirmations, answers. The default, as a v1.2 client sends one message at a time.
    #[default]
    Transactional,
    /// Campaigns and batches.
    Bulk,
}

impl Priority {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transactional => "transactional",
            Self::Bulk => "bulk",
        }
    }

    /// The number stored in keys: transactional sorts first.
    pub fn class(self) -> u8 {
        match self {
            Self::Transactional => 0,
            Self::Bulk => 1,
        }
    }

    /// The inverse of [`Priority::class`]; unknown numbers are bulk.
    pub fn from_class(class: u8) -> Self {
        if class == 0 { Self::Transactional } else { Self::Bulk }
    }
}

impl std::str::FromStr for Priority {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Transactional, Self::Bulk].into_iter().find(|p| p.as_str().eq_ignore_ascii_case(text.trim())).ok_or(())
    }
}

/// What a message says and to whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Our id, `providerMessageId` on the wire.
    pub id: MessageId,
    /// The protocol of its channel.
    pub protocol: Protocol,
    /// Our identifier, without `+`.
    pub from: String,
    /// The customer's identifier, normalised.
    pub to: String,
    /// May be empty only where files are not.
    #[serde(default)]
    pub text: String,
    /// Links to files, as given. For SMS they were left out when the message was accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// How many calls it takes; each is claimed and recorded alone.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub parts: u16,
    /// The approved template that the text is, or that the caller named, with its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateMessage>,
    /// Why it can never be sent, where that was plain when it was accepted: the send answer is `Pending` all the same, and
    /// the reason comes as an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Cause>,
    /// Kept and echoed in every event, unread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Value>,
    /// Which queue of the lane it stands in.
    #[serde(default)]
    pub priority: Priority,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Not before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_at: Option<Timestamp>,
    /// Not after this moment: then it is `Rejected` with `expired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

fn one() -> u16 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_one(parts: &u16) -> bool {
    *parts == 1
}
