//! The writer thread: takes whatever waits, runs it in one IMMEDIATE transaction, commits once, answers all.

use super::{accept::AcceptCall, checkpoint::Checkpointer};
use crate::{
    node::crash,
    store::{Change, ChannelRow, DepartmentRow, Epoch, LaneRow, Observer, Queued, StoreError},
};
use rusqlite::Connection;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
};
use tokio::sync::oneshot;

/// Operations that may wait. Past it the store sheds load: 503 is better than an answer after the caller has gone.
const WAITING: usize = 16_384;
/// Operations in one group. More only lengthens the wait of the first.
const GROUP: usize = 1_024;

/// Answers one caller once the group is durable, or says that it is not.
pub(super) type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Operation = Box<dyn FnOnce(&mut Writing<'_>) -> (Result<(), ()>, Answer) + Send>;

pub(super) enum Job {
    /// Messages to accept: the hot path, without a savepoint, so that its error undoes the whole group.
    Accept(AcceptCall),
    /// Any other operation, under a savepoint.
    Run(Operation),
    /// Answer when everything before it is durable, and end.
    Close(oneshot::Sender<()>),
}

pub(super) struct Writer {
    jobs: SyncSender<Job>,
}

/// What an operation writes with.
pub(crate) struct Writing<'a> {
    /// The connection, inside the group's transaction.
    pub(crate) connection: &'a Connection,
    /// What the writer keeps in memory about the tables.
    pub(super) memory: &'a mut Memory,
}

/// Derived from the tables; all but the position is forgotten and read anew after a rollback.
#[derive(Default)]
pub(super) struct Memory {
    /// The last position given out. Read once, before any lane has seen anything, and never lower again: what has left
    /// the queue leaves no trace of its position there, and lanes take a lower one for something they have seen.
    position: i64,
    /// The last event number of each lane.
    pub(super) sequences: HashMap<LaneRow, i64>,
    /// The channel of each lane, which never changes.
    pub(super) channels: HashMap<LaneRow, ChannelRow>,
    /// The epoch of each lane's owner, and the highest of each channel's lanes.
    epochs: HashMap<LaneRow, Epoch>,
    channel_epochs: HashMap<ChannelRow, Epoch>,
    /// Whether there are rows in these tables, which are nearly always empty: then nobody needs to look.
    pub(super) early: Option<bool>,
    pub(super) cancelled: Option<bool>,
    pub(super) checking: Option<bool>,
    pub(super) parts: Option<bool>,
    pub(super) suppressions: Option<bool>,
    /// Changes of `lane.queued` in this group.
    pub(super) queued: HashMap<LaneRow, i64>,
    /// What the observer hears after the commit.
    pub(super) arrived: Vec<(LaneRow, Queued)>,
    pub(super) scheduled: Vec<(LaneRow, herald_rules::time::Timestamp)>,
    pub(super) changes: Vec<Change>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        observer: Arc<dyn Observer>,
        checkpointer: Checkpointer,
    ) -> Result<Self, StoreError> {
        let (jobs, waiting) = sync_channel(WAITING);
        let position = highest_position(&connection)?;
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                let _ends_all = EndsAll;
                work(&connection, &waiting, observer.as_ref(), &checkpointer, position);
            })
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { jobs })
    }

    pub(super) async fn run<T, F>(&self, operation: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.send(Job::Run(Box::new(move |writing| {
            let result = operation(writing);
            let kept = result.as_ref().map(|_| ()).map_err(|_| ());
            // The caller may have gone; what it asked for is done all the same.
            let tell: Answer = Box::new(move |group| drop(answer.send(group.and(result))));
            (kept, tell)
        })))?;
        answered.await.map_err(|_| closed())?
    }

    pub(super) fn send(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Unavailable("too many operations wait for the disk".into()),
            TrySendError::Disconnected(_) => closed(),
        })
    }

    pub(super) async fn close(&self) {
        let (done, ended) = oneshot::channel();
        if self.send(Job::Close(done)).is_ok() {
            drop(ended.await);
        }
    }
}

/// A writer that broke on a fault of ours would leave a node that answers everything with 503 and goes on calling
/// providers for what it can no longer record. It is better ended as by a crash: the next start finds everything out.
struct EndsAll;

impl Drop for EndsAll {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

fn work(
    connection: &Connection,
    waiting: &Receiver<Job>,
    observer: &dyn Observer,
    checkpointer: &Checkpointer,
    position: i64,
) {
    let mut memory = Memory { position, ..Memory::default() };
    let mut group = Vec::with_capacity(GROUP);
    while let Ok(first) = waiting.recv() {
        group.push(first);
        while group.len() < GROUP
            && let Ok(next) = waiting.try_recv()
        {
            group.push(next);
        }
        let close = commit_group(connection, &mut memory, &mut group, observer);
        checkpointer.between_groups(connection);
        if let Some(done) = close {
            // The receiver is only gone if the caller gave up waiting.
            let _ = done.send(());
            return;
        }
    }
}

/// Runs one group and answers everyone in it. Returns the wish to close, if one was among them.
fn commit_group(
    connection: &Connection,
    memory: &mut Memory,
    group: &mut Vec<Job>,
    observer: &dyn Observer,
) -> Option<oneshot::Sender<()>> {
    let mut answers: Vec<Answer> = Vec::with_capacity(group.len());
    let mut close = None;
    let size = group.len();
    let started = std::time::Instant::now();
    let result = (|| -> Result<(), StoreError> {
        begin(connection)?;
        for job in group.drain(..) {
            match job {
                Job::Accept(call) => {
                    let (done, answer) = call.run(&mut Writing { connection, memory });
                    answers.push(answer);
                    done?;
                }
                Job::Run(operation) => answers.push(under_savepoint(connection, memory, operation)?),
                Job::Close(done) => close = Some(done),
            }
            // A full disk may end the whole transaction in the middle: what follows would then be committed one by one,
            // and its callers be told that it was not.
            if connection.is_autocommit() {
                return Err(StoreError::Unavailable("the transaction was rolled back".into()));
            }
        }
        memory.write_queue_lengths(connection)?;
        crash::before("commit");
        connection.prepare_cached("COMMIT")?.execute([])?;
        crash::after("commit");
        Ok(())
    })();
    match &result {
        Ok(()) => memory.tell(observer),
        Err(error) => {
            tracing::error!(%error, "store.commit_failed");
            *memory = Memory { position: memory.position, ..Memory::default() };
            if !connection.is_autocommit()
                && let Err(error) = connection.execute_batch("ROLLBACK")
            {
                tracing::error!(%error, "store.rollback_failed");
            }
        }
    }
    observer.group(size, started.elapsed());
    for answer in answers {
        answer(match &result {
            Ok(()) => Ok(()),
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        });
    }
    // Whoever was not reached, because the group failed before it, hears it by its channel being dropped.
    group.clear();
    close
}

/// The highest position of any lane: a few look-ups for each.
fn highest_position(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row(
        "SELECT coalesce(max(max(
             coalesce((SELECT max(position) FROM live WHERE live.department = lane.department
                 AND live.lane = lane.lane AND class = 0), 0),
             coalesce((SELECT max(position) FROM live WHERE live.department = lane.department
                 AND live.lane = lane.lane AND class = 1), 0),
             coalesce((SELECT max(position) FROM later WHERE later.department = lane.department
                 AND later.lane = lane.lane), 0),
             coalesce((SELECT max(position) FROM checking WHERE checking.department = lane.department
                 AND checking.lane = lane.lane), 0))), 0) FROM lane",
        [],
        |row| row.get(0),
    )?)
}

fn begin(connection: &Connection) -> Result<(), StoreError> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    Ok(())
}

fn under_savepoint(connection: &Connection, memory: &mut Memory, operation: Operation) -> Result<Answer, StoreError> {
    connection.prepare_cached("SAVEPOINT operation")?.execute([])?;
    let marks = (memory.arrived.len(), memory.scheduled.len(), memory.changes.len());
    let queued = memory.queued.clone();
    let (kept, answer) = operation(&mut Writing { connection, memory });
    if kept.is_err() {
        connection.prepare_cached("ROLLBACK TO operation")?.execute([])?;
        memory.arrived.truncate(marks.0);
        memory.scheduled.truncate(marks.1);
        memory.changes.truncate(marks.2);
        memory.queued = queued;
        memory.sequences.clear();
        memory.forget_epochs();
        (memory.early, memory.cancelled, memory.checking) = (None, None, None);
    }
    connection.prepare_cached("RELEASE operation")?.execute([])?;
    Ok(answer)
}

impl Memory {
    fn write_queue_lengths(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if self.queued.is_empty() {
            return Ok(());
        }
        let mut update = connection.prepare_cached("UPDATE lane SET queued = queued + ?2 WHERE lane = ?1")?;
        for (lane, change) in self.queued.drain() {
            if change != 0 {
                update.execute((lane, change))?;
            }
        }
        Ok(())
    }

    fn forget_epochs(&mut self) {
        self.epochs.clear();
        self.channel_epochs.clear();
    }

    fn tell(&mut self, observer: &dyn Observer) {
        for (lane, queued) in self.arrived.drain(..) {
            observer.arrived(lane, queued);
        }
        for (lane, due) in self.scheduled.drain(..) {
            observer.scheduled(lane, due);
        }
        if !self.changes.is_empty() {
            observer.changed(&self.changes);
            self.changes.clear();
        }
    }
}

impl Writing<'_> {
    /// The owners of lanes have changed.
    pub(super) fn forget_epochs(&mut self) {
        self.memory.forget_epochs();
    }

    /// The next position in the order of all lanes.
    pub(super) fn position(&mut self) -> i64 {
        self.memory.position += 1;
        self.memory.position
    }

    /// The last number given out in a lane's log.
    pub(super) fn last_sequence(&mut self, department: DepartmentRow, lane: LaneRow) -> Result<i64, StoreError> {
        if let Some(last) = self.memory.sequences.get(&lane) {
            return Ok(*last);
        }
        let last = self
            .connection
            .prepare_cached("SELECT coalesce(max(sequence), 0) FROM event WHERE department = ?1 AND lane = ?2")?
            .query_row((department, lane), |row| row.get(0))?;
        self.memory.sequences.insert(lane, last);
        Ok(last)
    }

    /// The next number in a lane's log.
    pub(super) fn next_sequence(&mut self, department: DepartmentRow, lane: LaneRow) -> Result<i64, StoreError> {
        let next = self.last_sequence(department, lane)? + 1;
        self.memory.sequences.insert(lane, next);
        Ok(next)
    }

    /// Counts a lane's queue up or down; written once a group.
    pub(super) fn count(&mut self, lane: LaneRow, change: i64) {
        *self.memory.queued.entry(lane).or_insert(0) += change;
    }

    /// Refuses whoever owned a lane before its present owner.
    pub(super) fn owned(&mut self, lane: LaneRow, epoch: Epoch) -> Result<(), StoreError> {
        let owner = match self.memory.epochs.get(&lane) {
            Some(owner) => *owner,
            None => self
                .connection
                .prepare_cached("SELECT epoch FROM lane WHERE lane = ?1")?
                .query_row([lane], |row| row.get(0).map(Epoch))?,
        };
        self.memory.epochs.insert(lane, owner);
        if epoch < owner { Err(StoreError::Fenced) } else { Ok(()) }
    }

    /// [`Writing::owned`], of a channel's lanes, which have one owner.
    pub(super) fn owned_channel(&mut self, channel: ChannelRow, epoch: Epoch) -> Result<(), StoreError> {
        let owner = match self.memory.channel_epochs.get(&channel) {
            Some(owner) => *owner,
            None => self
                .connection
                .prepare_cached("SELECT coalesce(max(epoch), 0) FROM lane WHERE channel = ?1")?
                .query_row([channel], |row| row.get(0).map(Epoch))?,
        };
        self.memory.channel_epochs.insert(channel, owner);
        if epoch < owner { Err(StoreError::Fenced) } else { Ok(()) }
    }
}
