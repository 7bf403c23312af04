//! Nodes of different roles, and a limit that holds whoever owns its lane.

use super::{
    cluster::{Cluster, freeze, thaw},
    scene::Scene,
};
use crate::support::until_within;
use herald_simulators::Call;
use std::time::Duration;

/// An empty bucket takes five seconds to be full, so that a change of owner fills none by itself.
const RATE: f64 = 4.0;
const BURST: usize = 20;
const CLIENTS: usize = 4;
/// More than the rate allows in all that happens.
const EACH: usize = 70;
/// The machine may hold up a call on its way, so that it comes together with the next ones: these seconds of calls. A new owner
/// that began with a full bucket would call for twenty too many.
const HELD_UP: f64 = 1.0;
/// Calls after which a new owner has shown what it does.
const SHOWN: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn those_that_answer_work_nothing_and_no_change_of_owner_makes_a_burst() {
    let cluster = Cluster::with_roles(&["api", "worker", "worker"]).await;
    let scene = Scene::new(cluster, 1, &["SMS"], &format!("{RATE}/s,burst={BURST}")).await;
    let cluster = &scene.cluster;
    for worker in &cluster.nodes[1..] {
        let worker = worker.lock().await;
        assert!(worker.base.is_empty() && !worker.folder().join("public.address").exists());
        assert!(worker.inside().get("/readyz").await.status.is_success());
    }
    assert_eq!(cluster.owned().await.into_keys().collect::<Vec<_>>(), [1, 2], "those that work");

    let traffic = scene.traffic();
    // The buckets are empty, and more waits, from the first second on.
    let mut clients = traffic.start(CLIENTS, EACH);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    // Handed over, died, stood still: each time the bucket is as the owner before left it.
    let owner = owner(&scene).await;
    assert!(cluster.nodes[owner].lock().await.stop().await.success());
    goes_on(&scene).await;
    cluster.nodes[owner].lock().await.restart().await;
    let owner = self::owner(&scene).await;
    cluster.nodes[owner].lock().await.kill();
    goes_on(&scene).await;
    cluster.nodes[owner].lock().await.restart().await;
    let owner = self::owner(&scene).await;
    freeze(&*cluster.nodes[owner].lock().await);
    goes_on(&scene).await;
    thaw(&*cluster.nodes[owner].lock().await);

    println!("{}", scene.judge().settle(&traffic.sent()).await);
    for lane in &scene.lanes {
        let calls: Vec<Call> =
            scene.simulator.calls().into_iter().filter(|call| call.from == lane.identifier).collect();
        let most = most_too_many(&calls);
        println!("{}: {} calls, {most:.1} more than the rate allows in the worst window", lane.identifier, calls.len());
        assert!(most <= BURST as f64 + RATE * HELD_UP, "a burst of {most:.1}: {calls:#?}");
    }
}

/// Of all windows: calls in it, without those that the rate brings meanwhile.
fn most_too_many(calls: &[Call]) -> f64 {
    let seconds: Vec<f64> = calls.iter().map(|call| call.at.0 as f64 / 1e6).collect();
    let mut most = 0.0_f64;
    for (first, from) in seconds.iter().enumerate() {
        for (last, to) in seconds.iter().enumerate().skip(first) {
            most = most.max((last - first + 1) as f64 - (to - from) * RATE);
        }
    }
    most
}

/// The node that owns the lanes, once it is known.
async fn owner(scene: &Scene) -> usize {
    until_within(Duration::from_secs(20), "somebody to own the lanes", async || {
        let owned = scene.cluster.owned().await;
        owned.into_iter().find(|(_, lanes)| lanes.len() == scene.lanes.len()).map(|(node, _)| node)
    })
    .await
}

/// Waits until a new owner has called for some.
async fn goes_on(scene: &Scene) {
    let calls = scene.simulator.calls().len();
    until_within(Duration::from_secs(20), "a new owner to go on", async || {
        (scene.simulator.calls().len() > calls + SHOWN).then_some(())
    })
    .await;
}
