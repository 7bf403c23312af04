//! `receiver`: a webhook endpoint as a process of its own, which counts what it gets.

mod tally;

pub(crate) use tally::Summary;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    routing::{get, post},
};
use clap::Args;
use herald_rules::time::Timestamp;
use std::{
    io::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tally::Tally;
use tokio::net::TcpListener;

/// Take webhooks, and count them; prints one line of JSON with its address when it listens
///
/// Events are posted to /events. GET /summary tells the counts, DELETE /summary begins anew. Signatures are not checked:
/// that would measure this program.
#[derive(Debug, Args)]
pub(crate) struct Receiver {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

type Shared = Arc<Mutex<Tally>>;

impl Receiver {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind(self.listen).await?;
            let started = serde_json::json!({"address": listener.local_addr()?});
            writeln!(std::io::stdout(), "{started}")?;
            let router = Router::new()
                .route("/events", post(events))
                .route("/summary", get(summary).delete(forget))
                .layer(DefaultBodyLimit::max(16 * 1024 * 1024))
                .with_state(Shared::default());
            axum::serve(axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true))), router)
                .await?;
            Ok(())
        })
    }
}

async fn events(State(tally): State<Shared>, body: Bytes) -> StatusCode {
    match tally.lock().unwrap_or_else(PoisonError::into_inner).take(&body, Timestamp::now()) {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            eprintln!("A webhook that cannot be read: {error}");
            StatusCode::BAD_REQUEST
        }
    }
}

async fn summary(State(tally): State<Shared>) -> axum::Json<Summary> {
    axum::Json(tally.lock().unwrap_or_else(PoisonError::into_inner).summary())
}

async fn forget(State(tally): State<Shared>) -> StatusCode {
    *tally.lock().unwrap_or_else(PoisonError::into_inner) = Tally::default();
    StatusCode::NO_CONTENT
}
