//! A dry run of a send.

use super::{
    lanes::{LaneView, Waiting},
    message_view::ReasonView,
    template_view::TemplateView,
};
use crate::{
    accept::{self, Checked, SendRequest, Warning},
    api::{
        body::JsonBytes,
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    node::app::App,
    route,
};
use axum::{Json, extract::State};
use herald_rules::{
    ids::{ChannelId, MessageId},
    message::{Message, Priority},
    pace::rate::Rate,
    protocol::{Protocol, Provider},
    segments::{Encoding, Segments, segments},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// What a send would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Preview)]
pub struct PreviewView {
    /// The message as it would be sent.
    message: PreviewMessage,
    /// The channel it would go out over.
    channel: PreviewChannel,
    /// The approved template that it would go as; null: it would go as it stands, or not at all.
    template: Option<TemplateView>,
    /// The customer's window; null where free text may always be sent.
    window: Option<WindowView>,
    /// How many provider messages it takes.
    parts: u16,
    /// How many SMS the text takes, and in which encoding; null for other protocols.
    segments: Option<SegmentsView>,
    /// Why it would end as `Rejected`; null: it would be sent. A send is answered with `Pending` all the same.
    problem: Option<ReasonView>,
    /// The lane it would wait in.
    lane: LaneView,
    /// What would be left out or changed.
    warnings: Vec<Warning>,
    /// About when it would be sent, from what waits before it and the rate that holds now; null while the lane is paused.
    #[schema(value_type = Option<String>, format = "date-time")]
    expected_at: Option<Timestamp>,
    /// Why it would not go at once; null: it would.
    waiting: Option<Waiting>,
}

/// The 24 hours after a customer's last message, in which free text may be sent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PreviewWindow)]
pub struct WindowView {
    /// Free text may be sent now.
    open: bool,
    /// When it closes, or has closed; null: the customer has not written.
    #[schema(value_type = Option<String>, format = "date-time")]
    until: Option<Timestamp>,
}

/// What a text takes as SMS.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewSegments)]
pub struct SegmentsView {
    /// So many SMS.
    count: usize,
    /// `gsm7` or `ucs2`.
    #[schema(value_type = String, example = "gsm7")]
    encoding: Encoding,
}

/// The message as it would be sent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewMessage {
    #[schema(value_type = String, example = "WhatsApp")]
    protocol: Protocol,
    from: String,
    to: String,
    text: Option<String>,
    files: Vec<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    #[schema(value_type = String, example = "transactional")]
    priority: Priority,
    #[schema(value_type = Option<String>, format = "date-time")]
    send_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = "date-time")]
    expires_at: Option<Timestamp>,
}

/// The channel it would go out over.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewChannel {
    #[schema(value_type = String, format = "uuid")]
    id: ChannelId,
    name: String,
    #[schema(value_type = String, example = "simulated")]
    provider: Provider,
}

impl From<Message> for PreviewMessage {
    fn from(message: Message) -> Self {
        Self {
            protocol: message.protocol,
            from: message.from,
            to: message.to,
            text: Some(message.text).filter(|text| !text.is_empty()),
            files: message.files,
            metadata: message.metadata,
            priority: message.priority,
            send_at: message.send_at,
            expires_at: message.expires_at,
        }
    }
}

/// Try a message out without sending it
///
/// Makes every check of a send. What a send would refuse is refused here in the same words; else the answer shows the whole
/// decision: the template that the text is, with its values; the customer's window; what would be sent, over which channel,
/// and about when; or why it would end as `Rejected`. Files are looked at behind their links. Nothing is written, and nothing counts against the rate limit.
#[utoipa::path(
    post,
    path = "/api/v2/messages/preview",
    operation_id = "previewMessage",
    tag = "messages",
    security(("bearer" = ["send"])),
    params(("department" = Option<String>, Query, description = "For the administrator: which department")),
    request_body(content = SendRequest<'static>, content_type = "application/json"),
    responses(
        (status = 200, description = "It would be accepted", body = PreviewView),
        (status = 400, description = "It would be refused, with this answer", body = ProblemBody<'static>),
        (status = 403, description = "It would be refused, with this answer", body = ProblemBody<'static>),
        (status = 404, description = "It would be refused, with this answer", body = ProblemBody<'static>),
    )
)]
pub async fn preview(
    app: State<App>,
    caller: Caller<needs::Send>,
    body: JsonBytes,
) -> Result<Json<PreviewView>, Problem> {
    let now = Timestamp::now();
    let request = SendRequest::read(&body.0)?;
    let snapshot = Arc::clone(&app.directory.get());
    let Checked { lane: row, channel, message, wish, warnings } =
        accept::check(&snapshot, &caller.department, request, now, MessageId::new())?;
    let message = route::route(&app, &caller.department, &channel, message, wish).await?;
    let Some(own) = snapshot.lane(row) else { return Err(super::channels::not_found()) };
    let decision = route::decide(&app, own, &message, now).await?;
    let lane = LaneView::read(&app, caller.department.row, row).await?;
    let (expected_at, waiting) = expected(&lane, message.send_at, now);
    Ok(Json(PreviewView {
        channel: PreviewChannel { id: channel.id, name: channel.name.clone(), provider: channel.provider },
        template: decision.template.as_ref().map(Into::into),
        window: decision
            .needs_window
            .then(|| WindowView { open: decision.reach.window_is_open(now), until: decision.reach.window_until }),
        parts: if decision.template.is_some() { 1 } else { message.parts },
        segments: (message.protocol == Protocol::SMS).then(|| {
            let Segments { count, encoding } = segments(&message.text);
            SegmentsView { count, encoding }
        }),
        problem: decision.problem.as_ref().map(Into::into),
        message: message.into(),
        lane,
        warnings,
        expected_at,
        waiting,
    }))
}

/// About when a message would go: after all that waits, at the rate that holds now.
fn expected(lane: &LaneView, send_at: Option<Timestamp>, now: Timestamp) -> (Option<Timestamp>, Option<Waiting>) {
    if lane.is_paused() {
        let sentence = "The lane is paused. Resume it: POST /api/v2/lanes/{id}/resume.".to_owned();
        return (None, Some(Waiting { code: "paused".to_owned(), sentence, until: None }));
    }
    if let Some(stopped) = lane.stopped() {
        return (None, Some(stopped.clone()));
    }
    let (queued, rate) = (lane.queued(), lane.present_rate());
    let wait = rate.parse::<Rate>().map_or(0.0, |rate| queued as f64 / rate.as_per_second());
    let at = now + std::time::Duration::try_from_secs_f64(wait).unwrap_or_default();
    match send_at.filter(|send_at| *send_at > at) {
        Some(send_at) => {
            let sentence = format!("It is to be sent at {send_at}.");
            (Some(send_at), Some(Waiting { code: "scheduled".to_owned(), sentence, until: Some(send_at) }))
        }
        None if queued > 0 => {
            let sentence = format!("{queued} wait before it, at {rate}.");
            (Some(at), Some(Waiting { code: "queued".to_owned(), sentence, until: Some(at) }))
        }
        None => (Some(now), None),
    }
}
