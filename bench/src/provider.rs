//! `provider`: the simulated providers as a process of their own, set for measuring.

use clap::Args;
use herald_simulators::{Behaviours, Mode, Options};
use std::net::SocketAddr;

/// Play the providers; prints one line of JSON with its address when it listens
#[derive(Debug, Args)]
pub(crate) struct Provider {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The most receipts in one POST
    #[arg(long, default_value_t = 100)]
    batch: u32,
    /// How long the first receipt of a POST waits for others, in milliseconds
    #[arg(long, default_value_t = 20)]
    linger: u32,
    /// Connections over which receipts are posted
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// From taking a message to its first receipt, in milliseconds
    #[arg(long, default_value_t = 20)]
    delay: u32,
}

/// How a provider packs its receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// Profile A: by tens, up to 100 a POST.
    Many,
    /// Profile B: one receipt a POST, over more connections, as each is answered after a commit.
    One,
}

impl Packing {
    /// The command that plays such a provider.
    pub(crate) fn command(self) -> &'static [&'static str] {
        match self {
            Self::Many => &["provider"],
            Self::One => &["provider", "--batch", "1", "--linger", "0", "--connections", "64"],
        }
    }
}

impl Provider {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut behaviours = Behaviours::default();
        behaviours.each(|behaviour| {
            // Running numbers meet every magic one.
            behaviour.magic_numbers = false;
            behaviour.callbacks.batch = self.batch;
            behaviour.callbacks.linger_ms = self.linger;
            behaviour.receipts.delay_ms = self.delay;
        });
        let options = Options {
            listen: self.listen,
            behaviours,
            journal: Mode::Counting,
            callback_connections: self.connections,
            ..Options::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(herald_simulators::run(options))?)
    }
}
