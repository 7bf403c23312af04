//! Named tokens: long-lived, for programs of one's own, with as few rights as they need.

use super::name;
use crate::{
    access::{Scope, Scopes, tokens::Grant},
    api::{
        body::{Json, Query, id},
        codes::Code,
        page::{Page, PageQuery},
        problem::{Problem, ProblemBody},
        rights::{AnyCaller, Caller, needs},
    },
    node::app::App,
    store::TokenRow,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use herald_rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedTokenRequest {
    /// For people.
    #[schema(example = "nightly report")]
    name: String,
    /// What it may do: at least one thing, and none that the asking token may not.
    scopes: Vec<Scope>,
    /// Until when it holds; absent: until it is revoked.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "date-time")]
    expires_at: Option<Timestamp>,
}

/// A token that was made. It is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedTokenMade {
    #[serde(flatten)]
    token: TokenView,
    /// To be sent as `Authorization: Bearer TOKEN`. Keep it; it cannot be shown again.
    #[serde(rename = "token")]
    text: String,
}

/// A named token, without itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NamedToken)]
pub struct TokenView {
    /// Its id.
    id: Uuid,
    /// For people.
    name: String,
    /// The API user it acts as.
    user: Option<String>,
    /// What it may do.
    scopes: Vec<Scope>,
    /// When it was made.
    #[schema(value_type = String, format = "date-time")]
    created_at: Timestamp,
    /// Until when it holds; null: until it is revoked.
    #[schema(value_type = Option<String>, format = "date-time")]
    expires_at: Option<Timestamp>,
    /// Since when it no longer holds.
    #[schema(value_type = Option<String>, format = "date-time")]
    revoked_at: Option<Timestamp>,
}

impl From<TokenRow> for TokenView {
    fn from(row: TokenRow) -> Self {
        let TokenRow { id, name, user, scopes, created_at, expires_at, revoked_at } = row;
        Self { id, name, user, scopes: scopes.list(), created_at, expires_at, revoked_at }
    }
}

/// Make a named token
///
/// It holds until it is revoked or expires, and may do only what its scopes say.
#[utoipa::path(
    post,
    path = "/api/v2/tokens",
    operation_id = "createNamedToken",
    tag = "access",
    security(("bearer" = ["access"])),
    params(("department" = Option<String>, Query, description = "For the administrator: which department")),
    request_body = NamedTokenRequest,
    responses(
        (status = 201, description = "Made", body = NamedTokenMade),
        (status = 403, description = "`scope_missing`: the asking token may not do that itself", body = ProblemBody<'static>),
    )
)]
pub async fn create(
    app: State<App>,
    caller: Caller<needs::Access>,
    body: Json<NamedTokenRequest>,
) -> Result<(StatusCode, axum::Json<NamedTokenMade>), Problem> {
    let NamedTokenRequest { name: text, scopes, expires_at } = body.0;
    let (name, now) = (name(&text, "/name")?, Timestamp::now());
    let scopes = allowed(&caller, scopes)?;
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Problem::new(Code::ExpiresAtInvalid, "expiresAt has passed already.").at("/expiresAt"));
    }
    let user = caller.user.as_deref().map(str::to_owned);
    let grant = Grant { name: Some(name.clone()), user: user.clone(), secret: None, scopes, expires_at };
    let (id, text) = app.access.issue(&app.store, caller.department.row, grant, now).await?;
    let token = TokenView { id, name, user, scopes: scopes.list(), created_at: now, expires_at, revoked_at: None };
    Ok((StatusCode::CREATED, axum::Json(NamedTokenMade { token, text })))
}

/// No token makes one that may do more than itself.
fn allowed(caller: &Caller<needs::Access>, wanted: Vec<Scope>) -> Result<Scopes, Problem> {
    let scopes: Scopes = wanted.into_iter().collect();
    if scopes.list().is_empty() {
        return Err(Problem::new(Code::InvalidValue, "A token needs at least one scope.").at("/scopes"));
    }
    if !caller.scopes.include(scopes) {
        let detail =
            "This token may not do all of that itself, so it cannot make a token that may. Ask with one that may.";
        return Err(Problem::new(Code::ScopeMissing, detail).at("/scopes"));
    }
    Ok(scopes)
}

/// List the named tokens
#[utoipa::path(
    get,
    path = "/api/v2/tokens",
    operation_id = "listNamedTokens",
    tag = "access",
    security(("bearer" = ["access"])),
    params(PageQuery, ("department" = Option<String>, Query, description = "For the administrator: which department")),
    responses((status = 200, description = "Newest first", body = Page<TokenView>))
)]
pub async fn list(
    app: State<App>,
    caller: Caller<needs::Access>,
    page: Query<PageQuery>,
) -> Result<axum::Json<Page<TokenView>>, Problem> {
    let before = page.0.after::<Uuid>()?.unwrap_or(Uuid::max());
    let rows = app.store.tokens(caller.department.row, before, page.0.rows()).await?;
    Ok(axum::Json(page.0.of_rows(rows, |row| row.id.to_string(), Into::into)))
}

/// Revoke a named token
#[utoipa::path(
    delete,
    path = "/api/v2/tokens/{id}",
    operation_id = "revokeNamedToken",
    tag = "access",
    security(("bearer" = ["access"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 204, description = "Revoked; it no longer holds from here on"),
        (status = 404, description = "`token_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn revoke(app: State<App>, caller: Caller<needs::Access>, path: Path<String>) -> Result<StatusCode, Problem> {
    let missing = || {
        Problem::new(Code::TokenNotFound, "No token of this id is in force. GET /api/v2/tokens lists what there is.")
    };
    let id: Uuid = id(&path, missing)?;
    let revoked = app.access.revoke(&app.store, caller.department.row, id, Timestamp::now()).await?;
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

/// Revoke the token of this very request
///
/// Works for named tokens and for those of `token/get`.
#[utoipa::path(
    post,
    path = "/api/v2/tokens/revoke-current",
    operation_id = "revokeCurrentToken",
    tag = "access",
    security(("bearer" = [])),
    responses(
        (status = 204, description = "Revoked"),
        (status = 404, description = "`token_not_found`: the admin token is not revoked but replaced", body = ProblemBody<'static>),
    )
)]
pub async fn revoke_current(app: State<App>, caller: AnyCaller) -> Result<StatusCode, Problem> {
    let id = caller.token.ok_or_else(|| {
        Problem::new(
            Code::TokenNotFound,
            "The admin token cannot be revoked here. Remove the file admin.token and start the instance anew: it makes a \
             new one.",
        )
    })?;
    app.access.revoke(&app.store, caller.department.row, id, Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
