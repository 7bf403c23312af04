//! Messages of several parts, and how customers can be reached.

use super::*;
use herald_rules::{
    admission::{Reach, Suppressed},
    reason::Reason,
};

on_both_engines! {
    a_message_is_as_far_as_its_parts,
    a_failed_part_ends_the_message_and_the_rest_is_not_sent,
    a_refused_first_part_is_a_refusal_and_a_later_one_a_failure,
    a_part_of_unknown_outcome_is_found_by_its_receipt_and_the_next_goes,
    what_has_left_in_part_cannot_be_cancelled,
    a_claim_tells_how_customers_can_be_reached,
    a_number_with_two_spellings_is_one_customer,
    a_receipt_quicker_than_the_lost_answer_lets_the_next_part_go,
    a_part_that_was_never_claimed_is_not_taken_for_called_after_a_crash,
    what_was_proved_meanwhile_is_neither_given_up_nor_sent_again,
}

fn ours(queued: &Queued, part: u16, status: Status) -> Receipt {
    Receipt { part, ..Receipt::new(Reference::Ours(queued.message.id), status) }
}

impl Fixture {
    pub(super) async fn accept_parts(&self, parts: u16) -> Queued {
        let new = self.new_message("1", |message| message.parts = parts);
        assert_eq!(self.store.accept(vec![new]).await.unwrap(), [Accepted::New]);
        self.heard.arrived.lock().unwrap().last().unwrap().clone()
    }

    /// The provider takes a part; the message with its next one.
    pub(super) async fn part_accepted(&self, queued: &Queued, reference: &str) -> Queued {
        let reference = Some(ProviderReference { text: reference.into(), named_by_receipts: true });
        let next = Queued { part: queued.part + 1, attempt: 0, ..queued.clone() };
        self.record(queued, vec![], Recorded::PartAccepted { reference, next: Box::new(next.clone()) }).await;
        next
    }

    async fn receipts(&self, receipts: Vec<Receipt>) -> Applied {
        self.store.apply(self.department, self.channel, receipts, NOW).await.unwrap()
    }

    /// The customer has written, which opens a window.
    async fn opens_window(&self, customer: &str, until: Timestamp) {
        let mut message = inbound::inbound(customer, |inbound| inbound.from = customer.into());
        message.opens_window = Some(Duration::from_micros((until.0 - NOW.0).unsigned_abs()));
        self.customers_write(vec![message], NOW).await;
    }

    async fn suppress(&self, customer: &str, channel: Option<ChannelRow>, kind: SuppressionKind) {
        let suppression = Suppression { customer: customer.into(), channel, kind, source: "api".into(), at: NOW };
        self.store.suppress(self.department, suppression).await.unwrap();
    }
}

async fn a_message_is_as_far_as_its_parts(engine: Engine) {
    let fixture = Fixture::new(engine).await;
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

async fn a_failed_part_ends_the_message_and_the_rest_is_not_sent(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let first = fixture.accept_parts(3).await;
    let second = fixture.part_accepted(&first, "a").await;
    fixture.receipts(vec![ours(&first, 0, Status::Failed)]).await;
    assert_eq!(fixture.statuses(), [Status::Failed]);
    let story = fixture.store.story(fixture.department, first.message.id).await.unwrap().unwrap();
    assert_eq!(story.changes[0].cause.as_ref().unwrap().reason, Reason::PartFailed);
    assert_eq!(fixture.claim(2, vec![second]).await.dropped, [first.message.id]);
    assert_eq!(fixture.queued().await, 0);
}

async fn a_refused_first_part_is_a_refusal_and_a_later_one_a_failure(engine: Engine) {
    for (accepted, status) in [(false, Status::Rejected), (true, Status::Failed)] {
        let fixture = Fixture::new(engine).await;
        let mut queued = fixture.accept_parts(2).await;
        if accepted {
            queued = fixture.part_accepted(&queued, "a").await;
        }
        fixture.record(&queued, vec![], Recorded::Rejected(Reason::FileRefused.into())).await;
        assert_eq!((fixture.statuses(), fixture.queued().await), (vec![status], 0));
    }
}

async fn a_part_of_unknown_outcome_is_found_by_its_receipt_and_the_next_goes(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let first = fixture.accept_parts(2).await;
    fixture.claim(1, vec![first.clone()]).await;
    let fixture = fixture.reopened().await;
    let recovered = fixture.store.recover(fixture.owned(), NOW, NOW, HOUR).await.unwrap();
    assert_eq!(recovered.checking.len(), 1);
    fixture.receipts(vec![ours(&first, 0, Status::Accepted)]).await;
    let next = fixture.heard.arrived.lock().unwrap().last().unwrap().clone();
    assert_eq!((next.message.id, next.part), (first.message.id, 1));
    assert!(fixture.store.checking(fixture.department, fixture.lane, 10).await.unwrap().is_empty());
    assert_eq!((fixture.statuses(), fixture.queued().await), (vec![], 1));
}

async fn what_has_left_in_part_cannot_be_cancelled(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let first = fixture.accept_parts(2).await;
    fixture.part_accepted(&first, "a").await;
    let cancelled = fixture.store.cancel(fixture.department, first.message.id, NOW).await.unwrap();
    assert_eq!(cancelled, Cancelled::TooLate(Status::Pending));
}

async fn a_claim_tells_how_customers_can_be_reached(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("4930").await;
    assert_eq!(fixture.claim(1, vec![queued]).await.reach.len(), 0);
    let until = NOW + HOUR;
    fixture.opens_window("4930", until).await;
    let queued = fixture.accept("4930").await;
    let reach = Reach { window_until: Some(until), suppressed: None };
    assert_eq!(fixture.claim(2, vec![queued.clone()]).await.reach[&queued.message.id], reach);
    fixture.suppress("4930", Some(fixture.channel), Suppressed::Marketing).await;
    let queued = fixture.accept("4930").await;
    let reach = Reach { suppressed: Some(Suppressed::Marketing), ..reach };
    assert_eq!(fixture.claim(3, vec![queued.clone()]).await.reach[&queued.message.id], reach);
    // What an engine knows of it by heart, it knows after a restart as well.
    let fixture = fixture.reopened().await;
    let (queued, other) = (fixture.accept("4930").await, fixture.accept("4931").await);
    let claimed = fixture.claim(4, vec![queued.clone(), other.clone()]).await;
    assert_eq!(claimed.reach[&queued.message.id], reach);
    assert_eq!(claimed.reach.get(&other.message.id), None);
}

async fn a_number_with_two_spellings_is_one_customer(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    // The customer wrote and opted out as WhatsApp writes the number; the message goes to the number with its 9.
    let until = NOW + HOUR;
    fixture.opens_window("551187654321", until).await;
    fixture.suppress("551187654321", None, Suppressed::All).await;
    let queued = fixture.accept("5511987654321").await;
    let expected = Reach { window_until: Some(until), suppressed: Some(Suppressed::All) };
    assert_eq!(fixture.claim(1, vec![queued.clone()]).await.reach[&queued.message.id], expected);
    let (department, channel, lane) = (fixture.department, fixture.channel, fixture.lane);
    assert_eq!(fixture.store.reach(department, channel, lane, "5511987654321").await.unwrap(), expected);
}

async fn a_receipt_quicker_than_the_lost_answer_lets_the_next_part_go(engine: Engine) {
    for parts in [2, 1] {
        let fixture = Fixture::new(engine).await;
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

async fn a_part_that_was_never_claimed_is_not_taken_for_called_after_a_crash(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (first, other) = (fixture.accept_parts(2).await, fixture.accept("2").await);
    // The claim stays open for the other message when the first has its answer.
    fixture.claim(1, vec![first.clone(), other.clone()]).await;
    fixture.part_accepted(&first, "a").await;
    let fixture = fixture.reopened().await;
    let recovered = fixture.store.recover(fixture.owned(), NOW, NOW, HOUR).await.unwrap();
    let checked: Vec<_> = recovered.checking.iter().map(|checking| checking.message.id).collect();
    assert_eq!(checked, [other.message.id]);
    let page = fixture.store.head(fixture.department, fixture.lane, Priority::Transactional, 0, 10).await.unwrap();
    assert_eq!(
        (page.messages[0].message.id, page.messages[0].part),
        (first.message.id, 1),
        "it goes as if nothing had been"
    );
}

async fn what_was_proved_meanwhile_is_neither_given_up_nor_sent_again(engine: Engine) {
    for again in [false, true] {
        let fixture = Fixture::new(engine).await;
        let first = fixture.accept_parts(2).await;
        fixture.claim(1, vec![first.clone()]).await;
        let fixture = fixture.reopened().await;
        let mut checking = fixture.store.recover(fixture.owned(), NOW, NOW, HOUR).await.unwrap().checking;
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
