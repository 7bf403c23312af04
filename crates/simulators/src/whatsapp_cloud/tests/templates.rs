//! Templates: listed, handed in, edited, deleted.

use super::*;
use std::time::Duration;

fn path(rest: &str) -> String {
    format!("/v23.0/{ACCOUNT}/message_templates{rest}")
}

fn new_template(name: &str) -> Value {
    json!({"name": name, "language": "en_US", "category": "UTILITY", "components": [
        {"type": "BODY", "text": "Hi {{1}}, your order is on its way.", "example": {"body_text": [["Dana"]]}}]})
}

#[tokio::test]
async fn pages_hold_all_templates_once() {
    let meta = Meta::new().await;
    for number in 0..50 {
        meta.simulator
            .put_template(None, &json!({"name": format!("t{number}"), "language": "de", "components": []}))
            .unwrap();
    }
    let (mut names, mut next, mut pages) =
        (Vec::new(), Some(path("?limit=7&fields=name,status&status=APPROVED,PAUSED")), 0);
    while let Some(address) = next {
        let (status, page) =
            meta.call(Method::GET, &address.replace(&meta.simulator.base_url(), ""), &Value::Null).await;
        assert_eq!(status, 200, "{page}");
        for row in page["data"].as_array().unwrap() {
            assert_eq!(row.as_object().unwrap().len(), 3, "id and the wished fields: {row}");
            names.push(row["name"].as_str().unwrap().to_owned());
        }
        next = page["paging"]["next"].as_str().map(str::to_owned);
        pages += 1;
        if pages == 2 {
            let (status, _) = meta.call(Method::DELETE, &path("?name=t0"), &Value::Null).await;
            assert_eq!(status, 200);
        }
    }
    names.sort();
    names.dedup();
    assert_eq!((pages, names.len()), (9, 60), "one was deleted after it had been shown");
    let found = meta.call(Method::GET, &path("?name=t4&language=de"), &Value::Null).await.1;
    assert_eq!(found["data"].as_array().unwrap().len(), 11);
    assert_eq!(found["paging"]["next"], Value::Null);
    assert_eq!(meta.call(Method::GET, &path("?after=x"), &Value::Null).await.0, 400);
}

#[tokio::test]
async fn templates_are_made_edited_and_deleted() {
    let meta = Meta::new().await;
    let subcode = |answer: &Value| answer["error"]["error_subcode"].as_u64();
    let (status, made) = meta.call(Method::POST, &path(""), &new_template("fresh")).await;
    assert_eq!((status, &made["status"], &made["category"]), (200, &json!("APPROVED"), &json!("UTILITY")));
    let id = made["id"].as_str().unwrap();
    assert_eq!(subcode(&meta.call(Method::POST, &path(""), &new_template("fresh")).await.1), Some(2_388_024));
    let words = json!([{"type": "body", "parameters": [{"type": "text", "text": "Dana"}]}]);
    assert_eq!(meta.refusal(&template("fresh", words)).await.1, 0);

    let edit = json!({"components": [{"type": "BODY", "text": "Your order is on its way."}]});
    let one = format!("/v23.0/{id}");
    assert_eq!(meta.call(Method::POST, &one, &edit).await.1, json!({"success": true}));
    assert_eq!(subcode(&meta.call(Method::POST, &one, &edit).await.1), Some(2_388_025), "once a day");
    meta.simulator.advance(Duration::from_secs(24 * 3600));
    assert_eq!(
        meta.call(Method::POST, &one, &json!({"category": "MARKETING"})).await.0,
        400,
        "approved ones keep theirs"
    );
    assert_eq!(meta.call(Method::POST, &one, &edit).await.0, 200);
    let (_, shown) = meta.call(Method::GET, &one, &Value::Null).await;
    assert_eq!(shown["components"], edit["components"]);
    assert_eq!(meta.refusal(&template("fresh", Value::Null)).await.1, 0);

    assert_eq!(meta.call(Method::DELETE, &path(&format!("?name=fresh&hsm_id={id}")), &Value::Null).await.0, 200);
    assert_eq!(meta.call(Method::DELETE, &path("?name=fresh"), &Value::Null).await.0, 400);
    assert_eq!(meta.refusal(&template("fresh", Value::Null)).await.1, 132_001);
    assert_eq!(subcode(&meta.call(Method::POST, &path(""), &new_template("fresh")).await.1), Some(2_388_023));
    meta.simulator.advance(Duration::from_secs(31 * 24 * 3600));
    assert_eq!(meta.call(Method::POST, &path(""), &new_template("fresh")).await.0, 200);
}

#[tokio::test]
async fn what_is_handed_in_is_checked_and_reviewed() {
    let meta = Meta::with(|options| options.behaviour.review.verdict = None).await;
    for (name, value) in [
        ("name", json!("Order Update")),
        ("language", json!("english")),
        ("category", json!("OFFER")),
        ("components", json!([])),
        ("parameter_format", json!("BOTH")),
        ("colour", json!("red")),
    ] {
        let mut template = new_template("fresh");
        template[name] = value;
        assert_eq!(meta.call(Method::POST, &path(""), &template).await.0, 400, "{name}");
    }
    let (_, made) = meta.call(Method::POST, &path(""), &new_template("fresh")).await;
    assert_eq!(made["status"], json!("PENDING"));
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        meta.call(Method::POST, &format!("/v23.0/{id}"), &json!({"components": []})).await.0,
        400,
        "being reviewed"
    );
    assert_eq!(meta.refusal(&template("fresh", json!([]))).await.1, 132_001);
    assert!(meta.simulator.set_template_status(id, "PAUSED", None));
    assert_eq!(
        meta.call(Method::POST, &format!("/v23.0/{id}/unpause"), &Value::Null).await.1,
        json!({"success": true})
    );
    assert_eq!(meta.simulator.templates(None).last().unwrap()["status"], json!("APPROVED"));

    meta.simulator.change(|behaviour| behaviour.limits.templates = 11).unwrap();
    let (_, full) = meta.call(Method::POST, &path(""), &new_template("another")).await;
    assert_eq!(full["error"]["error_subcode"], json!(2_388_019));
}
