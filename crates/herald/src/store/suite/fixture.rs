//! A store of a test's own, on either engine.

use super::*;
use herald_postgres_server::{Database, Shared};

/// Runs each test on both engines, which it gets as its argument. A test that is not in the list is an unused function.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(super::Engine::Sqlite).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(super::Engine::Postgres).await;
                }
            )*
        }
    };
}
pub(super) use on_both_engines;

/// Which engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

/// Where a store keeps what it is given; gone when dropped.
pub(super) enum Home {
    Folder(tempfile::TempDir),
    Database(Arc<Database>),
    /// On a server of the test's own.
    Server(String),
}

impl Home {
    async fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Folder(tempfile::tempdir().unwrap()),
            Engine::Postgres => Self::Database(Arc::new(database().await)),
        }
    }

    /// A database without any table.
    pub(super) async fn empty() -> Self {
        let made = tokio::task::spawn_blocking(|| Shared::get()?.empty());
        Self::Database(Arc::new(made.await.unwrap().unwrap()))
    }

    fn options(&self) -> Options {
        match self {
            Self::Folder(folder) => Options::at(folder.path().join("test.db")),
            Self::Database(database) => Options::Postgres(PostgresOptions::at(database.url())),
            Self::Server(url) => {
                let statement_timeout = Duration::from_secs(1);
                Options::Postgres(PostgresOptions { statement_timeout, ..PostgresOptions::at(url.clone()) })
            }
        }
    }

    pub(super) async fn open(&self, observer: Arc<dyn Observer>) -> Store {
        Store::open(&self.options(), observer).await.unwrap()
    }
}

/// A database with all tables. Migrations run once for all tests of a run.
async fn database() -> Database {
    const TABLES: &str = "herald_tables";
    let runtime = tokio::runtime::Handle::current();
    let made = tokio::task::spawn_blocking(move || {
        let shared = Shared::get()?;
        shared.template(TABLES, |url| {
            runtime.block_on(async {
                let options = Options::Postgres(PostgresOptions::at(url));
                Store::open(&options, Arc::new(Heard::default())).await?.close().await;
                Ok(())
            })
        })?;
        shared.copy_of(TABLES)
    });
    made.await.unwrap().unwrap()
}

/// Writes down what it hears.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) arrived: Mutex<Vec<Queued>>,
    pub(super) scheduled: Mutex<Vec<Timestamp>>,
    pub(super) changes: Mutex<Vec<Change>>,
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
pub(super) struct Fixture {
    pub(super) store: Store,
    pub(super) heard: Arc<Heard>,
    pub(super) department: DepartmentRow,
    pub(super) channel: ChannelRow,
    pub(super) lane: LaneRow,
    pub(super) home: Home,
}

pub(super) fn new_department() -> NewDepartment {
    let secret = NewSecret { id: uuid::Uuid::now_v7(), name: "first".into(), sealed: vec![], created_at: NOW };
    NewDepartment {
        id: DepartmentId::new(),
        name: "Test".into(),
        settings: Default::default(),
        secret,
        user: None,
        created_at: NOW,
    }
}

pub(super) fn new_identifier(identifier: &str) -> NewIdentifier {
    NewIdentifier { identifier: identifier.into(), name: String::new(), rate: None }
}

pub(super) fn new_channel(department: DepartmentRow, identifiers: &[&str]) -> NewChannel {
    NewChannel {
        department,
        id: ChannelId::new(),
        protocol: Protocol::SMS,
        provider: Provider::Simulated,
        name: "Test".into(),
        active: true,
        non_ticket: true,
        settings: Default::default(),
        sealed_credentials: None,
        identifiers: identifiers.iter().map(|identifier| new_identifier(identifier)).collect(),
        created_at: NOW,
    }
}

impl Fixture {
    pub(super) async fn new(engine: Engine) -> Self {
        Self::at_home(Home::new(engine).await).await
    }

    pub(super) async fn at_home(home: Home) -> Self {
        let heard = Arc::new(Heard::default());
        let store = home.open(heard.clone()).await;
        let department = store.add_department(new_department()).await.unwrap();
        let channel = store.add_channel(new_channel(department, &["15550100200"])).await.unwrap();
        let lane = store.directory().await.unwrap().all_lanes().next().unwrap().row;
        Self { store, heard, department, channel, lane, home }
    }

    /// Closes the store and opens it again, as a restart would.
    pub(super) async fn reopened(self) -> Self {
        let Self { store, department, channel, lane, home, .. } = self;
        store.close().await;
        drop(store);
        let heard = Arc::new(Heard::default());
        let store = home.open(heard.clone()).await;
        Self { store, heard, department, channel, lane, home }
    }

    /// How its database is opened.
    pub(super) fn options(&self) -> Options {
        self.home.options()
    }

    /// Writes behind the store's back, what both engines understand.
    pub(super) async fn sql(&self, sql: &'static str) {
        match &self.home {
            Home::Folder(_) => {
                self.store.sqlite().write(move |writing| Ok(writing.connection.execute_batch(sql)?)).await.unwrap();
            }
            Home::Database(database) => {
                let database = database.clone();
                tokio::task::spawn_blocking(move || database.query(sql)).await.unwrap().unwrap();
            }
            Home::Server(_) => panic!("nobody needs this yet"),
        }
    }

    pub(super) fn new_message(&self, to: &str, change: impl FnOnce(&mut Message)) -> NewMessage {
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
    pub(super) async fn accept(&self, to: &str) -> Queued {
        let new = self.new_message(to, |_| {});
        assert_eq!(self.store.accept(vec![new]).await.unwrap(), [Accepted::New]);
        self.heard.arrived.lock().unwrap().last().unwrap().clone()
    }

    /// Accepts a message of long ago: retention goes by the moment that ids begin with.
    pub(super) async fn accept_old(&self, number: u16) -> Queued {
        let new = self.new_message(&number.to_string(), |message| {
            (message.id, message.accepted_at) = (MessageId::received_at(OLD, number), OLD);
        });
        assert_eq!(self.store.accept(vec![new]).await.unwrap(), [Accepted::New]);
        self.heard.arrived.lock().unwrap().last().unwrap().clone()
    }

    /// Whether a message is not forgotten.
    pub(super) async fn knows(&self, id: MessageId) -> bool {
        self.store.story(self.department, id).await.unwrap().is_some()
    }

    pub(super) fn owned(&self) -> Owned {
        Owned { department: self.department, lane: self.lane, epoch: Epoch::default() }
    }

    pub(super) async fn claim(&self, number: i64, entries: Vec<Queued>) -> ClaimedNow {
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

    pub(super) async fn record(&self, queued: &Queued, closed: Vec<i64>, outcome: Recorded) {
        let ended = Ended {
            id: queued.message.id,
            place: queued.place,
            attempt: queued.attempt + 1,
            claimed_as: Some(queued.attempt + 1),
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

    pub(super) async fn accepted_as(&self, queued: &Queued, reference: &str) {
        let reference = ProviderReference { text: reference.into(), named_by_receipts: true };
        self.record(queued, vec![], Recorded::Accepted { reference: Some(reference) }).await;
    }

    pub(super) async fn receipt(&self, reference: Reference, status: Status) -> Applied {
        let receipt = Receipt::new(reference, status);
        self.store.apply(self.department, self.channel, vec![receipt], NOW).await.unwrap()
    }

    pub(super) fn theirs(text: &str) -> Reference {
        Reference::Theirs(text.into())
    }

    /// The changes heard of, in order.
    pub(super) fn statuses(&self) -> Vec<Status> {
        self.heard.changes.lock().unwrap().iter().filter_map(|change| change.kind.status()).collect()
    }

    pub(super) async fn head(&self, priority: Priority) -> Vec<MessageId> {
        let page = self.store.head(self.department, self.lane, priority, 0, 100).await.unwrap();
        page.messages.iter().map(|queued| queued.message.id).collect()
    }

    /// What the lane counts without counting rows.
    pub(super) async fn queued(&self) -> u64 {
        let lengths = self.store.queue_lengths(self.department).await.unwrap();
        lengths.into_iter().find(|(lane, _)| *lane == self.lane).unwrap().1
    }

    /// The log of the lane.
    pub(super) async fn log(&self) -> Vec<EventKey> {
        let from_start = vec![EventKey { lane: self.lane, sequence: 0 }];
        let render: Render = Arc::new(|_, _| {});
        let events = self.store.log_after(self.department, from_start, 1_000, render).await.unwrap();
        events.into_iter().map(|event| event.key).collect()
    }
}
