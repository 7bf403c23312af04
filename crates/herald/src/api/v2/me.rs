//! Who a token is.

use super::departments::DepartmentView;
use crate::{
    access::Scope,
    api::{
        problem::{Problem, ProblemBody},
        rights::AnyCaller,
    },
};
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// For whom a token acts, and what it may do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Me)]
pub struct MeView {
    /// For whom it acts.
    department: DepartmentView,
    /// The API user it acts as.
    user: Option<String>,
    /// What it may do.
    scopes: Vec<Scope>,
    /// Whether it is the instance's administrator acting for the department.
    administrator: bool,
}

/// Show for whom this token acts and what it may do
#[utoipa::path(
    get,
    path = "/api/v2/me",
    operation_id = "getMe",
    tag = "access",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "For whom it acts", body = MeView),
        (status = 401, description = "`token_missing`, `token_invalid`", body = ProblemBody<'static>),
    )
)]
pub async fn get(caller: AnyCaller) -> Result<Json<MeView>, Problem> {
    Ok(Json(MeView {
        department: DepartmentView::of(&caller.department),
        user: caller.user.as_deref().map(str::to_owned),
        scopes: caller.scopes.list(),
        administrator: caller.token.is_none(),
    }))
}
