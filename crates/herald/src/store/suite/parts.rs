//! Messages of several parts, and how customers can be reached.

use super::*;
use herald_rules::{
    admission::{Reach, Suppressed},
    reason::Reason,
};

fn ours(queued: &Queued, part: u16, status: Status) -> Receipt {
    Receipt { part, ..Receipt::new(Reference::Ours(queued.message.id), status) }
}

impl Fixture {
    async fn accept_parts(&self, parts: u16) -> Queued {
        let new = self.new_message("1", |message| message.parts = parts);
        assert_eq!(self.store.accept(vec![new]).await.unwrap(), [Accepted::New]);
        self.heard.arrived.lock().unwrap().last().unwrap().clone()
    }

    /// The provider takes a part; the message with its next one.
    async fn part_accepted(&self, queued: &Queued, reference: &str) -> Queued {
        let reference = Some(ProviderReference { text: reference.into(), named_by_receipts: true });
        let next = Queued { part: queued.part + 1, attempt: 0, ..queued.clone() };
        self.record(queued, vec![], Recorded::PartAccepted { reference, next: Box::new(next.clone()) }).await;
        next
    }

    async fn receipts(&self, receipts: Vec<Receipt>) -> Applied {
        self.store.apply(self.department, self.channel, receipts, NOW).await.unwrap()
    }

    async fn sql(&self, sql: &'static str) {
        self.store.sqlite().write(move |writing| Ok(writing.connection.execute_batch(sql)?)).await.unwrap();
    }
}

#[tokio::test]
async fn a_message_is_as_far_as_its_parts() {
    let fixture = Fixture::new().await;
    let first = fixture.accept_parts(2).await;
    fixture.claim(1, vec![first.clone()]).await;
    let second = fixture.part_accepted(&first, "a").await;
    assert_eq!((fixture.statuses(), fixture.queued().await), (vec![], 1));
    let page = fixture.store.head(fixture.department, fixture.lane, Priority::Transactional, 0, 10).await.unwrap();
    assert_eq!(page.messages[0].part, 1, "the next part stands where the first stood");
    // A receipt for the first, by our id and by theirs, moves nothing yet.
    fixture.receipts(vec![ours(&first, 0, Status::Delivered)]).await;
    fixture.receipt(Fixture::theirs("a"), Status::Read).await;
    assert_eq!(fixture.statuses(), []);
    fixture.claim(2, vec![second.clone()]).await;
    fixture.accepted_as(&second, "b").await;
    assert_eq!((fixture.statuses(), fixture.queued().await), (vec![Status::Accepted], 0));
    fixture.receipt(Fixture::theirs("b"), Status::Delivered).await;
    fixture.receipt(Fixture::theirs("b"), Status::Read).await;
    assert_eq!(fixture.statuses(), [Status::Accepted, Status::Delivered, Status::Read]);
}

#[tokio::test]
async fn a_failed_part_ends_the_message_and_the_rest_is_not_sent() {
    let fixture = Fixture::new().await;
    let first = fixture.accept_parts(3).await;
    let second = fixture.part_accepted(&first, "a").await;
    fixture.receipts(vec![ours(&first, 0, Status::Failed)]).await;
    assert_eq!(fixture.statuses(), [Status::Failed]);
    let story = fixture.store.story(fixture.department, first.message.id).await.unwrap().unwrap();
    assert_eq!(story.changes[0].cause.as_ref().unwrap().reason, Reason::PartFailed);
    assert_eq!(fixture.claim(2, vec![second]).await.dropped, [first.message.id]);
    assert_eq!(fixture.queued().await, 0);
}

#[tokio::test]
async fn a_refused_first_part_is_a_refusal_and_a_later_one_a_failure() {
    for (accepted, status) in [(false, Status::Rejected), (true, Status::Failed)] {
        let fixture = Fixture::new().await;
        let mut queued = fixture.accept_parts(2).await;
        if accepted {
            queued = fixture.part_accepted(&queued, "a").await;
        }
        fixture.record(&queued, vec![], Recorded::Rejected(Reason::FileRefused.into())).await;
        assert_eq!((fixture.statuses(), fixture.queued().await), (vec![status], 0));
    }
}

#[tokio::test]
async fn a_part_of_unknown_outcome_is_found_by_its_receipt_and_the_next_goes() {
    let fixture = Fixture::new().await;
    let first = fixture.accept_parts(2).await;
    fixture.claim(1, vec![first.clone()]).await;
    let fixture = fixture.reopened().await;
    let recovered = fixture.store.recover(fixture.owned(), NOW, HOUR).await.unwrap();
    assert_eq!(recovered.checking.len(), 1);
    fixture.receipts(vec![ours(&first, 0, Status::Accepted)]).await;
    let next = fixture.heard.arrived.lock().unwrap().last().unwrap().clone();
    assert_eq!((next.message.id, next.part), (first.message.id, 1));
    assert!(fixture.store.checking(fixture.department, fixture.lane, 10).await.unwrap().is_empty());
    assert_eq!((fixture.statuses(), fixture.queued().await), (vec![], 1));
}

#[tokio::test]
async fn what_has_left_in_part_cannot_be_cancelled() {
    let fixture = Fixture::new().await;
    let first = fixture.accept_parts(2).await;
    fixture.part_accepted(&first, "a").await;
    let cancelled = fixture.store.cancel(fixture.department, first.message.id, NOW).await.unwrap();
    assert_eq!(cancelled, Cancelled::TooLate(Status::Pending));
}

#[tokio::test]
async fn a_claim_tells_how_customers_can_be_reached() {
    let fixture = Fixture::new().await;
    let queued = fixture.accept("4930").await;
    assert_eq!(fixture.claim(1, vec![queued]).await.reach.len(), 0);
    fixture.sql("INSERT INTO open_window (lane, customer, until) SELECT lane, '4930', 5 FROM lane").await;
    let queued = fixture.accept("4930").await;
    let reach = Reach { window_until: Some(Timestamp(5)), suppressed: None };
    assert_eq!(fixture.claim(2, vec![queued.clone()]).await.reach[&queued.message.id], reach);
    fixture
        .sql(
            "INSERT INTO suppression (department, customer, channel, kind, source, at)
             SELECT department, '4930', channel, 'marketing', 'provider', 1 FROM channel",
        )
        .await;
    // A restart, as the writer keeps in memory that there was none.
    let fixture = fixture.reopened().await;
    let queued = fixture.accept("4930").await;
    let reach = Reach { suppressed: Some(Suppressed::Marketing), ..reach };
    assert_eq!(fixture.claim(3, vec![queued.clone()]).await.reach[&queued.message.id], reach);
}

#[tokio::test]
async fn a_number_with_two_spellings_is_one_customer() {
    let fixture = Fixture::new().await;
    // The customer wrote and opted out as WhatsApp writes the number; the message goes to the number with its 9.
    fixture.sql("INSERT INTO open_window (lane, customer, until) SELECT lane, '551187654321', 5 FROM lane").await;
    fixture
        .sql(
            "INSERT INTO suppression (department, customer, channel, kind, source, at)
             SELECT department, '551187654321', 0, 'all', 'api', 1 FROM department",
        )
        .await;
    let queued = fixture.accept("5511987654321").await;
    let expected = Reach { window_until: Some(Timestamp(5)), suppressed: Some(Suppressed::All) };
    assert_eq!(fixture.claim(1, vec![queued.clone()]).await.reach[&queued.message.id], expected);
    let (department, channel, lane) = (fixture.department, fixture.channel, fixture.lane);
    assert_eq!(fixture.store.reach(department, channel, lane, "5511987654321").await.unwrap(), expected);
}

#[tokio::test]
async fn a_receipt_quicker_than_the_lost_answer_lets_the_next_part_go() {
    for parts in [2, 1] {
        let fixture = Fixture::new().await;
        let first = fixture.accept_parts(parts).await;
        fixture.claim(1, vec![first.clone()]).await;
        fixture.receipts(vec![ours(&first, 0, Status::Delivered)]).await;
        let cause = Reason::ProviderTimeout.into();
        fixture.record(&first, vec![1], Recorded::Unknown { deadline: NOW + HOUR, cause }).await;
        assert!(fixture.store.checking(fixture.department, fixture.lane, 10).await.unwrap().is_empty());
        let next = fixture.heard.arrived.lock().unwrap().last().unwrap().clone();
        assert_eq!((next.part, fixture.queued().await), if parts == 2 { (1, 1) } else { (0, 0) });
    }
}

#[tokio::test]
async fn a_part_that_was_never_claimed_is_not_taken_for_called_after_a_crash() {
    let fixture = Fixture::new().await;
    let (first, other) = (fixture.accept_parts(2).await, fixture.accept("2").await);
    // The claim stays open for the other message when the first has its answer.
    fixture.claim(1, vec![first.clone(), other.clone()]).await;
    fixture.part_accepted(&first, "a").await;
    let fixture = fixture.reopened().await;
    let recovered = fixture.store.recover(fixture.owned(), NOW, HOUR).await.unwrap();
    let checked: Vec<_> = recovered.checking.iter().map(|checking| checking.message.id).collect();
    assert_eq!(checked, [other.message.id]);
    let page = fixture.store.head(fixture.department, fixture.lane, Priority::Transactional, 0, 10).await.unwrap();
    assert_eq!(
        (page.messages[0].message.id, page.messages[0].part),
        (first.message.id, 1),
        "it goes as if nothing had been"
    );
}

#[tokio::test]
async fn what_was_proved_meanwhile_is_neither_given_up_nor_sent_again() {
    for again in [false, true] {
        let fixture = Fixture::new().await;
        let first = fixture.accept_parts(2).await;
        fixture.claim(1, vec![first.clone()]).await;
        let fixture = fixture.reopened().await;
        let mut checking = fixture.store.recover(fixture.owned(), NOW, HOUR).await.unwrap().checking;
        // Behind the back of the search, as if the receipt had come between its look and its decision.
        fixture.sql("UPDATE part SET status = 2 WHERE part = 0").await;
        let resolution = match again {
            true => Resolution::SendAgain { possible_duplicate: true },
            false => Resolution::GivenUp(Reason::OutcomeUnknown),
        };
        let channel = fixture.channel;
        let resolved = fixture.store.resolve(fixture.owned(), channel, checking.remove(0), resolution, NOW).await;
        assert!(resolved.unwrap().is_none());
        let next = fixture.heard.arrived.lock().unwrap().last().unwrap().clone();
        assert_eq!((next.part, fixture.statuses()), (1, vec![]));
    }
}
