//! What the journal records and hands out.

use crate::record::CallOutcome;
use herald_rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One send call, in the order of arrival.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphCall {
    /// Counts from 1.
    pub number: u64,
    /// When it arrived.
    pub at: Timestamp,
    /// The sending number's digits.
    pub from: String,
    /// The customer's WhatsApp id; what was sent as `to` where that could not be read.
    pub to: String,
    /// `biz_opaque_callback_data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<String>,
    /// `text`, `template`, ...; `read` for marks.
    pub kind: String,
    /// By `/marketing_messages`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub marketing_api: bool,
    /// Which call with this customer, echo and content it is, from 1.
    pub attempt: u32,
    /// What it got.
    pub outcome: CallOutcome,
    /// The code of its error answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// The details of its error answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// The message's id, where it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wamid: Option<String>,
    /// What was sent.
    pub body: Value,
}

/// What a status webhook reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GraphStatus {
    /// On its way.
    Sent,
    /// On the customer's device.
    Delivered,
    /// Opened by the customer.
    Read,
    /// Listened to.
    Played,
    /// Lost.
    Failed,
}

impl GraphStatus {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
        }
    }
}

/// One status that the receiver has taken with a 2xx.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphReceipt {
    /// Counts from 1.
    pub number: u64,
    /// When it was taken.
    pub at: Timestamp,
    /// The message's id.
    pub wamid: String,
    /// The customer.
    pub to: String,
    /// The message's echo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<String>,
    /// What it reports.
    pub status: GraphStatus,
    /// Of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// How many posts it took.
    pub tries: u32,
}

/// Any other call of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphRequest {
    /// When.
    pub at: Timestamp,
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Without the version; with the query.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
}

/// All that was taken for one customer under one echo: more than one message is a duplicate, unless they differ in content
/// (the parts of one message of ours).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sends {
    /// The customer's WhatsApp id.
    pub to: String,
    /// `biz_opaque_callback_data`.
    pub echo: String,
    /// The numbers of the calls that were taken, in order.
    pub calls: Vec<u64>,
    /// How many of them repeat an earlier one word for word.
    pub duplicates: u32,
}
