//! What was received and nobody has asked for yet.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::codec::batch::DecodedBatch;
use crate::codec::received::RawBatch;
use crate::received::Batch;

/// Batches between the fetch and whoever polls. Bounded: the fetch asks for room before it reads on.
pub(crate) struct Buffer {
    most_records: usize,
    most_bytes: usize,
    /// The largest batch that is decompressed.
    most_batch_bytes: usize,
    /// Whether batches that can't be read are handed out as they came.
    keep_raw: bool,
    received: Mutex<Received>,
    /// A batch of which a part was taken. A lock of its own, so that decoding holds up no receiving.
    begun: Mutex<Option<Begun>>,
    filled: Notify,
    emptied: Notify,
}

#[derive(Default)]
struct Received {
    /// With the records of each that are wanted.
    batches: VecDeque<(RawBatch, Range<usize>)>,
    records: usize,
    bytes: usize,
}

struct Begun {
    batch: Arc<DecodedBatch>,
    left: Range<usize>,
}

impl Buffer {
    pub(crate) fn new(
        most_records: usize,
        most_bytes: usize,
        most_batch_bytes: usize,
        keep_raw: bool,
    ) -> Self {
        Buffer {
            most_records,
            most_bytes,
            most_batch_bytes,
            keep_raw,
            received: Mutex::default(),
            begun: Mutex::default(),
            filled: Notify::new(),
            emptied: Notify::new(),
        }
    }

    /// Waits until there is room for another batch, of whatever size.
    pub(crate) async fn room(&self) {
        loop {
            let mut emptied = std::pin::pin!(self.emptied.notified());
            // Listen before looking, or a change between the two would be missed.
            emptied.as_mut().enable();
            if self.has_room() {
                return;
            }
            emptied.await;
        }
    }

    #[cfg(unix)]
    pub(crate) fn is_empty(&self) -> bool {
        // In the order in which `try_take` takes the locks.
        let begun = self.begun.lock();
        begun.is_none() && self.received.lock().batches.is_empty()
    }

    pub(crate) fn has_room(&self) -> bool {
        let received = self.received.lock();
        received.records < self.most_records && received.bytes < self.most_bytes
    }

    pub(crate) fn push(&self, batch: impl Into<RawBatch>) {
        let batch = batch.into();
        let all = 0..batch.ids.len();
        self.push_part(batch, all);
    }

    /// Some records of a batch, which come with all of its bytes.
    pub(crate) fn push_part(&self, batch: RawBatch, wanted: Range<usize>) {
        let mut received = self.received.lock();
        received.records += wanted.len();
        received.bytes += batch.size;
        received.batches.push_back((batch, wanted));
        drop(received);
        self.filled.notify_waiters();
    }

    /// Takes up to `max` records, if there are any. Batches that turn out not to be readable are told of.
    pub(crate) fn try_take(&self, max: usize, mut bad: impl FnMut(&DecodedBatch)) -> Option<Batch> {
        let mut begun = self.begun.lock();
        let mut taken = Batch::default();
        let mut left = max;
        while left > 0 {
            let Some(mut current) = begun.take().or_else(|| self.decode_next(&mut bad)) else { break };
            let end = current.left.end.min(current.left.start.saturating_add(left));
            if end > current.left.start {
                left -= end - current.left.start;
                taken.push(current.batch.clone(), current.left.start..end);
                current.left.start = end;
            }
            if !current.left.is_empty() {
                *begun = Some(current);
            }
        }
        (!taken.is_empty()).then_some(taken)
    }

    fn decode_next(&self, bad: &mut impl FnMut(&DecodedBatch)) -> Option<Begun> {
        let (batch, wanted) = {
            let mut received = self.received.lock();
            let (batch, wanted) = received.batches.pop_front()?;
            received.records -= wanted.len();
            received.bytes -= batch.size;
            (batch, wanted)
        };
        self.emptied.notify_waiters();
        let mut batch = DecodedBatch::new(batch, self.most_batch_bytes);
        if batch.problem().is_some() {
            bad(&batch);
            if !self.keep_raw {
                batch.raw.1 = Bytes::new();
            }
        }
        Some(Begun { batch: Arc::new(batch), left: wanted })
    }

    /// Waits until there may be something to take.
    pub(crate) fn filled(&self) -> tokio::sync::futures::Notified<'_> {
        self.filled.notified()
    }

    /// Forgets what nobody has taken: the server delivers it again.
    pub(crate) fn clear(&self) {
        *self.begun.lock() = None;
        *self.received.lock() = Received::default();
        self.emptied.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::batch::seal;
    use crate::codec::compression::Compression;
    use crate::codec::record::encode;
    use crate::proto::{self, ReceivedRecord};
    use crate::record::Record;

    fn batch(batch_id: u64, count: u32) -> ReceivedRecord {
        let mut bytes = Vec::new();
        (0..count).for_each(|index| encode(&Record::raw(index.to_string()), &mut bytes));
        let id = |batch_index| proto::RecordId { shard_id: 1, batch_id, batch_index };
        ReceivedRecord {
            record_ids: (0..count).map(id).collect(),
            record: Some(seal(bytes.into(), count, Compression::none()).unwrap()),
        }
    }

    fn ids(batch: &Batch) -> Vec<(u64, u32)> {
        batch.ids().map(|id| (id.batch_id, id.batch_index)).collect()
    }

    #[test]
    fn batches_are_split_and_joined_to_what_is_asked_for() {
        let buffer = Buffer::new(100, 1 << 20, 1 << 20, false);
        assert!(buffer.try_take(5, |_| ()).is_none());
        buffer.push(batch(1, 3));
        buffer.push(batch(2, 2));
        assert_eq!(ids(&buffer.try_take(2, |_| ()).unwrap()), [(1, 0), (1, 1)]);
        assert!(buffer.try_take(0, |_| ()).is_none());
        let rest = buffer.try_take(10, |_| ()).unwrap();
        assert_eq!(ids(&rest), [(1, 2), (2, 0), (2, 1)]);
        let payloads: Vec<_> = rest.iter().map(|record| record.payload()).collect();
        assert_eq!(payloads, [b"2", b"0", b"1"]);
        assert!(buffer.try_take(1, |_| ()).is_none());
    }

    #[test]
    fn room_ends_at_either_bound_and_comes_back() {
        let buffer = Buffer::new(3, 1 << 20, 1 << 20, false);
        assert!(buffer.has_room());
        buffer.push(batch(1, 3));
        assert!(!buffer.has_room());
        buffer.try_take(1, |_| ()).unwrap();
        assert!(buffer.has_room());
        let small = Buffer::new(100, 10, 1 << 20, false);
        small.push(batch(1, 3));
        assert!(!small.has_room());
        small.clear();
        assert!(small.has_room() && small.try_take(1, |_| ()).is_none());
    }
}
