//! What Meta limits: customers a day, and accounts that it has stopped.

use crate::support::{CUSTOMER, Herald, Receiver, WhatsAppWorld, template, until};
use herald_simulators::whatsapp_cloud::{CustomerMessage, GraphAccount, GraphNumber, GraphOptions, TokenState};
use serde_json::{Value, json};

const TEXT: &str = "Your table is ready.";

impl WhatsAppWorld {
    /// With a limit of customers a day, which Herald has been told.
    async fn with_daily_limit(limit: u32) -> Self {
        let account = GraphAccount::default();
        let messaging_limit = format!("TIER_{limit}");
        let numbers = account
            .numbers
            .iter()
            .map(|number| GraphNumber { messaging_limit: messaging_limit.clone(), ..number.clone() });
        let accounts = vec![GraphAccount { numbers: numbers.collect(), ..account.clone() }];
        let options =
            GraphOptions { accounts, templates: vec![template("table", "UTILITY", TEXT)], ..GraphOptions::default() };
        let world = Self::with(Herald::start().await, options).await;
        world.until_daily_limit(limit).await;
        world
    }

    async fn until_daily_limit(&self, limit: u32) -> Value {
        until("Herald to know the limit", || async {
            let now = self.lane().await["now"].clone();
            (now["dailyCustomers"]["limit"] == limit).then_some(now)
        })
        .await
    }

    async fn lane(&self) -> Value {
        self.sales.ask().get(&format!("/api/v2/lanes/WhatsApp:{}", self.channel.identifier)).await.good()
    }

    async fn until_waiting(&self, id: &str, code: &str) -> Value {
        until(&format!("{id} to wait for {code}"), || async {
            let story = self.sales.story(id).await;
            (story["waiting"]["code"] == code).then_some(story)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_customers_a_day_than_meta_allows_and_the_rest_waits_until_it_allows_more() {
    let mut world = WhatsAppWorld::with_daily_limit(3).await;
    let customer = |number: usize| format!("49305550{number:02}");
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(world.sent(&customer(number), TEXT, json!({})).await);
    }
    for id in &ids[..3] {
        world.sales.story_until(id, "Read").await;
    }
    for id in &ids[3..] {
        let story = world.until_waiting(id, "daily_limit").await;
        assert_eq!(story["status"], "Pending");
        assert!(story["waiting"]["until"].as_str().is_some(), "{story}");
    }
    assert_eq!(world.lane().await["now"]["dailyCustomers"], json!({"limit": 3, "counted": 3}));
    // Who was counted may be written to again, and who writes first costs nothing.
    let again = world.sent(&customer(0), TEXT, json!({})).await;
    world.sales.story_until(&again, "Read").await;
    world.graph.inbound(&CustomerMessage::text(customer(9), "Hello?")).unwrap();
    until("the window to open", || async {
        let preview = world.preview(&customer(9), "Hello to you too", json!({})).await;
        (preview["window"]["open"] == true).then_some(())
    })
    .await;
    let answer = world.sent(&customer(9), "Hello to you too", json!({})).await;
    world.sales.story_until(&answer, "Read").await;

    // A crash neither frees a place nor loses who waits.
    world.herald.kill();
    world.herald.restart().await;
    let late = world.sent(&customer(6), TEXT, json!({})).await;
    world.until_waiting(&late, "daily_limit").await;
    assert_eq!(world.graph.calls().len(), 5);

    // Meta tells of a higher limit: what waits for tomorrow goes today.
    let value = json!({"max_daily_conversations_per_business": "TIER_50", "max_phone_numbers_per_business": 25});
    world.graph.webhook(None, "business_capability_update", value).unwrap();
    world.until_daily_limit(50).await;
    for id in ids[3..].iter().chain([&late]) {
        world.sales.story_until(id, "Read").await;
    }
    assert_eq!(world.graph.calls().len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_stops_the_number_and_a_new_one_sends_what_waited() {
    let world = WhatsAppWorld::new(vec![template("table", "UTILITY", TEXT)]).await;
    let receiver = Receiver::start().await;
    world.sales.subscribe(&receiver.url).await;
    world.graph.set_token(None, None, TokenState::Revoked).unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.sent(CUSTOMER, TEXT, json!({})).await);
    }
    let event = receiver.until_events(1).await.remove(0);
    let about = &event["changes"][0];
    assert_eq!(about["_event"], "CHANNEL_ERROR");
    assert_eq!(about["channel"]["reason"]["code"], "provider_auth_failed", "{event}");
    assert_eq!(about["channel"]["reason"]["providerCode"], "190/460", "{event}");
    for id in &ids {
        world.until_waiting(id, "stopped").await;
    }
    let account = GraphAccount::default();
    world.graph.set_token(None, Some("a-new-token"), TokenState::Valid).unwrap();
    let credentials = json!({"credentials": {
        "access_token": "a-new-token", "app_secret": account.app_secret, "verify_token": account.verify_token,
    }});
    world.sales.ask().patch(&format!("/api/v2/channels/{}", world.channel.id), &credentials).await.good();
    for id in &ids {
        world.sales.story_until(id, "Read").await;
    }
    let stops = receiver.events().iter().filter(|event| event["changes"][0]["_event"] == "CHANNEL_ERROR").count();
    assert_eq!(stops, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_meta_restricts_answers_customers_and_writes_to_nobody_first() {
    let world = WhatsAppWorld::new(vec![template("table", "UTILITY", TEXT)]).await;
    let told = |value: Value| world.graph.webhook(None, "account_update", value).unwrap();
    told(json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
        {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 4_000_000_000_u64}
    ]}));
    until("Herald to know of it", || async { world.lane().await["now"]["restrictedUntil"].is_string().then_some(()) })
        .await;
    let id = world.sent(CUSTOMER, TEXT, json!({})).await;
    let story = world.until_waiting(&id, "account_restricted").await;
    assert_eq!(story["waiting"]["until"], "2096-10-02T07:06:40.000000Z");
    told(json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}));
    world.sales.story_until(&id, "Read").await;
    assert!(world.lane().await["now"]["restrictedUntil"].is_null());
}
