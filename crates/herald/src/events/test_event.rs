//! A made-up event, to try an endpoint before anything depends on it.

use super::{attempt, endpoint::Endpoint, worker::Shared};
use crate::store::{Attempt, Delivery, DeliveryKind, DeliveryState, EventKey, EventKind, LogRow, StoreError};
use herald_rules::{
    ids::{DeliveryId, MessageId},
    status::Status,
};
use serde_json::json;

/// Posts it once, now, whatever the state of the subscription, and keeps delivery and attempt.
pub(super) async fn send(shared: &Shared, endpoint: &Endpoint) -> Result<(Delivery, Attempt), StoreError> {
    let now = shared.settings.now();
    let message = json!({
        "protocol": "WhatsApp",
        "from": "12065550100",
        "to": "12065550199",
        "text": "This is a test of your webhook. No message was sent.",
        "metadata": {"test": true},
        "accepted_at": now,
    });
    let row = LogRow {
        key: EventKey { lane: 0, sequence: 0 },
        id: MessageId(uuid::Uuid::nil()),
        kind: EventKind::Status(Status::Delivered),
        at: now,
        reason: None,
        resent: false,
        provider: None,
        message: &message.to_string(),
    };
    let mut body = vec![b'['];
    super::envelope::renderer(endpoint.department, shared.directory.clone())(&row, &mut body);
    body.push(b']');
    let id = DeliveryId::new();
    let tried = attempt::post(&shared.clients, &shared.settings, endpoint, id, 1, body).await;
    let taken = tried.outcome == attempt::Outcome::Taken;
    let delivery = Delivery {
        id,
        kind: DeliveryKind::Test,
        state: if taken { DeliveryState::Taken } else { DeliveryState::Exhausted },
        attempts: 1,
        due: shared.settings.now(),
        oldest: now,
        events: Vec::new(),
        origin: None,
    };
    shared.store.keep_test(endpoint.subscription.row, delivery.clone(), tried.attempt.clone()).await?;
    Ok((delivery, tried.attempt))
}
