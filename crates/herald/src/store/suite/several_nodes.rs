//! Two nodes at one database: what each promises alone, they promise together.

use super::*;
use herald_rules::lease::Kind;
use std::collections::HashSet;

/// Where SQLite has one node, these are about PostgreSQL alone.
const POSTGRES: Engine = Engine::Postgres;

impl Fixture {
    /// Another node, with its own memory.
    async fn another_node(&self) -> (Store, Arc<Heard>) {
        let heard = Arc::new(Heard::default());
        (self.home.open(heard.clone()).await, heard)
    }

    /// All positions of a class, as the owner of the lane reads them.
    async fn positions(&self) -> Vec<i64> {
        let (mut after, mut positions) = (0, Vec::new());
        loop {
            let page = self.store.head(self.department, self.lane, Priority::Transactional, after, 500).await.unwrap();
            positions.extend(page.messages.iter().map(|queued| queued.place.position));
            match positions.last() {
                Some(last) if !page.complete => after = *last,
                _ => return positions,
            }
        }
    }
}

#[tokio::test]
async fn places_are_given_out_once_and_seen_in_their_order() {
    let fixture = Arc::new(Fixture::new(POSTGRES).await);
    let (second, heard) = fixture.another_node().await;
    let accept = |store: Store| {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            for _ in 0..60 {
                let batch = (0..5).map(|_| fixture.new_message("1", |_| {})).collect();
                store.accept(batch).await.unwrap();
            }
        })
    };
    let writers = [accept(fixture.store.clone()), accept(second.clone())];
    // A reader that goes on from the last place that it saw must miss none.
    let mut seen = Vec::new();
    loop {
        let ended = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let after = seen.last().copied().unwrap_or(0);
        let page =
            fixture.store.head(fixture.department, fixture.lane, Priority::Transactional, after, 50).await.unwrap();
        seen.extend(page.messages.iter().map(|queued| queued.place.position));
        if ended && page.messages.is_empty() {
            break;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(seen.len(), 600);
    assert!(seen.is_sorted() && seen.iter().collect::<HashSet<_>>().len() == 600);
    assert_eq!(fixture.positions().await, seen);
    assert_eq!(fixture.queued().await, 600);
    for heard in [&fixture.heard, &heard] {
        let arrived: Vec<_> = heard.arrived.lock().unwrap().iter().map(|queued| queued.place.position).collect();
        assert!(arrived.is_sorted(), "what is told one by one rises: {arrived:?}");
    }
}

#[tokio::test]
async fn a_log_has_no_gaps_whoever_writes_it() {
    let fixture = Arc::new(Fixture::new(POSTGRES).await);
    let (second, _) = fixture.another_node().await;
    let mut waiting = Vec::new();
    for number in 0..80 {
        waiting.push(fixture.accept(&number.to_string()).await);
    }
    let cancelled = waiting.split_off(40);
    let (owner, department) = (fixture.clone(), fixture.department);
    let recorded = tokio::spawn(async move {
        for queued in waiting {
            owner.record(&queued, vec![], Recorded::Accepted { reference: None }).await;
        }
    });
    for queued in cancelled {
        let done = second.cancel(department, queued.message.id, NOW).await.unwrap();
        assert!(matches!(done, Cancelled::Done(_)));
    }
    recorded.await.unwrap();
    let log: Vec<_> = fixture.log().await.iter().map(|key| key.sequence).collect();
    assert_eq!(log, (1..=80).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_request_to_two_nodes_is_one_message() {
    let fixture = Fixture::new(POSTGRES).await;
    let (second, _) = fixture.another_node().await;
    for key in 0..20 {
        let idempotency = Some(Idempotency { key_hash: [key; 16], body_hash: [1; 16], warnings: "[]".into() });
        let new = || NewMessage { idempotency: idempotency.clone(), ..fixture.new_message("1", |_| {}) };
        let (one, two) = tokio::join!(fixture.store.accept(vec![new()]), second.accept(vec![new()]));
        let (one, two) = (one.unwrap().remove(0), two.unwrap().remove(0));
        let repeated = |answer: &Accepted| matches!(answer, Accepted::Repeated { .. });
        assert!(repeated(&one) != repeated(&two), "{one:?} {two:?}");
    }
    assert_eq!(fixture.positions().await.len(), 20);
}

#[tokio::test]
async fn what_another_node_has_written_holds_at_once() {
    let fixture = Fixture::new(POSTGRES).await;
    let (second, _) = fixture.another_node().await;
    let queued = fixture.accept("4930").await;
    assert!(fixture.claim(1, vec![queued]).await.reach.is_empty());
    let kind = SuppressionKind::All;
    let suppression = Suppression { customer: "4930".into(), channel: None, kind, source: "api".into(), at: NOW };
    second.suppress(fixture.department, suppression).await.unwrap();
    let queued = fixture.accept("4930").await;
    let claimed = fixture.claim(2, vec![queued.clone()]).await;
    assert_eq!(claimed.reach[&queued.message.id].suppressed, Some(kind));

    let cancelled = fixture.accept("1").await;
    second.cancel(fixture.department, cancelled.message.id, NOW).await.unwrap();
    assert_eq!(fixture.claim(3, vec![cancelled.clone()]).await.dropped, [cancelled.message.id]);

    // A receipt that one node kept, of a message that the other learns of.
    let receipt = Receipt::new(Fixture::theirs("early"), Status::Delivered);
    second.apply(fixture.department, fixture.channel, vec![receipt], NOW).await.unwrap();
    fixture.accepted_as(&queued, "early").await;
    assert_eq!(fixture.statuses(), [Status::Accepted, Status::Delivered]);
}

#[tokio::test]
async fn of_those_who_want_a_lease_one_gets_it() {
    let fixture = Fixture::new(POSTGRES).await;
    let (second, _) = fixture.another_node().await;
    let mut epochs = HashSet::new();
    for number in 0..20 {
        let group = Group { kind: Kind::Subscription, key: number.to_string() };
        let taken = tokio::join!(
            fixture.store.take_lease(NodeId::new(), group.clone()),
            second.take_lease(NodeId::new(), group.clone()),
            fixture.store.take_lease(NodeId::new(), group.clone()),
        );
        let taken: Vec<_> = [taken.0, taken.1, taken.2].into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(taken.len(), 1);
        assert!(epochs.insert(taken[0].epoch));
    }
}

#[tokio::test]
async fn a_department_has_one_standard_queue_whichever_node_is_asked() {
    let fixture = Fixture::new(POSTGRES).await;
    let (second, _) = fixture.another_node().await;
    let department = fixture.department;
    let (one, two) =
        tokio::join!(fixture.store.standard_queue(department, NOW), second.standard_queue(department, NOW));
    assert_eq!(one.unwrap(), two.unwrap());
}

#[tokio::test]
async fn nodes_that_start_at_once_migrate_once() {
    let home = Home::empty().await;
    let open = || home.open(Arc::new(Heard::default()));
    let stores = tokio::join!(open(), open(), open());
    for store in [stores.0, stores.1, stores.2] {
        store.add_department(new_department()).await.unwrap();
    }
}
