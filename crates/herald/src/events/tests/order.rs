//! Events of one message come in order, each until it is taken, whatever the endpoint does.

use super::world::{Receiver, World, by_message, quick, until};
use crate::store::{DeliveryState, SubscriptionSettings};
use herald_rules::{ids::MessageId, status::Status};
use std::{collections::HashMap, time::Duration};

/// A small generator with a printed seed: the same run every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

const STEPS: [Status; 3] = [Status::Accepted, Status::Delivered, Status::Read];

async fn run(seed: u64, max_batch: Option<u32>) {
    let mut settings = quick();
    settings.first_timeout = Duration::from_secs(5);
    let world = World::with(settings).await;
    let mut dice = Dice(seed);
    let receiver = Receiver::new(move |_| match dice.roll(10) {
        0 => 500,
        1 => 503,
        2 => 400,
        3 => 0,
        _ => 200,
    })
    .await;
    let settings = SubscriptionSettings { max_batch, ..Default::default() };
    let hook = world.webhook_with(&receiver.url, settings, vec![]).await;
    let ids = world.messages(80).await;
    let mut dice = Dice(seed ^ 0xabcdef);
    // Each message takes its three steps, all of them mixed.
    let mut left: Vec<(MessageId, usize)> = ids.iter().map(|id| (*id, 0)).collect();
    while !left.is_empty() {
        let mut group = Vec::new();
        for _ in 0..=dice.roll(40) {
            if left.is_empty() {
                break;
            }
            let at = usize::try_from(dice.roll(left.len() as u64)).unwrap();
            let (id, step) = left[at];
            group.push((id, STEPS[step]));
            left[at].1 += 1;
            if step == 2 {
                left.swap_remove(at);
            }
        }
        world.change(&group).await;
    }
    until(&format!("all events taken (seed {seed})"), || async {
        let backlog = world.store.backlog(hook.row).await.unwrap();
        backlog.behind + backlog.waiting + backlog.parked == 0
    })
    .await;
    let taken = by_message(&receiver.taken());
    assert_eq!(taken.len(), ids.len(), "seed {seed}");
    for (id, statuses) in taken {
        // Everything once and in order. (A break-off here comes before the receiver takes anything.)
        assert_eq!(statuses, STEPS, "{id}, seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_holds_whatever_the_endpoint_answers() {
    for seed in [1, 20_261_122] {
        run(seed, None).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_holds_with_one_event_a_delivery() {
    run(5, Some(1)).await;
}

#[tokio::test]
async fn a_frozen_delivery_survives_a_restart_under_its_id() {
    let world = World::new().await;
    let receiver = Receiver::new(|_| 503).await;
    let hook = world.webhook(&receiver.url).await;
    let ids = world.messages(2).await;
    world.change(&[(ids[0], Status::Accepted), (ids[1], Status::Accepted)]).await;
    until("it is tried", || async { !receiver.all().is_empty() }).await;
    // Comes after the first is frozen, so it waits for it.
    world.change(&[(ids[0], Status::Delivered)]).await;
    let world = world.restart().await;
    receiver.decide(|_| 200);
    receiver.until_taken(3).await;
    let all = receiver.all();
    let of_first: Vec<_> = all.iter().filter(|received| received.events()[0] == (ids[0], Status::Accepted)).collect();
    let bodies: HashMap<_, _> = of_first.iter().map(|r| (r.header("webhook-id").unwrap(), &r.body)).collect();
    assert_eq!(bodies.len(), 1, "one id, and one body");
    assert!(of_first.iter().all(|received| received.body == of_first[0].body));
    assert_eq!(by_message(&receiver.taken())[&ids[0]], [Status::Accepted, Status::Delivered]);
    until("all is kept as taken", || async {
        world.deliveries(&hook, None).await.iter().all(|delivery| delivery.state == DeliveryState::Taken)
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_parked_event_goes_on_after_a_restart() {
    let world = World::new().await;
    let ids = world.messages(2).await;
    let bad = ids[0];
    let receiver = Receiver::new(move |r| if r.events().iter().any(|(id, _)| *id == bad) { 400 } else { 200 }).await;
    let hook = world.webhook(&receiver.url).await;
    world.change(&[(bad, Status::Accepted), (ids[1], Status::Accepted)]).await;
    until("it is parked", || async { world.store.backlog(hook.row).await.unwrap().parked == 1 }).await;
    world.change(&[(bad, Status::Delivered), (ids[1], Status::Delivered)]).await;
    receiver.until_taken(2).await;
    let world = world.restart().await;
    receiver.decide(|_| 200);
    receiver.until_all_taken(&[(bad, Status::Delivered), (ids[1], Status::Delivered)]).await;
    assert_eq!(by_message(&receiver.taken())[&bad], [Status::Accepted, Status::Delivered]);
    until("nothing waits any more", || async { world.store.progress(&hook).await.unwrap().held.is_empty() }).await;
}
