//! The way through a lane: scheduled, claimed, tried again, cancelled, orphaned.

use super::*;
use herald_rules::reason::Reason;

on_both_engines! {
    a_scheduled_message_stands_where_its_moment_came,
    a_retry_comes_back_to_its_place_with_its_tries,
    a_claim_without_an_outcome_is_checked_after_a_restart_and_nothing_else_is,
    a_guess_that_the_provider_confirms_is_no_longer_corrected,
    sent_again_is_marked_in_every_status_after,
    cancelling_wins_only_before_the_claim,
    another_try_of_what_a_receipt_has_proved_is_dropped,
    who_was_written_to_lately_is_found_in_the_log,
}

async fn a_scheduled_message_stands_where_its_moment_came(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let due = NOW + HOUR;
    let scheduled = fixture.new_message("1", |message| message.send_at = Some(due));
    let id = scheduled.message.id;
    fixture.store.accept(vec![scheduled]).await.unwrap();
    let before = fixture.accept("1").await;
    assert_eq!(*fixture.heard.scheduled.lock().unwrap(), [due]);
    assert_eq!(fixture.head(Priority::Transactional).await, [before.message.id]);

    let early = fixture.store.due(fixture.owned(), NOW, 10).await.unwrap();
    assert!(early.returned.is_empty() && early.complete);
    assert_eq!(early.next, Some(due));
    assert_eq!(fixture.heard.arrived.lock().unwrap().len(), 1);
    let moved = fixture.store.due(fixture.owned(), due, 10).await.unwrap();
    assert!(moved.returned.is_empty());
    assert_eq!(moved.next, None);
    let heard: Vec<_> = fixture.heard.arrived.lock().unwrap().iter().map(|queued| queued.place.position).collect();
    assert!(heard.len() == 2 && heard[0] < heard[1], "told like an arrival, in its place: {heard:?}");
    assert_eq!(fixture.head(Priority::Transactional).await, [before.message.id, id], "behind who came meanwhile");
}

async fn a_retry_comes_back_to_its_place_with_its_tries(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (first, second) = (fixture.accept("1").await, fixture.accept("2").await);
    fixture.claim(1, vec![first.clone()]).await;
    let cause = Reason::ProviderUnavailable.into();
    fixture.record(&first, vec![1], Recorded::Again { due: NOW + HOUR, cause }).await;
    assert_eq!(fixture.head(Priority::Transactional).await, [second.message.id]);
    assert_eq!(fixture.queued().await, 2, "it still waits");

    let fixture = fixture.reopened().await;
    let recovered = fixture.store.recover(fixture.owned(), NOW, NOW, HOUR).await.unwrap();
    let held = HeldBefore {
        customer: "1".to_owned(),
        priority: Priority::Transactional,
        until: NOW + HOUR,
        reason: Some(Reason::ProviderUnavailable),
    };
    assert_eq!(recovered.held, [held]);
    assert!(recovered.checking.is_empty());
    let back = fixture.store.due(fixture.owned(), NOW + HOUR, 10).await.unwrap();
    assert_eq!(back.returned[0].attempt, 1);
    assert_eq!(fixture.head(Priority::Transactional).await, [first.message.id, second.message.id]);
    assert!(fixture.statuses().is_empty(), "waiting is no change of status");
}

async fn a_claim_without_an_outcome_is_checked_after_a_restart_and_nothing_else_is(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (known, unknown, never) = (fixture.accept("1").await, fixture.accept("2").await, fixture.accept("3").await);
    fixture.claim(1, vec![known.clone(), unknown.clone()]).await;
    fixture.record(&known, vec![], Recorded::Rejected(Reason::ContentRefused.into())).await;

    let fixture = fixture.reopened().await;
    let recovered = fixture.store.recover(fixture.owned(), NOW, NOW, HOUR).await.unwrap();
    let ids: Vec<_> = recovered.checking.iter().map(|checking| checking.message.id).collect();
    assert_eq!(ids, [unknown.message.id]);
    assert_eq!(recovered.checking[0].deadline, NOW + HOUR);
    assert_eq!(fixture.head(Priority::Transactional).await, [never.message.id], "it is not sent again meanwhile");

    // Given up: one status, and the queue is shorter by one.
    let checking = recovered.checking[0].clone();
    let given_up = Resolution::GivenUp(Reason::OutcomeUnknown);
    let resolve =
        |checking, resolution| fixture.store.resolve(fixture.owned(), fixture.channel, checking, resolution, NOW);
    assert!(resolve(checking.clone(), given_up.clone()).await.unwrap().is_none());
    assert!(resolve(checking, given_up).await.unwrap().is_none(), "a second answer changes nothing");
    assert_eq!(fixture.statuses(), [Status::Failed]);
    assert_eq!(fixture.queued().await, 1);
    // It was a guess of ours: a receipt corrects it.
    fixture.receipt(Reference::Ours(unknown.message.id), Status::Delivered).await;
    assert_eq!(fixture.statuses(), [Status::Failed, Status::Delivered]);
}

async fn a_guess_that_the_provider_confirms_is_no_longer_corrected(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.claim(1, vec![queued.clone()]).await;
    let cause = Reason::ProviderTimeout.into();
    fixture.record(&queued, vec![1], Recorded::Unknown { deadline: NOW, cause }).await;
    let checking = fixture.store.checking(fixture.department, fixture.lane, 10).await.unwrap().remove(0);
    let given_up = Resolution::GivenUp(Reason::OutcomeUnknown);
    let channel = fixture.channel;
    fixture.store.resolve(fixture.owned(), channel, checking, given_up, NOW).await.unwrap();
    // In the wrong order: the acceptance is older than the failure.
    for status in [Status::Failed, Status::Accepted] {
        fixture.receipt(Reference::Ours(queued.message.id), status).await;
    }
    assert_eq!(fixture.statuses(), [Status::Failed]);
}

async fn sent_again_is_marked_in_every_status_after(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.claim(1, vec![queued.clone()]).await;
    let cause = Reason::ProviderTimeout.into();
    fixture.record(&queued, vec![1], Recorded::Unknown { deadline: NOW, cause }).await;
    let checking = fixture.store.checking(fixture.department, fixture.lane, 10).await.unwrap().remove(0);
    let again = Resolution::SendAgain { possible_duplicate: true };
    let channel = fixture.channel;
    let again = fixture.store.resolve(fixture.owned(), channel, checking, again, NOW).await.unwrap().unwrap();
    assert!(again.resent);
    assert_eq!((again.attempt, again.place), (1, queued.place));
    fixture.claim(2, vec![again.clone()]).await;
    fixture.accepted_as(&again, "ref").await;
    fixture.receipt(Fixture::theirs("ref"), Status::Delivered).await;
    let story = fixture.store.story(fixture.department, queued.message.id).await.unwrap().unwrap();
    let marked: Vec<_> = story.changes.iter().map(|step| (step.status, step.possible_duplicate)).collect();
    assert_eq!(marked, [(Status::Accepted, true), (Status::Delivered, true)]);
}

async fn cancelling_wins_only_before_the_claim(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (waiting, claimed) = (fixture.accept("1").await, fixture.accept("2").await);
    fixture.claim(1, vec![claimed.clone()]).await;
    let cancel = |id| fixture.store.cancel(fixture.department, id, NOW);
    assert_eq!(cancel(claimed.message.id).await.unwrap(), Cancelled::TooLate(Status::Pending));
    assert!(matches!(cancel(waiting.message.id).await.unwrap(), Cancelled::Done(_)));
    assert_eq!(cancel(waiting.message.id).await.unwrap(), Cancelled::TooLate(Status::Rejected));
    assert_eq!(cancel(MessageId::new()).await.unwrap(), Cancelled::NotFound);
    assert_eq!(fixture.statuses(), [Status::Rejected]);
    // The lane held it in memory and claims it all the same: the claim drops it.
    let dropped = fixture.claim(2, vec![waiting.clone()]).await.dropped;
    assert_eq!(dropped, [waiting.message.id]);
    assert_eq!(fixture.queued().await, 1);
}

async fn another_try_of_what_a_receipt_has_proved_is_dropped(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.claim(1, vec![queued.clone()]).await;
    let cause = Reason::ProviderError.into();
    fixture.record(&queued, vec![1], Recorded::Again { due: NOW, cause }).await;
    // The provider answered with an error and sent the message all the same.
    fixture.receipt(Reference::Ours(queued.message.id), Status::Delivered).await;
    let back = fixture.store.due(fixture.owned(), NOW, 10).await.unwrap().returned;
    assert_eq!(fixture.claim(2, back).await.dropped, [queued.message.id]);
    assert_eq!(fixture.queued().await, 0);
}

async fn who_was_written_to_lately_is_found_in_the_log(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    for to in ["1", "2", "1"] {
        let queued = fixture.accept(to).await;
        fixture.record(&queued, vec![], Recorded::Accepted { reference: None }).await;
    }
    let (department, lane) = (fixture.department, fixture.lane);
    let mut sent = fixture.store.recent_customers(department, lane, NOW).await.unwrap();
    sent.sort();
    assert_eq!(sent, [("1".to_owned(), NOW), ("1".to_owned(), NOW), ("2".to_owned(), NOW)]);
    let later = NOW + Duration::from_secs(1);
    assert!(fixture.store.recent_customers(department, lane, later).await.unwrap().is_empty());
}
