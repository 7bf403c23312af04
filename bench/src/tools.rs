//! Provider and receiver: processes of their own, started once, and asked between measurements.

use crate::{client::Client, process::Process, provider::Packing, receiver::Summary};
use anyhow::Context;
use herald_simulators::Summary as ProviderSummary;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Nothing has come for this long: it will not come.
const STANDSTILL: Duration = Duration::from_secs(30);

/// The other side of Herald.
#[derive(Debug)]
pub(crate) struct Tools {
    many: Played,
    one: Played,
    pub(crate) receiver: Process,
    pub(crate) receiver_address: SocketAddr,
}

/// A provider, and where it listens.
type Played = (Process, SocketAddr);

impl Tools {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let many = Process::tool(Packing::Many.command()).await?;
        let one = Process::tool(Packing::One.command()).await?;
        let (receiver, receiver_address) = Process::tool(&["receiver"]).await?;
        Ok(Self { many, one, receiver, receiver_address })
    }

    pub(crate) fn provider(&self, packing: Packing) -> &Played {
        match packing {
            Packing::Many => &self.many,
            Packing::One => &self.one,
        }
    }

    fn receiver(&self) -> Client {
        Client::new(self.receiver_address, "")
    }

    /// Forgets all counts.
    pub(crate) async fn begin(&self) -> anyhow::Result<()> {
        for (_, address) in [&self.many, &self.one] {
            Client::new(*address, "").call("DELETE", "/control/journal", None).await?;
        }
        self.receiver().call("DELETE", "/summary", None).await?;
        Ok(())
    }

    pub(crate) async fn received(&self) -> anyhow::Result<Summary> {
        Ok(serde_json::from_value(self.receiver().get("/summary").await?)?)
    }

    pub(crate) async fn provided(&self, packing: Packing) -> anyhow::Result<ProviderSummary> {
        let (_, address) = self.provider(packing);
        Ok(serde_json::from_value(Client::new(*address, "").get("/control/summary").await?)?)
    }

    /// Waits until so many distinct messages have come to a status.
    pub(crate) async fn until(&self, status: &str, messages: u64) -> anyhow::Result<Summary> {
        let (mut before, mut moved) = (0, Instant::now());
        loop {
            let summary = self.received().await?;
            if summary.statuses.get(status).is_some_and(|count| *count >= messages) {
                return Ok(summary);
            }
            if summary.events > before {
                (before, moved) = (summary.events, Instant::now());
            }
            if moved.elapsed() > STANDSTILL {
                let received = serde_json::to_string(&summary)?;
                let [many, one] = [self.provided(Packing::Many).await?, self.provided(Packing::One).await?]
                    .map(|summary| serde_json::to_string(&summary).unwrap_or_default());
                return Err(anyhow::anyhow!("received: {received}\nproviders: {many}\n{one}"))
                    .with_context(|| format!("{messages} messages were to be {status}, and nothing moves any more"));
            }
            // The receiver notes itself when each came; asking seldom keeps out of its way.
            sleep(Duration::from_millis(50)).await;
        }
    }
}
