//! The control interface, for a simulator that runs as a process of its own. Its calls are listed in the crate's documentation.
//! Unguarded: it listens on loopback only.

use super::{
    account::{GraphAccount, TokenState},
    business::Business,
    customers::{DAY, Window},
    engine::Engine,
    inbound::{self, CustomerMessage},
    notices, simulator, template_api,
};
use crate::{
    code::Code,
    record::Mode,
    wire::{Refusal, json},
};
use axum::{
    Router,
    extract::{Path, Query, State},
    response::Response,
    routing::{get, post, put},
};
use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

type Answer = Result<Response, Refusal>;

pub(crate) fn router() -> Router<Arc<Engine>> {
    Router::new()
        .route("/control/behaviour", get(behaviour).put(change_behaviour))
        .route("/control/summary", get(summary))
        .route("/control/journal", get(journal).put(change_journal).delete(clear_journal))
        .route("/control/duplicates", get(duplicates))
        .route("/control/sends", get(sends))
        .route("/control/accounts", put(add_account))
        .route("/control/account", put(change_account))
        .route("/control/handshake", post(handshake))
        .route("/control/templates", get(templates).put(put_template))
        .route("/control/templates/{id}", put(change_template))
        .route("/control/inbound", post(take_inbound))
        .route("/control/customers/{customer}", put(change_customer))
        .route("/control/webhooks", post(webhook))
        .route("/control/clock", post(advance))
}

fn answer(value: &impl Serialize) -> Answer {
    let body = serde_json::to_string(value).map_err(|_| Code::InternalError)?;
    Ok(json(StatusCode::OK, body))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::invalid(error.to_string()))
}

/// The account of this id; None: the first.
fn of(engine: &Engine, waba_id: Option<&str>) -> Result<Arc<Business>, Refusal> {
    let found = engine.business(|business| waba_id.is_none_or(|id| business.waba_id == id));
    found.ok_or_else(|| Refusal::from(Code::NotFound))
}

async fn behaviour(State(engine): State<Arc<Engine>>) -> Answer {
    answer(&*engine.behaviour())
}

async fn change_behaviour(State(engine): State<Arc<Engine>>, body: Bytes) -> Answer {
    let update = read(&body)?;
    let changed = engine.change(|present| present.updated(&update)).map_err(Refusal::invalid)?;
    answer(&*changed)
}

async fn summary(State(engine): State<Arc<Engine>>) -> Answer {
    answer(&engine.summary())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    after: u64,
    #[serde(default = "a_thousand")]
    limit: usize,
    from: Option<String>,
    to: Option<String>,
    echo: Option<String>,
}

fn a_thousand() -> usize {
    1000
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Calls,
    Receipts,
    Requests,
}

#[derive(Serialize)]
struct Entries<T> {
    entries: Vec<T>,
    /// `after` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

impl<T> Entries<T> {
    fn new(entries: Vec<T>, limit: usize, number: impl Fn(&T) -> u64) -> Self {
        let next = entries.last().filter(|_| entries.len() == limit).map(number);
        Self { entries, next }
    }
}

async fn journal(State(engine): State<Arc<Engine>>, Query(page): Query<Page>) -> Answer {
    let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
    let echo = |echo: &Option<String>| page.echo.is_none() || page.echo == *echo;
    let journal = engine.journal();
    match page.kind {
        Kind::Calls => {
            let start = journal.calls.partition_point(|call| call.number <= page.after);
            let wanted = journal.calls.iter().skip(start);
            let wanted = wanted.filter(|call| is(&page.from, &call.from) && is(&page.to, &call.to) && echo(&call.echo));
            answer(&Entries::new(wanted.take(page.limit).collect(), page.limit, |call| call.number))
        }
        Kind::Receipts => {
            let start = journal.receipts.partition_point(|receipt| receipt.number <= page.after);
            let wanted = journal.receipts.iter().skip(start);
            let wanted = wanted.filter(|receipt| is(&page.to, &receipt.to) && echo(&receipt.echo));
            answer(&Entries::new(wanted.take(page.limit).collect(), page.limit, |receipt| receipt.number))
        }
        Kind::Requests => answer(&Entries { entries: journal.requests.iter().collect(), next: None }),
    }
}

async fn change_journal(State(engine): State<Arc<Engine>>, body: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Change {
        mode: Mode,
    }
    let change: Change = read(&body)?;
    engine.journal().set_mode(change.mode);
    answer(&engine.summary())
}

async fn clear_journal(State(engine): State<Arc<Engine>>) -> Answer {
    engine.journal().clear();
    answer(&engine.summary())
}

async fn duplicates(State(engine): State<Arc<Engine>>) -> Answer {
    let sends = engine.journal().sends();
    answer(&sends.into_iter().filter(|sends| sends.duplicates > 0).collect::<Vec<_>>())
}

async fn sends(State(engine): State<Arc<Engine>>) -> Answer {
    let sends = engine.journal().sends();
    answer(&sends)
}

async fn add_account(State(engine): State<Arc<Engine>>, body: Bytes) -> Answer {
    let account: GraphAccount = read(&body)?;
    engine.add_account(&account).map_err(Refusal::invalid)?;
    answer(&json!({"wabaId": account.waba_id}))
}

async fn change_account(State(engine): State<Arc<Engine>>, body: Bytes) -> Answer {
    /// A field that is absent stays as it is.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Change {
        waba_id: Option<String>,
        access_token: Option<String>,
        token_state: Option<TokenState>,
        callback_url: Option<String>,
        /// 0: no longer.
        blocked: Option<u32>,
    }
    let change: Change = read(&body)?;
    let business = of(&engine, change.waba_id.as_deref())?;
    if let Some(url) = &change.callback_url {
        simulator::set_callback(&engine, &business, Some(url)).map_err(Refusal::invalid)?;
    }
    if change.access_token.is_some() || change.token_state.is_some() {
        simulator::set_token(&business, change.access_token.as_deref(), change.token_state.unwrap_or_default());
    }
    if let Some(code) = change.blocked {
        business.blocked.store(code, Ordering::Relaxed);
    }
    answer(&json!({"wabaId": business.waba_id}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Which {
    waba_id: Option<String>,
}

async fn handshake(State(engine): State<Arc<Engine>>, Query(which): Query<Which>) -> Answer {
    let business = of(&engine, which.waba_id.as_deref())?;
    let verified = simulator::handshake(&business).await.map_err(Refusal::invalid)?;
    answer(&json!({"verified": verified}))
}

async fn templates(State(engine): State<Arc<Engine>>, Query(which): Query<Which>) -> Answer {
    let business = of(&engine, which.waba_id.as_deref())?;
    let list: Vec<Value> = business.templates().after(0).map(|stored| stored.shown()).collect();
    answer(&list)
}

async fn put_template(State(engine): State<Arc<Engine>>, Query(which): Query<Which>, body: Bytes) -> Answer {
    let business = of(&engine, which.waba_id.as_deref())?;
    let id = template_api::put(&engine, &business, &read(&body)?).map_err(Refusal::invalid)?;
    answer(&json!({"id": id}))
}

async fn change_template(State(engine): State<Arc<Engine>>, Path(id): Path<String>, body: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Change {
        status: Option<String>,
        reason: Option<String>,
        quality: Option<String>,
        category: Option<String>,
        #[serde(default)]
        announced: bool,
    }
    let change: Change = read(&body)?;
    let business = engine.business(|business| business.templates().by_id(&id).is_some()).ok_or(Code::NotFound)?;
    if let Some(status) = &change.status {
        notices::template_status(&engine, &business, &id, status, change.reason.as_deref());
    }
    if let Some(quality) = &change.quality {
        notices::template_quality(&engine, &business, &id, quality);
    }
    if let Some(category) = &change.category {
        notices::template_category(&engine, &business, &id, category, change.announced);
    }
    answer(&json!({"id": id}))
}

async fn take_inbound(State(engine): State<Arc<Engine>>, body: Bytes) -> Answer {
    let message: CustomerMessage = read(&body)?;
    let id = inbound::take(&engine, &message).map_err(Refusal::invalid)?;
    answer(&json!({"id": id}))
}

async fn change_customer(State(engine): State<Arc<Engine>>, Path(customer): Path<String>, body: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Change {
        /// Meta's id of the number that window and marketing are about; absent: the first.
        number: Option<String>,
        reachable: Option<bool>,
        marketing: Option<bool>,
        window: Option<bool>,
    }
    let change: Change = read(&body)?;
    let found = match &change.number {
        Some(id) => engine.number(id),
        None => engine.businesses().first().and_then(|business| engine.number(&business.numbers.first()?.id)),
    };
    let (business, number) = found.ok_or(Code::NotFound)?;
    if let Some(reachable) = change.reachable {
        business.customers().set_reachable(&customer, reachable);
    }
    match change.window {
        Some(true) => {
            let window = Window { until: engine.now() + DAY, free_entry: false };
            business.customers().wrote(&number.id, &customer, window);
        }
        Some(false) => business.customers().close(&customer),
        None => {}
    }
    if let Some(wanted) = change.marketing {
        notices::preference(&engine, &business, Some(&number.id), &customer, wanted);
    }
    answer(&json!({"customer": customer}))
}

async fn webhook(State(engine): State<Arc<Engine>>, body: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Webhook {
        waba_id: Option<String>,
        field: String,
        value: Value,
    }
    let webhook: Webhook = read(&body)?;
    let business = of(&engine, webhook.waba_id.as_deref())?;
    let told = engine.tell(&business, &webhook.field, webhook.value, webhook.field != "messages");
    answer(&json!({"told": told}))
}

async fn advance(State(engine): State<Arc<Engine>>, body: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Advance {
        seconds: u64,
    }
    let advance: Advance = read(&body)?;
    engine.advance(Duration::from_secs(advance.seconds));
    answer(&json!({"now": engine.now()}))
}
