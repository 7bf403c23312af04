//! Departments: for the administrator.

use super::{name, secrets::SecretMade};
use crate::{
    api::{
        body::{Json, Query, id},
        page::{Page, PageQuery},
        problem::{Problem, ProblemBody},
        rights::{Admin, department_not_found},
    },
    node::{
        app::App,
        directory::{Department, DepartmentSettings},
    },
    store::{NewDepartment, UserRow},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use herald_rules::{ids::DepartmentId, time::Timestamp};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A department to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DepartmentRequest {
    /// For people.
    #[schema(example = "Sales")]
    name: String,
    /// The e-mail address of its first API user.
    #[serde(default)]
    #[schema(example = "api@example.com")]
    user: Option<String>,
    /// What it sets otherwise than the configuration.
    #[serde(default)]
    settings: DepartmentSettings,
}

/// What of a department changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DepartmentPatch {
    /// For people.
    #[serde(default)]
    name: Option<String>,
    /// All settings anew.
    #[serde(default)]
    settings: Option<DepartmentSettings>,
}

/// A department.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Department)]
pub struct DepartmentView {
    /// Its id, which is also its API key.
    #[schema(value_type = String, format = "uuid")]
    id: DepartmentId,
    /// For people.
    name: String,
    /// What it sets otherwise than the configuration.
    settings: DepartmentSettings,
}

/// A department that was made, with its keys: they are shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DepartmentMade {
    #[serde(flatten)]
    department: DepartmentView,
    /// The key of `token/get`: the department's id.
    #[schema(value_type = String, format = "uuid")]
    api_key: DepartmentId,
    /// Its first API secret.
    secret: SecretMade,
    /// Its first API user.
    user: Option<String>,
}

impl DepartmentView {
    /// As answered.
    pub fn of(department: &Department) -> Self {
        Self { id: department.id, name: department.name.clone(), settings: department.settings.clone() }
    }
}

/// Make a department
///
/// The answer holds its API key and its first API secret. The secret is shown this once.
#[utoipa::path(
    post,
    path = "/api/v2/departments",
    operation_id = "createDepartment",
    tag = "departments",
    security(("bearer" = [])),
    request_body = DepartmentRequest,
    responses(
        (status = 201, description = "Made", body = DepartmentMade),
        (status = 400, description = "`invalid_body`, `invalid_value`", body = ProblemBody<'static>),
        (status = 401, description = "`token_missing`, `token_invalid`", body = ProblemBody<'static>),
        (status = 403, description = "`admin_required`", body = ProblemBody<'static>),
    )
)]
pub async fn create(
    app: State<App>,
    _admin: Admin,
    body: Json<DepartmentRequest>,
) -> Result<(StatusCode, axum::Json<DepartmentMade>), Problem> {
    let request = body.0;
    let now = Timestamp::now();
    let (id, name) = (DepartmentId::new(), name(&request.name, "/name")?);
    let user = request.user.as_deref().map(|user| super::users::email(user, "/user")).transpose()?;
    let secret = app.access.new_secret(id, "first".to_owned(), now);
    let made = SecretMade::of(secret.row.id, "first", now, secret.text.expose_secret());
    let settings = request.settings;
    let row = user.clone().map(|email| UserRow { email, name: String::new(), created_at: now });
    let department = DepartmentView { id, name: name.clone(), settings: settings.clone() };
    let new = NewDepartment { id, name, settings, secret: secret.row, user: row, created_at: now };
    app.store.add_department(new).await?;
    app.directory_changed().await?;
    Ok((StatusCode::CREATED, axum::Json(DepartmentMade { department, api_key: id, secret: made, user })))
}

/// List the departments
#[utoipa::path(
    get,
    path = "/api/v2/departments",
    operation_id = "listDepartments",
    tag = "departments",
    security(("bearer" = [])),
    params(PageQuery),
    responses(
        (status = 200, description = "Oldest first", body = Page<DepartmentView>),
        (status = 403, description = "`admin_required`", body = ProblemBody<'static>),
    )
)]
pub async fn list(
    app: State<App>,
    _admin: Admin,
    page: Query<PageQuery>,
) -> Result<axum::Json<Page<DepartmentView>>, Problem> {
    let mut all: Vec<_> = app.directory.get().departments().cloned().collect();
    all.sort_by_key(|department| department.row);
    page.0.cut(all, |department| department.row, |department| DepartmentView::of(&department)).map(axum::Json)
}

/// Show a department
#[utoipa::path(
    get,
    path = "/api/v2/departments/{id}",
    operation_id = "getDepartment",
    tag = "departments",
    security(("bearer" = [])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The department", body = DepartmentView),
        (status = 404, description = "`department_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn get(app: State<App>, _admin: Admin, path: Path<String>) -> Result<axum::Json<DepartmentView>, Problem> {
    Ok(axum::Json(DepartmentView::of(find(&app, &path)?.as_ref())))
}

/// Change a department
#[utoipa::path(
    patch,
    path = "/api/v2/departments/{id}",
    operation_id = "updateDepartment",
    tag = "departments",
    security(("bearer" = [])),
    params(("id" = String, Path, format = "uuid")),
    request_body = DepartmentPatch,
    responses(
        (status = 200, description = "As it is now", body = DepartmentView),
        (status = 404, description = "`department_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn update(
    app: State<App>,
    _admin: Admin,
    path: Path<String>,
    body: Json<DepartmentPatch>,
) -> Result<axum::Json<DepartmentView>, Problem> {
    let department = find(&app, &path)?;
    let DepartmentPatch { name: new_name, settings } = body.0;
    let new_name = new_name.map(|text| name(&text, "/name")).transpose()?;
    app.store.change_department(department.row, new_name, settings).await?;
    app.directory_changed().await?;
    Ok(axum::Json(DepartmentView::of(find(&app, &path)?.as_ref())))
}

fn find(app: &App, text: &str) -> Result<Arc<Department>, Problem> {
    let id = id::<DepartmentId>(text, department_not_found)?;
    app.directory.get().department_by_id(id).cloned().ok_or_else(department_not_found)
}
