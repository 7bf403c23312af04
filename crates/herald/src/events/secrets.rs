//! What events need of the keys: to keep their own secrets sealed, and the department's API secrets for signing.

use crate::{
    access::{Access, Subject},
    node::directory::Directory,
    store::{DepartmentRow, Store},
};
use futures_util::{FutureExt, future::BoxFuture};
use herald_rules::ids::SubscriptionId;
use secrecy::SecretString;
use std::sync::Arc;

/// Seals what must not be read from the database, and knows the departments' API secrets.
pub trait Secrets: Send + Sync {
    /// Encrypts what belongs to this subscription.
    fn seal(&self, of: SubscriptionId, plain: &[u8]) -> Vec<u8>;

    /// The inverse; `None` when it was sealed with another key or for another subscription.
    fn open(&self, of: SubscriptionId, sealed: &[u8]) -> Option<Vec<u8>>;

    /// The named API secret of a department, or its oldest one in force; it makes the v1.2 signatures.
    fn api_secret<'a>(
        &'a self,
        department: DepartmentRow,
        name: Option<&'a str>,
    ) -> BoxFuture<'a, Option<SecretString>>;
}

/// The keys of the instance as events use them.
pub struct Keys {
    access: Arc<Access>,
    store: Store,
    directory: Directory,
}

impl Keys {
    /// Uses these.
    pub fn new(access: Arc<Access>, store: Store, directory: Directory) -> Self {
        Self { access, store, directory }
    }
}

impl Secrets for Keys {
    fn seal(&self, of: SubscriptionId, plain: &[u8]) -> Vec<u8> {
        self.access.sealer.seal(Subject::Subscription(of.0), plain)
    }

    fn open(&self, of: SubscriptionId, sealed: &[u8]) -> Option<Vec<u8>> {
        self.access.sealer.open_sealed(Subject::Subscription(of.0), sealed).ok()
    }

    fn api_secret<'a>(
        &'a self,
        department: DepartmentRow,
        name: Option<&'a str>,
    ) -> BoxFuture<'a, Option<SecretString>> {
        async move {
            let department = self.directory.get().department(department).cloned()?;
            let secrets = match self.access.secrets(&self.store, &department).await {
                Ok(secrets) => secrets,
                Err(error) => {
                    tracing::error!(%error, "webhook.api_secret_not_read");
                    return None;
                }
            };
            let wanted = |row: &str| name.is_none_or(|name| name == row);
            secrets.into_iter().rfind(|(row, _)| wanted(&row.name)).map(|(_, secret)| secret)
        }
        .boxed()
    }
}
