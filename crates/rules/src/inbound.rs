//! What a customer sent, in the same words for every provider.

use crate::{ids::MessageId, protocol::Protocol, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One message of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inbound {
    /// The provider's id: the same one twice is one message.
    pub reference: String,
    /// The protocol.
    pub protocol: Protocol,
    /// Which identifier of ours it was sent to.
    pub to: String,
    /// The customer's identifier, normalised; for people without a visible number the provider's id of the person.
    pub from: String,
    /// The provider's id of the person (WhatsApp: business-scoped user id), where it gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// When it was sent, by the provider's clock.
    pub at: Timestamp,
    /// What the customer calls themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they sent.
    pub content: InboundContent,
    /// The provider's id of the message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Ours of the same, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to_id: Option<MessageId>,
    /// Where the customer came from (an advertisement), as the provider wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<serde_json::Value>,
    /// For how long free text may be sent from `at` on; None: it opens no window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_window: Option<Duration>,
}

/// What a customer sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum InboundContent {
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// A file.
    Media {
        /// What it is.
        kind: InboundMedia,
        /// The provider's id, to fetch it by.
        id: String,
        /// As the provider says.
        mime_type: String,
        /// Its name, for documents.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
        /// Words beside it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
        /// Base64, as the provider says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
    },
    /// A place.
    Location {
        /// Degrees.
        latitude: f64,
        /// Degrees.
        longitude: f64,
        /// What it is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Where it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
    /// People, as the provider wrote them.
    Contacts {
        /// A list.
        contacts: serde_json::Value,
    },
    /// An emoji on a message, or its removal.
    Reaction {
        /// The provider's id of the message.
        message: String,
        /// None: taken back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        emoji: Option<String>,
    },
    /// A button of a template or of an interactive message, or a row of a list.
    Choice {
        /// The payload or id that was sent with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// What the customer saw.
        title: String,
        /// Where it stood.
        source: ChoiceSource,
    },
    /// The answer of a WhatsApp flow, as the provider wrote it.
    Form {
        /// Its fields.
        response: serde_json::Value,
    },
    /// An order, as the provider wrote it.
    Order {
        /// Its fields.
        order: serde_json::Value,
    },
    /// The customer has another number now.
    NumberChanged {
        /// The new one.
        new_identifier: String,
    },
    /// A message was changed.
    Edited {
        /// The provider's id of it.
        message: String,
        /// The new words, where there are any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// A message was taken back.
    Revoked {
        /// The provider's id of it.
        message: String,
    },
    /// Something of a kind that this version does not know, by the provider's word for it.
    Unsupported {
        /// The kind.
        kind: String,
    },
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InboundMedia {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Sound.
    Audio,
    /// A voice message.
    Voice,
    /// A document.
    Document,
    /// A sticker.
    Sticker,
}

/// Where a choice stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChoiceSource {
    /// A template's quick reply.
    Template,
    /// A button of an interactive message.
    Button,
    /// A row of a list.
    List,
}
