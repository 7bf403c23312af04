//! Several nodes of the real binary on one PostgreSQL.

use super::{front::Front, line::Line};
use crate::support::{Ask, Builder, Department, Herald, own_port};
use futures_util::future::join_all;
use herald_postgres_server::{Address, Options, Server};
use rustix::process::Signal;
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// What all nodes of a cluster share, beside the database.
const MASTER_KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
const ADMIN: &str = "hra_the-administrator-of-all-nodes-of-one-cluster";
const DATABASE: &str = "herald";

/// A cluster. Its nodes are named `node-0` and so on.
pub struct Cluster {
    pub server: Arc<Mutex<Server>>,
    pub nodes: Vec<Node>,
    /// Stands before all nodes that answer.
    pub front: Front,
    /// From each node to the database; none where nodes go there by themselves.
    pub lines: Vec<Line>,
    address: Mutex<Address>,
}

/// Of who fails, the logs are of use, and all of them.
impl Drop for Cluster {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("nodes-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (at, node) in self.nodes.iter().enumerate() {
            if let Ok(node) = node.try_lock() {
                fs::write(folder.join(name(at)), node.log()).unwrap();
            }
        }
        eprintln!("The logs of all nodes are in {}.", folder.display());
    }
}

/// A node; whoever does something to it holds it meanwhile.
pub type Node = Arc<tokio::sync::Mutex<Herald>>;

impl Cluster {
    /// So many nodes that do everything, on a server of their own.
    pub async fn start(count: usize) -> Self {
        Self::with_roles(&vec!["all"; count]).await
    }

    /// Nodes with these roles.
    pub async fn with_roles(roles: &[&str]) -> Self {
        let server = Server::start(Options::default()).unwrap();
        let url = server.database(DATABASE).unwrap();
        let lines = join_all(roles.iter().map(|_| Line::to(server.port()))).await;
        let through = |line: &Line| url.replace(&format!(":{}/", server.port()), &format!(":{}/", line.port));
        let urls = lines.iter().map(through).collect();
        let mut cluster = Self::on(server, urls, roles).await;
        cluster.lines = lines;
        cluster
    }

    /// Nodes that find their database by these URLs.
    pub async fn on(server: Server, urls: Vec<String>, roles: &[&str]) -> Self {
        let publics: Vec<String> = roles.iter().map(|_| format!("127.0.0.1:{}", own_port())).collect();
        let behind = publics.iter().zip(roles).filter(|(_, role)| **role != "worker");
        let front = Front::start(behind.map(|(public, _)| format!("http://{public}")).collect()).await;
        let starting = roles.iter().zip(&publics).enumerate().map(|(at, (role, public))| {
            let builder = Builder::default().with_keys(MASTER_KEY, ADMIN);
            let builder = builder.set("store.url", &urls[at]).set("node.name", &name(at)).set("node.role", role);
            let builder = builder.set("listen.public", public).set("listen.public_url", &front.base);
            builder.set("listen.internal", &format!("127.0.0.1:{}", own_port())).start()
        });
        let nodes = join_all(starting).await.into_iter().map(|node| Arc::new(tokio::sync::Mutex::new(node))).collect();
        let address = Mutex::new((*server).clone());
        Self { server: Arc::new(Mutex::new(server)), nodes, front, lines: Vec::new(), address }
    }

    /// A department without a limit that a test would meet, set up at one node: others hear of it soon after.
    pub async fn department(&self) -> Department {
        let settings = json!({"messagesPerMinute": 60_000_000, "burst": 1_000_000});
        Department::at(&Ask::new(&self.front.behind[0]), ADMIN, "Sales", settings).await
    }

    /// From now on questions go to another server, which has become the primary.
    pub fn asks(&self, server: &Server) {
        *self.address.lock().unwrap() = (**server).clone();
    }

    /// Asks the database: rows as lines, columns parted by `|`.
    pub async fn sql(&self, sql: &str) -> String {
        self.try_sql(sql).await.unwrap()
    }

    /// The same where it may be away.
    pub async fn try_sql(&self, sql: &str) -> Result<String, String> {
        let (address, sql) = (self.address.lock().unwrap().clone(), sql.to_owned());
        let asked = tokio::task::spawn_blocking(move || address.query(DATABASE, &sql)).await.unwrap();
        asked.map_err(|error| format!("{error:#}"))
    }

    /// Restarts the database, in order or after a `kill -9`; says for how long it was away.
    pub async fn restart_server(&self, killed: bool) -> Duration {
        let server = self.server.clone();
        let restarting = tokio::task::spawn_blocking(move || {
            let (mut server, began) = (server.lock().unwrap(), Instant::now());
            if killed {
                server.kill().unwrap()
            } else {
                server.stop().unwrap()
            }
            server.start_again().unwrap();
            began.elapsed()
        });
        restarting.await.unwrap()
    }

    /// The lanes that each living node owns, as the database has it; by the number of the node.
    pub async fn owned(&self) -> BTreeMap<usize, Vec<String>> {
        // Leases and nodes are judged by the database's clock.
        let now = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        let sql = format!(
            "SELECT n.name, coalesce(string_agg(a.identifier, ',' ORDER BY a.identifier), '')
             FROM node n
             LEFT JOIN lease e ON e.node = n.node AND e.kind = 0 AND e.until > {now}
             LEFT JOIN lane a ON e.key = 'channel:' || a.channel
             WHERE n.until > {now} AND n.works GROUP BY n.name"
        );
        let rows = self.sql(&sql).await;
        let node = |line: &str| {
            let (name, lanes) = line.split_once('|').unwrap();
            let lanes = lanes.split(',').filter(|lane| !lane.is_empty()).map(str::to_owned).collect();
            (name.strip_prefix("node-").unwrap().parse().unwrap(), lanes)
        };
        rows.lines().map(node).collect()
    }

    /// The logs of all nodes, over all their starts.
    pub async fn logs(&self) -> Vec<String> {
        join_all(self.nodes.iter().map(async |node| node.lock().await.log())).await
    }

    /// The processes.
    pub async fn pids(&self) -> Vec<Option<u32>> {
        join_all(self.nodes.iter().map(async |node| node.lock().await.pid())).await
    }
}

fn name(at: usize) -> String {
    format!("node-{at}")
}

/// Stands still, as a machine does that is short of memory or being moved.
pub fn freeze(node: &Herald) {
    node.signal(Signal::STOP);
}

/// Goes on where it stood.
pub fn thaw(node: &Herald) {
    node.signal(Signal::CONT);
}
