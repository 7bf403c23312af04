//! An adapter, a server that answers as told and keeps what it was asked, and Meta's examples.

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use herald_channels::{
    contract::{Notice, Outgoing, Provider},
    whatsapp_cloud::{Credentials, Settings, WhatsappCloud},
};
use herald_rules::{
    ids::MessageId,
    message::{Message, Priority},
    protocol::Protocol,
    template::{Category, TemplateMessage},
    time::Timestamp,
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

/// The accounts and numbers of Meta's examples.
pub const WABA: &str = "109876543210987";
pub const PNID: &str = "104433221100998";
pub const OURS: &str = "15550100200";
pub const CUSTOMER: &str = "16505550142";
pub const SECRET: &str = "f6a0b3c1d2e4958677a1b2c3d4e5f607";
pub const TOKEN: &str = "EAAGtoken";
/// Of [`TOKEN`] under [`SECRET`].
pub const PROOF: &str = "a61a84582522387b8589a8ba574a161ef338ef9a2b20d3225ebeb7dba951dca4";

/// One of Meta's examples.
pub fn fixture(name: &str) -> String {
    let path = format!("{}/tests/whatsapp_cloud/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The same, parsed.
pub fn example(name: &str) -> Value {
    serde_json::from_str(&fixture(name)).unwrap()
}

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The other end of its connection.
    pub peer: SocketAddr,
}

impl Asked {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Method and path.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.uri.path())
    }

    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.uri.query().unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

type Told = (u16, Vec<(&'static str, String)>, String);

#[derive(Default)]
struct Server {
    asked: Mutex<Vec<Asked>>,
    answers: Mutex<VecDeque<Told>>,
}

/// A server on a port of its own; an answer that was not told is a 500 without words.
#[derive(Clone, Default)]
pub struct Graph {
    server: Arc<Server>,
    url: String,
}

impl Graph {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Arc::new(Server::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&server));
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { server, url }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next answer.
    pub fn tell(&self, status: u16, body: impl Into<String>) -> &Self {
        self.tell_with(status, Vec::new(), body)
    }

    pub fn tell_with(&self, status: u16, headers: Vec<(&'static str, String)>, body: impl Into<String>) -> &Self {
        self.server.answers.lock().unwrap().push_back((status, headers, body.into()));
        self
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.server.asked.lock().unwrap().clone()
    }

    pub fn last(&self) -> Asked {
        self.asked().pop().unwrap()
    }

    /// An adapter that calls this server.
    pub fn adapter(&self) -> WhatsappCloud {
        adapter(&self.url, |_| ())
    }
}

async fn answer(
    State(server): State<Arc<Server>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    server.asked.lock().unwrap().push(Asked { method, uri, headers, body, peer });
    let told = server.answers.lock().unwrap().pop_front();
    let Some((status, headers, body)) = told else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::try_from(value).unwrap());
    }
    response
}

pub fn settings(url: &str) -> Value {
    json!({"waba_id": WABA, "phone_numbers": {OURS: PNID}, "graph_url": url, "timeout_ms": 10_000})
}

pub fn credentials() -> Credentials {
    let secrets = json!({"access_token": TOKEN, "app_secret": SECRET, "verify_token": "our verify token"});
    serde_json::from_value(secrets).unwrap()
}

pub fn adapter(url: &str, change: impl FnOnce(&mut Settings)) -> WhatsappCloud {
    let mut settings: Settings = serde_json::from_value(settings(url)).unwrap();
    change(&mut settings);
    WhatsappCloud::new(settings, credentials()).unwrap()
}

/// An adapter that calls nobody.
pub fn deaf() -> WhatsappCloud {
    adapter("http://127.0.0.1:9", |_| ())
}

pub fn read(body: &str) -> Vec<Notice> {
    deaf().read(body.as_bytes()).unwrap()
}

/// The one notice of a callback.
pub fn only(body: &str) -> Notice {
    let mut notices = read(body);
    assert_eq!(notices.len(), 1, "{notices:?}");
    notices.remove(0)
}

/// A change of a field, in its envelope.
pub fn change(field: &str, value: Value) -> String {
    json!({"object": "whatsapp_business_account", "entry": [
        {"id": WABA, "time": 1795348800, "changes": [{"field": field, "value": value}]},
    ]})
    .to_string()
}

/// Lists of a change of `messages`, in their envelope.
pub fn messages(lists: Value) -> String {
    let mut value =
        json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": OURS, "phone_number_id": PNID}});
    value.as_object_mut().unwrap().extend(lists.as_object().unwrap().clone());
    change("messages", value)
}

pub fn outgoing(text: &str, files: &[&str]) -> Outgoing {
    let message = Message {
        id: MessageId::new(),
        protocol: Protocol::WhatsApp,
        from: OURS.to_owned(),
        to: CUSTOMER.to_owned(),
        text: text.to_owned(),
        files: files.iter().map(|&link| link.to_owned()).collect(),
        parts: 1,
        template: None,
        refused: None,
        metadata: None,
        priority: Priority::default(),
        accepted_at: Timestamp::now(),
        send_at: None,
        expires_at: None,
    };
    Outgoing { message: Arc::new(message), kinds: Vec::new(), part: 0, attempt: 0 }
}

pub fn template_named(name: &str) -> TemplateMessage {
    TemplateMessage {
        name: name.to_owned(),
        language: "en_US".to_owned(),
        category: Category::Utility,
        explicit: false,
        more_than_text: false,
        header: None,
        body: Vec::new(),
        buttons: Vec::new(),
    }
}

pub fn with_template(template: TemplateMessage) -> Outgoing {
    let mut outgoing = outgoing("Hi", &[]);
    Arc::make_mut(&mut outgoing.message).template = Some(template);
    outgoing
}
