//! How fast a backlog is handed over, measured on demand:
//! `cargo test --release -p herald --lib events::tests::speed -- --ignored --nocapture`.

use super::world::{World, quick};
use crate::store::DeliveryState;
use herald_rules::status::Status;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Reads bodies and counts their events; nothing else, so that the sender is what is measured.
async fn count(mut stream: TcpStream, events: Arc<AtomicUsize>) {
    let mut buffer = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let whole = head + length.unwrap_or(0);
        while buffer.len() < whole {
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let body = String::from_utf8_lossy(&buffer[head..whole]);
        events.fetch_add(body.matches("\"_event\"").count(), Ordering::Relaxed);
        buffer.drain(..whole);
        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.is_err() {
            return;
        }
    }
}

fn cpu() -> Duration {
    // Fields 14 and 15 are user and system time in ticks of 10 ms.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u64 = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split(' ')
        .skip(12)
        .take(2)
        .filter_map(|n| n.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn a_backlog_of_a_hundred_thousand() {
    const COUNT: usize = 100_000;
    let world = World::with(quick()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let events = Arc::new(AtomicUsize::new(0));
    let counted = events.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(count(stream, counted.clone()));
        }
    });
    let hook = world.webhook(&url).await;
    let ids = world.messages(COUNT).await;
    let changes: Vec<_> = ids.iter().map(|id| (*id, Status::Accepted)).collect();
    let (started, before) = (Instant::now(), cpu());
    world.change(&changes).await;
    let written = started.elapsed();
    while events.load(Ordering::Relaxed) < COUNT {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (took, used) = (started.elapsed() - written, cpu() - before);
    println!(
        "{COUNT} events: written in {written:?}, handed over in {took:?}: {:.0} a second; {:.1} us of CPU an event, \
         receiver and writing included",
        COUNT as f64 / took.as_secs_f64(),
        used.as_secs_f64() * 1e6 / COUNT as f64
    );
    let taken = world.deliveries(&hook, Some(DeliveryState::Taken)).await.len();
    assert!(taken >= COUNT / 100 - 4, "{taken}");
}
