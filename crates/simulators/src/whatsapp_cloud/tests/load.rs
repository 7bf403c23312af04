//! How much the simulator can take: `cargo test --release -p herald-simulators load -- --ignored --nocapture`.

use super::*;
use crate::Mode;
use http_body_util::Full;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddr,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    task::JoinSet,
};

const SENDS: usize = 200_000;
const CONNECTIONS: usize = 64;

/// Time on a processor of the present thread.
fn busy() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// The simulator alone on a thread; returns how long it was busy for all of it.
fn play(callback: String, started: mpsc::Sender<SocketAddr>) -> Duration {
    runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut options = GraphOptions { templates: templates(), journal: Mode::Counting, ..GraphOptions::default() };
        options.behaviour = options.behaviour.unlimited();
        options.behaviour.magic_numbers = false;
        options.accounts[0].callback_url = Some(callback);
        let simulator = GraphSimulator::start(options).await.unwrap();
        let begun = busy();
        started.send(simulator.address).unwrap();
        let all = SENDS as u64;
        let summary = simulator.until(|summary| summary.taken == all && summary.receipts_waiting == 0).await;
        assert_eq!((summary.duplicates, summary.receipts.values().sum::<u64>()), (0, 3 * all));
        busy() - begun
    })
}

async fn load(address: SocketAddr, first: usize) {
    let (mut sender, driver) = handshake(TokioIo::new(TcpStream::connect(address).await.unwrap())).await.unwrap();
    tokio::spawn(driver);
    for number in (first..SENDS).step_by(CONNECTIONS) {
        let words = json!([{"type": "header", "parameters": [{"type": "text", "parameter_name": "clinic", "text": "Example Dental"}]},
            {"type": "body", "parameters": [{"type": "text", "parameter_name": "first_name", "text": "Dana"},
                {"type": "text", "parameter_name": "visit_time", "text": "Tuesday 10:00"}]}]);
        let mut sent = template("visit_reminder", words);
        sent["to"] = json!(format!("+4917{number:08}"));
        sent["biz_opaque_callback_data"] = json!(uuid::Uuid::from_u128(number as u128));
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/v23.0/{NUMBER}/messages"))
            .header("host", "localhost")
            .header("authorization", "Bearer EAAGtoken")
            .body(Full::new(Bytes::from(sent.to_string())));
        sender.ready().await.unwrap();
        let response = sender.send_request(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.unwrap();
    }
}

/// 10,000 sends a second on one core are at most 100 µs of it each, the three statuses of each included.
#[test]
#[ignore = "measures; for a release build on a quiet machine"]
fn ten_thousand_sends_a_second_take_one_core() {
    runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let callback = format!("http://{}/", receiver.local_addr().unwrap());
        tokio::spawn(async move {
            let router = axum::Router::new().route("/", axum::routing::post(|_: Bytes| async {}));
            axum::serve(receiver, router).await.unwrap();
        });
        let (started, address) = mpsc::channel();
        let simulator = thread::spawn(move || play(callback, started));
        let address = tokio::task::spawn_blocking(move || address.recv().unwrap()).await.unwrap();
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for first in 0..CONNECTIONS {
            tasks.spawn(load(address, first));
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let wall = begun.elapsed();
        let busy = tokio::task::spawn_blocking(move || simulator.join().unwrap()).await.unwrap();
        let each = busy / u32::try_from(SENDS).unwrap();
        println!("{SENDS} sends in {wall:?}; the simulator was busy for {busy:?}, {each:?} a send");
        assert!(each < Duration::from_micros(100), "{each:?} a send");
    });
}
