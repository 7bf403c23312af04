//! Starting a simulator, and the handle by which tests and the demo steer and question it.

use crate::{
    behaviours::Behaviours,
    door,
    engine::Engine,
    record::{Call, Mode, SentReceipt, Summary},
    server,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, time::sleep};
use uuid::Uuid;

/// An account with the simulated providers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// The bearer token of its calls.
    pub key: String,
    /// Signs its receipts.
    pub callback_secret: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account(redacted)")
    }
}

/// How to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; loopback only.
    pub listen: SocketAddr,
    /// Who may call.
    pub accounts: Vec<Account>,
    /// The seed of all chance; absent: a random one, found in the summary. The n-th call of a run with the same seed and
    /// behaviour meets the same fate.
    pub seed: Option<u64>,
    /// What happens at first.
    pub behaviours: Behaviours,
    /// What is kept at first.
    pub journal: Mode,
    /// How many connections post receipts to one callback address at a time. The receipts of one message share one.
    pub callback_connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            accounts: vec![Account { key: "simulator-key".to_owned(), callback_secret: "simulator-secret".to_owned() }],
            seed: None,
            behaviours: Behaviours::default(),
            journal: Mode::Full,
            callback_connections: 4,
        }
    }
}

/// A running simulator; it stops when this is dropped.
#[derive(Debug)]
pub struct Simulator {
    /// Where it listens.
    pub address: SocketAddr,
    engine: Arc<Engine>,
}

impl Simulator {
    /// Listens, and plays the providers on tasks of the present runtime.
    pub async fn start(options: Options) -> io::Result<Self> {
        if !options.listen.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a simulator listens on loopback only"));
        }
        options.behaviours.check().map_err(|problem| io::Error::new(io::ErrorKind::InvalidInput, problem))?;
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let engine = Arc::new(Engine::new(&options));
        tokio::spawn(door::listen(listener, server::router(Arc::clone(&engine)), engine.stopped.clone()));
        Ok(Self { address, engine })
    }

    /// What a channel's `base_url` must be.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds an account, or gives one another secret for callback addresses that it has not used yet.
    pub fn add_account(&self, account: &Account) {
        self.engine.add_account(account);
    }

    /// What it does at present.
    pub fn behaviours(&self) -> Arc<Behaviours> {
        self.engine.behaviours()
    }

    /// Changes what it does, for all calls from now on. Fails, and changes nothing, where the result is impossible.
    pub fn change(&self, change: impl FnOnce(&mut Behaviours)) -> Result<(), String> {
        let changed = self.engine.change(|present| {
            let mut next = present.clone();
            change(&mut next);
            Ok(next)
        });
        changed.map(drop)
    }

    /// Counts so far.
    pub fn summary(&self) -> Summary {
        self.engine.summary()
    }

    /// All calls kept, in the order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.engine.journal().calls.clone()
    }

    /// All receipts kept, in the order in which they were taken.
    pub fn receipts(&self) -> Vec<SentReceipt> {
        self.engine.journal().receipts.clone()
    }

    /// The client references that were taken more than once.
    pub fn duplicates(&self) -> Vec<Uuid> {
        self.engine.journal().duplicates()
    }

    /// Changes what the journal keeps.
    pub fn set_journal(&self, mode: Mode) {
        self.engine.set_mode(mode);
    }

    /// Forgets all calls, receipts and counts.
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

impl Drop for Simulator {
    fn drop(&mut self) {
        self.engine.stopped.cancel();
    }
}

/// Plays the providers as a process of its own until that is ended. Prints one line of JSON, `{"address", "seed"}`, when it
/// listens, for the process that started it.
pub async fn run(options: Options) -> io::Result<()> {
    use io::Write as _;
    let simulator = Simulator::start(options).await?;
    let started = serde_json::json!({"address": simulator.address, "seed": simulator.summary().seed});
    writeln!(io::stdout(), "{started}")?;
    std::future::pending().await
}
