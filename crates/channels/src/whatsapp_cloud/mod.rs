//! The adapter for Meta's WhatsApp Cloud API (Graph API).

mod settings;

pub use settings::{Credentials, Settings};

use crate::{
    contract::{
        Callback, CallbackError, Capabilities, LookUp, Notice, Outcome, Outgoing, PairLimit, Provider, Reconcile,
    },
    registry::SettingsError,
};
use herald_rules::{
    ids::MessageId,
    reason::{Cause, Reason},
    status::Status,
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// The adapter of one WhatsApp channel.
#[derive(Clone, Debug)]
pub struct WhatsappCloud {
    settings: Arc<Settings>,
}

/// A page of the account's templates, each as Meta writes it.
#[derive(Clone, Debug, Default)]
pub struct TemplatePage {
    /// Meta's rows.
    pub templates: Vec<Value>,
    /// The cursor of the next page; None: this was the last.
    pub after: Option<String>,
}

impl WhatsappCloud {
    /// Checks a channel's settings and makes its adapter.
    pub fn new(settings: Settings, _credentials: Credentials) -> Result<Self, SettingsError> {
        Ok(Self { settings: Arc::new(settings) })
    }

    /// One page of the account's templates, of every status.
    ///
    /// # Errors
    /// What Meta said.
    pub async fn templates(&self, _after: Option<&str>) -> Result<TemplatePage, Cause> {
        Err(Reason::ProviderUnavailable.into())
    }

    /// Hands a template in for review (`name`, `language`, `category`, `components`, ...). Answers `id`, `status`, `category`.
    ///
    /// # Errors
    /// What Meta said.
    pub async fn create_template(&self, _template: &Value) -> Result<Value, Cause> {
        Err(Reason::ProviderUnavailable.into())
    }

    /// Changes a template (`components`, `category`).
    ///
    /// # Errors
    /// What Meta said.
    pub async fn edit_template(&self, _id: &str, _change: &Value) -> Result<(), Cause> {
        Err(Reason::ProviderUnavailable.into())
    }

    /// Deletes a template in one language (`id`), or in all.
    ///
    /// # Errors
    /// What Meta said.
    pub async fn delete_template(&self, _name: &str, _id: Option<&str>) -> Result<(), Cause> {
        Err(Reason::ProviderUnavailable.into())
    }
}

impl Provider for WhatsappCloud {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            last_receipt: Status::Read,
            // Not in every status: the reference is needed too, and replies name it.
            echoes_our_id: false,
            reconcile: Reconcile::ByReceipt { deadline: Duration::from_secs(3600) },
            needs_window: true,
            rate: "80/s".parse().ok(),
            pair: Some(PairLimit { every: Duration::from_secs(6), burst: 45 }),
        }
    }

    async fn send(&self, _outgoing: &Outgoing) -> Outcome {
        Outcome::NotSent(Reason::ProviderUnavailable.into())
    }

    async fn look_up(&self, _id: MessageId) -> LookUp {
        LookUp::Unavailable
    }

    fn verify(&self, _callback: Callback<'_>) -> Result<(), CallbackError> {
        Err(CallbackError::Unauthorised)
    }

    fn read(&self, _body: &[u8]) -> Result<Vec<Notice>, CallbackError> {
        Ok(Vec::new())
    }

    fn portfolio(&self) -> Option<&str> {
        Some(self.settings.portfolio_id.as_deref().unwrap_or(&self.settings.waba_id))
    }
}
