//! All routes in one list; the list is the API document.

use super::{
    codes::Code,
    docs,
    problem::Problem,
    v1_2,
    v2::{
        channel_check, channels, contacts, deliveries, departments, identifiers, lanes, me, messages, preview, secrets,
        subscriptions, suppressions, templates, tokens, users,
    },
};
use crate::{inbound::callback, node::app::App};
use axum::{Router, routing::get};
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
        .routes(routes!(messages::create, messages::list))
        .routes(routes!(messages::get))
        .routes(routes!(messages::cancel))
        .routes(routes!(preview::preview))
        .routes(routes!(contacts::list))
        .routes(routes!(contacts::get))
        .routes(routes!(contacts::set))
        .routes(routes!(suppressions::list))
        .routes(routes!(channels::create, channels::list))
        .routes(routes!(channels::get, channels::update))
        .routes(routes!(channel_check::check))
        .routes(routes!(templates::create, templates::list))
        .routes(routes!(templates::sync))
        .routes(routes!(templates::get, templates::update, templates::delete))
        .routes(routes!(templates::submit))
        .routes(routes!(templates::unpause))
        .routes(routes!(subscriptions::create, subscriptions::list))
        .routes(routes!(subscriptions::get, subscriptions::update, subscriptions::delete))
        .routes(routes!(subscriptions::pause))
        .routes(routes!(subscriptions::resume))
        .routes(routes!(subscriptions::rotate))
        .routes(routes!(subscriptions::test))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::replay_span))
        .routes(routes!(deliveries::get))
        .routes(routes!(deliveries::replay))
        .routes(routes!(identifiers::create))
        .routes(routes!(lanes::list))
        .routes(routes!(lanes::get, lanes::update))
        .routes(routes!(lanes::pause))
        .routes(routes!(lanes::resume))
        .routes(routes!(departments::create, departments::list))
        .routes(routes!(departments::get, departments::update))
        .routes(routes!(secrets::create, secrets::list))
        .routes(routes!(secrets::revoke))
        .routes(routes!(users::create, users::list))
        .routes(routes!(users::remove))
        .routes(routes!(tokens::create, tokens::list))
        .routes(routes!(tokens::revoke))
        .routes(routes!(tokens::revoke_current))
        .routes(routes!(me::get))
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
        .route("/callbacks/{channel}", get(callback::handshake).post(callback::receive))
        .merge(docs::routes())
        .route_layer(axum::middleware::from_fn_with_state(app.metrics.clone(), crate::observe::request::layer))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Whoever changes the API sees what changes for its clients.
    #[test]
    fn the_document_in_the_repository_is_this_one() {
        let kept = include_str!("../../../../openapi.json");
        let made = document().to_pretty_json().unwrap();
        assert!(
            kept.trim() == made,
            "openapi.json is not what the routes say: run `cargo xtask openapi` and look at it"
        );
    }

    #[test]
    fn every_operation_has_its_text_its_tag_and_a_name_of_its_own() {
        let document = serde_json::to_value(document()).unwrap();
        let mut names = HashSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let named = |field: &str| operation[field].as_str().is_some_and(|text| !text.is_empty());
                assert!(named("summary") && operation["tags"][0].is_string(), "{method} {path}");
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name} is the name of two operations");
            }
        }
    }

    /// A reference to nothing breaks clients that are made from the document.
    #[test]
    fn every_reference_leads_somewhere() {
        let text = document().to_json().unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        for reference in text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }
}
