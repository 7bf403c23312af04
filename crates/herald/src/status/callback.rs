//! `POST /callbacks/{channel}`: a provider's callback, verified and read by the channel's adapter.
//!
//! It is answered when what it says is durable, so that a provider repeats what we have not kept.

use crate::{
    node::{app::App, crash},
    store::StoreError,
};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use herald_channels::contract::{Callback, CallbackError, Notice};
use herald_rules::{ids::ChannelId, time::Timestamp};

/// Takes a callback. 200 when it is durable; 401 for a wrong signature and 400 for a form that is not the provider's
/// (nothing is stored then); 503 when the store is away, so that the provider repeats it.
pub async fn receive(State(app): State<App>, Path(channel): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let account = channel.parse::<ChannelId>().ok().and_then(|id| {
        let snapshot = app.directory.get();
        let channel = snapshot.channel_of_callback(id)?.clone();
        let account = app.lanes.accounts().get(channel.row)?;
        Some((channel, account))
    });
    let Some((channel, account)) = account else {
        return (StatusCode::NOT_FOUND, "There is no such channel.").into_response();
    };
    let verified = account.adapter.verify(Callback { headers: &headers, body: &body });
    let notices = match verified.and_then(|()| account.adapter.read(&body)) {
        Ok(notices) => notices,
        Err(error) => {
            tracing::warn!(channel.id = %channel.id, %error, "callback.refused");
            let status = match error {
                CallbackError::Unauthorised => StatusCode::UNAUTHORIZED,
                CallbackError::Malformed(_) => StatusCode::BAD_REQUEST,
            };
            return (status, error.to_string()).into_response();
        }
    };
    let receipts: Vec<_> = notices
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::Receipt(receipt) => Some(receipt),
            _ => None,
        })
        .collect();
    app.metrics.receipts.of(channel.protocol).inc_by(receipts.len() as u64);
    let applied = app.store.apply(channel.department, channel.row, receipts, Timestamp::now());
    match crash::around("receipt", applied).await {
        Ok(applied) => {
            if applied.unknown > 0 {
                tracing::warn!(channel.id = %channel.id, receipts = applied.unknown, "callback.unknown_messages");
            }
            StatusCode::OK.into_response()
        }
        Err(error @ (StoreError::Unavailable(_) | StoreError::Conflict(_) | StoreError::Corrupt(_))) => {
            tracing::error!(channel.id = %channel.id, %error, "callback.not_stored");
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "2")], "Not stored; please repeat.")
                .into_response()
        }
    }
}
