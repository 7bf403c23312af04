//! A small server of files on loopback, as a website's.

use axum::{Router, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use tokio::{net::TcpListener, task::JoinHandle};

/// Serves until it is dropped.
#[derive(Debug)]
pub struct Website {
    base: String,
    server: JoinHandle<()>,
}

impl Website {
    pub async fn start() -> Self {
        let file =
            |kind: &'static str, bytes: &'static [u8]| get(move || async move { ([(CONTENT_TYPE, kind)], bytes) });
        let router = Router::new()
            .route("/logo.png", file("image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"))
            .route("/logo.svg", file("image/svg+xml", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"))
            .route("/paper.pdf", file("application/pdf", b"%PDF-1.7\n"))
            .route("/page.html", file("text/html", b"<!doctype html><title>Our logo</title>"))
            .fallback(|| async { axum::http::StatusCode::NOT_FOUND.into_response() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, server }
    }

    /// The link of a file.
    pub fn link(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }
}

impl Drop for Website {
    fn drop(&mut self) {
        self.server.abort();
    }
}
