//! `herald serve`: runs a node until it is told to stop.

use super::{Failure, Global, Output};
use crate::{
    config::{self, Flag},
    node::Node,
    observe,
};
use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

/// Run Herald
#[derive(Debug, Args)]
#[command(
    after_help = "SIGTERM or Ctrl-C stops it in order: no new requests, what is with the providers comes back and is
written, deliveries under way end. A second one stops it at once, and the next start finds everything as a power cut
would leave it. SIGHUP reads the TLS certificate again.

Examples:
  herald serve                                              with ./herald.toml, if there is one
  herald serve --data-folder /var/lib/herald --public 0.0.0.0:8080
  herald serve --config /etc/herald/herald.toml --log-format json

All settings: `herald config default`. What is in force: `herald config show`."
)]
pub(super) struct Serve {
    #[command(flatten)]
    node: NodeFlags,
}

/// Short forms of the settings that are most often given by hand.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct NodeFlags {
    /// Where everything is kept [default: data.folder]
    #[arg(long, value_name = "FOLDER")]
    pub(super) data_folder: Option<String>,
    /// Where the API listens; port 0 takes any free one [default: listen.public]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) public: Option<String>,
    /// Where metrics and health are [default: listen.internal]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) internal: Option<String>,
    /// text or json [default: log.format]
    #[arg(long, value_name = "FORMAT")]
    pub(super) log_format: Option<String>,
    /// What is logged, for example info,herald::dispatch=debug [default: log.filter]
    #[arg(long, value_name = "FILTER")]
    pub(super) log_filter: Option<String>,
}

impl NodeFlags {
    /// The settings they stand for.
    pub(super) fn flags(&self) -> impl Iterator<Item = Flag> {
        [
            ("--data-folder", "data.folder", &self.data_folder),
            ("--public", "listen.public", &self.public),
            ("--internal", "listen.internal", &self.internal),
            ("--log-format", "log.format", &self.log_format),
            ("--log-filter", "log.filter", &self.log_filter),
        ]
        .into_iter()
        .filter_map(|(name, key, value)| Some(Flag { name: name.into(), key: key.into(), value: value.clone()? }))
    }
}

impl Serve {
    pub(super) fn run(self, global: &Global, _output: &Output) -> Result<(), Failure> {
        let loaded = config::load(&global.sources(self.node.flags()))?;
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
    // It reads certificates again where there are any; where there are none, it must not end the process, as it would by default.
    let _hangup = signal(SignalKind::hangup()).context("SIGHUP cannot be caught")?;
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
