//! Who owns what: one node at a time, and a late writer writes nothing.

use super::*;
use herald_rules::{lease::Kind, reason::Reason};

on_both_engines! {
    a_lease_is_one_nodes_until_it_gives_it_up,
    a_lease_runs_out_unless_it_is_renewed,
    a_node_that_leaves_is_no_longer_seen,
    an_earlier_owner_can_do_nothing_with_a_lane,
    an_earlier_owner_works_off_no_callbacks,
    who_owns_no_lane_can_cancel_and_apply,
    what_is_left_claimed_is_not_searched_for_before_its_call_has_ended,
}

fn group(key: &str) -> Group {
    Group { kind: Kind::Lanes, key: key.into() }
}

impl Fixture {
    async fn renew(&self, node: NodeId, held: Vec<(Group, Epoch)>) -> NodesNow {
        let (name, version) = ("test".to_owned(), "1.2.3".to_owned());
        self.store.renew(Renewal { node, name, version, works: true, answers: true, held }).await.unwrap()
    }

    async fn take(&self, node: NodeId, key: &str) -> Option<Taken> {
        self.store.take_lease(node, group(key)).await.unwrap()
    }
}

async fn a_lease_is_one_nodes_until_it_gives_it_up(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (one, two) = (NodeId::new(), NodeId::new());
    let before = fixture.renew(one, vec![]).await;
    assert!(before.leases.is_empty());
    let [node] = &before.nodes[..] else { panic!("{before:?}") };
    assert_eq!((node.node, node.name.as_str(), node.version.as_str(), node.works), (one, "test", "1.2.3", true));
    assert!(node.until > before.now);

    let taken = fixture.take(one, "a").await.unwrap();
    assert!(!taken.ran_out);
    assert_eq!(fixture.take(two, "a").await, None, "somebody else was faster");
    let other = fixture.take(one, "b").await.unwrap();
    assert!(other.epoch > taken.epoch, "an epoch is of one change of hands");
    let now = fixture.renew(one, vec![(group("a"), taken.epoch), (group("b"), other.epoch)]).await;
    let lease = now.leases.iter().find(|lease| lease.group == group("a")).unwrap();
    assert_eq!((lease.node, lease.epoch, now.leases.len()), (Some(one), taken.epoch, 2));
    assert!(lease.until > now.now);

    fixture.store.free_lease(group("a"), Epoch(taken.epoch.0 - 1)).await.unwrap();
    assert_eq!(fixture.take(two, "a").await, None, "freed by somebody who does not hold it");
    fixture.store.free_lease(group("a"), taken.epoch).await.unwrap();
    let next = fixture.take(two, "a").await.unwrap();
    assert!(next.epoch > other.epoch && !next.ran_out, "given up in order: {next:?}");
    let now = fixture.renew(one, vec![(group("a"), taken.epoch)]).await;
    let lease = now.leases.iter().find(|lease| lease.group == group("a")).unwrap();
    assert_eq!((lease.node, lease.epoch), (Some(two), next.epoch), "what another has is not renewed");

    let fixture = fixture.reopened().await;
    fixture.store.free_lease(group("a"), next.epoch).await.unwrap();
    let mut again = fixture.take(one, "c").await.unwrap().epoch;
    // SQLite counts epochs from what lanes were ever owned by; a lease that no lane was owned under has no trace.
    if engine == Engine::Sqlite {
        let lanes = vec![fixture.lane];
        assert_eq!(fixture.store.own_lanes(Epoch(40), lanes).await.unwrap(), [fixture.lane]);
        let fixture = fixture.reopened().await;
        again = fixture.take(one, "c").await.unwrap().epoch;
    }
    assert!(again > next.epoch, "epochs go on rising after a restart");
}

async fn a_lease_runs_out_unless_it_is_renewed(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (one, two) = (NodeId::new(), NodeId::new());
    let (kept, lost) = (fixture.take(one, "kept").await.unwrap(), fixture.take(one, "lost").await.unwrap());
    let held = vec![(group("kept"), kept.epoch)];
    // Three seconds by the store's clock, which nobody can wind on.
    let next = loop {
        fixture.renew(one, held.clone()).await;
        if let Some(next) = fixture.take(two, "lost").await {
            break next;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(next.ran_out && next.epoch > lost.epoch, "a call of the first may be under way: {next:?}");
    assert_eq!(fixture.take(two, "kept").await, None);
}

async fn a_node_that_leaves_is_no_longer_seen(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let node = NodeId::new();
    fixture.renew(node, vec![]).await;
    fixture.store.leave(NodeId::new()).await.unwrap();
    assert_eq!(fixture.renew(node, vec![]).await.nodes.len(), 1);
    fixture.store.leave(node).await.unwrap();
    let next = NodeId::new();
    let seen = fixture.renew(next, vec![]).await.nodes;
    assert_eq!(seen.iter().map(|row| row.node).collect::<Vec<_>>(), [next]);
    for changed in Changed::ALL {
        fixture.store.announce(changed).await.unwrap();
    }
}

async fn an_earlier_owner_can_do_nothing_with_a_lane(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (queued, held, checked) = (fixture.accept("1").await, fixture.accept("2").await, fixture.accept("3").await);
    let cause = Reason::ProviderUnavailable.into();
    fixture.record(&held, vec![], Recorded::Again { due: NOW, cause }).await;
    fixture.claim(1, vec![checked.clone()]).await;
    let cause = Reason::ProviderTimeout.into();
    fixture.record(&checked, vec![1], Recorded::Unknown { deadline: NOW, cause }).await;
    let (store, lane) = (&fixture.store, fixture.lane);
    let other = fixture.another_lane("15550100201").await;
    assert_eq!(store.own_lanes(Epoch(5), vec![lane, other]).await.unwrap(), [lane, other]);
    assert_eq!(store.own_lanes(Epoch(5), vec![lane]).await.unwrap(), [lane], "again, as after a lost answer");
    assert!(store.own_lanes(Epoch(4), vec![lane]).await.unwrap().is_empty());

    let late = Owned { epoch: Epoch(4), ..fixture.owned() };
    let checking = store.checking(fixture.department, lane, 1).await.unwrap().remove(0);
    let (department, waiting) = (fixture.department, queued.clone());
    let claim = move |epoch| Claim {
        department,
        lane,
        epoch,
        number: 9,
        at: NOW,
        pace: None,
        entries: vec![waiting.clone()],
        windows: false,
    };
    let outcomes = |epoch| Outcomes {
        department: fixture.department,
        channel: fixture.channel,
        lane,
        epoch,
        ended: vec![Ended {
            id: queued.message.id,
            place: queued.place,
            attempt: 1,
            claimed_as: Some(1),
            resent: false,
            part: 0,
            parts: 1,
            at: NOW,
            outcome: Recorded::Accepted { reference: None },
        }],
        closed: vec![],
        standings: vec![],
        daily_customers: Some(DailyCustomers { portfolio: "1".into(), customers: vec![(1, NOW)] }),
    };
    let resolution = || Resolution::GivenUp(Reason::OutcomeUnknown);
    let fenced = [
        store.claim(claim(Epoch(4))).await.err(),
        store.record(outcomes(Epoch(4))).await.err(),
        store.due(late, NOW, 10).await.err(),
        store.hasten(late, Reason::DailyLimit, NOW).await.err(),
        store.resolve(late, fixture.channel, checking.clone(), resolution(), NOW).await.err(),
        store.recover(late, NOW, NOW, HOUR).await.err(),
    ];
    for (number, answer) in fenced.iter().enumerate() {
        assert!(matches!(answer, Some(StoreError::Fenced)), "{number}: {answer:?}");
    }
    assert!(fixture.statuses().is_empty() && fixture.log().await.is_empty());
    assert_eq!(fixture.head(Priority::Transactional).await, [queued.message.id]);
    assert!(store.daily_budget("1".into()).await.unwrap().customers.is_empty());

    // The owner finds all as it was.
    let owned = Owned { epoch: Epoch(5), ..fixture.owned() };
    let recovered = store.recover(owned, NOW, NOW, HOUR).await.unwrap();
    assert_eq!((recovered.checking.len(), recovered.held.len()), (1, 1), "nothing was claimed by the late one");
    assert_eq!(store.due(owned, NOW, 10).await.unwrap().returned.len(), 1);
    store.claim(claim(Epoch(5))).await.unwrap();
    store.record(outcomes(Epoch(5))).await.unwrap();
    store.resolve(owned, fixture.channel, checking, resolution(), NOW).await.unwrap();
    assert_eq!(fixture.statuses(), [Status::Accepted, Status::Failed]);
    let fixture = fixture.reopened().await;
    assert!(matches!(fixture.store.claim(claim(Epoch(4))).await, Err(StoreError::Fenced)), "after a restart, too");
}

async fn an_earlier_owner_works_off_no_callbacks(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.accepted_as(&queued, "ref").await;
    fixture.store.keep_callback(fixture.department, fixture.channel, "body".into(), NOW).await.unwrap();
    let limits = InboxLimits { channels: 1, callbacks: 1, bytes: 1_000 };
    let number = fixture.store.inbox(0, vec![], limits).await.unwrap()[0].callbacks[0].number;
    fixture.store.own_lanes(Epoch(5), vec![fixture.lane]).await.unwrap();
    let work = |epoch| CallbackWork {
        department: fixture.department,
        channel: fixture.channel,
        epoch,
        now: NOW,
        done: vec![number],
        receipts: vec![Receipt::new(Fixture::theirs("ref"), Status::Delivered)],
        ..CallbackWork::default()
    };
    let late = fixture.store.work_off(work(Epoch(4))).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    assert_eq!(fixture.store.inbox_depth().await.unwrap().waiting, 1);
    fixture.store.work_off(work(Epoch(5))).await.unwrap();
    assert_eq!(fixture.store.inbox_depth().await.unwrap().waiting, 0);
    assert_eq!(fixture.statuses(), [Status::Accepted, Status::Delivered]);
}

async fn who_owns_no_lane_can_cancel_and_apply(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (sent, waiting) = (fixture.accept("1").await, fixture.accept("2").await);
    fixture.accepted_as(&sent, "ref").await;
    fixture.store.own_lanes(Epoch(5), vec![fixture.lane]).await.unwrap();
    let cancelled = fixture.store.cancel(fixture.department, waiting.message.id, NOW).await.unwrap();
    assert!(matches!(cancelled, Cancelled::Done(change) if change.sequence == 2), "{cancelled:?}");
    fixture.receipt(Fixture::theirs("ref"), Status::Delivered).await;
    let accepted = fixture.accept("3").await;
    assert_eq!(fixture.head(Priority::Transactional).await.last(), Some(&accepted.message.id));
    assert_eq!(fixture.statuses(), [Status::Accepted, Status::Rejected, Status::Delivered]);
}

async fn what_is_left_claimed_is_not_searched_for_before_its_call_has_ended(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.claim(1, vec![queued]).await;
    let settled_at = NOW + Duration::from_secs(30);
    let checking = fixture.store.recover(fixture.owned(), NOW, settled_at, HOUR).await.unwrap().checking.remove(0);
    assert_eq!((checking.since, checking.deadline), (settled_at, settled_at + HOUR));
    // Where the calls have ended long ago, it is searched for from the claim on, and as long as ever.
    let again = fixture.accept("2").await;
    fixture.claim(2, vec![again.clone()]).await;
    let (now, long_ago) = (NOW + HOUR, NOW - HOUR);
    let checking = fixture.store.recover(fixture.owned(), now, long_ago, HOUR).await.unwrap().checking;
    let checking = checking.into_iter().find(|checking| checking.message.id == again.message.id).unwrap();
    assert_eq!((checking.since, checking.deadline), (NOW, now + HOUR));
}
