//! `load`: messages over a number of connections, at a rate or as fast as answers come.

pub(crate) mod connection;
mod drive;
pub(crate) mod histogram;
pub(crate) mod message;

pub(crate) use drive::{Plan, Report, Until};
pub(crate) use message::Sender;

use clap::Args;
use herald_rules::protocol::Protocol;
use std::{net::SocketAddr, time::Duration};

/// Send messages to a running Herald, and print what came of it as JSON
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// Where the API listens; several of one installation share the connections out
    #[arg(long, required = true)]
    target: Vec<SocketAddr>,
    /// The bearer token
    #[arg(long, env = "HERALD_TOKEN", hide_env_values = true)]
    token: String,
    /// The protocol of all messages
    #[arg(long, default_value = "SMS", value_parser = protocol)]
    protocol: Protocol,
    /// The numbers to send from; connections share them out
    #[arg(long, required = true)]
    from: Vec<String>,
    /// Connections that are kept
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How many messages
    #[arg(long, default_value_t = 10_000)]
    messages: u64,
    /// Stop after so many seconds instead
    #[arg(long)]
    seconds: Option<u64>,
    /// Messages a second, whatever the answers do; absent: each connection sends when it has its answer
    #[arg(long)]
    rate: Option<f64>,
    /// The number of the first message; recipients follow from it
    #[arg(long, default_value_t = 0)]
    first: u64,
}

impl Load {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let sender = |from: &String| Sender { protocol: self.protocol, from: from.clone(), token: self.token.clone() };
        let plan = Plan {
            targets: self.target,
            senders: self.from.iter().map(sender).collect(),
            connections: self.connections,
            until: match self.seconds {
                Some(seconds) => Until::Elapsed(Duration::from_secs(seconds)),
                None => Until::Messages(self.messages),
            },
            rate: self.rate,
            first: self.first,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        println!("{}", serde_json::to_string(&runtime.block_on(plan.drive())?)?);
        Ok(())
    }
}

fn protocol(text: &str) -> Result<Protocol, String> {
    text.parse().map_err(|()| format!("one of {}", Protocol::ALL.map(Protocol::as_str).join(", ")))
}
