//! Shards, and which of them a partition key belongs to.

use md5::{Digest, Md5};

use crate::error::{Error, Result};

/// One shard of a stream: an ordered log that holds a range of key hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    pub(crate) id: u64,
    pub(crate) stream: String,
    pub(crate) start: u128,
    pub(crate) end: u128,
    pub(crate) epoch: u64,
    pub(crate) active: bool,
}

impl Shard {
    /// Its id, unique in the cluster.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The stream it belongs to.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The first key hash of its range.
    pub fn start(&self) -> u128 {
        self.start
    }

    /// The last key hash of its range, inclusive.
    pub fn end(&self) -> u128 {
        self.end
    }

    /// The stream's shard count at its creation; servers so far never change it.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether it takes appends; servers so far always say yes.
    pub fn is_active(&self) -> bool {
        self.active
    }
}

/// The hash that decides where a partition key goes: MD5 of its bytes as a big-endian number. A missing
/// key is the empty string, which hashes like any other.
pub fn hash_key(key: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(key.as_bytes()).into())
}

/// The shards of one stream, sorted by range.
#[derive(Clone, Debug)]
pub struct ShardMap {
    shards: Vec<Shard>,
}

impl ShardMap {
    /// The server lists shards in the order of their names as text; here they are in numeric order.
    pub(crate) fn new(mut shards: Vec<Shard>) -> Self {
        shards.sort_by_key(|shard| shard.start);
        ShardMap { shards }
    }

    /// All shards by key range.
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// The position in [`shards`](Self::shards) of the active shard whose range holds this hash.
    pub(crate) fn position(&self, hash: u128) -> Option<usize> {
        // Inactive shards may overlap active ones, so walk back from the last that starts at or before.
        let after = self.shards.partition_point(|shard| shard.start <= hash);
        (0..after).rev().find(|&index| self.shards[index].active && hash <= self.shards[index].end)
    }

    /// The active shard that records with this key go to.
    pub fn for_key(&self, key: &str) -> Option<&Shard> {
        Some(&self.shards[self.position(hash_key(key))?])
    }

    /// The position of the shard with this id.
    pub(crate) fn position_of(&self, id: u64) -> Option<usize> {
        self.shards.iter().position(|shard| shard.id == id)
    }
}

/// A bound of a range, as the server writes it.
pub(crate) fn parse_bound(text: &str, shard: u64) -> Result<u128> {
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(60).collect();
        Error::protocol(format!("shard {shard} has the range bound `{shown}`, which is not a 128-bit number"))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Ranges as the server cuts them.
    pub(crate) fn cut(count: u128) -> ShardMap {
        let width = u128::MAX / count;
        let shard = |index: u128| Shard {
            id: 100 + index as u64,
            stream: "s".into(),
            start: index * width,
            end: if index + 1 == count { u128::MAX } else { (index + 1) * width - 1 },
            epoch: count as u64,
            active: true,
        };
        // In the server's order: as text, last first will do.
        ShardMap::new((0..count).rev().map(shard).collect())
    }

    /// The golden vectors that all clients and the server agree on.
    #[test]
    fn keys_go_where_the_other_clients_put_them() {
        let vectors: [(&str, u128, [usize; 4]); 4] = [
            ("", 281949768489412648962353822266799178366, [0, 1, 2, 4]),
            ("key-1", 44775357070821016797045618461742138278, [0, 0, 0, 0]),
            ("hello", 123957004363873451094272536567338222994, [0, 0, 1, 1]),
            ("你好", 168533693406285666036269695096618078167, [0, 0, 1, 2]),
        ];
        for (key, hash, positions) in vectors {
            assert_eq!(hash_key(key), hash, "{key}");
            for (count, expected) in [1, 2, 3, 5].into_iter().zip(positions) {
                assert_eq!(cut(count).position(hash), Some(expected), "{key} of {count}");
            }
        }
    }

    #[test]
    fn both_bounds_are_inclusive() {
        let map = cut(3);
        for (index, shard) in map.shards().iter().enumerate() {
            assert_eq!(map.position(shard.start), Some(index));
            assert_eq!(map.position(shard.end), Some(index));
        }
    }

    #[test]
    fn inactive_shards_and_gaps_take_nothing() {
        let mut shards = cut(2).shards;
        shards[0].active = false;
        let map = ShardMap::new(shards);
        assert_eq!(map.position(0), None);
        assert_eq!(map.position(u128::MAX), Some(1));
        assert_eq!(ShardMap::new(Vec::new()).position(7), None);
    }

    #[test]
    fn bounds_that_are_no_numbers_are_refused_by_shard() {
        assert_eq!(parse_bound("340282366920938463463374607431768211455", 1).unwrap(), u128::MAX);
        let error = parse_bound("340282366920938463463374607431768211456", 7).unwrap_err();
        assert!(error.to_string().contains("shard 7"));
    }
}
