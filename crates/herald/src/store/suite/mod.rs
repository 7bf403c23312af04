//! The store's promises, told as a suite that knows no engine: it runs on each.

mod accepting;
mod contacts;
mod inbound;
mod inbox;
mod lanes;
mod limits;
mod parts;
mod receipts;
mod suppressions;
mod templates;

use super::*;
use herald_channels::contract::{Pricing, Receipt, Reference};
use herald_rules::{
    ids::{ChannelId, DepartmentId, MessageId},
    message::{Message, Priority},
    protocol::{Protocol, Provider},
    status::Status,
    time::Timestamp,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const NOW: Timestamp = Timestamp(1_795_348_800_000_000);
const HOUR: Duration = Duration::from_secs(3600);

/// Writes down what it hears.
#[derive(Default)]
struct Heard {
    arrived: Mutex<Vec<Queued>>,
    scheduled: Mutex<Vec<Timestamp>>,
    changes: Mutex<Vec<Change>>,
}

impl Observer for Heard {
    fn arrived(&self, _: LaneRow, queued: Queued) {
        self.arrived.lock().unwrap().push(queued);
    }
    fn scheduled(&self, _: LaneRow, due: Timestamp) {
        self.scheduled.lock().unwrap().push(due);
    }
    fn changed(&self, changes: &[Change]) {
        self.changes.lock().unwrap().extend(changes);
    }
}

/// A store with a department, a channel and a lane.
struct Fixture {
    store: Store,
    heard: Arc<Heard>,
    department: DepartmentRow,
    channel: ChannelRow,
    lane: LaneRow,
    folder: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let heard = Arc::new(Heard::default());
        let store = Store::open(&Options::at(folder.path().join("test.db")), heard.clone()).await.unwrap();
        let secret = NewSecret { id: uuid::Uuid::now_v7(), name: "first".into(), sealed: vec![], created_at: NOW };
        let department = NewDepartment {
            id: DepartmentId::new(),
            name: "Test".into(),
            settings: Default::default(),
            secret,
            user: None,
            created_at: NOW,
        };
        let department = store.add_department(department).await.unwrap();
        let identifier = NewIdentifier { identifier: "15550100200".into(), name: String::new(), rate: None };
        let channel = NewChannel {
            department,
            id: ChannelId::new(),
            protocol: Protocol::SMS,
            provider: Provider::Simulated,
            name: "Test".into(),
            active: true,
            non_ticket: true,
            settings: Default::default(),
            sealed_credentials: None,
            identifiers: vec![identifier],
            created_at: NOW,
        };
        let channel = store.add_channel(channel).await.unwrap();
        let lane = store.directory().await.unwrap().all_lanes().next().unwrap().row;
        Self { store, heard, department, channel, lane, folder }
    }

    /// Closes the store and opens it again, as a restart would.
    async fn reopened(self) -> Self {
        let Self { store, department, channel, lane, folder, .. } = self;
        store.close().await;
        drop(store);
        let heard = Arc::new(Heard::default());
        let store = Store::open(&Options::at(folder.path().join("test.db")), heard.clone()).await.unwrap();
        Self { store, heard, department, channel, lane, folder }
    }

    fn new_message(&self, to: &str, change: impl FnOnce(&mut Message)) -> NewMessage {
        let mut message = Message {
            id: MessageId::new(),
            protocol: Protocol::SMS,
            from: "15550100200".into(),
            to: to.into(),
            text: "Hello".into(),
            files: vec![],
            parts: 1,
            template: None,
            refused: None,
            metadata: None,
            priority: Priority::Transactional,
            accepted_at: NOW,
            send_at: None,
            expires_at: None,
        };
        change(&mut message);
        let body = serde_json::to_string(&message).unwrap();
        NewMessage { department: self.department, lane: self.lane, message: Arc::new(message), body, idempotency: None }
    }

    /// Accepts a message for this customer and returns it as the lane would see it.
    async fn accept(&self, to: &str) -> Queued {
        let new = self.new_message(to, |_| {});
        assert_eq!(self.store.accept(vec![new]).await.unwrap(), [Accepted::New]);
        self.heard.arrived.lock().unwrap().last().unwrap().clone()
    }

    fn owned(&self) -> Owned {
        Owned { department: self.department, lane: self.lane, epoch: Epoch::default() }
    }

    async fn claim(&self, number: i64, entries: Vec<Queued>) -> ClaimedNow {
        let claim = Claim {
            department: self.department,
            lane: self.lane,
            epoch: Epoch::default(),
            number,
            at: NOW,
            pace: None,
            entries,
            windows: true,
        };
        self.store.claim(claim).await.unwrap()
    }

    async fn record(&self, queued: &Queued, closed: Vec<i64>, outcome: Recorded) {
        let ended = Ended {
            id: queued.message.id,
            place: queued.place,
            attempt: queued.attempt + 1,
            resent: queued.resent,
            part: queued.part,
            parts: queued.message.parts,
            at: NOW,
            outcome,
        };
        let outcomes = Outcomes {
            department: self.department,
            channel: self.channel,
            lane: self.lane,
            epoch: Epoch::default(),
            ended: vec![ended],
            closed,
            standings: vec![],
            daily_customers: None,
        };
        self.store.record(outcomes).await.unwrap();
    }

    async fn accepted_as(&self, queued: &Queued, reference: &str) {
        let reference = ProviderReference { text: reference.into(), named_by_receipts: true };
        self.record(queued, vec![], Recorded::Accepted { reference: Some(reference) }).await;
    }

    async fn receipt(&self, reference: Reference, status: Status) -> Applied {
        let receipt = Receipt::new(reference, status);
        self.store.apply(self.department, self.channel, vec![receipt], NOW).await.unwrap()
    }

    fn theirs(text: &str) -> Reference {
        Reference::Theirs(text.into())
    }

    /// The changes heard of, in order.
    fn statuses(&self) -> Vec<Status> {
        self.heard.changes.lock().unwrap().iter().filter_map(|change| change.kind.status()).collect()
    }

    async fn head(&self, priority: Priority) -> Vec<MessageId> {
        let page = self.store.head(self.department, self.lane, priority, 0, 100).await.unwrap();
        page.messages.iter().map(|queued| queued.message.id).collect()
    }

    async fn queued(&self) -> i64 {
        let lane = self.lane;
        self.store
            .sqlite()
            .read(move |c| Ok(c.query_row("SELECT queued FROM lane WHERE lane = ?", [lane], |row| row.get(0))?))
            .await
            .unwrap()
    }
}
