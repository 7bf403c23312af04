//! How many messages a department may hand in.

use crate::support::{Department, World};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_is_429_with_the_time_to_wait() {
    let world = World::new().await;
    let narrow = Department::with(&world.herald, "Narrow", json!({"messagesPerMinute": 6, "burst": 3})).await;
    let channel = narrow.channel(&world.simulator, "WhatsApp", "972550000001", true).await;
    let body = json!({"text": "Hello", "protocolType": "WhatsApp", "from": channel.identifier, "to": "972540000001"});
    let header = |answer: &crate::support::Answer, name: &str| -> u64 {
        let value = answer.headers.get(name).unwrap_or_else(|| panic!("no {name} in {answer:?}"));
        value.to_str().unwrap().parse().unwrap()
    };
    for left in [2, 1, 0] {
        let answer = narrow.send(&body).await;
        assert_eq!(header(&answer, "ratelimit-remaining"), left);
        assert_eq!(header(&answer, "ratelimit-limit"), 3);
        answer.good();
    }
    let refused = narrow.send(&body).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "rate_limited"));
    assert!((1..=10).contains(&header(&refused, "retry-after")), "one every ten seconds");
    assert_eq!(header(&refused, "ratelimit-remaining"), 0);
    assert!(refused.body["message"].is_string());
    // A message that is refused for another reason costs nothing, and other departments do not feel it.
    let elsewhere = world.channel("WhatsApp", "972550000002").await;
    world.sales.text(&elsewhere, "972540000001", "Hello").await;
}
