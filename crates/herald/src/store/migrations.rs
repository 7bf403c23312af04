//! Which migrations a database has had, and whether this program can work with that.
//!
//! Nodes of two neighbouring versions work side by side on one database (a rolling upgrade), and the new one has migrated it by
//! then. So a database that is one migration ahead is worked with: a version has one migration an engine at most, and that must
//! leave the version before it able to work (CONTRIBUTING.md). More than one ahead it is refused.

use super::StoreError;
use refinery::{Migration, Runner};

/// The tables of a database, compared with those that this program knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Schema {
    /// The number of the database's last migration; 0 where it has had none.
    pub database: i32,
    /// The number of the last one that this program knows.
    pub program: i32,
    /// Those that are missing in the database, in order.
    pub missing: Vec<String>,
    /// Those that only a newer version knows.
    pub newer: Vec<String>,
}

/// How far ahead of a program its database may be.
const AHEAD: i32 = 1;

/// Compares them; an error where this program must not touch the database.
pub(super) fn compare(known: &[Migration], applied: &[Migration]) -> Result<Schema, StoreError> {
    let last = |all: &[Migration]| all.iter().map(Migration::version).max().unwrap_or(0);
    let (database, program) = (last(applied), last(known));
    let find = |all: &[Migration], version: i32| all.iter().find(|one| one.version() == version).cloned();
    for one in applied {
        if find(known, one.version()).is_some_and(|ours| ours != *one) {
            return Err(StoreError::Unavailable(format!(
                "migration {} of the database is not that of this program",
                name(one)
            )));
        }
    }
    if database > program + AHEAD {
        return Err(StoreError::Unavailable(format!(
            "its tables are of version {database}, and this program knows those up to {program}: more than one version lies \
             between them. Install the version that made them, or the one before it"
        )));
    }
    let mut missing: Vec<_> = known.iter().filter(|one| find(applied, one.version()).is_none()).collect();
    missing.sort_by_key(|one| one.version());
    if let Some(left_out) = missing.iter().find(|one| one.version() < database) {
        return Err(StoreError::Unavailable(format!(
            "migration {} is missing in the database, and later ones are not",
            name(left_out)
        )));
    }
    Ok(Schema {
        database,
        program,
        missing: missing.into_iter().map(name).collect(),
        newer: applied.iter().filter(|one| one.version() > program).map(name).collect(),
    })
}

/// A runner that runs what is missing, once [`compare`] has had no objection: by itself it would refuse what it does not know.
pub(super) fn runner(of_engine: Runner) -> Runner {
    of_engine.set_abort_missing(false)
}

/// What migrations write down of themselves.
pub(super) const HISTORY: &str = "refinery_schema_history";

pub(super) fn failed(error: &refinery::Error) -> StoreError {
    StoreError::Unavailable(format!("migration failed: {error}"))
}

fn name(migration: &Migration) -> String {
    format!("{} {}", migration.version(), migration.name().replace('_', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(last: i32) -> Vec<Migration> {
        (1..=last)
            .map(|version| Migration::unapplied(&format!("V{version}__of_{version}"), "SELECT 1").unwrap())
            .collect()
    }

    #[test]
    fn what_is_missing_is_named_in_order() {
        let schema = compare(&all(4), &all(2)).unwrap();
        assert_eq!((schema.database, schema.program), (2, 4));
        assert_eq!(schema.missing, ["3 of 3", "4 of 4"]);
        assert_eq!(compare(&all(2), &[]).unwrap().missing.len(), 2);
        assert!(compare(&all(2), &all(2)).unwrap().missing.is_empty());
    }

    #[test]
    fn one_version_ahead_is_worked_with_and_two_are_not() {
        let schema = compare(&all(3), &all(4)).unwrap();
        assert_eq!((schema.missing.len(), schema.newer), (0, vec!["4 of 4".to_owned()]));
        let error = compare(&all(3), &all(5)).unwrap_err().to_string();
        assert!(error.contains("version 5") && error.contains("up to 3"), "{error}");
    }

    #[test]
    fn gaps_and_changed_migrations_are_refused() {
        let mut applied = all(3);
        applied.remove(1);
        assert!(compare(&all(3), &applied).unwrap_err().to_string().contains("2 of 2"));
        let other = Migration::unapplied("V2__of_2", "SELECT 2").unwrap();
        assert!(compare(&all(2), &[all(1).remove(0), other]).is_err());
    }
}
