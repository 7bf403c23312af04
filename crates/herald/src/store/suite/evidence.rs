//! What a former owner learnt is applied by the present one: where it is news, and once.

use super::*;
use herald_rules::{
    pace::stop::{Stop, StopScope},
    reason::{Cause, Reason},
};

on_both_engines! {
    evidence_waits_in_the_inbox_until_it_is_worked_off,
    an_acceptance_ends_the_search_and_teaches_the_providers_id,
    a_refusal_ends_what_is_searched_for_or_claimed_still,
    what_was_not_taken_goes_again_at_its_place_and_only_once,
    what_was_not_taken_of_an_open_claim_is_not_searched_for,
    evidence_of_another_try_or_of_what_is_known_changes_nothing,
    a_receipt_knows_better_than_evidence,
    parts_go_on_after_evidence_of_one,
    stops_and_the_customers_of_a_day_are_kept,
}

fn learnt(queued: &Queued, fate: Fate) -> Learnt {
    Learnt { fate, ..Learnt::not_sent(queued, NOW) }
}

fn accepted(reference: &str) -> Fate {
    let reference = ProviderReference { text: reference.into(), named_by_receipts: true };
    Fate::Accepted { reference: Some(reference) }
}

fn a_stop() -> Stop {
    Stop::new(Reason::ProviderAuthFailed.into(), StopScope::Account, NOW, None)
}

fn refused() -> Fate {
    Fate::Rejected(Reason::ContentRefused.into())
}

impl Fixture {
    fn evidence(&self, learnt: Vec<Learnt>) -> Evidence {
        let Self { department, channel, lane, .. } = *self;
        Evidence { department, channel, lane, learnt, standings: vec![], daily_customers: None }
    }

    /// Through the inbox, as it comes; tells of how many messages it settled something.
    async fn apply_evidence(&self, evidence: Evidence) -> u32 {
        self.store.keep_evidence(vec![evidence], NOW).await.unwrap();
        let limits = InboxLimits { channels: 1, callbacks: 10, bytes: 1_000_000 };
        let page = self.store.inbox(0, vec![], limits).await.unwrap().remove(0);
        assert!(page.callbacks.iter().all(|callback| callback.kind == InboxKind::Evidence));
        let read = |callback: &WaitingCallback| (callback.number, serde_json::from_slice(&callback.body).unwrap());
        let work = CallbackWork {
            department: page.department,
            channel: page.channel,
            now: NOW,
            evidence: page.callbacks.iter().map(read).collect(),
            ..CallbackWork::default()
        };
        let settled = self.store.work_off(work).await.unwrap().settled;
        assert_eq!(self.store.inbox_depth().await.unwrap(), InboxDepth::default());
        settled
    }

    async fn learns(&self, queued: &Queued, fate: Fate) -> u32 {
        self.apply_evidence(self.evidence(vec![learnt(queued, fate)])).await
    }

    /// A message that its owner has claimed and told nothing of, in a new owner's hands.
    async fn orphaned(&self, number: i64, parts: u16) -> Queued {
        let new = self.new_message("1", |message| message.parts = parts);
        assert_eq!(self.store.accept(vec![new]).await.unwrap(), [Accepted::New]);
        let queued = self.heard.arrived.lock().unwrap().last().unwrap().clone();
        self.claim(number, vec![queued.clone()]).await;
        self.taken_over().await;
        queued
    }

    async fn taken_over(&self) {
        self.store.recover(self.owned(), NOW, NOW + HOUR, HOUR).await.unwrap();
    }

    async fn searched_for(&self) -> usize {
        self.store.checking(self.department, self.lane, 10).await.unwrap().len()
    }
}

async fn evidence_waits_in_the_inbox_until_it_is_worked_off(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    let evidence = fixture.evidence(vec![learnt(&queued, accepted("a")), learnt(&queued, refused())]);
    let stop = a_stop();
    let standings = vec![
        StandingChange::Stopped { lanes: vec![fixture.lane], stop },
        StandingChange::Lifted { lanes: vec![1, 2] },
        StandingChange::Restricted { lanes: vec![], until: Some(NOW) },
    ];
    let daily_customers = Some(DailyCustomers { portfolio: "p".into(), customers: vec![(u64::MAX, NOW)] });
    let evidence = Evidence { standings, daily_customers, ..evidence };
    fixture.store.keep_callback(fixture.department, fixture.channel, "{}".into(), NOW).await.unwrap();
    fixture.store.keep_evidence(vec![evidence.clone()], NOW).await.unwrap();
    let fixture = fixture.reopened().await;
    let limits = InboxLimits { channels: 1, callbacks: 10, bytes: 1_000_000 };
    let page = fixture.store.inbox(0, vec![], limits).await.unwrap().remove(0);
    assert_eq!((page.department, page.channel), (fixture.department, fixture.channel));
    let kinds: Vec<_> = page.callbacks.iter().map(|callback| callback.kind).collect();
    assert_eq!(kinds, [InboxKind::Callback, InboxKind::Evidence]);
    assert_eq!(serde_json::from_slice::<Evidence>(&page.callbacks[1].body).unwrap(), evidence);
}

async fn an_acceptance_ends_the_search_and_teaches_the_providers_id(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.orphaned(1, 1).await;
    assert_eq!(fixture.receipt(Fixture::theirs("a"), Status::Delivered).await.early, 1);
    assert_eq!(fixture.learns(&queued, accepted("a")).await, 1);
    assert_eq!(fixture.statuses(), [Status::Accepted, Status::Delivered]);
    assert_eq!((fixture.searched_for().await, fixture.queued().await), (0, 0));
    assert_eq!(fixture.learns(&queued, accepted("a")).await, 0);
    fixture.receipt(Fixture::theirs("a"), Status::Read).await;
    assert_eq!(fixture.statuses(), [Status::Accepted, Status::Delivered, Status::Read]);

    // Before the new owner has looked at what is left claimed.
    let other = fixture.accept("2").await;
    fixture.claim(2, vec![other.clone()]).await;
    assert_eq!(fixture.learns(&other, accepted("b")).await, 1);
    fixture.taken_over().await;
    assert_eq!((fixture.searched_for().await, fixture.queued().await), (0, 0));
}

async fn a_refusal_ends_what_is_searched_for_or_claimed_still(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.orphaned(1, 1).await;
    assert_eq!(fixture.learns(&queued, refused()).await, 1);
    assert_eq!((fixture.statuses(), fixture.queued().await), (vec![Status::Rejected], 0));
    assert_eq!(fixture.learns(&queued, refused()).await, 0);
    let claimed = fixture.accept("2").await;
    fixture.claim(2, vec![claimed.clone()]).await;
    assert_eq!(fixture.learns(&claimed, refused()).await, 1);
    fixture.taken_over().await;
    assert_eq!((fixture.searched_for().await, fixture.queued().await), (0, 0));
    assert_eq!(fixture.statuses(), [Status::Rejected, Status::Rejected]);
}

async fn what_was_not_taken_goes_again_at_its_place_and_only_once(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.orphaned(1, 1).await;
    let cause = Cause::from(Reason::ProviderUnavailable);
    assert_eq!(fixture.learns(&queued, Fate::NotTaken(Some(cause.clone()))).await, 1);
    assert_eq!(*fixture.heard.scheduled.lock().unwrap(), [NOW], "the lane hears of it");
    let back = fixture.store.due(fixture.owned(), NOW, 10).await.unwrap().returned.remove(0);
    assert_eq!((back.place, back.attempt, back.resent), (queued.place, 1, false));
    assert_eq!((fixture.statuses(), fixture.queued().await), (vec![], 1));
    // It comes again, while the next try is at the provider's door and after that one's outcome is lost as well.
    fixture.claim(2, vec![back]).await;
    assert_eq!(fixture.learns(&queued, Fate::NotTaken(Some(cause.clone()))).await, 0);
    fixture.taken_over().await;
    assert_eq!(fixture.learns(&queued, Fate::NotTaken(Some(cause))).await, 0);
    assert_eq!(fixture.searched_for().await, 1);
    let story = fixture.store.story(fixture.department, queued.message.id).await.unwrap().unwrap();
    assert_eq!(story.notes.len(), 1);
}

async fn what_was_not_taken_of_an_open_claim_is_not_searched_for(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("1").await;
    assert_eq!(fixture.learns(&queued, Fate::NotTaken(None)).await, 0, "nobody has claimed it");
    fixture.claim(1, vec![queued.clone()]).await;
    assert_eq!(fixture.learns(&queued, Fate::NotTaken(None)).await, 1);
    fixture.taken_over().await;
    assert_eq!((fixture.searched_for().await, fixture.queued().await), (0, 1));
    let back = fixture.store.due(fixture.owned(), NOW, 10).await.unwrap().returned;
    assert_eq!((back.len(), back[0].place), (1, queued.place));
}

async fn evidence_of_another_try_or_of_what_is_known_changes_nothing(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.orphaned(1, 1).await;
    for fate in [refused(), Fate::NotTaken(None)] {
        let before = Learnt { at: NOW - Duration::from_secs(1), ..learnt(&queued, fate.clone()) };
        let later = Learnt { claimed_as: 2, ..learnt(&queued, fate.clone()) };
        let part = Learnt { part: 1, ..learnt(&queued, fate.clone()) };
        let elsewhere = Learnt { id: MessageId::new(), ..learnt(&queued, fate) };
        let evidence = fixture.evidence(vec![before, later, part, elsewhere]);
        assert_eq!(fixture.apply_evidence(evidence).await, 0);
    }
    let nobodys = Learnt { id: MessageId::new(), ..learnt(&queued, accepted("x")) };
    assert_eq!(fixture.apply_evidence(fixture.evidence(vec![nobodys])).await, 0);
    assert_eq!((fixture.searched_for().await, fixture.statuses()), (1, vec![]));
    fixture.receipt(Reference::Ours(queued.message.id), Status::Accepted).await;
    for fate in [refused(), Fate::NotTaken(None), accepted("a")] {
        assert_eq!(fixture.learns(&queued, fate).await, 0);
    }
    assert_eq!((fixture.statuses(), fixture.queued().await), (vec![Status::Accepted], 0));
}

async fn a_receipt_knows_better_than_evidence(engine: Engine) {
    for fate in [refused(), Fate::NotTaken(None)] {
        let fixture = Fixture::new(engine).await;
        let queued = fixture.accept("1").await;
        fixture.claim(1, vec![queued.clone()]).await;
        fixture.receipt(Reference::Ours(queued.message.id), Status::Delivered).await;
        fixture.learns(&queued, fate).await;
        fixture.taken_over().await;
        assert_eq!((fixture.statuses(), fixture.queued().await), (vec![Status::Delivered], 0));
        assert!(fixture.store.due(fixture.owned(), NOW, 10).await.unwrap().returned.is_empty());
    }
}

async fn parts_go_on_after_evidence_of_one(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let first = fixture.orphaned(1, 2).await;
    assert_eq!(fixture.learns(&first, accepted("a")).await, 1);
    let second = fixture.heard.arrived.lock().unwrap().last().unwrap().clone();
    assert_eq!((second.part, fixture.statuses(), fixture.queued().await), (1, vec![], 1));
    assert_eq!(fixture.learns(&first, accepted("a")).await, 0);
    fixture.claim(2, vec![second.clone()]).await;
    fixture.taken_over().await;
    assert_eq!(fixture.learns(&second, refused()).await, 1);
    assert_eq!((fixture.statuses(), fixture.queued().await), (vec![Status::Failed], 0), "a part of it has left");
}

async fn stops_and_the_customers_of_a_day_are_kept(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let stop = a_stop();
    let evidence = Evidence {
        standings: vec![StandingChange::Stopped { lanes: vec![fixture.lane], stop: stop.clone() }],
        daily_customers: Some(DailyCustomers { portfolio: "p".into(), customers: vec![(7, NOW)] }),
        ..fixture.evidence(vec![])
    };
    for _ in 0..2 {
        fixture.apply_evidence(evidence.clone()).await;
    }
    assert_eq!(fixture.store.standing(fixture.lane).await.unwrap().stop, Some(stop));
    assert_eq!(fixture.store.daily_budget("p".into()).await.unwrap().customers, [(7, NOW)]);
    assert_eq!(fixture.log().await.len(), 1, "told once");
}
