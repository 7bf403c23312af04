//! What one message may need, fifty in one batch may need at once.

use super::*;

on_both_engines!(
    a_claim_of_nothing_but_cancelled_messages_drops_them_all,
    first_receipts_of_many_messages_are_applied_together,
    early_receipts_of_a_whole_batch_are_applied_with_it,
    many_that_were_given_up_are_corrected_together,
);

const MANY: usize = 50;

async fn accepted(fixture: &Fixture) -> Vec<Queued> {
    let mut queued = Vec::with_capacity(MANY);
    for number in 0..MANY {
        queued.push(fixture.accept(&number.to_string()).await);
    }
    queued
}

async fn a_claim_of_nothing_but_cancelled_messages_drops_them_all(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = accepted(&fixture).await;
    for queued in &queued {
        fixture.store.cancel(fixture.department, queued.message.id, NOW).await.unwrap();
    }
    assert_eq!(fixture.claim(1, queued).await.dropped.len(), MANY);
    assert_eq!(fixture.queued().await, 0);
}

async fn first_receipts_of_many_messages_are_applied_together(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = accepted(&fixture).await;
    let receipts = queued.iter().enumerate().map(|(number, queued)| Receipt {
        theirs: Some(format!("theirs-{number}")),
        ..Receipt::new(Reference::Ours(queued.message.id), Status::Delivered)
    });
    let Fixture { store, department, channel, .. } = &fixture;
    let applied = store.apply(*department, *channel, receipts.collect(), NOW).await.unwrap();
    assert_eq!(applied.changes as usize, MANY);
    let unknown = (0..MANY).map(|_| Receipt::new(Reference::Ours(MessageId::new()), Status::Delivered));
    let applied = store.apply(*department, *channel, unknown.collect(), NOW).await.unwrap();
    assert_eq!(applied.unknown as usize, MANY);
}

async fn early_receipts_of_a_whole_batch_are_applied_with_it(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = accepted(&fixture).await;
    fixture.claim(1, queued.clone()).await;
    let Fixture { store, department, channel, lane, .. } = &fixture;
    let text = |number: usize| format!("theirs-{number}");
    let receipts = (0..MANY).map(|number| Receipt::new(Reference::Theirs(text(number)), Status::Delivered));
    let applied = store.apply(*department, *channel, receipts.collect(), NOW).await.unwrap();
    assert_eq!(applied.early as usize, MANY);
    let ended = queued.iter().enumerate().map(|(number, queued)| Ended {
        id: queued.message.id,
        place: queued.place,
        attempt: 1,
        resent: false,
        part: 0,
        parts: 1,
        at: NOW,
        outcome: Recorded::Accepted {
            reference: Some(ProviderReference { text: text(number), named_by_receipts: true }),
        },
        claimed_as: Some(1),
    });
    let outcomes = Outcomes {
        department: *department,
        channel: *channel,
        lane: *lane,
        epoch: Epoch::default(),
        ended: ended.collect(),
        closed: vec![1],
        standings: vec![],
        daily_customers: None,
    };
    store.record(outcomes).await.unwrap();
    let delivered = fixture.statuses().into_iter().filter(|status| *status == Status::Delivered);
    assert_eq!(delivered.count(), MANY);
}

async fn many_that_were_given_up_are_corrected_together(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = accepted(&fixture).await;
    fixture.claim(1, queued.clone()).await;
    let Fixture { store, department, channel, .. } = &fixture;
    let recovered = store.recover(fixture.owned(), NOW, NOW, Duration::ZERO).await.unwrap();
    assert_eq!(recovered.checking.len(), MANY);
    for checking in recovered.checking {
        let given_up = Resolution::GivenUp(herald_rules::reason::Reason::OutcomeUnknown);
        store.resolve(fixture.owned(), *channel, checking, given_up, NOW).await.unwrap();
    }
    let receipts = queued.iter().map(|queued| Receipt::new(Reference::Ours(queued.message.id), Status::Delivered));
    let applied = store.apply(*department, *channel, receipts.collect(), NOW).await.unwrap();
    assert_eq!(applied.changes as usize, MANY);
}
