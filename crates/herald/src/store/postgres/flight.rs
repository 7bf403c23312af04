//! Statements that leave together: the server works them off in their order, and all answers are waited for at once.

use super::{
    Engine,
    change::changed_by,
    error,
    pipeline::{NO_ANSWER, Statistics},
    transaction::Transaction,
};
use crate::store::StoreError;
use deadpool_postgres::{ClientWrapper, Object};
use futures_util::future::{join_all, try_join_all};
use tokio_postgres::{Row, Statement, types::ToSql};

const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A parameter of a statement.
pub(super) type Parameter<'a> = &'a (dyn ToSql + Sync);

/// Statements to be sent at once. None of them can use what another answers.
#[derive(Default)]
pub(super) struct Flight<'a> {
    statements: Vec<(&'static str, Vec<Parameter<'a>>)>,
}

impl<'a> Flight<'a> {
    /// Adds a statement; its rows have this number in the answer.
    pub(super) fn add(&mut self, sql: &'static str, parameters: &[Parameter<'a>]) -> usize {
        self.statements.push((sql, parameters.to_vec()));
        self.statements.len() - 1
    }

    /// Opens the transaction with these statements; it is to be committed afterwards.
    pub(super) async fn open(self, transaction: &Transaction) -> Result<Vec<Vec<Row>>, StoreError> {
        self.opened(transaction, "BEGIN").await
    }

    /// Opens the transaction with these statements as one that only reads: what is asked later sees the same moment.
    pub(super) async fn open_reading(self, transaction: &Transaction) -> Result<Vec<Vec<Row>>, StoreError> {
        self.opened(transaction, SNAPSHOT).await
    }

    async fn opened(self, transaction: &Transaction, begin: &str) -> Result<Vec<Vec<Row>>, StoreError> {
        let (client, statistics) = (transaction.client()?, transaction.statistics());
        let answers = statistics.in_time(self.counted(statistics).run(client, Some(begin), None)).await;
        answers.unwrap_or_else(|| Err(StoreError::Unavailable(NO_ANSWER.into())))
    }

    /// Sends them within a transaction that is open, or each for itself.
    pub(super) async fn send(self, client: &ClientWrapper) -> Result<Vec<Vec<Row>>, StoreError> {
        self.run(client, None, None).await
    }

    /// Reads that all see the same moment.
    pub(super) async fn read(self, engine: &Engine) -> Result<Vec<Vec<Row>>, StoreError> {
        let client = engine.client().await?;
        let read = self.counted(&engine.statistics).run(&client, Some(SNAPSHOT), Some("COMMIT"));
        let Some(answers) = engine.statistics.in_time(read).await else {
            // Out of the pool: dropping the client closes the connection.
            drop(Object::take(client));
            return Err(StoreError::Unavailable(NO_ANSWER.into()));
        };
        answers
    }

    fn counted(self, statistics: &Statistics) -> Self {
        statistics.count(self.statements.len() + 1);
        self
    }

    async fn run(
        self,
        client: &ClientWrapper,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        // First of all: a statement that is prepared within the flight would be sent behind those that follow it.
        let prepared: Vec<Statement> =
            try_join_all(self.statements.iter().map(|(sql, _)| client.prepare_cached(sql))).await?;
        // `join!` and `join_all` poll in order, and a statement is on its way once it was polled.
        let queries = prepared
            .iter()
            .zip(&self.statements)
            .map(|(statement, (_, parameters))| client.query(statement, parameters.as_slice()));
        let (before, answers, after) =
            tokio::join!(biased; around(client, before), join_all(queries), around(client, after));
        before?;
        let answers = answers.into_iter().collect::<Result<_, _>>()?;
        after?;
        Ok(answers)
    }
}

async fn around(client: &ClientWrapper, sql: Option<&str>) -> Result<(), tokio_postgres::Error> {
    match sql {
        Some(sql) => client.batch_execute(sql).await,
        None => Ok(()),
    }
}

impl Engine {
    /// What one statement answers.
    pub(super) async fn rows(&self, sql: &'static str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, StoreError> {
        self.one(sql, async |client, statement| client.query(statement, parameters).await, StoreError::from).await
    }

    /// What one statement answers of one row at most.
    pub(super) async fn row(&self, sql: &'static str, parameters: &[Parameter<'_>]) -> Result<Option<Row>, StoreError> {
        self.one(sql, async |client, statement| client.query_opt(statement, parameters).await, StoreError::from).await
    }

    /// One statement that writes, a transaction of its own; returns what it answers.
    pub(super) async fn write(&self, sql: &'static str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, StoreError> {
        self.one(sql, async |client, statement| client.query(statement, parameters).await, error::at_commit).await
    }

    /// One statement that writes, a transaction of its own; returns how many rows it touched.
    pub(super) async fn execute(&self, sql: &'static str, parameters: &[Parameter<'_>]) -> Result<u64, StoreError> {
        self.one(sql, async |client, statement| client.execute(statement, parameters).await, error::at_commit).await
    }

    /// Runs one statement, and tells other nodes of what it has changed.
    async fn one<T>(
        &self,
        sql: &'static str,
        run: impl AsyncFnOnce(&ClientWrapper, &Statement) -> Result<T, tokio_postgres::Error>,
        failed: fn(tokio_postgres::Error) -> StoreError,
    ) -> Result<T, StoreError> {
        let (client, statement) = self.prepared(sql).await?;
        self.statistics.count(1);
        match self.statistics.in_time(run(&client, &statement)).await {
            Some(answer) => {
                let answer = answer.map_err(failed)?;
                if let Some(changed) = changed_by(sql) {
                    self.wakes.changed(changed);
                }
                Ok(answer)
            }
            None => {
                // Out of the pool: dropping the client closes the connection.
                drop(Object::take(client));
                Err(StoreError::Uncertain(NO_ANSWER.into()))
            }
        }
    }
}
