//! What the owner of a lane reads: the head of its queue, what is due, what is being checked.

use super::*;
use herald_rules::{lane::Pace, pace::gcra::Gcra, reason::Reason};

on_both_engines! {
    each_class_has_a_head_that_is_read_in_pages,
    what_is_due_comes_in_pages_in_the_order_of_its_moments,
    what_was_scheduled_and_held_is_found_after_a_restart,
    what_an_earlier_owner_may_still_be_calling_is_not_searched_for_yet,
    many_that_wait_for_a_limit_are_made_due_in_steps,
    the_pace_is_kept_with_the_claim,
    what_is_checked_longest_comes_first,
    a_restriction_is_kept_beside_a_stop,
    a_lookup_that_finds_a_failure_says_so,
}

async fn each_class_has_a_head_that_is_read_in_pages(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let mut ids = Vec::new();
    for number in 0..7 {
        let new = fixture.new_message("1", |message| {
            message.priority = if number % 2 == 0 { Priority::Transactional } else { Priority::Bulk };
        });
        ids.push(new.message.id);
        fixture.store.accept(vec![new]).await.unwrap();
    }
    let page = async |priority, after, limit| {
        let page = fixture.store.head(fixture.department, fixture.lane, priority, after, limit).await.unwrap();
        assert!(page.messages.iter().all(|queued| queued.place.priority == priority && queued.attempt == 0));
        let last = page.messages.last().map_or(after, |queued| queued.place.position);
        (page.messages.iter().map(|queued| queued.message.id).collect::<Vec<_>>(), page.complete, last)
    };
    let (first, complete, after) = page(Priority::Transactional, 0, 3).await;
    assert_eq!((first, complete), (vec![ids[0], ids[2], ids[4]], false));
    let (rest, complete, _) = page(Priority::Transactional, after, 3).await;
    assert_eq!((rest, complete), (vec![ids[6]], true));
    let (bulk, complete, after) = page(Priority::Bulk, 0, 10).await;
    assert_eq!((bulk, complete), (vec![ids[1], ids[3], ids[5]], true));
    assert_eq!(page(Priority::Bulk, after, 10).await.0, []);
    let other = fixture.another_lane("15550100201").await;
    let empty = fixture.store.head(fixture.department, other, Priority::Bulk, 0, 10).await.unwrap();
    assert!(empty.messages.is_empty() && empty.complete);
}

async fn what_is_due_comes_in_pages_in_the_order_of_its_moments(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let mut queued = Vec::new();
    for hours in [3_u32, 1, 2, 9] {
        let message = fixture.accept(&hours.to_string()).await;
        let outcome = Recorded::Again { due: NOW + HOUR * hours, cause: Reason::ProviderUnavailable.into() };
        fixture.record(&message, vec![], outcome).await;
        queued.push(message);
    }
    let now = NOW + HOUR * 5_u32;
    let page = fixture.store.due(fixture.owned(), now, 2).await.unwrap();
    let of = |page: &Due| page.returned.iter().map(|queued| queued.message.to.clone()).collect::<Vec<_>>();
    assert_eq!((of(&page), page.complete), (vec!["1".to_owned(), "2".to_owned()], false));
    assert_eq!(page.next, Some(NOW + HOUR * 3_u32));
    assert_eq!(page.returned[0].place, queued[1].place, "back at its place");
    let page = fixture.store.due(fixture.owned(), now, 2).await.unwrap();
    assert_eq!((of(&page), page.complete, page.next), (vec!["3".to_owned()], true, Some(NOW + HOUR * 9_u32)));
    let head = fixture.head(Priority::Transactional).await;
    assert_eq!(head, [queued[0].message.id, queued[1].message.id, queued[2].message.id]);
    assert_eq!(fixture.queued().await, 4);
}

async fn what_was_scheduled_and_held_is_found_after_a_restart(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let scheduled = fixture.new_message("1", |message| message.send_at = Some(NOW + HOUR));
    fixture.store.accept(vec![scheduled]).await.unwrap();
    let held = fixture.new_message("2", |message| message.priority = Priority::Bulk);
    fixture.store.accept(vec![held]).await.unwrap();
    let held = fixture.store.head(fixture.department, fixture.lane, Priority::Bulk, 0, 1).await.unwrap();
    let until = NOW + 2 * HOUR;
    fixture.record(&held.messages[0], vec![], Recorded::Held { due: until, reason: None, cause: None }).await;
    let fixture = fixture.reopened().await;
    let recovered = fixture.store.recover(fixture.owned(), NOW, NOW, HOUR).await.unwrap();
    let expected = HeldBefore { customer: "2".into(), priority: Priority::Bulk, until, reason: None };
    assert_eq!(recovered.held, [expected], "who was scheduled holds nobody back");
    assert_eq!(recovered.next_due, Some(NOW + HOUR));
    let story = fixture.store.story(fixture.department, held.messages[0].message.id).await.unwrap().unwrap();
    assert!(story.notes.is_empty(), "there was nothing to say of it");
}

async fn what_an_earlier_owner_may_still_be_calling_is_not_searched_for_yet(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.claim(1, vec![queued.clone()]).await;
    fixture.store.own_lanes(Epoch(5), vec![fixture.lane]).await.unwrap();
    let owned = Owned { epoch: Epoch(5), ..fixture.owned() };
    let settled_at = NOW + Duration::from_secs(15);
    let recovered = fixture.store.recover(owned, NOW, settled_at, HOUR).await.unwrap();
    let [checking] = &recovered.checking[..] else { panic!("{recovered:?}") };
    assert_eq!((checking.message.id, checking.attempt), (queued.message.id, 1));
    assert_eq!((checking.since, checking.deadline), (settled_at, settled_at + HOUR));
    // Once: a second look finds the same search, not another.
    let again = fixture.store.recover(owned, NOW + HOUR, NOW + HOUR, HOUR).await.unwrap().checking;
    assert_eq!((again.len(), again[0].since), (1, settled_at));
}

async fn many_that_wait_for_a_limit_are_made_due_in_steps(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    // More than is moved at once.
    let messages: Vec<_> = (0..1_001).map(|n| fixture.new_message(&n.to_string(), |_| {})).collect();
    fixture.store.accept(messages).await.unwrap();
    let page = fixture.store.head(fixture.department, fixture.lane, Priority::Transactional, 0, 2_000).await.unwrap();
    let (due, reason) = (NOW + HOUR, Some(Reason::DailyLimit));
    let ended = page.messages.iter().map(|queued| Ended {
        id: queued.message.id,
        place: queued.place,
        attempt: 0,
        claimed_as: None,
        resent: false,
        part: 0,
        parts: 1,
        at: NOW,
        outcome: Recorded::Held { due, reason, cause: None },
    });
    let outcomes = Outcomes {
        department: fixture.department,
        channel: fixture.channel,
        lane: fixture.lane,
        epoch: Epoch::default(),
        ended: ended.collect(),
        closed: vec![],
        standings: vec![],
        daily_customers: None,
    };
    fixture.store.record(outcomes).await.unwrap();
    assert!(!fixture.store.hasten(fixture.owned(), Reason::PairLimit, NOW).await.unwrap(), "another reason");
    let mut steps = 1;
    while fixture.store.hasten(fixture.owned(), Reason::DailyLimit, NOW).await.unwrap() {
        steps += 1;
        assert!(steps < 100, "it has an end");
    }
    let returned = fixture.store.due(fixture.owned(), NOW, 2_000).await.unwrap();
    assert_eq!((returned.returned.len(), returned.next), (1_001, None));
}

async fn the_pace_is_kept_with_the_claim(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    assert_eq!(fixture.store.pace(fixture.lane).await.unwrap(), Pace::default());
    let taken: Gcra = serde_json::from_str(&format!("{{\"tat\":{}}}", NOW.0)).unwrap();
    let pace = Pace { taken, ..Pace::default() };
    let queued = fixture.accept("1").await;
    let claim = Claim {
        department: fixture.department,
        lane: fixture.lane,
        epoch: Epoch::default(),
        number: 1,
        at: NOW,
        pace: Some(serde_json::to_string(&pace).unwrap()),
        entries: vec![queued],
        windows: false,
    };
    fixture.store.claim(claim).await.unwrap();
    let queued = fixture.accept("2").await;
    fixture.claim(2, vec![queued]).await;
    let fixture = fixture.reopened().await;
    assert_eq!(fixture.store.pace(fixture.lane).await.unwrap(), pace, "a claim without one leaves it");
}

async fn what_is_checked_longest_comes_first(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let mut ids = Vec::new();
    for hours in [3_u32, 1, 2] {
        let queued = fixture.accept("1").await;
        fixture.claim(i64::from(hours), vec![queued.clone()]).await;
        let outcome = Recorded::Unknown { deadline: NOW + HOUR * hours, cause: Reason::ProviderTimeout.into() };
        fixture.record(&queued, vec![i64::from(hours)], outcome).await;
        ids.push(queued.message.id);
    }
    let (department, lane) = (fixture.department, fixture.lane);
    let first = fixture.store.checking(department, lane, 2).await.unwrap();
    assert_eq!(first.iter().map(|checking| checking.message.id).collect::<Vec<_>>(), [ids[1], ids[2]]);
    let Checking { attempt, resent, part, since, deadline, .. } = first[0];
    assert_eq!((attempt, resent, part, since, deadline), (1, false, 0, NOW, NOW + HOUR));
    assert!(fixture.store.is_checking(department, lane, ids[0]).await.unwrap());
    assert!(!fixture.store.is_checking(department, lane, MessageId::new()).await.unwrap());
    assert!(!fixture.store.is_checking(department, lane + 1, ids[0]).await.unwrap());
    fixture.receipt(Reference::Ours(ids[0]), Status::Delivered).await;
    assert!(!fixture.store.is_checking(department, lane, ids[0]).await.unwrap());
    assert_eq!(fixture.store.cancel(department, ids[1], NOW).await.unwrap(), Cancelled::TooLate(Status::Pending));
}

async fn a_restriction_is_kept_beside_a_stop(engine: Engine) {
    use herald_rules::pace::stop::{Stop, StopScope};
    let fixture = Fixture::new(engine).await;
    let (department, lane) = (fixture.department, fixture.lane);
    let other = fixture.another_lane("15550100201").await;
    let change = |change| fixture.store.change_standing(department, lane, change);
    let until = Some(NOW + HOUR);
    change(StandingChange::Restricted { lanes: vec![lane, other], until }).await.unwrap();
    let stop = Stop::new(Reason::ProviderAuthFailed.into(), StopScope::Account, NOW, None);
    // With an outcome, as it is noticed by a call.
    let outcomes = Outcomes {
        department,
        channel: fixture.channel,
        lane,
        epoch: Epoch::default(),
        ended: vec![],
        closed: vec![],
        standings: vec![StandingChange::Stopped { lanes: vec![other], stop: stop.clone() }],
        daily_customers: None,
    };
    fixture.store.record(outcomes).await.unwrap();
    let expected = Standing { stop: Some(stop), restricted_until: until };
    for lane in [lane, other] {
        assert_eq!(fixture.store.standing(lane).await.unwrap(), expected);
    }
    change(StandingChange::Restricted { lanes: vec![lane], until: None }).await.unwrap();
    change(StandingChange::Lifted { lanes: vec![lane] }).await.unwrap();
    assert_eq!(fixture.store.standing(lane).await.unwrap(), Standing::default());
    assert_eq!(fixture.store.standing(other).await.unwrap(), expected);
    assert_eq!(fixture.log().await.len(), 1, "told once for all lanes");
}

async fn a_lookup_that_finds_a_failure_says_so(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.claim(1, vec![queued.clone()]).await;
    let cause = Reason::ProviderTimeout.into();
    fixture.record(&queued, vec![1], Recorded::Unknown { deadline: NOW + HOUR, cause }).await;
    let checking = fixture.store.checking(fixture.department, fixture.lane, 1).await.unwrap().remove(0);
    let found = Resolution::Found { reference: None, status: Status::Failed };
    fixture.store.resolve(fixture.owned(), fixture.channel, checking, found, NOW).await.unwrap();
    let story = fixture.store.story(fixture.department, queued.message.id).await.unwrap().unwrap();
    let cause = story.changes[0].cause.as_ref().unwrap();
    assert_eq!((story.changes.len(), story.changes[0].status), (1, Status::Failed));
    assert_eq!((cause.reason, fixture.queued().await), (Reason::Unspecified, 0));
}
