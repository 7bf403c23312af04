//! How other nodes learn that something has changed which they keep in memory: a counter for each kind of it.

use crate::store::Changed;

/// A statement that raises the counter of a kind in `change` too, in the same transaction. To be followed by the statement
/// itself, without a WITH of its own.
macro_rules! changing {
    (Directory, $sql:expr) => {
        changing!("0", $sql)
    };
    (Access, $sql:expr) => {
        changing!("1", $sql)
    };
    (Templates, $sql:expr) => {
        changing!("2", $sql)
    };
    (Subscriptions, $sql:expr) => {
        changing!("3", $sql)
    };
    ($kind:literal, $sql:expr) => {
        concat!("WITH changed AS (UPDATE change SET version = version + 1 WHERE kind = ", $kind, ") ", $sql)
    };
}
pub(super) use changing;

/// The kind whose counter a statement of [`changing`] raises.
pub(super) fn changed_by(sql: &str) -> Option<Changed> {
    let code = sql.strip_prefix("WITH changed AS (UPDATE change SET version = version + 1 WHERE kind = ")?;
    Changed::from_code(code.split(')').next()?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::changed_by;
    use crate::store::Changed;

    #[test]
    fn the_kinds_have_their_codes() {
        let kinds = [
            (Changed::Directory, changing!(Directory, "")),
            (Changed::Access, changing!(Access, "")),
            (Changed::Templates, changing!(Templates, "")),
            (Changed::Subscriptions, changing!(Subscriptions, "")),
        ];
        for (kind, sql) in kinds {
            assert_eq!(changed_by(sql), Some(kind), "{sql}");
        }
    }
}
