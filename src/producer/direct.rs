//! Appending now, and waiting for it: nothing is buffered.

use crate::client::Client;
use crate::cluster::Plan;
use crate::codec::batch::{self, CAP, fits_alone};
use crate::codec::compression::Compression;
use crate::codec::record as wire;
use crate::error::{Error, Result};
use crate::names;
use crate::producer::append::append_batch;
use crate::producer::appender::too_large;
use crate::record::Record;
use crate::record_id::RecordId;
use crate::shard::ShardMap;

/// Some of the caller's records that go to one shard in one batch.
struct Part {
    shard_id: u64,
    bytes: Vec<u8>,
    /// Where the records stand in the caller's list.
    indexes: Vec<usize>,
}

impl Client {
    /// Appends records and waits until they are written; returns their ids in the same order. Records of one
    /// shard go in as few batches as possible, those of different shards at the same time.
    ///
    /// A batch whose outcome is unknown (the connection broke, the answer did not come) is sent again, so a
    /// record may be written twice, but is not lost. For many single records a
    /// [`BufferedProducer`](crate::BufferedProducer) is far faster.
    ///
    /// # Errors
    ///
    /// The first failure. Other records may have been written: [`append_each`](Self::append_each) tells.
    pub fn append(
        &self,
        stream: &str,
        records: &[Record],
        compression: impl Into<Compression>,
    ) -> Result<Vec<RecordId>> {
        self.append_each(stream, records, compression)?.into_iter().collect()
    }

    /// Appends one record and returns its id. As [`append`](Self::append).
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub fn append_one(&self, stream: &str, record: &Record) -> Result<RecordId> {
        let ids = self.append(stream, std::slice::from_ref(record), Compression::none())?;
        ids.into_iter().next().ok_or_else(|| Error::protocol("an append of one record has no id"))
    }

    /// Appends records as [`append`](Self::append) does, with a result for each of them.
    ///
    /// # Errors
    ///
    /// Nothing was sent: there is no such stream, a record is too large, the compression does not exist.
    pub fn append_each(
        &self,
        stream: &str,
        records: &[Record],
        compression: impl Into<Compression>,
    ) -> Result<Vec<Result<RecordId>>> {
        let compression = compression.into();
        names::check("stream", stream)?;
        compression.check()?;
        let shards = self.shards_of(stream)?;
        let parts = split(stream, records, &shards)?;
        let plan = Plan { send_twice: true, ..self.plan() };
        let pending: Vec<_> =
            parts.into_iter().map(|part| self.start(stream, part, compression, plan)).collect();
        let mut outcomes: Vec<_> =
            records.iter().map(|_| Err(Error::protocol("a record was not sent"))).collect();
        for (indexes, task) in pending {
            let outcome = self.run(plan.deadline, async move { task.await? });
            if outcome.is_err() {
                self.forget_shards_of(stream);
            }
            for (place, index) in indexes.into_iter().enumerate() {
                outcomes[index] = match &outcome {
                    Ok(written) => Ok(written.id(place)),
                    Err(error) => Err(error.clone()),
                };
            }
        }
        Ok(outcomes)
    }

    /// Appends records to a shard of the caller's choice, whatever their keys, as one batch: all or nothing.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append); together they are too large for a batch; there is no such shard.
    pub fn append_to_shard(
        &self,
        stream: &str,
        shard_id: u64,
        records: &[Record],
        compression: impl Into<Compression>,
    ) -> Result<Vec<RecordId>> {
        let compression = compression.into();
        names::check("stream", stream)?;
        compression.check()?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let mut bytes = Vec::new();
        records.iter().for_each(|record| wire::encode(record, &mut bytes));
        if !fits_alone(bytes.len()) {
            return Err(too_large(stream, bytes.len()));
        }
        let plan = Plan { send_twice: true, ..self.plan() };
        let part = Part { shard_id, bytes, indexes: (0..records.len()).collect() };
        let (indexes, task) = self.start(stream, part, compression, plan);
        let written = self.run(plan.deadline, async move { task.await? })?;
        Ok(indexes.into_iter().map(|index| written.id(index)).collect())
    }

    /// Starts one append on the runtime.
    fn start(
        &self,
        stream: &str,
        part: Part,
        compression: Compression,
        plan: Plan,
    ) -> (Vec<usize>, crate::runtime::Task<Result<crate::producer::delivery::Written>>) {
        let (cluster, stream) = (self.cluster().clone(), stream.to_owned());
        let count = part.indexes.len() as u32;
        // On the caller's thread: the runtime is for I/O.
        let message = batch::seal(part.bytes.into(), count, compression);
        let task = self
            .spawner()
            .spawn(async move { append_batch(&cluster, &stream, part.shard_id, message?, plan).await });
        (part.indexes, task)
    }
}

/// Encodes the records into batches by shard, in order.
fn split(stream: &str, records: &[Record], shards: &ShardMap) -> Result<Vec<Part>> {
    let mut full = Vec::new();
    let mut open: Vec<Part> = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let len = record.encoded_len();
        if !fits_alone(len) {
            return Err(too_large(stream, len));
        }
        let shard = shards.for_key(record.key()).ok_or_else(|| {
            Error::protocol(format!("no shard of the stream `{stream}` takes the key `{}`", record.key()))
        })?;
        let place = match open.iter().position(|part| part.shard_id == shard.id()) {
            Some(place) => place,
            None => {
                open.push(Part { shard_id: shard.id(), bytes: Vec::new(), indexes: Vec::new() });
                open.len() - 1
            }
        };
        let part = &mut open[place];
        if !part.indexes.is_empty() && part.bytes.len() + len > CAP {
            let next = Part { shard_id: shard.id(), bytes: Vec::new(), indexes: Vec::new() };
            full.push(std::mem::replace(part, next));
        }
        wire::encode(record, &mut part.bytes);
        part.indexes.push(index);
    }
    full.append(&mut open);
    Ok(full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::tests::cut;

    #[test]
    fn records_are_grouped_by_shard_in_order_and_split_at_the_cap() {
        let shards = cut(2);
        let records: Vec<_> = (0..6)
            .map(|index| Record::raw(vec![0; CAP / 2 - 100]).with_key(["key-1", ""][index % 2]))
            .collect();
        let parts = split("s", &records, &shards).unwrap();
        let indexes: Vec<_> = parts.iter().map(|part| part.indexes.clone()).collect();
        assert_eq!(indexes, [vec![0, 2], vec![1, 3], vec![4], vec![5]]);
        assert!(parts.iter().all(|part| part.bytes.len() <= CAP));
    }

    #[test]
    fn a_record_over_the_limit_stops_all_before_anything_is_sent() {
        let records = [Record::raw("a"), Record::raw(vec![0; batch::SERVER_LIMIT])];
        let error = split("s", &records, &cut(1)).err().unwrap();
        assert_eq!(error.kind(), crate::ErrorKind::RecordTooLarge);
    }
}
