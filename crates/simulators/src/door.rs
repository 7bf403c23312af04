//! The door: accepts connections for a router, and closes one without an answer where that is the answer.

use axum::{Router, body::Body, response::Response};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tower::Service;

/// Marks a response that must not be written: the connection closes instead.
#[derive(Clone, Copy, Debug)]
struct HangUp;

/// Accepts connections until it is stopped.
pub(crate) async fn listen(listener: TcpListener, router: Router, stopped: CancellationToken) {
    let accept = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (router, stopped) = (router.clone(), stopped.clone());
                    tokio::spawn(async move { stopped.run_until_cancelled(serve(stream, router)).await });
                }
                // Out of file descriptors, mostly: the connection waits in the kernel's queue meanwhile.
                Err(error) => {
                    tracing::warn!(%error, "the simulator cannot accept a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    };
    stopped.run_until_cancelled(accept).await;
}

async fn serve(stream: TcpStream, router: Router) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let mut router = router.clone();
        async move {
            // A router never fails.
            let Ok(response) = router.call(request).await;
            if response.extensions().get::<HangUp>().is_some() { Err(HungUp) } else { Ok(response) }
        }
    });
    // An error is the client's going away, or our hanging up.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

#[derive(Debug)]
struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hung up on purpose")
    }
}

impl std::error::Error for HungUp {}

/// Closes the connection instead of answering.
pub(crate) fn hang_up() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}
