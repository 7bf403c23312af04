//! Channels of a department: a protocol and a provider account each.

use super::{
    adapter_settings::{CallbackBase, filled, opened, sealed, usable},
    identifiers::{IdentifierRequest, IdentifierView},
    name,
};
use crate::{
    api::{
        body::{Json, Query, id},
        codes::Code,
        page::{Page, PageQuery},
        problem::{FieldProblem, Problem, ProblemBody},
        rights::{Caller, needs},
    },
    node::{
        app::App,
        directory::{Channel, ChannelSettings, Snapshot},
    },
    store::{ChannelChange, DepartmentRow, NewChannel, StoreError},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use herald_rules::{
    ids::ChannelId,
    protocol::{Protocol, Provider},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// A channel to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelRequest {
    /// `WhatsApp`, `SMS` or `AppleBusinessChat`, in any case.
    #[schema(example = "WhatsApp")]
    protocol: String,
    /// Who carries it: `simulated` plays a provider, so that nothing leaves this machine; `whatsapp_cloud` is Meta's.
    #[serde(default)]
    #[schema(example = "simulated", default = "simulated")]
    provider: Option<String>,
    /// For people; absent: the protocol's name.
    #[serde(default)]
    name: Option<String>,
    /// Whether anything goes out.
    #[serde(default)]
    #[schema(default = true)]
    active: Option<bool>,
    /// Whether messages may be sent that open no ticket. Off until somebody switches it on.
    #[serde(default)]
    #[schema(default = false)]
    non_ticket_messages: bool,
    /// Its settings. Those of the provider must be usable by its adapter; for `simulated` they are `base_url` (where the
    /// simulator listens) and, if it is not the usual one, `callback_url`; for `whatsapp_cloud` `waba_id` and `phone_numbers` (Meta's id
    /// for each of our numbers), and `portfolio_id`, `graph_version`, `graph_url`, `timeout_ms`, `marketing_messages_api` and
    /// `in_flight` where they are not the usual ones.
    #[serde(default)]
    settings: ChannelSettings,
    /// What the provider knows us by; for `simulated`: `key` and `callback_secret`; for `whatsapp_cloud`: `access_token`, `app_secret`,
    /// `verify_token`, and `previous_app_secret` while one is replaced. Kept sealed, and never answered again.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    credentials: Option<Value>,
    /// Its numbers or ids.
    #[serde(default)]
    identifiers: Vec<IdentifierRequest>,
}

/// What of a channel changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelPatch {
    /// For people.
    #[serde(default)]
    name: Option<String>,
    /// Whether anything goes out. What is queued waits while it is off.
    #[serde(default)]
    active: Option<bool>,
    /// Whether messages may be sent that open no ticket.
    #[serde(default)]
    non_ticket_messages: Option<bool>,
    /// All settings anew.
    #[serde(default)]
    settings: Option<ChannelSettings>,
    /// What the provider knows us by, anew.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    credentials: Option<Value>,
}

/// A channel.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Channel)]
pub struct ChannelView {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ChannelId,
    /// What customers' devices speak.
    #[schema(value_type = String, example = "WhatsApp")]
    protocol: Protocol,
    /// Who carries it.
    #[schema(value_type = String, example = "simulated")]
    provider: Provider,
    /// For people.
    name: String,
    /// Whether anything goes out.
    active: bool,
    /// Whether messages may be sent that open no ticket.
    non_ticket_messages: bool,
    /// Its settings.
    settings: ChannelSettings,
    /// Whether it has credentials; they are never shown.
    has_credentials: bool,
    /// Where its provider reports to, below this Herald's address.
    #[schema(example = "/callbacks/0199f3a0-0000-7000-8000-000000000000")]
    callback_path: String,
    /// The same in full, as the provider is told.
    #[schema(example = "https://herald.example/callbacks/0199f3a0-0000-7000-8000-000000000000")]
    callback_url: String,
    /// Its numbers or ids.
    identifiers: Vec<IdentifierView>,
}

impl ChannelView {
    fn of(snapshot: &Snapshot, channel: &Channel, callback: &CallbackBase) -> Self {
        let lanes = snapshot.lanes(channel.department);
        let own = lanes.iter().filter(|lane| lane.channel == channel.row);
        Self {
            id: channel.id,
            protocol: channel.protocol,
            provider: channel.provider,
            name: channel.name.clone(),
            active: channel.active,
            non_ticket_messages: channel.non_ticket,
            settings: channel.settings.clone(),
            has_credentials: channel.sealed_credentials.is_some(),
            callback_path: format!("/callbacks/{}", channel.id),
            callback_url: callback.of(channel.id),
            identifiers: own.map(|lane| IdentifierView::of(lane)).collect(),
        }
    }
}

/// Make a channel
///
/// Non-ticket messages are off unless asked for. An identifier belongs to one channel in the whole instance, so that an
/// inbound message has exactly one department.
#[utoipa::path(
    post,
    path = "/api/v2/channels",
    operation_id = "createChannel",
    tag = "channels",
    security(("bearer" = ["channels"])),
    params(("department" = Option<String>, Query, description = "For the administrator: which department")),
    request_body(content = ChannelRequest, example = json!({
        "protocol": "WhatsApp", "name": "Shop", "nonTicketMessages": true,
        "settings": {"provider": {"base_url": "http://127.0.0.1:7300"}},
        "credentials": {"key": "sim-key", "callback_secret": "sim-secret"},
        "identifiers": [{"identifier": "972550000001", "rate": "80/s"}]
    })),
    responses(
        (status = 201, description = "Made", body = ChannelView),
        (status = 400, description = "`invalid_body`, `unknown_protocol`, `unknown_provider`, `settings_unusable`, `rate_invalid` and others", body = ProblemBody<'static>),
        (status = 409, description = "`identifier_taken`", body = ProblemBody<'static>),
    )
)]
pub async fn create(
    app: State<App>,
    caller: Caller<needs::Channels>,
    callback: CallbackBase,
    body: Json<ChannelRequest>,
) -> Result<(StatusCode, axum::Json<ChannelView>), Problem> {
    let request = body.0;
    let protocol = protocol(&request.protocol)?;
    let provider = provider(request.provider.as_deref())?;
    let name = match request.name {
        Some(text) => name(&text, "/name")?,
        None => protocol.to_string(),
    };
    let identifiers = identifiers(protocol, request.identifiers)?;
    let id = ChannelId::new();
    let settings = filled(request.settings, provider, &callback.of(id));
    usable(provider, protocol, &settings, request.credentials.as_ref())?;
    let new = NewChannel {
        department: caller.department.row,
        id,
        protocol,
        provider,
        name,
        active: request.active.unwrap_or(true),
        non_ticket: request.non_ticket_messages,
        settings,
        sealed_credentials: sealed(&app, id, request.credentials.as_ref()),
        identifiers,
        created_at: Timestamp::now(),
    };
    match app.store.add_channel(new).await {
        Err(StoreError::Conflict(identifier)) => return Err(super::identifiers::taken(protocol, &identifier)),
        other => other?,
    };
    app.directory_changed().await?;
    let (snapshot, channel) = find(&app, caller.department.row, id)?;
    Ok((StatusCode::CREATED, axum::Json(ChannelView::of(&snapshot, &channel, &callback))))
}

/// List the channels
#[utoipa::path(
    get,
    path = "/api/v2/channels",
    operation_id = "listChannels",
    tag = "channels",
    security(("bearer" = ["channels"])),
    params(PageQuery, ("department" = Option<String>, Query, description = "For the administrator: which department")),
    responses((status = 200, description = "Oldest first", body = Page<ChannelView>))
)]
pub async fn list(
    app: State<App>,
    caller: Caller<needs::Channels>,
    callback: CallbackBase,
    page: Query<PageQuery>,
) -> Result<axum::Json<Page<ChannelView>>, Problem> {
    let snapshot = app.directory.get();
    let all = snapshot.channels(caller.department.row);
    page.0.cut(all, |channel| channel.row, |channel| ChannelView::of(&snapshot, &channel, &callback)).map(axum::Json)
}

/// Show a channel
#[utoipa::path(
    get,
    path = "/api/v2/channels/{id}",
    operation_id = "getChannel",
    tag = "channels",
    security(("bearer" = ["channels"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "The channel", body = ChannelView),
        (status = 404, description = "`channel_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn get(
    app: State<App>,
    caller: Caller<needs::Channels>,
    callback: CallbackBase,
    path: Path<String>,
) -> Result<axum::Json<ChannelView>, Problem> {
    let (snapshot, channel) = find(&app, caller.department.row, id(&path, not_found)?)?;
    Ok(axum::Json(ChannelView::of(&snapshot, &channel, &callback)))
}

/// Change a channel
///
/// Switching it off holds back what is queued; switching it on lets it go. Switching non-ticket messages off refuses new
/// ones.
#[utoipa::path(
    patch,
    path = "/api/v2/channels/{id}",
    operation_id = "updateChannel",
    tag = "channels",
    security(("bearer" = ["channels"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    request_body(content = ChannelPatch, example = json!({"nonTicketMessages": true})),
    responses(
        (status = 200, description = "As it is now", body = ChannelView),
        (status = 404, description = "`channel_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn update(
    app: State<App>,
    caller: Caller<needs::Channels>,
    callback: CallbackBase,
    path: Path<String>,
    body: Json<ChannelPatch>,
) -> Result<axum::Json<ChannelView>, Problem> {
    let (_, channel) = find(&app, caller.department.row, id(&path, not_found)?)?;
    let patch = body.0;
    let settings = patch.settings.map(|settings| filled(settings, channel.provider, &callback.of(channel.id)));
    if settings.is_some() || patch.credentials.is_some() {
        let present = opened(&app, &channel)?;
        let settings = settings.as_ref().unwrap_or(&channel.settings);
        let credentials = patch.credentials.as_ref().or(present.as_ref());
        usable(channel.provider, channel.protocol, settings, credentials)?;
    }
    let change = ChannelChange {
        name: patch.name.map(|text| name(&text, "/name")).transpose()?,
        active: patch.active,
        non_ticket: patch.non_ticket_messages,
        settings,
        sealed_credentials: sealed(&app, channel.id, patch.credentials.as_ref()),
    };
    app.store.change_channel(channel.row, change).await?;
    app.directory_changed().await?;
    let (snapshot, channel) = find(&app, caller.department.row, channel.id)?;
    Ok(axum::Json(ChannelView::of(&snapshot, &channel, &callback)))
}

pub(super) fn find(
    app: &App,
    department: DepartmentRow,
    id: ChannelId,
) -> Result<(Arc<Snapshot>, Arc<Channel>), Problem> {
    let snapshot = Arc::clone(&app.directory.get());
    let channel = snapshot.channel_by_id(department, id).cloned().ok_or_else(not_found)?;
    Ok((snapshot, channel))
}

pub(super) fn not_found() -> Problem {
    Problem::new(
        Code::ChannelNotFound,
        "This department has no channel of this id. GET /api/v2/channels lists those it has.",
    )
}

fn protocol(text: &str) -> Result<Protocol, Problem> {
    text.parse().map_err(|()| {
        Problem::new(Code::UnknownProtocol, "protocol must be WhatsApp, SMS or AppleBusinessChat.").at("/protocol")
    })
}

fn provider(text: Option<&str>) -> Result<Provider, Problem> {
    text.map_or(Ok(Provider::Simulated), |text| text.trim().to_ascii_lowercase().parse()).map_err(|()| {
        Problem::new(Code::UnknownProvider, "provider must be simulated or whatsapp_cloud.").at("/provider")
    })
}

/// All of them, or what is wrong with each that is wrong.
fn identifiers(protocol: Protocol, given: Vec<IdentifierRequest>) -> Result<Vec<crate::store::NewIdentifier>, Problem> {
    let (mut good, mut errors) = (Vec::with_capacity(given.len()), Vec::new());
    for (at, identifier) in given.into_iter().enumerate() {
        match identifier.checked(protocol) {
            Ok(identifier) => good.push(identifier),
            Err(problem) => errors.push((at, problem)),
        }
    }
    let Some((_, first)) = errors.first() else { return Ok(good) };
    let (code, detail) = (first.code(), first.detail().to_owned());
    let fields = errors.iter().map(|(at, problem)| FieldProblem {
        pointer: format!("/identifiers/{at}{}", problem.pointer().unwrap_or_default()),
        detail: problem.detail().to_owned(),
        code: None,
    });
    let fields: Vec<_> = fields.collect();
    let pointer = fields.first().map(|field| field.pointer.clone()).unwrap_or_default();
    Err(Problem::new(code, detail).at(pointer).with_errors(fields))
}
