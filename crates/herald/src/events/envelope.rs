//! An event as its receivers read it: the v1.2 envelope around the message object with its new status.
//!
//! It is made when it is handed over, from the rows of the log and the message. Most of it lies in the store as JSON
//! already, so it is copied as it stands instead of being read and written anew.

mod channel_error;

use crate::{
    node::directory::Directory,
    store::{EventKind, LogRow, NON_TICKET_MESSAGE_STATUS, Render},
};
use herald_rules::{ids::DepartmentId, reason::Reason, status::Status};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{io::Write as _, sync::Arc};

/// A message's JSON, its values unread.
#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    protocol: &'a RawValue,
    #[serde(borrow)]
    from: &'a RawValue,
    #[serde(borrow)]
    to: &'a RawValue,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    files: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    accepted_at: &'a RawValue,
}

/// The provider's own words, as `store::sqlite` keeps them.
#[derive(Deserialize, Default)]
struct Words<'a> {
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
}

/// Renders the events of one department.
pub(super) fn renderer(department: DepartmentId, directory: Directory) -> Render {
    Arc::new(move |row, out| {
        let snapshot = directory.get();
        let lane = snapshot.lane(row.key.lane);
        let channel = lane.and_then(|lane| snapshot.channel(lane.channel));
        match row.kind {
            EventKind::Status(status) => {
                let provider = channel.map_or(0, |channel| channel.provider.service_provider());
                write(out, department, provider, status, row);
            }
            EventKind::ChannelError => channel_error::write(out, department, lane.zip(channel), row),
        }
    })
}

/// Renders only what a subscription wants; the rest is empty.
pub(super) fn only(wanted: Vec<String>, render: Render) -> Render {
    if wanted.is_empty() {
        return render;
    }
    Arc::new(move |row, out| {
        if wanted.iter().any(|name| name == row.kind.name()) {
            render(row, out);
        }
    })
}

fn write(out: &mut Vec<u8>, department: DepartmentId, service_provider: i32, status: Status, row: &LogRow<'_>) {
    const NULL: &str = "null";
    let message: Option<Stored<'_>> = serde_json::from_str(row.message).ok();
    let raw = |value: Option<&'_ RawValue>| value.map_or(NULL, RawValue::get).to_owned();
    // A message that cannot be read is still told of: its id and its status are in the row.
    let (text, protocol, from, to, accepted, files) =
        message.as_ref().map_or((NULL, NULL, NULL, NULL, NULL, NULL), |message| {
            (
                message.text.map(RawValue::get).filter(|text| *text != r#""""#).unwrap_or(NULL),
                message.protocol.get(),
                message.from.get(),
                message.to.get(),
                message.accepted_at.get(),
                message.files.map_or(NULL, RawValue::get),
            )
        });
    // Writing to memory cannot fail.
    let _ = write!(
        out,
        r#"{{"key":"{department}","dateTime":"{at}","changes":[{{"_event":"{NON_TICKET_MESSAGE_STATUS}","message":{{"text":{text},"html":null,"protocolType":{protocol},"attachmentUris":null,"from":{from},"to":{to},"dateTime":{accepted},"providerMessageId":"{id}","departmentId":"{department}","status":"{status}","files":{files},"serviceProvider":{service_provider}"#,
        at = row.at,
        id = row.id,
    );
    if let Some(metadata) = message.as_ref().and_then(|message| message.metadata) {
        let _ = write!(out, r#","metadata":{metadata}"#);
    }
    if let Some(number) = row.reason {
        // A number of a newer version after a downgrade must still be shown.
        let reason = Reason::from_number(number).unwrap_or(Reason::Unspecified);
        let words: Words<'_> = row.provider.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        // Codes and sentences are our own and hold nothing that JSON escapes: a test sees to it.
        let _ = write!(
            out,
            r#","reason":{{"code":"{code}","sentence":"{sentence}","detail":{detail},"providerCode":{provider_code},"providerText":{provider_text}}}"#,
            code = reason.code(),
            sentence = reason.sentence(),
            detail = raw(words.detail),
            provider_code = raw(words.code),
            provider_text = raw(words.text),
        );
    }
    if row.resent {
        out.extend_from_slice(br#","possibleDuplicate":true"#);
    }
    out.extend_from_slice(b"}}]}");
}

/// Adds the two values by which a poller deletes an event.
pub(super) fn with_handle(json: &[u8], handle: &str, id: &str) -> String {
    let body = json.strip_suffix(b"}").unwrap_or(json);
    // Both are made of letters, digits and dashes.
    format!(r#"{},"queueReceiptHandle":"{handle}","queueMessageId":"{id}"}}"#, String::from_utf8_lossy(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::EventKey;
    use herald_rules::{ids::MessageId, message::Message, protocol::Protocol, time::Timestamp};
    use serde_json::{Value, json};

    fn message() -> Message {
        Message {
            id: MessageId("b12b22dd-40b7-4f1e-b884-25bed26e2036".parse().unwrap()),
            protocol: Protocol::WhatsApp,
            from: "97255999999".into(),
            to: "97255500000".into(),
            text: "Hi \"you\" \u{1f600}\n".into(),
            files: vec![],
            parts: 1,
            template: None,
            refused: None,
            metadata: None,
            priority: Default::default(),
            accepted_at: Timestamp(1_795_348_800_312_595),
            send_at: None,
            expires_at: None,
        }
    }

    fn render(message: &Message, reason: Option<Reason>, provider: Option<&str>, resent: bool) -> Value {
        let body = serde_json::to_string(message).unwrap();
        let row = LogRow {
            key: EventKey { lane: 1, sequence: 1 },
            id: message.id,
            kind: EventKind::Status(Status::Delivered),
            at: Timestamp(1_795_348_802_100_000),
            reason: reason.map(Reason::number),
            resent,
            provider,
            message: &body,
        };
        let mut out = Vec::new();
        write(
            &mut out,
            DepartmentId("d8b6b24f-9178-4c41-a77b-df7a65a1d1b5".parse().unwrap()),
            0,
            Status::Delivered,
            &row,
        );
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn is_the_envelope_of_the_reference() {
        assert_eq!(
            render(&message(), None, None, false),
            json!({"key": "d8b6b24f-9178-4c41-a77b-df7a65a1d1b5", "dateTime": "2026-11-22T12:00:02.100000Z", "changes": [
                {"_event": "NON_TICKET_MESSAGE_STATUS", "message": {"text": "Hi \"you\" \u{1f600}\n", "html": null,
                 "protocolType": "WhatsApp", "attachmentUris": null, "from": "97255999999", "to": "97255500000",
                 "dateTime": "2026-11-22T12:00:00.312595Z", "providerMessageId": "b12b22dd-40b7-4f1e-b884-25bed26e2036",
                 "departmentId": "d8b6b24f-9178-4c41-a77b-df7a65a1d1b5", "status": "Delivered", "files": null,
                 "serviceProvider": 0}}]})
        );
    }

    #[test]
    fn carries_what_the_reference_lacks() {
        let message = Message {
            files: vec!["https://files.example/a.png".into()],
            metadata: Some(json!({"order": [1, "x"]})),
            text: String::new(),
            ..message()
        };
        let event =
            render(&message, Some(Reason::ContentRefused), Some(r#"{"code":"131026","text":"no \"way\""}"#), true);
        let sent = &event["changes"][0]["message"];
        assert_eq!(sent["metadata"], json!({"order": [1, "x"]}));
        assert_eq!(sent["files"], json!(["https://files.example/a.png"]));
        assert_eq!(sent["text"], Value::Null);
        assert_eq!(sent["possibleDuplicate"], json!(true));
        assert_eq!(
            sent["reason"],
            json!({"code": "content_refused", "sentence": Reason::ContentRefused.sentence(), "detail": null,
                   "providerCode": "131026", "providerText": "no \"way\""})
        );
    }

    #[test]
    fn every_reason_is_good_json() {
        for reason in Reason::ALL {
            let event = render(&message(), Some(*reason), None, false);
            let given = &event["changes"][0]["message"]["reason"];
            assert_eq!(given["sentence"], json!(reason.sentence()));
            assert_eq!(given["providerCode"], Value::Null);
        }
    }

    #[test]
    fn a_polled_event_carries_its_handle() {
        let with: Value = serde_json::from_str(&with_handle(br#"{"key":"k"}"#, "h-1", "m-1")).unwrap();
        assert_eq!(with, json!({"key": "k", "queueReceiptHandle": "h-1", "queueMessageId": "m-1"}));
    }
}
