//! What customers write: kept once, opens the window, and says who they are.

use super::*;
use herald_rules::inbound::{Inbound, InboundContent};

on_both_engines! {
    the_same_message_twice_is_one,
    an_answer_knows_what_it_answers,
    the_window_opens_and_is_never_made_shorter,
    what_is_long_past_opens_nothing,
    a_profile_names_a_contact_until_a_program_does,
    a_new_number_and_a_hidden_one_are_the_same_person,
    the_last_word_about_marketing_holds_in_whatever_order_it_comes,
    lists_are_filtered_and_go_on,
}

const DANA: &str = "16505550142";
const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) fn inbound(reference: &str, change: impl FnOnce(&mut Inbound)) -> Inbound {
    let mut inbound = Inbound {
        reference: reference.into(),
        protocol: Protocol::WhatsApp,
        to: "15550100200".into(),
        from: DANA.into(),
        user_id: None,
        at: NOW,
        name: None,
        content: InboundContent::Text { text: "Is it still available?".into() },
        reply_to: None,
        reply_to_id: None,
        referral: None,
        opens_window: Some(DAY),
    };
    change(&mut inbound);
    inbound
}

impl Fixture {
    pub(super) async fn customers_write(&self, messages: Vec<Inbound>, now: Timestamp) -> WorkedOff {
        let new = |(number, inbound): (u16, Inbound)| NewInbound {
            id: MessageId::received_at(now, number),
            lane: self.lane,
            received_at: now,
            inbound,
        };
        let work = CallbackWork {
            department: self.department,
            channel: self.channel,
            now,
            inbound: (0..).zip(messages).map(new).collect(),
            ..CallbackWork::default()
        };
        self.store.work_off(work).await.unwrap()
    }

    async fn customer_writes(&self, reference: &str, change: impl FnOnce(&mut Inbound)) -> WorkedOff {
        self.customers_write(vec![inbound(reference, change)], NOW).await
    }

    async fn who_is(&self, identifier: &str) -> Option<Contact> {
        self.store.contact_by_identifier(self.department, Protocol::WhatsApp, identifier).await.unwrap()
    }

    async fn name_of(&self, identifier: &str) -> Option<String> {
        self.who_is(identifier).await.and_then(|contact| contact.name)
    }

    async fn window(&self) -> Option<Timestamp> {
        self.store.reach(self.department, self.channel, self.lane, DANA).await.unwrap().window_until
    }

    fn inbound_filter(&self) -> InboundFilter {
        InboundFilter {
            department: self.department,
            lanes: None,
            from: None,
            since: None,
            until: None,
            before: None,
            limit: 100,
            look_at: 1_000,
        }
    }
}

async fn the_same_message_twice_is_one(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let first = fixture.customer_writes("wamid.1", |_| {}).await;
    assert_eq!((first.inbound.len(), first.repeated), (1, 0));
    let again = vec![inbound("wamid.1", |_| {}), inbound("wamid.2", |_| {}), inbound("wamid.2", |_| {})];
    let second = fixture.customers_write(again, NOW + HOUR).await;
    assert_eq!((second.inbound.len(), second.repeated), (1, 2));
    let fixture = fixture.reopened().await;
    let page = fixture.store.list_inbound(fixture.inbound_filter()).await.unwrap();
    let ids: Vec<_> = page.messages.iter().map(|message| message.id).collect();
    assert_eq!(ids, [second.inbound[0], first.inbound[0]], "newest first");
    let kept = fixture.store.inbound(fixture.department, first.inbound[0]).await.unwrap().unwrap();
    assert_eq!((kept.inbound, kept.lane), (inbound("wamid.1", |_| {}), fixture.lane));
    assert_eq!(fixture.store.inbound(fixture.department + 1, first.inbound[0]).await.unwrap(), None);
}

async fn an_answer_knows_what_it_answers(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept(DANA).await;
    fixture.accepted_as(&queued, "wamid.ours").await;
    let answer = fixture.customer_writes("wamid.1", |inbound| inbound.reply_to = Some("wamid.ours".into())).await;
    let kept = fixture.store.inbound(fixture.department, answer.inbound[0]).await.unwrap().unwrap();
    assert_eq!(kept.inbound.reply_to_id, Some(queued.message.id));
    let other = fixture.customer_writes("wamid.2", |inbound| inbound.reply_to = Some("wamid.unknown".into())).await;
    let kept = fixture.store.inbound(fixture.department, other.inbound[0]).await.unwrap().unwrap();
    assert_eq!(kept.inbound.reply_to_id, None);
}

async fn the_window_opens_and_is_never_made_shorter(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    assert_eq!(fixture.window().await, None);
    fixture.customer_writes("1", |inbound| inbound.opens_window = None).await;
    assert_eq!(fixture.window().await, None, "it opens none");
    fixture.customer_writes("2", |_| {}).await;
    assert_eq!(fixture.window().await, Some(NOW + DAY));
    fixture.customer_writes("3", |inbound| inbound.at = NOW - HOUR).await;
    assert_eq!(fixture.window().await, Some(NOW + DAY), "an older one comes later");
    fixture.customer_writes("4", |inbound| inbound.opens_window = Some(3 * DAY)).await;
    assert_eq!(fixture.window().await, Some(NOW + 3 * DAY), "a free entry point");
    fixture.customer_writes("5", |inbound| inbound.at = NOW + 100 * DAY).await;
    assert_eq!(fixture.window().await, Some(NOW + 3 * DAY), "a clock that is ahead");
}

async fn what_is_long_past_opens_nothing(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.customer_writes("1", |inbound| inbound.at = NOW - DAY).await;
    fixture.customer_writes("2", |inbound| (inbound.at, inbound.opens_window) = (NOW - 4 * DAY, Some(30 * DAY))).await;
    assert_eq!(fixture.window().await, None);
    let (department, channel, other) = (fixture.department, fixture.channel, fixture.lane + 1);
    assert_eq!(fixture.store.reach(department, channel, other, DANA).await.unwrap().window_until, None);
}

async fn a_profile_names_a_contact_until_a_program_does(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.customer_writes("1", |_| {}).await;
    assert_eq!(fixture.who_is(DANA).await.unwrap().name, None, "known without a name");
    let named = |name: &str| {
        let name = name.to_owned();
        move |inbound: &mut Inbound| inbound.name = Some(name)
    };
    fixture.customer_writes("2", named(" Dana\n Reyes \u{7}")).await;
    assert_eq!(fixture.name_of(DANA).await.as_deref(), Some("Dana Reyes"));
    fixture.customer_writes("3", named("Dana R.")).await;
    fixture.customer_writes("4", named("\n")).await;
    assert_eq!(fixture.name_of(DANA).await.as_deref(), Some("Dana R."));
    let dana = ContactIdentifier { protocol: Protocol::WhatsApp, identifier: DANA.into() };
    let set = fixture.store.set_contact(fixture.department, dana, Some("Ms Reyes".into()), [].into(), NOW);
    let (card, new) = set.await.unwrap();
    assert!(!new);
    fixture.customer_writes("5", named("Somebody")).await;
    assert_eq!(fixture.name_of(DANA).await.as_deref(), Some("Ms Reyes"));
    assert_eq!(fixture.who_is(DANA).await.unwrap().id, card.contact.id);
}

async fn a_new_number_and_a_hidden_one_are_the_same_person(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let hidden = "US.13491208655302741918";
    fixture.customer_writes("1", |inbound| inbound.from = hidden.into()).await;
    let person = fixture.who_is(hidden).await.unwrap().id;
    fixture.customer_writes("2", |inbound| inbound.user_id = Some(hidden.into())).await;
    assert_eq!(fixture.who_is(DANA).await.unwrap().id, person, "the number is visible now");
    let changed = InboundContent::NumberChanged { new_identifier: "16505550199".into() };
    fixture.customer_writes("3", |inbound| inbound.content = changed).await;
    assert_eq!(fixture.who_is("16505550199").await.unwrap().id, person);
    let card = fixture.store.contact(fixture.department, person).await.unwrap().unwrap();
    assert_eq!(card.identifiers.len(), 3);

    // A number that is somebody else's already does not join the two.
    fixture.customer_writes("4", |inbound| inbound.from = "16505550111".into()).await;
    let other = fixture.who_is("16505550111").await.unwrap().id;
    let changed = InboundContent::NumberChanged { new_identifier: "16505550111".into() };
    fixture.customer_writes("5", |inbound| inbound.content = changed).await;
    assert_eq!(fixture.who_is("16505550111").await.unwrap().id, other);
}

async fn the_last_word_about_marketing_holds_in_whatever_order_it_comes(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let said = async |wanted: bool, at: Timestamp| {
        let wish = MarketingWish { customer: DANA.into(), wanted, at };
        let work = CallbackWork {
            department: fixture.department,
            channel: fixture.channel,
            now: NOW,
            marketing: vec![wish],
            ..CallbackWork::default()
        };
        fixture.store.work_off(work).await.unwrap();
        fixture.store.suppressions(fixture.department, Some(DANA.into()), None, 10).await.unwrap()
    };
    let stopped = said(false, NOW).await;
    let kind = SuppressionKind::Marketing;
    let expected =
        Suppression { customer: DANA.into(), channel: Some(fixture.channel), kind, source: "provider".into(), at: NOW };
    assert_eq!(stopped, [expected]);
    assert_eq!(said(true, NOW - HOUR).await, stopped, "said before");
    assert!(said(true, NOW + HOUR).await.is_empty());
    assert!(said(false, NOW).await.is_empty(), "repeated late");
    assert_eq!(said(false, NOW + 2 * HOUR).await.len(), 1);
}

async fn lists_are_filtered_and_go_on(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    for hour in 0..5_u32 {
        let from = if hour % 2 == 0 { DANA } else { "16505550199" };
        let message = inbound(&format!("wamid.{hour}"), |inbound| inbound.from = from.into());
        fixture.customers_write(vec![message], NOW + HOUR * hour).await;
    }
    let count = async |change: fn(&mut InboundFilter)| {
        let mut filter = fixture.inbound_filter();
        change(&mut filter);
        fixture.store.list_inbound(filter).await.unwrap().messages.len()
    };
    assert_eq!(count(|_| {}).await, 5);
    assert_eq!(count(|filter| filter.from = Some(DANA.into())).await, 3);
    assert_eq!(count(|filter| (filter.since, filter.until) = (Some(NOW + HOUR), Some(NOW + 3 * HOUR))).await, 2);
    assert_eq!(count(|filter| filter.lanes = Some(vec![])).await, 0);
    assert_eq!(count(|filter| filter.department += 1).await, 0);
    let mut filter = InboundFilter { limit: 2, ..fixture.inbound_filter() };
    let mut seen = Vec::new();
    loop {
        let page = fixture.store.list_inbound(filter.clone()).await.unwrap();
        seen.extend(page.messages.iter().map(|message| message.inbound.reference.clone()));
        filter.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["wamid.4", "wamid.3", "wamid.2", "wamid.1", "wamid.0"]);

    assert!(!fixture.store.prune_inbound(fixture.department, NOW + 2 * HOUR).await.unwrap());
    assert_eq!(count(|_| {}).await, 3, "what came before is forgotten");
}
