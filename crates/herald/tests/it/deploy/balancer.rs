//! HAProxy with `deploy/haproxy/haproxy.cfg` in front of two nodes: one that stops fails no request, one that is killed fails
//! at most those that it was answering, and no request is made twice.

mod clients;
mod haproxy;

use super::program;
use crate::support::{Ask, Channel, Herald, World, until};
use clients::{CLIENTS, Clients};
use haproxy::{Balancer, Node};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::atomic::Ordering,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_is_taken_out_before_it_is_gone() {
    let Some(haproxy) = program("haproxy") else { return };
    let (mut world, mut second) = twins().await;
    let balancer = Balancer::start(haproxy, &[&world.herald, &second]);
    balancer.until_up(&[true, true, false]).await;
    let clients = Clients::new(&balancer, &world.sales.token);
    let mut running = clients.start();
    let each = |of: &BTreeMap<String, Node>| of["node1"].requests.min(of["node2"].requests);
    balancer.until("both nodes have work", |nodes| each(nodes) >= 50).await;

    // Stopped in order: nobody notices.
    let before = clients.answered();
    assert!(second.stop().await.success());
    clients.until_answered(before + 300).await;
    let nodes = balancer.nodes().await;
    assert_eq!(clients.failures(), Vec::<String>::new(), "{nodes:#?}");
    assert!(!nodes["node2"].up, "{nodes:#?}");
    assert_eq!(nodes["node2"].failed_connections, 0, "it was gone before it was taken out: {nodes:#?}");
    println!("stopped under load: {} requests answered, none failed", clients.answered());

    // Back again, and killed.
    second.restart().await;
    let before = balancer.nodes().await["node2"].requests;
    balancer.until("it has work again", |nodes| nodes["node2"].up && nodes["node2"].requests >= before + 50).await;
    second.kill();
    let before = clients.answered();
    clients.until_answered(before + 300).await;
    let failures = clients.failures();
    println!("killed under load: {} of {} requests failed: {failures:?}", failures.len(), clients.answered());
    assert!(failures.len() <= CLIENTS, "more than were under way: {failures:?}");
    clients.stop.store(true, Ordering::Relaxed);
    while let Some(client) = running.join_next().await {
        client.unwrap();
    }

    // Nobody left.
    assert!(world.herald.stop().await.success());
    balancer.until("both are out", |nodes| nodes.values().all(|node| !node.up)).await;
    let answer = clients.one(&Ask::new(&balancer.base)).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.code()), (503, "store_unavailable"));
    assert_eq!(answer.headers["retry-after"], "2");

    // Each customer was written to once: a request that was repeated would be two messages.
    world.herald.restart().await;
    second.restart().await;
    let answered = clients.customers.lock().unwrap().clone();
    let messages = until("all messages to be sent", || async {
        let mut messages: HashMap<String, BTreeSet<_>> = HashMap::new();
        for call in world.simulator.calls() {
            messages.entry(call.to).or_default().insert(call.client_reference);
        }
        // What the killed node had claimed is looked up first, and may end without a call.
        let missing = answered.iter().filter(|to| !messages.contains_key(*to)).count();
        (missing <= 600 && missing * 20 <= answered.len()).then_some(messages)
    })
    .await;
    let twice: Vec<_> = messages.iter().filter(|(_, ids)| ids.len() > 1).collect();
    assert!(twice.is_empty(), "handed in twice: {twice:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_cannot_use_up_the_calls_of_token_get_for_all() {
    let Some(haproxy) = program("haproxy") else { return };
    let herald = Herald::builder().set("limits.tokens_per_minute", "1000").start().await;
    let balancer = Balancer::start(haproxy, &[&herald]);
    balancer.until_up(&[true, false, false]).await;
    let ask = Ask::new(&balancer.base);
    let body = json!({"apiKey": "0", "apiSecret": "0", "userName": "0"});
    for _ in 0..60 {
        assert_ne!(ask.post("/api/v1.2/token/get", &body).await.status, 429);
    }
    let refused = ask.post("/api/v1.2/token/get", &body).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "too_many_tokens"));
    assert_eq!(refused.headers["retry-after"], "60");
    ask.get("/openapi.json").await.good();
    // What the alert HeraldBalancerFewNodes goes by.
    let metrics = Ask::new(&balancer.inside).text("/metrics").await.unwrap();
    assert!(metrics.contains("haproxy_backend_active_servers{proxy=\"nodes\"} 1"), "{metrics}");
}

/// Two nodes with the same keys and channels, each with a database of its own.
async fn twins() -> (World, Herald) {
    let mut world = World::with(Herald::builder().at_lasting_addresses().start().await).await;
    let fast = json!({"nonTicketMessages": true, "identifiers": [{"identifier": "972550000001", "rate": "2000/s"}]});
    let _: Channel = world.channel_with("WhatsApp", "972550000001", fast).await;
    assert!(world.herald.stop().await.success());
    let second = Herald::builder().at_lasting_addresses();
    copy(&world.herald.folder(), &second.folder());
    // As deploy/herald.toml has it.
    world.herald.restart_with(|builder| builder.set("shutdown.notice", "5 s")).await;
    (world, second.set("shutdown.notice", "5 s").start().await)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        assert!(entry.file_type().unwrap().is_file(), "{entry:?}");
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
