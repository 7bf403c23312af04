//! Links of every kind, served on loopback.

mod links;
mod memory;
mod server;

use super::{Files, Settings};
use crate::{config::Config, observe::metrics::Metrics};
use herald_rules::{
    file::{FileFacts, Wanted},
    protocol::Protocol,
    reason::Cause,
};
use std::{future::Future, sync::Arc, time::Duration};

pub(super) const WHATSAPP: Wanted = Wanted::Message(Protocol::WhatsApp);

/// Loopback is allowed, and nobody waits a second.
pub(super) fn quick() -> Settings {
    let mut settings = Settings::of(&Config::defaults());
    settings.allow_networks = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()].into();
    settings.pause = Duration::from_millis(5);
    settings
}

pub(super) fn files(settings: Settings) -> Files {
    Files::new(settings, Arc::new(Metrics::new())).unwrap()
}

/// The type, or the reason's code and sentence.
pub(super) fn told(verdict: Result<Arc<FileFacts>, Cause>) -> Result<String, (&'static str, String)> {
    verdict.map(|facts| facts.media_type.clone()).map_err(|cause| (cause.reason.code(), cause.detail.unwrap()))
}

/// Waits until something is so. Nothing here takes so long unless it is broken.
pub(super) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "waited for: {what}");
}
