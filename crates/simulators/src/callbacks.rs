//! Where receipts go: one target for each callback address, account and protocol, split into shards.

use crate::{
    address::Address,
    code::Code,
    engine::Engine,
    shard::{self, Shard, Waiting},
};
use herald_rules::protocol::Protocol;
use hmac::{Hmac, KeyInit};
use sha2::Sha256;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// One receiver of receipts.
pub(crate) struct Target {
    pub(crate) protocol: Protocol,
    pub(crate) address: Address,
    pub(crate) secret: Hmac<Sha256>,
    shards: Vec<Shard>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("authority", &self.address.authority).finish_non_exhaustive()
    }
}

impl Target {
    fn new(address: &str, secret: &str, protocol: Protocol, shards: usize) -> Result<Self, Code> {
        Ok(Self {
            protocol,
            address: Address::read(address).ok_or(Code::CallbackUrlInvalid)?,
            secret: Hmac::new_from_slice(secret.as_bytes()).map_err(|_| Code::InternalError)?,
            shards: (0..shards).map(|_| Shard::default()).collect(),
        })
    }

    /// Adds a receipt; all of one message go to one shard, so that their order is kept where it is meant to be.
    pub(crate) fn push(&self, due: Instant, waiting: Waiting) {
        let number = usize::from(shard_of(waiting.client_reference)) % self.shards.len();
        if let Some(shard) = self.shards.get(number) {
            shard.push(due, waiting);
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
            stopped.run_until_cancelled(shard::work(shard, &target, &engine)).await;
        }
    });
}
