//! `herald serve`: runs a node until it is told to stop.

use super::{Failure, Global, Output};
use crate::{config, node::Node, observe};
use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

/// Run Herald
#[derive(Debug, Args)]
#[command(
    after_help = "SIGTERM or Ctrl-C stops it in order: no new requests, what is with the providers comes back and is
written, deliveries under way end. A second one stops it at once, and the next start finds everything as a power cut
would leave it.

Examples:
  herald serve                                              with ./herald.toml, if there is one
  herald serve --data-folder /var/lib/herald --public 0.0.0.0:8080
  herald serve --set log.format=json"
)]
pub(super) struct Serve {
    /// Where everything is kept [default: data.folder]
    #[arg(long, value_name = "FOLDER")]
    data_folder: Option<String>,
    /// Where the API listens [default: listen.public]
    #[arg(long, value_name = "ADDRESS")]
    public: Option<String>,
    /// Where metrics and health are [default: listen.internal]
    #[arg(long, value_name = "ADDRESS")]
    internal: Option<String>,
}

impl Serve {
    pub(super) fn run(self, global: &Global, _output: &Output) -> Result<(), Failure> {
        let flag = |name: &str, key: &str, value: Option<String>| {
            value.map(|value| config::Flag { name: name.into(), key: key.into(), value })
        };
        let flags = [
            flag("--data-folder", "data.folder", self.data_folder),
            flag("--public", "listen.public", self.public),
            flag("--internal", "listen.internal", self.internal),
        ];
        let loaded = config::load(&global.sources(flags.into_iter().flatten()))?;
        observe::log::start(&loaded.config.log)?;
        for warning in &loaded.warnings {
            tracing::warn!(%warning, "config.warning");
        }
        runtime()?.block_on(serve(loaded.config))?;
        Ok(())
    }
}

/// The runtime of a node: a thread for each core.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("The runtime cannot be started")
}

async fn serve(config: config::Config) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be caught")?;
    let node = Node::start(config).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tokio::select! {
        () = node.stop() => {}
        _ = terminate.recv() => tracing::warn!("node.stopped_at_once"),
        _ = tokio::signal::ctrl_c() => tracing::warn!("node.stopped_at_once"),
    }
    Ok(())
}
