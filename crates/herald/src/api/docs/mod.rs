//! The API page at `/docs`: drawn in the browser from `/openapi.json`, with a form to try each operation out.
//!
//! Three small files in the binary, nothing from elsewhere: it works without the internet, and a strict
//! Content-Security-Policy holds. The usual page (`utoipa-swagger-ui` with its files inside) was tried: it brings a ZIP
//! reader with two compressors and 23 s of compile time into every fresh build.

mod problems;

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Redirect},
    routing::get,
};

/// Only this server's own files and calls; no other page may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The pages.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/docs") }))
        .route("/docs", get(|| async { page("text/html; charset=utf-8", include_str!("page.html")) }))
        .route("/docs/page.css", get(|| async { page("text/css; charset=utf-8", include_str!("page.css")) }))
        .route("/docs/page.js", get(|| async { page("text/javascript; charset=utf-8", include_str!("page.js")) }))
        .route("/docs/problems", get(|| async { page("text/html; charset=utf-8", problems::html()) }))
}

fn page(kind: &'static str, content: impl IntoResponse) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // The program may be another one tomorrow.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, content)
}

#[cfg(test)]
mod tests {
    use crate::api::testing::Instance;

    #[tokio::test]
    async fn pages_are_served_whole_and_locked_down() {
        let instance = Instance::new().await;
        for (path, part) in [
            ("/docs", "/docs/page.js"),
            ("/docs/page.js", "openapi.json"),
            ("/docs/page.css", "grid-template-columns"),
            ("/docs/problems", "id=\"from_not_found\""),
        ] {
            let answer = instance.get(path, "").await;
            assert_eq!(answer.status, 200, "{path}");
            assert!(answer.body.as_str().unwrap().contains(part), "{path}");
            let policy = answer.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        }
        let html = instance.get("/docs", "").await.body;
        assert!(!html.as_str().unwrap().contains("://"), "nothing from elsewhere");
        assert_eq!(instance.get("/", "").await.headers["location"], "/docs");
        assert_eq!(instance.get("/openapi.json", "").await.body["openapi"], "3.1.0");
    }
}
