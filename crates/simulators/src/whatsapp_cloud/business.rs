//! A business account at work: its credentials, numbers, customers, templates and webhooks.

use super::{
    account::{GraphAccount, GraphNumber, TokenState},
    courier::Courier,
    customers::Customers,
    error::GraphError,
    templates::Templates,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU32},
    },
};

/// A number of an account. Its id and digits never change.
#[derive(Debug)]
pub(crate) struct Number {
    pub(crate) id: String,
    pub(crate) digits: String,
    settings: RwLock<GraphNumber>,
}

impl Number {
    pub(crate) fn new(settings: GraphNumber) -> Self {
        Self { id: settings.id.clone(), digits: settings.number.clone(), settings: RwLock::new(settings) }
    }

    pub(crate) fn settings(&self) -> RwLockReadGuard<'_, GraphNumber> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn settings_mut(&self) -> RwLockWriteGuard<'_, GraphNumber> {
        self.settings.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What opens the account, and what it signs with.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) token: String,
    pub(crate) state: TokenState,
    pub(crate) app_secret: String,
    pub(crate) verify_token: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("state", &self.state).finish_non_exhaustive()
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Business {
    pub(crate) waba_id: String,
    pub(crate) portfolio: String,
    pub(crate) numbers: Vec<Arc<Number>>,
    keys: RwLock<Keys>,
    customers: Mutex<Customers>,
    templates: RwLock<Templates>,
    courier: RwLock<Option<Arc<Courier>>>,
    /// Whether the app gets its webhooks.
    pub(crate) subscribed: AtomicBool,
    /// Every send is refused with this code; 0: none is.
    pub(crate) blocked: AtomicU32,
}

impl Business {
    pub(crate) fn new(account: &GraphAccount) -> Self {
        Self {
            waba_id: account.waba_id.clone(),
            portfolio: account.portfolio_id.clone().unwrap_or_else(|| account.waba_id.clone()),
            numbers: account.numbers.iter().cloned().map(|number| Arc::new(Number::new(number))).collect(),
            keys: RwLock::new(Keys {
                token: account.access_token.clone(),
                state: TokenState::Valid,
                app_secret: account.app_secret.clone(),
                verify_token: account.verify_token.clone(),
            }),
            customers: Mutex::default(),
            templates: RwLock::default(),
            courier: RwLock::default(),
            subscribed: AtomicBool::new(true),
            blocked: AtomicU32::new(0),
        }
    }

    pub(crate) fn keys(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys_mut(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn customers(&self) -> MutexGuard<'_, Customers> {
        self.customers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn templates(&self) -> RwLockReadGuard<'_, Templates> {
        self.templates.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn templates_mut(&self) -> RwLockWriteGuard<'_, Templates> {
        self.templates.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn courier(&self) -> Option<Arc<Courier>> {
        self.courier.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_courier(&self, courier: Option<Arc<Courier>>) {
        *self.courier.write().unwrap_or_else(PoisonError::into_inner) = courier;
    }

    /// Whether a call with this token, and perhaps this proof, may act for the account. Not in constant time: these keys guard
    /// nothing, and the simulator listens on loopback only.
    pub(crate) fn admits(&self, token: &str, proof: Option<&str>) -> Result<(), Refused> {
        let keys = self.keys();
        if keys.token != token {
            return Err(Refused::OtherToken);
        }
        let expired = |subcode, message: &'static str| Refused::Error(GraphError::plain(190, message).subcode(subcode));
        match keys.state {
            TokenState::Valid => {}
            TokenState::Expired => return Err(expired(463, "Error validating access token: Session has expired")),
            TokenState::Revoked => {
                return Err(expired(460, "Error validating access token: The session has been invalidated"));
            }
        }
        let Some(proof) = proof else { return Ok(()) };
        let expected = Hmac::<Sha256>::new_from_slice(keys.app_secret.as_bytes())
            .map(|mac| hex::encode(mac.chain_update(token).finalize().into_bytes()));
        if expected.is_ok_and(|expected| expected == proof) {
            return Ok(());
        }
        Err(Refused::Error(GraphError::plain(100, "Invalid appsecret_proof provided in the API argument")))
    }
}

/// Why a call may not act for an account.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The token is not this account's.
    OtherToken,
    /// It is, and something is wrong with it.
    Error(GraphError),
}
