//! Departments, secrets, users and tokens, over HTTP.

use crate::api::testing::{Instance, USER};
use serde_json::{Value, json};

#[tokio::test]
async fn a_department_from_its_making_to_its_first_token() {
    let instance = Instance::new().await;
    let admin = instance.admin.clone();
    let body = json!({"name": "Sales", "user": "Api@Example.com", "settings": {"messagesPerMinute": 100}});
    let made = instance.post("/api/v2/departments", &admin, &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!((&made.body["id"], &made.body["user"]), (&made.body["apiKey"], &json!("api@example.com")));
    let secret = made.body["secret"]["secret"].as_str().unwrap();
    let login = json!({"apiKey": made.body["apiKey"], "apiSecret": secret, "userName": "api@example.com"});
    let answer = instance.post("/api/v1.2/token/get", "", &login).await;
    let token = answer.body["access_token"].as_str().unwrap();
    let me = instance.get("/api/v2/me", token).await.body;
    assert_eq!((&me["department"]["name"], &me["user"]), (&json!("Sales"), &json!("api@example.com")));
    assert_eq!(me["scopes"].as_array().unwrap().len(), 7);
    let path = format!("/api/v2/departments/{}", made.body["id"].as_str().unwrap());
    let patch = json!({"name": "Sales and service", "settings": {"burst": 9}}).to_string();
    let changed = instance.ask("PATCH", &path, &admin, &[], patch).await;
    assert_eq!((changed.status.as_u16(), &changed.body["settings"]), (200, &json!({"burst": 9})));
    assert_eq!(instance.get(&path, &admin).await.body, changed.body);
    // Its secret was shown once.
    let listed =
        instance.get(&format!("/api/v2/secrets?department={}", made.body["id"].as_str().unwrap()), &admin).await;
    assert_eq!(listed.body["items"][0]["name"], "first");
    assert!(!listed.body.to_string().contains(secret));
}

#[tokio::test]
async fn departments_are_for_the_administrator() {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    let body = json!({"name": "More"});
    assert_eq!(instance.post("/api/v2/departments", &member.token, &body).await.refusal(), (403, "admin_required"));
    assert_eq!(instance.post("/api/v2/departments", "wrong", &body).await.refusal(), (401, "token_invalid"));
    for (body, code) in [
        (json!({}), "invalid_body"),
        (json!({"name": " "}), "invalid_value"),
        (json!({"name": "A", "user": "nobody"}), "invalid_value"),
        (json!({"name": "A", "colour": "red"}), "invalid_body"),
    ] {
        assert_eq!(instance.post("/api/v2/departments", &instance.admin, &body).await.refusal(), (400, code));
    }
    let nobody = format!("/api/v2/departments/{}", uuid::Uuid::now_v7());
    assert_eq!(instance.get(&nobody, &instance.admin).await.refusal(), (404, "department_not_found"));
    assert_eq!(instance.get("/api/v2/departments/x", &instance.admin).await.refusal(), (404, "department_not_found"));
}

#[tokio::test]
async fn departments_come_in_pages() {
    let instance = Instance::new().await;
    for name in ["A", "B", "C"] {
        instance.post("/api/v2/departments", &instance.admin, &json!({"name": name})).await;
    }
    let first = instance.get("/api/v2/departments?limit=2", &instance.admin).await.body;
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = instance.get(&format!("/api/v2/departments?limit=2&cursor={cursor}"), &instance.admin).await.body;
    let names =
        |page: &Value| page["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect::<Vec<_>>();
    let names: Vec<Value> = [names(&first), names(&second)].concat();
    assert_eq!(names, ["A", "B", "C"]);
    assert_eq!(second["nextCursor"], Value::Null);
    for (query, code) in [("cursor=x", "invalid_cursor"), ("limit=x", "invalid_query")] {
        let answer = instance.get(&format!("/api/v2/departments?{query}"), &instance.admin).await;
        assert_eq!(answer.refusal(), (400, code));
    }
}

#[tokio::test]
async fn the_administrator_says_for_whom() {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    let ask = |path: String, headers: Vec<(&'static str, String)>| {
        let instance = &instance;
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            instance.ask("GET", &path, &instance.admin, &headers, "").await
        }
    };
    assert_eq!(ask("/api/v2/users".into(), vec![]).await.refusal(), (400, "department_required"));
    for id in [uuid::Uuid::now_v7().to_string(), "x".into()] {
        let answer = ask(format!("/api/v2/users?department={id}"), vec![]).await;
        assert_eq!(answer.refusal(), (404, "department_not_found"));
    }
    let by_query = ask(format!("/api/v2/users?limit=5&department={}", member.id), vec![]).await;
    assert_eq!(by_query.body["items"][0]["email"], USER);
    let by_header = ask("/api/v2/users".into(), vec![("x-herald-department", member.id.to_string())]).await;
    assert_eq!(by_header.body, by_query.body);
    // A department's token cannot reach into another by the same words.
    let other = instance.member("Support").await;
    let path = format!("/api/v2/me?department={}", other.id);
    assert_eq!(instance.get(&path, &member.token).await.body["department"]["id"], json!(member.id));
}

#[tokio::test]
async fn a_secret_is_exchanged_for_another() {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    let path = "/api/v2/secrets";
    let first = instance.get(path, &member.token).await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let revoke = |id: String| {
        let (instance, token) = (&instance, &member.token);
        async move { instance.ask("DELETE", &format!("{path}/{id}"), token, &[], "").await }
    };
    assert_eq!(revoke(first.clone()).await.refusal(), (409, "last_secret"));
    assert_eq!(instance.post(path, &member.token, &json!({"name": "first"})).await.refusal(), (409, "name_taken"));
    let second = instance.post(path, &member.token, &json!({"name": "second"})).await;
    assert_eq!(second.status, 201);
    let login = |secret: String| {
        let body = json!({"apiKey": member.id, "apiSecret": secret, "userName": USER});
        let instance = &instance;
        async move { instance.post("/api/v1.2/token/get", "", &body).await }
    };
    let new = second.body["secret"].as_str().unwrap().to_owned();
    assert_eq!(login(member.secret.clone()).await.status, 200, "both hold for a while");
    let answer = login(new.clone()).await;
    let token = answer.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(revoke(first.clone()).await.status, 204);
    assert_eq!(login(member.secret.clone()).await.refusal(), (401, "invalid_credentials"));
    assert_eq!(login(new).await.status, 200);
    // The tokens of the old secret ended with it; those of the new one go on.
    assert_eq!(instance.get("/api/v2/me", &member.token).await.refusal(), (401, "token_invalid"));
    assert_eq!(instance.get("/api/v2/me", &token).await.status, 200);
    let again = instance.ask("DELETE", &format!("{path}/{first}"), &token, &[], "").await;
    assert_eq!(again.refusal(), (404, "secret_not_found"));
}

#[tokio::test]
async fn users_come_and_go() {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    let path = "/api/v2/users";
    let body = json!({"email": "Bulk@Example.com", "name": "Bulk"});
    let made = instance.post(path, &member.token, &body).await;
    assert_eq!((made.status.as_u16(), &made.body["email"]), (201, &json!("bulk@example.com")));
    assert_eq!(instance.post(path, &member.token, &body).await.refusal(), (409, "name_taken"));
    let first = instance.get(&format!("{path}?limit=1"), &member.token).await.body;
    let rest = format!("{path}?limit=1&cursor={}", first["nextCursor"].as_str().unwrap());
    assert_eq!(instance.get(&rest, &member.token).await.body["items"][0]["email"], "bulk@example.com");
    let remove = |email: &'static str| {
        let (instance, token) = (&instance, &member.token);
        async move { instance.ask("DELETE", &format!("{path}/{email}"), token, &[], "").await }
    };
    assert_eq!(remove("Bulk@example.com").await.status, 204);
    assert_eq!(remove("bulk@example.com").await.refusal(), (404, "user_not_found"));
    assert_eq!(remove(USER).await.status, 204);
    assert_eq!(instance.get(path, &member.token).await.refusal(), (401, "token_invalid"), "its token ended with it");
}

#[tokio::test]
async fn named_tokens_do_what_their_scopes_say() {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    let path = "/api/v2/tokens";
    let make = |token: String, scopes: Value| {
        let instance = &instance;
        async move { instance.post(path, &token, &json!({"name": "report", "scopes": scopes})).await }
    };
    let made = make(member.token.clone(), json!(["messages", "access"])).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.body["user"], USER);
    let token = made.body["token"].as_str().unwrap().to_owned();
    assert_eq!(instance.get("/api/v2/messages", &token).await.status, 200);
    let answer = instance.get("/api/v2/lanes", &token).await;
    assert_eq!(answer.refusal(), (403, "scope_missing"));
    assert!(answer.body["message"].as_str().unwrap().contains("`lanes`"));
    assert_eq!(make(token.clone(), json!(["send"])).await.refusal(), (403, "scope_missing"), "no more than it has");
    assert_eq!(make(token.clone(), json!(["messages"])).await.status, 201);
    assert_eq!(make(token.clone(), json!([])).await.refusal(), (400, "invalid_value"));
    assert_eq!(make(token.clone(), json!(["everything"])).await.refusal(), (400, "invalid_body"));
    let past = json!({"name": "old", "scopes": ["send"], "expiresAt": "2020-01-01T00:00:00Z"});
    assert_eq!(instance.post(path, &member.token, &past).await.refusal(), (400, "expires_at_invalid"));
    let listed = instance.get(path, &member.token).await.body;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "tokens of token/get are not among them");
    assert!(!listed.to_string().contains(&token));
    let revoke = format!("{path}/{}", made.body["id"].as_str().unwrap());
    assert_eq!(instance.ask("DELETE", &revoke, &member.token, &[], "").await.status, 204);
    assert_eq!(instance.get("/api/v2/messages", &token).await.refusal(), (401, "token_invalid"));
    assert_eq!(instance.ask("DELETE", &revoke, &member.token, &[], "").await.refusal(), (404, "token_not_found"));
}

#[tokio::test]
async fn a_token_can_end_itself() {
    let instance = Instance::new().await;
    let member = instance.member("Sales").await;
    let path = "/api/v2/tokens/revoke-current";
    assert_eq!(instance.ask("POST", path, &member.token, &[], "").await.status, 204);
    assert_eq!(instance.ask("POST", path, &member.token, &[], "").await.refusal(), (401, "token_invalid"));
    let admin = format!("{path}?department={}", member.id);
    assert_eq!(instance.ask("POST", &admin, &instance.admin, &[], "").await.refusal(), (404, "token_not_found"));
}
