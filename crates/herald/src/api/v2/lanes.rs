//! Lanes: how long each queue is, how fast it goes, and why it waits.

use super::{identifiers::rate, name, present};
use crate::{
    api::{
        body::{Json, Query},
        codes::Code,
        page::{Page, PageQuery},
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    dispatch::Account,
    node::{
        app::App,
        directory::{Lane, Snapshot},
    },
    pace::{StopReport, WaitReport},
    store::{DepartmentRow, LaneChange, LaneRow},
};
use axum::extract::{Path, State};
use herald_rules::{identifier, ids::ChannelId, message::Message, protocol::Protocol, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, fmt, sync::Arc};
use utoipa::ToSchema;

/// A lane's id: what it is, readable. `WhatsApp:972550000001`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LaneId(String);

impl LaneId {
    pub(super) fn of(lane: &Lane) -> Self {
        Self(format!("{}:{}", lane.protocol, lane.identifier))
    }
}

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A lane.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Lane)]
pub struct LaneView {
    /// Its id: protocol and identifier.
    #[schema(value_type = String, example = "WhatsApp:972550000001")]
    id: LaneId,
    /// Whose identifier it is.
    #[schema(value_type = String, format = "uuid")]
    channel_id: ChannelId,
    /// The channel's protocol.
    #[schema(value_type = String, example = "WhatsApp")]
    protocol: Protocol,
    /// What it sends from.
    identifier: String,
    /// For people.
    name: String,
    /// How fast it sends.
    #[schema(example = "80/s")]
    rate: String,
    /// Whether nobody has set it: then it is the provider's, else the configured default of its protocol.
    rate_is_default: bool,
    /// Somebody paused it: what is queued waits.
    paused: bool,
    /// Messages that have not left yet, those for later among them.
    queued: u64,
    /// What it does now; null where no worker has it.
    now: Option<LaneNow>,
}

/// What a lane does now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LaneNow {
    /// Messages at the provider's door.
    pub in_flight: u64,
    /// The rate that holds now, after the provider's throttling.
    #[schema(example = "40/s")]
    pub effective_rate: String,
    /// How often one customer may be written to; absent: the provider has no such limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1/6s,burst=45")]
    pub pair_limit: Option<String>,
    /// Until when the provider lets nobody be written to first; absent: everybody may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "date-time")]
    pub restricted_until: Option<Timestamp>,
    /// The budget of customers a day, shared by all numbers of the business portfolio; absent: the provider has told no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_customers: Option<DailyCustomers>,
    /// Why it does not send more than it does.
    pub waiting: Waiting,
    /// Set while its provider says that nothing can be sent until somebody acts. The queue is kept; a `CHANNEL_ERROR` event has told
    /// of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StopReport>,
}

/// The customers that may be written to first within 24 hours, outside the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DailyCustomers {
    /// How many, as the provider last told.
    #[schema(example = 2_000)]
    pub limit: u32,
    /// How many of them have been.
    #[schema(example = 417)]
    pub counted: u32,
}

/// Why something waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Waiting {
    /// Stable.
    #[schema(example = "rate")]
    pub code: String,
    /// For people.
    #[schema(example = "The rate allows the next at 2026-11-22T12:00:00.100000Z.")]
    pub sentence: String,
    /// Until when, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "date-time")]
    pub until: Option<Timestamp>,
}

/// What of a lane changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LanePatch {
    /// For people.
    #[serde(default)]
    name: Option<String>,
    /// How fast it sends, such as `80/s` or `500/m,burst=50`; null: the configured default of its protocol.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "80/s")]
    rate: Option<Option<String>>,
}

impl LaneView {
    async fn of(app: &App, snapshot: &Snapshot, lane: &Lane, queued: u64) -> Option<Self> {
        let account = app.lanes.accounts().get(lane.channel);
        let default = || match &account {
            Some(account) => app.lanes.rate_of(lane, account).to_string(),
            None => app.config.lanes.default_rate.of(lane.protocol).to_string(),
        };
        Some(Self {
            id: LaneId::of(lane),
            channel_id: snapshot.channel(lane.channel)?.id,
            protocol: lane.protocol,
            identifier: lane.identifier.clone(),
            name: lane.name.clone(),
            rate: lane.rate.clone().unwrap_or_else(default),
            rate_is_default: lane.rate.is_none(),
            paused: lane.paused,
            queued,
            now: now(app, lane.row).await,
        })
    }

    /// As it is in the directory and the store now.
    pub(super) async fn read(app: &App, department: DepartmentRow, lane: LaneRow) -> Result<Self, Problem> {
        let queued = queue_length(app, department, lane).await?;
        let snapshot = Arc::clone(&app.directory.get());
        let lane = snapshot.lane(lane).ok_or_else(not_found)?;
        Self::of(app, &snapshot, lane, queued).await.ok_or_else(not_found)
    }
}

impl LaneView {
    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Why nothing can be sent, where the provider says so.
    pub(super) fn stopped(&self) -> Option<&Waiting> {
        self.now.as_ref().filter(|now| now.stopped.is_some()).map(|now| &now.waiting)
    }

    pub(super) fn queued(&self) -> u64 {
        self.queued
    }

    /// The rate that holds now, else the one that was set.
    pub(super) fn present_rate(&self) -> &str {
        self.now.as_ref().map_or(&self.rate, |now| &now.effective_rate)
    }
}

/// What a lane does now; None where no worker has it.
pub(super) async fn now(app: &App, lane: LaneRow) -> Option<LaneNow> {
    let report = app.lanes.report(lane).await?;
    let account = app.directory.get().lane(lane).and_then(|lane| app.lanes.accounts().get(lane.channel));
    Some(LaneNow {
        in_flight: u64::try_from(report.in_flight).unwrap_or(u64::MAX),
        effective_rate: report.effective_rate,
        pair_limit: report.pair_limit,
        restricted_until: account.as_ref().and_then(|account| account.stops.restricted_until(Timestamp::now())),
        daily_customers: account.as_ref().and_then(|account| daily_customers(account)),
        waiting: report.waiting.into(),
        stopped: report.stopped,
    })
}

fn daily_customers(account: &Account) -> Option<DailyCustomers> {
    let budget = account.daily_budget()?;
    let counted = u32::try_from(budget.counted(Timestamp::now())).unwrap_or(u32::MAX);
    budget.limit().map(|limit| DailyCustomers { limit, counted })
}

/// Why a message's customer waits; None: not for that customer alone.
pub(super) async fn held(app: &App, lane: LaneRow, message: &Message) -> Option<Waiting> {
    let hold = app.lanes.held(lane, &message.to, message.priority).await?;
    Some(WaitReport::held(hold).into())
}

impl From<WaitReport> for Waiting {
    fn from(report: WaitReport) -> Self {
        let WaitReport { code, sentence, until } = report;
        Self { code: code.to_owned(), sentence, until }
    }
}

/// How many messages wait in a lane.
async fn queue_length(app: &App, department: DepartmentRow, lane: LaneRow) -> Result<u64, Problem> {
    let lengths = app.store.queue_lengths(department).await?;
    Ok(lengths.iter().find(|(row, _)| *row == lane).map_or(0, |(_, queued)| *queued))
}

/// List the lanes
#[utoipa::path(
    get,
    path = "/api/v2/lanes",
    operation_id = "listLanes",
    tag = "lanes",
    security(("bearer" = ["lanes"])),
    params(PageQuery, ("department" = Option<String>, Query, description = "For the administrator: which department")),
    responses((status = 200, description = "Oldest first", body = Page<LaneView>))
)]
pub async fn list(
    app: State<App>,
    caller: Caller<needs::Lanes>,
    page: Query<PageQuery>,
) -> Result<axum::Json<Page<LaneView>>, Problem> {
    let lengths: HashMap<_, _> = app.store.queue_lengths(caller.department.row).await?.into_iter().collect();
    let snapshot = Arc::clone(&app.directory.get());
    let lanes = page.0.cut(snapshot.lanes(caller.department.row), |lane| lane.row, |lane| lane)?;
    let mut items = Vec::with_capacity(lanes.items.len());
    for lane in lanes.items {
        let queued = lengths.get(&lane.row).copied().unwrap_or(0);
        items.extend(LaneView::of(&app, &snapshot, &lane, queued).await);
    }
    Ok(axum::Json(Page { items, next_cursor: lanes.next_cursor }))
}

/// Show a lane
#[utoipa::path(
    get,
    path = "/api/v2/lanes/{id}",
    operation_id = "getLane",
    tag = "lanes",
    security(("bearer" = ["lanes"])),
    params(
        ("id" = String, Path, example = "WhatsApp:972550000001"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "The lane", body = LaneView),
        (status = 404, description = "`lane_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn get(
    app: State<App>,
    caller: Caller<needs::Lanes>,
    path: Path<String>,
) -> Result<axum::Json<LaneView>, Problem> {
    let lane = find(&app, caller.department.row, &path)?;
    LaneView::read(&app, caller.department.row, lane).await.map(axum::Json)
}

/// Change a lane
///
/// A new rate holds at once, without a burst.
#[utoipa::path(
    patch,
    path = "/api/v2/lanes/{id}",
    operation_id = "updateLane",
    tag = "lanes",
    security(("bearer" = ["lanes"])),
    params(
        ("id" = String, Path, example = "WhatsApp:972550000001"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    request_body(content = LanePatch, example = json!({"rate": "40/s"})),
    responses(
        (status = 200, description = "As it is now", body = LaneView),
        (status = 400, description = "`rate_invalid`", body = ProblemBody<'static>),
        (status = 404, description = "`lane_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn update(
    app: State<App>,
    caller: Caller<needs::Lanes>,
    path: Path<String>,
    body: Json<LanePatch>,
) -> Result<axum::Json<LaneView>, Problem> {
    let LanePatch { name: text, rate: given } = body.0;
    let rate = match given {
        Some(Some(text)) => Some(Some(rate(&text)?)),
        Some(None) => Some(None),
        None => None,
    };
    let name = text.map(|text| name(&text, "/name")).transpose()?;
    change(&app, caller.department.row, &path, LaneChange { name, rate, paused: None }).await
}

/// Pause a lane
///
/// What is at the provider's door ends; everything else waits. New messages are accepted and queued.
#[utoipa::path(
    post,
    path = "/api/v2/lanes/{id}/pause",
    operation_id = "pauseLane",
    tag = "lanes",
    security(("bearer" = ["lanes"])),
    params(
        ("id" = String, Path, example = "WhatsApp:972550000001"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "As it is now", body = LaneView),
        (status = 404, description = "`lane_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn pause(
    app: State<App>,
    caller: Caller<needs::Lanes>,
    path: Path<String>,
) -> Result<axum::Json<LaneView>, Problem> {
    change(&app, caller.department.row, &path, LaneChange { paused: Some(true), ..LaneChange::default() }).await
}

/// Resume a lane
///
/// Ends a pause, and a stop that its provider has caused: what is queued is tried at once.
#[utoipa::path(
    post,
    path = "/api/v2/lanes/{id}/resume",
    operation_id = "resumeLane",
    tag = "lanes",
    security(("bearer" = ["lanes"])),
    params(
        ("id" = String, Path, example = "WhatsApp:972550000001"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "As it is now", body = LaneView),
        (status = 404, description = "`lane_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn resume(
    app: State<App>,
    caller: Caller<needs::Lanes>,
    path: Path<String>,
) -> Result<axum::Json<LaneView>, Problem> {
    let row = find(&app, caller.department.row, &path)?;
    let lane = app.directory.get().lane(row).cloned().ok_or_else(not_found)?;
    app.lanes.lift_stop(&app.store, &lane).await?;
    change(&app, caller.department.row, &path, LaneChange { paused: Some(false), ..LaneChange::default() }).await
}

async fn change(
    app: &App,
    department: DepartmentRow,
    id: &str,
    change: LaneChange,
) -> Result<axum::Json<LaneView>, Problem> {
    let lane = find(app, department, id)?;
    app.store.change_lane(lane, change).await?;
    app.directory_changed().await?;
    LaneView::read(app, department, lane).await.map(axum::Json)
}

fn find(app: &App, department: DepartmentRow, id: &str) -> Result<LaneRow, Problem> {
    let (protocol, identifier) = id.split_once(':').ok_or_else(not_found)?;
    let protocol: Protocol = protocol.parse().map_err(|()| not_found())?;
    let identifier = identifier::parse_own(protocol, identifier).map_err(|_| not_found())?;
    let snapshot = app.directory.get();
    let lane = snapshot.lane_of(protocol, &identifier).filter(|lane| lane.department == department);
    lane.map(|lane| lane.row).ok_or_else(not_found)
}

fn not_found() -> Problem {
    Problem::new(
        Code::LaneNotFound,
        "This department has no such lane. A lane is named by protocol and identifier, as in WhatsApp:972550000001; GET \
         /api/v2/lanes lists those there are.",
    )
}
