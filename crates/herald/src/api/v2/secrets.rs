//! API secrets of a department: several at a time, so that one can be exchanged for another without a pause.

use super::name;
use crate::{
    api::{
        body::{Json, id},
        codes::Code,
        page::Page,
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    node::app::App,
    store::{SecretRow, StoreError},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use herald_rules::time::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A secret to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRequest {
    /// For people; unique among the secrets in force.
    #[schema(example = "2027")]
    name: String,
}

/// A secret that was made. It is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretMade {
    /// Its id.
    id: Uuid,
    /// For people.
    name: String,
    /// When it was made.
    #[schema(value_type = String, format = "date-time")]
    created_at: Timestamp,
    /// The secret itself: `apiSecret` of `token/get`. Keep it; it cannot be shown again.
    secret: String,
}

/// A secret, without itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Secret)]
pub struct SecretView {
    /// Its id.
    id: Uuid,
    /// For people.
    name: String,
    /// When it was made.
    #[schema(value_type = String, format = "date-time")]
    created_at: Timestamp,
    /// Since when it no longer holds; null: it holds.
    #[schema(value_type = Option<String>, format = "date-time")]
    revoked_at: Option<Timestamp>,
}

impl SecretMade {
    /// As answered.
    pub fn of(id: Uuid, name: &str, created_at: Timestamp, secret: &str) -> Self {
        Self { id, name: name.to_owned(), created_at, secret: secret.to_owned() }
    }
}

impl From<SecretRow> for SecretView {
    fn from(row: SecretRow) -> Self {
        Self { id: row.id, name: row.name, created_at: row.created_at, revoked_at: row.revoked_at }
    }
}

/// Make an API secret
///
/// The secrets in force so far go on: exchange them in your programs, then revoke the old one.
#[utoipa::path(
    post,
    path = "/api/v2/secrets",
    operation_id = "createSecret",
    tag = "access",
    security(("bearer" = ["access"])),
    params(("department" = Option<String>, Query, description = "For the administrator: which department")),
    request_body = SecretRequest,
    responses(
        (status = 201, description = "Made", body = SecretMade),
        (status = 409, description = "`name_taken`", body = ProblemBody<'static>),
    )
)]
pub async fn create(
    app: State<App>,
    caller: Caller<needs::Access>,
    body: Json<SecretRequest>,
) -> Result<(StatusCode, axum::Json<SecretMade>), Problem> {
    let (name, now) = (name(&body.0.name, "/name")?, Timestamp::now());
    let (id, secret) = match app.access.add_secret(&app.store, &caller.department, name.clone(), now).await {
        Err(StoreError::Conflict(_)) => {
            let detail = "A secret of this name is in force. Choose another name, or revoke that one first.";
            return Err(Problem::new(Code::NameTaken, detail).at("/name"));
        }
        other => other?,
    };
    app.events.secrets_changed(caller.department.row).await?;
    Ok((StatusCode::CREATED, axum::Json(SecretMade::of(id, &name, now, secret.expose_secret()))))
}

/// List the API secrets
#[utoipa::path(
    get,
    path = "/api/v2/secrets",
    operation_id = "listSecrets",
    tag = "access",
    security(("bearer" = ["access"])),
    params(("department" = Option<String>, Query, description = "For the administrator: which department")),
    responses((status = 200, description = "Newest first, all on one page", body = Page<SecretView>))
)]
pub async fn list(app: State<App>, caller: Caller<needs::Access>) -> Result<axum::Json<Page<SecretView>>, Problem> {
    let rows = app.store.secrets(caller.department.row).await?;
    Ok(axum::Json(Page { items: rows.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// Revoke an API secret
///
/// The tokens that were given for it end with it. The last one in force cannot be revoked: make another first, as
/// webhooks are signed with it.
#[utoipa::path(
    delete,
    path = "/api/v2/secrets/{id}",
    operation_id = "revokeSecret",
    tag = "access",
    security(("bearer" = ["access"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 204, description = "Revoked"),
        (status = 404, description = "`secret_not_found`", body = ProblemBody<'static>),
        (status = 409, description = "`last_secret`", body = ProblemBody<'static>),
    )
)]
pub async fn revoke(app: State<App>, caller: Caller<needs::Access>, path: Path<String>) -> Result<StatusCode, Problem> {
    let missing = || {
        Problem::new(Code::SecretNotFound, "No secret of this id is in force. GET /api/v2/secrets lists what there is.")
    };
    let id: Uuid = id(&path, missing)?;
    let rows = app.store.secrets(caller.department.row).await?;
    let in_force: Vec<_> = rows.iter().filter(|row| row.revoked_at.is_none()).collect();
    if in_force.len() == 1 && in_force.iter().any(|row| row.id == id) {
        return Err(Problem::new(
            Code::LastSecret,
            "This is the last secret in force. Make another first: POST /api/v2/secrets.",
        ));
    }
    let revoked = app.access.revoke_secret(&app.store, &caller.department, id, Timestamp::now()).await?;
    app.events.secrets_changed(caller.department.row).await?;
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}
