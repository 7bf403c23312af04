//! Provider accounts: the adapter of a channel, and the breaker that all its lanes share.

use super::Stops;
use crate::{
    access::{Access, Subject},
    files::Files,
    node::directory::{Channel, ChannelSettings, OnUnknownOutcome, Snapshot},
    pace::{Daily, DailyBudget, DailyBudgets},
    store::{ChannelRow, LaneRow, ProviderReference},
    template::Templates,
};
use herald_channels::{
    contract::{Capabilities, Reconcile},
    registry::Adapter,
};
use herald_rules::{
    admission::Terms,
    breaker::{Breaker, Permit},
    reason::Reason,
    time::Timestamp,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

/// A channel's way to its provider.
pub struct Account {
    /// How the provider is spoken to.
    pub adapter: Adapter,
    /// What happens when an outcome stays unknown.
    pub on_unknown_outcome: OnUnknownOutcome,
    /// Which channel.
    pub channel: ChannelRow,
    /// The lanes of the channel.
    pub lanes: Vec<LaneRow>,
    /// The templates of all channels.
    pub templates: Templates,
    /// Looks at files behind links.
    pub files: Files,
    /// How long to go on finding an outcome out, where the channel has its own wish.
    reconcile_for: Option<Duration>,
    /// Survives a change of settings: a provider that is down stays down.
    breaker: Arc<Mutex<Breaker>>,
    /// What of it cannot send. Ends with its settings and credentials.
    pub stops: Arc<Stops>,
    /// The budget of customers a day, where its provider has such a limit.
    daily: Option<Arc<DailyBudget>>,
    /// When its settings and credentials were last replaced: what was called earlier says nothing about these.
    pub built_at: Timestamp,
    /// What it was built from.
    source: (ChannelSettings, Option<Vec<u8>>, Vec<LaneRow>),
}

impl Account {
    /// Whether a call may be made.
    pub fn may_call(&self, now: Timestamp) -> Permit {
        self.breaker().may_call(now)
    }

    /// The provider answered.
    pub fn answered(&self, now: Timestamp) {
        self.breaker().succeeded(now);
    }

    /// The provider could not be reached, or is down.
    pub fn failed(&self, now: Timestamp) {
        self.breaker().failed(now);
    }

    /// The provider's id of a message, with what it is needed for.
    pub fn provider_reference(&self, text: Option<String>) -> Option<ProviderReference> {
        let named_by_receipts = !self.adapter.capabilities().echoes_our_id;
        text.map(|text| ProviderReference { text, named_by_receipts })
    }

    /// Asks whether a customer may be written to first, outside the window and by our own will; one more of the day is counted.
    pub fn may_write_first(&self, customer: &str, now: Timestamp) -> Daily {
        match self.stops.restricted_until(now) {
            Some(until) => Daily::Until(until, Reason::AccountRestricted.into()),
            None => self.daily.as_ref().map_or(Daily::Granted, |budget| budget.take(customer, now)),
        }
    }

    /// The budget of customers a day that it shares with its portfolio; None: its provider has no such limit.
    pub fn daily_budget(&self) -> Option<&DailyBudget> {
        self.daily.as_deref()
    }

    /// What holds for messages of the channel.
    pub fn terms(&self) -> Terms {
        let Capabilities { needs_window, marketing_in_the_united_states, .. } = self.adapter.capabilities();
        Terms { needs_window, marketing_in_the_united_states }
    }

    /// How an unknown outcome is found out, and until when.
    pub fn reconcile(&self) -> Reconcile {
        let own = self.adapter.capabilities().reconcile;
        match (own, self.reconcile_for) {
            (Reconcile::ByReceipt { .. }, Some(deadline)) => Reconcile::ByReceipt { deadline },
            (Reconcile::ByLookUp { .. }, Some(deadline)) => Reconcile::ByLookUp { deadline },
            (own, _) => own,
        }
    }

    /// How long to go on finding out.
    pub fn reconcile_for(&self) -> Duration {
        match self.reconcile() {
            Reconcile::ByReceipt { deadline } | Reconcile::ByLookUp { deadline } => deadline,
            Reconcile::Never => Duration::ZERO,
        }
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        // A breaker is a plain value: a panic elsewhere leaves it whole.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All accounts of this node. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    access: Arc<Access>,
    templates: Templates,
    files: Files,
    by_channel: Arc<RwLock<HashMap<ChannelRow, Arc<Account>>>>,
    daily: Arc<DailyBudgets>,
}

impl Accounts {
    /// None yet: [`Accounts::update`] builds them.
    pub fn new(access: Arc<Access>, templates: Templates, files: Files) -> Self {
        Self { access, templates, files, by_channel: Arc::default(), daily: Arc::default() }
    }

    /// The account of a channel; None where its settings make no adapter (which the log tells).
    pub fn get(&self, channel: ChannelRow) -> Option<Arc<Account>> {
        self.by_channel.read().unwrap_or_else(PoisonError::into_inner).get(&channel).cloned()
    }

    /// The lanes of all accounts of a portfolio.
    pub fn lanes_of_portfolio(&self, portfolio: &str) -> Vec<LaneRow> {
        let accounts = self.by_channel.read().unwrap_or_else(PoisonError::into_inner);
        let of_it = |account: &&Arc<Account>| account.adapter.portfolio() == Some(portfolio);
        accounts.values().filter(of_it).flat_map(|account| account.lanes.iter().copied()).collect()
    }

    /// Forgets what is kept in memory of these channels' accounts: another node may have worked them meanwhile. To be followed by
    /// [`Accounts::update`].
    pub fn forget(&self, channels: &[ChannelRow]) {
        let mut accounts = self.by_channel.write().unwrap_or_else(PoisonError::into_inner);
        for account in channels.iter().filter_map(|channel| accounts.remove(channel)) {
            if let Some(portfolio) = account.adapter.portfolio() {
                self.daily.forget(portfolio);
            }
        }
    }

    /// Lanes that stand still by their provider's word.
    pub fn stopped(&self) -> usize {
        let accounts = self.by_channel.read().unwrap_or_else(PoisonError::into_inner);
        accounts.values().map(|account| account.stops.count(&account.lanes)).sum()
    }

    /// Builds what is new or has changed. Returns the lanes of which a stop has ended with that.
    pub fn update(&self, snapshot: &Snapshot) -> Vec<LaneRow> {
        let mut lifted = Vec::new();
        let mut accounts = self.by_channel.write().unwrap_or_else(PoisonError::into_inner);
        let mut lanes: HashMap<ChannelRow, Vec<LaneRow>> = HashMap::new();
        for lane in snapshot.all_lanes() {
            lanes.entry(lane.channel).or_default().push(lane.row);
        }
        for (channel, mut lanes) in lanes {
            lanes.sort_unstable();
            let Some(channel) = snapshot.channel(channel) else { continue };
            let source = (channel.settings.clone(), channel.sealed_credentials.clone(), lanes.clone());
            let before = accounts.get(&channel.row);
            if before.is_some_and(|account| account.source == source) {
                continue;
            }
            let breaker = before.map(|account| account.breaker.clone()).unwrap_or_default();
            // Another lane of the same account changes nothing about what the provider says of it.
            let same = before.filter(|account| (&account.source.0, &account.source.1) == (&source.0, &source.1));
            let (stops, built_at) =
                same.map_or_else(|| (Arc::default(), Timestamp::now()), |same| (same.stops.clone(), same.built_at));
            match self.adapter(channel) {
                Ok(adapter) => {
                    if let Some(before) = before.filter(|_| same.is_none()) {
                        lifted.extend(before.stops.lift_all(&before.lanes));
                    }
                    let daily = adapter.portfolio().map(|portfolio| self.daily.of(portfolio));
                    let account = Account {
                        adapter,
                        channel: channel.row,
                        templates: self.templates.clone(),
                        files: self.files.clone(),
                        on_unknown_outcome: channel.settings.on_unknown_outcome,
                        reconcile_for: channel.settings.reconcile_seconds.map(|s| Duration::from_secs(s.into())),
                        lanes,
                        breaker,
                        stops,
                        daily,
                        built_at,
                        source,
                    };
                    accounts.insert(channel.row, Arc::new(account));
                }
                Err(problem) => {
                    tracing::error!(channel.id = %channel.id, %problem, "channel.settings_unusable");
                }
            }
        }
        lifted
    }

    fn adapter(&self, channel: &Channel) -> Result<Adapter, String> {
        let credentials = match &channel.sealed_credentials {
            Some(sealed) => {
                let plain = self
                    .access
                    .sealer
                    .open_sealed(Subject::Credentials(channel.id), sealed)
                    .map_err(|error| error.to_string())?;
                serde_json::from_slice(&plain).map_err(|error| error.to_string())?
            }
            None => serde_json::Value::Null,
        };
        Adapter::build(channel.provider, channel.protocol, &channel.settings.provider, &credentials)
            .map_err(|error| error.to_string())
    }
}
