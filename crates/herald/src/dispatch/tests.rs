//! The whole way of a message but for its first and last step, against the simulated providers.

use crate::{
    config::Config,
    node::{
        Node,
        directory::{ChannelSettings, OnUnknownOutcome},
    },
    store::{NewChannel, NewDepartment, NewIdentifier, NewMessage, NewSecret},
};
use herald_rules::{
    ids::{ChannelId, DepartmentId, MessageId},
    message::{Message, Priority},
    protocol::{Protocol, Provider},
    reason::Reason,
    status::Status,
    time::Timestamp,
};
use herald_simulators::{Options, Simulator};
use std::{collections::HashMap, sync::Arc, time::Duration};

mod limits;

struct World {
    node: Node,
    config: Config,
    simulator: Simulator,
    department: i64,
    lanes: HashMap<Protocol, i64>,
    _folder: tempfile::TempDir,
}

type History = Vec<(Status, Option<Reason>, bool)>;

impl World {
    async fn new(policy: OnUnknownOutcome) -> Self {
        Self::with(policy, serde_json::json!({})).await
    }

    /// Adds these to the settings of the adapters.
    async fn with(policy: OnUnknownOutcome, adapter: serde_json::Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.data.folder = folder.path().to_owned();
        config.listen.public = "127.0.0.1:0".parse().unwrap();
        config.listen.internal = "127.0.0.1:0".parse().unwrap();
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let node = Node::start(config.clone()).await.unwrap();
        let app = &node.app;
        let now = Timestamp::now();
        let secret = NewSecret { id: uuid::Uuid::now_v7(), name: "first".into(), sealed: vec![], created_at: now };
        let department = app
            .store
            .add_department(NewDepartment {
                id: DepartmentId::new(),
                name: "Test".into(),
                settings: Default::default(),
                secret,
                user: None,
                created_at: now,
            })
            .await
            .unwrap();
        for (number, protocol) in Protocol::ALL.into_iter().enumerate() {
            let id = ChannelId::new();
            let credentials = serde_json::json!({"key": "simulator-key", "callback_secret": "simulator-secret"});
            let sealed =
                app.access.sealer.seal(crate::access::Subject::Credentials(id), credentials.to_string().as_bytes());
            let mut provider = serde_json::json!({
                "base_url": simulator.base_url(),
                "callback_url": format!("http://{}/callbacks/{id}", node.public),
                "timeout_ms": 800,
            });
            for (name, value) in adapter.as_object().unwrap() {
                provider[name] = value.clone();
            }
            let settings =
                ChannelSettings { on_unknown_outcome: policy, reconcile_seconds: Some(1), language: None, provider };
            app.store
                .add_channel(NewChannel {
                    department,
                    id,
                    protocol,
                    provider: Provider::Simulated,
                    name: protocol.as_str().into(),
                    active: true,
                    non_ticket: true,
                    settings,
                    sealed_credentials: Some(sealed),
                    identifiers: vec![NewIdentifier {
                        identifier: format!("1555010020{number}"),
                        name: String::new(),
                        rate: Some("1000/s".into()),
                    }],
                    created_at: now,
                })
                .await
                .unwrap();
        }
        app.directory_changed().await.unwrap();
        let lanes = app.directory.get().all_lanes().map(|lane| (lane.protocol, lane.row)).collect();
        Self { node, config, simulator, department, lanes, _folder: folder }
    }

    /// Stops the node and starts it again on the same folder.
    async fn restarted(self) -> Self {
        self.node.stop().await;
        Self { node: Node::start(self.config.clone()).await.unwrap(), ..self }
    }

    fn message(&self, protocol: Protocol, to: &str) -> Message {
        Message {
            id: MessageId::new(),
            protocol,
            from: "15550100200".into(),
            to: to.into(),
            text: "Hello".into(),
            files: vec![],
            parts: 1,
            template: None,
            refused: None,
            metadata: None,
            priority: Priority::Transactional,
            accepted_at: Timestamp::now(),
            send_at: None,
            expires_at: None,
        }
    }

    async fn accept(&self, messages: Vec<Message>) -> Vec<MessageId> {
        let ids = messages.iter().map(|message| message.id).collect();
        let new = messages
            .into_iter()
            .map(|message| NewMessage {
                department: self.department,
                lane: self.lanes[&message.protocol],
                body: serde_json::to_string(&message).unwrap(),
                message: Arc::new(message),
                idempotency: None,
            })
            .collect();
        self.node.app.store.accept(new).await.unwrap();
        ids
    }

    async fn history(&self, id: MessageId) -> History {
        self.node
            .app
            .store
            .sqlite()
            .read(move |connection| {
                let mut query =
                    connection.prepare("SELECT status, reason, resent FROM event WHERE id = ? ORDER BY sequence")?;
                let rows = query.query_map([id.0.as_bytes()], |row| {
                    let status = Status::from_code(row.get(0)?).unwrap();
                    Ok((status, row.get::<_, Option<u16>>(1)?.and_then(Reason::from_number), row.get(2)?))
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
            .unwrap()
    }

    /// Waits until a message's history is as wished; prints what it was if it never becomes so. On a busy machine a receipt may be
    /// quicker than our own commit, and then the message never stands at `Accepted`: skipped steps are not invented.
    async fn until(&self, id: MessageId, wished: &[Status]) -> History {
        let mut last = vec![];
        for _ in 0..3_000 {
            last = self.history(id).await;
            let got: Vec<_> = last.iter().map(|(status, ..)| *status).collect();
            let skipped = wished.len() > 1 && wished[0] == Status::Accepted && got == wished[1..];
            if got == wished || skipped {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("wished {wished:?}, got {last:?}");
    }

    /// Waits until a message's last status is as wished.
    async fn until_last(&self, id: MessageId, wished: Status) {
        for _ in 0..3_000 {
            if self.history(id).await.last().is_some_and(|(status, ..)| *status == wished) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("wished {wished}, got {:?}", self.history(id).await);
    }

    async fn one(&self, protocol: Protocol, to: &str, wished: &[Status]) -> History {
        let id = self.accept(vec![self.message(protocol, to)]).await[0];
        self.until(id, wished).await
    }

    async fn count(&self, sql: &'static str) -> i64 {
        self.node.app.store.sqlite().read(move |c| Ok(c.query_row(sql, [], |row| row.get(0))?)).await.unwrap()
    }
}

const FLOW: [Status; 3] = [Status::Accepted, Status::Delivered, Status::Read];

#[tokio::test(flavor = "multi_thread")]
async fn magic_numbers_come_to_their_ends() {
    use Protocol::{AppleBusinessChat, SMS, WhatsApp};
    use Status::{Accepted, Delivered, Failed, Rejected};
    let world = World::new(OnUnknownOutcome::Fail).await;
    let (w, s) = (WhatsApp, SMS);
    let (read, refused, lost, throttled, answer_lost, never_taken) = tokio::join!(
        world.one(w, "972500000001", &FLOW),
        world.one(w, "972500000002", &[Rejected]),
        world.one(s, "972500000003", &[Accepted, Failed]),
        world.one(w, "972500000004", &FLOW),
        world.one(s, "972500000005", &[Accepted, Delivered]),
        world.one(s, "972500000006", &[Accepted, Delivered]),
    );
    assert_eq!(read.last().unwrap().0, Status::Read);
    assert_eq!(refused[0].1, Some(Reason::RecipientNotReachable));
    assert!(lost.last().unwrap().1.is_some());
    assert!(throttled.iter().all(|(.., resent)| !resent));
    assert!(answer_lost.iter().chain(&never_taken).all(|(.., resent)| !resent), "a look-up settles it");
    let (early, disordered, apple, refused_text) = tokio::join!(
        world.one(s, "972500000007", &[Accepted, Delivered]),
        world.one(s, "972500000008", &[Accepted, Delivered]),
        world.one(AppleBusinessChat, "urn:mbid:A00001", &[Accepted]),
        world.one(w, "972500000011", &[Rejected]),
    );
    assert_eq!((early.last().unwrap().0, disordered.last().unwrap().0, apple.len()), (Delivered, Delivered, 1));
    assert_eq!(refused_text[0].1, Some(Reason::ContentRefused));
    assert_eq!(world.simulator.summary().duplicates, 0);
    assert_eq!(world.count("SELECT sum(queued) FROM lane").await, 0);
    world.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_failed_or_sent_again_as_the_channel_says() {
    let apple = Protocol::AppleBusinessChat;
    let world = World::new(OnUnknownOutcome::Fail).await;
    let history = world.one(apple, "urn:mbid:A00006", &[Status::Failed]).await;
    assert_eq!(history[0].1, Some(Reason::OutcomeUnknown));
    world.node.stop().await;

    let world = World::new(OnUnknownOutcome::Resend).await;
    let history = world.one(apple, "urn:mbid:A00005", &[Status::Accepted]).await;
    assert!(history[0].2, "marked as a possible duplicate");
    world.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_messages_all_end_and_the_queue_is_empty() {
    let world = World::new(OnUnknownOutcome::Fail).await;
    let messages =
        (0..1_000).map(|n| world.message(Protocol::WhatsApp, &format!("97250{:07}", 1_500_500 + n))).collect();
    let ids = world.accept(messages).await;
    for id in ids {
        world.until_last(id, Status::Read).await;
    }
    assert_eq!(world.count("SELECT sum(queued) FROM lane").await, 0);
    assert_eq!(world.count("SELECT count(*) FROM live").await, 0);
    // A receipt that was quicker than our own commit leaves out a step; it never makes one twice.
    assert!(world.count("SELECT count(*) FROM event").await <= 3_000);
    let gaps = "SELECT max(sequence) - count(*) FROM event";
    assert_eq!(world.count(gaps).await, 0, "numbered without gaps");
    world.node.stop().await;
}
