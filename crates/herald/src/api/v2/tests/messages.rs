//! Messages, over HTTP.

use crate::api::testing::{Instance, Member};
use herald_rules::protocol::Protocol::{SMS, WhatsApp};
use serde_json::{Value, json};

const PATH: &str = "/api/v2/messages";
const OURS: &str = "972550000001";

async fn instance() -> (Instance, Member) {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    instance.channel(&member, WhatsApp, OURS, true).await;
    instance.channel(&member, SMS, OURS, true).await;
    (instance, member)
}

fn message(protocol: &str, to: &str) -> Value {
    json!({"protocolType": protocol, "from": OURS, "to": to, "text": "Hello", "metadata": {"order": 17}})
}

async fn send(instance: &Instance, member: &Member, protocol: &str, to: &str) -> String {
    let answer = instance.post(PATH, &member.token, &message(protocol, to)).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_message_is_accepted_and_shown() {
    let (instance, member) = instance().await;
    let mut body = message("SMS", "+972 55-000-0002");
    body["files"] = json!(["https://files.example/a.png"]);
    let accepted = instance.post(PATH, &member.token, &body).await;
    assert_eq!(accepted.status, 202);
    assert!(accepted.headers.contains_key("ratelimit-remaining"));
    assert_eq!(accepted.body["warnings"][0]["code"], "attachments_dropped");
    let id = accepted.body["id"].as_str().unwrap();
    let shown = instance.get(&format!("{PATH}/{id}"), &member.token).await.body;
    for field in ["id", "channelId", "protocol", "from", "to", "text", "files", "metadata", "acceptedAt", "status"] {
        assert_eq!(shown[field], accepted.body[field], "{field}");
    }
    assert_eq!((&shown["to"], &shown["status"]), (&json!("972550000002"), &json!("Pending")));
    assert_eq!(shown["history"], json!([{"status": "Pending", "at": shown["acceptedAt"], "reason": null}]));
    let other = instance.member("Support").await;
    assert_eq!(instance.get(&format!("{PATH}/{id}"), &other.token).await.refusal(), (404, "message_not_found"));
    assert_eq!(instance.get(&format!("{PATH}/x"), &member.token).await.refusal(), (404, "message_not_found"));
}

#[tokio::test]
async fn a_waiting_message_is_cancelled_once() {
    let (instance, member) = instance().await;
    let mut body = message("SMS", "972550000002");
    body["sendAt"] = json!(herald_rules::time::Timestamp::now() + std::time::Duration::from_secs(3_600));
    let id = instance.post(PATH, &member.token, &body).await.body["id"].as_str().unwrap().to_owned();
    let shown = instance.get(&format!("{PATH}/{id}"), &member.token).await.body;
    assert_eq!((&shown["waiting"]["code"], &shown["waiting"]["until"]), (&json!("scheduled"), &body["sendAt"]));
    let path = format!("{PATH}/{id}/cancel");
    let other = instance.member("Support").await;
    assert_eq!(instance.ask("POST", &path, &other.token, &[], "").await.refusal(), (404, "message_not_found"));
    let cancelled = instance.ask("POST", &path, &member.token, &[], "").await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    assert_eq!(cancelled.body["status"], "Rejected");
    assert_eq!((&cancelled.body["reason"]["code"], &cancelled.body["waiting"]), (&json!("cancelled"), &Value::Null));
    assert_eq!(cancelled.body["history"][1]["status"], "Rejected");
    let again = instance.ask("POST", &path, &member.token, &[], "").await;
    assert_eq!(again.refusal(), (409, "too_late_to_cancel"));
    assert_eq!(again.body["messageStatus"], "Rejected");
}

#[tokio::test]
async fn lists_are_newest_first_and_filtered() {
    let (instance, member) = instance().await;
    let mut ids = Vec::new();
    for (protocol, to) in
        [("SMS", "972550000002"), ("WhatsApp", "972550000002"), ("SMS", "972550000003"), ("SMS", "972550000002")]
    {
        ids.push(send(&instance, &member, protocol, to).await);
    }
    instance.ask("POST", &format!("{PATH}/{}/cancel", ids[2]), &member.token, &[], "").await;
    let list = |query: String| {
        let (instance, token) = (&instance, &member.token);
        async move { instance.get(&format!("{PATH}?{query}"), token).await.body }
    };
    let picked = |page: &Value| -> Vec<usize> {
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}")).iter();
        items.map(|item| ids.iter().position(|id| *id == item["id"]).unwrap()).collect()
    };
    let second = instance.get(&format!("{PATH}/{}", ids[1]), &member.token).await.body["acceptedAt"].clone();
    let second = second.as_str().unwrap().to_owned();
    for (query, expected) in [
        (String::new(), vec![3, 2, 1, 0]),
        ("status=rejected".into(), vec![2]),
        ("status=Pending&protocol=sms".into(), vec![3, 0]),
        ("to=%2B972550000002".into(), vec![3, 1, 0]),
        (format!("protocol=WhatsApp&from={OURS}"), vec![1]),
        ("from=972559999999".into(), vec![]),
        (format!("since={second}"), vec![3, 2, 1]),
        (format!("until={second}"), vec![0]),
        (format!("since={}", second.replace('Z', "+00:00")), vec![3, 2, 1]),
    ] {
        assert_eq!(picked(&list(query.clone()).await), expected, "{query}");
    }
    let first = list("limit=3&to=972550000002".into()).await;
    assert_eq!(picked(&first), [3, 1, 0]);
    let page = list("limit=2".into()).await;
    let rest = list(format!("limit=2&cursor={}", page["nextCursor"].as_str().unwrap())).await;
    assert_eq!([picked(&page), picked(&rest)].concat(), [3, 2, 1, 0]);
    for query in ["status=Lost", "protocol=Telex", "since=yesterday"] {
        assert_eq!(list(query.into()).await["code"], "invalid_query");
    }
    let other = instance.member("Support").await;
    assert_eq!(instance.get(PATH, &other.token).await.body["items"], json!([]));
}

#[tokio::test]
async fn a_filter_that_few_pass_answers_where_to_go_on() {
    let (instance, member) = instance().await;
    for to in ["972550000002", "972550000003", "972550000003", "972550000003"] {
        send(&instance, &member, "SMS", to).await;
    }
    let department = instance.app.directory.get().department_by_id(member.id).unwrap().row;
    let mut filter = crate::store::MessageFilter {
        department,
        lanes: None,
        to: Some("972550000002".into()),
        status: None,
        since: None,
        until: None,
        before: None,
        limit: 10,
        look_at: 2,
    };
    let (mut found, mut pages) = (0, 0);
    loop {
        let page = instance.app.store.list(filter.clone()).await.unwrap();
        found += page.messages.len();
        pages += 1;
        filter.before = page.next;
        if filter.before.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (1, 3));
}

#[tokio::test]
async fn a_preview_says_what_a_send_would_do_and_writes_nothing() {
    let (instance, member) = instance().await;
    let path = "/api/v2/messages/preview";
    let mut body = message("SMS", "+972550000002");
    body["files"] = json!(["https://files.example/a.png"]);
    let preview = instance.post(path, &member.token, &body).await;
    assert_eq!(preview.status, 200, "{preview:?}");
    assert_eq!(
        (&preview.body["message"]["to"], &preview.body["message"]["files"]),
        (&json!("972550000002"), &json!([]))
    );
    assert_eq!(preview.body["warnings"][0]["code"], "attachments_dropped");
    assert_eq!((&preview.body["lane"]["id"], &preview.body["waiting"]), (&json!("SMS:972550000001"), &Value::Null));
    assert_eq!(instance.get(PATH, &member.token).await.body["items"], json!([]));
    for fields in [json!({"to": "1"}), json!({"from": "2"}), json!({"protocolType": 5})] {
        let mut body = message("SMS", "972550000002");
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let (preview, send) =
            (instance.post(path, &member.token, &body).await, instance.post(PATH, &member.token, &body).await);
        assert_eq!((preview.refusal(), &preview.body), (send.refusal(), &send.body));
    }
    for _ in 0..20 {
        send(&instance, &member, "SMS", "972550000002").await;
    }
    let queued = instance.post(path, &member.token, &body).await.body;
    assert_eq!((&queued["waiting"]["code"], &queued["lane"]["queued"]), (&json!("queued"), &json!(20)));
    let pause = "/api/v2/lanes/SMS:972550000001/pause";
    instance.ask("POST", pause, &member.token, &[], "").await;
    let paused = instance.post(path, &member.token, &body).await.body;
    assert_eq!((&paused["waiting"]["code"], &paused["expectedAt"]), (&json!("paused"), &Value::Null));
}
