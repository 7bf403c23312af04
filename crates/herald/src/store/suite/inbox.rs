//! The inbox: what was kept is worked off once, in order, and one channel does not stand in another's way.

use super::*;

on_both_engines! {
    pages_hold_each_channels_oldest,
    a_large_callback_comes_alone,
    what_is_worked_off_has_left_and_what_cannot_be_read_is_skipped_and_kept,
}

const LIMITS: InboxLimits = InboxLimits { channels: 10, callbacks: 2, bytes: 1_000 };

impl Fixture {
    async fn keep(&self, channel: ChannelRow, body: &str) {
        self.store.keep_callback(self.department, channel, body.to_owned().into(), NOW).await.unwrap();
    }

    /// What waits, as channels with their bodies.
    async fn waiting(&self, after: ChannelRow, except: &[ChannelRow]) -> Vec<(ChannelRow, Vec<String>)> {
        let pages = self.store.inbox(after, except.to_vec(), LIMITS).await.unwrap();
        let texts = |page: InboxPage| {
            page.callbacks.into_iter().map(|callback| String::from_utf8(callback.body).unwrap()).collect()
        };
        pages.into_iter().map(|page| (page.channel, texts(page))).collect()
    }

    fn work(&self) -> CallbackWork {
        CallbackWork { department: self.department, channel: self.channel, now: NOW, ..CallbackWork::default() }
    }
}

fn of(channel: ChannelRow, bodies: &[&str]) -> (ChannelRow, Vec<String>) {
    (channel, bodies.iter().map(|body| (*body).to_owned()).collect())
}

async fn pages_hold_each_channels_oldest(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    for (channel, body) in [(2, "a"), (1, "b"), (2, "c"), (2, "d"), (9, "e")] {
        fixture.keep(channel, body).await;
    }
    let all = [of(1, &["b"]), of(2, &["a", "c"]), of(9, &["e"])];
    assert_eq!(fixture.waiting(0, &[]).await, all);
    assert_eq!(fixture.waiting(1, &[9]).await, all[1..2]);
    let fixture = fixture.reopened().await;
    assert_eq!(fixture.waiting(0, &[]).await, all, "durable");
    let depth = fixture.store.inbox_depth().await.unwrap();
    assert_eq!(depth, InboxDepth { waiting: 5, oldest: Some(NOW), unreadable: 0 });
}

async fn a_large_callback_comes_alone(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let large = "x".repeat(5_000);
    fixture.keep(1, &large).await;
    fixture.keep(1, "small").await;
    assert_eq!(fixture.waiting(0, &[]).await, [of(1, &[&large])]);
}

async fn what_is_worked_off_has_left_and_what_cannot_be_read_is_skipped_and_kept(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.accepted_as(&queued, "ref").await;
    let channel = fixture.channel;
    for body in ["broken", "delivered"] {
        fixture.keep(channel, body).await;
    }
    let pages = fixture.store.inbox(0, vec![], LIMITS).await.unwrap();
    let numbers: Vec<_> = pages[0].callbacks.iter().map(|callback| callback.number).collect();
    let work = CallbackWork {
        done: vec![numbers[1]],
        unreadable: vec![(numbers[0], "not of the provider's form".into())],
        receipts: vec![Receipt::new(Fixture::theirs("ref"), Status::Delivered)],
        ..fixture.work()
    };
    let worked = fixture.store.work_off(work.clone()).await.unwrap();
    assert_eq!(worked.receipts, Applied { changes: 1, ..Applied::default() });
    assert!(fixture.waiting(0, &[]).await.is_empty());
    let depth = fixture.store.inbox_depth().await.unwrap();
    assert_eq!(depth, InboxDepth { waiting: 0, oldest: None, unreadable: 1 });

    // A crash after the commit and before anybody knew of it.
    fixture.store.work_off(work).await.unwrap();
    assert_eq!(fixture.statuses(), [Status::Accepted, Status::Delivered], "done again, it changes nothing");
    assert!(!fixture.store.prune_inbox(NOW).await.unwrap());
    assert_eq!(fixture.store.inbox_depth().await.unwrap().unreadable, 1);
    fixture.store.prune_inbox(NOW + HOUR).await.unwrap();
    assert_eq!(fixture.store.inbox_depth().await.unwrap().unreadable, 0);
}
