//! The bearer token of v1.2.

use crate::{
    access::{secrets::Refused, tokens},
    api::{
        body::Json,
        codes::Code,
        problem::{Problem, ProblemBody, whole_seconds},
    },
    node::app::App,
};
use axum::{
    extract::{ConnectInfo, FromRequestParts, State},
    http::request::Parts,
};
use herald_rules::{ids::DepartmentId, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};
use utoipa::ToSchema;

/// What a token is given for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenRequest {
    /// The department's id.
    #[serde(default, alias = "ApiKey")]
    #[schema(format = "uuid")]
    api_key: String,
    /// One of the department's API secrets.
    #[serde(default, alias = "ApiSecret")]
    #[schema(format = "password")]
    api_secret: String,
    /// The e-mail address of an API user of the department: what is done with the token is done as this user.
    #[serde(default, alias = "UserName")]
    #[schema(example = "api@example.com")]
    user_name: String,
}

/// A bearer token.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenAnswer {
    /// To be sent as `Authorization: Bearer TOKEN`.
    access_token: String,
    /// Always `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Seconds from now: 10,800.
    #[schema(example = 10800)]
    expires_in: u64,
}

/// The client's address, where the listener knows it.
pub struct ClientAddress(Option<IpAddr>);

impl FromRequestParts<App> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())))
    }
}

/// Get a token for a key, a secret and a user
///
/// It lives 3 hours. Keep it and use it for all requests; this call is throttled.
#[utoipa::path(
    post,
    path = "/api/v1.2/token/get",
    operation_id = "getToken",
    tag = "v1.2",
    request_body = TokenRequest,
    responses(
        (status = 200, description = "The token", body = TokenAnswer),
        (status = 400, description = "`malformed_json`, `invalid_body`", body = ProblemBody<'static>),
        (status = 401, description = "`invalid_credentials`, `unknown_user`", body = ProblemBody<'static>),
        (status = 429, description = "`too_many_tokens`, with `Retry-After`", body = ProblemBody<'static>),
    )
)]
pub async fn get(
    app: State<App>,
    client: ClientAddress,
    body: Json<TokenRequest>,
) -> Result<axum::Json<TokenAnswer>, Problem> {
    let request = body.0;
    let id = request.api_key.trim().parse::<DepartmentId>().ok();
    let known = || id.and_then(|id| app.directory.get().department_by_id(id).cloned());
    let department = match known() {
        None if id.is_some() && app.catch_up().await => known(),
        known => known,
    };
    let (secret, user) = (request.api_secret.trim(), request.user_name.as_str());
    let exchanged =
        app.access.exchange(&app.store, department.as_deref(), secret, user, client.0, Timestamp::now()).await;
    let access_token = exchanged.map_err(refused)?;
    Ok(axum::Json(TokenAnswer { access_token, token_type: "bearer", expires_in: tokens::LIFE.as_secs() }))
}

fn refused(refused: Refused) -> Problem {
    match refused {
        Refused::Credentials => Problem::new(
            Code::InvalidCredentials,
            "The API key or the API secret is wrong, or the secret was revoked. The key is the department's id; an \
             administrator can make a new secret.",
        ),
        Refused::User => Problem::new(
            Code::UnknownUser,
            "userName is not an API user of this department. An administrator can add it: POST /api/v2/users.",
        )
        .at("/userName"),
        Refused::Throttled(wait) => Problem::new(
            Code::TooManyTokens,
            format!(
                "Too many calls of token/get. A token lives 3 hours: keep it. Go on in {} s; the header Retry-After says \
                 so too.",
                whole_seconds(wait)
            ),
        )
        .retry_after(wait),
        Refused::Store(error) => error.into(),
    }
}
