//! Starting the simulated Graph API, and the handle by which tests and the demo steer and question it.

use super::{
    account::{GraphAccount, TokenState},
    behaviour::GraphBehaviour,
    business::Business,
    courier::Courier,
    customers::{DAY, Window},
    engine::Engine,
    inbound::{self, CustomerMessage},
    notices,
    record::{GraphCall, GraphReceipt, GraphRequest, Sends},
    server, template_api,
};
use crate::{
    door,
    record::{Mode, Summary},
};
use bytes::Bytes;
use serde_json::Value;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{net::TcpListener, time::sleep};

/// How to start.
#[derive(Clone, Debug)]
pub struct GraphOptions {
    /// Where to listen; loopback only.
    pub listen: SocketAddr,
    /// The business accounts; the first is meant where none is named.
    pub accounts: Vec<GraphAccount>,
    /// Templates of the first account, as Meta writes them; approved unless they have another `status`.
    pub templates: Vec<Value>,
    /// The seed of all chance; absent: a random one, found in the summary. The n-th call of a run with the same seed and
    /// behaviour meets the same fate.
    pub seed: Option<u64>,
    /// What happens at first.
    pub behaviour: GraphBehaviour,
    /// What is kept at first.
    pub journal: Mode,
    /// How many connections post webhooks to one callback address at a time. The statuses of one message share one.
    pub callback_connections: usize,
}

impl Default for GraphOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            accounts: vec![GraphAccount::default()],
            templates: Vec::new(),
            seed: None,
            behaviour: GraphBehaviour::default(),
            journal: Mode::Full,
            callback_connections: 4,
        }
    }
}

/// A running simulator of the Graph API; it stops when this is dropped.
#[derive(Debug)]
pub struct GraphSimulator {
    /// Where it listens.
    pub address: SocketAddr,
    pub(crate) engine: Arc<Engine>,
}

fn impossible(problem: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, problem.to_string())
}

impl GraphSimulator {
    /// Listens, and plays Meta on tasks of the present runtime.
    pub async fn start(options: GraphOptions) -> io::Result<Self> {
        if !options.listen.ip().is_loopback() {
            return Err(impossible("a simulator listens on loopback only"));
        }
        options.behaviour.check().map_err(impossible)?;
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let engine = Arc::new(Engine::new(&options, address));
        for account in &options.accounts {
            engine.add_account(account).map_err(impossible)?;
        }
        tokio::spawn(door::listen(listener, server::router(Arc::clone(&engine)), engine.stopped.clone()));
        let simulator = Self { address, engine };
        for template in &options.templates {
            simulator.put_template(None, template).map_err(impossible)?;
        }
        Ok(simulator)
    }

    /// What a channel's `graph_url` must be.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The account of this id; None: the first.
    fn business(&self, waba_id: Option<&str>) -> Result<Arc<Business>, String> {
        let found = self.engine.business(|business| waba_id.is_none_or(|id| business.waba_id == id));
        found.ok_or_else(|| "there is no account of this id".to_owned())
    }

    /// Adds an account, or replaces the one of its id.
    pub fn add_account(&self, account: &GraphAccount) -> Result<(), String> {
        self.engine.add_account(account).map(drop)
    }

    /// Where an account's webhooks go from now on; None: nowhere.
    pub fn set_callback(&self, waba_id: Option<&str>, url: Option<&str>) -> Result<(), String> {
        set_callback(&self.engine, &self.business(waba_id)?, url)
    }

    /// Asks the callback address of an account whether it is its own, as Meta does before it uses one.
    pub async fn handshake(&self, waba_id: Option<&str>) -> Result<bool, String> {
        handshake(&*self.business(waba_id)?).await
    }

    /// Changes what is the matter with an account's token, and perhaps the token itself.
    pub fn set_token(&self, waba_id: Option<&str>, token: Option<&str>, state: TokenState) -> Result<(), String> {
        set_token(&*self.business(waba_id)?, token, state);
        Ok(())
    }

    /// Refuses every send of an account with this code (131031, 368); None: no longer.
    pub fn block(&self, waba_id: Option<&str>, code: Option<u32>) -> Result<(), String> {
        self.business(waba_id)?.blocked.store(code.unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }

    /// Changes a number, by Meta's id: its throughput, quality, registration, the customers that it reaches.
    pub fn change_number(&self, id: &str, change: impl FnOnce(&mut super::GraphNumber)) -> Result<(), String> {
        let (_, number) = self.engine.number(id).ok_or("there is no number of this id")?;
        change(&mut number.settings_mut());
        Ok(())
    }

    /// What it does at present.
    pub fn behaviour(&self) -> Arc<GraphBehaviour> {
        self.engine.behaviour()
    }

    /// Changes what it does, for all calls from now on. Fails, and changes nothing, where the result is impossible.
    pub fn change(&self, change: impl FnOnce(&mut GraphBehaviour)) -> Result<(), String> {
        let changed = self.engine.change(|present| {
            let mut next = present.clone();
            change(&mut next);
            Ok(next)
        });
        changed.map(drop)
    }

    /// Puts a template in, as Meta writes it, without review; replaces the one of its name and language. Returns its id.
    pub fn put_template(&self, waba_id: Option<&str>, template: &Value) -> Result<String, String> {
        template_api::put(&self.engine, &*self.business(waba_id)?, template)
    }

    /// All templates of an account, as Meta shows them, in the order of creation.
    pub fn templates(&self, waba_id: Option<&str>) -> Vec<Value> {
        let business = self.business(waba_id);
        business
            .map(|business| business.templates().after(0).map(|stored| stored.shown()).collect())
            .unwrap_or_default()
    }

    /// Changes a template's status (`APPROVED`, `REJECTED`, `PAUSED`, `DISABLED`, ...) and tells so by webhook.
    pub fn set_template_status(&self, id: &str, status: &str, reason: Option<&str>) -> bool {
        self.of_template(id)
            .is_some_and(|business| notices::template_status(&self.engine, &business, id, status, reason))
    }

    /// Changes a template's quality (`GREEN`, `YELLOW`, `RED`) and tells so by webhook.
    pub fn set_template_quality(&self, id: &str, quality: &str) -> bool {
        self.of_template(id).is_some_and(|business| notices::template_quality(&self.engine, &business, id, quality))
    }

    /// Changes a template's category, or announces that for the next day, and tells so by webhook.
    pub fn set_template_category(&self, id: &str, category: &str, announced: bool) -> bool {
        let business = self.of_template(id);
        business.is_some_and(|business| notices::template_category(&self.engine, &business, id, category, announced))
    }

    fn of_template(&self, id: &str) -> Option<Arc<Business>> {
        self.engine.business(|business| business.templates().by_id(id).is_some())
    }

    /// A customer writes: the window opens, and a webhook tells of it. Returns the message's id.
    pub fn inbound(&self, message: &CustomerMessage) -> Result<String, String> {
        inbound::take(&self.engine, message)
    }

    /// Opens a customer's window to a number (Meta's id) without a message.
    pub fn open_window(&self, number: &str, customer: &str) -> Result<(), String> {
        let (business, number) = self.engine.number(number).ok_or("there is no number of this id")?;
        let window = Window { until: self.engine.now() + DAY, free_entry: false };
        business.customers().wrote(&number.id, customer, window);
        Ok(())
    }

    /// Closes a customer's windows.
    pub fn close_windows(&self, customer: &str) {
        for business in self.engine.businesses() {
            business.customers().close(customer);
        }
    }

    /// Whether a customer can be reached at all: 131026.
    pub fn set_reachable(&self, customer: &str, reachable: bool) {
        for business in self.engine.businesses() {
            business.customers().set_reachable(customer, reachable);
        }
    }

    /// A customer stops marketing messages, or wants them again, and a webhook tells so.
    pub fn prefer(&self, number: Option<&str>, customer: &str, wanted: bool) -> Result<(), String> {
        let business = match number {
            Some(id) => self.engine.number(id).ok_or("there is no number of this id")?.0,
            None => self.business(None)?,
        };
        notices::preference(&self.engine, &business, number, customer, wanted);
        Ok(())
    }

    /// Sends a webhook of any kind (`account_update`, `phone_number_quality_update`, ...), with a `time`, as it is.
    pub fn webhook(&self, waba_id: Option<&str>, field: &str, value: Value) -> Result<(), String> {
        self.engine.tell(&*self.business(waba_id)?, field, value, true);
        Ok(())
    }

    /// Keeps a file as if it had been uploaded; returns its id.
    pub fn put_media(
        &self,
        waba_id: Option<&str>,
        mime_type: &str,
        bytes: Bytes,
        id: Option<&str>,
    ) -> Result<String, String> {
        let business = self.business(waba_id)?;
        let now = self.engine.now();
        Ok(self.engine.media().add(&business.waba_id, (mime_type, bytes), id, false, now).id)
    }

    /// Sets the clock forward: windows close, addresses expire, limits recover.
    pub fn advance(&self, by: Duration) {
        self.engine.advance(by);
    }

    /// Counts so far.
    pub fn summary(&self) -> Summary {
        self.engine.summary()
    }

    /// All sends kept, in the order of arrival.
    pub fn calls(&self) -> Vec<GraphCall> {
        self.engine.journal().calls.clone()
    }

    /// All statuses kept, in the order in which they were taken.
    pub fn receipts(&self) -> Vec<GraphReceipt> {
        self.engine.journal().receipts.clone()
    }

    /// All other calls kept, in the order of arrival.
    pub fn requests(&self) -> Vec<GraphRequest> {
        self.engine.journal().requests.iter().cloned().collect()
    }

    /// What was taken, by customer and echo; a `duplicates` above 0 is a message that a customer got twice.
    pub fn sends(&self) -> Vec<Sends> {
        self.engine.journal().sends()
    }

    /// Changes what the journal keeps.
    pub fn set_journal(&self, mode: Mode) {
        self.engine.journal().set_mode(mode);
    }

    /// Forgets all calls, statuses and counts.
    pub fn clear_journal(&self) {
        self.engine.journal().clear();
    }

    /// Waits until the summary is as wished; bound it with a time-out of your own.
    pub async fn until(&self, mut wished: impl FnMut(&Summary) -> bool) -> Summary {
        loop {
            let summary = self.summary();
            if wished(&summary) {
                return summary;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for GraphSimulator {
    fn drop(&mut self) {
        self.engine.stopped.cancel();
    }
}

pub(crate) fn set_callback(engine: &Arc<Engine>, business: &Arc<Business>, url: Option<&str>) -> Result<(), String> {
    let courier = url.map(|url| Courier::start(engine, business, url)).transpose()?;
    business.set_courier(courier);
    Ok(())
}

pub(crate) async fn handshake(business: &Business) -> Result<bool, String> {
    let courier = business.courier().ok_or("the account has no callback address")?;
    let verify_token = business.keys().verify_token.clone();
    courier.handshake(&verify_token).await
}

pub(crate) fn set_token(business: &Business, token: Option<&str>, state: TokenState) {
    let mut keys = business.keys_mut();
    if let Some(token) = token {
        keys.token = token.to_owned();
    }
    keys.state = state;
}

/// Plays Meta as a process of its own until that is ended. Prints one line of JSON, `{"address", "seed"}`, when it listens, for the
/// process that started it.
pub async fn run(options: GraphOptions) -> io::Result<()> {
    use io::Write as _;
    let simulator = GraphSimulator::start(options).await?;
    let started = serde_json::json!({"address": simulator.address, "seed": simulator.summary().seed});
    writeln!(io::stdout(), "{started}")?;
    std::future::pending().await
}
