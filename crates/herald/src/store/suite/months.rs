//! PostgreSQL alone: tables by month, made ahead and forgotten as a whole.

use super::*;

/// 2025-01-15T00:00:00Z.
const JANUARY: Timestamp = Timestamp(1_736_899_200_000_000);
const DAY: Duration = Duration::from_secs(86_400);

impl Fixture {
    /// Accepts a message with an id of a moment.
    async fn message_of(&self, at: Timestamp) -> MessageId {
        let id = MessageId::received_at(at, 0);
        let new = self.new_message("1", |message| message.id = id);
        assert_eq!(self.store.accept(vec![new]).await.unwrap(), [Accepted::New]);
        id
    }

    /// Forgets what was accepted before a moment, all steps of it.
    async fn forget(&self, before: Timestamp) {
        let mut after = None;
        loop {
            after = self.store.prune_messages(self.department, before, after).await.unwrap();
            if after.is_none() {
                return;
            }
        }
    }
}

#[tokio::test]
async fn the_present_month_and_two_more_are_there_at_once() {
    let fixture = Fixture::new(Engine::Postgres).await;
    for _ in 0..2 {
        fixture.store.keep_house(Timestamp::now()).await.unwrap();
    }
    fixture
        .sql(
            "DO $$ DECLARE t text; m timestamptz; BEGIN
                 FOREACH t IN ARRAY ARRAY['message', 'event', 'note', 'part', 'reference'] LOOP
                     FOR n IN 0..2 LOOP
                         m := date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month';
                         ASSERT to_regclass(t || to_char(m, '_YYYY_MM')) IS NOT NULL, t || m;
                     END LOOP;
                 END LOOP;
             END $$",
        )
        .await;
    fixture.accept("1").await;
    fixture.sql("DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 FROM message_rest), 'the rest is empty'; END $$").await;
}

#[tokio::test]
async fn nodes_that_start_at_once_make_each_month_once() {
    let fixture = Fixture::new(Engine::Postgres).await;
    let made = tokio::join!(
        fixture.store.keep_house(JANUARY),
        fixture.store.keep_house(JANUARY),
        fixture.store.keep_house(JANUARY)
    );
    made.0.and(made.1).and(made.2).unwrap();
    fixture
        .sql(
            "DO $$ BEGIN ASSERT 15 = (
                 SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE c.relkind = 'r' AND c.relname ~ '_2025_0[123]$'); END $$",
        )
        .await;
}

#[tokio::test]
async fn a_month_goes_as_a_whole_once_nothing_of_it_waits() {
    let fixture = Fixture::new(Engine::Postgres).await;
    fixture.store.keep_house(JANUARY).await.unwrap();
    let (january, february) = (fixture.message_of(JANUARY).await, fixture.message_of(JANUARY + 31 * DAY).await);
    fixture.forget(JANUARY + 40 * DAY).await;
    assert!(fixture.knows(january).await, "it waits");
    fixture.sql("DELETE FROM live").await;
    // The same process does not look again at once.
    let fixture = fixture.reopened().await;
    fixture.forget(JANUARY + 10 * DAY).await;
    assert!(fixture.knows(january).await, "the month is not over");
    fixture.forget(JANUARY + 40 * DAY).await;
    assert_eq!((fixture.knows(january).await, fixture.knows(february).await), (false, true));
    fixture
        .sql(
            "DO $$ BEGIN
                 ASSERT to_regclass('message_2025_01') IS NULL AND to_regclass('reference_2025_01') IS NULL;
                 ASSERT to_regclass('message_2025_02') IS NOT NULL;
             END $$",
        )
        .await;
    fixture.forget(JANUARY + 40 * DAY).await;
}

#[tokio::test]
async fn a_message_at_the_providers_door_keeps_its_month() {
    let fixture = Fixture::new(Engine::Postgres).await;
    fixture.store.keep_house(JANUARY).await.unwrap();
    let id = fixture.message_of(JANUARY).await;
    fixture
        .sql(
            "WITH taken AS (DELETE FROM live RETURNING *)
             INSERT INTO claim (department, lane, number, epoch, at, entries)
             SELECT department, lane, 1, 1, 0, '\\x000000000000000000'::bytea || uuid_send(id) FROM taken",
        )
        .await;
    fixture.forget(JANUARY + 60 * DAY).await;
    assert!(fixture.knows(id).await);
}

#[tokio::test]
async fn what_no_month_took_is_forgotten_row_by_row() {
    let fixture = Fixture::new(Engine::Postgres).await;
    let (ended, waits) = (fixture.message_of(JANUARY).await, fixture.message_of(JANUARY + DAY).await);
    fixture.sql("DELETE FROM live WHERE id = (SELECT id FROM live ORDER BY id LIMIT 1)").await;
    // A month of which rows lie in the rest is not made.
    fixture.store.keep_house(JANUARY).await.unwrap();
    fixture.forget(JANUARY).await;
    assert!(fixture.knows(ended).await, "not before its time");
    fixture.forget(JANUARY + 2 * DAY).await;
    assert_eq!((fixture.knows(ended).await, fixture.knows(waits).await), (false, true));
}
