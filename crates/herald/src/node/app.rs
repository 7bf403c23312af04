//! What every part of a running instance shares.

use super::{directory::Directory, ownership::Ownership};
use crate::{
    accept::Quotas,
    access::Access,
    config::Config,
    events::Events,
    files::Files,
    inbound::Inbox,
    observe::metrics::Metrics,
    pace::Lanes,
    store::{Changed, Store, StoreError, SubscriptionRow},
    template::Templates,
};
use std::{
    ops::Deref,
    sync::Arc,
    time::{Duration, Instant},
};

/// A running instance. Cheap to clone: one pointer, since every request does it.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: Parts,
    /// Of two changes at once the older snapshot must not come last, and a lane must not get two workers.
    changing: tokio::sync::Mutex<()>,
    /// When it was last looked whether another node has changed the directory, and which version it had.
    caught_up: tokio::sync::Mutex<Option<(Instant, i64)>>,
}

/// Between two looks at what other nodes have changed: whoever asks for what does not exist cannot ask the database for more.
const CATCH_UP_EVERY: Duration = Duration::from_millis(50);

/// What an instance is made of.
pub struct Parts {
    /// What is on disk.
    pub store: Store,
    /// Who is who.
    pub directory: Directory,
    /// The settings.
    pub config: Config,
    /// Keys, tokens and secrets.
    pub access: Arc<Access>,
    /// How many messages each department may hand in.
    pub quotas: Quotas,
    /// What this node works, of all that the nodes share.
    pub ownership: Ownership,
    /// The lanes of this node.
    pub lanes: Lanes,
    /// The way to the worker that empties the inbox.
    pub inbox: Inbox,
    /// The approved WhatsApp templates of every channel.
    pub templates: Templates,
    /// The hand-over of events.
    pub events: Events,
    /// The check of files behind links.
    pub files: Files,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl App {
    /// Puts an instance together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            changing: tokio::sync::Mutex::default(),
            caught_up: tokio::sync::Mutex::default(),
        }))
    }

    /// To be called after every change of departments, channels or lanes: reads them anew, and tells who keeps something
    /// that was made from them. Other nodes hear of the change from the store.
    ///
    /// # Errors
    /// When the tables cannot be read; then everything stays as it was until the next call.
    pub async fn directory_changed(&self) -> Result<(), StoreError> {
        {
            let _one_at_a_time = self.0.changing.lock().await;
            self.directory.reload(&self.store).await?;
            let snapshot = Arc::clone(&self.directory.get());
            self.quotas.update(&snapshot, &self.config.limits);
            // Before the lanes start: a message that waits may be a template that they have to know.
            self.templates.load(&self.store, &snapshot).await?;
            self.lanes.update(&snapshot, &self.store);
        }
        // New lanes are worked at once where they are this node's.
        self.ownership.look(self).await
    }

    /// To be called before something is refused because the directory does not know it: another node may have made it a moment ago. Tells
    /// whether the directory was read anew.
    pub async fn catch_up(&self) -> bool {
        let mut last = self.0.caught_up.lock().await;
        if last.is_some_and(|(at, _)| at.elapsed() < CATCH_UP_EVERY) {
            // Whoever waited for the lock has what the one before read.
            return true;
        }
        let versions = match self.store.versions().await {
            Ok(versions) => versions,
            Err(_) => return false,
        };
        let Some((_, version)) = versions.into_iter().find(|(changed, _)| *changed == Changed::Directory) else {
            return false;
        };
        let known = last.replace((Instant::now(), version)).map(|(_, version)| version);
        known != Some(version) && self.directory_changed().await.is_ok()
    }

    /// To be called after a subscription was made or changed in any way, and after a replay was asked for.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn subscription_changed(&self, row: SubscriptionRow) -> Result<(), StoreError> {
        self.events.changed(row).await?;
        self.ownership.look(self).await
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}
