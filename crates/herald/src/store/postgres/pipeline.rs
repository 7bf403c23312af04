//! Statements sent together: what is polled at once leaves at once, and costs one round trip whatever its number.

use super::{Engine, change::changed_by, error};
use crate::store::{Observer, StoreError};
use deadpool_postgres::{ClientWrapper, Object};
use futures_util::future::join_all;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::timeout;
use tokio_postgres::{Error, Row, Statement, types::ToSql};

/// A value of a statement.
pub(super) type Value<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// The values of a statement, each in a box.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$(Box::new($value) as $crate::store::postgres::pipeline::Value<'_>),*] };
}
pub(super) use values;

/// Statements that leave together, in this order. The server runs each after the one before it, with a look at the tables of
/// its own, so that what follows a lock sees what was committed before the lock was had.
#[derive(Default)]
pub(super) struct Pipeline<'a> {
    statements: Vec<(&'static str, Vec<Value<'a>>)>,
}

/// The rows of each statement of a flight.
pub(super) struct Answers(Vec<Vec<Row>>);

/// What was asked of the server so far, and how long it gives a statement.
pub(super) struct Statistics {
    observer: Arc<dyn Observer>,
    statement_timeout: Duration,
    statements: AtomicU64,
    round_trips: AtomicU64,
}

impl<'a> Pipeline<'a> {
    /// Adds a statement; tells its number, by which its rows are taken.
    pub(super) fn add(&mut self, sql: &'static str, values: Vec<Value<'a>>) -> usize {
        self.statements.push((sql, values));
        self.statements.len() - 1
    }

    pub(super) fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }
}

impl Answers {
    /// The rows of a statement, once.
    pub(super) fn take(&mut self, statement: usize) -> Vec<Row> {
        self.0.get_mut(statement).map(std::mem::take).unwrap_or_default()
    }
}

impl Statistics {
    pub(super) fn new(observer: Arc<dyn Observer>, statement_timeout: Duration) -> Self {
        Self { observer, statement_timeout, statements: AtomicU64::new(0), round_trips: AtomicU64::new(0) }
    }

    /// Counts one round trip with so many statements.
    pub(super) fn count(&self, statements: usize) {
        self.statements.fetch_add(statements as u64, Relaxed);
        self.round_trips.fetch_add(1, Relaxed);
        self.observer.asked(statements);
    }

    /// What an answer brings; None: there was none in time.
    pub(super) async fn in_time<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        timeout(self.statement_timeout + BEYOND, answer).await.ok()
    }

    /// Statements, round trips.
    pub(super) fn read(&self) -> (u64, u64) {
        (self.statements.load(Relaxed), self.round_trips.load(Relaxed))
    }
}

/// What stands around the statements of a flight.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// Nothing.
    Nothing,
    /// BEGIN before them.
    Begin,
    /// COMMIT after them.
    Commit,
}

/// What a server that stands still, or a network that swallows packets, may have a flight wait beyond the time that the server
/// gives a statement: then the connection is given up.
const BEYOND: Duration = Duration::from_secs(5);
pub(super) const NO_ANSWER: &str = "the database does not answer";

/// Sends a flight and waits for all of it.
///
/// A COMMIT after a failed statement rolls back and says so only in its tag: so the first error of any of them counts.
///
/// # Errors
/// After [`StoreError::Unavailable`] and [`StoreError::Uncertain`] the connection may still owe answers: it is not to be used
/// again.
pub(super) async fn send(
    client: &ClientWrapper,
    pipeline: Pipeline<'_>,
    around: Around,
    statistics: &Statistics,
) -> Result<Answers, StoreError> {
    let mut prepared = Vec::with_capacity(pipeline.statements.len());
    for (sql, values) in &pipeline.statements {
        // Known to this connection, but for the first time.
        let statement = timeout(statistics.statement_timeout, client.prepare_cached(sql)).await;
        prepared.push((statement.map_err(|_| StoreError::Unavailable(NO_ANSWER.into()))??, values));
    }
    statistics.count(prepared.len() + usize::from(around != Around::Nothing));
    let begin = async {
        match around {
            Around::Begin => client.batch_execute("BEGIN").await,
            _ => Ok(()),
        }
    };
    let statements = join_all(prepared.iter().map(|(statement, values)| async move {
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        client.query(statement, &values).await
    }));
    let commit = async {
        match around {
            Around::Commit => client.batch_execute("COMMIT").await,
            _ => Ok(()),
        }
    };
    // Polled, and so sent, in this order.
    let all = async { futures_util::join!(begin, statements, commit) };
    let Ok((begun, answers, committed)) = timeout(statistics.statement_timeout + BEYOND, all).await else {
        return Err(match around {
            Around::Commit => StoreError::Uncertain(NO_ANSWER.into()),
            _ => StoreError::Unavailable(NO_ANSWER.into()),
        });
    };
    let failed = |error: Error| match around {
        Around::Commit => error::at_commit(error),
        _ => StoreError::from(error),
    };
    begun.map_err(failed)?;
    let answers = answers.into_iter().collect::<Result<Vec<_>, _>>().map_err(failed)?;
    committed.map_err(failed)?;
    Ok(Answers(answers))
}

impl Engine {
    /// Reads with one flight, outside of a transaction.
    pub(super) async fn look(&self, pipeline: Pipeline<'_>) -> Result<Answers, StoreError> {
        let client = self.client().await?;
        let changes: Vec<_> = pipeline.statements.iter().filter_map(|(sql, _)| changed_by(sql)).collect();
        let answers = send(&client, pipeline, Around::Nothing, &self.statistics).await;
        match &answers {
            Ok(_) => changes.into_iter().for_each(|changed| self.wakes.changed(changed)),
            // Out of the pool: dropping the client closes the connection.
            Err(_) => drop(Object::take(client)),
        }
        answers
    }

    /// A connection, and a statement as it knows it. One that is not known yet is asked of the server first: in time, too.
    pub(super) async fn prepared(&self, sql: &str) -> Result<(Object, Statement), StoreError> {
        let client = self.client().await?;
        match timeout(self.statistics.statement_timeout, client.prepare_cached(sql)).await {
            Ok(statement) => Ok((client, statement?)),
            Err(_) => {
                drop(Object::take(client));
                Err(StoreError::Unavailable(NO_ANSWER.into()))
            }
        }
    }

    /// Runs one statement that is a transaction by itself.
    pub(super) async fn run(&self, sql: &'static str, values: Vec<Value<'_>>) -> Result<Vec<Row>, StoreError> {
        let (client, statement) = self.prepared(sql).await?;
        self.statistics.count(1);
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        match self.statistics.in_time(client.query(&statement, &values)).await {
            Some(rows) => {
                let rows = rows.map_err(error::at_commit)?;
                if let Some(changed) = changed_by(sql) {
                    self.wakes.changed(changed);
                }
                Ok(rows)
            }
            None => {
                drop(Object::take(client));
                Err(StoreError::Uncertain(NO_ANSWER.into()))
            }
        }
    }

    /// Statements and round trips so far.
    pub fn statistics(&self) -> (u64, u64) {
        self.statistics.read()
    }
}
