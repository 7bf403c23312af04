//! A part of a message that takes several calls.

use super::message_view::ReasonView;
use crate::store::PartState;
use herald_rules::{status::Status, time::Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// One provider message of a message that takes several: a file sent beside the text.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessagePart)]
pub struct PartView {
    /// Counted from 1.
    number: usize,
    /// Its own status; the message is as far as its last part.
    #[schema(value_type = String, example = "Delivered")]
    status: Status,
    /// Since when.
    #[schema(value_type = String, format = "date-time")]
    status_at: Timestamp,
    /// Why, where it ended badly.
    reason: Option<ReasonView>,
}

impl PartView {
    /// The parts in order; empty for a message of one.
    pub fn all(parts: &[PartState]) -> Vec<Self> {
        let view = |(at, state): (usize, &PartState)| Self {
            number: at + 1,
            status: state.part.status,
            status_at: state.at,
            reason: state.part.cause.as_ref().map(Into::into),
        };
        parts.iter().enumerate().map(view).collect()
    }
}
