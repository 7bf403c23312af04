//! A live test of a channel.

use super::{
    adapter_settings::{CallbackBase, opened, usable},
    channels::{find, not_found},
};
use crate::{
    api::{
        body::id,
        codes::Code,
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    node::app::App,
};
use axum::{
    Json,
    extract::{Path, State},
};
use herald_channels::{contract::CheckLine, registry::Adapter};
use serde::Serialize;
use utoipa::ToSchema;

/// What a live test found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChannelCheck)]
pub struct CheckView {
    /// Whether everything is as it must be.
    ok: bool,
    /// What was looked at, in order.
    checks: Vec<CheckLineView>,
    /// The address that the provider has to call with its news.
    #[schema(example = "https://herald.example/callbacks/0199f3a0-0000-7000-8000-000000000000")]
    callback_url: String,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChannelCheckLine)]
pub struct CheckLineView {
    /// What was looked at.
    #[schema(example = "token and account")]
    what: String,
    /// Whether it is as it must be.
    ok: bool,
    /// What was found.
    #[schema(example = "Example Shop")]
    said: String,
}

impl From<CheckLine> for CheckLineView {
    fn from(CheckLine { what, ok, said }: CheckLine) -> Self {
        Self { what, ok, said }
    }
}

/// Test a channel
///
/// Asks its provider, with the channel's settings and credentials, whether messages could be sent: on WhatsApp whether the token is
/// good, what Meta says of each number, how many templates there are, and whether Meta sends us its news. Sends no message and changes
/// nothing.
#[utoipa::path(
    post,
    path = "/api/v2/channels/{id}/check",
    operation_id = "checkChannel",
    tag = "channels",
    security(("bearer" = ["channels"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "What was found, good or bad", body = CheckView),
        (status = 400, description = "`settings_unusable`: there is nothing to ask with", body = ProblemBody<'static>),
        (status = 404, description = "`channel_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn check(
    app: State<App>,
    caller: Caller<needs::Channels>,
    callback: CallbackBase,
    path: Path<String>,
) -> Result<Json<CheckView>, Problem> {
    let (snapshot, channel) = find(&app, caller.department.row, id(&path, not_found)?)?;
    let credentials = opened(&app, &channel)?;
    usable(channel.provider, channel.protocol, &channel.settings, credentials.as_ref())?;
    let credentials = credentials.unwrap_or_default();
    // One of its own: a look must not wait for the calls of the lanes, nor use up their places.
    let adapter = Adapter::build(channel.provider, channel.protocol, &channel.settings.provider, &credentials)
        .map_err(|error| Problem::new(Code::SettingsUnusable, format!("{error}.")))?;
    let lanes = snapshot.lanes(caller.department.row);
    let own = lanes.iter().filter(|lane| lane.channel == channel.row);
    let own: Vec<_> = own.map(|lane| lane.identifier.as_str()).collect();
    let checks: Vec<CheckLineView> = adapter.check(&own).await.into_iter().map(Into::into).collect();
    Ok(Json(CheckView { ok: checks.iter().all(|line| line.ok), checks, callback_url: callback.of(channel.id) }))
}
