//! Numbers, subscriptions and files.

use super::*;
use std::time::Duration;

#[tokio::test]
async fn numbers_show_the_wished_fields() {
    let meta = Meta::new().await;
    let (_, number) =
        meta.call(Method::GET, &format!("/v23.0/{NUMBER}?fields=display_phone_number,throughput"), &Value::Null).await;
    assert_eq!(
        number,
        json!({"display_phone_number": "+15550100200", "throughput": {"level": "STANDARD"}, "id": NUMBER})
    );
    meta.simulator.change_number(NUMBER, |number| number.throughput = Some(1000)).unwrap();
    let (_, list) = meta
        .call(Method::GET, &format!("/v23.0/{ACCOUNT}/phone_numbers?fields=throughput,quality_rating"), &Value::Null)
        .await;
    assert_eq!(list["data"], json!([{"id": NUMBER, "throughput": {"level": "HIGH"}, "quality_rating": "GREEN"}]));
    let (status, gone) = meta.call(Method::GET, "/v23.0/77", &Value::Null).await;
    assert_eq!((status, &gone["error"]["code"], &gone["error"]["error_subcode"]), (400, &json!(100), &json!(33)));
    let (status, _) = meta.call(Method::GET, &format!("/v23.0/{NUMBER}/nothing"), &Value::Null).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn subscriptions_and_registrations() {
    let meta = Meta::new().await;
    let path = format!("/v23.0/{ACCOUNT}/subscribed_apps");
    let count = async || meta.call(Method::GET, &path, &Value::Null).await.1["data"].as_array().unwrap().len();
    assert_eq!(count().await, 1);
    meta.call(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(count().await, 0);
    assert_eq!(meta.call(Method::POST, &path, &Value::Null).await.1, json!({"success": true}));
    let elsewhere = json!({"override_callback_uri": "http://127.0.0.1:1/", "verify_token": "x"});
    assert_eq!(meta.call(Method::POST, &path, &elsewhere).await.1["error"]["code"], json!(2200));
    let registered = json!({"messaging_product": "whatsapp", "pin": "123456"});
    let path = |word: &str| format!("/v23.0/{NUMBER}/{word}");
    meta.call(Method::POST, &path("deregister"), &Value::Null).await;
    assert_eq!(meta.refusal(&message("text", json!({"body": "Hi"}))).await.1, 133_010);
    assert_eq!(meta.call(Method::POST, &path("register"), &registered).await.0, 200);
    assert_eq!(meta.refusal(&message("text", json!({"body": "Hi"}))).await.1, 0);
}

async fn upload(meta: &Meta, mime_type: &str, bytes: &str) -> (u16, Value) {
    let part =
        |head: &str, content: &str| format!("--B\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n");
    let file = format!("name=\"file\"; filename=\"a\"\r\nContent-Type: {mime_type}");
    let body = [
        part("name=\"messaging_product\"", "whatsapp"),
        part("name=\"type\"", mime_type),
        part(&file, bytes),
        "--B--\r\n".to_owned(),
    ]
    .concat();
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/v23.0/{NUMBER}/media"))
        .header("authorization", "Bearer EAAGtoken")
        .header("content-type", "multipart/form-data; boundary=B");
    let response = meta.raw(request.body(Body::from(body)).unwrap()).await;
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap())
}

#[tokio::test]
async fn files_come_and_go() {
    let meta = Meta::new().await;
    let (_, kept) = upload(&meta, "image/png", "picture").await;
    let id = kept["id"].as_str().unwrap();
    assert_eq!(meta.refusal(&message("image", json!({"id": id}))).await.1, 0);
    let shown = async || meta.call(Method::GET, &format!("/v23.0/{id}?phone_number_id={NUMBER}"), &Value::Null).await.1;
    let info = shown().await;
    assert_eq!((&info["mime_type"], &info["file_size"]), (&json!("image/png"), &json!("7")));
    let fetch = async |url: &Value, token: &str| {
        let path = url.as_str().unwrap().replace(&meta.simulator.base_url(), "");
        meta.raw(
            Request::builder()
                .uri(path)
                .header("authorization", format!("Bearer {token}"))
                .body(Body::empty())
                .unwrap(),
        )
        .await
    };
    let fetched = fetch(&info["url"], "EAAGtoken").await;
    assert_eq!(fetched.headers()["content-type"], "image/png");
    assert_eq!(&fetched.into_body().collect().await.unwrap().to_bytes()[..], b"picture");
    assert_eq!(fetch(&info["url"], "other").await.status(), 401);
    meta.simulator.advance(Duration::from_secs(301));
    assert_eq!(fetch(&info["url"], "EAAGtoken").await.status(), 404);
    assert_eq!(fetch(&shown().await["url"], "EAAGtoken").await.status(), 200);
    assert_eq!(meta.call(Method::DELETE, &format!("/v23.0/{id}"), &Value::Null).await.1, json!({"success": true}));
    assert_eq!(meta.call(Method::GET, &format!("/v23.0/{id}"), &Value::Null).await.0, 400);
    assert_eq!(meta.refusal(&message("image", json!({"id": id}))).await.1, 131_009);
    for (mime_type, bytes) in [("image/svg+xml", "x"), ("image/png", "")] {
        assert_eq!(upload(&meta, mime_type, bytes).await.1["error"]["code"], json!(131_053), "{mime_type}");
    }
    assert_eq!(upload(&meta, "image/webp", &"x".repeat(600_000)).await.1["error"]["code"], json!(131_053));
    let (_, other) = upload(&meta, "image/png", "picture").await;
    meta.simulator.advance(Duration::from_secs(31 * 24 * 3600));
    assert_eq!(
        meta.refusal(&message("image", json!({"id": other["id"]}))).await.1,
        131_009,
        "a file lives for 30 days"
    );
}
