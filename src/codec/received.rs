//! Batches as they come: where their parts lie, and nothing decoded that nobody has asked for.

use std::ops::Range;

use bytes::Bytes;
use prost_types::Timestamp;

use crate::codec::encoded_id::EncodedId;
use crate::codec::wire::Reader;
use crate::error::Result;
use crate::proto;
use crate::record_id::RecordId;

// Tags: field number * 8 + wire type.
const RESPONSE_RECORDS: u64 = 0x0a;
const RECEIVED_IDS: u64 = 0x0a;
const RECEIVED_BATCH: u64 = 0x12;
const BATCH_COMPRESSION: u64 = 0x08;
const BATCH_TIME: u64 = 0x12;
const BATCH_PAYLOAD: u64 = 0x22;
const TIME_SECONDS: u64 = 0x08;
const TIME_NANOS: u64 = 0x10;
const ID_SHARD: u64 = 0x08;
const ID_BATCH: u64 = 0x10;
const ID_INDEX: u64 = 0x18;

/// A batch with the ids of its records, still as it was stored.
#[derive(Debug, Default)]
pub(crate) struct RawBatch {
    pub(crate) ids: Ids,
    pub(crate) compression: i32,
    pub(crate) publish_time: Option<Timestamp>,
    pub(crate) payload: Bytes,
    /// What it takes of memory, as received.
    pub(crate) size: usize,
}

impl RawBatch {
    /// The batch in a message of a fetch, if there is one.
    pub(crate) fn of_fetch(message: &Bytes) -> Result<Option<Self>> {
        let mut reader = Reader::new(message, 0..message.len());
        while let Some(field) = reader.next()? {
            if field.tag == RESPONSE_RECORDS {
                let batch = Self::read(message, field.bytes)?;
                return Ok((batch.ids.len() > 0).then_some(batch));
            }
        }
        Ok(None)
    }

    /// Reads a `ReceivedRecord`.
    pub(crate) fn read(message: &Bytes, range: Range<usize>) -> Result<Self> {
        let mut batch = RawBatch { size: range.len(), ..RawBatch::default() };
        let mut reader = Reader::new(message, range);
        while let Some(field) = reader.next()? {
            match field.tag {
                RECEIVED_IDS => {
                    batch.ids.push(read_id(message, field.bytes)?);
                    batch.ids.push_following(&mut reader);
                }
                RECEIVED_BATCH => batch.read_record(message, field.bytes)?,
                _ => {}
            }
        }
        Ok(batch)
    }

    fn read_record(&mut self, message: &Bytes, range: Range<usize>) -> Result<()> {
        let mut reader = Reader::new(message, range);
        while let Some(field) = reader.next()? {
            match field.tag {
                // Enumerations are 32 bits wide; what is beyond them is as unknown as it was.
                BATCH_COMPRESSION => self.compression = field.number as i32,
                BATCH_TIME => self.publish_time = Some(read_time(message, field.bytes)?),
                BATCH_PAYLOAD => self.payload = message.slice(field.bytes),
                _ => {}
            }
        }
        Ok(())
    }
}

impl From<proto::ReceivedRecord> for RawBatch {
    fn from(received: proto::ReceivedRecord) -> Self {
        let mut ids = Ids::default();
        received.record_ids.into_iter().for_each(|id| ids.push(id.into()));
        let batch = received.record.unwrap_or_default();
        RawBatch {
            size: batch.payload.len() + ids.len() * size_of::<RecordId>(),
            ids,
            compression: batch.compression_type,
            publish_time: batch.publish_time,
            payload: batch.payload,
        }
    }
}

fn read_id(message: &[u8], range: Range<usize>) -> Result<RecordId> {
    let mut id = RecordId::new(0, 0, 0);
    let mut reader = Reader::new(message, range);
    while let Some(field) = reader.next()? {
        match field.tag {
            ID_SHARD => id.shard_id = field.number,
            ID_BATCH => id.batch_id = field.number,
            ID_INDEX => id.batch_index = field.number as u32,
            _ => {}
        }
    }
    Ok(id)
}

fn read_time(message: &[u8], range: Range<usize>) -> Result<Timestamp> {
    let mut time = Timestamp::default();
    let mut reader = Reader::new(message, range);
    while let Some(field) = reader.next()? {
        match field.tag {
            TIME_SECONDS => time.seconds = field.number as i64,
            TIME_NANOS => time.nanos = field.number as i32,
            _ => {}
        }
    }
    Ok(time)
}

/// Ids of one batch that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdRun {
    pub(crate) shard_id: u64,
    pub(crate) batch_id: u64,
    pub(crate) first: u32,
    pub(crate) count: u32,
}

impl IdRun {
    pub(crate) fn one(id: RecordId) -> Self {
        IdRun { shard_id: id.shard_id, batch_id: id.batch_id, first: id.batch_index, count: 1 }
    }

    pub(crate) fn get(&self, place: u32) -> RecordId {
        RecordId::new(self.shard_id, self.batch_id, self.first.wrapping_add(place))
    }

    /// The indexes, as numbers that can't overflow.
    pub(crate) fn indexes(&self) -> Range<u64> {
        let first = u64::from(self.first);
        first..first + u64::from(self.count)
    }

    /// Whether this id comes next.
    pub(crate) fn is_followed_by(&self, id: RecordId) -> bool {
        (self.shard_id, self.batch_id) == (id.shard_id, id.batch_id)
            && self.indexes().end == u64::from(id.batch_index)
    }
}

/// The ids of a batch's records. Most batches are stored ones, whose ids count up; a batch that is delivered
/// again has the rest of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ids {
    /// With the place of each one's first record.
    runs: Vec<(usize, IdRun)>,
    len: usize,
}

impl Ids {
    pub(crate) fn push(&mut self, id: RecordId) {
        match self.runs.last_mut() {
            Some((_, run)) if run.is_followed_by(id) => run.count += 1,
            _ => self.runs.push((self.len, IdRun::one(id))),
        }
        self.len += 1;
    }

    /// Reads those that follow the last one, as long as they are written as we would write them: the way of nearly all
    /// ids, without looking at each number of each.
    fn push_following(&mut self, reader: &mut Reader<'_>) {
        let Some((_, run)) = self.runs.last_mut() else { return };
        let Some(next) = u32::try_from(run.indexes().end).ok() else { return };
        let mut expected = EncodedId::new(RECEIVED_IDS as u8, run.get(run.count));
        let most = u32::MAX - next;
        let mut count = 0;
        while count < most && reader.skip(expected.as_bytes()) {
            expected.advance();
            count += 1;
        }
        run.count += count;
        self.len += count as usize;
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The id of a record of the batch. There must be so many.
    pub(crate) fn get(&self, index: usize) -> RecordId {
        let (start, run) = &self.runs[self.run_of(index)];
        run.get((index - start) as u32)
    }

    /// How many ids there are before the first that this is not true of.
    pub(crate) fn leading(&self, is_true: impl Fn(&RecordId) -> bool) -> usize {
        self.iter(0..self.len).take_while(is_true).count()
    }

    /// Which run has this record, or would have it.
    fn run_of(&self, index: usize) -> usize {
        self.runs.partition_point(|(start, _)| *start <= index).saturating_sub(1)
    }

    /// The ids of some records.
    pub(crate) fn iter(&self, range: Range<usize>) -> impl Iterator<Item = RecordId> + Clone {
        self.runs(range).flat_map(|run| (0..run.count).map(move |place| run.get(place)))
    }

    /// The same, by runs.
    pub(crate) fn runs(&self, range: Range<usize>) -> impl Iterator<Item = IdRun> + Clone {
        let from = self.run_of(range.start).min(self.runs.len());
        let runs = self.runs[from..].iter().take_while(move |(start, _)| *start < range.end);
        runs.filter_map(move |(start, run)| {
            let first = range.start.max(*start) - start;
            let end = range.end.min(start + run.count as usize) - start;
            (end > first).then(|| IdRun {
                first: run.first.wrapping_add(first as u32),
                count: (end - first) as u32,
                ..*run
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    fn message(ids: &[(u64, u64, u32)], record: Option<proto::BatchedRecord>) -> Bytes {
        let id = |&(shard_id, batch_id, batch_index): &_| proto::RecordId { shard_id, batch_id, batch_index };
        let received = proto::ReceivedRecord { record_ids: ids.iter().map(id).collect(), record };
        proto::StreamingFetchResponse { received_records: Some(received) }.encode_to_vec().into()
    }

    #[test]
    fn what_is_read_is_what_the_generated_code_writes() {
        let record = proto::BatchedRecord {
            compression_type: 77,
            publish_time: Some(Timestamp { seconds: -5, nanos: 9 }),
            batch_size: 3,
            payload: Bytes::from_static(b"payload"),
        };
        let ids = [(u64::MAX, 1 << 40, 0), (u64::MAX, 1 << 40, 1), (u64::MAX, 1 << 40, u32::MAX)];
        let batch = RawBatch::of_fetch(&message(&ids, Some(record.clone()))).unwrap().unwrap();
        let read: Vec<_> = batch.ids.iter(0..9).collect();
        assert_eq!(read, ids.map(|(shard, id, index)| RecordId::new(shard, id, index)));
        assert_eq!((batch.compression, batch.publish_time), (77, record.publish_time));
        assert_eq!(batch.payload, record.payload);
        assert!(RawBatch::of_fetch(&message(&[], Some(record))).unwrap().is_none());
        assert!(RawBatch::of_fetch(&Bytes::new()).unwrap().is_none());
    }

    #[test]
    fn broken_messages_are_errors() {
        let whole = message(&[(1, 2, 3)], Some(proto::BatchedRecord::default()));
        for end in 1..whole.len() {
            assert!(RawBatch::of_fetch(&whole.slice(..end)).is_err(), "{end}");
        }
    }

    #[test]
    fn runs_are_cut_to_what_is_asked_for() {
        let mut ids = Ids::default();
        for index in [0, 1, 2, 5, 6, 9] {
            ids.push(RecordId::new(1, 1, index));
        }
        ids.push(RecordId::new(1, 2, 10));
        let runs =
            |range| ids.runs(range).map(|run| (run.batch_id, run.first, run.count)).collect::<Vec<_>>();
        assert_eq!(runs(0..7), [(1, 0, 3), (1, 5, 2), (1, 9, 1), (2, 10, 1)]);
        assert_eq!(runs(1..4), [(1, 1, 2), (1, 5, 1)]);
        assert_eq!(runs(3..3), []);
        for range in [0..7, 2..5, 6..7] {
            let all: Vec<_> = ids.iter(range.clone()).collect();
            assert_eq!(all, range.map(|index| ids.get(index)).collect::<Vec<_>>());
        }
    }
}
