//! `/callbacks/{channel}`: where providers report. A callback is verified, kept as it came and answered; it is read
//! afterwards, so that a provider waits for nothing but the disk.

use crate::{
    dispatch::Account,
    node::{app::App, crash, directory::Channel},
    observe::metrics::CallbackResult,
};
use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use herald_channels::contract::{Callback, CallbackError};
use herald_rules::{ids::ChannelId, time::Timestamp};
use std::{sync::Arc, time::Duration};

/// The largest callback: Meta's are up to 3 MB.
const LARGEST: usize = 3 << 20;
/// A provider that does not send on within this time is cut off.
const ARRIVES_WITHIN: Duration = Duration::from_secs(20);

/// Answers a provider that asks whether this address is ours: 200 with its challenge, 403 where it is not.
pub async fn handshake(State(app): State<App>, Path(channel): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Some((channel, account)) = find(&app, &channel).await else { return not_found(&app) };
    match account.adapter.handshake(query.as_deref().unwrap_or_default()) {
        Some(challenge) => {
            tracing::info!(channel.id = %channel.id, "callback.address_confirmed");
            let kind =
                [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
            (kind, challenge).into_response()
        }
        None => {
            tracing::warn!(channel.id = %channel.id, "callback.address_not_confirmed");
            (StatusCode::FORBIDDEN, "The token is not this channel's.").into_response()
        }
    }
}

/// Takes a callback. 200 when it is durable; 401 for a wrong signature and 400 for a form that is not the provider's
/// (nothing is stored then); 503 when the store is away, so that the provider repeats it.
pub async fn receive(State(app): State<App>, Path(channel): Path<String>, headers: HeaderMap, body: Body) -> Response {
    let Some((channel, account)) = find(&app, &channel).await else { return not_found(&app) };
    let body = match whole(body).await {
        Ok(body) => body,
        Err((result, status, text)) => return refuse(&app, &channel, result, status, text),
    };
    if let Err(error) = account.adapter.verify(Callback { headers: &headers, body: &body }) {
        let (result, status) = match error {
            CallbackError::Unauthorised => (CallbackResult::Unauthorised, StatusCode::UNAUTHORIZED),
            CallbackError::Malformed(_) => (CallbackResult::Malformed, StatusCode::BAD_REQUEST),
        };
        return refuse(&app, &channel, result, status, &error.to_string());
    }
    let kept = app.store.keep_callback(channel.department, channel.row, body, Timestamp::now());
    match crash::around("receipt", kept).await {
        Ok(()) => {
            app.inbox.wake();
            app.metrics.callbacks.of(CallbackResult::Taken).inc();
            StatusCode::OK.into_response()
        }
        Err(error) => {
            tracing::error!(channel.id = %channel.id, %error, "callback.not_stored");
            app.metrics.callbacks.of(CallbackResult::NotStored).inc();
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "2")], "Not stored; please repeat.")
                .into_response()
        }
    }
}

async fn find(app: &App, channel: &str) -> Option<(Arc<Channel>, Arc<Account>)> {
    let id = channel.parse::<ChannelId>().ok()?;
    let known = || app.directory.get().channel_of_callback(id).cloned();
    let channel = match known() {
        None if app.catch_up().await => known()?,
        channel => channel?,
    };
    let account = app.lanes.accounts().get(channel.row)?;
    Some((channel, account))
}

fn not_found(app: &App) -> Response {
    app.metrics.callbacks.of(CallbackResult::NoChannel).inc();
    (StatusCode::NOT_FOUND, "There is no such channel.").into_response()
}

fn refuse(app: &App, channel: &Channel, result: CallbackResult, status: StatusCode, text: &str) -> Response {
    tracing::warn!(channel.id = %channel.id, problem = text, "callback.refused");
    app.metrics.callbacks.of(result).inc();
    (status, text.to_owned()).into_response()
}

/// The body, if it comes whole, in time, and is not too large.
async fn whole(body: Body) -> Result<Bytes, (CallbackResult, StatusCode, &'static str)> {
    let too_large = (CallbackResult::TooLarge, StatusCode::PAYLOAD_TOO_LARGE, "A callback has at most 3 MiB.");
    if body.size_hint().lower() > LARGEST as u64 {
        return Err(too_large);
    }
    match tokio::time::timeout(ARRIVES_WITHIN, axum::body::to_bytes(body, LARGEST)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if crate::api::body::is_limit(&error) => Err(too_large),
        _ => Err((
            CallbackResult::Malformed,
            StatusCode::BAD_REQUEST,
            "The callback did not arrive whole, or too slowly.",
        )),
    }
}
