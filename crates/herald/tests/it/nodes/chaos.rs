//! Three nodes, whatever happens to them: `kill -9`, standing still for longer than a lease lasts, out of reach of the
//! database, the database gone and back.
//! `HERALD_SEED` repeats what happens, `HERALD_MESSAGES` says how much is sent.

use super::{
    cluster::Cluster,
    havoc::{Havoc, Measure},
    number,
    scene::{Scene, TEN_ACCOUNTS},
};
use std::time::{Duration, Instant};

const CLIENTS: usize = 10;

/// What happens before it is looked whether clients have handed in everything.
const ROUND: Measure = Measure { kills: 3, freezes: 1, cuts: 1, restarts: 2 };

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_whatever_happens_to_nodes() {
    chaos(messages(1_500), Duration::from_millis(10), 1).await;
}

/// `make chaos`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn nothing_is_lost_or_doubled_in_a_long_run() {
    let lost = chaos(messages(50_000), Duration::from_millis(35), usize::MAX).await;
    assert!(lost > 0, "no node that had stood still or was cut off has lost a lease");
}

fn messages(usual: usize) -> usize {
    number("HERALD_MESSAGES").and_then(|number| number.try_into().ok()).unwrap_or(usual)
}

/// Each client pauses so long after a message. Returns how often a node found that it had lost a lease.
async fn chaos(messages: usize, pause: Duration, rounds: usize) -> usize {
    let seed = number("HERALD_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("HERALD_SEED={seed} HERALD_MESSAGES={messages}");
    let began = Instant::now();
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::new(Cluster::start(3).await, seed, &TEN_ACCOUNTS, "25/s,burst=5").await;
    println!("started after {:.1} s", began.elapsed().as_secs_f64());

    let traffic = scene.traffic().with_pause(pause);
    let mut clients = traffic.start(CLIENTS, messages / CLIENTS);
    for round in 1..=rounds {
        let havoc = Havoc::new(&mut random, scene.cluster.nodes.len(), ROUND);
        print!("round {round}\n{havoc}");
        havoc.strike(&scene.cluster).await;
        println!("struck after {:.1} s, {} accepted by then", began.elapsed().as_secs_f64(), traffic.sent().len());
        if traffic.sent().len() > messages * 9 / 10 {
            break;
        }
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    println!("accepted after {:.1} s; repeated: {:?}", began.elapsed().as_secs_f64(), traffic.repeats());
    let report = scene.judge().settle(&traffic.sent()).await;
    let lost = scene.cluster.logs().await.iter().map(|log| log.matches("node.lease_lost").count()).sum();
    println!("{report}\nleases lost by nodes that came back: {lost}; {:.1} s in all", began.elapsed().as_secs_f64());
    lost
}
