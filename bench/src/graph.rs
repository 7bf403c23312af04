//! `graph`: Meta's simulated Graph API as a process of its own.

use clap::Args;
use herald_simulators::{
    Mode,
    whatsapp_cloud::{GraphAccount, GraphBehaviour, GraphOptions},
};
use std::{net::SocketAddr, path::PathBuf};

/// Play Meta's Graph API; prints one line of JSON with its address when it listens
#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where webhooks go: http://, loopback, with a port (later: PUT /control/account)
    #[arg(long)]
    callback: Option<String>,
    /// A file with a JSON array of templates, as Meta writes them
    #[arg(long)]
    templates: Option<PathBuf>,
    /// Keep to Meta's limits of pace, and give magic recipients their outcomes
    #[arg(long)]
    limits: bool,
    /// Keep every call and status, not only counts
    #[arg(long)]
    journal: bool,
    /// The most statuses in one POST
    #[arg(long, default_value_t = 100)]
    batch: u32,
    /// Connections over which webhooks are posted
    #[arg(long, default_value_t = 4)]
    connections: usize,
}

impl Graph {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut behaviour = GraphBehaviour::default();
        if !self.limits {
            behaviour = behaviour.unlimited();
            // Running numbers meet every magic one.
            behaviour.magic_numbers = false;
        }
        behaviour.callbacks.batch = self.batch;
        let templates = match self.templates {
            Some(path) => serde_json::from_slice(&std::fs::read(path)?)?,
            None => Vec::new(),
        };
        let options = GraphOptions {
            listen: self.listen,
            accounts: vec![GraphAccount { callback_url: self.callback, ..GraphAccount::default() }],
            templates,
            behaviour,
            journal: if self.journal { Mode::Full } else { Mode::Counting },
            callback_connections: self.connections,
            ..GraphOptions::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(herald_simulators::whatsapp_cloud::run(options))?)
    }
}
