use super::*;
use crate::store::{Observer, Options, PostgresOptions, Store, sqlite};
use herald_postgres_server::{Database, Shared};
use herald_rules::{ids::MessageId, time::Timestamp};
use plan::{Column, Target};
use rusqlite::types::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Rows of each table, over several pages.
const ROWS: i64 = 25;
const PAGE: usize = 10;
const NOW: Timestamp = Timestamp(1_795_348_800_000_000);

struct Nobody;

impl Observer for Nobody {
    fn arrived(&self, _: crate::store::LaneRow, _: crate::store::Queued) {}
    fn scheduled(&self, _: crate::store::LaneRow, _: Timestamp) {}
    fn changed(&self, _: &[crate::store::Change]) {}
}

struct Move {
    _folder: tempfile::TempDir,
    database: Database,
    copying: Copying,
}

impl Move {
    /// An instance with rows in each table, whatever tables there are, and an empty database.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("herald.db");
        let database = empty().await;
        let to = PostgresOptions::at(database.url());
        fill(&from, &kinds().await);
        Self { _folder: folder, database, copying: Copying { from, to, page: PAGE } }
    }

    /// Breaks off after so many pages, as a kill would: what is under way is taken back by the server.
    async fn broken_off(&self, pages: usize) {
        let enough = tokio::sync::Notify::new();
        let mut written = 0;
        let copying = copy(&self.copying, |told| {
            written += usize::from(matches!(told, Told::Copied { .. }));
            if written >= pages {
                enough.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = enough.notified() => {}
            _ = copying => panic!("it came to its end"),
        }
        // The lock of the connection that was dropped is given back when the server notices.
        let lock = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        while self.sql(lock).await != "0" {
            tokio::task::yield_now().await;
        }
    }

    async fn sql(&self, sql: &str) -> String {
        self.database.query(sql).unwrap()
    }

    async fn opened(&self) -> Result<Store, crate::store::StoreError> {
        Store::open(&Options::Postgres(self.copying.to.clone()), Arc::new(Nobody)).await
    }
}

async fn empty() -> Database {
    tokio::task::spawn_blocking(|| Shared::get().unwrap().empty().unwrap()).await.unwrap()
}

/// The columns of all tables as PostgreSQL has them.
async fn kinds() -> BTreeMap<String, Vec<Column>> {
    let database = empty().await;
    let options = PostgresOptions::at(database.url());
    postgres::migrate(&options).await.unwrap();
    let (_, session) = postgres::connect(&options).await.unwrap();
    let Target { columns, .. } = target::catalogue(&session.client).await.unwrap();
    session.close().await;
    columns
}

/// Fills each table that SQLite has: number n everywhere in row n, so that foreign keys find what they name.
fn fill(path: &Path, kinds: &BTreeMap<String, Vec<Column>>) {
    let mut connection = sqlite::open::connect(path, 8, false).unwrap();
    sqlite::open::migrate(&mut connection).unwrap();
    connection.pragma_update(None, "foreign_keys", "OFF").unwrap();
    let catalogue = source::catalogue(&connection).unwrap();
    for table in catalogue.columns.keys().filter(|name| !name.starts_with("sqlite_") && !name.starts_with("refinery_"))
    {
        let columns: Vec<(String, bool)> = connection
            .prepare(&format!("SELECT name, \"notnull\" = 0 AND pk = 0 FROM pragma_table_info('{table}')"))
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let names: Vec<_> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let places = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT INTO {table} ({}) VALUES ({places})", names.join(", "));
        let mut insert = connection.prepare(&sql).unwrap();
        for number in 1..=ROWS {
            let values = columns.iter().map(|(name, nullable)| {
                let known = kinds[table].iter().find(|column| column.name == *name).map(|column| column.kind);
                match (*nullable && number % 3 == 0, known) {
                    (true, _) => Value::Null,
                    (_, Some(kind)) => value(kind, number),
                    // Columns of `lane` that go into other tables.
                    (_, None) if ["pace", "standing"].contains(&name.as_str()) => Value::Text("{}".into()),
                    (_, None) => Value::Integer(number),
                }
            });
            insert.execute(rusqlite::params_from_iter(values)).unwrap();
        }
    }
}

fn value(kind: line::Kind, number: i64) -> Value {
    // Over three months.
    let moment = NOW - Duration::from_secs(number as u64 * 3 * 24 * 3600);
    match kind {
        line::Kind::Number => Value::Integer(number),
        line::Kind::Truth => Value::Integer(number % 2),
        line::Kind::Id => Value::Blob(MessageId::first_at(moment).0.as_bytes().to_vec()),
        line::Kind::Bytes => Value::Blob(vec![0, number as u8, b'\\', b'\n', 255]),
        line::Kind::Text => Value::Text(format!("{number}\t\\N \\. \"'\r\n\u{8}\u{b}\u{c}\u{7f}\u{1f600}")),
    }
}

#[tokio::test]
async fn every_table_is_copied() {
    let moved = Move::new().await;
    let copied = copy(&moved.copying, |_| {}).await.unwrap();
    let tables: Vec<_> = copied.iter().map(|table| table.table.as_str()).collect();
    let left_out = ["node", "lease", "change", "refinery_schema_history"];
    for table in kinds().await.keys().filter(|name| !left_out.contains(&name.as_str())) {
        assert!(tables.contains(&table.as_str()), "{table}");
    }
    assert!(copied.iter().all(|table| table.rows == ROWS as u64), "{copied:?}");
    let queued = "SELECT sum(arrived - departed) FROM lane_queue JOIN lane_log USING (lane)";
    assert_eq!(moved.sql(queued).await, (ROWS * (ROWS + 1) / 2).to_string());
    assert_eq!(moved.sql("SELECT DISTINCT position FROM lane_queue").await, ROWS.to_string());
    assert_eq!(
        moved.sql("SELECT count(*) FROM lane_log WHERE sequence = lane AND epoch = lane").await,
        ROWS.to_string()
    );
    // What goes by months lies where retention drops it as a whole.
    assert_eq!(moved.sql("SELECT (SELECT count(*) FROM message_rest) + (SELECT count(*) FROM event_rest)").await, "0");
    for numbers in
        ["pg_get_serial_sequence('lane', 'lane')", "pg_get_serial_sequence('idempotency', 'number')", "'epoch'"]
    {
        assert_eq!(moved.sql(&format!("SELECT nextval({numbers})")).await, (ROWS + 1).to_string(), "{numbers}");
    }
    assert_eq!(moved.sql("SELECT to_regclass('herald_copy') IS NULL").await, "t");
    moved.opened().await.unwrap().close().await;
    // And it is not empty any more.
    let again = copy(&moved.copying, |_| {}).await.unwrap_err();
    assert!(matches!(again, Trouble::Refused { .. }), "{again}");
}

#[tokio::test]
async fn a_copy_that_broke_off_goes_on_where_it_was() {
    let (moved, straight) = (Move::new().await, Move::new().await);
    moved.broken_off(30).await;
    let done: u64 = moved.sql("SELECT sum(rows) FROM herald_copy").await.parse().unwrap();
    assert!(done > ROWS as u64, "{done}");
    let refused = moved.opened().await.err().unwrap().to_string();
    assert!(refused.contains("half of a copy"), "{refused}");
    moved.broken_off(30).await;
    let (mut found, mut pages) = (0, 0);
    let copied = copy(&moved.copying, |told| match told {
        Told::GoesOn { rows } => found = rows,
        Told::Copied { .. } => pages += 1,
        Told::Compares { .. } => {}
    })
    .await
    .unwrap();
    assert!(found > done, "{found}");
    let mut all = 0;
    let straight =
        copy(&straight.copying, |told| all += usize::from(matches!(told, Told::Copied { .. }))).await.unwrap();
    assert_eq!(copied, straight);
    assert!(pages + 60 <= all + 2, "{pages} of {all} pages were left");
    moved.opened().await.unwrap().close().await;
}

#[tokio::test]
async fn a_row_that_differs_is_noticed() {
    let moved = Move::new().await;
    moved.broken_off(60).await;
    moved.sql("UPDATE department SET name = 'somebody else' WHERE department = 7").await;
    let error = copy(&moved.copying, |_| {}).await.unwrap_err().to_string();
    assert!(error.contains("differ in department: 25 rows"), "{error}");
    assert!(moved.opened().await.is_err());
}

#[tokio::test]
async fn another_instance_and_a_database_in_use_are_refused() {
    let moved = Move::new().await;
    moved.broken_off(3).await;
    let connection = Connection::open(&moved.copying.from).unwrap();
    connection.execute("UPDATE department SET created_at = 0 WHERE department = 1", []).unwrap();
    drop(connection);
    let error = copy(&moved.copying, |_| {}).await.unwrap_err().to_string();
    assert!(error.contains("another instance"), "{error}");
    let reader = Connection::open(&moved.copying.from).unwrap();
    reader.query_row("SELECT count(*) FROM lane", [], |_| Ok(())).unwrap();
    let error = copy(&moved.copying, |_| {}).await.unwrap_err();
    assert!(matches!(&error, Trouble::Refused { sentence, .. } if sentence.contains("open")), "{error}");
}
