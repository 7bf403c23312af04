//! What a subscription may be asked to be, and the checks of it.

use super::present;
use crate::{
    api::{codes::Code, problem::Problem},
    events::check_headers,
    node::app::App,
    store::{DepartmentRow, EventKind, SubscriptionKind},
};
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};
use utoipa::ToSchema;

/// How long an old signing secret signs beside the new one, unless another time is asked for.
const OVERLAP: Duration = Duration::from_secs(24 * 3600);
/// The longest overlap.
const LONGEST_OVERLAP: u64 = 30 * 24 * 3600;
/// The most headers of a webhook's own.
const MOST_HEADERS: usize = 20;

/// A subscription to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriptionRequest {
    /// `webhook`: events are posted to `url`. `polling`: they wait to be fetched with `getevents?subscription=`.
    #[serde(default = "webhook")]
    pub(super) kind: SubscriptionKind,
    /// For people.
    #[schema(example = "shop back end")]
    pub(super) name: String,
    /// Where to, for webhooks: https on the public internet, or an address in `webhooks.allow_networks`.
    #[serde(default)]
    #[schema(example = "https://shop.example/herald")]
    pub(super) url: Option<String>,
    /// Which events; absent or empty: all.
    #[serde(default)]
    #[schema(example = json!(["NON_TICKET_MESSAGE_STATUS"]))]
    pub(super) events: Vec<String>,
    /// Headers that go with every delivery. Kept sealed; only their names are shown again.
    #[serde(default)]
    #[schema(example = json!({"X-Team": "sales"}))]
    pub(super) headers: BTreeMap<String, String>,
    /// The most events in one delivery; absent: the instance's number (100). 1: each event alone.
    #[serde(default)]
    pub(super) max_batch: Option<u32>,
    /// The API secret that makes the v1.2 signatures; absent: the department's oldest one in force.
    #[serde(default)]
    pub(super) secret_name: Option<String>,
}

fn webhook() -> SubscriptionKind {
    SubscriptionKind::Webhook
}

/// What of a subscription changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriptionPatch {
    /// For people.
    #[serde(default)]
    pub(super) name: Option<String>,
    /// Where to.
    #[serde(default)]
    pub(super) url: Option<String>,
    /// Which events; empty: all.
    #[serde(default)]
    pub(super) events: Option<Vec<String>>,
    /// All headers anew.
    #[serde(default)]
    pub(super) headers: Option<BTreeMap<String, String>>,
    /// The most events in one delivery; null: the instance's number.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>)]
    pub(super) max_batch: Option<Option<u32>>,
    /// The API secret that makes the v1.2 signatures; null: the department's oldest one in force.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(super) secret_name: Option<Option<String>>,
}

/// How a signing secret is exchanged.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RotateRequest {
    /// So many seconds the old secret signs beside the new one: a day, unless said. 0: not at all.
    pub(super) overlap_seconds: Option<u64>,
}

impl RotateRequest {
    /// How long both sign.
    ///
    /// # Errors
    /// When it is longer than 30 days.
    pub(super) fn overlap(&self) -> Result<Duration, Problem> {
        let overlap = self.overlap_seconds.map_or(OVERLAP, Duration::from_secs);
        if overlap.as_secs() > LONGEST_OVERLAP {
            return Err(invalid("overlapSeconds is at most 2592000, which is 30 days.", "/overlapSeconds"));
        }
        Ok(overlap)
    }
}

pub(super) async fn checked_url(app: &App, url: &str) -> Result<String, Problem> {
    let checked = app.events.guard().check_with_look_up(url).await;
    checked.map(String::from).map_err(|error| Problem::new(Code::UrlForbidden, error.to_string()).at("/url"))
}

pub(super) fn events(list: Vec<String>) -> Result<Vec<String>, Problem> {
    for event in &list {
        if !EventKind::NAMES.contains(&event.as_str()) {
            return Err(invalid(
                format!("events may hold {}; empty, it means all.", EventKind::NAMES.join(", ")),
                "/events",
            ));
        }
    }
    Ok(list)
}

pub(super) fn max_batch(most: Option<u32>) -> Result<Option<u32>, Problem> {
    match most {
        Some(0 | 1_001..) => {
            Err(invalid("maxBatch is 1 to 1000; the instance's own limit holds as well.", "/maxBatch"))
        }
        most => Ok(most),
    }
}

pub(super) fn headers(given: BTreeMap<String, String>) -> Result<Vec<(String, String)>, Problem> {
    if given.len() > MOST_HEADERS {
        return Err(invalid(format!("At most {MOST_HEADERS} headers."), "/headers"));
    }
    let given: Vec<_> = given.into_iter().collect();
    match check_headers(&given) {
        Ok(()) => Ok(given),
        Err(name) => {
            let detail =
                format!("The header {name} cannot be sent: it is Herald's own, or not a name and value of HTTP.");
            Err(invalid(detail, "/headers"))
        }
    }
}

pub(super) async fn secret_name(
    app: &App,
    department: DepartmentRow,
    named: Option<String>,
) -> Result<Option<String>, Problem> {
    let Some(named) = named else { return Ok(None) };
    let known = app.store.secrets(department).await?;
    if known.iter().any(|row| row.name == named && row.revoked_at.is_none()) {
        return Ok(Some(named));
    }
    let detail = "No API secret of this name is in force. GET /api/v2/secrets lists them.";
    Err(Problem::new(Code::SecretNotFound, detail).at("/secretName"))
}

pub(super) fn invalid(detail: impl Into<std::borrow::Cow<'static, str>>, pointer: &'static str) -> Problem {
    Problem::new(Code::InvalidValue, detail).at(pointer)
}
