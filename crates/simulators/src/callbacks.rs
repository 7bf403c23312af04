//! Where receipts go: one target for each callback address, account and protocol, split into shards.

use crate::{
    code::Code,
    engine::Engine,
    shard::{Shard, Waiting},
};
use herald_rules::protocol::Protocol;
use hmac::{Hmac, KeyInit};
use http::Uri;
use sha2::Sha256;
use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// One receiver of receipts.
pub(crate) struct Target {
    pub(crate) protocol: Protocol,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) authority: String,
    pub(crate) path: String,
    pub(crate) secret: Hmac<Sha256>,
    shards: Vec<Shard>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl Target {
    /// Reads a callback address. Only loopback: a simulator must never speak to the world.
    fn new(address: &str, secret: &str, protocol: Protocol, shards: usize) -> Result<Self, Code> {
        let uri: Uri = address.parse().map_err(|_| Code::CallbackUrlInvalid)?;
        let authority = uri.authority().ok_or(Code::CallbackUrlInvalid)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let port = uri.port_u16().ok_or(Code::CallbackUrlInvalid)?;
        if uri.scheme_str() != Some("http") || !loopback || authority.as_str().contains('@') {
            return Err(Code::CallbackUrlInvalid);
        }
        Ok(Self {
            protocol,
            host: host.to_owned(),
            port,
            authority: authority.to_string(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            secret: Hmac::new_from_slice(secret.as_bytes()).map_err(|_| Code::InternalError)?,
            shards: (0..shards).map(|_| Shard::default()).collect(),
        })
    }

    /// Adds a receipt; all of one message go to one shard, so that their order is kept where it is meant to be.
    pub(crate) fn push(&self, waiting: Waiting) {
        let number = usize::from(shard_of(waiting.client_reference)) % self.shards.len();
        if let Some(shard) = self.shards.get(number) {
            shard.push(waiting);
        }
    }
}

/// The last bytes of a UUIDv7 are random.
fn shard_of(reference: Uuid) -> u8 {
    reference.as_bytes()[15]
}

/// The targets of one account and protocol.
type Of = (Arc<str>, Protocol, Arc<Target>);

/// All targets, found by their address.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    by_address: RwLock<HashMap<String, Vec<Of>>>,
}

impl Targets {
    /// The target of an address, made and set to work at its first use.
    pub(crate) fn find(
        &self,
        engine: &Arc<Engine>,
        address: &str,
        (key, secret): (&Arc<str>, &str),
        protocol: Protocol,
    ) -> Result<Arc<Target>, Code> {
        let pick = |list: &Vec<Of>| list.iter().find(|of| of.0 == *key && of.1 == protocol).map(|of| Arc::clone(&of.2));
        let known = self.by_address.read().unwrap_or_else(PoisonError::into_inner).get(address).and_then(pick);
        if let Some(target) = known {
            return Ok(target);
        }
        let mut all = self.by_address.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = all.get(address).and_then(pick) {
            return Ok(target);
        }
        let target = Arc::new(Target::new(address, secret, protocol, engine.callback_connections)?);
        for number in 0..target.shards.len() {
            work(Arc::clone(engine), Arc::clone(&target), number, engine.stopped.clone());
        }
        all.entry(address.to_owned()).or_default().push((Arc::clone(key), protocol, Arc::clone(&target)));
        Ok(target)
    }
}

fn work(engine: Arc<Engine>, target: Arc<Target>, number: usize, stopped: CancellationToken) {
    tokio::spawn(async move {
        if let Some(shard) = target.shards.get(number) {
            stopped.run_until_cancelled(shard.work(&target, &engine)).await;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_called() {
        let read = |address| Target::new(address, "secret", Protocol::SMS, 1);
        for good in ["http://127.0.0.1:8080/callbacks/1?x=2", "http://localhost:1", "http://[::1]:80/x"] {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/callbacks",
            "https://127.0.0.1:1/",
            "http://127.0.0.1/",
            "http://example.com:80/",
            "http://10.0.0.1:80/",
            "http://localhost.example.com:80/",
            "http://localhost@example.com:80/",
            "ftp://localhost:1/",
        ] {
            assert_eq!(read(bad).err(), Some(Code::CallbackUrlInvalid), "{bad}");
        }
        assert_eq!(read("http://[::1]:80/x?y").map(|target| target.path).ok().as_deref(), Some("/x?y"));
    }
}
