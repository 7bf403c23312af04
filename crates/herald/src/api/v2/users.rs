//! API users of a department: who an action is done as.

use super::name;
use crate::{
    api::{
        body::{Json, Query},
        codes::Code,
        page::{Page, PageQuery},
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    node::app::App,
    store::{StoreError, UserRow},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use herald_rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A user to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRequest {
    /// The address: `userName` of `token/get`.
    #[schema(example = "api@example.com")]
    email: String,
    /// For people.
    #[serde(default)]
    name: Option<String>,
}

/// An API user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub struct UserView {
    /// The address, in lower case.
    email: String,
    /// For people.
    name: String,
    /// Since when.
    #[schema(value_type = String, format = "date-time")]
    created_at: Timestamp,
}

impl From<UserRow> for UserView {
    fn from(row: UserRow) -> Self {
        Self { email: row.email, name: row.name, created_at: row.created_at }
    }
}

/// An e-mail address in lower case. Nothing is ever sent to it, so only its form is looked at.
///
/// # Errors
/// When it is none.
pub(super) fn email(text: &str, pointer: &'static str) -> Result<String, Problem> {
    let email = text.trim().to_lowercase();
    let parts =
        email.split_once('@').filter(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    // 254: the longest address that mail can carry (RFC 5321).
    if parts.is_none() || email.len() > 254 || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Problem::new(Code::InvalidValue, "A user is named by an e-mail address.").at(pointer));
    }
    Ok(email)
}

/// Add an API user
#[utoipa::path(
    post,
    path = "/api/v2/users",
    operation_id = "createUser",
    tag = "access",
    security(("bearer" = ["access"])),
    params(("department" = Option<String>, Query, description = "For the administrator: which department")),
    request_body = UserRequest,
    responses(
        (status = 201, description = "Added", body = UserView),
        (status = 409, description = "`name_taken`", body = ProblemBody<'static>),
    )
)]
pub async fn create(
    app: State<App>,
    caller: Caller<needs::Access>,
    body: Json<UserRequest>,
) -> Result<(StatusCode, axum::Json<UserView>), Problem> {
    let email = email(&body.0.email, "/email")?;
    let name = body.0.name.map(|text| name(&text, "/name")).transpose()?.unwrap_or_default();
    let row = UserRow { email, name, created_at: Timestamp::now() };
    match app.store.add_user(caller.department.row, row.clone()).await {
        Err(StoreError::Conflict(_)) => {
            Err(Problem::new(Code::NameTaken, "The department has a user of this address already.").at("/email"))
        }
        other => Ok(other.map(|()| (StatusCode::CREATED, axum::Json(row.into())))?),
    }
}

/// List the API users
#[utoipa::path(
    get,
    path = "/api/v2/users",
    operation_id = "listUsers",
    tag = "access",
    security(("bearer" = ["access"])),
    params(PageQuery, ("department" = Option<String>, Query, description = "For the administrator: which department")),
    responses((status = 200, description = "By address", body = Page<UserView>))
)]
pub async fn list(
    app: State<App>,
    caller: Caller<needs::Access>,
    page: Query<PageQuery>,
) -> Result<axum::Json<Page<UserView>>, Problem> {
    let after = page.0.after::<String>()?.unwrap_or_default();
    let rows = app.store.users(caller.department.row, after, page.0.rows()).await?;
    Ok(axum::Json(page.0.of_rows(rows, |row| row.email.clone(), Into::into)))
}

/// Remove an API user
///
/// The tokens that act as it end at once.
#[utoipa::path(
    delete,
    path = "/api/v2/users/{email}",
    operation_id = "removeUser",
    tag = "access",
    security(("bearer" = ["access"])),
    params(
        ("email" = String, Path),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "`user_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn remove(app: State<App>, caller: Caller<needs::Access>, path: Path<String>) -> Result<StatusCode, Problem> {
    match app.access.remove_user(&app.store, caller.department.row, &path, Timestamp::now()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::new(
            Code::UserNotFound,
            "The department has no user of this address. GET /api/v2/users lists those there are.",
        )),
    }
}
