//! A department with a WhatsApp number at the simulated Graph API.

use super::{Channel, Department, Herald, until};
use herald_simulators::whatsapp_cloud::{GraphOptions, GraphSimulator};
use serde_json::{Value, json};

/// Our number in the simulated account.
pub const OURS: &str = "15550100200";
/// Outside the United States, where marketing may go.
pub const CUSTOMER: &str = "4930555010";

/// No limit that a scenario would meet.
const RATE: &str = "100000/s,burst=10000";
/// The text of a template that every account here has.
const MARK: &str = "Herald knows its templates.";

/// An approved template of a body alone, as Meta writes it.
pub fn template(name: &str, category: &str, body: &str) -> Value {
    let samples = body.matches("{{").count();
    let mut component = json!({"type": "BODY", "text": body});
    if samples > 0 {
        component["example"] = json!({"body_text": [vec!["sample"; samples]]});
    }
    json!({"name": name, "language": "en_US", "category": category, "components": [component]})
}

/// A Herald, Meta's stand-in, and a department with a number there.
pub struct WhatsAppWorld {
    pub herald: Herald,
    pub graph: GraphSimulator,
    pub sales: Department,
    pub channel: Channel,
}

impl WhatsAppWorld {
    /// With these templates, synced.
    pub async fn new(templates: Vec<Value>) -> Self {
        Self::with(Herald::start().await, GraphOptions { templates, ..GraphOptions::default() }).await
    }

    /// With this Herald, and this way of Meta's.
    pub async fn with(herald: Herald, mut options: GraphOptions) -> Self {
        options.templates.push(template("mark", "UTILITY", MARK));
        let account = options.accounts[0].clone();
        let graph = GraphSimulator::start(options).await.unwrap();
        let sales = Department::new(&herald, "Sales").await;
        let identifiers: Vec<_> =
            account.numbers.iter().map(|own| json!({"identifier": own.number, "rate": RATE})).collect();
        let phone_numbers: serde_json::Map<_, _> =
            account.numbers.iter().map(|own| (own.number.clone(), json!(own.id))).collect();
        let body = json!({
            "protocol": "WhatsApp",
            "provider": "whatsapp_cloud",
            "identifiers": identifiers,
            "nonTicketMessages": true,
            "settings": {"provider": {
                "waba_id": account.waba_id,
                "phone_numbers": phone_numbers,
                "graph_url": graph.base_url(),
            }},
            "credentials": {
                "access_token": account.access_token,
                "app_secret": account.app_secret,
                "verify_token": account.verify_token,
            },
        });
        let made = sales.ask().post("/api/v2/channels", &body).await.good();
        let id = made["id"].as_str().unwrap().to_owned();
        graph.set_callback(None, Some(&format!("{}/callbacks/{id}", herald.base))).unwrap();
        let channel = Channel { id, protocol: "WhatsApp".into(), identifier: OURS.into() };
        let world = Self { herald, graph, sales, channel };
        world.synced().await;
        world
    }

    /// Waits until Herald knows the templates.
    pub async fn synced(&self) {
        until("the templates to be synced", || async {
            let preview = self.preview(CUSTOMER, MARK, json!({})).await;
            preview["template"].is_object().then_some(())
        })
        .await;
    }

    /// Sends; returns the id.
    pub async fn sent(&self, to: &str, text: &str, more: Value) -> String {
        let mut body = json!({"text": text, "protocolType": "WhatsApp", "from": OURS, "to": to});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.sales.send(&body).await.good();
        assert_eq!(answer["status"], "Pending");
        answer["providerMessageId"].as_str().unwrap().to_owned()
    }

    /// The same without sending.
    pub async fn preview(&self, to: &str, text: &str, more: Value) -> Value {
        let mut body = json!({"text": text, "protocolType": "WhatsApp", "from": OURS, "to": to});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.sales.ask().post("/api/v2/messages/preview", &body).await.good()
    }
}
