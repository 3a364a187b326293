//! A batch while it grows. Pure: time comes in from outside.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::codec::record;
use crate::producer::delivery::Outcome;
use crate::record::Record;

/// When a batch is full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Encoded, before compression.
    pub(crate) bytes: usize,
    pub(crate) records: usize,
}

/// Records of one shard, encoded one behind the other, and what is to be known when they are settled.
#[derive(Default)]
pub(crate) struct OpenBatch {
    bytes: Vec<u8>,
    tags: Vec<u64>,
    /// What its records took of the budget.
    credit: usize,
    /// When its first record came.
    since: Option<Instant>,
    /// Where somebody waits for the outcome of single records.
    outcome: Option<Arc<Outcome>>,
    /// How large its predecessor was, in bytes and records: it is likely to become as large.
    expected: (usize, usize),
}

/// A batch that takes no more records.
pub(crate) struct SealedBatch {
    pub(crate) bytes: Bytes,
    pub(crate) tags: Vec<u64>,
    pub(crate) credit: usize,
    pub(crate) since: Instant,
    pub(crate) outcome: Option<Arc<Outcome>>,
}

impl OpenBatch {
    pub(crate) fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    pub(crate) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Whether a record of this encoded length may join. Into an empty batch each one may.
    pub(crate) fn has_room_for(&self, len: usize, limits: Limits) -> bool {
        self.is_empty() || (self.bytes.len() + len <= limits.bytes && self.tags.len() < limits.records)
    }

    /// Whether nothing more can join.
    pub(crate) fn is_full(&self, limits: Limits) -> bool {
        self.bytes.len() >= limits.bytes || self.tags.len() >= limits.records
    }

    /// Encodes the record in place. The clock is asked for the first one only: it costs as much as all else.
    pub(crate) fn push(&mut self, record: &Record, tag: u64, credit: usize, clock: impl FnOnce() -> Instant) {
        if self.is_empty() {
            // Not before there is a record: a shard that nobody writes to holds no memory.
            self.bytes.reserve(self.expected.0);
            self.tags.reserve(self.expected.1);
        }
        record::encode(record, &mut self.bytes);
        self.tags.push(tag);
        self.credit += credit;
        self.since.get_or_insert_with(clock);
    }

    /// Where the outcome of the last record pushed will be found, and its place there.
    pub(crate) fn track_last(&mut self) -> (Arc<Outcome>, u32) {
        let outcome = self.outcome.get_or_insert_with(Arc::default).clone();
        (outcome, (self.tags.len() - 1) as u32)
    }

    /// Seals the batch and begins a new one; `None` if there is nothing in it.
    pub(crate) fn seal(&mut self) -> Option<SealedBatch> {
        let since = self.since?;
        let batch = std::mem::take(self);
        self.expected = (batch.bytes.len(), batch.tags.len());
        Some(SealedBatch {
            bytes: batch.bytes.into(),
            tags: batch.tags,
            credit: batch.credit,
            since,
            outcome: batch.outcome,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(batch: &mut OpenBatch, len: usize) {
        batch.push(&Record::raw(vec![0; len]), 0, len, Instant::now);
    }

    #[test]
    fn full_by_bytes_or_by_records_and_the_first_always_fits() {
        let limits = Limits { bytes: 100, records: 3 };
        let mut batch = OpenBatch::default();
        assert!(batch.has_room_for(1000, limits));
        push(&mut batch, 30);
        let len = Record::raw(vec![0; 30]).encoded_len();
        assert!(batch.has_room_for(100 - len, limits) && !batch.has_room_for(101 - len, limits));
        push(&mut batch, 1);
        push(&mut batch, 1);
        assert!(batch.is_full(limits) && !batch.has_room_for(1, limits));
        let sealed = batch.seal().unwrap();
        assert_eq!((sealed.tags.len(), sealed.credit), (3, 32));
        assert!(batch.is_empty() && batch.seal().is_none() && batch.since().is_none());
        assert_eq!(batch.bytes.capacity(), 0, "memory comes with the next record");
        push(&mut batch, 1);
        assert!(batch.bytes.capacity() >= sealed.bytes.len());
    }

    #[test]
    fn age_counts_from_the_first_record() {
        let first = Instant::now();
        let mut batch = OpenBatch::default();
        batch.push(&Record::raw("a"), 1, 1, || first);
        batch.push(&Record::raw("b"), 2, 1, || first + std::time::Duration::from_secs(1));
        assert_eq!(batch.since(), Some(first));
        let (outcome, index) = batch.track_last();
        assert_eq!((index, Arc::ptr_eq(&outcome, &batch.track_last().0)), (1, true));
    }
}
