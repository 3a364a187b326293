//! Which shard a key belongs to, remembered: the hash costs more than all else of an append.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use parking_lot::RwLock;

/// Beyond this many keys all are forgotten, and the memory begins anew.
const MOST: usize = 16_384;

/// Longer keys are not kept.
const LONGEST: usize = 256;

/// Positions of shards by key, of one layout of a stream. Bounded by 5 MB or so.
#[derive(Default)]
pub(crate) struct KeyCache(RwLock<HashMap<Box<str>, usize, RandomState>>);

impl KeyCache {
    /// The position of the key's shard, found out if it is not known.
    pub(crate) fn position(&self, key: &str, find: impl FnOnce() -> Option<usize>) -> Option<usize> {
        if let Some(position) = self.0.read().get(key) {
            return Some(*position);
        }
        let position = find()?;
        if key.len() <= LONGEST {
            let mut known = self.0.write();
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(key.into(), position);
        }
        Some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_looked_for_once_and_there_are_never_too_many() {
        let keys = KeyCache::default();
        assert_eq!(keys.position("a", || Some(3)), Some(3));
        assert_eq!(keys.position("a", || panic!("it is known")), Some(3));
        assert_eq!(keys.position("nowhere", || None), None);
        for number in 0..3 * MOST {
            keys.position(&number.to_string(), || Some(number));
            assert!(keys.0.read().len() <= MOST);
        }
        keys.position(&"k".repeat(LONGEST + 1), || Some(1));
        assert!(!keys.0.read().keys().any(|key| key.len() > LONGEST));
    }
}
