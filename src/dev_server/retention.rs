//! The bound on what is kept: the oldest batches of all shards go first.

use std::collections::{HashMap, HashSet, VecDeque};

use super::log::ShardLog;

/// Counts what is stored, if there is a bound.
#[derive(Debug)]
pub(super) struct Retention {
    max_bytes: Option<u64>,
    bytes: u64,
    /// The shard of each stored batch, the oldest first. Empty without a bound.
    arrivals: VecDeque<u64>,
}

impl Retention {
    pub(super) fn new(max_bytes: Option<u64>) -> Self {
        Retention { max_bytes, bytes: 0, arrivals: VecDeque::new() }
    }

    /// Notes a batch of this weight, and drops what is too much now. The newest batch stays in any case.
    pub(super) fn stored(&mut self, shard: u64, weight: usize, logs: &mut HashMap<u64, ShardLog>) {
        let Some(max_bytes) = self.max_bytes else { return };
        self.bytes = self.bytes.saturating_add(weight as u64);
        self.arrivals.push_back(shard);
        while self.bytes > max_bytes && self.arrivals.len() > 1 {
            let Some(oldest) = self.arrivals.pop_front() else { return };
            let dropped = logs.get_mut(&oldest).and_then(ShardLog::drop_oldest);
            self.bytes = self.bytes.saturating_sub(dropped.map_or(0, |batch| batch.weight()) as u64);
        }
    }

    /// Notes that the oldest batches of a shard are gone, so many, of this weight.
    pub(super) fn trimmed(&mut self, shard: u64, mut batches: usize, weight: usize) {
        self.bytes = self.bytes.saturating_sub(weight as u64);
        self.arrivals.retain(|arrived| {
            let gone = batches > 0 && *arrived == shard;
            batches -= usize::from(gone);
            !gone
        });
    }

    /// Notes that these shards are gone, with all that was in them.
    pub(super) fn removed(&mut self, shards: &HashSet<u64>, weight: usize) {
        self.bytes = self.bytes.saturating_sub(weight as u64);
        self.arrivals.retain(|shard| !shards.contains(shard));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn the_oldest_batches_of_all_shards_go_first() {
        let mut logs = HashMap::from([(1, ShardLog::new()), (2, ShardLog::new())]);
        let mut retention = Retention::new(Some(350));
        let mut store = |logs: &mut HashMap<u64, ShardLog>, shard: u64, len: usize| {
            let log = logs.get_mut(&shard).unwrap();
            let lsn = log.append(1, 0, Bytes::from(vec![0; len]), 1);
            let weight = log.get(lsn).unwrap().weight();
            retention.stored(shard, weight, logs);
        };
        [1, 2, 1].into_iter().for_each(|shard| store(&mut logs, shard, 50));
        let kept = |logs: &HashMap<u64, ShardLog>, shard| logs[&shard].weight() / 114;
        assert_eq!((kept(&logs, 1), kept(&logs, 2)), (2, 1));
        store(&mut logs, 2, 50);
        assert_eq!((kept(&logs, 1), kept(&logs, 2)), (1, 2));
        store(&mut logs, 1, 5000);
        assert_eq!(logs[&1].weight(), 5064, "the newest stays, however large");
        assert_eq!(logs[&2].weight(), 0);
    }
}
