//! Limits of providers: who waits for one, who has been counted, what was stopped.

use super::*;
use herald_rules::{
    pace::stop::{Stop, StopScope},
    reason::Reason,
};

on_both_engines! {
    who_waits_for_a_limit_goes_at_once_when_it_is_raised,
    customers_of_a_day_are_kept_with_the_outcomes_and_forgotten_after_it,
    a_stop_is_told_once_survives_a_restart_and_ends,
}

async fn who_waits_for_a_limit_goes_at_once_when_it_is_raised(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (place, retry) = (fixture.accept("1").await, fixture.accept("2").await);
    let (due, reason) = (NOW + 24 * HOUR, Some(Reason::DailyLimit));
    let cause = Some(Reason::DailyLimit.into());
    fixture.record(&place, vec![], Recorded::Held { due, reason, cause }).await;
    let cause = Reason::ProviderUnavailable.into();
    fixture.record(&retry, vec![], Recorded::Again { due, cause }).await;

    assert!(!fixture.store.hasten(fixture.owned(), Reason::DailyLimit, NOW).await.unwrap());
    let returned = fixture.store.due(fixture.owned(), NOW, 10).await.unwrap().returned;
    assert_eq!(returned.iter().map(|queued| queued.message.id).collect::<Vec<_>>(), [place.message.id]);
    let recovered = fixture.store.recover(fixture.owned(), NOW, NOW, HOUR).await.unwrap();
    assert_eq!(recovered.held.len(), 1, "the other waits for its try");
}

async fn customers_of_a_day_are_kept_with_the_outcomes_and_forgotten_after_it(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let count = async |customers: Vec<(u64, Timestamp)>| {
        let outcomes = Outcomes {
            epoch: Default::default(),
            department: fixture.department,
            channel: fixture.channel,
            lane: fixture.lane,
            ended: vec![],
            closed: vec![],
            standings: vec![],
            daily_customers: Some(DailyCustomers { portfolio: "1".into(), customers }),
        };
        fixture.store.record(outcomes).await.unwrap();
    };
    count(vec![(u64::MAX, NOW), (7, NOW)]).await;
    count(vec![(7, NOW + HOUR)]).await;
    fixture.store.set_daily_limit("1".into(), Some(250)).await.unwrap();
    let mut row = fixture.store.daily_budget("1".into()).await.unwrap();
    row.customers.sort_unstable();
    assert_eq!((row.limit, row.customers), (Some(250), vec![(7, NOW + HOUR), (u64::MAX, NOW)]));
    assert!(!fixture.store.prune_daily_customers(NOW + HOUR).await.unwrap());
    fixture.store.set_daily_limit("1".into(), None).await.unwrap();
    let row = fixture.store.daily_budget("1".into()).await.unwrap();
    assert_eq!((row.limit, row.customers), (None, vec![(7, NOW + HOUR)]));
    assert_eq!(fixture.store.daily_budget("2".into()).await.unwrap(), DailyBudgetRow::default());
}

async fn a_stop_is_told_once_survives_a_restart_and_ends(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (department, lane) = (fixture.department, fixture.lane);
    let stop = Stop::new(Reason::ProviderAuthFailed.into(), StopScope::Account, NOW, None);
    let stopped = StandingChange::Stopped { lanes: vec![lane], stop: stop.clone() };
    for _ in 0..2 {
        fixture.store.change_standing(department, lane, stopped.clone()).await.unwrap();
    }
    let told = fixture.heard.changes.lock().unwrap().clone();
    assert_eq!(told.iter().map(|change| change.kind).collect::<Vec<_>>(), [EventKind::ChannelError]);
    let fixture = fixture.reopened().await;
    assert_eq!(fixture.store.standing(lane).await.unwrap().stop, Some(stop));
    fixture.store.change_standing(department, lane, StandingChange::Lifted { lanes: vec![lane] }).await.unwrap();
    assert_eq!(fixture.store.standing(lane).await.unwrap(), Standing::default());
    fixture.store.change_standing(department, lane, stopped).await.unwrap();
    assert_eq!(fixture.heard.changes.lock().unwrap().len(), 1, "another stop is told again");

    // It goes with the messages of its time; at most the last row of the log stays, and the numbers go on.
    let late = NOW + HOUR * 24 * 365 * 20;
    let queued = fixture.accept("1").await;
    fixture.record(&queued, vec![], Recorded::Accepted { reference: None }).await;
    fixture.store.prune_messages(department, late, None).await.unwrap();
    assert!(fixture.log().await.iter().all(|key| key.sequence == 3));
    fixture.event_in(lane).await;
    assert_eq!(fixture.log().await.last().map(|key| key.sequence), Some(4));
}
