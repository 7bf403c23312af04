//! Herald ends at each of its crash points in turn, as by a power cut, under load; after the next start nothing is
//! missing, nothing was sent twice, and every change was told once.

use crate::support::{Channel, Department, Herald, Ledger, Load, Receiver, World, until_within};
use herald::node::crash;
use herald_simulators::Behaviours;
use serde_json::{Value, json};
use std::{collections::HashMap, time::Duration};
use tokio::task::JoinHandle;

/// Messages of one point's load.
const CLIENTS: usize = 3;
const EACH: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn taking_messages() {
    at_each_point_of(&["accept", "commit", "cancel", "due"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_messages() {
    at_each_point_of(&["claim", "call", "record", "receipt", "drain"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn finding_out_outcomes() {
    at_each_point_of(&["recover", "look_up", "resolve"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telling_subscribers() {
    at_each_point_of(&["freeze", "delivery", "delivered", "poll", "poll_delete"]).await;
}

#[test]
fn no_step_is_left_out() {
    let source = include_str!("crash_points.rs");
    for step in crash::STEPS {
        assert!(source.contains(&format!("\"{step}\"")), "{step} is in no table");
    }
}

/// Each step has a world of its own, so that one waits while another works.
async fn at_each_point_of(steps: &[&str]) {
    futures_util::future::join_all(steps.iter().map(|step| at_the_points_of(step))).await;
}

async fn at_the_points_of(step: &str) {
    let herald = Herald::builder().at_lasting_addresses().set("events.visibility", "1 s").start().await;
    let mut world = World::with(herald).await;
    world.simulator.change(|all| unpunctual(all, matches!(step, "look_up" | "resolve"))).unwrap();
    let soon = json!({"nonTicketMessages": true, "settings": {"reconcileSeconds": 1}});
    let mut resending = soon.clone();
    resending["settings"]["onUnknownOutcome"] = json!("resend");
    let channels = [
        world.channel_with("WhatsApp", "972550000001", soon.clone()).await,
        world.channel_with("SMS", "972550000001", soon).await,
        world.channel_with("AppleBusinessChat", "shop-1", resending).await,
    ];
    let receiver = Receiver::start().await;
    world.sales.subscribe(&receiver.url).await;
    let poller = Poller::start(&world.sales);
    // A start recovers three lanes, and a load cancels three messages: no step is reached less often.
    let again = if step.len().is_multiple_of(2) { ("before", 3) } else { ("after", 2) };
    for (side, nth) in [("before", 1), ("after", 1), again] {
        let point = format!("{step}.{side}:{nth}");
        let began = std::time::Instant::now();
        let load = crash_at(&mut world, &channels, &point).await;
        let ledger = Ledger {
            department: &world.sales,
            simulator: &world.simulator,
            receiver: &receiver,
            resending: &["AppleBusinessChat"],
        };
        let report = ledger.settle(&load.sent()).await;
        poller.judge(&world.sales, &load).await;
        let (repeats, seconds) = (load.repeats(), began.elapsed().as_secs_f32());
        println!("{point}: {report}; {repeats} requests repeated; {seconds:.1} s");
    }
}

/// Receipts early, twice and in the wrong order; where it is asked for, answers are lost.
fn unpunctual(all: &mut Behaviours, loses_answers: bool) {
    for behaviour in [&mut all.WhatsApp, &mut all.SMS, &mut all.AppleBusinessChat] {
        behaviour.answers.latency_ms = 5;
        behaviour.answers.jitter_ms = 20;
        behaviour.answers.permanent_share = 0.03;
        if loses_answers {
            behaviour.answers.dropped_before_share = 0.05;
            behaviour.answers.dropped_after_share = 0.05;
        }
        behaviour.receipts.duplicated_share = 0.2;
        behaviour.receipts.out_of_order_share = 0.2;
        behaviour.receipts.early_share = 0.1;
        behaviour.receipts.read_delay_ms = 20;
    }
}

/// Runs a load through a crash at this point.
async fn crash_at(world: &mut World, channels: &[Channel], point: &str) -> Load {
    let load = Load::new(&world.sales, channels, point);
    let mut clients = load.start(CLIENTS, EACH);
    let wish = |builder: crate::support::Builder| builder.env("HERALD_CRASH_AT", point);
    if point.starts_with("recover") {
        // There has to be something to recover: what was claimed when it was killed.
        world.simulator.until(|summary| summary.calls > 0).await;
    }
    let mut lived = world.herald.tries_to_restart_with(wish).await;
    if lived {
        let herald = std::cell::RefCell::new(&mut world.herald);
        lived = !until_within(Duration::from_secs(20), &format!("{point} to be reached"), || {
            let ended = herald.borrow_mut().has_ended();
            async move { ended.then_some(ended) }
        })
        .await;
    }
    assert!(!lived);
    let status = world.herald.ended().await;
    assert!(!status.success(), "{point}: {status}");
    world.herald.restart_with(|builder| builder.without_env("HERALD_CRASH_AT")).await;
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    load
}

/// A program that polls: reads, keeps, deletes by handle.
struct Poller {
    seen: std::sync::Arc<std::sync::Mutex<Seen>>,
    running: JoinHandle<()>,
}

/// Events by `queueMessageId`, and those ids in the order in which they first came.
#[derive(Default)]
struct Seen {
    events: HashMap<String, Value>,
    order: Vec<String>,
}

impl Poller {
    fn start(department: &Department) -> Self {
        let seen = std::sync::Arc::<std::sync::Mutex<Seen>>::default();
        let (ask, kept) = (department.ask(), seen.clone());
        let running = tokio::spawn(async move {
            loop {
                let path = "/api/v1.2/webhooks/getevents?deleteEvents=false";
                let answer = ask.try_ask(http::Method::GET, path, None).await;
                let events = answer.ok().and_then(|answer| answer.body.as_array().cloned()).unwrap_or_default();
                for event in &events {
                    let mut seen = kept.lock().unwrap();
                    let id = event["queueMessageId"].as_str().unwrap().to_owned();
                    let message = crate::support::event_message(event).clone();
                    if let Some(before) = seen.events.insert(id.clone(), message.clone()) {
                        assert_eq!(before, message, "{id} came again with other words");
                    } else {
                        seen.order.push(id);
                    }
                }
                if events.is_empty() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                } else {
                    let path = "/api/v1.2/webhooks/deleteevents";
                    let _ = ask.try_ask(http::Method::POST, path, Some(&json!(events))).await;
                }
            }
        });
        Self { seen, running }
    }

    /// What was polled are the changes of each message, in order.
    async fn judge(&self, department: &Department, load: &Load) {
        for sent in load.sent() {
            let story = department.story(&sent.id).await;
            let changes = crate::support::changes(&story);
            let polled = || {
                let seen = self.seen.lock().unwrap();
                let own = seen.order.iter().map(|id| &seen.events[id]).filter(|m| m["providerMessageId"] == sent.id);
                own.map(|message| message["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            assert!(!self.running.is_finished(), "the poller has seen what it should not");
            until_within(Duration::from_secs(30), &format!("{changes:?} of {} by polling", sent.id), || {
                let polled = polled();
                assert!(polled.len() <= changes.len(), "polled {polled:?} of {story:#}");
                let complete = polled == changes;
                async move { complete.then_some(()) }
            })
            .await;
        }
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.running.abort();
    }
}
