//! Who may do what: the admin token, departments' API secrets, users and bearer tokens, and the key that seals what must
//! be read back.

mod admin;
mod cache;
mod keyfile;
pub(crate) mod random;
mod scopes;
mod seal;
pub mod secrets;
mod throttle;
pub mod tokens;

pub use admin::AdminToken;
pub use keyfile::KeyFileError;
pub(crate) use random::bytes as random_bytes;
pub use scopes::{Scope, Scopes};
pub use seal::{SealError, Sealer, Subject};
pub use tokens::Session;

use crate::{
    config,
    store::{Store, StoreError},
};
use herald_rules::time::Timestamp;

/// The keys of a running instance.
pub struct Access {
    /// Seals and opens secrets and credentials.
    pub sealer: Sealer,
    /// Who administers the instance.
    pub admin: AdminToken,
    cache: cache::TokenCache,
    throttle: throttle::Throttle,
}

/// Why the keys could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database belongs to another key.
    #[error(
        "The credentials in the database were sealed with another master key ({stored}) than the one given ({given}). \
         Give the former key in HERALD_MASTER_KEY or data.master_key_file."
    )]
    OtherMasterKey {
        /// The id of the key that the database names.
        stored: String,
        /// The id of the key that was given.
        given: String,
    },
}

impl Access {
    /// Reads the keys, and makes those that are missing: the admin token and, unless it is configured, the master key.
    /// The data folder must exist.
    ///
    /// # Errors
    /// When a file cannot be made or read.
    pub fn open(data: &config::Data, limits: &config::Limits) -> Result<Self, AccessError> {
        Ok(Self {
            sealer: Sealer::open(data)?,
            admin: AdminToken::open(&data.admin_token_path())?,
            cache: cache::TokenCache::default(),
            throttle: throttle::Throttle::new(limits.tokens_per_minute),
        })
    }

    /// Forgets which tokens are good: another node may have revoked any.
    pub fn forget_tokens(&self) {
        self.cache.clear();
    }

    /// Refuses a database whose secrets were sealed with another key, before the first of them is needed.
    ///
    /// # Errors
    /// [`AccessError::OtherMasterKey`], or when the store cannot be used.
    pub async fn check_master_key(&self, store: &Store) -> Result<(), AccessError> {
        let given = self.sealer.key_id();
        let stored = store.master_key_ids().await?;
        match stored.first() {
            None => Ok(store.remember_master_key(given, Timestamp::now()).await?),
            Some(_) if stored.contains(&given) => Ok(()),
            Some(other) => Err(AccessError::OtherMasterKey { stored: hex::encode(other), given: hex::encode(given) }),
        }
    }
}
