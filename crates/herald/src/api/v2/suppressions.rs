//! Suppressions: who must not be written to.

use crate::{
    api::{
        body::Query,
        page::{Page, PageQuery},
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    node::app::App,
    store::{Suppression, SuppressionKind, SuppressionPlace},
};
use axum::extract::State;
use herald_rules::{ids::ChannelId, time::Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A customer who must not be written to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Suppression)]
pub struct SuppressionView {
    /// The customer's identifier.
    #[schema(example = "972550000002")]
    customer: String,
    /// On which channel; null: on all of the department.
    #[schema(value_type = Option<String>, format = "uuid")]
    channel_id: Option<ChannelId>,
    /// `all`: everything. `marketing`: marketing alone.
    #[schema(value_type = String, example = "marketing")]
    kind: SuppressionKind,
    /// Who said so: `provider` is the customer, by the provider's own means.
    #[schema(example = "provider")]
    source: String,
    /// Since when.
    #[schema(value_type = String, format = "date-time")]
    at: Timestamp,
}

/// Which suppressions to list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SuppressionsQuery {
    /// Only those of this customer.
    #[param(example = "972550000002")]
    customer: Option<String>,
    /// At most so many: 1 to 500, else 100.
    limit: Option<usize>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// List suppressions, by customer
///
/// A message to a customer who is suppressed is `Rejected` when its turn comes.
#[utoipa::path(
    get,
    path = "/api/v2/suppressions",
    operation_id = "listSuppressions",
    tag = "contacts",
    security(("bearer" = ["messages"])),
    params(SuppressionsQuery, ("department" = Option<String>, Query, description = "For the administrator: which department")),
    responses(
        (status = 200, description = "By customer", body = Page<SuppressionView>),
        (status = 400, description = "`invalid_cursor`", body = ProblemBody<'static>),
    )
)]
pub async fn list(
    app: State<App>,
    caller: Caller<needs::Messages>,
    query: Query<SuppressionsQuery>,
) -> Result<axum::Json<Page<SuppressionView>>, Problem> {
    let SuppressionsQuery { customer, limit, cursor } = query.0;
    let page = PageQuery { limit, cursor };
    let customer = customer.map(|customer| super::messages::normalised(None, &customer));
    let after = page.after::<SuppressionPlace>()?;
    let rows = app.store.suppressions(caller.department.row, customer, after, page.rows()).await?;
    let snapshot = app.directory.get();
    let view = |Suppression { customer, channel, kind, source, at }| {
        let channel_id = channel.and_then(|row| snapshot.channel(row)).map(|channel| channel.id);
        SuppressionView { customer, channel_id, kind, source, at }
    };
    Ok(axum::Json(page.of_rows(rows, |row| row.place().to_string(), view)))
}
