//! Tokens seen lately, in memory: a request asks no table who its caller is.
//!
//! The whole map is immutable and swapped, so that looking up takes no lock. Adding copies it, which happens once a token
//! (every three hours for a v1.2 client) and costs some 100 us for a full map.

use super::tokens::{Session, TokenHash};
use arc_swap::ArcSwap;
use herald_rules::time::Timestamp;
use std::{collections::HashMap, sync::Arc};

/// Tokens in memory. What is over is read from the store again at its next use.
const ENTRIES: usize = 4_096;

#[derive(Default)]
pub(super) struct TokenCache {
    current: ArcSwap<Entries>,
}

#[derive(Clone, Default)]
struct Entries {
    /// Rises with every revocation: what was read before one must not be added after it.
    generation: u64,
    sessions: HashMap<TokenHash, Arc<Session>>,
}

impl TokenCache {
    pub(super) fn get(&self, hash: &TokenHash) -> Option<Arc<Session>> {
        self.current.load().sessions.get(hash).cloned()
    }

    /// To be asked before the store is, and given to [`TokenCache::add`].
    pub(super) fn generation(&self) -> u64 {
        self.current.load().generation
    }

    pub(super) fn add(&self, generation: u64, hash: TokenHash, session: &Arc<Session>, now: Timestamp) {
        self.current.rcu(|entries| {
            let mut entries = Entries::clone(entries);
            if entries.generation == generation {
                if entries.sessions.len() >= ENTRIES {
                    entries.sessions.retain(|_, session| session.is_valid(now));
                }
                if entries.sessions.len() >= ENTRIES {
                    // Half of them, whichever: they come back at their next use.
                    let mut keep = false;
                    entries.sessions.retain(|_, _| {
                        keep = !keep;
                        keep
                    });
                }
                entries.sessions.insert(hash, session.clone());
            }
            entries
        });
    }

    /// Forgets everything. Revocations are rare, and what is still good is read again.
    pub(super) fn clear(&self) {
        self.current.rcu(|entries| Entries { generation: entries.generation + 1, sessions: HashMap::new() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Scopes;

    fn session(expires_at: i64) -> Arc<Session> {
        Arc::new(Session {
            id: uuid::Uuid::nil(),
            department: 1,
            user: None,
            scopes: Scopes::EVERYTHING,
            expires_at: Some(Timestamp(expires_at)),
        })
    }

    fn hash(number: usize) -> TokenHash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_le_bytes());
        hash
    }

    #[test]
    fn is_bounded_and_drops_expired_ones_first() {
        let cache = TokenCache::default();
        for number in 0..ENTRIES {
            cache.add(0, hash(number), &session(if number == 5 { 20 } else { 5 }), Timestamp(1));
        }
        cache.add(0, hash(ENTRIES), &session(20), Timestamp(10));
        assert!(cache.get(&hash(5)).is_some() && cache.get(&hash(ENTRIES)).is_some());
        assert!(cache.get(&hash(6)).is_none());
    }

    #[test]
    fn what_was_read_before_a_revocation_is_not_added_after_it() {
        let cache = TokenCache::default();
        let generation = cache.generation();
        cache.clear();
        cache.add(generation, hash(1), &session(5), Timestamp(1));
        assert!(cache.get(&hash(1)).is_none());
        cache.add(cache.generation(), hash(1), &session(5), Timestamp(1));
        assert!(cache.get(&hash(1)).is_some());
    }
}
