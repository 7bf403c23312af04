//! A store with a department, a log that grows on demand, and a receiver that answers as it is told.

use crate::{
    access::Sealer,
    events::{Events, Hidden, Log, Secrets, Settings, SigningSecret},
    node::{
        directory::{ChannelSettings, Directory},
        ownership::Tenure,
    },
    observe::metrics::Metrics,
    store::{
        Attempt, Change, Delivery, DeliveryFilter, DeliveryState, DepartmentRow, EventKey, EventKind, LaneRow,
        NewChannel, NewDepartment, NewIdentifier, NewSecret, NewSubscription, Observer, Options, Queued, Store,
        Subscription, SubscriptionKind, SubscriptionSettings,
    },
};
use futures_util::{FutureExt, future::BoxFuture};
use herald_rules::{
    ids::{ChannelId, DepartmentId, MessageId, SubscriptionId},
    message::Message,
    protocol::{Protocol, Provider},
    signature::EndpointSecret,
    status::Status,
    time::Timestamp,
};
use secrecy::SecretString;
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};

pub(super) const API_SECRET: &str = "hrs_test";

/// Nothing here takes so long unless it is broken: each takes about a second on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Deaf;

impl Observer for Deaf {
    fn arrived(&self, _: LaneRow, _: Queued) {}
    fn scheduled(&self, _: LaneRow, _: Timestamp) {}
    fn changed(&self, _: &[Change]) {}
}

/// Keys without files.
struct TestKeys(Sealer);

impl Secrets for TestKeys {
    fn seal(&self, of: SubscriptionId, plain: &[u8]) -> Vec<u8> {
        self.0.seal(crate::access::Subject::Subscription(of.0), plain)
    }

    fn open(&self, of: SubscriptionId, sealed: &[u8]) -> Option<Vec<u8>> {
        self.0.open_sealed(crate::access::Subject::Subscription(of.0), sealed).ok()
    }

    fn api_secret<'a>(&'a self, _: DepartmentRow, _: Option<&'a str>) -> BoxFuture<'a, Option<SecretString>> {
        async { Some(SecretString::from(API_SECRET)) }.boxed()
    }
}

pub(super) struct World {
    pub(super) store: Store,
    pub(super) events: Events,
    pub(super) directory: Directory,
    pub(super) log: Log,
    pub(super) department: DepartmentRow,
    pub(super) department_id: DepartmentId,
    pub(super) lane: LaneRow,
    pub(super) settings: Settings,
    folder: tempfile::TempDir,
}

/// Quick: a failure waits milliseconds.
pub(super) fn quick() -> Settings {
    let config = crate::config::Config::defaults();
    let mut settings = Settings::of(&config.webhooks, &config.events);
    settings.allow_networks = ["127.0.0.0/8".parse().unwrap()].into();
    settings.wait = Arc::new(|failed, _| Duration::from_millis(u64::from(failed.min(5)) * 2));
    settings.linger = Duration::from_millis(10);
    settings
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(quick()).await
    }

    pub(super) async fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Options::at(folder.path().join("herald.db")), Arc::new(Deaf)).await.unwrap();
        let department_id = DepartmentId::new();
        let now = Timestamp::now();
        let secret = NewSecret { id: uuid::Uuid::now_v7(), name: "first".into(), sealed: vec![0], created_at: now };
        let new = NewDepartment {
            id: department_id,
            name: "Sales".into(),
            settings: Default::default(),
            secret,
            user: None,
            created_at: now,
        };
        store.add_department(new).await.unwrap();
        let directory = Directory::default();
        directory.reload(&store).await.unwrap();
        let department = directory.get().department_by_id(department_id).unwrap().row;
        let channel = NewChannel {
            department,
            id: ChannelId::new(),
            protocol: Protocol::WhatsApp,
            provider: Provider::Simulated,
            name: "one".into(),
            active: true,
            non_ticket: true,
            settings: ChannelSettings::default(),
            sealed_credentials: None,
            identifiers: vec![NewIdentifier { identifier: "97255999999".into(), name: String::new(), rate: None }],
            created_at: now,
        };
        store.add_channel(channel).await.unwrap();
        directory.reload(&store).await.unwrap();
        let lane = directory.get().lanes(department)[0].row;
        let log = Log::default();
        let events = start(&store, &directory, &log, &settings).await;
        Self { store, events, directory, log, department, department_id, lane, settings, folder }
    }

    /// Ends everything at once, as far as that goes in one process, and starts anew on the same file.
    pub(super) async fn restart(self) -> Self {
        let Self { store, events, directory, department, department_id, lane, settings, folder, .. } = self;
        events.stop(Instant::now()).await;
        store.close().await;
        drop((store, events));
        let store = Store::open(&Options::at(folder.path().join("herald.db")), Arc::new(Deaf)).await.unwrap();
        let log = Log::default();
        let events = start(&store, &directory, &log, &settings).await;
        Self { store, events, directory, log, department, department_id, lane, settings, folder }
    }

    pub(super) async fn webhook(&self, url: &str) -> Subscription {
        self.webhook_with(url, SubscriptionSettings::default(), vec![]).await
    }

    pub(super) async fn webhook_with(
        &self,
        url: &str,
        settings: SubscriptionSettings,
        headers: Vec<(String, String)>,
    ) -> Subscription {
        let id = SubscriptionId::new();
        let secret = SigningSecret { value: EndpointSecret::write(&[7; 32]), until: None };
        let hidden = Hidden { secrets: vec![secret], headers };
        let new = NewSubscription {
            department: self.department,
            id,
            kind: SubscriptionKind::Webhook,
            name: "test".into(),
            url: Some(url.into()),
            settings,
            sealed: Some(hidden.seal(id, self.events.secrets())),
            created_at: Timestamp::now(),
        };
        let subscription = self.store.create_subscription(new).await.unwrap();
        self.events.changed(subscription.row).await.unwrap();
        subscription
    }

    /// Adds messages to the store, and returns their ids.
    pub(super) async fn messages(&self, count: usize) -> Vec<MessageId> {
        let ids: Vec<_> = (0..count).map(|_| MessageId::new()).collect();
        let (department, lane, of) = (self.department, self.lane, ids.clone());
        self.store
            .sqlite()
            .write(move |writing| {
                for id in of {
                    let message = Message {
                        id,
                        protocol: Protocol::WhatsApp,
                        from: "97255999999".into(),
                        to: "97255500000".into(),
                        text: "Hello".into(),
                        files: vec![],
                        parts: 1,
                        template: None,
                        refused: None,
                        metadata: None,
                        priority: Default::default(),
                        accepted_at: Timestamp::now(),
                        send_at: None,
                        expires_at: None,
                    };
                    writing
                        .connection
                        .prepare_cached(
                            "INSERT INTO message (department, id, lane, recipient, at, body) VALUES (?, ?, ?, ?, ?, ?)",
                        )?
                        .execute((
                            department,
                            id.0.as_bytes(),
                            lane,
                            "97255500000",
                            0,
                            serde_json::to_string(&message)?,
                        ))?;
                }
                Ok(())
            })
            .await
            .unwrap();
        ids
    }

    /// Writes changes to the log, as the store does, and tells of them.
    pub(super) async fn change(&self, changes: &[(MessageId, Status)]) {
        self.change_at(changes, self.settings.now()).await;
    }

    pub(super) async fn change_at(&self, changes: &[(MessageId, Status)], at: Timestamp) {
        let (department, lane, of) = (self.department, self.lane, changes.to_vec());
        let written = self
            .store
            .sqlite()
            .write(move |writing| {
                let mut sequence: i64 = writing.connection.query_row(
                    "SELECT coalesce(max(sequence), 0) FROM event WHERE department = ?1 AND lane = ?2",
                    (department, lane),
                    |row| row.get(0),
                )?;
                let mut written = Vec::new();
                for (id, status) in of {
                    sequence += 1;
                    writing
                        .connection
                        .prepare_cached(
                            "INSERT INTO event (department, lane, sequence, id, status, at) VALUES (?, ?, ?, ?, ?, ?)",
                        )?
                        .execute((department, lane, sequence, id.0.as_bytes(), status.code(), at.0))?;
                    written.push(Change { department, lane, sequence, id, kind: EventKind::Status(status) });
                }
                Ok(written)
            })
            .await
            .unwrap();
        self.log.changed(&written);
    }

    pub(super) async fn deliveries(&self, of: &Subscription, state: Option<DeliveryState>) -> Vec<Delivery> {
        let filter = DeliveryFilter { state, limit: 10_000, ..Default::default() };
        self.store.deliveries(of.row, filter).await.unwrap()
    }

    pub(super) async fn attempts(&self, of: &Subscription, delivery: &Delivery) -> Vec<Attempt> {
        self.store.attempts(of.row, delivery.id).await.unwrap()
    }

    pub(super) async fn subscription(&self, of: &Subscription) -> Subscription {
        self.store.subscription(of.row).await.unwrap().unwrap()
    }

    pub(super) fn key(&self, sequence: i64) -> EventKey {
        EventKey { lane: self.lane, sequence }
    }
}

async fn start(store: &Store, directory: &Directory, log: &Log, settings: &Settings) -> Events {
    let keys = Arc::new(TestKeys(Sealer::new([7; 32])));
    let metrics = Arc::new(Metrics::new());
    let owner: crate::events::Owner = Arc::new(|_| Some(Tenure::for_ever()));
    Events::start(store.clone(), directory.clone(), log.clone(), keys, settings.clone(), metrics, owner).await.unwrap()
}

/// Waits until something is so.
pub(super) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let all = async {
        while !holds().await {
            sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(timeout(PATIENCE, all).await.is_ok(), "never: {what}");
}

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// Names as they were spelled.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) answered: u16,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Message and status of each event.
    pub(super) fn events(&self) -> Vec<(MessageId, Status)> {
        let events: Vec<Value> = serde_json::from_slice(&self.body).unwrap();
        events
            .iter()
            .map(|event| {
                let message = &event["changes"][0]["message"];
                let text = |name: &str| message[name].as_str().unwrap().to_owned();
                (text("providerMessageId").parse().unwrap(), text("status").parse().unwrap())
            })
            .collect()
    }
}

type Decide = Box<dyn FnMut(&Received) -> u16 + Send>;

/// An endpoint that records everything and answers as it is told.
pub(super) struct Receiver {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    received: Vec<Received>,
    decide: Decide,
}

impl Receiver {
    pub(super) async fn new(decide: impl FnMut(&Received) -> u16 + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { received: vec![], decide: Box::new(decide) }));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { url, state }
    }

    pub(super) fn all(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    pub(super) fn decide(&self, decide: impl FnMut(&Received) -> u16 + Send + 'static) {
        self.state.lock().unwrap().decide = Box::new(decide);
    }

    /// All events of requests that were answered with 2xx, in order.
    pub(super) fn taken(&self) -> Vec<(MessageId, Status)> {
        self.all()
            .iter()
            .filter(|received| (200..300).contains(&received.answered))
            .flat_map(Received::events)
            .collect()
    }

    /// For after a restart, where something may be taken twice.
    pub(super) async fn until_all_taken(&self, events: &[(MessageId, Status)]) {
        until("all taken", || async { events.iter().all(|event| self.taken().contains(event)) }).await;
    }

    pub(super) async fn until_taken(&self, count: usize) {
        until(&format!("{count} events taken"), || async { self.taken().len() >= count }).await;
    }
}

/// Each message's statuses in the order in which they were taken.
pub(super) fn by_message(taken: &[(MessageId, Status)]) -> HashMap<MessageId, Vec<Status>> {
    let mut by = HashMap::<_, Vec<_>>::new();
    for (id, status) in taken {
        by.entry(*id).or_default().push(*status);
    }
    by
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let mut headers = Vec::new();
        loop {
            line.clear();
            stream.read_line(&mut line).await?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
                None => break,
            }
        }
        let mut received = Received { headers, body: vec![], answered: 0 };
        let length = received.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        received.body = vec![0; length];
        stream.read_exact(&mut received.body).await?;
        let status = {
            let mut state = state.lock().unwrap();
            let status = (state.decide)(&received);
            received.answered = status;
            state.received.push(received);
            status
        };
        if status == 0 {
            // Breaks off without an answer.
            return Ok(());
        }
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\nLocation: http://127.0.0.1:1/\r\n\r\nok");
        stream.write_all(answer.as_bytes()).await?;
    }
}
