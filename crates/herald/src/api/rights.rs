//! Who calls, and whether they may: decided before anything else of a request is looked at.

use super::{codes::Code, problem::Problem};
use crate::{
    access::{Scope, Scopes, tokens},
    node::{app::App, directory::Department},
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderName, header, request::Parts},
};
use herald_rules::{ids::DepartmentId, time::Timestamp};
use std::{marker::PhantomData, sync::Arc};
use uuid::Uuid;

/// For whom the administrator acts; the query parameter `department` says the same.
pub const DEPARTMENT: HeaderName = HeaderName::from_static("x-herald-department");

/// A scope, as a type, so that it stands in the signature of a handler.
pub trait Needs: Send + Sync + 'static {
    /// Which.
    const SCOPE: Scope;
}

/// The scopes as types.
pub mod needs {
    use super::{Needs, Scope};

    macro_rules! needs {
        ($($name:ident)*) => {$(
            #[doc = concat!("Needs the scope of this name.")]
            #[derive(Clone, Copy, Debug)]
            pub struct $name;
            impl Needs for $name {
                const SCOPE: Scope = Scope::$name;
            }
        )*};
    }

    needs! { Send Messages Channels Lanes Subscriptions Events Access }
}

/// A department's caller whose token has the scope, or the administrator acting for a department.
#[derive(Clone, Debug)]
pub struct Caller<N: Needs> {
    /// For whom everything is done.
    pub department: Arc<Department>,
    /// The API user as whom it is done.
    pub user: Option<Arc<str>>,
    /// The token's id; None for the administrator.
    pub token: Option<Uuid>,
    /// What the token may do; everything for the administrator.
    pub scopes: Scopes,
    needs: PhantomData<N>,
}

/// The administrator of the instance.
#[derive(Clone, Copy, Debug)]
pub struct Admin;

/// Anyone with a token of a department, whatever its scopes.
#[derive(Clone, Debug)]
pub struct AnyCaller {
    /// For whom everything is done.
    pub department: Arc<Department>,
    /// The API user as whom it is done.
    pub user: Option<Arc<str>>,
    /// The token's id; None for the administrator.
    pub token: Option<Uuid>,
    /// What the token may do; everything for the administrator.
    pub scopes: Scopes,
}

impl<N: Needs> FromRequestParts<App> for Caller<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let AnyCaller { department, user, token, scopes } = AnyCaller::from_request_parts(parts, app).await?;
        if !scopes.contain(N::SCOPE) {
            let scope = N::SCOPE.as_str();
            return Err(Problem::new(
                Code::ScopeMissing,
                format!("This token may not do this: it needs the scope `{scope}`. Use or make a token that has it."),
            ));
        }
        Ok(Self { department, user, token, scopes, needs: PhantomData })
    }
}

impl FromRequestParts<App> for AnyCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let hash = tokens::hash(bearer(parts)?);
        if app.access.admin.matches(&hash) {
            let department = chosen_department(parts, app)?;
            return Ok(Self { department, user: None, token: None, scopes: Scopes::EVERYTHING });
        }
        let session = app.access.session(&app.store, hash, Timestamp::now()).await?.ok_or_else(invalid)?;
        // A department is never deleted while it has tokens; if the directory lacks it, the token is no use.
        let department = app.directory.get().department(session.department).cloned().ok_or_else(invalid)?;
        Ok(Self { department, user: session.user.clone(), token: Some(session.id), scopes: session.scopes })
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let hash = tokens::hash(bearer(parts)?);
        if app.access.admin.matches(&hash) {
            return Ok(Self);
        }
        match app.access.session(&app.store, hash, Timestamp::now()).await? {
            Some(_) => Err(Problem::new(
                Code::AdminRequired,
                "This needs the admin token of the instance, which is in the file admin.token in its data folder; a \
                 department's token does not do.",
            )),
            None => Err(invalid()),
        }
    }
}

fn bearer(parts: &Parts) -> Result<&str, Problem> {
    let missing = || {
        Problem::new(
            Code::TokenMissing,
            "The header `Authorization: Bearer TOKEN` is missing. Get a token from POST /api/v1.2/token/get, or make a \
             named one.",
        )
    };
    let value = parts.headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let (scheme, token) = value.to_str().ok().and_then(|value| value.trim().split_once(' ')).ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(missing()) }
}

fn invalid() -> Problem {
    Problem::new(
        Code::TokenInvalid,
        "The token is unknown, has expired or was revoked. Get a new one from POST /api/v1.2/token/get; a token lives 3 \
         hours.",
    )
}

/// The department that the administrator names.
fn chosen_department(parts: &Parts, app: &App) -> Result<Arc<Department>, Problem> {
    let header = parts.headers.get(DEPARTMENT).and_then(|value| value.to_str().ok());
    let query = || {
        let pairs = parts.uri.query()?.split('&');
        pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == "department").map(|(_, value)| value)
    };
    let text = header.or_else(query).ok_or_else(|| {
        Problem::new(
            Code::DepartmentRequired,
            "The admin token belongs to no department. Say for which one to act: ?department=ID, or the header \
             X-Herald-Department.",
        )
    })?;
    let found =
        text.trim().parse::<DepartmentId>().ok().and_then(|id| app.directory.get().department_by_id(id).cloned());
    found.ok_or_else(department_not_found)
}

/// No department of this id.
pub(super) fn department_not_found() -> Problem {
    Problem::new(Code::DepartmentNotFound, "There is no department of this id. GET /api/v2/departments lists them.")
}
