//! Where a subscription's deliveries go, with everything that its attempts need, opened once.

use super::secrets::Secrets;
use crate::{
    net::Guard,
    store::{Subscription, SubscriptionState},
};
use herald_rules::{
    ids::{DepartmentId, SubscriptionId},
    signature::EndpointSecret,
    time::Timestamp,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What of a subscription is kept sealed: its secrets, and its headers, since those may hold credentials.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct Hidden {
    /// Its signing secrets, newest first.
    pub secrets: Vec<SigningSecret>,
    /// Headers that go with every delivery.
    pub headers: Vec<(String, String)>,
}

/// A secret that signs deliveries.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct SigningSecret {
    /// `whsec_...`
    pub value: String,
    /// It signs beside the newer one until then, so that a receiver can change over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Hidden {
    /// Reads what a subscription has sealed.
    pub fn open(subscription: &Subscription, secrets: &dyn Secrets) -> Option<Self> {
        let Some(sealed) = &subscription.sealed else { return Some(Self::default()) };
        let plain = secrets.open(subscription.id, sealed)?;
        serde_json::from_slice(&plain).ok()
    }

    /// Puts a new secret in front. The one so far signs beside it for a while; those before it no longer do.
    pub fn rotate(&mut self, value: String, overlap: std::time::Duration, now: Timestamp) {
        self.secrets.truncate(1);
        if overlap.is_zero() {
            self.secrets.clear();
        }
        for former in &mut self.secrets {
            former.until = Some(now + overlap);
        }
        self.secrets.insert(0, SigningSecret { value, until: None });
    }

    /// Seals it for a subscription.
    pub fn seal(&self, of: SubscriptionId, secrets: &dyn Secrets) -> Vec<u8> {
        // Texts and times only: this cannot fail.
        secrets.seal(of, &serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Names that are ours to set, or the connection's.
const RESERVED: [&str; 8] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

/// Whether a subscription may have these headers sent.
///
/// # Errors
/// The name of the first that cannot be.
pub fn check_headers(given: &[(String, String)]) -> Result<(), String> {
    headers(given).map(drop)
}

fn headers(given: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let bad = || name.clone();
        let parsed: HeaderName = name.trim().parse().map_err(|_| bad())?;
        if RESERVED.contains(&parsed.as_str())
            || parsed.as_str().starts_with("x-glassix-")
            || parsed == "x-hub-signature"
        {
            return Err(bad());
        }
        headers.append(parsed, HeaderValue::from_str(value.trim()).map_err(|_| bad())?);
    }
    Ok(headers)
}

/// A subscription, ready for its attempts.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) department: DepartmentId,
    pub(super) subscription: Subscription,
    /// `None`, with the reason, when it cannot be called as it is: then nothing is, until it is changed.
    pub(super) url: Result<reqwest::Url, String>,
    pub(super) headers: HeaderMap,
    secrets: Arc<[EndpointSecret]>,
    until: Vec<Option<Timestamp>>,
    pub(super) api_secret: Option<SecretString>,
}

impl Endpoint {
    pub(super) async fn new(
        department: DepartmentId,
        subscription: Subscription,
        guard: &Guard,
        secrets: &dyn Secrets,
    ) -> Self {
        let mut url = guard.check(subscription.url.as_deref().unwrap_or_default()).map_err(|error| error.to_string());
        let hidden = Hidden::open(&subscription, secrets).unwrap_or_else(|| {
            url = Err("Its secrets cannot be opened: the master key is another one.".to_owned());
            Hidden::default()
        });
        let named = subscription.settings.secret_name.as_deref();
        let api_secret = secrets.api_secret(subscription.department, named).await;
        if let (Some(name), None) = (named, &api_secret) {
            // Unsigned deliveries would only be refused, or worse, believed.
            url = Err(format!("Its API secret {name} is no longer in force: name another."));
        }
        let (secrets, until): (Vec<_>, Vec<_>) = hidden
            .secrets
            .iter()
            .filter_map(|secret| Some((EndpointSecret::parse(&secret.value).ok()?, secret.until)))
            .unzip();
        let headers = headers(&hidden.headers).unwrap_or_default();
        Self { department, subscription, url, headers, secrets: secrets.into(), until, api_secret }
    }

    /// The same, for a subscription that was deleted.
    pub(super) fn deleted(&self) -> Self {
        let mut deleted = self.clone();
        deleted.subscription.state = SubscriptionState::Deleted;
        deleted
    }

    pub(super) fn is_active(&self) -> bool {
        self.subscription.state == SubscriptionState::Active
    }

    /// The secrets that sign now. Newest first, so those whose time is over are at the end.
    pub(super) fn secrets(&self, now: Timestamp) -> &[EndpointSecret] {
        let good = self.until.iter().take_while(|until| until.is_none_or(|until| now < until)).count();
        self.secrets.get(..good).unwrap_or(&self.secrets)
    }
}
