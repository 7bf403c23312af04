//! The templates of every channel, in memory, and who wants them compared with Meta's.

use crate::{
    node::directory::{Channel, Snapshot},
    store::{ChannelRow, Store, StoreError, TemplateFilter, TemplatePlace, TemplateRow},
};
use herald_rules::{
    protocol::Provider,
    template::{Index, Template},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, RwLock},
};
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard};

/// The templates of this node. Cheap to clone.
#[derive(Clone, Default)]
pub struct Templates(Arc<Inner>);

#[derive(Default)]
struct Inner {
    indices: RwLock<HashMap<ChannelRow, Indexed>>,
    /// Of two builds at once the older must not come last.
    building: AsyncMutex<()>,
    /// One comparison a channel at a time.
    alone: Mutex<HashMap<ChannelRow, Arc<AsyncMutex<()>>>>,
    /// Whose templates are to be compared with Meta's soon.
    asked: Mutex<BTreeSet<ChannelRow>>,
    woken: Notify,
}

#[derive(Clone)]
struct Indexed {
    index: Arc<Index>,
    language: Option<String>,
}

impl Templates {
    /// The templates of a channel, of which the approved ones are found by text; None for one that has none by its nature.
    pub fn index(&self, channel: ChannelRow) -> Option<Arc<Index>> {
        self.indices().get(&channel).map(|indexed| indexed.index.clone())
    }

    /// Reads the templates of channels that have no index yet, or that prefer another language now.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn load(&self, store: &Store, snapshot: &Snapshot) -> Result<(), StoreError> {
        for channel in snapshot.all_channels().filter(|channel| has_templates(channel)) {
            let known = self.indices().get(&channel.row).map(|indexed| indexed.language.clone());
            if known.is_none_or(|language| language != channel.settings.language) {
                self.rebuild(store, channel).await?;
            }
        }
        self.0.woken.notify_one();
        Ok(())
    }

    /// Reads the templates of all channels anew: another node may have changed any.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn reload(&self, store: &Store, snapshot: &Snapshot) -> Result<(), StoreError> {
        for channel in snapshot.all_channels().filter(|channel| has_templates(channel)) {
            self.rebuild(store, channel).await?;
        }
        Ok(())
    }

    /// Makes the index of a channel anew. To be called after every change of its templates.
    ///
    /// # Errors
    /// When they cannot be read; the index stays as it was.
    pub async fn rebuild(&self, store: &Store, channel: &Channel) -> Result<(), StoreError> {
        let _one_at_a_time = self.0.building.lock().await;
        // Those that may not be sent are known by name, so that a refusal can say why. Drafts only we know.
        let mut rows = store.templates(TemplatePlace::from(channel), TemplateFilter::default()).await?;
        rows.retain(|row| row.status != super::states::DRAFT);
        let (language, id) = (channel.settings.language.clone(), channel.id);
        let built = tokio::task::spawn_blocking(move || {
            let templates = rows.iter().filter_map(|row| read(row, id)).map(Arc::new).collect();
            let index = Arc::new(Index::build(templates, language.as_deref()));
            Indexed { index, language }
        });
        let indexed = built.await.map_err(|error| StoreError::Corrupt(format!("no index was made: {error}")))?;
        self.0.indices.write().unwrap_or_else(PoisonError::into_inner).insert(channel.row, indexed);
        Ok(())
    }

    /// Channels have come to this node: theirs are to be compared from now on.
    pub fn wake(&self) {
        self.0.woken.notify_one();
    }

    /// Wants the templates of a channel compared with Meta's soon. Many such wishes become one comparison.
    pub fn ask(&self, channel: ChannelRow) {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(channel);
        self.0.woken.notify_one();
    }

    /// Who asked since the last call.
    pub(super) fn take_asked(&self) -> BTreeSet<ChannelRow> {
        std::mem::take(&mut *self.0.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until somebody asks, or the directory has changed.
    pub(super) async fn woken(&self) {
        self.0.woken.notified().await;
    }

    /// Held by whoever compares the templates of a channel.
    pub(super) async fn alone(&self, channel: ChannelRow) -> OwnedMutexGuard<()> {
        let lock = self.0.alone.lock().unwrap_or_else(PoisonError::into_inner).entry(channel).or_default().clone();
        lock.lock_owned().await
    }

    fn indices(&self) -> std::sync::RwLockReadGuard<'_, HashMap<ChannelRow, Indexed>> {
        // Whole values are swapped in, so a panic elsewhere leaves the map sound.
        self.0.indices.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether channels of this kind have templates.
pub(super) fn has_templates(channel: &Channel) -> bool {
    channel.provider == Provider::WhatsappCloud
}

/// A template that cannot be understood is left out: the others must still be found.
fn read(row: &TemplateRow, channel: herald_rules::ids::ChannelId) -> Option<Template> {
    Template::from_graph(&row.graph())
        .inspect_err(|problem| {
            tracing::warn!(
                channel.id = %channel, template = %row.name, language = %row.language, problem, "template.unreadable"
            );
        })
        .ok()
}
