//! What a consumer was given and has not acked. Pure: time comes in from outside.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::codec::received::IdRun;
use crate::record_id::RecordId;

/// Records by shard and batch, until they are acked or the server takes them back.
#[derive(Default)]
pub(crate) struct Unacked {
    shards: HashMap<u64, BTreeMap<u64, Given>>,
    /// In the order in which they were given; some may be acked, or have been given again since.
    order: VecDeque<(Instant, u64, u64)>,
    records: u64,
}

/// Records of one batch.
struct Given {
    since: Instant,
    /// Sorted, and apart from each other.
    indexes: Vec<Range<u64>>,
}

impl Unacked {
    /// Records of this shard are delivered from now on.
    pub(crate) fn allow(&mut self, shard_id: u64) {
        self.shards.entry(shard_id).or_default();
    }

    /// Whether records of this shard were delivered. An id of another one makes the server break the call.
    pub(crate) fn knows(&self, shard_id: u64) -> bool {
        self.shards.contains_key(&shard_id)
    }

    pub(crate) fn knows_any(&self) -> bool {
        !self.shards.is_empty()
    }

    /// These have been handed out; some may be here already, from before the server delivered them again.
    pub(crate) fn give(&mut self, run: IdRun, now: Instant) {
        let batches = self.shards.entry(run.shard_id).or_default();
        let given = batches.entry(run.batch_id).or_insert_with(|| Given { since: now, indexes: Vec::new() });
        given.since = now;
        self.records += given.add(run.indexes());
        if self.order.back() != Some(&(now, run.shard_id, run.batch_id)) {
            self.order.push_back((now, run.shard_id, run.batch_id));
        }
    }

    /// These are acked. Returns how many of them were here.
    pub(crate) fn ack(&mut self, run: IdRun) -> u64 {
        let Some(batches) = self.shards.get_mut(&run.shard_id) else { return 0 };
        let Some(given) = batches.get_mut(&run.batch_id) else { return 0 };
        let acked = given.remove(run.indexes());
        if given.indexes.is_empty() {
            batches.remove(&run.batch_id);
        }
        self.records -= acked;
        acked
    }

    /// All records of the shard of this one that were handed out, up to and with it.
    pub(crate) fn up_to(&self, last: RecordId) -> Vec<IdRun> {
        let batches = self.shards.get(&last.shard_id).into_iter().flat_map(|all| all.range(..=last.batch_id));
        let run = |batch_id, indexes: &Range<u64>| {
            let last_here = if batch_id == last.batch_id { u64::from(last.batch_index) } else { u64::MAX };
            let end = indexes.end.min(last_here.saturating_add(1));
            let count = end.saturating_sub(indexes.start) as u32;
            IdRun { shard_id: last.shard_id, batch_id, first: indexes.start as u32, count }
        };
        let runs = batches.flat_map(|(id, given)| given.indexes.iter().map(|indexes| run(*id, indexes)));
        runs.filter(|run| run.count > 0).collect()
    }

    pub(crate) fn len(&self) -> u64 {
        self.records
    }

    /// When the one was given that waits longest.
    pub(crate) fn oldest(&mut self) -> Option<Instant> {
        while let Some((since, shard, batch)) = self.order.front() {
            let given = self.shards.get(shard).and_then(|batches| batches.get(batch));
            if given.is_some_and(|given| given.since == *since) {
                return Some(*since);
            }
            self.order.pop_front();
        }
        None
    }

    /// Forgets what was given so long ago that the server delivers it again. Returns how many records.
    pub(crate) fn forget(&mut self, now: Instant, ack_timeout: Duration) -> u64 {
        let before = self.records;
        while self.oldest().is_some_and(|since| now.saturating_duration_since(since) >= ack_timeout) {
            let Some((_, shard, batch)) = self.order.pop_front() else { break };
            let given = self.shards.get_mut(&shard).and_then(|batches| batches.remove(&batch));
            self.records -= given.map_or(0, |given| given.len());
        }
        before - self.records
    }
}

impl Given {
    fn len(&self) -> u64 {
        self.indexes.iter().map(|range| range.end - range.start).sum()
    }

    /// Returns how many are new.
    fn add(&mut self, new: Range<u64>) -> u64 {
        let before = self.len();
        // Those that touch it become one with it.
        let from = self.indexes.partition_point(|range| range.end < new.start);
        let to = self.indexes.partition_point(|range| range.start <= new.end);
        let touched = &self.indexes[from..to.max(from)];
        let start = touched.first().map_or(new.start, |first| first.start.min(new.start));
        let end = touched.last().map_or(new.end, |last| last.end.max(new.end));
        self.indexes.splice(from..to.max(from), std::iter::once(start..end));
        self.len() - before
    }

    /// Returns how many were there.
    fn remove(&mut self, gone: Range<u64>) -> u64 {
        let before = self.len();
        let from = self.indexes.partition_point(|range| range.end <= gone.start);
        let to = self.indexes.partition_point(|range| range.start < gone.end);
        if from < to {
            let (start, end) = (self.indexes[from].start, self.indexes[to - 1].end);
            let left = [start..gone.start.max(start), gone.end.min(end)..end];
            self.indexes.splice(from..to, left.into_iter().filter(|range| !range.is_empty()));
        }
        before - self.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn run(batch_id: u64, first: u32, count: u32) -> IdRun {
        IdRun { shard_id: 1, batch_id, first, count }
    }

    #[test]
    fn all_up_to_a_record_are_those_of_its_shard_before_it() {
        let now = Instant::now();
        let mut unacked = Unacked::default();
        unacked.give(run(1, 0, 3), now);
        unacked.give(run(2, 4, 6), now);
        unacked.give(run(3, 0, 1), now);
        unacked.give(IdRun { shard_id: 2, ..run(1, 0, 9) }, now);
        unacked.ack(run(1, 1, 1));
        assert_eq!(unacked.up_to(RecordId::new(1, 2, 5)), [run(1, 0, 1), run(1, 2, 1), run(2, 4, 2)]);
        assert_eq!(unacked.up_to(RecordId::new(1, 2, 3)), [run(1, 0, 1), run(1, 2, 1)]);
        assert_eq!(unacked.up_to(RecordId::new(7, 9, 9)), []);
        assert_eq!(unacked.len(), 2 + 6 + 1 + 9);
    }

    #[test]
    fn the_oldest_counts_and_what_comes_again_is_young() {
        let (begin, second) = (Instant::now(), Duration::from_secs(1));
        let mut unacked = Unacked::default();
        unacked.give(run(1, 0, 2), begin);
        unacked.give(run(2, 0, 3), begin + second);
        assert_eq!(unacked.oldest(), Some(begin));
        unacked.give(run(1, 0, 2), begin + 2 * second);
        assert_eq!((unacked.oldest(), unacked.len()), (Some(begin + second), 5));
        assert_eq!(unacked.forget(begin + 2 * second, second), 3);
        assert_eq!((unacked.oldest(), unacked.len()), (Some(begin + 2 * second), 2));
        assert_eq!(unacked.ack(run(1, 0, 9)), 2);
        assert_eq!((unacked.oldest(), unacked.len()), (None, 0));
        assert!(unacked.knows(1) && !unacked.knows(2));
    }

    proptest! {
        #[test]
        fn ranges_are_as_good_as_sets(steps in proptest::collection::vec((any::<bool>(), 0u32..30, 1u32..9), 1..60)) {
            let now = Instant::now();
            let (mut unacked, mut set) = (Unacked::default(), BTreeSet::new());
            for (give, first, count) in steps {
                let indexes = first..first + count;
                if give {
                    unacked.give(run(1, first, count), now);
                    set.extend(indexes);
                } else {
                    let there = indexes.filter(|index| set.remove(index)).count();
                    prop_assert_eq!(unacked.ack(run(1, first, count)), there as u64);
                }
                prop_assert_eq!(unacked.len(), set.len() as u64);
                let all = unacked.up_to(RecordId::new(1, 1, u32::MAX));
                let all: Vec<_> = all.iter().flat_map(|run| run.first..run.first + run.count).collect();
                prop_assert_eq!(all, set.iter().copied().collect::<Vec<_>>());
            }
        }
    }
}
