//! One shard: an ordered log of batches.

use std::collections::VecDeque;

use bytes::Bytes;

use super::bell::Bell;
use crate::proto;

/// The tail of an empty shard. Numbers of real logs have an epoch in their upper half and begin about here.
pub(super) const EMPTY_TAIL: u64 = 2 << 32;

/// The number that means "the oldest there is".
pub(super) const OLDEST: u64 = 1;

/// What a stored batch takes beside its payload, roughly.
const OVERHEAD: usize = 64;

/// A batch, as appended.
#[derive(Clone, Debug)]
pub(super) struct StoredBatch {
    pub(super) lsn: u64,
    /// When it was stored, in milliseconds since 1970.
    pub(super) time_ms: u64,
    /// How many records the writer says it has. Nobody counts them.
    pub(super) records: u32,
    pub(super) compression: i32,
    pub(super) payload: Bytes,
}

impl StoredBatch {
    /// How much it counts against a bound on memory.
    pub(super) fn weight(&self) -> usize {
        self.payload.len().saturating_add(OVERHEAD)
    }

    /// The batch as it is delivered, with the ids of all its records.
    pub(super) fn received(&self, shard: u64) -> proto::ReceivedRecord {
        let id = |batch_index| proto::RecordId { shard_id: shard, batch_id: self.lsn, batch_index };
        proto::ReceivedRecord {
            record_ids: (0..self.records).map(id).collect(),
            record: Some(self.message(self.records, self.payload.clone())),
        }
    }

    /// These records of it, in this payload. The time is the store's, whatever the writer put there.
    pub(super) fn message(&self, records: u32, payload: Bytes) -> proto::BatchedRecord {
        proto::BatchedRecord {
            compression_type: self.compression,
            publish_time: Some(timestamp_ms(self.time_ms)),
            batch_size: records,
            payload,
        }
    }
}

fn timestamp_ms(ms: u64) -> prost_types::Timestamp {
    // Less than 1000 times a million fits.
    let nanos = (ms % 1000) as i32 * 1_000_000;
    prost_types::Timestamp { seconds: i64::try_from(ms / 1000).unwrap_or(i64::MAX), nanos }
}

/// The batches of one shard that are kept, and who wants to hear of new ones.
#[derive(Debug)]
pub(super) struct ShardLog {
    batches: VecDeque<StoredBatch>,
    tail: u64,
    last_ms: u64,
    listeners: Vec<Bell>,
}

impl ShardLog {
    pub(super) fn new() -> Self {
        ShardLog { batches: VecDeque::new(), tail: EMPTY_TAIL, last_ms: 0, listeners: Vec::new() }
    }

    /// The number of the last append, or of none before the first.
    pub(super) fn tail(&self) -> u64 {
        self.tail
    }

    /// Where reading starts that wants new batches only.
    pub(super) fn after_tail(&self) -> u64 {
        self.tail.saturating_add(1)
    }

    /// Stores a batch under the next number. Times never go back within a shard.
    pub(super) fn append(&mut self, records: u32, compression: i32, payload: Bytes, now_ms: u64) -> u64 {
        self.tail = self.after_tail();
        self.last_ms = self.last_ms.max(now_ms);
        let (lsn, time_ms) = (self.tail, self.last_ms);
        self.batches.push_back(StoredBatch { lsn, time_ms, records, compression, payload });
        self.listeners.iter().for_each(Bell::ring);
        lsn
    }

    /// The batch of this number, if it is kept.
    pub(super) fn get(&self, lsn: u64) -> Option<&StoredBatch> {
        self.first_from(lsn).filter(|batch| batch.lsn == lsn)
    }

    /// The first kept batch of this number or a later one: what was dropped is passed over silently.
    pub(super) fn first_from(&self, lsn: u64) -> Option<&StoredBatch> {
        self.batches.get(self.batches.partition_point(|batch| batch.lsn < lsn))
    }

    /// The number of the first batch stored at this time or later.
    pub(super) fn find_time(&self, ms: i64) -> u64 {
        if self.batches.is_empty() {
            return OLDEST;
        }
        let ms = u64::try_from(ms).unwrap_or(0);
        let position = self.batches.partition_point(|batch| batch.time_ms < ms);
        self.batches.get(position).map_or(self.after_tail(), |batch| batch.lsn)
    }

    /// Forgets the oldest batch.
    pub(super) fn drop_oldest(&mut self) -> Option<StoredBatch> {
        self.batches.pop_front()
    }

    /// What all its batches weigh.
    pub(super) fn weight(&self) -> usize {
        self.batches.iter().map(StoredBatch::weight).sum()
    }

    pub(super) fn listen(&mut self, bell: &Bell) {
        self.listeners.push(bell.clone());
    }

    pub(super) fn unlisten(&mut self, bell: &Bell) {
        self.listeners.retain(|each| !each.is(bell));
    }

    /// Wakes all listeners, to find the log gone.
    pub(super) fn wake(&self) {
        self.listeners.iter().for_each(Bell::ring);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(times: &[u64]) -> ShardLog {
        let mut log = ShardLog::new();
        for &ms in times {
            log.append(1, 0, Bytes::from_static(b"x"), ms);
        }
        log
    }

    /// Server behaviour, section 4.3.
    #[test]
    fn numbers_start_at_8589934593_and_count_up() {
        let mut log = ShardLog::new();
        assert_eq!(log.tail(), 8589934592);
        assert_eq!(log.append(3, 0, Bytes::new(), 1), 8589934593);
        assert_eq!(log.append(3, 0, Bytes::new(), 1), 8589934594);
        assert_eq!(log.tail(), 8589934594);
    }

    /// Server behaviour, section 4.4.
    #[test]
    fn publish_time_is_the_stores_in_milliseconds() {
        let message = log(&[1_234_567]).get(8589934593).unwrap().received(7).record.unwrap();
        assert_eq!(message.publish_time, Some(prost_types::Timestamp { seconds: 1234, nanos: 567_000_000 }));
    }

    #[test]
    fn store_time_never_goes_back_within_a_shard() {
        let log = log(&[10, 5, 20]);
        let times: Vec<_> = log.batches.iter().map(|batch| batch.time_ms).collect();
        assert_eq!(times, [10, 10, 20]);
    }

    /// Server behaviour, section 4.5.
    #[test]
    fn a_time_finds_the_first_batch_at_or_after_it() {
        assert_eq!(log(&[]).find_time(5), OLDEST);
        let mut log = log(&[10, 20, 20, 30]);
        let first = EMPTY_TAIL + 1;
        for (ms, lsn) in [(i64::MIN, first), (10, first), (11, first + 1), (20, first + 1), (30, first + 3)] {
            assert_eq!(log.find_time(ms), lsn, "{ms}");
        }
        assert_eq!(log.find_time(31), log.after_tail());
        log.drop_oldest();
        assert_eq!(log.find_time(0), first + 1);
    }

    /// Server behaviour, section 4.6.
    #[test]
    fn what_was_dropped_is_passed_over_silently() {
        let mut log = log(&[1, 2, 3]);
        log.drop_oldest();
        assert_eq!(log.first_from(OLDEST).unwrap().lsn, EMPTY_TAIL + 2);
        assert!(log.get(EMPTY_TAIL + 1).is_none());
        assert!(log.first_from(log.after_tail()).is_none());
        assert_eq!(log.tail(), EMPTY_TAIL + 3);
    }
}
