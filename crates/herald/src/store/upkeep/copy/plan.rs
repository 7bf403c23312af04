//! Which tables are copied and how, derived from what both databases say of themselves: a table or a column that one of them has and
//! the other lacks is an error, unless it stands in a list here. So nothing is forgotten in silence.

use super::line::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// A column as PostgreSQL has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// It numbers rows by itself.
    pub(super) identity: bool,
}

/// What PostgreSQL says of its tables; partitions are left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    pub(super) columns: BTreeMap<String, Vec<Column>>,
    /// Which tables a table's foreign keys name.
    pub(super) references: BTreeMap<String, BTreeSet<String>>,
}

/// What SQLite says of its tables: columns, and those of the key in its order.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    pub(super) columns: BTreeMap<String, BTreeSet<String>>,
    pub(super) keys: BTreeMap<String, Vec<String>>,
}

/// How one table is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// What SQLite selects for each column.
    expressions: Vec<String>,
    /// A table, or a query in brackets.
    from: String,
    /// By which it is read page by page.
    pub(super) key: Vec<String>,
}

/// PostgreSQL's tables that start empty: who lives and owns what, which migrations it had, how far the copy is.
const NOT_COPIED: [&str; 5] =
    ["node", "lease", "change", crate::store::migrations::HISTORY, crate::store::postgres::open::COPYING];
/// SQLite's own.
const OF_SQLITE: [&str; 3] = [crate::store::migrations::HISTORY, "sqlite_sequence", "sqlite_stat1"];
/// Columns of SQLite that go into other tables: see [`DERIVED`].
const ELSEWHERE: [(&str, &str); 4] = [("lane", "queued"), ("lane", "pace"), ("lane", "standing"), ("lane", "epoch")];
/// Columns of PostgreSQL that SQLite has under another name, or that follow from another table.
const MORE: [(&str, &str, &str); 2] = [
    ("template", "template", "rowid"),
    // Claims of a lane's last owner; whoever takes the lane next finds out what became of them.
    ("claim", "epoch", "coalesce((SELECT lane.epoch FROM lane WHERE lane.lane = claim.lane), 0)"),
];
/// Tables of PostgreSQL that are made from several of SQLite, with their keys.
const DERIVED: [(&str, &str, &str); 2] = [
    // Positions are one sequence of the whole store in SQLite. What has left the queue leaves no trace of its own there, and
    // nobody has it in memory after a copy, so that the highest that is in use is enough.
    (
        "lane_queue",
        "lane",
        "(SELECT lane, department, queued AS arrived, (
             SELECT max(coalesce((SELECT max(position) FROM live), 0), coalesce((SELECT max(position) FROM later), 0),
                 coalesce((SELECT max(position) FROM checking), 0))) AS position FROM lane)",
    ),
    // A cursor may not be ahead of the log: were it, events would be left out.
    (
        "lane_log",
        "lane",
        "(SELECT lane, department, epoch, 0 AS departed, pace, standing,
             max(coalesce((SELECT max(sequence) FROM event WHERE event.department = lane.department AND event.lane = lane.lane), 0),
                 coalesce((SELECT max(sequence) FROM cursor WHERE cursor.lane = lane.lane), 0)) AS sequence FROM lane)",
    ),
];

/// All tables in an order in which foreign keys find what they name.
pub(super) fn plan(source: &Source, target: &Target) -> Result<Vec<Table>, String> {
    let mut left = source.columns.clone();
    left.retain(|name, _| !OF_SQLITE.contains(&name.as_str()));
    let mut tables = Vec::new();
    for (name, columns) in &target.columns {
        if NOT_COPIED.contains(&name.as_str()) {
            continue;
        }
        tables.push(match DERIVED.iter().find(|(derived, ..)| derived == name) {
            Some((_, key, query)) => {
                let expressions = columns.iter().map(|column| column.name.clone()).collect();
                Table {
                    name: name.clone(),
                    columns: columns.clone(),
                    expressions,
                    from: (*query).into(),
                    key: vec![(*key).into()],
                }
            }
            None => {
                let Some(there) = left.remove(name) else {
                    return Err(format!("the table {name} is not in SQLite, and nothing says what becomes of it"));
                };
                let key = source.keys.get(name).filter(|key| !key.is_empty()).cloned();
                same_table(name, columns, there, key.ok_or_else(|| format!("the table {name} has no key"))?)?
            }
        });
    }
    match left.keys().next() {
        Some(name) => Err(format!("the table {name} is not in PostgreSQL, and nothing says what becomes of it")),
        None => in_order(tables, &target.references),
    }
}

fn same_table(name: &str, columns: &[Column], mut there: BTreeSet<String>, key: Vec<String>) -> Result<Table, String> {
    let mut expressions = Vec::with_capacity(columns.len());
    for column in columns {
        let more = MORE.iter().find(|(table, other, _)| *table == name && *other == column.name);
        expressions.push(match (there.remove(&column.name), more) {
            (true, None) => column.name.clone(),
            (false, Some((.., expression))) => (*expression).to_owned(),
            _ => return Err(format!("the column {name}.{} is not in SQLite", column.name)),
        });
    }
    match there.iter().find(|other| !ELSEWHERE.contains(&(name, other.as_str()))) {
        Some(other) => Err(format!("the column {name}.{other} is not in PostgreSQL")),
        None => Ok(Table { name: name.into(), columns: columns.to_vec(), expressions, from: name.into(), key }),
    }
}

fn in_order(mut tables: Vec<Table>, references: &BTreeMap<String, BTreeSet<String>>) -> Result<Vec<Table>, String> {
    let mut ordered: Vec<Table> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let ready = |table: &Table| {
            let named = references.get(&table.name).into_iter().flatten().filter(|named| **named != table.name);
            named.into_iter().all(|named| ordered.iter().any(|done| done.name == *named))
        };
        let Some(next) = tables.iter().position(ready) else {
            return Err(format!("the foreign keys of {} go round in a circle", tables[0].name));
        };
        ordered.push(tables.remove(next));
    }
    Ok(ordered)
}

impl Table {
    /// All rows, or those behind a key (its values are the parameters), `limit` of them in the order of the key. The key comes
    /// first, then the columns.
    pub(super) fn select(&self, behind: bool, limit: Option<usize>) -> String {
        let key = self.key.join(", ");
        let behind = match behind {
            true => format!(" WHERE ({key}) > ({})", vec!["?"; self.key.len()].join(", ")),
            false => String::new(),
        };
        let page = limit.map_or(String::new(), |limit| format!(" ORDER BY {key} LIMIT {limit}"));
        format!("SELECT {key}, {} FROM {}{behind}{page}", self.expressions.join(", "), self.from)
    }

    /// Its columns, as PostgreSQL takes them.
    pub(super) fn names(&self) -> String {
        self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> Column {
        Column { name: name.into(), kind: Kind::Number, identity: false }
    }

    fn both(tables: &[(&str, &[&str])]) -> (Source, Target) {
        let (mut source, mut target) = (Source::default(), Target::default());
        for (table, columns) in tables {
            source.columns.insert((*table).into(), columns.iter().map(|name| (*name).to_owned()).collect());
            source.keys.insert((*table).into(), vec![columns[0].into()]);
            target.columns.insert((*table).into(), columns.iter().map(|name| column(name)).collect());
        }
        (source, target)
    }

    #[test]
    fn what_foreign_keys_name_comes_first() {
        let (source, mut target) = both(&[("a", &["a", "b"]), ("b", &["b"]), ("c", &["c", "a"])]);
        target.references.insert("a".into(), ["b".to_owned()].into());
        target.references.insert("c".into(), ["a".to_owned(), "c".to_owned()].into());
        let tables = plan(&source, &target).unwrap();
        assert_eq!(tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["b", "a", "c"]);
        assert_eq!(tables[1].select(true, Some(10)), "SELECT a, a, b FROM a WHERE (a) > (?) ORDER BY a LIMIT 10");
        assert_eq!(tables[1].select(false, None), "SELECT a, a, b FROM a");
        target.references.insert("b".into(), ["a".to_owned()].into());
        assert!(plan(&source, &target).is_err());
    }

    #[test]
    fn what_only_one_of_them_has_is_an_error() {
        let (source, target) = both(&[("a", &["a"])]);
        let mut less = target.clone();
        less.columns.clear();
        assert!(plan(&source, &less).unwrap_err().contains("not in PostgreSQL"));
        let mut more = target.clone();
        more.columns.insert("b".into(), vec![column("b")]);
        assert!(plan(&source, &more).unwrap_err().contains("not in SQLite"));
        let mut wider = target.clone();
        wider.columns.insert("a".into(), vec![column("a"), column("new")]);
        assert!(plan(&source, &wider).unwrap_err().contains("a.new"));
        let mut wider = source.clone();
        wider.columns.insert("a".into(), ["a".to_owned(), "new".to_owned()].into());
        assert!(plan(&wider, &target).unwrap_err().contains("a.new"));
    }

    #[test]
    fn what_a_node_makes_by_itself_is_left_out() {
        let (mut source, mut target) = both(&[("a", &["a"])]);
        target.columns.insert("node".into(), vec![column("node")]);
        source.columns.insert("sqlite_sequence".into(), ["name".to_owned()].into());
        assert_eq!(plan(&source, &target).unwrap().len(), 1);
    }
}
