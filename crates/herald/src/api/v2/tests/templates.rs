//! Templates over HTTP, against a small stand-in for Meta's Graph API.

use crate::{
    api::testing::{Answer, Instance, Member},
    store::ChannelRow,
    template::schedule,
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::{get, post},
};
use herald_channels::contract::{TemplateChange, TemplateNotice};
use herald_rules::template::{Found, TemplateStatus};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Meta's side: pages of two, and whatever answer it is told to give instead.
#[derive(Clone, Default)]
struct Graph(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    templates: Vec<Value>,
    refusal: Option<(u16, Value)>,
    calls: Vec<String>,
}

type Reply = (StatusCode, Json<Value>);

impl Graph {
    async fn start() -> (Self, String) {
        let graph = Self::default();
        let router = Router::new()
            .route("/v23.0/1098/message_templates", get(list).post(create).delete(delete))
            .route("/v23.0/{id}", post(edit))
            .route("/v23.0/{id}/unpause", post(unpause))
            .with_state(graph.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (graph, url)
    }

    fn set(&self, templates: Vec<Value>) {
        self.0.lock().unwrap().templates = templates;
    }

    fn change(&self, name: &str, field: &str, value: Value) {
        let mut held = self.0.lock().unwrap();
        held.templates.iter_mut().find(|template| template["name"] == name).unwrap()[field] = value;
    }

    fn refuse(&self, refusal: Option<(u16, Value)>) {
        self.0.lock().unwrap().refusal = refusal;
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }

    /// Notes the call, and answers with the refusal where there is one.
    fn called(&self, call: String) -> Result<std::sync::MutexGuard<'_, Held>, Reply> {
        let mut held = self.0.lock().unwrap();
        held.calls.push(call);
        match &held.refusal {
            Some((status, error)) => Err((StatusCode::from_u16(*status).unwrap(), Json(json!({"error": error})))),
            None => Ok(held),
        }
    }
}

async fn list(graph: State<Graph>, query: Query<HashMap<String, String>>) -> Result<Json<Value>, Reply> {
    let held = graph.called("list".into())?;
    let from: usize = query.get("after").map_or(0, |after| after.parse().unwrap());
    let page: Vec<_> = held.templates.iter().skip(from).take(2).collect();
    let mut paging = json!({"cursors": {"before": "x", "after": (from + 2).to_string()}});
    if from + 2 < held.templates.len() {
        paging["next"] = json!("https://graph.example/next");
    }
    Ok(Json(json!({"data": page, "paging": paging})))
}

async fn create(graph: State<Graph>, body: Json<Value>) -> Result<Json<Value>, Reply> {
    let mut held = graph.called(format!("create {}", body.0["name"].as_str().unwrap()))?;
    let id = (9_000 + held.templates.len()).to_string();
    let mut template = body.0;
    (template["id"], template["status"]) = (json!(id), json!("PENDING"));
    held.templates.push(template);
    Ok(Json(json!({"id": id, "status": "PENDING", "category": "UTILITY"})))
}

async fn edit(graph: State<Graph>, Path(id): Path<String>, body: Json<Value>) -> Result<Json<Value>, Reply> {
    let mut held = graph.called(format!("edit {id}"))?;
    let template = held.templates.iter_mut().find(|template| template["id"] == *id).unwrap();
    template["components"] = body.0["components"].clone();
    template["status"] = json!("PENDING");
    Ok(Json(json!({"success": true})))
}

async fn unpause(graph: State<Graph>, Path(id): Path<String>) -> Result<Json<Value>, Reply> {
    let mut held = graph.called(format!("unpause {id}"))?;
    held.templates.iter_mut().find(|template| template["id"] == *id).unwrap()["status"] = json!("APPROVED");
    Ok(Json(json!({"success": true})))
}

async fn delete(graph: State<Graph>, query: Query<HashMap<String, String>>) -> Result<Json<Value>, Reply> {
    let mut held = graph.called(format!("delete {} {}", query["name"], query["hsm_id"]))?;
    held.templates.retain(|template| template["id"] != query["hsm_id"].as_str());
    Ok(Json(json!({"success": true})))
}

fn template(id: &str, name: &str, text: &str) -> Value {
    json!({
        "id": id, "name": name, "language": "en_US", "status": "APPROVED", "category": "UTILITY",
        "parameter_format": "POSITIONAL", "quality_score": {"score": "GREEN", "date": 1_795_000_000},
        "components": [{"type": "BODY", "text": text, "example": {"body_text": [["Dana", "A-1009"]]}}],
    })
}

/// Of these a page holds two.
fn three() -> Vec<Value> {
    vec![
        template("1", "order_update", "Hi {{1}}, order {{2}} is on its way."),
        template("2", "order_ready", "Hi {{1}}, order {{2}} can be fetched now."),
        template("3", "visit", "Hi {{1}}, we see you on {{2}} at our practice."),
    ]
}

/// An instance with a channel at Meta's.
struct World {
    instance: Instance,
    member: Member,
    graph: Graph,
    channel: ChannelRow,
    path: String,
}

impl World {
    async fn new() -> Self {
        let (graph, url) = Graph::start().await;
        let instance = Instance::new().await;
        let member = instance.member("Sales").await;
        let channel = json!({
            "protocol": "WhatsApp", "provider": "whatsapp_cloud", "nonTicketMessages": true,
            "settings": {"language": "en_US", "provider": {
                "waba_id": "1098", "phone_numbers": {"15550100200": "1044"}, "graph_url": url,
            }},
            "credentials": {"access_token": "token", "app_secret": "secret", "verify_token": "verify"},
            "identifiers": [{"identifier": "15550100200"}],
        });
        let made = instance.post("/api/v2/channels", &member.token, &channel).await;
        assert_eq!(made.status, 201, "{made:?}");
        let path = format!("/api/v2/channels/{}/templates", made.body["id"].as_str().unwrap());
        let channel = instance.app.directory.get().all_channels().next().unwrap().row;
        Self { instance, member, graph, channel, path }
    }

    async fn ask(&self, method: &str, below: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.instance.ask(method, &format!("{}{below}", self.path), &self.member.token, &[], body).await
    }

    async fn get(&self, below: &str) -> Value {
        let answer = self.ask("GET", below, Value::Null).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    async fn sync(&self) -> Value {
        let answer = self.ask("POST", "/sync", Value::Null).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// The template that a text is, as whoever accepts a message finds it.
    fn found(&self, text: &str) -> Option<String> {
        match self.instance.app.templates.index(self.channel).unwrap().find(text) {
            Found::Match(found) => Some(found.template.name.clone()),
            _ => None,
        }
    }

    fn directory_channel(&self) -> Arc<crate::node::directory::Channel> {
        self.instance.app.directory.get().channel(self.channel).unwrap().clone()
    }
}

/// The steps of a template's history, shortly.
fn steps(story: &Value) -> Vec<String> {
    let steps = story["history"].as_array().unwrap().iter();
    steps.map(|step| format!("{} {} {}", step["kind"].as_str().unwrap(), step["before"], step["after"])).collect()
}

const TEXT: &str = "Hi Dana, order A-7 is on its way.";

#[tokio::test]
async fn all_pages_are_read_and_only_differences_written() {
    let world = World::new().await;
    assert_eq!(world.get("").await, json!({"items": [], "nextCursor": null, "lastSync": null}));
    assert_eq!(world.found(TEXT), None);
    world.graph.set(three());
    let synced = world.sync().await;
    assert_eq!((&synced["listed"], &synced["changed"], &synced["gone"]), (&json!(3), &json!(3), &json!(0)));
    assert_eq!(world.graph.calls(), ["list", "list"]);
    assert_eq!(world.found(TEXT).as_deref(), Some("order_update"));

    let story = world.get("/order_update/en-US").await;
    assert_eq!((&story["quality"], &story["id"], &story["status"]), (&json!("GREEN"), &json!("1"), &json!("APPROVED")));
    assert_eq!(steps(&story), ["status null \"APPROVED\""]);
    assert_eq!(world.sync().await["changed"], 0);
    assert_eq!(world.get("/order_update/en_US").await, story, "nothing was written");

    world.graph.change("order_update", "status", json!("PAUSED"));
    world.graph.change("visit", "quality_score", json!({"score": "RED", "date": 1_796_000_000}));
    assert_eq!(world.sync().await["changed"], 2);
    assert_eq!(world.found(TEXT), None, "only approved ones are sent");
    assert_eq!(steps(&world.get("/visit/en_US").await)[1], "quality \"GREEN\" \"RED\"");

    world.graph.set(three()[1..].to_vec());
    assert_eq!(world.sync().await["gone"], 1);
    let story = world.get("/order_update/en_US").await;
    assert_eq!((&story["status"], story["history"].as_array().unwrap().len()), (&json!("DELETED"), 3));
    let names = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&world.get("").await), ["order_ready", "visit"]);
    assert_eq!(names(&world.get("?status=deleted").await), ["order_update"]);
    assert_eq!(names(&world.get("?name=VIS&category=utility").await), ["visit"]);
    let page = world.get("?limit=1").await;
    let next = page["nextCursor"].as_str().unwrap().to_owned();
    assert_eq!(names(&world.get(&format!("?limit=1&cursor={next}")).await), ["visit"]);
    assert_eq!(world.ask("GET", "?status=SLEEPY", Value::Null).await.refusal(), (400, "invalid_query"));
    assert_eq!(world.ask("GET", "?cursor=x", Value::Null).await.refusal(), (400, "invalid_cursor"));
}

#[tokio::test]
async fn a_failed_comparison_keeps_what_is_there_and_says_why() {
    let world = World::new().await;
    world.graph.set(three());
    world.sync().await;
    let expired = json!({"message": "Error validating access token: Session has expired", "type": "OAuthException", "code": 190, "error_subcode": 463});
    world.graph.refuse(Some((401, expired)));
    let answer = world.ask("POST", "/sync", Value::Null).await;
    assert_eq!(answer.refusal(), (502, "provider_trouble"));
    assert_eq!(answer.body["providerCode"], "190/463");
    let page = world.get("").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    let last = &page["lastSync"];
    assert_eq!(last["error"]["code"], "provider_auth_failed");
    assert!(last["succeededAt"].is_string() && last["succeededAt"].as_str() < last["at"].as_str(), "{last}");
    assert_eq!(world.found(TEXT).as_deref(), Some("order_update"));
    world.graph.refuse(None);
    assert_eq!(world.sync().await["lastSync"]["error"], Value::Null);
    let metrics = world.instance.app.metrics.render();
    assert!(metrics.contains("herald_template_syncs_total{result=\"failed\"} 1"), "{metrics}");
}

#[tokio::test]
async fn a_template_is_drafted_handed_in_changed_and_deleted() {
    let world = World::new().await;
    let mut new = three().remove(0);
    for field in ["id", "status", "quality_score"] {
        new.as_object_mut().unwrap().remove(field);
    }
    let made = world.ask("POST", "", new.clone()).await;
    assert_eq!((made.status.as_u16(), &made.body["status"], &made.body["id"]), (201, &json!("DRAFT"), &Value::Null));
    assert_eq!(world.ask("POST", "", new.clone()).await.refusal(), (409, "template_exists"));
    assert_eq!(world.sync().await["gone"], 0, "Meta knows no drafts");
    assert_eq!(world.graph.calls(), ["list"]);
    let text = "Hi {{1}}, your order {{2}} is on its way.";
    let change =
        json!({"components": [{"type": "BODY", "text": text, "example": {"body_text": [["Dana", "A-1009"]]}}]});
    let broken = json!({"components": [{"type": "BODY", "text": "{{1}}"}]});
    assert_eq!(world.ask("PATCH", "/order_update/en_US", broken).await.refusal(), (400, "template_invalid"));
    assert_eq!(world.ask("PATCH", "/order_update/en_US", change.clone()).await.body["status"], "DRAFT");

    let submit = "/order_update/en_US/submit";
    let exists = json!({"message": "Invalid parameter", "code": 100, "error_subcode": 2_388_024, "is_transient": false,
        "error_user_title": "Content in this language already exists", "error_user_msg": "There is already English (US) content."});
    world.graph.refuse(Some((400, exists)));
    let answer = world.ask("POST", submit, Value::Null).await;
    assert_eq!(answer.refusal(), (422, "template_refused"));
    assert_eq!(answer.body["providerCode"], "100/2388024");
    let told = answer.body["detail"].as_str().unwrap();
    assert!(told.contains("There is already English (US) content.") && told.contains("Choose another name"), "{told}");
    world.graph.refuse(None);
    let handed_in = world.ask("POST", submit, Value::Null).await;
    assert_eq!((handed_in.status.as_u16(), &handed_in.body["status"]), (200, &json!("PENDING")), "{handed_in:?}");
    assert_eq!(handed_in.body["components"][0]["text"], text);
    assert_eq!(world.ask("POST", submit, Value::Null).await.refusal(), (409, "template_state"));
    assert_eq!(world.ask("PATCH", "/order_update/en_US", change.clone()).await.refusal(), (409, "template_state"));

    world.graph.change("order_update", "status", json!("APPROVED"));
    world.sync().await;
    assert_eq!(world.found("Hi Dana, your order A-7 is on its way.").as_deref(), Some("order_update"));
    let category = json!({"category": "MARKETING"});
    assert_eq!(world.ask("PATCH", "/order_update/en_US", category).await.refusal(), (409, "template_state"));
    assert_eq!(world.ask("PATCH", "/order_update/en_US", change).await.body["status"], "PENDING");
    assert_eq!(world.ask("POST", "/order_update/en_US/unpause", Value::Null).await.refusal(), (409, "template_state"));
    world.graph.change("order_update", "status", json!("PAUSED"));
    world.sync().await;
    assert_eq!(world.ask("POST", "/order_update/en_US/unpause", Value::Null).await.status, 202);
    world.sync().await;
    assert_eq!(world.get("/order_update/en_US").await["status"], "APPROVED");
    assert_eq!(world.ask("DELETE", "/order_update/en_US", Value::Null).await.status, 204);
    assert_eq!(world.ask("DELETE", "/order_update/en_US", Value::Null).await.refusal(), (404, "template_not_found"));
    let calls: Vec<_> = world.graph.calls().into_iter().filter(|call| call != "list").collect();
    assert_eq!(
        calls,
        ["create order_update", "create order_update", "edit 9000", "unpause 9000", "delete order_update 9000"]
    );
    let story = steps(&world.get("/order_update/en_US").await);
    assert_eq!(story.last().unwrap(), "status \"APPROVED\" \"DELETED\"");

    // Its name may be used again, and at once.
    assert_eq!(world.ask("POST", "?submit=true", new.clone()).await.body["status"], "PENDING");
    let mut other = new;
    other["name"] = json!("short_lived");
    assert_eq!(world.ask("POST", "", other).await.status, 201);
    assert_eq!(world.ask("DELETE", "/short_lived/en_US", Value::Null).await.status, 204);
    assert_eq!(world.ask("GET", "/short_lived/en_US", Value::Null).await.refusal(), (404, "template_not_found"));
}

#[tokio::test]
async fn every_broken_rule_is_named_before_meta_is_asked() {
    let world = World::new().await;
    let broken = json!({"name": "Order Update", "language": "en-US", "category": "UTILITY", "components": [
        {"type": "BODY", "text": "{{1}}, your order is on its way to you.", "example": {"body_text": [["Dana"]]}},
    ]});
    for query in ["", "?submit=true"] {
        let answer = world.ask("POST", query, broken.clone()).await;
        assert_eq!(answer.refusal(), (400, "template_invalid"));
        let errors = answer.body["errors"].as_array().unwrap().iter();
        let codes: Vec<_> =
            errors.map(|error| (error["code"].as_str().unwrap(), error["pointer"].as_str().unwrap())).collect();
        let body = "/components/0/text";
        assert_eq!(codes, [("name_invalid", "/name"), ("language_invalid", "/language"), ("variable_at_edge", body)]);
    }
    assert!(world.graph.calls().is_empty());
    // Channels of other providers have none.
    let other = world.instance.channel(&world.member, herald_rules::protocol::Protocol::SMS, "15550100201", true).await;
    let path = format!("/api/v2/channels/{other}/templates");
    let answer = world.instance.get(&path, &world.member.token).await;
    assert_eq!(answer.refusal(), (400, "templates_not_supported"));
    let stranger = world.instance.member("Support").await;
    assert_eq!(world.instance.get(&world.path, &stranger.token).await.refusal(), (404, "channel_not_found"));
}

#[tokio::test]
async fn callbacks_are_applied_at_once_and_a_comparison_follows() {
    let world = World::new().await;
    world.graph.set(three());
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(schedule::run(world.instance.app.clone(), stop.clone()));
    // At the start, by itself.
    until(async || world.found(TEXT).is_some()).await;
    let app = &world.instance.app;
    let notice = |change| TemplateNotice {
        id: "1".into(),
        name: "order_update".into(),
        language: "en-US".into(),
        change,
        at: None,
    };
    let paused = TemplateChange::Status(TemplateStatus::Paused, Some("FIRST_PAUSE: Paused for 3 hours.".into()));
    crate::inbound::notices::template_noticed(app, &world.directory_channel(), notice(paused)).await;
    assert_eq!(world.found(TEXT), None);
    let story = world.get("/order_update/en_US").await;
    assert_eq!(story["history"][1]["reason"], "FIRST_PAUSE: Paused for 3 hours.");
    // A channel whose token is replaced is compared at once.
    world.graph.change("visit", "status", json!("DISABLED"));
    let patch = json!({"credentials": {"access_token": "new", "app_secret": "secret", "verify_token": "verify"}});
    let channel = world.path.trim_end_matches("/templates");
    let patched = world.instance.ask("PATCH", channel, &world.member.token, &[], patch.to_string()).await;
    assert_eq!(patched.status, 200, "{patched:?}");
    until(async || world.get("/visit/en_US").await["status"] == "DISABLED").await;
    stop.cancel();
    running.await.unwrap();
}

/// Waits for a condition, at most 10 seconds.
async fn until(condition: impl AsyncFn() -> bool) {
    let waited = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waited).await.expect("it did not come");
}
