//! The simulator against Meta's examples, and against mistakes of every kind.

mod control;
mod load;
mod messages;
mod mistakes;
mod objects;
mod templates;
mod webhooks;

use super::*;
use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::Service;

/// The number of the examples.
const NUMBER: &str = "104433221100998";
/// The account of the examples.
const ACCOUNT: &str = "109876543210987";
/// The file of the examples.
const FILE: &str = "1480912345678901";
/// The customer of the examples.
const CUSTOMER: &str = "16505550142";

/// The templates that the examples send.
fn templates() -> Vec<Value> {
    let body = |text: &str| json!({"type": "BODY", "text": text});
    let image = json!({"type": "HEADER", "format": "IMAGE"});
    let buttons = |list: Value| json!({"type": "BUTTONS", "buttons": list});
    let reply = json!({"type": "QUICK_REPLY", "text": "Help"});
    let link = json!({"type": "URL", "text": "Track", "url": "https://shop.example/t/{{1}}"});
    let copy = json!({"type": "COPY_CODE"});
    let card = json!({"components": [image, buttons(json!([reply, link]))]});
    let row = |name: &str, category: &str, components: Value| json!({"name": name, "language": "en_US", "category": category, "components": components});
    let mut named = row(
        "visit_reminder",
        "UTILITY",
        json!([{"type": "HEADER", "format": "TEXT", "text": "{{clinic}}: reminder"},
            body("Hello {{first_name}}, see you {{visit_time}} at our practice.")]),
    );
    named["parameter_format"] = json!("NAMED");
    vec![
        row(
            "order_update_v2",
            "UTILITY",
            json!([image, body("Hi {{1}}, order {{2}} is on its way."), {"type": "FOOTER", "text": "Example Shop"},
                buttons(json!([reply, link]))]),
        ),
        named,
        row(
            "login_code",
            "AUTHENTICATION",
            json!([{"type": "BODY", "add_security_recommendation": true}, buttons(json!([{"type": "OTP", "otp_type": "COPY_CODE"}]))]),
        ),
        row(
            "winter_offer",
            "MARKETING",
            json!([image, body("Hi {{1}}, our winter offer."), {"type": "LIMITED_TIME_OFFER", "limited_time_offer":
                {"text": "Ends soon", "has_expiration": true}}, buttons(json!([copy, link]))]),
        ),
        row(
            "new_plants",
            "MARKETING",
            json!([body("Hi {{1}}, new plants."), {"type": "CAROUSEL", "cards": [card, card]}]),
        ),
        row(
            "survey_flow",
            "UTILITY",
            json!([body("How was it?"), buttons(json!([{"type": "FLOW", "text": "Answer"}]))]),
        ),
        row("plain", "UTILITY", json!([body("Hello!")])),
        row("document", "UTILITY", json!([{"type": "HEADER", "format": "DOCUMENT"}, body("Your invoice.")])),
        row("place", "UTILITY", json!([{"type": "HEADER", "format": "LOCATION"}, body("Here we are.")])),
        row("film", "UTILITY", json!([{"type": "HEADER", "format": "VIDEO"}, body("See!")])),
    ]
}

/// A simulator with those templates, an open window, and its calls without a network.
struct Meta {
    simulator: GraphSimulator,
}

impl Meta {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut GraphOptions)) -> Self {
        let mut options = GraphOptions { templates: templates(), seed: Some(7), ..GraphOptions::default() };
        change(&mut options);
        let simulator = GraphSimulator::start(options).await.unwrap();
        for id in [FILE, "1480912345678902", "1480912345678903"] {
            simulator.put_media(None, "image/jpeg", Bytes::from_static(b"file"), Some(id)).unwrap();
        }
        simulator.open_window(NUMBER, CUSTOMER).unwrap();
        Self { simulator }
    }

    async fn raw(&self, request: Request<Body>) -> Response {
        let mut router = server::router(Arc::clone(&self.simulator.engine));
        let Ok(response) = router.call(request).await;
        response
    }

    async fn call_as(&self, token: &str, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let response = self.raw(request.body(body).unwrap()).await;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        self.call_as("EAAGtoken", method, path, body).await
    }

    /// Sends a message by the number of the examples.
    async fn send(&self, body: &Value) -> (u16, Value) {
        self.call(Method::POST, &format!("/v23.0/{NUMBER}/messages"), body).await
    }

    /// The code of the refusal of a message; 0: it was taken.
    async fn refusal(&self, body: &Value) -> (u16, u64, String) {
        let (status, answer) = self.send(body).await;
        let error = &answer["error"];
        let details = error["error_data"]["details"].as_str().or_else(|| error["message"].as_str());
        (status, error["code"].as_u64().unwrap_or(0), details.unwrap_or_default().to_owned())
    }
}

/// A message to the customer of the examples.
fn message(kind: &str, object: Value) -> Value {
    json!({"messaging_product": "whatsapp", "to": format!("+{CUSTOMER}"), "type": kind, kind: object})
}

/// A template message.
fn template(name: &str, components: Value) -> Value {
    let mut template = json!({"name": name, "language": {"code": "en_US"}});
    if !components.is_null() {
        template["components"] = components;
    }
    message("template", template)
}
