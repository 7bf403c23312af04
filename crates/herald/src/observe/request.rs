//! Every request gets an id, and is counted when it is answered.

use super::metrics::{HttpLabels, Metrics};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, header::HeaderName},
    middleware::Next,
    response::Response,
};
use std::{sync::Arc, time::Instant};
use tracing::Instrument;

/// Sent by the client, or made by us; always in the answer, and in the log lines of the request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, among its extensions.
#[derive(Clone, Debug)]
pub struct RequestId(pub HeaderValue);

impl RequestId {
    /// As text.
    pub fn as_str(&self) -> &str {
        // Only visible ASCII gets in: `of` checks it, and a UUID is.
        self.0.to_str().unwrap_or_default()
    }

    /// The client's id if it is fit for a log, else a new one.
    fn of(request: &Request) -> Self {
        let fit = |value: &&HeaderValue| {
            (1..=64).contains(&value.len())
                && value.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
        };
        let given = request.headers().get(&REQUEST_ID).filter(fit).cloned();
        Self(given.unwrap_or_else(|| {
            let id = uuid::Uuid::now_v7().hyphenated().to_string();
            // A UUID is visible ASCII; if it were not, an empty id is better than no answer.
            HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static(""))
        }))
    }
}

/// The layer of both listeners: `axum::middleware::from_fn_with_state(metrics, observe::request::layer)`, put on the
/// router with `route_layer` for known routes, so that the label `route` stays bounded.
pub async fn layer(State(metrics): State<Arc<Metrics>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::of(&request);
    let method = method(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    request.extensions_mut().insert(id.clone());
    // On debug, so that it costs nothing at the usual level: 20,000 requests a second would pay for it.
    let span = tracing::debug_span!("request", id = id.as_str(), method, route);
    let mut response = next.run(request).instrument(span).await;
    let labels = HttpLabels { method, route, status: response.status().as_u16() };
    let seconds = started.elapsed().as_secs_f64();
    metrics.answered(&labels, seconds);
    if response.status().is_server_error() {
        tracing::error!(request = id.as_str(), method, route = labels.route, status = labels.status, "request failed");
    }
    response.headers_mut().insert(REQUEST_ID, id.0);
    response
}

/// A client may write any method; the label must stay bounded.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, routing::get};
    use tower::ServiceExt;

    async fn ask(id: Option<&str>) -> (String, String) {
        let metrics = Arc::new(Metrics::new());
        let layer = axum::middleware::from_fn_with_state(metrics.clone(), layer);
        let router = Router::new().route("/things/{id}", get(|| async { "" })).layer(layer);
        let mut request = Request::builder().uri("/things/7");
        if let Some(id) = id {
            request = request.header(REQUEST_ID, id);
        }
        let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        (answer.headers()[REQUEST_ID].to_str().unwrap().to_owned(), metrics.render())
    }

    #[tokio::test]
    async fn ids_are_kept_or_made_and_routes_counted() {
        let (id, metrics) = ask(Some("order-17")).await;
        assert_eq!(id, "order-17");
        assert!(metrics.contains("herald_http_requests_total{method=\"GET\",route=\"/things/{id}\",status=\"200\"} 1"));
        for unfit in ["a b", "x\"y", &"9".repeat(65)] {
            let (id, _) = ask(Some(unfit)).await;
            assert_eq!(id.len(), 36, "{id}");
        }
        assert_ne!(ask(None).await.0, ask(None).await.0);
    }
}
