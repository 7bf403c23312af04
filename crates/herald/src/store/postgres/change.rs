//! How other nodes learn that something has changed which they keep in memory: a counter for each kind of it.

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

#[cfg(test)]
mod tests {
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
            assert!(sql.contains(&format!("kind = {})", kind.code())), "{sql}");
        }
    }
}
