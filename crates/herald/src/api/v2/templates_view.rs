//! How v2 takes and shows templates.

use super::message_view::ReasonView;
use crate::{
    store::{TemplateRow, TemplateStep, TemplateStepKind, TemplateSync},
    template::sync::Synced,
};
use herald_rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A template as Meta's create call takes it, with Meta's names.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct TemplateRequest {
    /// Small letters, digits and underscores; unique together with the language.
    #[serde(default)]
    #[schema(example = "order_update")]
    name: String,
    /// As Meta writes it.
    #[serde(default)]
    #[schema(example = "en_US")]
    language: String,
    /// `AUTHENTICATION`, `MARKETING` or `UTILITY`.
    #[serde(default)]
    #[schema(example = "UTILITY")]
    category: String,
    /// `POSITIONAL` (`{{1}}`, the default) or `NAMED` (`{{first_name}}`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parameter_format: Option<String>,
    /// Header, body, footer, buttons, as Meta writes them, with a sample for each variable.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    components: Value,
    /// How long Meta tries to deliver a message of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    message_send_ttl_seconds: Option<Value>,
    /// What else Meta takes goes along as it is.
    #[serde(flatten)]
    #[schema(ignore)]
    rest: Map<String, Value>,
}

impl TemplateRequest {
    /// As Meta takes it.
    pub(super) fn graph(&self) -> Value {
        // Strings, maps and JSON: this cannot fail, and a null is refused by the rules.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// What of a template changes, with Meta's names; what is absent stays.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplatePatch {
    /// Not of an approved one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    /// `POSITIONAL` or `NAMED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parameter_format: Option<String>,
    /// All components anew, with a sample for each variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    components: Option<Value>,
    /// How long Meta tries to deliver a message of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    message_send_ttl_seconds: Option<Value>,
}

impl TemplatePatch {
    /// As Meta takes it.
    pub(super) fn graph(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            // A struct is an object.
            _ => Map::new(),
        }
    }
}

/// A template as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateStanding {
    /// Its name.
    #[schema(example = "order_update")]
    name: String,
    /// Its language.
    #[schema(example = "en_US")]
    language: String,
    /// Meta's id; null: it was never handed in.
    id: Option<String>,
    /// `DRAFT`, or Meta's word; only `APPROVED` ones are sent.
    #[schema(example = "APPROVED")]
    status: String,
    /// `AUTHENTICATION`, `MARKETING` or `UTILITY`.
    #[schema(example = "UTILITY")]
    category: String,
    /// What customers make of it: `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    #[schema(example = "GREEN")]
    quality: Option<String>,
    /// `POSITIONAL` or `NAMED`.
    parameter_format: String,
    /// As Meta writes them.
    #[schema(value_type = Vec<Object>)]
    components: Value,
    /// How long Meta tries to deliver a message of it; null: as long as is usual for its category.
    send_ttl_seconds: Option<i64>,
    /// Why Meta rejected it.
    rejected_reason: Option<String>,
    /// The category that Meta thinks is right, where it will change it.
    correct_category: Option<String>,
    /// When anything of it changed here.
    #[schema(value_type = String, format = "date-time")]
    changed_at: Timestamp,
}

impl TemplateStanding {
    /// As it stands.
    pub(super) fn of(row: &TemplateRow) -> Self {
        let word = |field: &str| row.body[field].as_str().map(str::to_owned);
        Self {
            name: row.name.clone(),
            language: row.language.clone(),
            id: row.graph_id.clone(),
            status: row.status.clone(),
            category: row.category.clone(),
            quality: row.quality.clone(),
            parameter_format: word("parameter_format")
                .map_or_else(|| "POSITIONAL".to_owned(), |word| word.to_ascii_uppercase()),
            components: row.body["components"].clone(),
            send_ttl_seconds: row.body["message_send_ttl_seconds"].as_i64(),
            rejected_reason: word("rejected_reason").filter(|reason| reason != "NONE"),
            correct_category: word("correct_category"),
            changed_at: row.changed_at,
        }
    }
}

/// A template with its history.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateStory {
    #[serde(flatten)]
    template: TemplateStanding,
    /// What changed about it, oldest first; the newest 200.
    history: Vec<TemplateStepView>,
}

impl TemplateStory {
    /// A template and its steps.
    pub(super) fn of(row: &TemplateRow, steps: Vec<TemplateStep>) -> Self {
        Self { template: TemplateStanding::of(row), history: steps.into_iter().map(Into::into).collect() }
    }
}

/// One change of a template.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TemplateStep)]
pub struct TemplateStepView {
    /// When.
    #[schema(value_type = String, format = "date-time")]
    at: Timestamp,
    /// `status`, `category`, `quality` or `components`.
    #[schema(example = "status")]
    kind: &'static str,
    /// What it was: a word, or the components.
    before: Value,
    /// What it became.
    after: Value,
    /// Why, in Meta's words or ours.
    reason: Option<String>,
}

impl From<TemplateStep> for TemplateStepView {
    fn from(step: TemplateStep) -> Self {
        let value = |text: Option<String>| match (step.kind, text) {
            (_, None) => Value::Null,
            (TemplateStepKind::Components, Some(json)) => serde_json::from_str(&json).unwrap_or_default(),
            (_, Some(word)) => Value::String(word),
        };
        Self {
            at: step.at,
            kind: step.kind.as_str(),
            before: value(step.before),
            after: value(step.after),
            reason: step.reason,
        }
    }
}

/// A page of templates.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplatePage {
    /// What is on it.
    pub(super) items: Vec<TemplateStanding>,
    /// Give it back as `cursor` for the next page; null: this was the last.
    pub(super) next_cursor: Option<String>,
    /// How the last comparison with Meta went; null: there was none yet.
    pub(super) last_sync: Option<LastSync>,
}

/// How the last comparison with Meta went.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastSync {
    /// When it was last tried.
    #[schema(value_type = String, format = "date-time")]
    at: Timestamp,
    /// When it last succeeded: as old is what is shown.
    #[schema(value_type = Option<String>, format = "date-time")]
    succeeded_at: Option<Timestamp>,
    /// Why the last try failed; null: it did not.
    error: Option<ReasonView>,
}

impl From<&TemplateSync> for LastSync {
    fn from(sync: &TemplateSync) -> Self {
        Self { at: sync.at, succeeded_at: sync.succeeded_at, error: sync.error.as_ref().map(Into::into) }
    }
}

/// What a comparison with Meta came to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateSynced {
    /// Templates that Meta lists.
    listed: usize,
    /// Of them, those that were new or differed.
    changed: usize,
    /// Templates that Meta lists no longer: `DELETED` from now on.
    gone: usize,
    /// The same as in the list.
    last_sync: Option<LastSync>,
}

impl TemplateSynced {
    /// What it came to.
    pub(super) fn of(synced: Synced, last_sync: Option<LastSync>) -> Self {
        let Synced { listed, changed, gone } = synced;
        Self { listed, changed, gone, last_sync }
    }
}
