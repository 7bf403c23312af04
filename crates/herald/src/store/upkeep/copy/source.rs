//! Reading the SQLite side.

use super::{
    line::{self, Sum},
    plan::{Source, Table},
};
use crate::store::{sqlite::open, upkeep::Trouble};
use rusqlite::{Connection, OpenFlags, Row, types::Value};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Rows in COPY's form, and the key of the last.
pub(super) struct Page {
    pub(super) lines: Vec<u8>,
    pub(super) rows: u64,
    pub(super) last: Option<Key>,
}

/// A place in a table. It is kept as text between two runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key(Vec<Value>);

/// Opens the file so that nobody else can.
pub(super) fn open(path: &Path) -> Result<Connection, Trouble> {
    if !path.is_file() {
        return Err(Trouble::Failed(format!("There is no database at {}.", path.display())));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    // Every connection to a database with a log shares a lock on it, which this one wants alone.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let schema = match open::schema(&mut connection) {
        Ok(schema) => schema,
        Err(error) if error.to_string().contains("locked") => {
            return Err(Trouble::refused(
                format!("Another process has {} open.", path.display()),
                "Stop the node, or whatever looks at the file.",
            ));
        }
        Err(error) => return Err(error.into()),
    };
    if !schema.missing.is_empty() || !schema.newer.is_empty() {
        return Err(Trouble::refused(
            format!(
                "The tables of {} are of version {}, and this program's of {}.",
                path.display(),
                schema.database,
                schema.program
            ),
            "Copy with the version that the node had, or run `herald db migrate` first.",
        ));
    }
    connection.pragma_update(None, "query_only", "ON")?;
    Ok(connection)
}

/// Which instance it is: what never changes of it.
pub(super) fn fingerprint(connection: &Connection) -> Result<String, Trouble> {
    let mut digest = Sha256::new();
    let mut query = connection.prepare("SELECT id, created_at FROM department ORDER BY department")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        digest.update(row.get::<_, Vec<u8>>(0)?);
        digest.update(row.get::<_, i64>(1)?.to_be_bytes());
    }
    Ok(hex::encode(digest.finalize()))
}

/// What it says of its tables.
pub(super) fn catalogue(connection: &Connection) -> Result<Source, Trouble> {
    let mut source = Source::default();
    let mut query = connection.prepare(
        "SELECT t.name, c.name, c.pk FROM sqlite_schema t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' ORDER BY t.name, c.pk",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (table, column): (String, String) = (row.get(0)?, row.get(1)?);
        if row.get::<_, i64>(2)? > 0 {
            source.keys.entry(table.clone()).or_default().push(column.clone());
        }
        source.columns.entry(table).or_default().insert(column);
    }
    Ok(source)
}

/// The rows behind a key, at most `rows` of them.
pub(super) fn page(connection: &Connection, table: &Table, behind: Option<&Key>, rows: usize) -> Result<Page, Trouble> {
    let mut page = Page { lines: Vec::new(), rows: 0, last: None };
    let mut query = connection.prepare_cached(&table.select(behind.is_some(), Some(rows)))?;
    let parameters = behind.map_or(&[][..], |key| &key.0);
    let mut found = query.query(rusqlite::params_from_iter(parameters))?;
    while let Some(row) = found.next()? {
        write(&mut page.lines, row, table)?;
        page.lines.push(b'\n');
        page.rows += 1;
        if page.rows as usize == rows {
            let key = (0..table.key.len()).map(|index| row.get(index)).collect::<Result<_, _>>()?;
            page.last = Some(Key(key));
        }
    }
    Ok(page)
}

/// Counts and sums all rows of a table.
pub(super) fn sum(connection: &Connection, table: &Table) -> Result<Sum, Trouble> {
    let mut sum = Sum::default();
    let mut line = Vec::new();
    let mut query = connection.prepare(&table.select(false, None))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        line.clear();
        write(&mut line, row, table)?;
        sum.add(&line);
    }
    Ok(sum)
}

fn write(line: &mut Vec<u8>, row: &Row<'_>, table: &Table) -> Result<(), Trouble> {
    for (index, column) in table.columns.iter().enumerate() {
        if index > 0 {
            line.push(b'\t');
        }
        let value = row.get_ref(table.key.len() + index)?;
        line::write(line, value, column.kind).map_err(|problem| {
            Trouble::Failed(format!("A row of {} cannot be copied: {}: {problem}.", table.name, column.name))
        })?;
    }
    Ok(())
}

impl Key {
    /// As it is kept.
    pub(super) fn to_text(&self) -> String {
        let values = self.0.iter().map(|value| match value {
            Value::Integer(number) => json!(number),
            Value::Text(text) => json!(text),
            Value::Blob(bytes) => json!({"hex": hex::encode(bytes)}),
            // No key of ours has them.
            Value::Null | Value::Real(_) => json!(null),
        });
        serde_json::Value::Array(values.collect()).to_string()
    }

    /// The inverse; None where it is not one of ours.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let values: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
        let read = |value: serde_json::Value| match value {
            serde_json::Value::Number(number) => number.as_i64().map(Value::Integer),
            serde_json::Value::String(text) => Some(Value::Text(text)),
            other => hex::decode(other.get("hex")?.as_str()?).ok().map(Value::Blob),
        };
        values.into_iter().map(read).collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back() {
        let key = Key(vec![Value::Integer(i64::MIN), Value::Text("a\"b".into()), Value::Blob(vec![0, 255])]);
        assert_eq!(Key::from_text(&key.to_text()), Some(key));
        assert_eq!(Key::from_text("[null]"), None);
        assert_eq!(Key::from_text("nonsense"), None);
    }
}
