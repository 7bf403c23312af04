//! All routes in one list; the list is the API document.

use super::{codes::Code, problem::Problem, v1_2};
use crate::node::app::App;
use axum::{
    Router,
    routing::{get, post},
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// What stands at the head of the document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Herald",
        description = "Send messages over WhatsApp, SMS and Apple Messages for Business, and learn what became of every one \
                       of them.\n\nEvery refusal is `application/problem+json` with a stable `code` and a `message`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    modifiers(&Bearer),
)]
struct Head;

/// How callers prove who they are.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description = "A token of POST /api/v1.2/token/get (3 hours), a named token (until revoked), or the admin token of \
                           the instance.";
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build();
        document.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Head::openapi())
        .routes(routes!(v1_2::token::get))
        .routes(routes!(v1_2::protocols::send))
        .routes(routes!(v1_2::events::get))
        .routes(routes!(v1_2::events::delete))
}

/// The API document: OpenAPI 3.1.
pub fn document() -> utoipa::openapi::OpenApi {
    routes().into_openapi()
}

/// The API, ready to be served.
pub fn router(app: App) -> Router {
    let (router, document) = routes().split_for_parts();
    // Made once: it does not change while the program runs.
    let document: axum::body::Bytes = document.to_json().unwrap_or_default().into();
    router
        .route("/openapi.json", get(move || async move { ([("content-type", "application/json")], document) }))
        .route("/callbacks/{channel}", post(crate::status::callback::receive))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(app)
}

async fn no_route() -> Problem {
    Problem::new(Code::RouteNotFound, "There is nothing at this address. /docs shows all that there is.")
}

async fn no_method() -> Problem {
    Problem::new(
        Code::MethodNotAllowed,
        "This address does not take this method; the header Allow names those it takes. /docs shows all that there is.",
    )
}
