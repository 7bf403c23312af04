//! Identifiers of a channel. Each has a lane: what goes out over it is one ordered, paced stream.

use super::{
    channels::{find, not_found},
    lanes::{LaneId, LaneView},
};
use crate::{
    api::{
        body::{Json, id},
        codes::Code,
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    node::{app::App, directory::Lane},
    store::{ChannelPlace, NewIdentifier, StoreError},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use herald_rules::{identifier, pace::rate::Rate, protocol::Protocol, time::Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An identifier to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdentifierRequest {
    /// A phone number with its country code; for SMS also a short code or a sender name; for Apple the business id.
    #[schema(example = "972550000001")]
    identifier: String,
    /// For people.
    #[serde(default)]
    name: Option<String>,
    /// How fast it sends, such as `80/s` or `500/m,burst=50`; absent: the configured default of its protocol.
    #[serde(default)]
    #[schema(example = "80/s")]
    rate: Option<String>,
}

/// An identifier of a channel.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Identifier)]
pub struct IdentifierView {
    /// Normalised.
    identifier: String,
    /// For people.
    name: String,
    /// The lane of what goes out over it.
    #[schema(value_type = String, example = "WhatsApp:972550000001")]
    lane: LaneId,
    /// How fast it sends; null: the configured default of its protocol.
    rate: Option<String>,
}

impl IdentifierView {
    pub(super) fn of(lane: &Lane) -> Self {
        Self {
            identifier: lane.identifier.clone(),
            name: lane.name.clone(),
            lane: LaneId::of(lane),
            rate: lane.rate.clone(),
        }
    }
}

impl IdentifierRequest {
    /// Normalised, with a rate that can be read.
    pub(super) fn checked(self, protocol: Protocol) -> Result<NewIdentifier, Problem> {
        let identifier = identifier::parse_own(protocol, &self.identifier)
            .map_err(|error| Problem::of_identifier(error, "/identifier"))?;
        let name = self.name.map(|text| super::name(&text, "/name")).transpose()?.unwrap_or_default();
        Ok(NewIdentifier { identifier, name, rate: self.rate.as_deref().map(rate).transpose()? })
    }
}

/// A rate in its shortest form.
pub(super) fn rate(text: &str) -> Result<String, Problem> {
    text.parse::<Rate>()
        .map(|rate| rate.to_string())
        .map_err(|error| Problem::new(Code::RateInvalid, error.to_string()).at("/rate"))
}

/// Somebody has it; whose it is, is not said.
pub(super) fn taken(protocol: Protocol, identifier: &str) -> Problem {
    Problem::new(
        Code::IdentifierTaken,
        format!(
            "{identifier} is a {protocol} identifier of this instance already. An identifier belongs to one channel, so \
             that what comes in has one department."
        ),
    )
}

/// Add an identifier to a channel
#[utoipa::path(
    post,
    path = "/api/v2/channels/{id}/identifiers",
    operation_id = "createIdentifier",
    tag = "channels",
    security(("bearer" = ["channels"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    request_body = IdentifierRequest,
    responses(
        (status = 201, description = "Added, with its lane", body = LaneView),
        (status = 400, description = "`rate_invalid`, `not_a_number` and others", body = ProblemBody<'static>),
        (status = 404, description = "`channel_not_found`", body = ProblemBody<'static>),
        (status = 409, description = "`identifier_taken`", body = ProblemBody<'static>),
    )
)]
pub async fn create(
    app: State<App>,
    caller: Caller<needs::Channels>,
    path: Path<String>,
    body: Json<IdentifierRequest>,
) -> Result<(StatusCode, axum::Json<LaneView>), Problem> {
    let department = caller.department.row;
    let (_, channel) = find(&app, department, id(&path, not_found)?)?;
    let protocol = channel.protocol;
    let new = body.0.checked(protocol)?;
    let place = ChannelPlace { department, channel: channel.row, protocol };
    let lane = match app.store.add_identifier(place, new, Timestamp::now()).await {
        Err(StoreError::Conflict(identifier)) => return Err(taken(protocol, &identifier).at("/identifier")),
        other => other?,
    };
    app.directory_changed().await?;
    Ok((StatusCode::CREATED, axum::Json(LaneView::read(&app, department, lane).await?)))
}
