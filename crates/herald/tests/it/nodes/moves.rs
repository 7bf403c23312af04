//! How fast lanes move: at once from a node that stops, within five seconds from one that dies.

use super::{cluster::Cluster, scene::Scene};
use crate::support::until_within;
use herald_rules::time::Timestamp;
use herald_simulators::Call;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// What the lanes of a node that died may wait for their next call. Three seconds are the lease.
const AFTER_DEATH: Duration = Duration::from_secs(5);
/// And those of a node that stopped: at once, on a machine with nothing else to do. A lease that had to run out would take three.
const AFTER_STOP: Duration = Duration::from_millis(1_500);
const CLIENTS: usize = 6;
const EACH: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn lanes_move_at_once_from_a_node_that_stops_and_soon_from_one_that_dies() {
    let scene = Scene::new(Cluster::start(2).await, 1, &["WhatsApp", "SMS", "WhatsApp", "SMS"], "10/s,burst=1").await;
    let traffic = scene.traffic();
    scene.judge().until_even().await;
    let mut clients = traffic.start(CLIENTS, EACH);
    // So that all lanes have more to do than they may.
    until_within(Duration::from_secs(60), "a backlog", async || {
        (traffic.sent().len() > CLIENTS * EACH / 2).then_some(())
    })
    .await;
    busy(&scene).await;

    let moving = owned_by(&scene, 0).await;
    let before = Timestamp::now();
    let began = Instant::now();
    assert!(scene.cluster.nodes[0].lock().await.stop().await.success());
    let took = began.elapsed();
    let pause = longest_pause(&scene, before, &moving).await;
    println!("a node stopped within {} ms; its lanes paused for {} ms at most", took.as_millis(), pause.as_millis());
    assert!(pause < AFTER_STOP, "lanes of a node that stopped waited for {pause:?}");

    scene.cluster.nodes[0].lock().await.restart().await;
    scene.judge().until_even().await;
    busy(&scene).await;
    let moving = owned_by(&scene, 1).await;
    let before = Timestamp::now();
    scene.cluster.nodes[1].lock().await.kill();
    let pause = longest_pause(&scene, before, &moving).await;
    println!("a node was killed; its lanes paused for {} ms at most", pause.as_millis());
    assert!(pause < AFTER_DEATH, "lanes of a node that died waited for {pause:?}");

    scene.cluster.nodes[1].lock().await.restart().await;
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    println!("{}", scene.judge().settle(&traffic.sent()).await);
}

async fn owned_by(scene: &Scene, node: usize) -> BTreeSet<String> {
    let owned = scene.cluster.owned().await.remove(&node).unwrap();
    assert!(owned.len() >= 2, "{owned:?}");
    owned.into_iter().collect()
}

/// Waits until each lane is called for.
async fn busy(scene: &Scene) {
    let since = Timestamp::now();
    until_within(Duration::from_secs(20), "all lanes to be busy", async || {
        let called: BTreeSet<String> = calls_since(scene, since).into_iter().map(|call| call.from).collect();
        (called.len() == scene.lanes.len()).then_some(())
    })
    .await;
}

/// Waits until each of these lanes is called for by its new owner, and says how long the one that waited longest did.
async fn longest_pause(scene: &Scene, since: Timestamp, lanes: &BTreeSet<String>) -> Duration {
    // The first call of a new owner is one after its epoch was written; a lane's longest pause is where it changed hands.
    until_within(Duration::from_secs(20), "all lanes to go on", async || {
        let owned = scene.cluster.owned().await;
        let moved = owned.len() == 1 && owned.values().next().unwrap().len() == scene.lanes.len();
        let now = moved.then(Timestamp::now)?;
        until_within(Duration::from_secs(20), "all lanes to be called for", async || {
            let called: BTreeSet<String> = calls_since(scene, now).into_iter().map(|call| call.from).collect();
            lanes.is_subset(&called).then_some(())
        })
        .await;
        Some(())
    })
    .await;
    let calls = calls_since(scene, since);
    let pause = |lane: &String| {
        let own: Vec<Timestamp> =
            [since].into_iter().chain(calls.iter().filter(|call| call.from == *lane).map(|call| call.at)).collect();
        own.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap_or_default()
    };
    lanes.iter().map(pause).max().unwrap_or_default()
}

fn calls_since(scene: &Scene, since: Timestamp) -> Vec<Call> {
    let mut calls = scene.simulator.calls();
    calls.retain(|call| call.at >= since);
    calls
}
