//! A part of a table in memory: what was loaded of it, and what is to be written over that.

use std::collections::BTreeMap;

/// Rows by their keys. Of a key that was never asked for nothing is known, which is another thing than no row.
pub(super) struct Table<K, V> {
    loaded: BTreeMap<K, Option<V>>,
    written: BTreeMap<K, Option<V>>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { loaded: BTreeMap::new(), written: BTreeMap::new() }
    }
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    /// The key is being asked for: there is no row until one is found.
    pub(super) fn asked(&mut self, key: K) {
        self.loaded.entry(key).or_insert(None);
    }

    /// A row was found. The first of several stays.
    pub(super) fn found(&mut self, key: K, row: V) {
        self.loaded.entry(key).or_insert(None).get_or_insert(row);
    }

    /// The row as it is now; None: nothing is known of the key.
    pub(super) fn get(&self, key: &K) -> Option<Option<V>> {
        self.written.get(key).or_else(|| self.loaded.get(key)).cloned()
    }

    /// Writes a row, whatever was there.
    pub(super) fn put(&mut self, key: K, row: V) {
        self.written.insert(key, Some(row));
    }

    /// Takes a row away and returns it; None: nothing is known of the key.
    pub(super) fn take(&mut self, key: &K) -> Option<Option<V>> {
        let row = self.get(key)?;
        if row.is_some() {
            self.written.insert(key.clone(), None);
        }
        Some(row)
    }

    /// Forgets what was written.
    pub(super) fn reset(&mut self) {
        self.written.clear();
    }

    /// The rows to be written, in the order of their keys.
    pub(super) fn put_rows(&self) -> impl Iterator<Item = (&K, &V)> {
        self.written.iter().filter_map(|(key, row)| Some((key, row.as_ref()?)))
    }

    /// The keys of the rows to be deleted, in order.
    pub(super) fn deleted(&self) -> impl Iterator<Item = &K> {
        let gone = self.written.iter().filter(|(_, row)| row.is_none());
        gone.map(|(key, _)| key).filter(|key| !matches!(self.loaded.get(*key), Some(None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_is_not_known() {
        let mut table: Table<u8, &str> = Table::default();
        table.asked(1);
        table.found(2, "two");
        table.found(2, "another");
        assert_eq!(table.get(&0), None);
        assert_eq!(table.get(&1), Some(None));
        assert_eq!(table.get(&2), Some(Some("two")));
        assert_eq!(table.take(&0), None);
        assert_eq!(table.take(&1), Some(None));
        assert_eq!(table.take(&2), Some(Some("two")));
        assert_eq!(table.take(&2), Some(None));
        assert!(table.deleted().eq([&2]));
        table.put(2, "again");
        table.put(1, "new");
        table.take(&1);
        assert_eq!(table.deleted().count(), 0, "only what the server has is deleted");
        assert!(table.put_rows().eq([(&2, &"again")]));
        table.reset();
        assert_eq!(table.get(&2), Some(Some("two")));
    }
}
