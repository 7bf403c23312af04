//! What nodes tell one another: LISTEN and NOTIFY to be quick, polling to be sure.
//!
//! NOTIFY inside a transaction makes all such commits wait for one another, so it leaves on a connection of its own, gathered for
//! some milliseconds and without waiting for the disk. One that is lost costs a second: the poll finds the same.

use super::{Engine, columns::get, open, pipeline::Pipeline, positions::Positions};
use crate::store::{Change, Changed, DepartmentRow, EventKey, LaneRow, Observer, PostgresOptions, Queued, StoreError};
use futures_util::{StreamExt, stream};
use herald_rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::sleep};
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long news are gathered.
const GATHER: Duration = Duration::from_millis(4);
/// Between two polls while others live; alone there is nobody who could have changed anything unheard, but for a node that has
/// just begun.
const POLL: Duration = Duration::from_secs(1);
const POLL_ALONE: Duration = Duration::from_secs(5);
/// After a connection has broken.
const RECONNECT: Duration = Duration::from_millis(500);
/// Rows in one notification, which may have 8,000 bytes: a log is three numbers of up to 19 digits.
const LANES: usize = 300;
const LOGS: usize = 100;
const LATER: usize = 150;

/// What is told to other nodes.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct News {
    /// Which run of which node tells it.
    from: Uuid,
    /// Lanes with arrivals.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    lanes: BTreeSet<LaneRow>,
    /// Lanes in which something waits for a moment, and the earliest.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    later: BTreeMap<LaneRow, i64>,
    /// Logs that have grown, and how far.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logs: Vec<(DepartmentRow, LaneRow, i64)>,
    /// Callbacks wait.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    inbox: bool,
    /// What nodes keep in memory has changed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    changed: BTreeSet<i16>,
    /// A lease was freed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    freed: bool,
}

#[derive(Default)]
struct Gathered {
    news: News,
    logs: BTreeMap<(DepartmentRow, LaneRow), i64>,
    any: bool,
}

/// The news of this node.
pub(super) struct Wakes {
    from: Uuid,
    gathered: Mutex<Gathered>,
    any: Notify,
    sent: Notify,
    alone: AtomicBool,
    stop: CancellationToken,
}

impl Wakes {
    pub(super) fn new() -> Self {
        Self {
            from: Uuid::now_v7(),
            gathered: Mutex::default(),
            any: Notify::new(),
            sent: Notify::new(),
            alone: AtomicBool::new(false),
            stop: CancellationToken::new(),
        }
    }

    /// Whether other nodes live: news for nobody are not sent.
    pub(super) fn set_alone(&self, alone: bool) {
        self.alone.store(alone, Ordering::Relaxed);
    }

    fn tell(&self, add: impl FnOnce(&mut Gathered)) {
        if self.alone.load(Ordering::Relaxed) {
            return;
        }
        let mut gathered = self.lock();
        add(&mut gathered);
        if !std::mem::replace(&mut gathered.any, true) {
            self.any.notify_one();
        }
    }

    /// Callbacks wait.
    pub(super) fn inbox(&self) {
        self.tell(|gathered| gathered.news.inbox = true);
    }

    /// What nodes keep in memory has changed.
    pub(super) fn changed(&self, changed: Changed) {
        self.tell(|gathered| {
            gathered.news.changed.insert(changed.code());
        });
    }

    /// A lease was freed.
    pub(super) fn freed(&self) {
        self.tell(|gathered| gathered.news.freed = true);
    }

    /// Waits for a moment until what was told has left. For a stop.
    pub(super) async fn flushed(&self) {
        if self.lock().any {
            drop(tokio::time::timeout(Duration::from_millis(300), self.sent.notified()).await);
        }
    }

    /// Ends what was started.
    pub(super) fn close(&self) {
        self.stop.cancel();
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        // Plain values: a panic elsewhere leaves them whole.
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was gathered, in pieces that a notification can hold.
    fn take(&self) -> Vec<String> {
        let Gathered { mut news, logs, .. } = std::mem::take(&mut *self.lock());
        let lanes: Vec<LaneRow> = std::mem::take(&mut news.lanes).into_iter().collect();
        let logs: Vec<_> =
            logs.into_iter().map(|((department, lane), sequence)| (department, lane, sequence)).collect();
        let lanes = lanes.chunks(LANES).map(|lanes| News { lanes: lanes.iter().copied().collect(), ..News::default() });
        let later: Vec<_> = std::mem::take(&mut news.later).into_iter().collect();
        let later = later.chunks(LATER).map(|later| News { later: later.iter().copied().collect(), ..News::default() });
        let logs = logs.chunks(LOGS).map(|logs| News { logs: logs.to_vec(), ..News::default() });
        let mut pieces: Vec<News> = lanes.chain(later).chain(logs).collect();
        if news.inbox || news.freed || !news.changed.is_empty() {
            pieces.push(news);
        }
        // Plain numbers cannot fail to become JSON; what did would be found by the poll.
        pieces.into_iter().filter_map(|piece| serde_json::to_string(&News { from: self.from, ..piece }).ok()).collect()
    }
}

/// Tells the node's observer, and other nodes what concerns lanes that this one does not work.
pub(super) struct Telling {
    pub(super) observer: Arc<dyn Observer>,
    pub(super) wakes: Arc<Wakes>,
}

impl Telling {
    fn elsewhere(&self, lane: LaneRow) {
        if !self.observer.works(lane) {
            self.wakes.tell(|gathered| {
                gathered.news.lanes.insert(lane);
            });
        }
    }
}

impl Observer for Telling {
    fn arrived(&self, lane: LaneRow, queued: Queued) {
        self.observer.arrived(lane, queued);
        self.elsewhere(lane);
    }

    fn scheduled(&self, lane: LaneRow, due: Timestamp) {
        self.observer.scheduled(lane, due);
        if !self.observer.works(lane) {
            self.wakes.tell(|gathered| {
                let earliest = gathered.news.later.entry(lane).or_insert(due.0);
                *earliest = (*earliest).min(due.0);
            });
        }
    }

    fn changed(&self, changes: &[Change]) {
        self.observer.changed(changes);
        self.wakes.tell(|gathered| {
            for change in changes {
                let head = gathered.logs.entry((change.department, change.lane)).or_insert(0);
                *head = (*head).max(change.sequence);
            }
        });
    }

    fn works(&self, lane: LaneRow) -> bool {
        self.observer.works(lane)
    }

    fn more(&self, lane: LaneRow) {
        self.observer.more(lane);
        self.elsewhere(lane);
    }

    fn group(&self, operations: usize, took: Duration) {
        self.observer.group(operations, took);
    }
}

/// Starts what tells and what hears. Ends with [`Wakes::close`].
pub(super) fn start(engine: &Engine, options: &PostgresOptions, observer: Arc<dyn Observer>) {
    let stop = engine.wakes.stop.clone();
    let (sending, listening) = (engine.wakes.clone(), options.clone());
    tokio::spawn(stop.clone().run_until_cancelled_owned(send(sending, options.clone())));
    let heard = Arc::new(Notify::new());
    let listener = listen(engine.wakes.from, listening, observer.clone(), heard.clone());
    tokio::spawn(stop.clone().run_until_cancelled_owned(listener));
    tokio::spawn(stop.run_until_cancelled_owned(poll(engine.clone(), observer, heard)));
}

/// A connection outside the pool.
async fn connect(
    options: &PostgresOptions,
) -> Result<(Client, impl stream::Stream<Item = Result<AsyncMessage, tokio_postgres::Error>> + Unpin), StoreError> {
    let mut config = open::configure(options)?;
    let settings = format!("{} -c synchronous_commit=off", config.get_options().unwrap_or_default());
    config.options(settings);
    let (client, mut connection) = config.connect(open::tls(options)?).await?;
    Ok((client, stream::poll_fn(move |context| connection.poll_message(context))))
}

async fn send(wakes: Arc<Wakes>, options: PostgresOptions) {
    loop {
        if let Err(error) = send_on_one_connection(&wakes, &options).await {
            tracing::debug!(%error, "store.notifications_not_sent");
        }
        sleep(RECONNECT).await;
    }
}

async fn send_on_one_connection(wakes: &Wakes, options: &PostgresOptions) -> Result<(), StoreError> {
    let (client, mut connection) = connect(options).await?;
    let driven = async { while let Some(Ok(_)) = connection.next().await {} };
    let sending = async {
        let statement = client.prepare("SELECT pg_notify('herald', $1)").await?;
        if wakes.lock().any {
            // Of these the connection before was told, and broke.
            wakes.any.notify_one();
        }
        loop {
            wakes.any.notified().await;
            sleep(GATHER).await;
            for piece in wakes.take() {
                client.execute(&statement, &[&piece]).await?;
            }
            wakes.sent.notify_waiters();
        }
    };
    tokio::select! {
        () = driven => Err(StoreError::Unavailable("the connection has ended".into())),
        result = sending => result,
    }
}

async fn listen(from: Uuid, options: PostgresOptions, observer: Arc<dyn Observer>, heard: Arc<Notify>) {
    loop {
        let listened = async {
            let (client, mut connection) = connect(&options).await?;
            let asked = async move {
                client.batch_execute("LISTEN herald").await?;
                // The connection ends with its client.
                Ok::<_, StoreError>(client)
            };
            let mut asked = std::pin::pin!(asked);
            let mut client = None;
            loop {
                tokio::select! {
                    asked = &mut asked, if client.is_none() => {
                        client = Some(asked?);
                        // What was told before it listened is found by the poll.
                        heard.notify_one();
                    }
                    message = connection.next() => match message {
                        Some(Ok(AsyncMessage::Notification(told))) => hear(from, told.payload(), observer.as_ref()),
                        Some(Ok(_)) => {}
                        Some(Err(error)) => return Err(error.into()),
                        None => return Ok(()),
                    },
                }
            }
        };
        let ended: Result<(), StoreError> = listened.await;
        if let Err(error) = ended {
            tracing::debug!(%error, "store.not_listening");
        }
        sleep(RECONNECT).await;
    }
}

fn hear(me: Uuid, payload: &str, observer: &dyn Observer) {
    // Of a newer version: what it means is found by the poll.
    let Ok(news) = serde_json::from_str::<News>(payload) else { return };
    if news.from == me {
        return;
    }
    for lane in news.lanes {
        observer.more(lane);
    }
    for (lane, due) in news.later {
        observer.scheduled(lane, Timestamp(due));
    }
    for (department, lane, sequence) in news.logs {
        observer.grown(department, EventKey { lane, sequence });
    }
    if news.inbox {
        observer.called_back();
    }
    for changed in news.changed.into_iter().filter_map(Changed::from_code) {
        observer.elsewhere(changed);
    }
    if news.freed {
        observer.freed();
    }
}

/// What was seen at the last poll.
#[derive(Default)]
struct Seen {
    sequences: HashMap<LaneRow, i64>,
    versions: HashMap<i16, i64>,
}

async fn poll(engine: Engine, observer: Arc<dyn Observer>, heard: Arc<Notify>) {
    let mut seen: Option<Seen> = None;
    loop {
        match poll_once(&engine, observer.as_ref(), seen.as_ref()).await {
            Ok(now) => seen = Some(now),
            Err(error) => tracing::debug!(%error, "store.not_polled"),
        }
        let pause = if engine.wakes.alone.load(Ordering::Relaxed) { POLL_ALONE } else { POLL };
        tokio::select! {
            () = sleep(pause) => {}
            () = heard.notified() => {}
        }
    }
}

async fn poll_once(engine: &Engine, observer: &dyn Observer, seen: Option<&Seen>) -> Result<Seen, StoreError> {
    let mut pipeline = Pipeline::default();
    let queues = pipeline.add("SELECT lane, position FROM lane_queue", vec![]);
    let logs = pipeline.add("SELECT department, lane, sequence FROM lane_log", vec![]);
    let changes = pipeline.add("SELECT kind, version FROM change", vec![]);
    let inbox = pipeline.add("SELECT 1 FROM inbox WHERE problem IS NULL LIMIT 1", vec![]);
    let mut answers = engine.look(pipeline).await?;
    let positions: &Positions = &engine.positions;
    for row in answers.take(queues) {
        let (lane, position) = (get(&row, 0)?, get(&row, 1)?);
        // Held while it is told: an accept of this node must not be told as the next of what the lane does not know yet.
        let mut telling = positions.telling();
        if telling.seen(lane, position) {
            observer.more(lane);
            // Some of them may wait for a moment: the lane looks for the earliest.
            observer.scheduled(lane, Timestamp::now());
        }
    }
    let mut now = Seen::default();
    for row in answers.take(logs) {
        let (department, lane, sequence) = (get(&row, 0)?, get(&row, 1)?, get(&row, 2)?);
        now.sequences.insert(lane, sequence);
        if seen.is_none_or(|seen| seen.sequences.get(&lane) != Some(&sequence)) {
            observer.grown(department, EventKey { lane, sequence });
        }
    }
    for row in answers.take(changes) {
        let (kind, version) = (get(&row, 0)?, get(&row, 1)?);
        now.versions.insert(kind, version);
        let is_news = seen.is_some_and(|seen| seen.versions.get(&kind) != Some(&version));
        if let Some(changed) = Changed::from_code(kind).filter(|_| is_news) {
            observer.elsewhere(changed);
        }
    }
    if !answers.take(inbox).is_empty() {
        observer.called_back();
    }
    Ok(now)
}
