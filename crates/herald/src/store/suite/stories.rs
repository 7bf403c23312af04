//! What became of a message, as it is read back: one with its story, or a page of many.

use super::*;
use herald_rules::reason::{Cause, Reason};

on_both_engines! {
    a_story_tells_tries_search_and_changes_in_order,
    a_story_of_several_parts_tells_of_each,
    a_story_is_its_departments_own,
    an_equal_request_finds_its_answer,
    pages_go_down_in_time_and_join_without_gap,
    conditions_of_a_list_hold_together,
    a_list_looks_at_no_more_than_it_may,
}

impl Fixture {
    async fn story(&self, id: MessageId) -> Story {
        self.store.story(self.department, id).await.unwrap().unwrap()
    }

    fn list_filter(&self) -> MessageFilter {
        MessageFilter {
            department: self.department,
            lanes: None,
            to: None,
            status: None,
            since: None,
            until: None,
            before: None,
            limit: 100,
            look_at: 1_000,
        }
    }

    async fn list(&self, filter: MessageFilter) -> Vec<MessageId> {
        let page = self.store.list(filter).await.unwrap();
        page.messages.into_iter().map(|summary| summary.message.id).collect()
    }

    /// Accepts a message of a moment, whose id says so.
    async fn accept_at(&self, at: Timestamp, to: &str) -> MessageId {
        let new = self.new_message(to, |message| {
            (message.id, message.accepted_at) = (MessageId::received_at(at, 0), at);
        });
        let id = new.message.id;
        self.store.accept(vec![new]).await.unwrap();
        id
    }
}

async fn a_story_tells_tries_search_and_changes_in_order(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    let id = queued.message.id;
    let fresh = fixture.story(id).await;
    assert_eq!((fresh.lane, &*fresh.message), (fixture.lane, &*queued.message));
    assert!(fresh.changes.is_empty() && fresh.notes.is_empty() && fresh.parts.is_empty() && fresh.checking.is_none());

    let throttled = Cause { provider_code: Some("429".into()), ..Reason::ProviderUnavailable.into() };
    fixture.claim(1, vec![queued.clone()]).await;
    fixture.record(&queued, vec![1], Recorded::Again { due: NOW, cause: throttled.clone() }).await;
    let again = fixture.store.due(fixture.owned(), NOW, 1).await.unwrap().returned.remove(0);
    let (deadline, cause) = (NOW + HOUR, Cause::from(Reason::ProviderTimeout));
    fixture.claim(2, vec![again.clone()]).await;
    fixture.record(&again, vec![2], Recorded::Unknown { deadline, cause: cause.clone() }).await;
    let searched = fixture.story(id).await;
    let checking = searched.checking.unwrap();
    assert_eq!((checking.since, checking.deadline), (NOW, deadline));
    let notes: Vec<_> = searched.notes.iter().map(|note| (note.kind.as_str(), note.cause.clone())).collect();
    assert_eq!(notes, [("try", Some(throttled)), ("checking", Some(cause))]);
    assert!(searched.notes.iter().all(|note| note.at == NOW && note.status.is_none()));

    let checking = fixture.store.checking(fixture.department, fixture.lane, 1).await.unwrap().remove(0);
    let reference = Some(ProviderReference { text: "ref".into(), named_by_receipts: true });
    let found = Resolution::Found { reference, status: Status::Accepted };
    let resolved = fixture.store.resolve(fixture.owned(), fixture.channel, checking, found, NOW + HOUR).await;
    assert!(resolved.unwrap().is_none());
    let failed = Receipt {
        at: Some(NOW + 2 * HOUR),
        cause: Some(Cause { provider_text: Some("No.".into()), ..Reason::ContentRefused.into() }),
        ..Receipt::new(Fixture::theirs("ref"), Status::Failed)
    };
    fixture.store.apply(fixture.department, fixture.channel, vec![failed], NOW).await.unwrap();
    let fixture = fixture.reopened().await;
    let story = fixture.story(id).await;
    assert!(story.checking.is_none());
    let changes: Vec<_> = story.changes.iter().map(|step| (step.status, step.at, step.possible_duplicate)).collect();
    assert_eq!(changes, [(Status::Accepted, NOW + HOUR, false), (Status::Failed, NOW + 2 * HOUR, false)]);
    assert_eq!(story.changes[0].cause, None);
    let cause = story.changes[1].cause.as_ref().unwrap();
    assert_eq!((cause.reason, cause.provider_text.as_deref()), (Reason::ContentRefused, Some("No.")));
}

async fn a_story_of_several_parts_tells_of_each(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept_parts(2).await;
    fixture.claim(1, vec![queued.clone()]).await;
    let next = fixture.part_accepted(&queued, "a").await;
    fixture.claim(2, vec![next.clone()]).await;
    fixture.record(&next, vec![2], Recorded::Rejected(Reason::FileRefused.into())).await;
    let parts = fixture.story(queued.message.id).await.parts;
    let statuses: Vec<_> = parts.iter().map(|part| (part.part.status, part.at)).collect();
    assert_eq!(statuses, [(Status::Accepted, NOW), (Status::Rejected, NOW)]);
    assert_eq!(parts[1].part.cause.as_ref().map(|cause| cause.reason), Some(Reason::FileRefused));
}

async fn a_story_is_its_departments_own(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    let other = fixture.store.add_department(new_department()).await.unwrap();
    assert!(fixture.store.story(other, queued.message.id).await.unwrap().is_none());
    assert!(fixture.store.story(fixture.department, MessageId::new()).await.unwrap().is_none());
    assert_eq!(fixture.store.cancel(other, queued.message.id, NOW).await.unwrap(), Cancelled::NotFound);
    assert!(fixture.list(MessageFilter { department: other, ..fixture.list_filter() }).await.is_empty());
}

async fn an_equal_request_finds_its_answer(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let idempotency = Idempotency { key_hash: [1; 16], body_hash: [2; 16], warnings: "[\"w\"]".into() };
    let new = NewMessage { idempotency: Some(idempotency), ..fixture.new_message("1", |_| {}) };
    let message = new.message.clone();
    fixture.store.accept(vec![new]).await.unwrap();
    let answered =
        async |department, key: u8, body: u8| fixture.store.answered(department, [key; 16], [body; 16]).await.unwrap();
    assert_eq!(answered(fixture.department, 1, 2).await, Some((message, "[\"w\"]".to_owned())));
    assert_eq!(answered(fixture.department, 1, 3).await, None);
    assert_eq!(answered(fixture.department, 2, 2).await, None);
    assert_eq!(answered(fixture.department + 1, 1, 2).await, None);
}

async fn pages_go_down_in_time_and_join_without_gap(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let mut ids = Vec::new();
    for hour in 0..7_u32 {
        ids.push(fixture.accept_at(NOW + HOUR * hour, "1").await);
    }
    let mut filter = MessageFilter { limit: 3, ..fixture.list_filter() };
    let mut seen = Vec::new();
    loop {
        let page = fixture.store.list(filter.clone()).await.unwrap();
        assert!(page.messages.len() <= 3);
        seen.extend(page.messages.into_iter().map(|summary| summary.message.id));
        filter.before = page.next;
        if filter.before.is_none() {
            break;
        }
    }
    ids.reverse();
    assert_eq!(seen, ids);
}

async fn conditions_of_a_list_hold_together(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let other = fixture.another_lane("15550100201").await;
    let mut ids = Vec::new();
    for hour in 0..4_u32 {
        ids.push(fixture.accept_at(NOW + HOUR * hour, if hour % 2 == 0 { "1" } else { "2" }).await);
    }
    let elsewhere = fixture.event_in(other).await;
    let head = fixture.store.head(fixture.department, fixture.lane, Priority::Transactional, 0, 10).await.unwrap();
    fixture.accepted_as(&head.messages[0], "a").await;
    fixture.accepted_as(&head.messages[1], "b").await;
    fixture.receipt(Fixture::theirs("b"), Status::Delivered).await;

    let filter = || MessageFilter { lanes: Some(vec![fixture.lane]), ..fixture.list_filter() };
    assert_eq!(fixture.list(filter()).await, [ids[3], ids[2], ids[1], ids[0]]);
    assert_eq!(fixture.list(MessageFilter { lanes: Some(vec![other]), ..filter() }).await, [elsewhere]);
    assert!(fixture.list(MessageFilter { lanes: Some(vec![]), ..filter() }).await.is_empty());
    assert_eq!(fixture.list(MessageFilter { to: Some("1".into()), ..filter() }).await, [ids[2], ids[0]]);
    let status = |status| MessageFilter { status: Some(status), ..filter() };
    assert_eq!(fixture.list(status(Status::Pending)).await, [ids[3], ids[2]]);
    assert_eq!(fixture.list(status(Status::Accepted)).await, [ids[0]], "as it stands now");
    assert_eq!(fixture.list(status(Status::Delivered)).await, [ids[1]]);
    let (since, until) = (Some(NOW + HOUR), Some(NOW + 3 * HOUR));
    assert_eq!(fixture.list(MessageFilter { since, until, ..filter() }).await, [ids[2], ids[1]]);
    let both = MessageFilter { since, until, to: Some("2".into()), ..status(Status::Delivered) };
    assert_eq!(fixture.list(both).await, [ids[1]]);
    let page = fixture.store.list(status(Status::Delivered)).await.unwrap();
    let (summary, last) = (&page.messages[0], page.messages[0].last.as_ref().unwrap());
    assert_eq!((summary.lane, summary.message.to.as_str(), last.status), (fixture.lane, "2", Status::Delivered));
    let pending = fixture.store.list(status(Status::Pending)).await.unwrap();
    assert!(pending.messages.iter().all(|summary| summary.last.is_none()));
}

async fn a_list_looks_at_no_more_than_it_may(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let mut ids = Vec::new();
    for hour in 0..6_u32 {
        ids.push(fixture.accept_at(NOW + HOUR * hour, if hour == 0 { "rare" } else { "1" }).await);
    }
    let mut filter = MessageFilter { to: Some("rare".into()), look_at: 4, ..fixture.list_filter() };
    let page = fixture.store.list(filter.clone()).await.unwrap();
    assert_eq!((page.messages.len(), page.next), (0, Some(ids[2])), "where to go on, though nothing was found");
    filter.before = page.next;
    assert_eq!(fixture.list(filter).await, [ids[0]]);
}
