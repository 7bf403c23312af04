//! Accepting: durable, once, in order.

use super::*;

fn key(key: u8, body: u8) -> Option<Idempotency> {
    Some(Idempotency { key_hash: [key; 16], body_hash: [body; 16], warnings: "[\"w\"]".into() })
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let fixture = Fixture::new().await;
    let (first, second) = (fixture.accept("1").await, fixture.accept("2").await);
    assert!(first.place.position < second.place.position);
    let fixture = fixture.reopened().await;
    assert_eq!(fixture.head(Priority::Transactional).await, [first.message.id, second.message.id]);
    assert_eq!(fixture.queued().await, 2, "counted without counting rows");
    let third = fixture.accept("3").await;
    assert!(third.place.position > second.place.position, "positions go on rising");
}

#[tokio::test]
async fn the_same_request_again_is_answered_again_and_another_is_refused() {
    let fixture = Fixture::new().await;
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

#[tokio::test]
async fn keys_are_forgotten_when_their_time_is_over() {
    let fixture = Fixture::new().await;
    let old = NewMessage { idempotency: key(1, 1), ..fixture.new_message("1", |m| m.accepted_at = NOW - HOUR) };
    let new = NewMessage { idempotency: key(2, 2), ..fixture.new_message("2", |_| {}) };
    fixture.store.accept(vec![old, new]).await.unwrap();
    assert!(!fixture.store.prune_idempotency(NOW).await.unwrap());
    let again = |k| NewMessage { idempotency: key(k, k), ..fixture.new_message("1", |_| {}) };
    let answers = fixture.store.accept(vec![again(1), again(2)]).await.unwrap();
    assert_eq!(answers[0], Accepted::New);
    assert!(matches!(answers[1], Accepted::Repeated { .. }));
}

#[tokio::test]
async fn a_failed_operation_undoes_its_own_writes_and_nobody_elses() {
    let fixture = Fixture::new().await;
    let (store, lane) = (fixture.store.clone(), fixture.lane);
    let broken = store.sqlite().write(move |writing| {
        writing.connection.execute("UPDATE lane SET name = 'broken' WHERE lane = ?", [lane])?;
        Err::<(), _>(StoreError::Conflict("on purpose".into()))
    });
    let good = fixture.accept("1");
    let (broken, good) = tokio::join!(broken, good);
    assert!(matches!(broken, Err(StoreError::Conflict(_))));
    assert_eq!(fixture.head(Priority::Transactional).await, [good.message.id]);
    let name: String = store
        .sqlite()
        .read(move |c| Ok(c.query_row("SELECT name FROM lane WHERE lane = ?", [lane], |row| row.get(0))?))
        .await
        .unwrap();
    assert_eq!(name, "");
}

#[tokio::test]
async fn a_thousand_callers_at_once_are_all_kept() {
    let fixture = Arc::new(Fixture::new().await);
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
