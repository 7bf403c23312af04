//! How v2 shows what customers wrote, beside what was sent to them.

use super::message_view::{MessageStory, MessageView};
use crate::{node::directory::Snapshot, store::KeptInbound};
use herald_rules::{
    ids::{ChannelId, MessageId},
    inbound::{Inbound, InboundContent},
    protocol::Protocol,
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From us to a customer.
    #[default]
    Outbound,
    /// From a customer to us.
    Inbound,
}

impl std::str::FromStr for Direction {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.trim() {
            text if text.eq_ignore_ascii_case("outbound") => Ok(Self::Outbound),
            text if text.eq_ignore_ascii_case("inbound") => Ok(Self::Inbound),
            _ => Err(()),
        }
    }
}

/// A message that a customer wrote.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InboundMessage)]
pub struct InboundView {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: MessageId,
    /// `inbound`.
    direction: Direction,
    /// The channel it came in by.
    #[schema(value_type = Option<String>, format = "uuid")]
    channel_id: Option<ChannelId>,
    /// The channel's protocol.
    #[schema(value_type = String, example = "WhatsApp")]
    protocol: Protocol,
    /// The customer; where they hide their number, the provider's id of them.
    #[schema(example = "972550000002")]
    from: String,
    /// Our identifier.
    #[schema(example = "972550000001")]
    to: String,
    /// What the customer calls themselves.
    name: Option<String>,
    /// The words in it: its text, a file's caption, the title of what was chosen; null where there are none.
    text: Option<String>,
    /// All that was sent. `type` says what it is: `text`, `media`, `location`, `contacts`, `reaction`, `choice`, `form`, `order`,
    /// `numberChanged`, `edited`, `revoked`, or `unsupported`.
    #[schema(value_type = Object, example = json!({"type": "text", "text": "Is it still available?"}))]
    content: InboundContent,
    /// Our message that it answers.
    #[schema(value_type = Option<String>, format = "uuid")]
    reply_to: Option<MessageId>,
    /// The provider's id of the message that it answers, ours or the customer's own.
    reply_to_reference: Option<String>,
    /// The provider's id of it.
    reference: String,
    /// The provider's id of the customer.
    user_id: Option<String>,
    /// Where the customer came from (an advertisement), as the provider wrote it.
    #[schema(value_type = Option<Object>)]
    referral: Option<Value>,
    /// When it was sent, by the provider's clock.
    #[schema(value_type = String, format = "date-time")]
    sent_at: Timestamp,
    /// When it came in.
    #[schema(value_type = String, format = "date-time")]
    received_at: Timestamp,
}

impl InboundView {
    /// A customer's message.
    pub fn of(snapshot: &Snapshot, kept: KeptInbound) -> Self {
        let KeptInbound { id, channel, received_at, inbound, .. } = kept;
        let text = words(&inbound.content).map(str::to_owned);
        let Inbound {
            reference, protocol, to, from, user_id, at, name, content, reply_to, reply_to_id, referral, ..
        } = inbound;
        Self {
            id,
            direction: Direction::Inbound,
            channel_id: snapshot.channel(channel).map(|channel| channel.id),
            protocol,
            from,
            to,
            name,
            text,
            content,
            reply_to: reply_to_id,
            reply_to_reference: reply_to,
            reference,
            user_id,
            referral,
            sent_at: at,
            received_at,
        }
    }
}

/// The words in what a customer sent.
fn words(content: &InboundContent) -> Option<&str> {
    match content {
        InboundContent::Text { text } => Some(text),
        InboundContent::Media { caption, .. } => caption.as_deref(),
        InboundContent::Location { name, address, .. } => name.as_deref().or(address.as_deref()),
        InboundContent::Reaction { emoji, .. } => emoji.as_deref(),
        InboundContent::Choice { title, .. } => Some(title),
        InboundContent::Edited { text, .. } => text.as_deref(),
        InboundContent::Contacts { .. }
        | InboundContent::Form { .. }
        | InboundContent::Order { .. }
        | InboundContent::NumberChanged { .. }
        | InboundContent::Revoked { .. }
        | InboundContent::Unsupported { .. } => None,
    }
}

/// A message of either direction, in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ListedMessage)]
pub enum EitherMessage {
    /// What was sent.
    Outbound(Box<MessageView>),
    /// What a customer wrote.
    Inbound(Box<InboundView>),
}

/// A message of either direction, with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ShownMessage)]
pub enum EitherStory {
    /// What was sent, with its story.
    Outbound(Box<MessageStory>),
    /// What a customer wrote.
    Inbound(Box<InboundView>),
}
