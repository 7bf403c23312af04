//! The event that tells of a channel which cannot send. It is rare, so it is written the plain way.

use crate::{
    node::directory::{Channel, Lane},
    store::{CHANNEL_ERROR, LogRow, StopWords},
};
use herald_rules::{
    ids::{ChannelId, DepartmentId},
    pace::stop::StopScope,
    protocol::Protocol,
    reason::Reason,
    time::Timestamp,
};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    key: DepartmentId,
    date_time: Timestamp,
    changes: [Change<'a>; 1],
}

#[derive(Serialize)]
struct Change<'a> {
    _event: &'static str,
    channel: Stopped<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stopped<'a> {
    id: Option<ChannelId>,
    name: Option<&'a str>,
    protocol_type: Option<Protocol>,
    /// The identifier that noticed it; `scope` says whether it is the only one.
    identifier: Option<&'a str>,
    department_id: DepartmentId,
    state: &'static str,
    scope: StopScope,
    reason: Why,
    service_provider: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Why {
    code: &'static str,
    sentence: &'static str,
    detail: Option<String>,
    provider_code: Option<String>,
    provider_text: Option<String>,
}

pub(super) fn write(
    out: &mut Vec<u8>,
    department: DepartmentId,
    place: Option<(&Arc<Lane>, &Arc<Channel>)>,
    row: &LogRow<'_>,
) {
    let (lane, channel) = place.unzip();
    let words = row.provider.and_then(|json| serde_json::from_str(json).ok());
    let words = words.unwrap_or(StopWords { scope: StopScope::Account, code: None, text: None, detail: None });
    // A number of a newer version after a downgrade must still be shown.
    let reason = row.reason.and_then(Reason::from_number).unwrap_or(Reason::Unspecified);
    let envelope = Envelope {
        key: department,
        date_time: row.at,
        changes: [Change {
            _event: CHANNEL_ERROR,
            channel: Stopped {
                id: channel.map(|channel| channel.id),
                name: channel.map(|channel| channel.name.as_str()),
                protocol_type: channel.map(|channel| channel.protocol),
                identifier: lane.map(|lane| lane.identifier.as_str()),
                department_id: department,
                state: "stopped",
                scope: words.scope,
                reason: Why {
                    code: reason.code(),
                    sentence: reason.sentence(),
                    detail: words.detail,
                    provider_code: words.code,
                    provider_text: words.text,
                },
                service_provider: channel.map_or(0, |channel| channel.provider.service_provider()),
            },
        }],
    };
    // Writing plain values to memory cannot fail.
    let _ = serde_json::to_writer(out, &envelope);
}
