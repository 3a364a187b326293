//! A batch while it grows, and when it is sealed. Pure: time comes in from outside.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::codec::record::{self, Measured};
use crate::producer::buffers::Buffers;
use crate::producer::delivery::{Delivery, Outcome};
use crate::producer::lane::Lane;
use crate::producer::tags::Tags;
use crate::record::Content;

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
    count: u32,
    /// Only where somebody will be told of them.
    tags: Tags,
    /// What its records took of the budget.
    credit: usize,
    /// When its first record came.
    since: Option<Instant>,
    /// Where somebody waits for the outcome of single records.
    outcome: Option<Arc<Outcome>>,
    /// How large its predecessor was, in bytes and records: it is likely to become as large.
    expected: (usize, usize),
}

/// A record to be put into a batch.
pub(crate) struct Push<'a, R> {
    pub(crate) record: Measured<'a, R>,
    /// Comes back in the report, where there is one. A record with a delivery and no tag has none.
    pub(crate) tag: Option<u64>,
    /// Where to put its delivery, if somebody will wait for its outcome. Not returned: most have none, and what is
    /// returned is copied.
    pub(crate) delivery: Option<&'a mut Option<Delivery>>,
}

impl OpenBatch {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn len(&self) -> u64 {
        self.count.into()
    }

    /// Encoded, so far.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Whether a record of this encoded length may join. Into an empty batch each one may.
    #[inline]
    pub(crate) fn has_room_for(&self, len: usize, limits: Limits) -> bool {
        self.is_empty() || (self.bytes.len() + len <= limits.bytes && (self.count as usize) < limits.records)
    }

    /// Whether nothing more can join.
    #[inline]
    pub(crate) fn is_full(&self, limits: Limits) -> bool {
        self.bytes.len() >= limits.bytes || self.count as usize >= limits.records || self.count == u32::MAX
    }

    /// Encodes the record in place. The clock is asked for the first one only: it costs as much as all else.
    #[inline]
    pub(crate) fn push(
        &mut self,
        push: &Push<'_, impl Content>,
        credit: usize,
        buffers: &Buffers,
        clock: impl FnOnce() -> Instant,
    ) {
        if self.is_empty() {
            // Not before there is a record: a shard that nobody writes to holds no memory.
            let likely = self.expected.0 + self.expected.0 / 16;
            self.bytes = buffers.take(likely.max(push.record.encoded_len()));
            self.tags.reserve(if push.tag.is_some() { self.expected.1 } else { 0 });
        }
        push.record.encode(&mut self.bytes);
        match push.tag {
            Some(tag) => self.tags.push(tag),
            None if push.delivery.is_some() => self.tags.leave_out(self.count),
            None => {}
        }
        self.count += 1;
        self.credit += credit;
        self.since.get_or_insert_with(clock);
    }

    /// Where the outcome of the last record pushed will be found, and its place there.
    pub(crate) fn track_last(&mut self) -> (Arc<Outcome>, u32) {
        let outcome = self.outcome.get_or_insert_with(Arc::default).clone();
        (outcome, self.count - 1)
    }

    /// Seals the batch and begins a new one; `None` if there is nothing in it.
    pub(crate) fn seal(&mut self, buffers: &Buffers) -> Option<SealedBatch> {
        let since = self.since?;
        let batch = std::mem::take(self);
        self.expected = (batch.bytes.len(), batch.count as usize);
        Some(SealedBatch {
            bytes: buffers.share(batch.bytes),
            count: batch.count,
            tags: batch.tags,
            credit: batch.credit,
            since,
            outcome: batch.outcome,
            positions: None,
            number: 0,
            home: None,
        })
    }
}

/// A batch that takes no more records, or a part of one.
pub(crate) struct SealedBatch {
    pub(crate) bytes: Bytes,
    pub(crate) count: u32,
    pub(crate) tags: Tags,
    pub(crate) credit: usize,
    pub(crate) since: Instant,
    pub(crate) outcome: Option<Arc<Outcome>>,
    /// Of a part: where its records stood in the whole.
    pub(crate) positions: Option<Box<[u32]>>,
    /// Its number in the lane that it was sealed in.
    pub(crate) number: u64,
    /// That lane, if the batch has been moved to another.
    pub(crate) home: Option<Arc<Lane>>,
}

impl SealedBatch {
    /// Takes the batch apart: `group` says for each record, by its encoded form, which part it goes to. Parts
    /// keep the order of their records; those without any are left out. Returns the parts with their groups, in
    /// order.
    pub(crate) fn take_apart(self, mut group: impl FnMut(u32, &[u8]) -> usize) -> Vec<(usize, SealedBatch)> {
        let mut parts: Vec<(usize, Part)> = Vec::new();
        for (index, range) in (0..).zip(record::split(&self.bytes)) {
            let encoded = &self.bytes[range];
            let group = group(index, encoded);
            let place = parts.iter().position(|(of, _)| *of == group).unwrap_or_else(|| {
                parts.push((group, Part::default()));
                parts.len() - 1
            });
            parts[place].1.push(encoded, index);
        }
        parts.sort_by_key(|(group, _)| *group);
        self.hand_out(parts)
    }

    fn hand_out(self, parts: Vec<(usize, Part)>) -> Vec<(usize, SealedBatch)> {
        let last = parts.len().saturating_sub(1);
        let mut credit = self.credit;
        let parts = parts.into_iter().enumerate().map(|(place, (group, part))| {
            // What one record took may have been less than its size, so the last part has what is left.
            let share = if place == last { credit } else { credit.min(part.bytes.len()) };
            credit -= share;
            let of_all = |index: &u32| self.positions.as_ref().map_or(*index, |all| all[*index as usize]);
            let batch = SealedBatch {
                tags: self.tags.of_part(&part.indexes),
                positions: Some(part.indexes.iter().map(of_all).collect()),
                count: part.indexes.len() as u32,
                bytes: part.bytes.into(),
                credit: share,
                since: self.since,
                outcome: self.outcome.clone(),
                number: self.number,
                home: self.home.clone(),
            };
            (group, batch)
        });
        parts.collect()
    }
}

#[derive(Default)]
struct Part {
    bytes: Vec<u8>,
    indexes: Vec<u32>,
}

impl Part {
    fn push(&mut self, encoded: &[u8], index: u32) {
        self.bytes.extend_from_slice(encoded);
        self.indexes.push(index);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::record::Record;

    fn push(batch: &mut OpenBatch, len: usize) {
        push_tagged(batch, &Record::raw(vec![0; len]), 0);
    }

    pub(crate) fn push_tagged(batch: &mut OpenBatch, record: &Record, tag: u64) {
        let encoded_len = record.encoded_len();
        let push = Push { record: Measured::new(record), tag: Some(tag), delivery: None };
        batch.push(&push, encoded_len + 1, &Buffers::default(), Instant::now);
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
        let sealed = batch.seal(&Buffers::default()).unwrap();
        assert_eq!(
            (sealed.tags.as_slice().len(), sealed.count, sealed.credit),
            (3, 3, sealed.bytes.len() + 3)
        );
        assert!(batch.is_empty() && batch.seal(&Buffers::default()).is_none() && batch.since().is_none());
        assert_eq!(batch.bytes.capacity(), 0, "memory comes with the next record");
        push(&mut batch, 1);
        assert!(batch.bytes.capacity() >= sealed.bytes.len());
    }

    #[test]
    fn age_counts_from_the_first_record() {
        let first = Instant::now();
        let mut batch = OpenBatch::default();
        let record = Record::raw("a");
        let push = Push { record: Measured::new(&record), tag: None, delivery: None };
        batch.push(&push, 1, &Buffers::default(), || first);
        batch.push(&push, 1, &Buffers::default(), || first + std::time::Duration::from_secs(1));
        assert_eq!(batch.since(), Some(first));
        let (outcome, index) = batch.track_last();
        assert_eq!((index, Arc::ptr_eq(&outcome, &batch.track_last().0)), (1, true));
    }

    #[test]
    fn parts_have_all_records_once_in_order_with_their_tags_and_all_of_the_credit() {
        let mut batch = OpenBatch::default();
        (0..7).for_each(|n: u64| push_tagged(&mut batch, &Record::raw(n.to_string()), 100 + n));
        let sealed = batch.seal(&Buffers::default()).unwrap();
        let credit = sealed.credit;
        let parts = sealed.take_apart(|index, _| 2 - index as usize % 2);
        let groups: Vec<_> =
            parts.iter().map(|(group, part)| (*group, part.tags.as_slice().to_vec())).collect();
        assert_eq!(groups, [(1, vec![101, 103, 105]), (2, vec![100, 102, 104, 106])]);
        assert_eq!(parts.iter().map(|(_, part)| part.credit).sum::<usize>(), credit);
        // Parts of parts know where their records stood in the whole.
        let (_, part) = parts.into_iter().next().unwrap();
        let halves = part.take_apart(|index, _| usize::from(index > 0));
        let positions: Vec<_> = halves.iter().map(|(_, half)| half.positions.clone().unwrap()).collect();
        assert_eq!(positions, [vec![1].into(), vec![3, 5].into_boxed_slice()]);
        assert_eq!(record::decode_all(&halves[1].1.bytes, 2).unwrap().len(), 2);
    }
}
