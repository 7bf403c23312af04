//! A website with a few files, for messages that carry links: one picture that WhatsApp takes, and some that it does not.

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};
use tokio::{net::TcpListener, task::AbortHandle};

/// One grey pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\xdach\0\0\0\x82\0\x81\xdaE\x08;\0\0\0\0IEND\xaeB`\x82";
const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>";
const PAGE: &[u8] = b"<!doctype html><title>Our new logo</title><img src=\"/logo.png\" alt=\"\">";

/// Serves until it is dropped.
pub(super) struct Website {
    address: SocketAddr,
    server: AbortHandle,
}

impl Website {
    pub(super) async fn start() -> io::Result<Self> {
        let file =
            |kind: &'static str, bytes: &'static [u8]| get(move || async move { ([(CONTENT_TYPE, kind)], bytes) });
        let router = Router::new()
            .route("/logo.png", file("image/png", PNG))
            .route("/logo.svg", file("image/svg+xml", SVG))
            .route("/logo", file("text/html", PAGE));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, server: server.abort_handle() })
    }

    /// Where its files are.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Website {
    fn drop(&mut self) {
        self.server.abort();
    }
}
