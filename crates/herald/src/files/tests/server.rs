//! A server of files, good and bad.

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Method, Response, StatusCode, Uri, header},
};
use futures_util::stream;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::task::AbortOnDropHandle;

pub(super) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
pub(super) const SVG: &str = "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>";

#[derive(Clone, Default)]
struct Shared {
    asked: Arc<Mutex<Vec<String>>>,
    release: Arc<Notify>,
}

pub(super) struct Server {
    base: String,
    shared: Shared,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let shared = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, shared, _task: AbortOnDropHandle::new(task) }
    }

    pub(super) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// What was asked for this path, in order: `HEAD`, `GET`, `GET bytes=0-1023`.
    pub(super) fn asked(&self, path: &str) -> Vec<String> {
        let asked = self.shared.asked.lock().unwrap();
        asked.iter().filter_map(|line| Some(line.strip_prefix(path)?.strip_prefix(' ')?.to_owned())).collect()
    }

    /// Lets everybody go on who waits at `/held`.
    pub(super) fn release(&self) {
        self.shared.release.notify_waiters();
    }
}

async fn answer(State(shared): State<Shared>, method: Method, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let path = uri.path().to_owned();
    let range = headers.get(header::RANGE).map(|range| format!(" {}", range.to_str().unwrap())).unwrap_or_default();
    let time = {
        let mut asked = shared.asked.lock().unwrap();
        asked.push(format!("{path} {method}{range}"));
        asked.iter().filter(|line| line.starts_with(&format!("{path} "))).count()
    };
    let (head, of) = (method == Method::HEAD, Response::builder);
    let typed = |name: &str, body: Body| of().header("content-type", name).body(body).unwrap();
    let to = |place: &str| of().status(302).header("location", place).body(Body::empty()).unwrap();
    let status = |code: u16| of().status(code).body(Body::empty()).unwrap();
    let pieces = |count: usize| {
        let pieces = [PNG.to_vec()].into_iter().chain(std::iter::repeat_n(vec![0; 64 * 1024], count));
        Body::from_stream(stream::iter(pieces.map(Ok::<_, std::io::Error>)))
    };
    match path.as_str() {
        "/logo.png" | "/held/after" => typed("image/png", PNG.into()),
        "/logo.svg" => typed("image/svg+xml", SVG.into()),
        "/ranged.png" | "/ranged-unknown.png" if !head && !range.is_empty() => {
            let mut part = PNG.to_vec();
            part.resize(1_024, 0);
            let whole = if path == "/ranged.png" { "5000" } else { "*" };
            of().status(StatusCode::PARTIAL_CONTENT)
                .header("content-type", "image/png")
                .header("content-range", format!("bytes 0-1023/{whole}"))
                .body(part.into())
                .unwrap()
        }
        "/ranged.png" | "/ranged-unknown.png" | "/no-head.png" if head => status(405),
        "/ranged-unknown.png" => typed("image/png", pieces(1)),
        "/no-head.png" => typed("image/png", PNG.into()),
        "/signed.png" if head => status(403),
        "/signed.png" => typed("image/png", PNG.into()),
        "/head-lies.png" if head => typed("text/html", Body::empty()),
        "/head-lies.png" => typed("image/png", PNG.into()),
        "/head-hangs.png" if head => std::future::pending().await,
        "/head-hangs.png" => typed("image/png", PNG.into()),
        "/page" => typed("text/html; charset=utf-8", "<p>Sign in".into()),
        "/page.png" => typed("image/png", "<!DOCTYPE html><title>Sign in".into()),
        "/lies.png" => typed("image/png", "%PDF-1.7".into()),
        "/bare.png" => typed("application/octet-stream", PNG.into()),
        "/untyped" => of().body(PNG.into()).unwrap(),
        "/empty.png" if !range.is_empty() => status(416),
        "/empty.png" => typed("image/png", Body::empty()),
        "/gone" => status(404),
        "/closed" => status(403),
        "/away" => status(503),
        "/busy-once.png" if time <= 2 => status(503),
        "/busy-once.png" => typed("image/png", PNG.into()),
        "/huge.png" => {
            let size = (1_u64 << 30).to_string();
            of().header("content-type", "image/png").header("content-length", size).body(pieces(1 << 14)).unwrap()
        }
        "/endless.png" if head => status(405),
        "/endless.png" => typed("image/png", pieces(1 << 14)),
        "/chunked.png" => typed("image/png", pieces(2)),
        "/breaks.png" if !head => {
            let broken = stream::iter([Ok(PNG.to_vec()), Err(std::io::Error::other("broken"))]);
            of().header("content-type", "image/png").body(Body::from_stream(broken)).unwrap()
        }
        "/slow.png" => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            status(500)
        }
        "/held" => {
            shared.release.notified().await;
            typed("image/png", PNG.into())
        }
        "/loop" => to("/loop"),
        "/nowhere" => status(302),
        "/two" => to("/one"),
        "/one" => to("logo.png"),
        "/three" => to("/two"),
        "/inside" => to("https://10.0.0.1/logo.png"),
        "/metadata" => to("http://169.254.169.254/latest/meta-data/"),
        "/mapped" => to("https://[::ffff:192.168.0.1]/"),
        "/with-password" => to("https://user:word@files.example/"),
        "/ftp" => to("ftp://files.example/logo.png"),
        _ => status(404),
    }
}
