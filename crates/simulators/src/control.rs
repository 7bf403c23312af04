//! The control interface, for a simulator that runs as a process of its own. Its calls are listed in the crate's
//! documentation. Unguarded: it listens on loopback only.

use crate::{
    code::Code,
    engine::Engine,
    record::{Call, Mode},
    simulator::Account,
    wire::{Refusal, json},
};
use axum::{
    Router,
    extract::{Query, State},
    response::Response,
    routing::{get, put},
};
use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::sync::Arc;

type Answer = Result<Response, Refusal>;

pub(crate) fn router() -> Router<Arc<Engine>> {
    Router::new()
        .route("/control/behaviour", get(behaviour).put(change_behaviour))
        .route("/control/summary", get(summary))
        .route("/control/journal", get(journal).put(change_journal).delete(clear_journal))
        .route("/control/duplicates", get(duplicates))
        .route("/control/accounts", put(add_account))
}

fn answer(value: &impl Serialize) -> Answer {
    let body = serde_json::to_string(value).map_err(|_| Code::InternalError)?;
    Ok(json(StatusCode::OK, body))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::invalid(error.to_string()))
}

async fn behaviour(State(engine): State<Arc<Engine>>) -> Answer {
    answer(&*engine.behaviours())
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
}

#[derive(Serialize)]
struct Entries<T> {
    entries: Vec<T>,
    /// `after` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

async fn journal(State(engine): State<Arc<Engine>>, Query(page): Query<Page>) -> Answer {
    let wanted = |call: &&Call| {
        page.from.as_ref().is_none_or(|from| *from == call.from) && page.to.as_ref().is_none_or(|to| *to == call.to)
    };
    match page.kind {
        Kind::Calls => {
            let entries = {
                let journal = engine.journal();
                let start = journal.calls.partition_point(|call| call.number <= page.after);
                journal.calls.iter().skip(start).filter(wanted).take(page.limit).cloned().collect::<Vec<_>>()
            };
            let next = entries.last().filter(|_| entries.len() == page.limit).map(|call| call.number);
            answer(&Entries { entries, next })
        }
        Kind::Receipts => {
            let entries = {
                let journal = engine.journal();
                let start = journal.receipts.partition_point(|receipt| receipt.number <= page.after);
                journal.receipts.iter().skip(start).take(page.limit).cloned().collect::<Vec<_>>()
            };
            let next = entries.last().filter(|_| entries.len() == page.limit).map(|receipt| receipt.number);
            answer(&Entries { entries, next })
        }
    }
}

async fn duplicates(State(engine): State<Arc<Engine>>) -> Answer {
    let list = engine.journal().duplicates();
    answer(&list)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeJournal {
    mode: Mode,
}

async fn change_journal(State(engine): State<Arc<Engine>>, body: Bytes) -> Answer {
    let change: ChangeJournal = read(&body)?;
    engine.set_mode(change.mode);
    answer(&engine.summary())
}

async fn clear_journal(State(engine): State<Arc<Engine>>) -> Answer {
    engine.journal().clear();
    answer(&engine.summary())
}

async fn add_account(State(engine): State<Arc<Engine>>, body: Bytes) -> Answer {
    let account: Account = read(&body)?;
    engine.add_account(&account);
    answer(&serde_json::json!({"key": account.key}))
}
