//! One callback: signed, posted, and posted again until the receiver takes it.

use crate::{
    callbacks::Target,
    code::Code,
    engine::Engine,
    line::{Line, post_until_taken},
    shard::Waiting,
    wire::{ReceiptStatus, SIGNATURE_HEADER},
};
use bytes::Bytes;
use herald_rules::{protocol::Protocol, time::Timestamp};
use hmac::Mac;
use serde::Serialize;
use uuid::Uuid;

/// One receipt on the wire.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_reference: Option<Uuid>,
    status: ReceiptStatus,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'static str>,
}

/// Posts one batch until the receiver takes it.
pub(crate) async fn deliver(line: &mut Line, target: &Target, engine: &Engine, batch: Vec<Waiting>) {
    {
        let mut journal = engine.journal();
        for waiting in &batch {
            journal.happened(waiting.client_reference, waiting.serial, waiting.status);
        }
    }
    let wire: Vec<Wire> = batch.iter().map(|waiting| wire(engine, target.protocol, waiting)).collect();
    // Serialising strings into memory cannot fail; were it to, the receiver would refuse the empty body.
    let body = Bytes::from(serde_json::to_vec(&wire).unwrap_or_default());
    let signature = hex::encode(target.secret.clone().chain_update(&body).finalize().into_bytes());
    let tries = post_until_taken(line, &target.address, &body, (SIGNATURE_HEADER, &signature), |taken| {
        let counts = &mut engine.journal().counts;
        counts.callback_posts += 1;
        counts.callback_posts_refused += u64::from(!taken);
    })
    .await;
    let count = batch.len();
    let mut journal = engine.journal();
    match tries {
        None => journal.counts.receipts_given_up += count as u64,
        Some(tries) => {
            for waiting in batch {
                journal.sent(target.protocol, waiting.client_reference, waiting.status, tries);
                if let Some(taken) = waiting.taken {
                    let _ = taken.send(());
                }
            }
        }
    }
    // Last: who sees none waiting must see all counted.
    engine.no_longer_waiting(count);
}

fn wire(engine: &Engine, protocol: Protocol, waiting: &Waiting) -> Wire {
    Wire {
        reference: engine.reference(protocol, waiting.serial),
        client_reference: (protocol != Protocol::SMS).then_some(waiting.client_reference),
        status: waiting.status,
        at: waiting.at,
        code: waiting.code,
        text: waiting.code.map(Code::text),
    }
}
