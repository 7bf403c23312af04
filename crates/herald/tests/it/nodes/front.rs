//! What stands before the nodes, as a load balancer does: hands requests and callbacks to each in turn, and to the next
//! where one does not answer.

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use herald_channels::http::{Answer, Client, Limits};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A node that is frozen keeps its connections open and says nothing.
pub const ANSWERS_WITHIN: Duration = Duration::from_secs(3);
const BODY: usize = 4 * 1024 * 1024;

/// Listens until it is dropped.
pub struct Front {
    /// Where.
    pub base: String,
    /// The nodes behind it.
    pub behind: Arc<[String]>,
    server: JoinHandle<()>,
}

struct Shared {
    behind: Arc<[String]>,
    client: Client,
    turn: AtomicUsize,
}

impl Front {
    pub async fn start(behind: Vec<String>) -> Self {
        let behind: Arc<[String]> = behind.into();
        let client = Client::new(Limits { body: BODY, ..Limits::default() }).unwrap();
        let shared = Arc::new(Shared { behind: behind.clone(), client, turn: AtomicUsize::new(0) });
        let router = Router::new().fallback(pass).with_state(shared);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, behind, server }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY).await else { return StatusCode::BAD_REQUEST.into_response() };
    let mut headers = head.headers;
    for own in [header::HOST, header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        headers.remove(own);
    }
    let first = shared.turn.fetch_add(1, Ordering::Relaxed);
    for try_at in 0..shared.behind.len() {
        let base = &shared.behind[(first + try_at) % shared.behind.len()];
        let mut request = reqwest::Request::new(head.method.clone(), format!("{base}{}", head.uri).parse().unwrap());
        *request.headers_mut() = headers.clone();
        *request.body_mut() = Some(body.clone().into());
        *request.timeout_mut() = Some(ANSWERS_WITHIN);
        match shared.client.execute(request).await {
            Ok(answer) if answer.status != StatusCode::SERVICE_UNAVAILABLE => return handed_back(answer),
            _ => {}
        }
    }
    StatusCode::BAD_GATEWAY.into_response()
}

fn handed_back(answer: Answer) -> Response {
    let Answer { status, headers, body } = answer;
    let mut response: Response = (status, body).into_response();
    let kept: HeaderMap = headers
        .into_iter()
        .filter_map(|(name, value)| Some((name?, value)))
        .filter(|(name, _)| *name != header::CONNECTION && *name != header::TRANSFER_ENCODING)
        .collect();
    *response.headers_mut() = kept;
    response
}
