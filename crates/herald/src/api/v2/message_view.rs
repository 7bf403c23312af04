//! How v2 shows a message, its status and its story.

use super::{inbound_view::Direction, lanes::Waiting, part_view::PartView, template_view::TemplateView};
use crate::{
    node::directory::Snapshot,
    store::{LaneRow, Note, Step, Story, Summary},
};
use herald_channels::contract::Pricing;
use herald_rules::{
    ids::{ChannelId, MessageId},
    message::{Message, Priority},
    protocol::Protocol,
    reason::{Cause, FixedBy},
    status::Status,
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// A message and where it stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageStanding)]
pub struct MessageView {
    /// Its id, v1.2's `providerMessageId`.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// `outbound`.
    pub direction: Direction,
    /// The channel it goes out over.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub channel_id: Option<ChannelId>,
    /// The channel's protocol.
    #[schema(value_type = String, example = "WhatsApp")]
    pub protocol: Protocol,
    /// Our identifier.
    pub from: String,
    /// The customer.
    pub to: String,
    /// What it says; null where it has files alone.
    pub text: Option<String>,
    /// The files that go along.
    pub files: Vec<String>,
    /// As given.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Value>,
    /// `transactional` or `bulk`.
    #[schema(value_type = String, example = "transactional")]
    pub priority: Priority,
    /// When it was accepted.
    #[schema(value_type = String, format = "date-time")]
    pub accepted_at: Timestamp,
    /// Not before this moment.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub send_at: Option<Timestamp>,
    /// Not after this moment.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub expires_at: Option<Timestamp>,
    /// `Pending`, `Accepted`, `Delivered`, `Read`, `Rejected` or `Failed`.
    #[schema(value_type = String, example = "Delivered")]
    pub status: Status,
    /// Since when.
    #[schema(value_type = String, format = "date-time")]
    pub status_at: Timestamp,
    /// Why, where the status needs a reason.
    pub reason: Option<ReasonView>,
    /// An earlier try's outcome is unknown, so the customer may have it twice.
    pub possible_duplicate: bool,
}

/// Why.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Reason)]
pub struct ReasonView {
    /// Stable.
    #[schema(example = "recipient_not_reachable")]
    pub code: &'static str,
    /// A sentence that a person can act on.
    pub sentence: &'static str,
    /// Who can do something about it: `sender`, `operator`, `provider`, `customer` or `nobody`.
    #[schema(value_type = String, example = "customer")]
    pub fixed_by: FixedBy,
    /// Whether the same message may succeed when it is sent again.
    pub retry_helps: bool,
    /// What exactly: which variable, which template was nearest, which types are allowed.
    pub detail: Option<String>,
    /// The provider's own code, as it wrote it.
    pub provider_code: Option<String>,
    /// The provider's own text.
    pub provider_text: Option<String>,
}

/// A message with its whole story.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageStory {
    #[serde(flatten)]
    message: MessageView,
    /// The approved template that it goes as; null: it goes as it stands.
    template: Option<TemplateView>,
    /// Its parts, where it takes several provider messages; else empty.
    parts: Vec<PartView>,
    /// What the provider charges for it, where it says so; null: it has not said.
    pricing: Option<PricingView>,
    /// While it is `Pending`: why it has not left yet.
    waiting: Option<Waiting>,
    /// Every status it reached, with the time of each.
    history: Vec<HistoryStep>,
    /// Tries that failed, checks, receipts that came late: what changed no status.
    notes: Vec<NoteView>,
}

/// What a provider charges for a message, in its own words.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Pricing)]
pub struct PricingView {
    /// Such as `marketing`, `utility`, `service`.
    #[schema(example = "utility")]
    category: String,
    /// Whether it is charged for; null: the provider does not say.
    billable: Option<bool>,
    /// Such as `regular`, `free_customer_service`.
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// A status that a message reached.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryStep {
    /// The status.
    #[schema(value_type = String, example = "Delivered")]
    pub status: Status,
    /// When, by the provider's clock where it says so.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
    /// Why, where the status needs a reason.
    pub reason: Option<ReasonView>,
    /// Reported after a later step: it made no event, only its time is known now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reported_late: bool,
}

/// What is noted of a message beside its history.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageNote)]
pub struct NoteView {
    /// `try`: it failed and goes again. `checking`: nobody knew whether the provider has it. `resent`: it went back to the
    /// queue after that. `waits`: it waits for a limit. `late`: a receipt after the end.
    #[schema(example = "try")]
    pub kind: String,
    /// When.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
    /// The status that was reported, where one was.
    #[schema(value_type = Option<String>)]
    pub status: Option<Status>,
    /// Why.
    pub reason: Option<ReasonView>,
}

impl From<&Cause> for ReasonView {
    fn from(cause: &Cause) -> Self {
        Self {
            code: cause.reason.code(),
            sentence: cause.reason.sentence(),
            fixed_by: cause.reason.fixed_by(),
            retry_helps: cause.reason.retry_helps(),
            detail: cause.detail.clone(),
            provider_code: cause.provider_code.clone(),
            provider_text: cause.provider_text.clone(),
        }
    }
}

impl From<&Note> for NoteView {
    fn from(note: &Note) -> Self {
        Self { kind: note.kind.clone(), at: note.at, status: note.status, reason: note.cause.as_ref().map(Into::into) }
    }
}

impl MessageView {
    /// A message after its last change; None: it is `Pending`.
    pub fn of(snapshot: &Snapshot, lane: LaneRow, message: Arc<Message>, last: Option<&Step>) -> Self {
        let channel = snapshot.lane(lane).and_then(|lane| snapshot.channel(lane.channel));
        // A clone only where somebody else holds it too.
        let message = Arc::unwrap_or_clone(message);
        Self {
            id: message.id,
            direction: Direction::Outbound,
            channel_id: channel.map(|channel| channel.id),
            protocol: message.protocol,
            from: message.from,
            to: message.to,
            text: Some(message.text).filter(|text| !text.is_empty()),
            files: message.files,
            metadata: message.metadata,
            priority: message.priority,
            accepted_at: message.accepted_at,
            send_at: message.send_at,
            expires_at: message.expires_at,
            status: last.map_or(Status::Pending, |step| step.status),
            status_at: last.map_or(message.accepted_at, |step| step.at),
            reason: last.and_then(|step| step.cause.as_ref()).map(Into::into),
            possible_duplicate: last.is_some_and(|step| step.possible_duplicate),
        }
    }

    /// An entry of a list.
    pub fn of_summary(snapshot: &Snapshot, summary: Summary) -> Self {
        Self::of(snapshot, summary.lane, summary.message, summary.last.as_ref())
    }
}

impl MessageStory {
    /// The whole story. For a message that is `Pending`, `held` is why its customer waits, and `lane` why the lane does.
    pub fn of(snapshot: &Snapshot, story: Story, held: Option<Waiting>, lane: Option<Waiting>, now: Timestamp) -> Self {
        let history = history(&story);
        let notes = story.notes.iter().filter(|note| note.kind != "fill").map(Into::into).collect();
        let waiting = waiting(&story, held, lane, now);
        let resent = story.notes.iter().any(|note| note.kind == "resent" && note.cause.is_some());
        let template = story.message.template.as_ref().map(Into::into);
        let parts = PartView::all(&story.parts);
        let pricing = story.changes.iter().rev().find_map(|step| step.pricing.clone());
        let pricing = pricing.map(|Pricing { category, billable, kind }| PricingView { category, billable, kind });
        let mut message = MessageView::of(snapshot, story.lane, story.message, story.changes.last());
        message.possible_duplicate |= resent || story.changes.iter().any(|step| step.possible_duplicate);
        Self { message, template, parts, pricing, waiting, history, notes }
    }
}

/// The changes in order, with what was reported late at its place in the order of statuses.
fn history(story: &Story) -> Vec<HistoryStep> {
    let pending =
        HistoryStep { status: Status::Pending, at: story.message.accepted_at, reason: None, reported_late: false };
    let mut history = vec![pending];
    history.extend(story.changes.iter().map(|step| HistoryStep {
        status: step.status,
        at: step.at,
        reason: step.cause.as_ref().map(Into::into),
        reported_late: false,
    }));
    for note in story.notes.iter().filter(|note| note.kind == "fill") {
        let Some(status) = note.status else { continue };
        let place = history.iter().position(|step| step.status.code() > status.code()).unwrap_or(history.len());
        let step =
            HistoryStep { status, at: note.at, reason: note.cause.as_ref().map(Into::into), reported_late: true };
        history.insert(place, step);
    }
    history
}

/// Why a message that is `Pending` has not left: the nearest reason first.
fn waiting(story: &Story, held: Option<Waiting>, lane: Option<Waiting>, now: Timestamp) -> Option<Waiting> {
    if !story.changes.is_empty() {
        return None;
    }
    if let Some(checking) = story.checking {
        let reason = herald_rules::reason::Reason::OutcomeBeingChecked;
        return Some(Waiting {
            code: reason.code().to_owned(),
            sentence: reason.sentence().to_owned(),
            until: Some(checking.deadline),
        });
    }
    if let Some(send_at) = story.message.send_at.filter(|at| *at > now) {
        let sentence = format!("It is to be sent at {send_at}.");
        return Some(Waiting { code: "scheduled".to_owned(), sentence, until: Some(send_at) });
    }
    if let Some(note) = story.notes.iter().rev().find(|note| note.kind == "try") {
        let why = note.cause.as_ref().map_or("", |cause| cause.reason.sentence());
        let sentence = format!("The last try, at {}, failed; it goes again. {why}", note.at).trim_end().to_owned();
        return Some(Waiting { code: "retry".to_owned(), sentence, until: held.and_then(|held| held.until) });
    }
    held.or(lane)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::BeingChecked;
    use herald_rules::reason::Reason;

    fn story() -> Story {
        let message = serde_json::json!({
            "id": uuid::Uuid::now_v7(), "protocol": "SMS", "from": "1", "to": "2", "text": "Hi",
            "accepted_at": "2026-11-22T12:00:00Z",
        });
        Story {
            lane: 1,
            message: Arc::new(serde_json::from_value(message).unwrap()),
            changes: Vec::new(),
            notes: Vec::new(),
            checking: None,
            parts: Vec::new(),
        }
    }

    fn step(status: Status, at: i64) -> Step {
        Step { status, at: Timestamp(at), cause: None, possible_duplicate: false, pricing: None }
    }

    fn note(kind: &str, status: Option<Status>, at: i64) -> Note {
        Note { kind: kind.into(), at: Timestamp(at), status, cause: Some(Reason::ProviderTimeout.into()) }
    }

    #[test]
    fn what_came_late_stands_at_its_place() {
        let mut story = story();
        story.changes = vec![step(Status::Accepted, 10), step(Status::Read, 30)];
        story.notes = vec![note("fill", Some(Status::Delivered), 20), note("late", Some(Status::Failed), 40)];
        let story = MessageStory::of(&Snapshot::default(), story, None, None, Timestamp(50));
        let history: Vec<_> = story.history.iter().map(|step| (step.status, step.reported_late)).collect();
        assert_eq!(
            history,
            [(Status::Pending, false), (Status::Accepted, false), (Status::Delivered, true), (Status::Read, false),]
        );
        assert_eq!(story.notes.len(), 1);
        assert_eq!((story.message.status, story.message.status_at), (Status::Read, Timestamp(30)));
        assert!(story.waiting.is_none());
    }

    #[test]
    fn the_nearest_reason_to_wait_is_named() {
        let lane = Waiting { code: "rate".into(), sentence: "Slow.".into(), until: None };
        let code = |story: Story, lane: Option<Waiting>| {
            MessageStory::of(&Snapshot::default(), story, None, lane, Timestamp(50)).waiting.map(|waiting| waiting.code)
        };
        assert_eq!(code(story(), Some(lane.clone())).as_deref(), Some("rate"));
        assert_eq!(code(story(), None), None);
        let mut tried = story();
        tried.notes = vec![note("try", None, 20)];
        assert_eq!(code(tried.clone(), Some(lane.clone())).as_deref(), Some("retry"));
        let mut later = story();
        Arc::make_mut(&mut later.message).send_at = Some(Timestamp(60));
        assert_eq!(code(later, Some(lane)).as_deref(), Some("scheduled"));
        tried.checking = Some(BeingChecked { since: Timestamp(1), deadline: Timestamp(99) });
        assert_eq!(code(tried, None).as_deref(), Some("outcome_being_checked"));
    }
}
