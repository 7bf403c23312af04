//! The order of start and stop.
//!
//! Start: folder and its lock, keys, store (migrations), directory, lanes, events, listeners. Stop, in the other
//! direction of the way of a message: no new requests; no new claims, what is at the providers' doors comes back and
//! is written; the inbox is worked off; deliveries under way end; the store writes what it was asked for and closes.

use super::{
    app::{App, Parts},
    directory::Directory,
    hub::Hub,
    listen::Listener,
    ownership::{self, Ownership},
};
use crate::{
    accept::Quotas,
    access::Access,
    config::Config,
    dispatch::{Accounts, Spool},
    events::{self, Events},
    files::{self, Files},
    inbound::{self, Inbox},
    observe::{internal, metrics::Metrics},
    pace::Lanes,
    store::{Options, Store},
    template::{self, Templates},
};
use anyhow::Context;
use futures_util::FutureExt;
use herald_rules::lease::Kind;
use std::{net::SocketAddr, os::unix::fs::DirBuilderExt, path::Path, sync::Arc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Where there is no listener.
const NO_LISTENER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);
/// A store that is away must not hold up a stop: leases run out by themselves.
const LEAVES_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// A running node.
pub struct Node {
    /// What its parts share.
    pub app: App,
    /// Where the API listens; port 0 where it does not.
    pub public: SocketAddr,
    /// Where metrics and health are.
    pub internal: SocketAddr,
    leaving: CancellationToken,
    requests: CancellationToken,
    observers: CancellationToken,
    leases: CancellationToken,
    servers: Vec<JoinHandle<()>>,
    inbox: CancellationToken,
    inbox_worker: JoinHandle<()>,
    internal_server: JoinHandle<()>,
    // Its lock is held as long as the node lives.
    _lock: std::fs::File,
}

impl Node {
    /// Starts a node; when it returns, requests are answered.
    ///
    /// # Errors
    /// A sentence for the operator: the folder is in use, an address is taken, a file cannot be read.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let folder = config.data.folder.clone();
        let lock = lock_folder(&folder)?;
        // Eighty milliseconds that the first request should not wait for.
        tokio::task::spawn_blocking(herald_rules::identifier::prepare).await?;
        let metrics = Arc::new(Metrics::new());
        let access = Arc::new(Access::open(&config.data, &config.limits)?);
        let files = Files::new(files::Settings::of(&config), metrics.clone()).map_err(anyhow::Error::msg)?;
        let templates = Templates::default();
        let accounts = Accounts::new(access.clone(), templates.clone(), files.clone());
        let spool = Spool::new(&folder);
        let lanes = Lanes::new(config.lanes.clone(), accounts, spool.clone(), metrics.clone());
        let log = events::Log::default();
        let inbox = Inbox::default();
        let ownership = Ownership::new(config.node.name(), config.node.role);
        let (hub, elsewhere) = Hub::new(lanes.clone(), log.clone(), inbox.clone(), ownership.clone(), metrics.clone());
        let hub = Arc::new(hub);
        let options = config.store.options(&config.data);
        let store = Store::open(&options, hub.clone()).await.with_context(|| match &options {
            Options::Sqlite(options) => format!("The database {} cannot be opened", options.path.display()),
            Options::Postgres(_) => "The database cannot be reached".to_owned(),
        })?;
        access.check_master_key(&store).await?;
        spool.hand_over(&store).await?;
        let directory = Directory::default();
        directory.reload(&store).await.context("The directory cannot be read")?;
        let keys = Arc::new(events::Keys::new(access.clone(), store.clone(), directory.clone()));
        let owned = ownership.clone();
        let owner: events::Owner = Arc::new(move |row| owned.of_subscription(row));
        let settings = (&config).into();
        let events =
            Events::start(store.clone(), directory.clone(), log, keys, settings, metrics.clone(), owner).await?;
        let app = App::new(Parts {
            store,
            directory,
            config,
            access,
            quotas: Quotas::default(),
            ownership,
            lanes,
            inbox,
            templates,
            events,
            files,
            metrics: metrics.clone(),
        });
        app.directory_changed().await.context("The directory cannot be read")?;

        let leases = CancellationToken::new();
        tokio::spawn(ownership::run(app.clone(), leases.clone()));
        let (requests, observers) = (CancellationToken::new(), CancellationToken::new());
        tokio::spawn(super::housekeeping::run(app.clone(), requests.clone()));
        tokio::spawn(super::sample::run(app.clone(), requests.clone()));
        tokio::spawn(super::elsewhere::run(app.clone(), elsewhere, requests.clone()));
        tokio::spawn(crate::pace::ask::run(app.clone(), requests.clone()));
        let inbox = CancellationToken::new();
        let inbox_worker = tokio::spawn(inbound::run(app.clone(), inbox.clone()));
        tokio::spawn(template::schedule::run(app.clone(), requests.clone()));
        let config = &app.config;
        let tls = config.listen.tls();
        let public = match config.node.role.answers() {
            true => Some(Listener::bind(config.listen.public, tls).await?),
            false => None,
        };
        let internal = Listener::bind(config.listen.internal, None).await?;
        let addresses = (public.as_ref().map(Listener::address), internal.address());
        let leaving = CancellationToken::new();
        let ready = ready(app.clone(), leaving.clone());
        let grace = config.shutdown.grace;
        let router = crate::api::router(app.clone());
        internal.announce(&folder, "internal").await?;
        let mut servers = Vec::new();
        if let Some(public) = public {
            public.announce(&folder, "public").await?;
            servers.push(tokio::spawn(public.serve(router, metrics.clone(), requests.clone(), grace)));
        }
        let internal_routes = internal::router(metrics.clone(), ready);
        let internal_server = tokio::spawn(internal.serve(internal_routes, metrics, observers.clone(), grace));
        tracing::info!(
            node = %app.ownership.node(),
            public = addresses.0.map(tracing::field::display),
            internal = %addresses.1,
            "node.started"
        );
        Ok(Self {
            app,
            public: addresses.0.unwrap_or(NO_LISTENER),
            internal: addresses.1,
            leaving,
            requests,
            observers,
            leases,
            servers,
            inbox,
            inbox_worker,
            internal_server,
            _lock: lock,
        })
    }

    /// Stops in order, losing nothing. What has not ended after the grace time is left to the next start, which finds
    /// it as a crash would leave it.
    pub async fn stop(mut self) {
        tracing::info!("node.stopping");
        self.leaving.cancel();
        tokio::time::sleep(self.app.config.shutdown.notice).await;
        let grace = self.app.config.shutdown.grace;
        let deadline = tokio::time::Instant::now() + grace;
        self.requests.cancel();
        // What is given up from now on goes to other nodes.
        self.app.ownership.rest();
        let drained = tokio::time::timeout(grace, async {
            for server in self.servers {
                // A server that panicked has stopped too.
                drop(server.await);
            }
            self.app.lanes.stop().await;
            // What providers reported meanwhile; nothing more comes in.
            self.inbox.cancel();
            drop((&mut self.inbox_worker).await);
            // At once, so that other nodes go on: nothing of these is under way any more.
            self.app.ownership.free_all(&self.app, &[Kind::Lanes, Kind::Housekeeping]).await;
        })
        .await;
        if drained.is_err() {
            tracing::warn!("node.grace_over");
            self.inbox_worker.abort();
        }
        self.app.events.stop(deadline).await;
        let left = async {
            self.app.ownership.free_all(&self.app, &[Kind::Subscription]).await;
            self.app.store.leave(self.app.ownership.node()).await
        };
        if !matches!(tokio::time::timeout(LEAVES_WITHIN, left).await, Ok(Ok(()))) {
            tracing::warn!("node.leases_run_out: the store was not told that this node has stopped");
        }
        self.leases.cancel();
        self.app.store.close().await;
        self.observers.cancel();
        drop(self.internal_server.await);
        tracing::info!("node.stopped");
    }
}

/// One process a folder: two writers would each believe that they own the lanes. The folder is free again when what is returned is
/// dropped.
///
/// # Errors
/// When another process has it, or when it cannot be made.
pub(crate) fn lock_folder(folder: &Path) -> anyhow::Result<std::fs::File> {
    // Nobody else is to read messages and keys. A folder that exists keeps the rights it was given.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("The data folder {} cannot be made", folder.display()))?;
    let path = folder.join("lock");
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    file.try_lock().with_context(|| {
        format!(
            "The data folder {} is in use by another Herald. Stop it, or give another data.folder",
            folder.display()
        )
    })?;
    Ok(file)
}

fn ready(app: App, leaving: CancellationToken) -> internal::Ready {
    Arc::new(move || {
        let (app, leaving) = (app.clone(), leaving.clone());
        async move {
            if leaving.is_cancelled() {
                return Err("It is stopping.".into());
            }
            // Goes through the writer: a disk that is full or gone shows here.
            app.store.probe().await.map_err(|error| format!("The store cannot be written: {error}."))
        }
        .boxed()
    })
}
