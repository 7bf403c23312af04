//! Receipts: in any order, any number of times, before and after what they belong to.

use super::*;

on_both_engines! {
    receipts_before_their_reference_wait_for_it,
    a_status_never_moves_backwards_and_none_is_told_twice,
    the_log_of_a_lane_has_no_gaps_and_begins_where_it_ended,
    a_receipt_that_proves_acceptance_ends_the_search_for_the_outcome,
    receipts_about_other_channels_messages_change_nothing,
    what_has_ended_is_forgotten_and_what_waits_is_not,
    the_first_receipt_teaches_the_providers_id_where_no_answer_did,
    what_a_message_costs_stands_in_its_story,
    receipts_of_no_message_become_orphans_that_are_counted,
}

async fn receipts_before_their_reference_wait_for_it(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.claim(1, vec![queued.clone()]).await;
    let applied = fixture.receipt(Fixture::theirs("early"), Status::Delivered).await;
    assert_eq!(applied, Applied { early: 1, ..Applied::default() });
    let fixture = fixture.reopened().await;
    assert!(fixture.statuses().is_empty());
    fixture.accepted_as(&queued, "early").await;
    assert_eq!(fixture.statuses(), [Status::Accepted, Status::Delivered]);
}

async fn a_status_never_moves_backwards_and_none_is_told_twice(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.claim(1, vec![queued.clone()]).await;
    fixture.accepted_as(&queued, "ref").await;
    for status in [Status::Read, Status::Delivered, Status::Read, Status::Accepted, Status::Failed] {
        fixture.receipt(Fixture::theirs("ref"), status).await;
    }
    assert_eq!(fixture.statuses(), [Status::Accepted, Status::Read]);
    let story = fixture.store.story(fixture.department, queued.message.id).await.unwrap().unwrap();
    let kept: Vec<_> = story.notes.iter().map(|note| (note.kind.as_str(), note.status)).collect();
    let expected = [("fill", Some(Status::Delivered)), ("late", Some(Status::Failed))];
    assert_eq!(kept, expected, "what changes nothing is kept in the story");
}

async fn the_log_of_a_lane_has_no_gaps_and_begins_where_it_ended(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let first = fixture.accept("1").await;
    fixture.accepted_as(&first, "a").await;
    let fixture = fixture.reopened().await;
    let second = fixture.accept("2").await;
    fixture.accepted_as(&second, "b").await;
    let sequences: Vec<_> = fixture.heard.changes.lock().unwrap().iter().map(|change| change.sequence).collect();
    assert_eq!(sequences, [2]);
}

async fn a_receipt_that_proves_acceptance_ends_the_search_for_the_outcome(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.claim(1, vec![queued.clone()]).await;
    let cause = herald_rules::reason::Reason::ProviderTimeout.into();
    fixture.record(&queued, vec![1], Recorded::Unknown { deadline: NOW + HOUR, cause }).await;
    assert_eq!(fixture.queued().await, 1);
    fixture.receipt(Reference::Ours(queued.message.id), Status::Accepted).await;
    assert!(fixture.store.checking(fixture.department, fixture.lane, 10).await.unwrap().is_empty());
    assert_eq!((fixture.statuses(), fixture.queued().await), (vec![Status::Accepted], 0));
}

async fn receipts_about_other_channels_messages_change_nothing(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.accepted_as(&queued, "ref").await;
    let forged = Receipt::new(Reference::Ours(queued.message.id), Status::Failed);
    let other = fixture.channel + 1;
    let applied = fixture.store.apply(fixture.department, other, vec![forged], NOW).await.unwrap();
    assert_eq!(applied, Applied { unknown: 1, ..Applied::default() });
    assert_eq!(fixture.statuses(), [Status::Accepted]);
}

async fn what_has_ended_is_forgotten_and_what_waits_is_not(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (ended, waiting, last) =
        (fixture.accept_old(1).await, fixture.accept_old(2).await, fixture.accept_old(3).await);
    fixture.accepted_as(&ended, "ref").await;
    fixture.accepted_as(&last, "last").await;
    let prune = |before| fixture.store.prune_messages(fixture.department, before, None);
    assert_eq!(prune(OLD - HOUR).await.unwrap(), None);
    assert!(
        fixture.knows(ended.message.id).await
            && fixture.knows(waiting.message.id).await
            && fixture.knows(last.message.id).await
    );
    assert_eq!(prune(LATER).await.unwrap(), None);
    assert_eq!((fixture.knows(ended.message.id).await, fixture.knows(waiting.message.id).await), (false, true));
    assert_eq!(fixture.receipt(Fixture::theirs("ref"), Status::Read).await.early, 1, "nor by the provider's id");
    assert_eq!(fixture.head(Priority::Transactional).await, [waiting.message.id]);
    let log = fixture.log().await;
    assert!(log.iter().all(|key| key.sequence == 2), "of the log only the last may stay: {log:?}");
    fixture.accepted_as(&waiting, "next").await;
    assert_eq!(fixture.log().await.last().map(|key| key.sequence), Some(3), "its numbers go on");
}

async fn the_first_receipt_teaches_the_providers_id_where_no_answer_did(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept_old(1).await;
    fixture.claim(1, vec![queued.clone()]).await;
    let cause = herald_rules::reason::Reason::ProviderTimeout.into();
    fixture.record(&queued, vec![1], Recorded::Unknown { deadline: NOW + HOUR, cause }).await;
    fixture.receipt(Fixture::theirs("wamid.1"), Status::Read).await;
    let echo = Receipt {
        theirs: Some("wamid.1".into()),
        ..Receipt::new(Reference::Ours(queued.message.id), Status::Accepted)
    };
    fixture.store.apply(fixture.department, fixture.channel, vec![echo], NOW).await.unwrap();
    assert_eq!(fixture.statuses(), [Status::Accepted, Status::Read], "what came before the id follows it");
    assert_eq!(fixture.receipt(Fixture::theirs("wamid.1"), Status::Read).await.repeated, 1);
    // The last of the log stays: an event of another message, so that this one can be forgotten.
    let last = fixture.accept("2").await;
    fixture.accepted_as(&last, "wamid.2").await;
    fixture.store.prune_messages(fixture.department, LATER, None).await.unwrap();
    let forgotten = fixture.receipt(Fixture::theirs("wamid.1"), Status::Read).await;
    assert_eq!((forgotten.early, forgotten.repeated), (1, 0), "the provider's id is forgotten with its message");
}

async fn what_a_message_costs_stands_in_its_story(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    fixture.claim(1, vec![queued.clone()]).await;
    let pricing = Pricing { category: "utility".into(), billable: Some(true), kind: Some("regular".into()) };
    let receipt = |status| Receipt { pricing: Some(pricing.clone()), ..Receipt::new(Fixture::theirs("ref"), status) };
    let early = receipt(Status::Read);
    fixture.store.apply(fixture.department, fixture.channel, vec![early], NOW).await.unwrap();
    fixture.accepted_as(&queued, "ref").await;
    let story = fixture.store.story(fixture.department, queued.message.id).await.unwrap().unwrap();
    let costs: Vec<_> = story.changes.iter().map(|step| (step.status, step.pricing.clone())).collect();
    assert_eq!(costs, [(Status::Accepted, None), (Status::Read, Some(pricing))]);
}

async fn receipts_of_no_message_become_orphans_that_are_counted(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    for reference in ["a", "b"] {
        fixture.receipt(Fixture::theirs(reference), Status::Delivered).await;
    }
    assert!(fixture.store.prune_early(NOW).await.unwrap().is_empty(), "they wait");
    assert_eq!(fixture.store.prune_early(NOW + HOUR).await.unwrap(), [(fixture.channel, 2)]);
    assert!(fixture.store.prune_early(NOW + HOUR).await.unwrap().is_empty());
    let queued = fixture.accept("1").await;
    fixture.accepted_as(&queued, "a").await;
    assert_eq!(fixture.statuses(), [Status::Accepted]);
}
