//! The same by HTTP, for a simulator that is another process.

use super::*;

impl Meta {
    /// A call of the control interface, which needs no token and must succeed.
    async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.call_as("", method, &format!("/control/{path}"), &body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }
}

#[tokio::test]
async fn everything_can_be_steered_and_read() {
    let meta = Meta::new().await;
    let (get, put, post) = (Method::GET, Method::PUT, Method::POST);
    let changed = meta.control(put.clone(), "behaviour", json!({"limits": {"pairBurst": 1}})).await;
    assert_eq!((&changed["limits"]["pairBurst"], &changed["limits"]["window"]), (&json!(1), &json!(true)));
    assert_eq!(meta.call_as("", put.clone(), "/control/behaviour", &json!({"limits": {"x": 1}})).await.0, 400);

    let mut sent = message("text", json!({"body": "Hi"}));
    sent["biz_opaque_callback_data"] = json!("one");
    for code in [0, 131_056] {
        assert_eq!(meta.refusal(&sent).await.1, code);
    }
    meta.control(post.clone(), "clock", json!({"seconds": 6})).await;
    assert_eq!(meta.refusal(&sent).await.1, 0);
    let page = meta.control(get.clone(), &format!("journal?limit=2&to={CUSTOMER}&echo=one"), Value::Null).await;
    assert_eq!((page["entries"].as_array().unwrap().len(), &page["next"]), (2, &json!(2)));
    assert_eq!(page["entries"][1]["code"], json!(131_056));
    let rest = meta.control(get.clone(), "journal?after=2", Value::Null).await;
    assert_eq!((&rest["entries"][0]["body"], &rest["next"]), (&sent, &Value::Null));
    let twice = meta.control(get.clone(), "duplicates", Value::Null).await;
    assert_eq!(twice, json!([{"to": CUSTOMER, "echo": "one", "calls": [1, 3], "duplicates": 1}]));
    assert_eq!(meta.control(get.clone(), "sends", Value::Null).await, twice);
    let summary = meta.control(get.clone(), "summary", Value::Null).await;
    assert_eq!((&summary["calls"], &summary["duplicates"]), (&json!(3), &json!(1)));
    meta.call(get.clone(), &format!("/v23.0/{NUMBER}"), &Value::Null).await;
    let requests = meta.control(get.clone(), "journal?kind=requests", Value::Null).await;
    assert_eq!(requests["entries"][0]["path"], json!(format!("/{NUMBER}")));
    meta.control(Method::DELETE, "journal", Value::Null).await;
    assert_eq!(meta.control(put.clone(), "journal", json!({"mode": "counting"})).await["calls"], json!(0));

    let id =
        meta.control(put.clone(), "templates", json!({"name": "new", "language": "de", "components": []})).await["id"]
            .clone();
    meta.control(
        put.clone(),
        &format!("templates/{}", id.as_str().unwrap()),
        json!({"status": "PAUSED", "quality": "RED"}),
    )
    .await;
    let listed = meta.control(get, "templates", Value::Null).await;
    let listed = listed.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap();
    assert_eq!((&listed["status"], &listed["quality_score"]["score"]), (&json!("PAUSED"), &json!("RED")));

    let inbound = json!({"from": CUSTOMER, "message": {"type": "text", "text": {"body": "Hi"}}});
    assert!(meta.control(post.clone(), "inbound", inbound).await["id"].is_string());
    meta.control(
        put.clone(),
        &format!("customers/{CUSTOMER}"),
        json!({"window": false, "reachable": false, "marketing": false}),
    )
    .await;
    let told = meta.control(post, "webhooks", json!({"field": "account_update", "value": {}})).await;
    assert_eq!(told, json!({"told": false}), "no callback address yet");
    meta.control(put.clone(), "account", json!({"tokenState": "revoked"})).await;
    assert_eq!(meta.refusal(&sent).await.0, 401);
    let another = json!({"wabaId": "7", "numbers": [{"id": "8", "number": "4930123456"}], "accessToken": "t", "appSecret": "s", "verifyToken": "v"});
    meta.control(put, "accounts", another).await;
    assert_eq!(meta.call_as("t", Method::POST, "/v23.0/8/messages", &sent).await.0, 200);
    assert_eq!(
        meta.call_as("t", Method::GET, &format!("/v23.0/{ACCOUNT}/message_templates"), &Value::Null).await.0,
        403
    );
}
