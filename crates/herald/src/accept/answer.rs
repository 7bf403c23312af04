//! v1.2's message object: the answer of a send.

use super::Accepted;
use herald_rules::{
    content::ATTACHMENTS_DROPPED,
    ids::{DepartmentId, MessageId},
    message::Priority,
    protocol::Protocol,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

/// Something that was left out of the message, or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// Stable.
    #[schema(example = "attachments_dropped")]
    pub code: String,
    /// What was left out, and what to do instead.
    #[schema(example = "SMS carries no files: 1 file was left out. Put a link into the text instead.")]
    pub message: String,
}

impl Warning {
    pub(super) fn attachments_dropped(files: usize) -> Self {
        let files = if files == 1 { "1 file was".to_owned() } else { format!("{files} files were") };
        Self {
            code: ATTACHMENTS_DROPPED.to_owned(),
            message: format!("SMS carries no files: {files} left out. Put a link into the text instead."),
        }
    }
}

/// The message as v1.2 answers it, in its order of fields; what v1.2 lacks stands behind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Message)]
pub struct MessageAnswer<'a> {
    /// What was given; null where there is none.
    text: Option<&'a str>,
    /// Always null: for e-mail, which Herald does not send.
    #[schema(value_type = Option<String>)]
    html: Option<()>,
    /// As v1.2 writes it, whatever case was given.
    #[schema(value_type = String, example = "WhatsApp")]
    protocol_type: Protocol,
    /// Always null.
    #[schema(value_type = Option<Vec<String>>)]
    attachment_uris: Option<()>,
    /// The sender, without `+`.
    #[schema(example = "972550000001")]
    from: &'a str,
    /// The customer, normalised.
    #[schema(example = "972550000002")]
    to: &'a str,
    /// When it was accepted.
    #[schema(value_type = String, format = "date-time")]
    date_time: Timestamp,
    /// The message's id: the key that joins this answer and the status events.
    #[schema(value_type = String, format = "uuid")]
    provider_message_id: MessageId,
    /// Whose it is.
    #[schema(value_type = String, format = "uuid")]
    department_id: DepartmentId,
    /// Always `Pending`: it is on disk and will be tried. What becomes of it comes as events.
    #[schema(example = "Pending")]
    status: &'static str,
    /// The files that go along; null where there are none.
    files: Option<&'a [String]>,
    /// Who carries it: 0 is the simulator.
    #[schema(example = 0)]
    service_provider: i32,
    /// What was left out or changed.
    #[schema(value_type = Vec<Warning>)]
    warnings: &'a RawValue,
    /// As given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    metadata: Option<&'a Value>,
    /// As given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "date-time")]
    send_at: Option<Timestamp>,
    /// As given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "date-time")]
    expires_at: Option<Timestamp>,
    /// `transactional` or `bulk`.
    #[schema(value_type = String, example = "transactional")]
    priority: Priority,
}

impl Accepted {
    /// v1.2's message object as JSON.
    ///
    /// # Errors
    /// When the stored warnings are not JSON: damage to the store.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let message = &self.message;
        let warnings: &RawValue = serde_json::from_str(&self.warnings)?;
        let answer = MessageAnswer {
            text: Some(message.text.as_str()).filter(|text| !text.is_empty()),
            html: None,
            protocol_type: message.protocol,
            attachment_uris: None,
            from: &message.from,
            to: &message.to,
            date_time: message.accepted_at,
            provider_message_id: message.id,
            department_id: self.department,
            status: "Pending",
            files: Some(message.files.as_slice()).filter(|files| !files.is_empty()),
            service_provider: self.service_provider,
            warnings,
            metadata: message.metadata.as_ref(),
            send_at: message.send_at,
            expires_at: message.expires_at,
            priority: message.priority,
        };
        // Some 350 bytes beside the text: one allocation for nearly every answer.
        let mut json = Vec::with_capacity(512 + message.text.len());
        serde_json::to_writer(&mut json, &answer)?;
        Ok(json)
    }
}
