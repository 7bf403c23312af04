//! Suppressions: one for each customer, scope and kind.

use super::*;

on_both_engines! {
    a_suppression_holds_once_until_it_is_lifted,
    the_list_goes_on_where_it_ended,
}

fn suppression(customer: &str, channel: Option<ChannelRow>, kind: SuppressionKind) -> Suppression {
    Suppression { customer: customer.into(), channel, kind, source: "test".into(), at: NOW }
}

async fn a_suppression_holds_once_until_it_is_lifted(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (store, department) = (&fixture.store, fixture.department);
    let of_channel = suppression("1", Some(fixture.channel), SuppressionKind::Marketing);
    let of_all = suppression("1", None, SuppressionKind::All);
    store.suppress(department, of_channel.clone()).await.unwrap();
    store.suppress(department, Suppression { at: NOW + HOUR, ..of_channel.clone() }).await.unwrap();
    store.suppress(department, of_all.clone()).await.unwrap();
    let list = |customer: Option<&str>| store.suppressions(department, customer.map(str::to_owned), None, 10);
    assert_eq!(list(Some("1")).await.unwrap(), [of_all, of_channel.clone()], "the first word stands");
    assert!(list(Some("2")).await.unwrap().is_empty());
    assert!(store.suppressions(department + 1, None, None, 10).await.unwrap().is_empty());

    assert!(store.unsuppress(department, "1", None, SuppressionKind::All).await.unwrap());
    assert!(!store.unsuppress(department, "1", None, SuppressionKind::All).await.unwrap());
    assert_eq!(list(None).await.unwrap(), [of_channel]);
}

async fn the_list_goes_on_where_it_ended(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    for customer in ["1", "2", "3"] {
        for kind in [SuppressionKind::All, SuppressionKind::Marketing] {
            fixture.store.suppress(fixture.department, suppression(customer, None, kind)).await.unwrap();
        }
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = fixture.store.suppressions(fixture.department, None, after, 4).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.place());
        seen.extend(page.into_iter().map(|suppression| (suppression.customer, suppression.kind)));
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.is_sorted());
}
