//! The database's primary dies and its synchronous standby takes its place: nothing is lost, and no node is restarted.

use super::{
    cluster::Cluster,
    number,
    scene::{Scene, TEN_ACCOUNTS},
};
use crate::support::until_within;
use herald_postgres_server::{Options, Server};
use herald_rules::time::Timestamp;
use std::time::{Duration, Instant};

const CLIENTS: usize = 10;
/// From the promotion until messages are accepted and sent again.
const BACK_WITHIN: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_standby_takes_the_primarys_place() {
    let messages = number("HERALD_MESSAGES").and_then(|number| number.try_into().ok()).unwrap_or(2_000);
    let primary = Server::start(Options::default()).unwrap();
    primary.database("herald").unwrap();
    let standby = Server::start_standby_of(&primary, Options::default()).unwrap();
    let url = primary.url_with(&standby, "herald");
    let cluster = Cluster::on(primary, vec![url; 3], &["all"; 3]).await;
    let scene = Scene::new(cluster, 1, &TEN_ACCOUNTS, "25/s,burst=5").await;
    let cluster = &scene.cluster;
    let pids = cluster.pids().await;

    let traffic = scene.traffic().with_pause(Duration::from_millis(10));
    let mut clients = traffic.start(CLIENTS, messages / CLIENTS);
    until_within(Duration::from_secs(120), "a third to be accepted", async || {
        (traffic.sent().len() > messages / 3).then_some(())
    })
    .await;
    cluster.server.lock().unwrap().kill().unwrap();
    // What noticed its death and decided takes its time.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let standby = tokio::task::spawn_blocking(move || standby.promote().map(|()| standby)).await.unwrap().unwrap();
    let (promoted, promoted_at, accepted) = (Instant::now(), Timestamp::now(), traffic.sent().len());
    cluster.asks(&standby);
    let what = "messages to be accepted and sent again after the promotion";
    until_within(BACK_WITHIN, what, async || {
        let sends = scene.simulator.calls().last().is_some_and(|call| call.at > promoted_at);
        (sends && traffic.sent().len() > accepted).then_some(())
    })
    .await;
    println!("back at work {} ms after the promotion", promoted.elapsed().as_millis());

    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    println!("repeated: {:?}", traffic.repeats());
    println!("{}", scene.judge().settle(&traffic.sent()).await);
    assert_eq!(cluster.pids().await, pids, "no node was restarted");
    for node in &cluster.nodes {
        assert!(!node.lock().await.has_ended());
    }
}
