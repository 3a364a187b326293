//! Appending now, and waiting for it: nothing is buffered.

use std::collections::VecDeque;

use crate::client::Client;
use crate::cluster::Plan;
use crate::codec::append::Written;
use crate::codec::batch::{self, CAP, fits_alone};
use crate::codec::compression::Compression;
use crate::codec::record as wire;
use crate::error::{Error, Result};
use crate::names;
use crate::producer::append::{Destination, append_batch};
use crate::producer::appender::too_large;
use crate::producer::stats::Retries;
use crate::producer::worker::behind_a_failure;
use crate::proto::{BatchedRecord, ErrorCode};
use crate::record::Record;
use crate::record_id::RecordId;
use crate::runtime::Task;
use crate::shard::ShardMap;

/// The caller's records that go to one shard, in batches that are sent one after the other.
struct ShardBatches {
    shard_id: u64,
    batches: VecDeque<EncodedBatch>,
}

#[derive(Default)]
struct EncodedBatch {
    bytes: Vec<u8>,
    /// Where its records stand in the caller's list.
    indexes: Vec<usize>,
    /// As a part of a larger batch, that was refused after an attempt of which nobody knows the outcome.
    perhaps_written: bool,
}

impl EncodedBatch {
    fn of(records: &[Record]) -> Self {
        let mut batch = EncodedBatch::default();
        records.iter().enumerate().for_each(|(index, record)| batch.push(record, index));
        batch
    }

    fn push(&mut self, record: &Record, index: usize) {
        wire::encode(record, &mut self.bytes);
        self.indexes.push(index);
    }

    fn message(&self, compression: Compression) -> Result<BatchedRecord> {
        batch::seal(self.bytes.clone().into(), self.indexes.len() as u32, compression)
    }

    /// The halves, after this error of the whole.
    fn halve(mut self, error: &Error) -> [Self; 2] {
        self.perhaps_written |= error.is_ambiguous();
        let middle = self.indexes.len() / 2;
        let end_of_first = wire::split(&self.bytes).nth(middle).map_or(self.bytes.len(), |range| range.start);
        let second = EncodedBatch {
            bytes: self.bytes.split_off(end_of_first),
            indexes: self.indexes.split_off(middle),
            perhaps_written: self.perhaps_written,
        };
        [self, second]
    }
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

    /// Appends one record and returns its id. As [`append`](Self::append), compressed as
    /// [`ClientConfig::append_compression`](crate::ClientConfig::append_compression) says.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub fn append_one(&self, stream: &str, record: &Record) -> Result<RecordId> {
        let ids = self.append(stream, std::slice::from_ref(record), self.append_compression())?;
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
        let mut by_shard = split(stream, records, &*self.shards_of(stream)?)?;
        let plan = Plan { send_twice: true, ..self.plan() };
        let mut outcomes: Vec<_> =
            records.iter().map(|_| Err(Error::protocol("a record was not sent"))).collect();
        while !by_shard.is_empty() {
            let sending: Vec<_> =
                by_shard.iter().map(|shard| self.send(stream, shard, compression, plan)).collect();
            for (shard, task) in by_shard.iter_mut().zip(sending) {
                // If we stop waiting, it may still be on its way.
                let sent = self.run(plan.deadline, task).map_err(Error::ambiguous);
                if note(&mut outcomes, shard, sent) {
                    self.forget_shards_of(stream);
                }
            }
            by_shard.retain(|shard| !shard.batches.is_empty());
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
        let batch = EncodedBatch::of(records);
        if !fits_alone(batch.bytes.len()) {
            return Err(too_large(stream, batch.bytes.len()));
        }
        let plan = Plan { send_twice: true, ..self.plan() };
        let shard = ShardBatches { shard_id, batches: [batch].into() };
        let sent = self.run(plan.deadline, self.send(stream, &shard, compression, plan));
        let outcome = sent.map_err(Error::ambiguous)?.into_iter().next();
        let written = outcome.unwrap_or_else(|| Err(Error::protocol("a batch was not sent")))?;
        Ok((0..records.len()).map(|index| written.id(index)).collect())
    }

    /// Sends the batches of one shard on the runtime, one after the other, up to the first that fails. Returns the
    /// outcomes to come.
    fn send(&self, stream: &str, shard: &ShardBatches, compression: Compression, plan: Plan) -> Sending {
        let cluster = self.cluster().clone();
        // Compressed on the caller's thread: the runtime is for I/O.
        let messages: Vec<_> = shard.batches.iter().map(|batch| batch.message(compression)).collect();
        let destination =
            Destination { stream: stream.into(), shard_id: shard.shard_id, retries: Retries::default() };
        self.spawner().spawn(async move {
            let mut outcomes: Vec<Result<Written>> = Vec::new();
            for message in messages {
                let outcome = match message {
                    Ok(message) => append_batch(&cluster, destination.clone(), message, plan).await,
                    Err(error) => Err(error),
                };
                let failed = outcome.is_err();
                outcomes.push(outcome);
                if failed {
                    break;
                }
            }
            outcomes
        })
    }
}

/// Notes how the batches of a shard ended, and leaves those to be sent again: the halves of one that the server
/// found too large, and what is behind. Says whether any failed for good.
fn note(
    outcomes: &mut [Result<RecordId>],
    shard: &mut ShardBatches,
    sent: Result<Vec<Result<Written>>>,
) -> bool {
    let sent = match sent {
        Ok(sent) => sent,
        // Which of them were sent before we stopped waiting, nobody can tell.
        Err(error) => {
            for batch in shard.batches.drain(..) {
                settle(outcomes, &batch, |_| Err(error.clone()));
            }
            return true;
        }
    };
    for outcome in sent {
        let Some(batch) = shard.batches.pop_front() else { break };
        match outcome {
            Err(error) if error.has_code(ErrorCode::StreamInvalidRecordSize) && batch.indexes.len() > 1 => {
                let [first, second] = batch.halve(&error);
                shard.batches.push_front(second);
                shard.batches.push_front(first);
                return false;
            }
            Ok(written) => settle(outcomes, &batch, |place| Ok(written.id(place))),
            Err(error) => {
                settle(outcomes, &batch, |_| Err(error.clone()));
                // What is behind a failure would overtake it when it is appended again.
                for behind in shard.batches.drain(..) {
                    settle(outcomes, &behind, |_| Err(behind_a_failure()));
                }
                return true;
            }
        }
    }
    false
}

fn settle(
    outcomes: &mut [Result<RecordId>],
    batch: &EncodedBatch,
    outcome: impl Fn(usize) -> Result<RecordId>,
) {
    for (place, index) in batch.indexes.iter().enumerate() {
        let outcome = outcome(place);
        outcomes[*index] =
            outcome.map_err(|error| if batch.perhaps_written { error.ambiguous() } else { error });
    }
}

/// The outcomes to come of the batches of one shard, in order.
type Sending = Task<Vec<Result<Written>>>;

/// Encodes the records into batches by shard, in order.
fn split(stream: &str, records: &[Record], shards: &ShardMap) -> Result<Vec<ShardBatches>> {
    let mut by_shard: Vec<ShardBatches> = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let len = record.encoded_len();
        if !fits_alone(len) {
            return Err(too_large(stream, len));
        }
        let shard = shards.for_key(record.key()).ok_or_else(|| {
            Error::protocol(format!("no shard of the stream `{stream}` takes the key `{}`", record.key()))
        })?;
        let place = by_shard.iter().position(|batches| batches.shard_id == shard.id()).unwrap_or_else(|| {
            by_shard.push(ShardBatches { shard_id: shard.id(), batches: VecDeque::new() });
            by_shard.len() - 1
        });
        let batches = &mut by_shard[place].batches;
        if batches.back().is_none_or(|batch| batch.bytes.len() + len > CAP) {
            batches.push_back(EncodedBatch::default());
        }
        if let Some(batch) = batches.back_mut() {
            batch.push(record, index);
        }
    }
    Ok(by_shard)
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
        let by_shard = split("s", &records, &shards).unwrap();
        let batches: Vec<Vec<_>> = by_shard
            .iter()
            .map(|shard| shard.batches.iter().map(|batch| batch.indexes.clone()).collect())
            .collect();
        assert_eq!(batches, [[vec![0, 2], vec![4]], [vec![1, 3], vec![5]]]);
        assert!(by_shard.iter().flat_map(|shard| &shard.batches).all(|batch| batch.bytes.len() <= CAP));
    }

    #[test]
    fn a_record_over_the_limit_stops_all_before_anything_is_sent() {
        let records = [Record::raw("a"), Record::raw(vec![0; batch::SERVER_LIMIT])];
        let error = split("s", &records, &cut(1)).err().unwrap();
        assert_eq!(error.kind(), crate::ErrorKind::RecordTooLarge);
    }
}
