//! What is taken.

use super::*;
use std::collections::BTreeMap;

/// Every example of Meta's documents is taken as it stands.
#[tokio::test]
async fn every_example_is_taken() {
    let meta = Meta::new().await;
    let read = "wamid.HBgLMTY1MDU1NTAxNDIVAgASGBQzQTRGNUI2QzdEOEU5RkEwQjFDMgA=";
    meta.simulator.engine.inbound().add(read);
    let examples: Vec<Value> = serde_json::from_str(include_str!("examples.json")).unwrap();
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for example in &examples {
        let (status, answer) = meta.send(example).await;
        assert_eq!(status, 200, "{example}: {answer}");
        if example.get("status").is_some() {
            assert_eq!(answer, json!({"success": true}));
            continue;
        }
        let kind = example["type"].as_str().unwrap();
        *kinds.entry(kind.to_owned()).or_default() += 1;
        assert_eq!(answer["contacts"], json!([{"input": "+16505550142", "wa_id": CUSTOMER}]));
        assert!(answer["messages"][0]["id"].as_str().unwrap().starts_with("wamid.HBg"), "{answer}");
        let status = if kind == "template" { json!("accepted") } else { Value::Null };
        assert_eq!(answer["messages"][0]["message_status"], status);
    }
    assert_eq!(kinds.values().sum::<u32>() as usize + 1, examples.len());
    assert_eq!(meta.simulator.summary().taken, examples.len() as u64);
}

#[tokio::test]
async fn the_three_other_headers_are_taken() {
    let meta = Meta::new().await;
    for (name, header) in [
        (
            "document",
            json!({"type": "document", "document": {"link": "https://cdn.example.com/i.pdf", "filename": "invoice.pdf"}}),
        ),
        (
            "place",
            json!({"type": "location", "location": {"latitude": "52.5163", "longitude": "13.3777", "name": "Showroom", "address": "Pariser Platz 1"}}),
        ),
        ("film", json!({"type": "video", "video": {"id": "1480912345678903"}})),
    ] {
        let sent = template(name, json!([{"type": "header", "parameters": [header]}]));
        assert_eq!(meta.refusal(&sent).await, (200, 0, String::new()), "{name}");
    }
}

#[tokio::test]
async fn people_without_a_number_have_an_id() {
    let meta = Meta::new().await;
    let mut sent = message("text", json!({"body": "Hi"}));
    sent.as_object_mut().unwrap().remove("to");
    sent["recipient"] = json!("US.13491208655302741918");
    let (_, answer) = meta.send(&sent).await;
    assert_eq!(answer["contacts"], json!([{"input": "US.13491208655302741918", "user_id": "US.13491208655302741918"}]));
    let mut code = template("login_code", json!([]));
    code.as_object_mut().unwrap().remove("to");
    code["recipient"] = json!("US.13491208655302741918");
    assert_eq!(meta.refusal(&code).await.1, 131_062);
    code["to"] = json!("+16505550142");
    assert_eq!(meta.refusal(&code).await.1, 132_000, "`to` wins");
}

#[tokio::test]
async fn without_a_plus_another_country_is_called() {
    let meta = Meta::new().await;
    let mut sent = message("text", json!({"body": "Hi"}));
    for (to, wa_id) in
        [("491701234567", "1491701234567"), ("+491701234567", "491701234567"), ("+52 55 1234 5678", "5215512345678")]
    {
        sent["to"] = json!(to);
        assert_eq!(meta.send(&sent).await.1["contacts"][0]["wa_id"], json!(wa_id));
    }
}

/// The journal knows each call, what it got, and what was taken twice.
#[tokio::test]
async fn the_journal_tells_repetitions_from_parts() {
    let meta = Meta::new().await;
    let mut first = message("text", json!({"body": "Hi"}));
    first["biz_opaque_callback_data"] = json!("one");
    let mut second = first.clone();
    second["text"]["body"] = json!("there");
    for sent in [&first, &second] {
        meta.send(sent).await;
    }
    assert_eq!(meta.simulator.summary().duplicates, 0);
    meta.send(&first).await;
    meta.send(&message("text", json!({}))).await;
    let summary = meta.simulator.summary();
    assert_eq!((summary.calls, summary.taken, summary.duplicates), (4, 3, 1));
    let sends = meta.simulator.sends();
    assert_eq!(sends.len(), 1);
    assert_eq!((sends[0].calls.as_slice(), sends[0].duplicates), ([1, 2, 3].as_slice(), 1));
    let last = meta.simulator.calls().pop().unwrap();
    assert_eq!((last.code, last.outcome), (Some(131_008), crate::CallOutcome::Refused));
    assert_eq!(last.details.as_deref(), Some("The parameter text['body'] is required."));
}
