//! HAProxy with the file that is to be tried.

use crate::{
    deploy::{file, good},
    support::{Ask, Herald, own_port, until},
};
use std::{
    collections::{BTreeMap, HashMap},
    process::{Child, Command, Stdio},
};

/// HAProxy, and what it says of the nodes.
pub(super) struct Balancer {
    pub(super) base: String,
    pub(super) inside: String,
    child: Child,
    folder: tempfile::TempDir,
}

/// What HAProxy says of a node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) up: bool,
    pub(super) requests: u64,
    pub(super) failed_connections: u64,
}

impl Balancer {
    pub(super) fn start(mut haproxy: Command, nodes: &[&Herald]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [public, internal, nobody] = [own_port(), own_port(), own_port()].map(|port| format!("127.0.0.1:{port}"));
        let me = good(Command::new("id").arg("-un"));
        haproxy
            .env("HERALD_BALANCER_LISTEN", &public)
            .env("HERALD_BALANCER_INTERNAL", &internal)
            .env("HERALD_BALANCER_SOCKET", folder.path().join("socket"))
            .env("HERALD_BALANCER_MAXCONN", "200")
            .env("HERALD_BALANCER_USER", me.trim());
        for number in 1..=3 {
            let address = |url: &str| url.split_once("//").unwrap().1.to_owned();
            let (one, inside) = nodes
                .get(number - 1)
                .map_or((nobody.clone(), nobody.clone()), |node| (address(&node.base), address(&node.internal)));
            haproxy.env(format!("HERALD_NODE_{number}"), one).env(format!("HERALD_NODE_{number}_INTERNAL"), inside);
        }
        haproxy.arg("-db").arg("-f").arg(file("haproxy/haproxy.cfg"));
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = haproxy.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let [base, inside] = [public, internal].map(|address| format!("http://{address}"));
        Self { base, inside, child, folder }
    }

    /// Empty where it does not answer, or not yet.
    pub(super) async fn nodes(&self) -> BTreeMap<String, Node> {
        let answer = Ask::new(&self.inside).text("/;csv").await.unwrap_or_default();
        let mut lines = answer.lines();
        let names: Vec<_> = lines.next().unwrap_or_default().trim_start_matches("# ").split(',').collect();
        let rows = lines.map(|line| names.iter().copied().zip(line.split(',')).collect::<HashMap<_, _>>());
        let number = |row: &HashMap<&str, &str>, name: &str| row[name].parse().unwrap_or_default();
        rows.filter(|row| row["pxname"] == "nodes" && row["svname"] != "BACKEND")
            .map(|row| {
                let node = Node {
                    // "UP 1/2" is on its way down.
                    up: row["status"].starts_with("UP"),
                    requests: number(&row, "stot"),
                    failed_connections: number(&row, "wretr") + number(&row, "wredis") + number(&row, "econ"),
                };
                (row["svname"].to_owned(), node)
            })
            .collect()
    }

    pub(super) async fn until(&self, what: &str, holds: impl Fn(&BTreeMap<String, Node>) -> bool) {
        until(what, || async {
            let nodes = self.nodes().await;
            (nodes.len() == 3 && holds(&nodes)).then_some(())
        })
        .await;
    }

    pub(super) async fn until_up(&self, up: &[bool]) {
        self.until("the nodes to be seen", |nodes| nodes.values().map(|node| node.up).eq(up.iter().copied())).await;
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            let end: Vec<_> = log.lines().rev().take(30).collect();
            eprintln!("The end of HAProxy's log:");
            end.iter().rev().for_each(|line| eprintln!("  {line}"));
        }
        // It has ended by itself where its settings were refused.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
