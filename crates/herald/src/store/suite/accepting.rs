//! Accepting: durable, once, in order.

use super::*;

on_both_engines! {
    what_was_answered_is_there_after_a_restart,
    the_same_request_again_is_answered_again_and_another_is_refused,
    keys_are_forgotten_when_their_time_is_over,
    a_failed_operation_undoes_its_own_writes_and_nobody_elses,
    a_thousand_callers_at_once_are_all_kept,
}

fn key(key: u8, body: u8) -> Option<Idempotency> {
    Some(Idempotency { key_hash: [key; 16], body_hash: [body; 16], warnings: "[\"w\"]".into() })
}

async fn what_was_answered_is_there_after_a_restart(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (first, second) = (fixture.accept("1").await, fixture.accept("2").await);
    assert!(first.place.position < second.place.position);
    let fixture = fixture.reopened().await;
    assert_eq!(fixture.head(Priority::Transactional).await, [first.message.id, second.message.id]);
    assert_eq!(fixture.queued().await, 2, "counted without counting rows");
    let third = fixture.accept("3").await;
    assert!(third.place.position > second.place.position, "positions go on rising");
}

async fn the_same_request_again_is_answered_again_and_another_is_refused(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let new = NewMessage { idempotency: key(1, 1), ..fixture.new_message("1", |_| {}) };
    let id = new.message.id;
    let again = NewMessage { idempotency: key(1, 1), ..fixture.new_message("1", |_| {}) };
    let other = NewMessage { idempotency: key(1, 2), ..fixture.new_message("1", |_| {}) };
    // In one batch, so that they also meet inside one commit.
    let answers = fixture.store.accept(vec![new, again, other]).await.unwrap();
    assert_eq!(answers[0], Accepted::New);
    let Accepted::Repeated { message, warnings } = &answers[1] else { panic!("{answers:?}") };
    assert_eq!((message.id, warnings.as_str()), (id, "[\"w\"]"));
    assert_eq!(answers[2], Accepted::KeyUsed);
    assert_eq!(fixture.queued().await, 1);
}

async fn keys_are_forgotten_when_their_time_is_over(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let old = NewMessage { idempotency: key(1, 1), ..fixture.new_message("1", |m| m.accepted_at = NOW - HOUR) };
    let new = NewMessage { idempotency: key(2, 2), ..fixture.new_message("2", |_| {}) };
    fixture.store.accept(vec![old, new]).await.unwrap();
    assert!(!fixture.store.prune_idempotency(NOW).await.unwrap());
    let again = |k| NewMessage { idempotency: key(k, k), ..fixture.new_message("1", |_| {}) };
    let answers = fixture.store.accept(vec![again(1), again(2)]).await.unwrap();
    assert_eq!(answers[0], Accepted::New);
    assert!(matches!(answers[1], Accepted::Repeated { .. }));
}

async fn a_failed_operation_undoes_its_own_writes_and_nobody_elses(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    // The second identifier is taken: by then channel and first identifier are written.
    let broken = fixture.store.add_channel(new_channel(fixture.department, &["15550100201", "15550100200"]));
    let (broken, good) = tokio::join!(broken, fixture.accept("1"));
    assert!(matches!(broken, Err(StoreError::Conflict(_))));
    assert_eq!(fixture.head(Priority::Transactional).await, [good.message.id]);
    assert_eq!(fixture.store.directory().await.unwrap().all_lanes().count(), 1);
}

async fn a_thousand_callers_at_once_are_all_kept(engine: Engine) {
    let fixture = Arc::new(Fixture::new(engine).await);
    let calls = (0..1_000).map(|n| {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            let new = fixture.new_message(&n.to_string(), |_| {});
            fixture.store.accept(vec![new]).await.unwrap()
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), [Accepted::New]);
    }
    let heard = fixture.heard.arrived.lock().unwrap().clone();
    assert_eq!(heard.len(), 1_000);
    assert!(heard.is_sorted_by_key(|queued| queued.place.position), "told in the order of their places");
    assert_eq!(fixture.queued().await, 1_000);
}
