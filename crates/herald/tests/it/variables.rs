//! Variables in a text: filled and frozen when it is accepted, and refused by name where they have no value.

use crate::support::World;
use serde_json::{Value, json};

const OURS: &str = "972550000001";
const CUSTOMER: &str = "972540000001";

async fn sent(world: &World, text: &str, more: Value) -> String {
    let mut body = json!({"text": text, "protocolType": "SMS", "from": OURS, "to": CUSTOMER});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = world.sales.send(&body).await.good();
    assert_eq!(answer["status"], "Pending");
    answer["providerMessageId"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn are_filled_from_the_request_and_the_department() {
    let world = World::new().await;
    world.channel("SMS", OURS).await;
    let customer = json!({"customer": {"name": "Noa", "attributes": {"city": "Haifa"}}});
    for (text, more, filled) in [
        ("Hi ${customer.name} of ${customer.city}", customer, "Hi Noa of Haifa"),
        ("Hi ${customer.name|there}", json!({}), "Hi there"),
        ("${customer.identifier}: ${department.name}", json!({}), "972540000001: Sales"),
        ("Write $${customer.name}", json!({}), "Write ${customer.name}"),
    ] {
        let id = sent(&world, text, more).await;
        let story = world.sales.story_until(&id, "Delivered").await;
        assert_eq!(story["text"], filled);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_value_end_the_message_by_name() {
    let world = World::new().await;
    world.channel("SMS", OURS).await;
    let id = sent(&world, "Hi ${customer.name}", json!({})).await;
    let story = world.sales.story_until(&id, "Rejected").await;
    assert_eq!(story["reason"]["code"], "variable_missing");
    assert!(story["reason"]["detail"].as_str().unwrap().contains("${customer.name}"), "{story}");
    assert!(world.called().is_empty(), "no call to the provider");
}
