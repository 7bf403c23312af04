//! The internal listener: metrics and health, for machines that watch this one.

use super::metrics::Metrics;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Whether this node may be given work; an error is a sentence that says why not.
pub type Ready = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

#[derive(Clone)]
struct Shared {
    metrics: Arc<Metrics>,
    ready: Ready,
}

/// `/metrics`, `/livez` (the process runs and answers) and `/readyz` (`ready` says so).
pub fn router(metrics: Arc<Metrics>, ready: Ready) -> Router {
    Router::new()
        .route("/metrics", get(render))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .with_state(Shared { metrics, ready })
}

async fn render(State(shared): State<Shared>) -> impl IntoResponse {
    let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, form)], shared.metrics.render())
}

async fn readyz(State(shared): State<Shared>) -> (StatusCode, String) {
    match (shared.ready)().await {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(sentence) => (StatusCode::SERVICE_UNAVAILABLE, format!("{sentence}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http::Request};
    use tower::ServiceExt;

    #[tokio::test]
    async fn answers_by_the_state_of_the_node() {
        for (state, status) in [(Ok(()), 200), (Err("Draining.".to_owned()), 503)] {
            let ready: Ready = Arc::new(move || Box::pin(std::future::ready(state.clone())));
            let router = router(Arc::new(Metrics::new()), ready);
            let ask = |path: &'static str| router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
            assert_eq!(ask("/livez").await.unwrap().status(), 200);
            assert_eq!(ask("/metrics").await.unwrap().status(), 200);
            assert_eq!(ask("/readyz").await.unwrap().status(), status);
        }
    }
}
